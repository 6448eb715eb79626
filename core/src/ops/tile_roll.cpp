// tile, roll, meshgrid: elements repeated, or moved around, along axes.
#include <algorithm>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// ---- tile

// Fewer repeats than axes are those of the last axes; more give x new axes in front.
tn_error* tile_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  TN_TRY(c.within(TN_TILE_REPEATS, "repeats", 0));
  const auto repeats = c.list(TN_TILE_REPEATS);
  const auto given = static_cast<uint32_t>(std::min<size_t>(repeats.size(), TN_MAX_RANK + 1));
  TN_TRY(c.check_rank(given));
  const uint32_t n = std::max(c.rank(0), given);
  Dims to;
  for (uint32_t a = 0; a < n; ++a) {
    const int64_t size = a + c.rank(0) < n ? 1 : c.dim(0, a + c.rank(0) - n),
                  times = a + given < n ? 1 : repeats[a + given - n];
    to.push(c.mul(size, times));
  }
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

// [product of the axes before, times, product of the others]
Dims as_repeated(const Recipe& b, const Dims& dims, uint32_t axis, int64_t times) {
  Dims to;
  to.push(b.product({dims.d, axis}));
  to.push(times);
  to.push(b.product({dims.d + axis, dims.n - axis}));
  return to;
}

void tile_of_base(Recipe& b) {
  const auto repeats = b.list(TN_TILE_REPEATS);
  const auto given = static_cast<uint32_t>(repeats.size());
  Value x = b.in(0);
  Dims dims = x.dims();
  if (dims.n < given) {
    Dims more(given - dims.n, 1);
    for (const int64_t d : dims) more.push(d);
    dims = more;
  }
  bool repeated = false;
  for (uint32_t k = given; k-- > 0;) {
    const uint32_t axis = dims.n - given + k;
    if (repeats[k] == 1) continue;
    x = expand(reshape(x, as_repeated(b, dims, axis, 1)), as_repeated(b, dims, axis, repeats[k]));
    dims[axis] = b.mul(dims[axis], repeats[k]);
    repeated = true;
  }
  x = reshape(x, dims);
  b.set(0, repeated ? x : copy(x));
}

// The copies of an element add up, one axis after the other.
void d_tile(Recipe& b) {
  const auto repeats = b.list(TN_TILE_REPEATS);
  const auto given = static_cast<uint32_t>(repeats.size());
  const Value x = b.in(0);
  Value g = b.g();
  Dims dims = g.dims();
  for (uint32_t k = 0; k < given; ++k) {
    const uint32_t axis = dims.n - given + k;
    if (repeats[k] == 1) continue;
    dims[axis] = axis + x.rank() < dims.n ? 1 : x.dim(axis + x.rank() - dims.n);
    g = sum(reshape(g, as_repeated(b, dims, axis, repeats[k])), 2, false);
  }
  b.set(0, reshape_like(g, x));
}

// ---- roll

tn_error* roll_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  const auto shifts = c.list(TN_ROLL_SHIFTS), axes = c.list(TN_ROLL_AXES);
  if (shifts.size() != axes.size())
    return c.error("shifts {} and axes {} must have as many entries", numbers_text(shifts),
                   numbers_text(axes));
  uint32_t mask = 0;
  TN_TRY(c.axes(axes, c.rank(0), 0, &mask));
  return c.out(0, t, c.dims(0));
}

// y[(i + shift) mod n] = x[i].
Value rolled(const Recipe& b, Value x, uint32_t axis, int64_t shift, bool back) {
  const int64_t n = x.dim(axis);
  if (!concrete(n)) {
    const auto by = static_cast<double>(back ? shift : -shift);
    const Value from = rem(b.iota(Dims(1, n), 0, TN_DTYPE_I64) + by, b.dim_scalar(n, TN_DTYPE_I64));
    return gather(x, from, axis);
  }
  int64_t split = n > 0 ? shift % n : 0;  // the length of what goes from the end to the front
  if (split < 0) split += n;
  if (split == 0) return x;
  if (back) split = n - split;
  Dims starts(x.rank(), 0), stops(x.rank(), kToEnd);
  starts[axis] = stops[axis] = n - split;
  const tn_value parts[] = {slice(x, starts, Dims(x.rank(), kToEnd), Dims()).v(),
                            slice(x, Dims(x.rank(), 0), stops, Dims()).v()};
  return {x.b(), tn_b_concat(x.b(), parts, 2, axis)};
}
Value rolled(const Recipe& b, Value x, bool back) {
  const auto shifts = b.list(TN_ROLL_SHIFTS), axes = b.list(TN_ROLL_AXES);
  Value y = x;
  for (size_t k = 0; k < axes.size(); ++k)
    y = rolled(b, y, axis_of(axes[k], x.rank()), shifts[k], back);
  return y.v() == x.v() ? copy(x) : y;
}
void roll_of_base(Recipe& b) { b.set(0, rolled(b, b.in(0), false)); }
void d_roll(Recipe& b) { b.set(0, rolled(b, b.g(), true)); }

// ---- meshgrid

// The axis of the results along which input i lies.
uint32_t grid_axis(uint32_t i, std::string_view indexing) {
  return i < 2 && indexing == "xy" ? 1 - i : i;
}
uint32_t grid_axis(const Recipe& b, uint32_t i) {
  return b.count() < 2 ? i : grid_axis(i, b.string(TN_MESHGRID_INDEXING));
}

tn_error* meshgrid_rule(Infer& c) {
  const auto indexing = c.string(TN_MESHGRID_INDEXING);
  TN_TRY(c.choice("indexing", indexing, {"xy", "ij"}));
  const uint32_t n = c.count();
  TN_TRY(c.check_rank(n));
  Dims to(n, 1);
  for (uint32_t i = 0; i < n; ++i) {
    TN_TRY(c.require_rank(i, "an input", 1, "[n]"));
    to[n < 2 ? i : grid_axis(i, indexing)] = c.dim(i, 0);
  }
  TN_TRY(c.check_count(to));
  for (uint32_t i = 0; i < n; ++i) TN_TRY(c.out(i, c.dtype(i), to));
  return nullptr;
}

void meshgrid_of_base(Recipe& b) {
  const uint32_t n = b.count();
  Dims to(n, 1);
  for (uint32_t i = 0; i < n; ++i) to[grid_axis(b, i)] = b.in(i).dim(0);
  for (uint32_t i = 0; i < n; ++i) b.set(i, expand(along(b.in(i), grid_axis(b, i), n), to));
}
void d_meshgrid(Recipe& b) {
  for (uint32_t i = 0; i < b.count(); ++i)
    if (b.wants(i)) b.set(i, sum(b.g(i), b.g(i).all_axes() & ~(1u << grid_axis(b, i)), false));
}

}  // namespace

const OpRules rules_meshgrid = {TN_OP_MESHGRID, rule<meshgrid_rule>, recipe<meshgrid_of_base>,
                                recipe<d_meshgrid>, nullptr};
const OpRules rules_tile = {TN_OP_TILE, rule<tile_rule>, recipe<tile_of_base>, recipe<d_tile>,
                            nullptr};
const OpRules rules_roll = {TN_OP_ROLL, rule<roll_rule>, recipe<roll_of_base>, recipe<d_roll>,
                            nullptr};

}  // namespace tenon::ops
