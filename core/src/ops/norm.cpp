// layer_norm, batch_norm, batch_norm_train. f16 and bf16 are computed in f32. Variances are biased,
// in two passes.
#include "norm.hpp"

#include <limits>

namespace tenon::ops {

tn_error* check_epsilon(const Infer& c, uint32_t key) {
  const double epsilon = c.f64(key);
  if (epsilon >= 0 && epsilon < std::numeric_limits<double>::infinity()) return nullptr;
  return c.error("epsilon is {}; it must be a number >= 0", epsilon);
}

static_assert(TN_LAYER_NORM_AXES == TN_RMS_NORM_AXES &&
              TN_LAYER_NORM_EPSILON == TN_RMS_NORM_EPSILON);

tn_error* last_axes_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  TN_TRY(check_epsilon(c, TN_LAYER_NORM_EPSILON));
  const int64_t axes = c.i64(TN_LAYER_NORM_AXES);
  if (axes < 1 || axes > static_cast<int64_t>(c.rank(0)))
    return c.error("axes is {}; it is the number of last axes of x, {}, to normalise: 1 to {}",
                   axes, c.text(0), c.rank(0));
  const auto first = c.rank(0) - static_cast<uint32_t>(axes);
  for (const uint32_t i : {1u, 2u}) {
    if (!c.has(i)) continue;
    TN_TRY(c.require_kind(i, i == 1 ? "scale" : "bias", kFloat));
    bool fits = c.rank(i) == axes;
    for (uint32_t a = 0; fits && a < c.rank(i); ++a)
      fits = !c.differ(c.dim(i, a), c.dim(0, first + a));
    if (!fits)
      return c.error("{} is {}; it must have the last dims of x, {}", i == 1 ? "scale" : "bias",
                     c.text(i), dims_text({c.dims(0).d + first, static_cast<size_t>(axes)}));
    c.cast(i, t);
  }
  return c.elementwise(t, c.dims(0), {0});
}

uint32_t last_axes(const Recipe& b) {
  const uint32_t n = b.in(0).rank(), axes = static_cast<uint32_t>(b.i64(TN_LAYER_NORM_AXES));
  return ((1u << n) - 1) & ~((1u << (n - axes)) - 1);
}

Normal normalized(Value x, uint32_t axes, double epsilon) {
  const Value c = x - mean(x, axes, true);
  const Value factor = rsqrt(mean(square(c), axes, true) + epsilon);
  return {c * factor, factor};
}

Value normalized_grad(const Normal& n, Value g, uint32_t axes) {
  return n.factor * (g - mean(g, axes, true) - n.x_hat * mean(g * n.x_hat, axes, true));
}

Value per_channel(Value v, Value x) { return along(v, 1, x.rank()); }
uint32_t all_but_channel(Value x) { return x.all_axes() & ~2u; }

namespace {

// ---- layer_norm: y = (x - mean) / sqrt(variance + epsilon) * scale + bias

void layer_norm_of_base(Recipe& b) {
  Value y = normalized(b.in(0), last_axes(b), b.f64(TN_LAYER_NORM_EPSILON)).x_hat;
  if (b.in(1)) y = y * b.in(1);
  if (b.in(2)) y = y + b.in(2);
  b.set(0, y);
}

void d_layer_norm(Recipe& b) {
  const Value g = b.g();
  const uint32_t axes = last_axes(b);
  if (b.in(2) && b.wants(2)) b.set_summed(2, g);
  const bool wants_scale = b.in(1) && b.wants(1);
  if (!b.wants(0) && !wants_scale) return;
  const Normal n = normalized(b.in(0), axes, b.f64(TN_LAYER_NORM_EPSILON));
  if (wants_scale) b.set_summed(1, g * n.x_hat);
  if (b.wants(0)) b.set(0, normalized_grad(n, b.in(1) ? g * b.in(1) : g, axes));
}

// ---- batch_norm: with the statistics given, per channel (axis 1)

// x [N, C, ...] and inputs 1 to n - 1, each [C], of one dtype.
tn_error* channel_inputs(Infer& c, uint32_t n, tn_dtype* t) {
  static constexpr const char* kNames[] = {"x", "scale", "bias", "mean", "variance"};
  if (c.rank(0) < 2) return c.error("x is {}; it must have rank 2 or more: [N, C, ...]", c.text(0));
  TN_TRY(c.single(0, "x", kFloat, t));
  for (uint32_t i = 1; i < n; ++i) {
    TN_TRY(c.require_kind(i, kNames[i], kFloat));
    TN_TRY(c.require_rank(i, kNames[i], 1, "[C]"));
    if (c.differ(c.dim(i, 0), c.dim(0, 1)))
      return c.error("{} is {}; for x, {}, it must be [{}]", kNames[i], c.text(i), c.text(0),
                     dim_text(c.dim(0, 1)));
    c.cast(i, *t);
  }
  return nullptr;
}

tn_error* batch_norm_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(channel_inputs(c, 5, &t));
  TN_TRY(check_epsilon(c, TN_BATCH_NORM_EPSILON));
  return c.elementwise(t, c.dims(0), {0});
}

void batch_norm_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Value factor = b.in(1) * rsqrt(b.in(4) + b.f64(TN_BATCH_NORM_EPSILON));
  const Value y = (x - per_channel(b.in(3), x)) * per_channel(factor, x) + per_channel(b.in(2), x);
  b.set(0, y);
}

void d_batch_norm(Recipe& b) {
  const Value x = b.in(0), g = b.g(), scale = b.in(1);
  const uint32_t others = all_but_channel(x);
  const Value r = rsqrt(b.in(4) + b.f64(TN_BATCH_NORM_EPSILON)), factor = scale * r;
  if (b.wants(0)) b.set(0, g * per_channel(factor, x));
  if (b.wants(2)) b.set(2, sum(g, others, false));
  if (b.wants(3)) b.set(3, -(sum(g, others, false) * factor));
  if (!b.wants(1) && !b.wants(4)) return;
  const Value sums = sum(g * (x - per_channel(b.in(3), x)), others, false);
  if (b.wants(1)) b.set(1, sums * r);
  if (b.wants(4)) b.set(4, -0.5 * sums * factor * (r * r));
}

// ---- batch_norm_train: with the statistics of x itself, which it also returns

tn_error* batch_norm_train_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(channel_inputs(c, 3, &t));
  TN_TRY(check_epsilon(c, TN_BATCH_NORM_TRAIN_EPSILON));
  TN_TRY(c.elementwise(t, c.dims(0), {0}));
  const Dims channels(1, c.dim(0, 1));
  TN_TRY(c.out(1, t, channels));
  return c.out(2, t, channels);
}

void batch_norm_train_of_base(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t others = all_but_channel(x);
  const Value average = mean(x, others, false);
  const Value c = x - per_channel(average, x);
  const Value variance = mean(square(c), others, false);
  const Value factor = b.in(1) * rsqrt(variance + b.f64(TN_BATCH_NORM_TRAIN_EPSILON));
  b.set(0, c * per_channel(factor, x) + per_channel(b.in(2), x));
  b.set(1, average);
  b.set(2, variance);
}

// With c = x - mean, r = 1 / sqrt(variance + epsilon), a = scale * r and n elements per channel: dx
// = a g + c (2 g_variance / n - a r^2 mean(g c)) + (g_mean / n - a mean(g)); all but g and c is per
// channel.
void d_batch_norm_train(Recipe& b) {
  const Value x = b.in(0), g = b.g(0), scale = b.in(1);
  const uint32_t others = all_but_channel(x);
  const Value total = sum(g, others, false);
  if (b.wants(2)) b.set(2, total);
  if (!b.wants(0) && !b.wants(1)) return;
  const Value c = x - mean(x, others, true), n = size_of(x, others);
  const Value r = rsqrt(mean(square(c), others, false) + b.f64(TN_BATCH_NORM_TRAIN_EPSILON));
  const Value along_c = sum(g * c, others, false);
  if (b.wants(1)) b.set(1, along_c * r);
  if (!b.wants(0)) return;
  const Value a = scale * r;
  const Value of_c = (2 * b.g(2) - a * (r * r) * along_c) / n, constant = (b.g(1) - a * total) / n;
  b.set(0, g * per_channel(a, x) + c * per_channel(of_c, x) + per_channel(constant, x));
}

}  // namespace

const OpRules rules_layer_norm = {TN_OP_LAYER_NORM, rule<last_axes_rule>,
                                  recipe<layer_norm_of_base>, recipe<d_layer_norm>, nullptr};
const OpRules rules_batch_norm = {TN_OP_BATCH_NORM, rule<batch_norm_rule>,
                                  recipe<batch_norm_of_base>, recipe<d_batch_norm>, nullptr};
const OpRules rules_batch_norm_train = {TN_OP_BATCH_NORM_TRAIN, rule<batch_norm_train_rule>,
                                        recipe<batch_norm_train_of_base>,
                                        recipe<d_batch_norm_train>, nullptr};

}  // namespace tenon::ops
