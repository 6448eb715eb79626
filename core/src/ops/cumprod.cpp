// cumprod: running products. f16 and bf16 are multiplied in f32.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// As of prod: booleans and short integers are 64 bits wide.
tn_error* cumprod_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kComputable, &t));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_CUMPROD_AXIS), c.rank(0), &axis));
  if (kind_of(t) & (kBool | kInt)) t = is_unsigned(t) ? TN_DTYPE_U64 : TN_DTYPE_I64;
  c.cast(0, t);
  return c.out(0, t, c.dims(0));
}

Value cumsum(Value x, uint32_t axis, bool reverse = false) {
  return {x.b(), tn_b_cumsum(x.b(), x.v(), axis, false, reverse)};
}
Value cumprod(Value x, uint32_t axis) { return {x.b(), tn_b_cumprod(x.b(), x.v(), axis)}; }
Value count_zeros(Value zero, uint32_t axis) { return cumsum(cast(zero, TN_DTYPE_F32), axis); }

// After step s every element is the product of itself and the 2s - 1 before it.
Value scanned(const Recipe& b, Value x, uint32_t axis) {
  const int64_t n = x.dim(axis);
  if (!concrete(n)) b.fail(TN_UNIMPLEMENTED, "running products along an axis of unknown length");
  Dims low(x.rank(), 0), high(x.rank(), 0);
  for (int64_t s = 1; s < n; s *= 2) {
    low[axis] = s;
    high[axis] = -s;
    x = x * pad(x, low, high, Dims(), 1);
  }
  return x;
}

// Zeros are taken out of the scan: with a product of later elements that overflows they would give
// NaN. From the first one on y is 0, or NaN where a factor is not finite: a running sum of x - x.
void cumprod_of_base(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axis = axis_of(b.i64(TN_CUMPROD_AXIS), x.rank());
  if (kind_of(x.dtype()) == kInt) {
    const Value y = scanned(b, x, axis);
    return b.set(0, y.v() == x.v() ? copy(x) : y);
  }
  const Value zero = eq(x, 0);
  const Value y = where(gt(count_zeros(zero, axis), 0), cumsum(x - x, axis),
                        scanned(b, where(zero, 1, x), axis));
  b.set(0, y);
}

// Before the first zero of a line: the sum of all g y from there on, divided by x. At it: the same
// with 1 in its place. Behind it: zero. Derivatives of higher order are exact where no element is
// zero.
void d_cumprod(Recipe& b) {
  const Value x = b.in(0), y = b.out(), g = b.g();
  const uint32_t axis = axis_of(b.i64(TN_CUMPROD_AXIS), x.rank());
  const Value zero = eq(x, 0), zeros = count_zeros(zero, axis), safe = where(zero, 1, x);
  const Value first = where(zero, eq(zeros, 1), zero);
  const Value without = cumprod(where(first, 1, x), axis);
  const Value before = cumsum(g * y, axis, true) / safe, at = cumsum(g * without, axis, true);
  b.set(0, where(eq(zeros, 0), before, where(first, at, 0)));
}

}  // namespace

const OpRules rules_cumprod = {TN_OP_CUMPROD, rule<cumprod_rule>, recipe<cumprod_of_base>,
                               recipe<d_cumprod>, nullptr};

}  // namespace tenon::ops
