/* An application that keeps Tenon to itself: a log of its own, a limit on memory, no environment variables read; and the
 * slope of a line through four points, by gradient descent. Usage: embed [--device NAME] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

static void TN_CALL on_log(void* user, uint32_t level, tn_str message) {
  fprintf(stderr, "%s: level %u: %.*s\n", (const char*)user, level, (int)message.size,
          message.data);
}

typedef struct App {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_tensor *x, *y, *rate;
  tn_variable* slope;
} App;

static tn_error* start(App* app, const char* device) {
  const float x[] = {1, 2, 3, 4}, y[] = {3, 6, 9, 12};
  const int64_t n = 4;
  tn_tensor* zero = NULL;
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.flags = TN_RUNTIME_NO_ENVIRONMENT;
  desc.memory_limit = 64u << 20;
  desc.thread_count = 1;
  desc.log.function = on_log;
  desc.log.user = "embed";
  TN_TRY(tn_runtime_create(&desc, &app->rt));
  TN_TRY(tn_ctx_create(app->rt, tn_string(device), &app->cx));
  TN_TRY(tn_tensor_from_f32(app->cx, x, 1, &n, &app->x));
  TN_TRY(tn_tensor_from_f32(app->cx, y, 1, &n, &app->y));
  TN_TRY(tn_tensor_scalar_f64(app->cx, 0.02, &app->rate));
  TN_TRY(tn_tensor_full_f32(app->cx, 0.0, 0, NULL, &zero));
  tn_error* error = tn_variable_create(app->cx, tn_string("slope"), zero, 0, &app->slope);
  tn_tensor_drop(app->cx, zero);
  return error;
}

typedef struct Step {
  tn_tensor *slope, *guess, *loss, *grad, *change, *next;
} Step;

/* slope -= rate * d mse(slope * x, y) / d slope */
static tn_error* step(App* app, Step* s) {
  TN_TRY(tn_variable_take(app->cx, app->slope, &s->slope));
  TN_TRY(tn_mul(app->cx, s->slope, app->x, &s->guess));
  TN_TRY(tn_mse(app->cx, s->guess, app->y, NULL, &s->loss));
  TN_TRY(tn_grad(app->cx, s->loss, &app->slope, 1, &s->grad));
  tn_ctx_set_grad_mode(app->cx, 0);
  TN_TRY(tn_mul(app->cx, s->grad, app->rate, &s->change));
  TN_TRY(tn_sub(app->cx, s->slope, s->change, &s->next));
  tn_ctx_set_grad_mode(app->cx, 1);
  return tn_variable_assign(app->cx, app->slope, s->next);
}

static tn_error* run(App* app, const char* device) {
  double value = 0;
  TN_TRY(start(app, device));
  for (int i = 0; i < 50; ++i) {
    Step s = {0};
    tn_error* error = step(app, &s);
    if (!error && i == 49) error = tn_tensor_item_f64(app->cx, s.next, &value);
    tn_tensor* const made[] = {s.slope, s.guess, s.loss, s.grad, s.change, s.next};
    for (size_t k = 0; k < sizeof made / sizeof *made; ++k) tn_tensor_drop(app->cx, made[k]);
    if (error) return error;
  }
  printf("slope %.3f\n", value);
  return NULL;
}

int main(int argc, char** argv) {
  const char* device =
      argc == 3 && strcmp(argv[1], "--device") == 0 ? argv[2] : getenv("TENON_DEVICE");
  App app = {0};
  tn_error* error = run(&app, device);
  if (error) fprintf(stderr, "embed: %s\n", tn_error_message(error));
  tn_tensor_release(app.x), tn_tensor_release(app.y), tn_tensor_release(app.rate);
  tn_variable_release(app.slope);
  tn_ctx_release(app.cx), tn_runtime_release(app.rt), tn_error_release(error);
  return error ? 1 : 0;
}
