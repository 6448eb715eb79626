/* Tenon: the context, first argument of every call that computes. It holds the default device, a queue per device, the
 * grad mode, the random state and the free lists of tensors.
 * Threads: one thread at a time may use a context; it may move between threads. */
#ifndef TENON_CONTEXT_H_
#define TENON_CONTEXT_H_
#include "device.h"
TN_EXTERN_C_BEGIN

typedef struct tn_ctx tn_ctx;

/* device: "cpu", "vulkan:1", or empty: TENON_DEVICE if set, else the best one. */
TN_API tn_error* TN_CALL tn_ctx_create(tn_runtime* runtime, tn_str device, tn_ctx** out_ctx);
/* Waits for nothing. Tensors of the context stay usable. */
TN_API void TN_CALL tn_ctx_release(tn_ctx* ctx);

TN_API tn_device* TN_CALL tn_ctx_get_device(const tn_ctx* ctx);
TN_API tn_runtime* TN_CALL tn_ctx_get_runtime(const tn_ctx* ctx);

/* Recording for gradients: 1 on (the default), 0 off. Gives the mode before. */
TN_API int32_t TN_CALL tn_ctx_set_grad_mode(tn_ctx* ctx, int32_t enabled);
TN_API int32_t TN_CALL tn_ctx_get_grad_mode(const tn_ctx* ctx);

/* Only kernels whose result does not depend on timing or thread count. Gives the mode before. */
TN_API int32_t TN_CALL tn_ctx_set_deterministic(tn_ctx* ctx, int32_t enabled);
/* How exactly products of f32 are computed. What the context has when an op is called, then for its gradient too, or when a program
 * runs, decides. Gives the precision before; a number that is no tn_precision changes nothing. */
TN_API tn_precision TN_CALL tn_ctx_set_precision(tn_ctx* ctx, tn_precision precision);
TN_API tn_precision TN_CALL tn_ctx_get_precision(const tn_ctx* ctx);

/* Mixed precision. With TN_DTYPE_BF16 or TN_DTYPE_F16, while it is set, ops that are called on this context cast their f32 and narrow
 * operands: products (matmul, linear, einsum, convolutions, attention, recurrent layers) to that dtype; what sums many terms or leaves
 * the range of f16 (exp, log, pow and their like, sums, means, norms, softmax, losses, solvers) to f32; every other op of several
 * operands, where some are f32 and some narrow, to f32. Ops of plugins, other dtypes and host scalars are left alone. The casts are
 * recorded: a variable of f32 gets a gradient of f32. Gradients and optimizer steps themselves are not cast. TN_DTYPE_F32: off (the
 * default). For f16 see tn_loss_scale. INVALID_ARGUMENT: another dtype. */
TN_API tn_error* TN_CALL tn_ctx_set_autocast(tn_ctx* ctx, tn_dtype dtype);
TN_API tn_dtype TN_CALL tn_ctx_get_autocast(const tn_ctx* ctx);

/* Allow an op without kernel or decomposition on this device to run on the cpu, with copies (logged once per op). Off
 * by default. Gives the mode before. */
TN_API int32_t TN_CALL tn_ctx_set_fallback(tn_ctx* ctx, int32_t enabled);

/* Seeds the random state (Philox 4x32-10): seed, stream 0, offset 0. */
TN_API tn_error* TN_CALL tn_ctx_set_seed(tn_ctx* ctx, uint64_t seed);
/* The random state {seed, stream, offset}: to save it and to set it again. */
TN_API tn_error* TN_CALL tn_ctx_get_random_state(tn_ctx* ctx, uint64_t out_state[3]);
TN_API tn_error* TN_CALL tn_ctx_set_random_state(tn_ctx* ctx, const uint64_t state[3]);

/* On a device whose tensors are values (no memory of its own that one could address), ops are recorded when they are called, and run as one
 * compiled program: when elements are read, copied or saved, a program needs one, another context uses one, at tn_ctx_flush and
 * tn_ctx_synchronize, and when this many ops are recorded (1,000). What nobody holds by then is never computed. Gives the number before; 0
 * changes nothing. Elsewhere without effect. */
TN_API uint32_t TN_CALL tn_ctx_set_flush_limit(tn_ctx* ctx, uint32_t ops);
/* Starts what is recorded, and waits for nothing. */
TN_API tn_error* TN_CALL tn_ctx_flush(tn_ctx* ctx);

#define TN_FOREVER UINT64_MAX
/* Waits until all work submitted by this context is done, at most timeout_ns (TN_FOREVER: no limit; else
 * DEADLINE_EXCEEDED). Gives the first error of a failed queue. */
TN_API tn_error* TN_CALL tn_ctx_synchronize(tn_ctx* ctx, uint64_t timeout_ns);
/* Makes the wait in progress on this context, or else its next one, return CANCELLED; a branch or loop waits for each condition. The one
 * function that another thread may call meanwhile. */
TN_API void TN_CALL tn_ctx_interrupt(tn_ctx* ctx);
/* After a device failure: fresh queues. Tensors written by the failed ones stay poisoned. */
TN_API tn_error* TN_CALL tn_ctx_recover(tn_ctx* ctx);

/* The device's native queue of this context (cudaStream_t, VkQueue, cl_command_queue ...); UNIMPLEMENTED where it has
 * none. Lent; work that the caller puts on it is ordered with Tenon's own. */
TN_API tn_error* TN_CALL tn_ctx_get_native_queue(tn_ctx* ctx, uint64_t* out_queue);

TN_EXTERN_C_END
#endif
