/* Tenon: interface "tenon.device": devices, memory, queues. Plugin tier.
 *
 * Memory is addressable: the core owns the one caching allocator and hands out (mem, offset) pairs; the plugin supplies raw
 * blocks. `mem` is an address where the device says TN_DEVICE_HOST_MEMORY, else any 64-bit handle that is not 0.
 *
 * A queue is an in-order timeline. Before each call that enqueues a command (kernel run, copy, fill, wait) the core adds 1
 * to timeline->submitted; the command's value is what stands there during the call. When a command is done, the plugin stores its
 * value to timeline->completed (release order). If the call itself returns an error, nothing was enqueued and the value is
 * taken back. After a failure (host->fail) the plugin skips the work of later commands but goes on completing them.
 * A device with TN_DEVICE_INLINE does everything before the call returns; it needs no queue slots and never sees a timeline.
 *
 * A device with TN_DEVICE_VALUES has no memory that the core could place tensors in. It has values: dense tensors behind handles of
 * 64 bits, not 0, that the plugin chooses. `make_value` brings one from the host, an execution of a compiled graph (compiler.h) takes
 * and gives them, `download` reads one (mem: its handle, offset: 0, bytes: all of it), `free` ends one: at any time, so what was enqueued
 * before and needs it keeps it. Such a device has queues, and a compiler that takes every op or one made of what it takes; it has no
 * kernels, and needs neither `allocate` nor `upload`. A value is there when the command that makes it is done; the core orders other
 * queues after that. Of a command that failed, or was skipped, the values are there to be freed, and nothing else. */
#ifndef TENON_PLUGIN_DEVICE_H_
#define TENON_PLUGIN_DEVICE_H_
#include "entry.h"
TN_EXTERN_C_BEGIN

#define TN_IFACE_DEVICE "tenon.device"
#define TN_IFACE_DEVICE_MAJOR 0u
#define TN_IFACE_DEVICE_REVISION 1u

/* Shared by core and plugin; both sides use atomic loads and stores. Frozen. */
struct tn_timeline {
  uint64_t submitted; /* written by the core */
  uint64_t completed; /* written by the plugin: every command up to this value is done or skipped */
  uint64_t failed;    /* written by host->fail: first failed value, 0: none */
  uint64_t reserved;
};

#define TN_DEVICE_INLINE 1u      /* kernels and copies are done when the call returns */
#define TN_DEVICE_HOST_MEMORY 2u /* mem is an address that the host may read and write */
#define TN_DEVICE_COPY_QUEUE 4u  /* host copies gain from a queue of their own */
#define TN_DEVICE_VALUES 8u      /* tensors are values; neither of the first two goes with it */

/* What a device says of itself, and its limits. */
typedef struct tn_device_props {
  uint32_t struct_size;
  uint32_t flags;        /* TN_DEVICE_... */
  tn_str type;           /* "cpu" */
  tn_str label;          /* what the hardware calls itself */
  uint64_t memory_bytes; /* 0: unknown */
  uint64_t
      alignment; /* of blocks and of offsets at which the core places tensors; at least 64, a power of two */
  uint64_t max_block_bytes; /* largest single allocation; 0: no limit */
  uint64_t
      max_binding_bytes; /* largest range that one kernel argument may span; 0: no limit. Kernels cut larger ones. */
  int32_t priority; /* when "the best device" is asked for; cpu: 100, reference: 0 */
  uint32_t reserved;
} tn_device_props;

typedef struct tn_device_vtbl {
  uint32_t struct_size;
  uint32_t reserved;

  /* [any] Number of devices, and what they are, without opening them. */
  tn_error*(TN_CALL* count)(void* state, uint32_t* out_count);
  tn_error*(TN_CALL* props)(void* state, uint32_t index, tn_device_props* out_props);
  /* [one] */
  tn_error*(TN_CALL* open)(void* state, uint32_t index, void** out_device);
  void(TN_CALL* close)(void* device);

  /* [any] Raw memory, aligned to props.alignment. OUT_OF_MEMORY when there is none: the core trims its cache and asks once more. */
  tn_error*(TN_CALL* allocate)(void* device, uint64_t bytes, uint64_t* out_mem);
  void(TN_CALL* free)(void* device, uint64_t mem, uint64_t bytes);
  /* [any] optional: bytes free on the device now. */
  tn_error*(TN_CALL* memory_free)(void* device, uint64_t* out_bytes);

  /* Copies, enqueued on `queue` (NULL on an inline device). Host memory may be reused when upload returns (the plugin stages
   * it); download's target is written when the value is completed. [one] per queue. */
  tn_error*(TN_CALL* upload)(void* device, void* queue, uint64_t mem, uint64_t offset,
                             const void* from, uint64_t bytes);
  tn_error*(TN_CALL* download)(void* device, void* queue, void* to, uint64_t mem, uint64_t offset,
                               uint64_t bytes);

  /* Queues; not needed on an inline device. timeline outlives the queue. [one] per queue. */
  tn_error*(TN_CALL* queue_create)(void* device, tn_timeline* timeline, void** out_queue);
  void(TN_CALL* queue_destroy)(void* queue); /* after the core has waited, or after a failure */
  /* [any] Blocks until timeline->completed >= value, at most timeout_ns: DEADLINE_EXCEEDED. Submits what was held back. */
  tn_error*(TN_CALL* queue_wait)(void* queue, uint64_t value, uint64_t timeout_ns);
  /* Commands enqueued later start after `value` of another queue of the same device; its failure fails this one (host->fail_like).
   * Optional: without it the core waits on the host. */
  tn_error*(TN_CALL* queue_wait_for)(void* queue, void* other, const tn_timeline* other_timeline,
                                     uint64_t value);
  /* Optional: the native queue. */
  tn_error*(TN_CALL* queue_native)(void* queue, uint64_t* out_native);

  /* With TN_DEVICE_VALUES. Enqueued as uploads are: a value of what a dense view shows of host memory, which may be reused when the call
   * returns. [one] per queue, as the executions. */
  tn_error*(TN_CALL* make_value)(void* device, void* queue, const tn_view* from,
                                 uint64_t* out_value);
} tn_device_vtbl;

TN_EXTERN_C_END
#endif
