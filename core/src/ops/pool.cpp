// Pooling over one to three spatial axes; the global forms take any number of them and keep them with
// size 1.
#include "window.hpp"

namespace tenon::ops {
namespace {

#define TN_SAME_KEYS(op)                                                                      \
  static_assert(TN_MAX_POOL2D_WINDOW == op##_WINDOW && TN_MAX_POOL2D_STRIDE == op##_STRIDE && \
                TN_MAX_POOL2D_PADDING == op##_PADDING)
TN_SAME_KEYS(TN_MAX_POOL1D);
TN_SAME_KEYS(TN_MAX_POOL3D);
TN_SAME_KEYS(TN_AVG_POOL1D);
TN_SAME_KEYS(TN_AVG_POOL2D);
TN_SAME_KEYS(TN_AVG_POOL3D);
#undef TN_SAME_KEYS
static_assert(TN_AVG_POOL1D_COUNT_PADDING == TN_AVG_POOL2D_COUNT_PADDING &&
              TN_AVG_POOL3D_COUNT_PADDING == TN_AVG_POOL2D_COUNT_PADDING);
constexpr uint32_t kWindow = TN_MAX_POOL2D_WINDOW, kStride = TN_MAX_POOL2D_STRIDE,
                   kPadding = TN_MAX_POOL2D_PADDING;

template <class Source>
WindowSpec spec_of(const Source& c) {
  const auto n = static_cast<uint32_t>(c.list(kWindow).size());
  WindowSpec s = {Dims(2, 1), Dims(2, 1), Dims(2, 0), Dims(2, 0), Dims(2 + n, 1)};
  for (uint32_t i = 0; i < n; ++i) {
    s.window.push(c.list(kWindow)[i]);
    s.stride.push(c.list(kStride).empty() ? c.list(kWindow)[i] : c.list(kStride)[i]);
    s.low.push(c.list(kPadding)[i]);
    s.high.push(c.list(kPadding)[i]);
  }
  return s;
}

template <uint32_t N>
tn_error* pool_rule(Infer& c) {
  TN_TRY(c.require_rank(0, "x", 2 + N, kSpatialForms[N - 1]));
  TN_TRY(c.length(kWindow, "window", N, false));
  TN_TRY(c.length(kStride, "stride", N, true));
  TN_TRY(c.length(kPadding, "padding", N, false));
  TN_TRY(c.within(kWindow, "window", 1, INT32_MAX));
  TN_TRY(c.within(kStride, "stride", 1, INT32_MAX));
  TN_TRY(c.within(kPadding, "padding", 0, INT32_MAX));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  const WindowSpec s = spec_of(c);
  for (uint32_t i = 0; i < N; ++i)
    if (c.list(kPadding)[i] >= c.list(kWindow)[i])
      return c.error(
          "padding {} must be smaller than the window {}: else a window sees nothing else",
          numbers_text(c.list(kPadding)), numbers_text(c.list(kWindow)));
  Dims to;
  TN_TRY(window_dims(c, s, c.dims(0), &to));
  return c.out(0, t, to);
}

void max_pool_of_base(Recipe& b) { b.set(0, window_reduce(b.in(0), spec_of(b), "max")); }
void d_max_pool(Recipe& b) { b.set(0, window_scatter(b.in(0), b.g(), spec_of(b))); }

// What each window sum is divided by: its size, or how many of its elements are no padding.
Value averaged(const Recipe& b, Value sums, const WindowSpec& s) {
  double size = 1;
  bool padded = false;
  Dims places(2, 1);
  for (uint32_t a = 2; a < s.window.n; ++a) {
    size *= static_cast<double>(s.window[a]);
    padded = padded || s.low[a] > 0;
    places.push(b.in(0).dim(a));
  }
  if (b.flag(TN_AVG_POOL2D_COUNT_PADDING) || !padded) return sums * (1 / size);
  return sums / window_reduce(b.fill(1, places, sums.dtype()), s, "sum");
}

void avg_pool_of_base(Recipe& b) {
  const WindowSpec s = spec_of(b);
  const Value x = b.in(0);
  b.set(0, averaged(b, window_reduce(x, s, "sum"), s));
}
void d_avg_pool(Recipe& b) {
  const WindowSpec s = spec_of(b);
  b.set(0, window_sum_grad(b, averaged(b, b.g(), s), b.in(0).dims(), s));
}

// ---- global pooling

tn_error* global_rule(Infer& c) {
  if (c.rank(0) < 3)
    return c.error("x is {}; it must have rank 3 or more: [N, C, spatial...]", c.text(0));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  Dims to;
  for (uint32_t a = 0; a < c.rank(0); ++a) to.push(a < 2 ? c.dim(0, a) : 1);
  return c.out(0, t, to);
}

uint32_t spatial(Value x) { return x.all_axes() & ~3u; }

void global_avg_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Dims axes = axes_list(spatial(x));
  b.set(0, {b.raw(), tn_b_mean(b.raw(), x.v(), axes.d, axes.n, 1)});
}
void d_global_avg(Recipe& b) {
  const Value x = b.in(0), g = b.g();
  b.set(0, broadcast_like(g / size_of(x, spatial(x)), x));
}

void global_max_of_base(Recipe& b) { b.set(0, max(b.in(0), spatial(b.in(0)), true)); }
// As of max: equal extrema share.
void d_global_max(Recipe& b) {
  const Value x = b.in(0), g = b.g();
  const Value hit = eq(x, b.out());
  const Value share = g / sum(cast(hit, g.dtype()), spatial(x), true);
  b.set(0, where(hit, share, 0));
}

}  // namespace

const OpRules rules_max_pool1d = {TN_OP_MAX_POOL1D, rule<pool_rule<1>>, recipe<max_pool_of_base>,
                                  recipe<d_max_pool>, nullptr};
const OpRules rules_avg_pool1d = {TN_OP_AVG_POOL1D, rule<pool_rule<1>>, recipe<avg_pool_of_base>,
                                  recipe<d_avg_pool>, nullptr};
const OpRules rules_max_pool3d = {TN_OP_MAX_POOL3D, rule<pool_rule<3>>, recipe<max_pool_of_base>,
                                  recipe<d_max_pool>, nullptr};
const OpRules rules_avg_pool3d = {TN_OP_AVG_POOL3D, rule<pool_rule<3>>, recipe<avg_pool_of_base>,
                                  recipe<d_avg_pool>, nullptr};
const OpRules rules_max_pool2d = {TN_OP_MAX_POOL2D, rule<pool_rule<2>>, recipe<max_pool_of_base>,
                                  recipe<d_max_pool>, nullptr};
const OpRules rules_avg_pool2d = {TN_OP_AVG_POOL2D, rule<pool_rule<2>>, recipe<avg_pool_of_base>,
                                  recipe<d_avg_pool>, nullptr};
const OpRules rules_global_avg_pool = {TN_OP_GLOBAL_AVG_POOL, rule<global_rule>,
                                       recipe<global_avg_of_base>, recipe<d_global_avg>, nullptr};
const OpRules rules_global_max_pool = {TN_OP_GLOBAL_MAX_POOL, rule<global_rule>,
                                       recipe<global_max_of_base>, recipe<d_global_max>, nullptr};

}  // namespace tenon::ops
