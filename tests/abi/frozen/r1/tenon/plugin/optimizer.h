/* Tenon: interface "tenon.optimizer". Plugin tier.
 *
 * An optimizer is a recipe. Its update sees, as inputs, in this order: parameter, gradient, each slot, step (f32 scalar, 1 at the first
 * update), then each hyper-parameter that is a variable (f32 scalar). The constant ones are attributes: attr(k) is the k-th constant
 * hyper-parameter, as F64. Results: 0 the new parameter, 1.. the new slots. */
#ifndef TENON_PLUGIN_OPTIMIZER_H_
#define TENON_PLUGIN_OPTIMIZER_H_
#include "ops.h"
TN_EXTERN_C_BEGIN

#define TN_IFACE_OPTIMIZER "tenon.optimizer"
#define TN_IFACE_OPTIMIZER_MAJOR 0u
#define TN_IFACE_OPTIMIZER_REVISION 1u

typedef struct tn_hyper {
  tn_str name;
  double value; /* default */
  double min;   /* inclusive */
  double max;
  uint32_t constant; /* 1: fixed at creation (switches such as nesterov); 0: a variable */
  uint32_t reserved;
} tn_hyper;

typedef struct tn_slot {
  tn_str name;    /* "exp_avg" */
  double initial; /* every element; dims and dtype as the parameter (f32 for f16 and bf16) */
} tn_slot;

typedef struct tn_optimizer_def {
  uint32_t struct_size;
  uint32_t n_hypers;
  tn_str name; /* "adamw" */
  const tn_hyper* hypers;
  const tn_slot* slots;
  uint32_t n_slots;
  uint32_t reserved;
  tn_recipe update;
  /* Optional: an op that updates many parameters in one call, used where the device has it natively. Attributes: the constant
   * hyper-parameters in order (F64). Inputs, one variadic: step, the variable hyper-parameters, then for each parameter: parameter,
   * gradient, slots. Outputs: for each parameter: parameter, slots; each may alias its input. */
  tn_str fused_op;
} tn_optimizer_def;

typedef struct tn_optimizer_vtbl {
  uint32_t struct_size;
  uint32_t optimizer_stride; /* sizeof(tn_optimizer_def) */
  uint32_t optimizer_count;
  uint32_t reserved;
  const tn_optimizer_def* optimizers;
} tn_optimizer_vtbl;

TN_EXTERN_C_END
#endif
