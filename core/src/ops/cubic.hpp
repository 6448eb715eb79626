// Cubic convolution (Keys, Cubic convolution interpolation for digital image processing, 1981).
// Private to core/src/ops.
#pragma once
#include "recipe.hpp"

namespace tenon::ops {

// Of four elements in a row the weight of element `k`, for the place f behind element 1, 0 <= f < 1.
Value cubic_weight(Value f, uint32_t k, double coefficient);
// The same differentiated by f.
Value cubic_slope(Value f, uint32_t k, double coefficient);

}  // namespace tenon::ops
