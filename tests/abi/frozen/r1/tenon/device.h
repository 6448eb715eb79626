/* Tenon: devices as an application sees them. A device is named "type:index" ("cpu:0"); "type" alone means index 0.
 * Threads: any. Handles are lent by the runtime and live as long as it does. */
#ifndef TENON_DEVICE_H_
#define TENON_DEVICE_H_
#include "runtime.h"
TN_EXTERN_C_BEGIN

typedef struct tn_device tn_device;

typedef struct tn_device_info {
  uint32_t struct_size;
  int32_t index;
  tn_str type;               /* "cpu" */
  tn_str name;               /* "cpu:0" */
  tn_str label;              /* what the hardware calls itself */
  tn_str plugin;             /* id of the plugin that serves it */
  uint64_t memory_bytes;     /* total, 0 if unknown */
  uint32_t kernel_count;     /* that the plugin lists for it; one op may have several */
  uint32_t host_addressable; /* 1: tensors can be read in place */
} tn_device_info;

typedef struct tn_memory_stats {
  uint32_t struct_size;
  uint32_t live_blocks;             /* blocks in use */
  uint64_t live_bytes;              /* in use by tensors and workspaces */
  uint64_t reserved_bytes;          /* taken from the device, cached ones included */
  uint64_t peak_bytes;              /* greatest live_bytes since the start or the last reset */
  uint64_t limit_bytes;             /* 0: none */
  uint64_t allocation_count;        /* requests served */
  uint64_t device_allocation_count; /* requests that reached the plugin */
} tn_memory_stats;

TN_INLINE tn_device_info tn_device_info_init(void) {
  tn_device_info d;
  unsigned char* p = (unsigned char*)&d;
  for (size_t i = 0; i < sizeof d; ++i) p[i] = 0;
  d.struct_size = (uint32_t)sizeof d;
  return d;
}
TN_INLINE tn_memory_stats tn_memory_stats_init(void) {
  tn_memory_stats d;
  unsigned char* p = (unsigned char*)&d;
  for (size_t i = 0; i < sizeof d; ++i) p[i] = 0;
  d.struct_size = (uint32_t)sizeof d;
  return d;
}

/* Opens every device plugin that can be opened and gives the number of devices. A plugin that fails leaves its reason
 * in the plugin report and does not fail the call. */
TN_API tn_error* TN_CALL tn_device_count(tn_runtime* runtime, uint32_t* out_count);
TN_API tn_error* TN_CALL tn_device_at(tn_runtime* runtime, uint32_t index, tn_device** out_device);
/* Opens only the plugin that serves `name`; "" means the best: the highest plugin priority, then index 0.
 * An unknown name is NOT_FOUND; the message lists the devices there are and why a candidate was refused. */
TN_API tn_error* TN_CALL tn_device_get(tn_runtime* runtime, tn_str name, tn_device** out_device);
TN_API tn_error* TN_CALL tn_device_get_info(const tn_device* device, tn_device_info* out_info);
TN_API tn_error* TN_CALL tn_device_get_memory(const tn_device* device, tn_memory_stats* out_stats);
TN_API tn_error* TN_CALL tn_device_reset_peak(tn_device* device);
/* Gives cached, unused memory back to the device. */
TN_API tn_error* TN_CALL tn_device_trim(tn_device* device);
/* Bytes; 0 removes the limit. */
TN_API tn_error* TN_CALL tn_device_set_memory_limit(tn_device* device, uint64_t bytes);

TN_EXTERN_C_END
#endif
