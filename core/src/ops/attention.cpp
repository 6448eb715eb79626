// scaled_dot_product_attention and rotary_embedding. f16 and bf16 are computed in f32.
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

tn_error* check_heads(const Infer& c) {
  const uint32_t n = c.rank(0);
  if (n < 3) return c.error("q is {}; it must have rank 3 or more: [..., heads, S, d]", c.text(0));
  TN_TRY(c.require_rank(1, "k", n, "[..., heads, T, d], the rank of q"));
  TN_TRY(c.require_rank(2, "v", n, "[..., heads, T, e], the rank of q"));
  bool fits = !c.differ(c.dim(1, n - 2), c.dim(2, n - 2)) &&
              !c.differ(c.dim(1, n - 3), c.dim(2, n - 3)) &&
              !c.differ(c.dim(0, n - 1), c.dim(1, n - 1));
  for (uint32_t a = 0; fits && a + 3 < n; ++a)
    fits = !c.differ(c.dim(0, a), c.dim(1, a)) && !c.differ(c.dim(0, a), c.dim(2, a));
  if (!fits)
    return c.error(
        "q is {}, k is {} and v is {}: q is [..., heads, S, d], k [..., heads, T, d] and v [..., "
        "heads, T, e]",
        c.text(0), c.text(1), c.text(2));
  const int64_t heads = c.dim(0, n - 3), shared = c.dim(1, n - 3);
  if (c.same(heads, shared)) return nullptr;
  if (shared == 0 || c.differ(c.mul(c.floordiv(heads, shared), shared), heads))
    return c.error("q is {} and k is {}: the heads of k must divide those of q", c.text(0),
                   c.text(1));
  return nullptr;
}

tn_error* attention_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1, 2}, kFloat, &t));
  TN_TRY(check_heads(c));
  const uint32_t n = c.rank(0);
  if (c.dim(0, n - 1) == 0) return c.error("q is {}: its vectors have no elements", c.text(0));
  const double scale = c.f64(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE);
  if (!std::isfinite(scale)) return c.error("scale is {}; it must be a number", scale);
  Dims dims = c.dims(0);
  if (c.has(3)) {
    TN_TRY(c.require_kind(3, "mask", kBool | kFloat));
    c.cast(3, kind_of(c.dtype(3)) == kBool ? TN_DTYPE_BOOL : t);
    dims[n - 1] = c.dim(1, n - 2);
    if (!broadcasts_to(c, 3, dims))
      return c.error("mask is {}; it must broadcast to dims {}: [..., heads, S, T]", c.text(3),
                     dims_text(dims.span()));
  }
  dims[n - 1] = c.dim(2, n - 1);
  TN_TRY(c.check_count(dims));
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
  if (scale != 0) return {q.b, q.b->v->scalar(q.b, scale)};
  return rsqrt(b.dim_scalar(q.dim(q.rank() - 1), q.dtype()));
}

// Which scores [..., heads, S, T] count; none: all.
Value kept(const Recipe& b, Value scores) {
  const Value mask = b.in(3) && kind_of(b.in(3).dtype()) == kBool ? b.in(3) : Value();
  if (!b.flag(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL)) return mask;
  Dims rows(2, 1), columns(2, 1);
  rows[0] = scores.dim(scores.rank() - 2);
  columns[1] = scores.dim(scores.rank() - 1);
  const Value before = le(b.iota(columns, 1, TN_DTYPE_I64), b.iota(rows, 0, TN_DTYPE_I64));
  return mask ? Value{b.raw(), tn_b_and(b.raw(), before.v, mask.v)} : before;
}

// [..., heads, S, T]; where nothing counts they are 0.
Value probabilities(const Recipe& b, Value q, Value k) {
  Value s = unfolded(b, matmul(folded(b, q, k), k, false, true), q) * scale_of(b, q);
  if (b.in(3) && kind_of(b.in(3).dtype()) != kBool) s = s + wide(b.in(3));
  const Value keep = kept(b, s);
  // Not !keep: that would be the op not.
  if (keep.v == TN_NO_VALUE) return softmax(s, -1);
  const double least = s.dtype() == TN_DTYPE_F64 ? std::numeric_limits<double>::lowest()
                                                 : double{std::numeric_limits<float>::lowest()};
  return where(keep, softmax(where(keep, s, least), -1), 0);
}

void attention_of_base(Recipe& b) {
  const Value q = wide(b.in(0)), k = wide(b.in(1)), v = wide(b.in(2));
  const Value y = matmul(folded(b, probabilities(b, q, k), k), v);
  b.set(0, cast(unfolded(b, y, q), b.in(0).dtype()));
}

void d_attention(Recipe& b) {
  const Value q = wide(b.in(0)), k = wide(b.in(1)), v = wide(b.in(2));
  const Value p = probabilities(b, q, k), g = folded(b, wide(b.g()), k);
  if (b.wants(2)) b.set(2, matmul(folded(b, p, k), g, true, false));
  const bool wants_mask = b.in(3) && kind_of(b.in(3).dtype()) != kBool && b.wants(3);
  if (!b.wants(0) && !b.wants(1) && !wants_mask) return;
  const Value dp = unfolded(b, matmul(g, v, false, true), q);
  const Value ds = p * (dp - sum(dp * p, 1u << (p.rank() - 1), true));
  if (wants_mask) b.set_summed(3, ds);
  const Value scaled = folded(b, ds * scale_of(b, q), k);
  if (b.wants(0)) b.set(0, unfolded(b, matmul(scaled, k), q));
  if (b.wants(1)) b.set(1, matmul(scaled, folded(b, q, k), true, false));
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
const OpRules rules_rotary_embedding = {TN_OP_ROTARY_EMBEDDING, rule<rotary_rule>,
                                        recipe<rotary_of_base>, recipe<d_rotary>, nullptr};

}  // namespace tenon::ops
