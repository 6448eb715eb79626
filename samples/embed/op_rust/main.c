/* Calls the op that hard_shrink.rs brings, takes its gradient, and is refused a lambda below 0. */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

typedef struct App {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_tensor *start, *x, *y, *loss, *grad, *none;
  tn_variable* variable;
  tn_op op;
} App;

static tn_error* start(App* a) {
  const tn_str plugin = tn_string(PLUGIN);
  const int64_t n = 4;
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &plugin;
  desc.plugin_path_count = 1;
  TN_TRY(tn_runtime_create(&desc, &a->rt));
  TN_TRY(tn_ctx_create(a->rt, tn_string(NULL), &a->cx));
  TN_TRY(tn_op_find(a->rt, tn_string("hard_shrink"), 0, &a->op));
  TN_TRY(tn_tensor_from_f32(a->cx, (const float[]){-2, -1, 1, 2}, 1, &n, &a->start));
  return tn_variable_create(a->cx, tn_string("x"), a->start, 0, &a->variable);
}

static tn_error* compute(App* a) {
  const tn_attr lambda = tn_attr_f64(0, 1.5); /* attribute 0; left out it is 0.5 */
  uint32_t outputs = 0;
  TN_TRY(tn_variable_take(a->cx, a->variable, &a->x));
  TN_TRY(tn_op_call(a->cx, a->op, &a->x, 1, &lambda, 1, &a->y, 1, &outputs));
  TN_TRY(tn_sum(a->cx, a->y, NULL, &a->loss));
  return tn_grad(a->cx, a->loss, &a->variable, 1, &a->grad);
}

/* What the call says with a lambda that has no meaning. */
static int refuses(App* a) {
  const tn_attr lambda = tn_attr_f64(0, -1.0);
  uint32_t outputs = 0;
  tn_error* error = tn_op_call(a->cx, a->op, &a->x, 1, &lambda, 1, &a->none, 1, &outputs);
  const int refused = strstr(tn_error_message(error), "lambda is -1") != NULL;
  puts(tn_error_message(error));
  tn_error_release(error);
  return refused;
}

int main(void) {
  App a = {0};
  char y[128] = "", grad[128] = "";
  tn_error* error = start(&a);
  if (!error) error = compute(&a);
  if (!error) error = tn_tensor_format(a.y, NULL, y, sizeof y);
  if (!error) error = tn_tensor_format(a.grad, NULL, grad, sizeof grad);
  if (error) fprintf(stderr, "embed: %s\n", tn_error_message(error));
  printf("%s\n%s\n", y, grad);
  const int right = strstr(y, "[-2, 0, 0, 2]") && strstr(grad, "[1, 0, 0, 1]") && refuses(&a);
  tn_tensor* all[] = {a.start, a.x, a.y, a.loss, a.grad, a.none};
  for (int i = 0; i < 6; ++i) tn_tensor_release(all[i]);
  tn_variable_release(a.variable), tn_ctx_release(a.cx), tn_runtime_release(a.rt);
  tn_error_release(error);
  return right ? 0 : 1;
}
