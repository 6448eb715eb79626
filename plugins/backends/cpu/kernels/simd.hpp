// Vectors of the instruction set that a file is compiled for, over the compiler's vector extension.
//
// Vec<T> has kLanes<T> lanes; + - * / & | ^ ~ << >> and comparisons work lane by lane, a comparison
// gives an integer vector of 0 and -1 (Mask<T>), and `mask ? a : b` selects. The functions below
// work on Vec<float>, Vec<double> and integer vectors alike where that makes sense.
#ifndef TENON_CPU_SIMD_HPP_
#define TENON_CPU_SIMD_HPP_

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "../cpu.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

template <class T, int bytes>
struct VecOf {
  typedef T type __attribute__((vector_size(bytes)));
};
template <class T>
using Vec = typename VecOf<T, kVectorBytes>::type;
// n elements of T, whatever size that gives.
template <class T, int n>
using VecN = typename VecOf<T, n* int(sizeof(T))>::type;
template <class T>
inline constexpr int kLanes = kVectorBytes / int(sizeof(T));

template <int bytes>
struct IntOf;
template <>
struct IntOf<1> {
  using type = int8_t;
  using utype = uint8_t;
};
template <>
struct IntOf<2> {
  using type = int16_t;
  using utype = uint16_t;
};
template <>
struct IntOf<4> {
  using type = int32_t;
  using utype = uint32_t;
};
template <>
struct IntOf<8> {
  using type = int64_t;
  using utype = uint64_t;
};

// Element type of a vector, or the type itself of a scalar.
template <class V>
using ElementOf = std::remove_cv_t<std::remove_reference_t<decltype(std::declval<V&>()[0])>>;
template <class V>
inline constexpr int kCount = int(sizeof(V) / sizeof(ElementOf<V>));
// Integer vector of the same shape.
template <class V>
using IntVec = typename VecOf<typename IntOf<sizeof(ElementOf<V>)>::type, int(sizeof(V))>::type;
template <class V>
using UintVec = typename VecOf<typename IntOf<sizeof(ElementOf<V>)>::utype, int(sizeof(V))>::type;
template <class T>
using Mask = IntVec<Vec<T>>;

#define CPU_INLINE [[gnu::always_inline]] inline

// ---- bits, constants

template <class To, class From>
CPU_INLINE To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

template <class V>
CPU_INLINE V splat(ElementOf<V> x) {
  return x - V{};  // V{} is 0: lanes of x (also for x = -0, inf, NaN)
}

template <class To, class From>
CPU_INLINE To convert(From v) {
  return __builtin_convertvector(v, To);
}

// Unsigned bytes as a vector of integers. As a conversion, GCC 12 would do it lane by lane.
template <class To, class Bytes>
CPU_INLINE To widen_bytes(Bytes v) {
  [[maybe_unused]] constexpr size_t size = sizeof(ElementOf<To>);
#if defined(__AVX2__)
  if constexpr (size > 1) {
    __m256i in{};
    __builtin_memcpy(&in, &v, sizeof v);
    const __m128i low = _mm256_castsi256_si128(in);
#if defined(__AVX512F__)
    if constexpr (size == 2) return bits_as<To>(_mm512_cvtepu8_epi16(in));
    if constexpr (size == 4) return bits_as<To>(_mm512_cvtepu8_epi32(low));
    if constexpr (size == 8) return bits_as<To>(_mm512_cvtepu8_epi64(low));
#else
    if constexpr (size == 2) return bits_as<To>(_mm256_cvtepu8_epi16(low));
    if constexpr (size == 4) return bits_as<To>(_mm256_cvtepu8_epi32(low));
    if constexpr (size == 8) return bits_as<To>(_mm256_cvtepu8_epi64(low));
#endif
  }
#endif
  return __builtin_convertvector(v, To);
}

template <class M, class V>
CPU_INLINE V select(M mask, V a, V b) {
  return mask ? a : b;
}

// ---- memory

template <class T>
CPU_INLINE Vec<T> load(const T* p) {
  Vec<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
CPU_INLINE V load_as(const T* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T, class V>
CPU_INLINE void store(T* p, V v) {
  __builtin_memcpy(static_cast<void*>(p), &v, sizeof v);
}

// n elements, at most max_bytes of them: by halves, for a masked store is slow on some processors
// and a call of memcpy costs more than the copy.
template <class T, int max_bytes>
CPU_INLINE void copy_part(void* to, const void* from, int64_t n) {
  char* y = static_cast<char*>(to);
  const char* x = static_cast<const char*>(from);
  const uint64_t bytes = uint64_t(n) * sizeof(T);
  if (bytes >= max_bytes) {
    __builtin_memcpy(y, x, max_bytes);
    return;
  }
  const auto piece = [&](auto size) {
    constexpr int k = decltype(size)::value;
    if constexpr (k < max_bytes && k >= int(sizeof(T))) {
      if (bytes & k) {
        __builtin_memcpy(y, x, k);
        y += k, x += k;
      }
    }
  };
  piece(std::integral_constant<int, 32>());
  piece(std::integral_constant<int, 16>());
  piece(std::integral_constant<int, 8>());
  piece(std::integral_constant<int, 4>());
  piece(std::integral_constant<int, 2>());
  piece(std::integral_constant<int, 1>());
}

#if defined(__AVX2__) && !defined(__AVX512F__)
// The mask of the first n lanes of 4 or 8 bytes.
template <class T>
CPU_INLINE __m256i first_lanes(int64_t n) {
  if constexpr (sizeof(T) == 4) {
    const Vec<int32_t> lane = {0, 1, 2, 3, 4, 5, 6, 7};
    return bits_as<__m256i>(lane < int32_t(n));
  } else {
    const Vec<int64_t> lane = {0, 1, 2, 3};
    return bits_as<__m256i>(lane < n);
  }
}
#endif

// The first n lanes, 0 <= n <= lanes; the others are 0.
template <class T>
CPU_INLINE Vec<T> load_n(const T* p, int64_t n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    return bits_as<Vec<T>>(_mm512_maskz_loadu_epi32(__mmask16(_bzhi_u32(0xffffu, unsigned(n))), p));
  } else if constexpr (sizeof(T) == 8) {
    return bits_as<Vec<T>>(_mm512_maskz_loadu_epi64(__mmask8(_bzhi_u32(0xffu, unsigned(n))), p));
  } else if constexpr (sizeof(T) == 2) {
    return bits_as<Vec<T>>(
        _mm512_maskz_loadu_epi16(__mmask32(_bzhi_u32(0xffffffffu, unsigned(n))), p));
  } else {
    return bits_as<Vec<T>>(_mm512_maskz_loadu_epi8(_bzhi_u64(~0ull, unsigned(n)), p));
  }
#else
  Vec<T> v{};
#if defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    return bits_as<Vec<T>>(
        _mm256_maskload_epi32(reinterpret_cast<const int*>(p), first_lanes<T>(n)));
  } else if constexpr (sizeof(T) == 8) {
    return bits_as<Vec<T>>(
        _mm256_maskload_epi64(reinterpret_cast<const long long*>(p), first_lanes<T>(n)));
  }
#endif
  copy_part<T, kVectorBytes>(&v, p, n);
  return v;
#endif
}

template <class T>
CPU_INLINE void store_n(T* p, Vec<T> v, int64_t n) {
#if defined(__AVX512F__)
  const __m512i x = bits_as<__m512i>(v);
  if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_epi32(p, __mmask16(_bzhi_u32(0xffffu, unsigned(n))), x);
  } else if constexpr (sizeof(T) == 8) {
    _mm512_mask_storeu_epi64(p, __mmask8(_bzhi_u32(0xffu, unsigned(n))), x);
  } else if constexpr (sizeof(T) == 2) {
    _mm512_mask_storeu_epi16(p, __mmask32(_bzhi_u32(0xffffffffu, unsigned(n))), x);
  } else {
    _mm512_mask_storeu_epi8(p, _bzhi_u64(~0ull, unsigned(n)), x);
  }
#else
#if defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    return _mm256_maskstore_epi32(reinterpret_cast<int*>(p), first_lanes<T>(n),
                                  bits_as<__m256i>(v));
  } else if constexpr (sizeof(T) == 8) {
    return _mm256_maskstore_epi64(reinterpret_cast<long long*>(p), first_lanes<T>(n),
                                  bits_as<__m256i>(v));
  }
#endif
  copy_part<T, kVectorBytes>(p, &v, n);
#endif
}

// The same where it is done often, n >= 0. AVX2's store by a mask takes 8 ns on some processors, a branch for each power of two 2.
template <class T>
CPU_INLINE void store_part(T* p, Vec<T> v, int64_t n) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  if constexpr (sizeof(T) >= 4) {
    if (n >= kLanes<T>) return store(p, v);
    const __m256i all = bits_as<__m256i>(v);
    __m128i part = _mm256_castsi256_si128(all);
    const int64_t bytes = n * int64_t(sizeof(T));
    if (bytes & 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), part);
      part = _mm256_extracti128_si256(all, 1);
      p += 16 / sizeof(T);
    }
    if (bytes & 8) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(p), part);
      part = _mm_unpackhi_epi64(part, part);
      p += 8 / sizeof(T);
    }
    if (bytes & 4) {
      const int last = _mm_cvtsi128_si32(part);
      __builtin_memcpy(p, &last, sizeof last);
    }
    return;
  }
#endif
  store_n(p, v, n);
}

// ---- masks

// Any lane set?
template <class M>
CPU_INLINE bool any_of(M mask) {
#if defined(__AVX512F__)
  if constexpr (sizeof(M) == 64) {
    const __m512i x = bits_as<__m512i>(mask);
    return _mm512_test_epi64_mask(x, x) != 0;
  }
#endif
#if defined(__AVX2__)
  if constexpr (sizeof(M) == 32) {
    const __m256i x = bits_as<__m256i>(mask);
    return _mm256_testz_si256(x, x) == 0;
  }
#endif
  uint64_t words[sizeof(M) / 8];
  __builtin_memcpy(words, &mask, sizeof mask);
  uint64_t all = 0;
  for (uint64_t w : words) all |= w;
  return all != 0;
}

// ---- arithmetic that the vector extension lacks

template <class V>
CPU_INLINE V vabs(V x) {
  using U = UintVec<V>;
  using E = ElementOf<U>;
  return bits_as<V>(bits_as<U>(x) & splat<U>(E(E(~E(0)) >> 1)));
}
template <class V>
CPU_INLINE V copy_sign(V magnitude, V sign) {
  using U = UintVec<V>;
  using E = ElementOf<U>;
  const U top = splat<U>(E(E(1) << (8 * sizeof(E) - 1)));
  return bits_as<V>((bits_as<U>(magnitude) & ~top) | (bits_as<U>(sign) & top));
}

// a * b + c, fused where the instruction set can.
template <class V>
CPU_INLINE V fma(V a, V b, V c) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return bits_as<V>(_mm512_fmadd_ps(bits_as<__m512>(a), bits_as<__m512>(b), bits_as<__m512>(c)));
  } else if constexpr (std::is_same_v<V, Vec<double>>) {
    return bits_as<V>(
        _mm512_fmadd_pd(bits_as<__m512d>(a), bits_as<__m512d>(b), bits_as<__m512d>(c)));
  }
#elif defined(__FMA__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return bits_as<V>(_mm256_fmadd_ps(bits_as<__m256>(a), bits_as<__m256>(b), bits_as<__m256>(c)));
  } else if constexpr (std::is_same_v<V, Vec<double>>) {
    return bits_as<V>(
        _mm256_fmadd_pd(bits_as<__m256d>(a), bits_as<__m256d>(b), bits_as<__m256d>(c)));
  }
#endif
  return a * b + c;
}
template <class V>
CPU_INLINE V fma(V a, V b, ElementOf<V> c) {
  return fma(a, b, splat<V>(c));
}

template <class V>
CPU_INLINE V vsqrt(V x) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return bits_as<V>(_mm512_sqrt_ps(bits_as<__m512>(x)));
  } else {
    return bits_as<V>(_mm512_sqrt_pd(bits_as<__m512d>(x)));
  }
#elif defined(__AVX2__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return bits_as<V>(_mm256_sqrt_ps(bits_as<__m256>(x)));
  } else {
    return bits_as<V>(_mm256_sqrt_pd(bits_as<__m256d>(x)));
  }
#elif defined(__SSE2__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return bits_as<V>(_mm_sqrt_ps(bits_as<__m128>(x)));
  } else {
    return bits_as<V>(_mm_sqrt_pd(bits_as<__m128d>(x)));
  }
#else
  for (int i = 0; i < kCount<V>; ++i) x[i] = std::sqrt(x[i]);
  return x;
#endif
}

// Half to even. Without a rounding instruction: by adding and taking off 2^23 (2^52), beyond which
// everything is whole.
template <class V>
CPU_INLINE V vround(V x) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return bits_as<V>(_mm512_roundscale_ps(bits_as<__m512>(x), 8));
  } else {
    return bits_as<V>(_mm512_roundscale_pd(bits_as<__m512d>(x), 8));
  }
#elif defined(__AVX2__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return bits_as<V>(_mm256_round_ps(bits_as<__m256>(x), 8));
  } else {
    return bits_as<V>(_mm256_round_pd(bits_as<__m256d>(x), 8));
  }
#else
  using E = ElementOf<V>;
  const V whole = splat<V>(sizeof(E) == 4 ? E(8388608.0) : E(4503599627370496.0));
  V y = vabs(x) + whole;
  // The compiler must not fold the pair of additions.
#if defined(__SSE2__)
  asm("" : "+x"(y));
#elif defined(__aarch64__)
  asm("" : "+w"(y));
#endif
  return copy_sign(select(vabs(x) < whole, y - whole, x), x);
#endif
}
template <class V>
CPU_INLINE V vfloor(V x) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return bits_as<V>(_mm512_roundscale_ps(bits_as<__m512>(x), 9));
  } else {
    return bits_as<V>(_mm512_roundscale_pd(bits_as<__m512d>(x), 9));
  }
#elif defined(__AVX2__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return bits_as<V>(_mm256_round_ps(bits_as<__m256>(x), 9));
  } else {
    return bits_as<V>(_mm256_round_pd(bits_as<__m256d>(x), 9));
  }
#else
  const V y = vround(x);
  return copy_sign(select(y > x, y - splat<V>(1), y), x);
#endif
}
template <class V>
CPU_INLINE V vceil(V x) {
  return -vfloor(-x);
}

// maximum and minimum of IEEE 754-2019: NaN if either is NaN, and -0 is less than +0. Equal numbers
// differ in the sign of a zero alone.
template <class V>
CPU_INLINE V vmax(V a, V b) {
  if constexpr (!std::is_floating_point_v<ElementOf<V>>) return select(a > b, a, b);
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    const __m512 x = bits_as<__m512>(a), y = bits_as<__m512>(b);
    return bits_as<V>(
        _mm512_mask_add_ps(_mm512_range_ps(x, y, 5), _mm512_cmp_ps_mask(x, y, _CMP_UNORD_Q), x, y));
  } else if constexpr (std::is_same_v<V, Vec<double>>) {
    const __m512d x = bits_as<__m512d>(a), y = bits_as<__m512d>(b);
    return bits_as<V>(
        _mm512_mask_add_pd(_mm512_range_pd(x, y, 5), _mm512_cmp_pd_mask(x, y, _CMP_UNORD_Q), x, y));
  }
#endif
  using U = UintVec<V>;
  const V equal = bits_as<V>(bits_as<U>(a) & bits_as<U>(b));
  return select(a != a, a, select(a == b, equal, select(a > b, a, b)));  // b where that is NaN
}
template <class V>
CPU_INLINE V vmin(V a, V b) {
  if constexpr (!std::is_floating_point_v<ElementOf<V>>) return select(a < b, a, b);
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    const __m512 x = bits_as<__m512>(a), y = bits_as<__m512>(b);
    return bits_as<V>(
        _mm512_mask_add_ps(_mm512_range_ps(x, y, 4), _mm512_cmp_ps_mask(x, y, _CMP_UNORD_Q), x, y));
  } else if constexpr (std::is_same_v<V, Vec<double>>) {
    const __m512d x = bits_as<__m512d>(a), y = bits_as<__m512d>(b);
    return bits_as<V>(
        _mm512_mask_add_pd(_mm512_range_pd(x, y, 4), _mm512_cmp_pd_mask(x, y, _CMP_UNORD_Q), x, y));
  }
#endif
  using U = UintVec<V>;
  const V equal = bits_as<V>(bits_as<U>(a) | bits_as<U>(b));
  return select(a != a, a, select(a == b, equal, select(a < b, a, b)));
}

// ---- halves: two vectors of double from one of float, and back

using F32 = Vec<float>;
using F64 = Vec<double>;
using FloatHalf = VecN<float, kLanes<double>>;

CPU_INLINE void widen(F32 x, F64* low, F64* high) {
  FloatHalf parts[2];
  __builtin_memcpy(parts, &x, sizeof x);
  *low = convert<F64>(parts[0]);
  *high = convert<F64>(parts[1]);
}
CPU_INLINE F32 narrow(F64 low, F64 high) {
  const FloatHalf parts[2] = {convert<FloatHalf>(low), convert<FloatHalf>(high)};
  F32 x;
  __builtin_memcpy(&x, parts, sizeof x);
  return x;
}

// ---- across lanes

template <class V>
CPU_INLINE ElementOf<V> sum_lanes(V v) {
  constexpr int n = kCount<V>;
  if constexpr (n == 1) {
    return v[0];
  } else {
    using H = VecN<ElementOf<V>, n / 2>;
    H parts[2];
    __builtin_memcpy(parts, &v, sizeof v);
    return sum_lanes(H(parts[0] + parts[1]));
  }
}
template <class V>
CPU_INLINE ElementOf<V> max_lanes(V v) {
  constexpr int n = kCount<V>;
  if constexpr (n == 1) {
    return v[0];
  } else {
    using H = VecN<ElementOf<V>, n / 2>;
    H parts[2];
    __builtin_memcpy(parts, &v, sizeof v);
    return max_lanes(vmax(parts[0], parts[1]));
  }
}
template <class V>
CPU_INLINE ElementOf<V> min_lanes(V v) {
  constexpr int n = kCount<V>;
  if constexpr (n == 1) {
    return v[0];
  } else {
    using H = VecN<ElementOf<V>, n / 2>;
    H parts[2];
    __builtin_memcpy(parts, &v, sizeof v);
    return min_lanes(vmin(parts[0], parts[1]));
  }
}

}  // namespace tenon::cpu::CPU_ISA

#endif
