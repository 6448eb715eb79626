// scaled_dot_product_attention, its gradient as an op of its own so that a backend can have a kernel
// for it, and rotary_embedding. f16 and bf16 are computed in f32.
#include <cmath>
#include <limits>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// Input i broadcasts to `dims` without stretching them.
bool broadcasts_to(const Infer& c, uint32_t i, const Dims& dims) {
  if (c.rank(i) > dims.n) return false;
  for (uint32_t a = 0; a < c.rank(i); ++a) {
    const int64_t wanted = dims[a + dims.n - c.rank(i)];
    const int64_t both = c.broadcast_dim(c.dim(i, a), wanted);
    if (both == -1 || c.differ(both, wanted)) return false;
  }
  return true;
}

// ---- scaled_dot_product_attention: y = softmax(q k^T * scale + mask) v, per head

static_assert(TN_SCALED_DOT_PRODUCT_ATTENTION_GRAD_CAUSAL ==
                  TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL &&
              TN_SCALED_DOT_PRODUCT_ATTENTION_GRAD_SCALE == TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE);

// q, k and v are the inputs from `q` on.
tn_error* check_heads(const Infer& c, uint32_t q) {
  const uint32_t k = q + 1, v = q + 2, n = c.rank(q);
  if (n < 3) return c.error("q is {}; it must have rank 3 or more: [..., heads, S, d]", c.text(q));
  TN_TRY(c.require_rank(k, "k", n, "[..., heads, T, d], the rank of q"));
  TN_TRY(c.require_rank(v, "v", n, "[..., heads, T, e], the rank of q"));
  bool fits = !c.differ(c.dim(k, n - 2), c.dim(v, n - 2)) &&
              !c.differ(c.dim(k, n - 3), c.dim(v, n - 3)) &&
              !c.differ(c.dim(q, n - 1), c.dim(k, n - 1));
  for (uint32_t a = 0; fits && a + 3 < n; ++a)
    fits = !c.differ(c.dim(q, a), c.dim(k, a)) && !c.differ(c.dim(q, a), c.dim(v, a));
  if (!fits)
    return c.error(
        "q is {}, k is {} and v is {}: q is [..., heads, S, d], k [..., heads, T, d] and v [..., "
        "heads, T, e]",
        c.text(q), c.text(k), c.text(v));
  const int64_t heads = c.dim(q, n - 3), shared = c.dim(k, n - 3);
  if (c.same(heads, shared)) return nullptr;
  if (shared == 0 || c.differ(c.mul(c.floordiv(heads, shared), shared), heads))
    return c.error("q is {} and k is {}: the heads of k must divide those of q", c.text(q),
                   c.text(k));
  return nullptr;
}

// What follows q, k and v, and the attributes; *out_dims: those of y.
tn_error* check_attention(const Infer& c, uint32_t q, tn_dtype t, Dims* out_dims) {
  TN_TRY(check_heads(c, q));
  const uint32_t n = c.rank(q), mask = q + 3;
  if (c.dim(q, n - 1) == 0) return c.error("q is {}: its vectors have no elements", c.text(q));
  TN_TRY(c.finite(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, "scale"));
  Dims dims = c.dims(q);
  if (c.has(mask)) {
    TN_TRY(c.require_kind(mask, "mask", kBool | kFloat));
    c.cast(mask, kind_of(c.dtype(mask)) == kBool ? TN_DTYPE_BOOL : t);
    dims[n - 1] = c.dim(q + 1, n - 2);
    if (!broadcasts_to(c, mask, dims))
      return c.error("mask is {}; it must broadcast to dims {}: [..., heads, S, T]", c.text(mask),
                     dims_text(dims.span()));
  }
  dims[n - 1] = c.dim(q + 2, n - 1);
  *out_dims = dims;
  return c.check_count(dims);
}

tn_error* attention_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1, 2}, kFloat, &t));
  Dims dims;
  TN_TRY(check_attention(c, 0, t, &dims));
  return c.out(0, t, dims);
}

// x [..., heads, S, m] as [..., K, heads / K * S, m], K being the heads of k: the queries that share
// a head stand below each other. And back, with heads and S as in q.
Value folded(const Recipe& b, Value x, Value k) {
  Dims to = x.dims();
  const uint32_t heads = to.n - 3;
  const int64_t shared = k.dim(heads);
  if (b.same(to[heads], shared)) return x;
  to[heads + 1] = b.mul(b.raw()->v->dim_floordiv(b.raw(), to[heads], shared), to[heads + 1]);
  to[heads] = shared;
  return reshape(x, to);
}
Value unfolded(const Recipe& b, Value x, Value q) {
  Dims to = q.dims();
  if (b.same(to[to.n - 3], x.dim(to.n - 3))) return x;
  to[to.n - 1] = x.dim(to.n - 1);
  return reshape(x, to);
}

Value scale_of(const Recipe& b, Value q) {
  const double scale = b.f64(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE);
  if (scale != 0) return {q.b(), q.b()->v->scalar(q.b(), scale)};
  return rsqrt(b.dim_scalar(q.dim(q.rank() - 1), q.dtype()));
}

bool is_bool(Value mask) { return mask && kind_of(mask.dtype()) == kBool; }
bool is_bias(Value mask) { return mask && kind_of(mask.dtype()) != kBool; }

// Which scores [..., heads, S, T] count; none: all.
Value kept(const Recipe& b, Value scores, Value mask) {
  if (!is_bool(mask)) mask = {};
  if (!b.flag(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL)) return mask;
  Dims rows(2, 1), columns(2, 1);
  rows[0] = scores.dim(scores.rank() - 2);
  columns[1] = scores.dim(scores.rank() - 1);
  const Value before = le(b.iota(columns, 1, TN_DTYPE_I64), b.iota(rows, 0, TN_DTYPE_I64));
  return mask ? Value{b.raw(), tn_b_and(b.raw(), before.v(), mask.v())} : before;
}

// The products of attention; x is as q, w as k or v, p as the scores.
struct Heads {
  const Recipe& b;
  Value q, k, v, mask;

  // q, k, v and mask are the inputs from `first` on.
  Heads(const Recipe& recipe, uint32_t first)
      : b(recipe),
        q(wide(b.in(first))),
        k(wide(b.in(first + 1))),
        v(wide(b.in(first + 2))),
        mask(b.in(first + 3)) {}

  Value across(Value x, Value w) const {  // x w^T
    return unfolded(b, matmul(folded(b, x, k), w, false, true), q);
  }
  Value along_keys(Value p, Value w) const { return unfolded(b, matmul(folded(b, p, k), w), q); }
  Value along_queries(Value p, Value x) const {  // p^T x
    return matmul(folded(b, p, k), folded(b, x, k), true, false);
  }

  // [..., heads, S, T]; where nothing counts they are 0.
  Value probabilities() const {
    Value s = across(q, k) * scale_of(b, q);
    if (is_bias(mask)) s = s + wide(mask);
    const Value keep = kept(b, s, mask);
    // Not !keep: that would be the op not.
    if (keep.v() == TN_NO_VALUE) return softmax(s, -1);
    const double least = s.dtype() == TN_DTYPE_F64 ? std::numeric_limits<double>::lowest()
                                                   : double{std::numeric_limits<float>::lowest()};
    return where(keep, softmax(where(keep, s, least), -1), 0);
  }
};

Value sum_last(Value x) { return sum(x, 1u << (x.rank() - 1), true); }

void attention_of_base(Recipe& b) {
  const Heads h(b, 0);
  b.set(0, cast(h.along_keys(h.probabilities(), h.v), b.in(0).dtype()));
}

// What g p passes on to the scores; sum_last(g * y) stands for the sum of p times that of p.
Value d_scores(const Heads& h, Value p, Value g, Value y) {
  return p * (h.across(g, h.v) - sum_last(g * y));
}

void d_attention(Recipe& b) {
  if (!(is_bias(b.in(3)) && b.wants(3))) {
    tn_value grads[3];
    tn_b_scaled_dot_product_attention_grad(b.raw(), b.g().v(), b.out().v(), b.in(0).v(),
                                           b.in(1).v(), b.in(2).v(), b.in(3).v(),
                                           b.flag(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL),
                                           b.f64(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE), grads);
    for (uint32_t i = 0; i < 3; ++i)
      if (b.wants(i)) b.set(i, {b.raw(), grads[i]});
    return;
  }
  const Heads h(b, 0);
  const Value p = h.probabilities(), g = wide(b.g());
  const Value ds = d_scores(h, p, g, wide(b.out())), scaled = ds * scale_of(b, h.q);
  if (b.wants(0)) b.set(0, h.along_keys(scaled, h.k));
  if (b.wants(1)) b.set(1, h.along_queries(scaled, h.q));
  if (b.wants(2)) b.set(2, h.along_queries(p, g));
  b.set_summed(3, ds);
}

// ---- scaled_dot_product_attention_grad(g, y, q, k, v, mask?) -> dq, dk, dv

tn_error* attention_grad_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1, 2, 3, 4}, kFloat, &t));
  Dims dims;
  TN_TRY(check_attention(c, 2, t, &dims));
  for (uint32_t i = 0; i < 2; ++i) {
    bool fits = c.rank(i) == dims.n;
    for (uint32_t a = 0; fits && a < dims.n; ++a) fits = !c.differ(c.dim(i, a), dims[a]);
    if (!fits)
      return c.error("{} is {}; it must have the dims {} of the attention of q, k and v",
                     i == 0 ? "g" : "y", c.text(i), dims_text(dims.span()));
  }
  for (uint32_t i = 0; i < 3; ++i) TN_TRY(c.out(i, t, c.dims(2 + i)));
  return nullptr;
}

void attention_grad_of_base(Recipe& b) {
  const Heads h(b, 2);
  const Value p = h.probabilities(), g = wide(b.in(0));
  const Value scaled = d_scores(h, p, g, wide(b.in(1))) * scale_of(b, h.q);
  const tn_dtype t = b.in(2).dtype();
  b.set(0, cast(h.along_keys(scaled, h.k), t));
  b.set(1, cast(h.along_queries(scaled, h.q), t));
  b.set(2, cast(h.along_queries(p, g), t));
}

// u, w and x are what dq, dk and dv pass on.
void d_attention_grad(Recipe& b) {
  const Heads h(b, 2);
  const Value p = h.probabilities(), g = wide(b.in(0)), y = wide(b.in(1));
  const Value scale = scale_of(b, h.q), u = wide(b.g(0)) * scale, w = wide(b.g(1)) * scale,
              x = wide(b.g(2));
  const Value inner = h.across(g, h.v) - sum_last(g * y);
  const Value of_ds = h.across(u, h.k) + h.across(h.q, w);
  const Value passed = of_ds * p, total = sum_last(passed);
  if (b.wants(0)) b.set(0, h.along_keys(passed, h.v) - total * y + h.along_keys(p, x));
  if (b.wants(1)) b.set(1, -(total * g));
  if (b.wants(4)) b.set(4, h.along_queries(passed, g));
  const Value of_p = of_ds * inner + h.across(g, x);
  const Value ds = p * inner, of_scores = p * (of_p - sum_last(p * of_p)),
              scaled = of_scores * scale;
  if (b.wants(2)) b.set(2, h.along_keys(ds, w) + h.along_keys(scaled, h.k));
  if (b.wants(3)) b.set(3, h.along_queries(ds, u) + h.along_queries(scaled, h.q));
  if (is_bias(h.mask) && b.wants(5)) b.set_summed(5, of_scores);
}

// ---- rotary_embedding: pairs of elements turned by position * base^(-2 i / d)

tn_error* rotary_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  const uint32_t n = c.rank(0);
  if (n < 2) return c.error("x is {}; it must have rank 2 or more: [..., S, d]", c.text(0));
  TN_TRY(c.check_rank(n + 1));
  const double base = c.f64(TN_ROTARY_EMBEDDING_BASE);
  if (!(base > 0) || !std::isfinite(base))
    return c.error("base is {}; it must be a number > 0", base);
  const int64_t width = c.dim(0, n - 1);
  if (c.differ(c.mul(c.floordiv(width, 2), 2), width))
    return c.error("x is {}: its last axis does not divide into pairs", c.text(0));
  if (c.has(1)) {
    if (kind_of(c.dtype(1)) != kInt)
      return c.error("positions is {}; it must be integer. Cast it first (cast, dtype = i64).",
                     c.text(1));
    if (c.weak(1)) c.cast(1, TN_DTYPE_I64);
    Dims dims = c.dims(0);
    --dims.n;
    if (!broadcasts_to(c, 1, dims))
      return c.error("positions is {}; it must broadcast to dims {}: those of x without the last",
                     c.text(1), dims_text(dims.span()));
  }
  return c.elementwise(t, c.dims(0), {0});
}

// x turned by the angles of its positions, or back. A pair is (x[i], x[i + d / 2]), interleaved
// (x[2 i], x[2 i + 1]).
Value turned(const Recipe& b, Value x, bool back) {
  const uint32_t last = x.rank() - 1;
  const bool interleaved = b.flag(TN_ROTARY_EMBEDDING_INTERLEAVED);
  const uint32_t pair = interleaved ? 1 : 0, other = 1 - pair;
  Dims frequencies(2, 1), signs(2, 1), split = x.dims();
  frequencies[other] = b.raw()->v->dim_floordiv(b.raw(), x.dim(last), 2);
  signs[pair] = 2;
  split[last] = interleaved ? frequencies[other] : 2;
  split.push(interleaved ? 2 : frequencies[other]);
  const Value step =
      -2 * std::log(b.f64(TN_ROTARY_EMBEDDING_BASE)) / b.dim_scalar(x.dim(last), x.dtype());
  const Value frequency = exp(b.iota(frequencies, other, x.dtype()) * step);
  const Value position =
      b.in(1) ? cast(b.in(1), x.dtype()) : b.iota(Dims(1, x.dim(last - 1)), 0, x.dtype());
  const uint32_t r = position.rank();
  const Value angle = unsqueeze(position, 3u << r) * frequency;
  const Value side = b.iota(signs, pair, x.dtype()) * 2 - 1;
  const Value pairs = reshape(x, split), sine = sin(angle) * (back ? -side : side);
  return reshape_like(pairs * cos(angle) + flip(pairs, 1u << (last + pair)) * sine, x);
}

void rotary_of_base(Recipe& b) { b.set(0, cast(turned(b, wide(b.in(0)), false), b.in(0).dtype())); }
void d_rotary(Recipe& b) {
  if (b.wants(0)) b.set(0, turned(b, wide(b.g()), true));
}

}  // namespace

const OpRules rules_scaled_dot_product_attention = {TN_OP_SCALED_DOT_PRODUCT_ATTENTION,
                                                    rule<attention_rule>, recipe<attention_of_base>,
                                                    recipe<d_attention>, nullptr};
const OpRules rules_scaled_dot_product_attention_grad = {
    TN_OP_SCALED_DOT_PRODUCT_ATTENTION_GRAD, rule<attention_grad_rule>,
    recipe<attention_grad_of_base>, recipe<d_attention_grad>, nullptr};
const OpRules rules_rotary_embedding = {TN_OP_ROTARY_EMBEDDING, rule<rotary_rule>,
                                        recipe<rotary_of_base>, recipe<d_rotary>, nullptr};

}  // namespace tenon::ops
