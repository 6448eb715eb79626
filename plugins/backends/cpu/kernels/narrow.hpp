// Conversions of narrow dtypes to what is computed in, and back, in runs.
#ifndef TENON_CPU_NARROW_HPP_
#define TENON_CPU_NARROW_HPP_
#include <tenon/sdk/dtype.hpp>

#include "simd.hpp"

namespace tenon::cpu::CPU_ISA {

using sdk::bf16;
using sdk::f16;

CPU_INLINE void f16_to_f32(float* to, const uint16_t* from, int64_t n) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16) {
    _mm512_storeu_ps(
        to + i, _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i))));
  }
#elif defined(__F16C__)
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(to + i,
                     _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
  }
#endif
  for (; i < n; ++i) to[i] = float(f16::from_bits(from[i]));
}

CPU_INLINE void f32_to_f16(uint16_t* to, const float* from, int64_t n) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= n; i += 16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm512_cvtps_ph(_mm512_loadu_ps(from + i), 0));
  }
#elif defined(__F16C__)
  for (; i + 8 <= n; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(from + i), 0));
  }
#endif
  for (; i < n; ++i) to[i] = f16(from[i]).bits;
}

CPU_INLINE void bf16_to_f32(float* to, const uint16_t* from, int64_t n) {
  using Half = VecN<uint16_t, kLanes<float>>;
  int64_t i = 0;
  for (; i + kLanes<float> <= n; i += kLanes<float>) {
    store(to + i, convert<Vec<uint32_t>>(load_as<Half>(from + i)) << 16);
  }
  for (; i < n; ++i) to[i] = bits_as<float>(uint32_t(from[i]) << 16);
}

CPU_INLINE Vec<uint32_t> round_to_bf16(F32 x) {
  const Vec<uint32_t> u = bits_as<Vec<uint32_t>>(x);
  const Vec<uint32_t> rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return select(x != x, (u >> 16 & 0x8000) | 0x7fc0, rounded);
}

CPU_INLINE void f32_to_bf16(uint16_t* to, const float* from, int64_t n) {
  using Half = VecN<uint16_t, kLanes<float>>;
  int64_t i = 0;
  for (; i + kLanes<float> <= n; i += kLanes<float>) {
    store(to + i, convert<Half>(round_to_bf16(load(from + i))));
  }
  for (; i < n; ++i) to[i] = bf16(from[i]).bits;
}

template <class To, class From>
void convert_run(void* to, const void* from, int64_t n) {
  if constexpr (std::is_same_v<To, float> && std::is_same_v<From, f16>) {
    f16_to_f32(static_cast<float*>(to), static_cast<const uint16_t*>(from), n);
  } else if constexpr (std::is_same_v<To, f16> && std::is_same_v<From, float>) {
    f32_to_f16(static_cast<uint16_t*>(to), static_cast<const float*>(from), n);
  } else if constexpr (std::is_same_v<To, float> && std::is_same_v<From, bf16>) {
    bf16_to_f32(static_cast<float*>(to), static_cast<const uint16_t*>(from), n);
  } else if constexpr (std::is_same_v<To, bf16> && std::is_same_v<From, float>) {
    f32_to_bf16(static_cast<uint16_t*>(to), static_cast<const float*>(from), n);
  } else {
    To* y = static_cast<To*>(to);
    const From* x = static_cast<const From*>(from);
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<To>(x[i]);
  }
}

}  // namespace tenon::cpu::CPU_ISA

#endif
