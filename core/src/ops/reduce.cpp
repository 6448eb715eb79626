// Reductions of base kind (sum, prod, max, min, argmax, cumsum) and those made of them alone (any,
// all, argmin). The attributes axes and keepdims of all of them have the keys 0 and 1.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr uint32_t kAxes = TN_SUM_AXES, kKeepdims = TN_SUM_KEEPDIMS;
static_assert(kAxes == TN_PROD_AXES && kAxes == TN_MAX_AXES && kAxes == TN_MIN_AXES &&
              kAxes == TN_ANY_AXES && kAxes == TN_ALL_AXES && kKeepdims == TN_PROD_KEEPDIMS &&
              kKeepdims == TN_MAX_KEEPDIMS && kKeepdims == TN_MIN_KEEPDIMS &&
              kKeepdims == TN_ANY_KEEPDIMS && kKeepdims == TN_ALL_KEEPDIMS);

tn_error* reduced_dims(const Infer& c, Dims* out, uint32_t* axes) {
  const uint32_t n = c.rank(0);
  TN_TRY(c.axes(c.list(kAxes), n, (1u << n) - 1, axes));
  Dims to;
  for (uint32_t a = 0; a < n; ++a) {
    if (!(*axes & (1u << a))) {
      to.push(c.dim(0, a));
    } else if (c.flag(kKeepdims)) {
      to.push(1);
    }
  }
  *out = to;
  return nullptr;
}

// Sums and products of booleans and short integers are 64 bits wide.
tn_dtype accumulated(tn_dtype t) {
  if (!(kind_of(t) & (kBool | kInt))) return t;
  return is_unsigned(t) ? TN_DTYPE_U64 : TN_DTYPE_I64;
}

tn_error* accumulating_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kComputable, &t));
  c.cast(0, accumulated(t));
  Dims to;
  uint32_t axes = 0;
  TN_TRY(reduced_dims(c, &to, &axes));
  return c.out(0, accumulated(t), to);
}

tn_error* extremum_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kReal, &t));
  Dims to;
  uint32_t axes = 0;
  TN_TRY(reduced_dims(c, &to, &axes));
  if (known_empty(c.dims(0)) && !known_empty(to))
    return c.error("x is {}: there are no elements to choose from", c.text(0));
  return c.out(0, t, to);
}

tn_error* predicate_rule(Infer& c) {
  TN_TRY(c.require_kind(0, "x", kComputable));
  Dims to;
  uint32_t axes = 0;
  TN_TRY(reduced_dims(c, &to, &axes));
  return c.out(0, TN_DTYPE_BOOL, to);
}

uint32_t axes_of(const Recipe& b) {
  const Value x = b.in(0);
  return axes_mask(b.list(kAxes), x.rank(), x.all_axes());
}

// ---- any, all: by the number of elements that are, or are not, zero

// A floating sum of ones is inexact only far above 0.
void any_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Value hits = x.dtype() == TN_DTYPE_BOOL ? x : !eq(x, 0);
  b.set(0, gt(sum(cast(hits, TN_DTYPE_F32), axes_of(b), b.flag(kKeepdims)), 0));
}
void all_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Value misses = x.dtype() == TN_DTYPE_BOOL ? !x : eq(x, 0);
  b.set(0, eq(sum(cast(misses, TN_DTYPE_F32), axes_of(b), b.flag(kKeepdims)), 0));
}

// ---- gradients

void d_sum(Recipe& b) { b.set(0, unreduce(b.g(), b.in(0), axes_of(b), b.flag(kKeepdims))); }

// The product of the others: y / x where nothing is zero; where one element is, only it has one.
// Derivatives of higher order are exact where no element is zero.
void d_prod(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axes = axes_of(b);
  const Value zero = eq(x, 0), safe = where(zero, 1, x);
  const Value zeros = sum(cast(zero, TN_DTYPE_F32), axes, true);
  const Value product =
      axes ? Value{b.raw(), tn_b_prod(b.raw(), safe.v(), axes_list(axes).d, axes_list(axes).n, 1)}
           : safe;
  const Value others =
      where(zero, where(eq(zeros, 1), product, 0), where(eq(zeros, 0), product / safe, 0));
  b.set(0, unreduce(b.g(), x, axes, b.flag(kKeepdims)) * others);
}

// All elements equal to the extremum share the gradient equally; NaN takes none.
void d_extremum(Recipe& b) {
  const Value x = b.in(0), g = b.g();
  const uint32_t axes = axes_of(b);
  const bool keep = b.flag(kKeepdims);
  const Value hit = eq(x, unreduce(b.out(), x, axes, keep));
  const Value share = g / sum(cast(hit, g.dtype()), axes, keep);
  b.set(0, where(hit, unreduce(share, x, axes, keep), 0));
}

// ---- argmax, argmin

tn_error* index_rule(Infer& c) {
  static_assert(TN_ARGMAX_AXIS == TN_ARGMIN_AXIS && TN_ARGMAX_KEEPDIMS == TN_ARGMIN_KEEPDIMS);
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kReal, &t));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_ARGMAX_AXIS), c.rank(0), &axis));
  Dims to;
  for (uint32_t a = 0; a < c.rank(0); ++a) {
    if (a != axis) {
      to.push(c.dim(0, a));
    } else if (c.flag(TN_ARGMAX_KEEPDIMS)) {
      to.push(1);
    }
  }
  if (c.dim(0, axis) == 0 && !known_empty(to))
    return c.error("x is {}: axis {} has no elements to choose from", c.text(0), axis);
  return c.out(0, TN_DTYPE_I64, to);
}

// The complement reverses the order of integers, signed or not; NaN stays greatest under negation.
void argmin_of_base(Recipe& b) {
  const Value x = b.in(0), reversed = kind_of(x.dtype()) == kInt ? !x : -x;
  b.set(0, {b.raw(),
            tn_b_argmax(b.raw(), reversed.v(), b.i64(TN_ARGMIN_AXIS), b.flag(TN_ARGMIN_KEEPDIMS))});
}

// ---- cumsum

tn_error* cumsum_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kComputable, &t));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_CUMSUM_AXIS), c.rank(0), &axis));
  c.cast(0, accumulated(t));
  return c.out(0, accumulated(t), c.dims(0));
}

// Element i reaches all later sums: the same sum from the other end.
void d_cumsum(Recipe& b) {
  b.set(0, {b.raw(), tn_b_cumsum(b.raw(), b.g().v(), b.i64(TN_CUMSUM_AXIS),
                                 b.flag(TN_CUMSUM_EXCLUSIVE), !b.flag(TN_CUMSUM_REVERSE))});
}

constexpr const char* kIsIndex = "the result is an integer index";
constexpr const char* kIsBool = "the result is boolean";

}  // namespace

const OpRules rules_sum = {TN_OP_SUM, rule<accumulating_rule>, nullptr, recipe<d_sum>, nullptr};
const OpRules rules_prod = {TN_OP_PROD, rule<accumulating_rule>, nullptr, recipe<d_prod>, nullptr};
const OpRules rules_max = {TN_OP_MAX, rule<extremum_rule>, nullptr, recipe<d_extremum>, nullptr};
const OpRules rules_min = {TN_OP_MIN, rule<extremum_rule>, nullptr, recipe<d_extremum>, nullptr};
const OpRules rules_any = {TN_OP_ANY, rule<predicate_rule>, recipe<any_of_base>, nullptr, kIsBool};
const OpRules rules_all = {TN_OP_ALL, rule<predicate_rule>, recipe<all_of_base>, nullptr, kIsBool};
const OpRules rules_argmax = {TN_OP_ARGMAX, rule<index_rule>, nullptr, nullptr, kIsIndex};
const OpRules rules_argmin = {TN_OP_ARGMIN, rule<index_rule>, recipe<argmin_of_base>, nullptr,
                              kIsIndex};
const OpRules rules_cumsum = {TN_OP_CUMSUM, rule<cumsum_rule>, nullptr, recipe<d_cumsum>, nullptr};

}  // namespace tenon::ops
