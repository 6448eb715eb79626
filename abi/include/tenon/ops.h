/* Made by tools/gen_ops.py from ops.def. One typed inline function per op over tn_op_call (op.h). Each comment is the op's
 * schema; docs/ops.md says what it computes. Options may be NULL: the defaults. An optional input may be NULL. Each *out_ is an
 * owned reference. A list option that is NULL has its default, which the _init comment names. */
#ifndef TENON_OPS_H_
#define TENON_OPS_H_
#include "op.h"
#include "op_ids.h"
TN_EXTERN_C_BEGIN

/* neg(x) -> y */
TN_INLINE tn_error* tn_neg(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_NEG, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* abs(x) -> y */
TN_INLINE tn_error* tn_abs(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ABS, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* floor(x) -> y */
TN_INLINE tn_error* tn_floor(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_FLOOR, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* ceil(x) -> y */
TN_INLINE tn_error* tn_ceil(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_CEIL, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* round(x) -> y */
TN_INLINE tn_error* tn_round(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ROUND, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* exp(x) -> y */
TN_INLINE tn_error* tn_exp(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_EXP, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* expm1(x) -> y */
TN_INLINE tn_error* tn_expm1(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_EXPM1, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* log(x) -> y */
TN_INLINE tn_error* tn_log(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_LOG, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* log1p(x) -> y */
TN_INLINE tn_error* tn_log1p(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_LOG1P, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* sqrt(x) -> y */
TN_INLINE tn_error* tn_sqrt(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_SQRT, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* rsqrt(x) -> y */
TN_INLINE tn_error* tn_rsqrt(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_RSQRT, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* sin(x) -> y */
TN_INLINE tn_error* tn_sin(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_SIN, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* cos(x) -> y */
TN_INLINE tn_error* tn_cos(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_COS, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* tanh(x) -> y */
TN_INLINE tn_error* tn_tanh(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_TANH, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* erf(x) -> y */
TN_INLINE tn_error* tn_erf(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ERF, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* not(x) -> y */
TN_INLINE tn_error* tn_not(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_NOT, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* cast(x, *, dtype: dtype) -> y */
TN_INLINE tn_error* tn_cast(tn_ctx* ctx, tn_tensor* x, tn_dtype dtype, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_dtype(TN_CAST_DTYPE, dtype);
  return tn_op_call(ctx, TN_OP_CAST, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* bitcast(x, *, dtype: dtype) -> y */
TN_INLINE tn_error* tn_bitcast(tn_ctx* ctx, tn_tensor* x, tn_dtype dtype, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_dtype(TN_BITCAST_DTYPE, dtype);
  return tn_op_call(ctx, TN_OP_BITCAST, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* add(a, b) -> y */
TN_INLINE tn_error* tn_add(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_ADD, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* sub(a, b) -> y */
TN_INLINE tn_error* tn_sub(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_SUB, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* mul(a, b) -> y */
TN_INLINE tn_error* tn_mul(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_MUL, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* div(a, b) -> y */
TN_INLINE tn_error* tn_div(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_DIV, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* rem(a, b) -> y */
TN_INLINE tn_error* tn_rem(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_REM, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* pow(a, b) -> y */
TN_INLINE tn_error* tn_pow(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_POW, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* atan2(a, b) -> y */
TN_INLINE tn_error* tn_atan2(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_ATAN2, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* maximum(a, b) -> y */
TN_INLINE tn_error* tn_maximum(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_MAXIMUM, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* minimum(a, b) -> y */
TN_INLINE tn_error* tn_minimum(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_MINIMUM, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* and(a, b) -> y */
TN_INLINE tn_error* tn_and(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_AND, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* or(a, b) -> y */
TN_INLINE tn_error* tn_or(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_OR, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* xor(a, b) -> y */
TN_INLINE tn_error* tn_xor(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_XOR, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* shl(a, b) -> y */
TN_INLINE tn_error* tn_shl(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_SHL, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* shr(a, b) -> y */
TN_INLINE tn_error* tn_shr(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_SHR, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* eq(a, b) -> y */
TN_INLINE tn_error* tn_eq(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_EQ, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* lt(a, b) -> y */
TN_INLINE tn_error* tn_lt(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_LT, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* le(a, b) -> y */
TN_INLINE tn_error* tn_le(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_LE, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* where(condition, a, b) -> y */
TN_INLINE tn_error* tn_where(tn_ctx* ctx, tn_tensor* condition, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[3];
  inputs[0] = condition;
  inputs[1] = a;
  inputs[2] = b;
  return tn_op_call(ctx, TN_OP_WHERE, inputs, 3, NULL, 0, out_y, 1, &n_out);
}

/* copy(x) -> y */
TN_INLINE tn_error* tn_copy(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_COPY, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* reshape(x, *, dims: i64s) -> y */
TN_INLINE tn_error* tn_reshape(tn_ctx* ctx, tn_tensor* x, uint32_t n_dims, const int64_t* dims, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_RESHAPE_DIMS, dims, n_dims);
  return tn_op_call(ctx, TN_OP_RESHAPE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* expand(x, *, dims: i64s) -> y */
TN_INLINE tn_error* tn_expand(tn_ctx* ctx, tn_tensor* x, uint32_t n_dims, const int64_t* dims, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_EXPAND_DIMS, dims, n_dims);
  return tn_op_call(ctx, TN_OP_EXPAND, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* transpose(x, *, perm: i64s) -> y */
TN_INLINE tn_error* tn_transpose(tn_ctx* ctx, tn_tensor* x, uint32_t n_perm, const int64_t* perm, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_TRANSPOSE_PERM, perm, n_perm);
  return tn_op_call(ctx, TN_OP_TRANSPOSE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_slice_options {
  uint32_t struct_size;
  uint32_t n_steps;
  const int64_t* steps;
} tn_slice_options;
TN_INLINE tn_slice_options tn_slice_options_init(void) {
  tn_slice_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_steps = 0, o.steps = NULL; /* [] */
  return o;
}
/* slice(x, *, starts: i64s, stops: i64s, steps: i64s = []) -> y */
TN_INLINE tn_error* tn_slice(tn_ctx* ctx, tn_tensor* x, uint32_t n_starts, const int64_t* starts, uint32_t n_stops, const int64_t* stops, const tn_slice_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_SLICE_STARTS, starts, n_starts);
  attrs[n_attrs++] = tn_attr_i64s(TN_SLICE_STOPS, stops, n_stops);
  if (options && options->steps) attrs[n_attrs++] = tn_attr_i64s(TN_SLICE_STEPS, options->steps, options->n_steps);
  return tn_op_call(ctx, TN_OP_SLICE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_pad_options {
  uint32_t struct_size;
  uint32_t n_interior;
  const int64_t* interior;
} tn_pad_options;
TN_INLINE tn_pad_options tn_pad_options_init(void) {
  tn_pad_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_interior = 0, o.interior = NULL; /* [] */
  return o;
}
/* pad(x, value?, *, low: i64s, high: i64s, interior: i64s = []) -> y */
TN_INLINE tn_error* tn_pad(tn_ctx* ctx, tn_tensor* x, tn_tensor* value, uint32_t n_low, const int64_t* low, uint32_t n_high, const int64_t* high, const tn_pad_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = value;
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_LOW, low, n_low);
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_HIGH, high, n_high);
  if (options && options->interior) attrs[n_attrs++] = tn_attr_i64s(TN_PAD_INTERIOR, options->interior, options->n_interior);
  return tn_op_call(ctx, TN_OP_PAD, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_concat_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_concat_options;
TN_INLINE tn_concat_options tn_concat_options_init(void) {
  tn_concat_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 0;
  o.reserved = 0;
  return o;
}
/* concat(xs..., *, axis: i64 = 0) -> y */
TN_INLINE tn_error* tn_concat(tn_ctx* ctx, tn_tensor* const* xs, uint32_t n_xs, const tn_concat_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONCAT_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_CONCAT, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* flip(x, *, axes: i64s) -> y */
TN_INLINE tn_error* tn_flip(tn_ctx* ctx, tn_tensor* x, uint32_t n_axes, const int64_t* axes, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_FLIP_AXES, axes, n_axes);
  return tn_op_call(ctx, TN_OP_FLIP, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_gather_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_gather_options;
TN_INLINE tn_gather_options tn_gather_options_init(void) {
  tn_gather_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 0;
  o.reserved = 0;
  return o;
}
/* gather(x, indices, *, axis: i64 = 0) -> y */
TN_INLINE tn_error* tn_gather(tn_ctx* ctx, tn_tensor* x, tn_tensor* indices, const tn_gather_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = indices;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_GATHER_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_GATHER, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_scatter_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
  tn_str mode;
} tn_scatter_options;
TN_INLINE tn_scatter_options tn_scatter_options_init(void) {
  tn_scatter_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 0;
  o.mode = tn_string("set");
  o.reserved = 0;
  return o;
}
/* scatter(x, indices, updates, *, axis: i64 = 0, mode: string = 'set') -> y */
TN_INLINE tn_error* tn_scatter(tn_ctx* ctx, tn_tensor* x, tn_tensor* indices, tn_tensor* updates, const tn_scatter_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = indices;
  inputs[2] = updates;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_SCATTER_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_string(TN_SCATTER_MODE, options->mode);
  return tn_op_call(ctx, TN_OP_SCATTER, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_iota_options {
  uint32_t struct_size;
  tn_dtype dtype;
  int64_t axis;
} tn_iota_options;
TN_INLINE tn_iota_options tn_iota_options_init(void) {
  tn_iota_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 0;
  o.dtype = TN_DTYPE_I64;
  return o;
}
/* iota(*, dims: i64s, axis: i64 = 0, dtype: dtype = i64) -> y */
TN_INLINE tn_error* tn_iota(tn_ctx* ctx, uint32_t n_dims, const int64_t* dims, const tn_iota_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_IOTA_DIMS, dims, n_dims);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_IOTA_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_IOTA_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_IOTA, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_fill_options {
  uint32_t struct_size;
  tn_dtype dtype;
} tn_fill_options;
TN_INLINE tn_fill_options tn_fill_options_init(void) {
  tn_fill_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.dtype = TN_DTYPE_F32;
  return o;
}
/* fill(value, *, dims: i64s, dtype: dtype = f32) -> y */
TN_INLINE tn_error* tn_fill(tn_ctx* ctx, tn_tensor* value, uint32_t n_dims, const int64_t* dims, const tn_fill_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_FILL_DIMS, dims, n_dims);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_FILL_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_FILL, &value, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_sum_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
} tn_sum_options;
TN_INLINE tn_sum_options tn_sum_options_init(void) {
  tn_sum_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.reserved = 0;
  return o;
}
/* sum(x, *, axes: i64s = [], keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_sum(tn_ctx* ctx, tn_tensor* x, const tn_sum_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_SUM_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_SUM_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_SUM, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_prod_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
} tn_prod_options;
TN_INLINE tn_prod_options tn_prod_options_init(void) {
  tn_prod_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.reserved = 0;
  return o;
}
/* prod(x, *, axes: i64s = [], keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_prod(tn_ctx* ctx, tn_tensor* x, const tn_prod_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_PROD_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_PROD_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_PROD, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_max_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
} tn_max_options;
TN_INLINE tn_max_options tn_max_options_init(void) {
  tn_max_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.reserved = 0;
  return o;
}
/* max(x, *, axes: i64s = [], keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_max(tn_ctx* ctx, tn_tensor* x, const tn_max_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_MAX_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_MAX, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_min_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
} tn_min_options;
TN_INLINE tn_min_options tn_min_options_init(void) {
  tn_min_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.reserved = 0;
  return o;
}
/* min(x, *, axes: i64s = [], keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_min(tn_ctx* ctx, tn_tensor* x, const tn_min_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_MIN_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_MIN_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_MIN, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_argmax_options {
  uint32_t struct_size;
  int32_t keepdims;
  int64_t axis;
} tn_argmax_options;
TN_INLINE tn_argmax_options tn_argmax_options_init(void) {
  tn_argmax_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = -1;
  o.keepdims = 0;
  return o;
}
/* argmax(x, *, axis: i64 = -1, keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_argmax(tn_ctx* ctx, tn_tensor* x, const tn_argmax_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_ARGMAX_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_ARGMAX_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_ARGMAX, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_cumsum_options {
  uint32_t struct_size;
  int32_t exclusive;
  int32_t reverse;
  uint32_t reserved;
  int64_t axis;
} tn_cumsum_options;
TN_INLINE tn_cumsum_options tn_cumsum_options_init(void) {
  tn_cumsum_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 0;
  o.exclusive = 0;
  o.reverse = 0;
  o.reserved = 0;
  return o;
}
/* cumsum(x, *, axis: i64 = 0, exclusive: bool = 0, reverse: bool = 0) -> y */
TN_INLINE tn_error* tn_cumsum(tn_ctx* ctx, tn_tensor* x, const tn_cumsum_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CUMSUM_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_CUMSUM_EXCLUSIVE, options->exclusive);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_CUMSUM_REVERSE, options->reverse);
  return tn_op_call(ctx, TN_OP_CUMSUM, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_matmul_options {
  uint32_t struct_size;
  int32_t transpose_a;
  int32_t transpose_b;
} tn_matmul_options;
TN_INLINE tn_matmul_options tn_matmul_options_init(void) {
  tn_matmul_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.transpose_a = 0;
  o.transpose_b = 0;
  return o;
}
/* matmul(a, b, *, transpose_a: bool = 0, transpose_b: bool = 0) -> y */
TN_INLINE tn_error* tn_matmul(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, const tn_matmul_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_MATMUL_TRANSPOSE_A, options->transpose_a);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_MATMUL_TRANSPOSE_B, options->transpose_b);
  return tn_op_call(ctx, TN_OP_MATMUL, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_conv_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_low;
  uint32_t n_high;
  uint32_t n_lhs_dilation;
  uint32_t n_rhs_dilation;
  const int64_t* stride;
  const int64_t* low;
  const int64_t* high;
  const int64_t* lhs_dilation;
  const int64_t* rhs_dilation;
  int64_t groups;
} tn_conv_options;
TN_INLINE tn_conv_options tn_conv_options_init(void) {
  tn_conv_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_low = 0, o.low = NULL; /* [] */
  o.n_high = 0, o.high = NULL; /* [] */
  o.n_lhs_dilation = 0, o.lhs_dilation = NULL; /* [] */
  o.n_rhs_dilation = 0, o.rhs_dilation = NULL; /* [] */
  o.groups = 1;
  return o;
}
/* conv(x, w, *, stride: i64s = [], low: i64s = [], high: i64s = [], lhs_dilation: i64s = [], rhs_dilation: i64s = [], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_conv(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, const tn_conv_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = w;
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_STRIDE, options->stride, options->n_stride);
  if (options && options->low) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_LOW, options->low, options->n_low);
  if (options && options->high) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_HIGH, options->high, options->n_high);
  if (options && options->lhs_dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_LHS_DILATION, options->lhs_dilation, options->n_lhs_dilation);
  if (options && options->rhs_dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_RHS_DILATION, options->rhs_dilation, options->n_rhs_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_window_reduce_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_low;
  uint32_t n_high;
  uint32_t n_dilation;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* low;
  const int64_t* high;
  const int64_t* dilation;
  tn_str mode;
} tn_window_reduce_options;
TN_INLINE tn_window_reduce_options tn_window_reduce_options_init(void) {
  tn_window_reduce_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_low = 0, o.low = NULL; /* [] */
  o.n_high = 0, o.high = NULL; /* [] */
  o.n_dilation = 0, o.dilation = NULL; /* [] */
  o.mode = tn_string("max");
  o.reserved = 0;
  return o;
}
/* window_reduce(x, *, window: i64s, stride: i64s = [], low: i64s = [], high: i64s = [], dilation: i64s = [], mode: string = 'max') -> y */
TN_INLINE tn_error* tn_window_reduce(tn_ctx* ctx, tn_tensor* x, uint32_t n_window, const int64_t* window, const tn_window_reduce_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_WINDOW, window, n_window);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_STRIDE, options->stride, options->n_stride);
  if (options && options->low) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_LOW, options->low, options->n_low);
  if (options && options->high) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_HIGH, options->high, options->n_high);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_REDUCE_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_string(TN_WINDOW_REDUCE_MODE, options->mode);
  return tn_op_call(ctx, TN_OP_WINDOW_REDUCE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_window_scatter_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_low;
  uint32_t n_high;
  uint32_t n_dilation;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* low;
  const int64_t* high;
  const int64_t* dilation;
} tn_window_scatter_options;
TN_INLINE tn_window_scatter_options tn_window_scatter_options_init(void) {
  tn_window_scatter_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_low = 0, o.low = NULL; /* [] */
  o.n_high = 0, o.high = NULL; /* [] */
  o.n_dilation = 0, o.dilation = NULL; /* [] */
  o.reserved = 0;
  return o;
}
/* window_scatter(x, g, *, window: i64s, stride: i64s = [], low: i64s = [], high: i64s = [], dilation: i64s = []) -> y */
TN_INLINE tn_error* tn_window_scatter(tn_ctx* ctx, tn_tensor* x, tn_tensor* g, uint32_t n_window, const int64_t* window, const tn_window_scatter_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = g;
  attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_WINDOW, window, n_window);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_STRIDE, options->stride, options->n_stride);
  if (options && options->low) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_LOW, options->low, options->n_low);
  if (options && options->high) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_HIGH, options->high, options->n_high);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_WINDOW_SCATTER_DILATION, options->dilation, options->n_dilation);
  return tn_op_call(ctx, TN_OP_WINDOW_SCATTER, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_sort_options {
  uint32_t struct_size;
  int32_t descending;
  int64_t axis;
} tn_sort_options;
TN_INLINE tn_sort_options tn_sort_options_init(void) {
  tn_sort_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = -1;
  o.descending = 0;
  return o;
}
/* sort(keys, values, *, axis: i64 = -1, descending: bool = 0) -> sorted_keys, sorted_values */
TN_INLINE tn_error* tn_sort(tn_ctx* ctx, tn_tensor* keys, tn_tensor* values, const tn_sort_options* options, tn_tensor** out_sorted_keys, tn_tensor** out_sorted_values) {
  uint32_t n_out = 0;
  tn_tensor* outputs[2] = {NULL};
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = keys;
  inputs[1] = values;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_SORT_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_SORT_DESCENDING, options->descending);
  TN_TRY(tn_op_call(ctx, TN_OP_SORT, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_sorted_keys && out_sorted_values ? outputs : NULL, 2, &n_out));
  *out_sorted_keys = outputs[0];
  *out_sorted_values = outputs[1];
  return NULL;
}

/* philox(*, dims: i64s) -> bits */
TN_INLINE tn_error* tn_philox(tn_ctx* ctx, uint32_t n_dims, const int64_t* dims, tn_tensor** out_bits) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_PHILOX_DIMS, dims, n_dims);
  return tn_op_call(ctx, TN_OP_PHILOX, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_bits, 1, &n_out);
}

/* ne(a, b) -> y */
TN_INLINE tn_error* tn_ne(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_NE, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* gt(a, b) -> y */
TN_INLINE tn_error* tn_gt(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_GT, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* ge(a, b) -> y */
TN_INLINE tn_error* tn_ge(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_GE, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* square(x) -> y */
TN_INLINE tn_error* tn_square(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_SQUARE, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* reciprocal(x) -> y */
TN_INLINE tn_error* tn_reciprocal(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_RECIPROCAL, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* sign(x) -> y */
TN_INLINE tn_error* tn_sign(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_SIGN, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* relu(x) -> y */
TN_INLINE tn_error* tn_relu(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_RELU, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* sigmoid(x) -> y */
TN_INLINE tn_error* tn_sigmoid(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_SIGMOID, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* softplus(x) -> y */
TN_INLINE tn_error* tn_softplus(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_SOFTPLUS, &x, 1, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_gelu_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str approximate;
} tn_gelu_options;
TN_INLINE tn_gelu_options tn_gelu_options_init(void) {
  tn_gelu_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.approximate = tn_string("none");
  o.reserved = 0;
  return o;
}
/* gelu(x, *, approximate: string = 'none') -> y */
TN_INLINE tn_error* tn_gelu(tn_ctx* ctx, tn_tensor* x, const tn_gelu_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_GELU_APPROXIMATE, options->approximate);
  return tn_op_call(ctx, TN_OP_GELU, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* silu(x) -> y */
TN_INLINE tn_error* tn_silu(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_SILU, &x, 1, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_leaky_relu_options {
  uint32_t struct_size;
  uint32_t reserved;
  double slope;
} tn_leaky_relu_options;
TN_INLINE tn_leaky_relu_options tn_leaky_relu_options_init(void) {
  tn_leaky_relu_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.slope = 0.01;
  o.reserved = 0;
  return o;
}
/* leaky_relu(x, *, slope: f64 = 0.01) -> y */
TN_INLINE tn_error* tn_leaky_relu(tn_ctx* ctx, tn_tensor* x, const tn_leaky_relu_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_LEAKY_RELU_SLOPE, options->slope);
  return tn_op_call(ctx, TN_OP_LEAKY_RELU, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* clip(x, low?, high?) -> y */
TN_INLINE tn_error* tn_clip(tn_ctx* ctx, tn_tensor* x, tn_tensor* low, tn_tensor* high, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = low;
  inputs[2] = high;
  return tn_op_call(ctx, TN_OP_CLIP, inputs, 3, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_mean_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
} tn_mean_options;
TN_INLINE tn_mean_options tn_mean_options_init(void) {
  tn_mean_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.reserved = 0;
  return o;
}
/* mean(x, *, axes: i64s = [], keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_mean(tn_ctx* ctx, tn_tensor* x, const tn_mean_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_MEAN_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_MEAN_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_MEAN, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_argmin_options {
  uint32_t struct_size;
  int32_t keepdims;
  int64_t axis;
} tn_argmin_options;
TN_INLINE tn_argmin_options tn_argmin_options_init(void) {
  tn_argmin_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = -1;
  o.keepdims = 0;
  return o;
}
/* argmin(x, *, axis: i64 = -1, keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_argmin(tn_ctx* ctx, tn_tensor* x, const tn_argmin_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_ARGMIN_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_ARGMIN_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_ARGMIN, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_logsumexp_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
} tn_logsumexp_options;
TN_INLINE tn_logsumexp_options tn_logsumexp_options_init(void) {
  tn_logsumexp_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.reserved = 0;
  return o;
}
/* logsumexp(x, *, axes: i64s = [], keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_logsumexp(tn_ctx* ctx, tn_tensor* x, const tn_logsumexp_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_LOGSUMEXP_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_LOGSUMEXP_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_LOGSUMEXP, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_var_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
  double correction;
} tn_var_options;
TN_INLINE tn_var_options tn_var_options_init(void) {
  tn_var_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.correction = 0.0;
  o.reserved = 0;
  return o;
}
/* var(x, *, axes: i64s = [], keepdims: bool = 0, correction: f64 = 0.0) -> y */
TN_INLINE tn_error* tn_var(tn_ctx* ctx, tn_tensor* x, const tn_var_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_VAR_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_VAR_KEEPDIMS, options->keepdims);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_VAR_CORRECTION, options->correction);
  return tn_op_call(ctx, TN_OP_VAR, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_any_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
} tn_any_options;
TN_INLINE tn_any_options tn_any_options_init(void) {
  tn_any_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.reserved = 0;
  return o;
}
/* any(x, *, axes: i64s = [], keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_any(tn_ctx* ctx, tn_tensor* x, const tn_any_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_ANY_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_ANY_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_ANY, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_all_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
} tn_all_options;
TN_INLINE tn_all_options tn_all_options_init(void) {
  tn_all_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.reserved = 0;
  return o;
}
/* all(x, *, axes: i64s = [], keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_all(tn_ctx* ctx, tn_tensor* x, const tn_all_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_ALL_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_ALL_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_ALL, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_squeeze_options {
  uint32_t struct_size;
  uint32_t n_axes;
  const int64_t* axes;
} tn_squeeze_options;
TN_INLINE tn_squeeze_options tn_squeeze_options_init(void) {
  tn_squeeze_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  return o;
}
/* squeeze(x, *, axes: i64s = []) -> y */
TN_INLINE tn_error* tn_squeeze(tn_ctx* ctx, tn_tensor* x, const tn_squeeze_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_SQUEEZE_AXES, options->axes, options->n_axes);
  return tn_op_call(ctx, TN_OP_SQUEEZE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* unsqueeze(x, *, axes: i64s) -> y */
TN_INLINE tn_error* tn_unsqueeze(tn_ctx* ctx, tn_tensor* x, uint32_t n_axes, const int64_t* axes, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_UNSQUEEZE_AXES, axes, n_axes);
  return tn_op_call(ctx, TN_OP_UNSQUEEZE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_stack_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_stack_options;
TN_INLINE tn_stack_options tn_stack_options_init(void) {
  tn_stack_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 0;
  o.reserved = 0;
  return o;
}
/* stack(xs..., *, axis: i64 = 0) -> y */
TN_INLINE tn_error* tn_stack(tn_ctx* ctx, tn_tensor* const* xs, uint32_t n_xs, const tn_stack_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_STACK_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_STACK, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_split_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_split_options;
TN_INLINE tn_split_options tn_split_options_init(void) {
  tn_split_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 0;
  o.reserved = 0;
  return o;
}
/* split(x, *, sizes: i64s, axis: i64 = 0) -> ys */
TN_INLINE tn_error* tn_split(tn_ctx* ctx, tn_tensor* x, uint32_t n_sizes, const int64_t* sizes, const tn_split_options* options, tn_tensor** outputs, uint32_t capacity, uint32_t* out_n) {
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_SPLIT_SIZES, sizes, n_sizes);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_SPLIT_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_SPLIT, &x, 1, n_attrs ? attrs : NULL, n_attrs, outputs, capacity, out_n);
}

typedef struct tn_scatter_add_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_scatter_add_options;
TN_INLINE tn_scatter_add_options tn_scatter_add_options_init(void) {
  tn_scatter_add_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 0;
  o.reserved = 0;
  return o;
}
/* scatter_add(x, indices, updates, *, axis: i64 = 0) -> y */
TN_INLINE tn_error* tn_scatter_add(tn_ctx* ctx, tn_tensor* x, tn_tensor* indices, tn_tensor* updates, const tn_scatter_add_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = indices;
  inputs[2] = updates;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_SCATTER_ADD_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_SCATTER_ADD, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_one_hot_options {
  uint32_t struct_size;
  tn_dtype dtype;
} tn_one_hot_options;
TN_INLINE tn_one_hot_options tn_one_hot_options_init(void) {
  tn_one_hot_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.dtype = TN_DTYPE_F32;
  return o;
}
/* one_hot(indices, *, depth: i64, dtype: dtype = f32) -> y */
TN_INLINE tn_error* tn_one_hot(tn_ctx* ctx, tn_tensor* indices, int64_t depth, const tn_one_hot_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_ONE_HOT_DEPTH, depth);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_ONE_HOT_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_ONE_HOT, &indices, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* embedding(table, indices) -> y */
TN_INLINE tn_error* tn_embedding(tn_ctx* ctx, tn_tensor* table, tn_tensor* indices, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = table;
  inputs[1] = indices;
  return tn_op_call(ctx, TN_OP_EMBEDDING, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_conv2d_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t n_dilation;
  const int64_t* stride;
  const int64_t* padding;
  const int64_t* dilation;
  int64_t groups;
} tn_conv2d_options;
TN_INLINE tn_conv2d_options tn_conv2d_options_init(void) {
  tn_conv2d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [1, 1] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0] */
  o.n_dilation = 0, o.dilation = NULL; /* [1, 1] */
  o.groups = 1;
  return o;
}
/* conv2d(x, w, bias?, *, stride: i64s = [1, 1], padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_conv2d(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* bias, const tn_conv2d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_PADDING, options->padding, options->n_padding);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV2D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_conv2d_input_grad_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t n_dilation;
  const int64_t* stride;
  const int64_t* padding;
  const int64_t* dilation;
  int64_t groups;
} tn_conv2d_input_grad_options;
TN_INLINE tn_conv2d_input_grad_options tn_conv2d_input_grad_options_init(void) {
  tn_conv2d_input_grad_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [1, 1] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0] */
  o.n_dilation = 0, o.dilation = NULL; /* [1, 1] */
  o.groups = 1;
  return o;
}
/* conv2d_input_grad(g, w, *, height: i64, width: i64, stride: i64s = [1, 1], padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> dx */
TN_INLINE tn_error* tn_conv2d_input_grad(tn_ctx* ctx, tn_tensor* g, tn_tensor* w, int64_t height, int64_t width, const tn_conv2d_input_grad_options* options, tn_tensor** out_dx) {
  uint32_t n_out = 0;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = g;
  inputs[1] = w;
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_INPUT_GRAD_HEIGHT, height);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_INPUT_GRAD_WIDTH, width);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_INPUT_GRAD_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_INPUT_GRAD_PADDING, options->padding, options->n_padding);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_INPUT_GRAD_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_INPUT_GRAD_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV2D_INPUT_GRAD, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_dx, 1, &n_out);
}

typedef struct tn_conv2d_weight_grad_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t n_dilation;
  const int64_t* stride;
  const int64_t* padding;
  const int64_t* dilation;
  int64_t groups;
} tn_conv2d_weight_grad_options;
TN_INLINE tn_conv2d_weight_grad_options tn_conv2d_weight_grad_options_init(void) {
  tn_conv2d_weight_grad_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [1, 1] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0] */
  o.n_dilation = 0, o.dilation = NULL; /* [1, 1] */
  o.groups = 1;
  return o;
}
/* conv2d_weight_grad(g, x, *, height: i64, width: i64, stride: i64s = [1, 1], padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> dw */
TN_INLINE tn_error* tn_conv2d_weight_grad(tn_ctx* ctx, tn_tensor* g, tn_tensor* x, int64_t height, int64_t width, const tn_conv2d_weight_grad_options* options, tn_tensor** out_dw) {
  uint32_t n_out = 0;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = g;
  inputs[1] = x;
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_HEIGHT, height);
  attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_WIDTH, width);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_WEIGHT_GRAD_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_WEIGHT_GRAD_PADDING, options->padding, options->n_padding);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_WEIGHT_GRAD_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV2D_WEIGHT_GRAD, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_dw, 1, &n_out);
}

typedef struct tn_max_pool2d_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* padding;
} tn_max_pool2d_options;
TN_INLINE tn_max_pool2d_options tn_max_pool2d_options_init(void) {
  tn_max_pool2d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0] */
  o.reserved = 0;
  return o;
}
/* max_pool2d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0, 0]) -> y */
TN_INLINE tn_error* tn_max_pool2d(tn_ctx* ctx, tn_tensor* x, uint32_t n_window, const int64_t* window, const tn_max_pool2d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL2D_WINDOW, window, n_window);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL2D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL2D_PADDING, options->padding, options->n_padding);
  return tn_op_call(ctx, TN_OP_MAX_POOL2D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_avg_pool2d_options {
  uint32_t struct_size;
  int32_t count_padding;
  uint32_t n_stride;
  uint32_t n_padding;
  const int64_t* stride;
  const int64_t* padding;
} tn_avg_pool2d_options;
TN_INLINE tn_avg_pool2d_options tn_avg_pool2d_options_init(void) {
  tn_avg_pool2d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0] */
  o.count_padding = 1;
  return o;
}
/* avg_pool2d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0, 0], count_padding: bool = 1) -> y */
TN_INLINE tn_error* tn_avg_pool2d(tn_ctx* ctx, tn_tensor* x, uint32_t n_window, const int64_t* window, const tn_avg_pool2d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL2D_WINDOW, window, n_window);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL2D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL2D_PADDING, options->padding, options->n_padding);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_AVG_POOL2D_COUNT_PADDING, options->count_padding);
  return tn_op_call(ctx, TN_OP_AVG_POOL2D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* global_avg_pool(x) -> y */
TN_INLINE tn_error* tn_global_avg_pool(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_GLOBAL_AVG_POOL, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* global_max_pool(x) -> y */
TN_INLINE tn_error* tn_global_max_pool(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_GLOBAL_MAX_POOL, &x, 1, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_softmax_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_softmax_options;
TN_INLINE tn_softmax_options tn_softmax_options_init(void) {
  tn_softmax_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = -1;
  o.reserved = 0;
  return o;
}
/* softmax(x, *, axis: i64 = -1) -> y */
TN_INLINE tn_error* tn_softmax(tn_ctx* ctx, tn_tensor* x, const tn_softmax_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_SOFTMAX_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_SOFTMAX, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_log_softmax_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_log_softmax_options;
TN_INLINE tn_log_softmax_options tn_log_softmax_options_init(void) {
  tn_log_softmax_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = -1;
  o.reserved = 0;
  return o;
}
/* log_softmax(x, *, axis: i64 = -1) -> y */
TN_INLINE tn_error* tn_log_softmax(tn_ctx* ctx, tn_tensor* x, const tn_log_softmax_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_LOG_SOFTMAX_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_LOG_SOFTMAX, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_layer_norm_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axes;
  double epsilon;
} tn_layer_norm_options;
TN_INLINE tn_layer_norm_options tn_layer_norm_options_init(void) {
  tn_layer_norm_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axes = 1;
  o.epsilon = 1e-5;
  o.reserved = 0;
  return o;
}
/* layer_norm(x, scale?, bias?, *, axes: i64 = 1, epsilon: f64 = 1e-5) -> y */
TN_INLINE tn_error* tn_layer_norm(tn_ctx* ctx, tn_tensor* x, tn_tensor* scale, tn_tensor* bias, const tn_layer_norm_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_LAYER_NORM_AXES, options->axes);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_LAYER_NORM_EPSILON, options->epsilon);
  return tn_op_call(ctx, TN_OP_LAYER_NORM, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_batch_norm_options {
  uint32_t struct_size;
  uint32_t reserved;
  double epsilon;
} tn_batch_norm_options;
TN_INLINE tn_batch_norm_options tn_batch_norm_options_init(void) {
  tn_batch_norm_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.epsilon = 1e-5;
  o.reserved = 0;
  return o;
}
/* batch_norm(x, scale, bias, mean, variance, *, epsilon: f64 = 1e-5) -> y */
TN_INLINE tn_error* tn_batch_norm(tn_ctx* ctx, tn_tensor* x, tn_tensor* scale, tn_tensor* bias, tn_tensor* mean, tn_tensor* variance, const tn_batch_norm_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[5];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  inputs[3] = mean;
  inputs[4] = variance;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_BATCH_NORM_EPSILON, options->epsilon);
  return tn_op_call(ctx, TN_OP_BATCH_NORM, inputs, 5, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_batch_norm_train_options {
  uint32_t struct_size;
  uint32_t reserved;
  double epsilon;
} tn_batch_norm_train_options;
TN_INLINE tn_batch_norm_train_options tn_batch_norm_train_options_init(void) {
  tn_batch_norm_train_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.epsilon = 1e-5;
  o.reserved = 0;
  return o;
}
/* batch_norm_train(x, scale, bias, *, epsilon: f64 = 1e-5) -> y, mean, variance */
TN_INLINE tn_error* tn_batch_norm_train(tn_ctx* ctx, tn_tensor* x, tn_tensor* scale, tn_tensor* bias, const tn_batch_norm_train_options* options, tn_tensor** out_y, tn_tensor** out_mean, tn_tensor** out_variance) {
  uint32_t n_out = 0;
  tn_tensor* outputs[3] = {NULL};
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_BATCH_NORM_TRAIN_EPSILON, options->epsilon);
  TN_TRY(tn_op_call(ctx, TN_OP_BATCH_NORM_TRAIN, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y && out_mean && out_variance ? outputs : NULL, 3, &n_out));
  *out_y = outputs[0];
  *out_mean = outputs[1];
  *out_variance = outputs[2];
  return NULL;
}

typedef struct tn_dropout_options {
  uint32_t struct_size;
  uint32_t reserved;
  double rate;
} tn_dropout_options;
TN_INLINE tn_dropout_options tn_dropout_options_init(void) {
  tn_dropout_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.rate = 0.5;
  o.reserved = 0;
  return o;
}
/* dropout(x, *, rate: f64 = 0.5) -> y */
TN_INLINE tn_error* tn_dropout(tn_ctx* ctx, tn_tensor* x, const tn_dropout_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_DROPOUT_RATE, options->rate);
  return tn_op_call(ctx, TN_OP_DROPOUT, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* linear(x, w, bias?) -> y */
TN_INLINE tn_error* tn_linear(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* bias, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  return tn_op_call(ctx, TN_OP_LINEAR, inputs, 3, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_cross_entropy_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
  int64_t ignore_index;
  double label_smoothing;
} tn_cross_entropy_options;
TN_INLINE tn_cross_entropy_options tn_cross_entropy_options_init(void) {
  tn_cross_entropy_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.ignore_index = -100;
  o.label_smoothing = 0.0;
  o.reserved = 0;
  return o;
}
/* cross_entropy(logits, labels, weight?, *, reduction: string = 'mean', ignore_index: i64 = -100, label_smoothing: f64 = 0.0) -> loss */
TN_INLINE tn_error* tn_cross_entropy(tn_ctx* ctx, tn_tensor* logits, tn_tensor* labels, tn_tensor* weight, const tn_cross_entropy_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = logits;
  inputs[1] = labels;
  inputs[2] = weight;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_CROSS_ENTROPY_REDUCTION, options->reduction);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CROSS_ENTROPY_IGNORE_INDEX, options->ignore_index);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_CROSS_ENTROPY_LABEL_SMOOTHING, options->label_smoothing);
  return tn_op_call(ctx, TN_OP_CROSS_ENTROPY, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_cross_entropy_probs_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
  double label_smoothing;
} tn_cross_entropy_probs_options;
TN_INLINE tn_cross_entropy_probs_options tn_cross_entropy_probs_options_init(void) {
  tn_cross_entropy_probs_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.label_smoothing = 0.0;
  o.reserved = 0;
  return o;
}
/* cross_entropy_probs(logits, probabilities, weight?, *, reduction: string = 'mean', label_smoothing: f64 = 0.0) -> loss */
TN_INLINE tn_error* tn_cross_entropy_probs(tn_ctx* ctx, tn_tensor* logits, tn_tensor* probabilities, tn_tensor* weight, const tn_cross_entropy_probs_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = logits;
  inputs[1] = probabilities;
  inputs[2] = weight;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_CROSS_ENTROPY_PROBS_REDUCTION, options->reduction);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING, options->label_smoothing);
  return tn_op_call(ctx, TN_OP_CROSS_ENTROPY_PROBS, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_mse_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
} tn_mse_options;
TN_INLINE tn_mse_options tn_mse_options_init(void) {
  tn_mse_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.reserved = 0;
  return o;
}
/* mse(x, target, *, reduction: string = 'mean') -> loss */
TN_INLINE tn_error* tn_mse(tn_ctx* ctx, tn_tensor* x, tn_tensor* target, const tn_mse_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = target;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_MSE_REDUCTION, options->reduction);
  return tn_op_call(ctx, TN_OP_MSE, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_bce_with_logits_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
} tn_bce_with_logits_options;
TN_INLINE tn_bce_with_logits_options tn_bce_with_logits_options_init(void) {
  tn_bce_with_logits_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.reserved = 0;
  return o;
}
/* bce_with_logits(logits, target, weight?, positive_weight?, *, reduction: string = 'mean') -> loss */
TN_INLINE tn_error* tn_bce_with_logits(tn_ctx* ctx, tn_tensor* logits, tn_tensor* target, tn_tensor* weight, tn_tensor* positive_weight, const tn_bce_with_logits_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[4];
  inputs[0] = logits;
  inputs[1] = target;
  inputs[2] = weight;
  inputs[3] = positive_weight;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_BCE_WITH_LOGITS_REDUCTION, options->reduction);
  return tn_op_call(ctx, TN_OP_BCE_WITH_LOGITS, inputs, 4, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_uniform_options {
  uint32_t struct_size;
  tn_dtype dtype;
  double low;
  double high;
} tn_uniform_options;
TN_INLINE tn_uniform_options tn_uniform_options_init(void) {
  tn_uniform_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.low = 0.0;
  o.high = 1.0;
  o.dtype = TN_DTYPE_F32;
  return o;
}
/* uniform(*, dims: i64s, low: f64 = 0.0, high: f64 = 1.0, dtype: dtype = f32) -> y */
TN_INLINE tn_error* tn_uniform(tn_ctx* ctx, uint32_t n_dims, const int64_t* dims, const tn_uniform_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_UNIFORM_DIMS, dims, n_dims);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_UNIFORM_LOW, options->low);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_UNIFORM_HIGH, options->high);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_UNIFORM_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_UNIFORM, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_normal_options {
  uint32_t struct_size;
  tn_dtype dtype;
  double mean;
  double deviation;
} tn_normal_options;
TN_INLINE tn_normal_options tn_normal_options_init(void) {
  tn_normal_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.mean = 0.0;
  o.deviation = 1.0;
  o.dtype = TN_DTYPE_F32;
  return o;
}
/* normal(*, dims: i64s, mean: f64 = 0.0, deviation: f64 = 1.0, dtype: dtype = f32) -> y */
TN_INLINE tn_error* tn_normal(tn_ctx* ctx, uint32_t n_dims, const int64_t* dims, const tn_normal_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_NORMAL_DIMS, dims, n_dims);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_NORMAL_MEAN, options->mean);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_NORMAL_DEVIATION, options->deviation);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_NORMAL_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_NORMAL, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_bernoulli_options {
  uint32_t struct_size;
  tn_dtype dtype;
  double probability;
} tn_bernoulli_options;
TN_INLINE tn_bernoulli_options tn_bernoulli_options_init(void) {
  tn_bernoulli_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.probability = 0.5;
  o.dtype = TN_DTYPE_BOOL;
  return o;
}
/* bernoulli(*, dims: i64s, probability: f64 = 0.5, dtype: dtype = bool) -> y */
TN_INLINE tn_error* tn_bernoulli(tn_ctx* ctx, uint32_t n_dims, const int64_t* dims, const tn_bernoulli_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_BERNOULLI_DIMS, dims, n_dims);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_BERNOULLI_PROBABILITY, options->probability);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_BERNOULLI_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_BERNOULLI, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* log2(x) -> y */
TN_INLINE tn_error* tn_log2(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_LOG2, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* tan(x) -> y */
TN_INLINE tn_error* tn_tan(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_TAN, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* asin(x) -> y */
TN_INLINE tn_error* tn_asin(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ASIN, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* acos(x) -> y */
TN_INLINE tn_error* tn_acos(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ACOS, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* atan(x) -> y */
TN_INLINE tn_error* tn_atan(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ATAN, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* sinh(x) -> y */
TN_INLINE tn_error* tn_sinh(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_SINH, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* cosh(x) -> y */
TN_INLINE tn_error* tn_cosh(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_COSH, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* asinh(x) -> y */
TN_INLINE tn_error* tn_asinh(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ASINH, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* acosh(x) -> y */
TN_INLINE tn_error* tn_acosh(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ACOSH, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* atanh(x) -> y */
TN_INLINE tn_error* tn_atanh(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ATANH, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* trunc(x) -> y */
TN_INLINE tn_error* tn_trunc(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_TRUNC, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* isnan(x) -> y */
TN_INLINE tn_error* tn_isnan(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ISNAN, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* isinf(x) -> y */
TN_INLINE tn_error* tn_isinf(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ISINF, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* isfinite(x) -> y */
TN_INLINE tn_error* tn_isfinite(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_ISFINITE, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* floor_div(a, b) -> y */
TN_INLINE tn_error* tn_floor_div(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_FLOOR_DIV, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_mod_options {
  uint32_t struct_size;
  int32_t fmod;
} tn_mod_options;
TN_INLINE tn_mod_options tn_mod_options_init(void) {
  tn_mod_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.fmod = 0;
  return o;
}
/* mod(a, b, *, fmod: bool = 0) -> y */
TN_INLINE tn_error* tn_mod(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, const tn_mod_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_MOD_FMOD, options->fmod);
  return tn_op_call(ctx, TN_OP_MOD, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* lerp(a, b, weight) -> y */
TN_INLINE tn_error* tn_lerp(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor* weight, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[3];
  inputs[0] = a;
  inputs[1] = b;
  inputs[2] = weight;
  return tn_op_call(ctx, TN_OP_LERP, inputs, 3, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_elu_options {
  uint32_t struct_size;
  uint32_t reserved;
  double alpha;
} tn_elu_options;
TN_INLINE tn_elu_options tn_elu_options_init(void) {
  tn_elu_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.alpha = 1.0;
  o.reserved = 0;
  return o;
}
/* elu(x, *, alpha: f64 = 1.0) -> y */
TN_INLINE tn_error* tn_elu(tn_ctx* ctx, tn_tensor* x, const tn_elu_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_ELU_ALPHA, options->alpha);
  return tn_op_call(ctx, TN_OP_ELU, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_selu_options {
  uint32_t struct_size;
  uint32_t reserved;
  double alpha;
  double gamma;
} tn_selu_options;
TN_INLINE tn_selu_options tn_selu_options_init(void) {
  tn_selu_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.alpha = 1.6732632423543772;
  o.gamma = 1.0507009873554805;
  o.reserved = 0;
  return o;
}
/* selu(x, *, alpha: f64 = 1.6732632423543772, gamma: f64 = 1.0507009873554805) -> y */
TN_INLINE tn_error* tn_selu(tn_ctx* ctx, tn_tensor* x, const tn_selu_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_SELU_ALPHA, options->alpha);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_SELU_GAMMA, options->gamma);
  return tn_op_call(ctx, TN_OP_SELU, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_celu_options {
  uint32_t struct_size;
  uint32_t reserved;
  double alpha;
} tn_celu_options;
TN_INLINE tn_celu_options tn_celu_options_init(void) {
  tn_celu_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.alpha = 1.0;
  o.reserved = 0;
  return o;
}
/* celu(x, *, alpha: f64 = 1.0) -> y */
TN_INLINE tn_error* tn_celu(tn_ctx* ctx, tn_tensor* x, const tn_celu_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_CELU_ALPHA, options->alpha);
  return tn_op_call(ctx, TN_OP_CELU, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* prelu(x, slope) -> y */
TN_INLINE tn_error* tn_prelu(tn_ctx* ctx, tn_tensor* x, tn_tensor* slope, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = slope;
  return tn_op_call(ctx, TN_OP_PRELU, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* mish(x) -> y */
TN_INLINE tn_error* tn_mish(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_MISH, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* softsign(x) -> y */
TN_INLINE tn_error* tn_softsign(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_SOFTSIGN, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* log_sigmoid(x) -> y */
TN_INLINE tn_error* tn_log_sigmoid(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_LOG_SIGMOID, &x, 1, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_hard_sigmoid_options {
  uint32_t struct_size;
  uint32_t reserved;
  double alpha;
  double beta;
} tn_hard_sigmoid_options;
TN_INLINE tn_hard_sigmoid_options tn_hard_sigmoid_options_init(void) {
  tn_hard_sigmoid_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.alpha = 0.2;
  o.beta = 0.5;
  o.reserved = 0;
  return o;
}
/* hard_sigmoid(x, *, alpha: f64 = 0.2, beta: f64 = 0.5) -> y */
TN_INLINE tn_error* tn_hard_sigmoid(tn_ctx* ctx, tn_tensor* x, const tn_hard_sigmoid_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_HARD_SIGMOID_ALPHA, options->alpha);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_HARD_SIGMOID_BETA, options->beta);
  return tn_op_call(ctx, TN_OP_HARD_SIGMOID, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* hard_swish(x) -> y */
TN_INLINE tn_error* tn_hard_swish(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_HARD_SWISH, &x, 1, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_std_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  const int64_t* axes;
  double correction;
} tn_std_options;
TN_INLINE tn_std_options tn_std_options_init(void) {
  tn_std_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.correction = 0.0;
  o.reserved = 0;
  return o;
}
/* std(x, *, axes: i64s = [], keepdims: bool = 0, correction: f64 = 0.0) -> y */
TN_INLINE tn_error* tn_std(tn_ctx* ctx, tn_tensor* x, const tn_std_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_STD_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_STD_KEEPDIMS, options->keepdims);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_STD_CORRECTION, options->correction);
  return tn_op_call(ctx, TN_OP_STD, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_norm_options {
  uint32_t struct_size;
  int32_t keepdims;
  uint32_t n_axes;
  uint32_t reserved;
  double ord;
  const int64_t* axes;
} tn_norm_options;
TN_INLINE tn_norm_options tn_norm_options_init(void) {
  tn_norm_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.ord = 2.0;
  o.n_axes = 0, o.axes = NULL; /* [] */
  o.keepdims = 0;
  o.reserved = 0;
  return o;
}
/* norm(x, *, ord: f64 = 2.0, axes: i64s = [], keepdims: bool = 0) -> y */
TN_INLINE tn_error* tn_norm(tn_ctx* ctx, tn_tensor* x, const tn_norm_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_NORM_ORD, options->ord);
  if (options && options->axes) attrs[n_attrs++] = tn_attr_i64s(TN_NORM_AXES, options->axes, options->n_axes);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_NORM_KEEPDIMS, options->keepdims);
  return tn_op_call(ctx, TN_OP_NORM, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_cumprod_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_cumprod_options;
TN_INLINE tn_cumprod_options tn_cumprod_options_init(void) {
  tn_cumprod_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 0;
  o.reserved = 0;
  return o;
}
/* cumprod(x, *, axis: i64 = 0) -> y */
TN_INLINE tn_error* tn_cumprod(tn_ctx* ctx, tn_tensor* x, const tn_cumprod_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CUMPROD_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_CUMPROD, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* outer(a, b) -> y */
TN_INLINE tn_error* tn_outer(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_OUTER, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

/* dot(a, b) -> y */
TN_INLINE tn_error* tn_dot(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_DOT, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_vecdot_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_vecdot_options;
TN_INLINE tn_vecdot_options tn_vecdot_options_init(void) {
  tn_vecdot_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = -1;
  o.reserved = 0;
  return o;
}
/* vecdot(a, b, *, axis: i64 = -1) -> y */
TN_INLINE tn_error* tn_vecdot(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, const tn_vecdot_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_VECDOT_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_VECDOT, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_tril_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t k;
} tn_tril_options;
TN_INLINE tn_tril_options tn_tril_options_init(void) {
  tn_tril_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.k = 0;
  o.reserved = 0;
  return o;
}
/* tril(x, *, k: i64 = 0) -> y */
TN_INLINE tn_error* tn_tril(tn_ctx* ctx, tn_tensor* x, const tn_tril_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_TRIL_K, options->k);
  return tn_op_call(ctx, TN_OP_TRIL, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_triu_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t k;
} tn_triu_options;
TN_INLINE tn_triu_options tn_triu_options_init(void) {
  tn_triu_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.k = 0;
  o.reserved = 0;
  return o;
}
/* triu(x, *, k: i64 = 0) -> y */
TN_INLINE tn_error* tn_triu(tn_ctx* ctx, tn_tensor* x, const tn_triu_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_TRIU_K, options->k);
  return tn_op_call(ctx, TN_OP_TRIU, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_diagonal_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t offset;
} tn_diagonal_options;
TN_INLINE tn_diagonal_options tn_diagonal_options_init(void) {
  tn_diagonal_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.offset = 0;
  o.reserved = 0;
  return o;
}
/* diagonal(x, *, offset: i64 = 0) -> y */
TN_INLINE tn_error* tn_diagonal(tn_ctx* ctx, tn_tensor* x, const tn_diagonal_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_DIAGONAL_OFFSET, options->offset);
  return tn_op_call(ctx, TN_OP_DIAGONAL, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_trace_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t offset;
} tn_trace_options;
TN_INLINE tn_trace_options tn_trace_options_init(void) {
  tn_trace_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.offset = 0;
  o.reserved = 0;
  return o;
}
/* trace(x, *, offset: i64 = 0) -> y */
TN_INLINE tn_error* tn_trace(tn_ctx* ctx, tn_tensor* x, const tn_trace_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_TRACE_OFFSET, options->offset);
  return tn_op_call(ctx, TN_OP_TRACE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_eye_options {
  uint32_t struct_size;
  tn_dtype dtype;
  int64_t m;
  int64_t k;
} tn_eye_options;
TN_INLINE tn_eye_options tn_eye_options_init(void) {
  tn_eye_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.m = -1;
  o.k = 0;
  o.dtype = TN_DTYPE_F32;
  return o;
}
/* eye(*, n: i64, m: i64 = -1, k: i64 = 0, dtype: dtype = f32) -> y */
TN_INLINE tn_error* tn_eye(tn_ctx* ctx, int64_t n, const tn_eye_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_EYE_N, n);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_EYE_M, options->m);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_EYE_K, options->k);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_EYE_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_EYE, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_arange_options {
  uint32_t struct_size;
  tn_dtype dtype;
  double step;
} tn_arange_options;
TN_INLINE tn_arange_options tn_arange_options_init(void) {
  tn_arange_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.step = 1.0;
  o.dtype = TN_DTYPE_F32;
  return o;
}
/* arange(*, start: f64, stop: f64, step: f64 = 1.0, dtype: dtype = f32) -> y */
TN_INLINE tn_error* tn_arange(tn_ctx* ctx, double start, double stop, const tn_arange_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_f64(TN_ARANGE_START, start);
  attrs[n_attrs++] = tn_attr_f64(TN_ARANGE_STOP, stop);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_ARANGE_STEP, options->step);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_ARANGE_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_ARANGE, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* tile(x, *, repeats: i64s) -> y */
TN_INLINE tn_error* tn_tile(tn_ctx* ctx, tn_tensor* x, uint32_t n_repeats, const int64_t* repeats, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_TILE_REPEATS, repeats, n_repeats);
  return tn_op_call(ctx, TN_OP_TILE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* roll(x, *, shifts: i64s, axes: i64s) -> y */
TN_INLINE tn_error* tn_roll(tn_ctx* ctx, tn_tensor* x, uint32_t n_shifts, const int64_t* shifts, uint32_t n_axes, const int64_t* axes, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_ROLL_SHIFTS, shifts, n_shifts);
  attrs[n_attrs++] = tn_attr_i64s(TN_ROLL_AXES, axes, n_axes);
  return tn_op_call(ctx, TN_OP_ROLL, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* pad_edge(x, *, low: i64s, high: i64s) -> y */
TN_INLINE tn_error* tn_pad_edge(tn_ctx* ctx, tn_tensor* x, uint32_t n_low, const int64_t* low, uint32_t n_high, const int64_t* high, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_EDGE_LOW, low, n_low);
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_EDGE_HIGH, high, n_high);
  return tn_op_call(ctx, TN_OP_PAD_EDGE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* pad_reflect(x, *, low: i64s, high: i64s) -> y */
TN_INLINE tn_error* tn_pad_reflect(tn_ctx* ctx, tn_tensor* x, uint32_t n_low, const int64_t* low, uint32_t n_high, const int64_t* high, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_REFLECT_LOW, low, n_low);
  attrs[n_attrs++] = tn_attr_i64s(TN_PAD_REFLECT_HIGH, high, n_high);
  return tn_op_call(ctx, TN_OP_PAD_REFLECT, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_depth_to_space_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str mode;
} tn_depth_to_space_options;
TN_INLINE tn_depth_to_space_options tn_depth_to_space_options_init(void) {
  tn_depth_to_space_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.mode = tn_string("DCR");
  o.reserved = 0;
  return o;
}
/* depth_to_space(x, *, block: i64, mode: string = 'DCR') -> y */
TN_INLINE tn_error* tn_depth_to_space(tn_ctx* ctx, tn_tensor* x, int64_t block, const tn_depth_to_space_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_DEPTH_TO_SPACE_BLOCK, block);
  if (options) attrs[n_attrs++] = tn_attr_string(TN_DEPTH_TO_SPACE_MODE, options->mode);
  return tn_op_call(ctx, TN_OP_DEPTH_TO_SPACE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* space_to_depth(x, *, block: i64) -> y */
TN_INLINE tn_error* tn_space_to_depth(tn_ctx* ctx, tn_tensor* x, int64_t block, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_SPACE_TO_DEPTH_BLOCK, block);
  return tn_op_call(ctx, TN_OP_SPACE_TO_DEPTH, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_take_along_axis_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_take_along_axis_options;
TN_INLINE tn_take_along_axis_options tn_take_along_axis_options_init(void) {
  tn_take_along_axis_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = -1;
  o.reserved = 0;
  return o;
}
/* take_along_axis(x, indices, *, axis: i64 = -1) -> y */
TN_INLINE tn_error* tn_take_along_axis(tn_ctx* ctx, tn_tensor* x, tn_tensor* indices, const tn_take_along_axis_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = indices;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_TAKE_ALONG_AXIS_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_TAKE_ALONG_AXIS, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* gather_nd(x, indices) -> y */
TN_INLINE tn_error* tn_gather_nd(tn_ctx* ctx, tn_tensor* x, tn_tensor* indices, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = indices;
  return tn_op_call(ctx, TN_OP_GATHER_ND, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_scatter_nd_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str mode;
} tn_scatter_nd_options;
TN_INLINE tn_scatter_nd_options tn_scatter_nd_options_init(void) {
  tn_scatter_nd_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.mode = tn_string("set");
  o.reserved = 0;
  return o;
}
/* scatter_nd(x, indices, updates, *, mode: string = 'set') -> y */
TN_INLINE tn_error* tn_scatter_nd(tn_ctx* ctx, tn_tensor* x, tn_tensor* indices, tn_tensor* updates, const tn_scatter_nd_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = indices;
  inputs[2] = updates;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_SCATTER_ND_MODE, options->mode);
  return tn_op_call(ctx, TN_OP_SCATTER_ND, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_argsort_options {
  uint32_t struct_size;
  int32_t descending;
  int64_t axis;
} tn_argsort_options;
TN_INLINE tn_argsort_options tn_argsort_options_init(void) {
  tn_argsort_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = -1;
  o.descending = 0;
  return o;
}
/* argsort(x, *, axis: i64 = -1, descending: bool = 0) -> y */
TN_INLINE tn_error* tn_argsort(tn_ctx* ctx, tn_tensor* x, const tn_argsort_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_ARGSORT_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_ARGSORT_DESCENDING, options->descending);
  return tn_op_call(ctx, TN_OP_ARGSORT, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_topk_options {
  uint32_t struct_size;
  int32_t largest;
  int64_t axis;
} tn_topk_options;
TN_INLINE tn_topk_options tn_topk_options_init(void) {
  tn_topk_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = -1;
  o.largest = 1;
  return o;
}
/* topk(x, *, k: i64, axis: i64 = -1, largest: bool = 1) -> values, indices */
TN_INLINE tn_error* tn_topk(tn_ctx* ctx, tn_tensor* x, int64_t k, const tn_topk_options* options, tn_tensor** out_values, tn_tensor** out_indices) {
  uint32_t n_out = 0;
  tn_tensor* outputs[2] = {NULL};
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_TOPK_K, k);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_TOPK_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_TOPK_LARGEST, options->largest);
  TN_TRY(tn_op_call(ctx, TN_OP_TOPK, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_values && out_indices ? outputs : NULL, 2, &n_out));
  *out_values = outputs[0];
  *out_indices = outputs[1];
  return NULL;
}

typedef struct tn_meshgrid_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str indexing;
} tn_meshgrid_options;
TN_INLINE tn_meshgrid_options tn_meshgrid_options_init(void) {
  tn_meshgrid_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.indexing = tn_string("xy");
  o.reserved = 0;
  return o;
}
/* meshgrid(xs..., *, indexing: string = 'xy') -> ys */
TN_INLINE tn_error* tn_meshgrid(tn_ctx* ctx, tn_tensor* const* xs, uint32_t n_xs, const tn_meshgrid_options* options, tn_tensor** outputs, uint32_t capacity, uint32_t* out_n) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_MESHGRID_INDEXING, options->indexing);
  return tn_op_call(ctx, TN_OP_MESHGRID, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, outputs, capacity, out_n);
}

typedef struct tn_nll_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
  int64_t ignore_index;
} tn_nll_options;
TN_INLINE tn_nll_options tn_nll_options_init(void) {
  tn_nll_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.ignore_index = -100;
  o.reserved = 0;
  return o;
}
/* nll(log_probabilities, labels, weight?, *, reduction: string = 'mean', ignore_index: i64 = -100) -> loss */
TN_INLINE tn_error* tn_nll(tn_ctx* ctx, tn_tensor* log_probabilities, tn_tensor* labels, tn_tensor* weight, const tn_nll_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = log_probabilities;
  inputs[1] = labels;
  inputs[2] = weight;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_NLL_REDUCTION, options->reduction);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_NLL_IGNORE_INDEX, options->ignore_index);
  return tn_op_call(ctx, TN_OP_NLL, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_bce_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
} tn_bce_options;
TN_INLINE tn_bce_options tn_bce_options_init(void) {
  tn_bce_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.reserved = 0;
  return o;
}
/* bce(probabilities, target, weight?, *, reduction: string = 'mean') -> loss */
TN_INLINE tn_error* tn_bce(tn_ctx* ctx, tn_tensor* probabilities, tn_tensor* target, tn_tensor* weight, const tn_bce_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = probabilities;
  inputs[1] = target;
  inputs[2] = weight;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_BCE_REDUCTION, options->reduction);
  return tn_op_call(ctx, TN_OP_BCE, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_l1_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
} tn_l1_options;
TN_INLINE tn_l1_options tn_l1_options_init(void) {
  tn_l1_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.reserved = 0;
  return o;
}
/* l1(x, target, *, reduction: string = 'mean') -> loss */
TN_INLINE tn_error* tn_l1(tn_ctx* ctx, tn_tensor* x, tn_tensor* target, const tn_l1_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = target;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_L1_REDUCTION, options->reduction);
  return tn_op_call(ctx, TN_OP_L1, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_huber_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
  double delta;
} tn_huber_options;
TN_INLINE tn_huber_options tn_huber_options_init(void) {
  tn_huber_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.delta = 1.0;
  o.reserved = 0;
  return o;
}
/* huber(x, target, *, reduction: string = 'mean', delta: f64 = 1.0) -> loss */
TN_INLINE tn_error* tn_huber(tn_ctx* ctx, tn_tensor* x, tn_tensor* target, const tn_huber_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = target;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_HUBER_REDUCTION, options->reduction);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_HUBER_DELTA, options->delta);
  return tn_op_call(ctx, TN_OP_HUBER, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_kl_div_options {
  uint32_t struct_size;
  int32_t log_target;
  tn_str reduction;
} tn_kl_div_options;
TN_INLINE tn_kl_div_options tn_kl_div_options_init(void) {
  tn_kl_div_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.log_target = 0;
  return o;
}
/* kl_div(log_input, target, *, reduction: string = 'mean', log_target: bool = 0) -> loss */
TN_INLINE tn_error* tn_kl_div(tn_ctx* ctx, tn_tensor* log_input, tn_tensor* target, const tn_kl_div_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = log_input;
  inputs[1] = target;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_KL_DIV_REDUCTION, options->reduction);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_KL_DIV_LOG_TARGET, options->log_target);
  return tn_op_call(ctx, TN_OP_KL_DIV, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_hinge_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
  double margin;
} tn_hinge_options;
TN_INLINE tn_hinge_options tn_hinge_options_init(void) {
  tn_hinge_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.margin = 1.0;
  o.reserved = 0;
  return o;
}
/* hinge(x, target, *, reduction: string = 'mean', margin: f64 = 1.0) -> loss */
TN_INLINE tn_error* tn_hinge(tn_ctx* ctx, tn_tensor* x, tn_tensor* target, const tn_hinge_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = target;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_HINGE_REDUCTION, options->reduction);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_HINGE_MARGIN, options->margin);
  return tn_op_call(ctx, TN_OP_HINGE, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_cosine_loss_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
  double margin;
} tn_cosine_loss_options;
TN_INLINE tn_cosine_loss_options tn_cosine_loss_options_init(void) {
  tn_cosine_loss_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.margin = 0.0;
  o.reserved = 0;
  return o;
}
/* cosine_loss(x1, x2, target, *, reduction: string = 'mean', margin: f64 = 0.0) -> loss */
TN_INLINE tn_error* tn_cosine_loss(tn_ctx* ctx, tn_tensor* x1, tn_tensor* x2, tn_tensor* target, const tn_cosine_loss_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x1;
  inputs[1] = x2;
  inputs[2] = target;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_COSINE_LOSS_REDUCTION, options->reduction);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_COSINE_LOSS_MARGIN, options->margin);
  return tn_op_call(ctx, TN_OP_COSINE_LOSS, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

typedef struct tn_cosine_similarity_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
  double epsilon;
} tn_cosine_similarity_options;
TN_INLINE tn_cosine_similarity_options tn_cosine_similarity_options_init(void) {
  tn_cosine_similarity_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 1;
  o.epsilon = 1e-8;
  o.reserved = 0;
  return o;
}
/* cosine_similarity(x1, x2, *, axis: i64 = 1, epsilon: f64 = 1e-8) -> y */
TN_INLINE tn_error* tn_cosine_similarity(tn_ctx* ctx, tn_tensor* x1, tn_tensor* x2, const tn_cosine_similarity_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x1;
  inputs[1] = x2;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_COSINE_SIMILARITY_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_COSINE_SIMILARITY_EPSILON, options->epsilon);
  return tn_op_call(ctx, TN_OP_COSINE_SIMILARITY, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_rms_norm_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axes;
  double epsilon;
} tn_rms_norm_options;
TN_INLINE tn_rms_norm_options tn_rms_norm_options_init(void) {
  tn_rms_norm_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axes = 1;
  o.epsilon = 1e-5;
  o.reserved = 0;
  return o;
}
/* rms_norm(x, scale?, *, axes: i64 = 1, epsilon: f64 = 1e-5) -> y */
TN_INLINE tn_error* tn_rms_norm(tn_ctx* ctx, tn_tensor* x, tn_tensor* scale, const tn_rms_norm_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = scale;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_RMS_NORM_AXES, options->axes);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_RMS_NORM_EPSILON, options->epsilon);
  return tn_op_call(ctx, TN_OP_RMS_NORM, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_group_norm_options {
  uint32_t struct_size;
  uint32_t reserved;
  double epsilon;
} tn_group_norm_options;
TN_INLINE tn_group_norm_options tn_group_norm_options_init(void) {
  tn_group_norm_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.epsilon = 1e-5;
  o.reserved = 0;
  return o;
}
/* group_norm(x, scale?, bias?, *, groups: i64, epsilon: f64 = 1e-5) -> y */
TN_INLINE tn_error* tn_group_norm(tn_ctx* ctx, tn_tensor* x, tn_tensor* scale, tn_tensor* bias, int64_t groups, const tn_group_norm_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  attrs[n_attrs++] = tn_attr_i64(TN_GROUP_NORM_GROUPS, groups);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_GROUP_NORM_EPSILON, options->epsilon);
  return tn_op_call(ctx, TN_OP_GROUP_NORM, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_instance_norm_options {
  uint32_t struct_size;
  uint32_t reserved;
  double epsilon;
} tn_instance_norm_options;
TN_INLINE tn_instance_norm_options tn_instance_norm_options_init(void) {
  tn_instance_norm_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.epsilon = 1e-5;
  o.reserved = 0;
  return o;
}
/* instance_norm(x, scale?, bias?, *, epsilon: f64 = 1e-5) -> y */
TN_INLINE tn_error* tn_instance_norm(tn_ctx* ctx, tn_tensor* x, tn_tensor* scale, tn_tensor* bias, const tn_instance_norm_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = bias;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_INSTANCE_NORM_EPSILON, options->epsilon);
  return tn_op_call(ctx, TN_OP_INSTANCE_NORM, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_lrn_options {
  uint32_t struct_size;
  uint32_t reserved;
  double alpha;
  double beta;
  double bias;
} tn_lrn_options;
TN_INLINE tn_lrn_options tn_lrn_options_init(void) {
  tn_lrn_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.alpha = 1e-4;
  o.beta = 0.75;
  o.bias = 1.0;
  o.reserved = 0;
  return o;
}
/* lrn(x, *, size: i64, alpha: f64 = 1e-4, beta: f64 = 0.75, bias: f64 = 1.0) -> y */
TN_INLINE tn_error* tn_lrn(tn_ctx* ctx, tn_tensor* x, int64_t size, const tn_lrn_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_LRN_SIZE, size);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_LRN_ALPHA, options->alpha);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_LRN_BETA, options->beta);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_LRN_BIAS, options->bias);
  return tn_op_call(ctx, TN_OP_LRN, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_randint_options {
  uint32_t struct_size;
  tn_dtype dtype;
} tn_randint_options;
TN_INLINE tn_randint_options tn_randint_options_init(void) {
  tn_randint_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.dtype = TN_DTYPE_I64;
  return o;
}
/* randint(*, dims: i64s, low: i64, high: i64, dtype: dtype = i64) -> y */
TN_INLINE tn_error* tn_randint(tn_ctx* ctx, uint32_t n_dims, const int64_t* dims, int64_t low, int64_t high, const tn_randint_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_RANDINT_DIMS, dims, n_dims);
  attrs[n_attrs++] = tn_attr_i64(TN_RANDINT_LOW, low);
  attrs[n_attrs++] = tn_attr_i64(TN_RANDINT_HIGH, high);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_RANDINT_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_RANDINT, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_truncated_normal_options {
  uint32_t struct_size;
  tn_dtype dtype;
  double mean;
  double deviation;
  double low;
  double high;
} tn_truncated_normal_options;
TN_INLINE tn_truncated_normal_options tn_truncated_normal_options_init(void) {
  tn_truncated_normal_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.mean = 0.0;
  o.deviation = 1.0;
  o.low = -2.0;
  o.high = 2.0;
  o.dtype = TN_DTYPE_F32;
  return o;
}
/* truncated_normal(*, dims: i64s, mean: f64 = 0.0, deviation: f64 = 1.0, low: f64 = -2.0, high: f64 = 2.0, dtype: dtype = f32) -> y */
TN_INLINE tn_error* tn_truncated_normal(tn_ctx* ctx, uint32_t n_dims, const int64_t* dims, const tn_truncated_normal_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_TRUNCATED_NORMAL_DIMS, dims, n_dims);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_TRUNCATED_NORMAL_MEAN, options->mean);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_TRUNCATED_NORMAL_DEVIATION, options->deviation);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_TRUNCATED_NORMAL_LOW, options->low);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_TRUNCATED_NORMAL_HIGH, options->high);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_TRUNCATED_NORMAL_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_TRUNCATED_NORMAL, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* categorical(logits) -> index */
TN_INLINE tn_error* tn_categorical(tn_ctx* ctx, tn_tensor* logits, tn_tensor** out_index) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_CATEGORICAL, &logits, 1, NULL, 0, out_index, 1, &n_out);
}

/* permutation(*, n: i64) -> y */
TN_INLINE tn_error* tn_permutation(tn_ctx* ctx, int64_t n, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_PERMUTATION_N, n);
  return tn_op_call(ctx, TN_OP_PERMUTATION, NULL, 0, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_scaled_dot_product_attention_options {
  uint32_t struct_size;
  int32_t causal;
  double scale;
} tn_scaled_dot_product_attention_options;
TN_INLINE tn_scaled_dot_product_attention_options tn_scaled_dot_product_attention_options_init(void) {
  tn_scaled_dot_product_attention_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.causal = 0;
  o.scale = 0.0;
  return o;
}
/* scaled_dot_product_attention(q, k, v, mask?, *, causal: bool = 0, scale: f64 = 0.0) -> y */
TN_INLINE tn_error* tn_scaled_dot_product_attention(tn_ctx* ctx, tn_tensor* q, tn_tensor* k, tn_tensor* v, tn_tensor* mask, const tn_scaled_dot_product_attention_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[4];
  inputs[0] = q;
  inputs[1] = k;
  inputs[2] = v;
  inputs[3] = mask;
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL, options->causal);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, options->scale);
  return tn_op_call(ctx, TN_OP_SCALED_DOT_PRODUCT_ATTENTION, inputs, 4, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_rotary_embedding_options {
  uint32_t struct_size;
  int32_t interleaved;
  double base;
} tn_rotary_embedding_options;
TN_INLINE tn_rotary_embedding_options tn_rotary_embedding_options_init(void) {
  tn_rotary_embedding_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.base = 10000.0;
  o.interleaved = 0;
  return o;
}
/* rotary_embedding(x, positions?, *, base: f64 = 10000.0, interleaved: bool = 0) -> y */
TN_INLINE tn_error* tn_rotary_embedding(tn_ctx* ctx, tn_tensor* x, tn_tensor* positions, const tn_rotary_embedding_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = positions;
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_ROTARY_EMBEDDING_BASE, options->base);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_ROTARY_EMBEDDING_INTERLEAVED, options->interleaved);
  return tn_op_call(ctx, TN_OP_ROTARY_EMBEDDING, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_conv1d_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t n_dilation;
  const int64_t* stride;
  const int64_t* padding;
  const int64_t* dilation;
  int64_t groups;
} tn_conv1d_options;
TN_INLINE tn_conv1d_options tn_conv1d_options_init(void) {
  tn_conv1d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [1] */
  o.n_padding = 0, o.padding = NULL; /* [0] */
  o.n_dilation = 0, o.dilation = NULL; /* [1] */
  o.groups = 1;
  return o;
}
/* conv1d(x, w, bias?, *, stride: i64s = [1], padding: i64s = [0], dilation: i64s = [1], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_conv1d(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* bias, const tn_conv1d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV1D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV1D_PADDING, options->padding, options->n_padding);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV1D_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV1D_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV1D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_conv3d_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t n_dilation;
  const int64_t* stride;
  const int64_t* padding;
  const int64_t* dilation;
  int64_t groups;
} tn_conv3d_options;
TN_INLINE tn_conv3d_options tn_conv3d_options_init(void) {
  tn_conv3d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [1, 1, 1] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0, 0] */
  o.n_dilation = 0, o.dilation = NULL; /* [1, 1, 1] */
  o.groups = 1;
  return o;
}
/* conv3d(x, w, bias?, *, stride: i64s = [1, 1, 1], padding: i64s = [0, 0, 0], dilation: i64s = [1, 1, 1], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_conv3d(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* bias, const tn_conv3d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV3D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV3D_PADDING, options->padding, options->n_padding);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV3D_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV3D_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV3D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_conv_transpose1d_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t n_output_padding;
  uint32_t n_dilation;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* padding;
  const int64_t* output_padding;
  const int64_t* dilation;
  int64_t groups;
} tn_conv_transpose1d_options;
TN_INLINE tn_conv_transpose1d_options tn_conv_transpose1d_options_init(void) {
  tn_conv_transpose1d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [1] */
  o.n_padding = 0, o.padding = NULL; /* [0] */
  o.n_output_padding = 0, o.output_padding = NULL; /* [0] */
  o.n_dilation = 0, o.dilation = NULL; /* [1] */
  o.groups = 1;
  o.reserved = 0;
  return o;
}
/* conv_transpose1d(x, w, bias?, *, stride: i64s = [1], padding: i64s = [0], output_padding: i64s = [0], dilation: i64s = [1], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_conv_transpose1d(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* bias, const tn_conv_transpose1d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE1D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE1D_PADDING, options->padding, options->n_padding);
  if (options && options->output_padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE1D_OUTPUT_PADDING, options->output_padding, options->n_output_padding);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE1D_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV_TRANSPOSE1D_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV_TRANSPOSE1D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_conv_transpose2d_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t n_output_padding;
  uint32_t n_dilation;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* padding;
  const int64_t* output_padding;
  const int64_t* dilation;
  int64_t groups;
} tn_conv_transpose2d_options;
TN_INLINE tn_conv_transpose2d_options tn_conv_transpose2d_options_init(void) {
  tn_conv_transpose2d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [1, 1] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0] */
  o.n_output_padding = 0, o.output_padding = NULL; /* [0, 0] */
  o.n_dilation = 0, o.dilation = NULL; /* [1, 1] */
  o.groups = 1;
  o.reserved = 0;
  return o;
}
/* conv_transpose2d(x, w, bias?, *, stride: i64s = [1, 1], padding: i64s = [0, 0], output_padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_conv_transpose2d(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* bias, const tn_conv_transpose2d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE2D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE2D_PADDING, options->padding, options->n_padding);
  if (options && options->output_padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE2D_OUTPUT_PADDING, options->output_padding, options->n_output_padding);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE2D_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV_TRANSPOSE2D_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV_TRANSPOSE2D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_max_pool1d_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* padding;
} tn_max_pool1d_options;
TN_INLINE tn_max_pool1d_options tn_max_pool1d_options_init(void) {
  tn_max_pool1d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_padding = 0, o.padding = NULL; /* [0] */
  o.reserved = 0;
  return o;
}
/* max_pool1d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0]) -> y */
TN_INLINE tn_error* tn_max_pool1d(tn_ctx* ctx, tn_tensor* x, uint32_t n_window, const int64_t* window, const tn_max_pool1d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL1D_WINDOW, window, n_window);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL1D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL1D_PADDING, options->padding, options->n_padding);
  return tn_op_call(ctx, TN_OP_MAX_POOL1D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_avg_pool1d_options {
  uint32_t struct_size;
  int32_t count_padding;
  uint32_t n_stride;
  uint32_t n_padding;
  const int64_t* stride;
  const int64_t* padding;
} tn_avg_pool1d_options;
TN_INLINE tn_avg_pool1d_options tn_avg_pool1d_options_init(void) {
  tn_avg_pool1d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_padding = 0, o.padding = NULL; /* [0] */
  o.count_padding = 1;
  return o;
}
/* avg_pool1d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0], count_padding: bool = 1) -> y */
TN_INLINE tn_error* tn_avg_pool1d(tn_ctx* ctx, tn_tensor* x, uint32_t n_window, const int64_t* window, const tn_avg_pool1d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL1D_WINDOW, window, n_window);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL1D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL1D_PADDING, options->padding, options->n_padding);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_AVG_POOL1D_COUNT_PADDING, options->count_padding);
  return tn_op_call(ctx, TN_OP_AVG_POOL1D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_max_pool3d_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* padding;
} tn_max_pool3d_options;
TN_INLINE tn_max_pool3d_options tn_max_pool3d_options_init(void) {
  tn_max_pool3d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0, 0] */
  o.reserved = 0;
  return o;
}
/* max_pool3d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0, 0, 0]) -> y */
TN_INLINE tn_error* tn_max_pool3d(tn_ctx* ctx, tn_tensor* x, uint32_t n_window, const int64_t* window, const tn_max_pool3d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL3D_WINDOW, window, n_window);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL3D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_MAX_POOL3D_PADDING, options->padding, options->n_padding);
  return tn_op_call(ctx, TN_OP_MAX_POOL3D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_avg_pool3d_options {
  uint32_t struct_size;
  int32_t count_padding;
  uint32_t n_stride;
  uint32_t n_padding;
  const int64_t* stride;
  const int64_t* padding;
} tn_avg_pool3d_options;
TN_INLINE tn_avg_pool3d_options tn_avg_pool3d_options_init(void) {
  tn_avg_pool3d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0, 0] */
  o.count_padding = 1;
  return o;
}
/* avg_pool3d(x, *, window: i64s, stride: i64s = [], padding: i64s = [0, 0, 0], count_padding: bool = 1) -> y */
TN_INLINE tn_error* tn_avg_pool3d(tn_ctx* ctx, tn_tensor* x, uint32_t n_window, const int64_t* window, const tn_avg_pool3d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[4];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL3D_WINDOW, window, n_window);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL3D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_AVG_POOL3D_PADDING, options->padding, options->n_padding);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_AVG_POOL3D_COUNT_PADDING, options->count_padding);
  return tn_op_call(ctx, TN_OP_AVG_POOL3D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* adaptive_avg_pool2d(x, *, output_size: i64s) -> y */
TN_INLINE tn_error* tn_adaptive_avg_pool2d(tn_ctx* ctx, tn_tensor* x, uint32_t n_output_size, const int64_t* output_size, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_AVG_POOL2D_OUTPUT_SIZE, output_size, n_output_size);
  return tn_op_call(ctx, TN_OP_ADAPTIVE_AVG_POOL2D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_quantize_linear_options {
  uint32_t struct_size;
  tn_dtype dtype;
  int64_t axis;
} tn_quantize_linear_options;
TN_INLINE tn_quantize_linear_options tn_quantize_linear_options_init(void) {
  tn_quantize_linear_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 1;
  o.dtype = TN_DTYPE_U8;
  return o;
}
/* quantize_linear(x, scale, zero_point?, *, axis: i64 = 1, dtype: dtype = u8) -> y */
TN_INLINE tn_error* tn_quantize_linear(tn_ctx* ctx, tn_tensor* x, tn_tensor* scale, tn_tensor* zero_point, const tn_quantize_linear_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = zero_point;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_QUANTIZE_LINEAR_AXIS, options->axis);
  if (options) attrs[n_attrs++] = tn_attr_dtype(TN_QUANTIZE_LINEAR_DTYPE, options->dtype);
  return tn_op_call(ctx, TN_OP_QUANTIZE_LINEAR, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_dequantize_linear_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t axis;
} tn_dequantize_linear_options;
TN_INLINE tn_dequantize_linear_options tn_dequantize_linear_options_init(void) {
  tn_dequantize_linear_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.axis = 1;
  o.reserved = 0;
  return o;
}
/* dequantize_linear(x, scale, zero_point?, *, axis: i64 = 1) -> y */
TN_INLINE tn_error* tn_dequantize_linear(tn_ctx* ctx, tn_tensor* x, tn_tensor* scale, tn_tensor* zero_point, const tn_dequantize_linear_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = scale;
  inputs[2] = zero_point;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_DEQUANTIZE_LINEAR_AXIS, options->axis);
  return tn_op_call(ctx, TN_OP_DEQUANTIZE_LINEAR, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_conv_transpose3d_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t n_output_padding;
  uint32_t n_dilation;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* padding;
  const int64_t* output_padding;
  const int64_t* dilation;
  int64_t groups;
} tn_conv_transpose3d_options;
TN_INLINE tn_conv_transpose3d_options tn_conv_transpose3d_options_init(void) {
  tn_conv_transpose3d_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [1, 1, 1] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0, 0] */
  o.n_output_padding = 0, o.output_padding = NULL; /* [0, 0, 0] */
  o.n_dilation = 0, o.dilation = NULL; /* [1, 1, 1] */
  o.groups = 1;
  o.reserved = 0;
  return o;
}
/* conv_transpose3d(x, w, bias?, *, stride: i64s = [1, 1, 1], padding: i64s = [0, 0, 0], output_padding: i64s = [0, 0, 0], dilation: i64s = [1, 1, 1], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_conv_transpose3d(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* bias, const tn_conv_transpose3d_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[3];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = bias;
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE3D_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE3D_PADDING, options->padding, options->n_padding);
  if (options && options->output_padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE3D_OUTPUT_PADDING, options->output_padding, options->n_output_padding);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_TRANSPOSE3D_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV_TRANSPOSE3D_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV_TRANSPOSE3D, inputs, 3, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* adaptive_avg_pool1d(x, *, output_size: i64s) -> y */
TN_INLINE tn_error* tn_adaptive_avg_pool1d(tn_ctx* ctx, tn_tensor* x, uint32_t n_output_size, const int64_t* output_size, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_AVG_POOL1D_OUTPUT_SIZE, output_size, n_output_size);
  return tn_op_call(ctx, TN_OP_ADAPTIVE_AVG_POOL1D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* adaptive_avg_pool3d(x, *, output_size: i64s) -> y */
TN_INLINE tn_error* tn_adaptive_avg_pool3d(tn_ctx* ctx, tn_tensor* x, uint32_t n_output_size, const int64_t* output_size, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_AVG_POOL3D_OUTPUT_SIZE, output_size, n_output_size);
  return tn_op_call(ctx, TN_OP_ADAPTIVE_AVG_POOL3D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* adaptive_max_pool1d(x, *, output_size: i64s) -> y */
TN_INLINE tn_error* tn_adaptive_max_pool1d(tn_ctx* ctx, tn_tensor* x, uint32_t n_output_size, const int64_t* output_size, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_MAX_POOL1D_OUTPUT_SIZE, output_size, n_output_size);
  return tn_op_call(ctx, TN_OP_ADAPTIVE_MAX_POOL1D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* adaptive_max_pool2d(x, *, output_size: i64s) -> y */
TN_INLINE tn_error* tn_adaptive_max_pool2d(tn_ctx* ctx, tn_tensor* x, uint32_t n_output_size, const int64_t* output_size, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_MAX_POOL2D_OUTPUT_SIZE, output_size, n_output_size);
  return tn_op_call(ctx, TN_OP_ADAPTIVE_MAX_POOL2D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* adaptive_max_pool3d(x, *, output_size: i64s) -> y */
TN_INLINE tn_error* tn_adaptive_max_pool3d(tn_ctx* ctx, tn_tensor* x, uint32_t n_output_size, const int64_t* output_size, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_ADAPTIVE_MAX_POOL3D_OUTPUT_SIZE, output_size, n_output_size);
  return tn_op_call(ctx, TN_OP_ADAPTIVE_MAX_POOL3D, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_scaled_dot_product_attention_grad_options {
  uint32_t struct_size;
  int32_t causal;
  double scale;
} tn_scaled_dot_product_attention_grad_options;
TN_INLINE tn_scaled_dot_product_attention_grad_options tn_scaled_dot_product_attention_grad_options_init(void) {
  tn_scaled_dot_product_attention_grad_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.causal = 0;
  o.scale = 0.0;
  return o;
}
/* scaled_dot_product_attention_grad(g, y, q, k, v, mask?, *, causal: bool = 0, scale: f64 = 0.0) -> dq, dk, dv */
TN_INLINE tn_error* tn_scaled_dot_product_attention_grad(tn_ctx* ctx, tn_tensor* g, tn_tensor* y, tn_tensor* q, tn_tensor* k, tn_tensor* v, tn_tensor* mask, const tn_scaled_dot_product_attention_grad_options* options, tn_tensor** out_dq, tn_tensor** out_dk, tn_tensor** out_dv) {
  uint32_t n_out = 0;
  tn_tensor* outputs[3] = {NULL};
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[6];
  inputs[0] = g;
  inputs[1] = y;
  inputs[2] = q;
  inputs[3] = k;
  inputs[4] = v;
  inputs[5] = mask;
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_SCALED_DOT_PRODUCT_ATTENTION_GRAD_CAUSAL, options->causal);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_SCALED_DOT_PRODUCT_ATTENTION_GRAD_SCALE, options->scale);
  TN_TRY(tn_op_call(ctx, TN_OP_SCALED_DOT_PRODUCT_ATTENTION_GRAD, inputs, 6, n_attrs ? attrs : NULL, n_attrs, out_dq && out_dk && out_dv ? outputs : NULL, 3, &n_out));
  *out_dq = outputs[0];
  *out_dk = outputs[1];
  *out_dv = outputs[2];
  return NULL;
}

typedef struct tn_rnn_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str direction;
  tn_str activation;
} tn_rnn_options;
TN_INLINE tn_rnn_options tn_rnn_options_init(void) {
  tn_rnn_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.direction = tn_string("forward");
  o.activation = tn_string("tanh");
  o.reserved = 0;
  return o;
}
/* rnn(x, w, r, bias?, lengths?, h0?, *, direction: string = 'forward', activation: string = 'tanh') -> y, h */
TN_INLINE tn_error* tn_rnn(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* r, tn_tensor* bias, tn_tensor* lengths, tn_tensor* h0, const tn_rnn_options* options, tn_tensor** out_y, tn_tensor** out_h) {
  uint32_t n_out = 0;
  tn_tensor* outputs[2] = {NULL};
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[6];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = r;
  inputs[3] = bias;
  inputs[4] = lengths;
  inputs[5] = h0;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_RNN_DIRECTION, options->direction);
  if (options) attrs[n_attrs++] = tn_attr_string(TN_RNN_ACTIVATION, options->activation);
  TN_TRY(tn_op_call(ctx, TN_OP_RNN, inputs, 6, n_attrs ? attrs : NULL, n_attrs, out_y && out_h ? outputs : NULL, 2, &n_out));
  *out_y = outputs[0];
  *out_h = outputs[1];
  return NULL;
}

typedef struct tn_gru_options {
  uint32_t struct_size;
  int32_t linear_before_reset;
  tn_str direction;
} tn_gru_options;
TN_INLINE tn_gru_options tn_gru_options_init(void) {
  tn_gru_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.direction = tn_string("forward");
  o.linear_before_reset = 0;
  return o;
}
/* gru(x, w, r, bias?, lengths?, h0?, *, direction: string = 'forward', linear_before_reset: bool = 0) -> y, h */
TN_INLINE tn_error* tn_gru(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* r, tn_tensor* bias, tn_tensor* lengths, tn_tensor* h0, const tn_gru_options* options, tn_tensor** out_y, tn_tensor** out_h) {
  uint32_t n_out = 0;
  tn_tensor* outputs[2] = {NULL};
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[6];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = r;
  inputs[3] = bias;
  inputs[4] = lengths;
  inputs[5] = h0;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_GRU_DIRECTION, options->direction);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_GRU_LINEAR_BEFORE_RESET, options->linear_before_reset);
  TN_TRY(tn_op_call(ctx, TN_OP_GRU, inputs, 6, n_attrs ? attrs : NULL, n_attrs, out_y && out_h ? outputs : NULL, 2, &n_out));
  *out_y = outputs[0];
  *out_h = outputs[1];
  return NULL;
}

typedef struct tn_lstm_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str direction;
} tn_lstm_options;
TN_INLINE tn_lstm_options tn_lstm_options_init(void) {
  tn_lstm_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.direction = tn_string("forward");
  o.reserved = 0;
  return o;
}
/* lstm(x, w, r, bias?, lengths?, h0?, c0?, peephole?, *, direction: string = 'forward') -> y, h, c */
TN_INLINE tn_error* tn_lstm(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* r, tn_tensor* bias, tn_tensor* lengths, tn_tensor* h0, tn_tensor* c0, tn_tensor* peephole, const tn_lstm_options* options, tn_tensor** out_y, tn_tensor** out_h, tn_tensor** out_c) {
  uint32_t n_out = 0;
  tn_tensor* outputs[3] = {NULL};
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[8];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = r;
  inputs[3] = bias;
  inputs[4] = lengths;
  inputs[5] = h0;
  inputs[6] = c0;
  inputs[7] = peephole;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_LSTM_DIRECTION, options->direction);
  TN_TRY(tn_op_call(ctx, TN_OP_LSTM, inputs, 8, n_attrs ? attrs : NULL, n_attrs, out_y && out_h && out_c ? outputs : NULL, 3, &n_out));
  *out_y = outputs[0];
  *out_h = outputs[1];
  *out_c = outputs[2];
  return NULL;
}

typedef struct tn_resize_options {
  uint32_t struct_size;
  int32_t exclude_outside;
  uint32_t n_dims;
  uint32_t n_scales;
  const int64_t* dims;
  const double* scales;
  tn_str mode;
  tn_str coordinates;
  tn_str nearest;
  double cubic_coefficient;
} tn_resize_options;
TN_INLINE tn_resize_options tn_resize_options_init(void) {
  tn_resize_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_dims = 0, o.dims = NULL; /* [] */
  o.n_scales = 0, o.scales = NULL; /* [] */
  o.mode = tn_string("nearest");
  o.coordinates = tn_string("half_pixel");
  o.nearest = tn_string("round_prefer_floor");
  o.cubic_coefficient = -0.75;
  o.exclude_outside = 0;
  return o;
}
/* resize(x, *, dims: i64s = [], scales: f64s = [], mode: string = 'nearest', coordinates: string = 'half_pixel', nearest: string = 'round_prefer_floor', cubic_coefficient: f64 = -0.75, exclude_outside: bool = 0) -> y */
TN_INLINE tn_error* tn_resize(tn_ctx* ctx, tn_tensor* x, const tn_resize_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[7];
  uint32_t n_attrs = 0;
  if (options && options->dims) attrs[n_attrs++] = tn_attr_i64s(TN_RESIZE_DIMS, options->dims, options->n_dims);
  if (options && options->scales) attrs[n_attrs++] = tn_attr_f64s(TN_RESIZE_SCALES, options->scales, options->n_scales);
  if (options) attrs[n_attrs++] = tn_attr_string(TN_RESIZE_MODE, options->mode);
  if (options) attrs[n_attrs++] = tn_attr_string(TN_RESIZE_COORDINATES, options->coordinates);
  if (options) attrs[n_attrs++] = tn_attr_string(TN_RESIZE_NEAREST, options->nearest);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_RESIZE_CUBIC_COEFFICIENT, options->cubic_coefficient);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_RESIZE_EXCLUDE_OUTSIDE, options->exclude_outside);
  return tn_op_call(ctx, TN_OP_RESIZE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_grid_sample_options {
  uint32_t struct_size;
  int32_t align_corners;
  tn_str mode;
  tn_str padding;
} tn_grid_sample_options;
TN_INLINE tn_grid_sample_options tn_grid_sample_options_init(void) {
  tn_grid_sample_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.mode = tn_string("bilinear");
  o.padding = tn_string("zeros");
  o.align_corners = 0;
  return o;
}
/* grid_sample(x, grid, *, mode: string = 'bilinear', padding: string = 'zeros', align_corners: bool = 0) -> y */
TN_INLINE tn_error* tn_grid_sample(tn_ctx* ctx, tn_tensor* x, tn_tensor* grid, const tn_grid_sample_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = x;
  inputs[1] = grid;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_GRID_SAMPLE_MODE, options->mode);
  if (options) attrs[n_attrs++] = tn_attr_string(TN_GRID_SAMPLE_PADDING, options->padding);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_GRID_SAMPLE_ALIGN_CORNERS, options->align_corners);
  return tn_op_call(ctx, TN_OP_GRID_SAMPLE, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* einsum(xs..., *, equation: string) -> y */
TN_INLINE tn_error* tn_einsum(tn_ctx* ctx, tn_tensor* const* xs, uint32_t n_xs, tn_str equation, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_string(TN_EINSUM_EQUATION, equation);
  return tn_op_call(ctx, TN_OP_EINSUM, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_cholesky_options {
  uint32_t struct_size;
  int32_t upper;
} tn_cholesky_options;
TN_INLINE tn_cholesky_options tn_cholesky_options_init(void) {
  tn_cholesky_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.upper = 0;
  return o;
}
/* cholesky(x, *, upper: bool = 0) -> y */
TN_INLINE tn_error* tn_cholesky(tn_ctx* ctx, tn_tensor* x, const tn_cholesky_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_CHOLESKY_UPPER, options->upper);
  return tn_op_call(ctx, TN_OP_CHOLESKY, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_triangular_solve_options {
  uint32_t struct_size;
  int32_t upper;
  int32_t transpose;
  int32_t unit_diagonal;
} tn_triangular_solve_options;
TN_INLINE tn_triangular_solve_options tn_triangular_solve_options_init(void) {
  tn_triangular_solve_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.upper = 0;
  o.transpose = 0;
  o.unit_diagonal = 0;
  return o;
}
/* triangular_solve(a, b, *, upper: bool = 0, transpose: bool = 0, unit_diagonal: bool = 0) -> x */
TN_INLINE tn_error* tn_triangular_solve(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, const tn_triangular_solve_options* options, tn_tensor** out_x) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_TRIANGULAR_SOLVE_UPPER, options->upper);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_TRIANGULAR_SOLVE_TRANSPOSE, options->transpose);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL, options->unit_diagonal);
  return tn_op_call(ctx, TN_OP_TRIANGULAR_SOLVE, inputs, 2, n_attrs ? attrs : NULL, n_attrs, out_x, 1, &n_out);
}

/* lu(x) -> lu, permutation */
TN_INLINE tn_error* tn_lu(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_lu, tn_tensor** out_permutation) {
  uint32_t n_out = 0;
  tn_tensor* outputs[2] = {NULL};
  TN_TRY(tn_op_call(ctx, TN_OP_LU, &x, 1, NULL, 0, out_lu && out_permutation ? outputs : NULL, 2, &n_out));
  *out_lu = outputs[0];
  *out_permutation = outputs[1];
  return NULL;
}

/* solve(a, b) -> x */
TN_INLINE tn_error* tn_solve(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor** out_x) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = a;
  inputs[1] = b;
  return tn_op_call(ctx, TN_OP_SOLVE, inputs, 2, NULL, 0, out_x, 1, &n_out);
}

/* inverse(x) -> y */
TN_INLINE tn_error* tn_inverse(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_INVERSE, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* det(x) -> y */
TN_INLINE tn_error* tn_det(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_DET, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* real(x) -> y */
TN_INLINE tn_error* tn_real(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_REAL, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* imag(x) -> y */
TN_INLINE tn_error* tn_imag(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_IMAG, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* conj(x) -> y */
TN_INLINE tn_error* tn_conj(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y) {
  uint32_t n_out = 0;
  return tn_op_call(ctx, TN_OP_CONJ, &x, 1, NULL, 0, out_y, 1, &n_out);
}

/* complex(re, im) -> y */
TN_INLINE tn_error* tn_complex(tn_ctx* ctx, tn_tensor* re, tn_tensor* im, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[2];
  inputs[0] = re;
  inputs[1] = im;
  return tn_op_call(ctx, TN_OP_COMPLEX, inputs, 2, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_nonzero_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t max_size;
} tn_nonzero_options;
TN_INLINE tn_nonzero_options tn_nonzero_options_init(void) {
  tn_nonzero_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.max_size = -1;
  o.reserved = 0;
  return o;
}
/* nonzero(x, *, max_size: i64 = -1) -> indices, count */
TN_INLINE tn_error* tn_nonzero(tn_ctx* ctx, tn_tensor* x, const tn_nonzero_options* options, tn_tensor** out_indices, tn_tensor** out_count) {
  uint32_t n_out = 0;
  tn_tensor* outputs[2] = {NULL};
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_NONZERO_MAX_SIZE, options->max_size);
  TN_TRY(tn_op_call(ctx, TN_OP_NONZERO, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_indices && out_count ? outputs : NULL, 2, &n_out));
  *out_indices = outputs[0];
  *out_count = outputs[1];
  return NULL;
}

typedef struct tn_unique_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t max_size;
} tn_unique_options;
TN_INLINE tn_unique_options tn_unique_options_init(void) {
  tn_unique_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.max_size = -1;
  o.reserved = 0;
  return o;
}
/* unique(x, *, max_size: i64 = -1) -> values, indices, inverse, counts, count */
TN_INLINE tn_error* tn_unique(tn_ctx* ctx, tn_tensor* x, const tn_unique_options* options, tn_tensor** out_values, tn_tensor** out_indices, tn_tensor** out_inverse, tn_tensor** out_counts, tn_tensor** out_count) {
  uint32_t n_out = 0;
  tn_tensor* outputs[5] = {NULL};
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_UNIQUE_MAX_SIZE, options->max_size);
  TN_TRY(tn_op_call(ctx, TN_OP_UNIQUE, &x, 1, n_attrs ? attrs : NULL, n_attrs, out_values && out_indices && out_inverse && out_counts && out_count ? outputs : NULL, 5, &n_out));
  *out_values = outputs[0];
  *out_indices = outputs[1];
  *out_inverse = outputs[2];
  *out_counts = outputs[3];
  *out_count = outputs[4];
  return NULL;
}

typedef struct tn_ctc_options {
  uint32_t struct_size;
  int32_t zero_infinity;
  tn_str reduction;
  int64_t blank;
} tn_ctc_options;
TN_INLINE tn_ctc_options tn_ctc_options_init(void) {
  tn_ctc_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.blank = 0;
  o.zero_infinity = 0;
  return o;
}
/* ctc(log_probabilities, labels, input_lengths, label_lengths, *, reduction: string = 'mean', blank: i64 = 0, zero_infinity: bool = 0) -> loss */
TN_INLINE tn_error* tn_ctc(tn_ctx* ctx, tn_tensor* log_probabilities, tn_tensor* labels, tn_tensor* input_lengths, tn_tensor* label_lengths, const tn_ctc_options* options, tn_tensor** out_loss) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[4];
  inputs[0] = log_probabilities;
  inputs[1] = labels;
  inputs[2] = input_lengths;
  inputs[3] = label_lengths;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_CTC_REDUCTION, options->reduction);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CTC_BLANK, options->blank);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_CTC_ZERO_INFINITY, options->zero_infinity);
  return tn_op_call(ctx, TN_OP_CTC, inputs, 4, n_attrs ? attrs : NULL, n_attrs, out_loss, 1, &n_out);
}

/* dynamic_quantize_linear(x) -> y, scale, zero_point */
TN_INLINE tn_error* tn_dynamic_quantize_linear(tn_ctx* ctx, tn_tensor* x, tn_tensor** out_y, tn_tensor** out_scale, tn_tensor** out_zero_point) {
  uint32_t n_out = 0;
  tn_tensor* outputs[3] = {NULL};
  TN_TRY(tn_op_call(ctx, TN_OP_DYNAMIC_QUANTIZE_LINEAR, &x, 1, NULL, 0, out_y && out_scale && out_zero_point ? outputs : NULL, 3, &n_out));
  *out_y = outputs[0];
  *out_scale = outputs[1];
  *out_zero_point = outputs[2];
  return NULL;
}

/* matmul_integer(a, b, a_zero_point?, b_zero_point?) -> y */
TN_INLINE tn_error* tn_matmul_integer(tn_ctx* ctx, tn_tensor* a, tn_tensor* b, tn_tensor* a_zero_point, tn_tensor* b_zero_point, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[4];
  inputs[0] = a;
  inputs[1] = b;
  inputs[2] = a_zero_point;
  inputs[3] = b_zero_point;
  return tn_op_call(ctx, TN_OP_MATMUL_INTEGER, inputs, 4, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_conv_integer_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_low;
  uint32_t n_high;
  uint32_t n_dilation;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* low;
  const int64_t* high;
  const int64_t* dilation;
  int64_t groups;
} tn_conv_integer_options;
TN_INLINE tn_conv_integer_options tn_conv_integer_options_init(void) {
  tn_conv_integer_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_low = 0, o.low = NULL; /* [] */
  o.n_high = 0, o.high = NULL; /* [] */
  o.n_dilation = 0, o.dilation = NULL; /* [] */
  o.groups = 1;
  o.reserved = 0;
  return o;
}
/* conv_integer(x, w, x_zero_point?, w_zero_point?, *, stride: i64s = [], low: i64s = [], high: i64s = [], dilation: i64s = [], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_conv_integer(tn_ctx* ctx, tn_tensor* x, tn_tensor* w, tn_tensor* x_zero_point, tn_tensor* w_zero_point, const tn_conv_integer_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[4];
  inputs[0] = x;
  inputs[1] = w;
  inputs[2] = x_zero_point;
  inputs[3] = w_zero_point;
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_INTEGER_STRIDE, options->stride, options->n_stride);
  if (options && options->low) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_INTEGER_LOW, options->low, options->n_low);
  if (options && options->high) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_INTEGER_HIGH, options->high, options->n_high);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV_INTEGER_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV_INTEGER_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV_INTEGER, inputs, 4, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* qlinear_matmul(a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point) -> y */
TN_INLINE tn_error* tn_qlinear_matmul(tn_ctx* ctx, tn_tensor* a, tn_tensor* a_scale, tn_tensor* a_zero_point, tn_tensor* b, tn_tensor* b_scale, tn_tensor* b_zero_point, tn_tensor* y_scale, tn_tensor* y_zero_point, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_tensor* inputs[8];
  inputs[0] = a;
  inputs[1] = a_scale;
  inputs[2] = a_zero_point;
  inputs[3] = b;
  inputs[4] = b_scale;
  inputs[5] = b_zero_point;
  inputs[6] = y_scale;
  inputs[7] = y_zero_point;
  return tn_op_call(ctx, TN_OP_QLINEAR_MATMUL, inputs, 8, NULL, 0, out_y, 1, &n_out);
}

typedef struct tn_qlinear_conv_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_low;
  uint32_t n_high;
  uint32_t n_dilation;
  uint32_t reserved;
  const int64_t* stride;
  const int64_t* low;
  const int64_t* high;
  const int64_t* dilation;
  int64_t groups;
} tn_qlinear_conv_options;
TN_INLINE tn_qlinear_conv_options tn_qlinear_conv_options_init(void) {
  tn_qlinear_conv_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.n_stride = 0, o.stride = NULL; /* [] */
  o.n_low = 0, o.low = NULL; /* [] */
  o.n_high = 0, o.high = NULL; /* [] */
  o.n_dilation = 0, o.dilation = NULL; /* [] */
  o.groups = 1;
  o.reserved = 0;
  return o;
}
/* qlinear_conv(x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias?, *, stride: i64s = [], low: i64s = [], high: i64s = [], dilation: i64s = [], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_qlinear_conv(tn_ctx* ctx, tn_tensor* x, tn_tensor* x_scale, tn_tensor* x_zero_point, tn_tensor* w, tn_tensor* w_scale, tn_tensor* w_zero_point, tn_tensor* y_scale, tn_tensor* y_zero_point, tn_tensor* bias, const tn_qlinear_conv_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[5];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[9];
  inputs[0] = x;
  inputs[1] = x_scale;
  inputs[2] = x_zero_point;
  inputs[3] = w;
  inputs[4] = w_scale;
  inputs[5] = w_zero_point;
  inputs[6] = y_scale;
  inputs[7] = y_zero_point;
  inputs[8] = bias;
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_QLINEAR_CONV_STRIDE, options->stride, options->n_stride);
  if (options && options->low) attrs[n_attrs++] = tn_attr_i64s(TN_QLINEAR_CONV_LOW, options->low, options->n_low);
  if (options && options->high) attrs[n_attrs++] = tn_attr_i64s(TN_QLINEAR_CONV_HIGH, options->high, options->n_high);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_QLINEAR_CONV_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_QLINEAR_CONV_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_QLINEAR_CONV, inputs, 9, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_lstm_steps_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str direction;
} tn_lstm_steps_options;
TN_INLINE tn_lstm_steps_options tn_lstm_steps_options_init(void) {
  tn_lstm_steps_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.direction = tn_string("forward");
  o.reserved = 0;
  return o;
}
/* lstm_steps(gates, r, lengths?, h0?, c0?, peephole?, *, direction: string = 'forward') -> y, h, c, saved */
TN_INLINE tn_error* tn_lstm_steps(tn_ctx* ctx, tn_tensor* gates, tn_tensor* r, tn_tensor* lengths, tn_tensor* h0, tn_tensor* c0, tn_tensor* peephole, const tn_lstm_steps_options* options, tn_tensor** out_y, tn_tensor** out_h, tn_tensor** out_c, tn_tensor** out_saved) {
  uint32_t n_out = 0;
  tn_tensor* outputs[4] = {NULL};
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[6];
  inputs[0] = gates;
  inputs[1] = r;
  inputs[2] = lengths;
  inputs[3] = h0;
  inputs[4] = c0;
  inputs[5] = peephole;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_LSTM_STEPS_DIRECTION, options->direction);
  TN_TRY(tn_op_call(ctx, TN_OP_LSTM_STEPS, inputs, 6, n_attrs ? attrs : NULL, n_attrs, out_y && out_h && out_c && out_saved ? outputs : NULL, 4, &n_out));
  *out_y = outputs[0];
  *out_h = outputs[1];
  *out_c = outputs[2];
  *out_saved = outputs[3];
  return NULL;
}

typedef struct tn_lstm_steps_grad_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str direction;
} tn_lstm_steps_grad_options;
TN_INLINE tn_lstm_steps_grad_options tn_lstm_steps_grad_options_init(void) {
  tn_lstm_steps_grad_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.direction = tn_string("forward");
  o.reserved = 0;
  return o;
}
/* lstm_steps_grad(saved, r, lengths?, c0?, peephole?, gy?, gh?, gc?, gsaved?, *, direction: string = 'forward') -> dgates, dh0, dc0 */
TN_INLINE tn_error* tn_lstm_steps_grad(tn_ctx* ctx, tn_tensor* saved, tn_tensor* r, tn_tensor* lengths, tn_tensor* c0, tn_tensor* peephole, tn_tensor* gy, tn_tensor* gh, tn_tensor* gc, tn_tensor* gsaved, const tn_lstm_steps_grad_options* options, tn_tensor** out_dgates, tn_tensor** out_dh0, tn_tensor** out_dc0) {
  uint32_t n_out = 0;
  tn_tensor* outputs[3] = {NULL};
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[9];
  inputs[0] = saved;
  inputs[1] = r;
  inputs[2] = lengths;
  inputs[3] = c0;
  inputs[4] = peephole;
  inputs[5] = gy;
  inputs[6] = gh;
  inputs[7] = gc;
  inputs[8] = gsaved;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_LSTM_STEPS_GRAD_DIRECTION, options->direction);
  TN_TRY(tn_op_call(ctx, TN_OP_LSTM_STEPS_GRAD, inputs, 9, n_attrs ? attrs : NULL, n_attrs, out_dgates && out_dh0 && out_dc0 ? outputs : NULL, 3, &n_out));
  *out_dgates = outputs[0];
  *out_dh0 = outputs[1];
  *out_dc0 = outputs[2];
  return NULL;
}

typedef struct tn_checked_index_options {
  uint32_t struct_size;
  int32_t from_end;
  tn_str what;
} tn_checked_index_options;
TN_INLINE tn_checked_index_options tn_checked_index_options_init(void) {
  tn_checked_index_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.what = tn_string("indices");
  o.from_end = 1;
  return o;
}
/* checked_index(indices, *, size: i64, what: string = 'indices', from_end: bool = 1) -> y */
TN_INLINE tn_error* tn_checked_index(tn_ctx* ctx, tn_tensor* indices, int64_t size, const tn_checked_index_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64(TN_CHECKED_INDEX_SIZE, size);
  if (options) attrs[n_attrs++] = tn_attr_string(TN_CHECKED_INDEX_WHAT, options->what);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_CHECKED_INDEX_FROM_END, options->from_end);
  return tn_op_call(ctx, TN_OP_CHECKED_INDEX, &indices, 1, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

/* region(xs..., *, code: i64s) -> ys */
TN_INLINE tn_error* tn_region(tn_ctx* ctx, tn_tensor* const* xs, uint32_t n_xs, uint32_t n_code, const int64_t* code, tn_tensor** outputs, uint32_t capacity, uint32_t* out_n) {
  tn_attr attrs[1];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_REGION_CODE, code, n_code);
  return tn_op_call(ctx, TN_OP_REGION, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, outputs, capacity, out_n);
}

typedef struct tn_cross_entropy_grad_options {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str reduction;
  int64_t ignore_index;
  double label_smoothing;
} tn_cross_entropy_grad_options;
TN_INLINE tn_cross_entropy_grad_options tn_cross_entropy_grad_options_init(void) {
  tn_cross_entropy_grad_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.reduction = tn_string("mean");
  o.ignore_index = -100;
  o.label_smoothing = 0.0;
  o.reserved = 0;
  return o;
}
/* cross_entropy_grad(g, logits, labels, weight?, *, reduction: string = 'mean', ignore_index: i64 = -100, label_smoothing: f64 = 0.0) -> dlogits */
TN_INLINE tn_error* tn_cross_entropy_grad(tn_ctx* ctx, tn_tensor* g, tn_tensor* logits, tn_tensor* labels, tn_tensor* weight, const tn_cross_entropy_grad_options* options, tn_tensor** out_dlogits) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  tn_tensor* inputs[4];
  inputs[0] = g;
  inputs[1] = logits;
  inputs[2] = labels;
  inputs[3] = weight;
  if (options) attrs[n_attrs++] = tn_attr_string(TN_CROSS_ENTROPY_GRAD_REDUCTION, options->reduction);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CROSS_ENTROPY_GRAD_IGNORE_INDEX, options->ignore_index);
  if (options) attrs[n_attrs++] = tn_attr_f64(TN_CROSS_ENTROPY_GRAD_LABEL_SMOOTHING, options->label_smoothing);
  return tn_op_call(ctx, TN_OP_CROSS_ENTROPY_GRAD, inputs, 4, n_attrs ? attrs : NULL, n_attrs, out_dlogits, 1, &n_out);
}

typedef struct tn_conv2d_region_options {
  uint32_t struct_size;
  uint32_t n_stride;
  uint32_t n_padding;
  uint32_t n_dilation;
  int64_t operands;
  const int64_t* stride;
  const int64_t* padding;
  const int64_t* dilation;
  int64_t groups;
} tn_conv2d_region_options;
TN_INLINE tn_conv2d_region_options tn_conv2d_region_options_init(void) {
  tn_conv2d_region_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.operands = 2;
  o.n_stride = 0, o.stride = NULL; /* [1, 1] */
  o.n_padding = 0, o.padding = NULL; /* [0, 0] */
  o.n_dilation = 0, o.dilation = NULL; /* [1, 1] */
  o.groups = 1;
  return o;
}
/* conv2d_region(xs..., *, code: i64s, operands: i64 = 2, stride: i64s = [1, 1], padding: i64s = [0, 0], dilation: i64s = [1, 1], groups: i64 = 1) -> y */
TN_INLINE tn_error* tn_conv2d_region(tn_ctx* ctx, tn_tensor* const* xs, uint32_t n_xs, uint32_t n_code, const int64_t* code, const tn_conv2d_region_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[6];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_REGION_CODE, code, n_code);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_REGION_OPERANDS, options->operands);
  if (options && options->stride) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_REGION_STRIDE, options->stride, options->n_stride);
  if (options && options->padding) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_REGION_PADDING, options->padding, options->n_padding);
  if (options && options->dilation) attrs[n_attrs++] = tn_attr_i64s(TN_CONV2D_REGION_DILATION, options->dilation, options->n_dilation);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_CONV2D_REGION_GROUPS, options->groups);
  return tn_op_call(ctx, TN_OP_CONV2D_REGION, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_linear_region_options {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t operands;
} tn_linear_region_options;
TN_INLINE tn_linear_region_options tn_linear_region_options_init(void) {
  tn_linear_region_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.operands = 2;
  o.reserved = 0;
  return o;
}
/* linear_region(xs..., *, code: i64s, operands: i64 = 2) -> y */
TN_INLINE tn_error* tn_linear_region(tn_ctx* ctx, tn_tensor* const* xs, uint32_t n_xs, uint32_t n_code, const int64_t* code, const tn_linear_region_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[2];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_LINEAR_REGION_CODE, code, n_code);
  if (options) attrs[n_attrs++] = tn_attr_i64(TN_LINEAR_REGION_OPERANDS, options->operands);
  return tn_op_call(ctx, TN_OP_LINEAR_REGION, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

typedef struct tn_matmul_region_options {
  uint32_t struct_size;
  int32_t transpose_a;
  int32_t transpose_b;
} tn_matmul_region_options;
TN_INLINE tn_matmul_region_options tn_matmul_region_options_init(void) {
  tn_matmul_region_options o;
  o.struct_size = (uint32_t)sizeof o;
  o.transpose_a = 0;
  o.transpose_b = 0;
  return o;
}
/* matmul_region(xs..., *, code: i64s, transpose_a: bool = 0, transpose_b: bool = 0) -> y */
TN_INLINE tn_error* tn_matmul_region(tn_ctx* ctx, tn_tensor* const* xs, uint32_t n_xs, uint32_t n_code, const int64_t* code, const tn_matmul_region_options* options, tn_tensor** out_y) {
  uint32_t n_out = 0;
  tn_attr attrs[3];
  uint32_t n_attrs = 0;
  attrs[n_attrs++] = tn_attr_i64s(TN_MATMUL_REGION_CODE, code, n_code);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_MATMUL_REGION_TRANSPOSE_A, options->transpose_a);
  if (options) attrs[n_attrs++] = tn_attr_bool(TN_MATMUL_REGION_TRANSPOSE_B, options->transpose_b);
  return tn_op_call(ctx, TN_OP_MATMUL_REGION, xs, n_xs, n_attrs ? attrs : NULL, n_attrs, out_y, 1, &n_out);
}

TN_EXTERN_C_END
#endif
