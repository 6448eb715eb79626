/* What infer_digits computes is in digits.c, for which train_digits.c here needs this file as well. */
#include "../../../samples/digits.c"
#include "sample.h"

static Digits test;
static tn_runtime* rt;
static tn_ctx* cx;
static tn_tensor* params[kParams];

/* Any parameters will do. */
static tn_error* start(const char* device, tn_ctx** out_ctx) {
  TN_TRY(digits_load(1, &test));
  TN_TRY(tn_runtime_create(NULL, &rt));
  TN_TRY(tn_ctx_create(rt, tn_string(device), &cx));
  for (int k = 0; k < kParams; ++k)
    TN_TRY(tn_normal(cx, kParam[k].rank, kParam[k].dims, NULL, &params[k]));
  *out_ctx = cx;
  return NULL;
}

static tn_error* before(uint32_t step, tn_tensor** out_inputs) {
  const int64_t dims[2] = {test.count - (int64_t)step, kPixels};
  return tn_tensor_from_f32(cx, test.pixels, 2, dims, &out_inputs[0]);
}

static tn_error* compute(tn_tensor* const* inputs, tn_tensor** outputs) {
  TN_TRY(net_classes(cx, params, inputs[0], &outputs[0]));
  return net_logits(cx, params, inputs[0], &outputs[1]);
}

static void stop(void) {
  digits_free(&test);
  for (int k = 0; k < kParams; ++k) tn_tensor_release(params[k]), params[k] = NULL;
  tn_ctx_release(cx), tn_runtime_release(rt);
}

const Sample sample_infer_digits = {.file = "infer_digits.c",
                                    .steps = 3,
                                    .inputs = 1,
                                    .outputs = 2,
                                    .any_size = 1,
                                    .start = start,
                                    .before = before,
                                    .compute = compute,
                                    .stop = stop};
