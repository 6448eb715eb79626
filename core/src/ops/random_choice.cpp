// randint, truncated_normal, categorical, permutation: made of uniform numbers and random words.
// Words drawn per element: randint and permutation 2; truncated_normal and, per logit, categorical
// 1, f64 2.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "random.hpp"

namespace tenon::ops {
namespace {

// 64 random bits per element, the first of two words above.
Value wide_bits(const Recipe& b, const Dims& dims) {
  const Value words = bits(b, pair_dims(b, dims));
  const auto half = [&](int64_t i) { return cast(column(words, i, dims), TN_DTYPE_U64); };
  return half(0) * 0x1p32 + half(1);
}

// ---- randint

// Whether an integer dtype holds every number from low to high.
bool holds(tn_dtype t, int64_t low, int64_t high) {
  const uint32_t width = TN_DTYPE_BITS(t);
  if (is_unsigned(t)) return low >= 0 && (width >= 63 || high >> width == 0);
  if (width >= 64) return true;
  const int64_t most = (int64_t{1} << (width - 1)) - 1;
  return low >= -most - 1 && high <= most;
}

tn_error* randint_rule(Infer& c) {
  TN_TRY(c.dtype_attr(TN_RANDINT_DTYPE, kInt));
  const int64_t low = c.i64(TN_RANDINT_LOW), high = c.i64(TN_RANDINT_HIGH);
  const tn_dtype t = c.type(TN_RANDINT_DTYPE);
  int64_t width = 0;
  if (low >= high || __builtin_sub_overflow(high, low, &width))
    return c.error("low {} and high {}: low < high, and high - low at most 2^63 - 1", low, high);
  if (!holds(t, low, high - 1))
    return c.error("low {} and high {}: {} does not hold all of these numbers", low, high,
                   tn_dtype_name(t));
  return drawn(c, TN_RANDINT_DIMS, t);
}

void randint_of_base(Recipe& b) {
  const int64_t low = b.i64(TN_RANDINT_LOW), width = b.i64(TN_RANDINT_HIGH) - low;
  const Value random = wide_bits(b, dims_of(b, TN_RANDINT_DIMS));
  const Value y = cast(rem(random, b.dim_scalar(width, TN_DTYPE_U64)), TN_DTYPE_I64);
  // ~low is -low - 1, which exists for every number below 0.
  b.set(0, cast(low < 0 ? y - b.dim_scalar(~low, TN_DTYPE_I64) - 1
                        : y + b.dim_scalar(low, TN_DTYPE_I64),
                b.type(TN_RANDINT_DTYPE)));
}

// ---- truncated_normal

// Polynomials of Giles, Approximating the erfinv function, 2010: single precision.
constexpr std::array<double, 9> kCentral = {2.81022636e-08,  3.43273939e-07, -3.5233877e-06,
                                            -4.39150654e-06, 0.00021858087,  -0.00125372503,
                                            -0.00417768164,  0.246640727,    1.50140941};
constexpr std::array<double, 9> kTail = {-0.000200214257, 0.000100950558, 0.00134934322,
                                         -0.00367342844,  0.00573950773,  -0.0076224613,
                                         0.00943887047,   1.00167406,     2.83297682};

Value polynomial(Value x, const std::array<double, 9>& c) {
  Value y = full_like(x, c[0]);
  for (size_t i = 1; i < c.size(); ++i) y = y * x + c[i];
  return y;
}

// For f64 brought to its precision by Newton's method, where erf is not flat.
Value erfinv(Value y) {
  constexpr double kHalfSqrtPi = 0.5 / std::numbers::inv_sqrtpi;
  const Value w = -log1p(-(y * y));
  Value x = y * where(lt(w, 5), polynomial(w - 2.5, kCentral), polynomial(sqrt(w) - 3, kTail));
  if (y.dtype() != TN_DTYPE_F64) return x;
  for (int step = 0; step < 2; ++step) x = x - (erf(x) - y) * kHalfSqrtPi * exp(x * x);
  return x;
}

tn_error* truncated_normal_rule(Infer& c) {
  const double mean = c.f64(TN_TRUNCATED_NORMAL_MEAN),
               deviation = c.f64(TN_TRUNCATED_NORMAL_DEVIATION),
               low = c.f64(TN_TRUNCATED_NORMAL_LOW), high = c.f64(TN_TRUNCATED_NORMAL_HIGH);
  if (!finite(mean) || !finite(deviation) || deviation <= 0)
    return c.error("mean {} and deviation {}: both finite, deviation > 0", mean, deviation);
  if (!finite(low) || !finite(high) || low >= high)
    return c.error("low {} and high {}: low < high, both finite", low, high);
  TN_TRY(c.dtype_attr(TN_TRUNCATED_NORMAL_DTYPE, kFloat));
  return drawn(c, TN_TRUNCATED_NORMAL_DIMS, c.type(TN_TRUNCATED_NORMAL_DTYPE));
}

void truncated_normal_of_base(Recipe& b) {
  const tn_dtype t = b.type(TN_TRUNCATED_NORMAL_DTYPE);
  const tn_dtype computed = t == TN_DTYPE_F64 ? t : TN_DTYPE_F32;
  const double mean = b.f64(TN_TRUNCATED_NORMAL_MEAN), low = b.f64(TN_TRUNCATED_NORMAL_LOW),
               high = b.f64(TN_TRUNCATED_NORMAL_HIGH),
               scale = b.f64(TN_TRUNCATED_NORMAL_DEVIATION) * std::numbers::sqrt2;
  // The infinite ends of erfinv stay outside.
  const double most = t == TN_DTYPE_F64 ? 1 - 0x1p-53 : 1 - 0x1p-24;
  const auto end = [&](double v) { return std::clamp(std::erf((v - mean) / scale), -most, most); };
  const Value u = unit(b, 0, dims_of(b, TN_TRUNCATED_NORMAL_DIMS), computed);
  const Value y = maximum(minimum(end(low) + u * (end(high) - end(low)), most), -most);
  b.set(0, cast(maximum(minimum(mean + scale * erfinv(y), high), low), t));
}

// ---- categorical: the greatest of the logits with Gumbel noise

tn_error* categorical_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "logits", kFloat, &t));
  if (c.rank(0) == 0) return c.error("logits is {}; it must have rank 1 or more", c.text(0));
  Dims to = c.dims(0);
  --to.n;
  if (c.dim(0, to.n) == 0 && !known_empty(to))
    return c.error("logits is {}: there is nothing to choose from along its last axis", c.text(0));
  return c.out(0, TN_DTYPE_I64, to);
}

void categorical_of_base(Recipe& b) {
  const Value x = wide(b.in(0)), u = unit(b, 1, x.dims(), x.dtype());
  const Value noisy = x - log(-log(u));
  b.set(0, {b.raw(), tn_b_argmax(b.raw(), noisy.v(), -1, 0)});
}

// ---- permutation

tn_error* permutation_rule(Infer& c) {
  const int64_t n = c.i64(TN_PERMUTATION_N);
  if (n == -1) return c.error("n is {}; it must be 0 or more", n);
  return c.out(0, TN_DTYPE_I64, Dims(1, n));
}

void permutation_of_base(Recipe& b) {
  const Dims dims(1, b.i64(TN_PERMUTATION_N));
  const Value keys = wide_bits(b, dims), numbers = b.iota(dims, 0, TN_DTYPE_I64);
  tn_value out[2] = {TN_NO_VALUE, TN_NO_VALUE};
  tn_b_sort(b.raw(), keys.v(), numbers.v(), 0, 0, out);
  b.set(0, {b.raw(), out[1]});
}

}  // namespace

const OpRules rules_randint = {TN_OP_RANDINT, rule<randint_rule>, recipe<randint_of_base>, nullptr,
                               kNoInputs};
const OpRules rules_truncated_normal = {TN_OP_TRUNCATED_NORMAL, rule<truncated_normal_rule>,
                                        recipe<truncated_normal_of_base>, nullptr, kNoInputs};
const OpRules rules_categorical = {TN_OP_CATEGORICAL, rule<categorical_rule>,
                                   recipe<categorical_of_base>, nullptr, "the result is an index"};
const OpRules rules_permutation = {TN_OP_PERMUTATION, rule<permutation_rule>,
                                   recipe<permutation_of_base>, nullptr, kNoInputs};

}  // namespace tenon::ops
