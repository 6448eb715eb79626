/* Made by tools/gen_ops.py from ops.def. Short forms of tn_builder_vtbl.call for recipes: tn_b_<op>. A list that is NULL has
 * its default. */
#ifndef TENON_PLUGIN_BUILDER_OPS_H_
#define TENON_PLUGIN_BUILDER_OPS_H_
#include "../op_ids.h"
#include "builder.h"
TN_EXTERN_C_BEGIN

TN_INLINE tn_value tn_b_neg(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_NEG, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_abs(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ABS, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_floor(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_FLOOR, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_ceil(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_CEIL, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_round(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ROUND, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_exp(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_EXP, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_expm1(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_EXPM1, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_log(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_LOG, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_log1p(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_LOG1P, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_sqrt(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_SQRT, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_rsqrt(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_RSQRT, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_sin(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_SIN, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cos(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_COS, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_tanh(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_TANH, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_erf(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ERF, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_not(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_NOT, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cast(tn_builder* builder, tn_value x, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_dtype(TN_CAST_DTYPE, dtype);
  builder->v->call(builder, TN_OP_CAST, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_bitcast(tn_builder* builder, tn_value x, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_dtype(TN_BITCAST_DTYPE, dtype);
  builder->v->call(builder, TN_OP_BITCAST, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_add(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_ADD, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_sub(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_SUB, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_mul(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_MUL, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_div(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_DIV, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_rem(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_REM, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_pow(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_POW, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_atan2(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_ATAN2, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_maximum(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_MAXIMUM, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_minimum(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_MINIMUM, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_and(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_AND, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_or(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_OR, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_xor(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_XOR, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_shl(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_SHL, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_shr(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_SHR, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_eq(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_EQ, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_lt(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_LT, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_le(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_LE, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_where(tn_builder* builder, tn_value condition, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[3];
  inputs[0] = condition;
  inputs[1] = a;
  inputs[2] = b;
  builder->v->call(builder, TN_OP_WHERE, inputs, 3, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_copy(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_COPY, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_reshape(tn_builder* builder, tn_value x, const int64_t* dims, uint32_t n_dims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_RESHAPE_DIMS, dims, n_dims);
  builder->v->call(builder, TN_OP_RESHAPE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_expand(tn_builder* builder, tn_value x, const int64_t* dims, uint32_t n_dims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_EXPAND_DIMS, dims, n_dims);
  builder->v->call(builder, TN_OP_EXPAND, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_transpose(tn_builder* builder, tn_value x, const int64_t* perm, uint32_t n_perm) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_TRANSPOSE_PERM, perm, n_perm);
  builder->v->call(builder, TN_OP_TRANSPOSE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_slice(tn_builder* builder, tn_value x, const int64_t* starts, uint32_t n_starts, const int64_t* stops, uint32_t n_stops, const int64_t* steps, uint32_t n_steps) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_SLICE_STARTS, starts, n_starts);
  attrs[n_attrs++] = tn_attr_i64s(TN_SLICE_STOPS, stops, n_stops);
  if (steps) attrs[n_attrs++] = tn_attr_i64s(TN_SLICE_STEPS, steps, n_steps);
  builder->v->call(builder, TN_OP_SLICE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_pad(tn_builder* builder, tn_value x, tn_value value, const int64_t* low, uint32_t n_low, const int64_t* high, uint32_t n_high, const int64_t* interior, uint32_t n_interior) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = value;
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_LOW, low, n_low);
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_HIGH, high, n_high);
  if (interior) attrs[n_attrs++] = tn_attr_i64s(TN_PAD_INTERIOR, interior, n_interior);
  builder->v->call(builder, TN_OP_PAD, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_concat(tn_builder* builder, const tn_value* xs, uint32_t n_xs, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_CONCAT_AXIS, axis);
  builder->v->call(builder, TN_OP_CONCAT, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_flip(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_FLIP_AXES, axes, n_axes);
  builder->v->call(builder, TN_OP_FLIP, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_gather(tn_builder* builder, tn_value x, tn_value indices, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = indices;
  attrs[n_attrs++] = tn_attr_i64(TN_GATHER_AXIS, axis);
  builder->v->call(builder, TN_OP_GATHER, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_scatter(tn_builder* builder, tn_value x, tn_value indices, tn_value updates, int64_t axis, tn_str mode) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = indices;
  inputs[2] = updates;
  attrs[n_attrs++] = tn_attr_i64(TN_SCATTER_AXIS, axis);
  attrs[n_attrs++] = tn_attr_string(TN_SCATTER_MODE, mode);
  builder->v->call(builder, TN_OP_SCATTER, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_iota(tn_builder* builder, const int64_t* dims, uint32_t n_dims, int64_t axis, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_IOTA_DIMS, dims, n_dims);
  attrs[n_attrs++] = tn_attr_i64(TN_IOTA_AXIS, axis);
  attrs[n_attrs++] = tn_attr_dtype(TN_IOTA_DTYPE, dtype);
  builder->v->call(builder, TN_OP_IOTA, NULL, 0, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_fill(tn_builder* builder, tn_value value, const int64_t* dims, uint32_t n_dims, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = value;
  attrs[n_attrs++] = tn_attr_i64s(TN_FILL_DIMS, dims, n_dims);
  attrs[n_attrs++] = tn_attr_dtype(TN_FILL_DTYPE, dtype);
  builder->v->call(builder, TN_OP_FILL, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_sum(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_SUM_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_SUM_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_SUM, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_prod(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_PROD_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_PROD_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_PROD, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_max(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_MAX_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_MAX, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_min(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_MIN_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_MIN_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_MIN, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_argmax(tn_builder* builder, tn_value x, int64_t axis, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_ARGMAX_AXIS, axis);
  attrs[n_attrs++] = tn_attr_bool(TN_ARGMAX_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_ARGMAX, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cumsum(tn_builder* builder, tn_value x, int64_t axis, int32_t exclusive, int32_t reverse) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_CUMSUM_AXIS, axis);
  attrs[n_attrs++] = tn_attr_bool(TN_CUMSUM_EXCLUSIVE, exclusive);
  attrs[n_attrs++] = tn_attr_bool(TN_CUMSUM_REVERSE, reverse);
  builder->v->call(builder, TN_OP_CUMSUM, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_matmul(tn_builder* builder, tn_value a, tn_value b, int32_t transpose_a, int32_t transpose_b) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  attrs[n_attrs++] = tn_attr_bool(TN_MATMUL_TRANSPOSE_A, transpose_a);
  attrs[n_attrs++] = tn_attr_bool(TN_MATMUL_TRANSPOSE_B, transpose_b);
  builder->v->call(builder, TN_OP_MATMUL, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv(tn_builder* builder, tn_value x, tn_value w, const int64_t* stride, uint32_t n_stride, const int64_t* low, uint32_t n_low, const int64_t* high, uint32_t n_high, const int64_t* lhs_dilation, uint32_t n_lhs_dilation, const int64_t* rhs_dilation, uint32_t n_rhs_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = w;
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_STRIDE, stride, n_stride);
  if (low) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_LOW, low, n_low);
  if (high) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_HIGH, high, n_high);
  if (lhs_dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_LHS_DILATION, lhs_dilation, n_lhs_dilation);
  if (rhs_dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_RHS_DILATION, rhs_dilation, n_rhs_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_window_reduce(tn_builder* builder, tn_value x, const int64_t* window, uint32_t n_window, const int64_t* stride, uint32_t n_stride, const int64_t* low, uint32_t n_low, const int64_t* high, uint32_t n_high, const int64_t* dilation, uint32_t n_dilation, tn_str mode) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_WINDOW, window, n_window);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_STRIDE, stride, n_stride);
  if (low) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_LOW, low, n_low);
  if (high) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_HIGH, high, n_high);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_string(TN_WINDOW_REDUCE_MODE, mode);
  builder->v->call(builder, TN_OP_WINDOW_REDUCE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_window_scatter(tn_builder* builder, tn_value x, tn_value g, const int64_t* window, uint32_t n_window, const int64_t* stride, uint32_t n_stride, const int64_t* low, uint32_t n_low, const int64_t* high, uint32_t n_high, const int64_t* dilation, uint32_t n_dilation) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = g;
  attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_WINDOW, window, n_window);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_STRIDE, stride, n_stride);
  if (low) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_LOW, low, n_low);
  if (high) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_HIGH, high, n_high);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_DILATION, dilation, n_dilation);
  builder->v->call(builder, TN_OP_WINDOW_SCATTER, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE void tn_b_sort(tn_builder* builder, tn_value keys, tn_value values, int64_t axis, int32_t descending, tn_value* outputs) {
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = keys;
  inputs[1] = values;
  attrs[n_attrs++] = tn_attr_i64(TN_SORT_AXIS, axis);
  attrs[n_attrs++] = tn_attr_bool(TN_SORT_DESCENDING, descending);
  builder->v->call(builder, TN_OP_SORT, inputs, 2, n_attrs ? attrs : NULL, n_attrs, outputs, 2);
}

TN_INLINE tn_value tn_b_philox(tn_builder* builder, tn_value seed, tn_value stream, tn_value offset, const int64_t* dims, uint32_t n_dims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = seed;
  inputs[1] = stream;
  inputs[2] = offset;
  attrs[n_attrs++] = tn_attr_i64s(TN_PHILOX_DIMS, dims, n_dims);
  builder->v->call(builder, TN_OP_PHILOX, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_ne(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_NE, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_gt(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_GT, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_ge(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_GE, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_square(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_SQUARE, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_reciprocal(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_RECIPROCAL, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_sign(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_SIGN, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_relu(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_RELU, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_sigmoid(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_SIGMOID, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_softplus(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_SOFTPLUS, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_gelu(tn_builder* builder, tn_value x, tn_str approximate) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_string(TN_GELU_APPROXIMATE, approximate);
  builder->v->call(builder, TN_OP_GELU, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_silu(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_SILU, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_leaky_relu(tn_builder* builder, tn_value x, double slope) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_f64(TN_LEAKY_RELU_SLOPE, slope);
  builder->v->call(builder, TN_OP_LEAKY_RELU, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_clip(tn_builder* builder, tn_value x, tn_value low, tn_value high) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = low;
  inputs[2] = high;
  builder->v->call(builder, TN_OP_CLIP, inputs, 3, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_mean(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_MEAN_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_MEAN_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_MEAN, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_argmin(tn_builder* builder, tn_value x, int64_t axis, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_ARGMIN_AXIS, axis);
  attrs[n_attrs++] = tn_attr_bool(TN_ARGMIN_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_ARGMIN, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_logsumexp(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_LOGSUMEXP_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_LOGSUMEXP_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_LOGSUMEXP, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_var(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims, double correction) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_VAR_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_VAR_KEEPDIMS, keepdims);
  attrs[n_attrs++] = tn_attr_f64(TN_VAR_CORRECTION, correction);
  builder->v->call(builder, TN_OP_VAR, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_any(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_ANY_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_ANY_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_ANY, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_all(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_ALL_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_ALL_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_ALL, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_squeeze(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_SQUEEZE_AXES, axes, n_axes);
  builder->v->call(builder, TN_OP_SQUEEZE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_unsqueeze(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_UNSQUEEZE_AXES, axes, n_axes);
  builder->v->call(builder, TN_OP_UNSQUEEZE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_stack(tn_builder* builder, const tn_value* xs, uint32_t n_xs, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_STACK_AXIS, axis);
  builder->v->call(builder, TN_OP_STACK, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE void tn_b_split(tn_builder* builder, tn_value x, const int64_t* sizes, uint32_t n_sizes, int64_t axis, tn_value* outputs, uint32_t n_outputs) {
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_SPLIT_SIZES, sizes, n_sizes);
  attrs[n_attrs++] = tn_attr_i64(TN_SPLIT_AXIS, axis);
  builder->v->call(builder, TN_OP_SPLIT, inputs, 1, n_attrs ? attrs : NULL, n_attrs, outputs, n_outputs);
}

TN_INLINE tn_value tn_b_scatter_add(tn_builder* builder, tn_value x, tn_value indices, tn_value updates, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = indices;
  inputs[2] = updates;
  attrs[n_attrs++] = tn_attr_i64(TN_SCATTER_ADD_AXIS, axis);
  builder->v->call(builder, TN_OP_SCATTER_ADD, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_one_hot(tn_builder* builder, tn_value indices, int64_t depth, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = indices;
  attrs[n_attrs++] = tn_attr_i64(TN_ONE_HOT_DEPTH, depth);
  attrs[n_attrs++] = tn_attr_dtype(TN_ONE_HOT_DTYPE, dtype);
  builder->v->call(builder, TN_OP_ONE_HOT, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_embedding(tn_builder* builder, tn_value table, tn_value indices) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = table;
  inputs[1] = indices;
  builder->v->call(builder, TN_OP_EMBEDDING, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv2d(tn_builder* builder, tn_value x, tn_value w, tn_value bias, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_PADDING, padding, n_padding);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV2D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv2d_input_grad(tn_builder* builder, tn_value g, tn_value w, int64_t height, int64_t width, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = g;
  inputs[1] = w;
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_INPUT_GRAD_HEIGHT, height);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_INPUT_GRAD_WIDTH, width);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_INPUT_GRAD_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_INPUT_GRAD_PADDING, padding, n_padding);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_INPUT_GRAD_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_INPUT_GRAD_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV2D_INPUT_GRAD, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv2d_weight_grad(tn_builder* builder, tn_value g, tn_value x, int64_t height, int64_t width, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = g;
  inputs[1] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_HEIGHT, height);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_WIDTH, width);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_WEIGHT_GRAD_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_WEIGHT_GRAD_PADDING, padding, n_padding);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_WEIGHT_GRAD_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV2D_WEIGHT_GRAD, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_max_pool2d(tn_builder* builder, tn_value x, const int64_t* window, uint32_t n_window, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL2D_WINDOW, window, n_window);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL2D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL2D_PADDING, padding, n_padding);
  builder->v->call(builder, TN_OP_MAX_POOL2D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_avg_pool2d(tn_builder* builder, tn_value x, const int64_t* window, uint32_t n_window, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, int32_t count_padding) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL2D_WINDOW, window, n_window);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL2D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL2D_PADDING, padding, n_padding);
  attrs[n_attrs++] = tn_attr_bool(TN_AVG_POOL2D_COUNT_PADDING, count_padding);
  builder->v->call(builder, TN_OP_AVG_POOL2D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_global_avg_pool(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_GLOBAL_AVG_POOL, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_global_max_pool(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_GLOBAL_MAX_POOL, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_softmax(tn_builder* builder, tn_value x, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_SOFTMAX_AXIS, axis);
  builder->v->call(builder, TN_OP_SOFTMAX, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_log_softmax(tn_builder* builder, tn_value x, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_LOG_SOFTMAX_AXIS, axis);
  builder->v->call(builder, TN_OP_LOG_SOFTMAX, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_layer_norm(tn_builder* builder, tn_value x, tn_value scale, tn_value bias, int64_t axes, double epsilon) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  attrs[n_attrs++] = tn_attr_i64(TN_LAYER_NORM_AXES, axes);
  attrs[n_attrs++] = tn_attr_f64(TN_LAYER_NORM_EPSILON, epsilon);
  builder->v->call(builder, TN_OP_LAYER_NORM, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_batch_norm(tn_builder* builder, tn_value x, tn_value scale, tn_value bias, tn_value mean, tn_value variance, double epsilon) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[5];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  inputs[3] = mean;
  inputs[4] = variance;
  attrs[n_attrs++] = tn_attr_f64(TN_BATCH_NORM_EPSILON, epsilon);
  builder->v->call(builder, TN_OP_BATCH_NORM, inputs, 5, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE void tn_b_batch_norm_train(tn_builder* builder, tn_value x, tn_value scale, tn_value bias, double epsilon, tn_value* outputs) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  attrs[n_attrs++] = tn_attr_f64(TN_BATCH_NORM_TRAIN_EPSILON, epsilon);
  builder->v->call(builder, TN_OP_BATCH_NORM_TRAIN, inputs, 3, n_attrs ? attrs : NULL, n_attrs, outputs, 3);
}

TN_INLINE tn_value tn_b_dropout(tn_builder* builder, tn_value x, tn_value seed, tn_value stream, tn_value offset, double rate) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[4];
  inputs[0] = x;
  inputs[1] = seed;
  inputs[2] = stream;
  inputs[3] = offset;
  attrs[n_attrs++] = tn_attr_f64(TN_DROPOUT_RATE, rate);
  builder->v->call(builder, TN_OP_DROPOUT, inputs, 4, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_linear(tn_builder* builder, tn_value x, tn_value w, tn_value bias) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  builder->v->call(builder, TN_OP_LINEAR, inputs, 3, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cross_entropy(tn_builder* builder, tn_value logits, tn_value labels, tn_value weight, tn_str reduction, int64_t ignore_index, double label_smoothing) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = logits;
  inputs[1] = labels;
  inputs[2] = weight;
  attrs[n_attrs++] = tn_attr_string(TN_CROSS_ENTROPY_REDUCTION, reduction);
  attrs[n_attrs++] = tn_attr_i64(TN_CROSS_ENTROPY_IGNORE_INDEX, ignore_index);
  attrs[n_attrs++] = tn_attr_f64(TN_CROSS_ENTROPY_LABEL_SMOOTHING, label_smoothing);
  builder->v->call(builder, TN_OP_CROSS_ENTROPY, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cross_entropy_probs(tn_builder* builder, tn_value logits, tn_value probabilities, tn_value weight, tn_str reduction, double label_smoothing) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = logits;
  inputs[1] = probabilities;
  inputs[2] = weight;
  attrs[n_attrs++] = tn_attr_string(TN_CROSS_ENTROPY_PROBS_REDUCTION, reduction);
  attrs[n_attrs++] = tn_attr_f64(TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING, label_smoothing);
  builder->v->call(builder, TN_OP_CROSS_ENTROPY_PROBS, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_mse(tn_builder* builder, tn_value x, tn_value target, tn_str reduction) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = target;
  attrs[n_attrs++] = tn_attr_string(TN_MSE_REDUCTION, reduction);
  builder->v->call(builder, TN_OP_MSE, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_bce_with_logits(tn_builder* builder, tn_value logits, tn_value target, tn_value weight, tn_value positive_weight, tn_str reduction) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[4];
  inputs[0] = logits;
  inputs[1] = target;
  inputs[2] = weight;
  inputs[3] = positive_weight;
  attrs[n_attrs++] = tn_attr_string(TN_BCE_WITH_LOGITS_REDUCTION, reduction);
  builder->v->call(builder, TN_OP_BCE_WITH_LOGITS, inputs, 4, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_uniform(tn_builder* builder, tn_value seed, tn_value stream, tn_value offset, const int64_t* dims, uint32_t n_dims, double low, double high, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = seed;
  inputs[1] = stream;
  inputs[2] = offset;
  attrs[n_attrs++] = tn_attr_i64s(TN_UNIFORM_DIMS, dims, n_dims);
  attrs[n_attrs++] = tn_attr_f64(TN_UNIFORM_LOW, low);
  attrs[n_attrs++] = tn_attr_f64(TN_UNIFORM_HIGH, high);
  attrs[n_attrs++] = tn_attr_dtype(TN_UNIFORM_DTYPE, dtype);
  builder->v->call(builder, TN_OP_UNIFORM, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_normal(tn_builder* builder, tn_value seed, tn_value stream, tn_value offset, const int64_t* dims, uint32_t n_dims, double mean, double deviation, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = seed;
  inputs[1] = stream;
  inputs[2] = offset;
  attrs[n_attrs++] = tn_attr_i64s(TN_NORMAL_DIMS, dims, n_dims);
  attrs[n_attrs++] = tn_attr_f64(TN_NORMAL_MEAN, mean);
  attrs[n_attrs++] = tn_attr_f64(TN_NORMAL_DEVIATION, deviation);
  attrs[n_attrs++] = tn_attr_dtype(TN_NORMAL_DTYPE, dtype);
  builder->v->call(builder, TN_OP_NORMAL, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_bernoulli(tn_builder* builder, tn_value seed, tn_value stream, tn_value offset, const int64_t* dims, uint32_t n_dims, double probability, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = seed;
  inputs[1] = stream;
  inputs[2] = offset;
  attrs[n_attrs++] = tn_attr_i64s(TN_BERNOULLI_DIMS, dims, n_dims);
  attrs[n_attrs++] = tn_attr_f64(TN_BERNOULLI_PROBABILITY, probability);
  attrs[n_attrs++] = tn_attr_dtype(TN_BERNOULLI_DTYPE, dtype);
  builder->v->call(builder, TN_OP_BERNOULLI, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_log2(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_LOG2, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_tan(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_TAN, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_asin(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ASIN, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_acos(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ACOS, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_atan(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ATAN, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_sinh(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_SINH, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cosh(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_COSH, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_asinh(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ASINH, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_acosh(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ACOSH, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_atanh(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ATANH, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_trunc(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_TRUNC, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_isnan(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ISNAN, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_isinf(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ISINF, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_isfinite(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_ISFINITE, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_floor_div(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_FLOOR_DIV, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_mod(tn_builder* builder, tn_value a, tn_value b, int32_t fmod) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  attrs[n_attrs++] = tn_attr_bool(TN_MOD_FMOD, fmod);
  builder->v->call(builder, TN_OP_MOD, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_lerp(tn_builder* builder, tn_value a, tn_value b, tn_value weight) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[3];
  inputs[0] = a;
  inputs[1] = b;
  inputs[2] = weight;
  builder->v->call(builder, TN_OP_LERP, inputs, 3, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_elu(tn_builder* builder, tn_value x, double alpha) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_f64(TN_ELU_ALPHA, alpha);
  builder->v->call(builder, TN_OP_ELU, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_selu(tn_builder* builder, tn_value x, double alpha, double gamma) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_f64(TN_SELU_ALPHA, alpha);
  attrs[n_attrs++] = tn_attr_f64(TN_SELU_GAMMA, gamma);
  builder->v->call(builder, TN_OP_SELU, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_celu(tn_builder* builder, tn_value x, double alpha) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_f64(TN_CELU_ALPHA, alpha);
  builder->v->call(builder, TN_OP_CELU, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_prelu(tn_builder* builder, tn_value x, tn_value slope) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = slope;
  builder->v->call(builder, TN_OP_PRELU, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_mish(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_MISH, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_softsign(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_SOFTSIGN, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_log_sigmoid(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_LOG_SIGMOID, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_hard_sigmoid(tn_builder* builder, tn_value x, double alpha, double beta) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_f64(TN_HARD_SIGMOID_ALPHA, alpha);
  attrs[n_attrs++] = tn_attr_f64(TN_HARD_SIGMOID_BETA, beta);
  builder->v->call(builder, TN_OP_HARD_SIGMOID, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_hard_swish(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_HARD_SWISH, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_std(tn_builder* builder, tn_value x, const int64_t* axes, uint32_t n_axes, int32_t keepdims, double correction) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_STD_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_STD_KEEPDIMS, keepdims);
  attrs[n_attrs++] = tn_attr_f64(TN_STD_CORRECTION, correction);
  builder->v->call(builder, TN_OP_STD, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_norm(tn_builder* builder, tn_value x, double ord, const int64_t* axes, uint32_t n_axes, int32_t keepdims) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_f64(TN_NORM_ORD, ord);
  if (axes) attrs[n_attrs++] = tn_attr_i64s(TN_NORM_AXES, axes, n_axes);
  attrs[n_attrs++] = tn_attr_bool(TN_NORM_KEEPDIMS, keepdims);
  builder->v->call(builder, TN_OP_NORM, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cumprod(tn_builder* builder, tn_value x, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_CUMPROD_AXIS, axis);
  builder->v->call(builder, TN_OP_CUMPROD, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_outer(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_OUTER, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_dot(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_DOT, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_vecdot(tn_builder* builder, tn_value a, tn_value b, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  attrs[n_attrs++] = tn_attr_i64(TN_VECDOT_AXIS, axis);
  builder->v->call(builder, TN_OP_VECDOT, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_tril(tn_builder* builder, tn_value x, int64_t k) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_TRIL_K, k);
  builder->v->call(builder, TN_OP_TRIL, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_triu(tn_builder* builder, tn_value x, int64_t k) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_TRIU_K, k);
  builder->v->call(builder, TN_OP_TRIU, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_diagonal(tn_builder* builder, tn_value x, int64_t offset) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_DIAGONAL_OFFSET, offset);
  builder->v->call(builder, TN_OP_DIAGONAL, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_trace(tn_builder* builder, tn_value x, int64_t offset) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_TRACE_OFFSET, offset);
  builder->v->call(builder, TN_OP_TRACE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_eye(tn_builder* builder, int64_t n, int64_t m, int64_t k, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_EYE_N, n);
  attrs[n_attrs++] = tn_attr_i64(TN_EYE_M, m);
  attrs[n_attrs++] = tn_attr_i64(TN_EYE_K, k);
  attrs[n_attrs++] = tn_attr_dtype(TN_EYE_DTYPE, dtype);
  builder->v->call(builder, TN_OP_EYE, NULL, 0, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_arange(tn_builder* builder, double start, double stop, double step, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_f64(TN_ARANGE_START, start);
  attrs[n_attrs++] = tn_attr_f64(TN_ARANGE_STOP, stop);
  attrs[n_attrs++] = tn_attr_f64(TN_ARANGE_STEP, step);
  attrs[n_attrs++] = tn_attr_dtype(TN_ARANGE_DTYPE, dtype);
  builder->v->call(builder, TN_OP_ARANGE, NULL, 0, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_tile(tn_builder* builder, tn_value x, const int64_t* repeats, uint32_t n_repeats) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_TILE_REPEATS, repeats, n_repeats);
  builder->v->call(builder, TN_OP_TILE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_roll(tn_builder* builder, tn_value x, const int64_t* shifts, uint32_t n_shifts, const int64_t* axes, uint32_t n_axes) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_ROLL_SHIFTS, shifts, n_shifts);
  attrs[n_attrs++] = tn_attr_i64s(TN_ROLL_AXES, axes, n_axes);
  builder->v->call(builder, TN_OP_ROLL, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_pad_edge(tn_builder* builder, tn_value x, const int64_t* low, uint32_t n_low, const int64_t* high, uint32_t n_high) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_EDGE_LOW, low, n_low);
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_EDGE_HIGH, high, n_high);
  builder->v->call(builder, TN_OP_PAD_EDGE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_pad_reflect(tn_builder* builder, tn_value x, const int64_t* low, uint32_t n_low, const int64_t* high, uint32_t n_high) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_REFLECT_LOW, low, n_low);
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_REFLECT_HIGH, high, n_high);
  builder->v->call(builder, TN_OP_PAD_REFLECT, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_depth_to_space(tn_builder* builder, tn_value x, int64_t block, tn_str mode) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_DEPTH_TO_SPACE_BLOCK, block);
  attrs[n_attrs++] = tn_attr_string(TN_DEPTH_TO_SPACE_MODE, mode);
  builder->v->call(builder, TN_OP_DEPTH_TO_SPACE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_space_to_depth(tn_builder* builder, tn_value x, int64_t block) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_SPACE_TO_DEPTH_BLOCK, block);
  builder->v->call(builder, TN_OP_SPACE_TO_DEPTH, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_take_along_axis(tn_builder* builder, tn_value x, tn_value indices, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = indices;
  attrs[n_attrs++] = tn_attr_i64(TN_TAKE_ALONG_AXIS_AXIS, axis);
  builder->v->call(builder, TN_OP_TAKE_ALONG_AXIS, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_gather_nd(tn_builder* builder, tn_value x, tn_value indices) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = indices;
  builder->v->call(builder, TN_OP_GATHER_ND, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_scatter_nd(tn_builder* builder, tn_value x, tn_value indices, tn_value updates, tn_str mode) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = indices;
  inputs[2] = updates;
  attrs[n_attrs++] = tn_attr_string(TN_SCATTER_ND_MODE, mode);
  builder->v->call(builder, TN_OP_SCATTER_ND, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_argsort(tn_builder* builder, tn_value x, int64_t axis, int32_t descending) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_ARGSORT_AXIS, axis);
  attrs[n_attrs++] = tn_attr_bool(TN_ARGSORT_DESCENDING, descending);
  builder->v->call(builder, TN_OP_ARGSORT, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE void tn_b_topk(tn_builder* builder, tn_value x, int64_t k, int64_t axis, int32_t largest, tn_value* outputs) {
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_TOPK_K, k);
  attrs[n_attrs++] = tn_attr_i64(TN_TOPK_AXIS, axis);
  attrs[n_attrs++] = tn_attr_bool(TN_TOPK_LARGEST, largest);
  builder->v->call(builder, TN_OP_TOPK, inputs, 1, n_attrs ? attrs : NULL, n_attrs, outputs, 2);
}

TN_INLINE void tn_b_meshgrid(tn_builder* builder, const tn_value* xs, uint32_t n_xs, tn_str indexing, tn_value* outputs, uint32_t n_outputs) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_string(TN_MESHGRID_INDEXING, indexing);
  builder->v->call(builder, TN_OP_MESHGRID, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, outputs, n_outputs);
}

TN_INLINE tn_value tn_b_nll(tn_builder* builder, tn_value log_probabilities, tn_value labels, tn_value weight, tn_str reduction, int64_t ignore_index) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = log_probabilities;
  inputs[1] = labels;
  inputs[2] = weight;
  attrs[n_attrs++] = tn_attr_string(TN_NLL_REDUCTION, reduction);
  attrs[n_attrs++] = tn_attr_i64(TN_NLL_IGNORE_INDEX, ignore_index);
  builder->v->call(builder, TN_OP_NLL, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_bce(tn_builder* builder, tn_value probabilities, tn_value target, tn_value weight, tn_str reduction) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = probabilities;
  inputs[1] = target;
  inputs[2] = weight;
  attrs[n_attrs++] = tn_attr_string(TN_BCE_REDUCTION, reduction);
  builder->v->call(builder, TN_OP_BCE, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_l1(tn_builder* builder, tn_value x, tn_value target, tn_str reduction) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = target;
  attrs[n_attrs++] = tn_attr_string(TN_L1_REDUCTION, reduction);
  builder->v->call(builder, TN_OP_L1, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_huber(tn_builder* builder, tn_value x, tn_value target, tn_str reduction, double delta) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = target;
  attrs[n_attrs++] = tn_attr_string(TN_HUBER_REDUCTION, reduction);
  attrs[n_attrs++] = tn_attr_f64(TN_HUBER_DELTA, delta);
  builder->v->call(builder, TN_OP_HUBER, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_kl_div(tn_builder* builder, tn_value log_input, tn_value target, tn_str reduction, int32_t log_target) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = log_input;
  inputs[1] = target;
  attrs[n_attrs++] = tn_attr_string(TN_KL_DIV_REDUCTION, reduction);
  attrs[n_attrs++] = tn_attr_bool(TN_KL_DIV_LOG_TARGET, log_target);
  builder->v->call(builder, TN_OP_KL_DIV, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_hinge(tn_builder* builder, tn_value x, tn_value target, tn_str reduction, double margin) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = target;
  attrs[n_attrs++] = tn_attr_string(TN_HINGE_REDUCTION, reduction);
  attrs[n_attrs++] = tn_attr_f64(TN_HINGE_MARGIN, margin);
  builder->v->call(builder, TN_OP_HINGE, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cosine_loss(tn_builder* builder, tn_value x1, tn_value x2, tn_value target, tn_str reduction, double margin) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x1;
  inputs[1] = x2;
  inputs[2] = target;
  attrs[n_attrs++] = tn_attr_string(TN_COSINE_LOSS_REDUCTION, reduction);
  attrs[n_attrs++] = tn_attr_f64(TN_COSINE_LOSS_MARGIN, margin);
  builder->v->call(builder, TN_OP_COSINE_LOSS, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cosine_similarity(tn_builder* builder, tn_value x1, tn_value x2, int64_t axis, double epsilon) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x1;
  inputs[1] = x2;
  attrs[n_attrs++] = tn_attr_i64(TN_COSINE_SIMILARITY_AXIS, axis);
  attrs[n_attrs++] = tn_attr_f64(TN_COSINE_SIMILARITY_EPSILON, epsilon);
  builder->v->call(builder, TN_OP_COSINE_SIMILARITY, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_rms_norm(tn_builder* builder, tn_value x, tn_value scale, int64_t axes, double epsilon) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = scale;
  attrs[n_attrs++] = tn_attr_i64(TN_RMS_NORM_AXES, axes);
  attrs[n_attrs++] = tn_attr_f64(TN_RMS_NORM_EPSILON, epsilon);
  builder->v->call(builder, TN_OP_RMS_NORM, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_group_norm(tn_builder* builder, tn_value x, tn_value scale, tn_value bias, int64_t groups, double epsilon) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  attrs[n_attrs++] = tn_attr_i64(TN_GROUP_NORM_GROUPS, groups);
  attrs[n_attrs++] = tn_attr_f64(TN_GROUP_NORM_EPSILON, epsilon);
  builder->v->call(builder, TN_OP_GROUP_NORM, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_instance_norm(tn_builder* builder, tn_value x, tn_value scale, tn_value bias, double epsilon) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  attrs[n_attrs++] = tn_attr_f64(TN_INSTANCE_NORM_EPSILON, epsilon);
  builder->v->call(builder, TN_OP_INSTANCE_NORM, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_lrn(tn_builder* builder, tn_value x, int64_t size, double alpha, double beta, double bias) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_LRN_SIZE, size);
  attrs[n_attrs++] = tn_attr_f64(TN_LRN_ALPHA, alpha);
  attrs[n_attrs++] = tn_attr_f64(TN_LRN_BETA, beta);
  attrs[n_attrs++] = tn_attr_f64(TN_LRN_BIAS, bias);
  builder->v->call(builder, TN_OP_LRN, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_randint(tn_builder* builder, tn_value seed, tn_value stream, tn_value offset, const int64_t* dims, uint32_t n_dims, int64_t low, int64_t high, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = seed;
  inputs[1] = stream;
  inputs[2] = offset;
  attrs[n_attrs++] = tn_attr_i64s(TN_RANDINT_DIMS, dims, n_dims);
  attrs[n_attrs++] = tn_attr_i64(TN_RANDINT_LOW, low);
  attrs[n_attrs++] = tn_attr_i64(TN_RANDINT_HIGH, high);
  attrs[n_attrs++] = tn_attr_dtype(TN_RANDINT_DTYPE, dtype);
  builder->v->call(builder, TN_OP_RANDINT, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_truncated_normal(tn_builder* builder, tn_value seed, tn_value stream, tn_value offset, const int64_t* dims, uint32_t n_dims, double mean, double deviation, double low, double high, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = seed;
  inputs[1] = stream;
  inputs[2] = offset;
  attrs[n_attrs++] = tn_attr_i64s(TN_TRUNCATED_NORMAL_DIMS, dims, n_dims);
  attrs[n_attrs++] = tn_attr_f64(TN_TRUNCATED_NORMAL_MEAN, mean);
  attrs[n_attrs++] = tn_attr_f64(TN_TRUNCATED_NORMAL_DEVIATION, deviation);
  attrs[n_attrs++] = tn_attr_f64(TN_TRUNCATED_NORMAL_LOW, low);
  attrs[n_attrs++] = tn_attr_f64(TN_TRUNCATED_NORMAL_HIGH, high);
  attrs[n_attrs++] = tn_attr_dtype(TN_TRUNCATED_NORMAL_DTYPE, dtype);
  builder->v->call(builder, TN_OP_TRUNCATED_NORMAL, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_categorical(tn_builder* builder, tn_value logits, tn_value seed, tn_value stream, tn_value offset) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[4];
  inputs[0] = logits;
  inputs[1] = seed;
  inputs[2] = stream;
  inputs[3] = offset;
  builder->v->call(builder, TN_OP_CATEGORICAL, inputs, 4, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_permutation(tn_builder* builder, tn_value seed, tn_value stream, tn_value offset, int64_t n) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = seed;
  inputs[1] = stream;
  inputs[2] = offset;
  attrs[n_attrs++] = tn_attr_i64(TN_PERMUTATION_N, n);
  builder->v->call(builder, TN_OP_PERMUTATION, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_scaled_dot_product_attention(tn_builder* builder, tn_value q, tn_value k, tn_value v, tn_value mask, int32_t causal, double scale) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[4];
  inputs[0] = q;
  inputs[1] = k;
  inputs[2] = v;
  inputs[3] = mask;
  attrs[n_attrs++] = tn_attr_bool(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL, causal);
  attrs[n_attrs++] = tn_attr_f64(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, scale);
  builder->v->call(builder, TN_OP_SCALED_DOT_PRODUCT_ATTENTION, inputs, 4, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_rotary_embedding(tn_builder* builder, tn_value x, tn_value positions, double base, int32_t interleaved) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = positions;
  attrs[n_attrs++] = tn_attr_f64(TN_ROTARY_EMBEDDING_BASE, base);
  attrs[n_attrs++] = tn_attr_bool(TN_ROTARY_EMBEDDING_INTERLEAVED, interleaved);
  builder->v->call(builder, TN_OP_ROTARY_EMBEDDING, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv1d(tn_builder* builder, tn_value x, tn_value w, tn_value bias, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV1D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV1D_PADDING, padding, n_padding);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV1D_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV1D_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV1D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv3d(tn_builder* builder, tn_value x, tn_value w, tn_value bias, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV3D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV3D_PADDING, padding, n_padding);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV3D_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV3D_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV3D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv_transpose1d(tn_builder* builder, tn_value x, tn_value w, tn_value bias, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, const int64_t* output_padding, uint32_t n_output_padding, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE1D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE1D_PADDING, padding, n_padding);
  if (output_padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE1D_OUTPUT_PADDING, output_padding, n_output_padding);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE1D_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV_TRANSPOSE1D_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV_TRANSPOSE1D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv_transpose2d(tn_builder* builder, tn_value x, tn_value w, tn_value bias, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, const int64_t* output_padding, uint32_t n_output_padding, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE2D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE2D_PADDING, padding, n_padding);
  if (output_padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE2D_OUTPUT_PADDING, output_padding, n_output_padding);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE2D_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV_TRANSPOSE2D_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV_TRANSPOSE2D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_max_pool1d(tn_builder* builder, tn_value x, const int64_t* window, uint32_t n_window, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL1D_WINDOW, window, n_window);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL1D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL1D_PADDING, padding, n_padding);
  builder->v->call(builder, TN_OP_MAX_POOL1D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_avg_pool1d(tn_builder* builder, tn_value x, const int64_t* window, uint32_t n_window, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, int32_t count_padding) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL1D_WINDOW, window, n_window);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL1D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL1D_PADDING, padding, n_padding);
  attrs[n_attrs++] = tn_attr_bool(TN_AVG_POOL1D_COUNT_PADDING, count_padding);
  builder->v->call(builder, TN_OP_AVG_POOL1D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_max_pool3d(tn_builder* builder, tn_value x, const int64_t* window, uint32_t n_window, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL3D_WINDOW, window, n_window);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL3D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL3D_PADDING, padding, n_padding);
  builder->v->call(builder, TN_OP_MAX_POOL3D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_avg_pool3d(tn_builder* builder, tn_value x, const int64_t* window, uint32_t n_window, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, int32_t count_padding) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL3D_WINDOW, window, n_window);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL3D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL3D_PADDING, padding, n_padding);
  attrs[n_attrs++] = tn_attr_bool(TN_AVG_POOL3D_COUNT_PADDING, count_padding);
  builder->v->call(builder, TN_OP_AVG_POOL3D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_adaptive_avg_pool2d(tn_builder* builder, tn_value x, const int64_t* output_size, uint32_t n_output_size) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_AVG_POOL2D_OUTPUT_SIZE, output_size, n_output_size);
  builder->v->call(builder, TN_OP_ADAPTIVE_AVG_POOL2D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_quantize_linear(tn_builder* builder, tn_value x, tn_value scale, tn_value zero_point, int64_t axis, tn_dtype dtype) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = zero_point;
  attrs[n_attrs++] = tn_attr_i64(TN_QUANTIZE_LINEAR_AXIS, axis);
  attrs[n_attrs++] = tn_attr_dtype(TN_QUANTIZE_LINEAR_DTYPE, dtype);
  builder->v->call(builder, TN_OP_QUANTIZE_LINEAR, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_dequantize_linear(tn_builder* builder, tn_value x, tn_value scale, tn_value zero_point, int64_t axis) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = zero_point;
  attrs[n_attrs++] = tn_attr_i64(TN_DEQUANTIZE_LINEAR_AXIS, axis);
  builder->v->call(builder, TN_OP_DEQUANTIZE_LINEAR, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv_transpose3d(tn_builder* builder, tn_value x, tn_value w, tn_value bias, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, const int64_t* output_padding, uint32_t n_output_padding, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_value inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE3D_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE3D_PADDING, padding, n_padding);
  if (output_padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE3D_OUTPUT_PADDING, output_padding, n_output_padding);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE3D_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV_TRANSPOSE3D_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV_TRANSPOSE3D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_adaptive_avg_pool1d(tn_builder* builder, tn_value x, const int64_t* output_size, uint32_t n_output_size) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_AVG_POOL1D_OUTPUT_SIZE, output_size, n_output_size);
  builder->v->call(builder, TN_OP_ADAPTIVE_AVG_POOL1D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_adaptive_avg_pool3d(tn_builder* builder, tn_value x, const int64_t* output_size, uint32_t n_output_size) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_AVG_POOL3D_OUTPUT_SIZE, output_size, n_output_size);
  builder->v->call(builder, TN_OP_ADAPTIVE_AVG_POOL3D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_adaptive_max_pool1d(tn_builder* builder, tn_value x, const int64_t* output_size, uint32_t n_output_size) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_MAX_POOL1D_OUTPUT_SIZE, output_size, n_output_size);
  builder->v->call(builder, TN_OP_ADAPTIVE_MAX_POOL1D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_adaptive_max_pool2d(tn_builder* builder, tn_value x, const int64_t* output_size, uint32_t n_output_size) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_MAX_POOL2D_OUTPUT_SIZE, output_size, n_output_size);
  builder->v->call(builder, TN_OP_ADAPTIVE_MAX_POOL2D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_adaptive_max_pool3d(tn_builder* builder, tn_value x, const int64_t* output_size, uint32_t n_output_size) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_MAX_POOL3D_OUTPUT_SIZE, output_size, n_output_size);
  builder->v->call(builder, TN_OP_ADAPTIVE_MAX_POOL3D, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE void tn_b_scaled_dot_product_attention_grad(tn_builder* builder, tn_value g, tn_value y, tn_value q, tn_value k, tn_value v, tn_value mask, int32_t causal, double scale, tn_value* outputs) {
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[6];
  inputs[0] = g;
  inputs[1] = y;
  inputs[2] = q;
  inputs[3] = k;
  inputs[4] = v;
  inputs[5] = mask;
  attrs[n_attrs++] = tn_attr_bool(TN_SCALED_DOT_PRODUCT_ATTENTION_GRAD_CAUSAL, causal);
  attrs[n_attrs++] = tn_attr_f64(TN_SCALED_DOT_PRODUCT_ATTENTION_GRAD_SCALE, scale);
  builder->v->call(builder, TN_OP_SCALED_DOT_PRODUCT_ATTENTION_GRAD, inputs, 6, n_attrs ? attrs : NULL, n_attrs, outputs, 3);
}

TN_INLINE void tn_b_rnn(tn_builder* builder, tn_value x, tn_value w, tn_value r, tn_value bias, tn_value lengths, tn_value h0, tn_str direction, tn_str activation, tn_value* outputs) {
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[6];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = r;
  inputs[3] = bias;
  inputs[4] = lengths;
  inputs[5] = h0;
  attrs[n_attrs++] = tn_attr_string(TN_RNN_DIRECTION, direction);
  attrs[n_attrs++] = tn_attr_string(TN_RNN_ACTIVATION, activation);
  builder->v->call(builder, TN_OP_RNN, inputs, 6, n_attrs ? attrs : NULL, n_attrs, outputs, 2);
}

TN_INLINE void tn_b_gru(tn_builder* builder, tn_value x, tn_value w, tn_value r, tn_value bias, tn_value lengths, tn_value h0, tn_str direction, int32_t linear_before_reset, tn_value* outputs) {
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_value inputs[6];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = r;
  inputs[3] = bias;
  inputs[4] = lengths;
  inputs[5] = h0;
  attrs[n_attrs++] = tn_attr_string(TN_GRU_DIRECTION, direction);
  attrs[n_attrs++] = tn_attr_bool(TN_GRU_LINEAR_BEFORE_RESET, linear_before_reset);
  builder->v->call(builder, TN_OP_GRU, inputs, 6, n_attrs ? attrs : NULL, n_attrs, outputs, 2);
}

TN_INLINE void tn_b_lstm(tn_builder* builder, tn_value x, tn_value w, tn_value r, tn_value bias, tn_value lengths, tn_value h0, tn_value c0, tn_value peephole, tn_str direction, tn_value* outputs) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[8];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = r;
  inputs[3] = bias;
  inputs[4] = lengths;
  inputs[5] = h0;
  inputs[6] = c0;
  inputs[7] = peephole;
  attrs[n_attrs++] = tn_attr_string(TN_LSTM_DIRECTION, direction);
  builder->v->call(builder, TN_OP_LSTM, inputs, 8, n_attrs ? attrs : NULL, n_attrs, outputs, 3);
}

TN_INLINE tn_value tn_b_resize(tn_builder* builder, tn_value x, const int64_t* dims, uint32_t n_dims, const double* scales, uint32_t n_scales, tn_str mode, tn_str coordinates, tn_str nearest, double cubic_coefficient, int32_t exclude_outside) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[7];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  if (dims) attrs[n_attrs++] = tn_attr_i64s(TN_RESIZE_DIMS, dims, n_dims);
  if (scales) attrs[n_attrs++] = tn_attr_f64s(TN_RESIZE_SCALES, scales, n_scales);
  attrs[n_attrs++] = tn_attr_string(TN_RESIZE_MODE, mode);
  attrs[n_attrs++] = tn_attr_string(TN_RESIZE_COORDINATES, coordinates);
  attrs[n_attrs++] = tn_attr_string(TN_RESIZE_NEAREST, nearest);
  attrs[n_attrs++] = tn_attr_f64(TN_RESIZE_CUBIC_COEFFICIENT, cubic_coefficient);
  attrs[n_attrs++] = tn_attr_bool(TN_RESIZE_EXCLUDE_OUTSIDE, exclude_outside);
  builder->v->call(builder, TN_OP_RESIZE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_grid_sample(tn_builder* builder, tn_value x, tn_value grid, tn_str mode, tn_str padding, int32_t align_corners) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = x;
  inputs[1] = grid;
  attrs[n_attrs++] = tn_attr_string(TN_GRID_SAMPLE_MODE, mode);
  attrs[n_attrs++] = tn_attr_string(TN_GRID_SAMPLE_PADDING, padding);
  attrs[n_attrs++] = tn_attr_bool(TN_GRID_SAMPLE_ALIGN_CORNERS, align_corners);
  builder->v->call(builder, TN_OP_GRID_SAMPLE, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_einsum(tn_builder* builder, const tn_value* xs, uint32_t n_xs, tn_str equation) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_string(TN_EINSUM_EQUATION, equation);
  builder->v->call(builder, TN_OP_EINSUM, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_cholesky(tn_builder* builder, tn_value x, int32_t upper) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_bool(TN_CHOLESKY_UPPER, upper);
  builder->v->call(builder, TN_OP_CHOLESKY, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_triangular_solve(tn_builder* builder, tn_value a, tn_value b, int32_t upper, int32_t transpose, int32_t unit_diagonal) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  attrs[n_attrs++] = tn_attr_bool(TN_TRIANGULAR_SOLVE_UPPER, upper);
  attrs[n_attrs++] = tn_attr_bool(TN_TRIANGULAR_SOLVE_TRANSPOSE, transpose);
  attrs[n_attrs++] = tn_attr_bool(TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL, unit_diagonal);
  builder->v->call(builder, TN_OP_TRIANGULAR_SOLVE, inputs, 2, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE void tn_b_lu(tn_builder* builder, tn_value x, tn_value* outputs) {
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_LU, inputs, 1, NULL, 0, outputs, 2);
}

TN_INLINE tn_value tn_b_solve(tn_builder* builder, tn_value a, tn_value b) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  builder->v->call(builder, TN_OP_SOLVE, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_inverse(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_INVERSE, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_det(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_DET, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_real(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_REAL, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_imag(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_IMAG, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conj(tn_builder* builder, tn_value x) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_CONJ, inputs, 1, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_complex(tn_builder* builder, tn_value re, tn_value im) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[2];
  inputs[0] = re;
  inputs[1] = im;
  builder->v->call(builder, TN_OP_COMPLEX, inputs, 2, NULL, 0, &y, 1);
  return y;
}

TN_INLINE void tn_b_nonzero(tn_builder* builder, tn_value x, int64_t max_size, tn_value* outputs) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_NONZERO_MAX_SIZE, max_size);
  builder->v->call(builder, TN_OP_NONZERO, inputs, 1, n_attrs ? attrs : NULL, n_attrs, outputs, 2);
}

TN_INLINE void tn_b_unique(tn_builder* builder, tn_value x, int64_t max_size, tn_value* outputs) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_UNIQUE_MAX_SIZE, max_size);
  builder->v->call(builder, TN_OP_UNIQUE, inputs, 1, n_attrs ? attrs : NULL, n_attrs, outputs, 5);
}

TN_INLINE tn_value tn_b_ctc(tn_builder* builder, tn_value log_probabilities, tn_value labels, tn_value input_lengths, tn_value label_lengths, tn_str reduction, int64_t blank, int32_t zero_infinity) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[4];
  inputs[0] = log_probabilities;
  inputs[1] = labels;
  inputs[2] = input_lengths;
  inputs[3] = label_lengths;
  attrs[n_attrs++] = tn_attr_string(TN_CTC_REDUCTION, reduction);
  attrs[n_attrs++] = tn_attr_i64(TN_CTC_BLANK, blank);
  attrs[n_attrs++] = tn_attr_bool(TN_CTC_ZERO_INFINITY, zero_infinity);
  builder->v->call(builder, TN_OP_CTC, inputs, 4, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE void tn_b_dynamic_quantize_linear(tn_builder* builder, tn_value x, tn_value* outputs) {
  tn_value inputs[1];
  inputs[0] = x;
  builder->v->call(builder, TN_OP_DYNAMIC_QUANTIZE_LINEAR, inputs, 1, NULL, 0, outputs, 3);
}

TN_INLINE tn_value tn_b_matmul_integer(tn_builder* builder, tn_value a, tn_value b, tn_value a_zero_point, tn_value b_zero_point) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[4];
  inputs[0] = a;
  inputs[1] = b;
  inputs[2] = a_zero_point;
  inputs[3] = b_zero_point;
  builder->v->call(builder, TN_OP_MATMUL_INTEGER, inputs, 4, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv_integer(tn_builder* builder, tn_value x, tn_value w, tn_value x_zero_point, tn_value w_zero_point, const int64_t* stride, uint32_t n_stride, const int64_t* low, uint32_t n_low, const int64_t* high, uint32_t n_high, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_value inputs[4];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = x_zero_point;
  inputs[3] = w_zero_point;
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_INTEGER_STRIDE, stride, n_stride);
  if (low) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_INTEGER_LOW, low, n_low);
  if (high) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_INTEGER_HIGH, high, n_high);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_INTEGER_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV_INTEGER_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV_INTEGER, inputs, 4, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_qlinear_matmul(tn_builder* builder, tn_value a, tn_value a_scale, tn_value a_zero_point, tn_value b, tn_value b_scale, tn_value b_zero_point, tn_value y_scale, tn_value y_zero_point) {
  tn_value y = TN_NO_VALUE;
  tn_value inputs[8];
  inputs[0] = a;
  inputs[1] = a_scale;
  inputs[2] = a_zero_point;
  inputs[3] = b;
  inputs[4] = b_scale;
  inputs[5] = b_zero_point;
  inputs[6] = y_scale;
  inputs[7] = y_zero_point;
  builder->v->call(builder, TN_OP_QLINEAR_MATMUL, inputs, 8, NULL, 0, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_qlinear_conv(tn_builder* builder, tn_value x, tn_value x_scale, tn_value x_zero_point, tn_value w, tn_value w_scale, tn_value w_zero_point, tn_value y_scale, tn_value y_zero_point, tn_value bias, const int64_t* stride, uint32_t n_stride, const int64_t* low, uint32_t n_low, const int64_t* high, uint32_t n_high, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_value inputs[9];
  inputs[0] = x;
  inputs[1] = x_scale;
  inputs[2] = x_zero_point;
  inputs[3] = w;
  inputs[4] = w_scale;
  inputs[5] = w_zero_point;
  inputs[6] = y_scale;
  inputs[7] = y_zero_point;
  inputs[8] = bias;
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_QLINEAR_CONV_STRIDE, stride, n_stride);
  if (low) attrs[n_attrs++] = tn_attr_i64s(TN_QLINEAR_CONV_LOW, low, n_low);
  if (high) attrs[n_attrs++] = tn_attr_i64s(TN_QLINEAR_CONV_HIGH, high, n_high);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_QLINEAR_CONV_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_QLINEAR_CONV_GROUPS, groups);
  builder->v->call(builder, TN_OP_QLINEAR_CONV, inputs, 9, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE void tn_b_lstm_steps(tn_builder* builder, tn_value gates, tn_value r, tn_value lengths, tn_value h0, tn_value c0, tn_value peephole, tn_str direction, tn_value* outputs) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[6];
  inputs[0] = gates;
  inputs[1] = r;
  inputs[2] = lengths;
  inputs[3] = h0;
  inputs[4] = c0;
  inputs[5] = peephole;
  attrs[n_attrs++] = tn_attr_string(TN_LSTM_STEPS_DIRECTION, direction);
  builder->v->call(builder, TN_OP_LSTM_STEPS, inputs, 6, n_attrs ? attrs : NULL, n_attrs, outputs, 4);
}

TN_INLINE void tn_b_lstm_steps_grad(tn_builder* builder, tn_value saved, tn_value r, tn_value lengths, tn_value c0, tn_value peephole, tn_value gy, tn_value gh, tn_value gc, tn_value gsaved, tn_str direction, tn_value* outputs) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_value inputs[9];
  inputs[0] = saved;
  inputs[1] = r;
  inputs[2] = lengths;
  inputs[3] = c0;
  inputs[4] = peephole;
  inputs[5] = gy;
  inputs[6] = gh;
  inputs[7] = gc;
  inputs[8] = gsaved;
  attrs[n_attrs++] = tn_attr_string(TN_LSTM_STEPS_GRAD_DIRECTION, direction);
  builder->v->call(builder, TN_OP_LSTM_STEPS_GRAD, inputs, 9, n_attrs ? attrs : NULL, n_attrs, outputs, 3);
}

TN_INLINE tn_value tn_b_checked_index(tn_builder* builder, tn_value indices, int64_t size, tn_str what, int32_t from_end) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[1];
  inputs[0] = indices;
  attrs[n_attrs++] = tn_attr_i64(TN_CHECKED_INDEX_SIZE, size);
  attrs[n_attrs++] = tn_attr_string(TN_CHECKED_INDEX_WHAT, what);
  attrs[n_attrs++] = tn_attr_bool(TN_CHECKED_INDEX_FROM_END, from_end);
  builder->v->call(builder, TN_OP_CHECKED_INDEX, inputs, 1, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE void tn_b_region(tn_builder* builder, const tn_value* xs, uint32_t n_xs, const int64_t* code, uint32_t n_code, tn_value* outputs, uint32_t n_outputs) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_REGION_CODE, code, n_code);
  builder->v->call(builder, TN_OP_REGION, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, outputs, n_outputs);
}

TN_INLINE tn_value tn_b_cross_entropy_grad(tn_builder* builder, tn_value g, tn_value logits, tn_value labels, tn_value weight, tn_str reduction, int64_t ignore_index, double label_smoothing) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_value inputs[4];
  inputs[0] = g;
  inputs[1] = logits;
  inputs[2] = labels;
  inputs[3] = weight;
  attrs[n_attrs++] = tn_attr_string(TN_CROSS_ENTROPY_GRAD_REDUCTION, reduction);
  attrs[n_attrs++] = tn_attr_i64(TN_CROSS_ENTROPY_GRAD_IGNORE_INDEX, ignore_index);
  attrs[n_attrs++] = tn_attr_f64(TN_CROSS_ENTROPY_GRAD_LABEL_SMOOTHING, label_smoothing);
  builder->v->call(builder, TN_OP_CROSS_ENTROPY_GRAD, inputs, 4, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_conv2d_region(tn_builder* builder, const tn_value* xs, uint32_t n_xs, const int64_t* code, uint32_t n_code, int64_t operands, const int64_t* stride, uint32_t n_stride, const int64_t* padding, uint32_t n_padding, const int64_t* dilation, uint32_t n_dilation, int64_t groups) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_REGION_CODE, code, n_code);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_REGION_OPERANDS, operands);
  if (stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_REGION_STRIDE, stride, n_stride);
  if (padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_REGION_PADDING, padding, n_padding);
  if (dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_REGION_DILATION, dilation, n_dilation);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_REGION_GROUPS, groups);
  builder->v->call(builder, TN_OP_CONV2D_REGION, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_linear_region(tn_builder* builder, const tn_value* xs, uint32_t n_xs, const int64_t* code, uint32_t n_code, int64_t operands) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_LINEAR_REGION_CODE, code, n_code);
  attrs[n_attrs++] = tn_attr_i64(TN_LINEAR_REGION_OPERANDS, operands);
  builder->v->call(builder, TN_OP_LINEAR_REGION, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_INLINE tn_value tn_b_matmul_region(tn_builder* builder, const tn_value* xs, uint32_t n_xs, const int64_t* code, uint32_t n_code, int32_t transpose_a, int32_t transpose_b) {
  tn_value y = TN_NO_VALUE;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_MATMUL_REGION_CODE, code, n_code);
  attrs[n_attrs++] = tn_attr_bool(TN_MATMUL_REGION_TRANSPOSE_A, transpose_a);
  attrs[n_attrs++] = tn_attr_bool(TN_MATMUL_REGION_TRANSPOSE_B, transpose_b);
  builder->v->call(builder, TN_OP_MATMUL_REGION, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, &y, 1);
  return y;
}

TN_EXTERN_C_END
#endif
