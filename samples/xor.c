/* Two layers learn the exclusive or, are saved, loaded again, and answer. Usage: xor [--device NAME] */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

enum {
  kParams = 4,
  kInputs = 0,
  kTargets,
  kParam,
  kGrad = kParam + kParams,
  kSum = kGrad + kParams,
  kActive,
  kLogits,
  kLoss,
  kTensors
};
static const char* const kName[kParams] = {"hidden.weight", "hidden.bias", "out.weight",
                                           "out.bias"};
static const int64_t kDims[kParams][2] = {{8, 2}, {8}, {1, 8}, {1}};

typedef struct Xor {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_optimizer* adam;
  tn_model* model;
  tn_variable* vars[kParams];
  tn_tensor* t[kTensors];
} Xor;

static void drop(Xor* x, int from) { /* from this tensor on */
  for (int i = from; i < kTensors; ++i) tn_tensor_release(x->t[i]), x->t[i] = NULL;
}

static tn_error* logits(Xor* x) {
  tn_tensor** t = x->t;
  TN_TRY(tn_linear(x->cx, t[kInputs], t[kParam], t[kParam + 1], &t[kSum]));
  TN_TRY(tn_tanh(x->cx, t[kSum], &t[kActive]));
  return tn_linear(x->cx, t[kActive], t[kParam + 2], t[kParam + 3], &t[kLogits]);
}

static tn_error* take_params(Xor* x) {
  drop(x, kParam);
  for (int k = 0; k < kParams; ++k) TN_TRY(tn_variable_take(x->cx, x->vars[k], &x->t[kParam + k]));
  return NULL;
}

static tn_error* prepare(Xor* x) {
  const tn_option lr = tn_option_f64("lr", 0.05);
  TN_TRY(tn_optimizer_create(x->cx, tn_string("adam"), &lr, 1, &x->adam));
  for (uint32_t k = 0; k < kParams; ++k) {
    TN_TRY(tn_uniform(x->cx, 2 - k % 2, kDims[k], NULL, &x->t[kParam + k]));
    TN_TRY(tn_variable_create(x->cx, tn_string(kName[k]), x->t[kParam + k], 0, &x->vars[k]));
  }
  return NULL;
}

static tn_error* step(Xor* x) {
  tn_tensor** t = x->t;
  TN_TRY(take_params(x));
  TN_TRY(logits(x));
  TN_TRY(tn_bce_with_logits(x->cx, t[kLogits], t[kTargets], NULL, NULL, NULL, &t[kLoss]));
  TN_TRY(tn_grad(x->cx, t[kLoss], x->vars, kParams, &t[kGrad]));
  return tn_optimizer_step(x->cx, x->adam, x->vars, &t[kGrad], kParams);
}

static tn_error* start(Xor* x, const char* device) {
  const float inputs[] = {0, 0, 0, 1, 1, 0, 1, 1}, targets[] = {0, 1, 1, 0};
  TN_TRY(tn_runtime_create(NULL, &x->rt));
  TN_TRY(tn_ctx_create(x->rt, tn_string(device), &x->cx));
  TN_TRY(tn_tensor_from_f32(x->cx, inputs, 2, (const int64_t[]){4, 2}, &x->t[kInputs]));
  TN_TRY(tn_tensor_from_f32(x->cx, targets, 2, (const int64_t[]){4, 1}, &x->t[kTargets]));
  return prepare(x);
}

static tn_error* run(Xor* x, const char* device) {
  const tn_str file = tn_string("xor.safetensors");
  tn_str names[kParams];
  float answers[4];
  for (int k = 0; k < kParams; ++k) names[k] = tn_string(kName[k]);
  TN_TRY(start(x, device));
  for (int i = 0; i < 300; ++i) TN_TRY(step(x));
  TN_TRY(take_params(x));
  TN_TRY(tn_model_save(x->cx, file, names, &x->t[kParam], kParams, NULL, 0, NULL));
  drop(x, kParam);
  TN_TRY(tn_model_open(x->rt, file, NULL, &x->model));
  for (int k = 0; k < kParams; ++k)
    TN_TRY(tn_model_take_tensor(x->cx, x->model, names[k], &x->t[kParam + k]));
  TN_TRY(logits(x));
  TN_TRY(tn_tensor_read(x->cx, x->t[kLogits], answers, sizeof answers));
  for (int i = 0; i < 4; ++i) printf("%d xor %d = %d\n", i / 2, i % 2, answers[i] > 0);
  return NULL;
}

int main(int argc, char** argv) {
  Xor x = {0};
  const char* device = argc == 3 && strcmp(argv[1], "--device") == 0 ? argv[2] : NULL;
  if (argc > 1 && !device) return fputs("usage: xor [--device NAME]\n", stderr), 2;
  tn_error* error = run(&x, device);
  if (error) fprintf(stderr, "xor: %s\n", tn_error_message(error));
  for (int k = 0; k < kParams; ++k) tn_variable_release(x.vars[k]);
  drop(&x, 0), tn_model_release(x.model), tn_optimizer_release(x.adam);
  tn_ctx_release(x.cx), tn_runtime_release(x.rt), tn_error_release(error);
  return error ? 1 : 0;
}
