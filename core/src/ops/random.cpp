// Random numbers from Philox 4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3,
// 2011), and dropout. The state (seed, stream, offset) comes as inputs; a recomputation with the
// same state draws the same numbers.
// Words drawn per element, which the state advances by: philox, bernoulli, dropout 1; uniform 1,
// f64 2; normal 2, f64 4.
#include "random.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace tenon::ops {

tn_error* drawn(Infer& c, uint32_t dims_key, tn_dtype t) {
  Dims dims;
  TN_TRY(c.dims_attr(dims_key, &dims));
  return c.out(0, t, dims);
}

Value unit(const Recipe& b, uint32_t first, const Dims& dims, tn_dtype t) {
  return {b.raw(), tn_b_uniform(b.raw(), b.in(first).v(), b.in(first + 1).v(), b.in(first + 2).v(),
                                dims.d, dims.n, 0, 1, t)};
}
Value bits(const Recipe& b, const Dims& dims) {
  return {b.raw(), tn_b_philox(b.raw(), b.in(0).v(), b.in(1).v(), b.in(2).v(), dims.d, dims.n)};
}
Dims dims_of(const Recipe& b, uint32_t key) {
  Dims out;
  for (const int64_t d : b.list(key)) out.push(d);
  return out;
}

Value column(Value pairs, int64_t i, const Dims& dims) {
  Dims starts(2, 0), stops(2, kToEnd);
  starts[1] = i;
  stops[1] = i + 1;
  return reshape(slice(pairs, starts, stops, Dims(2, 1)), dims);
}
Dims pair_dims(const Recipe& b, const Dims& dims) {
  Dims out;
  out.push(b.product(dims.span()));
  out.push(2);
  return out;
}

namespace {

tn_error* philox_rule(Infer& c) { return drawn(c, TN_PHILOX_DIMS, TN_DTYPE_U32); }

// ---- uniform

tn_error* uniform_rule(Infer& c) {
  TN_TRY(c.dtype_attr(TN_UNIFORM_DTYPE, kFloat));
  const double low = c.f64(TN_UNIFORM_LOW), high = c.f64(TN_UNIFORM_HIGH);
  if (!finite(low) || !finite(high) || low > high)
    return c.error("low {} and high {}: low <= high, both finite", low, high);
  // f16 and bf16 are drawn in f32.
  const tn_dtype t = c.type(TN_UNIFORM_DTYPE);
  const double most = t == TN_DTYPE_F64 ? std::numeric_limits<double>::max()
                                        : double{std::numeric_limits<float>::max()};
  if (low < -most || high > most || high - low > most)
    return c.error("low {} and high {}: for {} they, and high - low, must be at most {}", low, high,
                   tn_dtype_name(t), most);
  return drawn(c, TN_UNIFORM_DIMS, t);
}

// f32 and below: the upper 24 bits of a word. f64: the upper 53 of two words, the first one above.
// Exact in both.
void uniform_of_base(Recipe& b) {
  const tn_dtype t = b.type(TN_UNIFORM_DTYPE);
  const Dims dims = dims_of(b, TN_UNIFORM_DIMS);
  Value u;
  if (t == TN_DTYPE_F64) {
    const Value words = bits(b, pair_dims(b, dims));
    const Value upper = cast(column(words, 0, dims), t),
                lower = cast(shr(column(words, 1, dims), 11), t);
    u = (upper * 0x1p21 + lower) * 0x1p-53;
  } else {
    u = cast(shr(bits(b, dims), 8), TN_DTYPE_F32) * 0x1p-24;
  }
  const double low = b.f64(TN_UNIFORM_LOW), high = b.f64(TN_UNIFORM_HIGH);
  if (low != 0 || high != 1) u = u * (high - low) + low;
  b.set(0, cast(u, t));
}

// ---- normal: Box and Muller, one number from each pair of uniform ones

tn_error* normal_rule(Infer& c) {
  const double mean = c.f64(TN_NORMAL_MEAN), deviation = c.f64(TN_NORMAL_DEVIATION);
  if (!finite(mean) || !finite(deviation) || deviation < 0)
    return c.error("mean {} and deviation {}: both finite, deviation >= 0", mean, deviation);
  TN_TRY(c.dtype_attr(TN_NORMAL_DTYPE, kFloat));
  return drawn(c, TN_NORMAL_DIMS, c.type(TN_NORMAL_DTYPE));
}

void normal_of_base(Recipe& b) {
  const tn_dtype t = b.type(TN_NORMAL_DTYPE);
  const Dims dims = dims_of(b, TN_NORMAL_DIMS);
  const Value pairs = unit(b, 0, pair_dims(b, dims), t == TN_DTYPE_F64 ? t : TN_DTYPE_F32);
  const Value radius = sqrt(-2 * log1p(-column(pairs, 0, dims)));
  Value z = radius * cos(2 * std::numbers::pi * column(pairs, 1, dims));
  const double mean = b.f64(TN_NORMAL_MEAN), deviation = b.f64(TN_NORMAL_DEVIATION);
  if (deviation != 1) z = z * deviation;
  if (mean != 0) z = z + mean;
  b.set(0, cast(z, t));
}

// ---- bernoulli, dropout: a uniform f32 number below the probability

// The least multiple of 2^-24 that is not below p: exact in f32, and u < p means the same for it.
double threshold(double p) { return std::ceil(p * 0x1p24) * 0x1p-24; }

tn_error* check_probability(const Infer& c, const char* name, double p) {
  if (p >= 0 && p <= 1) return nullptr;
  return c.error("{} is {}; it must be 0 to 1", name, p);
}

tn_error* bernoulli_rule(Infer& c) {
  TN_TRY(check_probability(c, "probability", c.f64(TN_BERNOULLI_PROBABILITY)));
  TN_TRY(c.dtype_attr(TN_BERNOULLI_DTYPE, kComputable));
  return drawn(c, TN_BERNOULLI_DIMS, c.type(TN_BERNOULLI_DTYPE));
}

void bernoulli_of_base(Recipe& b) {
  const Value u = unit(b, 0, dims_of(b, TN_BERNOULLI_DIMS), TN_DTYPE_F32);
  b.set(0, cast(lt(u, threshold(b.f64(TN_BERNOULLI_PROBABILITY))), b.type(TN_BERNOULLI_DTYPE)));
}

tn_error* dropout_rule(Infer& c) {
  TN_TRY(check_probability(c, "rate", c.f64(TN_DROPOUT_RATE)));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  return c.elementwise(t, c.dims(0), {0});
}

// v / (1 - rate) where the mask of this state keeps it, else 0.
Value dropped(const Recipe& b, Value v) {
  const double rate = b.f64(TN_DROPOUT_RATE);
  const Value keep = ge(unit(b, 1, b.in(0).dims(), TN_DTYPE_F32), threshold(rate));
  return where(keep, rate < 1 ? v * (1 / (1 - rate)) : v, 0);
}
void dropout_of_base(Recipe& b) { b.set(0, dropped(b, b.in(0))); }
void d_dropout(Recipe& b) {
  if (b.wants(0)) b.set(0, dropped(b, b.g()));
}

}  // namespace

const OpRules rules_philox = {TN_OP_PHILOX, rule<philox_rule>, nullptr, nullptr, kNoInputs};
const OpRules rules_uniform = {TN_OP_UNIFORM, rule<uniform_rule>, recipe<uniform_of_base>, nullptr,
                               kNoInputs};
const OpRules rules_normal = {TN_OP_NORMAL, rule<normal_rule>, recipe<normal_of_base>, nullptr,
                              kNoInputs};
const OpRules rules_bernoulli = {TN_OP_BERNOULLI, rule<bernoulli_rule>, recipe<bernoulli_of_base>,
                                 nullptr, kNoInputs};
const OpRules rules_dropout = {TN_OP_DROPOUT, rule<dropout_rule>, recipe<dropout_of_base>,
                               recipe<d_dropout>, nullptr};

}  // namespace tenon::ops
