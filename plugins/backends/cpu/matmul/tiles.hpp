// The AMX tile registers, and sums of products of bf16 numbers in them.
#ifndef TENON_CPU_MATMUL_TILES_HPP_
#define TENON_CPU_MATMUL_TILES_HPP_
#include "kernels/simd.hpp"

namespace tenon::cpu::CPU_ISA {

inline constexpr int64_t kTileBytes = 1024;        // 16 rows of 64 bytes
inline constexpr int64_t kTileSide = 16;           // f32 numbers of a tile of sums, each way
inline constexpr int64_t kTileDepth = 32;          // bf16 numbers of a row
inline constexpr int64_t kSquare = 2 * kTileSide;  // sums that are computed together, each way

#if defined(__AVX512BW__)
// AMX is beyond what the file is compiled for: instructions as text.
struct TileRegisters {
  TileRegisters() {
    struct alignas(64) {
      uint8_t palette = 1, start = 0, none[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } config;
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  ~TileRegisters() { asm volatile("tilerelease"); }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;
};
#endif

// How many parts a number has, and which of them are multiplied: all of one; of two those whose indices add up to less than 2, or
// all; of three those whose indices add up to less than 3.
enum class Products : int { one = 0, three = 1, four = 2, six = 3 };
constexpr int parts_of(Products products) {
  return products == Products::one ? 1 : products == Products::six ? 3 : 2;
}

// One square of C, of packed panels of A and B (split.hpp) of `steps` steps. Needs TileRegisters.
struct SquareProduct {
  const char* a;
  const char* b;
  int64_t steps;
  Products products;
  bool tall, wide;  // more than kTileSide rows, columns; else the others are not touched
  float* c;
  int64_t c_row;
  bool accumulate;
};
void multiply_square(const SquareProduct& p);

// One square of sums over `outer` times `inner` steps of kTileDepth, of tiles whose rows lie a_row (b_row) bytes apart, the parts of
// a row beside one another. A step's first tile of A is at a + o * a_outer + at[i], of B at b + step * b_step; the lower tile
// of A and the right one of B are a_lower, b_right behind. Not for four products. Needs
// TileRegisters.
struct StepsProduct {
  const char *a, *b;
  int64_t a_row, b_row, a_lower, b_right;
  int64_t outer, inner, a_outer, b_step;
  const int64_t* at;
  Products products;
  bool tall, wide;
  float* c;  // kSquare numbers a row, dense
};
void multiply_steps(const StepsProduct& p);

}  // namespace tenon::cpu::CPU_ISA
#endif
