// Register tiles of the matrix product: the innermost loops, one function per tile height, width and layout of A.
#ifndef TENON_CPU_MATMUL_MICRO_HPP_
#define TENON_CPU_MATMUL_MICRO_HPP_
#include "kernels/simd.hpp"

namespace tenon::cpu::CPU_ISA {

// C[i][j] (+)= sum over p < k of A(i, p) * B(p, j) + bias[j], for i < height of the function, j < n.
//   A(i, p) is a[i * a_stride + p] in functions "by rows", a[i + p * a_stride] in those "by columns".
//   B(p, j) is b[p * b_stride + j]; C[i][j] is c[i * c_stride + j].
template <class T>
struct Tile {
  const T* a;
  const T* b;
  T* c;
  const T* bias;  // null: none. Only where accumulate is 0.
  int64_t k;
  int64_t a_stride;
  int64_t b_stride;
  int64_t c_stride;
  int32_t n;                        // 1 .. width of the function
  int32_t accumulate;               // 1: add to C
  const int64_t* b_rows = nullptr;  // functions "by offsets" only: B(p, j) is b[b_rows[p] + j]
};
template <class T>
using TileFunction = void (*)(const Tile<T>&);

// Rows of the tallest tile: as many as keep the registers busy; fewer for double, where half of that is enough, to save code.
template <class T>
#if defined(__AVX512F__)
inline constexpr int kTileRows = sizeof(T) == 4 ? 14 : 8;
#elif defined(__AVX2__) || defined(__aarch64__)
inline constexpr int kTileRows = sizeof(T) == 4 ? 6 : 4;
#else
inline constexpr int kTileRows = 4;
#endif
inline constexpr int kTileVectors = 2;
template <class T>
inline constexpr int kTileCols = kTileVectors* kLanes<T>;

enum class ALayout : int { rows = 0, columns = 1 };

// Function of a tile of `rows` (1 .. kTileRows<T>) and n columns (1..kTileCols).
template <class T>
TileFunction<T> tile_function(ALayout layout, int rows, int n);

// The same by rows of A and by offsets of B, for n = kLanes<T> or kTileCols<T> whole columns, without bias and accumulate.
template <class T>
TileFunction<T> tile_function_by_offsets(int rows, int n);

// Packs B(p, j) = from[p * row + j * col], p < k, j < n, into to[p * kTileCols + j]; the last vector that n
// reaches into is filled up with zeros.
template <class T>
void pack_b_panel(T* to, const T* from, int64_t row, int64_t col, int64_t k, int64_t n);

// Packs A(i, p) = from[i * row + p * col], i < m <= kTileRows<T>, p < k, into to[p * m + i]; may write a vector past that.
template <class T>
void pack_a_panel(T* to, const T* from, int64_t row, int64_t col, int64_t m, int64_t k);

// y[j] (+)= sum over p < k of x[p * x_stride] * b[p * b_stride + j], j < n: one row times a row-major matrix.
template <class T>
void row_times_matrix(T* y, const T* x, int64_t x_stride, const T* b, int64_t b_stride, int64_t k,
                      int64_t n, bool accumulate);

// C[i][j] = sum over p < k of a[i * a_stride + p] * b[j * b_stride + p] + bias[j], i < m, j < n: both operands along k.
// accumulate: C += instead, without bias.
template <class T>
struct Dots {
  const T* a;
  const T* b;
  T* c;
  const T* bias;
  int64_t m, n, k;
  int64_t a_stride, b_stride, c_stride;
  bool accumulate;
};
template <class T>
void dot_block(const Dots<T>& d);

}  // namespace tenon::cpu::CPU_ISA
#endif
