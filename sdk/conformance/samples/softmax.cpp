// softmax and log_softmax.
#include <algorithm>
#include <cmath>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

std::vector<Array> along_axis(const Call& call, bool logarithm) {
  static_assert(TN_SOFTMAX_AXIS == TN_LOG_SOFTMAX_AXIS);
  const Array& x = call.in(0);
  const size_t axis = axis_of(call.attrs.integer(TN_SOFTMAX_AXIS, -1), x.rank());
  const Dims strides = strides_of(x.dims);
  Array y(x.dtype, x.dims);
  y.scale.assign(y.f.size(), 0);
  y.terms = x.dims[axis];
  Dims lines = x.dims;
  lines[axis] = std::min<int64_t>(lines[axis], 1);
  for_each(lines, [&](const Dims& index) {
    const int64_t start = offset_of(index, strides);
    const auto at = [&](int64_t k) { return static_cast<size_t>(start + k * strides[axis]); };
    double top = x.f[at(0)], sum = 0;
    for (int64_t k = 0; k < x.dims[axis]; ++k) top = std::max(top, x.f[at(k)]);
    for (int64_t k = 0; k < x.dims[axis]; ++k) sum += std::exp(x.f[at(k)] - top);
    for (int64_t k = 0; k < x.dims[axis]; ++k) {
      const double shifted = x.f[at(k)] - top;
      y.f[at(k)] = logarithm ? shifted - std::log(sum) : std::exp(shifted) / sum;
      // The error of the exponent becomes a relative one.
      y.scale[at(k)] = logarithm ? std::fabs(shifted) + std::log(sum) + 1
                                 : y.f[at(k)] * (1 + std::fabs(shifted) / 4);
    }
  });
  return {y};
}

}  // namespace

void add_softmax(Catalogue& c) {
  for (const bool logarithm : {false, true}) {
    OpSamples& s =
        logarithm ? c.add(TN_OP_LOG_SOFTMAX, "log_softmax") : c.add(TN_OP_SOFTMAX, "softmax");
    s.on(kFloats)
        .gives([logarithm](const Call& call) { return along_axis(call, logarithm); }, kComposite)
        .gradient(Grad::yes);
    const Fill any = uniform(-4, 4);
    const auto along = [](int64_t axis) {
      return std::vector<Attr>{integer(TN_SOFTMAX_AXIS, axis)};
    };
    s.add({"rows", {in({3, 5}, any)}});
    s.add({"columns", {in({4, 3}, any)}, along(0)});
    s.add({"inside", {in({2, 4, 3}, any)}, along(1)});
    s.add({"vector", {in({6}, any)}});
    s.add({"one", {in({3, 1}, any)}});
    s.add({"no_rows", {in({0, 4}, any)}});
    s.add({"no_columns", {in({3, 0}, any)}});
    s.add({"nothing_inside", {in({2, 0, 3}, any)}, along(1)});
    s.add({"nothing", {in({0, 0}, any)}});
    s.add({"long_row", {in({2, 37}, any)}});
    s.add(Case{"far_apart",
               {in({3, 4}, values({500, 499, 0, -500, 1e4, 1e4, 0, 0, -300, -300, -301, -302}))}}
              .no_grad());
    s.add(Case{"large", {in({300, 301}, any)}}.large());
    s.add(Case{"large_columns", {in({301, 70}, any)}, along(0)}.large());
    s.add(Case{"axis_out_of_range", {in({2, 3}, any)}, along(2)}
              .refused(TN_OUT_OF_RANGE)
              .only({TN_DTYPE_F32}));
  }
}

}  // namespace tenon::conformance
