#include "sample.h"
#define main embed_static_main
#include "../../../samples/embed/static/main.c"

static tn_runtime* rt;
static tn_ctx* cx;
static tn_tensor* value;
static tn_variable* x;

static tn_error* begin(const char* device, tn_ctx** out_ctx) {
  (void)device; /* its own */
  TN_TRY(start(&rt, &cx));
  *out_ctx = cx;
  return load(cx, &value, &x);
}

static tn_error* compute_of(tn_tensor* const* inputs, tn_tensor** outputs) {
  (void)inputs;
  return compute(cx, x, outputs);
}

static tn_variable* variable(uint32_t k) { return k ? NULL : x; }

static void stop(void) {
  tn_tensor_release(value), tn_variable_release(x);
  tn_ctx_release(cx), tn_runtime_release(rt);
}

const Sample sample_embed_static = {.file = "embed/static/main.c",
                                    .device = "reference",
                                    .steps = 2,
                                    .outputs = 4,
                                    .start = begin,
                                    .compute = compute_of,
                                    .variable = variable,
                                    .stop = stop};
