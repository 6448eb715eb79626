// tenon/optimizer.h.
#include "optim/optimizer.hpp"

#include "op/guards.hpp"
#include "optim/loss_scale.hpp"
#include "optim/schedule.hpp"

using namespace tenon;

namespace {

void check_step(tn_ctx* ctx, const char* function, tn_optimizer* optimizer,
                tn_variable* const* variables, tn_tensor* const* grads, uint32_t n) {
  need(optimizer, function, "optimizer");
  if (n) need(variables, function, "variables");
  if (n) need(grads, function, "grads");
  for (uint32_t i = 0; i < n; ++i) {
    if (variables[i]) need_own(ctx, variables[i], function, "a variable");
    if (grads[i]) need_own(ctx, grads[i], function, "a gradient");
  }
}

}  // namespace

extern "C" {

tn_error* tn_optimizer_create(tn_ctx* ctx, tn_str name, const tn_option* options, uint32_t n,
                              tn_optimizer** out) {
  return with_ctx(ctx, "tn_optimizer_create", [&] {
    if (n) need(options, "tn_optimizer_create", "options");
    need(out, "tn_optimizer_create", "out_optimizer");
    *out = optimizer_create(ctx, view_of(name), options, n);
  });
}

void tn_optimizer_release(tn_optimizer* optimizer) { optimizer_release(optimizer); }

tn_error* tn_optimizer_step(tn_ctx* ctx, tn_optimizer* optimizer, tn_variable* const* variables,
                            tn_tensor* const* grads, uint32_t n) {
  return with_ctx(ctx, "tn_optimizer_step", [&] {
    check_step(ctx, "tn_optimizer_step", optimizer, variables, grads, n);
    optimizer_step(ctx, *optimizer, variables, grads, n);
  });
}

tn_error* tn_optimizer_get_hyper(tn_optimizer* optimizer, tn_str name, tn_variable** out) {
  return guard([&] {
    need(optimizer, "tn_optimizer_get_hyper", "optimizer");
    need(out, "tn_optimizer_get_hyper", "out_variable");
    *out = optimizer_hyper(*optimizer, view_of(name));
  });
}

tn_error* tn_optimizer_state_count(tn_optimizer* optimizer, uint32_t* out) {
  return guard([&] {
    need(optimizer, "tn_optimizer_state_count", "optimizer");
    need(out, "tn_optimizer_state_count", "out_count");
    *out = optimizer_state_count(*optimizer);
  });
}

tn_error* tn_optimizer_state_take(tn_ctx* ctx, tn_optimizer* optimizer, uint32_t index,
                                  tn_str* out_name, tn_tensor** out_value) {
  return with_ctx(ctx, "tn_optimizer_state_take", [&] {
    need(optimizer, "tn_optimizer_state_take", "optimizer");
    need(out_name, "tn_optimizer_state_take", "out_name");
    need(out_value, "tn_optimizer_state_take", "out_value");
    tn_str name{};
    *out_value = optimizer_state_take(ctx, *optimizer, index, &name).release();
    *out_name = name;
  });
}

tn_error* tn_optimizer_state_set(tn_ctx* ctx, tn_optimizer* optimizer, tn_str name,
                                 tn_tensor* value) {
  return with_ctx(ctx, "tn_optimizer_state_set", [&] {
    need(optimizer, "tn_optimizer_state_set", "optimizer");
    need_own(ctx, value, "tn_optimizer_state_set", "value");
    optimizer_state_set(ctx, *optimizer, view_of(name), value);
  });
}

tn_error* tn_clip_grad_value(tn_ctx* ctx, tn_tensor* const* grads, uint32_t n, double limit,
                             tn_tensor** out_grads) {
  return with_ctx(ctx, "tn_clip_grad_value", [&] {
    if (n) need(grads, "tn_clip_grad_value", "grads");
    if (n) need(out_grads, "tn_clip_grad_value", "out_grads");
    clip_grad_value(ctx, grads, n, limit, out_grads);
  });
}

tn_error* tn_clip_grad_norm(tn_ctx* ctx, tn_tensor* const* grads, uint32_t n, double max_norm,
                            tn_tensor** out_grads, tn_tensor** out_norm) {
  return with_ctx(ctx, "tn_clip_grad_norm", [&] {
    if (n) need(grads, "tn_clip_grad_norm", "grads");
    if (n) need(out_grads, "tn_clip_grad_norm", "out_grads");
    clip_grad_norm(ctx, grads, n, max_norm, out_grads, out_norm);
  });
}

tn_error* tn_loss_scale_create(tn_ctx* ctx, const tn_option* options, uint32_t n,
                               tn_loss_scale** out) {
  return with_ctx(ctx, "tn_loss_scale_create", [&] {
    if (n) need(options, "tn_loss_scale_create", "options");
    need(out, "tn_loss_scale_create", "out_scale");
    *out = loss_scale_create(ctx, {options, n});
  });
}

void tn_loss_scale_release(tn_loss_scale* scale) { delete scale; }

tn_error* tn_loss_scale_apply(tn_ctx* ctx, tn_loss_scale* scale, tn_tensor* loss, tn_tensor** out) {
  return with_ctx(ctx, "tn_loss_scale_apply", [&] {
    need(scale, "tn_loss_scale_apply", "scale");
    need_own(ctx, loss, "tn_loss_scale_apply", "loss");
    need(out, "tn_loss_scale_apply", "out_loss");
    *out = loss_scale_apply(ctx, *scale, loss).release();
  });
}

tn_error* tn_loss_scale_step(tn_ctx* ctx, tn_loss_scale* scale, tn_optimizer* optimizer,
                             tn_variable* const* variables, tn_tensor* const* grads, uint32_t n) {
  return with_ctx(ctx, "tn_loss_scale_step", [&] {
    need(scale, "tn_loss_scale_step", "scale");
    check_step(ctx, "tn_loss_scale_step", optimizer, variables, grads, n);
    loss_scale_step(ctx, *scale, *optimizer, variables, grads, n);
  });
}

tn_error* tn_loss_scale_update(tn_ctx* ctx, tn_loss_scale* scale) {
  return with_ctx(ctx, "tn_loss_scale_update", [&] {
    need(scale, "tn_loss_scale_update", "scale");
    loss_scale_update(ctx, *scale);
  });
}

tn_error* tn_loss_scale_get_variable(tn_loss_scale* scale, tn_str name, tn_variable** out) {
  return guard([&] {
    need(scale, "tn_loss_scale_get_variable", "scale");
    need(out, "tn_loss_scale_get_variable", "out_variable");
    for (tn_variable* v : {scale->scale, scale->steps})
      if (v->name == view_of(name)) {
        *out = v;
        return;
      }
    fail(TN_NOT_FOUND,
         "loss scale: there is no variable \"{}\". It has loss_scale.scale, loss_scale.steps.",
         view_of(name));
  });
}

tn_error* tn_schedule_create(tn_ctx* ctx, tn_str kind, const tn_option* options, uint32_t n,
                             tn_variable* variable, tn_schedule** out) {
  return with_ctx(ctx, "tn_schedule_create", [&] {
    if (n) need(options, "tn_schedule_create", "options");
    need(variable, "tn_schedule_create", "variable");
    need(out, "tn_schedule_create", "out_schedule");
    *out = schedule_create(ctx, view_of(kind), options, n, variable);
  });
}

void tn_schedule_release(tn_schedule* schedule) { delete schedule; }

tn_error* tn_schedule_step(tn_ctx* ctx, tn_schedule* schedule) {
  return with_ctx(ctx, "tn_schedule_step", [&] {
    need(schedule, "tn_schedule_step", "schedule");
    schedule_step(ctx, *schedule);
  });
}

tn_error* tn_schedule_value(const tn_schedule* schedule, uint64_t step, double* out) {
  return guard([&] {
    need(schedule, "tn_schedule_value", "schedule");
    need(out, "tn_schedule_value", "out_value");
    *out = schedule_value(*schedule, step);
  });
}

}  // extern "C"
