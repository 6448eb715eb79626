#include "sample.h"
#define main xor_main
#include "../../../samples/xor.c"

static Xor x;

static tn_error* begin(const char* device, tn_ctx** out_ctx) {
  TN_TRY(start(&x, device));
  *out_ctx = x.cx;
  return NULL;
}

/* A step, and what the network answers after it. */
static tn_error* compute(tn_tensor* const* inputs, tn_tensor** outputs) {
  (void)inputs;
  TN_TRY(step(&x));
  outputs[0] = tn_tensor_retain(x.t[kLoss]);
  TN_TRY(take_params(&x));
  TN_TRY(logits(&x));
  outputs[1] = tn_tensor_retain(x.t[kLogits]);
  return NULL;
}

static tn_variable* variable(uint32_t k) { return k < kParams ? x.vars[k] : NULL; }

static void stop(void) {
  for (int k = 0; k < kParams; ++k) tn_variable_release(x.vars[k]);
  drop(&x, 0), tn_optimizer_release(x.adam);
  tn_ctx_release(x.cx), tn_runtime_release(x.rt);
  x = (Xor){0};
}

const Sample sample_xor = {.file = "xor.c",
                           .steps = 300,
                           .outputs = 2,
                           .start = begin,
                           .compute = compute,
                           .variable = variable,
                           .stop = stop};
