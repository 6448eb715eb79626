// ONNX's ops that move elements, give shapes or make tensors.
#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "mapping.hpp"

namespace tenon::onnx {
namespace {

int64_t product(std::span<const int64_t> dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

// 0 keeps the size of x there, unless allowzero.
Results reshaped(const Call& c) {
  Dims dims = c.numbers(1);
  if (!c.flag("allowzero", false))
    for (size_t a = 0; a < dims.size(); ++a)
      if (dims[a] == 0) dims[a] = c.in(0).dims()[a];
  return {reshape(c.in(0), dims)};
}

Results flatten(const Call& c) {
  const Tensor& x = c.in(0);
  const auto axis = static_cast<size_t>(axis_of(c.integer("axis", 1), x));
  const std::span<const int64_t> dims = x.dims();
  return {reshape(x, {product(dims.first(axis)), product(dims.subspan(axis))})};
}

Results transposed(const Call& c) {
  Dims reversed(c.in(0).rank());
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return {transpose(c.in(0), c.integers("perm", reversed))};
}

// Attributes before opset 13, an input since.
Dims axes_of(const Call& c) { return c.given(1) ? c.numbers(1) : c.integers("axes"); }

// Both ways: sizes of 1 in the wanted shape take those of x.
Results expanded(const Call& c) {
  Dims dims = c.numbers(1);
  const Tensor& x = c.in(0);
  if (dims.size() < x.rank()) dims.insert(dims.begin(), x.rank() - dims.size(), 1);
  for (size_t a = 0; a < x.rank(); ++a) {
    int64_t& dim = dims[dims.size() - x.rank() + a];
    if (dim == 1) dim = x.dims()[a];
  }
  return {expand(x, dims)};
}

Results split_parts(const Call& c) {
  const Tensor& x = c.in(0);
  const int64_t axis = axis_of(c.integer("axis", 0), x);
  const auto parts = static_cast<int64_t>(c.node.outputs.size());
  const Dims equal(static_cast<size_t>(parts), x.dim(static_cast<uint32_t>(axis)) / parts);
  return split(x, c.given(1) ? c.numbers(1) : equal, {.axis = axis});
}

Results sliced(const Call& c) {
  const Tensor x = c.in(0);
  const Dims from = c.numbers(1), to = c.numbers(2);
  Dims axes(from.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (c.given(3)) axes = c.numbers(3);
  const Dims by = c.given(4) ? c.numbers(4) : Dims(from.size(), 1);
  Dims starts(x.rank(), 0), stops = dims_of(x), steps(x.rank(), 1);
  for (size_t k = 0; k < axes.size(); ++k) {
    const auto a = static_cast<size_t>(axis_of(axes[k], x));
    starts[a] = from[k], stops[a] = to[k], steps[a] = by[k];
  }
  return {slice(x, starts, stops, {.steps = steps})};
}

Results padded(const Call& c) {
  const Dims pads = c.numbers(1);
  const auto half = pads.begin() + static_cast<ptrdiff_t>(pads.size() / 2);
  const Dims low(pads.begin(), half), high(half, pads.end());
  const std::string mode = c.text("mode", "constant");
  if (mode == "edge") return {pad_edge(c.in(0), low, high)};
  if (mode == "reflect") return {pad_reflect(c.in(0), low, high)};
  return {pad(c.in(0), c.in(2), low, high)};
}

// The dims themselves, from start to end.
Results shape(const Call& c) {
  const auto rank = static_cast<int64_t>(c.in(0).rank());
  const auto place = [&](int64_t p) { return std::clamp(p < 0 ? p + rank : p, int64_t{0}, rank); };
  const int64_t start = place(c.integer("start", 0)), end = place(c.integer("end", rank));
  const Dims dims = dims_of(c.in(0));
  return {from_numbers(c.cx, {dims.begin() + start, dims.begin() + std::max(start, end)})};
}

Results size(const Call& c) {
  return {Tensor::full(c.cx, double(c.in(0).count()), {}, TN_DTYPE_I64)};
}

Results constant(const Call& c) {
  if (const Array* value = c.tensor("value")) return {to_device(c.cx, *value)};
  if (c.has("value_int"))
    return {Tensor::full(c.cx, double(c.integer("value_int", 0)), {}, TN_DTYPE_I64)};
  if (c.has("value_float")) return {Tensor::full(c.cx, c.real("value_float", 0), {})};
  if (c.has("value_ints")) return {from_numbers(c.cx, c.integers("value_ints"))};
  throw NotApplicable("a constant of this kind");
}

Results constant_of_shape(const Call& c) {
  const Array* value = c.tensor("value");
  const Tensor one = value ? reshape(to_device(c.cx, *value), {}) : Tensor::zeros(c.cx, {});
  return {fill(c.cx, one, c.numbers(0), {.dtype = one.dtype()})};
}

Results range(const Call& c) {
  const auto number = [&](size_t k) { return c.in(k).item(); };
  return {arange(c.cx, number(0), number(1), {.step = number(2), .dtype = c.in(0).dtype()})};
}

Results eye_like(const Call& c) {
  const Tensor& x = c.in(0);
  return {eye(c.cx, x.dim(0),
              {.m = x.dim(1), .k = c.integer("k", 0), .dtype = c.dtype("dtype", x.dtype())})};
}

Results triangle(const Call& c) {
  const int64_t k = c.given(1) ? c.number(1) : 0;
  return {c.flag("upper", true) ? triu(c.in(0), {.k = k}) : tril(c.in(0), {.k = k})};
}

// The cosine sums of the window functions: a[0] + a[1] cos(2 pi i / n) + a[2] cos(4 pi i / n).
Results cosine_window(const Call& c, std::span<const double> a) {
  constexpr double kTurn = 6.283185307179586;
  const int64_t size = c.number(0);
  const double n = c.flag("periodic", true) ? double(size) : double(size - 1);
  const Tensor i = arange(c.cx, 0, double(size), {.dtype = TN_DTYPE_F64});
  Tensor y = Tensor::full(c.cx, a[0], {size}, TN_DTYPE_F64);
  for (size_t k = 1; k < a.size(); ++k) y = y + a[k] * cos(i * (kTurn * double(k) / n));
  return {as(y, c.dtype("output_datatype", TN_DTYPE_F32))};
}
constexpr double kHann[] = {0.5, -0.5}, kHamming[] = {25.0 / 46, -21.0 / 46},
                 kBlackman[] = {0.42, -0.5, 0.08};

constexpr Mapping kMappings[] = {
    {"Reshape", reshaped},
    {"Flatten", flatten},
    {"Transpose", transposed},
    {"Squeeze", [](const Call& c) -> Results { return {squeeze(c.in(0), {.axes = axes_of(c)})}; }},
    {"Unsqueeze", [](const Call& c) -> Results { return {unsqueeze(c.in(0), axes_of(c))}; }},
    {"Expand", expanded},
    {"Concat",
     [](const Call& c) -> Results { return {concat(c.inputs(), {.axis = c.integer("axis", 0)})}; }},
    {"Split", split_parts},
    {"Slice", sliced},
    {"Tile", [](const Call& c) -> Results { return {tile(c.in(0), c.numbers(1))}; }},
    {"Pad", padded},
    {"Shape", shape},
    {"Size", size},
    {"Constant", constant},
    {"ConstantOfShape", constant_of_shape},
    {"Range", range},
    {"EyeLike", eye_like},
    {"Trilu", triangle},
    {"DepthToSpace",
     [](const Call& c) -> Results {
       return {depth_to_space(c.in(0), c.integer("blocksize", 0), {.mode = c.text("mode", "DCR")})};
     }},
    {"SpaceToDepth",
     [](const Call& c) -> Results { return {space_to_depth(c.in(0), c.integer("blocksize", 0))}; }},
    {"HannWindow", [](const Call& c) { return cosine_window(c, kHann); }},
    {"HammingWindow", [](const Call& c) { return cosine_window(c, kHamming); }},
    {"BlackmanWindow", [](const Call& c) { return cosine_window(c, kBlackman); }},
};

}  // namespace

std::span<const Mapping> movement_mappings() { return kMappings; }

}  // namespace tenon::onnx
