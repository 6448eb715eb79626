// Loops, outermost first: blocks of columns of B, blocks of k (B packed: in the second-level cache), panels of rows of A (packed: in
// the first-level cache), squares of C. A square whose panels do not split well is computed in f32, from then on.
#include "matmul/split_gemm.hpp"
#include "kernels/whole.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

namespace {

constexpr int64_t kMostPanels = 1024;  // of a block of B
constexpr int kDense = 255;            // greatest exponent of a packed panel that lies there as f32

template <class T>
int parts_of(tn_precision precision) {
  if (std::is_same_v<T, f16>) return 2;
  return precision == TN_PRECISION_MEDIUM ? 1 : precision == TN_PRECISION_HIGH ? 2 : 3;
}
template <class T>
Products products_of(int parts) {
  if (parts == 1) return Products::one;
  if (parts == 3) return Products::six;
  return std::is_same_v<T, f16> ? Products::four : Products::three;
}

// In f32: to[i * to_line + p * to_along] = from(i, p).
template <class T>
void widen(float* to, int64_t to_line, int64_t to_along, const Lines<T>& v) {
  if (v.along == 1 && to_along == 1) {
    for (int64_t i = 0; i < v.lines; ++i)
      convert_run<float, T>(to + i * to_line, v.from + i * v.line, v.k);
  } else if (v.line == 1 && to_line == 1) {
    for (int64_t p = 0; p < v.k; ++p)
      convert_run<float, T>(to + p * to_along, v.from + p * v.along, v.lines);
  } else {
    for (int64_t i = 0; i < v.lines; ++i)
      for (int64_t p = 0; p < v.k; ++p)
        to[i * to_line + p * to_along] = float(v.from[i * v.line + p * v.along]);
  }
}

// A square of dense f32 panels: A by rows `depth` apart, B of kSquare columns.
void multiply_dense(const float* a, const float* b, int64_t depth, int64_t k, int64_t rows,
                    int64_t cols, float* c, int64_t c_row, bool accumulate) {
  for (int64_t j = 0; j < cols; j += kTileCols<float>) {
    const int n = int(smaller(kTileCols<float>, cols - j));
    for (int64_t i = 0; i < rows; i += kTileRows<float>) {
      const int height = int(smaller(kTileRows<float>, rows - i));
      tile_function<float>(ALayout::rows, height,
                           n)({a + i * depth, b + j, c + i * c_row + j, nullptr, k, depth, kSquare,
                               c_row, n, accumulate});
    }
  }
}

}  // namespace

template <class T>
bool SplitGemm<T>::worth(const GemmShape& s, const Device& device) {
  if (!device.amx_bf16 || !device.avx512_bf16) return false;
  if ((s.a_row != 1 && s.a_col != 1) || (s.b_row != 1 && s.b_col != 1)) return false;
  const double m = double(s.m), n = double(s.n), k = double(s.k);
  // Else they are converted to f32 first.
  if (!std::is_same_v<T, float>) return m * n * k >= 16e3;
  // Cycles, as measured: of the products, of packing (a number from a cache, or from memory), of each square and of the tiles.
  const int parts = parts_of<T>(s.precision);
  const double whole = double(round_up(s.m, kTileSide)) * double(round_up(s.n, kTileSide)) *
                       double(round_up(s.k, kTileDepth));
  const double numbers = (m + n) * k, squares = m * n / double(kSquare * kSquare);
  const bool cached = numbers * sizeof(T) <= double(device.l2_bytes);
  const double split = (0.25 + 0.15 * parts) * (cached ? 1 : 1.9) * numbers +
                       whole * parts * (parts + 1) / 820 + 150 * squares + 1500;
  return split * 1.08 < m * n * k / 27;
}

template <class T>
int64_t SplitGemm<T>::parts_worth(const Device& device, const GemmShape& s, int64_t count) {
  // Of 15 microseconds and more.
  const int parts = parts_of<T>(s.precision);
  const double flops = 12e6 / (parts * (parts + 1) / 2);
  return tenon::cpu::parts_worth(
      device, 2.0 * double(s.m) * double(s.n) * double(s.k) * double(count) / flops);
}

template <class T>
int64_t SplitGemm<T>::begin_m(int64_t part) const {
  return smaller(part * ceil_div(s_.m, kSquare) / parts_m_ * kSquare, s_.m);
}
template <class T>
int64_t SplitGemm<T>::begin_n(int64_t part) const {
  return smaller(part * ceil_div(s_.n, kSquare) / parts_n_ * kSquare, s_.n);
}

// The cut that leaves the longest part the least to multiply and to pack.
template <class T>
void SplitGemm<T>::cut(int64_t parts) {
  const int64_t squares_m = ceil_div(s_.m, kSquare), squares_n = ceil_div(s_.n, kSquare);
  double least = 0;
  for (int64_t pm = 1; pm <= smaller(parts, squares_m); ++pm) {
    const int64_t pn = smaller(parts / pm, squares_n);
    const double m = double(ceil_div(squares_m, pm)), n = double(ceil_div(squares_n, pn));
    const double blocks = double(ceil_div(int64_t(n) * kSquare, width_));
    const double cost = m * n * split_ * (split_ + 1) + (m * blocks + n) * (1 + split_);
    if (pm > 1 && cost >= least) continue;
    least = cost;
    parts_m_ = pm;
    parts_n_ = pn;
  }
}

template <class T>
void SplitGemm<T>::plan(const GemmShape& shape, const Device& device, int64_t parts) {
  *this = SplitGemm<T>();
  s_ = shape;
  split_ = parts_of<T>(s_.precision);
  // As measured: panels of A and B in the first-level cache where little is computed of what is loaded, else fewer passes over C.
  const int64_t deepest = !std::is_same_v<T, float> ? 256 : split_ == 3 ? 512 : 512 / split_;
  const int64_t blocks = ceil_div(s_.k, deepest);
  depth_ = round_up(ceil_div(s_.k, blocks), kTileDepth);
  const int64_t column = panel_bytes(depth_, split_) / kSquare;
  width_ = device.l2_bytes * 5 / 8 / column / kSquare * kSquare;
  width_ = width_ < kSquare ? kSquare : smaller(width_, kMostPanels * kSquare);
  cut(parts);
  int64_t part_m = 0, part_n = 0;
  for (int64_t i = 0; i < parts_m_; ++i)
    if (begin_m(i + 1) - begin_m(i) > part_m) part_m = begin_m(i + 1) - begin_m(i);
  for (int64_t i = 0; i < parts_n_; ++i)
    if (begin_n(i + 1) - begin_n(i) > part_n) part_n = begin_n(i + 1) - begin_n(i);
  const int64_t squares_m = ceil_div(part_m, kSquare);
  const int64_t squares_n = ceil_div(part_n, kSquare);
  width_ = round_up(ceil_div(squares_n * kSquare, ceil_div(part_n, width_)), kSquare);

  bytes_.b = panel_bytes(depth_, split_);
  bytes_.fell = bytes_.b + width_ * column;
  const int64_t squares = squares_m * (width_ / kSquare);
  bytes_.sums = bytes_.fell + round_up(squares, 64);
  const bool kept = !std::is_same_v<T, float> && blocks > 1;
  bytes_.dense = bytes_.sums + (kept ? squares * kSquare * kSquare * int64_t(sizeof(float)) : 0);
  bytes_.all = bytes_.dense + 2 * kSquare * depth_ * int64_t(sizeof(float));
}

// ---- B packed for good: blocks along k, each of panels of kSquare columns; then the range of each panel. One whose parts do not add
// up lies there as dense f32 instead, in as much memory or less, and its range splits well with none.

template <class T>
bool SplitGemm<T>::take_packed() {
  if (std::is_same_v<T, float> && split_ != 3) return false;  // the parts never add up
  packed_b_ = true;
  const int64_t less = bytes_.fell - bytes_.b;
  for (int64_t* at : {&bytes_.fell, &bytes_.sums, &bytes_.dense, &bytes_.all}) *at -= less;
  return true;
}

// Of a panel, from row p and column j on.
template <class T>
int64_t SplitGemm<T>::place_packed(int64_t p, int64_t j) const {
  const int64_t block = panel_bytes(smaller(depth_, s_.k - p), split_);
  return panel_bytes(p, split_) * ceil_div(s_.n, kSquare) + j / kSquare * block;
}

template <class T>
ExponentRange* SplitGemm<T>::packed_ranges(char* packed) const {
  return reinterpret_cast<ExponentRange*>(packed +
                                          panel_bytes(s_.k, split_) * ceil_div(s_.n, kSquare));
}

template <class T>
int64_t SplitGemm<T>::packed_bytes() const {
  const int64_t panels = ceil_div(s_.n, kSquare) * ceil_div(s_.k, depth_);
  return panel_bytes(s_.k, split_) * ceil_div(s_.n, kSquare) +
         panels * int64_t(sizeof(ExponentRange));
}

template <class T>
void SplitGemm<T>::pack(const Device& device, const T* b, char* to) const {
  const int64_t squares = ceil_div(s_.n, kSquare);
  ExponentRange* ranges = packed_ranges(to);
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t q = begin; q < end; ++q) {
      for (int64_t p = 0; p < s_.k; p += depth_) {
        const int64_t j = q * kSquare;
        const Lines<T> columns{b + p * s_.b_row + j * s_.b_col, s_.b_col, s_.b_row,
                               smaller(kSquare, s_.n - j), smaller(depth_, s_.k - p)};
        char* panel = to + place_packed(p, j);
        ExponentRange range = pack_split(panel, columns, split_, true);
        if (!adds_up(range)) {
          range = {0, kDense};
          widen(reinterpret_cast<float*>(panel), 1, kSquare, columns);
        }
        ranges[p / depth_ * squares + q] = range;
      }
    }
  };
  parallel(device, squares, 1, double(s_.k * kSquare), body);
}

template <class T>
struct SplitGemm<T>::Run {
  const SplitGemm& g;
  const T *a, *b, *bias;
  T* c;
  int64_t m, n, column;  // the first of the part
  char* scratch;
  const RowsDone* done;
  Lines<T> rows{};  // of A that are packed
  ExponentRange rows_range{};
  bool rows_dense = false;  // they are in `dense` as well

  float* dense() const { return reinterpret_cast<float*>(scratch + g.bytes_.dense); }
  char* panel_of_b(int64_t j) const { return scratch + g.bytes_.b + j * column_bytes(); }
  int64_t column_bytes() const { return panel_bytes(g.depth_, g.split_) / kSquare; }

  void all();
  void block_of_rows(int64_t i, int64_t j0, int64_t width, int64_t p0, const ExponentRange* ranges);
  void start(float* sums, int64_t row, int64_t j, int64_t height, int64_t cols) const;
  void finish(const float* sums, int64_t row, int64_t i, int64_t j, int64_t height,
              int64_t cols) const;
  void square(float* sums, int64_t row, int64_t height, const Lines<T>& columns, const char* packed,
              bool well, bool dense_b, bool accumulate);
};

// The bias in every row of a square.
template <class T>
void SplitGemm<T>::Run::start(float* sums, int64_t row, int64_t j, int64_t height,
                              int64_t cols) const {
  for (int64_t r = 0; r < height; ++r) convert_run<float, T>(sums + r * row, bias + j, cols);
}

template <class T>
void SplitGemm<T>::Run::finish(const float* sums, int64_t row, int64_t i, int64_t j, int64_t height,
                               int64_t cols) const {
  T* to = c + i * g.s_.c_row + j;
  for (int64_t r = 0; r < height; ++r, to += g.s_.c_row, sums += row) {
    if constexpr (std::is_same_v<T, float>)
      std::memcpy(to, sums, size_t(cols) * sizeof(T));
    else
      convert_run<T, float>(to, sums, cols);
  }
}

template <class T>
void SplitGemm<T>::Run::square(float* sums, int64_t row, int64_t height, const Lines<T>& columns,
                               const char* packed, bool well, bool dense_b, bool accumulate) {
  if (well) {
    multiply_square({scratch, packed, panel_steps(columns.k), products_of<T>(g.split_),
                     height > kTileSide, columns.lines > kTileSide, sums, row, accumulate});
    return;
  }
  float* wide_b = dense() + kSquare * g.depth_;
  const float* right = dense_b ? reinterpret_cast<const float*>(packed) : wide_b;
  if (!rows_dense) widen(dense(), g.depth_, 1, rows);
  rows_dense = true;
  if (!g.packed_b_)
    widen(wide_b, 1, kSquare, columns);
  else if (!dense_b)
    join_split(wide_b, packed, columns.k, g.split_);
  multiply_dense(dense(), right, g.depth_, columns.k, height, columns.lines, sums, row, accumulate);
}

// Rows i .. of a packed panel by the columns of a packed block.
template <class T>
void SplitGemm<T>::Run::block_of_rows(int64_t i, int64_t j0, int64_t width, int64_t p0,
                                      const ExponentRange* ranges) {
  const GemmShape& s = g.s_;
  const int64_t height = rows.lines;
  const bool first = p0 == 0, last = p0 + g.depth_ >= s.k;
  const int64_t across = g.width_ / kSquare;
  auto* fell = reinterpret_cast<uint8_t*>(scratch + g.bytes_.fell) + i / kSquare * across;
  alignas(64) float local[kSquare * kSquare];
  for (int64_t j = 0; j < width; j += kSquare) {
    const int64_t cols = smaller(kSquare, width - j), q = j / kSquare;
    const bool whole = height == kSquare && cols == kSquare;
    float* sums = local;
    int64_t row = kSquare;
    if constexpr (std::is_same_v<T, float>) {
      if (whole) {
        sums = c + i * s.c_row + j0 + j;
        row = s.c_row;
      } else if (!first) {
        widen(local, kSquare, 1, Lines<T>{c + i * s.c_row + j0 + j, s.c_row, 1, height, cols});
      }
    } else if (g.depth_ < s.k) {
      sums = reinterpret_cast<float*>(scratch + g.bytes_.sums) +
             (i / kSquare * across + q) * kSquare * kSquare;
    }
    if (first) fell[q] = 0;
    if (first && bias) start(sums, row, j0 + j, height, cols);
    if (!splits_well(rows_range, ranges[q])) fell[q] = 1;
    const Lines<T> columns{b + p0 * s.b_row + (j0 + j) * s.b_col, s.b_col, s.b_row, cols, rows.k};
    const char* panel = panel_of_b(j);
    if (g.packed_b_) panel = reinterpret_cast<const char*>(b) + g.place_packed(p0, column + j0 + j);
    square(sums, row, height, columns, panel, !fell[q], g.packed_b_ && ranges[q].most == kDense,
           !first || bias);
    if (std::is_same_v<T, float> ? !whole : last) finish(sums, row, i, j0 + j, height, cols);
  }
  if (done && last) done->run(*done, c + i * s.c_row + j0, s.c_row, height, width);
}

template <class T>
void SplitGemm<T>::Run::all() {
  const GemmShape& s = g.s_;
  ExponentRange ranges[kMostPanels];
  for (int64_t j0 = 0; j0 < n; j0 += g.width_) {
    const int64_t width = smaller(g.width_, n - j0);
    for (int64_t p0 = 0; p0 < s.k; p0 += g.depth_) {
      const int64_t k = smaller(g.depth_, s.k - p0);
      const ExponentRange* of_b = ranges;
      if (g.packed_b_)
        of_b = g.packed_ranges(const_cast<char*>(reinterpret_cast<const char*>(b))) +
               p0 / g.depth_ * ceil_div(s.n, kSquare) + (column + j0) / kSquare;
      for (int64_t j = 0; j < width && !g.packed_b_; j += kSquare) {
        const Lines<T> columns{b + p0 * s.b_row + (j0 + j) * s.b_col, s.b_col, s.b_row,
                               smaller(kSquare, width - j), k};
        ranges[j / kSquare] = pack_split(panel_of_b(j), columns, g.split_, true);
      }
      for (int64_t i = 0; i < m; i += kSquare) {
        rows = {a + i * s.a_row + p0 * s.a_col, s.a_row, s.a_col, smaller(kSquare, m - i), k};
        rows_range = pack_split(scratch, rows, g.split_, false);
        rows_dense = false;
        block_of_rows(i, j0, width, p0, of_b);
      }
    }
  }
}

template <class T>
void SplitGemm<T>::run_part(int part, const T* a, const T* b, T* c, const T* bias, T* scratch,
                            const RowsDone* done) const {
  const TileRegisters registers;
  const int64_t m = part / parts_n_, n = part % parts_n_, i = begin_m(m), j = begin_n(n);
  Run{*this,
      a + i * s_.a_row,
      packed_b_ ? b : b + j * s_.b_col,
      bias ? bias + j : nullptr,
      c + i * s_.c_row + j,
      begin_m(m + 1) - i,
      begin_n(n + 1) - j,
      j,
      reinterpret_cast<char*>(scratch),
      done}
      .all();
}

#else
template <class T>
bool SplitGemm<T>::worth(const GemmShape&, const Device&) {
  return false;
}
template <class T>
int64_t SplitGemm<T>::parts_worth(const Device&, const GemmShape&, int64_t) {
  return 1;
}
template <class T>
void SplitGemm<T>::plan(const GemmShape&, const Device&, int64_t) {}
template <class T>
void SplitGemm<T>::run_part(int, const T*, const T*, T*, const T*, T*, const RowsDone*) const {}
template <class T>
bool SplitGemm<T>::take_packed() {
  return false;
}
template <class T>
int64_t SplitGemm<T>::packed_bytes() const {
  return 0;
}
template <class T>
void SplitGemm<T>::pack(const Device&, const T*, char*) const {}
#endif

template class SplitGemm<float>;
template class SplitGemm<f16>;

}  // namespace tenon::cpu::CPU_ISA
