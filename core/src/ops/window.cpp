// window_reduce and window_scatter (the gradient of its mode 'max').
#include "window.hpp"

#include <limits>

namespace tenon::ops {

tn_error* window_dims(const Infer& c, const WindowSpec& s, const Dims& dims, Dims* out) {
  Dims to;
  for (uint32_t a = 0; a < dims.n; ++a) {
    const int64_t reach = (s.window[a] - 1) * s.dilation[a], padding = s.low[a] + s.high[a];
    const int64_t last = c.plus(dims[a], padding - reach - 1);
    if (last == INT64_MIN && dims[a] != 0)
      return c.error(
          "a window of {} elements (dilation {}) does not fit into axis {}: {} elements, padding "
          "{} and {}",
          s.window[a], s.dilation[a], a, dim_text(dims[a]), s.low[a], s.high[a]);
    if (last == INT64_MIN) {
      to.push(0);
    } else {
      to.push(s.stride[a] == 1 ? c.plus(dims[a], padding - reach)
                               : c.add(c.floordiv(last, s.stride[a]), 1));
    }
  }
  *out = to;
  return c.check_count(to);
}

Value window_reduce(Value x, const WindowSpec& s, const char* mode) {
  return {x.b(), tn_b_window_reduce(x.b(), x.v(), s.window.d, s.window.n, s.stride.d, s.stride.n,
                                    s.low.d, s.low.n, s.high.d, s.high.n, s.dilation.d,
                                    s.dilation.n, tn_string(mode))};
}

Value window_scatter(Value x, Value g, const WindowSpec& s) {
  return {x.b(),
          tn_b_window_scatter(x.b(), x.v(), g.v(), s.window.d, s.window.n, s.stride.d, s.stride.n,
                              s.low.d, s.low.n, s.high.d, s.high.n, s.dilation.d, s.dilation.n)};
}

// Each cotangent is put apart by the stride and summed by the same windows with stride 1: element i
// of x lies in those windows that begin at most (window - 1) * dilation before it.
Value window_sum_grad(const Recipe& b, Value g, const Dims& dims, const WindowSpec& s) {
  Dims low, high, between;
  for (uint32_t a = 0; a < dims.n; ++a) {
    const int64_t reach = (s.window[a] - 1) * s.dilation[a], m = g.dim(a);
    low.push(reach - s.low[a]);
    between.push(s.stride[a] - 1);
    if (concrete(m) && concrete(dims[a])) {
      const int64_t apart = m == 0 ? 0 : (m - 1) * s.stride[a] + 1;
      high.push(dims[a] - apart + s.low[a]);
    } else if (s.stride[a] == 1) {
      high.push(reach - s.high[a]);
    } else {
      b.fail(TN_UNIMPLEMENTED,
             "its gradient needs the size of an axis with a stride to be concrete");
      return {};
    }
  }
  const uint32_t n = dims.n;
  const WindowSpec all = {s.window, Dims(n, 1), Dims(n, 0), Dims(n, 0), s.dilation};
  return window_reduce(pad(g, low, high, between), all, "sum");
}

namespace {

static_assert(TN_WINDOW_REDUCE_WINDOW == TN_WINDOW_SCATTER_WINDOW &&
              TN_WINDOW_REDUCE_STRIDE == TN_WINDOW_SCATTER_STRIDE &&
              TN_WINDOW_REDUCE_LOW == TN_WINDOW_SCATTER_LOW &&
              TN_WINDOW_REDUCE_HIGH == TN_WINDOW_SCATTER_HIGH &&
              TN_WINDOW_REDUCE_DILATION == TN_WINDOW_SCATTER_DILATION);

template <class Source>
WindowSpec spec_of(const Source& c, uint32_t n) {
  auto list = [&](uint32_t key, int64_t otherwise) {
    if (c.list(key).empty()) return Dims(n, otherwise);
    Dims out;
    for (const int64_t v : c.list(key)) out.push(v);
    return out;
  };
  return {list(TN_WINDOW_REDUCE_WINDOW, 1), list(TN_WINDOW_REDUCE_STRIDE, 1),
          list(TN_WINDOW_REDUCE_LOW, 0), list(TN_WINDOW_REDUCE_HIGH, 0),
          list(TN_WINDOW_REDUCE_DILATION, 1)};
}

tn_error* windowed_dims(const Infer& c, Dims* out) {
  const uint32_t n = c.rank(0);
  TN_TRY(c.length(TN_WINDOW_REDUCE_WINDOW, "window", n, false));
  TN_TRY(c.length(TN_WINDOW_REDUCE_STRIDE, "stride", n, true));
  TN_TRY(c.length(TN_WINDOW_REDUCE_LOW, "low", n, true));
  TN_TRY(c.length(TN_WINDOW_REDUCE_HIGH, "high", n, true));
  TN_TRY(c.length(TN_WINDOW_REDUCE_DILATION, "dilation", n, true));
  TN_TRY(c.within(TN_WINDOW_REDUCE_WINDOW, "window", 1, INT32_MAX));
  TN_TRY(c.within(TN_WINDOW_REDUCE_STRIDE, "stride", 1, INT32_MAX));
  TN_TRY(c.within(TN_WINDOW_REDUCE_LOW, "low", 0, INT32_MAX));
  TN_TRY(c.within(TN_WINDOW_REDUCE_HIGH, "high", 0, INT32_MAX));
  TN_TRY(c.within(TN_WINDOW_REDUCE_DILATION, "dilation", 1, INT32_MAX));
  return window_dims(c, spec_of(c, n), c.dims(0), out);
}

// ---- window_reduce

tn_error* window_reduce_rule(Infer& c) {
  TN_TRY(c.choice("mode", c.string(TN_WINDOW_REDUCE_MODE), {"max", "sum", "min"}));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kReal, &t));
  Dims to;
  TN_TRY(windowed_dims(c, &to));
  return c.out(0, t, to);
}

void d_window_reduce(Recipe& b) {
  const Value x = b.in(0), g = b.g();
  const WindowSpec s = spec_of(b, x.rank());
  const auto mode = b.string(TN_WINDOW_REDUCE_MODE);
  b.set(0, mode == "sum"   ? window_sum_grad(b, g, x.dims(), s)
           : mode == "max" ? window_scatter(x, g, s)
                           : window_scatter(-x, g, s));
}

// ---- window_scatter

tn_error* window_scatter_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kReal, &t));
  c.cast(1, t);
  Dims windows;
  TN_TRY(windowed_dims(c, &windows));
  bool fits = c.rank(1) == windows.n;
  for (uint32_t a = 0; fits && a < windows.n; ++a) fits = !c.differ(c.dim(1, a), windows[a]);
  if (!fits)
    return c.error("g is {}; for the windows of x, {}, it must have dims {}", c.text(1), c.text(0),
                   dims_text(windows.span()));
  return c.out(0, t, c.dims(0));
}

// The elements of padded x that stand at place `at` of each window.
Value places(Value x, const WindowSpec& s, const Dims& at, const Dims& windows) {
  Dims stops;
  Dims starts;
  for (uint32_t a = 0; a < windows.n; ++a) {
    starts.push(at[a] * s.dilation[a]);
    stops.push(s.window[a] == 1 && s.stride[a] == 1
                   ? kToEnd
                   : starts[a] + (windows[a] - 1) * s.stride[a] + 1);
  }
  return slice(x, starts, stops, s.stride);
}

constexpr int64_t kMaxPlaces = 1024;

// For g: the elements of the cotangent at the place of the first maximum of each window of x, found
// place by place. What x is does not matter nearby: no gradient.
void d_window_scatter(Recipe& b) {
  if (b.wants(0)) b.set_zero(0);
  if (!b.wants(1)) return;
  const Value x = b.in(0), cotangent = b.g();
  const Dims windows = b.in(1).dims();
  const WindowSpec s = spec_of(b, x.rank());
  int64_t count = 1;
  for (uint32_t a = 0; a < windows.n; ++a) {
    count = count > kMaxPlaces ? count : count * s.window[a];
    if (!concrete(windows[a]) && !(s.window[a] == 1 && s.stride[a] == 1))
      return b.fail(TN_UNIMPLEMENTED,
                    "its gradient needs the sizes of windowed axes to be concrete");
    if (windows[a] == 0) return b.set(1, full_like(b.in(1), 0));
  }
  if (count > kMaxPlaces)
    return b.fail(TN_UNIMPLEMENTED,
                  "its gradient is not made for windows of more than 1024 elements");
  const Dims none(windows.n, 0);
  const double least = kind_of(x.dtype()) == kFloat ? -std::numeric_limits<double>::infinity() : 0;
  const Value xs = pad(x, s.low, s.high, none, least), cs = pad(cotangent, s.low, s.high, none);
  Dims at(windows.n, 0);
  Value best = places(xs, s, at, windows), chosen = places(cs, s, at, windows);
  for (int64_t i = 1; i < count; ++i) {
    for (uint32_t a = windows.n; a-- > 0;) {
      if (++at[a] < s.window[a]) break;
      at[a] = 0;
    }
    const Value other = places(xs, s, at, windows), better = gt(other, best);
    chosen = where(better, places(cs, s, at, windows), chosen);
    best = where(better, other, best);
  }
  b.set(1, chosen);
}

}  // namespace

const OpRules rules_window_reduce = {TN_OP_WINDOW_REDUCE, rule<window_reduce_rule>, nullptr,
                                     recipe<d_window_reduce>, nullptr};
const OpRules rules_window_scatter = {TN_OP_WINDOW_SCATTER, rule<window_scatter_rule>, nullptr,
                                      recipe<d_window_scatter>, nullptr};

}  // namespace tenon::ops
