// Rows are taken apart by phase of the stride, so that the elements at one place of all windows of a row lie side by side.
#include "conv/window_planes.hpp"

#include <limits>

#include "kernels/simd.hpp"
#include "matmul/transpose.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kRow = 2048;   // longest row, padding included
constexpr int64_t kRows = 8192;  // elements of all rows of a window

constexpr int64_t kWindow = 64;  // largest window along an axis

// How a row is taken apart.
struct Split {
  int64_t used,
      length;  // elements that windows cover, padding included; of one phase, whole vectors
  int64_t place[kWindow];  // where element k of all windows starts

  template <class T>
  static Split of(const WindowAxis& a) {
    Split s;
    s.used = (a.out - 1) * a.stride + (a.window - 1) * a.dilation + 1;
    const int64_t lanes = kLanes<T>;
    s.length = ((s.used + a.stride - 1) / a.stride + lanes - 1) / lanes * lanes + lanes;
    for (int64_t k = 0; k < a.window && k < kWindow; ++k) {
      const int64_t u = k * a.dilation;
      s.place[k] = u % a.stride * s.length + u / a.stride;
    }
    return s;
  }
};

template <class T, int64_t fixed>
void split_phases(const T* row, int64_t used, int64_t any, int64_t length, T* to) {
  const int64_t stride = fixed ? fixed : any;
  for (int64_t p = 0; p < stride; ++p) {
    const int64_t n = (used - p + stride - 1) / stride;
    for (int64_t t = 0; t < n; ++t) to[p * length + t] = row[t * stride + p];
  }
}

// `row` has the padding before and behind.
template <class T>
void split_row(const T* row, const WindowAxis& a, const Split& s, T* to) {
  if (a.stride == 1)
    std::memcpy(to, row, size_t(s.used) * sizeof(T));
  else if (a.stride == 2)
    split_phases<T, 2>(row, s.used, 2, s.length, to);
  else
    split_phases<T, 0>(row, s.used, a.stride, s.length, to);
}

// ---- reductions

template <WindowMode mode, class V>
CPU_INLINE V combine(V a, V b) {
  if constexpr (mode == WindowMode::sum)
    return a + b;
  else
    return mode == WindowMode::max ? vmax(a, b) : vmin(a, b);
}

template <WindowMode mode, class T>
constexpr T neutral_of() {
  constexpr T inf = std::numeric_limits<T>::infinity();
  return mode == WindowMode::sum ? T(0) : mode == WindowMode::max ? -inf : inf;
}

template <class T>
struct Rows {
  alignas(64) T padded[kRow + 2 * kLanes<double> * 8];
  alignas(64) T apart[kRows + 64];
};

// First along columns, whole rows at a time, then along the row.
template <WindowMode mode, class T>
void reduce_plane(const WindowPlan& p, const Split& split, const T* x, T* y, Rows<T>& rows) {
  const WindowAxis &h = p.axis[0], &w = p.axis[1];
  constexpr int64_t lanes = kLanes<T>;
  constexpr T neutral = neutral_of<mode, T>();
  const int64_t covered = split.used - w.low < w.in ? split.used - w.low : w.in;
  T* row = rows.padded + w.low;
  for (int64_t i = 0; i < h.out; ++i, y += w.out) {
    const Reach r = reach(h, i);
    for (int64_t j = 0; j < covered; j += lanes) {
      const int64_t n = covered - j < lanes ? covered - j : lanes;
      Vec<T> all = splat<Vec<T>>(neutral);
      const T* from = x + r.at * w.in + j;
      for (int64_t k = r.first; k < r.last; ++k, from += h.dilation * w.in) {
        all = combine<mode>(all, n == lanes ? load(from) : load_n(from, n));
      }
      if (n == lanes)
        store(row + j, all);
      else
        store_n(row + j, all, n);
    }
    const T* apart = rows.padded;
    if (w.stride != 1) {
      split_row(rows.padded, w, split, rows.apart);
      apart = rows.apart;
    }
    for (int64_t j = 0; j < w.out; j += lanes) {
      Vec<T> all = splat<Vec<T>>(neutral);
      for (int64_t k = 0; k < w.window; ++k)
        all = combine<mode>(all, load(apart + split.place[k] + j));
      if (w.out - j >= lanes)
        store(y + j, all);
      else
        store_n(y + j, all, w.out - j);
    }
  }
}

template <WindowMode mode, class T>
tn_error* TN_CALL run_reduce(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const WindowPlan*>(data);
  const T* x = input<T>(args[0]);
  T* y = output<T>(args[1]);
  const double ns = 0.5 * double(p.out_size) + 0.3 * double(p.in_size);
  parallel(*p.device, p.planes, 1, ns, [&](int64_t begin, int64_t end) {
    Rows<T> rows;
    for (T& e : rows.padded) e = neutral_of<mode, T>();
    const Split split = Split::of<T>(p.axis[1]);
    for (int64_t plane = begin; plane < end; ++plane) {
      T* to = y + plane * p.out_size;
      reduce_plane<mode>(p, split, x + plane * p.in_size, to, rows);
      if (mode == WindowMode::sum && p.scale != 0) average_plane(p, to);
    }
  });
  return nullptr;
}

// ---- the gradient of the greatest

template <class T>
struct ScatterRows : Rows<T> {
  using E = typename IntOf<sizeof(T)>::type;
  alignas(64) E best[kRow + 64];  // element of each window, counted row by row
  E first[kRow];  // column of each window's first element that is no padding; -1: none
  int64_t offset[kWindow * kWindow];  // of a window's elements in x, from the first
};

// The places of the first greatest elements of a row of windows; NaN is the greatest. An element of the padding is never it,
// unless a window sees nothing else: -1.
template <class T>
void find_greatest(const WindowPlan& p, const Reach& r, const Split& split, ScatterRows<T>& rows) {
  const WindowAxis& w = p.axis[1];
  constexpr int64_t lanes = kLanes<T>;
  using I = Mask<T>;
  using E = ElementOf<I>;
  const E start = E(r.first * w.window);
  for (int64_t j = 0; j < w.out; ++j) {
    rows.best[j] = rows.first[j] < 0 || r.first >= r.last ? E(-1) : E(start + rows.first[j]);
  }
  for (int64_t j = 0; j < w.out; j += lanes) {
    Vec<T> top = splat<Vec<T>>(-std::numeric_limits<T>::infinity());
    I best = load_as<I>(rows.best + j);
    for (int64_t a = r.first; a < r.last; ++a) {
      const T* row = rows.apart + (a - r.first) * w.stride * split.length + j;
      for (int64_t b = 0; b < w.window; ++b) {
        const Vec<T> v = load(row + split.place[b]);
        const I better = (v > top) | ((v != v) & (top == top));
        top = better ? v : top;
        best = better ? splat<I>(E(a * w.window + b)) : best;
      }
    }
    store(rows.best + j, best);
  }
}

template <class T>
void scatter_plane(const WindowPlan& p, const Split& split, const T* x, const T* g, T* y,
                   ScatterRows<T>& rows) {
  const WindowAxis &h = p.axis[0], &w = p.axis[1];
  const int64_t covered = split.used - w.low < w.in ? split.used - w.low : w.in;
  std::memset(y, 0, size_t(p.in_size) * sizeof(T));
  for (int64_t i = 0; i < h.out; ++i, g += w.out) {
    const Reach r = reach(h, i);
    for (int64_t a = r.first; a < r.last; ++a) {
      const T* from = x + (r.at + (a - r.first) * h.dilation) * w.in;
      std::memcpy(rows.padded + w.low, from, size_t(covered) * sizeof(T));
      split_row(rows.padded, w, split, rows.apart + (a - r.first) * w.stride * split.length);
    }
    find_greatest(p, r, split, rows);
    T* base = y + (i * h.stride - h.low) * w.in - w.low;
    for (int64_t j = 0; j < w.out; ++j) {
      const int64_t k = rows.best[j];
      if (k >= 0) base[rows.offset[k] + j * w.stride] += g[j];
    }
  }
}

template <class T>
tn_error* TN_CALL run_scatter(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const WindowPlan*>(data);
  const T *x = input<T>(args[0]), *g = input<T>(args[1]);
  T* y = output<T>(args[2]);
  const double ns = 3.0 * double(p.out_size) + 0.5 * double(p.in_size);
  parallel(*p.device, p.planes, 1, ns, [&](int64_t begin, int64_t end) {
    ScatterRows<T> rows;
    for (T& e : rows.padded) e = -std::numeric_limits<T>::infinity();
    const WindowAxis &h = p.axis[0], &w = p.axis[1];
    const Split split = Split::of<T>(w);
    for (int64_t j = 0; j < w.out; ++j) {
      const Reach c = reach(w, j);
      rows.first[j] = c.first < c.last ? typename ScatterRows<T>::E(c.first) : -1;
    }
    for (int64_t k = 0; k < h.window * w.window; ++k) {
      rows.offset[k] = k / w.window * h.dilation * w.in + k % w.window * w.dilation;
    }
    for (int64_t plane = begin; plane < end; ++plane) {
      scatter_plane(p, split, x + plane * p.in_size, g + plane * p.out_size, y + plane * p.in_size,
                    rows);
    }
  });
  return nullptr;
}

// ---- windows of 2 x 2 side by side, without padding: rows are taken apart, and put together, in
// registers. Results are bit for bit those of the planes above.

bool are_pairs(const WindowAxis& a) {
  return a.window == 2 && (a.stride == 2 || a.out == 1) && a.low == 0 && a.dilation == 1 &&
         2 * a.out <= a.in;
}
bool are_pairs(const WindowPlan& p) {
  return p.rank == 2 && p.out_size > 0 && are_pairs(p.axis[0]) && are_pairs(p.axis[1]);
}

template <int first, class V, int... i>
CPU_INLINE V every_other(V a, V b, std::integer_sequence<int, i...>) {
  return __builtin_shufflevector(a, b, (2 * i + first)...);
}

template <class T>
struct Pairs {
  Vec<T> left, right;
  static constexpr std::make_integer_sequence<int, kLanes<T>> order{};

  // The first n pairs of a row, up to a vector of them.
  CPU_INLINE static Pairs of(const T* row, int64_t n) {
    constexpr int64_t lanes = kLanes<T>;
    Vec<T> a, b{};
    if (n >= lanes) {
      a = load(row), b = load(row + lanes);
    } else {
      a = load_n(row, 2 * n < lanes ? 2 * n : lanes);
      if (2 * n > lanes) b = load_n(row + lanes, 2 * n - lanes);
    }
    return {every_other<0>(a, b, order), every_other<1>(a, b, order)};
  }
  CPU_INLINE void put(T* row, int64_t n) const {
    constexpr int64_t lanes = kLanes<T>;
    const Vec<T> a = interleave<false>(left, right, order),
                 b = interleave<true>(left, right, order);
    if (n >= lanes) {
      store(row, a), store(row + lanes, b);
    } else {
      store_n(row, a, 2 * n < lanes ? 2 * n : lanes);
      if (2 * n > lanes) store_n(row + lanes, b, 2 * n - lanes);
    }
  }
};

// body(plane, row of windows, first window, windows left in the row), a vector of windows at a time.
template <class T, class Body>
void for_pairs(const WindowPlan& p, double ns, Body&& body) {
  parallel(*p.device, p.planes, 1, ns * double(p.out_size), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      for (int64_t i = 0; i < p.axis[0].out; ++i) {
        for (int64_t j = 0; j < p.axis[1].out; j += kLanes<T>) body(plane, i, j, p.axis[1].out - j);
      }
    }
  });
}

template <WindowMode mode, class T>
tn_error* TN_CALL run_reduce_pairs(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const WindowPlan*>(data);
  const int64_t width = p.axis[1].in, out = p.axis[1].out;
  for_pairs<T>(p, 0.4, [&](int64_t plane, int64_t i, int64_t j, int64_t n) {
    const T* x = input<T>(args[0]) + plane * p.in_size + 2 * (i * width + j);
    T* y = output<T>(args[1]) + plane * p.out_size + i * out + j;
    const Vec<T> none = splat<Vec<T>>(neutral_of<mode, T>());
    const Pairs<T> a = Pairs<T>::of(x, n), b = Pairs<T>::of(x + width, n);
    const Vec<T> left = combine<mode>(combine<mode>(none, a.left), b.left);
    const Vec<T> right = combine<mode>(combine<mode>(none, a.right), b.right);
    Vec<T> all = combine<mode>(combine<mode>(none, left), right);
    // What average_plane does, as no window sees padding.
    if (mode == WindowMode::sum && p.scale != 0) all = all * T(0.25);
    if (n >= kLanes<T>) {
      store(y, all);
    } else {
      store_n(y, all, n);
    }
  });
  return nullptr;
}

// Is v a greater one than all before it?
template <class T>
CPU_INLINE Mask<T> beats(Vec<T> v, Vec<T> top) {
  return (v > top) | ((v != v) & (top == top));
}

template <class T>
tn_error* TN_CALL run_scatter_pairs(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const WindowPlan*>(data);
  const int64_t height = p.axis[0].in, width = p.axis[1].in, out = p.axis[1].out;
  const bool whole = 2 * out == width, last = 2 * p.axis[0].out == height;
  for_pairs<T>(p, 1.0, [&](int64_t plane, int64_t i, int64_t j, int64_t n) {
    const int64_t at = plane * p.in_size + 2 * (i * width + j);
    const T *x = input<T>(args[0]) + at,
            *from = input<T>(args[1]) + plane * p.out_size + i * out + j;
    T* y = output<T>(args[2]) + at;
    const Pairs<T> a = Pairs<T>::of(x, n), b = Pairs<T>::of(x + width, n);
    const Vec<T> zero{}, g = (n >= kLanes<T> ? load(from) : load_n(from, n)) + zero;
    Vec<T> top = a.left;
    const Mask<T> by_2 = beats<T>(a.right, top);
    top = select(by_2, a.right, top);
    const Mask<T> by_3 = beats<T>(b.left, top);
    top = select(by_3, b.left, top);
    const Mask<T> by_4 = beats<T>(b.right, top);
    const Mask<T> late = by_3 | by_4;
    Pairs<T>{select(by_2 | late, zero, g), select(by_2 & ~late, g, zero)}.put(y, n);
    Pairs<T>{select(by_3 & ~by_4, g, zero), select(by_4, g, zero)}.put(y + width, n);
    // What no window sees: the last column, and the rows behind the last windows.
    if (n > kLanes<T>) return;
    if (!whole) {
      for (T* row : {y, y + width})
        std::memset(static_cast<void*>(row + 2 * n), 0, size_t(width - 2 * out) * sizeof(T));
    }
    if (!last && i == p.axis[0].out - 1) {
      T* rest = output<T>(args[2]) + plane * p.in_size + 2 * (i + 1) * width;
      std::memset(static_cast<void*>(rest), 0, size_t((height - 2 * i - 2) * width) * sizeof(T));
    }
  });
  return nullptr;
}

template <class T>
bool fits(const WindowPlan& p, int64_t rows) {
  if (p.rank != 2 || p.out_size == 0 || p.axis[0].window > kWindow || p.axis[1].window > kWindow) {
    return false;
  }
  const Split s = Split::of<T>(p.axis[1]);
  return s.used <= kRow && p.axis[1].low + p.axis[1].in <= kRow &&
         rows * p.axis[1].stride * s.length <= kRows;
}

template <class T>
tn_kernel_run reduce_run(const WindowPlan& p, WindowMode mode) {
  if (are_pairs(p)) {
    return mode == WindowMode::max   ? run_reduce_pairs<WindowMode::max, T>
           : mode == WindowMode::min ? run_reduce_pairs<WindowMode::min, T>
                                     : run_reduce_pairs<WindowMode::sum, T>;
  }
  if (!fits<T>(p, 1)) return nullptr;
  return mode == WindowMode::max   ? run_reduce<WindowMode::max, T>
         : mode == WindowMode::min ? run_reduce<WindowMode::min, T>
                                   : run_reduce<WindowMode::sum, T>;
}

}  // namespace

tn_kernel_run window_reduce_planes(const WindowPlan& p, tn_dtype dtype, WindowMode mode) {
  if (dtype == TN_DTYPE_F32) return reduce_run<float>(p, mode);
  if (dtype == TN_DTYPE_F64) return reduce_run<double>(p, mode);
  return nullptr;
}

tn_kernel_run window_scatter_planes(const WindowPlan& p, tn_dtype dtype) {
  if (are_pairs(p)) {
    if (dtype == TN_DTYPE_F32) return run_scatter_pairs<float>;
    if (dtype == TN_DTYPE_F64) return run_scatter_pairs<double>;
  }
  if (dtype == TN_DTYPE_F32 && fits<float>(p, p.axis[0].window)) return run_scatter<float>;
  if (dtype == TN_DTYPE_F64 && fits<double>(p, p.axis[0].window)) return run_scatter<double>;
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
