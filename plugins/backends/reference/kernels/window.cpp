// Pooling: reductions over windows of every axis of x, and the gradient of the greatest one.
#include "elementwise.hpp"

namespace tenon::reference {
namespace {

struct WindowData {
  std::vector<WindowAxis> axes;
  std::vector<int64_t> window;
  Combine mode = Combine::max;
};

// The attributes have the same keys in both ops, but for the mode.
static_assert(TN_WINDOW_REDUCE_WINDOW == TN_WINDOW_SCATTER_WINDOW &&
              TN_WINDOW_REDUCE_STRIDE == TN_WINDOW_SCATTER_STRIDE &&
              TN_WINDOW_REDUCE_LOW == TN_WINDOW_SCATTER_LOW &&
              TN_WINDOW_REDUCE_DILATION == TN_WINDOW_SCATTER_DILATION);
WindowData read_window(const sdk::Signature& s) {
  const size_t rank = s.input(0).rank;
  return {sdk::attr_windows(s, rank, TN_WINDOW_REDUCE_STRIDE, TN_WINDOW_REDUCE_LOW,
                            TN_WINDOW_REDUCE_DILATION),
          sdk::attr_i64s_or(s, TN_WINDOW_REDUCE_WINDOW, rank, 1)};
}

// window_reduce(x) -> y: y[p] is the greatest, the least or the sum of x[p * stride + w * dilation - low] over w in the window.
struct WindowReduce {
  static sdk::Plan<WindowData> prepare(const sdk::Signature& s) {
    WindowData plan = read_window(s);
    plan.mode = combine_named(sdk::attr_string(s, TN_WINDOW_REDUCE_MODE));
    const bool known = plan.mode == Combine::add ? sdk::has_dtype<sdk::Numbers>(s.input(0).dtype)
                                                 : can_combine(plan.mode, s.input(0).dtype);
    if (!known) return s.decline(kNoMeaning);
    return plan;
  }
  static void run(const WindowData& plan, const sdk::Queue&, const sdk::Args& args) {
    const tn_view &xv = args[0], &yv = args[1];
    visit_wide(xv.dtype, [&]<class W>(W) {
      const Dense<W> x = load<W>(xv);
      Dense<W> y(static_cast<size_t>(yv.count));
      if constexpr (Real<W>) {
        if (plan.mode != Combine::add) {
          y.assign(y.size(), extreme_of<W>(xv.dtype, plan.mode == Combine::max));
        }
      }
      for_each_in_windows(
          plan.axes, sdk::dims(xv), plan.window, sdk::dims(yv),
          [&](size_t o, size_t i, size_t) { y[o] = combined(plan.mode, y[o], x[i]); });
      store(y, yv);
    });
  }
};

// window_scatter(x, g) -> y, with the dims of x: each g[p] is added where the first greatest element of window p lies. A window
// that sees only padding gives its g to nobody.
struct WindowScatter {
  static sdk::Plan<WindowData> prepare(const sdk::Signature& s) {
    if (!sdk::has_dtype<sdk::Reals>(s.input(0).dtype)) return s.decline(kNoMeaning);
    if (s.input(1).dtype != s.input(0).dtype) return s.decline("x and g differ in dtype");
    return read_window(s);
  }
  static void run(const WindowData& plan, const sdk::Queue&, const sdk::Args& args) {
    const tn_view &xv = args[0], &gv = args[1], &yv = args[2];
    visit_wide(xv.dtype, [&]<class W>(W) {
      if constexpr (Real<W>) {
        const Dense<W> x = load<W>(xv), g = load<W>(gv);
        constexpr auto none = static_cast<size_t>(-1);
        Dense<size_t> chosen(g.size(), none);
        for_each_in_windows(plan.axes, sdk::dims(xv), plan.window, sdk::dims(gv),
                            [&](size_t o, size_t i, size_t) {
                              size_t& best = chosen[o];
                              if (best == none || exceeds(x[i], x[best])) best = i;
                            });
        Dense<W> y(x.size());
        for (size_t o = 0; o < g.size(); ++o) {
          if (chosen[o] != none) y[chosen[o]] = sum_of(y[chosen[o]], g[o]);
        }
        store(y, yv);
      }
    });
  }
};

}  // namespace

REFERENCE_KERNEL(window_reduce, WindowReduce, 0);
REFERENCE_KERNEL(window_scatter, WindowScatter, 0);

}  // namespace tenon::reference
