#include "sample.h"
#define main hello_main
#include "../../../samples/hello.c"

static tn_runtime* rt;
static tn_ctx* cx;
static tn_tensor* t[3];

static tn_error* start(const char* device, tn_ctx** out_ctx) {
  TN_TRY(tn_runtime_create(NULL, &rt));
  TN_TRY(tn_ctx_create(rt, tn_string(device), &cx));
  *out_ctx = cx;
  return NULL;
}

static tn_error* compute(tn_tensor* const* inputs, tn_tensor** outputs) {
  (void)inputs;
  for (int i = 0; i < 3; ++i) tn_tensor_release(t[i]), t[i] = NULL;
  TN_TRY(add(cx, t));
  outputs[0] = tn_tensor_retain(t[2]);
  return NULL;
}

static void stop(void) {
  for (int i = 0; i < 3; ++i) tn_tensor_release(t[i]), t[i] = NULL;
  tn_ctx_release(cx), tn_runtime_release(rt);
}

const Sample sample_hello = {
    .file = "hello.c", .steps = 2, .outputs = 1, .start = start, .compute = compute, .stop = stop};
