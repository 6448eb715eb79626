// Packing of operands, and the products that are bound by memory: a row times a matrix, and dot products.
#include "matmul/micro.hpp"
#include "matmul/transpose.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

// to[p * to_stride + j] = from[p + j * col] for p < k, j < n <= lanes, zeros for the other lanes.
template <class T>
CPU_INLINE void pack_transposed(T* to, int64_t to_stride, const T* from, int64_t col, int64_t k,
                                int64_t n) {
  constexpr int lanes = kLanes<T>;
  for (int64_t p = 0; p < k; p += lanes) {
    const int64_t depth = k - p < lanes ? k - p : lanes;
    Vec<T> rows[lanes] = {};
    if (n == lanes && depth == lanes) {
#pragma GCC unroll 16
      for (int j = 0; j < lanes; ++j) rows[j] = load(from + p + j * col);
    } else {
#pragma GCC unroll 16
      for (int j = 0; j < lanes; ++j) {
        if (j < n) rows[j] = load_n(from + p + j * col, depth);
      }
    }
    transpose_lanes<T>(rows);
    if (depth == lanes) {
#pragma GCC unroll 16
      for (int q = 0; q < lanes; ++q) store(to + (p + q) * to_stride, rows[q]);
    } else {
#pragma GCC unroll 16
      for (int q = 0; q < lanes; ++q) {
        if (q < depth) store(to + (p + q) * to_stride, rows[q]);
      }
    }
  }
}

template <class T>
void pack_b_rows(T* to, const T* from, int64_t row, int64_t k, int64_t n) {
  constexpr int lanes = kLanes<T>;
  if (n == kTileCols<T>) {
    for (int64_t p = 0; p < k; ++p, from += row, to += kTileCols<T>) {
#pragma GCC unroll 4
      for (int v = 0; v < kTileVectors; ++v) store(to + v * lanes, load(from + v * lanes));
    }
    return;
  }
  for (int64_t p = 0; p < k; ++p, from += row, to += kTileCols<T>) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < n; j += lanes) {
      store(to + j, load_n(from + j, n - j < lanes ? n - j : lanes));
    }
  }
}

}  // namespace

template <class T>
void pack_b_panel(T* to, const T* from, int64_t row, int64_t col, int64_t k, int64_t n) {
  constexpr int lanes = kLanes<T>;
  if (col == 1 || n == 1) {
    pack_b_rows(to, from, row, k, n);
  } else if (row == 1) {
    for (int64_t j = 0; j < n; j += lanes) {
      pack_transposed(to + j, kTileCols<T>, from + j * col, col, k, n - j < lanes ? n - j : lanes);
    }
  } else {
    for (int64_t p = 0; p < k; ++p, from += row, to += kTileCols<T>) {
      for (int64_t j = 0; j < kTileCols<T>; ++j) to[j] = j < n ? from[j * col] : T(0);
    }
  }
}

template <class T>
void pack_a_panel(T* to, const T* from, int64_t row, int64_t col, int64_t m, int64_t k) {
  if constexpr (kTileRows<T> <= kLanes<T>) {
    if (row == 1) {
      // A vector at a time; the lanes past m are overwritten by the next one, or lie past the panel.
      for (int64_t p = 0; p < k; ++p, from += col, to += m) store(to, load_n(from, m));
      return;
    }
  }
  for (int64_t p = 0; p < k; ++p, from += col, to += m) {
    for (int64_t i = 0; i < m; ++i) to[i] = from[i * row];
  }
}

template <class T>
void row_times_matrix(T* y, const T* x, int64_t x_stride, const T* b, int64_t b_stride, int64_t k,
                      int64_t n, bool accumulate) {
  constexpr int lanes = kLanes<T>;
  constexpr int rows = 8;
  constexpr int64_t block = 4096 / sizeof(T) * 4;  // of y: stays in the first-level cache
  for (int64_t j0 = 0; j0 < n; j0 += block) {
    const int64_t width = n - j0 < block ? n - j0 : block;
    bool add = accumulate;
    for (int64_t p = 0; p < k || p == 0; p += rows) {
      const int64_t depth = k - p < rows ? k - p : rows;
      T scale[rows];
      const T* from[rows];
      for (int q = 0; q < rows; ++q) {  // rows past the end: the first one, times 0 (finite or not)
        scale[q] = q < depth ? x[(p + q) * x_stride] : T(0);
        from[q] = b + (p + (q < depth ? q : 0)) * b_stride + j0;
      }
      int64_t j = 0;
      if (depth == rows) {
        for (; j + lanes <= width; j += lanes) {
          Vec<T> sum = add ? load(y + j0 + j) : Vec<T>{};
          Vec<T> other{};
#pragma GCC unroll 8
          for (int q = 0; q < rows; q += 2) {
            sum += scale[q] * load(from[q] + j);
            other += scale[q + 1] * load(from[q + 1] + j);
          }
          store(y + j0 + j, sum + other);
        }
      }
      for (; j < width; ++j) {
        T sum = add ? y[j0 + j] : T(0);
        for (int q = 0; q < depth; ++q) sum += scale[q] * from[q][j];
        y[j0 + j] = sum;
      }
      add = true;
    }
  }
}

// ---- dot products -------------------------------------------------------------------------------

namespace {

#if defined(__AVX512F__)
constexpr int kDotRows = 4;
constexpr int kDotCols = 6;
#else
constexpr int kDotRows = 3;
constexpr int kDotCols = 4;
#endif

template <class T, int rows, int cols>
void dot_tile(const Dots<T>& d, int64_t i, int64_t j) {
  constexpr int lanes = kLanes<T>;
  const T* a = d.a + i * d.a_stride;
  const T* b = d.b + j * d.b_stride;
  Vec<T> acc[rows][cols] = {};
  int64_t k = d.k;
  for (; k >= lanes; k -= lanes, a += lanes, b += lanes) {
    Vec<T> av[rows];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) av[r] = load(a + r * d.a_stride);
#pragma GCC unroll 8
    for (int c = 0; c < cols; ++c) {
      const Vec<T> bv = load(b + c * d.b_stride);
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) acc[r][c] += av[r] * bv;
    }
  }
  if (k > 0) {
    Vec<T> av[rows];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) av[r] = load_n(a + r * d.a_stride, k);
#pragma GCC unroll 8
    for (int c = 0; c < cols; ++c) {
      const Vec<T> bv = load_n(b + c * d.b_stride, k);
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) acc[r][c] += av[r] * bv;
    }
  }
  T* out = d.c + i * d.c_stride + j;
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < cols; ++c) {
      T sum = sum_lanes(acc[r][c]);
      if (d.accumulate)
        sum += out[r * d.c_stride + c];
      else if (d.bias)
        sum += d.bias[j + c];
      out[r * d.c_stride + c] = sum;
    }
  }
}

template <class T>
using DotFunction = void (*)(const Dots<T>&, int64_t, int64_t);
template <class T>
struct DotTable {
  DotFunction<T> f[kDotRows][kDotCols];
};
template <class T, int row, int... c>
constexpr void fill_dots(DotTable<T>& table, std::integer_sequence<int, c...>) {
  ((table.f[row][c] = dot_tile<T, row + 1, c + 1>), ...);
}
template <class T, int... r>
constexpr DotTable<T> make_dots(std::integer_sequence<int, r...>) {
  DotTable<T> table{};
  (fill_dots<T, r>(table, std::make_integer_sequence<int, kDotCols>{}), ...);
  return table;
}
template <class T>
constexpr DotTable<T> kDots = make_dots<T>(std::make_integer_sequence<int, kDotRows>{});

}  // namespace

template <class T>
void dot_block(const Dots<T>& d) {
  for (int64_t j = 0; j < d.n; j += kDotCols) {
    const int cols = int(d.n - j < kDotCols ? d.n - j : kDotCols);
    for (int64_t i = 0; i < d.m; i += kDotRows) {
      const int rows = int(d.m - i < kDotRows ? d.m - i : kDotRows);
      kDots<T>.f[rows - 1][cols - 1](d, i, j);
    }
  }
}

#define CPU_INSTANTIATE(T)                                                                      \
  template void pack_b_panel<T>(T*, const T*, int64_t, int64_t, int64_t, int64_t);              \
  template void pack_a_panel<T>(T*, const T*, int64_t, int64_t, int64_t, int64_t);              \
  template void row_times_matrix<T>(T*, const T*, int64_t, const T*, int64_t, int64_t, int64_t, \
                                    bool);                                                      \
  template void dot_block<T>(const Dots<T>&);
CPU_INSTANTIATE(float)
CPU_INSTANTIATE(double)
#undef CPU_INSTANTIATE

}  // namespace tenon::cpu::CPU_ISA
