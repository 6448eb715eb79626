// Elementary functions on Vec<float>, within about 2 units in the last place over the whole range,
// zeros, denormals, infinities and NaN included. vmath64.hpp has those on Vec<double>. The
// polynomials are minimax fits (Remez) over the reduced ranges named at each.
#ifndef TENON_CPU_VMATH_HPP_
#define TENON_CPU_VMATH_HPP_
#include <limits>

#include "simd.hpp"

namespace tenon::cpu::CPU_ISA {

using I32 = Vec<int32_t>;
using U32 = UintVec<F32>;

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kLog2e = 1.44269504f;
inline constexpr float kLn2High =
    0.693359375f;  // few bits: its product with a small integer is exact
inline constexpr float kLn2Low = -2.12194440e-4f;

// c[0] + c[1] x + ...
template <class V, int n>
CPU_INLINE V polynomial(V x, const ElementOf<V> (&c)[n]) {
  V y = splat<V>(c[n - 1]);
#pragma GCC unroll 16
  for (int i = n - 2; i >= 0; --i) y = fma(y, x, c[i]);
  return y;
}

// x * 2^n for a whole n; the result may be denormal or infinite.
CPU_INLINE F32 scale_by_power(F32 x, F32 n) {
#if defined(__AVX512F__)
  return bits_as<F32>(_mm512_scalef_ps(bits_as<__m512>(x), bits_as<__m512>(n)));
#else
  const I32 k = convert<I32>(n);
  const I32 half = k >> 1;
  const F32 first = bits_as<F32>((half + 127) << 23);
  const F32 second = bits_as<F32>((k - half + 127) << 23);
  return x * first * second;
#endif
}

// exp(x) = 2^n (1 + p), |p| < 0.42. x must lie in -150 .. 150 or be NaN.
struct ExpParts {
  F32 n, p;
};
CPU_INLINE ExpParts exp_parts(F32 x) {
  const F32 n = vround(x * kLog2e);
  F32 r = fma(n, splat<F32>(-kLn2High), x);
  r = fma(n, splat<F32>(-kLn2Low), r);
  // (exp(r) - 1 - r) / r^2 on |r| <= ln(2) / 2
  const float c[] = {0.5f, 0.166665405f, 0.0416662768f, 0.0083670076f, 0.00139471528f};
  return {n, fma(r * r, polynomial(r, c), r)};
}

CPU_INLINE F32 clamp(F32 x, float low, float high) {  // keeps NaN
  x = select(x < low, splat<F32>(low), x);
  return select(x > high, splat<F32>(high), x);
}

CPU_INLINE F32 vexp(F32 x) {
  const ExpParts e = exp_parts(clamp(x, -105.0f, 90.0f));
  return scale_by_power(e.p + 1.0f, e.n);
}

CPU_INLINE F32 vexpm1(F32 x) {
  const ExpParts e = exp_parts(clamp(x, -20.0f, 88.8f));
  // 2^(n-1) cannot overflow; the last doubling does where it must.
  const F32 s = scale_by_power(splat<F32>(0.5f), e.n);
  const F32 z = fma(s, e.p, s - 0.5f) * 2.0f;
  return select(x == 0.0f, x, z);  // keeps -0
}

CPU_INLINE F32 vlog(F32 x) {
  const float least = 1.17549435e-38f;
  const I32 tiny = x < least;
  const F32 y = select(tiny, x * 8388608.0f, x);
  const U32 root = splat<U32>(0x3f3504f3);  // sqrt(1/2)
  const U32 u = bits_as<U32>(y) - root;     // wraps below it
  const F32 e = convert<F32>((bits_as<I32>(u) >> 23) - (tiny & 23));
  const F32 f = bits_as<F32>((u & 0x7fffff) + root) - 1.0f;
  // (log(1 + f) - f + f^2 / 2) / f^3 on sqrt(1/2) - 1 .. sqrt(2) - 1
  const float c[] = {0.333333135f,  -0.249999866f, 0.200020686f,  -0.16669181f, 0.142213538f,
                     -0.123867467f, 0.118574359f,  -0.117716767f, 0.0692658275f};
  const F32 square = f * f;
  F32 z = square * f * polynomial(f, c);
  z = fma(e, splat<F32>(kLn2Low), z);
  z = fma(square, splat<F32>(-0.5f), z);
  z = fma(e, splat<F32>(kLn2High), f + z);
  z = select(x == 0.0f, splat<F32>(-kInf), z);
  z = select(x < 0.0f, splat<F32>(kNan), z);
  return select((x == kInf) | (x != x), x, z);
}

CPU_INLINE F32 vlog1p(F32 x) {
  const F32 u = x + 1.0f;
  const F32 lost = (x - (u - 1.0f)) / u;
  const F32 y = vlog(u);
  // At u = 0 or infinity the correction is not a number; x itself for the tiniest keeps -0.
  const I32 plain = (u == 0.0f) | (u == kInf);
  return select(x == 0.0f, x, select(plain, y, y + lost));
}

CPU_INLINE F32 vsigmoid(F32 x) {
  const F32 e = vexp(-vabs(x));
  return select(x < 0.0f, e, splat<F32>(1.0f)) / (e + 1.0f);
}

CPU_INLINE F32 vsoftplus(F32 x) {
  return select(x > 0.0f, x, splat<F32>(0.0f)) + vlog1p(vexp(-vabs(x)));
}

// 1 / d within a unit in the last place, for normal d of a normal inverse.
CPU_INLINE F32 reciprocal(F32 d) {
#if defined(__AVX512F__)
  const F32 r = bits_as<F32>(_mm512_rcp14_ps(bits_as<__m512>(d)));
  return fma(r, fma(-d, r, splat<F32>(1.0f)), r);
#else
  return 1.0f / d;
#endif
}

// 2^x for -126 <= x <= 126: x = n + r with |r| <= 1/2, and 2^r is a fit of relative error 9e-8.
CPU_INLINE F32 vexp2_moderate(F32 x) {
  const F32 magic = splat<F32>(12582912.0f);  // 1.5 * 2^23: its last bits then hold n
  const F32 shifted = x + magic;
  const F32 r = x - (shifted - magic);
  const float c[] = {1.0f,          0.693147004f,   0.240222424f,
                     0.0555073358f, 0.00967151299f, 0.00132647273f};
  return bits_as<F32>(bits_as<U32>(polynomial(r, c)) + (bits_as<U32>(shifted) << 23));
}

#if defined(__AVX512F__)
// A polynomial in |x| less the lower end of its interval, on 26 of them: [0, 1/8), then four for each power of two up to 10. Coefficients
// stand where the exponent and the first two bits of the fraction point to, modulo 32; fits of relative error 3e-8, rounded one
// after the other. Within 1.1 units in the last place.
alignas(64) inline constexpr float kTanh[6 * 8][4] = {
    {0.964027584f, 0.986614287f, 0.995054781f, 0.998177886f},
    {0.999329329f, 0.999909222f, 0.999987721f, 0.999998331f},
    {0.999999762f, 1, 1, 1},
    {1, 1, 1, 0},
    {0.124352999f, 0.154990733f, 0.185333207f, 0.215326339f},
    {0.244918659f, 0.302709728f, 0.3583574f, 0.411570042f},
    {0.462117165f, 0.554599702f, 0.635148942f, 0.703905582f},
    {0.761594176f, 0.848283648f, 0.905148268f, 0.941375554f},
    {0.070650138f, 0.0265922304f, 0.00986472424f, 0.00364126894f},
    {0.00133973651f, 0.00018113885f, 2.43688955e-05f, 3.44199157e-06f},
    {5.80448727e-07f, 0, 0, 0},
    {0, 0, 0, 1},
    {0.984538138f, 0.975976348f, 0.965646803f, 0.953634977f},
    {0.940015852f, 0.908367097f, 0.871579528f, 0.830614388f},
    {0.786446393f, 0.69242239f, 0.59658742f, 0.504520416f},
    {0.419973135f, 0.280414462f, 0.180705607f, 0.113810904f},
    {-0.0680927038f, -0.0262286495f, -0.00979904179f, -0.00363717182f},
    {-0.0013275519f, -0.000178299713f, -2.33079027e-05f, -3.9607653e-06f},
    {-7.9985233e-07f, 0, 0, 0},
    {0, 0, 0, 3.02525393e-07f},
    {-0.122760884f, -0.150987878f, -0.178093672f, -0.205415502f},
    {-0.230318472f, -0.274996549f, -0.312296122f, -0.342242658f},
    {-0.363368094f, -0.38416183f, -0.378994018f, -0.35529229f},
    {-0.319837958f, -0.2378719f, -0.163546816f, -0.107113898f},
    {0.041967731f, 0.0169261601f, 0.00636911578f, 0.00241638371f},
    {0.000839944638f, 0.000110321555f, 1.30464932e-05f, 3.60873582e-06f},
    {6.65295545e-07f, 0, 0, 0},
    {0, 0, 0, -0.333355129f},
    {-0.288364857f, -0.322664142f, -0.353340209f, -0.268345982f},
    {-0.253580451f, -0.218637541f, -0.180130109f, -0.121878006f},
    {-0.095427759f, -0.0151526136f, 0.0431650691f, 0.084780246f},
    {0.103729665f, 0.108467586f, 0.0876978859f, 0.0626951605f},
    {-0.0173697136f, -0.00760874758f, -0.0028367585f, -0.00115632184f},
    {-0.000338970014f, -4.2438438e-05f, -3.85797694e-06f, -2.36517758e-06f},
    {-2.87990332e-07f, 0, 0, 0},
    {0, 0, 0, 0.000465448567f},
    {-0.716920137f, 0.770337999f, 2.1993084f, -0.0426395386f},
    {0.0855968222f, 0.143786132f, 0.193276644f, -0.0596645772f},
    {0.175633803f, 0.116710149f, 0.0887354091f, 0.0364821181f},
    {0.0252937321f, -0.0144871501f, -0.0250114389f, -0.0227237977f},
    {0.00398297701f, 0.00196147757f, 0.000693500217f, 0.000329478295f},
    {6.67252243e-05f, 7.7671948e-06f, 3.65310967e-07f, 7.19637569e-07f},
    {4.87374443e-08f, 0, 0, 0},
    {0, 0, 0, 0.130017534f},
    {9.47627544f, -7.80175495f, -24.350132f, 2.06108165f},
    {0.381969362f, 0.121583439f, -0.136337802f, 1.3297286f},
    {-0.0692500621f, 0.00272618583f, -0.0312662423f, 0.0154811144f},
    {-0.0343366936f, -0.0104800723f, -3.62639112e-05f, 0.00314417086f}};

CPU_INLINE F32 vtanh(F32 x) {
  const __m512 all = bits_as<__m512>(x);
  const __m512 a = _mm512_min_ps(_mm512_set1_ps(10.0f), _mm512_abs_ps(all));  // NaN stays
  const __m512i first = _mm512_set1_epi32(495 << 21);                         // the interval of 0
  const __m512i bits = _mm512_max_epi32(_mm512_castps_si512(a), first);
  const __m512i at = _mm512_srli_epi32(bits, 21);
  const __m512i low = _mm512_maskz_and_epi32(_mm512_cmpgt_epi32_mask(at, _mm512_set1_epi32(495)),
                                             bits, _mm512_set1_epi32(int(0xffe00000u)));
  const __m512 r = _mm512_sub_ps(a, _mm512_castsi512_ps(low));
  const auto c = [&](int k) {
    return _mm512_permutex2var_ps(_mm512_load_ps(kTanh[8 * k]), at,
                                  _mm512_load_ps(kTanh[8 * k + 4]));
  };
  __m512 y = c(5);
#pragma GCC unroll 5
  for (int k = 4; k >= 0; --k) y = _mm512_fmadd_ps(y, r, c(k));
  return copy_sign(bits_as<F32>(y), x);
}
#else
CPU_INLINE F32 vtanh(F32 x) {
  const F32 a = vabs(x);
  const F32 square = x * x;
  // (tanh(x) - x) / x^3 on |x| <= 0.625, in x^2
  const float c[] = {-0.333333313f, 0.133332118f,    -0.0539474599f,
                     0.0217041597f, -0.00818527211f, 0.00214967551f};
  const F32 small = fma(square * x, polynomial(square, c), x);
  // 1 - 2 / (exp(2 |x|) + 1), which is 1 from 10 on; 2.885 is 2 log2(e)
#if defined(__FMA__)
  const F32 power = vexp2_moderate(select(a > 10.0f, splat<F32>(10.0f), a) * 2.88539008f);
  const F32 large = fma(reciprocal(power + 1.0f), splat<F32>(-2.0f), splat<F32>(1.0f));
#else  // whose products are rounded: the quicker way would be half a unit worse
  const F32 large = 1.0f - 2.0f / (vexp(a + a) + 1.0f);
#endif
  return copy_sign(select(a >= 0.625f, large, small), x);  // small for NaN, which it keeps
}
#endif

// erf(x) for |x| < 0.92: erf(x) / x - 1, in x^2
CPU_INLINE F32 erf_small(F32 x) {
  const float c[] = {0.128379167f,   -0.376126319f,    0.112836726f,   -0.0268581044f,
                     0.00519779744f, -0.000810596626f, 8.21542853e-05f};
  return fma(x, polynomial(x * x, c), x);
}
// log(erfc(a)) for 0.9 <= a <= 3.95
CPU_INLINE F32 log_erfc(F32 a) {
  const float c[] = {0.000170559593f, -1.12949514f,    -0.633386552f,   -0.108236708f,
                     0.0250915531f,   -0.00416054856f, 0.000432307483f, -2.09099471e-05f};
  return polynomial(a, c);
}

CPU_INLINE F32 vexp_moderate(F32 x) {  // -80 <= x <= 80 or NaN
  const ExpParts e = exp_parts(x);
  return scale_by_power(e.p + 1.0f, e.n);
}

CPU_INLINE F32 verf(F32 x) {
  const F32 a = vabs(x);
  const F32 large = 1.0f - vexp_moderate(log_erfc(clamp(a, 0.0f, 3.95f)));
  return copy_sign(select(a < 0.92f, erf_small(x), select(a > 3.95f, splat<F32>(1.0f), large)), x);
}

// x times the normal distribution function: x less |x| times the tail beyond |x|, without x where it
// is negative.
CPU_INLINE F32 vgelu(F32 x) {
  const float most = 5.6f;
  // log2 of that tail for 0 <= |x| <= most
  const float c[] = {-1.0f,
                     -1.15110397f,
                     -0.459226072f,
                     -0.0524109416f,
                     0.00687137991f,
                     9.88229076e-05f,
                     -0.000354797958f,
                     0.000111459238f,
                     -2.11872193e-05f,
                     2.71840418e-06f,
                     -2.30998964e-07f,
                     1.17833237e-08f,
                     -2.73454703e-10f};
  const F32 size = vabs(x);
  const I32 far = size > most;
  const F32 a = select(far, splat<F32>(most), size);  // keeps NaN
  const F32 tail = select(far, F32{}, vexp2_moderate(polynomial(a, c)));
  return fma(-a, tail, select(x < 0.0f, x - x, x));  // x - x: NaN for -infinity
}

// The approximation by tanh
CPU_INLINE F32 vgelu_tanh(F32 x) {
  const F32 inner = x * fma(x * x, splat<F32>(0.0356774081f), 0.797884561f);
  return x * vsigmoid(inner + inner);
}

CPU_INLINE F32 vsilu(F32 x) { return x * vsigmoid(x); }

// ---- sine and cosine

// x - k pi/2 with |x - k pi/2| <= pi/4, reduced in double; k modulo 4 in *quadrant. |x| <= 1e6.
CPU_INLINE F32 reduce_quadrant(F32 x, I32* quadrant) {
  const double two_over_pi = 0.63661977236758134308;
  const double high = 1.57079632673412561417e+00;  // first 33 bits of pi/2
  const double low = 6.07710050650619224932e-11;
  F64 a, b;
  widen(x, &a, &b);
  const F64 ka = vround(a * two_over_pi);
  const F64 kb = vround(b * two_over_pi);
  a = fma(ka, splat<F64>(-low), fma(ka, splat<F64>(-high), a));
  b = fma(kb, splat<F64>(-low), fma(kb, splat<F64>(-high), b));
  *quadrant = convert<I32>(narrow(ka, kb));
  return narrow(a, b);
}

template <bool cosine>
CPU_INLINE F32 sine_or_cosine(F32 x) {
  const I32 far = ~(vabs(x) <= 1e6f);
  I32 quadrant;
  const F32 r = reduce_quadrant(select(far, splat<F32>(0.0f), x), &quadrant);
  const F32 square = r * r;
  const float s[] = {-0.166666672f, 0.00833332911f, -0.000198392619f, 2.71760337e-06f};
  const float c[] = {0.0416666456f, -0.00138873165f, 2.44322146e-05f};
  const F32 sine = fma(square * r, polynomial(square, s), r);
  const F32 cos = fma(square * square, polynomial(square, c), fma(square, splat<F32>(-0.5f), 1.0f));
  const I32 k = cosine ? quadrant + 1 : quadrant;
  F32 y = select((k & 1) != 0, cos, sine);
  y = bits_as<F32>(bits_as<I32>(y) ^ ((k & 2) << 30));
  if (any_of(far)) [[unlikely]] {
    for (int i = 0; i < kLanes<float>; ++i) {
      if (far[i]) y[i] = cosine ? std::cos(x[i]) : std::sin(x[i]);
    }
  }
  if (!cosine) y = select(x == 0.0f, x, y);
  return y;
}
CPU_INLINE F32 vsin(F32 x) { return sine_or_cosine<false>(x); }
CPU_INLINE F32 vcos(F32 x) { return sine_or_cosine<true>(x); }

}  // namespace tenon::cpu::CPU_ISA

#endif
