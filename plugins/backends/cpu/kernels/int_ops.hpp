// Elementwise ops on vectors of integers. Additions, products and negation wrap; a type narrower
// than 32 bits is computed in 32 and cut, which gives the same.
#ifndef TENON_CPU_INT_OPS_HPP_
#define TENON_CPU_INT_OPS_HPP_
#include "float_ops.hpp"

namespace tenon::cpu::CPU_ISA {

// Bits of an element.
template <class V>
inline constexpr ElementOf<UintVec<V>> kWidth = 8 * sizeof(ElementOf<V>);

// Through the unsigned vector, where overflow is defined.
#define CPU_WRAPPING(name, expression)           \
  struct name {                                  \
    static constexpr float ns = 0.15f;           \
    template <class V>                           \
    CPU_INLINE static V apply(V va, V vb) {      \
      const auto a = bits_as<UintVec<V>>(va);    \
      const auto b = bits_as<UintVec<V>>(vb);    \
      return bits_as<V>(UintVec<V>(expression)); \
    }                                            \
  };

CPU_WRAPPING(IntAddOp, a + b)
CPU_WRAPPING(IntSubOp, a - b)
CPU_WRAPPING(IntMulOp, a* b)
CPU_WRAPPING(AndOp, a& b)
CPU_WRAPPING(OrOp, a | b)
CPU_WRAPPING(XorOp, a ^ b)
// By the width or more: 0.
CPU_WRAPPING(ShlOp, select(b < UintVec<V>{} + kWidth<V>, a << (b & (kWidth<V> - 1)), UintVec<V>{}))

struct ShrOp {
  static constexpr float ns = 0.15f;
  template <class V>
  CPU_INLINE static V apply(V a, V vb) {
    const auto b = bits_as<UintVec<V>>(vb);
    const auto inside = b < UintVec<V>{} + kWidth<V>;
    const V shift = bits_as<V>(select(inside, b, UintVec<V>{} + (kWidth<V> - 1)));
    const V y = a >> shift;  // signed: the last step fills with the sign
    if constexpr (std::is_signed_v<ElementOf<V>>) return y;
    return select(inside, y, V{});
  }
};

CPU_UNARY(IntNegOp, 0.1f, bits_as<V>(UintVec<V>{} - bits_as<UintVec<V>>(x)))
CPU_UNARY(IntAbsOp, 0.1f,
          (std::is_signed_v<ElementOf<V>> ? select(x < V{}, IntNegOp::apply(x), x) : x))
CPU_UNARY(IntNotOp, 0.1f, ~x)
CPU_UNARY(BoolNotOp, 0.1f, x ^ 1)
CPU_UNARY(IntSquareOp, 0.1f, IntMulOp::apply(x, x))
CPU_UNARY(SameOp, 0.1f, x)

// One lane at a time.
#define CPU_LANES(name, cost, expression)                                   \
  struct name {                                                             \
    static constexpr float ns = cost;                                       \
    static constexpr bool heavy = true;                                     \
    template <class V>                                                      \
    CPU_INLINE static V apply(V va, V vb) {                                 \
      for (int i = 0; i < kCount<V>; ++i) va[i] = expression(va[i], vb[i]); \
      return va;                                                            \
    }                                                                       \
  };

// Toward zero; by zero: 0.
template <class T>
CPU_INLINE T divide(T a, T b) {
  using U = std::make_unsigned_t<T>;
  if (b == 0) return 0;
  if (std::is_signed_v<T> && b == T(-1)) return T(U(0) - U(a));
  return T(a / b);
}
// The sign of the divisor; by zero: 0.
template <class T>
CPU_INLINE T remainder(T a, T b) {
  if (b == 0 || (std::is_signed_v<T> && b == T(-1))) return 0;
  const T r = T(a % b);
  return r != 0 && (r < 0) != (b < 0) ? T(r + b) : r;
}
// The sign of the dividend; by zero: 0.
template <class T>
CPU_INLINE T remainder_as_c(T a, T b) {
  return b == 0 || (std::is_signed_v<T> && b == T(-1)) ? 0 : T(a % b);
}
// A negative exponent gives the true power cut to a whole number: 0 but for bases 1 and -1.
template <class T>
CPU_INLINE T integer_power(T base, T exponent) {
  using U = std::make_unsigned_t<T>;
  if (exponent < 0) {
    if (base == 1) return 1;
    if (std::is_signed_v<T> && base == T(-1)) return (exponent & 1) ? T(-1) : T(1);
    return 0;
  }
  U y = 1;
  U factor = U(base);
  for (U e = U(exponent); e != 0; e >>= 1) {
    if (e & 1) y *= factor;
    factor *= factor;
  }
  return T(y);
}
CPU_LANES(IntDivOp, 2.0f, divide)
CPU_LANES(IntRemOp, 2.0f, remainder)
CPU_LANES(IntFmodOp, 2.0f, remainder_as_c)
CPU_LANES(IntPowOp, 5.0f, integer_power)

}  // namespace tenon::cpu::CPU_ISA

#endif
