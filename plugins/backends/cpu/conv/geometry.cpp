#include "conv/flat.hpp"
#include "kernels/whole.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

// How many parts 0 .. n is cut into, each at most `most` long, so that parts * others is a multiple of threads where that is near.
int64_t cut(int64_t n, int64_t most, int64_t others, int64_t threads) {
  const int64_t least = ceil_div(n, most);
  for (int64_t parts = least; parts < least + threads && parts <= n; ++parts) {
    if (parts * others % threads == 0) return parts;
  }
  return least;
}

}  // namespace

void Blocks::plan(const Geometry& g, int64_t width, int64_t threads) {
  images = 1;
  rows = g.out_h;
  cols = g.out_w;
  per_h = per_w = 1;
  if (g.positions() == 0 || g.batch == 0) {
    count = 0;
    return;
  }
  if (2 * g.positions() <= width) {
    const int64_t parts = cut(g.batch, width / g.positions(), g.groups, threads);
    images = ceil_div(g.batch, parts);
    count = ceil_div(g.batch, images);
    return;
  }
  if (g.out_w <= width) {
    rows = ceil_div(g.out_h, cut(g.out_h, width / g.out_w, g.batch * g.groups, threads));
  } else {
    rows = 1;
    cols = ceil_div(g.out_w, cut(g.out_w, width, g.batch * g.groups * g.out_h, threads));
  }
  per_h = ceil_div(g.out_h, rows);
  per_w = ceil_div(g.out_w, cols);
  count = g.batch * per_h * per_w;
}

Block Blocks::at(const Geometry& g, int64_t index) const {
  const int64_t w = index % per_w * cols;
  const int64_t h = index / per_w % per_h * rows;
  const int64_t n = index / (per_w * per_h) * images;
  return {n, smaller(n + images, g.batch), h, smaller(h + rows, g.out_h),
          w, smaller(w + cols, g.out_w)};
}

void Patch::plan(const Geometry& g, int64_t block_rows, int64_t block_cols, int64_t channels) {
  int64_t high_y = g.dy[0], high_x = g.dx[0];
  low_y = g.dy[0];
  low_x = g.dx[0];
  for (int a = 1; a < g.taps_h; ++a) {
    low_y = smaller(low_y, g.dy[a]);
    high_y = larger(high_y, g.dy[a]);
  }
  for (int b = 1; b < g.taps_w; ++b) {
    low_x = smaller(low_x, g.dx[b]);
    high_x = larger(high_x, g.dx[b]);
  }
  reach_y = high_y - low_y;
  reach_x = high_x - low_x;
  rows = (block_rows - 1) * g.step_h + reach_y + 1;
  phase = block_cols + reach_x / g.step_w;
  row = phase * g.step_w;
  plane = rows * row;
  image = plane * channels;
}

namespace {

template <int... i>
CPU_INLINE Vec<float> every_other(Vec<float> a, Vec<float> b, std::integer_sequence<int, i...>) {
  constexpr int n = int(sizeof...(i));
  return __builtin_shufflevector(a, b, (i < n / 2 ? 2 * i : 2 * i + 1)...);
}

}  // namespace

void copy_columns(float* to, const float* from, int64_t step, int64_t n) {
  constexpr int64_t lanes = kLanes<float>;
  int64_t k = 0;
  if (step == 1) {
    for (; k + lanes <= n; k += lanes) store(to + k, load(from + k));
    if (k < n) store(to + k, load_n(from + k, n - k));
  } else if (step == 2) {
    const auto sequence = std::make_integer_sequence<int, int(lanes)>();
    for (; k + lanes <= n; k += lanes) {
      const float* at = from + 2 * k;
      store(to + k, every_other(load(at), load(at + lanes - 1), sequence));
    }
    for (; k < n; k += lanes) {
      const int64_t read = 2 * (n - k) - 1;  // nothing behind the last one
      const float* at = from + 2 * k;
      const Vec<float> a = load_n(at, smaller(read, lanes));
      const Vec<float> b = load_n(at + lanes - 1, larger(0, smaller(read - lanes + 1, lanes)));
      store(to + k, every_other(a, b, sequence));
    }
  } else {
    for (; k < n; ++k) to[k] = from[k * step];
  }
}

[[maybe_unused]] static void copy_columns(double* to, const double* from, int64_t step, int64_t n) {
  for (int64_t k = 0; k < n; ++k) to[k] = from[k * step];
}

namespace {

// to[t] = from[low + t * step] for 0 <= t < n, 0 where that is outside of 0 .. size.
template <class T>
void copy_row(T* to, const T* from, int64_t size, int64_t low, int64_t step, int64_t n) {
  int64_t t = 0;
  const int64_t begin = low >= 0 ? 0 : smaller(n, ceil_div(-low, step));
  const int64_t end = low >= size ? begin : larger(begin, smaller(n, ceil_div(size - low, step)));
  for (; t < begin; ++t) to[t] = T(0);
  if (begin < end) copy_columns(to + begin, from + (low + begin * step), step, end - begin);
  for (t = end; t < n; ++t) to[t] = T(0);
}

}  // namespace

template <class T>
void Patch::fill(const Geometry& g, const Block& b, int64_t c0, int64_t c1, const T* x,
                 T* to) const {
  const int64_t first_y = b.h0 * g.step_h + low_y, first_x = b.w0 * g.step_w + low_x;
  const int64_t used = (b.h1 - b.h0 - 1) * g.step_h + reach_y + 1;
  // Phases of rows and columns that no tap reads are left out.
  bool row_used[kMaxTaps] = {}, col_used[kMaxTaps] = {};
  const bool small = g.step_h <= kMaxTaps && g.step_w <= kMaxTaps;
  for (int a = 0; a < g.taps_h && small; ++a) row_used[(g.dy[a] - low_y) % g.step_h] = true;
  for (int a = 0; a < g.taps_w && small; ++a) col_used[(g.dx[a] - low_x) % g.step_w] = true;
  for (int64_t n = b.n0; n < b.n1; ++n, to += image) {
    for (int64_t c = c0; c < c1; ++c) {
      const T* from = x + n * g.x_image + c * g.x_channel;
      T* plane_to = to + (c - c0) * plane;
      for (int64_t r = 0; r < used; ++r) {
        if (small && !row_used[r % g.step_h]) continue;
        const int64_t y = first_y + r;
        const bool inside = y >= 0 && y < g.in_h;
        T* row_to = plane_to + r * row;
        for (int64_t p = 0; p < g.step_w; ++p) {
          if (small && !col_used[p]) continue;
          copy_row(row_to + p * phase, from + (inside ? y * g.x_row : 0), inside ? g.in_w : 0,
                   first_x + p, g.step_w, phase);
        }
      }
    }
  }
}

int64_t Patch::segments(const Geometry& g, const Block& b, Segment* out) const {
  int64_t count = 0, first = 0;
  const int64_t width = b.w1 - b.w0;
  for (int64_t n = b.n0; n < b.n1; ++n) {
    for (int64_t h = b.h0; h < b.h1; ++h, first += width) {
      out[count++] = {(n - b.n0) * image + (h - b.h0) * g.step_h * row,
                      n * g.y_image + h * g.y_row + b.w0 * g.y_col, first, width};
    }
  }
  return count;
}

namespace {

// Outputs of an axis, so that the zeros before the next row are those behind this one.
int64_t pitch_of(int64_t low, int64_t reach, int64_t in, int64_t out, int64_t step) {
  const int64_t read = (out - 1) * step + reach + 1;  // from low on
  const int64_t lead = low < 0 ? -low : 0;
  return ceil_div(larger(smaller(in - low, read), larger(read - lead, step * out)), step);
}

}  // namespace

void Flat::plan(const Geometry* g, int count) {
  int64_t high_y = INT64_MIN, high_x = INT64_MIN, out_h = 1, out_w = 1;
  low_y = low_x = INT64_MAX;
  for (int i = 0; i < count; ++i) {
    for (int a = 0; a < g[i].taps_h; ++a) {
      low_y = smaller(low_y, g[i].dy[a]);
      high_y = larger(high_y, g[i].dy[a]);
    }
    for (int b = 0; b < g[i].taps_w; ++b) {
      low_x = smaller(low_x, g[i].dx[b]);
      high_x = larger(high_x, g[i].dx[b]);
    }
    out_h = larger(out_h, g[i].out_h);
    out_w = larger(out_w, g[i].out_w);
  }
  reach_y = high_y - low_y;
  reach_x = high_x - low_x;
  rows = pitch_of(low_y, reach_y, g->in_h, out_h, g->step_h);
  pitch = pitch_of(low_x, reach_x, g->in_w, out_w, g->step_w);
}

template void Patch::fill<float>(const Geometry&, const Block&, int64_t, int64_t, const float*,
                                 float*) const;
#if CPU_CONV_F64
template void Patch::fill<double>(const Geometry&, const Block&, int64_t, int64_t, const double*,
                                  double*) const;
#endif

}  // namespace tenon::cpu::CPU_ISA
