// Elementary functions on Vec<double>: exp, expm1, log, tanh, pow as vectors, the rest lane by
// lane.
#ifndef TENON_CPU_VMATH64_HPP_
#define TENON_CPU_VMATH64_HPP_
#include "vmath.hpp"

namespace tenon::cpu::CPU_ISA {

using I64 = Vec<int64_t>;
using U64 = UintVec<F64>;

inline constexpr double kInf64 = std::numeric_limits<double>::infinity();
inline constexpr double kNan64 = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kLn2High64 = 6.93147180369123816490e-01;  // 33 bits
inline constexpr double kLn2Low64 = 1.90821492927058770002e-10;
// Adding it leaves a whole number of small size in the low bits.
inline constexpr double kWhole64 = 6755399441055744.0;  // 1.5 * 2^52

CPU_INLINE F64 clamp(F64 x, double low, double high) {  // keeps NaN
  x = select(x < low, splat<F64>(low), x);
  return select(x > high, splat<F64>(high), x);
}

CPU_INLINE F64 power_of_two(F64 n) {  // -1022 <= n <= 1023
  return bits_as<F64>((bits_as<I64>(n + kWhole64) + 1023) << 52);
}
CPU_INLINE F64 scale_by_power(F64 x, F64 n) {
#if defined(__AVX512F__)
  return bits_as<F64>(_mm512_scalef_pd(bits_as<__m512d>(x), bits_as<__m512d>(n)));
#else
  const F64 half = vround(n * 0.5);
  return x * power_of_two(half) * power_of_two(n - half);
#endif
}

struct ExpParts64 {
  F64 n, p;
};
CPU_INLINE ExpParts64 exp_parts(F64 x) {
  const F64 n = vround(x * 1.44269504088896340736);
  F64 r = fma(n, splat<F64>(-kLn2High64), x);
  r = fma(n, splat<F64>(-kLn2Low64), r);
  // (exp(r) - 1 - r) / r^2 on |r| <= ln(2) / 2
  const double c[] = {0.5,
                      0.16666666666666677,
                      0.041666666666666699,
                      0.0083333333333212647,
                      0.0013888888888866095,
                      0.00019841269887517032,
                      2.480158736249531e-05,
                      2.7557242419127609e-06,
                      2.7557240842719156e-07,
                      2.5109777771861625e-08,
                      2.0925090994013723e-09};
  return {n, fma(r * r, polynomial(r, c), r)};
}

CPU_INLINE F64 vexp(F64 x) {
  const ExpParts64 e = exp_parts(clamp(x, -750.0, 715.0));
  return scale_by_power(e.p + 1.0, e.n);
}

CPU_INLINE F64 vexpm1(F64 x) {
  const ExpParts64 e = exp_parts(clamp(x, -40.0, 709.79));
  const F64 s = scale_by_power(splat<F64>(0.5), e.n);
  return select(x == 0.0, x, fma(s, e.p, s - 0.5) * 2.0);
}

CPU_INLINE F64 vlog(F64 x) {
  const double least = 2.2250738585072014e-308;
  const I64 tiny = x < least;
  const F64 y = select(tiny, x * 4503599627370496.0, x);
  const U64 root = splat<U64>(0x3fe6a09e667f3bcd);  // sqrt(1/2)
  const U64 u = bits_as<U64>(y) - root;             // wraps below it
  // The exponent as a double without a signed 64-bit shift or conversion, which AVX2 lacks.
  const U64 biased = (u + (1023ull << 52)) >> 52;
  const F64 e = bits_as<F64>(biased | 0x4330000000000000ull) - (4503599627370496.0 + 1023.0) -
                select(tiny, splat<F64>(52.0), splat<F64>(0.0));
  const F64 f = bits_as<F64>((u & 0xfffffffffffffll) + root) - 1.0;
  const F64 s = f / (f + 2.0);
  const F64 z = s * s;
  // (log((1 + s) / (1 - s)) - 2 s) / s^3, in s^2
  const double c[] = {0.66666666666666663, 0.40000000000003672, 0.28571428569757962,
                      0.22222222561235078, 0.18181781599920246, 0.15386861653449257,
                      0.13254744464731114, 0.13213229483730096};
  const F64 r = z * polynomial(z, c);
  const F64 half = f * f * 0.5;
  F64 v = e * kLn2High64 - ((half - (s * (half + r) + e * kLn2Low64)) - f);
  v = select(x == 0.0, splat<F64>(-kInf64), v);
  v = select(x < 0.0, splat<F64>(kNan64), v);
  return select((x == kInf64) | (x != x), x, v);
}

CPU_INLINE F64 vtanh(F64 x) {
  const F64 a = vabs(x);
  const F64 t = vexpm1(clamp(a + a, 0.0, 44.0));
  return copy_sign(t / (t + 2.0), x);
}

CPU_INLINE F64 vsigmoid(F64 x) {
  const F64 e = vexp(-vabs(x));
  return select(x < 0.0, e, splat<F64>(1.0)) / (e + 1.0);
}

template <class F>
CPU_INLINE F64 each_lane(F64 x, F f) {
  for (int i = 0; i < kLanes<double>; ++i) x[i] = f(x[i]);
  return x;
}

CPU_INLINE F64 vlog1p(F64 x) {
  const F64 u = x + 1.0;
  const F64 lost = (x - (u - 1.0)) / u;
  const F64 y = vlog(u);
  const I64 plain = (u == 0.0) | (u == kInf64);
  return select(x == 0.0, x, select(plain, y, y + lost));
}
CPU_INLINE F64 vsin(F64 x) {
  return each_lane(x, [](double v) { return std::sin(v); });
}
CPU_INLINE F64 vcos(F64 x) {
  return each_lane(x, [](double v) { return std::cos(v); });
}
CPU_INLINE F64 verf(F64 x) {
  return each_lane(x, [](double v) { return std::erf(v); });
}
CPU_INLINE F64 vgelu(F64 x) {
  return each_lane(x, [](double v) { return v * 0.5 * std::erfc(-v * 0.70710678118654752440); });
}
CPU_INLINE F64 vgelu_tanh(F64 x) {
  const F64 inner =
      x * fma(x * x, splat<F64>(0.044715 * 0.79788456080286535588), 0.79788456080286535588);
  return x * vsigmoid(inner + inner);
}
CPU_INLINE F64 vsilu(F64 x) { return x * vsigmoid(x); }
CPU_INLINE F64 vsoftplus(F64 x) {
  return select(x > 0.0, x, splat<F64>(0.0)) + vlog1p(vexp(-vabs(x)));
}

// ---- two arguments

// x^y for floats by way of double, where 2^-52 relative leaves room for |y log x| up to 100.
CPU_INLINE F32 vpow(F32 x, F32 y) {
  F64 xa, xb, ya, yb;
  widen(vabs(x), &xa, &xb);
  widen(y, &ya, &yb);
  F32 z =
      narrow(vexp(clamp(ya * vlog(xa), -200.0, 200.0)), vexp(clamp(yb * vlog(xb), -200.0, 200.0)));
  const F32 whole = vfloor(y);
  const I32 is_whole = whole == y;
  const F32 half = y * 0.5f;
  const I32 is_odd = is_whole & (vfloor(half) != half) & (vabs(y) < 16777216.0f);
  const I32 negative = bits_as<I32>(x) < 0;
  z = select(negative & is_odd, -z, z);
  // A negative finite base with a broken exponent has no real power.
  z = select((x < 0.0f) & (x != -kInf) & ~is_whole & (y == y), splat<F32>(kNan), z);
  z = select((x != x) | (y != y), x + y, z);
  // (-1)^inf is 1; so are 1^y and x^0, NaN or not.
  z = select((vabs(x) == 1.0f) & (vabs(y) == kInf), splat<F32>(1.0f), z);
  return select((x == 1.0f) | (y == 0.0f), splat<F32>(1.0f), z);
}
CPU_INLINE F64 vpow(F64 x, F64 y) {
  for (int i = 0; i < kLanes<double>; ++i) x[i] = std::pow(x[i], y[i]);
  return x;
}

CPU_INLINE F32 vatan2(F32 y, F32 x) {
  for (int i = 0; i < kLanes<float>; ++i) y[i] = std::atan2(y[i], x[i]);
  return y;
}
CPU_INLINE F64 vatan2(F64 y, F64 x) {
  for (int i = 0; i < kLanes<double>; ++i) y[i] = std::atan2(y[i], x[i]);
  return y;
}

// C's fmod, exact. The quotient, where the significand holds it, is too large by 1 at most, and what
// it leaves is a multiple of the last place of y.
template <class V>
CPU_INLINE V vfmod(V a, V b) {
#if defined(__FMA__)
  using E = ElementOf<V>;
  const V x = vabs(a), y = vabs(b), q = vfloor(x / y);
  V r = fma(-q, y, x);
  r = select(r < E(0), r + y, r);
  const auto good =
      (q < E(sizeof(E) == 4 ? 0x1p24 : 0x1p53)) & (y < std::numeric_limits<E>::infinity());
  if (any_of(~good)) [[unlikely]] {
    for (int i = 0; i < kCount<V>; ++i)
      if (!good[i]) r[i] = std::fmod(x[i], y[i]);
  }
  return copy_sign(r, a);
#else
  for (int i = 0; i < kCount<V>; ++i) a[i] = std::fmod(a[i], b[i]);
  return a;
#endif
}
// Remainder with the sign of the divisor.
template <class V>
CPU_INLINE V vrem(V a, V b) {
  V r = vfmod(a, b);
  r = select((r != V{}) & ((r < V{}) != (b < V{})), r + b, r);
  return select(r == V{}, copy_sign(V{}, b), r);
}

}  // namespace tenon::cpu::CPU_ISA

#endif
