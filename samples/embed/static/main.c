/* A program that carries libtenon and its one device with it, and lets no file in: the gradient of sum(x * x) at x. */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>
#include <tenon_static_plugins.h>

static tn_error* start(tn_runtime** rt, tn_ctx** cx) {
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.flags = TN_RUNTIME_NO_ENVIRONMENT | TN_RUNTIME_NO_SEARCH;
  desc.trust = TN_TRUST_NONE;
  desc.static_plugins = tenon_static_plugins;
  TN_TRY(tn_runtime_create(&desc, rt));
  return tn_ctx_create(*rt, tn_string("reference"), cx);
}

static tn_error* load(tn_ctx* cx, tn_tensor** value, tn_variable** x) {
  const int64_t n = 3;
  TN_TRY(tn_tensor_from_f32(cx, (const float[]){1, -2, 3}, 1, &n, value));
  return tn_variable_create(cx, tn_string("x"), *value, 0, x);
}

static tn_error* compute(tn_ctx* cx, tn_variable* x, tn_tensor* t[4]) {
  TN_TRY(tn_variable_take(cx, x, &t[0]));
  TN_TRY(tn_mul(cx, t[0], t[0], &t[1]));
  TN_TRY(tn_sum(cx, t[1], NULL, &t[2]));
  return tn_grad(cx, t[2], &x, 1, &t[3]);
}

int main(void) {
  tn_runtime* rt = NULL;
  tn_ctx* cx = NULL;
  tn_tensor* t[5] = {NULL, NULL, NULL, NULL, NULL};
  tn_variable* x = NULL;
  char text[256] = "";
  tn_error* error = start(&rt, &cx);
  if (!error) error = load(cx, &t[4], &x);
  if (!error) error = compute(cx, x, t);
  if (!error) error = tn_tensor_format(t[3], NULL, text, sizeof text);
  if (error) fprintf(stderr, "embed: %s\n", tn_error_message(error));
  puts(text);
  const int right = strstr(text, "[2, -4, 6]") != NULL;
  for (int i = 0; i < 5; ++i) tn_tensor_release(t[i]);
  tn_variable_release(x);
  tn_ctx_release(cx), tn_runtime_release(rt), tn_error_release(error);
  return right ? 0 : 1;
}
