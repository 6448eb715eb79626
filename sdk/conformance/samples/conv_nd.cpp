// conv1d, conv3d and the transposed convolutions.
#include "conv.hpp"

namespace tenon::conformance {
namespace {

// stride, padding and dilation at these keys, groups behind dilation.
Geometry geometry(const Call& call, uint32_t dilation, size_t n) {
  Geometry g;
  g.stride = call.attrs.list(0, Dims(n, 1));
  g.low = g.high = call.attrs.list(1, Dims(n, 0));
  g.lhs = Dims(n, 1);
  g.rhs = call.attrs.list(dilation, Dims(n, 1));
  g.groups = call.attrs.integer(dilation + 1, 1);
  return g;
}

std::vector<Array> forward(const Call& call) {
  static_assert(TN_CONV1D_PADDING == 1 && TN_CONV1D_DILATION == 2 && TN_CONV1D_GROUPS == 3 &&
                TN_CONV3D_PADDING == 1 && TN_CONV3D_DILATION == 2 && TN_CONV3D_GROUPS == 3);
  const Geometry g = geometry(call, 2, call.in(0).rank() - 2);
  return {with_bias(call, convolved(call.in(0), call.in(1), g))};
}

// Element x[p] is where a convolution of y would put what it sees of y.
std::vector<Array> transposed(const Call& call) {
  static_assert(TN_CONV_TRANSPOSE1D_OUTPUT_PADDING == 2 &&
                TN_CONV_TRANSPOSE2D_OUTPUT_PADDING == 2 && TN_CONV_TRANSPOSE3D_OUTPUT_PADDING == 2);
  static_assert(TN_CONV_TRANSPOSE1D_GROUPS == 4 && TN_CONV_TRANSPOSE2D_GROUPS == 4 &&
                TN_CONV_TRANSPOSE3D_GROUPS == 4);
  const Array &x = call.in(0), &w = call.in(1);
  const size_t n = x.rank() - 2;
  const Geometry g = geometry(call, 3, n);
  const Dims more = call.attrs.list(2, Dims(n, 0));
  Dims dims{x.dims[0], w.dims[1] * g.groups};
  for (size_t k = 0; k < n; ++k)
    dims.push_back((x.dims[2 + k] - 1) * g.stride[k] - 2 * g.low[k] +
                   g.rhs[k] * (w.dims[2 + k] - 1) + more[k] + 1);
  Products sum(x.dtype, dims);
  for_each_product(dims, w.dims, x.dims, g, [&](int64_t from, int64_t to, int64_t tap) {
    sum.add(to, x.real(from), w.real(tap));
  });
  return {with_bias(call, sum.y)};
}

const Fill kAny = uniform(-1, 1);

std::vector<Input> inputs(Dims x, Dims w, int64_t bias = -1) {
  return {in(std::move(x), kAny), in(std::move(w), kAny), bias < 0 ? absent() : in({bias}, kAny)};
}

void refuse(OpSamples& s, const char* name, std::vector<Input> what, std::vector<Attr> how = {}) {
  s.add(Case{name, std::move(what), std::move(how)}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

void add_forward(Catalogue& c) {
  const auto how = [](Dims stride, Dims padding, Dims dilation, int64_t groups) {
    return std::vector<Attr>{list(0, std::move(stride)), list(1, std::move(padding)),
                             list(2, std::move(dilation)), integer(3, groups)};
  };
  OpSamples& line = c.add(TN_OP_CONV1D, "conv1d");
  line.on(kFloats).gives(forward, kBiased).gradient(Grad::yes);
  line.add({"bias", inputs({2, 2, 7}, {3, 2, 3}, 3)});
  line.add({"no_bias", inputs({1, 2, 5}, {2, 2, 2})});
  line.add({"stride_and_padding", inputs({1, 2, 7}, {2, 2, 3}, 2), how({2}, {2}, {1}, 1)});
  line.add({"dilation", inputs({1, 1, 8}, {2, 1, 3}), how({1}, {1}, {2}, 1)});
  line.add({"groups", inputs({2, 4, 5}, {6, 2, 2}, 6), how({1}, {1}, {1}, 2)});
  line.add({"uneven", inputs({1, 1, 8}, {1, 1, 3}), how({3}, {0}, {1}, 1)});
  line.add({"no_samples", inputs({0, 2, 5}, {3, 2, 2}, 3)});
  line.add({"no_channels", inputs({2, 0, 5}, {3, 0, 2}, 3)});
  line.add(Case{"large", inputs({3, 12, 301}, {16, 12, 5}, 16), how({2}, {2}, {1}, 1)}.large());
  refuse(line, "rank4", inputs({1, 2, 4, 4}, {2, 2, 3, 3}));
  refuse(line, "channels_differ", inputs({1, 2, 5}, {2, 3, 3}));
  refuse(line, "negative_padding", inputs({1, 2, 5}, {2, 2, 3}), how({1}, {-1}, {1}, 1));
  refuse(line, "wrong_bias", inputs({1, 2, 5}, {2, 2, 3}, 3));

  OpSamples& volume = c.add(TN_OP_CONV3D, "conv3d");
  volume.on(kFloats).gives(forward, kBiased).gradient(Grad::yes);
  volume.add({"bias", inputs({1, 2, 3, 4, 3}, {2, 2, 2, 2, 2}, 2)});
  volume.add(
      {"all", inputs({1, 2, 4, 3, 4}, {2, 1, 2, 2, 3}), how({2, 1, 1}, {1, 0, 1}, {1, 2, 1}, 2)});
  volume.add({"no_samples", inputs({0, 2, 3, 3, 3}, {2, 2, 2, 2, 2}, 2)});
  volume.add(Case{"large", inputs({2, 4, 9, 10, 11}, {6, 4, 3, 3, 3}, 6),
                  how({1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 1)}
                 .large());
  refuse(volume, "rank4", inputs({1, 2, 4, 4}, {2, 2, 3, 3}));
}

void add_transposed(Catalogue& c) {
  const auto how = [](Dims stride, Dims padding, Dims more, Dims dilation, int64_t groups) {
    return std::vector<Attr>{list(0, std::move(stride)), list(1, std::move(padding)),
                             list(2, std::move(more)), list(3, std::move(dilation)),
                             integer(4, groups)};
  };
  OpSamples& line = c.add(TN_OP_CONV_TRANSPOSE1D, "conv_transpose1d");
  line.on(kFloats).gives(transposed, kBiased).gradient(Grad::yes);
  line.add({"bias", inputs({2, 2, 4}, {2, 3, 3}, 3)});
  line.add({"no_bias", inputs({1, 3, 3}, {3, 2, 2})});
  line.add({"stride", inputs({1, 2, 3}, {2, 2, 2}, 2), how({3}, {0}, {0}, {1}, 1)});
  line.add({"padding", inputs({1, 2, 4}, {2, 2, 3}), how({2}, {1}, {0}, {1}, 1)});
  line.add({"far_padding", inputs({1, 2, 6}, {2, 2, 2}), how({1}, {2}, {0}, {1}, 1)});
  line.add({"output_padding", inputs({1, 2, 3}, {2, 2, 3}, 2), how({2}, {1}, {1}, {1}, 1)});
  line.add({"more_than_stride", inputs({1, 2, 3}, {2, 1, 2}), how({1}, {0}, {2}, {3}, 1)});
  line.add({"dilation", inputs({1, 1, 4}, {1, 2, 3}), how({2}, {1}, {0}, {2}, 1)});
  line.add({"groups", inputs({2, 4, 3}, {4, 3, 2}, 6), how({2}, {0}, {0}, {1}, 2)});
  line.add({"no_samples", inputs({0, 2, 3}, {2, 3, 2}, 3)});
  line.add({"no_channels", inputs({2, 0, 3}, {0, 3, 2}, 3)});
  line.add(
      Case{"large", inputs({3, 12, 151}, {12, 16, 5}, 16), how({2}, {2}, {1}, {1}, 1)}.large());
  refuse(line, "channels_differ", inputs({1, 2, 5}, {3, 2, 3}));
  refuse(line, "nothing_left", inputs({1, 2, 2}, {2, 2, 2}), how({1}, {2}, {0}, {1}, 1));
  refuse(line, "nothing_there", inputs({1, 2, 0}, {2, 2, 2}));
  refuse(line, "output_padding_too_large", inputs({1, 2, 3}, {2, 2, 2}),
         how({2}, {0}, {2}, {1}, 1));
  refuse(line, "groups_do_not_divide", inputs({1, 3, 3}, {3, 2, 2}), how({1}, {0}, {0}, {1}, 2));

  OpSamples& plane = c.add(TN_OP_CONV_TRANSPOSE2D, "conv_transpose2d");
  plane.on(kFloats).gives(transposed, kBiased).gradient(Grad::yes);
  plane.add({"bias", inputs({2, 2, 3, 2}, {2, 3, 2, 3}, 3)});
  plane.add({"all", inputs({1, 4, 3, 2}, {4, 1, 3, 2}, 2), how({2, 3}, {1, 0}, {1, 0}, {1, 2}, 2)});
  plane.add(
      {"padding", inputs({1, 2, 4, 3}, {2, 2, 3, 3}), how({1, 2}, {1, 1}, {0, 1}, {1, 1}, 1)});
  plane.add({"no_samples", inputs({0, 2, 3, 3}, {2, 3, 2, 2}, 3)});
  plane.add(Case{"large", inputs({2, 12, 14, 15}, {12, 6, 4, 4}, 6),
                 how({2, 2}, {1, 1}, {0, 0}, {1, 1}, 1)}
                .large());
  refuse(plane, "rank3", inputs({1, 2, 4}, {2, 2, 3}));

  OpSamples& volume = c.add(TN_OP_CONV_TRANSPOSE3D, "conv_transpose3d");
  volume.on(kFloats).gives(transposed, kBiased).gradient(Grad::yes);
  volume.add({"bias", inputs({1, 2, 2, 3, 2}, {2, 3, 2, 2, 3}, 3)});
  volume.add({"all", inputs({1, 4, 2, 3, 2}, {4, 1, 2, 2, 3}, 2),
              how({2, 1, 3}, {1, 0, 1}, {1, 0, 2}, {1, 2, 1}, 2)});
  volume.add({"no_samples", inputs({0, 2, 3, 3, 2}, {2, 2, 2, 2, 2}, 2)});
  volume.add(Case{"large", inputs({2, 6, 7, 8, 9}, {6, 4, 3, 3, 3}, 4),
                  how({2, 2, 2}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 1)}
                 .large());
  refuse(volume, "rank4", inputs({1, 2, 4, 4}, {2, 2, 3, 3}));
}

}  // namespace

void add_conv_nd(Catalogue& c) {
  add_forward(c);
  add_transposed(c);
}

}  // namespace tenon::conformance
