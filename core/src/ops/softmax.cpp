// softmax and log_softmax along one axis. f16 and bf16 are computed in f32.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

static_assert(TN_SOFTMAX_AXIS == TN_LOG_SOFTMAX_AXIS);

tn_error* softmax_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_SOFTMAX_AXIS), c.rank(0), &axis));
  return c.elementwise(t, c.dims(0), {0});
}

uint32_t axis_mask(const Recipe& b) {
  return 1u << axis_of(b.i64(TN_SOFTMAX_AXIS), b.in(0).rank());
}

// The greatest element, which is taken away first: exponentials are at most 1. Where there are no
// elements there is nothing to take away.
Value top(Value x, uint32_t axis) {
  return known_empty(x.dims()) ? constant(x, 0) : max(x, axis, true);
}

void softmax_of_base(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axis = axis_mask(b);
  const Value e = exp(x - top(x, axis));
  b.set(0, e / sum(e, axis, true));
}
void d_softmax(Recipe& b) {
  const Value y = b.out(), g = b.g();
  b.set(0, y * (g - sum(g * y, axis_mask(b), true)));
}

void log_softmax_of_base(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axis = axis_mask(b);
  const Value shifted = x - top(x, axis);
  b.set(0, shifted - log(sum(exp(shifted), axis, true)));
}
void d_log_softmax(Recipe& b) {
  const Value y = b.out(), g = b.g();
  b.set(0, g - exp(y) * sum(g, axis_mask(b), true));
}

}  // namespace

const OpRules rules_softmax = {TN_OP_SOFTMAX, rule<softmax_rule>, recipe<softmax_of_base>,
                               recipe<d_softmax>, nullptr};
const OpRules rules_log_softmax = {TN_OP_LOG_SOFTMAX, rule<softmax_rule>,
                                   recipe<log_softmax_of_base>, recipe<d_log_softmax>, nullptr};

}  // namespace tenon::ops
