// transpose, flip, slice: views that reorder or leave out elements.
#include <algorithm>

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

// One axis of a slice over n concrete elements, clipped as Python does: 0 <= start <= n, `count`
// elements.
struct Range {
  int64_t start, count;
};
Range clip_range(int64_t n, int64_t start, int64_t stop, int64_t step) {
  start = std::clamp<int64_t>(start < 0 ? std::max(start, -n) + n : start, 0, n);
  stop = std::clamp<int64_t>(stop < 0 ? std::max(stop, -n) + n : stop, 0, n);
  return {start, start < stop ? (stop - start - 1) / step + 1 : 0};
}
bool is_whole(int64_t start, int64_t stop, int64_t step) {
  return start == 0 && stop == kToEnd && step == 1;
}

// The number of elements that a slice of a symbolic dim n keeps.
int64_t symbolic_count(const Infer& c, int64_t n, int64_t start, int64_t stop, int64_t step) {
  auto bound = [&](int64_t at) {
    if (at == kToEnd) return n;
    return at >= 0 ? c.min(n, at) : c.max(c.plus(n, at), 0);
  };
  if (start == 0) return c.ceildiv(bound(stop), step);
  return c.ceildiv(c.max(c.sub(bound(stop), bound(start)), 0), step);
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
    if (step <= 0)
      return c.error("step {} of axis {}: steps are positive. To go backwards use flip.", step, a);
    if (concrete(d)) {
      const Range r = clip_range(d, starts[a], stops[a], step);
      to.push(r.count);
      first.push(r.start);
    } else {
      to.push(is_whole(starts[a], stops[a], step)
                  ? d
                  : symbolic_count(c, d, starts[a], stops[a], step));
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
  Dims length;
  length.push(m);
  const Value first = start >= 0
                          ? b.fill(static_cast<double>(start), Dims(), TN_DTYPE_I64)
                          : maximum(b.dim_scalar(n, TN_DTYPE_I64) + static_cast<double>(start), 0);
  return b.iota(length, 0, TN_DTYPE_I64) * static_cast<double>(step) + first;
}

// The cotangent goes back to where its elements came from: by one pad over the concrete axes, by a
// scatter along each symbolic axis that is cut.
void d_slice(Recipe& b) {
  const auto starts = b.list(TN_SLICE_STARTS), stops = b.list(TN_SLICE_STOPS),
             steps = b.list(TN_SLICE_STEPS);
  const Dims from = b.in(0).dims();
  Value g = b.g();
  Dims low(from.n, 0), high(from.n, 0), interior(from.n, 0);
  for (uint32_t a = 0; a < from.n; ++a) {
    if (!concrete(from[a])) continue;
    const int64_t step = steps.empty() ? 1 : steps[a];
    const Range r = clip_range(from[a], starts[a], stops[a], step);
    low[a] = r.count == 0 ? from[a] : r.start;
    high[a] = r.count == 0 ? 0 : from[a] - (r.start + (r.count - 1) * step + 1);
    interior[a] = r.count > 1 ? step - 1 : 0;
  }
  g = pad(g, low, high, interior);
  for (uint32_t a = 0; a < from.n; ++a) {
    const int64_t step = steps.empty() ? 1 : steps[a];
    if (concrete(from[a]) || is_whole(starts[a], stops[a], step)) continue;
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
