#include "matmul/split.hpp"

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

void turn_tile(char* tile) {
  auto* words = reinterpret_cast<float*>(tile);
  Vec<float> rows[kSide];
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) rows[i] = load(words + i * kSide);
  transpose_lanes<float>(rows);
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) store(words + i * kSide, rows[i]);
}

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

// bf16 as it is.
void copy_panel(char* to, const Lines<bf16>& v, bool turned) {
  alignas(64) static constexpr int16_t kLeft[32] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                                    37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                                    11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
  const __m512i left = _mm512_load_si512(kLeft);
  const __m512i right = _mm512_add_epi16(left, _mm512_set1_epi16(kSide));
  const bool rows = v.along == 1;
  for (int64_t p = 0; p < v.k; p += kTileDepth, to += 2 * kTileBytes) {
    const bf16* from = v.from + p * v.along;
    const int64_t k = v.k - p < kTileDepth ? v.k - p : kTileDepth;
    const __mmask32 there = _bzhi_u32(~0u, unsigned(rows ? k : v.lines));
    if (rows) {
      for (int64_t i = 0; i < kSquare; ++i, from += v.line)
        _mm512_store_si512(to + i * 64, i < v.lines ? _mm512_maskz_loadu_epi16(there, from)
                                                    : _mm512_setzero_si512());
    } else {
      for (int64_t r = 0; r < kTileDepth; r += 2, from += 2 * v.along) {
        __m512i x = _mm512_setzero_si512(), y = x;
        if (r < k) x = _mm512_maskz_loadu_epi16(there, from);
        if (r + 1 < k) y = _mm512_maskz_loadu_epi16(there, from + v.along);
        _mm512_store_si512(to + r * 32, _mm512_permutex2var_epi16(x, left, y));
        _mm512_store_si512(to + r * 32 + kTileBytes, _mm512_permutex2var_epi16(x, right, y));
      }
    }
    if (rows == turned) {
      turn_tile(to);
      turn_tile(to + kTileBytes);
    }
  }
}

}  // namespace

template <class T>
ExponentRange pack_split(char* to, const Lines<T>& lines, int parts, bool turned) {
  if constexpr (std::is_same_v<T, bf16>) {
    copy_panel(to, lines, turned);
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
