// conv2d with bias, and its two gradients as ops of their own, so that a backend can have kernels
// for them. All three are linear in each input, and the gradients of each are made of the others.
#include "conv.hpp"

namespace tenon::ops {
namespace {

constexpr ConvKeys kForward = {TN_CONV2D_STRIDE, TN_CONV2D_PADDING, TN_CONV2D_DILATION,
                               TN_CONV2D_GROUPS};
constexpr ConvKeys kInputGrad = {TN_CONV2D_INPUT_GRAD_STRIDE, TN_CONV2D_INPUT_GRAD_PADDING,
                                 TN_CONV2D_INPUT_GRAD_DILATION, TN_CONV2D_INPUT_GRAD_GROUPS};
constexpr ConvKeys kWeightGrad = {TN_CONV2D_WEIGHT_GRAD_STRIDE, TN_CONV2D_WEIGHT_GRAD_PADDING,
                                  TN_CONV2D_WEIGHT_GRAD_DILATION, TN_CONV2D_WEIGHT_GRAD_GROUPS};

Dims dims4(int64_t n, int64_t channels, int64_t height, int64_t width) {
  Dims out;
  out.push(n);
  out.push(channels);
  out.push(height);
  out.push(width);
  return out;
}

// ---- conv2d

tn_error* conv2d_rule(Infer& c) { return conv_bias_rule(c, kForward, 2); }

void conv2d_of_base(Recipe& b) {
  const Value y = conv(b.in(0), b.in(1), conv_spec(b, kForward, 2));
  b.set(0, b.in(2) ? y + along(b.in(2), 1, 4) : y);
}

Value conv2d(Value x, Value w, const ConvSpec& s) {
  return {x.b(), tn_b_conv2d(x.b(), x.v(), w.v(), TN_NO_VALUE, s.stride.d, 2, s.low.d, 2,
                             s.rhs_dilation.d, 2, s.groups)};
}
// x and w give the sizes of the results.
Value input_grad(Value g, Value w, int64_t height, int64_t width, const ConvSpec& s) {
  return {g.b(), tn_b_conv2d_input_grad(g.b(), g.v(), w.v(), height, width, s.stride.d, 2, s.low.d,
                                        2, s.rhs_dilation.d, 2, s.groups)};
}
Value weight_grad(Value g, Value x, int64_t height, int64_t width, const ConvSpec& s) {
  return {g.b(), tn_b_conv2d_weight_grad(g.b(), g.v(), x.v(), height, width, s.stride.d, 2, s.low.d,
                                         2, s.rhs_dilation.d, 2, s.groups)};
}

void d_conv2d(Recipe& b) {
  const Value x = b.in(0), w = b.in(1), g = b.g();
  const ConvSpec s = conv_spec(b, kForward, 2);
  if (b.wants(0)) b.set(0, input_grad(g, w, x.dim(2), x.dim(3), s));
  if (b.wants(1)) b.set(1, weight_grad(g, x, w.dim(2), w.dim(3), s));
  if (b.in(2) && b.wants(2)) b.set(2, sum(g, 0b1101, false));
}

// ---- conv2d_input_grad(g, w) -> dx: g [N, O, h, w]

tn_error* input_grad_rule(Infer& c) {
  TN_TRY(c.require_rank(0, "g", 4, "[N, O, h, w]"));
  TN_TRY(c.require_rank(1, "w", 4, "[O, C / groups, KH, KW]"));
  TN_TRY(check_conv_attrs(c, kInputGrad, 2));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat, &t));
  const ConvSpec s = conv_spec(c, kInputGrad, 2);
  if (c.differ(c.dim(0, 1), c.dim(1, 0)))
    return c.error("g is {}, w is {}: g must have the {} output channels of w", c.text(0),
                   c.text(1), dim_text(c.dim(1, 0)));
  if (concrete(c.dim(1, 0)) && c.dim(1, 0) % s.groups != 0)
    return c.error("groups is {}; it must divide the {} output channels of w, {}", s.groups,
                   c.dim(1, 0), c.text(1));
  const Dims to = dims4(c.dim(0, 0), c.mul(c.dim(1, 1), s.groups),
                        c.i64(TN_CONV2D_INPUT_GRAD_HEIGHT), c.i64(TN_CONV2D_INPUT_GRAD_WIDTH));
  for (uint32_t i = 0; i < 2; ++i) {
    if (to[2 + i] == -1)
      return c.error("{} is -1; it must be 0 or more", i == 0 ? "height" : "width");
    int64_t size = 0;
    TN_TRY(conv_size(c, s, i, to[2 + i], c.dim(1, 2 + i), &size));
    if (c.differ(size, c.dim(0, 2 + i)))
      return c.error("g is {}; from {} elements spatial axis {} of y has {}", c.text(0),
                     dim_text(to[2 + i]), i, dim_text(size));
  }
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

void input_grad_of_base(Recipe& b) {
  Dims sizes;
  sizes.push(b.i64(TN_CONV2D_INPUT_GRAD_HEIGHT));
  sizes.push(b.i64(TN_CONV2D_INPUT_GRAD_WIDTH));
  b.set(0, conv_input_grad(b, b.in(0), b.in(1), sizes, conv_spec(b, kInputGrad, 2)));
}

void d_input_grad(Recipe& b) {
  const Value g = b.in(0), w = b.in(1), cotangent = b.g();
  const ConvSpec s = conv_spec(b, kInputGrad, 2);
  if (b.wants(0)) b.set(0, conv2d(cotangent, w, s));
  if (b.wants(1)) b.set(1, weight_grad(g, cotangent, w.dim(2), w.dim(3), s));
}

// ---- conv2d_weight_grad(g, x) -> dw

tn_error* weight_grad_rule(Infer& c) {
  TN_TRY(c.require_rank(0, "g", 4, "[N, O, h, w]"));
  TN_TRY(c.require_rank(1, "x", 4, "[N, C, H, W]"));
  TN_TRY(check_conv_attrs(c, kWeightGrad, 2));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat, &t));
  const ConvSpec s = conv_spec(c, kWeightGrad, 2);
  if (c.differ(c.dim(0, 0), c.dim(1, 0)))
    return c.error("g is {}, x is {}: their batches differ", c.text(0), c.text(1));
  for (const int64_t channels : {c.dim(0, 1), c.dim(1, 1)})
    if (concrete(channels) && channels % s.groups != 0)
      return c.error("groups is {}; it must divide the channels of g, {}, and of x, {}", s.groups,
                     c.text(0), c.text(1));
  const Dims to = dims4(c.dim(0, 1), c.floordiv(c.dim(1, 1), s.groups),
                        c.i64(TN_CONV2D_WEIGHT_GRAD_HEIGHT), c.i64(TN_CONV2D_WEIGHT_GRAD_WIDTH));
  for (uint32_t i = 0; i < 2; ++i) {
    if (to[2 + i] == -1 || to[2 + i] == 0)
      return c.error("{} is {}; it must be 1 or more", i == 0 ? "height" : "width", to[2 + i]);
    int64_t size = 0;
    TN_TRY(conv_size(c, s, i, c.dim(1, 2 + i), to[2 + i], &size));
    if (c.differ(size, c.dim(0, 2 + i)))
      return c.error("g is {}; spatial axis {} of y has {} elements for x, {}, and a kernel of {}",
                     c.text(0), i, dim_text(size), c.text(1), dim_text(to[2 + i]));
  }
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

void weight_grad_of_base(Recipe& b) {
  Dims kernel;
  kernel.push(b.i64(TN_CONV2D_WEIGHT_GRAD_HEIGHT));
  kernel.push(b.i64(TN_CONV2D_WEIGHT_GRAD_WIDTH));
  b.set(0, conv_weight_grad(b, b.in(0), b.in(1), kernel, conv_spec(b, kWeightGrad, 2)));
}

void d_weight_grad(Recipe& b) {
  const Value g = b.in(0), x = b.in(1), cotangent = b.g();
  const ConvSpec s = conv_spec(b, kWeightGrad, 2);
  if (b.wants(0)) b.set(0, conv2d(x, cotangent, s));
  if (b.wants(1)) b.set(1, input_grad(g, cotangent, x.dim(2), x.dim(3), s));
}

}  // namespace

const OpRules rules_conv2d = {TN_OP_CONV2D, rule<conv2d_rule>, recipe<conv2d_of_base>,
                              recipe<d_conv2d>, nullptr};
const OpRules rules_conv2d_input_grad = {TN_OP_CONV2D_INPUT_GRAD, rule<input_grad_rule>,
                                         recipe<input_grad_of_base>, recipe<d_input_grad>, nullptr};
const OpRules rules_conv2d_weight_grad = {TN_OP_CONV2D_WEIGHT_GRAD, rule<weight_grad_rule>,
                                          recipe<weight_grad_of_base>, recipe<d_weight_grad>,
                                          nullptr};

}  // namespace tenon::ops
