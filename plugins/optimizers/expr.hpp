// Arithmetic on the values of a recipe, written as arithmetic.
#pragma once
#include <tenon/plugin/builder_ops.h>

#include <cfloat>

namespace tenon::optimizers {

// A value and the builder that it belongs to. A number becomes a weakly typed scalar, which widens nothing.
struct Expr {
  tn_builder* b;
  tn_value v;

  Expr number(double x) const { return {b, b->v->scalar(b, x)}; }
  tn_dtype dtype() const { return b->v->dtype(b, v); }
  // The same value in another dtype.
  Expr as(tn_dtype t) const { return dtype() == t ? *this : Expr{b, tn_b_cast(b, v, t)}; }
};

inline Expr operator+(Expr x, Expr y) { return {x.b, tn_b_add(x.b, x.v, y.v)}; }
inline Expr operator-(Expr x, Expr y) { return {x.b, tn_b_sub(x.b, x.v, y.v)}; }
inline Expr operator*(Expr x, Expr y) { return {x.b, tn_b_mul(x.b, x.v, y.v)}; }
inline Expr operator/(Expr x, Expr y) { return {x.b, tn_b_div(x.b, x.v, y.v)}; }
inline Expr operator-(Expr x, double y) { return x - x.number(y); }
inline Expr operator-(double x, Expr y) { return y.number(x) - y; }
inline Expr operator+(double x, Expr y) { return y.number(x) + y; }
inline Expr operator-(Expr x) { return {x.b, tn_b_neg(x.b, x.v)}; }

inline Expr sqrt(Expr x) { return {x.b, tn_b_sqrt(x.b, x.v)}; }
inline Expr square(Expr x) { return {x.b, tn_b_mul(x.b, x.v, x.v)}; }
inline Expr equal(Expr x, double y) { return {x.b, tn_b_eq(x.b, x.v, x.number(y).v)}; }
inline Expr where(Expr condition, Expr x, Expr y) {
  return {x.b, tn_b_where(x.b, condition.v, x.v, y.v)};
}
// 1 - base^exponent, also where base^exponent is so close to 1 that their difference would have lost its digits.
inline Expr one_minus_power(Expr base, Expr exponent) {
  const Expr log{base.b, tn_b_log(base.b, base.v)};
  const Expr product = exponent * log;
  return -Expr{base.b, tn_b_expm1(base.b, product.v)};
}

}  // namespace tenon::optimizers
