#include "attention/tiles.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

namespace {

// Nanoseconds as measured: of a pair of a query and a key, of a multiplication for it, and of a number
// that is packed or written.
struct Cost {
  double pair, product, number;
};
constexpr Cost kForward[2] = {{0.3, 0.0108, 0.15}, {0.3, 0.0051, 0.36}};
constexpr Cost kBackward[2] = {{0.78, 0.0111, 0.15}, {0.9, 0.0071, 0.63}};

double cost_of(const Problem& p, bool backward, bool tiles) {
  const Cost& c = (backward ? kBackward : kForward)[tiles];
  const auto whole = [&](int64_t n, int64_t of) { return double(tiles ? round_up(n, of) : n); };
  const double width = whole(p.width, kTileDepth), out = whole(p.out, kTileSide);
  const double pairs = whole(p.rows, kTileSide) * whole(p.keys, kSquare) * (p.causal ? 0.5 : 1.0);
  const double numbers = backward ? double(p.keys + p.rows) * double(p.width + p.out)
                                  : double(p.keys * (p.width + p.out) + p.rows * p.width);
  return pairs * (c.pair + c.product * (backward ? 3 * width + 2 * out : width + out)) +
         numbers * c.number;
}

}  // namespace

bool tiles_worth(const Problem& p, bool backward) {
  if (!p.device->amx_bf16 || !p.device->avx512_bf16 || p.rows < 8 || p.keys < kTileSide)
    return false;
  return p.narrow || cost_of(p, backward, true) < cost_of(p, backward, false);
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
bool tiles_worth(const Problem&, bool) { return false; }
#endif

}  // namespace tenon::cpu::CPU_ISA
