#include "sample.h"
#define main embed_find_package_main
#include "../../../samples/embed/find_package/embed.c"

static App app;

static tn_error* begin(const char* device, tn_ctx** out_ctx) {
  TN_TRY(start(&app, device));
  *out_ctx = app.cx;
  return NULL;
}

static tn_error* compute(tn_tensor* const* inputs, tn_tensor** outputs) {
  (void)inputs;
  Step s = {0};
  tn_error* error = step(&app, &s);
  tn_tensor* const made[] = {s.slope, s.guess, s.change, s.next};
  for (size_t k = 0; k < sizeof made / sizeof *made; ++k) tn_tensor_drop(app.cx, made[k]);
  outputs[0] = s.loss, outputs[1] = s.grad;
  return error;
}

static tn_variable* variable(uint32_t k) { return k ? NULL : app.slope; }

static void stop(void) {
  tn_tensor_release(app.x), tn_tensor_release(app.y), tn_tensor_release(app.rate);
  tn_variable_release(app.slope);
  tn_ctx_release(app.cx), tn_runtime_release(app.rt);
  app = (App){0};
}

const Sample sample_embed_find_package = {.file = "embed/find_package/embed.c",
                                          .steps = 50,
                                          .outputs = 2,
                                          .start = begin,
                                          .compute = compute,
                                          .variable = variable,
                                          .stop = stop};
