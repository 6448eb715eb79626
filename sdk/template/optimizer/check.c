/* A step of the optimizer, and one of another that goes on from its state. Usage: check [--device NAME]
 * To be edited with the optimizer: its name and options (in run), and the numbers that come out (in main). */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

enum { kMost = 8 };

typedef struct App {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_optimizer *optimizer, *resumed;
  tn_tensor *start, *grad, *zero, *end;
  tn_variable* w;
  uint32_t n; /* entries of the state */
  char names[kMost][64];
  tn_tensor* state[kMost];
} App;

/* The state by name, as a checkpoint keeps it beside the variables. A name is lent until the next step. */
static tn_error* save(App* a) {
  uint32_t n = 0;
  TN_TRY(tn_optimizer_state_count(a->optimizer, &n));
  for (; a->n < n && a->n < kMost; ++a->n) {
    tn_str name;
    TN_TRY(tn_optimizer_state_take(a->cx, a->optimizer, a->n, &name, &a->state[a->n]));
    snprintf(a->names[a->n], sizeof a->names[0], "%.*s", (int)name.size, name.data);
  }
  return NULL;
}

/* The other way: into an optimizer that was made with the same options. */
static tn_error* restore(App* a) {
  for (uint32_t i = 0; i < a->n; ++i)
    TN_TRY(tn_optimizer_state_set(a->cx, a->resumed, tn_string(a->names[i]), a->state[i]));
  return NULL;
}

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
  TN_TRY(tn_tensor_from_f32(a->cx, (const float[]){0, 0, 0}, 1, &n, &a->zero));
  TN_TRY(tn_variable_create(a->cx, tn_string("w"), a->start, 0, &a->w));
  TN_TRY(tn_optimizer_create(a->cx, tn_string("myoptimizer"), &lr, 1, &a->optimizer));
  TN_TRY(tn_optimizer_step(a->cx, a->optimizer, &a->w, &a->grad, 1));
  TN_TRY(save(a));
  TN_TRY(tn_optimizer_create(a->cx, tn_string("myoptimizer"), &lr, 1, &a->resumed));
  TN_TRY(restore(a));
  TN_TRY(tn_optimizer_step(a->cx, a->resumed, &a->w, &a->zero, 1));
  return tn_variable_take(a->cx, a->w, &a->end);
}

int main(int argc, char** argv) {
  /* lr along the sign of the gradient; then, with no gradient, 0.09 / 0.19 / 0.999 of that: what the state has kept. */
  static const float want[] = {0.2629208f, 2, 3.7370792f};
  App a = {0};
  float w[3] = {9, 9, 9};
  tn_error* error = run(&a, argc == 3 && !strcmp(argv[1], "--device") ? argv[2] : NULL);
  if (!error) error = tn_tensor_read(a.cx, a.end, w, sizeof w);
  if (error) fprintf(stderr, "check: %s\n", tn_error_message(error));
  int right = !error;
  if (!error) printf("%.7g %.7g %.7g\n", (double)w[0], (double)w[1], (double)w[2]);
  for (int i = 0; i < 3 && !error; ++i) {
    if (fabsf(w[i] - want[i]) < 1e-6f) continue;
    fprintf(stderr, "check: w[%d] is wrong, want is %.7g\n", i, (double)want[i]);
    right = 0;
  }
  if (!error && !right)
    fprintf(stderr, "check: if the optimizer was changed, edit what check.c makes and wants\n");
  for (uint32_t i = 0; i < kMost; ++i) tn_tensor_release(a.state[i]);
  tn_tensor_release(a.start), tn_tensor_release(a.grad), tn_tensor_release(a.zero);
  tn_tensor_release(a.end), tn_variable_release(a.w);
  tn_optimizer_release(a.optimizer), tn_optimizer_release(a.resumed);
  tn_ctx_release(a.cx), tn_runtime_release(a.rt), tn_error_release(error);
  return right ? 0 : 1;
}
