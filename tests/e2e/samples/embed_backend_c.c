#include "sample.h"
#define main embed_backend_c_main
#define PLUGIN "" /* the test's runtime has it */
#include "../../../samples/embed/backend_c/main.c"

static App app;

static tn_error* begin(const char* device, tn_ctx** out_ctx) {
  (void)device; /* its own */
  TN_TRY(start(&app));
  *out_ctx = app.cx;
  return NULL;
}

static tn_error* before(uint32_t step, tn_tensor** out_inputs) {
  (void)step;
  out_inputs[0] = tn_tensor_retain(app.x);
  return NULL;
}

static tn_error* compute_of(tn_tensor* const* inputs, tn_tensor** outputs) {
  App with = app;
  with.x = inputs[0];
  TN_TRY(compute(&with));
  outputs[0] = with.square, outputs[1] = with.y;
  return NULL;
}

static void stop(void) {
  tn_tensor_release(app.x), tn_ctx_release(app.cx), tn_runtime_release(app.rt);
  app = (App){0};
}

const Sample sample_embed_backend_c = {.file = "embed/backend_c/main.c",
                                       .device = "plain",
                                       .steps = 2,
                                       .inputs = 1,
                                       .outputs = 2,
                                       .start = begin,
                                       .before = before,
                                       .compute = compute_of,
                                       .stop = stop};
