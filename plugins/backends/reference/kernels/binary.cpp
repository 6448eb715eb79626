// Elementwise ops of two inputs of one dtype. a, b and y have the same dims (stride 0 where broadcast), or are host scalars.
#include <algorithm>

#include "elementwise.hpp"

namespace tenon::reference {
namespace {

struct Numeric {
  static constexpr bool bools = false;
};
struct NumericOrBool {
  static constexpr bool bools = true;
};

struct Add : Numeric {
  template <class W>
  W operator()(W a, W b) const {
    return sum_of(a, b);
  }
};
struct Sub : Numeric {
  template <class W>
  W operator()(W a, W b) const {
    return wrapping(a, b, [](auto x, auto y) { return x - y; });
  }
};
struct Mul : Numeric {
  template <class W>
  W operator()(W a, W b) const {
    return product_of(a, b);
  }
};

// Integers: towards zero, and 0 where b is 0. The one quotient that does not fit wraps.
template <Integer W>
W quotient(W a, W b) {
  if (b == 0) return 0;
  if (std::is_signed_v<W> && b == static_cast<W>(-1)) return Sub{}(W{0}, a);
  return a / b;
}
struct Div : Numeric {
  auto operator()(Fractional auto a, Fractional auto b) const { return a / b; }
  template <Integer W>
  W operator()(W a, W b) const {
    return quotient(a, b);
  }
};

// The remainder of floored division: it has the sign of b. Integers: 0 where b is 0.
struct Rem : Numeric {
  double operator()(double a, double b) const {
    const double r = std::fmod(a, b);
    if (r == 0) return std::copysign(0.0, b);
    return (r < 0) != (b < 0) ? r + b : r;
  }
  template <Integer W>
  W operator()(W a, W b) const {
    if (b == 0) return 0;
    const W r = Sub{}(a, product_of(quotient(a, b), b));
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
};

// Integers: wraps; a negative exponent gives what is left of 1 / a^-b towards zero.
struct Pow : Numeric {
  auto operator()(Fractional auto a, Fractional auto b) const { return std::pow(a, b); }
  template <Integer W>
  W operator()(W a, W b) const {
    if (b < 0) {
      if (a == static_cast<W>(-1)) return b % 2 == 0 ? 1 : a;
      return a == 1 ? 1 : 0;
    }
    W result = 1;
    for (; b > 0; b >>= 1, a = product_of(a, a)) {
      if (b & 1) result = product_of(result, a);
    }
    return result;
  }
};
struct Atan2 : Numeric {
  double operator()(double a, double b) const { return std::atan2(a, b); }
};
struct Maximum : NumericOrBool {
  auto operator()(Real auto a, Real auto b) const { return greater_of(a, b); }
};
struct Minimum : NumericOrBool {
  auto operator()(Real auto a, Real auto b) const { return lesser_of(a, b); }
};

struct And : NumericOrBool {
  auto operator()(Integer auto a, Integer auto b) const { return a & b; }
};
struct Or : NumericOrBool {
  auto operator()(Integer auto a, Integer auto b) const { return a | b; }
};
struct Xor : NumericOrBool {
  auto operator()(Integer auto a, Integer auto b) const { return a ^ b; }
};

struct Eq : NumericOrBool {
  template <class W>
  uint64_t operator()(W a, W b) const {
    return a == b;
  }
};
struct Lt : NumericOrBool {
  template <Real W>
  uint64_t operator()(W a, W b) const {
    return a < b;
  }
};
struct Le : NumericOrBool {
  template <Real W>
  uint64_t operator()(W a, W b) const {
    return a <= b;
  }
};

// Shifts need the width of the type. By the width or more, or by a negative count: 0, or the sign for a signed shift to the right.
struct ShiftLeft {
  template <Integer W>
  static W apply(W a, W b, uint64_t width) {
    const auto by = static_cast<uint64_t>(b);
    return by >= width ? 0 : static_cast<W>(static_cast<uint64_t>(a) << by);
  }
};
struct ShiftRight {
  template <Integer W>
  static W apply(W a, W b, uint64_t width) {
    const auto by = static_cast<uint64_t>(b);
    if (by >= width) return a < 0 ? static_cast<W>(-1) : 0;
    return a >> by;
  }
};
template <class F>
struct Shift {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    if (!sdk::has_dtype<sdk::Integers>(s.input(0).dtype)) return s.decline(kNoMeaning);
    if (s.input(0).dtype != s.input(1).dtype) return s.decline("the inputs differ in dtype");
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (Integer<W>) {
        Dense<W> a = load_like<W>(args[0], args[2]);
        const Dense<W> b = load_like<W>(args[1], args[2]);
        const uint64_t width = TN_DTYPE_BITS(args[0].dtype);
        for (size_t i = 0; i < a.size(); ++i) a[i] = F::apply(a[i], b[i], width);
        store(a, args[2]);
      }
    });
  }
};

}  // namespace

REFERENCE_KERNEL(add, Binary<Add>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(sub, Binary<Sub>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(mul, Binary<Mul>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(div, Binary<Div>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(rem, Binary<Rem>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(pow, Binary<Pow>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(atan2, Binary<Atan2>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(maximum, Binary<Maximum>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(minimum, Binary<Minimum>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(and, Binary<And>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(or, Binary<Or>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(xor, Binary<Xor>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(shl, Shift<ShiftLeft>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(shr, Shift<ShiftRight>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(eq, Binary<Eq>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(lt, Binary<Lt>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(le, Binary<Le>, TN_KERNEL_INPLACE);

}  // namespace tenon::reference
