// Pooling: reductions over windows of every axis of x, and the gradient of the greatest one.
#include "elementwise.hpp"
#include "window_axis.hpp"

namespace tenon::reference {
namespace {

struct WindowData {
  std::vector<int64_t> window, stride, low, dilation;
  char mode = 'x';  // 'x' max, 'n' min, 's' sum
};

// The attributes have the same keys in both ops, but for the mode.
static_assert(TN_WINDOW_REDUCE_WINDOW == TN_WINDOW_SCATTER_WINDOW &&
              TN_WINDOW_REDUCE_STRIDE == TN_WINDOW_SCATTER_STRIDE &&
              TN_WINDOW_REDUCE_LOW == TN_WINDOW_SCATTER_LOW &&
              TN_WINDOW_REDUCE_DILATION == TN_WINDOW_SCATTER_DILATION);
WindowData read_window(const sdk::Signature& s) {
  const size_t rank = s.input(0).rank;
  return {sdk::attr_i64s_or(s, TN_WINDOW_REDUCE_WINDOW, rank, 1),
          sdk::attr_i64s_or(s, TN_WINDOW_REDUCE_STRIDE, rank, 1),
          sdk::attr_i64s_or(s, TN_WINDOW_REDUCE_LOW, rank, 0),
          sdk::attr_i64s_or(s, TN_WINDOW_REDUCE_DILATION, rank, 1)};
}

// Calls f(output, input) for every output position and every element of x in its window, by offset in the dense arrays; windows in
// row-major order. Padding is left out.
template <class F>
void for_each_in_windows(const WindowData& plan, std::span<const int64_t> x_dims,
                         std::span<const int64_t> y_dims, F&& f) {
  std::vector<WindowAxis> axes;
  for (size_t i = 0; i < x_dims.size(); ++i) {
    axes.push_back({x_dims[i], plan.stride[i], plan.low[i], plan.dilation[i], 1});
  }
  size_t output = 0;
  for_each_index(y_dims, [&](std::span<const int64_t> p) {
    for_each_index(plan.window, [&](std::span<const int64_t> w) {
      int64_t input = 0;
      for (size_t i = 0; i < axes.size(); ++i) {
        const int64_t source = axes[i].source(p[i], w[i]);
        if (source < 0) return;
        input = input * axes[i].size + source;
      }
      f(output, static_cast<size_t>(input));
    });
    ++output;
  });
}

// What padding counts as: the element that changes nothing.
template <Real W>
W neutral(char mode, tn_dtype dtype) {
  W least{}, greatest{};
  sdk::visit_dtype<sdk::Join<sdk::Reals, sdk::Bools>>(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (!std::same_as<Wide<T>, W>) {
      return;
    } else if constexpr (sdk::is_float<T>) {
      greatest = std::numeric_limits<double>::infinity();
      least = -greatest;
    } else {
      greatest = std::numeric_limits<T>::max();
      least = std::numeric_limits<T>::min();
    }
  });
  return mode == 'x' ? least : greatest;
}

// window_reduce(x) -> y: y[p] is the greatest, the least or the sum of x[p * stride + w * dilation - low] over w in the window.
struct WindowReduce {
  static sdk::Plan<WindowData> prepare(const sdk::Signature& s) {
    WindowData plan = read_window(s);
    const auto mode = sdk::attr_string(s, TN_WINDOW_REDUCE_MODE);
    const tn_dtype dtype = s.input(0).dtype;
    if (mode == "sum") {
      if (!sdk::has_dtype<sdk::Numbers>(dtype)) return s.decline(kNoMeaning);
      plan.mode = 's';
    } else if (mode == "max" || mode == "min") {
      if (!sdk::has_dtype<sdk::Join<sdk::Reals, sdk::Bools>>(dtype)) return s.decline(kNoMeaning);
      plan.mode = mode == "max" ? 'x' : 'n';
    } else {
      sdk::fail(TN_INVALID_ARGUMENT, "unknown mode \"", mode, "\"; there are max, min, sum");
    }
    return plan;
  }
  static void run(const WindowData& plan, const sdk::Queue&, const sdk::Args& args) {
    const tn_view &xv = args[0], &yv = args[1];
    visit_wide(xv.dtype, [&]<class W>(W) {
      const Dense<W> x = load<W>(xv);
      Dense<W> y(static_cast<size_t>(yv.count));
      if constexpr (Real<W>) {
        if (plan.mode != 's') y.assign(y.size(), neutral<W>(plan.mode, xv.dtype));
      }
      for_each_in_windows(plan, sdk::dims(xv), sdk::dims(yv), [&](size_t o, size_t i) {
        if constexpr (Real<W>) {
          if (plan.mode == 'x') y[o] = greater_of(y[o], x[i]);
          if (plan.mode == 'n') y[o] = lesser_of(y[o], x[i]);
        }
        if (plan.mode == 's') y[o] = sum_of(y[o], x[i]);
      });
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
        for_each_in_windows(plan, sdk::dims(xv), sdk::dims(gv), [&](size_t o, size_t i) {
          size_t& best = chosen[o];
          if (best == none || (!is_nan(x[best]) && (x[i] > x[best] || is_nan(x[i])))) best = i;
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
