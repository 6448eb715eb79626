#include "sample.h"
#define main embed_plugin_main
#define PLUGIN "" /* the test's runtime has it */
#include "../../../samples/embed/plugin/main.c"

static App app;

static tn_error* begin(const char* device, tn_ctx** out_ctx) {
  TN_TRY(start(&app, device));
  *out_ctx = app.cx;
  return NULL;
}

static tn_error* compute(tn_tensor* const* inputs, tn_tensor** outputs) {
  (void)inputs;
  TN_TRY(step(&app));
  return tn_variable_take(app.cx, app.w, &outputs[0]);
}

static tn_variable* variable(uint32_t k) { return k ? NULL : app.w; }

static void stop(void) {
  tn_tensor_release(app.start), tn_tensor_release(app.grad);
  tn_variable_release(app.w), tn_optimizer_release(app.lion);
  tn_ctx_release(app.cx), tn_runtime_release(app.rt);
  app = (App){0};
}

const Sample sample_embed_plugin = {.file = "embed/plugin/main.c",
                                    .steps = 3,
                                    .outputs = 1,
                                    .start = begin,
                                    .compute = compute,
                                    .variable = variable,
                                    .stop = stop};
