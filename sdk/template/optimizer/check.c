/* Two steps of the optimizer. Usage: check [--device NAME] */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

typedef struct App {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_optimizer* optimizer;
  tn_tensor *start, *grad, *end;
  tn_variable* w;
} App;

static tn_error* run(App* a, const char* device) {
  const tn_str plugin = tn_string(PLUGIN);
  const tn_option lr = tn_option_f64("lr", 0.5);
  const int64_t n = 3;
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &plugin;
  desc.plugin_path_count = 1;
  TN_TRY(tn_runtime_create(&desc, &a->rt));
  TN_TRY(tn_ctx_create(a->rt, tn_string(device), &a->cx));
  TN_TRY(tn_tensor_from_f32(a->cx, (const float[]){1, 2, 3}, 1, &n, &a->start));
  TN_TRY(tn_tensor_from_f32(a->cx, (const float[]){4, 0, -5}, 1, &n, &a->grad));
  TN_TRY(tn_variable_create(a->cx, tn_string("w"), a->start, 0, &a->w));
  TN_TRY(tn_optimizer_create(a->cx, tn_string("myoptimizer"), &lr, 1, &a->optimizer));
  for (int i = 0; i < 2; ++i) TN_TRY(tn_optimizer_step(a->cx, a->optimizer, &a->w, &a->grad, 1));
  return tn_variable_take(a->cx, a->w, &a->end);
}

int main(int argc, char** argv) {
  /* A constant gradient is its own mean and norm: each step goes lr along its sign. */
  static const float want[] = {0, 2, 4};
  App a = {0};
  float w[3] = {9, 9, 9};
  tn_error* error = run(&a, argc == 3 && !strcmp(argv[1], "--device") ? argv[2] : NULL);
  if (!error) error = tn_tensor_read(a.cx, a.end, w, sizeof w);
  if (error) fprintf(stderr, "check: %s\n", tn_error_message(error));
  int right = !error;
  for (int i = 0; i < 3; ++i) right &= fabsf(w[i] - want[i]) < 1e-6f;
  printf("%.3f %.3f %.3f\n", (double)w[0], (double)w[1], (double)w[2]);
  tn_tensor_release(a.start), tn_tensor_release(a.grad), tn_tensor_release(a.end);
  tn_variable_release(a.w), tn_optimizer_release(a.optimizer);
  tn_ctx_release(a.cx), tn_runtime_release(a.rt), tn_error_release(error);
  return right ? 0 : 1;
}
