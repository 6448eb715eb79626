#include "sample.h"
#define main embed_pkg_config_main
#include "../../../samples/embed/pkg_config/main.c"

static tn_runtime* rt;
static tn_ctx* cx;
static tn_tensor* t[3];

static tn_error* start(const char* device, tn_ctx** out_ctx) {
  TN_TRY(tn_runtime_create(NULL, &rt));
  TN_TRY(tn_ctx_create(rt, tn_string(device), &cx));
  *out_ctx = cx;
  return NULL;
}

static tn_error* before(uint32_t step, tn_tensor** out_inputs) {
  (void)step;
  return load(cx, out_inputs);
}

static tn_error* compute(tn_tensor* const* inputs, tn_tensor** outputs) {
  t[0] = inputs[0], t[1] = inputs[1];
  TN_TRY(multiply(cx, t));
  outputs[0] = t[2];
  return NULL;
}

static void stop(void) { tn_ctx_release(cx), tn_runtime_release(rt); }

const Sample sample_embed_pkg_config = {.file = "embed/pkg_config/main.c",
                                        .steps = 2,
                                        .inputs = 2,
                                        .outputs = 1,
                                        .start = start,
                                        .before = before,
                                        .compute = compute,
                                        .stop = stop};
