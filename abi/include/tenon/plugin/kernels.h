/* Tenon: interface "tenon.kernels": what a backend computes natively. Plugin tier.
 *
 * prepare once per signature, run many times. What a backend has no kernel for is decomposed into base ops. */
#ifndef TENON_PLUGIN_KERNELS_H_
#define TENON_PLUGIN_KERNELS_H_
#include "device.h"
TN_EXTERN_C_BEGIN

#define TN_IFACE_KERNELS "tenon.kernels"
#define TN_IFACE_KERNELS_MAJOR 0u
#define TN_IFACE_KERNELS_REVISION 1u

/* What is known at prepare. Views have dims, strides, dtype, rank and flags; mem and offset are 0 but for TN_VIEW_ABSENT.
 *  - attrs: every attribute of the schema, defaults filled in, so attrs[k].key == k.
 *  - elementwise ops: all inputs already have the output's dims (stride 0 where broadcast).
 *  - weakly typed scalars already have the dtype the op's rule asks for; with TN_KERNEL_IMMEDIATES they arrive as
 *    TN_VIEW_IMMEDIATE views (their value may differ at every run), else as tensors. */
typedef struct tn_signature {
  uint32_t struct_size;
  tn_op op;
  uint32_t n_inputs;
  uint32_t n_outputs;
  uint32_t n_attrs;
  uint32_t flags; /* TN_SIGNATURE_... */
  const tn_view* const* inputs;
  const tn_view* const* outputs;
  const tn_attr* attrs;
} tn_signature;

#define TN_SIGNATURE_DETERMINISTIC 1u
/* How exactly the context wants f32 products, see tn_precision; neither: TN_PRECISION_HIGHEST. A kernel may always be more exact. */
#define TN_SIGNATURE_PRECISION_HIGH 2u
#define TN_SIGNATURE_PRECISION_MEDIUM 4u

/* Flag of a signature's input, shown to kernels with TN_KERNEL_PACKS: it has the same elements in many runs, as the weights of a model, so
 * that the plan may ask for it packed. */
#define TN_VIEW_LASTING 16u

/* A plan is kept by the call sites that use it and by a bounded cache of the device. release, if set, runs once, on any thread,
 * when all have let go of it, before the device is closed; at once where prepare declined or failed. No run() of it is going on
 * or follows, but commands that earlier ones put on a queue may be pending: what these read must outlive them. */

/* args: inputs, outputs, and the workspace view if one was asked for. The array and the views are valid only during the
 * call. queue is NULL on an inline device. */
typedef tn_error*(TN_CALL* tn_kernel_run)(void* plan, void* queue, const tn_view* const* args);

typedef struct tn_plan {
  uint32_t struct_size;
  uint32_t reserved;
  tn_kernel_run run;
  void* data; /* first argument of run; NULL is fine */
  void(TN_CALL* release)(
      void* data); /* [any] when no call site uses the plan any more; NULL: nothing to do */
  uint64_t
      workspace_bytes; /* the core provides it at each run, aligned as the device says; contents undefined */
  tn_str
      declined; /* not empty: this kernel does not take the signature, and why. Static or kept by the plugin. */

  /* An input packed, which the signature shows as TN_VIEW_LASTING: when its elements are other ones than before, the core calls `pack` with
   * the input, as the signature shows it, and a dense u8 view of packed_bytes bytes, aligned as the device says. run then gets that view
   * in the input's place, and gives the same bits as the plan that packs nothing. pack is a command as run is, of a plan that may have
   * been released by the time it is done, and has no workspace. Plans with one pack, packed_bytes and packed_form make the same bytes of
   * the same input (dtype, dims, strides): what one of them packed serves all, as for other sizes of the rest. What has more than twice
   * the bytes of what it is made of is not kept: the core then prepares without TN_VIEW_LASTING. */
  tn_kernel_run pack; /* NULL: nothing is packed */
  uint64_t packed_bytes;
  uint64_t packed_form;
  uint32_t packed_input;
  uint32_t reserved2;
} tn_plan;

/* What a plan depends on. Its key always holds: the kernel, the op, the number of inputs, the signature's flags, the queue unless
 * TN_KERNEL_REENTRANT, and of each view the dtype, TN_VIEW_IMMEDIATE, TN_VIEW_LASTING and TN_VIEW_ABSENT (of an absent one
 * nothing else). The flags below add to it; TN_VIEW_CONTIGUOUS is in it only with LAYOUT, TN_VIEW_WEAK never. A plan is shared by all
 * signatures of one key: what is not in it must be read from the views at each run. */
#define TN_DEPENDS_RANK 1u
#define TN_DEPENDS_LAYOUT \
  2u /* of each view: contiguous or not; and whether all views have the same dims */
#define TN_DEPENDS_DIMS 4u /* dims and strides, exactly (implies RANK, LAYOUT) */
#define TN_DEPENDS_ATTRS 8u

#define TN_KERNEL_IMMEDIATES 1u /* takes host scalars as TN_VIEW_IMMEDIATE */
#define TN_KERNEL_INPLACE \
  2u /* right also when an output is the very same view as an input of the same dtype and dims */
#define TN_KERNEL_NONDETERMINISTIC 4u /* left out when determinism is asked for */
#define TN_KERNEL_REENTRANT \
  8u /* one plan may run in several threads at once; without it the core makes one plan per queue */
#define TN_KERNEL_PACKS \
  16u /* is shown which inputs last, and may ask for one of them packed; only with TN_KERNEL_REENTRANT */

typedef struct tn_kernel {
  uint32_t struct_size;
  uint32_t flags;   /* TN_KERNEL_... */
  tn_str op;        /* "matmul" */
  uint32_t since;   /* 0: any version */
  uint32_t depends; /* TN_DEPENDS_... */
  tn_str name;      /* "matmul_avx512" */
  int32_t priority; /* candidates are asked from high to low */
  uint32_t reserved;
  /* [any] `device` is what tn_device_vtbl.open gave. Fills out_plan (zeroed by the host but for struct_size) or sets
   * out_plan->declined. An error is for real failures (no memory). */
  tn_error*(TN_CALL* prepare)(void* device, const tn_signature* signature, tn_plan* out_plan);
} tn_kernel;

typedef struct tn_kernels_vtbl {
  uint32_t struct_size;
  uint32_t kernel_stride; /* sizeof(tn_kernel) */
  /* [any] Constant for the life of the device (may depend on its features). Lent. */
  tn_error*(TN_CALL* list)(void* device, const tn_kernel** out_kernels, uint32_t* out_count);
} tn_kernels_vtbl;

TN_EXTERN_C_END
#endif
