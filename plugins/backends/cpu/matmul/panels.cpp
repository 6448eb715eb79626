#include "matmul/panels.hpp"

#include "matmul/transpose.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

namespace {

constexpr int kSide = int(kTileSide);
constexpr int64_t kStep = 2 * kTileBytes;  // bytes of a panel for kTileDepth numbers along k

void turn_tile(char* tile) { turn_square(reinterpret_cast<float*>(tile)); }

CPU_INLINE __mmask32 first_numbers(int64_t n) {
  return n >= 32 ? ~0u : n <= 0 ? 0u : _bzhi_u32(~0u, unsigned(n));
}

CPU_INLINE __m512i load_numbers(const bf16* p, __mmask32 mask) {
  return _mm512_maskz_loadu_epi16(mask, p);
}

// Lines along memory: one panel.
void pack_rows(char* to, const Lines<bf16>& v, bool turned) {
  for (int64_t p = 0; p < v.k; p += kTileDepth, to += kStep) {
    const __mmask32 there = first_numbers(v.k - p);
    const bf16* from = v.from + p;
    for (int64_t i = 0; i < kSquare; ++i, from += v.line)
      _mm512_store_si512(to + i * 64,
                         i < v.lines ? load_numbers(from, there) : _mm512_setzero_si512());
    if (!turned) continue;
    turn_tile(to);
    turn_tile(to + kTileBytes);
  }
}

// Lines across memory, those of `panels` panels at a time: a pair of numbers of each line is a word.
template <int panels>
void pack_pairs(char* to, int64_t panel, const Lines<bf16>& v, bool turned) {
  alignas(64) static constexpr int16_t kLeft[32] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                                    37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                                    11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
  const __m512i left = _mm512_load_si512(kLeft);
  const __m512i right = _mm512_add_epi16(left, _mm512_set1_epi16(kSide));
  const bf16* from = v.from;
  for (int64_t p = 0; p < v.k; p += kTileDepth, to += kStep) {
    for (int64_t r = 0; r < kTileDepth; r += 2, from += 2 * v.along) {
#pragma GCC unroll 2
      for (int64_t q = 0; q < panels; ++q) {
        const __mmask32 there = first_numbers(v.lines - q * kSquare);
        __m512i x = _mm512_setzero_si512(), y = x;
        if (p + r < v.k) x = load_numbers(from + q * kSquare, there);
        if (p + r + 1 < v.k) y = load_numbers(from + q * kSquare + v.along, there);
        char* at = to + q * panel + r * 32;
        _mm512_store_si512(at, _mm512_permutex2var_epi16(x, left, y));
        _mm512_store_si512(at + kTileBytes, _mm512_permutex2var_epi16(x, right, y));
      }
    }
    if (turned) continue;
    for (int64_t q = 0; q < panels; ++q) {
      turn_tile(to + q * panel);
      turn_tile(to + q * panel + kTileBytes);
    }
  }
}

}  // namespace

void pack_panels(char* to, int64_t panel, const Lines<bf16>& lines, bool turned) {
  Lines<bf16> v = lines;
  while (v.lines > 0) {
    int64_t panels = 1;
    if (v.along == 1) {
      pack_rows(to, v, turned);
    } else if (v.lines > kSquare) {
      pack_pairs<2>(to, panel, v, turned);
      panels = 2;
    } else {
      pack_pairs<1>(to, panel, v, turned);
    }
    v.from += panels * kSquare * v.line;
    v.lines -= panels * kSquare;
    to += panels * panel;
  }
}

#else
void pack_panels(char*, int64_t, const Lines<bf16>&, bool) {}
#endif

}  // namespace tenon::cpu::CPU_ISA
