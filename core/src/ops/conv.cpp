// conv: cross-correlation over any number of spatial axes. x [N, C, spatial...], w [O, C / groups,
// spatial...].
//
// Padding, and the gaps that lhs_dilation makes, are zeros: where they meet finite weights they add
// nothing. Where they meet an infinite weight or NaN it is up to the device whether they are
// multiplied, which gives NaN, or left out.
#include "conv.hpp"

namespace tenon::ops {

tn_error* conv_size(const Infer& c, const ConvSpec& s, uint32_t i, int64_t n, int64_t k,
                    int64_t* out) {
  if (k == 0) return c.error("the kernel has no elements along spatial axis {}", i);
  auto dilated = [&](int64_t d, int64_t by) {
    if (by == 1 || d == 0) return d;
    return c.plus(c.mul(concrete(d) ? d - 1 : c.sub(d, 1), by), 1);
  };
  const int64_t nd = dilated(n, s.lhs_dilation[i]), kd = dilated(k, s.rhs_dilation[i]);
  const int64_t padding = s.low[i] + s.high[i];
  if (concrete(kd)) {
    const int64_t last = c.plus(nd, padding - kd);
    if (last == INT64_MIN && n == 0) {
      *out = 0;
      return nullptr;
    }
    if (last == INT64_MIN)
      return c.error(
          "a kernel of {} elements (dilation {}) does not fit into spatial axis {}: {} elements, "
          "padding {} "
          "and {}",
          k, s.rhs_dilation[i], i, dim_text(n), s.low[i], s.high[i]);
    // With stride 1 in one step, so that a symbolic size that stays the same keeps its name.
    *out =
        s.stride[i] == 1 ? c.plus(nd, padding - kd + 1) : c.add(c.floordiv(last, s.stride[i]), 1);
    return nullptr;
  }
  *out = c.add(c.floordiv(c.sub(c.plus(nd, padding), kd), s.stride[i]), 1);
  return nullptr;
}

namespace {

// Channels of x [N, C, ...] and w [O, C / groups, ...] fit together.
tn_error* conv_channels(const Infer& c, uint32_t x, uint32_t w, int64_t groups) {
  const int64_t channels = c.dim(x, 1), outputs = c.dim(w, 0);
  if (concrete(outputs) && outputs % groups != 0)
    return c.error("groups is {}; it must divide the {} output channels of w, {}", groups, outputs,
                   c.text(w));
  if (!c.differ(c.mul(c.dim(w, 1), groups), channels)) return nullptr;
  return c.error(
      "channels differ: x is {}, w is {}, groups {}: w must be [O, C / groups, spatial...] with C "
      "= {}",
      c.text(x), c.text(w), groups, dim_text(channels));
}

}  // namespace

tn_error* conv_dims(const Infer& c, uint32_t x, uint32_t w, const ConvSpec& s, Dims* out) {
  TN_TRY(conv_channels(c, x, w, s.groups));
  Dims to;
  to.push(c.dim(x, 0));
  to.push(c.dim(w, 0));
  for (uint32_t i = 0; i + 2 < c.rank(x); ++i) {
    int64_t size = 0;
    TN_TRY(conv_size(c, s, i, c.dim(x, 2 + i), c.dim(w, 2 + i), &size));
    to.push(size);
  }
  *out = to;
  return c.check_count(to);
}

Dims list_or(std::span<const int64_t> values, uint32_t n, int64_t otherwise) {
  if (values.empty()) return Dims(n, otherwise);
  Dims out;
  for (const int64_t v : values) out.push(v);
  return out;
}

Value conv(Value x, Value w, const ConvSpec& s) {
  return {x.b(), tn_b_conv(x.b(), x.v(), w.v(), s.stride.d, s.stride.n, s.low.d, s.low.n, s.high.d,
                           s.high.n, s.lhs_dilation.d, s.lhs_dilation.n, s.rhs_dilation.d,
                           s.rhs_dilation.n, s.groups)};
}

namespace {

// Axes 0 and 1 exchanged.
Value swapped(Value x) {
  Dims perm;
  for (uint32_t a = 0; a < x.rank(); ++a) perm.push(a < 2 ? 1 - a : a);
  return transpose(x, perm);
}

// w [G * Og, Cg, k...] as [G * Cg, Og, k...].
Value exchange_channels(const Recipe& b, Value w, int64_t groups) {
  if (groups == 1) return swapped(w);
  const Dims from = w.dims();
  Dims split, perm, to;
  split.push(groups);
  split.push(b.raw()->v->dim_floordiv(b.raw(), from[0], groups));
  for (uint32_t a = 1; a < from.n; ++a) split.push(from[a]);
  for (uint32_t a = 0; a < split.n; ++a) perm.push(a == 1 ? 2 : a == 2 ? 1 : a);
  to.push(b.mul(groups, from[1]));
  to.push(split[1]);
  for (uint32_t a = 2; a < from.n; ++a) to.push(from[a]);
  return reshape(transpose(reshape(w, split), perm), to);
}

// x [N, G * Cg, ...] as [Cg, G * N, ...].
Value batch_as_channels(const Recipe& b, Value x, int64_t groups) {
  if (groups == 1) return swapped(x);
  const Dims from = x.dims();
  Dims split, perm, to;
  split.push(from[0]);
  split.push(groups);
  split.push(b.raw()->v->dim_floordiv(b.raw(), from[1], groups));
  for (uint32_t a = 2; a < from.n; ++a) split.push(from[a]);
  for (uint32_t a = 0; a < split.n; ++a) perm.push(a == 0 ? 2 : a == 2 ? 0 : a);
  to.push(split[2]);
  to.push(b.mul(groups, from[0]));
  for (uint32_t a = 2; a < from.n; ++a) to.push(from[a]);
  return reshape(transpose(reshape(x, split), perm), to);
}

void fail_symbolic(const Recipe& b) {
  b.fail(
      TN_UNIMPLEMENTED,
      "its gradient needs the sizes of the kernel, and of an axis with a stride, to be concrete");
}

}  // namespace

Value reversed_kernel(const Recipe& b, Value w, int64_t groups) {
  return flip(exchange_channels(b, w, groups), w.all_axes() & ~3u);
}

tn_error* check_conv_attrs(const Infer& c, const ConvKeys& k, uint32_t n) {
  TN_TRY(c.length(k.stride, "stride", n, false));
  TN_TRY(c.length(k.padding, "padding", n, false));
  TN_TRY(c.length(k.dilation, "dilation", n, false));
  TN_TRY(c.within(k.stride, "stride", 1, INT32_MAX));
  TN_TRY(c.within(k.padding, "padding", 0, INT32_MAX));
  TN_TRY(c.within(k.dilation, "dilation", 1, INT32_MAX));
  return c.within(k.groups, "groups", 1, INT32_MAX);
}

tn_error* conv_bias_dims(const Infer& c, const ConvKeys& k, uint32_t n, bool biased, tn_dtype* t,
                         Dims* to) {
  static constexpr const char* kKernels[] = {"[O, C / groups, K]", "[O, C / groups, KH, KW]",
                                             "[O, C / groups, KD, KH, KW]"};
  TN_TRY(c.require_rank(0, "x", 2 + n, kSpatialForms[n - 1]));
  TN_TRY(c.require_rank(1, "w", 2 + n, kKernels[n - 1]));
  if (biased) TN_TRY(c.require_rank(2, "bias", 1, "[O]"));
  TN_TRY(check_conv_attrs(c, k, n));
  TN_TRY(biased ? c.common({0, 1, 2}, kFloat, t) : c.common({0, 1}, kFloat, t));
  TN_TRY(conv_dims(c, 0, 1, conv_spec(c, k, n), to));
  if (biased && c.differ(c.dim(2, 0), (*to)[1]))
    return c.error("bias is {}; for w, {}, it must be [{}]", c.text(2), c.text(1),
                   dim_text((*to)[1]));
  return nullptr;
}

tn_error* conv_bias_rule(Infer& c, const ConvKeys& k, uint32_t n) {
  tn_dtype t = TN_DTYPE_NONE;
  Dims to;
  TN_TRY(conv_bias_dims(c, k, n, c.has(2), &t, &to));
  return c.out(0, t, to);
}

// Each cotangent, put apart by the stride, meets the reversed kernel. With kd = (k - 1) * rhs + 1
// the padding before is kd - 1 - low, and behind so much that the result has the (dilated) size of
// x, of which every lhs-th element is an element of x.
Value conv_input_grad(const Recipe& b, Value g, Value w, const Dims& sizes, const ConvSpec& s) {
  const uint32_t n = sizes.n;
  if (known_empty(sizes) || known_empty(g.dims())) {
    Dims to;
    to.push(g.dim(0));
    to.push(b.mul(w.dim(1), s.groups));
    for (const int64_t d : sizes) to.push(d);
    return b.fill(0, to, g.dtype());
  }
  ConvSpec t;
  t.groups = s.groups;
  t.stride = s.lhs_dilation;
  t.lhs_dilation = s.stride;
  t.rhs_dilation = s.rhs_dilation;
  for (uint32_t i = 0; i < n; ++i) {
    const int64_t k = w.dim(2 + i), m = g.dim(2 + i), size = sizes[i];
    if (!concrete(k) || (s.stride[i] != 1 && !(concrete(m) && concrete(size)))) {
      fail_symbolic(b);
      return {};
    }
    const int64_t reach = (k - 1) * s.rhs_dilation[i];
    t.low.push(reach - s.low[i]);
    if (s.stride[i] == 1) {
      t.high.push(reach - s.high[i]);
    } else {
      t.high.push((size - 1) * s.lhs_dilation[i] - (m - 1) * s.stride[i] + s.low[i]);
    }
  }
  return conv(g, reversed_kernel(b, w, s.groups), t);
}

// Every kernel element sees x through g as a kernel: batch and channels change places.
Value conv_weight_grad(const Recipe& b, Value g, Value x, const Dims& kernel, const ConvSpec& s) {
  if (known_empty(g.dims()) || known_empty(x.dims())) {
    Dims to;
    to.push(g.dim(1));
    to.push(b.raw()->v->dim_floordiv(b.raw(), x.dim(1), s.groups));
    for (const int64_t d : kernel) to.push(d);
    return b.fill(0, to, g.dtype());
  }
  ConvSpec t;
  t.groups = s.groups;
  t.stride = s.rhs_dilation;
  t.lhs_dilation = s.lhs_dilation;
  t.rhs_dilation = s.stride;
  t.low = s.low;
  for (uint32_t i = 0; i < kernel.n; ++i) {
    const int64_t k = kernel[i], m = g.dim(2 + i), size = x.dim(2 + i);
    if (s.stride[i] == 1) {
      t.high.push(s.high[i]);
    } else if (concrete(k) && concrete(m) && concrete(size)) {
      const int64_t dilated = (size - 1) * s.lhs_dilation[i] + 1;
      t.high.push((k - 1) * s.rhs_dilation[i] + (m - 1) * s.stride[i] + 1 - dilated - s.low[i]);
    } else {
      fail_symbolic(b);
      return {};
    }
  }
  return swapped(conv(batch_as_channels(b, x, s.groups), swapped(g), t));
}

namespace {

template <class Source>
ConvSpec spec_of(const Source& c, uint32_t n) {
  return {list_or(c.list(TN_CONV_STRIDE), n, 1),       list_or(c.list(TN_CONV_LOW), n, 0),
          list_or(c.list(TN_CONV_HIGH), n, 0),         list_or(c.list(TN_CONV_LHS_DILATION), n, 1),
          list_or(c.list(TN_CONV_RHS_DILATION), n, 1), c.i64(TN_CONV_GROUPS)};
}

tn_error* conv_rule(Infer& c) {
  const uint32_t rank = c.rank(0);
  if (rank < 3)
    return c.error("x is {}; it must have rank 3 or more: [N, C, spatial...]", c.text(0));
  TN_TRY(c.require_rank(1, "w", rank, "[O, C / groups, spatial...], the rank of x"));
  const uint32_t n = rank - 2;
  TN_TRY(c.length(TN_CONV_STRIDE, "stride", n, true));
  TN_TRY(c.length(TN_CONV_LOW, "low", n, true));
  TN_TRY(c.length(TN_CONV_HIGH, "high", n, true));
  TN_TRY(c.length(TN_CONV_LHS_DILATION, "lhs_dilation", n, true));
  TN_TRY(c.length(TN_CONV_RHS_DILATION, "rhs_dilation", n, true));
  TN_TRY(c.within(TN_CONV_STRIDE, "stride", 1, INT32_MAX));
  TN_TRY(c.within(TN_CONV_LOW, "low", -INT32_MAX, INT32_MAX));
  TN_TRY(c.within(TN_CONV_HIGH, "high", -INT32_MAX, INT32_MAX));
  TN_TRY(c.within(TN_CONV_LHS_DILATION, "lhs_dilation", 1, INT32_MAX));
  TN_TRY(c.within(TN_CONV_RHS_DILATION, "rhs_dilation", 1, INT32_MAX));
  TN_TRY(c.within(TN_CONV_GROUPS, "groups", 1, INT32_MAX));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kReal, &t));
  Dims to;
  TN_TRY(conv_dims(c, 0, 1, spec_of(c, n), &to));
  return c.out(0, t, to);
}

Dims spatial_dims(Value x) {
  Dims out;
  for (uint32_t a = 2; a < x.rank(); ++a) out.push(x.dim(a));
  return out;
}

void d_conv(Recipe& b) {
  const Value x = b.in(0), w = b.in(1), g = b.g();
  const ConvSpec s = spec_of(b, x.rank() - 2);
  if (b.wants(0)) b.set(0, conv_input_grad(b, g, w, spatial_dims(x), s));
  if (b.wants(1)) b.set(1, conv_weight_grad(b, g, x, spatial_dims(w), s));
}

}  // namespace

const OpRules rules_conv = {TN_OP_CONV, rule<conv_rule>, nullptr, recipe<d_conv>, nullptr};

}  // namespace tenon::ops
