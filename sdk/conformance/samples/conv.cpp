// Convolution of any number of spatial axes, and the forms of conv2d.
#include "conv.hpp"

#include <cmath>

namespace tenon::conformance {

static int64_t out_size(int64_t size, int64_t kernel, const Geometry& g, size_t k) {
  const int64_t spread = size == 0 ? 0 : (size - 1) * g.lhs[k] + 1;
  const int64_t reach = (kernel - 1) * g.rhs[k] + 1;
  const int64_t room = spread + g.low[k] + g.high[k] - reach;
  return room < 0 ? 0 : room / g.stride[k] + 1;
}

void for_each_product(const Dims& x, const Dims& w, const Dims& y, const Geometry& g,
                      const std::function<void(int64_t, int64_t, int64_t)>& visit) {
  const Dims sx = strides_of(x), sw = strides_of(w), sy = strides_of(y);
  const size_t spatial = x.size() - 2;
  const int64_t per_group = w[0] / g.groups;
  const Dims taps(w.begin() + 1, w.end());  // channel of the group, place in the kernel
  for_each(y, [&](const Dims& at) {
    const int64_t to = offset_of(at, sy);
    int64_t filter = at[1] * sw[0];
    for_each(taps, [&](const Dims& tap) {
      const int64_t weight = filter++;
      const int64_t channel = at[1] / per_group * w[1] + tap[0];
      int64_t from = at[0] * sx[0] + channel * sx[1];
      for (size_t k = 0; k < spatial; ++k) {
        const int64_t place = at[k + 2] * g.stride[k] + tap[k + 1] * g.rhs[k] - g.low[k];
        if (place < 0 || place % g.lhs[k] != 0 || place / g.lhs[k] >= x[k + 2]) return;
        from += place / g.lhs[k] * sx[k + 2];
      }
      visit(to, from, weight);
    });
  });
}

Products::Products(tn_dtype dtype, const Dims& dims) : y(dtype, dims) {
  y.scale.assign(y.f.size(), 0);
  terms.assign(y.f.size(), 0);
}
void Products::add(int64_t to, double a, double b) {
  const auto k = static_cast<size_t>(to);
  y.f[k] += a * b;
  y.scale[k] += std::fabs(a * b);
  y.terms = std::max(y.terms, ++terms[k]);
}

Array convolved(const Array& x, const Array& w, const Geometry& g) {
  Dims dims{x.dims[0], w.dims[0]};
  for (size_t k = 0; k + 2 < x.rank(); ++k)
    dims.push_back(out_size(x.dims[k + 2], w.dims[k + 2], g, k));
  Products sum(x.dtype, dims);
  for_each_product(x.dims, w.dims, dims, g, [&](int64_t to, int64_t from, int64_t tap) {
    sum.add(to, x.real(from), w.real(tap));
  });
  return sum.y;
}

Array with_bias(const Call& call, Array y) {
  if (!call.has(2)) return y;
  const int64_t channels = y.dims[1], area = count_of(Dims(y.dims.begin() + 2, y.dims.end()));
  for (int64_t k = 0; k < y.count(); ++k) {
    const double bias = call.in(2).real(k / area % channels);
    y.f[static_cast<size_t>(k)] += bias;
    y.scale[static_cast<size_t>(k)] += std::fabs(bias);
  }
  return y;
}

namespace {

std::vector<Array> conv(const Call& call) {
  const Dims ones(call.in(0).rank() - 2, 1), zeros(call.in(0).rank() - 2, 0);
  Geometry g;
  g.stride = call.attrs.list(TN_CONV_STRIDE, ones);
  g.low = call.attrs.list(TN_CONV_LOW, zeros);
  g.high = call.attrs.list(TN_CONV_HIGH, zeros);
  g.lhs = call.attrs.list(TN_CONV_LHS_DILATION, ones);
  g.rhs = call.attrs.list(TN_CONV_RHS_DILATION, ones);
  g.groups = call.attrs.integer(TN_CONV_GROUPS, 1);
  return {convolved(call.in(0), call.in(1), g)};
}

// The attributes of conv2d start at key `first`.
Geometry geometry2d(const Attrs& attrs, uint32_t first) {
  static_assert(TN_CONV2D_PADDING == 1 && TN_CONV2D_DILATION == 2 && TN_CONV2D_GROUPS == 3);
  static_assert(TN_CONV2D_INPUT_GRAD_STRIDE == 2 && TN_CONV2D_INPUT_GRAD_GROUPS == 5 &&
                TN_CONV2D_WEIGHT_GRAD_STRIDE == 2 && TN_CONV2D_WEIGHT_GRAD_GROUPS == 5);
  Geometry g;
  g.stride = attrs.list(first, {1, 1});
  g.low = g.high = attrs.list(first + 1, {0, 0});
  g.lhs = {1, 1};
  g.rhs = attrs.list(first + 2, {1, 1});
  g.groups = attrs.integer(first + 3, 1);
  return g;
}

std::vector<Array> conv2d(const Call& call) {
  return {with_bias(call, convolved(call.in(0), call.in(1), geometry2d(call.attrs, 0)))};
}

std::vector<Array> conv2d_input_grad(const Call& call) {
  const Array &g = call.in(0), &w = call.in(1);
  const Geometry geometry = geometry2d(call.attrs, 2);
  Products sum(g.dtype, {g.dims[0], w.dims[1] * geometry.groups,
                         call.attrs.integer(TN_CONV2D_INPUT_GRAD_HEIGHT, 0),
                         call.attrs.integer(TN_CONV2D_INPUT_GRAD_WIDTH, 0)});
  for_each_product(
      sum.y.dims, w.dims, g.dims, geometry,
      [&](int64_t from, int64_t to, int64_t tap) { sum.add(to, g.real(from), w.real(tap)); });
  return {sum.y};
}

std::vector<Array> conv2d_weight_grad(const Call& call) {
  const Array &g = call.in(0), &x = call.in(1);
  const Geometry geometry = geometry2d(call.attrs, 2);
  Products sum(g.dtype, {g.dims[1], x.dims[1] / geometry.groups,
                         call.attrs.integer(TN_CONV2D_WEIGHT_GRAD_HEIGHT, 0),
                         call.attrs.integer(TN_CONV2D_WEIGHT_GRAD_WIDTH, 0)});
  for_each_product(
      x.dims, sum.y.dims, g.dims, geometry,
      [&](int64_t from, int64_t place, int64_t to) { sum.add(to, g.real(from), x.real(place)); });
  return {sum.y};
}

const Fill kAny = uniform(-1, 1);

void add_general(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_CONV, "conv");
  s.on(kFloats).gives(conv, kSum).gradient(Grad::yes);
  s.add({"line", {in({2, 2, 7}, kAny), in({3, 2, 3}, kAny)}});
  s.add({"line_all",
         {in({1, 4, 6}, kAny), in({4, 2, 3}, kAny)},
         {list(TN_CONV_STRIDE, {2}), list(TN_CONV_LOW, {3}), list(TN_CONV_HIGH, {1}),
          list(TN_CONV_LHS_DILATION, {2}), list(TN_CONV_RHS_DILATION, {3}),
          integer(TN_CONV_GROUPS, 2)}});
  s.add({"plane", {in({2, 3, 5, 4}, kAny), in({2, 3, 3, 2}, kAny)}});
  s.add(
      {"stride", {in({1, 1, 6, 7}, kAny), in({2, 1, 2, 3}, kAny)}, {list(TN_CONV_STRIDE, {2, 3})}});
  s.add({"far_stride",
         {in({1, 2, 9, 14}, kAny), in({2, 2, 2, 3}, kAny)},
         {list(TN_CONV_STRIDE, {4, 5}), list(TN_CONV_LOW, {1, 2})}});
  s.add({"line_far_stride",
         {in({1, 1, 17}, kAny), in({2, 1, 3}, kAny)},
         {list(TN_CONV_STRIDE, {7})}});
  s.add({"padding",
         {in({1, 2, 4, 3}, kAny), in({1, 2, 3, 3}, kAny)},
         {list(TN_CONV_LOW, {1, 0}), list(TN_CONV_HIGH, {2, 1})}});
  s.add({"negative_padding",
         {in({1, 1, 6, 6}, kAny), in({1, 1, 2, 2}, kAny)},
         {list(TN_CONV_LOW, {-1, 1}), list(TN_CONV_HIGH, {0, -2})}});
  s.add({"lhs_dilation",
         {in({1, 2, 3, 3}, kAny), in({2, 2, 2, 2}, kAny)},
         {list(TN_CONV_LHS_DILATION, {2, 3}), list(TN_CONV_LOW, {1, 1}),
          list(TN_CONV_HIGH, {1, 0})}});
  s.add({"rhs_dilation",
         {in({1, 1, 7, 5}, kAny), in({1, 1, 3, 2}, kAny)},
         {list(TN_CONV_RHS_DILATION, {2, 3})}});
  s.add({"depthwise",
         {in({2, 3, 4, 4}, kAny), in({6, 1, 2, 2}, kAny)},
         {integer(TN_CONV_GROUPS, 3)}});
  s.add({"pointwise", {in({2, 4, 3, 2}, kAny), in({3, 4, 1, 1}, kAny)}});
  s.add({"volume",
         {in({1, 2, 3, 4, 3}, kAny), in({2, 2, 2, 2, 2}, kAny)},
         {list(TN_CONV_LOW, {1, 0, 0}), list(TN_CONV_STRIDE, {1, 2, 1})}});
  s.add({"no_images", {in({0, 2, 4, 4}, kAny), in({3, 2, 2, 2}, kAny)}});
  s.add({"no_outputs", {in({1, 2, 4, 4}, kAny), in({0, 2, 2, 2}, kAny)}});
  s.add({"no_channels", {in({2, 0, 4, 4}, kAny), in({3, 0, 2, 2}, kAny)}});
  s.add({"no_channels_volume", {in({1, 0, 3, 2, 3}, kAny), in({2, 0, 2, 1, 2}, kAny)}});
  // There is nothing to do, however far the padding reaches.
  s.add(Case{"no_images_far_padding",
             {in({0, 2, 4, 4}, kAny), in({3, 2, 2, 2}, kAny)},
             {list(TN_CONV_LOW, {INT32_MAX, 0})}}
            .no_grad()
            .plain());
  s.add(Case{"large",
             {in({2, 8, 17, 19}, kAny), in({12, 8, 3, 3}, kAny)},
             {list(TN_CONV_LOW, {1, 1}), list(TN_CONV_HIGH, {1, 1})}}
            .large());
  s.add(Case{"channels_differ", {in({1, 2, 4, 4}, kAny), in({3, 3, 2, 2}, kAny)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
  s.add(Case{"groups_do_not_divide",
             {in({1, 3, 4, 4}, kAny), in({4, 1, 2, 2}, kAny)},
             {integer(TN_CONV_GROUPS, 3)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

std::vector<Attr> how2d(Dims stride, Dims padding, Dims dilation, int64_t groups, uint32_t first) {
  return {list(first, std::move(stride)), list(first + 1, std::move(padding)),
          list(first + 2, std::move(dilation)), integer(first + 3, groups)};
}

void add_plane(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_CONV2D, "conv2d");
  s.on(kFloats).gives(conv2d, kBiased).gradient(Grad::yes);
  s.add({"bias", {in({2, 2, 5, 4}, kAny), in({3, 2, 3, 2}, kAny), in({3}, kAny)}});
  s.add({"no_bias", {in({1, 2, 4, 4}, kAny), in({2, 2, 3, 3}, kAny), absent()}});
  s.add({"stride_and_padding",
         {in({1, 2, 5, 6}, kAny), in({2, 2, 3, 3}, kAny), in({2}, kAny)},
         how2d({2, 3}, {1, 2}, {1, 1}, 1, 0)});
  s.add({"far_stride",
         {in({1, 2, 9, 13}, kAny), in({2, 2, 3, 2}, kAny), absent()},
         how2d({4, 6}, {1, 0}, {1, 1}, 1, 0)});
  s.add({"dilation",
         {in({1, 1, 6, 7}, kAny), in({2, 1, 2, 3}, kAny), absent()},
         how2d({1, 1}, {0, 1}, {2, 3}, 1, 0)});
  s.add({"groups",
         {in({2, 4, 3, 3}, kAny), in({6, 2, 2, 2}, kAny), in({6}, kAny)},
         how2d({1, 1}, {1, 0}, {1, 1}, 2, 0)});
  // The last columns and rows take part in no window.
  s.add({"uneven",
         {in({1, 1, 6, 6}, kAny), in({1, 1, 3, 3}, kAny), absent()},
         how2d({2, 2}, {0, 0}, {1, 1}, 1, 0)});
  s.add({"no_images", {in({0, 2, 4, 4}, kAny), in({2, 2, 3, 3}, kAny), in({2}, kAny)}});
  s.add({"no_outputs", {in({1, 2, 4, 4}, kAny), in({0, 2, 3, 3}, kAny), in({0}, kAny)}});
  s.add({"no_outputs_in_groups",
         {in({2, 4, 3, 3}, kAny), in({0, 2, 2, 2}, kAny), absent()},
         how2d({1, 1}, {1, 0}, {1, 1}, 2, 0)});
  s.add({"no_channels", {in({2, 0, 4, 4}, kAny), in({3, 0, 3, 3}, kAny), absent()}});
  s.add({"no_channels_bias",
         {in({2, 0, 4, 4}, kAny), in({4, 0, 3, 3}, kAny), in({4}, kAny)},
         how2d({1, 2}, {1, 1}, {1, 1}, 2, 0)});
  s.add({"no_pixels",
         {in({2, 3, 0, 0}, kAny), in({4, 3, 1, 1}, kAny), in({4}, kAny)},
         how2d({1, 1}, {1, 1}, {1, 1}, 1, 0)});
  s.add(Case{"large",
             {in({4, 6, 14, 14}, kAny), in({16, 6, 5, 5}, kAny), in({16}, kAny)},
             how2d({1, 1}, {2, 2}, {1, 1}, 1, 0)}
            .large());
  // Few channels of many images, which a kernel may take side by side.
  s.add(Case{"many_images",
             {in({30, 2, 5, 4}, kAny), in({3, 2, 3, 3}, kAny), in({3}, kAny)},
             how2d({1, 1}, {2, 1}, {1, 1}, 1, 0)}
            .large());
  // Enough channels and products that a vendor's library is worth its call.
  s.add(Case{"wide",
             {in({3, 32, 14, 14}, kAny), in({16, 32, 3, 3}, kAny), in({16}, kAny)},
             how2d({1, 1}, {1, 1}, {1, 1}, 1, 0)}
            .large()
            .only({TN_DTYPE_F32}));
  s.add(Case{"one_image",
             {in({1, 32, 28, 28}, kAny), in({16, 32, 3, 3}, kAny), in({16}, kAny)},
             how2d({1, 1}, {1, 1}, {1, 1}, 1, 0)}
            .large()
            .only({TN_DTYPE_F32}));
  s.add(Case{"wide_depthwise",
             {in({8, 32, 32, 32}, kAny), in({32, 1, 3, 3}, kAny), absent()},
             how2d({1, 1}, {1, 1}, {1, 1}, 32, 0)}
            .large()
            .only({TN_DTYPE_F32}));
  s.add(Case{"rank3", {in({2, 4, 4}, kAny), in({2, 2, 3, 3}, kAny), absent()}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

// Shapes that a backend may have kernels of its own for, as a call of conv2d and of its gradients.
struct Form {
  const char* name;
  Dims x, w, stride, padding, dilation;
  int64_t groups;
};

const Form kForms[] = {
    // One channel to a group: rows and planes of odd sizes, longer and shorter than vectors.
    {"depthwise", {2, 5, 7, 9}, {5, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 5},
    {"depthwise_step_2", {2, 3, 9, 12}, {3, 1, 3, 3}, {2, 2}, {1, 1}, {1, 1}, 3},
    {"depthwise_uneven", {1, 3, 8, 37}, {3, 1, 5, 4}, {2, 2}, {2, 1}, {1, 1}, 3},
    {"depthwise_tall", {1, 2, 11, 6}, {2, 1, 3, 2}, {2, 1}, {1, 0}, {1, 1}, 2},
    {"depthwise_flat", {1, 2, 6, 11}, {2, 1, 3, 3}, {1, 2}, {0, 2}, {1, 1}, 2},
    {"depthwise_far", {1, 3, 10, 13}, {3, 1, 3, 2}, {3, 4}, {2, 1}, {1, 3}, 3},
    {"depthwise_dilated", {1, 3, 12, 11}, {3, 1, 3, 3}, {1, 1}, {3, 2}, {3, 2}, 3},
    {"depthwise_between", {1, 2, 9, 9}, {2, 1, 2, 2}, {3, 3}, {0, 0}, {1, 1}, 2},
    {"depthwise_pixel", {2, 4, 1, 1}, {4, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 4},
    {"depthwise_point", {2, 3, 5, 4}, {3, 1, 1, 1}, {1, 1}, {0, 0}, {1, 1}, 3},
    {"depthwise_plane", {1, 2, 45, 57}, {2, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 2},
    // Many channels, few positions.
    {"deep", {1, 17, 5, 6}, {19, 17, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 1},
    {"deep_step_2", {2, 33, 7, 6}, {18, 33, 3, 3}, {2, 2}, {1, 1}, {1, 1}, 1},
    {"deep_uneven", {1, 20, 7, 9}, {16, 20, 2, 3}, {2, 1}, {0, 2}, {1, 1}, 1},
    {"deep_dilated", {1, 18, 6, 7}, {34, 18, 3, 2}, {1, 1}, {2, 0}, {2, 3}, 1},
    {"deep_point", {3, 66, 4, 3}, {65, 66, 1, 1}, {1, 1}, {0, 0}, {1, 1}, 1},
    {"deep_pixel", {1, 70, 1, 1}, {33, 70, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 1},
    {"deeper", {1, 130, 4, 4}, {40, 130, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 1},
    {"deeper_outputs", {1, 18, 5, 3}, {70, 18, 3, 3}, {1, 1}, {1, 1}, {1, 1}, 1},
    {"deeper_step_2", {1, 18, 6, 5}, {70, 18, 3, 3}, {2, 2}, {1, 1}, {1, 1}, 1},
};

// g and the other operand of a gradient of conv2d, with the size that the result has.
void add_plane_grads(Catalogue& c) {
  const auto how = [](int64_t height, int64_t width, Dims stride, Dims padding, Dims dilation,
                      int64_t groups) {
    std::vector<Attr> attrs =
        how2d(std::move(stride), std::move(padding), std::move(dilation), groups, 2);
    attrs.push_back(integer(0, height));
    attrs.push_back(integer(1, width));
    return attrs;
  };
  OpSamples& x = c.add(TN_OP_CONV2D_INPUT_GRAD, "conv2d_input_grad");
  x.on(kFloats).gives(conv2d_input_grad, kComposite).gradient(Grad::yes);
  x.add({"plain",
         {in({2, 3, 3, 3}, kAny), in({3, 2, 3, 2}, kAny)},
         how(5, 4, {1, 1}, {0, 0}, {1, 1}, 1)});
  x.add({"stride_and_padding",
         {in({1, 2, 3, 3}, kAny), in({2, 2, 3, 3}, kAny)},
         how(5, 6, {2, 3}, {1, 2}, {1, 1}, 1)});
  x.add({"far_stride",
         {in({1, 2, 3, 2}, kAny), in({2, 2, 3, 2}, kAny)},
         how(9, 13, {4, 6}, {1, 0}, {1, 1}, 1)});
  x.add({"dilation",
         {in({1, 2, 5, 3}, kAny), in({2, 1, 2, 3}, kAny)},
         how(6, 7, {1, 1}, {0, 1}, {1, 3}, 1)});
  x.add({"groups",
         {in({2, 6, 4, 2}, kAny), in({6, 2, 2, 2}, kAny)},
         how(3, 3, {1, 1}, {1, 0}, {1, 1}, 2)});
  x.add({"uneven",
         {in({1, 1, 2, 2}, kAny), in({1, 1, 3, 3}, kAny)},
         how(6, 6, {2, 2}, {0, 0}, {1, 1}, 1)});
  const std::vector<Attr> small = how(4, 4, {1, 1}, {0, 0}, {1, 1}, 1);
  x.add({"no_images", {in({0, 2, 2, 2}, kAny), in({2, 3, 3, 3}, kAny)}, small});
  x.add({"no_outputs", {in({1, 0, 2, 2}, kAny), in({0, 3, 3, 3}, kAny)}, small});
  x.add({"no_channels", {in({1, 2, 2, 2}, kAny), in({2, 0, 3, 3}, kAny)}, small});
  x.add(Case{"large",
             {in({2, 12, 15, 15}, kAny), in({12, 6, 3, 3}, kAny)},
             how(15, 15, {1, 1}, {1, 1}, {1, 1}, 1)}
            .large());
  x.add(Case{"many_images",
             {in({30, 3, 7, 4}, kAny), in({3, 2, 3, 3}, kAny)},
             how(5, 4, {1, 1}, {2, 1}, {1, 1}, 1)}
            .large());
  x.add(Case{"wide",
             {in({3, 16, 14, 14}, kAny), in({16, 32, 3, 3}, kAny)},
             how(14, 14, {1, 1}, {1, 1}, {1, 1}, 1)}
            .large()
            .only({TN_DTYPE_F32}));
  x.add(Case{"one_image",
             {in({1, 16, 28, 28}, kAny), in({16, 32, 3, 3}, kAny)},
             how(28, 28, {1, 1}, {1, 1}, {1, 1}, 1)}
            .large()
            .only({TN_DTYPE_F32}));

  OpSamples& w = c.add(TN_OP_CONV2D_WEIGHT_GRAD, "conv2d_weight_grad");
  w.on(kFloats).gives(conv2d_weight_grad, kComposite).gradient(Grad::yes);
  w.add({"plain",
         {in({2, 3, 3, 3}, kAny), in({2, 2, 5, 4}, kAny)},
         how(3, 2, {1, 1}, {0, 0}, {1, 1}, 1)});
  w.add({"stride_and_padding",
         {in({1, 2, 3, 3}, kAny), in({1, 2, 5, 6}, kAny)},
         how(3, 3, {2, 3}, {1, 2}, {1, 1}, 1)});
  w.add({"far_stride",
         {in({1, 2, 3, 2}, kAny), in({1, 2, 9, 13}, kAny)},
         how(3, 2, {4, 6}, {1, 0}, {1, 1}, 1)});
  w.add({"dilation",
         {in({1, 2, 5, 3}, kAny), in({1, 1, 6, 7}, kAny)},
         how(2, 3, {1, 1}, {0, 1}, {1, 3}, 1)});
  w.add({"groups",
         {in({2, 6, 4, 2}, kAny), in({2, 4, 3, 3}, kAny)},
         how(2, 2, {1, 1}, {1, 0}, {1, 1}, 2)});
  w.add({"uneven",
         {in({1, 1, 2, 2}, kAny), in({1, 1, 6, 6}, kAny)},
         how(3, 3, {2, 2}, {0, 0}, {1, 1}, 1)});
  const std::vector<Attr> square = how(3, 3, {1, 1}, {0, 0}, {1, 1}, 1);
  w.add({"no_images", {in({0, 2, 2, 2}, kAny), in({0, 3, 4, 4}, kAny)}, square});
  w.add({"no_outputs", {in({1, 0, 2, 2}, kAny), in({1, 3, 4, 4}, kAny)}, square});
  w.add({"no_channels", {in({1, 2, 2, 2}, kAny), in({1, 0, 4, 4}, kAny)}, square});
  w.add(Case{"large",
             {in({2, 12, 15, 15}, kAny), in({2, 6, 15, 15}, kAny)},
             how(3, 3, {1, 1}, {1, 1}, {1, 1}, 1)}
            .large());
  w.add(Case{"many_images",
             {in({30, 5, 7, 4}, kAny), in({30, 3, 5, 4}, kAny)},
             how(3, 3, {1, 1}, {2, 1}, {1, 1}, 1)}
            .large());
  w.add(Case{"few_outputs",
             {in({30, 10, 7, 20}, kAny), in({30, 4, 7, 40}, kAny)},
             how(3, 3, {1, 2}, {1, 1}, {1, 1}, 2)}
            .large());
  w.add(Case{"wide",
             {in({3, 16, 14, 14}, kAny), in({3, 32, 14, 14}, kAny)},
             how(3, 3, {1, 1}, {1, 1}, {1, 1}, 1)}
            .large()
            .only({TN_DTYPE_F32}));
  w.add(Case{"one_image",
             {in({1, 16, 28, 28}, kAny), in({1, 32, 28, 28}, kAny)},
             how(3, 3, {1, 1}, {1, 1}, {1, 1}, 1)}
            .large()
            .only({TN_DTYPE_F32}));
}

void add_forms(Catalogue& c) {
  for (const Form& f : kForms) {
    const auto side = [&](size_t k) {
      const int64_t reach = (f.w[2 + k] - 1) * f.dilation[k] + 1;
      return (f.x[2 + k] + 2 * f.padding[k] - reach) / f.stride[k] + 1;
    };
    const Dims g = {f.x[0], f.w[0], side(0), side(1)};
    const auto how = [&](size_t first, const Dims& result) {
      std::vector<Attr> attrs =
          how2d(f.stride, f.padding, f.dilation, f.groups, static_cast<uint32_t>(first));
      if (!result.empty()) {
        attrs.push_back(integer(0, result[2]));
        attrs.push_back(integer(1, result[3]));
      }
      return attrs;
    };
    const auto add = [&](tn_op op, std::vector<Input> inputs, std::vector<Attr> attrs) {
      c.at(op).add(Case{f.name, std::move(inputs), std::move(attrs)}.large().only({TN_DTYPE_F32}));
    };
    add(TN_OP_CONV2D, {in(f.x, kAny), in(f.w, kAny), in({f.w[0]}, kAny)}, how(0, {}));
    add(TN_OP_CONV2D_INPUT_GRAD, {in(g, kAny), in(f.w, kAny)}, how(2, f.x));
    add(TN_OP_CONV2D_WEIGHT_GRAD, {in(g, kAny), in(f.x, kAny)}, how(2, f.w));
  }
}

}  // namespace

void add_conv(Catalogue& c) {
  add_general(c);
  add_plane(c);
  add_plane_grads(c);
  add_forms(c);
}

}  // namespace tenon::conformance
