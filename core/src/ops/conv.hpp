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
// elements; an error where the kernel is too long for those there are. Strides, dilations and paddings
// are in their ranges.
tn_error* conv_size(const Infer& c, const ConvSpec& s, uint32_t i, int64_t n, int64_t k,
                    int64_t* out);

// Dims of the convolution of input x, [N, C, spatial...], with input w, [O, C / groups, spatial...].
tn_error* conv_dims(const Infer& c, uint32_t x, uint32_t w, const ConvSpec& s, Dims* out);
// A list attribute with an entry per spatial axis; an empty one means `otherwise` for each.
Dims list_or(std::span<const int64_t> values, uint32_t n, int64_t otherwise);

// Where the attributes of an op of the conv2d kind stand: the same padding on both sides, and a list
// has an entry per spatial axis.
struct ConvKeys {
  uint32_t stride, padding, dilation, groups;
};
tn_error* check_conv_attrs(const Infer& c, const ConvKeys& k, uint32_t n);
template <class Source>
ConvSpec conv_spec(const Source& c, const ConvKeys& k, uint32_t n) {
  ConvSpec s;
  s.lhs_dilation = Dims(n, 1);
  for (uint32_t i = 0; i < n; ++i) {
    s.stride.push(c.list(k.stride)[i]);
    s.rhs_dilation.push(c.list(k.dilation)[i]);
    s.low.push(c.list(k.padding)[i]);
    s.high.push(c.list(k.padding)[i]);
  }
  s.groups = c.i64(k.groups);
  return s;
}
// Dtype and dims of the convolution of inputs x, w and, where `biased`, bias [O] over n spatial axes, one to three.
tn_error* conv_bias_dims(const Infer& c, const ConvKeys& k, uint32_t n, bool biased, tn_dtype* t,
                         Dims* to);
// Of an op whose inputs are x, w and, optional, bias.
tn_error* conv_bias_rule(Infer& c, const ConvKeys& k, uint32_t n);

Value conv(Value x, Value w, const ConvSpec& s);
// w with its channels exchanged and every spatial axis reversed: what meets the cotangents.
Value reversed_kernel(const Recipe& b, Value w, int64_t groups);
// The gradients of y = conv(x, w) for the cotangent g of y: `sizes` are the spatial dims of x,
// `kernel` those of w. The sizes along an axis with a stride above 1 must be concrete: else the
// recipe fails.
Value conv_input_grad(const Recipe& b, Value g, Value w, const Dims& sizes, const ConvSpec& s);
Value conv_weight_grad(const Recipe& b, Value g, Value x, const Dims& kernel, const ConvSpec& s);

}  // namespace tenon::ops
