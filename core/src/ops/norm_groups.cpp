// rms_norm, group_norm, instance_norm, lrn. f16 and bf16 are computed in f32.
#include "norm.hpp"
#include "window.hpp"

namespace tenon::ops {
namespace {

// ---- rms_norm: y = x / sqrt(mean of x^2 + epsilon) * scale

Value inverse_rms(const Recipe& b, Value x) {
  return rsqrt(mean(square(x), last_axes(b), true) + b.f64(TN_RMS_NORM_EPSILON));
}

void rms_norm_of_base(Recipe& b) {
  const Value x = b.in(0), y = x * inverse_rms(b, x);
  b.set(0, b.in(1) ? y * b.in(1) : y);
}
void d_rms_norm(Recipe& b) {
  const Value x = b.in(0), g = b.g(), r = inverse_rms(b, x), x_hat = x * r;
  if (b.in(1) && b.wants(1)) b.set_summed(1, g * x_hat);
  if (!b.wants(0)) return;
  const Value scaled = b.in(1) ? g * b.in(1) : g;
  b.set(0, r * (scaled - x_hat * mean(scaled * x_hat, last_axes(b), true)));
}

// ---- group_norm, instance_norm: over some channels of each sample

tn_error* channel_parameters(Infer& c, tn_dtype t) {
  for (const uint32_t i : {1u, 2u}) {
    if (!c.has(i)) continue;
    const char* name = i == 1 ? "scale" : "bias";
    TN_TRY(c.require_kind(i, name, kFloat));
    TN_TRY(c.require_rank(i, name, 1, "[C]"));
    if (c.differ(c.dim(i, 0), c.dim(0, 1)))
      return c.error("{} is {}; for x, {}, it must be [{}]", name, c.text(i), c.text(0),
                     dim_text(c.dim(0, 1)));
    c.cast(i, t);
  }
  return c.elementwise(t, c.dims(0), {0});
}

tn_error* group_norm_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  TN_TRY(check_epsilon(c, TN_GROUP_NORM_EPSILON));
  if (c.rank(0) < 2) return c.error("x is {}; it must have rank 2 or more: [N, C, ...]", c.text(0));
  const int64_t groups = c.i64(TN_GROUP_NORM_GROUPS), channels = c.dim(0, 1);
  TN_TRY(c.within(TN_GROUP_NORM_GROUPS, "groups", 1));
  if (c.differ(c.mul(c.floordiv(channels, groups), groups), channels))
    return c.error("groups is {}; it must divide the channels, axis 1, of x, {}", groups,
                   c.text(0));
  return channel_parameters(c, t);
}

tn_error* instance_norm_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  TN_TRY(check_epsilon(c, TN_INSTANCE_NORM_EPSILON));
  if (c.rank(0) < 3)
    return c.error("x is {}; it must have rank 3 or more: [N, C, spatial...]", c.text(0));
  return channel_parameters(c, t);
}

// How x is seen to be normalised: [N, G, the elements of a group], or as it is, along its spatial
// axes.
struct Groups {
  int64_t count = 0;  // 0: each channel for itself
  double epsilon = 0;

  Value view(const Recipe& b, Value x) const {
    if (count == 0) return x;
    Dims to, rest;
    to.push(x.dim(0));
    to.push(count);
    rest.push(b.raw()->v->dim_floordiv(b.raw(), x.dim(1), count));
    for (uint32_t a = 2; a < x.rank(); ++a) rest.push(x.dim(a));
    to.push(b.product(rest.span()));
    return reshape(x, to);
  }
  uint32_t axes(Value seen) const { return seen.all_axes() & ~3u; }
};

Groups groups_of(const Recipe& b) {
  return {b.i64(TN_GROUP_NORM_GROUPS), b.f64(TN_GROUP_NORM_EPSILON)};
}
Groups instances_of(const Recipe& b) { return {0, b.f64(TN_INSTANCE_NORM_EPSILON)}; }

template <Groups (*Of)(const Recipe&)>
void norm_of_base(Recipe& b) {
  const Groups s = Of(b);
  const Value x = b.in(0), seen = s.view(b, x);
  Value y = reshape_like(normalized(seen, s.axes(seen), s.epsilon).x_hat, x);
  if (b.in(1)) y = y * per_channel(b.in(1), x);
  if (b.in(2)) y = y + per_channel(b.in(2), x);
  b.set(0, y);
}

template <Groups (*Of)(const Recipe&)>
void d_norm(Recipe& b) {
  const Groups s = Of(b);
  const Value x = b.in(0), g = b.g();
  const uint32_t others = all_but_channel(x);
  if (b.in(2) && b.wants(2)) b.set(2, sum(g, others, false));
  const bool wants_scale = b.in(1) && b.wants(1);
  if (!b.wants(0) && !wants_scale) return;
  const Value seen = s.view(b, x);
  const Normal n = normalized(seen, s.axes(seen), s.epsilon);
  if (wants_scale) b.set(1, sum(g * reshape_like(n.x_hat, x), others, false));
  if (!b.wants(0)) return;
  const Value scaled = b.in(1) ? g * per_channel(b.in(1), x) : g;
  b.set(0, reshape_like(normalized_grad(n, s.view(b, scaled), s.axes(seen)), x));
}

// ---- lrn: y = x / (bias + alpha / size * sum of x^2 over `size` channels around it)^beta

tn_error* lrn_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  if (c.rank(0) < 2) return c.error("x is {}; it must have rank 2 or more: [N, C, ...]", c.text(0));
  TN_TRY(c.within(TN_LRN_SIZE, "size", 1, INT32_MAX));
  TN_TRY(c.finite(TN_LRN_ALPHA, "alpha"));
  TN_TRY(c.finite(TN_LRN_BETA, "beta"));
  TN_TRY(c.finite(TN_LRN_BIAS, "bias"));
  return c.elementwise(t, c.dims(0), {0});
}

// Sums over the windows of each channel: from (size - 1) / 2 channels before it, or, `mirrored`,
// from as many as it otherwise reaches behind.
Value channel_sums(const Recipe& b, Value x, bool mirrored) {
  const int64_t size = b.i64(TN_LRN_SIZE);
  const uint32_t n = x.rank();
  WindowSpec s = {Dims(n, 1), Dims(n, 1), Dims(n, 0), Dims(n, 0), Dims(n, 1)};
  s.window[1] = size;
  s.low[1] = mirrored ? size / 2 : (size - 1) / 2;
  s.high[1] = size - 1 - s.low[1];
  return window_reduce(x, s, "sum");
}

Value lrn_base(const Recipe& b, Value x) {
  const double share = b.f64(TN_LRN_ALPHA) / static_cast<double>(b.i64(TN_LRN_SIZE));
  return b.f64(TN_LRN_BIAS) + share * channel_sums(b, square(x), false);
}
void lrn_of_base(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, x * pow(lrn_base(b, x), -b.f64(TN_LRN_BETA)));
}
void d_lrn(Recipe& b) {
  const Value x = b.in(0), g = b.g(), s = lrn_base(b, x);
  const double beta = b.f64(TN_LRN_BETA),
               slope = 2 * beta * b.f64(TN_LRN_ALPHA) / static_cast<double>(b.i64(TN_LRN_SIZE));
  const Value p = pow(s, -beta);
  b.set(0, g * p - slope * x * channel_sums(b, g * x * p / s, true));
}

}  // namespace

const OpRules rules_rms_norm = {TN_OP_RMS_NORM, rule<last_axes_rule>, recipe<rms_norm_of_base>,
                                recipe<d_rms_norm>, nullptr};
const OpRules rules_group_norm = {TN_OP_GROUP_NORM, rule<group_norm_rule>,
                                  recipe<norm_of_base<groups_of>>, recipe<d_norm<groups_of>>,
                                  nullptr};
const OpRules rules_instance_norm = {TN_OP_INSTANCE_NORM, rule<instance_norm_rule>,
                                     recipe<norm_of_base<instances_of>>,
                                     recipe<d_norm<instances_of>>, nullptr};
const OpRules rules_lrn = {TN_OP_LRN, rule<lrn_rule>, recipe<lrn_of_base>, recipe<d_lrn>, nullptr};

}  // namespace tenon::ops
