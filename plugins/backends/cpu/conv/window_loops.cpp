// window_reduce and window_scatter over any number of axes.
#include <tenon/sdk/dtype.hpp>

#include <limits>

#include "conv/loops.hpp"

namespace tenon::cpu {

namespace {

// Calls f(input index) for each element of x in the window of output element i (of one plane), in row-major order.
template <class F>
inline void for_window(const WindowPlan& p, int64_t i, F&& f) {
  Reach r[TN_MAX_RANK];
  int64_t at[TN_MAX_RANK];
  int64_t step[TN_MAX_RANK];
  int64_t base = 0, size = 1;
  for (int a = p.rank - 1; a >= 0; --a) {
    r[a] = reach(p.axis[a], i % p.axis[a].out);
    i /= p.axis[a].out;
    if (r[a].first >= r[a].last) return;
    base += r[a].at * size;
    step[a] = p.axis[a].dilation * size;
    size *= p.axis[a].in;
    at[a] = r[a].first;
  }
  while (true) {
    f(base);
    int a = p.rank - 1;
    for (; a >= 0; --a) {
      base += step[a];
      if (++at[a] < r[a].last) break;
      base -= step[a] * (r[a].last - r[a].first);
      at[a] = r[a].first;
    }
    if (a < 0) return;
  }
}

template <class T>
T least() {
  if constexpr (std::is_floating_point_v<T>)
    return -std::numeric_limits<T>::infinity();
  else
    return std::numeric_limits<T>::min();
}
template <class T>
T greatest() {
  if constexpr (std::is_floating_point_v<T>)
    return std::numeric_limits<T>::infinity();
  else
    return std::numeric_limits<T>::max();
}
template <class T>
T add(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return T(std::make_unsigned_t<T>(a) + std::make_unsigned_t<T>(b));
  else
    return a + b;
}

double window_ns(const WindowPlan& p) {
  double ns = 3 * double(p.out_size);
  for (int a = 0; a < p.rank; ++a) ns *= double(p.axis[a].window);
  return ns;
}

template <WindowMode mode, class T>
tn_error* TN_CALL run_reduce(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const WindowPlan*>(data);
  const T* x = input<T>(args[0]);
  T* y = output<T>(args[1]);
  parallel(*p.device, p.planes, 1, window_ns(p), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const T* from = x + plane * p.in_size;
      T* to = y + plane * p.out_size;
      for (int64_t i = 0; i < p.out_size; ++i) {
        T all = mode == WindowMode::max   ? least<T>()
                : mode == WindowMode::min ? greatest<T>()
                                          : T(0);
        for_window(p, i, [&](int64_t at) {
          const T v = from[at];
          if (mode == WindowMode::sum)
            all = add(all, v);
          else if (all == all && (v != v || (mode == WindowMode::max ? v > all : v < all)))
            all = v;
        });
        to[i] = all;
      }
      if constexpr (std::is_floating_point_v<T>) {
        if (mode == WindowMode::sum && p.scale != 0) average_plane(p, to);
      }
    }
  });
  return nullptr;
}

// dx of one plane: each g goes to the first greatest element of its window; NaN is the greatest.
template <class T>
void scatter_plane(const WindowPlan& p, const T* x, const T* g, T* y) {
  for (int64_t i = 0; i < p.in_size; ++i) y[i] = T(0);
  for (int64_t i = 0; i < p.out_size; ++i) {
    int64_t best = -1;
    T top = T(0);
    for_window(p, i, [&](int64_t at) {
      const T v = x[at];
      if (best < 0 || v > top || (v != v && top == top)) {
        best = at;
        top = v;
      }
    });
    if (best >= 0) y[best] = add(y[best], g[i]);
  }
}

template <class T>
tn_error* TN_CALL run_scatter(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const WindowPlan*>(data);
  const T *x = input<T>(args[0]), *g = input<T>(args[1]);
  T* y = output<T>(args[2]);
  parallel(*p.device, p.planes, 1, window_ns(p), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      scatter_plane(p, x + plane * p.in_size, g + plane * p.out_size, y + plane * p.in_size);
    }
  });
  return nullptr;
}

using Dtypes = sdk::Join<sdk::Types<float, double>, sdk::Integers>;

}  // namespace

tn_kernel_run window_reduce_loops(tn_dtype dtype, WindowMode mode) {
  tn_kernel_run run = nullptr;
  sdk::visit_dtype<Dtypes>(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    run = mode == WindowMode::max   ? run_reduce<WindowMode::max, T>
          : mode == WindowMode::min ? run_reduce<WindowMode::min, T>
                                    : run_reduce<WindowMode::sum, T>;
  });
  return run;
}

tn_kernel_run window_scatter_loops(tn_dtype dtype) {
  tn_kernel_run run = nullptr;
  sdk::visit_dtype<Dtypes>(dtype,
                           [&](auto type) { run = run_scatter<typename decltype(type)::type>; });
  return run;
}

}  // namespace tenon::cpu
