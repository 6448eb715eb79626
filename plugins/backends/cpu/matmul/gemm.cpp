// Loops, outermost first: blocks of columns of B, blocks of k (B packed: in the second-level cache), panels of rows of A (in the
// first-level cache), tiles.
#include "matmul/gemm.hpp"
#include "kernels/whole.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

// Rows of A start this far apart in a packed panel: no two in the same set of the cache.
template <class T>
constexpr int64_t panel_stride(int64_t depth) {
  return round_up(depth, 64 / sizeof(T)) + 64 / sizeof(T);
}

// C = bias or 0.
template <class T>
void fill_c(const GemmShape& s, T* c, const T* bias) {
  for (int64_t i = 0; i < s.m; ++i, c += s.c_row) {
    for (int64_t j = 0; j < s.n; ++j) c[j] = bias ? bias[j] : T(0);
  }
}

}  // namespace

int64_t gemm_parts_worth(const Device& device, const GemmShape& s, int64_t count) {
  // A part should take 15 microseconds and more; thin products wait for memory.
  const double flops_per_part = s.m < 4 || s.n < 4 ? 0.5e6 : 1.5e6;
  const double worth =
      2.0 * double(s.m) * double(s.n) * double(s.k) * double(count) / flops_per_part;
  return parts_worth(device, worth);
}

template <class T>
void Gemm<T>::plan(const GemmShape& shape, const Device& device, int64_t parts) {
  *this = Gemm<T>();
  s_ = shape;
  if (s_.m == 1) s_.a_row = 0;  // strides of one element mean nothing
  if (s_.n == 1 && s_.b_row != 1) s_.b_col = 1;
  if (s_.k == 1) s_.a_col = 1;
  if (s_.m == 0 || s_.n == 0) return;
  part_m_ = s_.m;
  if (s_.k == 0) return;

  if (s_.m == 1 && s_.b_col == 1) {
    path_ = Path::row;
  } else if (s_.n == 1 && s_.a_row == 1 && s_.a_col != 1 && s_.c_row == 1) {
    path_ = Path::column;
  } else if (s_.a_col == 1 && s_.b_row == 1 &&
             (s_.m <= 2 || s_.n == 1 || (s_.b_col != 1 && s_.m <= 16 && s_.k >= 64))) {
    path_ = Path::dots;
  } else {
    path_ = Path::tiles;
  }

  if (path_ == Path::tiles) plan_depth(device);
  if (parts > 1) {
    // Columns first: a part then packs its own block of B alone. Where B is read in place, rows first: a part of C, like what reads
    // it elementwise, is then one piece of memory.
    const int64_t most_n = path_ == Path::column ? 1 : ceil_div(s_.n, 2 * kTileCols<T>);
    const int64_t most_m = ceil_div(s_.m, path_ == Path::column ? 512 : kTileRows<T>);
    const bool rows_first = path_ == Path::tiles && !pack_b_ && s_.m >= parts * 4 * kTileRows<T>;
    parts_n_ = rows_first ? 1 : int(smaller(parts, most_n));
    parts_m_ = int(smaller(parts / parts_n_, most_m));
    part_m_ = ceil_div(s_.m, parts_m_);
    parts_m_ = int(ceil_div(s_.m, part_m_));
  }
  if (path_ == Path::tiles) plan_tiles(device);
}

// Do the rows of a tile of B, depth_ of them, stay in the first-level cache where they are?
template <class T>
bool Gemm<T>::stays_in_cache(const Device& device) const {
  const int64_t row = (s_.b_row < 0 ? -s_.b_row : s_.b_row) * int64_t(sizeof(T));
  int64_t sets = device.l1_bytes / 512;  // of 8 lines
  for (int64_t apart = row; sets > 1 && apart % 128 == 0; apart /= 2) sets /= 2;
  const int64_t lines = depth_ * kTileCols<T> * int64_t(sizeof(T)) / 64;
  return lines <= sets * 4;
}

template <class T>
void Gemm<T>::plan_depth(const Device& device) {
  const int64_t deepest = device.l1_bytes / 2 / int64_t(sizeof(T)) / kTileRows<T>;
  const int64_t blocks = ceil_div(s_.k, deepest < 64 ? 64 : deepest);
  depth_ = round_up(ceil_div(s_.k, blocks), 8);
  depth_ = smaller(depth_, s_.k);
  const bool often = s_.m > 4 * kTileRows<T> && s_.n * s_.k * int64_t(sizeof(T)) > device.l1_bytes;
  pack_b_ = s_.b_col != 1 || (often && !stays_in_cache(device));
}

// Whole tiles: two threads that write to neighbouring cache lines take them from each other (the processor fetches them in pairs).
// What does not divide goes to the last parts, one of which ends with the tile that is not whole.
template <class T>
int64_t Gemm<T>::part_begin_n(int part) const {
  const int64_t tiles = ceil_div(s_.n, kTileCols<T>);
  return smaller(part * tiles / parts_n_ * kTileCols<T>, s_.n);
}

template <class T>
void Gemm<T>::plan_tiles(const Device& device) {
  const int64_t part_n =
      ceil_div(ceil_div(s_.n, kTileCols<T>), parts_n_) * kTileCols<T>;  // the widest
  width_ = device.l2_bytes / 2 / (depth_ * int64_t(sizeof(T))) / kTileCols<T> * kTileCols<T>;
  if (width_ < kTileCols<T>) width_ = kTileCols<T>;
  width_ = smaller(width_, part_n);

  a_layout_ = s_.a_col == 1 ? ALayout::rows : ALayout::columns;
  if (s_.a_col == 1)
    pack_a_ = part_n > 4 * kTileCols<T> && s_.k * int64_t(sizeof(T)) >= 1024;
  else
    pack_a_ = s_.a_row != 1 || part_n > 4 * kTileCols<T>;
  const int64_t b_size = pack_b_ ? width_ * depth_ : 0;
  const int64_t a_size = pack_a_ ? kTileRows<T> * panel_stride<T>(depth_) : 0;
  scratch_ = round_up(a_size + b_size, 64 / sizeof(T));
}

template <class T>
bool Gemm<T>::take_packed() {
  if (path_ != Path::tiles || !pack_b_) return false;
  packed_b_ = true;
  scratch_ = pack_a_ ? round_up(kTileRows<T> * panel_stride<T>(depth_), 64 / sizeof(T)) : 0;
  return true;
}

template <class T>
int64_t Gemm<T>::place_packed(int64_t p, int64_t j, int64_t depth) const {
  return p * round_up(s_.n, kTileCols<T>) + j * depth;
}

template <class T>
int64_t Gemm<T>::packed_bytes() const {
  return place_packed(s_.k, 0, 0) * int64_t(sizeof(T));
}

template <class T>
void Gemm<T>::pack(const Device& device, const T* b, char* packed) const {
  constexpr int64_t cols = kTileCols<T>;
  T* to = reinterpret_cast<T*>(packed);
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t j = begin * cols; j < smaller(end * cols, s_.n); j += cols) {
      for (int64_t p = 0; p < s_.k; p += depth_) {
        const int64_t depth = smaller(depth_, s_.k - p);
        pack_b_panel(to + place_packed(p, j, depth), b + p * s_.b_row + j * s_.b_col, s_.b_row,
                     s_.b_col, depth, smaller(cols, s_.n - j));
      }
    }
  };
  parallel(device, ceil_div(s_.n, cols), 1, double(s_.k * cols), body);
}

template <class T>
void Gemm<T>::run_part(int part, const T* a, const T* b, T* c, const T* bias, T* scratch,
                       const RowsDone* done, bool accumulate) const {
  GemmShape s = s_;
  const int64_t i = part / parts_n_ * part_m_;
  const int64_t j = part_begin_n(part % parts_n_);
  s.m = smaller(part_m_, s_.m - i);
  s.n = part_begin_n(part % parts_n_ + 1) - j;
  a += i * s.a_row;
  if (!packed_b_) b += j * s.b_col;
  c += i * s.c_row + j;
  if (bias) bias += j;
  switch (path_) {
    case Path::empty:
      if (!accumulate) fill_c(s, c, bias);
      break;
    case Path::tiles:
      return run_tiles(s, j, a, b, c, bias, scratch, accumulate, done);
    case Path::dots:
      dot_block<T>({a, b, c, bias, s.m, s.n, s.k, s.a_row, s.b_col, s.c_row, accumulate});
      break;
    case Path::row:
      if (bias) fill_c(s, c, bias);
      row_times_matrix(c, a, s.a_col, b, s.b_row, s.k, s.n, accumulate || bias);
      break;
    case Path::column:
      if (bias) fill_c(s, c, bias);
      row_times_matrix(c, b, s.b_row, a, s.a_col, s.k, s.m, accumulate || bias);
      break;
  }
  if (done) done->run(*done, c, s.c_row, s.m, s.n);
}

template <class T>
void Gemm<T>::run_tiles(const GemmShape& s, int64_t column, const T* a, const T* b, T* c,
                        const T* bias, T* scratch, bool accumulate, const RowsDone* done) const {
  constexpr int64_t cols = kTileCols<T>;
  T* packed_a = scratch;
  T* packed_b = scratch + (pack_a_ ? kTileRows<T> * panel_stride<T>(depth_) : 0);
  const int64_t panels = ceil_div(s.m, kTileRows<T>);
  const int64_t rows = s.m / panels;
  const int64_t tall = s.m % panels;  // so many panels have one row more
  for (int64_t j0 = 0; j0 < s.n; j0 += width_) {
    const int64_t width = smaller(width_, s.n - j0);
    for (int64_t p0 = 0; p0 < s.k; p0 += depth_) {
      const int64_t depth = smaller(depth_, s.k - p0);
      Tile<T> t;
      t.k = depth;
      t.accumulate = accumulate || p0 > 0;
      const T* b_block =
          packed_b_ ? b + place_packed(p0, column + j0, depth) : b + p0 * s.b_row + j0 * s.b_col;
      int64_t b_step = cols;
      t.b_stride = s.b_row;
      if (pack_b_ && !packed_b_) {
        for (int64_t j = 0; j < width; j += cols) {
          pack_b_panel(packed_b + j * depth, b_block + j * s.b_col, s.b_row, s.b_col, depth,
                       smaller(cols, width - j));
        }
        b_block = packed_b;
      }
      if (pack_b_) {
        b_step = cols * depth;
        t.b_stride = cols;
      }
      t.c_stride = s.c_row;
      for (int64_t panel = 0, i = 0; panel < panels; ++panel) {
        const int64_t height = rows + (panel < tall);
        t.a = a + i * s.a_row + p0 * s.a_col;
        t.a_stride = a_layout_ == ALayout::rows ? s.a_row : s.a_col;
        if (pack_a_) {
          if (a_layout_ == ALayout::rows) {
            t.a_stride = panel_stride<T>(depth_);
            for (int64_t r = 0; r < height; ++r) {
              std::memcpy(packed_a + r * t.a_stride, t.a + r * s.a_row, size_t(depth) * sizeof(T));
            }
          } else {
            t.a_stride = height;
            pack_a_panel(packed_a, t.a, s.a_row, s.a_col, height, depth);
          }
          t.a = packed_a;
        }
        t.b = b_block;
        T* c_row = c + i * s.c_row + j0;
        const TileFunction<T> whole = tile_function<T>(a_layout_, int(height), int(cols));
        for (int64_t j = 0; j < width; j += cols, t.b += b_step) {
          t.c = c_row + j;
          t.bias = bias && !t.accumulate ? bias + j0 + j : nullptr;
          t.n = int32_t(smaller(cols, width - j));
          if (t.n == cols)
            whole(t);
          else
            tile_function<T>(a_layout_, int(height), t.n)(t);
        }
        if (done && p0 + depth == s.k) done->run(*done, c_row, s.c_row, height, width);
        i += height;
      }
    }
  }
}

template class Gemm<float>;
template class Gemm<double>;

}  // namespace tenon::cpu::CPU_ISA
