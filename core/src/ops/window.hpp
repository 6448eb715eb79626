// Windows over all axes of a tensor, as window_reduce has them. Private to core/src/ops.
#pragma once
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

// One entry per axis.
struct WindowSpec {
  Dims window, stride, low, high, dilation;
};

// Dims of the result for x with these dims. All of s is in its range: windows, strides and dilations 1
// or more, paddings 0 or more, none above 2^31 - 1.
tn_error* window_dims(const Infer& c, const WindowSpec& s, const Dims& dims, Dims* out);

Value window_reduce(Value x, const WindowSpec& s, const char* mode);
Value window_scatter(Value x, Value g, const WindowSpec& s);
// The gradient of window_reduce(x, s, "sum") for the cotangent g: `dims` are those of x. Sizes
// along an axis with a stride above 1 must be concrete: else the recipe fails.
Value window_sum_grad(const Recipe& b, Value g, const Dims& dims, const WindowSpec& s);

}  // namespace tenon::ops
