// conv(x, w) -> y: cross-correlation over any number of spatial axes.
//   x [N, C, spatial...], w [O, C / groups, spatial...], y [N, O, spatial...]
// y[n, o, p] = sum over c, q of x[n, c, p * stride + q * rhs_dilation - low] * w[o, c, q], x being dilated by lhs_dilation.
#include "elementwise.hpp"
#include "window_axis.hpp"

namespace tenon::reference {
namespace {

struct Conv {
  struct Data {
    std::vector<int64_t> stride, low, lhs_dilation, rhs_dilation;
    int64_t groups = 1;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    const tn_dtype dtype = s.input(0).dtype;
    if (!sdk::has_dtype<sdk::Numbers>(dtype)) return s.decline(kNoMeaning);
    if (s.input(1).dtype != dtype) return s.decline("the inputs differ in dtype");
    if (s.input(0).rank < 2) return s.decline("x has no channels");
    const size_t spatial = s.input(0).rank - 2u;
    return Data{sdk::attr_i64s_or(s, TN_CONV_STRIDE, spatial, 1),
                sdk::attr_i64s_or(s, TN_CONV_LOW, spatial, 0),
                sdk::attr_i64s_or(s, TN_CONV_LHS_DILATION, spatial, 1),
                sdk::attr_i64s_or(s, TN_CONV_RHS_DILATION, spatial, 1),
                sdk::attr_i64(s, TN_CONV_GROUPS)};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) { convolve<W>(plan, args[0], args[1], args[2]); });
  }

 private:
  // One product of an output position: where it reads in a channel of x and of w.
  struct Tap {
    int64_t x, w;
  };

  // The taps of output position p that do not fall on padding.
  static void find_taps(const std::vector<WindowAxis>& axes, std::span<const int64_t> p,
                        std::span<const int64_t> window, std::vector<Tap>* out) {
    out->clear();
    int64_t w = 0;
    for_each_index(window, [&](std::span<const int64_t> q) {
      int64_t x = 0;
      bool inside = true;
      for (size_t i = 0; inside && i < axes.size(); ++i) {
        const int64_t source = axes[i].source(p[i], q[i]);
        inside = source >= 0;
        x = x * axes[i].size + source;
      }
      if (inside) out->push_back({x, w});
      ++w;
    });
  }

  template <class W>
  static void convolve(const Data& plan, const tn_view& xv, const tn_view& wv, const tn_view& yv) {
    const Dense<W> x = load<W>(xv), w = load<W>(wv);
    Dense<W> y(static_cast<size_t>(yv.count));
    const int64_t batch = xv.dims[0], channels = xv.dims[1], outputs = yv.dims[1];
    const int64_t group_inputs = wv.dims[1], group_outputs = outputs / plan.groups;
    const auto x_spatial = sdk::dims(xv).subspan(2), w_spatial = sdk::dims(wv).subspan(2);
    const auto y_spatial = sdk::dims(yv).subspan(2);
    const int64_t x_size = product(x_spatial), w_size = product(w_spatial);
    const int64_t y_size = product(y_spatial);
    std::vector<WindowAxis> axes;
    for (size_t i = 0; i < x_spatial.size(); ++i) {
      axes.push_back(
          {x_spatial[i], plan.stride[i], plan.low[i], plan.rhs_dilation[i], plan.lhs_dilation[i]});
    }
    if (yv.count == 0 || group_inputs == 0) return store(y, yv);  // no products
    std::vector<Tap> taps;
    int64_t position = 0;
    for_each_index(y_spatial, [&](std::span<const int64_t> p) {
      find_taps(axes, p, w_spatial, &taps);
      for (int64_t n = 0; n < batch; ++n) {
        for (int64_t o = 0; o < outputs; ++o) {
          const W* xs = x.data() + (n * channels + o / group_outputs * group_inputs) * x_size;
          const W* ws = w.data() + o * group_inputs * w_size;
          W sum{};
          for (int64_t c = 0; c < group_inputs; ++c, xs += x_size, ws += w_size) {
            for (const Tap& t : taps) sum = sum_of(sum, product_of(xs[t.x], ws[t.w]));
          }
          y[static_cast<size_t>((n * outputs + o) * y_size + position)] = sum;
        }
      }
      ++position;
    });
    store(y, yv);
  }
};

}  // namespace

REFERENCE_KERNEL(conv, Conv, 0);

}  // namespace tenon::reference
