/* A backend in C alone, over nothing but the headers: the device "plain" in host memory with four kernels for f32. All other ops
 * that decompose into these run on it; for the rest a context may allow fallback. With C++ most of this is written by the SDK:
 * `tenon new backend`. */
#include <stdlib.h>
#include <string.h>
#include <tenon/plugin/kernels.h>

#define TEXT(literal) \
  { (literal), sizeof(literal) - 1 }

/* What the host lends: the one thing that a device keeps. */
typedef struct plain_state {
  const tn_host* host;
} plain_state;

/* ---- the device ------------------------------------------------------------------------------- */

static tn_error* TN_CALL count(void* state, uint32_t* out_count) {
  (void)state;
  *out_count = 1;
  return NULL;
}

/* Writes at most the caller's size. */
static tn_error* TN_CALL props(void* state, uint32_t index, tn_device_props* out) {
  tn_device_props p = {0};
  (void)state, (void)index;
  p.struct_size = out->struct_size < sizeof p ? out->struct_size : (uint32_t)sizeof p;
  p.flags = TN_DEVICE_INLINE | TN_DEVICE_HOST_MEMORY;
  p.type = tn_string("plain");
  p.label = tn_string("a backend in C");
  p.alignment = 64;
  memcpy(out, &p, p.struct_size);
  return NULL;
}

static tn_error* TN_CALL device_open(void* state, uint32_t index, void** out_device) {
  (void)index;
  *out_device = state;
  return NULL;
}
static void TN_CALL device_close(void* device) { (void)device; }

static tn_error* TN_CALL allocate(void* device, uint64_t bytes, uint64_t* out_mem) {
  const tn_host* host = ((plain_state*)device)->host;
  void* memory = host->allocate(host, bytes, 64);
  if (!memory) return host->error(host, TN_OUT_OF_MEMORY, tn_string("host memory is exhausted"));
  *out_mem = (uint64_t)(uintptr_t)memory;
  return NULL;
}
static void TN_CALL release(void* device, uint64_t mem, uint64_t bytes) {
  const tn_host* host = ((plain_state*)device)->host;
  host->free(host, (void*)(uintptr_t)mem, bytes);
}
static tn_error* TN_CALL upload(void* device, void* queue, uint64_t mem, uint64_t offset,
                                const void* from, uint64_t bytes) {
  (void)device, (void)queue;
  if (bytes) memcpy((void*)(uintptr_t)(mem + offset), from, (size_t)bytes);
  return NULL;
}
static tn_error* TN_CALL download(void* device, void* queue, void* to, uint64_t mem,
                                  uint64_t offset, uint64_t bytes) {
  (void)device, (void)queue;
  if (bytes) memcpy(to, (const void*)(uintptr_t)(mem + offset), (size_t)bytes);
  return NULL;
}

static const tn_device_vtbl device_table = {
    .struct_size = sizeof(tn_device_vtbl),
    .count = count,
    .props = props,
    .open = device_open,
    .close = device_close,
    .allocate = allocate,
    .free = release,
    .upload = upload,
    .download = download,
};

/* ---- kernels ---------------------------------------------------------------------------------- */

static float* elements(const tn_view* v) { return (float*)(uintptr_t)(v->mem + v->offset); }

static tn_error* TN_CALL run_add(void* plan, void* queue, const tn_view* const* args) {
  const float *a = elements(args[0]), *b = elements(args[1]);
  float* y = elements(args[2]);
  (void)plan, (void)queue;
  for (int64_t i = 0; i < args[2]->count; ++i) y[i] = a[i] + b[i];
  return NULL;
}
static tn_error* TN_CALL run_mul(void* plan, void* queue, const tn_view* const* args) {
  const float *a = elements(args[0]), *b = elements(args[1]);
  float* y = elements(args[2]);
  (void)plan, (void)queue;
  for (int64_t i = 0; i < args[2]->count; ++i) y[i] = a[i] * b[i];
  return NULL;
}
static tn_error* TN_CALL run_copy(void* plan, void* queue, const tn_view* const* args) {
  float* y = elements(args[1]);
  int64_t index[TN_MAX_RANK] = {0};
  (void)plan, (void)queue;
  for (int64_t i = 0; i < args[1]->count; ++i) { /* y is dense, x may be strided */
    const tn_view* x = args[0];
    int64_t at = 0;
    for (int axis = 0; axis < x->rank; ++axis) at += index[axis] * x->strides[axis];
    y[i] = elements(x)[at];
    for (int axis = x->rank - 1; axis >= 0 && ++index[axis] == x->dims[axis]; --axis)
      index[axis] = 0;
  }
  return NULL;
}

static tn_error* TN_CALL run_fill(void* plan, void* queue, const tn_view* const* args) {
  float* y = elements(args[1]);
  (void)plan, (void)queue;
  for (int64_t i = 0; i < args[1]->count; ++i) y[i] = elements(args[0])[0];
  return NULL;
}

/* Takes f32 alone, and dense views where `dense`. What is declined is decomposed, copied or refused by the core. */
static tn_error* plan_f32(const tn_signature* s, int dense, tn_kernel_run run, tn_plan* out) {
  for (uint32_t i = 0; i < s->n_inputs + s->n_outputs; ++i) {
    const tn_view* v = i < s->n_inputs ? s->inputs[i] : s->outputs[i - s->n_inputs];
    if (v->dtype != TN_DTYPE_F32) out->declined = tn_string("takes f32");
    if (dense && !(v->flags & TN_VIEW_CONTIGUOUS)) out->declined = tn_string("strided");
  }
  out->run = run;
  return NULL;
}
static tn_error* TN_CALL prepare_add(void* device, const tn_signature* s, tn_plan* out) {
  (void)device;
  return plan_f32(s, 1, run_add, out);
}
static tn_error* TN_CALL prepare_mul(void* device, const tn_signature* s, tn_plan* out) {
  (void)device;
  return plan_f32(s, 1, run_mul, out);
}
static tn_error* TN_CALL prepare_fill(void* device, const tn_signature* s, tn_plan* out) {
  (void)device;
  return plan_f32(s, 1, run_fill, out);
}
static tn_error* TN_CALL prepare_copy(void* device, const tn_signature* s, tn_plan* out) {
  (void)device;
  return plan_f32(s, 0, run_copy, out);
}

#define KERNEL(op_name, prepare_it, extra)                                                         \
  {                                                                                                \
    .struct_size = sizeof(tn_kernel), .flags = TN_KERNEL_REENTRANT | (extra), .op = TEXT(op_name), \
    .depends = TN_DEPENDS_LAYOUT, .name = TEXT(op_name "_c"), .prepare = prepare_it                \
  }
static const tn_kernel kernels[] = {
    KERNEL("add", prepare_add, TN_KERNEL_INPLACE), KERNEL("mul", prepare_mul, TN_KERNEL_INPLACE),
    KERNEL("copy", prepare_copy, 0), KERNEL("fill", prepare_fill, 0)};

static tn_error* TN_CALL list(void* device, const tn_kernel** out_kernels, uint32_t* out_count) {
  (void)device;
  *out_kernels = kernels;
  *out_count = sizeof kernels / sizeof kernels[0];
  return NULL;
}
static const tn_kernels_vtbl kernel_table = {sizeof(tn_kernels_vtbl), sizeof(tn_kernel), list};

/* ---- the plugin ------------------------------------------------------------------------------- */

static tn_error* TN_CALL plugin_open(const tn_host* host, void** out_state) {
  plain_state* state = NULL;
  if (host->struct_size < sizeof(tn_host)) {
    return host->error(host, TN_INCOMPATIBLE, tn_string("needs a newer libtenon"));
  }
  state = malloc(sizeof *state);
  if (!state) return host->error(host, TN_OUT_OF_MEMORY, tn_string("host memory is exhausted"));
  state->host = host;
  *out_state = state;
  return NULL;
}
static void TN_CALL plugin_close(void* state) { free(state); }

static const tn_interface interfaces[] = {
    {TEXT(TN_IFACE_DEVICE), TN_IFACE_DEVICE_MAJOR, TN_IFACE_DEVICE_REVISION, &device_table},
    {TEXT(TN_IFACE_KERNELS), TN_IFACE_KERNELS_MAJOR, TN_IFACE_KERNELS_REVISION, &kernel_table},
};
static const tn_plugin_info info = {
    .struct_size = sizeof(tn_plugin_info),
    .header_version = TENON_VERSION,
    .id = TEXT("com.example.plain"),
    .version = TEXT("1.0.0"),
    .interfaces = interfaces,
    .interface_count = sizeof interfaces / sizeof interfaces[0],
    .interface_stride = sizeof(tn_interface),
    .open = plugin_open,
    .close = plugin_close,
};

const tn_plugin_info* TN_CALL TN_PLUGIN_QUERY(uint32_t host_version) {
  (void)host_version;
  return &info;
}
