// What the base ops compute on wide numbers (wide.hpp), where C++ leaves it open or says otherwise: docs/ops.md.
#ifndef TENON_SDK_ARITHMETIC_HPP_
#define TENON_SDK_ARITHMETIC_HPP_
#include <cmath>
#include <functional>
#include <string_view>

#include "wide.hpp"

namespace tenon::sdk {

// ---- any kind -----------------------------------------------------------------------------------

// Integers wrap, so they are added and multiplied as unsigned.
template <class W, class F>
W wrapping(W a, W b, F f) {
  if constexpr (Integer<W>) {
    return static_cast<W>(f(static_cast<uint64_t>(a), static_cast<uint64_t>(b)));
  } else {
    return f(a, b);
  }
}
template <class W>
W sum_of(W a, W b) {
  return wrapping(a, b, std::plus<>());
}
template <class W>
W product_of(W a, W b) {
  return wrapping(a, b, std::multiplies<>());
}
template <class W>
W difference_of(W a, W b) {
  return wrapping(a, b, std::minus<>());
}
template <class W>
W negative_of(W x) {
  if constexpr (Integer<W>) return difference_of(W{0}, x);
  return -x;
}

// ---- what has an order --------------------------------------------------------------------------

template <Real W>
bool is_nan(W x) {
  return x != x;
}
template <Real W>
bool is_signed(W x) {
  if constexpr (Fractional<W>) return std::signbit(x);
  return false;
}
// The greater of two, as maximum of IEEE 754-2019: NaN wins, and -0 is less than 0.
template <Real W>
W greater_of(W a, W b) {
  if (is_nan(a) || is_nan(b)) return is_nan(a) ? a : b;
  if (a == b) return is_signed(a) ? b : a;
  return a > b ? a : b;
}
template <Real W>
W lesser_of(W a, W b) {
  if (is_nan(a) || is_nan(b)) return is_nan(a) ? a : b;
  if (a == b) return is_signed(a) ? a : b;
  return a < b ? a : b;
}

// Is a the greater one in argmax and its like, where b came first? NaN is the greatest.
template <Real W>
bool exceeds(W a, W b) {
  return !is_nan(b) && (a > b || is_nan(a));
}

// The element of `dtype`, whose wide type is W, that a maximum (`least`) or a minimum leaves as it is.
template <Real W>
W extreme_of(tn_dtype dtype, bool least) {
  W result{};
  visit_dtype<Join<Reals, Bools>>(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (!std::same_as<Wide<T>, W>) {
      return;
    } else if constexpr (is_float<T>) {
      result = least ? -std::numeric_limits<double>::infinity()
                     : std::numeric_limits<double>::infinity();
    } else {
      result = least ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
    }
  });
  return result;
}

// How scatter and window_reduce make one value of two.
enum class Combine { set, add, max, min };
inline Combine combine_named(std::string_view mode) {
  if (mode == "set") return Combine::set;
  if (mode == "add" || mode == "sum") return Combine::add;
  if (mode == "max") return Combine::max;
  if (mode == "min") return Combine::min;
  fail(TN_INVALID_ARGUMENT, "unknown mode \"", mode, "\"");
}
// Has it a meaning for this dtype?
inline bool can_combine(Combine how, tn_dtype dtype) {
  const bool ordered = how == Combine::max || how == Combine::min;
  return ordered ? has_dtype<Join<Reals, Bools>>(dtype) : has_dtype<Computable>(dtype);
}
template <class W>
W combined(Combine how, W old, W update) {
  if (how == Combine::add) return sum_of(old, update);
  if constexpr (Real<W>) {
    if (how == Combine::max) return greater_of(old, update);
    if (how == Combine::min) return lesser_of(old, update);
  }
  return update;
}

// ---- integers -----------------------------------------------------------------------------------

// Towards zero, and 0 where b is 0. The one quotient that does not fit wraps.
template <Integer W>
W quotient_of(W a, W b) {
  if (b == 0) return 0;
  if (std::is_signed_v<W> && b == static_cast<W>(-1)) return negative_of(a);
  return a / b;
}

// Of floored division: it has the sign of b. Integers: 0 where b is 0.
template <Integer W>
W remainder_of(W a, W b) {
  if (b == 0) return 0;
  const W r = difference_of(a, product_of(quotient_of(a, b), b));
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
inline double remainder_of(double a, double b) {
  const double r = std::fmod(a, b);
  if (r == 0) return std::copysign(0.0, b);
  return (r < 0) != (b < 0) ? r + b : r;
}

// Wraps; a negative exponent gives what is left of 1 / a^-b towards zero.
template <Integer W>
W power_of(W a, W b) {
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

// By the width or more, or by a negative count: 0, or the sign for a signed shift to the right. Right for narrower types as well,
// as store() cuts off what they do not hold.
template <Integer W>
W shifted_left(W a, W b) {
  return static_cast<uint64_t>(b) >= 64 ? 0 : static_cast<W>(static_cast<uint64_t>(a) << b);
}
template <Integer W>
W shifted_right(W a, W b) {
  if (static_cast<uint64_t>(b) < 64) return a >> b;
  return a < 0 ? static_cast<W>(-1) : 0;
}

// ---- complex numbers that keep their digits near 0 ----------------------------------------------

// e^x cos y - 1 = expm1(x) cos y - 2 sin^2(y/2); where e^x may overflow the 1 is nothing.
inline c128 expm1_of(c128 z) {
  if (!(z.real() < 700 && std::isfinite(z.imag()))) return std::exp(z) - 1.0;
  const double x = z.real(), y = z.imag(), half = std::sin(y / 2);
  return {std::expm1(x) * std::cos(y) - 2 * half * half, std::exp(x) * std::sin(y)};
}
inline double expm1_of(double x) { return std::expm1(x); }

// |1 + z|^2 = 1 + x (2 + x) + y^2; only near 0 does 1 + x lose anything.
inline c128 log1p_of(c128 z) {
  const double x = z.real(), y = z.imag();
  if (!(std::fabs(x) < 0.5 && std::fabs(y) < 0.5)) return std::log(c128(1 + x, y));
  return {std::log1p(x * (2 + x) + y * y) / 2, std::atan2(y, 1 + x)};
}
inline double log1p_of(double x) { return std::log1p(x); }

// The nearest whole number, halves to the even one; of complex numbers each part.
inline double round_of(double x) { return std::nearbyint(x); }
inline c128 round_of(c128 z) { return {std::nearbyint(z.real()), std::nearbyint(z.imag())}; }

// e^(b log a); anything to the 0th is 1, and 0 to what has a positive real part 0.
inline c128 pow_of(c128 a, c128 b) {
  if (b == 0.0) return 1;
  if (a == 0.0 && b.real() > 0) return 0;
  return std::exp(b * std::log(a));
}
inline double pow_of(double a, double b) { return std::pow(a, b); }

}  // namespace tenon::sdk
#endif
