// What conv and the conv2d family share: sizes, and the gradients as convolutions. Private to
// core/src/ops.
#pragma once
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

// The attributes of conv, one entry per spatial axis.
struct ConvSpec {
  Dims stride, low, high, lhs_dilation, rhs_dilation;
  int64_t groups = 1;
};

// Number of windows along spatial axis i of n elements with k kernel elements. None for no
// elements; an error where the kernel is too long for those there are, or a stride or dilation is
// below 1.
tn_error* conv_size(const Infer& c, const ConvSpec& s, uint32_t i, int64_t n, int64_t k,
                    int64_t* out);

// Channels of x [N, C, ...] and w [O, C / groups, ...] fit together.
tn_error* conv_channels(const Infer& c, uint32_t x, uint32_t w, int64_t groups);

Value conv(Value x, Value w, const ConvSpec& s);
// The gradients of y = conv(x, w) for the cotangent g of y: `sizes` are the spatial dims of x,
// `kernel` those of w. The sizes along an axis with a stride above 1 must be concrete: else the
// recipe fails.
Value conv_input_grad(const Recipe& b, Value g, Value w, const Dims& sizes, const ConvSpec& s);
Value conv_weight_grad(const Recipe& b, Value g, Value x, const Dims& kernel, const ConvSpec& s);

}  // namespace tenon::ops
