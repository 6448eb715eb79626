#include "sample.h"
#define main embed_op_rust_main
#define PLUGIN "" /* the test's runtime has it */
#include "../../../samples/embed/op_rust/main.c"

static App app;

/* It takes the device that TENON_DEVICE names, which the test has set. */
static tn_error* begin(const char* device, tn_ctx** out_ctx) {
  (void)device;
  TN_TRY(start(&app));
  *out_ctx = app.cx;
  return NULL;
}

static tn_error* compute_of(tn_tensor* const* inputs, tn_tensor** outputs) {
  (void)inputs;
  App with = app;
  TN_TRY(compute(&with));
  outputs[0] = with.y, outputs[1] = with.loss, outputs[2] = with.grad;
  tn_tensor_release(with.x);
  return NULL;
}

static tn_variable* variable(uint32_t k) { return k ? NULL : app.variable; }

static void stop(void) {
  tn_tensor_release(app.start), tn_variable_release(app.variable);
  tn_ctx_release(app.cx), tn_runtime_release(app.rt);
  app = (App){0};
}

const Sample sample_embed_op_rust = {.file = "embed/op_rust/main.c",
                                     .steps = 2,
                                     .outputs = 3,
                                     .start = begin,
                                     .compute = compute_of,
                                     .variable = variable,
                                     .stop = stop};
