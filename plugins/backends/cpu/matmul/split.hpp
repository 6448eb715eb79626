// Numbers as sums of bf16 numbers, packed for AMX tiles: x = x0 + x1 + x2, each the rest rounded. Three hold every f32 number
// that is not so small that x2 would be denormal, two hold every f16 number.
#ifndef TENON_CPU_MATMUL_SPLIT_HPP_
#define TENON_CPU_MATMUL_SPLIT_HPP_
#include "matmul/tiles.hpp"

namespace tenon::cpu::CPU_ISA {

// Exponents of the smallest and the largest number of a panel as they are stored in f32; zeros do not count.
struct ExponentRange {
  int least = 254, most = 0;
};

// Whether sums of products of two such panels, at most 2^log_terms long, are as good by parts as in f32: nothing is Inf, NaN or
// becomes Inf on the way, and what a tile makes 0 because it is denormal is below 2^-24 of the product that it belongs to.
inline bool splits_well(ExponentRange a, ExponentRange b, int log_terms = 10) {
  constexpr int bias = 127, digits = 23;
  return a.most < 254 && b.most < 254 && a.most + b.most < 2 * bias + 124 - log_terms &&
         a.least > digits && b.least > digits && a.least + b.least > 2 * bias - 126 + digits;
}

// Whether the parts of such a panel add up to its numbers.
inline bool adds_up(ExponentRange r) { return r.most < 254 && r.least > 23; }

// What is packed: kSquare lines of A (rows) or of B (columns) along k. Number p of line i is from[i * line + p * along]; line or
// along is 1. Lines past `lines` and numbers past k are 0.
template <class T>
struct Lines {
  const T* from;
  int64_t line, along;
  int64_t lines, k;
};

constexpr int64_t panel_steps(int64_t k) { return (k + kTileDepth - 1) / kTileDepth; }
// By steps of kTileDepth: part after part two tiles, of half the lines each. A tile has a row of pairs of numbers for each line,
// or (turned: that is how B is wanted) a row of pairs of all lines for each two numbers.
constexpr int64_t panel_bytes(int64_t k, int parts) {
  return panel_steps(k) * parts * 2 * kTileBytes;
}

// T: float or f16; bf16 in one part only, of which nothing is said (any number is as good as in f32 but for denormal ones).
template <class T>
ExponentRange pack_split(char* to, const Lines<T>& lines, int parts, bool turned);

// The numbers of a panel of B that adds up: to[p * kSquare + j], for k rounded up to kTileDepth.
void join_split(float* to, const char* panel, int64_t k, int parts);

}  // namespace tenon::cpu::CPU_ISA
#endif
