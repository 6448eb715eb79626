// Adaptive pooling over one to three spatial axes: along an axis of n elements window i of m is
// floor(i n / m) .. ceil((i + 1) n / m) - 1. Windows that do not divide an axis are read axis by
// axis.
#include <limits>

#include "window.hpp"

namespace tenon::ops {
namespace {

constexpr uint32_t kOutputSize = TN_ADAPTIVE_AVG_POOL2D_OUTPUT_SIZE;
static_assert(kOutputSize == TN_ADAPTIVE_AVG_POOL1D_OUTPUT_SIZE &&
              kOutputSize == TN_ADAPTIVE_AVG_POOL3D_OUTPUT_SIZE &&
              kOutputSize == TN_ADAPTIVE_MAX_POOL1D_OUTPUT_SIZE &&
              kOutputSize == TN_ADAPTIVE_MAX_POOL2D_OUTPUT_SIZE &&
              kOutputSize == TN_ADAPTIVE_MAX_POOL3D_OUTPUT_SIZE);

tn_error* pooled_dims(Infer& c, uint32_t n) {
  TN_TRY(c.require_rank(0, "x", 2 + n, kSpatialForms[n - 1]));
  TN_TRY(c.length(kOutputSize, "output_size", n, false));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  TN_TRY(c.within(kOutputSize, "output_size", 1, INT32_MAX));
  const auto sizes = c.list(kOutputSize);
  Dims to = c.dims(0);
  for (uint32_t i = 0; i < n; ++i) {
    if (to[2 + i] == 0)
      return c.error("x is {}: it must have elements along spatial axis {}", c.text(0), i);
    to[2 + i] = sizes[i];
  }
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

template <uint32_t N>
tn_error* adaptive_rule(Infer& c) {
  return pooled_dims(c, N);
}

int64_t size_at(const Recipe& b, uint32_t axis) { return b.list(kOutputSize)[axis - 2]; }

// The windows along one axis of x. K is the most elements that one can have.
struct Windows {
  Value at, inside, count;  // [m, K] places, the last one repeated; [m, K] bool; [m]
  uint32_t axis;
};
Windows windows_of(const Recipe& b, Value x, uint32_t axis) {
  const int64_t n = x.dim(axis), m = size_at(b, axis);
  const Value size = b.dim_scalar(n, TN_DTYPE_I64);
  const Value i = b.iota(Dims(1, m), 0, TN_DTYPE_I64);
  const auto parts = static_cast<double>(m);
  const Value start = i * size / parts, stop = ((i + 1) * size + (parts - 1)) / parts;
  const int64_t most = b.add(b.floordiv(b.add(n, m - 1), m), 1);
  const Value at = unsqueeze(start, 2u) + b.iota(Dims(1, most), 0, TN_DTYPE_I64);
  return {minimum(at, size - 1), lt(at, unsqueeze(stop, 2u)), stop - start, axis};
}
// v [m, K] beside what the windows hold, which has the rank `rank`.
Value beside(const Windows& w, Value v, uint32_t rank) {
  return unsqueeze(v, ((1u << rank) - 1) & ~(3u << w.axis));
}
Value held(const Windows& w, Value x, double otherwise) {
  const Value all = gather(x, w.at, w.axis);
  return where(beside(w, w.inside, all.rank()), all, otherwise);
}
// The cotangents of what the windows hold, each added to where it came from.
Value put_back(const Recipe& b, const Windows& w, Value g, const Dims& dims) {
  return scatter(b.fill(0, dims, g.dtype()), w.at, g, w.axis, "add");
}
uint32_t inner(const Windows& w) { return 2u << w.axis; }

// True if every output size divides its axis for certain.
bool divides(const Recipe& b) {
  const Value x = b.in(0);
  for (uint32_t a = 2; a < x.rank(); ++a)
    if (!b.same(b.mul(b.floordiv(x.dim(a), size_at(b, a)), size_at(b, a)), x.dim(a))) return false;
  return true;
}

// ---- average

// [N, C, h, H / h, w, W / w], and which of these axes are inside of the windows
Dims parts_of(const Recipe& b, uint32_t* inside) {
  Dims to;
  *inside = 0;
  for (uint32_t a = 0; a < b.in(0).rank(); ++a) {
    const int64_t size = b.in(0).dim(a);
    if (a >= 2) {
      to.push(size_at(b, a));
      *inside |= 1u << to.n;
    }
    to.push(a < 2 ? size : b.floordiv(size, size_at(b, a)));
  }
  return to;
}

void average_of_base(Recipe& b) {
  Value x = b.in(0);
  if (divides(b)) {
    uint32_t inside = 0;
    const Dims parts = parts_of(b, &inside);
    x = mean(reshape(x, parts), inside, false);
  } else {
    for (uint32_t a = 2; a < x.rank(); ++a) {
      const Windows w = windows_of(b, x, a);
      x = sum(held(w, x, 0), inner(w), false) / along(cast(w.count, x.dtype()), a, x.rank());
    }
  }
  b.set(0, x);
}

void d_average(Recipe& b) {
  const Value x = b.in(0);
  Value g = b.g();
  if (divides(b)) {
    uint32_t inside = 0;
    const Dims parts = parts_of(b, &inside);
    int64_t n = 1;
    for (const int64_t a : axes_list(inside)) n = b.mul(n, parts[static_cast<uint32_t>(a)]);
    g = unsqueeze(g / b.dim_scalar(n, g.dtype()), inside);
    return b.set(0, reshape_like(expand(g, parts), x));
  }
  for (uint32_t a = x.rank() - 1; a >= 2; --a) {
    const Windows w = windows_of(b, x, a);
    Dims dims = g.dims();
    dims[a] = x.dim(a);
    g = unsqueeze(g / along(cast(w.count, g.dtype()), a, g.rank()), inner(w));
    g = put_back(b, w, where(beside(w, w.inside, g.rank()), g, 0), dims);
  }
  b.set(0, g);
}

// ---- maximum

constexpr double kLeast = -std::numeric_limits<double>::infinity();

WindowSpec spec_of(const Recipe& b) {
  const uint32_t n = b.in(0).rank();
  Dims window(2, 1);
  for (uint32_t a = 2; a < n; ++a) window.push(b.floordiv(b.in(0).dim(a), size_at(b, a)));
  return {window, window, Dims(n, 0), Dims(n, 0), Dims(n, 1)};
}
bool are_plain_windows(const Recipe& b) { return concrete(b.in(0).dims()) && divides(b); }

void maximum_of_base(Recipe& b) {
  Value x = b.in(0);
  if (are_plain_windows(b)) return b.set(0, window_reduce(x, spec_of(b), "max"));
  for (uint32_t a = x.rank() - 1; a >= 2; --a) {
    const Windows w = windows_of(b, x, a);
    x = max(held(w, x, kLeast), inner(w), false);
  }
  b.set(0, x);
}

// To the first greatest element: the last axis comes first, so that ties are settled in the order
// of the elements.
void d_maximum(Recipe& b) {
  const Value x = b.in(0);
  if (are_plain_windows(b)) return b.set(0, window_scatter(x, b.g(), spec_of(b)));
  const uint32_t last = x.rank() - 1;
  Value step[TN_MAX_RANK] = {};  // what is reduced along axis a
  step[last] = x;
  for (uint32_t a = last; a > 2; --a) {
    const Windows w = windows_of(b, x, a);
    step[a - 1] = max(held(w, step[a], kLeast), inner(w), false);
  }
  Value g = b.g();
  for (uint32_t a = 2; a <= last; ++a) {
    const Windows w = windows_of(b, x, a);
    const Value all = held(w, step[a], kLeast);
    const Value first = {b.raw(), tn_b_argmax(b.raw(), all.v(), a + 1, 1)};
    const Value place = along(b.iota(Dims(1, all.dim(a + 1)), 0, TN_DTYPE_I64), a + 1, all.rank());
    g = put_back(b, w, where(eq(first, place), unsqueeze(g, inner(w)), 0), step[a].dims());
  }
  b.set(0, g);
}

}  // namespace

const OpRules rules_adaptive_avg_pool1d = {TN_OP_ADAPTIVE_AVG_POOL1D, rule<adaptive_rule<1>>,
                                           recipe<average_of_base>, recipe<d_average>, nullptr};
const OpRules rules_adaptive_avg_pool2d = {TN_OP_ADAPTIVE_AVG_POOL2D, rule<adaptive_rule<2>>,
                                           recipe<average_of_base>, recipe<d_average>, nullptr};
const OpRules rules_adaptive_avg_pool3d = {TN_OP_ADAPTIVE_AVG_POOL3D, rule<adaptive_rule<3>>,
                                           recipe<average_of_base>, recipe<d_average>, nullptr};
const OpRules rules_adaptive_max_pool1d = {TN_OP_ADAPTIVE_MAX_POOL1D, rule<adaptive_rule<1>>,
                                           recipe<maximum_of_base>, recipe<d_maximum>, nullptr};
const OpRules rules_adaptive_max_pool2d = {TN_OP_ADAPTIVE_MAX_POOL2D, rule<adaptive_rule<2>>,
                                           recipe<maximum_of_base>, recipe<d_maximum>, nullptr};
const OpRules rules_adaptive_max_pool3d = {TN_OP_ADAPTIVE_MAX_POOL3D, rule<adaptive_rule<3>>,
                                           recipe<maximum_of_base>, recipe<d_maximum>, nullptr};

}  // namespace tenon::ops
