// take_along_axis, topk, gather_nd, scatter_nd: elements by an index of their own each. All of them
// check the indices and then read and write x as one flat axis.
#include <algorithm>

#include "scatter.hpp"

namespace tenon::ops {
namespace {

// ---- take_along_axis

tn_error* take_along_axis_rule(Infer& c) {
  TN_TRY(require_indices(c, 1, "indices"));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_TAKE_ALONG_AXIS_AXIS), c.rank(0), &axis));
  if (c.rank(0) != c.rank(1))
    return c.error("x is {} and indices {}: they must have the same rank", c.text(0), c.text(1));
  Dims to;
  for (uint32_t a = 0; a < c.rank(0); ++a) {
    to.push(a == axis ? c.dim(1, a) : c.broadcast_dim(c.dim(0, a), c.dim(1, a)));
    if (to[a] == -1)
      return c.error("x is {} and indices {}: beside axis {} their dims must be equal or 1",
                     c.text(0), c.text(1), axis);
  }
  TN_TRY(c.check_count(to));
  return c.out(0, c.dtype(0), to);
}

// x with dims as [outer, n, inner], seen as one axis, and indices [outer, k, inner], each in 0 to n - 1,
// into that.
struct Lines {
  Dims dims;      // of x
  int64_t count;  // of x
  Value places;
};
Lines lines(const Recipe& b, const Dims& dims, Value indices, uint32_t axis) {
  const int64_t outer = b.product({dims.d, axis}), n = dims[axis],
                inner = b.product({dims.d + axis + 1, dims.n - axis - 1});
  const auto axes = [](int64_t x, int64_t y, int64_t z) {
    Dims d(3, x);
    d[1] = y;
    d[2] = z;
    return d;
  };
  const auto scalar = [&](int64_t dim) { return b.dim_scalar(dim, TN_DTYPE_I64); };
  const Value at = reshape(indices, axes(outer, indices.dim(axis), inner));
  const Value row = b.iota(axes(outer, 1, 1), 0, TN_DTYPE_I64) * scalar(b.mul(n, inner));
  const Value start = row + b.iota(axes(1, 1, inner), 2, TN_DTYPE_I64);
  return {dims, b.mul(outer, b.mul(n, inner)), at * scalar(inner) + start};
}
// The cotangents g of the elements at `l`, added up where they came from.
Value put_back(const Recipe& b, const Lines& l, Value g) {
  const Value zeros = b.fill(0, Dims(1, l.count), g.dtype());
  return reshape(scatter(zeros, l.places, reshape_like(g, l.places), 0, "add"), l.dims);
}

// Both with the dims that they broadcast to beside the axis.
Lines take_lines(const Recipe& b, uint32_t axis) {
  Dims from = b.in(0).dims(), to = b.in(1).dims();
  for (uint32_t a = 0; a < from.n; ++a) {
    if (a == axis) continue;
    if (b.same(from[a], 1)) from[a] = to[a];
    to[a] = from[a];
  }
  const Value at = checked(b.in(1), from[axis], "take_along_axis: indices", true);
  return lines(b, from, expand(at, to), axis);
}

void take_along_axis_of_base(Recipe& b) {
  const uint32_t axis = axis_of(b.i64(TN_TAKE_ALONG_AXIS_AXIS), b.in(0).rank());
  const Lines l = take_lines(b, axis);
  const Value x = reshape(expand(b.in(0), l.dims), Dims(1, l.count));
  Dims to = l.dims;
  to[axis] = b.in(1).dim(axis);
  b.set(0, reshape(gather(x, l.places, 0), to));
}
void d_take_along_axis(Recipe& b) {
  if (!b.wants(0)) return;
  const uint32_t axis = axis_of(b.i64(TN_TAKE_ALONG_AXIS_AXIS), b.in(0).rank());
  b.set_summed(0, put_back(b, take_lines(b, axis), b.g()));
}

// ---- topk

tn_error* topk_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kReal, &t));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_TOPK_AXIS), c.rank(0), &axis));
  const int64_t k = c.i64(TN_TOPK_K), n = c.dim(0, axis);
  if (k < 0 || (concrete(n) && k > n))
    return c.error("k is {}; for axis {} of x, {}, it must be 0 to {}", k, axis, c.text(0),
                   dim_text(n));
  Dims to = c.dims(0);
  to[axis] = concrete(n) ? k : c.min(n, k);
  TN_TRY(c.out(0, t, to));
  return c.out(1, TN_DTYPE_I64, to);
}

void topk_of_base(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axis = axis_of(b.i64(TN_TOPK_AXIS), x.rank());
  const Value positions = b.iota(x.dims(), axis, TN_DTYPE_I64);
  tn_value sorted[2] = {TN_NO_VALUE, TN_NO_VALUE};
  tn_b_sort(b.raw(), x.v(), positions.v(), axis, b.flag(TN_TOPK_LARGEST), sorted);
  Dims stops(x.rank(), kToEnd);
  stops[axis] = b.i64(TN_TOPK_K);
  for (const uint32_t i : {0u, 1u})
    b.set(i, slice({b.raw(), sorted[i]}, Dims(x.rank(), 0), stops, Dims()));
}
void d_topk(Recipe& b) {
  const Dims dims = b.in(0).dims();
  const uint32_t axis = axis_of(b.i64(TN_TOPK_AXIS), dims.n);
  b.set(0, put_back(b, lines(b, dims, b.out(1), axis), b.g(0)));
}

// ---- gather_nd, scatter_nd

// indices is [..., depth]: each row names an element of the first `depth` axes of x. `slots`: dims
// of all the elements, each with the other axes of x.
tn_error* require_rows(const Infer& c, Dims* slots) {
  TN_TRY(require_indices(c, 1, "indices"));
  const uint32_t n = c.rank(0), rows = c.rank(1);
  const int64_t depth = rows > 0 ? c.dim(1, rows - 1) : 0;
  if (rows > 0 && !concrete(depth))
    return c.error("indices is {}; its last size, the number of axes of x, must be known",
                   c.text(1));
  if (depth < 1 || depth > n)
    return c.error("indices is {}; its last size must be 1 to {}, a number of axes of x, {}",
                   c.text(1), n, c.text(0));
  const auto d = static_cast<uint32_t>(depth);
  TN_TRY(c.check_rank(rows - 1 + n - d));
  Dims to;
  for (uint32_t a = 0; a + 1 < rows; ++a) to.push(c.dim(1, a));
  for (uint32_t a = d; a < n; ++a) to.push(c.dim(0, a));
  *slots = to;
  return c.check_count(to);
}

// x, input 0 of `op`, with its first `depth` axes as one, and the rows, input 1, as indices of that.
struct Rows {
  Dims dims;
  Value places;
};
Rows rows_of(const Recipe& b, const char* op) {
  const Value indices = b.in(1);
  const Dims from = b.in(0).dims();
  const uint32_t last = indices.rank() - 1;
  const auto depth = static_cast<uint32_t>(indices.dim(last));
  Rows out;
  out.dims.push(b.product({from.d, depth}));
  for (uint32_t a = depth; a < from.n; ++a) out.dims.push(from[a]);
  for (uint32_t k = 0; k < depth; ++k) {
    Dims starts(last + 1, 0), stops(last + 1, kToEnd);
    starts[last] = k;
    stops[last] = k + 1;
    const Value i = squeeze(slice(indices, starts, stops, Dims()), 1u << last);
    const Value stride = b.dim_scalar(b.product({from.d + k + 1, depth - k - 1}), TN_DTYPE_I64);
    const Value part =
        checked(i, from[k], fmt::format("{}: indices[..., {}]", op, k), true) * stride;
    out.places = k == 0 ? part : out.places + part;
  }
  return out;
}

tn_error* gather_nd_rule(Infer& c) {
  Dims to;
  TN_TRY(require_rows(c, &to));
  return c.out(0, c.dtype(0), to);
}
void gather_nd_of_base(Recipe& b) {
  const Rows r = rows_of(b, "gather_nd");
  b.set(0, gather(reshape(b.in(0), r.dims), r.places, 0));
}
void d_gather_nd(Recipe& b) {
  if (!b.wants(0)) return;
  const Rows r = rows_of(b, "gather_nd");
  const Value zeros = b.fill(0, r.dims, b.g().dtype());
  b.set(0, reshape_like(scatter(zeros, r.places, b.g(), 0, "add"), b.in(0)));
}

bool adds(std::string_view mode) { return mode == "add"; }

tn_error* scatter_nd_rule(Infer& c) {
  const auto mode = c.string(TN_SCATTER_ND_MODE);
  TN_TRY(c.choice("mode", mode, {"set", "add"}));
  Dims slots;
  TN_TRY(require_rows(c, &slots));
  TN_TRY(c.require_kind(0, "x", adds(mode) ? kNumber : kComputable));
  c.cast(2, c.dtype(0));
  bool fits = slots.n == c.rank(2);
  for (uint32_t a = 0; fits && a < slots.n; ++a) fits = !c.differ(slots[a], c.dim(2, a));
  if (!fits)
    return c.error("updates is {}; for x, {}, and indices, {}, it must have dims {}", c.text(2),
                   c.text(0), c.text(1), dims_text(slots.span()));
  return c.out(0, c.dtype(0), c.dims(0));
}
void scatter_nd_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Rows r = rows_of(b, "scatter_nd");
  const char* mode = adds(b.string(TN_SCATTER_ND_MODE)) ? "add" : "set";
  b.set(0, reshape_like(scatter(reshape(x, r.dims), r.places, b.in(2), 0, mode), x));
}
void d_scatter_nd(Recipe& b) {
  const Value x = b.in(0);
  const Rows r = rows_of(b, "scatter_nd");
  const Value g = reshape(b.g(), r.dims), taken = gather(g, r.places, 0);
  const bool add = adds(b.string(TN_SCATTER_ND_MODE));
  if (b.wants(0))
    b.set(0, add ? b.g() : reshape_like(scatter(g, r.places, full_like(taken, 0), 0, "set"), x));
  if (b.wants(2)) b.set(2, add ? taken : taken_by_last(b, g, r.places, 0));
}

}  // namespace

const OpRules rules_take_along_axis = {TN_OP_TAKE_ALONG_AXIS, rule<take_along_axis_rule>,
                                       recipe<take_along_axis_of_base>, recipe<d_take_along_axis>,
                                       nullptr};
const OpRules rules_topk = {TN_OP_TOPK, rule<topk_rule>, recipe<topk_of_base>, recipe<d_topk>,
                            nullptr};
const OpRules rules_gather_nd = {TN_OP_GATHER_ND, rule<gather_nd_rule>, recipe<gather_nd_of_base>,
                                 recipe<d_gather_nd>, nullptr};
const OpRules rules_scatter_nd = {TN_OP_SCATTER_ND, rule<scatter_nd_rule>,
                                  recipe<scatter_nd_of_base>, recipe<d_scatter_nd>, nullptr};

}  // namespace tenon::ops
