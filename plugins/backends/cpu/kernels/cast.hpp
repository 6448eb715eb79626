// Loops that convert one dtype to another. A float becomes an integer toward zero; what does not fit saturates, NaN gives 0.
#ifndef TENON_CPU_CAST_HPP_
#define TENON_CPU_CAST_HPP_
#include <complex>
#include <limits>

#include "elementwise.hpp"
#include "narrow.hpp"

namespace tenon::cpu {

// Elements of half a byte.
inline bool half_bytes(tn_dtype dtype) { return dtype == TN_DTYPE_I4 || dtype == TN_DTYPE_U4; }

namespace CPU_SHARED_ISA {
// Through double, or 64-bit integers where both ends are whole. False: not so.
bool cast_through_wide(tn_dtype from, tn_dtype to, Elementwise* out);
// Where one side has elements of half a byte.
tn_error* prepare_half_bytes(const Device& device, const tn_signature& sig, tn_plan* plan);
}  // namespace CPU_SHARED_ISA

namespace CPU_ISA {

using sdk::c128;
using sdk::c64;
using sdk::f8e4m3;
using sdk::f8e5m2;

template <class T>
inline constexpr bool kWhole = std::is_integral_v<T>;

// The float nearest to the greatest T from below, so that the conversion of the clamped value is
// defined.
template <class T, class F>
constexpr F greatest_below() {
  constexpr int digits = std::numeric_limits<F>::digits;
  constexpr int bits = std::numeric_limits<T>::digits;
  if constexpr (bits <= digits) {
    return F(std::numeric_limits<T>::max());
  } else {
    return F(T(T(std::numeric_limits<T>::max() >> (bits - digits)) << (bits - digits)));
  }
}

template <class To, class From>
CPU_INLINE To convert_one(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (kWhole<To> && std::is_floating_point_v<From>) {
    constexpr From low = From(std::numeric_limits<To>::min());
    constexpr From high = greatest_below<To, From>();
    // What lies between `high` and the true maximum does not exist in From.
    const From y = x > low ? x : low;
    const To z = static_cast<To>(y < high ? y : high);
    return x != x ? To(0) : x > high ? std::numeric_limits<To>::max() : z;
  } else {
    return static_cast<To>(x);
  }
}

template <class To, class From>
void cast_loop(void* to, const void* from, int64_t n) {
  To* y = static_cast<To*>(to);
  const From* x = static_cast<const From*>(from);
  if constexpr (std::is_same_v<From, bool>) {
    const uint8_t* b = static_cast<const uint8_t*>(from);
    for (int64_t i = 0; i < n; ++i) y[i] = To(b[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = convert_one<To>(x[i]);
  }
}

}  // namespace CPU_ISA
}  // namespace tenon::cpu

#endif
