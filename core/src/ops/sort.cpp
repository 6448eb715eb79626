// sort: stable, by key along an axis; the values follow their keys. argsort: where they come from.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

tn_error* sort_rule(Infer& c) {
  tn_dtype keys = TN_DTYPE_NONE, values = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "keys", kReal | kBool, &keys));
  TN_TRY(c.single(1, "values", kComputable, &values));
  bool fits = c.rank(0) == c.rank(1);
  for (uint32_t a = 0; fits && a < c.rank(0); ++a) fits = !c.differ(c.dim(0, a), c.dim(1, a));
  if (!fits)
    return c.error("keys is {} and values is {}: their dims must be equal", c.text(0), c.text(1));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_SORT_AXIS), c.rank(0), &axis));
  TN_TRY(c.out(0, keys, c.dims(0)));
  return c.out(1, values, c.dims(0));
}

// The values of sort(keys, values).
Value sorted_values(Value keys, Value values, int64_t axis, bool descending) {
  tn_value out[2] = {TN_NO_VALUE, TN_NO_VALUE};
  tn_b_sort(keys.b(), keys.v(), values.v(), axis, descending, out);
  return {keys.b(), out[1]};
}

// Where each element came from, found by sorting the positions with the keys.
Value origins(const Recipe& b, Value keys, int64_t axis, bool descending) {
  const Value positions = b.iota(keys.dims(), axis_of(axis, keys.rank()), TN_DTYPE_I64);
  return sorted_values(keys, positions, axis, descending);
}

// Sorting the cotangents by that puts them back.
void d_sort(Recipe& b) {
  const int64_t axis = b.i64(TN_SORT_AXIS);
  const Value origin = origins(b, b.in(0), axis, b.flag(TN_SORT_DESCENDING));
  for (const uint32_t i : {0u, 1u})
    if (b.wants(i)) b.set(i, sorted_values(origin, b.g(i), axis, false));
}

// ---- argsort

tn_error* argsort_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kReal | kBool, &t));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_ARGSORT_AXIS), c.rank(0), &axis));
  return c.out(0, TN_DTYPE_I64, c.dims(0));
}

void argsort_of_base(Recipe& b) {
  const int64_t axis = b.i64(TN_ARGSORT_AXIS);
  b.set(0, origins(b, b.in(0), axis, b.flag(TN_ARGSORT_DESCENDING)));
}

}  // namespace

const OpRules rules_sort = {TN_OP_SORT, rule<sort_rule>, nullptr, recipe<d_sort>, nullptr};
const OpRules rules_argsort = {TN_OP_ARGSORT, rule<argsort_rule>, recipe<argsort_of_base>, nullptr,
                               "the result is an integer index"};

}  // namespace tenon::ops
