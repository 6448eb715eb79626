#include "matmul/micro.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

// Rows of A are reached from one pointer per three rows, so that the loop keeps few registers busy.
template <class T, int rows>
struct RowPointers {
  static constexpr int count = (rows + 2) / 3;
  const T* p[count];
  int64_t stride;

  CPU_INLINE RowPointers(const T* a, int64_t a_stride) : stride(a_stride) {
#pragma GCC unroll 8
    for (int g = 0; g < count; ++g) {
      p[g] = a + 3 * g * a_stride;
      asm("" : "+r"(p[g]));  // else the compiler makes one pointer per row
    }
  }
  CPU_INLINE T at(int i, int64_t k) const { return p[i / 3][(i % 3) * stride + k]; }
  CPU_INLINE void advance(int64_t k) {
#pragma GCC unroll 8
    for (int g = 0; g < count; ++g) p[g] += k;
  }
};

// load_n and store_n, as calls where they are long.
#if defined(__AVX2__)
#define CPU_LOAD_TAIL CPU_INLINE
#else
#define CPU_LOAD_TAIL [[gnu::noinline]]
#endif
#if defined(__AVX512F__)
#define CPU_STORE_TAIL CPU_INLINE
#else
#define CPU_STORE_TAIL [[gnu::noinline]]
#endif
template <class T>
CPU_LOAD_TAIL Vec<T> load_tail(const T* p, int64_t n) {
  return load_n(p, n);
}
template <class T>
CPU_STORE_TAIL void store_tail(T* p, Vec<T> v, int64_t n) {
  store_part(p, v, n);
}

template <class T, int rows, int vectors, bool tail>
CPU_INLINE void load_row(Vec<T> (&to)[vectors], const T* b, int64_t last) {
  constexpr int lanes = kLanes<T>;
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) {
    to[v] = tail && v == vectors - 1 ? load_tail(b + v * lanes, last) : load(b + v * lanes);
  }
}

template <class T, int rows, int vectors, bool tail>
CPU_INLINE void write_tile(const Tile<T>& t, Vec<T> (&acc)[rows][vectors], int64_t last) {
  constexpr int lanes = kLanes<T>;
  if (t.bias) {
    Vec<T> bias[vectors];
    load_row<T, rows, vectors, tail>(bias, t.bias, last);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) acc[i][v] += bias[v];
    }
  }
  T* c = t.c;
  const bool accumulate = t.accumulate != 0;
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i, c += t.c_stride) {
    if (accumulate) {
      Vec<T> old[vectors];
      load_row<T, rows, vectors, tail>(old, c, last);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) acc[i][v] += old[v];
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      if (tail && v == vectors - 1)
        store_tail(c + v * lanes, acc[i][v], last);
      else
        store(c + v * lanes, acc[i][v]);
    }
  }
}

template <class T, ALayout layout, int rows, int vectors, bool tail>
void tile(const Tile<T>& t) {
  constexpr int lanes = kLanes<T>;
  const int64_t last = t.n - (vectors - 1) * lanes;
  if (last < 1 || last > lanes) __builtin_unreachable();
  Vec<T> acc[rows][vectors] = {};
  const T* b = t.b;
  const int64_t b_stride = t.b_stride;
  int64_t k = t.k;
  if constexpr (layout == ALayout::rows) {
    RowPointers<T, rows> a(t.a, t.a_stride);
    constexpr int unroll = 4;
    for (; k >= unroll; k -= unroll) {
#pragma GCC unroll 4
      for (int u = 0; u < unroll; ++u, b += b_stride) {
        Vec<T> bv[vectors];
        load_row<T, rows, vectors, tail>(bv, b, last);
#pragma GCC unroll 16
        for (int i = 0; i < rows; ++i) {
          const T x = a.at(i, u);
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) acc[i][v] += x * bv[v];
        }
      }
      a.advance(unroll);
    }
    for (; k > 0; --k, b += b_stride) {
      Vec<T> bv[vectors];
      load_row<T, rows, vectors, tail>(bv, b, last);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        const T x = a.at(i, 0);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) acc[i][v] += x * bv[v];
      }
      a.advance(1);
    }
  } else {
    const T* a = t.a;
    const int64_t a_stride = t.a_stride;
    for (; k > 0; --k, b += b_stride, a += a_stride) {
      Vec<T> bv[vectors];
      load_row<T, rows, vectors, tail>(bv, b, last);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        const T x = a[i];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) acc[i][v] += x * bv[v];
      }
    }
  }
  write_tile<T, rows, vectors, tail>(t, acc, last);
}

template <class T, int rows, int vectors>
void tile_by_offsets(const Tile<T>& t) {
  constexpr int lanes = kLanes<T>;
  Vec<T> acc[rows][vectors] = {};
  RowPointers<T, rows> a(t.a, t.a_stride);
  const int64_t* end = t.b_rows + t.k;
  for (const int64_t* offset = t.b_rows; offset < end; ++offset) {
    const T* b = t.b + *offset;
    Vec<T> bv[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) bv[v] = load(b + v * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const T x = a.at(i, 0);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) acc[i][v] += x * bv[v];
    }
    a.advance(1);
  }
  T* c = t.c;
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i, c += t.c_stride) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) store(c + v * lanes, acc[i][v]);
  }
}

// [layout][0: one vector cut, 1: two with the last cut, 2: two whole][rows - 1]
template <class T>
struct TileTable {
  TileFunction<T> f[2][3][kTileRows<T>];
};

template <class T, ALayout layout, int... i>
constexpr void fill_tiles(TileTable<T>& table, std::integer_sequence<int, i...>) {
  ((table.f[int(layout)][0][i] = tile<T, layout, i + 1, 1, true>), ...);
  ((table.f[int(layout)][1][i] = tile<T, layout, i + 1, 2, true>), ...);
  ((table.f[int(layout)][2][i] = tile<T, layout, i + 1, 2, false>), ...);
}

template <class T>
constexpr TileTable<T> make_tiles() {
  TileTable<T> table{};
  fill_tiles<T, ALayout::rows>(table, std::make_integer_sequence<int, kTileRows<T>>{});
  fill_tiles<T, ALayout::columns>(table, std::make_integer_sequence<int, kTileRows<T>>{});
  return table;
}

template <class T>
constexpr TileTable<T> kTiles = make_tiles<T>();

template <class T>
struct OffsetTable {
  TileFunction<T> f[2][kTileRows<T>];  // [vectors - 1][rows - 1]
};
template <class T, int... i>
constexpr OffsetTable<T> make_offset_tiles(std::integer_sequence<int, i...>) {
  return {{{tile_by_offsets<T, i + 1, 1>...}, {tile_by_offsets<T, i + 1, 2>...}}};
}
template <class T>
constexpr OffsetTable<T> kOffsetTiles =
    make_offset_tiles<T>(std::make_integer_sequence<int, kTileRows<T>>{});

}  // namespace

template <class T>
TileFunction<T> tile_function(ALayout layout, int rows, int n) {
  const int width = n == kTileCols<T> ? 2 : n > kLanes<T> ? 1 : 0;
  return kTiles<T>.f[int(layout)][width][rows - 1];
}

template <class T>
TileFunction<T> tile_function_by_offsets(int rows, int n) {
  return kOffsetTiles<T>.f[n > kLanes<T>][rows - 1];
}

template TileFunction<float> tile_function_by_offsets<float>(int, int);
#if !defined(__AVX512F__)  // see conv/geometry.hpp
template TileFunction<double> tile_function_by_offsets<double>(int, int);
#endif
template TileFunction<float> tile_function<float>(ALayout, int, int);
template TileFunction<double> tile_function<double>(ALayout, int, int);

}  // namespace tenon::cpu::CPU_ISA
