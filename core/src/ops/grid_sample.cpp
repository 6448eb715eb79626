// grid_sample: elements of x [N, C, spatial...] at the places that grid [N, out..., D] names, D the
// number of spatial axes, the last axis first; -1 and 1 are the ends of an axis. The places of x
// are the rows of a table, whose columns are the channels.
#include "cubic.hpp"
#include "infer.hpp"

namespace tenon::ops {
namespace {

constexpr double kCubicCoefficient = -0.75;

tn_error* grid_sample_rule(Infer& c) {
  const auto mode = c.string(TN_GRID_SAMPLE_MODE);
  TN_TRY(c.choice("mode", mode, {"bilinear", "nearest", "bicubic"}));
  TN_TRY(c.choice("padding", c.string(TN_GRID_SAMPLE_PADDING), {"zeros", "border", "reflection"}));
  const uint32_t n = c.rank(0);
  if (n != 4 && n != 5)
    return c.error("x is {}; it must be [N, C, H, W] or [N, C, D, H, W]", c.text(0));
  if (n == 5 && mode == "bicubic")
    return c.error("x is {}; bicubic is for [N, C, H, W]", c.text(0));
  TN_TRY(c.require_rank(1, "grid", n, "[N, out..., 2 or 3], the rank of x"));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat, &t));
  if (c.differ(c.dim(1, 0), c.dim(0, 0)) || c.differ(c.dim(1, n - 1), n - 2))
    return c.error("grid is {}; for x, {}, it must be [{}, out..., {}]", c.text(1), c.text(0),
                   dim_text(c.dim(0, 0)), n - 2);
  for (uint32_t a = 2; a < n; ++a)
    if (c.dim(0, a) == 0)
      return c.error("x is {}: it must have elements along axis {}", c.text(0), a);
  Dims to;
  to.push(c.dim(0, 0));
  to.push(c.dim(0, 1));
  for (uint32_t a = 1; a + 1 < n; ++a) to.push(c.dim(1, a));
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

constexpr uint32_t kMostAxes = 3, kMostTaps = 4, kMostCorners = 16;

// One element that is read along an axis, for each place [N, out...]: where, whether it is there
// (only with zeros around), its weight, and the weight differentiated by the coordinate.
struct Tap {
  Value at, there, weight, slope;
};
struct Axis {
  Tap taps[kMostTaps];
  uint32_t n = 0;
  Value steps;  // the coordinate differentiated by the grid; 0 where padding holds it
};

enum class Padding : uint8_t { zeros, border, reflection };
Padding padding_of(const Recipe& b) {
  const auto name = b.string(TN_GRID_SAMPLE_PADDING);
  return name == "zeros"    ? Padding::zeros
         : name == "border" ? Padding::border
                            : Padding::reflection;
}

// A coordinate put inside of 0 .. top; `slope`, where it is wanted, is multiplied by what that does.
struct Inside {
  const Recipe& b;
  Value top, size;  // n - 1, n
  Value operator()(Value c, Value* slope) const {
    if (padding_of(b) == Padding::zeros) return c;
    if (padding_of(b) == Padding::reflection) {
      const bool corners = b.flag(TN_GRID_SAMPLE_ALIGN_CORNERS);
      const double low = corners ? 0 : -0.5;
      const Value span = corners ? maximum(top, 1) : size;
      const Value from = abs(c - low), around = rem(from, 2 * span) - span;
      if (slope) *slope = -(*slope * sign(c - low) * sign(around));
      c = (span + low) - abs(around);
    }
    // Beyond the top both taps are the last element: nothing changes there.
    if (slope) *slope = where(gt(c, 0), *slope, 0);
    return maximum(minimum(c, top), 0);
  }
};

// Component `k` of the grid, for the axis of x with n elements.
Axis axis_of_grid(const Recipe& b, Value grid, uint32_t k, int64_t n) {
  const tn_dtype t = grid.dtype();
  const uint32_t last = grid.rank() - 1;
  Dims starts(last + 1, 0), stops(last + 1, kToEnd);
  starts[last] = k;
  stops[last] = k + 1;
  const Value g = squeeze(slice(grid, starts, stops, Dims(last + 1, 1)), 1u << last);
  const Value size = b.dim_scalar(n, t), top = size - 1;
  const bool corners = b.flag(TN_GRID_SAMPLE_ALIGN_CORNERS);
  const Value half = (corners ? top : size) * 0.5;
  const auto mode = b.string(TN_GRID_SAMPLE_MODE);
  const Inside inside{b, top, size};

  Axis out;
  out.steps = broadcast_like(half, g);
  Value c = (g + 1) * half;
  if (!corners) c = c - 0.5;
  if (mode != "bicubic") c = inside(c, &out.steps);
  const auto add = [&](Value at, Value weight, Value slope) {
    Value there;
    if (padding_of(b) == Padding::zeros)
      there = {b.raw(), tn_b_and(b.raw(), ge(at, 0).v(), le(at, top).v())};
    if (mode == "bicubic") at = inside(at, nullptr);
    const Value place = cast(at, TN_DTYPE_I64);
    const Value end = b.dim_scalar(n, TN_DTYPE_I64) - 1;
    out.taps[out.n++] = {minimum(maximum(place, 0), end), there, weight, slope};
  };
  if (mode == "nearest") {
    add(round(c), {}, {});
    return out;
  }
  const Value low = floor(c), f = c - low;
  if (mode == "bilinear") {
    add(low, 1 - f, full_like(f, -1));
    add(low + 1, f, full_like(f, 1));
    return out;
  }
  for (uint32_t i = 0; i < 4; ++i)
    add(i == 1 ? low : low + (i - 1.0), cubic_weight(f, i, kCubicCoefficient),
        cubic_slope(f, i, kCubicCoefficient));
  return out;
}

// The axes of a tensor with axis 1 put last, or back.
Value channels_last(Value x) {
  Dims perm;
  for (uint32_t a = 0; a < x.rank(); ++a) perm.push(a == 0 ? 0 : a + 1 < x.rank() ? a + 1 : 1);
  return transpose(x, perm);
}
Value channels_second(Value x) {
  Dims perm;
  for (uint32_t a = 0; a < x.rank(); ++a) perm.push(a == 0 ? 0 : a == 1 ? x.rank() - 1 : a - 1);
  return transpose(x, perm);
}

// A combination of taps, one of each axis: `row` [N, out...] of the table.
struct Corner {
  const Tap* taps[kMostAxes];
  Value row;
};

struct Sampler {
  const Recipe& b;
  Dims dims;         // [N, spatial..., C]
  int64_t rows = 1;  // of the table, without one of zeros
  bool zeros;        // the table has a row of zeros behind the others
  uint32_t n_axes, n_corners = 1;
  Axis axes[kMostAxes];  // of the spatial axes
  Corner corners[kMostCorners];

  Sampler(const Recipe& recipe, Value x, Value grid) : b(recipe) {
    const uint32_t n = x.rank();
    dims = channels_last(x).dims();
    rows = b.product({dims.d, n - 1});
    zeros = padding_of(b) == Padding::zeros;
    n_axes = n - 2;
    const Value batch = along(b.iota(Dims(1, x.dim(0)), 0, TN_DTYPE_I64), 0, n - 1);
    for (uint32_t a = 0; a < n_axes; ++a) {
      axes[a] = axis_of_grid(b, grid, n_axes - 1 - a, x.dim(2 + a));
      n_corners *= axes[a].n;
    }
    for (uint32_t i = 0; i < n_corners; ++i) find(i, batch);
  }

  void find(uint32_t i, Value batch) {
    Corner& corner = corners[i];
    Value row = batch, there;
    uint32_t rest = i;
    for (uint32_t a = 0; a < n_axes; rest /= axes[a++].n) {
      const Tap& tap = axes[a].taps[rest % axes[a].n];
      corner.taps[a] = &tap;
      row = row * b.dim_scalar(dims[1 + a], TN_DTYPE_I64) + tap.at;
      if (zeros)
        there = there ? Value{b.raw(), tn_b_and(b.raw(), there.v(), tap.there.v())} : tap.there;
    }
    corner.row = zeros ? where(there, row, b.dim_scalar(rows, TN_DTYPE_I64)) : row;
  }

  std::span<const Corner> all() const { return {corners, n_corners}; }

  Dims table_dims() const {
    Dims out(1, b.add(rows, zeros ? 1 : 0));
    out.push(dims[dims.n - 1]);
    return out;
  }
  // `more` rows of zeros behind the table, or less.
  Value with_zeros(Value table, int64_t more) const {
    if (!zeros) return table;
    Dims high(2, 0);
    high[0] = more;
    return pad(table, Dims(2, 0), high, Dims(2, 0));
  }
  Value table_of(Value x) const {
    Dims to(1, rows);
    to.push(dims[dims.n - 1]);
    return with_zeros(reshape(channels_last(x), to), 1);
  }
  Value from_table(Value table) const {
    return channels_second(reshape(with_zeros(table, -1), dims));
  }

  // The product of the weights, that of axis `by` differentiated. None: 1.
  Value weight(const Corner& corner, uint32_t by = kMostAxes) const {
    Value out;
    for (uint32_t a = 0; a < n_axes && a < kMostAxes; ++a) {
      const Value w = a == by ? corner.taps[a]->slope : corner.taps[a]->weight;
      if (w) out = out ? out * w : w;
    }
    return out;
  }
};

// v [N, out...] beside [N, out..., C].
Value of_place(Value v) { return unsqueeze(v, 1u << v.rank()); }

void grid_sample_of_base(Recipe& b) {
  const Value x = wide(b.in(0));
  const Sampler s(b, x, wide(b.in(1)));
  const Value table = s.table_of(x);
  Value sum;
  for (const Corner& corner : s.all()) {
    Value part = gather(table, corner.row, 0);
    if (const Value w = s.weight(corner)) part = part * of_place(w);
    sum = sum ? sum + part : part;
  }
  b.set(0, cast(channels_second(sum), b.in(0).dtype()));
}

void d_grid_sample(Recipe& b) {
  const Value x = wide(b.in(0)), g = channels_last(wide(b.g()));
  const Sampler s(b, x, wide(b.in(1)));
  if (b.wants(0)) {
    Value total = b.fill(0, s.table_dims(), g.dtype());
    for (const Corner& corner : s.all()) {
      const Value w = s.weight(corner);
      total = scatter(total, corner.row, w ? g * of_place(w) : g, 0, "add");
    }
    b.set(0, s.from_table(total));
  }
  if (!b.wants(1)) return;
  if (b.string(TN_GRID_SAMPLE_MODE) == "nearest") return b.set_zero(1);
  const Value table = s.table_of(x);
  Value by[kMostAxes];
  for (const Corner& corner : s.all()) {
    const Value each = sum(gather(table, corner.row, 0) * g, 1u << (g.rank() - 1), false);
    for (uint32_t a = 0; a < s.n_axes; ++a) {
      const Value part = each * s.weight(corner, a);
      by[a] = by[a] ? by[a] + part : part;
    }
  }
  tn_value components[kMostAxes];
  for (uint32_t a = 0; a < s.n_axes; ++a)
    components[s.n_axes - 1 - a] = of_place(by[a] * s.axes[a].steps).v();
  b.set(1, {b.raw(), tn_b_concat(b.raw(), components, s.n_axes, -1)});
}

}  // namespace

const OpRules rules_grid_sample = {TN_OP_GRID_SAMPLE, rule<grid_sample_rule>,
                                   recipe<grid_sample_of_base>, recipe<d_grid_sample>, nullptr};

}  // namespace tenon::ops
