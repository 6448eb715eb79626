// iota, arange, fill: tensors made from nothing or from a few numbers.
#include <algorithm>
#include <cmath>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

tn_error* iota_rule(Infer& c) {
  Dims to;
  TN_TRY(c.dims_attr(TN_IOTA_DIMS, &to));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_IOTA_AXIS), to.n, &axis));
  TN_TRY(c.dtype_attr(TN_IOTA_DTYPE, kReal));
  return c.out(0, c.type(TN_IOTA_DTYPE), to);
}

tn_error* fill_rule(Infer& c) {
  Dims to;
  TN_TRY(c.dims_attr(TN_FILL_DIMS, &to));
  TN_TRY(c.require_scalar(0, "value"));
  const tn_dtype t = c.type(TN_FILL_DTYPE);
  TN_TRY(c.dtype_attr(TN_FILL_DTYPE, kAnyKind));
  c.cast(0, t);
  return c.out(0, t, to);
}

void d_fill(Recipe& b) { b.set(0, sum(b.g(), b.g().all_axes(), false)); }

// ---- arange

constexpr double kExact = 0x1p53;  // whole numbers up to here are exact as f64

// Integers are computed as such.
tn_error* arange_rule(Infer& c) {
  const double start = c.f64(TN_ARANGE_START), stop = c.f64(TN_ARANGE_STOP),
               step = c.f64(TN_ARANGE_STEP);
  const tn_dtype t = c.type(TN_ARANGE_DTYPE);
  TN_TRY(c.dtype_attr(TN_ARANGE_DTYPE, kReal));
  const auto whole = [](double v) { return std::trunc(v) == v && std::fabs(v) <= kExact; };
  if (!(std::isfinite(start) && std::isfinite(stop) && std::isfinite(step)) || step == 0)
    return c.error("start {}, stop {}, step {}: they must be finite, and step not 0", start, stop,
                   step);
  if (kind_of(t) == kInt && !(whole(start) && whole(step)))
    return c.error("start {} and step {} must be whole numbers for {}, up to 2^53 in size", start,
                   step, tn_dtype_name(t));
  const double count = std::max(std::ceil((stop - start) / step), 0.0);
  if (!(count <= kExact))
    return c.error_of(TN_OUT_OF_RANGE, fmt::format("start {}, stop {}, step {}: that are too many "
                                                   "elements",
                                                   start, stop, step));
  return c.out(0, t, Dims(1, static_cast<int64_t>(count)));
}

// Half formats count and add in f32.
void arange_of_base(Recipe& b) {
  const double start = b.f64(TN_ARANGE_START), stop = b.f64(TN_ARANGE_STOP),
               step = b.f64(TN_ARANGE_STEP);
  const auto n = static_cast<int64_t>(std::max(std::ceil((stop - start) / step), 0.0));
  const tn_dtype t = b.type(TN_ARANGE_DTYPE);
  const tn_dtype counted = kind_of(t) == kInt ? TN_DTYPE_I64 : is_half(t) ? TN_DTYPE_F32 : t;
  b.set(0, cast(b.iota(Dims(1, n), 0, counted) * step + start, t));
}

}  // namespace

const OpRules rules_iota = {TN_OP_IOTA, rule<iota_rule>, nullptr, nullptr, "it has no inputs"};
const OpRules rules_arange = {TN_OP_ARANGE, rule<arange_rule>, recipe<arange_of_base>, nullptr,
                              "it has no inputs"};
const OpRules rules_fill = {TN_OP_FILL, rule<fill_rule>, nullptr, recipe<d_fill>, nullptr};

}  // namespace tenon::ops
