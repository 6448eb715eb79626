/* Tenon: interface "tenon.ops": definitions of ops. The core's own ops use the same table. Plugin tier. */
#ifndef TENON_PLUGIN_OPS_H_
#define TENON_PLUGIN_OPS_H_
#include "builder.h"
TN_EXTERN_C_BEGIN

#define TN_IFACE_OPS "tenon.ops"
#define TN_IFACE_OPS_MAJOR 0u
#define TN_IFACE_OPS_REVISION 1u

/* ---- dtype and shape rule --------------------------------------------------------------------- */

/* A rule sees input dtypes and dims, and says what comes out. Dims are int64: >= 0 concrete, <= -2^62 symbolic; combine them only
 * through the dim functions, so that one rule serves sizes known and unknown. */
typedef struct tn_infer tn_infer;

typedef struct tn_infer_vtbl {
  uint32_t struct_size;
  uint32_t reserved;
  uint32_t(TN_CALL* input_count)(tn_infer* c);
  /* dims, strides, dtype, rank, flags (ABSENT, WEAK, CONTIGUOUS); mem is 0. */
  const tn_view*(TN_CALL* input)(tn_infer* c, uint32_t index);
  const tn_attr*(TN_CALL* attr)(tn_infer* c, uint32_t key);

  int64_t(TN_CALL* dim_add)(tn_infer* c, int64_t x, int64_t y);
  int64_t(TN_CALL* dim_sub)(tn_infer* c, int64_t x, int64_t y);
  int64_t(TN_CALL* dim_mul)(tn_infer* c, int64_t x, int64_t y);
  int64_t(TN_CALL* dim_floordiv)(tn_infer* c, int64_t x, int64_t y);
  int64_t(TN_CALL* dim_ceildiv)(tn_infer* c, int64_t x, int64_t y);
  int64_t(TN_CALL* dim_max)(tn_infer* c, int64_t x, int64_t y);
  int64_t(TN_CALL* dim_min)(tn_infer* c, int64_t x, int64_t y);
  /* 1 equal, 0 different, -1 not known. */
  int32_t(TN_CALL* dim_equal)(tn_infer* c, int64_t x, int64_t y);
  /* The dim that x and y broadcast to (numpy); unknown sizes are assumed equal and the assumption is recorded. -1: they do not. */
  int64_t(TN_CALL* dim_broadcast)(tn_infer* c, int64_t x, int64_t y);

  /* Common dtype of inputs a and b by array-API promotion, weak scalars by kind only; TN_DTYPE_NONE: none. */
  tn_dtype(TN_CALL* promote)(tn_infer* c, uint32_t a, uint32_t b);
  /* Input i must be converted to dtype before the kernel sees it. */
  void(TN_CALL* cast_input)(tn_infer* c, uint32_t index, tn_dtype dtype);

  /* Output i. `dims` is copied. */
  tn_error*(TN_CALL* output)(tn_infer* c, uint32_t index, tn_dtype dtype, uint32_t rank,
                             const int64_t* dims);
  /* Output i is a view of input `input`: strides and offset in elements, relative to the input's first element. Called after
   * output(), only by ops with TN_OP_VIEW and only when all sizes are concrete. */
  void(TN_CALL* view)(tn_infer* c, uint32_t index, uint32_t input, const int64_t* strides,
                      int64_t offset);
  /* Output i may take over the memory of input `input` when the caller gives that up. */
  void(TN_CALL* alias)(tn_infer* c, uint32_t index, uint32_t input);

  /* An error of this rule: "<op>: <message>". */
  tn_error*(TN_CALL* error)(tn_infer* c, tn_code code, tn_str message);

  /* Along `axis` of output i only the first `count` elements are real, `count` being the last output of an op with TN_OP_COUNTED; the
   * others are padding. The size that output() was given is an upper bound then: in a recipe the output has it, a direct call reads the
   * count and cuts the output to it, and a capture, which cannot know it, refuses the call. An op that was asked for a fixed size does not call this: its outputs
   * have that size everywhere, and the count may exceed it. Called after output(). */
  void(TN_CALL* counted)(tn_infer* c, uint32_t index, uint32_t axis);
} tn_infer_vtbl;

struct tn_infer {
  const tn_infer_vtbl* v;
};

typedef tn_error*(TN_CALL* tn_infer_rule)(tn_infer* c);

/* ---- definition ------------------------------------------------------------------------------- */

#define TN_PARAM_REQUIRED 0u
#define TN_PARAM_OPTIONAL 1u
#define TN_PARAM_VARIADIC 2u /* at most one, the last */

typedef struct tn_param {
  tn_str name;
  uint32_t kind; /* TN_PARAM_... */
  uint32_t reserved;
} tn_param;

typedef struct tn_attr_def {
  tn_str name;
  uint32_t required; /* 1: no default */
  uint32_t reserved;
  tn_attr fallback; /* the default; key = ordinal, tag = type also when required */
} tn_attr_def;

#define TN_OP_BASE 1u        /* a backend must have it; has no decomposition */
#define TN_OP_ELEMENTWISE 2u /* outputs have the broadcast dims of the inputs, element by element */
#define TN_OP_VIEW 4u        /* may give a view */
#define TN_OP_RANDOM 8u      /* draws from the context's random state: see philox */
#define TN_OP_OUTPUTS_VARY 16u /* number of outputs is what the rule sets */
#define TN_OP_COUNTED \
  32u /* sizes depend on the data: the last output, an i64 scalar, counts what is real: see counted */

typedef struct tn_op_def {
  uint32_t struct_size;
  uint32_t flags; /* TN_OP_... */
  tn_str name;
  uint32_t since;
  uint32_t n_params;
  const tn_param* params;
  uint32_t n_attrs;
  uint32_t n_outputs;
  const tn_attr_def* attrs;
  tn_infer_rule infer;
  tn_recipe decompose;           /* NULL for base ops */
  tn_recipe gradient;            /* NULL: derived from the decomposition, or not differentiable */
  tn_str why_not_differentiable; /* not empty: has no gradient, and why */
} tn_op_def;

typedef struct tn_ops_vtbl {
  uint32_t struct_size;
  uint32_t op_stride; /* sizeof(tn_op_def) */
  uint32_t op_count;
  uint32_t reserved;
  const tn_op_def* ops; /* copied at load */
} tn_ops_vtbl;

TN_EXTERN_C_END
#endif
