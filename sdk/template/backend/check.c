/* A product and its gradient on the device, as any program would use it. */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

typedef struct App {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_tensor *x, *w, *y, *loss, *grad;
  tn_variable* variable;
} App;

static tn_error* run(App* a, char* text, uint64_t capacity) {
  const tn_str plugin = tn_string(PLUGIN);
  const int64_t dims[] = {2, 2};
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &plugin;
  desc.plugin_path_count = 1;
  TN_TRY(tn_runtime_create(&desc, &a->rt));
  TN_TRY(tn_ctx_create(a->rt, tn_string("mydevice"), &a->cx));
  TN_TRY(tn_tensor_from_f32(a->cx, (const float[]){1, 2, 3, 4}, 2, dims, &a->x));
  TN_TRY(tn_variable_create(a->cx, tn_string("w"), a->x, 0, &a->variable));
  TN_TRY(tn_variable_take(a->cx, a->variable, &a->w));
  TN_TRY(tn_matmul(a->cx, a->x, a->w, NULL, &a->y));
  TN_TRY(tn_sum(a->cx, a->y, NULL, &a->loss));
  TN_TRY(tn_grad(a->cx, a->loss, &a->variable, 1, &a->grad));
  return tn_tensor_format(a->grad, NULL, text, capacity);
}

int main(void) {
  App a = {0};
  char text[256] = "";
  tn_error* error = run(&a, text, sizeof text);
  if (error) fprintf(stderr, "check: %s\n", tn_error_message(error));
  const int right = strstr(text, "[4, 4]") && strstr(text, "[6, 6]"); /* the sums of x's columns */
  if (!error) printf("%s%s\n", text, right ? "" : "\ncheck: it must be [4, 4], [6, 6]");
  tn_tensor* all[] = {a.x, a.w, a.y, a.loss, a.grad};
  for (int i = 0; i < 5; ++i) tn_tensor_release(all[i]);
  tn_variable_release(a.variable), tn_ctx_release(a.cx), tn_runtime_release(a.rt);
  tn_error_release(error);
  return right ? 0 : 1;
}
