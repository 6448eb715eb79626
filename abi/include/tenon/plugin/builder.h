/* Tenon: recipes. A gradient, a decomposition or an optimizer's update is a function over a tn_builder, which the core runs,
 * traces, differentiates, caches and fuses. Plugin tier.
 *
 * Values are small integers; TN_NO_VALUE means "none" where an optional input or a zero gradient is meant. An error sticks to the
 * builder: after one, every function gives TN_NO_VALUE and the core reports the first, so a recipe needs no checks.
 * A recipe never looks at a concrete size: dims are tokens (>= 0 concrete, <= -2^62 symbolic) that go into the attributes of further
 * ops or through the dim functions. Threads: a builder is used only inside the call. */
#ifndef TENON_PLUGIN_BUILDER_H_
#define TENON_PLUGIN_BUILDER_H_
#include "entry.h"
TN_EXTERN_C_BEGIN

typedef int32_t tn_value;
#define TN_NO_VALUE ((tn_value)-1)

typedef struct tn_builder tn_builder;

typedef struct tn_builder_vtbl {
  uint32_t struct_size;
  uint32_t reserved;

  /* The op's inputs (TN_NO_VALUE: absent), and every attribute of its schema with defaults filled in. */
  uint32_t(TN_CALL* input_count)(tn_builder* b);
  tn_value(TN_CALL* input)(tn_builder* b, uint32_t index);
  const tn_attr*(TN_CALL* attr)(tn_builder* b, uint32_t key);

  /* Gradient recipes only. wants: does anybody need the gradient of input i? cotangent: of output i, a tensor of zeros when nothing
   * flowed into it; output: the forward result, which is saved only if it is asked for. */
  int32_t(TN_CALL* wants)(tn_builder* b, uint32_t input);
  tn_value(TN_CALL* output)(tn_builder* b, uint32_t index);
  tn_value(TN_CALL* cotangent)(tn_builder* b, uint32_t index);

  /* Results: output i of a decomposition or update; the gradient of input i (TN_NO_VALUE: zero) of a gradient recipe. */
  void(TN_CALL* set)(tn_builder* b, uint32_t index, tn_value value);

  /* Applies an op. attrs may leave out defaults, as in tn_op_call; TN_ATTR_I64S entries may be dim tokens where the schema says
   * dims. outputs receives out_n values (capacity n_outputs). */
  void(TN_CALL* call)(tn_builder* b, tn_op op, const tn_value* inputs, uint32_t n_inputs,
                      const tn_attr* attrs, uint32_t n_attrs, tn_value* outputs,
                      uint32_t n_outputs);
  /* Weakly typed scalar. */
  tn_value(TN_CALL* scalar)(tn_builder* b, double value);

  /* What is known of a value. dim gives a token. */
  tn_dtype(TN_CALL* dtype)(tn_builder* b, tn_value v);
  uint32_t(TN_CALL* rank)(tn_builder* b, tn_value v);
  int64_t(TN_CALL* dim)(tn_builder* b, tn_value v, uint32_t axis);
  int64_t(TN_CALL* dim_add)(tn_builder* b, int64_t x, int64_t y);
  int64_t(TN_CALL* dim_sub)(tn_builder* b, int64_t x, int64_t y);
  int64_t(TN_CALL* dim_mul)(tn_builder* b, int64_t x, int64_t y);
  int64_t(TN_CALL* dim_floordiv)(tn_builder* b, int64_t x, int64_t y);
  /* 1 equal, 0 different, -1 not known. */
  int32_t(TN_CALL* dim_equal)(tn_builder* b, int64_t x, int64_t y);
  /* A dim as a scalar tensor of `dtype`. */
  tn_value(TN_CALL* dim_scalar)(tn_builder* b, int64_t dim, tn_dtype dtype);

  /* Sums x over the axes along which `like` was broadcast, giving the dims of `like`. */
  tn_value(TN_CALL* sum_to_like)(tn_builder* b, tn_value x, tn_value like);
  /* Expands x to the dims of `like` (numpy rules). */
  tn_value(TN_CALL* broadcast_like)(tn_builder* b, tn_value x, tn_value like);
  /* Reshapes x to the dims of `like`. */
  tn_value(TN_CALL* reshape_like)(tn_builder* b, tn_value x, tn_value like);

  /* Fails the recipe. The core puts the op's name in front. */
  void(TN_CALL* fail)(tn_builder* b, tn_code code, tn_str message);
} tn_builder_vtbl;

struct tn_builder {
  const tn_builder_vtbl* v;
};

typedef void(TN_CALL* tn_recipe)(tn_builder* b);

TN_EXTERN_C_END
#endif
