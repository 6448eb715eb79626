// matmul_integer, conv_integer, qlinear_matmul, qlinear_conv: products of u8 and i8 numbers, added
// up in i32, which wraps.
#include "conv.hpp"
#include "matmul.hpp"
#include "quantize.hpp"

namespace tenon::ops {
namespace {

tn_error* require_byte(const Infer& c, uint32_t i, const char* name) {
  if (is_byte(c.dtype(i)) && !c.weak(i)) return nullptr;
  return c.error("{} is {}; it must be u8 or i8", name, c.text(i));
}

// What input i says about the numbers of input `of`: a scalar, or [size] along `axis` of it. Where
// that is one of the last two, each matrix of a batch may have its own, with size 1 along the other.
tn_error* check_parameter(const Infer& c, uint32_t i, const char* name, uint32_t of,
                          const char* of_name, uint32_t axis) {
  const uint32_t n = c.rank(i);
  bool fits = n <= 1 || (n == c.rank(of) && axis + 2 >= n);
  for (uint32_t a = 0; fits && a < n; ++a) {
    const uint32_t at = n == 1 ? axis : a;
    const bool single = n > 1 && a + 2 >= n && a != axis;
    fits = c.same(c.dim(i, a), 1) || (!single && !c.differ(c.dim(i, a), c.dim(of, at)));
  }
  if (fits) return nullptr;
  return c.error("{} is {}; for {}, {}, it must be a scalar, or have an entry per place of axis {}",
                 name, c.text(i), of_name, c.text(of), axis);
}
tn_error* check_zero(const Infer& c, uint32_t i, const char* name, uint32_t of, const char* of_name,
                     uint32_t axis) {
  if (!c.has(i)) return nullptr;
  if (c.weak(i) && kind_of(c.dtype(i)) == kInt)
    c.cast(i, c.dtype(of));
  else if (c.dtype(i) != c.dtype(of))
    return c.error("{} is {}; it must be {}, as {}", name, c.text(i), tn_dtype_name(c.dtype(of)),
                   of_name);
  return check_parameter(c, i, name, of, of_name, axis);
}

// A parameter beside a tensor of rank `rank` for the places along its axis.
Value beside(Value v, uint32_t axis, uint32_t rank) {
  return v.rank() == 1 ? along(v, axis, rank) : v;
}

// Input i without its zero point, in i32.
Value centred(const Recipe& b, uint32_t i, uint32_t zero, uint32_t axis) {
  const Value x = cast(b.in(i), TN_DTYPE_I32);
  return b.in(zero) ? x - beside(cast(b.in(zero), TN_DTYPE_I32), axis, x.rank()) : x;
}

// The sum of a product as the numbers of the result: times both scales, by its own one.
void set_scaled(const Recipe& b, Value sum, Value scale, Value y_scale, Value y_zero) {
  const Value factor = scale / y_scale, zero = cast(y_zero, TN_DTYPE_F32);
  b.set(0, to_byte(round(cast(sum, TN_DTYPE_F32) * factor) + zero, y_zero.dtype()));
}
Value single_scale(const Recipe& b, uint32_t i) { return typed(b.in(i), TN_DTYPE_F32); }

// ---- products of matrices

tn_error* matmul_integer_rule(Infer& c) {
  TN_TRY(require_byte(c, 0, "a"));
  TN_TRY(require_byte(c, 1, "b"));
  Dims to;
  TN_TRY(matmul_dims(c, 0, 1, false, false, &to));
  TN_TRY(check_zero(c, 2, "a_zero_point", 0, "a", c.rank(0) - 2));
  TN_TRY(check_zero(c, 3, "b_zero_point", 1, "b", c.rank(1) - 1));
  return c.out(0, TN_DTYPE_I32, to);
}

Value product(const Recipe& b, uint32_t x, uint32_t x_zero, uint32_t w, uint32_t w_zero) {
  return matmul(centred(b, x, x_zero, b.in(x).rank() - 2),
                centred(b, w, w_zero, b.in(w).rank() - 1));
}
void matmul_integer_of_base(Recipe& b) { b.set(0, product(b, 0, 2, 1, 3)); }

// The inputs of qlinear_matmul and qlinear_conv.
constexpr uint32_t kX = 0, kXScale = 1, kXZero = 2, kW = 3, kWScale = 4, kWZero = 5, kYScale = 6,
                   kYZero = 7, kBias = 8;

tn_error* require_scale(const Infer& c, uint32_t i, const char* name) {
  if (kind_of(c.dtype(i)) != kFloat)
    return c.error("{} is {}; it must be floating point", name, c.text(i));
  c.cast(i, TN_DTYPE_F32);
  return nullptr;
}

// Scale and zero point of the result: a scalar, or, of a matrix (`rows` is not -1), one per row.
tn_error* check_result(const Infer& c, int64_t rows) {
  TN_TRY(require_scale(c, kYScale, "y_scale"));
  TN_TRY(require_byte(c, kYZero, "y_zero_point"));
  for (const uint32_t i : {kYScale, kYZero}) {
    if (c.rank(i) == 0) continue;
    const int64_t size = c.dim(i, 0);
    if (c.rank(i) == 1 && (c.same(size, 1) || (rows != -1 && !c.differ(size, rows)))) continue;
    return c.error("{} is {}; it must be a scalar{}", i == kYScale ? "y_scale" : "y_zero_point",
                   c.text(i), rows == -1 ? "" : ", or have an entry for each row of the result");
  }
  return nullptr;
}

tn_error* qlinear_matmul_rule(Infer& c) {
  TN_TRY(require_byte(c, kX, "a"));
  TN_TRY(require_byte(c, kW, "b"));
  Dims to;
  TN_TRY(matmul_dims(c, kX, kW, false, false, &to));
  const uint32_t rows = c.rank(kX) - 2, columns = c.rank(kW) - 1;
  TN_TRY(require_scale(c, kXScale, "a_scale"));
  TN_TRY(check_parameter(c, kXScale, "a_scale", kX, "a", rows));
  TN_TRY(check_zero(c, kXZero, "a_zero_point", kX, "a", rows));
  TN_TRY(require_scale(c, kWScale, "b_scale"));
  TN_TRY(check_parameter(c, kWScale, "b_scale", kW, "b", columns));
  TN_TRY(check_zero(c, kWZero, "b_zero_point", kW, "b", columns));
  TN_TRY(check_result(c, to[to.n - 2]));
  return c.out(0, c.dtype(kYZero), to);
}

void qlinear_matmul_of_base(Recipe& b) {
  const Value sum = product(b, kX, kXZero, kW, kWZero);
  const uint32_t n = sum.rank();
  const Value scale =
      beside(single_scale(b, kXScale), n - 2, n) * beside(single_scale(b, kWScale), n - 1, n);
  set_scaled(b, sum, scale, beside(single_scale(b, kYScale), n - 2, n),
             beside(b.in(kYZero), n - 2, n));
}

// ---- convolutions

struct Keys {
  uint32_t stride, low, high, dilation, groups;
};
constexpr Keys kInteger = {TN_CONV_INTEGER_STRIDE, TN_CONV_INTEGER_LOW, TN_CONV_INTEGER_HIGH,
                           TN_CONV_INTEGER_DILATION, TN_CONV_INTEGER_GROUPS};
constexpr Keys kQLinear = {TN_QLINEAR_CONV_STRIDE, TN_QLINEAR_CONV_LOW, TN_QLINEAR_CONV_HIGH,
                           TN_QLINEAR_CONV_DILATION, TN_QLINEAR_CONV_GROUPS};

template <class Source>
ConvSpec spec_of(const Source& c, const Keys& k, uint32_t n) {
  return {list_or(c.list(k.stride), n, 1),   list_or(c.list(k.low), n, 0),
          list_or(c.list(k.high), n, 0),     Dims(n, 1),
          list_or(c.list(k.dilation), n, 1), c.i64(k.groups)};
}

// x and w at these inputs.
tn_error* convolved_dims(const Infer& c, const Keys& k, uint32_t x, uint32_t w, Dims* out) {
  TN_TRY(require_byte(c, x, "x"));
  TN_TRY(require_byte(c, w, "w"));
  if (c.rank(x) < 3)
    return c.error("x is {}; it must have rank 3 or more: [N, C, spatial...]", c.text(x));
  TN_TRY(c.require_rank(w, "w", c.rank(x), "[O, C / groups, spatial...], the rank of x"));
  const uint32_t n = c.rank(x) - 2;
  TN_TRY(c.length(k.stride, "stride", n, true));
  TN_TRY(c.length(k.low, "low", n, true));
  TN_TRY(c.length(k.high, "high", n, true));
  TN_TRY(c.length(k.dilation, "dilation", n, true));
  TN_TRY(c.within(k.stride, "stride", 1, INT32_MAX));
  TN_TRY(c.within(k.low, "low", -INT32_MAX, INT32_MAX));
  TN_TRY(c.within(k.high, "high", -INT32_MAX, INT32_MAX));
  TN_TRY(c.within(k.dilation, "dilation", 1, INT32_MAX));
  TN_TRY(c.within(k.groups, "groups", 1, INT32_MAX));
  return conv_dims(c, x, w, spec_of(c, k, n), out);
}

tn_error* conv_integer_rule(Infer& c) {
  Dims to;
  TN_TRY(convolved_dims(c, kInteger, 0, 1, &to));
  if (c.has(2)) TN_TRY(c.require_scalar(2, "x_zero_point"));
  TN_TRY(check_zero(c, 2, "x_zero_point", 0, "x", 1));
  TN_TRY(check_zero(c, 3, "w_zero_point", 1, "w", 0));
  return c.out(0, TN_DTYPE_I32, to);
}

// Padding stands for 0, as the zero point does.
Value convolution(const Recipe& b, const Keys& k, uint32_t x, uint32_t x_zero, uint32_t w,
                  uint32_t w_zero) {
  const Value image = centred(b, x, x_zero, 1);
  return conv(image, centred(b, w, w_zero, 0), spec_of(b, k, image.rank() - 2));
}
void conv_integer_of_base(Recipe& b) { b.set(0, convolution(b, kInteger, 0, 2, 1, 3)); }

tn_error* qlinear_conv_rule(Infer& c) {
  Dims to;
  TN_TRY(convolved_dims(c, kQLinear, kX, kW, &to));
  TN_TRY(require_scale(c, kXScale, "x_scale"));
  TN_TRY(c.require_scalar(kXScale, "x_scale"));
  TN_TRY(c.require_scalar(kXZero, "x_zero_point"));
  TN_TRY(check_zero(c, kXZero, "x_zero_point", kX, "x", 1));
  TN_TRY(require_scale(c, kWScale, "w_scale"));
  TN_TRY(check_parameter(c, kWScale, "w_scale", kW, "w", 0));
  TN_TRY(check_zero(c, kWZero, "w_zero_point", kW, "w", 0));
  TN_TRY(check_result(c, -1));
  if (c.has(kBias) &&
      (c.dtype(kBias) != TN_DTYPE_I32 || c.rank(kBias) != 1 || c.differ(c.dim(kBias, 0), to[1])))
    return c.error("bias is {}; for w, {}, it must be i32[{}]", c.text(kBias), c.text(kW),
                   dim_text(to[1]));
  return c.out(0, c.dtype(kYZero), to);
}

void qlinear_conv_of_base(Recipe& b) {
  Value sum = convolution(b, kQLinear, kX, kXZero, kW, kWZero);
  const uint32_t n = sum.rank();
  if (b.in(kBias)) sum = sum + along(b.in(kBias), 1, n);
  const Value scale = single_scale(b, kWScale);
  set_scaled(b, sum, single_scale(b, kXScale) * beside(scale, 1, n), single_scale(b, kYScale),
             b.in(kYZero));
}

constexpr const char* kIntegers = "its inputs are integers";
constexpr const char* kSteps = "the result is an integer";

}  // namespace

const OpRules rules_matmul_integer = {TN_OP_MATMUL_INTEGER, rule<matmul_integer_rule>,
                                      recipe<matmul_integer_of_base>, nullptr, kIntegers};
const OpRules rules_conv_integer = {TN_OP_CONV_INTEGER, rule<conv_integer_rule>,
                                    recipe<conv_integer_of_base>, nullptr, kIntegers};
const OpRules rules_qlinear_matmul = {TN_OP_QLINEAR_MATMUL, rule<qlinear_matmul_rule>,
                                      recipe<qlinear_matmul_of_base>, nullptr, kSteps};
const OpRules rules_qlinear_conv = {TN_OP_QLINEAR_CONV, rule<qlinear_conv_rule>,
                                    recipe<qlinear_conv_of_base>, nullptr, kSteps};

}  // namespace tenon::ops
