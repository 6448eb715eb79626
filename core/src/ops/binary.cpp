// Arithmetic of two inputs, element by element, with broadcasting. Complex numbers: the gradients
// are transposes without conjugation.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr tn_infer_rule kNumbers = rule<two_inputs<kNumber>>;
constexpr tn_infer_rule kReals = rule<two_inputs<kReal>>;

void d_add(Recipe& b) {
  if (b.wants(0)) b.set_summed(0, b.g());
  if (b.wants(1)) b.set_summed(1, b.g());
}
void d_sub(Recipe& b) {
  if (b.wants(0)) b.set_summed(0, b.g());
  if (b.wants(1)) b.set_summed(1, -b.g());
}
void d_mul(Recipe& b) {
  if (b.wants(0)) b.set_summed(0, b.g() * b.in(1));
  if (b.wants(1)) b.set_summed(1, b.g() * b.in(0));
}
void d_div(Recipe& b) {
  const Value t = b.g() / b.in(1);
  if (b.wants(0)) b.set_summed(0, t);
  if (b.wants(1)) b.set_summed(1, -(t * b.out()));
}

// y = x - floor(x / m) * m
void d_rem(Recipe& b) {
  if (b.wants(0)) b.set_summed(0, b.g());
  if (b.wants(1)) b.set_summed(1, -(b.g() * floor(b.in(0) / b.in(1))));
}

// b a^(b-1), with 0 for b = 0; a^b log(a), with 0 for a = 0 (its limit where b > 0). Inside each
// choice the other branch is kept finite, so that derivatives of any order are.
void d_pow(Recipe& b) {
  const tn_dtype t = b.g().dtype();
  const Value x = typed(b.in(0), t), p = typed(b.in(1), t);
  if (b.wants(0)) {
    const Value zero = eq(p, 0), safe = where(zero, 1, p);
    b.set_summed(0, b.g() * where(zero, 0, safe * pow(x, safe - 1)));
  }
  if (b.wants(1)) {
    const Value zero = eq(x, 0), safe = where(zero, 1, x);
    b.set_summed(1, b.g() * where(zero, 0, b.out() * log(safe)));
  }
}

// The angle of the point (x, y), where input 0 is y.
void d_atan2(Recipe& b) {
  const tn_dtype dtype = b.g().dtype();
  const Value y = typed(b.in(0), dtype), x = typed(b.in(1), dtype);
  const Value t = b.g() / (x * x + y * y);
  if (b.wants(0)) b.set_summed(0, t * x);
  if (b.wants(1)) b.set_summed(1, -(t * y));
}

// Equal inputs share the gradient by halves.
void extremum(Recipe& b, bool largest) {
  const Value x = b.in(0), y = b.in(1);
  const Value half = where(eq(x, y), b.g() * 0.5, 0);
  const Value first = largest ? gt(x, y) : lt(x, y), second = largest ? lt(x, y) : gt(x, y);
  if (b.wants(0)) b.set_summed(0, where(first, b.g(), half));
  if (b.wants(1)) b.set_summed(1, where(second, b.g(), half));
}
void d_maximum(Recipe& b) { extremum(b, true); }
void d_minimum(Recipe& b) { extremum(b, false); }

// ---- made of base ops

// Exact also for large quotients: x less its remainder is a multiple of y. By zero: as of div. Of whole numbers that difference may
// overflow; there the quotient is cut towards zero, and is one less where something was cut off and the signs differ.
void floor_div_of_base(Recipe& b) {
  const Value x = b.in(0), y = b.in(1), r = rem(x, y);
  if (kind_of(x.dtype()) ==
      kFloat)  // a remainder as large as the divisor: that is an infinity of the other sign
    return b.set(0, where(eq(y, 0), x / y, where(eq(r, y), -1, round((x - r) / y))));
  if (is_unsigned(x.dtype())) return b.set(0, x / y);
  b.set(0, x / y - where(ne(r, 0), cast(ne(lt(x, 0), lt(y, 0)), x.dtype()), 0));
}
void d_floor_div(Recipe& b) {
  b.set_zero(0);
  b.set_zero(1);
}

// The sign of x where `fmod`, else that of y.
void mod_of_base(Recipe& b) {
  const Value x = b.in(0), y = b.in(1);
  if (!b.flag(TN_MOD_FMOD) || is_unsigned(x.dtype())) return b.set(0, rem(x, y));
  if (kind_of(x.dtype()) == kFloat) {
    const Value r = rem(abs(x), abs(y));
    return b.set(0, where(eq(r, 0), x * 0, where(lt(x, 0), -r, r)));  // a zero with the sign of x
  }
  // Where the signs differ the remainder of floored division is one divisor further; no size is
  // taken, which the least integer has not.
  const Value r = rem(x, y);
  b.set(0, where(eq(r, 0), r, r - where(eq(lt(x, 0), lt(y, 0)), 0, y)));
}
void d_mod(Recipe& b) {
  const Value q = b.in(0) / b.in(1);
  if (b.wants(0)) b.set_summed(0, b.g());
  if (b.wants(1)) b.set_summed(1, -(b.g() * (b.flag(TN_MOD_FMOD) ? trunc(q) : floor(q))));
}

tn_error* lerp_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1, 2}, kFloat, &t));
  Dims dims;
  TN_TRY(c.broadcast({0, 1, 2}, &dims));
  return c.elementwise(t, dims, {0, 1, 2});
}
void lerp_of_base(Recipe& b) { b.set(0, b.in(0) + b.in(2) * (b.in(1) - b.in(0))); }
void d_lerp(Recipe& b) {
  if (b.wants(0)) b.set_summed(0, b.g() * (1 - b.in(2)));
  if (b.wants(1)) b.set_summed(1, b.g() * b.in(2));
  if (b.wants(2)) b.set_summed(2, b.g() * (b.in(1) - b.in(0)));
}

}  // namespace

const OpRules rules_add = {TN_OP_ADD, kNumbers, nullptr, recipe<d_add>, nullptr};
const OpRules rules_sub = {TN_OP_SUB, kNumbers, nullptr, recipe<d_sub>, nullptr};
const OpRules rules_mul = {TN_OP_MUL, kNumbers, nullptr, recipe<d_mul>, nullptr};
const OpRules rules_div = {TN_OP_DIV, kNumbers, nullptr, recipe<d_div>, nullptr};
const OpRules rules_rem = {TN_OP_REM, kReals, nullptr, recipe<d_rem>, nullptr};
const OpRules rules_pow = {TN_OP_POW, kNumbers, nullptr, recipe<d_pow>, nullptr};
const OpRules rules_atan2 = {TN_OP_ATAN2, rule<two_inputs<kFloat>>, nullptr, recipe<d_atan2>,
                             nullptr};
const OpRules rules_maximum = {TN_OP_MAXIMUM, kReals, nullptr, recipe<d_maximum>, nullptr};
const OpRules rules_minimum = {TN_OP_MINIMUM, kReals, nullptr, recipe<d_minimum>, nullptr};
const OpRules rules_floor_div = {TN_OP_FLOOR_DIV, kReals, recipe<floor_div_of_base>,
                                 recipe<d_floor_div>, nullptr};
const OpRules rules_mod = {TN_OP_MOD, kReals, recipe<mod_of_base>, recipe<d_mod>, nullptr};
const OpRules rules_lerp = {TN_OP_LERP, rule<lerp_rule>, recipe<lerp_of_base>, recipe<d_lerp>,
                            nullptr};

}  // namespace tenon::ops
