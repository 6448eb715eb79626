// Loss scaling for f16: all of its state is in variables, so that captured steps carry it on the device.
#pragma once
#include "optimizer.hpp"

struct tn_loss_scale {
  double growth = 2, backoff = 0.5, interval = 2000;
  tn_variable* scale = nullptr;   // f32; what losses are multiplied by
  tn_variable* steps = nullptr;   // f32; updates since it last changed
  tn_variable* finite = nullptr;  // f32, 1 or 0: were all gradients since the last update?
  ~tn_loss_scale() {
    for (tn_variable* v : {scale, steps, finite}) tn_variable_release(v);
  }
};

namespace tenon {

// All throw; contracts in tenon/optimizer.h.
tn_loss_scale* loss_scale_create(tn_ctx* ctx, std::span<const tn_option> options);
Owned loss_scale_apply(tn_ctx* ctx, const tn_loss_scale& s, tn_tensor* loss);
void loss_scale_step(tn_ctx* ctx, const tn_loss_scale& s, tn_optimizer& o,
                     tn_variable* const* variables, tn_tensor* const* grads, uint32_t n);
void loss_scale_update(tn_ctx* ctx, const tn_loss_scale& s);

}  // namespace tenon
