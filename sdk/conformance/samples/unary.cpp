// Functions of one element.
#include <cmath>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

// A function of floating elements with its gradient, and where it is to be sampled.
struct Function {
  tn_op op;
  const char* name;
  Real1 real;
  Tolerance tolerance;
  Fill fill;
  Grad grad = Grad::yes;
  Real1 scale = nullptr;
};

double one(double) { return 1; }

std::vector<Function> functions() {
  const auto f = [](double (*function)(double)) { return Real1(function); };
  return {
      {TN_OP_EXP, "exp", f(std::exp), kFunction, uniform(-3, 3), Grad::yes, nullptr},
      {TN_OP_EXPM1, "expm1", f(std::expm1), kFunction, uniform(-2, 2)},
      {TN_OP_LOG, "log", f(std::log), kFunction, uniform(0.2, 5), Grad::yes, one},
      {TN_OP_LOG1P, "log1p", f(std::log1p), kFunction, uniform(-0.7, 4)},
      {TN_OP_SQRT, "sqrt", f(std::sqrt), kRounded, uniform(0.2, 9)},
      {TN_OP_RSQRT, "rsqrt", [](double x) { return 1 / std::sqrt(x); }, kFunction, uniform(0.2, 9)},
      {TN_OP_SIN, "sin", f(std::sin), kFunction, uniform(-7, 7), Grad::yes, one},
      {TN_OP_COS, "cos", f(std::cos), kFunction, uniform(-7, 7), Grad::yes, one},
      {TN_OP_TANH, "tanh", f(std::tanh), kFunction, uniform(-3, 3), Grad::yes, nullptr},
      {TN_OP_ERF, "erf", f(std::erf), kFunction, uniform(-2.5, 2.5)},
      {TN_OP_RECIPROCAL, "reciprocal", [](double x) { return 1 / x; }, kFunction,
       clear_of(-3, 3, {0}, 0.3)},
      {TN_OP_LOG2, "log2", f(std::log2), kFunction, uniform(0.2, 5), Grad::yes, one},
      // Near a pole the error of the cosine counts.
      {TN_OP_TAN, "tan", f(std::tan), kComposite, uniform(-1.2, 1.2), Grad::yes,
       [](double x) { return 1 + std::tan(x) * std::tan(x); }},
      {TN_OP_ASIN, "asin", f(std::asin), kComposite, uniform(-0.9, 0.9)},
      {TN_OP_ACOS, "acos", f(std::acos), kComposite, uniform(-0.9, 0.9)},
      {TN_OP_ATAN, "atan", f(std::atan), kComposite, uniform(-4, 4)},
      {TN_OP_SINH, "sinh", f(std::sinh), kComposite, uniform(-3, 3)},
      {TN_OP_COSH, "cosh", f(std::cosh), kComposite, uniform(-3, 3)},
      {TN_OP_ASINH, "asinh", f(std::asinh), kComposite, uniform(-4, 4)},
      {TN_OP_ACOSH, "acosh", f(std::acosh), kComposite, uniform(1.2, 6)},
      {TN_OP_ATANH, "atanh", f(std::atanh), kComposite, uniform(-0.9, 0.9)},
  };
}

Fill off_integers(double at) {
  return clear_of(-4, 4, {-4 + at, -3 + at, -2 + at, -1 + at, at, 1 + at, 2 + at, 3 + at, 4 + at},
                  0.05);
}

double sign(double x) { return std::isnan(x) ? x : x > 0 ? 1 : x < 0 ? -1 : 0; }

void add_rounding(Catalogue& c) {
  const auto same = [](int64_t x) { return x; };
  const auto add = [&](tn_op op, const char* name, double (*function)(double), double kink) {
    OpSamples& s = c.add(op, name);
    s.on(kFloats).maybe(kIntegers).gives(unary(function, same), kExact).gradient(Grad::either);
    elementwise_cases(s, {off_integers(kink)});
    s.add(Case{"special", {in({16}, special())}}.no_grad().only(kFloats));
    s.add(Case{"halves",
               {in({12}, values({0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3, -3, 0, 1e3, -7.25, 0.75}))}}
              .no_grad()
              .only(kFloats));
  };
  add(TN_OP_FLOOR, "floor", std::floor, 0);
  add(TN_OP_CEIL, "ceil", std::ceil, 0);
  add(TN_OP_ROUND, "round", std::nearbyint, 0.5);
  add(TN_OP_TRUNC, "trunc", std::trunc, 0);
}

void add_questions(Catalogue& c) {
  const auto add = [&](tn_op op, const char* name, bool (*holds)(double)) {
    OpSamples& s = c.add(op, name);
    s.on(kFloats).maybe(kIntegers).gives(
        [holds](const Call& call) -> std::vector<Array> {
          const Array& x = call.in(0);
          Array y(TN_DTYPE_BOOL, x.dims);
          for (int64_t k = 0; k < x.count(); ++k)
            y.set(k, int64_t{holds(x.floating() ? x.real(k) : 0.0)});
          return {y};
        },
        kExact);
    elementwise_cases(s, {uniform(-5, 5)});
    s.add(Case{"special", {in({16}, special())}}.only(kFloats));
  };
  add(TN_OP_ISNAN, "isnan", [](double x) { return std::isnan(x); });
  add(TN_OP_ISINF, "isinf", [](double x) { return std::isinf(x); });
  add(TN_OP_ISFINITE, "isfinite", [](double x) { return std::isfinite(x); });
}

}  // namespace

void add_unary(Catalogue& c) {
  for (const Function& f : functions()) {
    OpSamples& s = c.add(f.op, f.name);
    s.on(kFloats).gives(unary(f.real, nullptr, f.scale), f.tolerance).gradient(f.grad);
    elementwise_cases(s, {f.fill});
    Tolerance signs = f.tolerance;
    signs.zero_sign = true;
    s.add(Case{"special", {in({16}, special())}}.within(signs).no_grad());
    s.add(Case{"wide", {in({67}, uniform(-40, 40))}}.no_grad());
    // Results so large or small that a detour would overflow or cancel.
    s.add(Case{"extremes", {in({8}, values({89, -89, 88.5, 1e-6, -1e-6, 1e30, -1e30, 1e9}))}}
              .no_grad()
              .only({TN_DTYPE_F32, TN_DTYPE_F64}));
  }

  std::vector<tn_dtype> with_sign = kFloats;
  with_sign.insert(with_sign.end(), kSigned.begin(), kSigned.end());
  const Fill off_zero = clear_of(-5, 5, {0}, 0.05);
  const auto add = [&](tn_op op, const char* name, const Oracle& oracle, Tolerance tolerance) {
    OpSamples& s = c.add(op, name);
    s.on(with_sign).gives(oracle, tolerance).gradient(Grad::yes);
    elementwise_cases(s, {off_zero});
    s.add(Case{"special", {in({16}, special())}}.no_grad().only(kFloats));
    s.add(
        Case{"limits", {in({7}, values({127, -127, -1, -128, -32768, 32767, -2147483648.0}))}}.only(
            kSigned));
    return &s;
  };
  add(TN_OP_NEG, "neg", unary([](double x) { return -x; }, [](uint64_t x) { return 0 - x; }),
      kSameBits);
  add(TN_OP_ABS, "abs",
      unary([](double x) { return std::fabs(x); },
            [](auto x) {
              return x < 0 ? static_cast<decltype(x)>(0 - static_cast<uint64_t>(x)) : x;
            }),
      kSameBits)
      ->maybe(kUnsigned);
  add(TN_OP_SQUARE, "square",
      unary([](double x) { return x * x; }, [](uint64_t x) { return x * x; }), kRounded)
      ->maybe(kUnsigned);
  add(TN_OP_SIGN, "sign", unary(sign, [](auto x) { return int64_t{x > 0} - int64_t{x < 0}; }),
      kExact)
      ->maybe(kUnsigned)
      .gradient(Grad::either);
  add_rounding(c);
  add_questions(c);
}

}  // namespace tenon::conformance
