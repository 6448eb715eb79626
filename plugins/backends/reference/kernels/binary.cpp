// Elementwise ops of two inputs of one dtype. a, b and y have the same dims (stride 0 where broadcast), or are host scalars.
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
    return difference_of(a, b);
  }
};
struct Mul : Numeric {
  template <class W>
  W operator()(W a, W b) const {
    return product_of(a, b);
  }
};

struct Div : Numeric {
  auto operator()(Fractional auto a, Fractional auto b) const { return a / b; }
  template <Integer W>
  W operator()(W a, W b) const {
    return quotient_of(a, b);
  }
};

struct Rem : Numeric {
  template <Real W>
  W operator()(W a, W b) const {
    return remainder_of(a, b);
  }
};
struct Pow : Numeric {
  auto operator()(Fractional auto a, Fractional auto b) const { return pow_of(a, b); }
  template <Integer W>
  W operator()(W a, W b) const {
    return power_of(a, b);
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

struct ShiftLeft : Numeric {
  template <Integer W>
  W operator()(W a, W b) const {
    return shifted_left(a, b);
  }
};
struct ShiftRight : Numeric {
  template <Integer W>
  W operator()(W a, W b) const {
    return shifted_right(a, b);
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
REFERENCE_KERNEL(shl, Binary<ShiftLeft>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(shr, Binary<ShiftRight>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(eq, Binary<Eq>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(lt, Binary<Lt>, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(le, Binary<Le>, TN_KERNEL_INPLACE);

}  // namespace tenon::reference
