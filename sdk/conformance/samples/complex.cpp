// real, imag, conj, complex, and functions of complex numbers.
#include <cmath>

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
      y.scale.resize(y.f.size(), static_cast<double>(std::hypot(z.re, z.im)));
    }
    return {y};
  };
}

Number root(Wide x, Wide y) {
  const Wide size = std::hypot(x, y);
  return {std::sqrt((size + x) / 2), std::copysign(std::sqrt((size - x) / 2), y)};
}

void add_functions(Catalogue& c) {
  const auto add = [&](tn_op op, Function f) {
    OpSamples& s = c.at(op);
    const Oracle of_reals = s.oracle, of_complex = function(f, op == TN_OP_ABS);
    s.oracle = [=](const Call& call) {
      return is_complex(call.in(0).dtype) ? of_complex(call) : of_reals(call);
    };
    const auto sample = [&](const std::string& name, const Dims& dims) -> Case {
      // Clear of 0 and of the cuts, which lie on the axes.
      return Case{"complex" + name, {in(dims, clear_of(-2, 2, {-1, 0}, 0.1))}}
          .within(kFunction)
          .only({TN_DTYPE_C64, TN_DTYPE_C128});
    };
    s.add(sample("", {3, 5}));
    s.add(sample("_rank0", {}));
    s.add(sample("_empty", {0, 2}));
    s.add(sample("_large", {3, 9001}).large());
  };
  add(TN_OP_ABS, [](Wide x, Wide y) { return Number{std::sqrt(x * x + y * y), 0}; });
  add(TN_OP_EXP, [](Wide x, Wide y) {
    return Number{std::exp(x) * std::cos(y), std::exp(x) * std::sin(y)};
  });
  add(TN_OP_EXPM1, [](Wide x, Wide y) {
    return Number{std::exp(x) * std::cos(y) - 1, std::exp(x) * std::sin(y)};
  });
  add(TN_OP_LOG, [](Wide x, Wide y) {
    return Number{std::log(x * x + y * y) / 2, std::atan2(y, x)};
  });
  add(TN_OP_LOG1P, [](Wide x, Wide y) {
    return Number{std::log((1 + x) * (1 + x) + y * y) / 2, std::atan2(y, 1 + x)};
  });
  add(TN_OP_SQRT, root);
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
  add(TN_OP_TANH, [](Wide x, Wide y) {
    const Wide d = std::cosh(2 * x) + std::cos(2 * y);
    return Number{std::sinh(2 * x) / d, std::sin(2 * y) / d};
  });
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
  add_arithmetic(c);
}

}  // namespace tenon::conformance
