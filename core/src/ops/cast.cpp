// cast (by value) and bitcast (by bits).
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// A dtype that is no storage form of something unknown: it has a name.
tn_error* known(Infer& c, tn_dtype t) {
  if (std::string_view(tn_dtype_name(t)) != "?") return nullptr;
  return c.error("dtype {:#x} is not a dtype", t);
}

tn_error* cast_rule(Infer& c) {
  const tn_dtype to = c.type(TN_CAST_DTYPE);
  TN_TRY(known(c, to));
  if (kind_of(c.dtype(0)) == kComplex && kind_of(to) != kComplex)
    return c.error("x is {}: a complex number does not become {}", c.text(0), tn_dtype_name(to));
  return c.elementwise(to, c.dims(0), {0});
}

void d_cast(Recipe& b) {
  const Value g = b.g();
  const tn_dtype from = b.in(0).dtype();
  // A path over integers or booleans is piecewise constant.
  if (!(kind_of(g.dtype()) & (kFloat | kComplex | kStorage)) || kind_of(from) < kFloat)
    return b.set_zero(0);
  // A real input of a complex result would get a complex gradient, which has no real form without
  // taking parts.
  if (kind_of(g.dtype()) == kComplex && kind_of(from) != kComplex)
    return b.fail(TN_UNIMPLEMENTED, "no gradient from complex to real");
  b.set(0, cast(g, from));
}

tn_error* bitcast_rule(Infer& c) {
  const tn_dtype to = c.type(TN_BITCAST_DTYPE);
  TN_TRY(known(c, to));
  if (c.weak(0)) return c.error("x is {}: its bits are not defined. Cast it first.", c.text(0));
  if (to == TN_DTYPE_BOOL && c.dtype(0) != to)
    return c.error("x is {}: not every byte is a bool. Compare with 0 instead.", c.text(0));
  if (tn_dtype_bytes(to, 8) != tn_dtype_bytes(c.dtype(0), 8))
    return c.error("x is {}, dtype is {}: their elements differ in size", c.text(0),
                   tn_dtype_name(to));
  return c.elementwise(to, c.dims(0), {0});
}

}  // namespace

const OpRules rules_cast = {TN_OP_CAST, rule<cast_rule>, nullptr, recipe<d_cast>, nullptr};
const OpRules rules_bitcast = {TN_OP_BITCAST, rule<bitcast_rule>, nullptr, nullptr,
                               "bits have no derivative"};

}  // namespace tenon::ops
