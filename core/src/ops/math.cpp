// Functions of the elements of floating tensors, made of base ops: y = f(x).
#include <numbers>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr double kLn2 = std::numbers::ln2;
constexpr double kHuge = 1e9;  // its square is finite, and 1 beside that is nothing

constexpr tn_infer_rule kFractions = rule<one_input<kFloat | kComplex>>;

tn_error* question_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kNumber, &t));
  return c.elementwise(TN_DTYPE_BOOL, c.dims(0), {});
}
constexpr tn_infer_rule kQuestion = rule<question_rule>;
constexpr const char* kIsBool = "the result is boolean";

template <Value (*F)(Value)>
void of_base(Recipe& b) {
  b.set(0, F(b.in(0)));
}

// An odd function from its values at |x|. Signed zero and NaN pass through.
Value odd(Value x, Value of_size) { return of_size * sign(x); }

// ---- of complex numbers: branch cuts and signs of zeros as C99 has them in annex G

Value asinh(Value x) { return {x.b(), tn_b_asinh(x.b(), x.v())}; }
Value i_times(Value z) { return complex(-imag(z), real(z)); }
// f(iz) / i
Value turned(Value (*f)(Value), Value z) {
  const Value y = f(i_times(z));
  return complex(imag(y), -real(y));
}

// Kahan, Branch Cuts for Complex Elementary Functions, 1987. Far out all is log(2z).
struct Arcs {
  Value acos, asin;  // their real parts
  Value size;        // that of the imaginary part of either
  Value below;       // z is below the real axis, or its imaginary part -0
};
Arcs arcs(Value z) {
  const Value x = real(z), y = imag(z), far = gt(abs(z), kHuge), l = log(z);
  const Value p = sqrt(complex(1 - x, -y)), q = sqrt(complex(1 + x, y));
  const Value pr = real(p), pi = imag(p), qr = real(q), qi = imag(q);
  const Value zero = eq(x, 0);  // all is known of these parts there, also beside NaN
  return {where(zero, std::numbers::pi / 2, where(far, abs(imag(l)), 2 * atan2(pr, qr))),
          where(zero, x, atan2(x, where(far, abs(y), pr * qr - pi * qi))),
          where(far, real(l) + kLn2, asinh(abs(pr * qi - pi * qr))), lt(atan2(y, -1), 0)};
}
Value negative_if(Value c, Value x) { return where(c, -x, x); }
Value complex_asin(Value z) {
  const Arcs a = arcs(z);
  return complex(a.asin, negative_if(a.below, a.size));
}
// The real part is log(|1 + z| / |1 - z|), odd in x, and 0 where y is infinite, also beside NaN.
Value complex_atanh(Value z) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Value y = imag(z), given = real(z);
  const Value x = where(eq(abs(y), kInfinity), where(eq(given, given), given, 0), given);
  const Value s = abs(x), h = abs(complex(1 - s, y));
  const Value r = where(eq(h, kInfinity), 0, s / where(eq(h, 0), 1, h) / h * 4);
  const Value far = 0.5 * (log(abs(complex(1 + s, y))) - log(h));
  return complex(where(eq(x, 0), x, odd(x, where(gt(r, 1), far, 0.25 * log1p(r)))),
                 0.5 * (atan2(y, 1 + x) + atan2(y, 1 - x)));
}

// ---- decompositions

Value log2_of_base(Value x) {
  const Value y = log(x);
  if (is_complex(x)) return complex(real(y) * (1 / kLn2), imag(y) * (1 / kLn2));
  return y * (1 / kLn2);
}
Value tan_of_base(Value x) { return is_complex(x) ? turned(tanh, x) : sin(x) / cos(x); }
Value asin_of_base(Value x) {
  return is_complex(x) ? complex_asin(x) : atan2(x, sqrt((1 - x) * (1 + x)));
}
Value acos_of_base(Value x) {
  if (!is_complex(x)) return atan2(sqrt((1 - x) * (1 + x)), x);
  const Arcs a = arcs(x);
  return complex(a.acos, negative_if(!a.below, a.size));
}
Value atan_of_base(Value x) {
  return is_complex(x) ? turned(complex_atanh, x) : atan2(x, full_like(x, 1));
}
// (e^s - e^-s) / 2: by expm1 below 1; above, e^s as a square, which overflows only where y does.
Value sinh_of_base(Value x) {
  if (is_complex(x)) return turned(sin, x);
  const Value s = abs(x), t = expm1(s), h = exp(s * 0.5);
  return odd(x, where(lt(s, 1), 0.5 * (t + t / (t + 1)), 0.5 * h * h - 0.5 / h / h));
}
Value cosh_of_base(Value x) {
  if (is_complex(x)) return cos(i_times(x));
  const Value h = exp(abs(x) * 0.5);
  return 0.5 * h * h + 0.5 / h / h;
}
// log(s + sqrt(s^2 + 1)) without cancellation.
Value asinh_of_base(Value x) {
  if (is_complex(x)) return turned(complex_asin, x);
  const Value s = abs(x), q = s * s;
  return odd(x, where(gt(s, kHuge), log(s) + kLn2, log1p(s + q / (1 + sqrt(q + 1)))));
}
Value acosh_of_base(Value x) {
  if (is_complex(x)) {
    const Arcs a = arcs(x);
    return complex(a.size, negative_if(a.below, a.acos));
  }
  const Value t = x - 1;
  return where(gt(x, kHuge), log(x) + kLn2, log1p(t + sqrt(t) * sqrt(x + 1)));
}
Value atanh_of_base(Value x) {
  if (is_complex(x)) return complex_atanh(x);
  const Value s = abs(x);
  return odd(x, 0.5 * log1p(2 * s / (1 - s)));
}
void trunc_of_base(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, is_unsigned(x.dtype()) ? copy(x) : where(lt(x, 0), ceil(x), floor(x)));
}

void isnan_of_base(Recipe& b) { b.set(0, ne(b.in(0), b.in(0))); }
Value infinite(Value x) {
  return eq(abs(x), full_like(x, std::numeric_limits<double>::infinity()));
}
void isinf_of_base(Recipe& b) {
  const Value x = b.in(0);
  if (is_complex(x))
    return b.set(0, {b.raw(), tn_b_or(b.raw(), infinite(real(x)).v(), infinite(imag(x)).v())});
  b.set(0, kind_of(x.dtype()) == kFloat ? infinite(x) : ne(x, x));
}
void isfinite_of_base(Recipe& b) {
  const Value x = b.in(0);
  if (!(kind_of(x.dtype()) & (kFloat | kComplex))) return b.set(0, eq(x, x));
  const Value size = is_complex(x) ? maximum(abs(real(x)), abs(imag(x))) : abs(x);
  b.set(0, lt(size, full_like(size, std::numeric_limits<double>::infinity())));
}

// ---- gradients

void d_log2(Recipe& b) { b.set(0, b.g() / (b.in(0) * kLn2)); }
void d_tan(Recipe& b) {
  const Value y = b.out();
  b.set(0, b.g() * (1 + y * y));
}
void d_asin(Recipe& b) { b.set(0, b.g() * rsqrt((1 - b.in(0)) * (1 + b.in(0)))); }
void d_acos(Recipe& b) { b.set(0, -(b.g() * rsqrt((1 - b.in(0)) * (1 + b.in(0))))); }
void d_atan(Recipe& b) { b.set(0, b.g() / (1 + b.in(0) * b.in(0))); }
void d_sinh(Recipe& b) { b.set(0, b.g() * cosh(b.in(0))); }
void d_cosh(Recipe& b) { b.set(0, b.g() * sinh(b.in(0))); }
void d_asinh(Recipe& b) { b.set(0, b.g() * rsqrt(b.in(0) * b.in(0) + 1)); }
// Not of the product: its root would have another cut.
void d_acosh(Recipe& b) { b.set(0, b.g() * rsqrt(b.in(0) - 1) * rsqrt(b.in(0) + 1)); }
void d_atanh(Recipe& b) { b.set(0, b.g() / ((1 - b.in(0)) * (1 + b.in(0)))); }
void d_trunc(Recipe& b) { b.set_zero(0); }

}  // namespace

const OpRules rules_log2 = {TN_OP_LOG2, kFractions, recipe<of_base<log2_of_base>>, recipe<d_log2>,
                            nullptr};
const OpRules rules_tan = {TN_OP_TAN, kFractions, recipe<of_base<tan_of_base>>, recipe<d_tan>,
                           nullptr};
const OpRules rules_asin = {TN_OP_ASIN, kFractions, recipe<of_base<asin_of_base>>, recipe<d_asin>,
                            nullptr};
const OpRules rules_acos = {TN_OP_ACOS, kFractions, recipe<of_base<acos_of_base>>, recipe<d_acos>,
                            nullptr};
const OpRules rules_atan = {TN_OP_ATAN, kFractions, recipe<of_base<atan_of_base>>, recipe<d_atan>,
                            nullptr};
const OpRules rules_sinh = {TN_OP_SINH, kFractions, recipe<of_base<sinh_of_base>>, recipe<d_sinh>,
                            nullptr};
const OpRules rules_cosh = {TN_OP_COSH, kFractions, recipe<of_base<cosh_of_base>>, recipe<d_cosh>,
                            nullptr};
const OpRules rules_asinh = {TN_OP_ASINH, kFractions, recipe<of_base<asinh_of_base>>,
                             recipe<d_asinh>, nullptr};
const OpRules rules_acosh = {TN_OP_ACOSH, kFractions, recipe<of_base<acosh_of_base>>,
                             recipe<d_acosh>, nullptr};
const OpRules rules_atanh = {TN_OP_ATANH, kFractions, recipe<of_base<atanh_of_base>>,
                             recipe<d_atanh>, nullptr};
const OpRules rules_trunc = {TN_OP_TRUNC, rule<one_input<kReal>>, recipe<trunc_of_base>,
                             recipe<d_trunc>, nullptr};
const OpRules rules_isnan = {TN_OP_ISNAN, kQuestion, recipe<isnan_of_base>, nullptr, kIsBool};
const OpRules rules_isinf = {TN_OP_ISINF, kQuestion, recipe<isinf_of_base>, nullptr, kIsBool};
const OpRules rules_isfinite = {TN_OP_ISFINITE, kQuestion, recipe<isfinite_of_base>, nullptr,
                                kIsBool};

}  // namespace tenon::ops
