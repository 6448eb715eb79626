// mean, var, std, logsumexp. f16 and bf16 are summed in f32. Over no elements mean and var are NaN, as 0 / 0 is: the gradient is then
// empty, and what a second-order gradient gives their cotangent is NaN too. var divides by max(n - correction, 0), like NumPy.
#include <limits>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr uint32_t kAxes = TN_MEAN_AXES, kKeepdims = TN_MEAN_KEEPDIMS;
static_assert(kAxes == TN_VAR_AXES && kAxes == TN_STD_AXES && kAxes == TN_LOGSUMEXP_AXES &&
              kKeepdims == TN_VAR_KEEPDIMS && kKeepdims == TN_STD_KEEPDIMS &&
              kKeepdims == TN_LOGSUMEXP_KEEPDIMS && TN_VAR_CORRECTION == TN_STD_CORRECTION);

template <uint32_t Kinds>
tn_error* reduction_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", Kinds, &t));
  const uint32_t n = c.rank(0);
  uint32_t axes = 0;
  TN_TRY(c.axes(c.list(kAxes), n, (1u << n) - 1, &axes));
  Dims to;
  for (uint32_t a = 0; a < n; ++a) {
    if (!(axes & (1u << a))) {
      to.push(c.dim(0, a));
    } else if (c.flag(kKeepdims)) {
      to.push(1);
    }
  }
  return c.out(0, t, to);
}

tn_error* var_rule(Infer& c) {
  const double correction = c.f64(TN_VAR_CORRECTION);
  if (!(correction >= 0 && correction < std::numeric_limits<double>::infinity()))
    return c.error("correction is {}; it must be a number >= 0", correction);
  return reduction_rule<kFloat>(c);
}

uint32_t axes_of(const Recipe& b) {
  const Value x = b.in(0);
  return axes_mask(b.list(kAxes), x.rank(), x.all_axes());
}

// ---- mean

void mean_of_base(Recipe& b) { b.set(0, mean(b.in(0), axes_of(b), b.flag(kKeepdims))); }
void d_mean(Recipe& b) {
  const uint32_t axes = axes_of(b);
  const Value g = b.g();
  const Value n = cast(size_of(b.in(0), axes), g.dtype());
  b.set(0, unreduce(g / n, b.in(0), axes, b.flag(kKeepdims)));
}

// ---- var, std: in two passes

Value centered(Value x, uint32_t axes) { return x - mean(x, axes, true); }
Value freedom(const Recipe& b, Value x, uint32_t axes) {
  const double correction = b.f64(TN_VAR_CORRECTION);
  const Value n = size_of(x, axes);
  return correction == 0 ? n : maximum(n - correction, 0);
}

Value variance(const Recipe& b, Value x) {
  const uint32_t axes = axes_of(b);
  return sum(square(centered(x, axes)), axes, b.flag(kKeepdims)) / freedom(b, x, axes);
}
void var_of_base(Recipe& b) { b.set(0, variance(b, b.in(0))); }
void d_var(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axes = axes_of(b);
  const Value scale = 2 * b.g() / freedom(b, x, axes);
  b.set(0, unreduce(scale, x, axes, b.flag(kKeepdims)) * centered(x, axes));
}

void std_of_base(Recipe& b) { b.set(0, sqrt(variance(b, b.in(0)))); }
void d_std(Recipe& b) {
  const Value x = b.in(0), y = b.out();
  const uint32_t axes = axes_of(b);
  const Value flat = eq(y, 0);
  const Value scale = where(flat, 0, b.g() / (freedom(b, x, axes) * where(flat, 1, y)));
  b.set(0, unreduce(scale, x, axes, b.flag(kKeepdims)) * centered(x, axes));
}

// ---- logsumexp

// Infinite numbers as zero: subtracting one from itself would give NaN.
Value finite(Value x) { return where(eq(abs(x), std::numeric_limits<double>::infinity()), 0, x); }

void logsumexp_of_base(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axes = axes_of(b);
  // The log of a sum of nothing is -inf.
  const Value top = known_empty(x.dims()) ? constant(x, 0) : finite(max(x, axes, true));
  const Value y = log(sum(exp(x - top), axes, true)) + top;
  b.set(0, b.flag(kKeepdims) ? y : squeeze(y, axes));
}
void d_logsumexp(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axes = axes_of(b);
  const bool keep = b.flag(kKeepdims);
  const Value out = b.out(), y = where(eq(out, -std::numeric_limits<double>::infinity()), 0, out);
  b.set(0, unreduce(b.g(), x, axes, keep) * exp(x - unreduce(y, x, axes, keep)));
}

}  // namespace

const OpRules rules_mean = {TN_OP_MEAN, rule<reduction_rule<kFloat | kComplex>>,
                            recipe<mean_of_base>, recipe<d_mean>, nullptr};
const OpRules rules_var = {TN_OP_VAR, rule<var_rule>, recipe<var_of_base>, recipe<d_var>, nullptr};
const OpRules rules_std = {TN_OP_STD, rule<var_rule>, recipe<std_of_base>, recipe<d_std>, nullptr};
const OpRules rules_logsumexp = {TN_OP_LOGSUMEXP, rule<reduction_rule<kFloat>>,
                                 recipe<logsumexp_of_base>, recipe<d_logsumexp>, nullptr};

}  // namespace tenon::ops
