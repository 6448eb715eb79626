// Comparisons (result bool) and logical or bitwise operations, element by element. None is
// differentiable.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr const char* kIsBool = "the result is boolean";
constexpr const char* kIsBits = "it works on booleans and integers";

template <uint32_t Kinds>
tn_error* comparison(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, Kinds, &t));
  Dims dims;
  TN_TRY(c.broadcast({0, 1}, &dims));
  return c.elementwise(TN_DTYPE_BOOL, dims, {});
}
constexpr tn_infer_rule kEquality = rule<comparison<kComputable>>;
constexpr tn_infer_rule kOrder = rule<comparison<kReal | kBool>>;

constexpr tn_infer_rule kLogical = rule<two_inputs<kBool | kInt>>;
constexpr tn_infer_rule kShift = rule<two_inputs<kInt>>;

tn_error* not_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kBool | kInt, &t));
  return c.elementwise(t, c.dims(0), {0});
}

void ne_of_base(Recipe& b) { b.set(0, !eq(b.in(0), b.in(1))); }
void gt_of_base(Recipe& b) { b.set(0, lt(b.in(1), b.in(0))); }
void ge_of_base(Recipe& b) { b.set(0, le(b.in(1), b.in(0))); }

}  // namespace

const OpRules rules_eq = {TN_OP_EQ, kEquality, nullptr, nullptr, kIsBool};
const OpRules rules_lt = {TN_OP_LT, kOrder, nullptr, nullptr, kIsBool};
const OpRules rules_le = {TN_OP_LE, kOrder, nullptr, nullptr, kIsBool};
const OpRules rules_ne = {TN_OP_NE, kEquality, recipe<ne_of_base>, nullptr, kIsBool};
const OpRules rules_gt = {TN_OP_GT, kOrder, recipe<gt_of_base>, nullptr, kIsBool};
const OpRules rules_ge = {TN_OP_GE, kOrder, recipe<ge_of_base>, nullptr, kIsBool};
const OpRules rules_and = {TN_OP_AND, kLogical, nullptr, nullptr, kIsBits};
const OpRules rules_or = {TN_OP_OR, kLogical, nullptr, nullptr, kIsBits};
const OpRules rules_xor = {TN_OP_XOR, kLogical, nullptr, nullptr, kIsBits};
const OpRules rules_not = {TN_OP_NOT, rule<not_rule>, nullptr, nullptr, kIsBits};
const OpRules rules_shl = {TN_OP_SHL, kShift, nullptr, nullptr, kIsBits};
const OpRules rules_shr = {TN_OP_SHR, kShift, nullptr, nullptr, kIsBits};

}  // namespace tenon::ops
