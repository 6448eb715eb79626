// Functions of one input, element by element: y = f(x).
#include <numbers>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr tn_infer_rule kFloats = rule<one_input<kFloat>>;
constexpr tn_infer_rule kReals = rule<one_input<kReal>>;
constexpr tn_infer_rule kNumbers = rule<one_input<kNumber>>;
constexpr tn_infer_rule kFractions = rule<one_input<kFloat | kComplex>>;

tn_error* abs_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kNumber, &t));
  return c.elementwise(part_of(t), c.dims(0), {0});
}

// ---- gradients: g is the cotangent of y

void d_neg(Recipe& b) { b.set(0, -b.g()); }
void d_abs(Recipe& b) {
  const Value x = b.in(0), g = b.g(), y = b.out();
  if (!is_complex(x)) return b.set(0, g * sign(x));
  const Value zero = eq(y, 0);
  b.set(0, conj(x) * where(zero, 0, g / where(zero, 1, y)));
}
// Of complex numbers the length is constant: what turns y is the part of dx at right angles to it.
void d_sign(Recipe& b) {
  const Value x = b.in(0), y = b.out();
  if (!is_complex(x)) return b.set_zero(0);
  const Value size = abs(x), turn = imag(b.g() * y) / where(eq(size, 0), 1, size);
  b.set(0, conj(y) * complex(full_like(turn, 0), turn));
}
// Piecewise constant: the derivative is zero wherever it exists.
void d_zero(Recipe& b) { b.set_zero(0); }
void d_exp(Recipe& b) { b.set(0, b.g() * b.out()); }
void d_expm1(Recipe& b) { b.set(0, b.g() * (b.out() + 1)); }
void d_log(Recipe& b) { b.set(0, b.g() / b.in(0)); }
void d_log1p(Recipe& b) { b.set(0, b.g() / (b.in(0) + 1)); }
void d_sqrt(Recipe& b) { b.set(0, b.g() * 0.5 / b.out()); }
void d_rsqrt(Recipe& b) {
  const Value y = b.out();
  b.set(0, b.g() * -0.5 * (y * y * y));
}
void d_sin(Recipe& b) { b.set(0, b.g() * cos(b.in(0))); }
void d_cos(Recipe& b) { b.set(0, -(b.g() * sin(b.in(0)))); }
void d_tanh(Recipe& b) {
  const Value y = b.out();
  b.set(0, b.g() * (1 - y * y));
}
void d_erf(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, b.g() * (2 * std::numbers::inv_sqrtpi) * exp(-(x * x)));
}
void d_copy(Recipe& b) { b.set(0, b.g()); }
void d_square(Recipe& b) { b.set(0, b.g() * (2 * b.in(0))); }
void d_reciprocal(Recipe& b) {
  const Value y = b.out();
  b.set(0, -(b.g() * (y * y)));
}

// ---- decompositions

void square_of_base(Recipe& b) { b.set(0, b.in(0) * b.in(0)); }
void reciprocal_of_base(Recipe& b) { b.set(0, 1 / b.in(0)); }
// NaN and signed zero pass through. Complex numbers are made of size 1 in two steps, as |x| may overflow.
void sign_of_base(Recipe& b) {
  const Value x = b.in(0), zero = constant(x, 0);
  if (is_complex(x)) {
    const Value re = real(x), im = imag(x), most = maximum(abs(re), abs(im));
    const Value safe = where(eq(most, 0), 1, most), r = re / safe, i = im / safe;
    const Value size = maximum(sqrt(r * r + i * i), 1);
    return b.set(0, complex(r / size, i / size));
  }
  if (is_unsigned(x.dtype())) {
    b.set(0, cast(gt(x, zero), x.dtype()));
  } else {
    b.set(0, where(gt(x, zero), 1, where(lt(x, zero), -1, x)));
  }
}

}  // namespace

const OpRules rules_neg = {TN_OP_NEG, kNumbers, nullptr, recipe<d_neg>, nullptr};
const OpRules rules_abs = {TN_OP_ABS, rule<abs_rule>, nullptr, recipe<d_abs>, nullptr};
const OpRules rules_floor = {TN_OP_FLOOR, kReals, nullptr, recipe<d_zero>, nullptr};
const OpRules rules_ceil = {TN_OP_CEIL, kReals, nullptr, recipe<d_zero>, nullptr};
const OpRules rules_round = {TN_OP_ROUND, kNumbers, nullptr, recipe<d_zero>, nullptr};
const OpRules rules_exp = {TN_OP_EXP, kFractions, nullptr, recipe<d_exp>, nullptr};
const OpRules rules_expm1 = {TN_OP_EXPM1, kFractions, nullptr, recipe<d_expm1>, nullptr};
const OpRules rules_log = {TN_OP_LOG, kFractions, nullptr, recipe<d_log>, nullptr};
const OpRules rules_log1p = {TN_OP_LOG1P, kFractions, nullptr, recipe<d_log1p>, nullptr};
const OpRules rules_sqrt = {TN_OP_SQRT, kFractions, nullptr, recipe<d_sqrt>, nullptr};
const OpRules rules_rsqrt = {TN_OP_RSQRT, kFractions, nullptr, recipe<d_rsqrt>, nullptr};
const OpRules rules_sin = {TN_OP_SIN, kFractions, nullptr, recipe<d_sin>, nullptr};
const OpRules rules_cos = {TN_OP_COS, kFractions, nullptr, recipe<d_cos>, nullptr};
const OpRules rules_tanh = {TN_OP_TANH, kFractions, nullptr, recipe<d_tanh>, nullptr};
const OpRules rules_erf = {TN_OP_ERF, kFloats, nullptr, recipe<d_erf>, nullptr};
const OpRules rules_copy = {TN_OP_COPY, rule<one_input<kAnyKind>>, nullptr, recipe<d_copy>,
                            nullptr};
const OpRules rules_square = {TN_OP_SQUARE, kNumbers, recipe<square_of_base>, recipe<d_square>,
                              nullptr};
const OpRules rules_reciprocal = {TN_OP_RECIPROCAL, kFractions, recipe<reciprocal_of_base>,
                                  recipe<d_reciprocal>, nullptr};
const OpRules rules_sign = {TN_OP_SIGN, kNumbers, recipe<sign_of_base>, recipe<d_sign>, nullptr};

}  // namespace tenon::ops
