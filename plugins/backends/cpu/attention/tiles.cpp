#include "attention/tiles.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

bool tiles_worth(const Problem& p) {
  // Measured: of f32, splitting keys and values costs what so many rows gain.
  return p.device->amx_bf16 && p.device->avx512_bf16 && p.rows >= (p.narrow ? 8 : 32) &&
         p.keys >= kTileSide && p.width + p.out >= 2 * kTileSide;
}

template <class T>
ExponentRange pack_rows(char* to, const T* x, int64_t row, int64_t n, int64_t width, bool turned) {
  ExponentRange range;
  for (int64_t i = 0; i < n; i += kSquare, to += panel_bytes(width, kParts<T>)) {
    const Lines<T> lines{x + i * row, row, 1, smaller(kSquare, n - i), width};
    range = both(range, pack_split(to, lines, kParts<T>, turned));
  }
  return range;
}

template <class T>
ExponentRange pack_columns(char* to, const T* x, int64_t row, int64_t n, int64_t width,
                           bool turned) {
  ExponentRange range;
  for (int64_t i = 0; i < width; i += kSquare, to += panel_bytes(n, kParts<T>)) {
    const Lines<T> lines{x + i, 1, row, smaller(kSquare, width - i), n};
    range = both(range, pack_split(to, lines, kParts<T>, turned));
  }
  return range;
}

ExponentRange exponents(const Problem& p, const Operand& o, const float* x, int64_t unit,
                        int64_t width) {
  x += p.offset(o, unit);
  Splitter<1> split;
  __m512i unused[1];
  for (int64_t r = 0; r < p.rows; ++r) {
    const float* row = x + p.offset_of_row(o, r);
    for (int64_t e = 0; e < width; e += kTileSide)
      split(load_wide(row + e, first_lanes(width - e)), unused);
  }
  return split.range();
}

template ExponentRange pack_rows<float>(char*, const float*, int64_t, int64_t, int64_t, bool);
template ExponentRange pack_rows<bf16>(char*, const bf16*, int64_t, int64_t, int64_t, bool);
template ExponentRange pack_columns<float>(char*, const float*, int64_t, int64_t, int64_t, bool);
template ExponentRange pack_columns<bf16>(char*, const bf16*, int64_t, int64_t, int64_t, bool);

#else
bool tiles_worth(const Problem&) { return false; }
#endif

}  // namespace tenon::cpu::CPU_ISA
