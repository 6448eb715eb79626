/* Tenon: tensors. A tensor is an immutable value: dtype, shape, strides, device, a reference-counted buffer.
 * Threads: a tensor may be read, retained and released from any thread; a function that takes a tn_ctx follows the
 * rule of the context. Rank is at most TN_MAX_RANK. */
#ifndef TENON_TENSOR_H_
#define TENON_TENSOR_H_
#include "context.h"
TN_EXTERN_C_BEGIN

typedef struct tn_tensor tn_tensor;

/* ---- life ------------------------------------------------------------------------------------- */

/* From any thread. NULL is fine and gives NULL. */
TN_API tn_tensor* TN_CALL tn_tensor_retain(tn_tensor* tensor);
/* From any thread, finaliser or callback, also after shutdown. NULL is fine. */
TN_API void TN_CALL tn_tensor_release(tn_tensor* tensor);
/* The fast form, for the thread that uses ctx. NULL is fine. */
TN_API void TN_CALL tn_tensor_drop(tn_ctx* ctx, tn_tensor* tensor);

/* ---- making ----------------------------------------------------------------------------------- */

/* Copies `bytes` bytes of dense row-major elements from the host to the context's device. `bytes` must be the size of
 * the tensor. dims may be NULL for rank 0. An element of bool is 0 or 1, else INVALID_ARGUMENT; so for what is wrapped and imported. */
TN_API tn_error* TN_CALL tn_tensor_from_host(tn_ctx* ctx, tn_dtype dtype, uint32_t rank,
                                             const int64_t* dims, const void* data, uint64_t bytes,
                                             tn_tensor** out_tensor);
/* Wraps memory that the caller keeps unchanged until destroy(user) is called (exactly once, from any thread, also on
 * failure). No copy on devices that address host memory, a copy elsewhere. strides may be NULL: dense. destroy may be NULL:
 * the memory outlives every use; user is handed to it unread. */
TN_API tn_error* TN_CALL tn_tensor_wrap(tn_ctx* ctx, tn_dtype dtype, uint32_t rank,
                                        const int64_t* dims, const int64_t* strides,
                                        const void* data, uint64_t bytes,
                                        void(TN_CALL* destroy)(void* user), void* user,
                                        tn_tensor** out_tensor);
/* Every element = value, cast to dtype (integers: truncated; out of range: OUT_OF_RANGE). */
TN_API tn_error* TN_CALL tn_tensor_full(tn_ctx* ctx, tn_dtype dtype, double value, uint32_t rank,
                                        const int64_t* dims, tn_tensor** out_tensor);
/* A weakly typed host scalar: it takes part in any op on any device without a copy and does not widen a dtype of its own
 * kind. */
TN_API tn_error* TN_CALL tn_tensor_scalar_f64(tn_ctx* ctx, double value, tn_tensor** out_tensor);
TN_API tn_error* TN_CALL tn_tensor_scalar_i64(tn_ctx* ctx, int64_t value, tn_tensor** out_tensor);
TN_API tn_error* TN_CALL tn_tensor_scalar_bool(tn_ctx* ctx, int32_t value, tn_tensor** out_tensor);
/* Copy to another device (by name). Recorded: the gradient is copied back. The same device: a new reference. */
TN_API tn_error* TN_CALL tn_tensor_to(tn_ctx* ctx, tn_tensor* tensor, tn_str device,
                                      tn_tensor** out_tensor);
/* The same value without its history. */
TN_API tn_error* TN_CALL tn_tensor_detach(tn_ctx* ctx, tn_tensor* tensor, tn_tensor** out_tensor);

/* ---- asking ----------------------------------------------------------------------------------- */

TN_API tn_dtype TN_CALL tn_tensor_dtype(const tn_tensor* tensor);
TN_API uint32_t TN_CALL tn_tensor_rank(const tn_tensor* tensor);
/* rank entries, lent. Strides are in elements. */
TN_API const int64_t* TN_CALL tn_tensor_dims(const tn_tensor* tensor);
TN_API const int64_t* TN_CALL tn_tensor_strides(const tn_tensor* tensor);
TN_API int64_t TN_CALL tn_tensor_count(const tn_tensor* tensor);
/* Bytes of the elements, densely packed. */
TN_API uint64_t TN_CALL tn_tensor_bytes(const tn_tensor* tensor);
/* NULL for a host scalar. */
TN_API tn_device* TN_CALL tn_tensor_get_device(const tn_tensor* tensor);
TN_API int32_t TN_CALL tn_tensor_requires_grad(const tn_tensor* tensor);

/* ---- reading ---------------------------------------------------------------------------------- */

/* Waits, then copies the elements, dense row-major, to `data`. `bytes` must be tn_tensor_bytes. A failed producer gives
 * its error. */
TN_API tn_error* TN_CALL tn_tensor_read(tn_ctx* ctx, tn_tensor* tensor, void* data, uint64_t bytes);
/* The one element of a tensor with count 1, converted; to i64 towards 0, and OUT_OF_RANGE if none is there. */
TN_API tn_error* TN_CALL tn_tensor_item_f64(tn_ctx* ctx, tn_tensor* tensor, double* out_value);
TN_API tn_error* TN_CALL tn_tensor_item_i64(tn_ctx* ctx, tn_tensor* tensor, int64_t* out_value);
/* Waits and lends the address of element (0, 0, ...) of a tensor on a host-addressable device; else UNIMPLEMENTED. */
TN_API tn_error* TN_CALL tn_tensor_get_data(tn_ctx* ctx, tn_tensor* tensor, const void** out_data);

typedef struct tn_format_options {
  uint32_t struct_size;
  int32_t precision;  /* significant digits; 0: 6 */
  int32_t edge_items; /* kept at each end of a long axis; 0: 3 */
  int32_t reserved;
} tn_format_options;

TN_INLINE tn_format_options tn_format_options_init(void) {
  tn_format_options o;
  o.struct_size = (uint32_t)sizeof o, o.precision = 0, o.edge_items = 0, o.reserved = 0;
  return o;
}

/* "f32[3] cpu:0  [11, 12, 13]", NUL-terminated. From rank 2 on a line per row, in columns. Of more than 1,000 elements only those
 * at the edges are shown, "..." for the others. What is longer than the capacity is cut between two numbers and then ends
 * in "...", which a whole text never does. Waits. options may be NULL. */
TN_API tn_error* TN_CALL tn_tensor_format(tn_tensor* tensor, const tn_format_options* options,
                                          char* buffer, uint64_t capacity);

/* ---- typed short forms ------------------------------------------------------------------------ */

#define TN_TENSOR_FROM_(suffix, ctype, dtype)                                                \
  TN_INLINE tn_error* tn_tensor_from_##suffix(tn_ctx* ctx, const ctype* data, uint32_t rank, \
                                              const int64_t* dims, tn_tensor** out_tensor) { \
    uint64_t n = sizeof(ctype);                                                              \
    for (uint32_t i = 0; dims && i < rank; ++i) n *= (uint64_t)dims[i];                      \
    return tn_tensor_from_host(ctx, dtype, rank, dims, data, n, out_tensor);                 \
  }
TN_TENSOR_FROM_(f32, float, TN_DTYPE_F32)
TN_TENSOR_FROM_(f64, double, TN_DTYPE_F64)
TN_TENSOR_FROM_(i32, int32_t, TN_DTYPE_I32)
TN_TENSOR_FROM_(i64, int64_t, TN_DTYPE_I64)
TN_TENSOR_FROM_(u8, uint8_t, TN_DTYPE_U8)
#undef TN_TENSOR_FROM_

TN_INLINE tn_error* tn_tensor_full_f32(tn_ctx* ctx, double value, uint32_t rank,
                                       const int64_t* dims, tn_tensor** out_tensor) {
  return tn_tensor_full(ctx, TN_DTYPE_F32, value, rank, dims, out_tensor);
}

TN_EXTERN_C_END
#endif
