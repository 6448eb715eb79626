/* Tenon: calling ops. tenon/ops.h has one typed inline function per op over tn_op_call.
 * Threads: rule of the context. */
#ifndef TENON_OP_H_
#define TENON_OP_H_
#include "tensor.h"
TN_EXTERN_C_BEGIN

/* A small integer. The core's are constants (TN_OP_ADD, tenon/op_ids.h), append-only; a plugin's come from tn_op_find. */
typedef uint32_t tn_op;

/* inputs: an absent optional input is NULL. attrs: sorted by key. outputs: `capacity` slots, of which *out_n are filled;
 * each filled one is a reference that the caller owns. All inputs must be on one device, host scalars excepted. */
TN_API tn_error* TN_CALL tn_op_call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs,
                                    uint32_t n_inputs, const tn_attr* attrs, uint32_t n_attrs,
                                    tn_tensor** outputs, uint32_t capacity, uint32_t* out_n);

/* The op of a name, in the newest version not above `since` (0: the newest). May load a plugin. */
TN_API tn_error* TN_CALL tn_op_find(tn_runtime* runtime, tn_str name, uint32_t since,
                                    tn_op* out_op);

typedef struct tn_op_info {
  uint32_t struct_size;
  tn_op op;
  tn_str name;
  uint32_t since;
  uint32_t base;           /* 1: one of the base ops that a backend must have */
  uint32_t differentiable; /* 1: has a gradient */
  uint32_t input_count;    /* schema entries */
  uint32_t attr_count;
  uint32_t output_count;
  tn_str why_not_differentiable;
  tn_str plugin;    /* "" for the core's */
  tn_str signature; /* "matmul(a, b, *, transpose_a: bool = 0, transpose_b: bool = 0)" */
} tn_op_info;

TN_INLINE tn_op_info tn_op_info_init(void) {
  tn_op_info d;
  unsigned char* p = (unsigned char*)&d;
  for (size_t i = 0; i < sizeof d; ++i) p[i] = 0;
  d.struct_size = (uint32_t)sizeof d;
  return d;
}

/* Ops are numbered 0 .. count-1 here, in order of registration (not by id). */
TN_API tn_error* TN_CALL tn_op_count(tn_runtime* runtime, uint32_t* out_count);
TN_API tn_error* TN_CALL tn_op_at(tn_runtime* runtime, uint32_t index, tn_op* out_op);
TN_API tn_error* TN_CALL tn_op_get_info(tn_runtime* runtime, tn_op op, tn_op_info* out_info);

/* How well a device runs an op. */
#define TN_SUPPORT_UNSUPPORTED 0u
#define TN_SUPPORT_FALLBACK 1u
#define TN_SUPPORT_DECOMPOSED 2u
#define TN_SUPPORT_NATIVE 3u

/* Why a call runs where it does, without running it: a JSON object {op, device, level, kernel, plugin, why, candidates:
 * [{kernel, plugin, verdict, why}], decomposition: [op names]}. Inputs and attributes as in tn_op_call. Texts: base.h. */
TN_API tn_error* TN_CALL tn_op_explain(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs,
                                       uint32_t n_inputs, const tn_attr* attrs, uint32_t n_attrs,
                                       uint32_t* out_level, char* buffer, uint64_t capacity,
                                       uint64_t* out_size);

/* Result dtype of combining two (array API promotion): TN_DTYPE_NONE where there is none (f32 with i64 arrays gives f32's
 * kind only by explicit cast in the standard; Tenon gives the floating dtype). */
TN_API tn_dtype TN_CALL tn_dtype_promote(tn_dtype a, tn_dtype b);

TN_EXTERN_C_END
#endif
