// Elementwise ops of one input. x and y have the same dims.
#include "elementwise.hpp"

namespace tenon::reference {
namespace {

struct Numeric {
  static constexpr bool bools = false;
};

struct Neg : Numeric {
  template <class W>
  W operator()(W x) const {
    return negative_of(x);
  }
};
struct Abs : Numeric {
  double operator()(double x) const { return std::fabs(x); }
  double operator()(c128 x) const { return std::abs(x); }
  int64_t operator()(int64_t x) const { return x < 0 ? Neg{}(x) : x; }
  uint64_t operator()(uint64_t x) const { return x; }
};
// Integers are their own floor, ceiling and nearest integer.
struct Floor : Numeric {
  double operator()(double x) const { return std::floor(x); }
  auto operator()(Integer auto x) const { return x; }
};
struct Ceil : Numeric {
  double operator()(double x) const { return std::ceil(x); }
  auto operator()(Integer auto x) const { return x; }
};
struct Round : Numeric {
  auto operator()(Fractional auto x) const { return round_of(x); }
  auto operator()(Integer auto x) const { return x; }
};
struct Exp : Numeric {
  auto operator()(Fractional auto x) const { return std::exp(x); }
};
struct Expm1 : Numeric {
  auto operator()(Fractional auto x) const { return expm1_of(x); }
};
struct Log : Numeric {
  auto operator()(Fractional auto x) const { return std::log(x); }
};
struct Log1p : Numeric {
  auto operator()(Fractional auto x) const { return log1p_of(x); }
};
struct Sqrt : Numeric {
  auto operator()(Fractional auto x) const { return std::sqrt(x); }
};
struct Rsqrt : Numeric {
  auto operator()(Fractional auto x) const { return 1.0 / std::sqrt(x); }
};
struct Sin : Numeric {
  auto operator()(Fractional auto x) const { return std::sin(x); }
};
struct Cos : Numeric {
  auto operator()(Fractional auto x) const { return std::cos(x); }
};
struct Tanh : Numeric {
  auto operator()(Fractional auto x) const { return std::tanh(x); }
};
struct Erf : Numeric {
  double operator()(double x) const { return std::erf(x); }
};

// Logical on bool, bitwise on integers.
struct BitNot : Numeric {
  auto operator()(Integer auto x) const { return ~x; }
};
struct Not {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    if (s.input(0).dtype == TN_DTYPE_BOOL) return {};
    return Unary<BitNot>::prepare(s);
  }
  static void run(const sdk::NoData& plan, const sdk::Queue& queue, const sdk::Args& args) {
    if (args[0].dtype != TN_DTYPE_BOOL) return Unary<BitNot>::run(plan, queue, args);
    Dense<uint64_t> values = load_like<uint64_t>(args[0], args[1]);
    for (uint64_t& v : values) v = !v;
    store(values, args[1]);
  }
};

}  // namespace

REFERENCE_KERNEL(neg, Unary<Neg>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(abs, Unary<Abs>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(floor, Unary<Floor>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(ceil, Unary<Ceil>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(round, Unary<Round>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(exp, Unary<Exp>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(expm1, Unary<Expm1>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(log, Unary<Log>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(log1p, Unary<Log1p>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(sqrt, Unary<Sqrt>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(rsqrt, Unary<Rsqrt>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(sin, Unary<Sin>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(cos, Unary<Cos>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(tanh, Unary<Tanh>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(erf, Unary<Erf>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(not, Not, TN_KERNEL_INPLACE);

}  // namespace tenon::reference
