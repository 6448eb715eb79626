// transpose, flip, slice: views that reorder or leave out elements.
#include <algorithm>

#include "base/sym.hpp"
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// ---- transpose

tn_error* transpose_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  const auto perm = c.list(TN_TRANSPOSE_PERM);
  const uint32_t n = c.rank(0);
  uint32_t seen = 0;
  Dims to, strides;
  const bool viewable = c.has_strides(0);
  bool valid = perm.size() == n;
  for (const int64_t p : perm) {
    valid = valid && p >= -static_cast<int64_t>(n) && p < static_cast<int64_t>(n);
    if (!valid) break;
    const uint32_t a = axis_of(p, n);
    valid = !(seen & (1u << a));
    seen |= 1u << a;
    to.push(c.dim(0, a));
    if (viewable) strides.push(c.in(0).strides[a]);
  }
  if (!valid)
    return c.error("perm {} is not a permutation of the axes 0 to {} of x, {}", numbers_text(perm),
                   static_cast<int64_t>(n) - 1, c.text(0));
  TN_TRY(c.out(0, t, to));
  if (viewable) c.view(strides, 0);
  return nullptr;
}

void d_transpose(Recipe& b) {
  const auto perm = b.list(TN_TRANSPOSE_PERM);
  const auto n = static_cast<uint32_t>(perm.size());
  Dims inverse(n, 0);
  for (uint32_t a = 0; a < n; ++a) inverse[axis_of(perm[a], n)] = a;
  b.set(0, transpose(b.g(), inverse));
}

// ---- flip

tn_error* flip_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  uint32_t mask = 0;
  TN_TRY(c.axes(c.list(TN_FLIP_AXES), c.rank(0), 0, &mask));
  const Dims dims = c.dims(0);
  TN_TRY(c.out(0, t, dims));
  if (!c.has_strides(0)) return nullptr;
  Dims strides;
  int64_t offset = 0;
  const bool empty = std::any_of(dims.begin(), dims.end(), [](int64_t d) { return d == 0; });
  for (uint32_t a = 0; a < dims.n; ++a) {
    const int64_t s = c.in(0).strides[a];
    const bool flipped = (mask & (1u << a)) != 0;
    strides.push(flipped ? -s : s);
    if (flipped && !empty) offset += (dims[a] - 1) * s;
  }
  c.view(strides, offset);
  return nullptr;
}

void d_flip(Recipe& b) { b.set(0, flip(b.g(), axes_mask(b.list(TN_FLIP_AXES), b.g().rank(), 0))); }

// ---- slice

// One axis of a slice over n concrete elements, clipped as Python does: `count` elements, from
// `start`.
struct Range {
  int64_t start, count;
};
int64_t size_of_step(int64_t step) { return step < 0 ? -std::max(step, -INT64_MAX) : step; }
Range clip_range(int64_t n, int64_t start, int64_t stop, int64_t step) {
  const int64_t low = step < 0 ? -1 : 0;
  const auto bound = [&](int64_t at) {
    return std::clamp(at < 0 ? std::max(at, -n - 1) + n : at, low, n + low);
  };
  start = bound(start);
  const int64_t span = step < 0 ? start - bound(stop) : bound(stop) - start;
  return {start, span > 0 ? (span - 1) / size_of_step(step) + 1 : 0};
}
// A start or stop may be a symbolic size itself, which is not counted from the end.
bool concrete_axis(int64_t n, int64_t start, int64_t stop) {
  return concrete(n) && !is_symbolic(start) && !is_symbolic(stop);
}
bool is_whole(int64_t start, int64_t stop, int64_t step) {
  return start == 0 && stop == kToEnd && step == 1;
}

// The number of elements that a slice of a symbolic dim n keeps: those between two edges, each of
// which is the number of elements before it. One that is gone to backwards is behind its place.
int64_t symbolic_count(const Infer& c, int64_t n, int64_t start, int64_t stop, int64_t step) {
  const int64_t back = step < 0 ? 1 : 0;
  const auto edge = [&](int64_t at) {
    if (is_symbolic(at)) return c.min(n, c.plus(at, back));
    if (at == kToEnd || (back && at == -1)) return n;
    if (at == INT64_MIN || (!back && at == 0)) return int64_t{0};
    return at >= 0 ? c.min(n, at + back) : c.max(c.plus(n, at + back), 0);
  };
  const int64_t low = edge(back ? stop : start), high = edge(back ? start : stop);
  return c.ceildiv(low == 0 ? high : c.max(c.sub(high, low), 0), size_of_step(step));
}

tn_error* slice_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  const uint32_t n = c.rank(0);
  TN_TRY(c.length(TN_SLICE_STARTS, "starts", n, false));
  TN_TRY(c.length(TN_SLICE_STOPS, "stops", n, false));
  TN_TRY(c.length(TN_SLICE_STEPS, "steps", n, true));
  const auto starts = c.list(TN_SLICE_STARTS), stops = c.list(TN_SLICE_STOPS),
             steps = c.list(TN_SLICE_STEPS);
  const bool viewable = c.has_strides(0);
  Dims to, strides, first;
  for (uint32_t a = 0; a < n; ++a) {
    const int64_t step = steps.empty() ? 1 : steps[a], d = c.dim(0, a);
    if (step == 0)
      return c.error("steps has 0 for axis {}; a step is 1 or more, or -1 or less to go backwards",
                     a);
    if (concrete_axis(d, starts[a], stops[a])) {
      const Range r = clip_range(d, starts[a], stops[a], step);
      to.push(r.count);
      first.push(r.start);
    } else {
      to.push(symbolic_count(c, d, starts[a], stops[a], step));
      first.push(0);
    }
    // An axis of at most one element is not stepped over; its product with a huge step could
    // overflow.
    if (viewable) strides.push(to[a] > 1 ? c.in(0).strides[a] * step : c.in(0).strides[a]);
  }
  TN_TRY(c.out(0, t, to));
  if (!viewable) return nullptr;
  int64_t offset = 0;
  const bool empty = std::any_of(to.begin(), to.end(), [](int64_t d) { return d == 0; });
  for (uint32_t a = 0; a < n && !empty; ++a) offset += first[a] * c.in(0).strides[a];
  c.view(strides, offset);
  return nullptr;
}

// Positions start, start + step, ... of the m elements kept along an axis of n, where n is
// symbolic.
Value positions(const Recipe& b, int64_t n, int64_t m, int64_t start, int64_t step) {
  constexpr int64_t kFar = int64_t{1} << 53;  // what is exact in constants; behind every element
  const auto at = [&](int64_t i) { return static_cast<double>(std::clamp(i, -kFar, kFar)); };
  const Value size = b.dim_scalar(n, TN_DTYPE_I64);
  const Value first = is_symbolic(start)
                          ? minimum(b.dim_scalar(start, TN_DTYPE_I64), step < 0 ? size - 1 : size)
                      : start < 0 ? maximum(size + at(start), 0)
                      : step < 0  ? minimum(size - 1, at(start))
                                  : b.fill(at(start), Dims(), TN_DTYPE_I64);
  return b.iota(Dims(1, m), 0, TN_DTYPE_I64) * at(step) + first;
}

// The cotangent goes back to where its elements came from: by one pad over the concrete axes, by a
// scatter along each symbolic axis that is cut.
void d_slice(Recipe& b) {
  const auto starts = b.list(TN_SLICE_STARTS), stops = b.list(TN_SLICE_STOPS),
             steps = b.list(TN_SLICE_STEPS);
  const Dims from = b.in(0).dims();
  Dims low(from.n, 0), high(from.n, 0), interior(from.n, 0);
  uint32_t backwards = 0;
  for (uint32_t a = 0; a < from.n; ++a) {
    if (!concrete_axis(from[a], starts[a], stops[a])) continue;
    const int64_t step = steps.empty() ? 1 : steps[a];
    const Range r = clip_range(from[a], starts[a], stops[a], step);
    const int64_t over = r.count > 1 ? (r.count - 1) * step : 0;  // from the first to the last
    if (step < 0) backwards |= 1u << a;
    low[a] = r.count == 0 ? from[a] : r.start + std::min<int64_t>(over, 0);
    high[a] = r.count == 0 ? 0 : from[a] - 1 - r.start - std::max<int64_t>(over, 0);
    interior[a] = r.count > 1 ? size_of_step(step) - 1 : 0;
  }
  Value g = pad(flip(b.g(), backwards), low, high, interior);
  for (uint32_t a = 0; a < from.n; ++a) {
    const int64_t step = steps.empty() ? 1 : steps[a];
    if (concrete_axis(from[a], starts[a], stops[a]) || is_whole(starts[a], stops[a], step))
      continue;
    Dims to = g.dims();
    to[a] = from[a];
    g = scatter(b.fill(0, to, g.dtype()), positions(b, from[a], g.dim(a), starts[a], step), g, a,
                "set");
  }
  b.set(0, g);
}

}  // namespace

const OpRules rules_transpose = {TN_OP_TRANSPOSE, rule<transpose_rule>, nullptr,
                                 recipe<d_transpose>, nullptr};
const OpRules rules_flip = {TN_OP_FLIP, rule<flip_rule>, nullptr, recipe<d_flip>, nullptr};
const OpRules rules_slice = {TN_OP_SLICE, rule<slice_rule>, nullptr, recipe<d_slice>, nullptr};

}  // namespace tenon::ops
