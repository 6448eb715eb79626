// quantize_linear and dequantize_linear, to and from u8 and i8: of the whole tensor, or with a scale
// for each place along an axis. dynamic_quantize_linear finds the scale itself.
#include "quantize.hpp"

namespace tenon::ops {

bool is_byte(tn_dtype t) { return t == TN_DTYPE_U8 || t == TN_DTYPE_I8; }

Value to_byte(Value rounded, tn_dtype to) {
  const double low = is_unsigned(to) ? 0 : -128;
  return cast(maximum(minimum(rounded, low + 255), low), to);
}

namespace {

static_assert(TN_QUANTIZE_LINEAR_AXIS == TN_DEQUANTIZE_LINEAR_AXIS);
constexpr uint32_t kAxis = TN_QUANTIZE_LINEAR_AXIS;

// scale is a scalar or lies along the axis, and zero_point, of dtype t, has its dims.
tn_error* check_scale(const Infer& c, tn_dtype t) {
  if (c.rank(1) > 1)
    return c.error("scale is {}; it must be a scalar, or [C] along an axis", c.text(1));
  if (c.rank(1) == 1) {
    uint32_t axis = 0;
    TN_TRY(c.axis(c.i64(kAxis), c.rank(0), &axis));
    if (c.differ(c.dim(1, 0), c.dim(0, axis)))
      return c.error("scale is {}; for axis {} of x, {}, it must be [{}]", c.text(1), axis,
                     c.text(0), dim_text(c.dim(0, axis)));
  }
  if (!c.has(2)) return nullptr;
  if (c.weak(2) && kind_of(c.dtype(2)) == kInt)
    c.cast(2, t);
  else if (c.dtype(2) != t)
    return c.error("zero_point is {}; it must be {}", c.text(2), tn_dtype_name(t));
  if (c.rank(2) != c.rank(1) || (c.rank(2) == 1 && c.differ(c.dim(2, 0), c.dim(1, 0))))
    return c.error("zero_point is {}; it must have the dims of scale, {}", c.text(2), c.text(1));
  return nullptr;
}

// scale or zero_point beside x.
Value beside(const Recipe& b, Value v) {
  const uint32_t n = b.in(0).rank();
  return v.rank() == 0 ? v : along(v, axis_of(b.i64(kAxis), n), n);
}

tn_error* quantize_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat, &t));
  const tn_dtype to = c.type(TN_QUANTIZE_LINEAR_DTYPE);
  if (!is_byte(to)) return c.error("dtype is {}; it must be u8 or i8", tn_dtype_name(to));
  TN_TRY(check_scale(c, to));
  return c.out(0, to, c.dims(0));
}

void quantize_of_base(Recipe& b) {
  const tn_dtype to = b.type(TN_QUANTIZE_LINEAR_DTYPE);
  const Value x = wide(b.in(0));
  Value y = round(x / beside(b, wide(b.in(1))));
  if (b.in(2)) y = y + beside(b, cast(b.in(2), x.dtype()));
  b.set(0, to_byte(y, to));
}

tn_error* dequantize_rule(Infer& c) {
  if (!is_byte(c.dtype(0)) || c.weak(0)) return c.error("x is {}; it must be u8 or i8", c.text(0));
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(1, "scale", kFloat, &t));
  TN_TRY(check_scale(c, c.dtype(0)));
  return c.out(0, t, c.dims(0));
}

// x - zero_point, in numbers of dtype t.
Value steps_of(const Recipe& b, tn_dtype t) {
  const Value x = cast(b.in(0), t);
  return b.in(2) ? x - beside(b, cast(b.in(2), t)) : x;
}

void dequantize_of_base(Recipe& b) {
  const Value scale = wide(b.in(1));
  b.set(0, cast(steps_of(b, scale.dtype()) * beside(b, scale), b.in(1).dtype()));
}
void d_dequantize(Recipe& b) {
  if (!b.wants(1)) return;
  const Value each = wide(b.g()) * steps_of(b, wide(b.in(1)).dtype());
  const uint32_t n = each.rank();
  const uint32_t kept = b.in(1).rank() == 0 ? 0 : 1u << axis_of(b.i64(kAxis), n);
  b.set(1, sum(each, each.all_axes() & ~kept, false));
}

// ---- dynamic_quantize_linear: steps from the least to the greatest element, 0 among them

tn_error* dynamic_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat, &t));
  if (is_half(t)) return c.error("x is {}; it must be f32 or f64", c.text(0));
  TN_TRY(c.out(0, TN_DTYPE_U8, c.dims(0)));
  TN_TRY(c.out(1, t, Dims()));
  return c.out(2, TN_DTYPE_U8, Dims());
}

// Elements that are all 0 have the scale 1.
void dynamic_of_base(Recipe& b) {
  const Value x = typed(b.in(0), b.in(0).dtype());
  Value low = b.fill(0, Dims(), x.dtype()), high = low;
  if (!known_empty(x.dims())) {
    low = minimum(-max(-x, x.all_axes(), false), 0);
    high = maximum(max(x, x.all_axes(), false), 0);
  }
  const Value range = (high - low) / 255;
  const Value scale = where(eq(range, 0), 1, range);
  const Value zero = round(-low / scale);
  b.set(0, to_byte(round(x / scale) + zero, TN_DTYPE_U8));
  b.set(1, scale);
  b.set(2, to_byte(zero, TN_DTYPE_U8));
}

}  // namespace

const OpRules rules_dynamic_quantize_linear = {TN_OP_DYNAMIC_QUANTIZE_LINEAR, rule<dynamic_rule>,
                                               recipe<dynamic_of_base>, nullptr,
                                               "the result is an integer"};
const OpRules rules_quantize_linear = {TN_OP_QUANTIZE_LINEAR, rule<quantize_rule>,
                                       recipe<quantize_of_base>, nullptr,
                                       "the result is an integer"};
const OpRules rules_dequantize_linear = {TN_OP_DEQUANTIZE_LINEAR, rule<dequantize_rule>,
                                         recipe<dequantize_of_base>, recipe<d_dequantize>, nullptr};

}  // namespace tenon::ops
