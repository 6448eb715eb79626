// where(condition, a, b) and clip(x, low, high), element by element.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

tn_error* where_rule(Infer& c) {
  if (c.dtype(0) != TN_DTYPE_BOOL)
    return c.error("condition is {}; it must be bool. Compare it first, say ne(condition, 0).",
                   c.text(0));
  c.cast(0, TN_DTYPE_BOOL);
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({1, 2}, kComputable, &t));
  Dims dims;
  TN_TRY(c.broadcast({0, 1, 2}, &dims));
  return c.elementwise(t, dims, {1, 2});
}

void d_where(Recipe& b) {
  const Value condition = b.in(0), zero = constant(b.g(), 0);
  if (b.wants(1)) b.set_summed(1, where(condition, b.g(), zero));
  if (b.wants(2)) b.set_summed(2, where(condition, zero, b.g()));
}

tn_error* clip_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1, 2}, kReal, &t));
  Dims dims;
  TN_TRY(c.broadcast({0, 1, 2}, &dims));
  return c.elementwise(t, dims, {0, 1, 2});
}

// min(max(x, low), high): where low > high, high wins.
void clip_of_base(Recipe& b) {
  Value y = b.in(0);
  if (b.in(1)) y = maximum(y, b.in(1));
  if (b.in(2)) y = minimum(y, b.in(2));
  b.set(0, b.in(1) || b.in(2) ? y : copy(y));
}

// The gradient goes to the one of the three that the result comes from; on a bound, to x.
void d_clip(Recipe& b) {
  const Value x = b.in(0), low = b.in(1), high = b.in(2);
  Value rest = b.g();
  if (high) {
    const Value above = gt(low ? maximum(x, low) : x, high);
    if (b.wants(2)) b.set_summed(2, where(above, rest, 0));
    rest = where(above, 0, rest);
  }
  if (low) {
    const Value below = lt(x, low);
    if (b.wants(1)) b.set_summed(1, where(below, rest, 0));
    rest = where(below, 0, rest);
  }
  if (b.wants(0)) b.set_summed(0, rest);
}

}  // namespace

const OpRules rules_where = {TN_OP_WHERE, rule<where_rule>, nullptr, recipe<d_where>, nullptr};
const OpRules rules_clip = {TN_OP_CLIP, rule<clip_rule>, recipe<clip_of_base>, recipe<d_clip>,
                            nullptr};

}  // namespace tenon::ops
