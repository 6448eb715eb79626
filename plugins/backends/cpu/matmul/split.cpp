#include "matmul/split.hpp"

#include "matmul/panels.hpp"
#include "matmul/splitter.hpp"
#include "matmul/transpose.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

namespace {

constexpr int kSide = int(kTileSide);

// Into the second-level cache; there may be nothing at p.
template <class T>
CPU_INLINE void prefetch(const T* from, int64_t ahead) {
  const auto at = reinterpret_cast<uintptr_t>(from) + uintptr_t(ahead) * sizeof(T);
  _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
}

void turn_tile(char* tile) { turn_square(reinterpret_cast<float*>(tile)); }

// One tile of each part, `to` being that of the first: 16 lines by kTileDepth numbers, of which there are `lines` and k.
// Lines along memory: rows are lines.
template <int parts, class T>
CPU_INLINE void split_rows(Splitter<parts>& split, char* to, const T* from, int64_t line,
                           int64_t lines, int64_t k) {
  const __mmask16 left = first_lanes(k), right = first_lanes(k - kSide);
  for (int64_t i = 0; i < kSide; ++i, from += line) {
    __m512i x[parts] = {}, y[parts] = {};
    if (i < lines) {
      split(load_wide(from, left), x);
      split(load_wide(from + kSide, right), y);
      prefetch(from, kSquare * line);
      prefetch(from + kSide, kSquare * line);
    }
#pragma GCC unroll 4
    for (int q = 0; q < parts; ++q)
      _mm512_store_si512(to + q * 2 * kTileBytes + i * 64, join_halves(x[q], y[q]));
  }
}

// Lines across memory: rows are pairs of numbers.
template <int parts, class T>
CPU_INLINE void split_pairs(Splitter<parts>& split, char* to, const T* from, int64_t along,
                            int64_t lines, int64_t k) {
  const __mmask16 there = first_lanes(lines);
  for (int64_t p = 0; p < kTileDepth; p += 2, from += 2 * along) {
    __m512i x[parts] = {}, y[parts] = {};
    if (p < k) split(load_wide(from, there), x);
    if (p + 1 < k) split(load_wide(from + along, there), y);
    prefetch(from, kSquare);
    prefetch(from + along, kSquare);
#pragma GCC unroll 4
    for (int q = 0; q < parts; ++q)
      _mm512_store_si512(to + q * 2 * kTileBytes + p * 32, pair_halves(x[q], y[q]));
  }
}

template <int parts, class T>
ExponentRange split_panel(char* to, const Lines<T>& v, bool turned) {
  Splitter<parts> split;
  const bool rows = v.along == 1;
  for (int64_t p = 0; p < v.k; p += kTileDepth, to += parts * 2 * kTileBytes) {
    for (int64_t half = 0; half < 2; ++half) {
      char* tile = to + half * kTileBytes;
      const T* from = v.from + half * kTileSide * v.line + p * v.along;
      const int64_t lines = v.lines - half * kTileSide;
      if (rows)
        split_rows<parts>(split, tile, from, v.line, lines, v.k - p);
      else
        split_pairs<parts>(split, tile, from, v.along, lines, v.k - p);
      if (rows == turned)
        for (int q = 0; q < parts; ++q) turn_tile(tile + q * 2 * kTileBytes);
    }
  }
  return split.range();
}

}  // namespace

template <class T>
ExponentRange pack_split(char* to, const Lines<T>& lines, int parts, bool turned) {
  if constexpr (std::is_same_v<T, bf16>) {
    pack_panels(to, 0, lines, turned);
    return {127, 127};
  } else {
    return parts == 1   ? split_panel<1>(to, lines, turned)
           : parts == 2 ? split_panel<2>(to, lines, turned)
                        : split_panel<3>(to, lines, turned);
  }
}

void join_split(float* to, const char* panel, int64_t k, int parts) {
  const __m512i upper = _mm512_set1_epi32(int(0xffff0000u));
  for (int64_t p = 0; p < k; p += kTileDepth, panel += parts * 2 * kTileBytes) {
    for (int64_t r = 0; r < kTileSide; ++r) {
      for (int64_t half = 0; half < 2; ++half) {
        __m512 even = _mm512_setzero_ps(), odd = even;
        for (int q = parts; q-- > 0;) {  // small ones first: each sum is exact
          const __m512i pairs = _mm512_load_si512(panel + (q * 2 + half) * kTileBytes + r * 64);
          even = _mm512_add_ps(even, _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)));
          odd = _mm512_add_ps(odd, _mm512_castsi512_ps(_mm512_and_si512(pairs, upper)));
        }
        float* at = to + (p + 2 * r) * kSquare + half * kTileSide;
        _mm512_storeu_ps(at, even);
        _mm512_storeu_ps(at + kSquare, odd);
      }
    }
  }
}

#else
template <class T>
ExponentRange pack_split(char*, const Lines<T>&, int, bool) {
  return {};
}
void join_split(float*, const char*, int64_t, int) {}
#endif

template ExponentRange pack_split<float>(char*, const Lines<float>&, int, bool);
template ExponentRange pack_split<f16>(char*, const Lines<f16>&, int, bool);
template ExponentRange pack_split<bf16>(char*, const Lines<bf16>&, int, bool);

}  // namespace tenon::cpu::CPU_ISA
