/* Arrays of a future header: entries are further apart than the host's and begin alike. All interfaces but the device, so that
 * each kind of array is walked. */
#include "minimal.h"

static tn_error* TN_CALL infer(tn_infer* c) {
  (void)c;
  return NULL;
}
static void TN_CALL update(tn_builder* b) { (void)b; }
static tn_error* TN_CALL prepare(void* device, const tn_signature* signature, tn_plan* out_plan) {
  (void)device, (void)signature, (void)out_plan;
  return NULL;
}

typedef struct future_op {
  tn_op_def known;
  uint64_t more[2];
} future_op;
typedef struct future_optimizer {
  tn_optimizer_def known;
  uint64_t more[3];
} future_optimizer;
typedef struct future_kernel {
  tn_kernel known;
  uint64_t more;
} future_kernel;

#define OP(name)                                                                            \
  {                                                                                         \
    {sizeof(future_op),           0, TEXT(name), 1, 0, NULL, 0, 1, NULL, infer, NULL, NULL, \
     TEXT("an integer comes out")},                                                         \
    {                                                                                       \
      0, 0                                                                                  \
    }                                                                                       \
  }
#define OPTIMIZER(name)                                                                        \
  {                                                                                            \
    {sizeof(future_optimizer), 0, TEXT(name), NULL, NULL, 0, 0, update, TEXT("")}, { 0, 0, 0 } \
  }
#define KERNEL(op) \
  { {sizeof(future_kernel), 0, TEXT(op), 0, 0, TEXT(op "_plain"), 0, 0, prepare}, 0 }

static const future_op op_list[] = {OP("first_op"), OP("second_op"), OP("third_op")};
static const future_optimizer optimizer_list[] = {OPTIMIZER("walk"), OPTIMIZER("run")};
static const future_kernel kernel_list[] = {KERNEL("add"), KERNEL("matmul")};

static tn_error* TN_CALL list(void* device, const tn_kernel** out_kernels, uint32_t* out_count) {
  (void)device;
  *out_kernels = &kernel_list[0].known;
  *out_count = 2;
  return NULL;
}

static const tn_device_vtbl device = MINIMAL_DEVICE;
static const tn_kernels_vtbl kernels = {sizeof(tn_kernels_vtbl), sizeof(future_kernel), list};
static const tn_ops_vtbl ops = {sizeof(tn_ops_vtbl), sizeof(future_op), 3, 0, &op_list[0].known};
static const tn_optimizer_vtbl optimizers = {sizeof(tn_optimizer_vtbl), sizeof(future_optimizer), 2,
                                             0, &optimizer_list[0].known};

static const tn_interface interfaces[] = {
    {TEXT(TN_IFACE_DEVICE), TN_IFACE_DEVICE_MAJOR, TN_IFACE_DEVICE_REVISION, &device},
    {TEXT("tenon.teleport"), 0, 9, NULL}, /* unknown ones beside known ones are passed over */
    {TEXT(TN_IFACE_KERNELS), TN_IFACE_KERNELS_MAJOR, TN_IFACE_KERNELS_REVISION, &kernels},
    {TEXT(TN_IFACE_OPS), TN_IFACE_OPS_MAJOR, TN_IFACE_OPS_REVISION, &ops},
    {TEXT(TN_IFACE_OPTIMIZER), TN_IFACE_OPTIMIZER_MAJOR, TN_IFACE_OPTIMIZER_REVISION, &optimizers}};
static const tn_plugin_info info = {
    sizeof(tn_plugin_info), TENON_VERSION, TEXT("org.example.strided"),
    TEXT("2.0.0"),          interfaces,    5,
    sizeof(tn_interface),   minimal_open,  minimal_close};

const tn_plugin_info* TN_CALL tn_plugin_query(uint32_t host_version) {
  (void)host_version;
  return &info;
}
