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
  // Of a real input of a complex result the imaginary part is no variable.
  b.set(0, cast(kind_of(g.dtype()) == kComplex && kind_of(from) != kComplex ? real(g) : g, from));
}

// Strides, in elements of the result, under which it lies where x does. scale -2: pairs become one
// element, 2: the opposite.
bool bit_strides(const tn_view& x, const Dims& dims, int64_t scale, Dims* out) {
  if (scale == -2 && x.strides[dims.n] != 1) return false;
  for (uint32_t a = 0; a < dims.n; ++a) {
    if (scale == 2 && a + 1 == dims.n) {
      out->push(1);
    } else if (scale == -2) {
      if (x.strides[a] % 2 != 0 && dims[a] > 1) return false;
      out->push(x.strides[a] / 2);
    } else {
      out->push(x.strides[a] * scale);
    }
  }
  return true;
}

tn_error* bitcast_rule(Infer& c) {
  const tn_dtype to = c.type(TN_BITCAST_DTYPE);
  TN_TRY(known(c, to));
  if (c.weak(0)) return c.error("x is {}: its bits are not defined. Cast it first.", c.text(0));
  if (to == TN_DTYPE_BOOL && c.dtype(0) != to)
    return c.error("x is {}: not every byte is a bool. Compare with 0 instead.", c.text(0));
  const tn_dtype from = c.dtype(0);
  Dims dims = c.dims(0), strides;
  int64_t scale = 1;  // of strides: parts per complex number
  if (from != to && from == part_of(to)) {
    if (dims.n == 0 || c.differ(dims[dims.n - 1], 2))
      return c.error("x is {}: the last axis must hold the two parts of a {}", c.text(0),
                     tn_dtype_name(to));
    --dims.n;
    scale = -2;
  } else if (from != to && to == part_of(from)) {
    TN_TRY(c.check_rank(dims.n + 1));
    dims.push(2);
    scale = 2;
  } else if (tn_dtype_bytes(to, 8) != tn_dtype_bytes(from, 8)) {
    return c.error("x is {}, dtype is {}: their elements differ in size", c.text(0),
                   tn_dtype_name(to));
  }
  TN_TRY(c.check_count(dims));
  TN_TRY(c.elementwise(to, dims, {0}));
  if (c.has_strides(0) && !(c.in(0).flags & TN_VIEW_IMMEDIATE) &&
      bit_strides(c.in(0), dims, scale, &strides))
    c.view(strides, 0);
  return nullptr;
}

}  // namespace

const OpRules rules_cast = {TN_OP_CAST, rule<cast_rule>, nullptr, recipe<d_cast>, nullptr};
const OpRules rules_bitcast = {TN_OP_BITCAST, rule<bitcast_rule>, nullptr, nullptr,
                               "bits have no derivative"};

}  // namespace tenon::ops
