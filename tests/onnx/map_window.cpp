// ONNX's convolutions and pools.
#include <algorithm>
#include <limits>
#include <numeric>

#include "mapping.hpp"

namespace tenon::onnx {
namespace {

// The attributes that all of them share, with one entry per spatial axis.
struct Window {
  Dims kernel, stride, low, high, dilation;
  bool even() const { return low == high; }
};

Dims spatial(const Tensor& x) { return {x.dims().begin() + 2, x.dims().end()}; }

// Padding so that the result has ceil(size / stride) elements; what is odd goes to the end, or with SAME_LOWER to the beginning.
void pad_same(Window& w, const Dims& sizes, bool lower) {
  for (size_t a = 0; a < sizes.size(); ++a) {
    const int64_t out = (sizes[a] + w.stride[a] - 1) / w.stride[a];
    const int64_t reach = (w.kernel[a] - 1) * w.dilation[a] + 1;
    const int64_t total = std::max<int64_t>(0, (out - 1) * w.stride[a] + reach - sizes[a]);
    w.low[a] = lower ? total - total / 2 : total / 2;
    w.high[a] = total - w.low[a];
  }
}

Window window_of(const Call& c, const Dims& kernel) {
  const size_t n = kernel.size();
  Window w;
  w.kernel = c.integers("kernel_shape", kernel);
  w.stride = c.integers("strides", Dims(n, 1));
  w.dilation = c.integers("dilations", Dims(n, 1));
  const Dims pads = c.integers("pads", Dims(2 * n, 0));
  if (w.kernel.size() != n || w.stride.size() != n || w.dilation.size() != n ||
      pads.size() != 2 * n)
    throw Malformed(c.node.op + ": not one entry per spatial axis");
  const auto half = pads.begin() + static_cast<ptrdiff_t>(n);
  w.low.assign(pads.begin(), half), w.high.assign(half, pads.end());
  return w;
}

Window window_over(const Call& c, const Dims& kernel) {
  Window w = window_of(c, kernel);
  const std::string pad = c.text("auto_pad", "NOTSET");
  if (pad.starts_with("SAME")) pad_same(w, spatial(c.in(0)), pad == "SAME_LOWER");
  return w;
}

Results convolution(const Call& c) {
  const Tensor &x = c.in(0), &k = c.in(1);
  const Window w = window_over(c, spatial(k));
  const int64_t groups = c.integer("group", 1);
  if (w.even() && x.rank() == 3)
    return {conv1d(x, k, c.in(2), {w.stride, w.low, w.dilation, groups})};
  if (w.even() && x.rank() == 4)
    return {conv2d(x, k, c.in(2), {w.stride, w.low, w.dilation, groups})};
  if (w.even() && x.rank() == 5)
    return {conv3d(x, k, c.in(2), {w.stride, w.low, w.dilation, groups})};
  const Tensor y = conv(x, k,
                        {.stride = w.stride,
                         .low = w.low,
                         .high = w.high,
                         .rhs_dilation = w.dilation,
                         .groups = groups});
  return {c.given(2) ? y + per_channel(c.in(2), y.rank()) : y};
}

// What output_shape and auto_pad leave to be taken away at both ends.
void fit_output(const Call& c, Window& w, const Dims& extra) {
  const Dims sizes = spatial(c.in(0));
  const std::string pad = c.text("auto_pad", "NOTSET");
  Dims wanted = c.integers("output_shape");
  if (wanted.empty() && !pad.starts_with("SAME")) return;
  for (size_t a = 0; a < sizes.size(); ++a) {
    if (wanted.size() == a) wanted.push_back(sizes[a] * w.stride[a]);
    const int64_t reach = (w.kernel[a] - 1) * w.dilation[a] + 1;
    const int64_t total = w.stride[a] * (sizes[a] - 1) + extra[a] + reach - wanted[a];
    const int64_t half = total >= 0 ? total / 2 : (total - 1) / 2;  // towards -infinity
    w.low[a] = pad == "SAME_UPPER" ? half : total - half;
    w.high[a] = total - w.low[a];
  }
}

Tensor transposed_convolution(const Tensor& x, const Tensor& k, const Tensor& bias, const Window& w,
                              const Dims& padding, const Dims& extra, int64_t groups) {
  if (x.rank() == 3)
    return conv_transpose1d(x, k, bias, {w.stride, padding, extra, w.dilation, groups});
  if (x.rank() == 4)
    return conv_transpose2d(x, k, bias, {w.stride, padding, extra, w.dilation, groups});
  return conv_transpose3d(x, k, bias, {w.stride, padding, extra, w.dilation, groups});
}

Results conv_transpose(const Call& c) {
  const Tensor &x = c.in(0), &k = c.in(1);
  Window w = window_of(c, spatial(k));
  const Dims extra = c.integers("output_padding", Dims(w.kernel.size(), 0));
  const int64_t groups = c.integer("group", 1);
  fit_output(c, w, extra);
  const bool direct = w.even() && std::ranges::all_of(w.low, [](int64_t p) { return p >= 0; });
  const Dims none(w.kernel.size(), 0);
  const Tensor y = transposed_convolution(x, k, c.in(2), w, direct ? w.low : none, extra, groups);
  if (direct) return {y};
  Dims low = {0, 0}, high = {0, 0};  // the whole of it, with its ends cut off
  for (size_t a = 0; a < none.size(); ++a) low.push_back(-w.low[a]), high.push_back(-w.high[a]);
  return {pad(y, {}, low, high)};
}

// With ceil_mode the last window may begin wherever there is an element, so the padding behind grows.
Window pool_window(const Call& c) {
  Window w = window_over(c, c.integers("kernel_shape"));
  if (!c.flag("ceil_mode", false)) return w;
  const Dims sizes = spatial(c.in(0));
  for (size_t a = 0; a < sizes.size(); ++a) {
    const int64_t reach = (w.kernel[a] - 1) * w.dilation[a] + 1;
    const int64_t rest = (sizes[a] + w.low[a] + w.high[a] - reach) % w.stride[a];
    if (rest > 0) w.high[a] += w.stride[a] - rest;
  }
  return w;
}

// `list` for all axes, that of the first two being `batch`.
Dims whole(const Dims& list, int64_t batch) {
  Dims all = {batch, batch};
  all.insert(all.end(), list.begin(), list.end());
  return all;
}

Tensor windows(const Tensor& x, const Window& w, std::string_view mode) {
  return window_reduce(x, whole(w.kernel, 1),
                       {.stride = whole(w.stride, 1),
                        .low = whole(w.low, 0),
                        .high = whole(w.high, 0),
                        .dilation = whole(w.dilation, 1),
                        .mode = mode});
}

bool dilated(const Window& w) {
  return std::ranges::any_of(w.dilation, [](int64_t d) { return d != 1; });
}

// 0, 1, ... for the elements of x, row by row, or with the last axis outermost of the spatial ones.
Tensor numbered(const Context& cx, const Tensor& x, bool columns) {
  Dims dims = dims_of(x), perm(x.rank());
  std::iota(perm.begin(), perm.end(), 0);
  if (columns) {
    std::reverse(dims.begin() + 2, dims.end());
    std::reverse(perm.begin() + 2, perm.end());
  }
  return transpose(reshape(positions(cx, {x.count()}, 0), dims), perm);
}

// Where in all of x the greatest element of each window lies: the places of the kernel are looked at one after the other.
Tensor places_of_greatest(const Context& cx, const Tensor& x, const Window& w, bool columns) {
  const Tensor numbers = numbered(cx, x, columns);
  const double least = -std::numeric_limits<double>::infinity();
  const Tensor wide = pad(x, least, whole(w.low, 0), whole(w.high, 0));
  const Tensor where_from = pad(numbers, -1, whole(w.low, 0), whole(w.high, 0));
  const Dims out = spatial(windows(x, w, "max"));
  Tensor best, place;
  Dims k(w.kernel.size(), 0);
  for (;;) {
    Dims starts = {0, 0}, stops = {x.dim(0), x.dim(1)};
    for (size_t a = 0; a < k.size(); ++a) {
      starts.push_back(k[a] * w.dilation[a]);
      stops.push_back(starts.back() + (out[a] - 1) * w.stride[a] + 1);
    }
    const Tensor value = slice(wide, starts, stops, {.steps = whole(w.stride, 1)});
    const Tensor from = slice(where_from, starts, stops, {.steps = whole(w.stride, 1)});
    place = best.empty() ? from : where(value > best, from, place);
    best = best.empty() ? value : maximum(best, value);
    size_t a = k.size();
    while (a > 0 && ++k[a - 1] == w.kernel[a - 1]) k[--a] = 0;
    if (a == 0) return place;
  }
}

Results max_pool(const Call& c) {
  const Tensor& x = c.in(0);
  const Window w = pool_window(c);
  const bool columns = c.flag("storage_order", false);
  Results y;
  if (w.even() && !dilated(w) && x.dtype() != TN_DTYPE_U8 && x.dtype() != TN_DTYPE_I8) {
    y.push_back(x.rank() == 3   ? max_pool1d(x, w.kernel, {w.stride, w.low})
                : x.rank() == 4 ? max_pool2d(x, w.kernel, {w.stride, w.low})
                                : max_pool3d(x, w.kernel, {w.stride, w.low}));
  } else {
    y.push_back(windows(x, w, "max"));
  }
  if (c.node.outputs.size() > 1) y.push_back(places_of_greatest(c.cx, x, w, columns));
  return y;
}

Results average_pool(const Call& c) {
  const Tensor& x = c.in(0);
  const bool count = c.flag("count_include_pad", false);
  const Window w = pool_window(c);
  if (w.even()) {
    return {x.rank() == 3   ? avg_pool1d(x, w.kernel, {w.stride, w.low, count})
            : x.rank() == 4 ? avg_pool2d(x, w.kernel, {w.stride, w.low, count})
                            : avg_pool3d(x, w.kernel, {w.stride, w.low, count})};
  }
  if (count && c.flag("ceil_mode", false)) throw NotApplicable("ceil_mode that counts padding");
  Tensor ones = Tensor::ones(c.cx, dims_of(x), x.dtype());
  Window counted = w;
  if (count) {
    ones = pad(ones, 1, whole(w.low, 0), whole(w.high, 0));
    counted.low = counted.high = Dims(w.low.size(), 0);
  }
  return {windows(x, w, "sum") / windows(ones, counted, "sum")};
}

// The values put where the indices say, in the shape that the pool had; a greater output_shape is filled up with zeros.
Results max_unpool(const Call& c) {
  const Tensor& x = c.in(0);
  const Window w = window_of(c, c.integers("kernel_shape"));
  Dims dims = {x.dim(0), x.dim(1)}, more(x.rank(), 0);
  int64_t count = dims[0] * dims[1];
  for (size_t a = 0; a < w.kernel.size(); ++a) {
    const int64_t size = (spatial(x)[a] - 1) * w.stride[a] + w.kernel[a] - w.low[a] - w.high[a];
    dims.push_back(size), count *= size;
  }
  const Tensor empty = Tensor::zeros(c.cx, {count}, x.dtype());
  const Tensor y = reshape(scatter(empty, reshape(c.in(1), {-1}), reshape(x, {-1})), dims);
  if (!c.given(2)) return {y};
  const Dims wanted = c.numbers(2);
  for (size_t a = 0; a < more.size(); ++a) more[a] = wanted[a] - dims[a];
  return {pad(y, {}, Dims(x.rank(), 0), more)};
}

Results conv_of_integers(const Call& c) {
  const Window w = window_over(c, spatial(c.in(1)));
  return {conv_integer(c.in(0), c.in(1), c.in(2), c.in(3),
                       {.stride = w.stride,
                        .low = w.low,
                        .high = w.high,
                        .dilation = w.dilation,
                        .groups = c.integer("group", 1)})};
}

Results qlinear_convolution(const Call& c) {
  const Window w = window_over(c, spatial(c.in(3)));
  return {qlinear_conv(c.in(0), c.in(1), c.in(2), c.in(3), c.in(4), c.in(5), c.in(6), c.in(7),
                       c.in(8),
                       {.stride = w.stride,
                        .low = w.low,
                        .high = w.high,
                        .dilation = w.dilation,
                        .groups = c.integer("group", 1)})};
}

constexpr Mapping kMappings[] = {
    {"Conv", convolution},
    {"ConvTranspose", conv_transpose},
    {"MaxPool", max_pool},
    {"AveragePool", average_pool},
    {"MaxUnpool", max_unpool},
    {"GlobalAveragePool", [](const Call& c) -> Results { return {global_avg_pool(c.in(0))}; }},
    {"GlobalMaxPool", [](const Call& c) -> Results { return {global_max_pool(c.in(0))}; }},
    {"ConvInteger", conv_of_integers},
    {"QLinearConv", qlinear_convolution},
};

}  // namespace

std::span<const Mapping> window_mappings() { return kMappings; }

}  // namespace tenon::onnx
