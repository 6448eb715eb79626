// Vectors of numbers as parts in bf16, for what packs them (split.cpp, conv/tile_*.cpp).
#ifndef TENON_CPU_MATMUL_SPLITTER_HPP_
#define TENON_CPU_MATMUL_SPLITTER_HPP_
#include "kernels/narrow.hpp"
#include "matmul/split.hpp"

#if defined(__AVX512BW__)
namespace tenon::cpu::CPU_ISA {

CPU_INLINE __mmask16 first_lanes(int64_t n) {
  return __mmask16(n >= kTileSide ? 0xffffu : n <= 0 ? 0u : _bzhi_u32(0xffffu, unsigned(n)));
}

// 16 numbers as f32; what the mask leaves out is 0 and not read.
template <class T>
CPU_INLINE __m512 load_wide(const T* p, __mmask16 mask) {
  if constexpr (std::is_same_v<T, float>) {
    return _mm512_maskz_loadu_ps(mask, p);
  } else if constexpr (std::is_same_v<T, f16>) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, p));
  } else {
    const __m512i x = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(x, 16));
  }
}

// The parts of 16 numbers, each in the upper half of its lane. Half of the last place goes away from zero.
template <int parts>
struct Splitter {
  __m512i most = _mm512_setzero_si512(), least = _mm512_set1_epi32(-1);

  CPU_INLINE void operator()(__m512 x, __m512i* out) {
    const __m512i half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32(int(0xffff0000u));
    const __m512i size = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));
    most = _mm512_max_epu32(most, size);
    least = _mm512_min_epu32(least, _mm512_sub_epi32(size, _mm512_set1_epi32(1)));
#pragma GCC unroll 4
    for (int q = 0; q < parts; ++q) {
      const __m512i bits = _mm512_castps_si512(x);
      out[q] = q == 2 ? bits : _mm512_and_si512(_mm512_add_epi32(bits, half), upper);
      x = _mm512_sub_ps(x, _mm512_castsi512_ps(out[q]));
    }
  }

  ExponentRange range() const {
    const uint32_t small = _mm512_reduce_min_epu32(least) + 1;
    return {small ? int(small >> 23) : 254, int(_mm512_reduce_max_epu32(most) >> 23)};
  }
};

// The upper halves of x, then those of y.
CPU_INLINE __m512i join_halves(__m512i x, __m512i y) {
  alignas(64) static constexpr int16_t kUpper[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21,
                                                     23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43,
                                                     45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
  return _mm512_permutex2var_epi16(x, _mm512_load_si512(kUpper), y);
}
// Lane by lane, the upper half of x and that of y.
CPU_INLINE __m512i pair_halves(__m512i x, __m512i y) {
  return _mm512_mask_blend_epi16(0xaaaaaaaau, _mm512_srli_epi32(x, 16), y);
}

}  // namespace tenon::cpu::CPU_ISA
#endif
#endif
