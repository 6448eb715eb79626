/* Tenon: interface "tenon.compiler": programs, or the parts of them that a backend claims, compiled as a whole. Plugin tier.
 *
 * When a captured program is prepared for sizes, the backend is shown its graph (graph.h) and says of each node whether it takes it. What
 * is claimed, and can run without what is not claimed in between, is one graph, which the backend compiles into one function; the rest runs
 * kernel by kernel. Nodes that are neither claimed nor have a kernel become the nodes of their recipes first, and the backend is asked
 * once more. A compiled graph serves all programs of the device that contain it.
 * Where a function here returns an error, what it filled in before is not read, and nothing of it is taken over: what it made, it frees. */
#ifndef TENON_PLUGIN_COMPILER_H_
#define TENON_PLUGIN_COMPILER_H_
#include "graph.h"
#include "kernels.h"
TN_EXTERN_C_BEGIN

#define TN_IFACE_COMPILER "tenon.compiler"
#define TN_IFACE_COMPILER_MAJOR 0u
#define TN_IFACE_COMPILER_REVISION 1u

typedef struct tn_compile_request {
  uint32_t struct_size;
  uint32_t flags;    /* TN_SIGNATURE_... */
  const void* graph; /* see tn_graph_check; valid during the call */
  uint64_t graph_bytes;
} tn_compile_request;

/* Whether a node is taken. Frozen. */
typedef struct tn_claim {
  uint32_t claimed; /* 0 or 1 */
  uint32_t reserved;
  tn_str reason; /* why not; static or kept by the plugin */
} tn_claim;

#define TN_COMPILED_INPLACE \
  1u /* right also when a result lies in the memory of the input that the graph names for it */

/* On a device with TN_DEVICE_VALUES, instead of `run`: one command. In the order of the graph: inputs, each a value, or of TN_GRAPH_SCALAR the
 * bits of its element; results, values that the plugin makes, which the host frees. donated: 1 where the input ends with this call, if
 * that succeeds: nobody else has it, and a result names it. After an error nothing is enqueued, ended or made. */
typedef tn_error*(TN_CALL* tn_compiled_execute)(void* data, void* queue, const uint64_t* inputs,
                                                const uint8_t* donated, uint64_t* out_results);

/* A compiled graph. It may run in several threads at once. */
typedef struct tn_compiled {
  uint32_t struct_size;
  uint32_t flags; /* TN_COMPILED_... */
  /* args: the inputs, the results, and the workspace view if one was asked for; all dense, scalars as TN_VIEW_IMMEDIATE. As a kernel's. */
  tn_kernel_run run;
  void* data;
  void(TN_CALL* release)(void* data); /* once, before the device is closed; NULL: nothing to do */
  uint64_t workspace_bytes;
  tn_str
      declined; /* not empty: nothing was compiled, and why; its nodes run kernel by kernel. Static or kept by the plugin. */
  tn_compiled_execute execute;
} tn_compiled;

/* Takes the next bytes of a compiled form. */
typedef struct tn_compiled_sink {
  tn_error*(TN_CALL* write)(void* user, const void* bytes, uint64_t count);
  void* user;
} tn_compiled_sink;

typedef struct tn_compiler_vtbl {
  uint32_t struct_size;
  uint32_t reserved;

  /* [any] One entry per node of the graph, zeroed by the host. Quick: nothing is compiled here. */
  tn_error*(TN_CALL* claim)(void* device, const tn_compile_request* request, tn_claim* out_claims);
  /* [any] Compiles a graph of claimed nodes. Fills out_compiled (zeroed but for struct_size) or declines. */
  tn_error*(TN_CALL* compile)(void* device, const tn_compile_request* request,
                              tn_compiled* out_compiled);

  /* Optional, all three or none: compiled forms on disk, a cache and never a format of models. */
  /* [any] Names everything that the form depends on beside the graph: the plugin's build, the hardware, its driver. A form that was kept under
   * another text is never shown to `load`. Constant for the life of the device. */
  tn_error*(TN_CALL* compatibility)(void* device, tn_str* out_text);
  /* [any] `data` as compile or load gave it. UNIMPLEMENTED: this one cannot be kept. */
  tn_error*(TN_CALL* save)(void* device, void* data, const tn_compiled_sink* sink);
  /* [any] The counterpart, for the same graph and flags. The host has checked the bytes against damage, by accident that is; a form should still carry a sum
   * of its own, since what is damaged must be declined or an error, never a crash or a wrong result. What it cannot use it declines, and the graph is compiled. */
  tn_error*(TN_CALL* load)(void* device, const tn_compile_request* request, const void* bytes,
                           uint64_t count, tn_compiled* out_compiled);
} tn_compiler_vtbl;

TN_EXTERN_C_END
#endif
