// outer, dot, vecdot: products of vectors. Half formats are summed in f32.
#include <algorithm>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// ---- outer

tn_error* outer_rule(Infer& c) {
  TN_TRY(c.require_rank(0, "a", 1, "[m]"));
  TN_TRY(c.require_rank(1, "b", 1, "[n]"));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kNumber, &t));
  Dims to;
  to.push(c.dim(0, 0));
  to.push(c.dim(1, 0));
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

constexpr uint32_t kRow = 1, kColumn = 2;  // where the axis of size 1 goes

void outer_of_base(Recipe& b) { b.set(0, unsqueeze(b.in(0), kColumn) * unsqueeze(b.in(1), kRow)); }
void d_outer(Recipe& b) {
  if (b.wants(0)) b.set(0, squeeze(matmul(b.g(), unsqueeze(b.in(1), kColumn)), kColumn));
  if (b.wants(1)) b.set(1, squeeze(matmul(b.g(), unsqueeze(b.in(0), kColumn), true), kColumn));
}

// ---- dot, vecdot

tn_error* dot_rule(Infer& c) {
  TN_TRY(c.require_rank(0, "a", 1, "[n]"));
  TN_TRY(c.require_rank(1, "b", 1, "[n]"));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kNumber, &t));
  if (c.differ(c.dim(0, 0), c.dim(1, 0)))
    return c.error("a is {} and b is {}: their lengths must be equal", c.text(0), c.text(1));
  return c.out(0, t, Dims());
}

void dot_of_base(Recipe& b) {
  b.set(0, squeeze(matmul(unsqueeze(b.in(0), kRow), unsqueeze(b.in(1), kColumn)), kRow | kColumn));
}
void d_dot(Recipe& b) {
  if (b.wants(0)) b.set(0, b.g() * b.in(1));
  if (b.wants(1)) b.set(1, b.g() * b.in(0));
}

// The axis is one of the broadcast shape counted from the end, so that it means the same for both.
tn_error* vecdot_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kNumber, &t));
  const int64_t axis = c.i64(TN_VECDOT_AXIS);
  for (const uint32_t i : {0u, 1u}) {
    if (axis >= 0 || axis < -static_cast<int64_t>(c.rank(i)))
      return c.error_of(TN_OUT_OF_RANGE,
                        fmt::format("axis {} is out of range for {} of rank {}: use -{} to -1",
                                    axis, i == 0 ? "a" : "b", c.rank(i), c.rank(i)));
  }
  const auto from_end = static_cast<uint32_t>(-axis);
  if (c.differ(c.dim(0, c.rank(0) - from_end), c.dim(1, c.rank(1) - from_end)))
    return c.error("a is {} and b is {}: axis {} must have the same size in both", c.text(0),
                   c.text(1), axis);
  Dims both, to;
  TN_TRY(c.broadcast({0, 1}, &both));
  for (uint32_t a = 0; a < both.n; ++a)
    if (a + from_end != both.n) to.push(both[a]);
  return c.out(0, t, to);
}

uint32_t vecdot_axis(const Recipe& b) {
  const uint32_t n = std::max(b.in(0).rank(), b.in(1).rank());
  return 1u << axis_of(b.i64(TN_VECDOT_AXIS), n);
}
void vecdot_of_base(Recipe& b) {
  b.set(0, sum(conjugate(b.in(0)) * b.in(1), vecdot_axis(b), false));
}
void d_vecdot(Recipe& b) {
  const Value g = unsqueeze(b.g(), vecdot_axis(b));
  if (b.wants(0)) b.set_summed(0, conjugate(g * b.in(1)));
  if (b.wants(1)) b.set_summed(1, g * conjugate(b.in(0)));
}

}  // namespace

const OpRules rules_outer = {TN_OP_OUTER, rule<outer_rule>, recipe<outer_of_base>, recipe<d_outer>,
                             nullptr};
const OpRules rules_dot = {TN_OP_DOT, rule<dot_rule>, recipe<dot_of_base>, recipe<d_dot>, nullptr};
const OpRules rules_vecdot = {TN_OP_VECDOT, rule<vecdot_rule>, recipe<vecdot_of_base>,
                              recipe<d_vecdot>, nullptr};

}  // namespace tenon::ops
