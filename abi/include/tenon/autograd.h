/* Tenon: variables and gradients. A tape belongs to the context that recorded it.
 * Gradients are returned; adding them up is the caller's business. */
#ifndef TENON_AUTOGRAD_H_
#define TENON_AUTOGRAD_H_
#include "op.h"
TN_EXTERN_C_BEGIN

/* ---- variables: the one mutable thing --------------------------------------------------------- */

/* A named slot that holds a tensor. Threads: any; reading and assigning are synchronised. */
typedef struct tn_variable tn_variable;

#define TN_VARIABLE_NOT_TRAINABLE 1u /* tn_variable_take gives a value that needs no gradient */

TN_API tn_error* TN_CALL tn_variable_create(tn_ctx* ctx, tn_str name, tn_tensor* value,
                                            uint32_t flags, tn_variable** out_variable);
/* From any thread. NULL is fine and gives NULL. */
TN_API tn_variable* TN_CALL tn_variable_retain(tn_variable* variable);
TN_API void TN_CALL tn_variable_release(tn_variable* variable);
/* The current value, a leaf for gradients. The caller owns the reference. All values that a variable takes one after the other are one
   leaf: a gradient of a loss that used two of them is the sum over both. */
TN_API tn_error* TN_CALL tn_variable_take(tn_ctx* ctx, tn_variable* variable,
                                          tn_tensor** out_value);
/* Same dtype and dims as before, else INVALID_ARGUMENT. Old tapes keep the old value. */
TN_API tn_error* TN_CALL tn_variable_assign(tn_ctx* ctx, tn_variable* variable, tn_tensor* value);
TN_API tn_str TN_CALL tn_variable_name(const tn_variable* variable);

/* ---- gradients -------------------------------------------------------------------------------- */

#define TN_GRAD_RETAIN 1u /* keep the tape for another call */
#define TN_GRAD_CREATE 2u /* record the gradient itself, for higher orders (implies RETAIN) */
#define TN_GRAD_ALLOW_UNUSED \
  4u /* a target that the loss does not depend on gives NULL instead of an error */

/* d loss / d variable for each of n variables, at the values last taken in this context. loss: one floating element, on the tape of
 * ctx. grads: n slots, each then owned by the caller; same dtype and dims as the variable. Frees the tape, also where it fails
 * half-way: its error is then not marked retryable, since the loss must be recorded again. It takes no flags: where an error
 * names one, call tn_vjp with the values of the variables. */
TN_API tn_error* TN_CALL tn_grad(tn_ctx* ctx, tn_tensor* loss, tn_variable* const* variables,
                                 uint32_t n, tn_tensor** out_grads);
/* Vector-Jacobian product: cotangents[i] (NULL array or entry: ones, only for one-element outputs) has the shape and
 * dtype of outputs[i]. flags: TN_GRAD_... */
TN_API tn_error* TN_CALL tn_vjp(tn_ctx* ctx, tn_tensor* const* outputs,
                                tn_tensor* const* cotangents, uint32_t n_outputs,
                                tn_tensor* const* inputs, uint32_t n_inputs, uint32_t flags,
                                tn_tensor** out_grads);
/* The same value as a new leaf that asks for gradients. Floating (or complex) dtypes only. */
TN_API tn_error* TN_CALL tn_tensor_leaf(tn_ctx* ctx, tn_tensor* tensor, tn_tensor** out_leaf);

/* A gradient of the caller's own. `outputs` were computed from `inputs` by other means; out_results are the same values with
 * a node whose backward calls function(user, ctx, cotangents, n_outputs, out_grads, n_inputs): cotangents may hold NULL
 * (zero), out_grads take owned references or NULL (zero). It runs in the thread that takes the gradient and may call Tenon
 * with the same ctx. destroy(user) runs exactly once, also on failure. */
typedef struct tn_grad_callback {
  tn_error*(TN_CALL* function)(void* user, tn_ctx* ctx, tn_tensor* const* cotangents,
                               uint32_t n_outputs, tn_tensor** out_grads, uint32_t n_inputs);
  void* user;
  void(TN_CALL* destroy)(void* user);
} tn_grad_callback;
TN_API tn_error* TN_CALL tn_custom_grad(tn_ctx* ctx, tn_tensor* const* inputs, uint32_t n_inputs,
                                        tn_tensor* const* outputs, uint32_t n_outputs,
                                        tn_grad_callback callback, tn_tensor** out_results);

/* Sees the gradient that flows into `tensor` and may replace it: *out_replacement is NULL on entry; an owned reference of
 * the same dtype and dims set there is used instead. Same thread rule as above. The hook lives as long as the tape. */
typedef struct tn_grad_hook {
  tn_error*(TN_CALL* function)(void* user, tn_ctx* ctx, tn_tensor* grad,
                               tn_tensor** out_replacement);
  void* user;
  void(TN_CALL* destroy)(void* user);
} tn_grad_hook;
TN_API tn_error* TN_CALL tn_tensor_add_grad_hook(tn_ctx* ctx, tn_tensor* tensor, tn_grad_hook hook);

TN_EXTERN_C_END
#endif
