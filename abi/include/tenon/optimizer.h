/* Tenon: optimizers, gradient clipping, schedules. Threads: one thread at a time may use an optimizer. */
#ifndef TENON_OPTIMIZER_H_
#define TENON_OPTIMIZER_H_
#include "autograd.h"
TN_EXTERN_C_BEGIN

typedef struct tn_optimizer tn_optimizer;

/* name: "sgd", "adam", "adamw", "rmsprop", "adagrad", or one that a plugin brings. options: hyper-parameters by name
 * ("lr", "momentum", "weight_decay" ...); an unknown name or a value out of range is INVALID_ARGUMENT. */
TN_API tn_error* TN_CALL tn_optimizer_create(tn_ctx* ctx, tn_str name, const tn_option* options,
                                             uint32_t n_options, tn_optimizer** out_optimizer);
TN_API void TN_CALL tn_optimizer_release(tn_optimizer* optimizer);
/* One update of every variable from its gradient (a NULL gradient leaves its variable alone). State is made at the first
 * step of a variable. Either all variables are assigned or, on error, none. What a kernel that failed was writing over
 * is lost, by name: reading it gives that error until it is assigned or set again; the rest is as it was. */
TN_API tn_error* TN_CALL tn_optimizer_step(tn_ctx* ctx, tn_optimizer* optimizer,
                                           tn_variable* const* variables, tn_tensor* const* grads,
                                           uint32_t n);
/* A hyper-parameter as the variable it is (f32, rank 0): assign to it to change it. Lent; NOT_FOUND if unknown. */
TN_API tn_error* TN_CALL tn_optimizer_get_hyper(tn_optimizer* optimizer, tn_str name,
                                                tn_variable** out_variable);

/* State: one entry per variable and slot, named "<variable>.<slot>" ("fc1.weight.exp_avg"), and "step" (i64). The
 * tensor is owned by the caller; the name is lent until the next step. */
TN_API tn_error* TN_CALL tn_optimizer_state_count(tn_optimizer* optimizer, uint32_t* out_count);
TN_API tn_error* TN_CALL tn_optimizer_state_take(tn_ctx* ctx, tn_optimizer* optimizer,
                                                 uint32_t index, tn_str* out_name,
                                                 tn_tensor** out_value);
/* Sets one entry by name, before or after the first step; kept, and counted, until a variable of that name is stepped. */
TN_API tn_error* TN_CALL tn_optimizer_state_set(tn_ctx* ctx, tn_optimizer* optimizer, tn_str name,
                                                tn_tensor* value);

/* out_grads: n owned references; NULL gradients stay NULL. Elementwise to [-limit, limit], limit > 0. */
TN_API tn_error* TN_CALL tn_clip_grad_value(tn_ctx* ctx, tn_tensor* const* grads, uint32_t n,
                                            double limit, tn_tensor** out_grads);
/* Scales all by min(1, max_norm / (norm + 1e-6)), norm = 2-norm over all elements of all gradients, which *out_norm (may
 * be NULL) receives as an owned f32 scalar. Nothing is read on the host. */
TN_API tn_error* TN_CALL tn_clip_grad_norm(tn_ctx* ctx, tn_tensor* const* grads, uint32_t n,
                                           double max_norm, tn_tensor** out_grads,
                                           tn_tensor** out_norm);

/* Loss scaling, so that small gradients do not vanish in f16: the loss is multiplied by a scale, gradients are divided by it, a step
 * whose gradients are not all finite is left out, and the scale follows. Nothing is read on the host; in a capture all of it is recorded.
 *
 *   tn_loss_scale_apply(cx, s, loss, &scaled);   tn_grad(cx, scaled, variables, n, grads);
 *   tn_loss_scale_step(cx, s, optimizer, variables, grads, n);   tn_loss_scale_update(cx, s);
 *
 * options: "scale" (65536; to begin with), "growth" (2) after "interval" (2000) updates in a row that were finite, "backoff" (0.5) after
 * one that was not. The scale stays in [2^-24, 2^100]. One thread at a time. */
typedef struct tn_loss_scale tn_loss_scale;
TN_API tn_error* TN_CALL tn_loss_scale_create(tn_ctx* ctx, const tn_option* options,
                                              uint32_t n_options, tn_loss_scale** out_scale);
TN_API void TN_CALL tn_loss_scale_release(tn_loss_scale* scale);
TN_API tn_error* TN_CALL tn_loss_scale_apply(tn_ctx* ctx, tn_loss_scale* scale, tn_tensor* loss,
                                             tn_tensor** out_loss);
/* tn_optimizer_step with grads / scale; where one of them is not finite, variables and state keep their values (the optimizer counts the
 * step all the same). Once for each optimizer, then the update. */
TN_API tn_error* TN_CALL tn_loss_scale_step(tn_ctx* ctx, tn_loss_scale* scale,
                                            tn_optimizer* optimizer, tn_variable* const* variables,
                                            tn_tensor* const* grads, uint32_t n);
TN_API tn_error* TN_CALL tn_loss_scale_update(tn_ctx* ctx, tn_loss_scale* scale);
/* Its state, to look at and to save: "loss_scale.scale", "loss_scale.steps", f32 scalars. Lent; NOT_FOUND if unknown. */
TN_API tn_error* TN_CALL tn_loss_scale_get_variable(tn_loss_scale* scale, tn_str name,
                                                    tn_variable** out_variable);

/* Drives one variable (f32, rank 0). kind: "constant" {lr}, "step" {lr, step_size, gamma}, "exponential" {lr, gamma}: lr * gamma^t,
 * "cosine" {lr, lr_min, steps}; each may have "warmup_steps" (linear from 0) and "first_step" (0), the step t it begins with. */
typedef struct tn_schedule tn_schedule;
TN_API tn_error* TN_CALL tn_schedule_create(tn_ctx* ctx, tn_str kind, const tn_option* options,
                                            uint32_t n_options, tn_variable* variable,
                                            tn_schedule** out_schedule);
TN_API void TN_CALL tn_schedule_release(tn_schedule* schedule);
/* Advances by one and assigns the variable. OUT_OF_RANGE where the value fits no f32 (a gamma above 1): nothing moves. */
TN_API tn_error* TN_CALL tn_schedule_step(tn_ctx* ctx, tn_schedule* schedule);
/* The value at step t, without side effect. OUT_OF_RANGE as above. */
TN_API tn_error* TN_CALL tn_schedule_value(const tn_schedule* schedule, uint64_t step,
                                           double* out_value);

TN_EXTERN_C_END
#endif
