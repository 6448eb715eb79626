// Losses of pairs: bce, l1, huber, kl_div, hinge element by element; cosine_loss and
// cosine_similarity over the elements of a vector. f16 and bf16 are computed in f32.
#include "loss.hpp"

#include <cmath>

namespace tenon::ops {
namespace {

static_assert(kReduction == TN_BCE_REDUCTION && kReduction == TN_L1_REDUCTION &&
              kReduction == TN_HUBER_REDUCTION && kReduction == TN_KL_DIV_REDUCTION &&
              kReduction == TN_HINGE_REDUCTION && kReduction == TN_COSINE_LOSS_REDUCTION);

// The cotangent per element of input 0.
Value each_cotangent(const Recipe& b) {
  return sample_cotangent(b, b.product(b.in(0).dims().span()));
}

// ---- bce: logarithms end at -100, as in PyTorch

constexpr double kLeastLog = -100, kLeastVariance = 1e-12;

tn_error* bce_rule(Infer& c) { return pairwise_rule(c, "probabilities"); }

Value log_of_p(Value p) { return maximum(log(p), kLeastLog); }
Value log_of_not_p(Value p) { return maximum(log1p(-p), kLeastLog); }

Value bce_each(const Recipe& b) {
  const Value p = b.in(0), t = b.in(1);
  return -(t * log_of_p(p) + (1 - t) * log_of_not_p(p));
}
void bce_of_base(Recipe& b) { set_reduced(b, weighted(b, bce_each(b))); }
void d_bce(Recipe& b) {
  const Value p = b.in(0), t = b.in(1), plain = each_cotangent(b);
  const Value g = weighted(b, plain);
  if (b.wants(0)) b.set(0, g * ((p - t) / maximum(p * (1 - p), kLeastVariance)));
  if (b.wants(1)) b.set(1, g * (log_of_not_p(p) - log_of_p(p)));
  if (b.in(2) && b.wants(2)) b.set_summed(2, bce_each(b) * plain);
}

// ---- l1, huber

tn_error* l1_rule(Infer& c) { return pairwise_rule(c, "x"); }

void l1_of_base(Recipe& b) { set_reduced(b, abs(b.in(0) - b.in(1))); }
void d_l1(Recipe& b) {
  const Value dx = sign(b.in(0) - b.in(1)) * each_cotangent(b);
  if (b.wants(0)) b.set(0, dx);
  if (b.wants(1)) b.set(1, -dx);
}

tn_error* huber_rule(Infer& c) {
  const double delta = c.f64(TN_HUBER_DELTA);
  if (!(delta > 0) || !std::isfinite(delta))
    return c.error("delta is {}; it must be a number > 0", delta);
  return pairwise_rule(c, "x");
}
void huber_of_base(Recipe& b) {
  const double delta = b.f64(TN_HUBER_DELTA);
  const Value d = abs(b.in(0) - b.in(1));
  set_reduced(b, where(le(d, delta), 0.5 * d * d, delta * (d - 0.5 * delta)));
}
void d_huber(Recipe& b) {
  const double delta = b.f64(TN_HUBER_DELTA);
  const Value d = b.in(0) - b.in(1);
  const Value dx = maximum(minimum(d, delta), -delta) * each_cotangent(b);
  if (b.wants(0)) b.set(0, dx);
  if (b.wants(1)) b.set(1, -dx);
}

// ---- kl_div: t (ln t - x), t itself given as its logarithm with log_target

tn_error* kl_div_rule(Infer& c) { return pairwise_rule(c, "log_input"); }

void kl_div_of_base(Recipe& b) {
  const Value x = b.in(0), t = b.in(1);
  const Value each = b.flag(TN_KL_DIV_LOG_TARGET) ? exp(t) * (t - x)
                                                  // 0 * log 0 is 0.
                                                  : where(eq(t, 0), 0, t * (log(t) - x));
  set_reduced(b, each);
}
void d_kl_div(Recipe& b) {
  const Value x = b.in(0), t = b.in(1), g = each_cotangent(b);
  const bool is_log = b.flag(TN_KL_DIV_LOG_TARGET);
  const Value p = is_log ? exp(t) : t;
  if (b.wants(0)) b.set(0, -(p * g));
  if (b.wants(1)) b.set(1, g * (is_log ? p * (t - x + 1) : log(t) - x + 1));
}

// ---- hinge, cosine_loss: the target says by its sign whether two things belong together

tn_error* check_margin(const Infer& c, uint32_t key) { return c.finite(key, "margin"); }
tn_error* sign_target(const Infer& c, uint32_t i) {
  tn_dtype t = TN_DTYPE_NONE;
  return c.single(i, "target", kReal, &t);
}

tn_error* hinge_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  TN_TRY(sign_target(c, 1));
  TN_TRY(check_margin(c, TN_HINGE_MARGIN));
  TN_TRY(same_dims(c, "x", "target"));
  return reduced_out(c, t, c.dims(0));
}
void hinge_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Value apart = maximum(b.f64(TN_HINGE_MARGIN) - x, 0);
  set_reduced(b, where(gt(b.in(1), 0), x, apart));
}
void d_hinge(Recipe& b) {
  if (b.wants(1)) b.set_zero(1);
  if (!b.wants(0)) return;
  const Value x = b.in(0), g = each_cotangent(b);
  b.set(0, where(gt(b.in(1), 0), g, where(lt(x, b.f64(TN_HINGE_MARGIN)), -g, 0)));
}

// The cosine of the angle between vectors along `axis`, both with all dims, and what its gradient
// is made of. Their lengths are at least sqrt(least); `more` is added to the squares.
struct Cosine {
  Value x, y, cos, rx, ry;  // rx = 1 / |x|
  uint32_t axis;
};
Cosine cosine_of(Value x, Value y, uint32_t axis, double more, double least) {
  const auto inverse = [&](Value v) {
    const Value s = sum(square(v), axis, true);
    return rsqrt(more != 0 ? s + more : maximum(s, least));
  };
  const Value rx = inverse(x), ry = inverse(y);
  return {x, y, sum(x * y, axis, true) * rx * ry, rx, ry, axis};
}
// For the cotangent g of cos, both with size 1 along the axis: y rx ry - x cos rx^2 where |x| is
// not held at its least value.
Value by_first(const Cosine& c, Value g, double least) {
  const Value along_x = c.cos * square(c.rx);
  const Value held =
      least > 0 ? where(gt(sum(square(c.x), c.axis, true), least), along_x, 0) : along_x;
  return g * (c.y * (c.rx * c.ry) - c.x * held);
}
Cosine swapped(const Cosine& c) { return {c.y, c.x, c.cos, c.ry, c.rx, c.axis}; }

// ---- cosine_loss

constexpr double kCosineLossEpsilon = 1e-12;  // as PyTorch

tn_error* cosine_loss_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat, &t));
  TN_TRY(sign_target(c, 2));
  TN_TRY(check_margin(c, TN_COSINE_LOSS_MARGIN));
  if (c.rank(0) == 0) return c.error("x1 is {}; it must have rank 1 or more: [..., D]", c.text(0));
  TN_TRY(same_dims(c, "x1", "x2"));
  Dims samples = c.dims(0);
  --samples.n;
  bool fits = c.rank(2) == samples.n;
  for (uint32_t a = 0; fits && a < samples.n; ++a) fits = !c.differ(c.dim(2, a), samples[a]);
  if (!fits)
    return c.error("target is {}; for x1, {}, it must have dims {}: those without the last",
                   c.text(2), c.text(0), dims_text(samples.span()));
  return reduced_out(c, t, samples);
}

Cosine cosine_of_inputs(const Recipe& b) {
  const Value x = b.in(0);
  return cosine_of(x, b.in(1), 1u << (x.rank() - 1), kCosineLossEpsilon, 0);
}
void cosine_loss_of_base(Recipe& b) {
  const Cosine c = cosine_of_inputs(b);
  const Value cos = squeeze(c.cos, c.axis);
  const Value apart = maximum(cos - b.f64(TN_COSINE_LOSS_MARGIN), 0);
  set_reduced(b, where(gt(b.in(2), 0), 1 - cos, apart));
}
void d_cosine_loss(Recipe& b) {
  if (b.wants(2)) b.set_zero(2);
  if (!b.wants(0) && !b.wants(1)) return;
  const Cosine c = cosine_of_inputs(b);
  Dims samples = b.in(0).dims();
  --samples.n;
  Value g = sample_cotangent(b, b.product(samples.span()));
  if (b.string(kReduction) == "none") g = unsqueeze(g, c.axis);
  const Value apart = where(gt(c.cos, b.f64(TN_COSINE_LOSS_MARGIN)), g, 0);
  const Value of_cos = where(gt(unsqueeze(b.in(2), c.axis), 0), -g, apart);
  if (b.wants(0)) b.set(0, by_first(c, of_cos, 0));
  if (b.wants(1)) b.set(1, by_first(swapped(c), of_cos, 0));
}

// ---- cosine_similarity

tn_error* cosine_similarity_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat, &t));
  const double epsilon = c.f64(TN_COSINE_SIMILARITY_EPSILON);
  if (!(epsilon >= 0) || !std::isfinite(epsilon))
    return c.error("epsilon is {}; it must be a number >= 0", epsilon);
  Dims dims, to;
  TN_TRY(c.broadcast({0, 1}, &dims));
  TN_TRY(c.check_count(dims));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_COSINE_SIMILARITY_AXIS), dims.n, &axis));
  for (uint32_t a = 0; a < dims.n; ++a)
    if (a != axis) to.push(dims[a]);
  return c.out(0, t, to);
}

double least_square(const Recipe& b) {
  const double epsilon = b.f64(TN_COSINE_SIMILARITY_EPSILON);
  return epsilon * epsilon;
}
Cosine cosine_of_broadcast(const Recipe& b) {
  const Value x = b.in(0), y = b.in(1), like = x * y;
  const uint32_t axis = 1u << axis_of(b.i64(TN_COSINE_SIMILARITY_AXIS), like.rank());
  return cosine_of(broadcast_like(x, like), broadcast_like(y, like), axis, 0, least_square(b));
}
void cosine_similarity_of_base(Recipe& b) {
  const Cosine c = cosine_of_broadcast(b);
  b.set(0, squeeze(c.cos, c.axis));
}
void d_cosine_similarity(Recipe& b) {
  const Cosine c = cosine_of_broadcast(b);
  const Value g = unsqueeze(b.g(), c.axis);
  if (b.wants(0)) b.set_summed(0, by_first(c, g, least_square(b)));
  if (b.wants(1)) b.set_summed(1, by_first(swapped(c), g, least_square(b)));
}

}  // namespace

const OpRules rules_bce = {TN_OP_BCE, rule<bce_rule>, recipe<bce_of_base>, recipe<d_bce>, nullptr};
const OpRules rules_l1 = {TN_OP_L1, rule<l1_rule>, recipe<l1_of_base>, recipe<d_l1>, nullptr};
const OpRules rules_huber = {TN_OP_HUBER, rule<huber_rule>, recipe<huber_of_base>, recipe<d_huber>,
                             nullptr};
const OpRules rules_kl_div = {TN_OP_KL_DIV, rule<kl_div_rule>, recipe<kl_div_of_base>,
                              recipe<d_kl_div>, nullptr};
const OpRules rules_hinge = {TN_OP_HINGE, rule<hinge_rule>, recipe<hinge_of_base>, recipe<d_hinge>,
                             nullptr};
const OpRules rules_cosine_loss = {TN_OP_COSINE_LOSS, rule<cosine_loss_rule>,
                                   recipe<cosine_loss_of_base>, recipe<d_cosine_loss>, nullptr};
const OpRules rules_cosine_similarity = {TN_OP_COSINE_SIMILARITY, rule<cosine_similarity_rule>,
                                         recipe<cosine_similarity_of_base>,
                                         recipe<d_cosine_similarity>, nullptr};

}  // namespace tenon::ops
