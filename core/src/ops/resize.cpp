// resize: axis by axis, each element a weighted sum of a few elements of the line it lies on. The
// coordinates are computed in whole numbers, as fractions, so that no size is too great and none
// need be known.
#include <cmath>

#include "cubic.hpp"
#include "infer.hpp"

namespace tenon::ops {
namespace {

// A scale as the fraction of small terms that is within 2^-24 of it: what it was before it was
// rounded to f32. By continued fractions.
struct Ratio {
  int64_t p, q;
};
constexpr double kLeastScale = 0x1p-20, kGreatestScale = 0x1p20;
Ratio ratio_of(double scale) {
  Ratio r = {1, 0}, before = {0, 1};
  double rest = scale;
  for (;;) {
    const double whole = std::floor(rest);
    const auto n = static_cast<int64_t>(whole);
    const Ratio next = {n * r.p + before.p, n * r.q + before.q};
    before = r;
    r = next;
    const double error = static_cast<double>(r.p) - scale * static_cast<double>(r.q);
    if (std::fabs(error) <= scale * static_cast<double>(r.q) * 0x1p-24) return r;
    rest = 1 / (rest - whole);
  }
}

tn_error* check_options(const Infer& c) {
  TN_TRY(c.choice("mode", c.string(TN_RESIZE_MODE), {"nearest", "linear", "cubic"}));
  TN_TRY(c.choice(
      "coordinates", c.string(TN_RESIZE_COORDINATES),
      {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"}));
  TN_TRY(c.choice("nearest", c.string(TN_RESIZE_NEAREST),
                  {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}));
  return c.finite(TN_RESIZE_CUBIC_COEFFICIENT, "cubic_coefficient");
}

// floor(size * scale) for each axis.
tn_error* scaled_dims(const Infer& c, Dims* out) {
  const auto scales = c.numbers(TN_RESIZE_SCALES);
  if (scales.size() != c.rank(0))
    return c.error("scales has {} entries; x is {}: it must have one for each axis", scales.size(),
                   c.text(0));
  for (uint32_t a = 0; a < c.rank(0); ++a) {
    if (!(scales[a] >= kLeastScale && scales[a] <= kGreatestScale))
      return c.error("the scale of axis {} is {}; it must be {} to {}", a, scales[a], kLeastScale,
                     kGreatestScale);
    const Ratio r = ratio_of(scales[a]);
    out->push(r.p == r.q ? c.dim(0, a) : c.floordiv(c.mul(c.dim(0, a), r.p), r.q));
  }
  return nullptr;
}

tn_error* resize_rule(Infer& c) {
  TN_TRY(check_options(c));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", c.string(TN_RESIZE_MODE) == "nearest" ? kComputable : kFloat, &t));
  Dims to;
  const bool by_dims = !c.list(TN_RESIZE_DIMS).empty();
  if (by_dims && !c.numbers(TN_RESIZE_SCALES).empty())
    return c.error("both dims and scales are given; give one of them");
  if (by_dims) {
    TN_TRY(c.length(TN_RESIZE_DIMS, "dims", c.rank(0), false));
    TN_TRY(c.dims_attr(TN_RESIZE_DIMS, &to));
  } else {
    TN_TRY(scaled_dims(c, &to));
  }
  for (uint32_t a = 0; a < to.n; ++a)
    if (c.dim(0, a) == 0 && to[a] != 0)
      return c.error("x is {}: there are no elements along axis {} to make {} of", c.text(0), a,
                     dim_text(to[a]));
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

// One axis: n elements become m, by p / q = m / n or what the scale says.
struct Line {
  int64_t n, m, p, q;
  bool scaled;
};

// x - y, 0 or more where they are known.
Value difference(const Recipe& b, int64_t x, int64_t y) {
  if (concrete(x) && concrete(y) && x >= y) return b.dim_scalar(x - y, TN_DTYPE_I64);
  return b.dim_scalar(x, TN_DTYPE_I64) - b.dim_scalar(y, TN_DTYPE_I64);
}

// The coordinates [m] on the line of n elements, above -1, as fractions; den > 0 is a scalar.
struct Coordinates {
  Value num, den;
};
Coordinates coordinates_of(const Recipe& b, const Line& l) {
  const auto how = b.string(TN_RESIZE_COORDINATES);
  const auto scalar = [&](int64_t v) { return b.dim_scalar(v, TN_DTYPE_I64); };
  const Value i = b.iota(Dims(1, l.m), 0, TN_DTYPE_I64);
  if (how == "asymmetric") return {i * scalar(l.q), scalar(l.p)};
  if (how == "align_corners") {
    // i (n - 1) / (w - 1) for the width w, n p / q with scales.
    const int64_t unit = l.scaled ? l.q : 1, width = l.scaled ? b.mul(l.n, l.p) : l.m;
    return {i * difference(b, b.mul(l.n, unit), unit), maximum(difference(b, width, unit), 1)};
  }
  // ((2 i + 1) q - p) / 2p; symmetric: moved by half of what flooring took away, (n p - m q) / 2p.
  const Coordinates half = {i * scalar(b.mul(2, l.q)) + difference(b, l.q, l.p),
                            scalar(b.mul(2, l.p))};
  if (how == "half_pixel_symmetric" && l.scaled)
    return {half.num + difference(b, b.mul(l.n, l.p), b.mul(l.m, l.q)), half.den};
  if (how == "pytorch_half_pixel") return {half.num * minimum(difference(b, l.m, 1), 1), half.den};
  return half;
}

// What an element of the line takes: the elements at `at` [m], times `weight` [m].
struct Tap {
  Value at, weight;
};
struct Taps {
  Tap tap[4];
  uint32_t n = 0;
};

Value nearest_of(const Recipe& b, const Coordinates& x) {
  const auto how = b.string(TN_RESIZE_NEAREST);
  if (how == "floor") return maximum(x.num, 0) / x.den;
  if (how == "ceil") return (x.num + (x.den - 1)) / x.den;
  const Value up = 2 * x.num + x.den;
  return (how == "round_prefer_ceil" ? up : up - 1) / (2 * x.den);
}

Taps taps_of(const Recipe& b, const Line& l, tn_dtype t) {
  const auto mode = b.string(TN_RESIZE_MODE);
  const Coordinates x = coordinates_of(b, l);
  const Value top = difference(b, l.n, 1);
  Taps out;
  if (mode == "nearest") {
    out.tap[out.n++] = {minimum(nearest_of(b, x), top), {}};
    return out;
  }
  if (mode == "linear") {
    const Value num = maximum(x.num, 0), low = minimum(num / x.den, top);
    const Value f = cast(rem(num, x.den), t) / cast(x.den, t);
    out.tap[out.n++] = {low, 1 - f};
    out.tap[out.n++] = {minimum(low + 1, top), f};
    return out;
  }
  const Value above = x.num + x.den;  // one to the right, so that it is not negative
  const Value low = above / x.den - 1;
  const Value f = cast(rem(above, x.den), t) / cast(x.den, t);
  const bool outside = !b.flag(TN_RESIZE_EXCLUDE_OUTSIDE);
  Value total;
  for (uint32_t k = 0; k < 4; ++k) {
    const Value at = k == 1 ? low : low + (k - 1.0);
    Value weight = cubic_weight(f, k, b.f64(TN_RESIZE_CUBIC_COEFFICIENT));
    if (!outside) weight = where(lt(at, 0), 0, where(gt(at, top), 0, weight));
    total = k == 0 ? weight : total + weight;
    out.tap[out.n++] = {minimum(maximum(at, 0), top), weight};
  }
  for (Tap& tap : out.tap)
    if (!outside) tap.weight = tap.weight / total;
  return out;
}

// Calls step(axis, line) for each axis that changes.
template <class Step>
void for_each_line(const Recipe& b, const Step& step) {
  const auto dims = b.list(TN_RESIZE_DIMS);
  const auto scales = b.numbers(TN_RESIZE_SCALES);
  for (uint32_t a = 0; a < b.in(0).rank(); ++a) {
    const int64_t n = b.in(0).dim(a);
    if (dims.empty()) {
      const Ratio r = ratio_of(scales[a]);
      if (r.p != r.q) step(a, Line{n, b.floordiv(b.mul(n, r.p), r.q), r.p, r.q, true});
    } else if (!b.same(n, dims[a])) {
      step(a, Line{n, dims[a], dims[a], n, false});
    }
  }
}

void resize_of_base(Recipe& b) {
  const bool nearest = b.string(TN_RESIZE_MODE) == "nearest";
  Value x = nearest ? b.in(0) : wide(b.in(0));
  for_each_line(b, [&](uint32_t axis, const Line& l) {
    const Taps taps = taps_of(b, l, x.dtype());
    Value sum;
    for (uint32_t k = 0; k < taps.n; ++k) {
      Value part = gather(x, taps.tap[k].at, axis);
      if (!nearest) part = part * along(taps.tap[k].weight, axis, x.rank());
      sum = k == 0 ? part : sum + part;
    }
    x = sum;
  });
  b.set(0, cast(x, b.in(0).dtype()));
}

// The transposed map: each cotangent goes where its element came from.
void d_resize(Recipe& b) {
  Value g = wide(b.g());
  for_each_line(b, [&](uint32_t axis, const Line& l) {
    const Taps taps = taps_of(b, l, g.dtype());
    Dims dims = g.dims();
    dims[axis] = l.n;
    Value sum = b.fill(0, dims, g.dtype());
    for (uint32_t k = 0; k < taps.n; ++k) {
      const Value weight = taps.tap[k].weight;
      sum =
          scatter(sum, taps.tap[k].at, weight ? g * along(weight, axis, g.rank()) : g, axis, "add");
    }
    g = sum;
  });
  b.set(0, g);
}

}  // namespace

const OpRules rules_resize = {TN_OP_RESIZE, rule<resize_rule>, recipe<resize_of_base>,
                              recipe<d_resize>, nullptr};

}  // namespace tenon::ops
