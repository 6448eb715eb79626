// What the normalisations share. Private to core/src/ops.
#pragma once
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

tn_error* check_epsilon(const Infer& c, uint32_t key);

// x and, each optional, scale and bias that have its last axes: layer_norm and rms_norm.
tn_error* last_axes_rule(Infer& c);
uint32_t last_axes(const Recipe& b);

struct Normal {
  Value x_hat, factor;  // (x - mean) * factor, 1 / sqrt(variance + epsilon)
};
Normal normalized(Value x, uint32_t axes, double epsilon);
// The gradient for x of n = normalized(x, axes, ...), g being the cotangent of x_hat.
Value normalized_grad(const Normal& n, Value g, uint32_t axes);

// v [C] along axis 1 of x, and all other axes of x.
Value per_channel(Value v, Value x);
uint32_t all_but_channel(Value x);

}  // namespace tenon::ops
