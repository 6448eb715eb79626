// conv1d, conv3d, and the transposed convolutions.
#include "conv.hpp"

namespace tenon::ops {
namespace {

// ---- conv1d, conv3d: conv with bias and equal padding on both sides

constexpr ConvKeys kLine = {TN_CONV1D_STRIDE, TN_CONV1D_PADDING, TN_CONV1D_DILATION,
                            TN_CONV1D_GROUPS};
constexpr ConvKeys kVolume = {TN_CONV3D_STRIDE, TN_CONV3D_PADDING, TN_CONV3D_DILATION,
                              TN_CONV3D_GROUPS};

Dims spatial_dims(Value x) {
  Dims out;
  for (uint32_t a = 2; a < x.rank(); ++a) out.push(x.dim(a));
  return out;
}

Value with_bias(const Recipe& b, Value y) { return b.in(2) ? y + along(b.in(2), 1, y.rank()) : y; }
void bias_gradient(const Recipe& b) {
  if (b.in(2) && b.wants(2)) b.set(2, sum(b.g(), b.g().all_axes() & ~2u, false));
}

template <const ConvKeys& Keys, uint32_t N>
tn_error* conv_rule(Infer& c) {
  return conv_bias_rule(c, Keys, N);
}
template <const ConvKeys& Keys, uint32_t N>
void conv_of_base(Recipe& b) {
  b.set(0, with_bias(b, conv(b.in(0), b.in(1), conv_spec(b, Keys, N))));
}
template <const ConvKeys& Keys, uint32_t N>
void d_conv(Recipe& b) {
  const Value x = b.in(0), w = b.in(1), g = b.g();
  const ConvSpec s = conv_spec(b, Keys, N);
  if (b.wants(0)) b.set(0, conv_input_grad(b, g, w, spatial_dims(x), s));
  if (b.wants(1)) b.set(1, conv_weight_grad(b, g, x, spatial_dims(w), s));
  bias_gradient(b);
}

// ---- conv_transpose1d, 2d, 3d: what conv does to its cotangents, as a function of its own

struct TransposeKeys {
  ConvKeys conv;
  uint32_t output_padding;
};
constexpr TransposeKeys kLineBack = {{TN_CONV_TRANSPOSE1D_STRIDE, TN_CONV_TRANSPOSE1D_PADDING,
                                      TN_CONV_TRANSPOSE1D_DILATION, TN_CONV_TRANSPOSE1D_GROUPS},
                                     TN_CONV_TRANSPOSE1D_OUTPUT_PADDING};
constexpr TransposeKeys kPlaneBack = {{TN_CONV_TRANSPOSE2D_STRIDE, TN_CONV_TRANSPOSE2D_PADDING,
                                       TN_CONV_TRANSPOSE2D_DILATION, TN_CONV_TRANSPOSE2D_GROUPS},
                                      TN_CONV_TRANSPOSE2D_OUTPUT_PADDING};
constexpr TransposeKeys kVolumeBack = {{TN_CONV_TRANSPOSE3D_STRIDE, TN_CONV_TRANSPOSE3D_PADDING,
                                        TN_CONV_TRANSPOSE3D_DILATION, TN_CONV_TRANSPOSE3D_GROUPS},
                                       TN_CONV_TRANSPOSE3D_OUTPUT_PADDING};
constexpr const char* kKernelsBack[] = {"[C, O / groups, K]", "[C, O / groups, KH, KW]",
                                        "[C, O / groups, KD, KH, KW]"};

// The convolution from y to x: what output_padding adds to y lies beyond its last window.
template <class Source>
ConvSpec spec_back(const Source& c, const TransposeKeys& k, uint32_t n) {
  ConvSpec s = conv_spec(c, k.conv, n);
  for (uint32_t i = 0; i < n; ++i) s.high[i] -= c.list(k.output_padding)[i];
  return s;
}

tn_error* check_transposed(const Infer& c, const TransposeKeys& k, uint32_t n) {
  TN_TRY(check_conv_attrs(c, k.conv, n));
  TN_TRY(c.length(k.output_padding, "output_padding", n, false));
  const auto stride = c.list(k.conv.stride), dilation = c.list(k.conv.dilation),
             more = c.list(k.output_padding);
  for (uint32_t i = 0; i < n; ++i) {
    if (more[i] < 0 || (more[i] >= stride[i] && more[i] >= dilation[i]))
      return c.error("output_padding {} must be 0 or more, and less than stride {} or dilation {}",
                     numbers_text(more), numbers_text(stride), numbers_text(dilation));
  }
  return nullptr;
}

// (d - 1) * stride + (k - 1) * dilation + 1 + output_padding - 2 padding
tn_error* transposed_size(const Infer& c, const TransposeKeys& k, uint32_t i, int64_t* out) {
  const int64_t d = c.dim(0, 2 + i), taps = c.dim(1, 2 + i);
  if (d == 0 || taps == 0)
    return c.error("x is {} and w is {}: both must have elements along spatial axis {}", c.text(0),
                   c.text(1), i);
  const auto reach = [&](int64_t size, int64_t step) {
    return c.mul(concrete(size) ? size - 1 : c.sub(size, 1), step);
  };
  const int64_t padding = 2 * c.list(k.conv.padding)[i];
  *out = c.plus(c.add(reach(d, c.list(k.conv.stride)[i]), reach(taps, c.list(k.conv.dilation)[i])),
                c.list(k.output_padding)[i] + 1 - padding);
  if (*out != INT64_MIN && *out != 0) return nullptr;
  return c.error("x is {} and w is {}: padding {} leaves nothing along spatial axis {}", c.text(0),
                 c.text(1), numbers_text(c.list(k.conv.padding)), i);
}

template <const TransposeKeys& Keys, uint32_t N>
tn_error* transpose_rule(Infer& c) {
  TN_TRY(c.require_rank(0, "x", 2 + N, kSpatialForms[N - 1]));
  TN_TRY(c.require_rank(1, "w", 2 + N, kKernelsBack[N - 1]));
  if (c.has(2)) TN_TRY(c.require_rank(2, "bias", 1, "[O]"));
  TN_TRY(check_transposed(c, Keys, N));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1, 2}, kFloat, &t));
  const int64_t groups = c.i64(Keys.conv.groups), channels = c.dim(0, 1);
  if (c.differ(channels, c.dim(1, 0)))
    return c.error("channels differ: x is {}, w is {}: w must be [C, O / groups, ...] with C = {}",
                   c.text(0), c.text(1), dim_text(channels));
  if (concrete(channels) && channels % groups != 0)
    return c.error("groups is {}; it must divide the {} channels of x, {}", groups, channels,
                   c.text(0));
  Dims to;
  to.push(c.dim(0, 0));
  to.push(c.mul(c.dim(1, 1), groups));
  if (c.has(2) && c.differ(c.dim(2, 0), to[1]))
    return c.error("bias is {}; for w, {}, in {} groups it must be [{}]", c.text(2), c.text(1),
                   groups, dim_text(to[1]));
  for (uint32_t i = 0; i < N; ++i) {
    int64_t size = 0;
    TN_TRY(transposed_size(c, Keys, i, &size));
    to.push(size);
  }
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

template <const TransposeKeys& Keys, uint32_t N>
void transpose_of_base(Recipe& b) {
  const Value w = b.in(1);
  const ConvSpec s = spec_back(b, Keys, N);
  ConvSpec t;
  t.groups = s.groups;
  t.stride = Dims(N, 1);
  t.lhs_dilation = s.stride;
  t.rhs_dilation = s.rhs_dilation;
  for (uint32_t i = 0; i < N; ++i) {
    if (!concrete(w.dim(2 + i)))
      return b.fail(TN_UNIMPLEMENTED, "it needs the sizes of the kernel to be concrete");
    const int64_t reach = (w.dim(2 + i) - 1) * s.rhs_dilation[i];
    t.low.push(reach - s.low[i]);
    t.high.push(reach - s.high[i]);
  }
  b.set(0, with_bias(b, conv(b.in(0), reversed_kernel(b, w, s.groups), t)));
}
template <const TransposeKeys& Keys, uint32_t N>
void d_transpose(Recipe& b) {
  const Value x = b.in(0), w = b.in(1), g = b.g();
  const ConvSpec s = spec_back(b, Keys, N);
  if (b.wants(0)) b.set(0, conv(g, w, s));
  if (b.wants(1)) b.set(1, conv_weight_grad(b, x, g, spatial_dims(w), s));
  bias_gradient(b);
}

}  // namespace

const OpRules rules_conv1d = {TN_OP_CONV1D, rule<conv_rule<kLine, 1>>,
                              recipe<conv_of_base<kLine, 1>>, recipe<d_conv<kLine, 1>>, nullptr};
const OpRules rules_conv3d = {TN_OP_CONV3D, rule<conv_rule<kVolume, 3>>,
                              recipe<conv_of_base<kVolume, 3>>, recipe<d_conv<kVolume, 3>>,
                              nullptr};
const OpRules rules_conv_transpose1d = {TN_OP_CONV_TRANSPOSE1D, rule<transpose_rule<kLineBack, 1>>,
                                        recipe<transpose_of_base<kLineBack, 1>>,
                                        recipe<d_transpose<kLineBack, 1>>, nullptr};
const OpRules rules_conv_transpose2d = {TN_OP_CONV_TRANSPOSE2D, rule<transpose_rule<kPlaneBack, 2>>,
                                        recipe<transpose_of_base<kPlaneBack, 2>>,
                                        recipe<d_transpose<kPlaneBack, 2>>, nullptr};
const OpRules rules_conv_transpose3d = {
    TN_OP_CONV_TRANSPOSE3D, rule<transpose_rule<kVolumeBack, 3>>,
    recipe<transpose_of_base<kVolumeBack, 3>>, recipe<d_transpose<kVolumeBack, 3>>, nullptr};

}  // namespace tenon::ops
