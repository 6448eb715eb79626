// Opens, and throws in every command: also in those that have nothing to report.
extern "C" {
#include "minimal.h"

static void TN_CALL throwing_close(void*) { throw 1; }
static void TN_CALL throwing_free(void*, uint64_t mem, uint64_t bytes) {
  minimal_free(nullptr, mem, bytes);
  throw 2;
}
static const tn_device_vtbl table = {sizeof(tn_device_vtbl),
                                     0,
                                     minimal_count,
                                     minimal_props,
                                     minimal_device_open,
                                     throwing_close,
                                     minimal_allocate,
                                     throwing_free,
                                     nullptr,
                                     minimal_upload,
                                     minimal_download,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr};

static tn_error* TN_CALL throwing_run(void*, void*, const tn_view* const*) { throw 3; }
static void TN_CALL throwing_release(void*) { throw 4; }
static tn_error* TN_CALL prepare(void*, const tn_signature*, tn_plan* plan) {
  plan->run = throwing_run;
  plan->release = throwing_release;
  plan->data = plan;
  return nullptr;
}
static tn_error* TN_CALL throwing_prepare(void*, const tn_signature*, tn_plan*) { throw 5; }
static tn_error* TN_CALL greedy_prepare(void*, const tn_signature*, tn_plan* plan) {
  plan->run = throwing_run;
  plan->workspace_bytes = UINT64_MAX;
  return nullptr;
}
static const tn_kernel kernels[] = {
    {sizeof(tn_kernel), 0, TEXT("neg"), 0, 0, TEXT("neg_throws"), 0, 0, prepare},
    {sizeof(tn_kernel), 0, TEXT("abs"), 0, 0, TEXT("abs_throws"), 0, 0, throwing_prepare},
    {sizeof(tn_kernel), 0, TEXT("exp"), 0, 0, TEXT("exp_greedy"), 0, 0, greedy_prepare}};
static tn_error* TN_CALL list(void*, const tn_kernel** out_kernels, uint32_t* out_count) {
  *out_kernels = kernels;
  *out_count = 3;
  return nullptr;
}
static const tn_kernels_vtbl kernel_table = {sizeof(tn_kernels_vtbl), sizeof(tn_kernel), list};

static const tn_interface interfaces[] = {
    {TEXT(TN_IFACE_DEVICE), TN_IFACE_DEVICE_MAJOR, TN_IFACE_DEVICE_REVISION, &table},
    {TEXT(TN_IFACE_KERNELS), TN_IFACE_KERNELS_MAJOR, TN_IFACE_KERNELS_REVISION, &kernel_table}};
static const tn_plugin_info info = {
    sizeof(tn_plugin_info), TENON_VERSION, TEXT("org.example.throws_in_commands"),
    TEXT("1.2.3"),          interfaces,    2,
    sizeof(tn_interface),   minimal_open,  minimal_close};
const tn_plugin_info* TN_CALL tn_plugin_query(uint32_t) { return &info; }
}
