// ONNX's ops that read and write by indices, and those that sort, count or choose.
#include <algorithm>

#include "mapping.hpp"

namespace tenon::onnx {
namespace {

// Beside axis the indices may cover only the beginning of x.
Results gather_elements(const Call& c) {
  const Tensor &x = c.in(0), &indices = c.in(1);
  const int64_t axis = axis_of(c.integer("axis", 0), x);
  Dims stops = dims_of(indices);
  stops[static_cast<size_t>(axis)] = x.dim(static_cast<uint32_t>(axis));
  return {take_along_axis(slice(x, Dims(x.rank(), 0), stops), indices, {.axis = axis})};
}

// The first batch_dims axes of x and indices run together: their places go in front of each row of indices.
Results gather_places(const Call& c) {
  const auto batch = static_cast<size_t>(c.integer("batch_dims", 0));
  Dims rows = dims_of(c.in(1));
  rows.back() = 1;
  std::vector<Tensor> columns;
  for (size_t a = 0; a < batch; ++a)
    columns.push_back(positions(c.cx, rows, static_cast<int64_t>(a)));
  columns.push_back(c.in(1));
  return {gather_nd(c.in(0), concat(columns, {.axis = -1}))};
}

// The updates one by one: a product has no mode of scatter_nd.
Tensor scatter_products(const Context& cx, Tensor x, const Tensor& places, const Tensor& updates) {
  for (int64_t i = 0; i < places.dim(0); ++i) {
    const Tensor row = from_numbers(cx, {i}), place = gather(places, row);
    x = scatter_nd(x, place, gather_nd(x, place) * gather(updates, row));
  }
  return x;
}

Tensor scatter_at(const Call& c, const Tensor& places, const Tensor& updates) {
  const std::string reduction = c.text("reduction", "none");
  if (reduction == "mul") return scatter_products(c.cx, c.in(0), places, updates);
  return scatter_nd(c.in(0), places, updates, {.mode = reduction == "none" ? "set" : reduction});
}

// The place of each update: its own, but for the axis, where the index stands.
Results scatter_elements(const Call& c) {
  const Tensor& indices = c.in(1);
  const int64_t axis = axis_of(c.integer("axis", 0), c.in(0));
  const Dims dims = dims_of(indices);
  std::vector<Tensor> columns;
  for (int64_t a = 0; a < static_cast<int64_t>(dims.size()); ++a)
    columns.push_back(a == axis ? as(indices, TN_DTYPE_I64) : positions(c.cx, dims, a));
  return {scatter_at(c, stack(columns, {.axis = -1}), c.in(2))};
}

// A negative index counts from the end of the depth; values are {off, on}.
Results one_hot_of(const Call& c) {
  const int64_t depth = c.number(1);
  const Tensor indices = as(c.in(0), TN_DTYPE_I64);
  const Tensor hot =
      one_hot(where(indices < 0, indices + depth, indices), depth, {.dtype = TN_DTYPE_BOOL});
  const Tensor off = slice(c.in(2), {0}, {1}), on = slice(c.in(2), {1}, {2});
  const int64_t axis = c.integer("axis", -1);
  return {where(last_axis_to(hot, axis), on, off)};
}

Results top(const Call& c) {
  c.only("sorted", 1);
  const TopkResult y = topk(c.in(0), c.number(1),
                            {.axis = c.integer("axis", -1), .largest = c.flag("largest", true)});
  return {y.values, y.indices};
}

// Where the condition holds, along axis, or of all elements.
Results compress(const Call& c) {
  const Tensor kept = reshape(nonzero(c.in(1)).indices, {-1});
  if (!c.has("axis")) return {gather(reshape(c.in(0), {-1}), kept)};
  return {gather(c.in(0), kept, {.axis = c.integer("axis", 0)})};
}

// Numbers the parts of x along axis, so that equal parts have one number and the numbers are in the order of their elements: column
// by column, by what stands before it and the column.
Tensor ranked(const Context& cx, const Tensor& x, int64_t axis) {
  const int64_t n = x.dim(static_cast<uint32_t>(axis));
  Dims perm = {axis};
  for (int64_t a = 0; a < x.rank(); ++a)
    if (a != axis) perm.push_back(a);
  const Tensor rows = reshape(transpose(x, perm), {n, -1});
  Tensor rank = Tensor::zeros(cx, {n}, TN_DTYPE_I64);
  for (int64_t j = 0; j < rows.dim(1); ++j) {
    const Tensor column = reshape(slice(rows, {0, j}, {n, j + 1}), {n});
    rank = unique(rank * n + unique(column).inverse).inverse;
  }
  return rank;
}

// Without `sorted` values come in the order of their first places.
Results unique_of(const Call& c) {
  const Tensor& x = c.in(0);
  UniqueResult u;
  const int64_t axis = c.has("axis") ? axis_of(c.integer("axis", 0), x) : 0;
  if (c.has("axis")) {
    u = unique(ranked(c.cx, x, axis));
    u.values = gather(x, u.indices, {.axis = axis});
  } else {
    u = unique(x);
  }
  if (!c.flag("sorted", true)) {
    const Tensor order = argsort(u.indices);
    u.values = gather(u.values, order, {.axis = axis}), u.indices = gather(u.indices, order);
    u.counts = gather(u.counts, order), u.inverse = gather(argsort(order), u.inverse);
  }
  return {u.values, u.indices, reshape(u.inverse, {-1}), u.counts};
}

// The first lengths[b] steps of each batch backwards, the others as they are.
Results reverse_sequence(const Call& c) {
  const Tensor& x = c.in(0);
  const int64_t batch = c.integer("batch_axis", 1), time = c.integer("time_axis", 0);
  Dims shape(x.rank(), 1), along(x.rank(), 1);
  shape[static_cast<size_t>(batch)] = x.dim(static_cast<uint32_t>(batch));
  along[static_cast<size_t>(time)] = x.dim(static_cast<uint32_t>(time));
  const Tensor lengths = reshape(c.in(1), shape), step = positions(c.cx, along, time);
  const Tensor from = where(step < lengths, lengths - 1 - step, step + 0 * lengths);
  return {take_along_axis(x, expand(from, dims_of(x)), {.axis = time})};
}

constexpr Mapping kMappings[] = {
    {"Gather",
     [](const Call& c) -> Results {
       return {gather(c.in(0), c.in(1), {.axis = c.integer("axis", 0)})};
     }},
    {"GatherElements", gather_elements},
    {"GatherND", gather_places},
    {"Scatter", scatter_elements},
    {"ScatterElements", scatter_elements},
    {"ScatterND", [](const Call& c) -> Results { return {scatter_at(c, c.in(1), c.in(2))}; }},
    {"OneHot", one_hot_of},
    {"TopK", top},
    {"Compress", compress},
    {"NonZero", [](const Call& c) -> Results { return {nonzero(c.in(0)).indices}; }},
    {"Unique", unique_of},
    {"ReverseSequence", reverse_sequence},
};

}  // namespace

std::span<const Mapping> index_mappings() { return kMappings; }

}  // namespace tenon::onnx
