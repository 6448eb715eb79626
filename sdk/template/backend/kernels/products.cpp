// Products and windows: matmul, convolution, pooling.
#include "../kernels.hpp"

namespace mydevice_backend {
namespace {

using namespace tenon::sdk;

struct MatMul {  // [..., m, k] by [..., k, n]; leading dims broadcast
  struct Data {
    bool transpose_a = false, transpose_b = false;
  };
  static Plan<Data> prepare(const Signature& s) {
    if (!same_numbers<Numbers>(s)) return s.decline(kNoMeaning);
    return Data{attr_bool(s, TN_MATMUL_TRANSPOSE_A), attr_bool(s, TN_MATMUL_TRANSPOSE_B)};
  }
  static void run(const Data& plan, const Queue&, const Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) { multiply<W>(plan, args[0], args[1], args[2]); });
  }
  template <class W>
  static void multiply(const Data& plan, const tn_view& av, const tn_view& bv, const tn_view& yv) {
    const auto a = load<W>(av), b = load<W>(bv);
    Dense<W> y(static_cast<size_t>(yv.count));
    const int64_t m = yv.dims[yv.rank - 2], n = yv.dims[yv.rank - 1];
    const int64_t depth = av.dims[av.rank - (plan.transpose_a ? 2 : 1)];
    const int64_t a_row = plan.transpose_a ? 1 : depth, a_column = plan.transpose_a ? m : 1;
    const int64_t b_row = plan.transpose_b ? 1 : n, b_column = plan.transpose_b ? depth : 1;
    const auto a_steps = batch_strides(av, yv), b_steps = batch_strides(bv, yv);
    W* row = y.data();
    if (y.empty()) return;
    const auto batches =
        coalesce<2>(dims(yv).first(yv.rank - 2u), {a_steps.data(), b_steps.data()});
    for_each(batches, [&](int64_t a0, int64_t b0) {
      for (int64_t i = 0; i < m; ++i, row += n) {
        for (int64_t k = 0; k < depth; ++k) {
          const W left = a.data()[a0 + i * a_row + k * a_column];
          const W* right = b.data() + b0 + k * b_row;
          for (int64_t j = 0; j < n; ++j) {
            row[j] = sum_of(row[j], product_of(left, right[j * b_column]));
          }
        }
      }
    });
    store(y, yv);
  }
};

struct Conv {  // x [N, C, spatial...], w [O, C / groups, spatial...], y [N, O, spatial...]
  struct Data {
    std::vector<WindowAxis> axes;
    int64_t groups = 1;
  };
  static Plan<Data> prepare(const Signature& s) {
    if (!same_numbers<Numbers>(s)) return s.decline(kNoMeaning);
    const size_t n = s.input(0).rank - 2u;
    Data plan{attr_windows(s, n, TN_CONV_STRIDE, TN_CONV_LOW, TN_CONV_RHS_DILATION),
              attr_i64(s, TN_CONV_GROUPS)};
    const auto holes = attr_i64s_or(s, TN_CONV_LHS_DILATION, n, 1);
    for (size_t i = 0; i < n; ++i) plan.axes[i].input_dilation = holes[i];
    return plan;
  }
  static void run(const Data& plan, const Queue&, const Args& args) {
    if (args[2].count == 0) return;  // however far the padding reaches
    visit_wide(args[0].dtype, [&]<class W>(W) { convolve<W>(plan, args[0], args[1], args[2]); });
  }
  template <class W>
  static void convolve(const Data& plan, const tn_view& xv, const tn_view& wv, const tn_view& yv) {
    const auto x = load<W>(xv), w = load<W>(wv);
    Dense<W> y(static_cast<size_t>(yv.count));
    const auto x_dims = dims(xv).subspan(2), w_dims = dims(wv).subspan(2);
    const auto y_dims = dims(yv).subspan(2);
    const int64_t x_size = product(x_dims), w_size = product(w_dims), y_size = product(y_dims);
    const int64_t outputs = yv.dims[1], per_group = outputs / plan.groups, depth = wv.dims[1];
    for_each_in_windows(plan.axes, x_dims, w_dims, y_dims, [&](size_t p, size_t at, size_t tap) {
      for (int64_t n = 0; n < xv.dims[0]; ++n) {
        for (int64_t o = 0; o < outputs; ++o) {
          const W* xs = x.data() + (n * xv.dims[1] + o / per_group * depth) * x_size + at;
          const W* ws = w.data() + o * depth * w_size + tap;
          W& sum = y[static_cast<size_t>((n * outputs + o) * y_size) + p];
          for (int64_t c = 0; c < depth; ++c) {
            sum = sum_of(sum, product_of(xs[c * x_size], ws[c * w_size]));
          }
        }
      }
    });
    store(y, yv);
  }
};

// window_reduce, and window_scatter, the gradient of its maximum, have their lists under the same keys.
struct Windows {
  std::vector<WindowAxis> axes;
  std::vector<int64_t> window;
  Combine mode = Combine::max;
};
Windows read_windows(const Signature& s) {
  const size_t rank = s.input(0).rank;
  return {attr_windows(s, rank, TN_WINDOW_REDUCE_STRIDE, TN_WINDOW_REDUCE_LOW,
                       TN_WINDOW_REDUCE_DILATION),
          attr_i64s_or(s, TN_WINDOW_REDUCE_WINDOW, rank, 1)};
}

struct WindowReduce {
  static Plan<Windows> prepare(const Signature& s) {
    Windows plan = read_windows(s);
    plan.mode = combine_named(attr_string(s, TN_WINDOW_REDUCE_MODE));
    if (s.output().dtype == TN_DTYPE_BOOL && plan.mode == Combine::add)
      return s.decline(kNoMeaning);
    if (!can_combine(plan.mode, s.output().dtype)) return s.decline(kNoMeaning);
    return plan;
  }
  static void run(const Windows& plan, const Queue&, const Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) {
      const auto x = load<W>(args[0]);
      Dense<W> y(static_cast<size_t>(args[1].count));
      if constexpr (Real<W>) {  // what padding counts as
        if (plan.mode != Combine::add) {
          y.assign(y.size(), extreme_of<W>(args[0].dtype, plan.mode == Combine::max));
        }
      }
      for_each_in_windows(
          plan.axes, dims(args[0]), plan.window, dims(args[1]),
          [&](size_t o, size_t i, size_t) { y[o] = combined(plan.mode, y[o], x[i]); });
      store(y, args[1]);
    });
  }
};

struct WindowScatter {  // each g is added where the first greatest element of its window lies
  static Plan<Windows> prepare(const Signature& s) {
    if (!same_numbers<Reals>(s)) return s.decline(kNoMeaning);
    return read_windows(s);
  }
  static void run(const Windows& plan, const Queue&, const Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (Real<W>) {
        const auto x = load<W>(args[0]), g = load<W>(args[1]);
        std::vector<size_t> chosen(g.size(), x.size());  // x.size(): none
        for_each_in_windows(plan.axes, dims(args[0]), plan.window, dims(args[1]),
                            [&](size_t o, size_t i, size_t) {
                              size_t& best = chosen[o];
                              if (best == x.size() || exceeds(x[i], x[best])) best = i;
                            });
        Dense<W> y(x.size());
        for (size_t o = 0; o < g.size(); ++o) {
          if (chosen[o] < x.size()) y[chosen[o]] = sum_of(y[chosen[o]], g[o]);
        }
        store(y, args[2]);
      }
    });
  }
};

constexpr tn_kernel kList[] = {
    host_kernel<MatMul>("matmul"),
    host_kernel<Conv>("conv"),
    host_kernel<WindowReduce>("window_reduce"),
    host_kernel<WindowScatter>("window_scatter"),
};

}  // namespace

std::span<const tn_kernel> product_kernels() { return kList; }

}  // namespace mydevice_backend
