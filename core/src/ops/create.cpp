// iota and fill: tensors made from nothing or from one number.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

tn_error* require_dtype(const Infer& c, tn_dtype t, uint32_t kinds) {
  if ((kind_of(t) & kinds) && std::string_view(tn_dtype_name(t)) != "?") return nullptr;
  return c.error("dtype {} does not fit here", tn_dtype_name(t));
}

tn_error* iota_rule(Infer& c) {
  Dims to;
  TN_TRY(c.dims_attr(TN_IOTA_DIMS, &to));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_IOTA_AXIS), to.n, &axis));
  const tn_dtype t = c.type(TN_IOTA_DTYPE);
  TN_TRY(require_dtype(c, t, kReal));
  return c.out(0, t, to);
}

tn_error* fill_rule(Infer& c) {
  Dims to;
  TN_TRY(c.dims_attr(TN_FILL_DIMS, &to));
  TN_TRY(c.require_scalar(0, "value"));
  const tn_dtype t = c.type(TN_FILL_DTYPE);
  TN_TRY(require_dtype(c, t, kAnyKind));
  c.cast(0, t);
  return c.out(0, t, to);
}

void d_fill(Recipe& b) { b.set(0, sum(b.g(), b.g().all_axes(), false)); }

}  // namespace

const OpRules rules_iota = {TN_OP_IOTA, rule<iota_rule>, nullptr, nullptr, "it has no inputs"};
const OpRules rules_fill = {TN_OP_FILL, rule<fill_rule>, nullptr, recipe<d_fill>, nullptr};

}  // namespace tenon::ops
