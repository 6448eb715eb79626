/* The smallest plugin that opens: one inline device "minimal" without kernels. Each file beside this one spoils one thing of it. */
#ifndef TENON_TESTS_BROKEN_MINIMAL_H_
#define TENON_TESTS_BROKEN_MINIMAL_H_
#include <stdlib.h>
#include <string.h>

#include "tenon/plugin/plugin.h"

#define TEXT(literal) \
  { (literal), sizeof(literal) - 1 }

static tn_error* TN_CALL minimal_count(void* state, uint32_t* out_count) {
  (void)state;
  *out_count = 1;
  return NULL;
}
static tn_error* TN_CALL minimal_props(void* state, uint32_t index, tn_device_props* out) {
  (void)state, (void)index;
  out->flags = TN_DEVICE_INLINE | TN_DEVICE_HOST_MEMORY;
  out->type = tn_string("minimal");
  out->label = tn_string("minimal");
  out->alignment = 64;
  out->priority = 7;
  return NULL;
}
static tn_error* TN_CALL minimal_device_open(void* state, uint32_t index, void** out) {
  (void)index;
  *out = state;
  return NULL;
}
static void TN_CALL minimal_device_close(void* device) { (void)device; }
static tn_error* TN_CALL minimal_allocate(void* device, uint64_t bytes, uint64_t* out_mem) {
  (void)device;
  *out_mem = (uint64_t)(uintptr_t)aligned_alloc(64, (size_t)((bytes + 63) / 64 * 64));
  return NULL;
}
static void TN_CALL minimal_free(void* device, uint64_t mem, uint64_t bytes) {
  (void)device, (void)bytes;
  free((void*)(uintptr_t)mem);
}
static tn_error* TN_CALL minimal_upload(void* device, void* queue, uint64_t mem, uint64_t offset,
                                        const void* from, uint64_t bytes) {
  (void)device, (void)queue;
  memcpy((char*)(uintptr_t)mem + offset, from, (size_t)bytes);
  return NULL;
}
static tn_error* TN_CALL minimal_download(void* device, void* queue, void* to, uint64_t mem,
                                          uint64_t offset, uint64_t bytes) {
  (void)device, (void)queue;
  memcpy(to, (const char*)(uintptr_t)mem + offset, (size_t)bytes);
  return NULL;
}
static tn_error* TN_CALL minimal_open(const tn_host* host, void** out_state) {
  (void)host;
  *out_state = (void*)1;
  return NULL;
}
static void TN_CALL minimal_close(void* state) { (void)state; }

#define MINIMAL_SLOTS                                                                        \
  minimal_count, minimal_props, minimal_device_open, minimal_device_close, minimal_allocate, \
      minimal_free, NULL, minimal_upload, minimal_download, NULL, NULL, NULL, NULL, NULL, NULL

/* A table with every required slot. */
#define MINIMAL_DEVICE \
  { sizeof(tn_device_vtbl), 0, MINIMAL_SLOTS }
/* The same with other devices. */
#define MINIMAL_DEVICE_LISTED_BY(count, props)                                                    \
  {                                                                                               \
    sizeof(tn_device_vtbl), 0, count, props, minimal_device_open, minimal_device_close,           \
        minimal_allocate, minimal_free, NULL, minimal_upload, minimal_download, NULL, NULL, NULL, \
        NULL, NULL, NULL                                                                          \
  }

/* tn_plugin_query of a plugin with one interface. */
#define MINIMAL_PLUGIN(id, interface_id, major, revision, table, open, close)                      \
  static const tn_interface minimal_interfaces[] = {{TEXT(interface_id), major, revision, table}}; \
  static const tn_plugin_info minimal_info = {                                                     \
      sizeof(tn_plugin_info), TENON_VERSION, TEXT(id), TEXT("1.2.3"), minimal_interfaces, 1,       \
      sizeof(tn_interface),   open,          close};                                               \
  const tn_plugin_info* TN_CALL tn_plugin_query(uint32_t host_version) {                           \
    (void)host_version;                                                                            \
    return &minimal_info;                                                                          \
  }
/* The same with the device interface at this header's version. */
#define MINIMAL_DEVICE_PLUGIN(id, table, open, close)                                         \
  MINIMAL_PLUGIN(id, TN_IFACE_DEVICE, TN_IFACE_DEVICE_MAJOR, TN_IFACE_DEVICE_REVISION, table, \
                 open, close)

#endif
