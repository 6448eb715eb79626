/* Tenon: exchange of tensors without a copy, by DLPack 1.0 (versioned form). The structs repeat the layout of the
 * standard under names of our own, so that this header and dlpack.h can be included together; cast between the two. */
#ifndef TENON_DLPACK_H_
#define TENON_DLPACK_H_
#include "tensor.h"
TN_EXTERN_C_BEGIN

#define TN_DL_CPU 1
#define TN_DL_READ_ONLY 1u
#define TN_DL_COPIED 2u

typedef struct tn_dl_tensor {
  void* data;
  int32_t device_type;
  int32_t device_id;
  int32_t ndim;
  uint8_t dtype_code;
  uint8_t dtype_bits;
  uint16_t dtype_lanes;
  int64_t* shape;
  int64_t* strides; /* in elements */
  uint64_t byte_offset;
} tn_dl_tensor;

typedef struct tn_dl_managed {
  uint32_t version_major;
  uint32_t version_minor;
  void* manager_ctx;
  void(TN_CALL* deleter)(struct tn_dl_managed* self);
  uint64_t flags;
  tn_dl_tensor tensor;
} tn_dl_managed;

/* Takes over `managed` in every case, also on failure: its deleter runs exactly once, when the last tensor over it is
 * gone. Elements may be aligned only to their own size. */
TN_API tn_error* TN_CALL tn_tensor_from_dlpack(tn_ctx* ctx, tn_dl_managed* managed,
                                               tn_tensor** out_tensor);
/* The caller owns the result and calls its deleter. Read-only: other tensors may share the memory. `stream` is the
 * consumer's native queue by DLPack's protocol (0: none). Waits where the device has no queue to order on. */
TN_API tn_error* TN_CALL tn_tensor_to_dlpack(tn_ctx* ctx, tn_tensor* tensor, uint64_t stream,
                                             tn_dl_managed** out_managed);

TN_EXTERN_C_END
#endif
