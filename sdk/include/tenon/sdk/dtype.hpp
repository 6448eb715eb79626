// C++ types of the ABI's dtypes, and the switch from a dtype at run time to a type at compile time.
#ifndef TENON_SDK_DTYPE_HPP_
#define TENON_SDK_DTYPE_HPP_
#include <tenon/base.h>

#include <bit>
#include <cmath>
#include <complex>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace tenon::sdk {

// ---- small floating-point types -----------------------------------------------------------------

// A float that keeps what rounding once more to a narrower type needs: inexact results have their last bit set ("round to odd"),
// so that double -> float -> f16 gives the same as double -> f16.
inline float round_to_odd(double value) {
  const float nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || std::isnan(value)) return nearest;
  uint32_t bits = std::bit_cast<uint32_t>(nearest);
  if (std::fabs(static_cast<double>(nearest)) > std::fabs(value)) --bits;
  return std::bit_cast<float>(bits | 1u);
}

// Sign, exponent and mantissa bits stored in Bits, IEEE 754 where Infinite; else (E4M3 of the OCP 8-bit specification) there is no
// infinity, and the all-ones magnitude is the one NaN. Conversion from float rounds to nearest even; what is too large becomes
// infinity, or NaN where there is none.
template <class Bits, int Exponent, int Mantissa, bool Infinite>
struct SmallFloat {
  Bits bits;

  SmallFloat() = default;
  explicit SmallFloat(float value) : bits(encode(value)) {}
  explicit SmallFloat(double value) : bits(encode(round_to_odd(value))) {}
  template <std::integral T>
  explicit SmallFloat(T value) : SmallFloat(static_cast<double>(value)) {}
  operator float() const { return decode(bits); }  // NOLINT(google-explicit-constructor)

  static SmallFloat from_bits(Bits bits) {
    SmallFloat f;
    f.bits = bits;
    return f;
  }

 private:
  static constexpr int kBias = (1 << (Exponent - 1)) - 1;
  static constexpr int kShift = 23 - Mantissa;
  static constexpr uint32_t kMagnitude = (1u << (Exponent + Mantissa)) - 1;
  static constexpr uint32_t kInfinity = ((1u << Exponent) - 1) << Mantissa;
  static constexpr uint32_t kNan = Infinite ? kInfinity | (1u << (Mantissa - 1)) : kMagnitude;
  static constexpr uint32_t kOverflow = Infinite ? kInfinity : kNan;
  static constexpr uint32_t kRebias = static_cast<uint32_t>(127 - kBias) << 23;

  static Bits encode(float value) {
    uint32_t x = std::bit_cast<uint32_t>(value);
    const uint32_t sign = (x >> 31) << (Exponent + Mantissa);
    x &= 0x7fffffffu;
    uint32_t magnitude = 0;
    if (x > 0x7f800000u) {
      magnitude = kNan;
    } else if (Exponent < 8 && x < kRebias + (1u << 23)) {
      // Below the smallest normal: adding a number whose last place is ours makes the hardware round.
      constexpr uint32_t magic = static_cast<uint32_t>(127 + 1 - kBias - Mantissa + 23) << 23;
      const float sum = std::bit_cast<float>(x) + std::bit_cast<float>(magic);
      magnitude = std::bit_cast<uint32_t>(sum) - magic;
    } else {
      magnitude = (x - kRebias + ((1u << (kShift - 1)) - 1) + ((x >> kShift) & 1u)) >> kShift;
      if (magnitude > kOverflow) magnitude = kOverflow;
    }
    return static_cast<Bits>(sign | magnitude);
  }

  static float decode(Bits stored) {
    const uint32_t magnitude = stored & kMagnitude;
    const uint32_t sign = static_cast<uint32_t>(stored >> (Exponent + Mantissa)) << 31;
    uint32_t x = 0;
    if (Exponent == 8) {
      x = magnitude << kShift;
    } else if (Infinite ? magnitude >= kInfinity : magnitude == kNan) {
      x = Infinite ? 0x7f800000u | ((magnitude & ~kInfinity) << kShift) : 0x7fc00000u;
    } else if (magnitude < (1u << Mantissa)) {
      constexpr uint32_t unit = static_cast<uint32_t>(127 + 1 - kBias - Mantissa) << 23;
      x = std::bit_cast<uint32_t>(static_cast<float>(magnitude) * std::bit_cast<float>(unit));
    } else {
      x = (magnitude << kShift) + kRebias;
    }
    return std::bit_cast<float>(x | sign);
  }
};

using f16 = SmallFloat<uint16_t, 5, 10, true>;
using bf16 = SmallFloat<uint16_t, 8, 7, true>;
using f8e4m3 = SmallFloat<uint8_t, 4, 3, false>;
using f8e5m2 = SmallFloat<uint8_t, 5, 2, true>;
using c64 = std::complex<float>;
using c128 = std::complex<double>;

template <class T>
inline constexpr bool is_small_float = false;
template <class B, int E, int M, bool I>
inline constexpr bool is_small_float<SmallFloat<B, E, M, I>> = true;
template <class T>
inline constexpr bool is_complex = false;
template <class T>
inline constexpr bool is_complex<std::complex<T>> = true;
template <class T>
inline constexpr bool is_float = std::is_floating_point_v<T> || is_small_float<T>;
template <class T>
inline constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

// ---- dtype <-> type -----------------------------------------------------------------------------

template <class T>
inline constexpr tn_dtype dtype_of = TN_DTYPE_NONE;
template <>
inline constexpr tn_dtype dtype_of<bool> = TN_DTYPE_BOOL;
template <>
inline constexpr tn_dtype dtype_of<int8_t> = TN_DTYPE_I8;
template <>
inline constexpr tn_dtype dtype_of<int16_t> = TN_DTYPE_I16;
template <>
inline constexpr tn_dtype dtype_of<int32_t> = TN_DTYPE_I32;
template <>
inline constexpr tn_dtype dtype_of<int64_t> = TN_DTYPE_I64;
template <>
inline constexpr tn_dtype dtype_of<uint8_t> = TN_DTYPE_U8;
template <>
inline constexpr tn_dtype dtype_of<uint16_t> = TN_DTYPE_U16;
template <>
inline constexpr tn_dtype dtype_of<uint32_t> = TN_DTYPE_U32;
template <>
inline constexpr tn_dtype dtype_of<uint64_t> = TN_DTYPE_U64;
template <>
inline constexpr tn_dtype dtype_of<f16> = TN_DTYPE_F16;
template <>
inline constexpr tn_dtype dtype_of<bf16> = TN_DTYPE_BF16;
template <>
inline constexpr tn_dtype dtype_of<float> = TN_DTYPE_F32;
template <>
inline constexpr tn_dtype dtype_of<double> = TN_DTYPE_F64;
template <>
inline constexpr tn_dtype dtype_of<c64> = TN_DTYPE_C64;
template <>
inline constexpr tn_dtype dtype_of<c128> = TN_DTYPE_C128;
template <>
inline constexpr tn_dtype dtype_of<f8e4m3> = TN_DTYPE_F8E4M3;
template <>
inline constexpr tn_dtype dtype_of<f8e5m2> = TN_DTYPE_F8E5M2;

// Names a type in a value: [](auto type) { using T = typename decltype(type)::type; ... }.
template <class T>
struct Type {
  using type = T;
};
template <class... T>
struct Types {};

namespace detail {
template <class A, class B>
struct join;
template <class... A, class... B>
struct join<Types<A...>, Types<B...>> {
  using type = Types<A..., B...>;
};
}  // namespace detail
template <class A, class B>
using Join = typename detail::join<A, B>::type;

using Bools = Types<bool>;
using Signed = Types<int8_t, int16_t, int32_t, int64_t>;
using Unsigned = Types<uint8_t, uint16_t, uint32_t, uint64_t>;
using Integers = Join<Signed, Unsigned>;
using Floats = Types<float, double, f16, bf16>;
using Complexes = Types<c64, c128>;
using Reals = Join<Floats, Integers>;                    // what can be compared, but for bool
using Numbers = Join<Reals, Complexes>;                  // what can be added, but for bool
using Computable = Join<Numbers, Bools>;                 // every dtype that is computed on
using Stored = Join<Computable, Types<f8e4m3, f8e5m2>>;  // also those that are only kept and cast

// Calls f(Type<T>{}) for the T of List that `dtype` names. False: it names none of them.
template <class List, class F>
bool visit_dtype(tn_dtype dtype, F&& f) {
  return [&]<class... T>(Types<T...>) {
    return ((dtype == dtype_of<T> && (f(Type<T>{}), true)) || ...);
  }(List{});
}

// Is `dtype` one of List?
template <class List>
constexpr bool has_dtype(tn_dtype dtype) {
  return [&]<class... T>(Types<T...>) { return ((dtype == dtype_of<T>) || ...); }(List{});
}

}  // namespace tenon::sdk
#endif
