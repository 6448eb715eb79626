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
}

}  // namespace

void add_unary(Catalogue& c) {
  for (const Function& f : functions()) {
    OpSamples& s = c.add(f.op, f.name);
    s.on(kFloats).gives(unary(f.real, nullptr, f.scale), f.tolerance).gradient(f.grad);
    elementwise_cases(s, {f.fill});
    s.add(Case{"special", {in({16}, special())}}.no_grad());
    s.add(Case{"wide", {in({67}, uniform(-40, 40))}}.no_grad());
  }

  std::vector<tn_dtype> with_sign = kFloats;
  with_sign.insert(with_sign.end(), kSigned.begin(), kSigned.end());
  const Fill off_zero = clear_of(-5, 5, {0}, 0.05);
  const auto add = [&](tn_op op, const char* name, const Oracle& oracle, Tolerance tolerance) {
    OpSamples& s = c.add(op, name);
    s.on(with_sign).gives(oracle, tolerance).gradient(Grad::yes);
    elementwise_cases(s, {off_zero});
    s.add(Case{"special", {in({16}, special())}}.no_grad().only(kFloats));
    s.add(Case{"limits", {in({4}, values({127, -127, 126, -1}))}}.only(kSigned));
    return &s;
  };
  add(TN_OP_NEG, "neg", unary([](double x) { return -x; }, [](int64_t x) { return -x; }),
      kSameBits);
  add(TN_OP_ABS, "abs",
      unary([](double x) { return std::fabs(x); }, [](int64_t x) { return x < 0 ? -x : x; }),
      kSameBits)
      ->maybe(kUnsigned);
  add(TN_OP_SQUARE, "square",
      unary([](double x) { return x * x; }, [](int64_t x) { return x * x; }), kRounded)
      ->maybe(kUnsigned);
  add(TN_OP_SIGN, "sign", unary(sign, [](int64_t x) { return int64_t{x > 0} - int64_t{x < 0}; }),
      kExact)
      ->maybe(kUnsigned)
      .gradient(Grad::either);
  add_rounding(c);
}

}  // namespace tenon::conformance
