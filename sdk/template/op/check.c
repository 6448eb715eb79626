/* Calls the op with its attribute, and takes its gradient. Usage: check [--device NAME]
 * To be edited with the op: its name, its attributes, its inputs (in run), and the numbers that come out (in main). */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

typedef struct App {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_tensor *start, *x, *y, *loss, *grad;
  tn_variable* variable;
} App;

static tn_error* run(App* a, const char* device, float* y, float* grad) {
  const tn_str plugin = tn_string(PLUGIN);
  const tn_attr b = tn_attr_f64(0, 9.0); /* attribute 0 */
  tn_op op = 0;
  uint32_t n = 0;
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &plugin;
  desc.plugin_path_count = 1;
  TN_TRY(tn_runtime_create(&desc, &a->rt));
  TN_TRY(tn_ctx_create(a->rt, tn_string(device), &a->cx));
  TN_TRY(tn_op_find(a->rt, tn_string("myop"), 0, &op));
  TN_TRY(tn_tensor_from_f32(a->cx, (const float[]){-4, 0, 4}, 1, (const int64_t[]){3}, &a->start));
  TN_TRY(tn_variable_create(a->cx, tn_string("x"), a->start, 0, &a->variable));
  TN_TRY(tn_variable_take(a->cx, a->variable, &a->x));
  TN_TRY(tn_op_call(a->cx, op, &a->x, 1, &b, 1, &a->y, 1, &n));
  TN_TRY(tn_sum(a->cx, a->y, NULL, &a->loss));
  TN_TRY(tn_grad(a->cx, a->loss, &a->variable, 1, &a->grad));
  TN_TRY(tn_tensor_read(a->cx, a->y, y, 3 * sizeof *y));
  return tn_tensor_read(a->cx, a->grad, grad, 3 * sizeof *grad);
}

int main(int argc, char** argv) {
  /* sqrt(4^2 + 9) = 5 */
  static const float want_y[] = {0.5f, 1.5f, 4.5f}, want_grad[] = {0.1f, 0.5f, 0.9f};
  float y[3] = {0}, grad[3] = {0};
  App a = {0};
  tn_error* error = run(&a, argc == 3 && !strcmp(argv[1], "--device") ? argv[2] : NULL, y, grad);
  int right = !error;
  if (error) fprintf(stderr, "check: %s\n", tn_error_message(error));
  for (int i = 0; i < 3 && !error; ++i) {
    printf("myop: %g, gradient: %g\n", (double)y[i], (double)grad[i]);
    if (fabsf(y[i] - want_y[i]) < 1e-6f && fabsf(grad[i] - want_grad[i]) < 1e-6f) continue;
    fprintf(stderr, "check: wrong at [%d], want_y is %g, want_grad %g\n", i, (double)want_y[i],
            (double)want_grad[i]);
    right = 0;
  }
  if (!error && !right)
    fprintf(stderr, "check: if the op was changed, edit what check.c calls and wants\n");
  tn_tensor* all[] = {a.start, a.x, a.y, a.loss, a.grad};
  for (int i = 0; i < 5; ++i) tn_tensor_release(all[i]);
  tn_variable_release(a.variable), tn_ctx_release(a.cx), tn_runtime_release(a.rt);
  tn_error_release(error);
  return right ? 0 : 1;
}
