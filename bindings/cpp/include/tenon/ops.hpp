// Made by tools/gen_ops.py from ops.def. One function per op; each comment is the op's schema, docs/ops.md says what it
// computes. An optional input may be left empty. Where an Operand stands, a number will do: at least one must be a tensor.
#pragma once
#include "tenon/op_ids.h"
#include "tenon/tensor.hpp"

namespace tenon {

// neg(x) -> y
inline Tensor neg(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_NEG, inputs, 1, nullptr, 0);
}

// abs(x) -> y
inline Tensor abs(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ABS, inputs, 1, nullptr, 0);
}

// floor(x) -> y
inline Tensor floor(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_FLOOR, inputs, 1, nullptr, 0);
}

// ceil(x) -> y
inline Tensor ceil(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_CEIL, inputs, 1, nullptr, 0);
}

// round(x) -> y
inline Tensor round(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ROUND, inputs, 1, nullptr, 0);
}

// exp(x) -> y
inline Tensor exp(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_EXP, inputs, 1, nullptr, 0);
}

// expm1(x) -> y
inline Tensor expm1(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_EXPM1, inputs, 1, nullptr, 0);
}

// log(x) -> y
inline Tensor log(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_LOG, inputs, 1, nullptr, 0);
}

// log1p(x) -> y
inline Tensor log1p(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_LOG1P, inputs, 1, nullptr, 0);
}

// sqrt(x) -> y
inline Tensor sqrt(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_SQRT, inputs, 1, nullptr, 0);
}

// rsqrt(x) -> y
inline Tensor rsqrt(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_RSQRT, inputs, 1, nullptr, 0);
}

// sin(x) -> y
inline Tensor sin(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_SIN, inputs, 1, nullptr, 0);
}

// cos(x) -> y
inline Tensor cos(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_COS, inputs, 1, nullptr, 0);
}

// tanh(x) -> y
inline Tensor tanh(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_TANH, inputs, 1, nullptr, 0);
}

// erf(x) -> y
inline Tensor erf(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ERF, inputs, 1, nullptr, 0);
}

// not(x) -> y
inline Tensor not_(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_NOT, inputs, 1, nullptr, 0);
}

// cast(x, *, dtype: dtype) -> y
inline Tensor cast(const Tensor& x, tn_dtype dtype) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_dtype(TN_CAST_DTYPE, dtype));
  return detail::call(ctx, TN_OP_CAST, inputs, 1, attrs.items, attrs.n);
}

// bitcast(x, *, dtype: dtype) -> y
inline Tensor bitcast(const Tensor& x, tn_dtype dtype) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_dtype(TN_BITCAST_DTYPE, dtype));
  return detail::call(ctx, TN_OP_BITCAST, inputs, 1, attrs.items, attrs.n);
}

// add(a, b) -> y
inline Tensor add(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_ADD, inputs, 2, nullptr, 0);
}

// sub(a, b) -> y
inline Tensor sub(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_SUB, inputs, 2, nullptr, 0);
}

// mul(a, b) -> y
inline Tensor mul(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_MUL, inputs, 2, nullptr, 0);
}

// div(a, b) -> y
inline Tensor div(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_DIV, inputs, 2, nullptr, 0);
}

// rem(a, b) -> y
inline Tensor rem(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_REM, inputs, 2, nullptr, 0);
}

// pow(a, b) -> y
inline Tensor pow(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_POW, inputs, 2, nullptr, 0);
}

// atan2(a, b) -> y
inline Tensor atan2(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_ATAN2, inputs, 2, nullptr, 0);
}

// maximum(a, b) -> y
inline Tensor maximum(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_MAXIMUM, inputs, 2, nullptr, 0);
}

// minimum(a, b) -> y
inline Tensor minimum(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_MINIMUM, inputs, 2, nullptr, 0);
}

// and(a, b) -> y
inline Tensor and_(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_AND, inputs, 2, nullptr, 0);
}

// or(a, b) -> y
inline Tensor or_(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_OR, inputs, 2, nullptr, 0);
}

// xor(a, b) -> y
inline Tensor xor_(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_XOR, inputs, 2, nullptr, 0);
}

// shl(a, b) -> y
inline Tensor shl(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_SHL, inputs, 2, nullptr, 0);
}

// shr(a, b) -> y
inline Tensor shr(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_SHR, inputs, 2, nullptr, 0);
}

// eq(a, b) -> y
inline Tensor eq(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_EQ, inputs, 2, nullptr, 0);
}

// lt(a, b) -> y
inline Tensor lt(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_LT, inputs, 2, nullptr, 0);
}

// le(a, b) -> y
inline Tensor le(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_LE, inputs, 2, nullptr, 0);
}

// where(condition, a, b) -> y
inline Tensor where(const Operand& condition, const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({condition.context(), a.context(), b.context()});
  tn_tensor* const inputs[] = {condition.resolve(ctx), a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_WHERE, inputs, 3, nullptr, 0);
}

// copy(x) -> y
inline Tensor copy(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_COPY, inputs, 1, nullptr, 0);
}

// reshape(x, *, dims: i64s) -> y
inline Tensor reshape(const Tensor& x, const Dims& dims) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_RESHAPE_DIMS, dims.data(), dims.size()));
  return detail::call(ctx, TN_OP_RESHAPE, inputs, 1, attrs.items, attrs.n);
}

// expand(x, *, dims: i64s) -> y
inline Tensor expand(const Tensor& x, const Dims& dims) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_EXPAND_DIMS, dims.data(), dims.size()));
  return detail::call(ctx, TN_OP_EXPAND, inputs, 1, attrs.items, attrs.n);
}

// transpose(x, *, perm: i64s) -> y
inline Tensor transpose(const Tensor& x, const Dims& perm) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_TRANSPOSE_PERM, perm.data(), perm.size()));
  return detail::call(ctx, TN_OP_TRANSPOSE, inputs, 1, attrs.items, attrs.n);
}

struct SliceOptions {
  Dims steps = {};
};
// slice(x, *, starts: i64s, stops: i64s, steps: i64s = []) -> y
inline Tensor slice(const Tensor& x, const Dims& starts, const Dims& stops, const SliceOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64s(TN_SLICE_STARTS, starts.data(), starts.size()));
  attrs.add(tn_attr_i64s(TN_SLICE_STOPS, stops.data(), stops.size()));
  if (!options.steps.empty()) attrs.add(tn_attr_i64s(TN_SLICE_STEPS, options.steps.data(), options.steps.size()));
  return detail::call(ctx, TN_OP_SLICE, inputs, 1, attrs.items, attrs.n);
}

struct PadOptions {
  Dims interior = {};
};
// pad(x, value?, *, low: i64s, high: i64s, interior: i64s = []) -> y
inline Tensor pad(const Tensor& x, const Operand& value, const Dims& low, const Dims& high, const PadOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), value.context()});
  tn_tensor* const inputs[] = {x.get(), value.resolve(ctx)};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64s(TN_PAD_LOW, low.data(), low.size()));
  attrs.add(tn_attr_i64s(TN_PAD_HIGH, high.data(), high.size()));
  if (!options.interior.empty()) attrs.add(tn_attr_i64s(TN_PAD_INTERIOR, options.interior.data(), options.interior.size()));
  return detail::call(ctx, TN_OP_PAD, inputs, 2, attrs.items, attrs.n);
}

struct ConcatOptions {
  int64_t axis = 0;
};
// concat(xs..., *, axis: i64 = 0) -> y
inline Tensor concat(const std::vector<Tensor>& xs, const ConcatOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({xs.empty() ? nullptr : xs[0].context()});
  const std::vector<tn_tensor*> inputs = detail::handles(xs);
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_CONCAT_AXIS, options.axis));
  return detail::call(ctx, TN_OP_CONCAT, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.items, attrs.n);
}

// flip(x, *, axes: i64s) -> y
inline Tensor flip(const Tensor& x, const Dims& axes) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_FLIP_AXES, axes.data(), axes.size()));
  return detail::call(ctx, TN_OP_FLIP, inputs, 1, attrs.items, attrs.n);
}

struct GatherOptions {
  int64_t axis = 0;
};
// gather(x, indices, *, axis: i64 = 0) -> y
inline Tensor gather(const Tensor& x, const Tensor& indices, const GatherOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), indices.context()});
  tn_tensor* const inputs[] = {x.get(), indices.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_GATHER_AXIS, options.axis));
  return detail::call(ctx, TN_OP_GATHER, inputs, 2, attrs.items, attrs.n);
}

struct ScatterOptions {
  int64_t axis = 0;
  std::string_view mode = "set";
};
// scatter(x, indices, updates, *, axis: i64 = 0, mode: string = 'set') -> y
inline Tensor scatter(const Tensor& x, const Tensor& indices, const Tensor& updates, const ScatterOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), indices.context(), updates.context()});
  tn_tensor* const inputs[] = {x.get(), indices.get(), updates.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_SCATTER_AXIS, options.axis));
  attrs.add(tn_attr_string(TN_SCATTER_MODE, to_str(options.mode)));
  return detail::call(ctx, TN_OP_SCATTER, inputs, 3, attrs.items, attrs.n);
}

struct IotaOptions {
  int64_t axis = 0;
  tn_dtype dtype = TN_DTYPE_I64;
};
// iota(*, dims: i64s, axis: i64 = 0, dtype: dtype = i64) -> y
inline Tensor iota(const Context& cx, const Dims& dims, const IotaOptions& options = {}) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64s(TN_IOTA_DIMS, dims.data(), dims.size()));
  attrs.add(tn_attr_i64(TN_IOTA_AXIS, options.axis));
  attrs.add(tn_attr_dtype(TN_IOTA_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_IOTA, nullptr, 0, attrs.items, attrs.n);
}

struct FillOptions {
  tn_dtype dtype = TN_DTYPE_F32;
};
// fill(value, *, dims: i64s, dtype: dtype = f32) -> y
inline Tensor fill(const Context& cx, const Operand& value, const Dims& dims, const FillOptions& options = {}) {
  tn_ctx* const ctx = cx.get();
  tn_tensor* const inputs[] = {value.resolve(ctx)};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64s(TN_FILL_DIMS, dims.data(), dims.size()));
  attrs.add(tn_attr_dtype(TN_FILL_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_FILL, inputs, 1, attrs.items, attrs.n);
}

struct SumOptions {
  Dims axes = {};
  bool keepdims = false;
};
// sum(x, *, axes: i64s = [], keepdims: bool = 0) -> y
inline Tensor sum(const Tensor& x, const SumOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_SUM_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_SUM_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_SUM, inputs, 1, attrs.items, attrs.n);
}

struct ProdOptions {
  Dims axes = {};
  bool keepdims = false;
};
// prod(x, *, axes: i64s = [], keepdims: bool = 0) -> y
inline Tensor prod(const Tensor& x, const ProdOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_PROD_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_PROD_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_PROD, inputs, 1, attrs.items, attrs.n);
}

struct MaxOptions {
  Dims axes = {};
  bool keepdims = false;
};
// max(x, *, axes: i64s = [], keepdims: bool = 0) -> y
inline Tensor max(const Tensor& x, const MaxOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_MAX_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_MAX_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_MAX, inputs, 1, attrs.items, attrs.n);
}

struct MinOptions {
  Dims axes = {};
  bool keepdims = false;
};
// min(x, *, axes: i64s = [], keepdims: bool = 0) -> y
inline Tensor min(const Tensor& x, const MinOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_MIN_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_MIN_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_MIN, inputs, 1, attrs.items, attrs.n);
}

struct ArgmaxOptions {
  int64_t axis = -1;
  bool keepdims = false;
};
// argmax(x, *, axis: i64 = -1, keepdims: bool = 0) -> y
inline Tensor argmax(const Tensor& x, const ArgmaxOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_ARGMAX_AXIS, options.axis));
  attrs.add(tn_attr_bool(TN_ARGMAX_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_ARGMAX, inputs, 1, attrs.items, attrs.n);
}

struct CumsumOptions {
  int64_t axis = 0;
  bool exclusive = false;
  bool reverse = false;
};
// cumsum(x, *, axis: i64 = 0, exclusive: bool = 0, reverse: bool = 0) -> y
inline Tensor cumsum(const Tensor& x, const CumsumOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64(TN_CUMSUM_AXIS, options.axis));
  attrs.add(tn_attr_bool(TN_CUMSUM_EXCLUSIVE, options.exclusive));
  attrs.add(tn_attr_bool(TN_CUMSUM_REVERSE, options.reverse));
  return detail::call(ctx, TN_OP_CUMSUM, inputs, 1, attrs.items, attrs.n);
}

struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};
// matmul(a, b, *, transpose_a: bool = 0, transpose_b: bool = 0) -> y
inline Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.get(), b.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_bool(TN_MATMUL_TRANSPOSE_A, options.transpose_a));
  attrs.add(tn_attr_bool(TN_MATMUL_TRANSPOSE_B, options.transpose_b));
  return detail::call(ctx, TN_OP_MATMUL, inputs, 2, attrs.items, attrs.n);
}

struct ConvOptions {
  Dims stride = {};
  Dims low = {};
  Dims high = {};
  Dims lhs_dilation = {};
  Dims rhs_dilation = {};
  int64_t groups = 1;
};
// conv(x, w, *, stride: i64s = [], low: i64s = [], high: i64s = [], lhs_dilation: i64s = [], rhs_dilation: i64s = [], groups: i64 = 1) -> y
inline Tensor conv(const Tensor& x, const Tensor& w, const ConvOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context()});
  tn_tensor* const inputs[] = {x.get(), w.get()};
  detail::AttrList<6> attrs;
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.low.empty()) attrs.add(tn_attr_i64s(TN_CONV_LOW, options.low.data(), options.low.size()));
  if (!options.high.empty()) attrs.add(tn_attr_i64s(TN_CONV_HIGH, options.high.data(), options.high.size()));
  if (!options.lhs_dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV_LHS_DILATION, options.lhs_dilation.data(), options.lhs_dilation.size()));
  if (!options.rhs_dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV_RHS_DILATION, options.rhs_dilation.data(), options.rhs_dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV, inputs, 2, attrs.items, attrs.n);
}

struct WindowReduceOptions {
  Dims stride = {};
  Dims low = {};
  Dims high = {};
  Dims dilation = {};
  std::string_view mode = "max";
};
// window_reduce(x, *, window: i64s, stride: i64s = [], low: i64s = [], high: i64s = [], dilation: i64s = [], mode: string = 'max') -> y
inline Tensor window_reduce(const Tensor& x, const Dims& window, const WindowReduceOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<6> attrs;
  attrs.add(tn_attr_i64s(TN_WINDOW_REDUCE_WINDOW, window.data(), window.size()));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_WINDOW_REDUCE_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.low.empty()) attrs.add(tn_attr_i64s(TN_WINDOW_REDUCE_LOW, options.low.data(), options.low.size()));
  if (!options.high.empty()) attrs.add(tn_attr_i64s(TN_WINDOW_REDUCE_HIGH, options.high.data(), options.high.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_WINDOW_REDUCE_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_string(TN_WINDOW_REDUCE_MODE, to_str(options.mode)));
  return detail::call(ctx, TN_OP_WINDOW_REDUCE, inputs, 1, attrs.items, attrs.n);
}

struct WindowScatterOptions {
  Dims stride = {};
  Dims low = {};
  Dims high = {};
  Dims dilation = {};
};
// window_scatter(x, g, *, window: i64s, stride: i64s = [], low: i64s = [], high: i64s = [], dilation: i64s = []) -> y
inline Tensor window_scatter(const Tensor& x, const Tensor& g, const Dims& window, const WindowScatterOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), g.context()});
  tn_tensor* const inputs[] = {x.get(), g.get()};
  detail::AttrList<5> attrs;
  attrs.add(tn_attr_i64s(TN_WINDOW_SCATTER_WINDOW, window.data(), window.size()));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_WINDOW_SCATTER_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.low.empty()) attrs.add(tn_attr_i64s(TN_WINDOW_SCATTER_LOW, options.low.data(), options.low.size()));
  if (!options.high.empty()) attrs.add(tn_attr_i64s(TN_WINDOW_SCATTER_HIGH, options.high.data(), options.high.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_WINDOW_SCATTER_DILATION, options.dilation.data(), options.dilation.size()));
  return detail::call(ctx, TN_OP_WINDOW_SCATTER, inputs, 2, attrs.items, attrs.n);
}

struct SortOptions {
  int64_t axis = -1;
  bool descending = false;
};
struct SortResult {
  Tensor sorted_keys, sorted_values;
};
// sort(keys, values, *, axis: i64 = -1, descending: bool = 0) -> sorted_keys, sorted_values
inline SortResult sort(const Tensor& keys, const Tensor& values, const SortOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({keys.context(), values.context()});
  tn_tensor* const inputs[] = {keys.get(), values.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_SORT_AXIS, options.axis));
  attrs.add(tn_attr_bool(TN_SORT_DESCENDING, options.descending));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_SORT, inputs, 2, attrs.items, attrs.n, 2);
  return {std::move(results[0]), std::move(results[1])};
}

// philox(*, dims: i64s) -> bits
inline Tensor philox(const Context& cx, const Dims& dims) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_PHILOX_DIMS, dims.data(), dims.size()));
  return detail::call(ctx, TN_OP_PHILOX, nullptr, 0, attrs.items, attrs.n);
}

// ne(a, b) -> y
inline Tensor ne(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_NE, inputs, 2, nullptr, 0);
}

// gt(a, b) -> y
inline Tensor gt(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_GT, inputs, 2, nullptr, 0);
}

// ge(a, b) -> y
inline Tensor ge(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_GE, inputs, 2, nullptr, 0);
}

// square(x) -> y
inline Tensor square(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_SQUARE, inputs, 1, nullptr, 0);
}

// reciprocal(x) -> y
inline Tensor reciprocal(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_RECIPROCAL, inputs, 1, nullptr, 0);
}

// sign(x) -> y
inline Tensor sign(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_SIGN, inputs, 1, nullptr, 0);
}

// relu(x) -> y
inline Tensor relu(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_RELU, inputs, 1, nullptr, 0);
}

// sigmoid(x) -> y
inline Tensor sigmoid(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_SIGMOID, inputs, 1, nullptr, 0);
}

// softplus(x) -> y
inline Tensor softplus(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_SOFTPLUS, inputs, 1, nullptr, 0);
}

struct GeluOptions {
  std::string_view approximate = "none";
};
// gelu(x, *, approximate: string = 'none') -> y
inline Tensor gelu(const Tensor& x, const GeluOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_GELU_APPROXIMATE, to_str(options.approximate)));
  return detail::call(ctx, TN_OP_GELU, inputs, 1, attrs.items, attrs.n);
}

// silu(x) -> y
inline Tensor silu(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_SILU, inputs, 1, nullptr, 0);
}

struct LeakyReluOptions {
  double slope = 0.01;
};
// leaky_relu(x, *, slope: f64 = 0.01) -> y
inline Tensor leaky_relu(const Tensor& x, const LeakyReluOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_f64(TN_LEAKY_RELU_SLOPE, options.slope));
  return detail::call(ctx, TN_OP_LEAKY_RELU, inputs, 1, attrs.items, attrs.n);
}

// clip(x, low?, high?) -> y
inline Tensor clip(const Operand& x, const Operand& low = {}, const Operand& high = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), low.context(), high.context()});
  tn_tensor* const inputs[] = {x.resolve(ctx), low.resolve(ctx), high.resolve(ctx)};
  return detail::call(ctx, TN_OP_CLIP, inputs, 3, nullptr, 0);
}

struct MeanOptions {
  Dims axes = {};
  bool keepdims = false;
};
// mean(x, *, axes: i64s = [], keepdims: bool = 0) -> y
inline Tensor mean(const Tensor& x, const MeanOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_MEAN_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_MEAN_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_MEAN, inputs, 1, attrs.items, attrs.n);
}

struct ArgminOptions {
  int64_t axis = -1;
  bool keepdims = false;
};
// argmin(x, *, axis: i64 = -1, keepdims: bool = 0) -> y
inline Tensor argmin(const Tensor& x, const ArgminOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_ARGMIN_AXIS, options.axis));
  attrs.add(tn_attr_bool(TN_ARGMIN_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_ARGMIN, inputs, 1, attrs.items, attrs.n);
}

struct LogsumexpOptions {
  Dims axes = {};
  bool keepdims = false;
};
// logsumexp(x, *, axes: i64s = [], keepdims: bool = 0) -> y
inline Tensor logsumexp(const Tensor& x, const LogsumexpOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_LOGSUMEXP_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_LOGSUMEXP_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_LOGSUMEXP, inputs, 1, attrs.items, attrs.n);
}

struct VarOptions {
  Dims axes = {};
  bool keepdims = false;
  double correction = 0.0;
};
// var(x, *, axes: i64s = [], keepdims: bool = 0, correction: f64 = 0.0) -> y
inline Tensor var(const Tensor& x, const VarOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<3> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_VAR_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_VAR_KEEPDIMS, options.keepdims));
  attrs.add(tn_attr_f64(TN_VAR_CORRECTION, options.correction));
  return detail::call(ctx, TN_OP_VAR, inputs, 1, attrs.items, attrs.n);
}

struct AnyOptions {
  Dims axes = {};
  bool keepdims = false;
};
// any(x, *, axes: i64s = [], keepdims: bool = 0) -> y
inline Tensor any(const Tensor& x, const AnyOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_ANY_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_ANY_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_ANY, inputs, 1, attrs.items, attrs.n);
}

struct AllOptions {
  Dims axes = {};
  bool keepdims = false;
};
// all(x, *, axes: i64s = [], keepdims: bool = 0) -> y
inline Tensor all(const Tensor& x, const AllOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_ALL_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_ALL_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_ALL, inputs, 1, attrs.items, attrs.n);
}

struct SqueezeOptions {
  Dims axes = {};
};
// squeeze(x, *, axes: i64s = []) -> y
inline Tensor squeeze(const Tensor& x, const SqueezeOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_SQUEEZE_AXES, options.axes.data(), options.axes.size()));
  return detail::call(ctx, TN_OP_SQUEEZE, inputs, 1, attrs.items, attrs.n);
}

// unsqueeze(x, *, axes: i64s) -> y
inline Tensor unsqueeze(const Tensor& x, const Dims& axes) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_UNSQUEEZE_AXES, axes.data(), axes.size()));
  return detail::call(ctx, TN_OP_UNSQUEEZE, inputs, 1, attrs.items, attrs.n);
}

struct StackOptions {
  int64_t axis = 0;
};
// stack(xs..., *, axis: i64 = 0) -> y
inline Tensor stack(const std::vector<Tensor>& xs, const StackOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({xs.empty() ? nullptr : xs[0].context()});
  const std::vector<tn_tensor*> inputs = detail::handles(xs);
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_STACK_AXIS, options.axis));
  return detail::call(ctx, TN_OP_STACK, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.items, attrs.n);
}

struct SplitOptions {
  int64_t axis = 0;
};
// split(x, *, sizes: i64s, axis: i64 = 0) -> ys
inline std::vector<Tensor> split(const Tensor& x, const Dims& sizes, const SplitOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64s(TN_SPLIT_SIZES, sizes.data(), sizes.size()));
  attrs.add(tn_attr_i64(TN_SPLIT_AXIS, options.axis));
  return detail::call_many(ctx, TN_OP_SPLIT, inputs, 1, attrs.items, attrs.n, sizes.size());
}

struct ScatterAddOptions {
  int64_t axis = 0;
};
// scatter_add(x, indices, updates, *, axis: i64 = 0) -> y
inline Tensor scatter_add(const Tensor& x, const Tensor& indices, const Tensor& updates, const ScatterAddOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), indices.context(), updates.context()});
  tn_tensor* const inputs[] = {x.get(), indices.get(), updates.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_SCATTER_ADD_AXIS, options.axis));
  return detail::call(ctx, TN_OP_SCATTER_ADD, inputs, 3, attrs.items, attrs.n);
}

struct OneHotOptions {
  tn_dtype dtype = TN_DTYPE_F32;
};
// one_hot(indices, *, depth: i64, dtype: dtype = f32) -> y
inline Tensor one_hot(const Tensor& indices, int64_t depth, const OneHotOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({indices.context()});
  tn_tensor* const inputs[] = {indices.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_ONE_HOT_DEPTH, depth));
  attrs.add(tn_attr_dtype(TN_ONE_HOT_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_ONE_HOT, inputs, 1, attrs.items, attrs.n);
}

// embedding(table, indices) -> y
inline Tensor embedding(const Tensor& table, const Tensor& indices) {
  tn_ctx* const ctx = detail::first_context({table.context(), indices.context()});
  tn_tensor* const inputs[] = {table.get(), indices.get()};
  return detail::call(ctx, TN_OP_EMBEDDING, inputs, 2, nullptr, 0);
}

struct Conv2dOptions {
  Dims stride = {};  // empty: [1, 1]
  Dims padding = {};  // empty: [0, 0]
  Dims dilation = {};  // empty: [1, 1]
  int64_t groups = 1;
};
// conv2d(x, w, bias?, *, stride: i64s = [1, 1], padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> y
inline Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias = {}, const Conv2dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), bias.get()};
  detail::AttrList<4> attrs;
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_PADDING, options.padding.data(), options.padding.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV2D_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV2D, inputs, 3, attrs.items, attrs.n);
}

struct Conv2dInputGradOptions {
  Dims stride = {};  // empty: [1, 1]
  Dims padding = {};  // empty: [0, 0]
  Dims dilation = {};  // empty: [1, 1]
  int64_t groups = 1;
};
// conv2d_input_grad(g, w, *, height: i64, width: i64, stride: i64s = [1, 1], padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> dx
inline Tensor conv2d_input_grad(const Tensor& g, const Tensor& w, int64_t height, int64_t width, const Conv2dInputGradOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({g.context(), w.context()});
  tn_tensor* const inputs[] = {g.get(), w.get()};
  detail::AttrList<6> attrs;
  attrs.add(tn_attr_i64(TN_CONV2D_INPUT_GRAD_HEIGHT, height));
  attrs.add(tn_attr_i64(TN_CONV2D_INPUT_GRAD_WIDTH, width));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_INPUT_GRAD_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_INPUT_GRAD_PADDING, options.padding.data(), options.padding.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_INPUT_GRAD_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV2D_INPUT_GRAD_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV2D_INPUT_GRAD, inputs, 2, attrs.items, attrs.n);
}

struct Conv2dWeightGradOptions {
  Dims stride = {};  // empty: [1, 1]
  Dims padding = {};  // empty: [0, 0]
  Dims dilation = {};  // empty: [1, 1]
  int64_t groups = 1;
};
// conv2d_weight_grad(g, x, *, height: i64, width: i64, stride: i64s = [1, 1], padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> dw
inline Tensor conv2d_weight_grad(const Tensor& g, const Tensor& x, int64_t height, int64_t width, const Conv2dWeightGradOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({g.context(), x.context()});
  tn_tensor* const inputs[] = {g.get(), x.get()};
  detail::AttrList<6> attrs;
  attrs.add(tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_HEIGHT, height));
  attrs.add(tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_WIDTH, width));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_WEIGHT_GRAD_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_WEIGHT_GRAD_PADDING, options.padding.data(), options.padding.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_WEIGHT_GRAD_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV2D_WEIGHT_GRAD, inputs, 2, attrs.items, attrs.n);
}

struct MaxPool2dOptions {
  Dims stride = {};
  Dims padding = {};  // empty: [0, 0]
};
// max_pool2d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0, 0]) -> y
inline Tensor max_pool2d(const Tensor& x, const Dims& window, const MaxPool2dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64s(TN_MAX_POOL2D_WINDOW, window.data(), window.size()));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_MAX_POOL2D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_MAX_POOL2D_PADDING, options.padding.data(), options.padding.size()));
  return detail::call(ctx, TN_OP_MAX_POOL2D, inputs, 1, attrs.items, attrs.n);
}

struct AvgPool2dOptions {
  Dims stride = {};
  Dims padding = {};  // empty: [0, 0]
  bool count_padding = true;
};
// avg_pool2d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0, 0], count_padding: bool = 1) -> y
inline Tensor avg_pool2d(const Tensor& x, const Dims& window, const AvgPool2dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<4> attrs;
  attrs.add(tn_attr_i64s(TN_AVG_POOL2D_WINDOW, window.data(), window.size()));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_AVG_POOL2D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_AVG_POOL2D_PADDING, options.padding.data(), options.padding.size()));
  attrs.add(tn_attr_bool(TN_AVG_POOL2D_COUNT_PADDING, options.count_padding));
  return detail::call(ctx, TN_OP_AVG_POOL2D, inputs, 1, attrs.items, attrs.n);
}

// global_avg_pool(x) -> y
inline Tensor global_avg_pool(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_GLOBAL_AVG_POOL, inputs, 1, nullptr, 0);
}

// global_max_pool(x) -> y
inline Tensor global_max_pool(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_GLOBAL_MAX_POOL, inputs, 1, nullptr, 0);
}

struct SoftmaxOptions {
  int64_t axis = -1;
};
// softmax(x, *, axis: i64 = -1) -> y
inline Tensor softmax(const Tensor& x, const SoftmaxOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_SOFTMAX_AXIS, options.axis));
  return detail::call(ctx, TN_OP_SOFTMAX, inputs, 1, attrs.items, attrs.n);
}

struct LogSoftmaxOptions {
  int64_t axis = -1;
};
// log_softmax(x, *, axis: i64 = -1) -> y
inline Tensor log_softmax(const Tensor& x, const LogSoftmaxOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_LOG_SOFTMAX_AXIS, options.axis));
  return detail::call(ctx, TN_OP_LOG_SOFTMAX, inputs, 1, attrs.items, attrs.n);
}

struct LayerNormOptions {
  int64_t axes = 1;
  double epsilon = 1e-5;
};
// layer_norm(x, scale?, bias?, *, axes: i64 = 1, epsilon: f64 = 1e-5) -> y
inline Tensor layer_norm(const Tensor& x, const Tensor& scale = {}, const Tensor& bias = {}, const LayerNormOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), scale.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), scale.get(), bias.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_LAYER_NORM_AXES, options.axes));
  attrs.add(tn_attr_f64(TN_LAYER_NORM_EPSILON, options.epsilon));
  return detail::call(ctx, TN_OP_LAYER_NORM, inputs, 3, attrs.items, attrs.n);
}

struct BatchNormOptions {
  double epsilon = 1e-5;
};
// batch_norm(x, scale, bias, mean, variance, *, epsilon: f64 = 1e-5) -> y
inline Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& bias, const Tensor& mean, const Tensor& variance, const BatchNormOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), scale.context(), bias.context(), mean.context(), variance.context()});
  tn_tensor* const inputs[] = {x.get(), scale.get(), bias.get(), mean.get(), variance.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_f64(TN_BATCH_NORM_EPSILON, options.epsilon));
  return detail::call(ctx, TN_OP_BATCH_NORM, inputs, 5, attrs.items, attrs.n);
}

struct BatchNormTrainOptions {
  double epsilon = 1e-5;
};
struct BatchNormTrainResult {
  Tensor y, mean, variance;
};
// batch_norm_train(x, scale, bias, *, epsilon: f64 = 1e-5) -> y, mean, variance
inline BatchNormTrainResult batch_norm_train(const Tensor& x, const Tensor& scale, const Tensor& bias, const BatchNormTrainOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), scale.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), scale.get(), bias.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_f64(TN_BATCH_NORM_TRAIN_EPSILON, options.epsilon));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_BATCH_NORM_TRAIN, inputs, 3, attrs.items, attrs.n, 3);
  return {std::move(results[0]), std::move(results[1]), std::move(results[2])};
}

struct DropoutOptions {
  double rate = 0.5;
};
// dropout(x, *, rate: f64 = 0.5) -> y
inline Tensor dropout(const Tensor& x, const DropoutOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_f64(TN_DROPOUT_RATE, options.rate));
  return detail::call(ctx, TN_OP_DROPOUT, inputs, 1, attrs.items, attrs.n);
}

// linear(x, w, bias?) -> y
inline Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), bias.get()};
  return detail::call(ctx, TN_OP_LINEAR, inputs, 3, nullptr, 0);
}

struct CrossEntropyOptions {
  std::string_view reduction = "mean";
  int64_t ignore_index = -100;
  double label_smoothing = 0.0;
};
// cross_entropy(logits, labels, weight?, *, reduction: string = 'mean', ignore_index: i64 = -100, label_smoothing: f64 = 0.0) -> loss
inline Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& weight = {}, const CrossEntropyOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({logits.context(), labels.context(), weight.context()});
  tn_tensor* const inputs[] = {logits.get(), labels.get(), weight.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_string(TN_CROSS_ENTROPY_REDUCTION, to_str(options.reduction)));
  attrs.add(tn_attr_i64(TN_CROSS_ENTROPY_IGNORE_INDEX, options.ignore_index));
  attrs.add(tn_attr_f64(TN_CROSS_ENTROPY_LABEL_SMOOTHING, options.label_smoothing));
  return detail::call(ctx, TN_OP_CROSS_ENTROPY, inputs, 3, attrs.items, attrs.n);
}

struct CrossEntropyProbsOptions {
  std::string_view reduction = "mean";
  double label_smoothing = 0.0;
};
// cross_entropy_probs(logits, probabilities, weight?, *, reduction: string = 'mean', label_smoothing: f64 = 0.0) -> loss
inline Tensor cross_entropy_probs(const Tensor& logits, const Tensor& probabilities, const Tensor& weight = {}, const CrossEntropyProbsOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({logits.context(), probabilities.context(), weight.context()});
  tn_tensor* const inputs[] = {logits.get(), probabilities.get(), weight.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_string(TN_CROSS_ENTROPY_PROBS_REDUCTION, to_str(options.reduction)));
  attrs.add(tn_attr_f64(TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING, options.label_smoothing));
  return detail::call(ctx, TN_OP_CROSS_ENTROPY_PROBS, inputs, 3, attrs.items, attrs.n);
}

struct MseOptions {
  std::string_view reduction = "mean";
};
// mse(x, target, *, reduction: string = 'mean') -> loss
inline Tensor mse(const Tensor& x, const Tensor& target, const MseOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), target.context()});
  tn_tensor* const inputs[] = {x.get(), target.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_MSE_REDUCTION, to_str(options.reduction)));
  return detail::call(ctx, TN_OP_MSE, inputs, 2, attrs.items, attrs.n);
}

struct BceWithLogitsOptions {
  std::string_view reduction = "mean";
};
// bce_with_logits(logits, target, weight?, positive_weight?, *, reduction: string = 'mean') -> loss
inline Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const Tensor& weight = {}, const Tensor& positive_weight = {}, const BceWithLogitsOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({logits.context(), target.context(), weight.context(), positive_weight.context()});
  tn_tensor* const inputs[] = {logits.get(), target.get(), weight.get(), positive_weight.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_BCE_WITH_LOGITS_REDUCTION, to_str(options.reduction)));
  return detail::call(ctx, TN_OP_BCE_WITH_LOGITS, inputs, 4, attrs.items, attrs.n);
}

struct UniformOptions {
  double low = 0.0;
  double high = 1.0;
  tn_dtype dtype = TN_DTYPE_F32;
};
// uniform(*, dims: i64s, low: f64 = 0.0, high: f64 = 1.0, dtype: dtype = f32) -> y
inline Tensor uniform(const Context& cx, const Dims& dims, const UniformOptions& options = {}) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<4> attrs;
  attrs.add(tn_attr_i64s(TN_UNIFORM_DIMS, dims.data(), dims.size()));
  attrs.add(tn_attr_f64(TN_UNIFORM_LOW, options.low));
  attrs.add(tn_attr_f64(TN_UNIFORM_HIGH, options.high));
  attrs.add(tn_attr_dtype(TN_UNIFORM_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_UNIFORM, nullptr, 0, attrs.items, attrs.n);
}

struct NormalOptions {
  double mean = 0.0;
  double deviation = 1.0;
  tn_dtype dtype = TN_DTYPE_F32;
};
// normal(*, dims: i64s, mean: f64 = 0.0, deviation: f64 = 1.0, dtype: dtype = f32) -> y
inline Tensor normal(const Context& cx, const Dims& dims, const NormalOptions& options = {}) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<4> attrs;
  attrs.add(tn_attr_i64s(TN_NORMAL_DIMS, dims.data(), dims.size()));
  attrs.add(tn_attr_f64(TN_NORMAL_MEAN, options.mean));
  attrs.add(tn_attr_f64(TN_NORMAL_DEVIATION, options.deviation));
  attrs.add(tn_attr_dtype(TN_NORMAL_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_NORMAL, nullptr, 0, attrs.items, attrs.n);
}

struct BernoulliOptions {
  double probability = 0.5;
  tn_dtype dtype = TN_DTYPE_BOOL;
};
// bernoulli(*, dims: i64s, probability: f64 = 0.5, dtype: dtype = bool) -> y
inline Tensor bernoulli(const Context& cx, const Dims& dims, const BernoulliOptions& options = {}) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64s(TN_BERNOULLI_DIMS, dims.data(), dims.size()));
  attrs.add(tn_attr_f64(TN_BERNOULLI_PROBABILITY, options.probability));
  attrs.add(tn_attr_dtype(TN_BERNOULLI_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_BERNOULLI, nullptr, 0, attrs.items, attrs.n);
}

// log2(x) -> y
inline Tensor log2(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_LOG2, inputs, 1, nullptr, 0);
}

// tan(x) -> y
inline Tensor tan(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_TAN, inputs, 1, nullptr, 0);
}

// asin(x) -> y
inline Tensor asin(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ASIN, inputs, 1, nullptr, 0);
}

// acos(x) -> y
inline Tensor acos(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ACOS, inputs, 1, nullptr, 0);
}

// atan(x) -> y
inline Tensor atan(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ATAN, inputs, 1, nullptr, 0);
}

// sinh(x) -> y
inline Tensor sinh(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_SINH, inputs, 1, nullptr, 0);
}

// cosh(x) -> y
inline Tensor cosh(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_COSH, inputs, 1, nullptr, 0);
}

// asinh(x) -> y
inline Tensor asinh(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ASINH, inputs, 1, nullptr, 0);
}

// acosh(x) -> y
inline Tensor acosh(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ACOSH, inputs, 1, nullptr, 0);
}

// atanh(x) -> y
inline Tensor atanh(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ATANH, inputs, 1, nullptr, 0);
}

// trunc(x) -> y
inline Tensor trunc(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_TRUNC, inputs, 1, nullptr, 0);
}

// isnan(x) -> y
inline Tensor isnan(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ISNAN, inputs, 1, nullptr, 0);
}

// isinf(x) -> y
inline Tensor isinf(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ISINF, inputs, 1, nullptr, 0);
}

// isfinite(x) -> y
inline Tensor isfinite(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_ISFINITE, inputs, 1, nullptr, 0);
}

// floor_div(a, b) -> y
inline Tensor floor_div(const Operand& a, const Operand& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  return detail::call(ctx, TN_OP_FLOOR_DIV, inputs, 2, nullptr, 0);
}

struct ModOptions {
  bool fmod = false;
};
// mod(a, b, *, fmod: bool = 0) -> y
inline Tensor mod(const Operand& a, const Operand& b, const ModOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx)};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_bool(TN_MOD_FMOD, options.fmod));
  return detail::call(ctx, TN_OP_MOD, inputs, 2, attrs.items, attrs.n);
}

// lerp(a, b, weight) -> y
inline Tensor lerp(const Operand& a, const Operand& b, const Operand& weight) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context(), weight.context()});
  tn_tensor* const inputs[] = {a.resolve(ctx), b.resolve(ctx), weight.resolve(ctx)};
  return detail::call(ctx, TN_OP_LERP, inputs, 3, nullptr, 0);
}

struct EluOptions {
  double alpha = 1.0;
};
// elu(x, *, alpha: f64 = 1.0) -> y
inline Tensor elu(const Tensor& x, const EluOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_f64(TN_ELU_ALPHA, options.alpha));
  return detail::call(ctx, TN_OP_ELU, inputs, 1, attrs.items, attrs.n);
}

struct SeluOptions {
  double alpha = 1.6732632423543772;
  double gamma = 1.0507009873554805;
};
// selu(x, *, alpha: f64 = 1.6732632423543772, gamma: f64 = 1.0507009873554805) -> y
inline Tensor selu(const Tensor& x, const SeluOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_f64(TN_SELU_ALPHA, options.alpha));
  attrs.add(tn_attr_f64(TN_SELU_GAMMA, options.gamma));
  return detail::call(ctx, TN_OP_SELU, inputs, 1, attrs.items, attrs.n);
}

struct CeluOptions {
  double alpha = 1.0;
};
// celu(x, *, alpha: f64 = 1.0) -> y
inline Tensor celu(const Tensor& x, const CeluOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_f64(TN_CELU_ALPHA, options.alpha));
  return detail::call(ctx, TN_OP_CELU, inputs, 1, attrs.items, attrs.n);
}

// prelu(x, slope) -> y
inline Tensor prelu(const Operand& x, const Operand& slope) {
  tn_ctx* const ctx = detail::first_context({x.context(), slope.context()});
  tn_tensor* const inputs[] = {x.resolve(ctx), slope.resolve(ctx)};
  return detail::call(ctx, TN_OP_PRELU, inputs, 2, nullptr, 0);
}

// mish(x) -> y
inline Tensor mish(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_MISH, inputs, 1, nullptr, 0);
}

// softsign(x) -> y
inline Tensor softsign(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_SOFTSIGN, inputs, 1, nullptr, 0);
}

// log_sigmoid(x) -> y
inline Tensor log_sigmoid(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_LOG_SIGMOID, inputs, 1, nullptr, 0);
}

struct HardSigmoidOptions {
  double alpha = 0.2;
  double beta = 0.5;
};
// hard_sigmoid(x, *, alpha: f64 = 0.2, beta: f64 = 0.5) -> y
inline Tensor hard_sigmoid(const Tensor& x, const HardSigmoidOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_f64(TN_HARD_SIGMOID_ALPHA, options.alpha));
  attrs.add(tn_attr_f64(TN_HARD_SIGMOID_BETA, options.beta));
  return detail::call(ctx, TN_OP_HARD_SIGMOID, inputs, 1, attrs.items, attrs.n);
}

// hard_swish(x) -> y
inline Tensor hard_swish(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_HARD_SWISH, inputs, 1, nullptr, 0);
}

struct StdOptions {
  Dims axes = {};
  bool keepdims = false;
  double correction = 0.0;
};
// std(x, *, axes: i64s = [], keepdims: bool = 0, correction: f64 = 0.0) -> y
inline Tensor std_(const Tensor& x, const StdOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<3> attrs;
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_STD_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_STD_KEEPDIMS, options.keepdims));
  attrs.add(tn_attr_f64(TN_STD_CORRECTION, options.correction));
  return detail::call(ctx, TN_OP_STD, inputs, 1, attrs.items, attrs.n);
}

struct NormOptions {
  double ord = 2.0;
  Dims axes = {};
  bool keepdims = false;
};
// norm(x, *, ord: f64 = 2.0, axes: i64s = [], keepdims: bool = 0) -> y
inline Tensor norm(const Tensor& x, const NormOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_f64(TN_NORM_ORD, options.ord));
  if (!options.axes.empty()) attrs.add(tn_attr_i64s(TN_NORM_AXES, options.axes.data(), options.axes.size()));
  attrs.add(tn_attr_bool(TN_NORM_KEEPDIMS, options.keepdims));
  return detail::call(ctx, TN_OP_NORM, inputs, 1, attrs.items, attrs.n);
}

struct CumprodOptions {
  int64_t axis = 0;
};
// cumprod(x, *, axis: i64 = 0) -> y
inline Tensor cumprod(const Tensor& x, const CumprodOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_CUMPROD_AXIS, options.axis));
  return detail::call(ctx, TN_OP_CUMPROD, inputs, 1, attrs.items, attrs.n);
}

// outer(a, b) -> y
inline Tensor outer(const Tensor& a, const Tensor& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.get(), b.get()};
  return detail::call(ctx, TN_OP_OUTER, inputs, 2, nullptr, 0);
}

// dot(a, b) -> y
inline Tensor dot(const Tensor& a, const Tensor& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.get(), b.get()};
  return detail::call(ctx, TN_OP_DOT, inputs, 2, nullptr, 0);
}

struct VecdotOptions {
  int64_t axis = -1;
};
// vecdot(a, b, *, axis: i64 = -1) -> y
inline Tensor vecdot(const Tensor& a, const Tensor& b, const VecdotOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.get(), b.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_VECDOT_AXIS, options.axis));
  return detail::call(ctx, TN_OP_VECDOT, inputs, 2, attrs.items, attrs.n);
}

struct TrilOptions {
  int64_t k = 0;
};
// tril(x, *, k: i64 = 0) -> y
inline Tensor tril(const Tensor& x, const TrilOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_TRIL_K, options.k));
  return detail::call(ctx, TN_OP_TRIL, inputs, 1, attrs.items, attrs.n);
}

struct TriuOptions {
  int64_t k = 0;
};
// triu(x, *, k: i64 = 0) -> y
inline Tensor triu(const Tensor& x, const TriuOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_TRIU_K, options.k));
  return detail::call(ctx, TN_OP_TRIU, inputs, 1, attrs.items, attrs.n);
}

struct DiagonalOptions {
  int64_t offset = 0;
};
// diagonal(x, *, offset: i64 = 0) -> y
inline Tensor diagonal(const Tensor& x, const DiagonalOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_DIAGONAL_OFFSET, options.offset));
  return detail::call(ctx, TN_OP_DIAGONAL, inputs, 1, attrs.items, attrs.n);
}

struct TraceOptions {
  int64_t offset = 0;
};
// trace(x, *, offset: i64 = 0) -> y
inline Tensor trace(const Tensor& x, const TraceOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_TRACE_OFFSET, options.offset));
  return detail::call(ctx, TN_OP_TRACE, inputs, 1, attrs.items, attrs.n);
}

struct EyeOptions {
  int64_t m = -1;
  int64_t k = 0;
  tn_dtype dtype = TN_DTYPE_F32;
};
// eye(*, n: i64, m: i64 = -1, k: i64 = 0, dtype: dtype = f32) -> y
inline Tensor eye(const Context& cx, int64_t n, const EyeOptions& options = {}) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<4> attrs;
  attrs.add(tn_attr_i64(TN_EYE_N, n));
  attrs.add(tn_attr_i64(TN_EYE_M, options.m));
  attrs.add(tn_attr_i64(TN_EYE_K, options.k));
  attrs.add(tn_attr_dtype(TN_EYE_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_EYE, nullptr, 0, attrs.items, attrs.n);
}

struct ArangeOptions {
  double step = 1.0;
  tn_dtype dtype = TN_DTYPE_F32;
};
// arange(*, start: f64, stop: f64, step: f64 = 1.0, dtype: dtype = f32) -> y
inline Tensor arange(const Context& cx, double start, double stop, const ArangeOptions& options = {}) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<4> attrs;
  attrs.add(tn_attr_f64(TN_ARANGE_START, start));
  attrs.add(tn_attr_f64(TN_ARANGE_STOP, stop));
  attrs.add(tn_attr_f64(TN_ARANGE_STEP, options.step));
  attrs.add(tn_attr_dtype(TN_ARANGE_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_ARANGE, nullptr, 0, attrs.items, attrs.n);
}

// tile(x, *, repeats: i64s) -> y
inline Tensor tile(const Tensor& x, const Dims& repeats) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_TILE_REPEATS, repeats.data(), repeats.size()));
  return detail::call(ctx, TN_OP_TILE, inputs, 1, attrs.items, attrs.n);
}

// roll(x, *, shifts: i64s, axes: i64s) -> y
inline Tensor roll(const Tensor& x, const Dims& shifts, const Dims& axes) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64s(TN_ROLL_SHIFTS, shifts.data(), shifts.size()));
  attrs.add(tn_attr_i64s(TN_ROLL_AXES, axes.data(), axes.size()));
  return detail::call(ctx, TN_OP_ROLL, inputs, 1, attrs.items, attrs.n);
}

// pad_edge(x, *, low: i64s, high: i64s) -> y
inline Tensor pad_edge(const Tensor& x, const Dims& low, const Dims& high) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64s(TN_PAD_EDGE_LOW, low.data(), low.size()));
  attrs.add(tn_attr_i64s(TN_PAD_EDGE_HIGH, high.data(), high.size()));
  return detail::call(ctx, TN_OP_PAD_EDGE, inputs, 1, attrs.items, attrs.n);
}

// pad_reflect(x, *, low: i64s, high: i64s) -> y
inline Tensor pad_reflect(const Tensor& x, const Dims& low, const Dims& high) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64s(TN_PAD_REFLECT_LOW, low.data(), low.size()));
  attrs.add(tn_attr_i64s(TN_PAD_REFLECT_HIGH, high.data(), high.size()));
  return detail::call(ctx, TN_OP_PAD_REFLECT, inputs, 1, attrs.items, attrs.n);
}

struct DepthToSpaceOptions {
  std::string_view mode = "DCR";
};
// depth_to_space(x, *, block: i64, mode: string = 'DCR') -> y
inline Tensor depth_to_space(const Tensor& x, int64_t block, const DepthToSpaceOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_DEPTH_TO_SPACE_BLOCK, block));
  attrs.add(tn_attr_string(TN_DEPTH_TO_SPACE_MODE, to_str(options.mode)));
  return detail::call(ctx, TN_OP_DEPTH_TO_SPACE, inputs, 1, attrs.items, attrs.n);
}

// space_to_depth(x, *, block: i64) -> y
inline Tensor space_to_depth(const Tensor& x, int64_t block) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_SPACE_TO_DEPTH_BLOCK, block));
  return detail::call(ctx, TN_OP_SPACE_TO_DEPTH, inputs, 1, attrs.items, attrs.n);
}

struct TakeAlongAxisOptions {
  int64_t axis = -1;
};
// take_along_axis(x, indices, *, axis: i64 = -1) -> y
inline Tensor take_along_axis(const Tensor& x, const Tensor& indices, const TakeAlongAxisOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), indices.context()});
  tn_tensor* const inputs[] = {x.get(), indices.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_TAKE_ALONG_AXIS_AXIS, options.axis));
  return detail::call(ctx, TN_OP_TAKE_ALONG_AXIS, inputs, 2, attrs.items, attrs.n);
}

// gather_nd(x, indices) -> y
inline Tensor gather_nd(const Tensor& x, const Tensor& indices) {
  tn_ctx* const ctx = detail::first_context({x.context(), indices.context()});
  tn_tensor* const inputs[] = {x.get(), indices.get()};
  return detail::call(ctx, TN_OP_GATHER_ND, inputs, 2, nullptr, 0);
}

struct ScatterNdOptions {
  std::string_view mode = "set";
};
// scatter_nd(x, indices, updates, *, mode: string = 'set') -> y
inline Tensor scatter_nd(const Tensor& x, const Tensor& indices, const Tensor& updates, const ScatterNdOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), indices.context(), updates.context()});
  tn_tensor* const inputs[] = {x.get(), indices.get(), updates.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_SCATTER_ND_MODE, to_str(options.mode)));
  return detail::call(ctx, TN_OP_SCATTER_ND, inputs, 3, attrs.items, attrs.n);
}

struct ArgsortOptions {
  int64_t axis = -1;
  bool descending = false;
};
// argsort(x, *, axis: i64 = -1, descending: bool = 0) -> y
inline Tensor argsort(const Tensor& x, const ArgsortOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_ARGSORT_AXIS, options.axis));
  attrs.add(tn_attr_bool(TN_ARGSORT_DESCENDING, options.descending));
  return detail::call(ctx, TN_OP_ARGSORT, inputs, 1, attrs.items, attrs.n);
}

struct TopkOptions {
  int64_t axis = -1;
  bool largest = true;
};
struct TopkResult {
  Tensor values, indices;
};
// topk(x, *, k: i64, axis: i64 = -1, largest: bool = 1) -> values, indices
inline TopkResult topk(const Tensor& x, int64_t k, const TopkOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64(TN_TOPK_K, k));
  attrs.add(tn_attr_i64(TN_TOPK_AXIS, options.axis));
  attrs.add(tn_attr_bool(TN_TOPK_LARGEST, options.largest));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_TOPK, inputs, 1, attrs.items, attrs.n, 2);
  return {std::move(results[0]), std::move(results[1])};
}

struct MeshgridOptions {
  std::string_view indexing = "xy";
};
// meshgrid(xs..., *, indexing: string = 'xy') -> ys
inline std::vector<Tensor> meshgrid(const std::vector<Tensor>& xs, const MeshgridOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({xs.empty() ? nullptr : xs[0].context()});
  const std::vector<tn_tensor*> inputs = detail::handles(xs);
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_MESHGRID_INDEXING, to_str(options.indexing)));
  return detail::call_many(ctx, TN_OP_MESHGRID, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.items, attrs.n, xs.size());
}

struct NllOptions {
  std::string_view reduction = "mean";
  int64_t ignore_index = -100;
};
// nll(log_probabilities, labels, weight?, *, reduction: string = 'mean', ignore_index: i64 = -100) -> loss
inline Tensor nll(const Tensor& log_probabilities, const Tensor& labels, const Tensor& weight = {}, const NllOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({log_probabilities.context(), labels.context(), weight.context()});
  tn_tensor* const inputs[] = {log_probabilities.get(), labels.get(), weight.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_string(TN_NLL_REDUCTION, to_str(options.reduction)));
  attrs.add(tn_attr_i64(TN_NLL_IGNORE_INDEX, options.ignore_index));
  return detail::call(ctx, TN_OP_NLL, inputs, 3, attrs.items, attrs.n);
}

struct BceOptions {
  std::string_view reduction = "mean";
};
// bce(probabilities, target, weight?, *, reduction: string = 'mean') -> loss
inline Tensor bce(const Tensor& probabilities, const Tensor& target, const Tensor& weight = {}, const BceOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({probabilities.context(), target.context(), weight.context()});
  tn_tensor* const inputs[] = {probabilities.get(), target.get(), weight.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_BCE_REDUCTION, to_str(options.reduction)));
  return detail::call(ctx, TN_OP_BCE, inputs, 3, attrs.items, attrs.n);
}

struct L1Options {
  std::string_view reduction = "mean";
};
// l1(x, target, *, reduction: string = 'mean') -> loss
inline Tensor l1(const Tensor& x, const Tensor& target, const L1Options& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), target.context()});
  tn_tensor* const inputs[] = {x.get(), target.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_L1_REDUCTION, to_str(options.reduction)));
  return detail::call(ctx, TN_OP_L1, inputs, 2, attrs.items, attrs.n);
}

struct HuberOptions {
  std::string_view reduction = "mean";
  double delta = 1.0;
};
// huber(x, target, *, reduction: string = 'mean', delta: f64 = 1.0) -> loss
inline Tensor huber(const Tensor& x, const Tensor& target, const HuberOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), target.context()});
  tn_tensor* const inputs[] = {x.get(), target.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_string(TN_HUBER_REDUCTION, to_str(options.reduction)));
  attrs.add(tn_attr_f64(TN_HUBER_DELTA, options.delta));
  return detail::call(ctx, TN_OP_HUBER, inputs, 2, attrs.items, attrs.n);
}

struct KlDivOptions {
  std::string_view reduction = "mean";
  bool log_target = false;
};
// kl_div(log_input, target, *, reduction: string = 'mean', log_target: bool = 0) -> loss
inline Tensor kl_div(const Tensor& log_input, const Tensor& target, const KlDivOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({log_input.context(), target.context()});
  tn_tensor* const inputs[] = {log_input.get(), target.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_string(TN_KL_DIV_REDUCTION, to_str(options.reduction)));
  attrs.add(tn_attr_bool(TN_KL_DIV_LOG_TARGET, options.log_target));
  return detail::call(ctx, TN_OP_KL_DIV, inputs, 2, attrs.items, attrs.n);
}

struct HingeOptions {
  std::string_view reduction = "mean";
  double margin = 1.0;
};
// hinge(x, target, *, reduction: string = 'mean', margin: f64 = 1.0) -> loss
inline Tensor hinge(const Tensor& x, const Tensor& target, const HingeOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), target.context()});
  tn_tensor* const inputs[] = {x.get(), target.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_string(TN_HINGE_REDUCTION, to_str(options.reduction)));
  attrs.add(tn_attr_f64(TN_HINGE_MARGIN, options.margin));
  return detail::call(ctx, TN_OP_HINGE, inputs, 2, attrs.items, attrs.n);
}

struct CosineLossOptions {
  std::string_view reduction = "mean";
  double margin = 0.0;
};
// cosine_loss(x1, x2, target, *, reduction: string = 'mean', margin: f64 = 0.0) -> loss
inline Tensor cosine_loss(const Tensor& x1, const Tensor& x2, const Tensor& target, const CosineLossOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x1.context(), x2.context(), target.context()});
  tn_tensor* const inputs[] = {x1.get(), x2.get(), target.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_string(TN_COSINE_LOSS_REDUCTION, to_str(options.reduction)));
  attrs.add(tn_attr_f64(TN_COSINE_LOSS_MARGIN, options.margin));
  return detail::call(ctx, TN_OP_COSINE_LOSS, inputs, 3, attrs.items, attrs.n);
}

struct CosineSimilarityOptions {
  int64_t axis = 1;
  double epsilon = 1e-8;
};
// cosine_similarity(x1, x2, *, axis: i64 = 1, epsilon: f64 = 1e-8) -> y
inline Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, const CosineSimilarityOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x1.context(), x2.context()});
  tn_tensor* const inputs[] = {x1.get(), x2.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_COSINE_SIMILARITY_AXIS, options.axis));
  attrs.add(tn_attr_f64(TN_COSINE_SIMILARITY_EPSILON, options.epsilon));
  return detail::call(ctx, TN_OP_COSINE_SIMILARITY, inputs, 2, attrs.items, attrs.n);
}

struct RmsNormOptions {
  int64_t axes = 1;
  double epsilon = 1e-5;
};
// rms_norm(x, scale?, *, axes: i64 = 1, epsilon: f64 = 1e-5) -> y
inline Tensor rms_norm(const Tensor& x, const Tensor& scale = {}, const RmsNormOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), scale.context()});
  tn_tensor* const inputs[] = {x.get(), scale.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_RMS_NORM_AXES, options.axes));
  attrs.add(tn_attr_f64(TN_RMS_NORM_EPSILON, options.epsilon));
  return detail::call(ctx, TN_OP_RMS_NORM, inputs, 2, attrs.items, attrs.n);
}

struct GroupNormOptions {
  double epsilon = 1e-5;
};
// group_norm(x, scale?, bias?, *, groups: i64, epsilon: f64 = 1e-5) -> y
inline Tensor group_norm(const Tensor& x, const Tensor& scale, const Tensor& bias, int64_t groups, const GroupNormOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), scale.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), scale.get(), bias.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_GROUP_NORM_GROUPS, groups));
  attrs.add(tn_attr_f64(TN_GROUP_NORM_EPSILON, options.epsilon));
  return detail::call(ctx, TN_OP_GROUP_NORM, inputs, 3, attrs.items, attrs.n);
}

struct InstanceNormOptions {
  double epsilon = 1e-5;
};
// instance_norm(x, scale?, bias?, *, epsilon: f64 = 1e-5) -> y
inline Tensor instance_norm(const Tensor& x, const Tensor& scale = {}, const Tensor& bias = {}, const InstanceNormOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), scale.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), scale.get(), bias.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_f64(TN_INSTANCE_NORM_EPSILON, options.epsilon));
  return detail::call(ctx, TN_OP_INSTANCE_NORM, inputs, 3, attrs.items, attrs.n);
}

struct LrnOptions {
  double alpha = 1e-4;
  double beta = 0.75;
  double bias = 1.0;
};
// lrn(x, *, size: i64, alpha: f64 = 1e-4, beta: f64 = 0.75, bias: f64 = 1.0) -> y
inline Tensor lrn(const Tensor& x, int64_t size, const LrnOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<4> attrs;
  attrs.add(tn_attr_i64(TN_LRN_SIZE, size));
  attrs.add(tn_attr_f64(TN_LRN_ALPHA, options.alpha));
  attrs.add(tn_attr_f64(TN_LRN_BETA, options.beta));
  attrs.add(tn_attr_f64(TN_LRN_BIAS, options.bias));
  return detail::call(ctx, TN_OP_LRN, inputs, 1, attrs.items, attrs.n);
}

struct RandintOptions {
  tn_dtype dtype = TN_DTYPE_I64;
};
// randint(*, dims: i64s, low: i64, high: i64, dtype: dtype = i64) -> y
inline Tensor randint(const Context& cx, const Dims& dims, int64_t low, int64_t high, const RandintOptions& options = {}) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<4> attrs;
  attrs.add(tn_attr_i64s(TN_RANDINT_DIMS, dims.data(), dims.size()));
  attrs.add(tn_attr_i64(TN_RANDINT_LOW, low));
  attrs.add(tn_attr_i64(TN_RANDINT_HIGH, high));
  attrs.add(tn_attr_dtype(TN_RANDINT_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_RANDINT, nullptr, 0, attrs.items, attrs.n);
}

struct TruncatedNormalOptions {
  double mean = 0.0;
  double deviation = 1.0;
  double low = -2.0;
  double high = 2.0;
  tn_dtype dtype = TN_DTYPE_F32;
};
// truncated_normal(*, dims: i64s, mean: f64 = 0.0, deviation: f64 = 1.0, low: f64 = -2.0, high: f64 = 2.0, dtype: dtype = f32) -> y
inline Tensor truncated_normal(const Context& cx, const Dims& dims, const TruncatedNormalOptions& options = {}) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<6> attrs;
  attrs.add(tn_attr_i64s(TN_TRUNCATED_NORMAL_DIMS, dims.data(), dims.size()));
  attrs.add(tn_attr_f64(TN_TRUNCATED_NORMAL_MEAN, options.mean));
  attrs.add(tn_attr_f64(TN_TRUNCATED_NORMAL_DEVIATION, options.deviation));
  attrs.add(tn_attr_f64(TN_TRUNCATED_NORMAL_LOW, options.low));
  attrs.add(tn_attr_f64(TN_TRUNCATED_NORMAL_HIGH, options.high));
  attrs.add(tn_attr_dtype(TN_TRUNCATED_NORMAL_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_TRUNCATED_NORMAL, nullptr, 0, attrs.items, attrs.n);
}

// categorical(logits) -> index
inline Tensor categorical(const Tensor& logits) {
  tn_ctx* const ctx = detail::first_context({logits.context()});
  tn_tensor* const inputs[] = {logits.get()};
  return detail::call(ctx, TN_OP_CATEGORICAL, inputs, 1, nullptr, 0);
}

// permutation(*, n: i64) -> y
inline Tensor permutation(const Context& cx, int64_t n) {
  tn_ctx* const ctx = cx.get();
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_PERMUTATION_N, n));
  return detail::call(ctx, TN_OP_PERMUTATION, nullptr, 0, attrs.items, attrs.n);
}

struct ScaledDotProductAttentionOptions {
  bool causal = false;
  double scale = 0.0;
};
// scaled_dot_product_attention(q, k, v, mask?, *, causal: bool = 0, scale: f64 = 0.0) -> y
inline Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask = {}, const ScaledDotProductAttentionOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({q.context(), k.context(), v.context(), mask.context()});
  tn_tensor* const inputs[] = {q.get(), k.get(), v.get(), mask.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_bool(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL, options.causal));
  attrs.add(tn_attr_f64(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, options.scale));
  return detail::call(ctx, TN_OP_SCALED_DOT_PRODUCT_ATTENTION, inputs, 4, attrs.items, attrs.n);
}

struct RotaryEmbeddingOptions {
  double base = 10000.0;
  bool interleaved = false;
};
// rotary_embedding(x, positions?, *, base: f64 = 10000.0, interleaved: bool = 0) -> y
inline Tensor rotary_embedding(const Tensor& x, const Tensor& positions = {}, const RotaryEmbeddingOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), positions.context()});
  tn_tensor* const inputs[] = {x.get(), positions.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_f64(TN_ROTARY_EMBEDDING_BASE, options.base));
  attrs.add(tn_attr_bool(TN_ROTARY_EMBEDDING_INTERLEAVED, options.interleaved));
  return detail::call(ctx, TN_OP_ROTARY_EMBEDDING, inputs, 2, attrs.items, attrs.n);
}

struct Conv1dOptions {
  Dims stride = {};  // empty: [1]
  Dims padding = {};  // empty: [0]
  Dims dilation = {};  // empty: [1]
  int64_t groups = 1;
};
// conv1d(x, w, bias?, *, stride: i64s = [1], padding: i64s = [0], dilation: i64s = [1], groups: i64 = 1) -> y
inline Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& bias = {}, const Conv1dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), bias.get()};
  detail::AttrList<4> attrs;
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV1D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_CONV1D_PADDING, options.padding.data(), options.padding.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV1D_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV1D_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV1D, inputs, 3, attrs.items, attrs.n);
}

struct Conv3dOptions {
  Dims stride = {};  // empty: [1, 1, 1]
  Dims padding = {};  // empty: [0, 0, 0]
  Dims dilation = {};  // empty: [1, 1, 1]
  int64_t groups = 1;
};
// conv3d(x, w, bias?, *, stride: i64s = [1, 1, 1], padding: i64s = [0, 0, 0], dilation: i64s = [1, 1, 1], groups: i64 = 1) -> y
inline Tensor conv3d(const Tensor& x, const Tensor& w, const Tensor& bias = {}, const Conv3dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), bias.get()};
  detail::AttrList<4> attrs;
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV3D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_CONV3D_PADDING, options.padding.data(), options.padding.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV3D_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV3D_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV3D, inputs, 3, attrs.items, attrs.n);
}

struct ConvTranspose1dOptions {
  Dims stride = {};  // empty: [1]
  Dims padding = {};  // empty: [0]
  Dims output_padding = {};  // empty: [0]
  Dims dilation = {};  // empty: [1]
  int64_t groups = 1;
};
// conv_transpose1d(x, w, bias?, *, stride: i64s = [1], padding: i64s = [0], output_padding: i64s = [0], dilation: i64s = [1], groups: i64 = 1) -> y
inline Tensor conv_transpose1d(const Tensor& x, const Tensor& w, const Tensor& bias = {}, const ConvTranspose1dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), bias.get()};
  detail::AttrList<5> attrs;
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE1D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE1D_PADDING, options.padding.data(), options.padding.size()));
  if (!options.output_padding.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE1D_OUTPUT_PADDING, options.output_padding.data(), options.output_padding.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE1D_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV_TRANSPOSE1D_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV_TRANSPOSE1D, inputs, 3, attrs.items, attrs.n);
}

struct ConvTranspose2dOptions {
  Dims stride = {};  // empty: [1, 1]
  Dims padding = {};  // empty: [0, 0]
  Dims output_padding = {};  // empty: [0, 0]
  Dims dilation = {};  // empty: [1, 1]
  int64_t groups = 1;
};
// conv_transpose2d(x, w, bias?, *, stride: i64s = [1, 1], padding: i64s = [0, 0], output_padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> y
inline Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& bias = {}, const ConvTranspose2dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), bias.get()};
  detail::AttrList<5> attrs;
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE2D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE2D_PADDING, options.padding.data(), options.padding.size()));
  if (!options.output_padding.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE2D_OUTPUT_PADDING, options.output_padding.data(), options.output_padding.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE2D_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV_TRANSPOSE2D_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV_TRANSPOSE2D, inputs, 3, attrs.items, attrs.n);
}

struct MaxPool1dOptions {
  Dims stride = {};
  Dims padding = {};  // empty: [0]
};
// max_pool1d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0]) -> y
inline Tensor max_pool1d(const Tensor& x, const Dims& window, const MaxPool1dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64s(TN_MAX_POOL1D_WINDOW, window.data(), window.size()));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_MAX_POOL1D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_MAX_POOL1D_PADDING, options.padding.data(), options.padding.size()));
  return detail::call(ctx, TN_OP_MAX_POOL1D, inputs, 1, attrs.items, attrs.n);
}

struct AvgPool1dOptions {
  Dims stride = {};
  Dims padding = {};  // empty: [0]
  bool count_padding = true;
};
// avg_pool1d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0], count_padding: bool = 1) -> y
inline Tensor avg_pool1d(const Tensor& x, const Dims& window, const AvgPool1dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<4> attrs;
  attrs.add(tn_attr_i64s(TN_AVG_POOL1D_WINDOW, window.data(), window.size()));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_AVG_POOL1D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_AVG_POOL1D_PADDING, options.padding.data(), options.padding.size()));
  attrs.add(tn_attr_bool(TN_AVG_POOL1D_COUNT_PADDING, options.count_padding));
  return detail::call(ctx, TN_OP_AVG_POOL1D, inputs, 1, attrs.items, attrs.n);
}

struct MaxPool3dOptions {
  Dims stride = {};
  Dims padding = {};  // empty: [0, 0, 0]
};
// max_pool3d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0, 0, 0]) -> y
inline Tensor max_pool3d(const Tensor& x, const Dims& window, const MaxPool3dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64s(TN_MAX_POOL3D_WINDOW, window.data(), window.size()));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_MAX_POOL3D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_MAX_POOL3D_PADDING, options.padding.data(), options.padding.size()));
  return detail::call(ctx, TN_OP_MAX_POOL3D, inputs, 1, attrs.items, attrs.n);
}

struct AvgPool3dOptions {
  Dims stride = {};
  Dims padding = {};  // empty: [0, 0, 0]
  bool count_padding = true;
};
// avg_pool3d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0, 0, 0], count_padding: bool = 1) -> y
inline Tensor avg_pool3d(const Tensor& x, const Dims& window, const AvgPool3dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<4> attrs;
  attrs.add(tn_attr_i64s(TN_AVG_POOL3D_WINDOW, window.data(), window.size()));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_AVG_POOL3D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_AVG_POOL3D_PADDING, options.padding.data(), options.padding.size()));
  attrs.add(tn_attr_bool(TN_AVG_POOL3D_COUNT_PADDING, options.count_padding));
  return detail::call(ctx, TN_OP_AVG_POOL3D, inputs, 1, attrs.items, attrs.n);
}

// adaptive_avg_pool2d(x, *, output_size: i64s) -> y
inline Tensor adaptive_avg_pool2d(const Tensor& x, const Dims& output_size) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_ADAPTIVE_AVG_POOL2D_OUTPUT_SIZE, output_size.data(), output_size.size()));
  return detail::call(ctx, TN_OP_ADAPTIVE_AVG_POOL2D, inputs, 1, attrs.items, attrs.n);
}

struct QuantizeLinearOptions {
  int64_t axis = 1;
  tn_dtype dtype = TN_DTYPE_U8;
};
// quantize_linear(x, scale, zero_point?, *, axis: i64 = 1, dtype: dtype = u8) -> y
inline Tensor quantize_linear(const Tensor& x, const Tensor& scale, const Tensor& zero_point = {}, const QuantizeLinearOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), scale.context(), zero_point.context()});
  tn_tensor* const inputs[] = {x.get(), scale.get(), zero_point.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64(TN_QUANTIZE_LINEAR_AXIS, options.axis));
  attrs.add(tn_attr_dtype(TN_QUANTIZE_LINEAR_DTYPE, options.dtype));
  return detail::call(ctx, TN_OP_QUANTIZE_LINEAR, inputs, 3, attrs.items, attrs.n);
}

struct DequantizeLinearOptions {
  int64_t axis = 1;
};
// dequantize_linear(x, scale, zero_point?, *, axis: i64 = 1) -> y
inline Tensor dequantize_linear(const Tensor& x, const Tensor& scale, const Tensor& zero_point = {}, const DequantizeLinearOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), scale.context(), zero_point.context()});
  tn_tensor* const inputs[] = {x.get(), scale.get(), zero_point.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_DEQUANTIZE_LINEAR_AXIS, options.axis));
  return detail::call(ctx, TN_OP_DEQUANTIZE_LINEAR, inputs, 3, attrs.items, attrs.n);
}

struct ConvTranspose3dOptions {
  Dims stride = {};  // empty: [1, 1, 1]
  Dims padding = {};  // empty: [0, 0, 0]
  Dims output_padding = {};  // empty: [0, 0, 0]
  Dims dilation = {};  // empty: [1, 1, 1]
  int64_t groups = 1;
};
// conv_transpose3d(x, w, bias?, *, stride: i64s = [1, 1, 1], padding: i64s = [0, 0, 0], output_padding: i64s = [0, 0, 0], dilation: i64s = [1, 1, 1], groups: i64 = 1) -> y
inline Tensor conv_transpose3d(const Tensor& x, const Tensor& w, const Tensor& bias = {}, const ConvTranspose3dOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), bias.get()};
  detail::AttrList<5> attrs;
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE3D_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE3D_PADDING, options.padding.data(), options.padding.size()));
  if (!options.output_padding.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE3D_OUTPUT_PADDING, options.output_padding.data(), options.output_padding.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV_TRANSPOSE3D_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV_TRANSPOSE3D_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV_TRANSPOSE3D, inputs, 3, attrs.items, attrs.n);
}

// adaptive_avg_pool1d(x, *, output_size: i64s) -> y
inline Tensor adaptive_avg_pool1d(const Tensor& x, const Dims& output_size) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_ADAPTIVE_AVG_POOL1D_OUTPUT_SIZE, output_size.data(), output_size.size()));
  return detail::call(ctx, TN_OP_ADAPTIVE_AVG_POOL1D, inputs, 1, attrs.items, attrs.n);
}

// adaptive_avg_pool3d(x, *, output_size: i64s) -> y
inline Tensor adaptive_avg_pool3d(const Tensor& x, const Dims& output_size) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_ADAPTIVE_AVG_POOL3D_OUTPUT_SIZE, output_size.data(), output_size.size()));
  return detail::call(ctx, TN_OP_ADAPTIVE_AVG_POOL3D, inputs, 1, attrs.items, attrs.n);
}

// adaptive_max_pool1d(x, *, output_size: i64s) -> y
inline Tensor adaptive_max_pool1d(const Tensor& x, const Dims& output_size) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_ADAPTIVE_MAX_POOL1D_OUTPUT_SIZE, output_size.data(), output_size.size()));
  return detail::call(ctx, TN_OP_ADAPTIVE_MAX_POOL1D, inputs, 1, attrs.items, attrs.n);
}

// adaptive_max_pool2d(x, *, output_size: i64s) -> y
inline Tensor adaptive_max_pool2d(const Tensor& x, const Dims& output_size) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_ADAPTIVE_MAX_POOL2D_OUTPUT_SIZE, output_size.data(), output_size.size()));
  return detail::call(ctx, TN_OP_ADAPTIVE_MAX_POOL2D, inputs, 1, attrs.items, attrs.n);
}

// adaptive_max_pool3d(x, *, output_size: i64s) -> y
inline Tensor adaptive_max_pool3d(const Tensor& x, const Dims& output_size) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_ADAPTIVE_MAX_POOL3D_OUTPUT_SIZE, output_size.data(), output_size.size()));
  return detail::call(ctx, TN_OP_ADAPTIVE_MAX_POOL3D, inputs, 1, attrs.items, attrs.n);
}

struct ScaledDotProductAttentionGradOptions {
  bool causal = false;
  double scale = 0.0;
};
struct ScaledDotProductAttentionGradResult {
  Tensor dq, dk, dv;
};
// scaled_dot_product_attention_grad(g, y, q, k, v, mask?, *, causal: bool = 0, scale: f64 = 0.0) -> dq, dk, dv
inline ScaledDotProductAttentionGradResult scaled_dot_product_attention_grad(const Tensor& g, const Tensor& y, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask = {}, const ScaledDotProductAttentionGradOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({g.context(), y.context(), q.context(), k.context(), v.context(), mask.context()});
  tn_tensor* const inputs[] = {g.get(), y.get(), q.get(), k.get(), v.get(), mask.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_bool(TN_SCALED_DOT_PRODUCT_ATTENTION_GRAD_CAUSAL, options.causal));
  attrs.add(tn_attr_f64(TN_SCALED_DOT_PRODUCT_ATTENTION_GRAD_SCALE, options.scale));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_SCALED_DOT_PRODUCT_ATTENTION_GRAD, inputs, 6, attrs.items, attrs.n, 3);
  return {std::move(results[0]), std::move(results[1]), std::move(results[2])};
}

struct RnnOptions {
  std::string_view direction = "forward";
  std::string_view activation = "tanh";
};
struct RnnResult {
  Tensor y, h;
};
// rnn(x, w, r, bias?, lengths?, h0?, *, direction: string = 'forward', activation: string = 'tanh') -> y, h
inline RnnResult rnn(const Tensor& x, const Tensor& w, const Tensor& r, const Tensor& bias = {}, const Tensor& lengths = {}, const Tensor& h0 = {}, const RnnOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), r.context(), bias.context(), lengths.context(), h0.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), r.get(), bias.get(), lengths.get(), h0.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_string(TN_RNN_DIRECTION, to_str(options.direction)));
  attrs.add(tn_attr_string(TN_RNN_ACTIVATION, to_str(options.activation)));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_RNN, inputs, 6, attrs.items, attrs.n, 2);
  return {std::move(results[0]), std::move(results[1])};
}

struct GruOptions {
  std::string_view direction = "forward";
  bool linear_before_reset = false;
};
struct GruResult {
  Tensor y, h;
};
// gru(x, w, r, bias?, lengths?, h0?, *, direction: string = 'forward', linear_before_reset: bool = 0) -> y, h
inline GruResult gru(const Tensor& x, const Tensor& w, const Tensor& r, const Tensor& bias = {}, const Tensor& lengths = {}, const Tensor& h0 = {}, const GruOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), r.context(), bias.context(), lengths.context(), h0.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), r.get(), bias.get(), lengths.get(), h0.get()};
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_string(TN_GRU_DIRECTION, to_str(options.direction)));
  attrs.add(tn_attr_bool(TN_GRU_LINEAR_BEFORE_RESET, options.linear_before_reset));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_GRU, inputs, 6, attrs.items, attrs.n, 2);
  return {std::move(results[0]), std::move(results[1])};
}

struct LstmOptions {
  std::string_view direction = "forward";
};
struct LstmResult {
  Tensor y, h, c;
};
// lstm(x, w, r, bias?, lengths?, h0?, c0?, peephole?, *, direction: string = 'forward') -> y, h, c
inline LstmResult lstm(const Tensor& x, const Tensor& w, const Tensor& r, const Tensor& bias = {}, const Tensor& lengths = {}, const Tensor& h0 = {}, const Tensor& c0 = {}, const Tensor& peephole = {}, const LstmOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), r.context(), bias.context(), lengths.context(), h0.context(), c0.context(), peephole.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), r.get(), bias.get(), lengths.get(), h0.get(), c0.get(), peephole.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_LSTM_DIRECTION, to_str(options.direction)));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_LSTM, inputs, 8, attrs.items, attrs.n, 3);
  return {std::move(results[0]), std::move(results[1]), std::move(results[2])};
}

struct ResizeOptions {
  Dims dims = {};
  std::vector<double> scales = {};
  std::string_view mode = "nearest";
  std::string_view coordinates = "half_pixel";
  std::string_view nearest = "round_prefer_floor";
  double cubic_coefficient = -0.75;
  bool exclude_outside = false;
};
// resize(x, *, dims: i64s = [], scales: f64s = [], mode: string = 'nearest', coordinates: string = 'half_pixel', nearest: string = 'round_prefer_floor', cubic_coefficient: f64 = -0.75, exclude_outside: bool = 0) -> y
inline Tensor resize(const Tensor& x, const ResizeOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<7> attrs;
  if (!options.dims.empty()) attrs.add(tn_attr_i64s(TN_RESIZE_DIMS, options.dims.data(), options.dims.size()));
  if (!options.scales.empty()) attrs.add(tn_attr_f64s(TN_RESIZE_SCALES, options.scales.data(), options.scales.size()));
  attrs.add(tn_attr_string(TN_RESIZE_MODE, to_str(options.mode)));
  attrs.add(tn_attr_string(TN_RESIZE_COORDINATES, to_str(options.coordinates)));
  attrs.add(tn_attr_string(TN_RESIZE_NEAREST, to_str(options.nearest)));
  attrs.add(tn_attr_f64(TN_RESIZE_CUBIC_COEFFICIENT, options.cubic_coefficient));
  attrs.add(tn_attr_bool(TN_RESIZE_EXCLUDE_OUTSIDE, options.exclude_outside));
  return detail::call(ctx, TN_OP_RESIZE, inputs, 1, attrs.items, attrs.n);
}

struct GridSampleOptions {
  std::string_view mode = "bilinear";
  std::string_view padding = "zeros";
  bool align_corners = false;
};
// grid_sample(x, grid, *, mode: string = 'bilinear', padding: string = 'zeros', align_corners: bool = 0) -> y
inline Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), grid.context()});
  tn_tensor* const inputs[] = {x.get(), grid.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_string(TN_GRID_SAMPLE_MODE, to_str(options.mode)));
  attrs.add(tn_attr_string(TN_GRID_SAMPLE_PADDING, to_str(options.padding)));
  attrs.add(tn_attr_bool(TN_GRID_SAMPLE_ALIGN_CORNERS, options.align_corners));
  return detail::call(ctx, TN_OP_GRID_SAMPLE, inputs, 2, attrs.items, attrs.n);
}

// einsum(xs..., *, equation: string) -> y
inline Tensor einsum(const std::vector<Tensor>& xs, std::string_view equation) {
  tn_ctx* const ctx = detail::first_context({xs.empty() ? nullptr : xs[0].context()});
  const std::vector<tn_tensor*> inputs = detail::handles(xs);
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_EINSUM_EQUATION, to_str(equation)));
  return detail::call(ctx, TN_OP_EINSUM, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.items, attrs.n);
}

struct CholeskyOptions {
  bool upper = false;
};
// cholesky(x, *, upper: bool = 0) -> y
inline Tensor cholesky(const Tensor& x, const CholeskyOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_bool(TN_CHOLESKY_UPPER, options.upper));
  return detail::call(ctx, TN_OP_CHOLESKY, inputs, 1, attrs.items, attrs.n);
}

struct TriangularSolveOptions {
  bool upper = false;
  bool transpose = false;
  bool unit_diagonal = false;
};
// triangular_solve(a, b, *, upper: bool = 0, transpose: bool = 0, unit_diagonal: bool = 0) -> x
inline Tensor triangular_solve(const Tensor& a, const Tensor& b, const TriangularSolveOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.get(), b.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_bool(TN_TRIANGULAR_SOLVE_UPPER, options.upper));
  attrs.add(tn_attr_bool(TN_TRIANGULAR_SOLVE_TRANSPOSE, options.transpose));
  attrs.add(tn_attr_bool(TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL, options.unit_diagonal));
  return detail::call(ctx, TN_OP_TRIANGULAR_SOLVE, inputs, 2, attrs.items, attrs.n);
}

struct LuResult {
  Tensor lu, permutation;
};
// lu(x) -> lu, permutation
inline LuResult lu(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_LU, inputs, 1, nullptr, 0, 2);
  return {std::move(results[0]), std::move(results[1])};
}

// solve(a, b) -> x
inline Tensor solve(const Tensor& a, const Tensor& b) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context()});
  tn_tensor* const inputs[] = {a.get(), b.get()};
  return detail::call(ctx, TN_OP_SOLVE, inputs, 2, nullptr, 0);
}

// inverse(x) -> y
inline Tensor inverse(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_INVERSE, inputs, 1, nullptr, 0);
}

// det(x) -> y
inline Tensor det(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_DET, inputs, 1, nullptr, 0);
}

// real(x) -> y
inline Tensor real(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_REAL, inputs, 1, nullptr, 0);
}

// imag(x) -> y
inline Tensor imag(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_IMAG, inputs, 1, nullptr, 0);
}

// conj(x) -> y
inline Tensor conj(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  return detail::call(ctx, TN_OP_CONJ, inputs, 1, nullptr, 0);
}

// complex(re, im) -> y
inline Tensor complex(const Operand& re, const Operand& im) {
  tn_ctx* const ctx = detail::first_context({re.context(), im.context()});
  tn_tensor* const inputs[] = {re.resolve(ctx), im.resolve(ctx)};
  return detail::call(ctx, TN_OP_COMPLEX, inputs, 2, nullptr, 0);
}

struct NonzeroOptions {
  int64_t max_size = -1;
};
struct NonzeroResult {
  Tensor indices, count;
};
// nonzero(x, *, max_size: i64 = -1) -> indices, count
inline NonzeroResult nonzero(const Tensor& x, const NonzeroOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_NONZERO_MAX_SIZE, options.max_size));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_NONZERO, inputs, 1, attrs.items, attrs.n, 2);
  return {std::move(results[0]), std::move(results[1])};
}

struct UniqueOptions {
  int64_t max_size = -1;
};
struct UniqueResult {
  Tensor values, indices, inverse, counts, count;
};
// unique(x, *, max_size: i64 = -1) -> values, indices, inverse, counts, count
inline UniqueResult unique(const Tensor& x, const UniqueOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64(TN_UNIQUE_MAX_SIZE, options.max_size));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_UNIQUE, inputs, 1, attrs.items, attrs.n, 5);
  return {std::move(results[0]), std::move(results[1]), std::move(results[2]), std::move(results[3]), std::move(results[4])};
}

struct CtcOptions {
  std::string_view reduction = "mean";
  int64_t blank = 0;
  bool zero_infinity = false;
};
// ctc(log_probabilities, labels, input_lengths, label_lengths, *, reduction: string = 'mean', blank: i64 = 0, zero_infinity: bool = 0) -> loss
inline Tensor ctc(const Tensor& log_probabilities, const Tensor& labels, const Tensor& input_lengths, const Tensor& label_lengths, const CtcOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({log_probabilities.context(), labels.context(), input_lengths.context(), label_lengths.context()});
  tn_tensor* const inputs[] = {log_probabilities.get(), labels.get(), input_lengths.get(), label_lengths.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_string(TN_CTC_REDUCTION, to_str(options.reduction)));
  attrs.add(tn_attr_i64(TN_CTC_BLANK, options.blank));
  attrs.add(tn_attr_bool(TN_CTC_ZERO_INFINITY, options.zero_infinity));
  return detail::call(ctx, TN_OP_CTC, inputs, 4, attrs.items, attrs.n);
}

struct DynamicQuantizeLinearResult {
  Tensor y, scale, zero_point;
};
// dynamic_quantize_linear(x) -> y, scale, zero_point
inline DynamicQuantizeLinearResult dynamic_quantize_linear(const Tensor& x) {
  tn_ctx* const ctx = detail::first_context({x.context()});
  tn_tensor* const inputs[] = {x.get()};
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_DYNAMIC_QUANTIZE_LINEAR, inputs, 1, nullptr, 0, 3);
  return {std::move(results[0]), std::move(results[1]), std::move(results[2])};
}

// matmul_integer(a, b, a_zero_point?, b_zero_point?) -> y
inline Tensor matmul_integer(const Tensor& a, const Tensor& b, const Tensor& a_zero_point = {}, const Tensor& b_zero_point = {}) {
  tn_ctx* const ctx = detail::first_context({a.context(), b.context(), a_zero_point.context(), b_zero_point.context()});
  tn_tensor* const inputs[] = {a.get(), b.get(), a_zero_point.get(), b_zero_point.get()};
  return detail::call(ctx, TN_OP_MATMUL_INTEGER, inputs, 4, nullptr, 0);
}

struct ConvIntegerOptions {
  Dims stride = {};
  Dims low = {};
  Dims high = {};
  Dims dilation = {};
  int64_t groups = 1;
};
// conv_integer(x, w, x_zero_point?, w_zero_point?, *, stride: i64s = [], low: i64s = [], high: i64s = [], dilation: i64s = [], groups: i64 = 1) -> y
inline Tensor conv_integer(const Tensor& x, const Tensor& w, const Tensor& x_zero_point = {}, const Tensor& w_zero_point = {}, const ConvIntegerOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), w.context(), x_zero_point.context(), w_zero_point.context()});
  tn_tensor* const inputs[] = {x.get(), w.get(), x_zero_point.get(), w_zero_point.get()};
  detail::AttrList<5> attrs;
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV_INTEGER_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.low.empty()) attrs.add(tn_attr_i64s(TN_CONV_INTEGER_LOW, options.low.data(), options.low.size()));
  if (!options.high.empty()) attrs.add(tn_attr_i64s(TN_CONV_INTEGER_HIGH, options.high.data(), options.high.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV_INTEGER_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV_INTEGER_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV_INTEGER, inputs, 4, attrs.items, attrs.n);
}

// qlinear_matmul(a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point) -> y
inline Tensor qlinear_matmul(const Tensor& a, const Tensor& a_scale, const Tensor& a_zero_point, const Tensor& b, const Tensor& b_scale, const Tensor& b_zero_point, const Tensor& y_scale, const Tensor& y_zero_point) {
  tn_ctx* const ctx = detail::first_context({a.context(), a_scale.context(), a_zero_point.context(), b.context(), b_scale.context(), b_zero_point.context(), y_scale.context(), y_zero_point.context()});
  tn_tensor* const inputs[] = {a.get(), a_scale.get(), a_zero_point.get(), b.get(), b_scale.get(), b_zero_point.get(), y_scale.get(), y_zero_point.get()};
  return detail::call(ctx, TN_OP_QLINEAR_MATMUL, inputs, 8, nullptr, 0);
}

struct QlinearConvOptions {
  Dims stride = {};
  Dims low = {};
  Dims high = {};
  Dims dilation = {};
  int64_t groups = 1;
};
// qlinear_conv(x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias?, *, stride: i64s = [], low: i64s = [], high: i64s = [], dilation: i64s = [], groups: i64 = 1) -> y
inline Tensor qlinear_conv(const Tensor& x, const Tensor& x_scale, const Tensor& x_zero_point, const Tensor& w, const Tensor& w_scale, const Tensor& w_zero_point, const Tensor& y_scale, const Tensor& y_zero_point, const Tensor& bias = {}, const QlinearConvOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({x.context(), x_scale.context(), x_zero_point.context(), w.context(), w_scale.context(), w_zero_point.context(), y_scale.context(), y_zero_point.context(), bias.context()});
  tn_tensor* const inputs[] = {x.get(), x_scale.get(), x_zero_point.get(), w.get(), w_scale.get(), w_zero_point.get(), y_scale.get(), y_zero_point.get(), bias.get()};
  detail::AttrList<5> attrs;
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_QLINEAR_CONV_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.low.empty()) attrs.add(tn_attr_i64s(TN_QLINEAR_CONV_LOW, options.low.data(), options.low.size()));
  if (!options.high.empty()) attrs.add(tn_attr_i64s(TN_QLINEAR_CONV_HIGH, options.high.data(), options.high.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_QLINEAR_CONV_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_QLINEAR_CONV_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_QLINEAR_CONV, inputs, 9, attrs.items, attrs.n);
}

struct LstmStepsOptions {
  std::string_view direction = "forward";
};
struct LstmStepsResult {
  Tensor y, h, c, saved;
};
// lstm_steps(gates, r, lengths?, h0?, c0?, peephole?, *, direction: string = 'forward') -> y, h, c, saved
inline LstmStepsResult lstm_steps(const Tensor& gates, const Tensor& r, const Tensor& lengths = {}, const Tensor& h0 = {}, const Tensor& c0 = {}, const Tensor& peephole = {}, const LstmStepsOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({gates.context(), r.context(), lengths.context(), h0.context(), c0.context(), peephole.context()});
  tn_tensor* const inputs[] = {gates.get(), r.get(), lengths.get(), h0.get(), c0.get(), peephole.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_LSTM_STEPS_DIRECTION, to_str(options.direction)));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_LSTM_STEPS, inputs, 6, attrs.items, attrs.n, 4);
  return {std::move(results[0]), std::move(results[1]), std::move(results[2]), std::move(results[3])};
}

struct LstmStepsGradOptions {
  std::string_view direction = "forward";
};
struct LstmStepsGradResult {
  Tensor dgates, dh0, dc0;
};
// lstm_steps_grad(saved, r, lengths?, c0?, peephole?, gy?, gh?, gc?, gsaved?, *, direction: string = 'forward') -> dgates, dh0, dc0
inline LstmStepsGradResult lstm_steps_grad(const Tensor& saved, const Tensor& r, const Tensor& lengths = {}, const Tensor& c0 = {}, const Tensor& peephole = {}, const Tensor& gy = {}, const Tensor& gh = {}, const Tensor& gc = {}, const Tensor& gsaved = {}, const LstmStepsGradOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({saved.context(), r.context(), lengths.context(), c0.context(), peephole.context(), gy.context(), gh.context(), gc.context(), gsaved.context()});
  tn_tensor* const inputs[] = {saved.get(), r.get(), lengths.get(), c0.get(), peephole.get(), gy.get(), gh.get(), gc.get(), gsaved.get()};
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_string(TN_LSTM_STEPS_GRAD_DIRECTION, to_str(options.direction)));
  std::vector<Tensor> results = detail::call_many(ctx, TN_OP_LSTM_STEPS_GRAD, inputs, 9, attrs.items, attrs.n, 3);
  return {std::move(results[0]), std::move(results[1]), std::move(results[2])};
}

struct CheckedIndexOptions {
  std::string_view what = "indices";
  bool from_end = true;
};
// checked_index(indices, *, size: i64, what: string = 'indices', from_end: bool = 1) -> y
inline Tensor checked_index(const Tensor& indices, int64_t size, const CheckedIndexOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({indices.context()});
  tn_tensor* const inputs[] = {indices.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64(TN_CHECKED_INDEX_SIZE, size));
  attrs.add(tn_attr_string(TN_CHECKED_INDEX_WHAT, to_str(options.what)));
  attrs.add(tn_attr_bool(TN_CHECKED_INDEX_FROM_END, options.from_end));
  return detail::call(ctx, TN_OP_CHECKED_INDEX, inputs, 1, attrs.items, attrs.n);
}

// region(xs..., *, code: i64s) -> ys
inline std::vector<Tensor> region(const std::vector<Tensor>& xs, const Dims& code) {
  tn_ctx* const ctx = detail::first_context({xs.empty() ? nullptr : xs[0].context()});
  const std::vector<tn_tensor*> inputs = detail::handles(xs);
  detail::AttrList<1> attrs;
  attrs.add(tn_attr_i64s(TN_REGION_CODE, code.data(), code.size()));
  return detail::call_many(ctx, TN_OP_REGION, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.items, attrs.n, code.size() > 1 && code[1] > 0 ? static_cast<size_t>(code[1]) : 1);
}

struct CrossEntropyGradOptions {
  std::string_view reduction = "mean";
  int64_t ignore_index = -100;
  double label_smoothing = 0.0;
};
// cross_entropy_grad(g, logits, labels, weight?, *, reduction: string = 'mean', ignore_index: i64 = -100, label_smoothing: f64 = 0.0) -> dlogits
inline Tensor cross_entropy_grad(const Tensor& g, const Tensor& logits, const Tensor& labels, const Tensor& weight = {}, const CrossEntropyGradOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({g.context(), logits.context(), labels.context(), weight.context()});
  tn_tensor* const inputs[] = {g.get(), logits.get(), labels.get(), weight.get()};
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_string(TN_CROSS_ENTROPY_GRAD_REDUCTION, to_str(options.reduction)));
  attrs.add(tn_attr_i64(TN_CROSS_ENTROPY_GRAD_IGNORE_INDEX, options.ignore_index));
  attrs.add(tn_attr_f64(TN_CROSS_ENTROPY_GRAD_LABEL_SMOOTHING, options.label_smoothing));
  return detail::call(ctx, TN_OP_CROSS_ENTROPY_GRAD, inputs, 4, attrs.items, attrs.n);
}

struct Conv2dRegionOptions {
  int64_t operands = 2;
  Dims stride = {};  // empty: [1, 1]
  Dims padding = {};  // empty: [0, 0]
  Dims dilation = {};  // empty: [1, 1]
  int64_t groups = 1;
};
// conv2d_region(xs..., *, code: i64s, operands: i64 = 2, stride: i64s = [1, 1], padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> y
inline Tensor conv2d_region(const std::vector<Tensor>& xs, const Dims& code, const Conv2dRegionOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({xs.empty() ? nullptr : xs[0].context()});
  const std::vector<tn_tensor*> inputs = detail::handles(xs);
  detail::AttrList<6> attrs;
  attrs.add(tn_attr_i64s(TN_CONV2D_REGION_CODE, code.data(), code.size()));
  attrs.add(tn_attr_i64(TN_CONV2D_REGION_OPERANDS, options.operands));
  if (!options.stride.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_REGION_STRIDE, options.stride.data(), options.stride.size()));
  if (!options.padding.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_REGION_PADDING, options.padding.data(), options.padding.size()));
  if (!options.dilation.empty()) attrs.add(tn_attr_i64s(TN_CONV2D_REGION_DILATION, options.dilation.data(), options.dilation.size()));
  attrs.add(tn_attr_i64(TN_CONV2D_REGION_GROUPS, options.groups));
  return detail::call(ctx, TN_OP_CONV2D_REGION, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.items, attrs.n);
}

struct LinearRegionOptions {
  int64_t operands = 2;
};
// linear_region(xs..., *, code: i64s, operands: i64 = 2) -> y
inline Tensor linear_region(const std::vector<Tensor>& xs, const Dims& code, const LinearRegionOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({xs.empty() ? nullptr : xs[0].context()});
  const std::vector<tn_tensor*> inputs = detail::handles(xs);
  detail::AttrList<2> attrs;
  attrs.add(tn_attr_i64s(TN_LINEAR_REGION_CODE, code.data(), code.size()));
  attrs.add(tn_attr_i64(TN_LINEAR_REGION_OPERANDS, options.operands));
  return detail::call(ctx, TN_OP_LINEAR_REGION, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.items, attrs.n);
}

struct MatmulRegionOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};
// matmul_region(xs..., *, code: i64s, transpose_a: bool = 0, transpose_b: bool = 0) -> y
inline Tensor matmul_region(const std::vector<Tensor>& xs, const Dims& code, const MatmulRegionOptions& options = {}) {
  tn_ctx* const ctx = detail::first_context({xs.empty() ? nullptr : xs[0].context()});
  const std::vector<tn_tensor*> inputs = detail::handles(xs);
  detail::AttrList<3> attrs;
  attrs.add(tn_attr_i64s(TN_MATMUL_REGION_CODE, code.data(), code.size()));
  attrs.add(tn_attr_bool(TN_MATMUL_REGION_TRANSPOSE_A, options.transpose_a));
  attrs.add(tn_attr_bool(TN_MATMUL_REGION_TRANSPOSE_B, options.transpose_b));
  return detail::call(ctx, TN_OP_MATMUL_REGION, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.items, attrs.n);
}

}  // namespace tenon
