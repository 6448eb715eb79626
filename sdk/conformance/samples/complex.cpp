// real, imag, conj, complex, and functions of complex numbers.
#include <cmath>
#include <complex>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

const Fill kAny = uniform(-9, 9);

tn_dtype part_of(tn_dtype t) {
  return t == TN_DTYPE_C64 ? TN_DTYPE_F32 : t == TN_DTYPE_C128 ? TN_DTYPE_F64 : t;
}

// Part 0 or 1.
Oracle part(int64_t which) {
  return [=](const Call& call) -> std::vector<Array> {
    const Array& x = call.in(0);
    Array y(part_of(x.dtype), x.dims);
    for (int64_t k = 0; k < y.count(); ++k) {
      if (x.parts() == 2)
        y.f[static_cast<size_t>(k)] = x.real(2 * k + which);
      else if (which == 0)
        y.copy_from(k, x, k);
    }
    return {y};
  };
}

std::vector<Array> conj(const Call& call) {
  Array y = call.in(0);
  for (size_t k = 1; y.parts() == 2 && k < y.f.size(); k += 2) y.f[k] = -y.f[k];
  return {y};
}

std::vector<Array> complex(const Call& call) {
  const std::vector<Array> parts = broadcast_inputs(call);
  const tn_dtype t = common_dtype(call);
  Array y(t == TN_DTYPE_F64 ? TN_DTYPE_C128 : TN_DTYPE_C64, parts[0].dims);
  for (int64_t k = 0; k < y.count(); ++k) {
    y.f[static_cast<size_t>(2 * k)] = parts[0].real(k);
    y.f[static_cast<size_t>(2 * k + 1)] = parts[1].real(k);
  }
  return {y};
}

// ---- functions of complex numbers, by real ones

using Wide = long double;
struct Number {
  Wide re, im;
};
using Complex = std::complex<Wide>;  // with the cuts and the signs of C99's annex G
Number number(Complex z) { return {z.real(), z.imag()}; }
using Function = Number (*)(Wide x, Wide y);

Oracle function(Function f, bool real) {
  return [=](const Call& call) -> std::vector<Array> {
    const Array& x = call.in(0);
    Array y(real ? part_of(x.dtype) : x.dtype, x.dims);
    for (int64_t k = 0; k < x.count(); ++k) {
      const Number z = f(x.real(2 * k), x.real(2 * k + 1));
      const auto at = static_cast<size_t>(y.parts() * k);
      y.f[at] = static_cast<double>(z.re);
      if (!real) y.f[at + 1] = static_cast<double>(z.im);
      const auto size = static_cast<double>(std::hypot(z.re, z.im));
      y.scale.resize(y.f.size(), std::isfinite(size) ? size : 0);
    }
    return {y};
  };
}

// A function of C++ of that name.
#define TN_LIBRARY(name) [](Wide x, Wide y) { return number(std::name(Complex(x, y))); }

// The sum of z^k / k!, or of -(-z)^k / k, from k = 1 on, for small z.
Number series(Complex z, bool factorials) {
  Complex sum = 0, term = -1;
  for (int k = 1; k <= 40; ++k) {
    term *= factorials ? z / static_cast<Wide>(k) : -z;
    sum += factorials ? -term : term / static_cast<Wide>(k);
  }
  return number(sum);
}

Number root(Wide x, Wide y) {
  const Wide size = std::hypot(x, y);
  return {std::sqrt((size + x) / 2), std::copysign(std::sqrt((size - x) / 2), y)};
}

void add_functions(Catalogue& c) {
  const std::vector<tn_dtype> both{TN_DTYPE_C64, TN_DTYPE_C128};
  const auto add = [&](tn_op op, Function f, Fill fill = clear_of(-2, 2, {-1, 0, 1}, 0.1)) {
    OpSamples& s = c.at(op);
    const Oracle of_reals = s.oracle, of_complex = function(f, op == TN_OP_ABS);
    s.oracle = [=](const Call& call) {
      return is_complex(call.in(0).dtype) ? of_complex(call) : of_reals(call);
    };
    const auto sample = [&](const std::string& name, const Dims& dims) -> Case {
      // Clear of 0 and of the cuts, which lie on the axes.
      return Case{"complex" + name, {in(dims, fill)}}.within(kFunction).only(both);
    };
    s.add(sample("", {3, 5}));
    s.add(sample("_rank0", {}));
    s.add(sample("_empty", {0, 2}));
    s.add(sample("_large", {3, 9001}).large());
  };
  const auto special = [&](tn_op op, const char* name, std::vector<double> pairs,
                           const std::vector<tn_dtype>& types) {
    const auto n = static_cast<int64_t>(pairs.size()) / 2;
    c.at(op).add(
        Case{name, {in({n}, values(std::move(pairs)))}}.within(kFunction).no_grad().only(types));
  };
  add(TN_OP_ABS, [](Wide x, Wide y) { return Number{std::sqrt(x * x + y * y), 0}; });
  add(TN_OP_EXP, [](Wide x, Wide y) {
    return Number{std::exp(x) * std::cos(y), std::exp(x) * std::sin(y)};
  });
  add(TN_OP_EXPM1, [](Wide x, Wide y) {
    if (std::hypot(x, y) < 0.25) return series({x, y}, true);
    return Number{std::exp(x) * std::cos(y) - 1, std::exp(x) * std::sin(y)};
  });
  add(TN_OP_LOG, [](Wide x, Wide y) {
    return Number{std::log(x * x + y * y) / 2, std::atan2(y, x)};
  });
  add(TN_OP_LOG1P, [](Wide x, Wide y) {
    if (std::hypot(x, y) < 0.25) return series({x, y}, false);
    return Number{std::log((1 + x) * (1 + x) + y * y) / 2, std::atan2(y, 1 + x)};
  });
  add(TN_OP_SQRT, TN_LIBRARY(sqrt));
  add(TN_OP_RSQRT, [](Wide x, Wide y) {
    const Number r = root(x, y);
    const Wide size = std::hypot(x, y);
    return Number{r.re / size, -r.im / size};
  });
  add(TN_OP_SIN, [](Wide x, Wide y) {
    return Number{std::sin(x) * std::cosh(y), std::cos(x) * std::sinh(y)};
  });
  add(TN_OP_COS, [](Wide x, Wide y) {
    return Number{std::cos(x) * std::cosh(y), -std::sin(x) * std::sinh(y)};
  });
  add(TN_OP_TANH, TN_LIBRARY(tanh));
  add(TN_OP_TAN, TN_LIBRARY(tan));
  add(TN_OP_SINH, TN_LIBRARY(sinh));
  add(TN_OP_COSH, TN_LIBRARY(cosh));
  add(TN_OP_ASIN, TN_LIBRARY(asin));
  add(TN_OP_ACOS, TN_LIBRARY(acos));
  add(TN_OP_ATAN, TN_LIBRARY(atan));
  add(TN_OP_ASINH, TN_LIBRARY(asinh));
  add(TN_OP_ACOSH, TN_LIBRARY(acosh));
  add(TN_OP_ATANH, TN_LIBRARY(atanh));
  add(TN_OP_LOG2, [](Wide x, Wide y) {
    return Number{std::log2(x * x + y * y) / 2, std::atan2(y, x) / std::log(Wide{2})};
  });
  add(TN_OP_SQUARE, [](Wide x, Wide y) { return Number{x * x - y * y, 2 * x * y}; });
  add(TN_OP_RECIPROCAL, [](Wide x, Wide y) {
    const Wide d = x * x + y * y;
    return Number{x / d, -y / d};
  });
  add(TN_OP_SIGN, [](Wide x, Wide y) {
    const Wide size = std::hypot(x, y);
    return size == 0 ? Number{x, y} : Number{x / size, y / size};
  });
  add(
      TN_OP_ROUND,
      [](Wide x, Wide y) {
        return Number{std::nearbyint(x), std::nearbyint(y)};
      },
      clear_of(-2, 2, {-1.5, -0.5, 0.5, 1.5}, 0.1));

  const double inf = HUGE_VAL;
  const std::vector<double> on_axes{
      0, 0, -0., 0, 0, -0., 2, 0, 2, -0., -2, 0, -2,  -0., 0, 2,  -0.,  2,    0,     -2,  -0., -2,
      1, 0, -1,  0, 1, -0., 0, 1, 0, -1,  .5, 0, -.5, -0., 0, .5, 1e-5, 3e-6, -2e-7, 1e-9};
  const std::vector<double> far{1e15, -1e15, -1e30, 1, 1, 1e30, -2, -1e12, 3e38, 3e38, 1e10, 1e-10};
  const std::vector<double> infinite{inf, .5,   -inf, 1,   -inf, -1,  .5,   inf,
                                     -1,  -inf, inf,  inf, -inf, inf, -inf, -inf};
  for (const tn_op op : {TN_OP_ASIN, TN_OP_ACOS, TN_OP_ATAN, TN_OP_ASINH, TN_OP_ACOSH, TN_OP_ATANH,
                         TN_OP_SQRT, TN_OP_LOG, TN_OP_LOG2, TN_OP_TANH, TN_OP_TAN, TN_OP_SIGN}) {
    if (op != TN_OP_LOG2 && op != TN_OP_LOG)  // there the oracle's 0 is no real 0
      special(op, "complex_axes", on_axes, both);
    special(op, "complex_far", far, both);
    if (op != TN_OP_SIGN && op != TN_OP_TANH && op != TN_OP_TAN)
      special(op, "complex_infinite", infinite, both);
  }
  const double nan = std::nan("");
  for (const tn_op op : {TN_OP_ASIN, TN_OP_ACOS, TN_OP_ATAN, TN_OP_ASINH, TN_OP_ACOSH, TN_OP_ATANH})
    special(op, "complex_nan",
            {nan, 0, nan, -0., 0, nan, -0., nan, nan, inf, nan, -inf, nan, 1, -2, nan, nan, nan},
            both);
  special(TN_OP_TANH, "complex_large", {1e3, 1, -1e3, 2, 30, 2, -30, 1e3, 20, 1, -9, 1.5}, both);
  special(TN_OP_TAN, "complex_large", {1, 1e3, 2, -1e3, 2, 30, 1e3, -30, 1, 20, 1.5, -9}, both);
  special(TN_OP_EXPM1, "complex_small",
          {1e-5, 3e-6, -2e-7, 1e-9, 0, 1e-8, -40, 2, -1e3, 1, 1e-3, 1}, both);
  special(TN_OP_EXPM1, "complex_large", {709.5, 1, 709.9, 2, 720, 3, 300, -2}, {TN_DTYPE_C128});
  special(TN_OP_EXPM1, "complex_large_f32", {88.5, 1, 89, 2, 120, 3, 60, -2}, {TN_DTYPE_C64});
  special(TN_OP_LOG1P, "complex_small", {1e-5, 3e-6, -2e-7, 1e-9, 0, 1e-8, -0.3, 0.2, 0.4, -0.4},
          both);
  special(TN_OP_LOG1P, "complex_far", far, both);
  special(TN_OP_LOG1P, "complex_farthest", {1e200, 1e200, -1e300, 2, 1, 1e160}, {TN_DTYPE_C128});
  special(TN_OP_LOG1P, "complex_near_pole", {-1, 1e-9, -1, -0.25, -1.0000001, 0.0000001, -0.75, 0},
          both);
  special(TN_OP_ROUND, "complex_halves", {0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 1e15, -0., 3.25, inf},
          both);
}

// Asked of either part.
void add_questions(Catalogue& c) {
  const auto add = [&](tn_op op, bool of_both, bool (*holds)(double)) {
    OpSamples& s = c.at(op);
    const Oracle of_reals = s.oracle;
    s.oracle = [=](const Call& call) -> std::vector<Array> {
      const Array& x = call.in(0);
      if (!is_complex(x.dtype)) return of_reals(call);
      Array y(TN_DTYPE_BOOL, x.dims);
      for (int64_t k = 0; k < y.count(); ++k) {
        const bool re = holds(x.real(2 * k)), im = holds(x.real(2 * k + 1));
        y.set(k, int64_t{of_both ? re && im : re || im});
      }
      return {y};
    };
    const double inf = HUGE_VAL, nan = std::nan("");
    s.add(Case{"complex", {in({3, 5}, uniform(-9, 9))}}.only({TN_DTYPE_C64, TN_DTYPE_C128}));
    s.add(Case{"complex_special",
               {in({9}, values({1, 2, inf, 2, 2, -inf, nan, 1, 1, nan, inf, nan, nan, -inf, 3e38,
                                3e38, -inf, inf}))}}
              .only({TN_DTYPE_C64, TN_DTYPE_C128}));
  };
  add(TN_OP_ISNAN, false, [](double x) { return std::isnan(x); });
  add(TN_OP_ISINF, false, [](double x) { return std::isinf(x); });
  add(TN_OP_ISFINITE, true, [](double x) { return std::isfinite(x); });
}

// Of two complex numbers; the scale is the sum of the products' sizes that the result is made of.
void add_arithmetic(Catalogue& c) {
  using Of2 = Number (*)(Number, Number);
  const auto add = [&](tn_op op, Of2 f, Of2 scale) {
    OpSamples& s = c.at(op);
    const Oracle of_reals = s.oracle;
    s.oracle = [=](const Call& call) -> std::vector<Array> {
      if (!is_complex(call.in(0).dtype)) return of_reals(call);
      Array y = call.in(0);
      y.scale.clear();
      for (int64_t k = 0; k < y.count(); ++k) {
        const auto at = [&](size_t i) {
          return Number{call.in(i).real(2 * k), call.in(i).real(2 * k + 1)};
        };
        const Number z = f(at(0), at(1));
        y.f[static_cast<size_t>(2 * k)] = static_cast<double>(z.re);
        y.f[static_cast<size_t>(2 * k + 1)] = static_cast<double>(z.im);
        y.scale.resize(y.scale.size() + 2, static_cast<double>(scale(at(0), at(1)).re));
      }
      return {y};
    };
    const auto sample = [&](const char* name, const Dims& dims, const Fill& a, const Fill& b) {
      s.add(Case{name, {in(dims, a), in(dims, b)}}.within(kFunction).no_grad().only(
          {TN_DTYPE_C64, TN_DTYPE_C128}));
    };
    if (op == TN_OP_POW) {
      const Fill base = clear_of(-2, 2, {0}, 0.3), exponent = clear_of(-2, 2, {0}, 0.1);
      sample("complex", {3, 5}, base, exponent);
      s.cases.back().grad = true;
      sample("complex_rank0", {}, base, exponent);
      sample("complex_zeros", {5}, values({0, 0, 0, 0, 2, 1, 0, -0., -3, 0}),
             values({0, 0, 2, 1, 0, 0, .5, -3, .5, 0}));
      return;
    }
    const Fill any = uniform(-9, 9), off_zero = clear_of(-4, 4, {0}, 0.1);
    sample("complex", {3, 5}, any, off_zero);
    sample("complex_rank0", {}, any, off_zero);
    sample("complex_long", {301}, any, off_zero);
    if (op == TN_OP_DIV)  // the square of the divisor, and the sum of its parts, overflow c64
      sample("complex_far", {6}, values({9e15, -12345.5, 3e30, 7e28, 1e-3, 2}),
             values({3.4e38, 3.4e38, -3.3e38, 2e38, 1e-30, -2e-30, 5e37, 1}));
  };
  const auto sizes = [](Number a, Number b) {
    return Number{std::hypot(a.re, a.im) * std::hypot(b.re, b.im), 0};
  };
  const auto sum = [](Number a, Number b) {
    return Number{std::hypot(a.re, a.im) + std::hypot(b.re, b.im), 0};
  };
  add(
      TN_OP_ADD,
      [](Number a, Number b) {
        return Number{a.re + b.re, a.im + b.im};
      },
      sum);
  add(
      TN_OP_SUB,
      [](Number a, Number b) {
        return Number{a.re - b.re, a.im - b.im};
      },
      sum);
  add(
      TN_OP_MUL,
      [](Number a, Number b) {
        return Number{a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
      },
      sizes);
  add(
      TN_OP_DIV,
      [](Number a, Number b) {
        const Wide d = b.re * b.re + b.im * b.im;
        return Number{(a.re * b.re + a.im * b.im) / d, (a.im * b.re - a.re * b.im) / d};
      },
      [](Number a, Number b) {
        return Number{std::hypot(a.re, a.im) / std::hypot(b.re, b.im), 0};
      });
  // e^(b log a), with 1 for b = 0; the error is that of the product in the exponent.
  const auto power = [](Number a, Number b) {
    if (b.re == 0 && b.im == 0) return Number{1, 0};
    if (a.re == 0 && a.im == 0) return Number{0, 0};
    return number(std::exp(Complex(b.re, b.im) * std::log(Complex(a.re, a.im))));
  };
  add(TN_OP_POW, power, [](Number a, Number b) {
    if (a.re == 0 && a.im == 0) return Number{1, 0};
    const Complex l = Complex(b.re, b.im) * std::log(Complex(a.re, a.im));
    return Number{std::exp(l.real()) * (1 + std::abs(l)), 0};
  });
}

void add_cases(OpSamples& s) {
  elementwise_cases(s, {kAny});
  s.add(Case{"special", {in({16}, special())}}.no_grad().only({TN_DTYPE_C64, TN_DTYPE_F32}));
  s.add(Case{"rank8", {in({1, 2, 1, 1, 1, 1, 1, 1}, kAny)}}
            .refused(TN_OUT_OF_RANGE)
            .only({TN_DTYPE_C64}));
}

}  // namespace

void add_complex(Catalogue& c) {
  const std::vector<tn_dtype> types{TN_DTYPE_C64, TN_DTYPE_C128, TN_DTYPE_F32,
                                    TN_DTYPE_F64, TN_DTYPE_F16,  TN_DTYPE_I32};
  add_cases(c.add(TN_OP_REAL, "real").on(types).gives(part(0), kSameBits).gradient(Grad::yes));
  add_cases(c.add(TN_OP_IMAG, "imag").on(types).gives(part(1), kSameBits).gradient(Grad::yes));
  add_cases(c.add(TN_OP_CONJ, "conj").on(types).gives(conj, kSameBits).gradient(Grad::yes));

  OpSamples& s = c.add(TN_OP_COMPLEX, "complex");
  s.on(kFloats).gives(complex, kSameBits).gradient(Grad::yes);
  elementwise_cases(s, {kAny, kAny});
  s.add(Case{"special", {in({16}, special()), in({16}, values({-0.0, HUGE_VAL, 0.0}))}}
            .no_grad()
            .only({TN_DTYPE_F32, TN_DTYPE_F64}));
  s.add(Case{"whole", {in({2}, kAny), in({2}, kAny)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_I32}));
  s.add(Case{"rank8", {in({1, 2, 1, 1, 1, 1, 1, 1}, kAny), in({1}, kAny)}}
            .refused(TN_OUT_OF_RANGE)
            .only({TN_DTYPE_F32}));
  add_functions(c);
  add_questions(c);
  add_arithmetic(c);
}

}  // namespace tenon::conformance
