// What attention on AMX tiles has in common: bf16 as it is, f32 as sums of three bf16 numbers
// (matmul/split.hpp). Rows come by kSquare. All is kept in f32 but for the operands of products.
#ifndef TENON_CPU_ATTENTION_TILES_HPP_
#define TENON_CPU_ATTENTION_TILES_HPP_
#include <limits>

#include "attention/scores.hpp"
#include "kernels/vmath.hpp"
#include "matmul/splitter.hpp"
#include "matmul/transpose.hpp"

namespace tenon::cpu::CPU_ISA {

// Whether the device has the tiles and they are faster.
bool tiles_worth(const Problem& p, bool backward);

#if defined(__AVX512BW__)

template <class T>
inline constexpr int kParts = std::is_same_v<T, bf16> ? 1 : 3;
template <class T>
inline constexpr Products kProductsOf = kParts<T> == 1 ? Products::one : Products::six;

// n rows as lines, one panel for each kSquare of them.
template <class T>
ExponentRange pack_rows(char* to, const T* x, int64_t row, int64_t n, int64_t width, bool turned);
// Columns as lines, one panel for each kSquare of them, along n rows.
template <class T>
ExponentRange pack_columns(char* to, const T* x, int64_t row, int64_t n, int64_t width,
                           bool turned);
template <class T>
constexpr int64_t lines_bytes(int64_t lines, int64_t k) {
  return ceil_div(lines, kSquare) * panel_bytes(k, kParts<T>);
}
inline ExponentRange both(ExponentRange a, ExponentRange b) {
  return {a.least < b.least ? a.least : b.least, a.most > b.most ? a.most : b.most};
}

// Of all rows of a unit.
ExponentRange exponents(const Problem& p, const Operand& o, const float* x, int64_t unit,
                        int64_t width);

// Rows begin .. end, `row` apart: where they lie, or copied to `to` where they are of several heads.
template <class T>
struct Rows {
  const T* data;
  int64_t row;

  Rows(const Problem& p, const Operand& o, const T* unit, int64_t begin, int64_t end, int64_t width,
       T* to)
      : data(unit + p.offset_of_row(o, begin)), row(o.row) {
    if (begin / p.queries == (end - 1) / p.queries) return;
    for (int64_t r = begin; r < end; ++r)
      std::memcpy(to + (r - begin) * width, unit + p.offset_of_row(o, r),
                  size_t(width) * sizeof(T));
    data = to;
    row = width;
  }
};

// What products of queries and keys have to be multiplied by. Where the exponentials cannot do that
// (a bias is added between, or the greatest would become the least), it is done before.
struct ScoreFactor {
  float before = 1, then = 1;
  explicit ScoreFactor(const Problem& p) {
    const float factor = p.scale * kLog2e;
    const bool early = p.mask_kind == MaskKind::bias || !(factor > 0);
    if (early) {
      before = factor;
    } else {
      constexpr float most = std::numeric_limits<float>::max();  // 0 times infinity is no number
      then = factor < most ? factor : most;
    }
  }
};
// Lane by lane the greatest of n scores, which divides by kSquare; those past the first `seen` become
// -infinity.
CPU_INLINE F32 greatest(float* s, int64_t seen, int64_t n) {
  const F32 none = splat<F32>(-kInf);
  F32 a = none, b = none;
  int64_t j = 0;
  for (; j + kSquare <= seen; j += kSquare) {
    const F32 x = load(s + j), y = load(s + j + kTileSide);
    a = select(x > a, x, a);
    b = select(y > b, y, b);
  }
  for (; j < n; j += kTileSide) {
    const F32 x =
        bits_as<F32>(_mm512_mask_loadu_ps(bits_as<__m512>(none), first_lanes(seen - j), s + j));
    store(s + j, x);
    a = select(x > a, x, a);
  }
  return select(a > b, a, b);
}
// mask_scores for products: what can be the greatest of a row is in some lane of it. n divides by
// kSquare.
inline F32 finish_scores(const Problem& p, const UnitMask& mask, ScoreFactor factor, int64_t row,
                         int64_t key, int64_t n, float* s) {
  if (factor.before != 1)
    for (int64_t j = 0; j < n; j += kLanes<float>) store(s + j, load(s + j) * factor.before);
  if (p.mask_kind == MaskKind::none)
    return greatest(s, smaller(n, larger(0, p.limit(row) - key)), n);
  return splat<F32>(mask_scores(p, mask, row, key, n, s));
}
// Of each of 16 vectors the greatest lane.
CPU_INLINE F32 greatest_of_each(F32 (&x)[kTileSide]) {
  transpose_lanes<float>(x);
#pragma GCC unroll 4
  for (int step = 8; step > 0; step /= 2)
#pragma GCC unroll 8
    for (int i = 0; i < step; ++i) x[i] = select(x[i] > x[i + step], x[i], x[i + step]);
  return x[0];
}

// 2^x for x <= 0, something below 2^-126 from there on, and 0 from -127 on. NaN must be put back: an
// integer is added to it. With 16 bits or with all.
template <int parts>
CPU_INLINE F32 power_of_number(F32 x) {
  const F32 y = bits_as<F32>(_mm512_max_ps(_mm512_set1_ps(-127.0f), bits_as<__m512>(x)));
  if constexpr (parts > 1) {
    return vexp2_moderate(y);
  } else {
    const F32 magic = splat<F32>(12582912.0f);
    const F32 shifted = y + magic;
    const F32 r = y - (shifted - magic);
    const float c[] = {1.0f, 0.693124188f, 0.240240986f, 0.0559064688f, 0.00958286981f};
    return bits_as<F32>(bits_as<U32>(polynomial(r, c)) + (bits_as<U32>(shifted) << 23));
  }
}
// 2^(times (score - top)): the difference first, so that it is 0 for the greatest and never above.
template <int parts>
CPU_INLINE F32 power(F32 score, F32 top, F32 times) {
  const F32 x = (score - top) * times;
  return select(x != x, x, power_of_number<parts>(x));
}

// 32 numbers of two vectors as parts, cut and not rounded where there are several: then nothing is
// left over.
template <int parts>
struct Pieces {
  __m512i x[parts], y[parts];

  CPU_INLINE Pieces(F32 a, F32 b) {
    if constexpr (parts == 1) {
      x[0] = bits_as<__m512i>(a);
      y[0] = bits_as<__m512i>(b);
      return;
    }
    const U32 upper = splat<U32>(0xffff0000u);
#pragma GCC unroll 4
    for (int q = 0; q < parts; ++q) {
      const U32 of_a = bits_as<U32>(a) & upper, of_b = bits_as<U32>(b) & upper;
      x[q] = bits_as<__m512i>(of_a);
      y[q] = bits_as<__m512i>(of_b);
      a -= bits_as<F32>(of_a);
      b -= bits_as<F32>(of_b);
    }
  }
  // The first 16, then the others.
  CPU_INLINE __m512i joined(int q) const {
    if constexpr (parts > 1) return join_halves(x[q], y[q]);
    __m512i out;
    asm("vcvtne2ps2bf16 %1, %2, %0" : "=v"(out) : "v"(x[q]), "v"(y[q]));
    return out;
  }
  // One of the first 16, one of the others and so on.
  CPU_INLINE __m512i paired(int q) const {
    if constexpr (parts > 1) return pair_halves(x[q], y[q]);
    alignas(64) static constexpr int16_t kTurns[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                       21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                       11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return _mm512_permutexvar_epi16(_mm512_load_si512(kTurns), joined(q));
  }
};
template <int parts>
CPU_INLINE void store_parts(char* to, const Pieces<parts>& pieces, bool pairs) {
#pragma GCC unroll 4
  for (int q = 0; q < parts; ++q)
    _mm512_store_si512(to + q * 2 * kTileBytes, pairs ? pieces.paired(q) : pieces.joined(q));
}
// The first n of 16 numbers, as T; denormal numbers of bf16 become 0.
template <class T>
CPU_INLINE void store_as(T* to, F32 x, int64_t n) {
  if constexpr (std::is_same_v<T, float>) {
    _mm512_mask_storeu_ps(to, first_lanes(n), bits_as<__m512>(x));
  } else {
    __m256i rounded;
    asm("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(x));
    _mm256_mask_storeu_epi16(to, first_lanes(n), rounded);
  }
}
// n numbers times a factor.
template <class T>
CPU_INLINE void write_row(T* to, const float* from, int64_t n, float factor) {
  for (int64_t e = 0; e < n; e += kTileSide) store_as(to + e, load(from + e) * factor, n - e);
}
// Where line i of a packed panel begins, and its step s.
template <int parts>
CPU_INLINE char* line_of(char* panel, int64_t i, int64_t s) {
  return panel + s * parts * 2 * kTileBytes + i * 64;  // the second tile follows the first
}

#endif

}  // namespace tenon::cpu::CPU_ISA
#endif
