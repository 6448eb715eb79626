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

static tn_error* run(tn_ctx* cx, tn_tensor* t[4], tn_variable** x, char text[256]) {
  const int64_t n = 3;
  TN_TRY(tn_tensor_from_f32(cx, (const float[]){1, -2, 3}, 1, &n, &t[0]));
  TN_TRY(tn_variable_create(cx, tn_string("x"), t[0], 0, x));
  TN_TRY(tn_variable_take(cx, *x, &t[1]));
  TN_TRY(tn_mul(cx, t[1], t[1], &t[2]));
  TN_TRY(tn_sum(cx, t[2], NULL, &t[3]));
  tn_tensor* grad = NULL;
  TN_TRY(tn_grad(cx, t[3], x, 1, &grad));
  tn_error* error = tn_tensor_format(grad, NULL, text, 256);
  tn_tensor_release(grad);
  return error;
}

int main(void) {
  tn_runtime* rt = NULL;
  tn_ctx* cx = NULL;
  tn_tensor* t[4] = {NULL, NULL, NULL, NULL};
  tn_variable* x = NULL;
  char text[256] = "";
  tn_error* error = start(&rt, &cx);
  if (!error) error = run(cx, t, &x, text);
  if (error) fprintf(stderr, "embed: %s\n", tn_error_message(error));
  puts(text);
  const int right = strstr(text, "[2, -4, 6]") != NULL;
  for (int i = 0; i < 4; ++i) tn_tensor_release(t[i]);
  tn_variable_release(x);
  tn_ctx_release(cx), tn_runtime_release(rt), tn_error_release(error);
  return right ? 0 : 1;
}
