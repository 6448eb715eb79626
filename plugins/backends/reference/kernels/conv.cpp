// conv(x, w) -> y: cross-correlation over any number of spatial axes.
//   x [N, C, spatial...], w [O, C / groups, spatial...], y [N, O, spatial...]
// y[n, o, p] = sum over c, q of x[n, c, p * stride + q * rhs_dilation - low] * w[o, c, q], x being dilated by lhs_dilation.
#include "elementwise.hpp"

namespace tenon::reference {
namespace {

struct Conv {
  struct Data {
    std::vector<WindowAxis> axes;
    int64_t groups = 1;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    const tn_dtype dtype = s.input(0).dtype;
    if (!sdk::has_dtype<sdk::Numbers>(dtype)) return s.decline(kNoMeaning);
    if (s.input(1).dtype != dtype) return s.decline("the inputs differ in dtype");
    if (s.input(0).rank < 2) return s.decline("x has no channels");
    const size_t spatial = s.input(0).rank - 2u;
    Data plan{sdk::attr_windows(s, spatial, TN_CONV_STRIDE, TN_CONV_LOW, TN_CONV_RHS_DILATION),
              sdk::attr_i64(s, TN_CONV_GROUPS)};
    const auto holes = sdk::attr_i64s_or(s, TN_CONV_LHS_DILATION, spatial, 1);
    for (size_t i = 0; i < spatial; ++i) plan.axes[i].input_dilation = holes[i];
    return plan;
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) { convolve<W>(plan, args[0], args[1], args[2]); });
  }

 private:
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
    if (yv.count == 0 || group_inputs == 0) return store(y, yv);  // no products
    for_each_in_windows(
        plan.axes, x_spatial, w_spatial, y_spatial, [&](size_t p, size_t at, size_t tap) {
          for (int64_t n = 0; n < batch; ++n) {
            for (int64_t o = 0; o < outputs; ++o) {
              const W* xs =
                  x.data() + (n * channels + o / group_outputs * group_inputs) * x_size + at;
              const W* ws = w.data() + o * group_inputs * w_size + tap;
              W& sum = y[static_cast<size_t>((n * outputs + o) * y_size) + p];
              for (int64_t c = 0; c < group_inputs; ++c, xs += x_size, ws += w_size) {
                sum = sum_of(sum, product_of(*xs, *ws));
              }
            }
          }
        });
    store(y, yv);
  }
};

}  // namespace

REFERENCE_KERNEL(conv, Conv, 0);

}  // namespace tenon::reference
