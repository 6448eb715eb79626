/* Three steps of the optimizer that lion.cpp brings. Usage: embed [--device NAME] */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

typedef struct App {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_optimizer* lion;
  tn_tensor *start, *grad, *end;
  tn_variable* w;
} App;

static tn_error* start(App* app, const char* device) {
  const tn_str plugin = tn_string(PLUGIN);
  const tn_option lr = tn_option_f64("lr", 0.5);
  const int64_t n = 3;
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &plugin; /* a file or a folder; the others are searched for as ever */
  desc.plugin_path_count = 1;
  TN_TRY(tn_runtime_create(&desc, &app->rt));
  TN_TRY(tn_ctx_create(app->rt, tn_string(device), &app->cx));
  TN_TRY(tn_tensor_from_f32(app->cx, (const float[]){1, 2, 3}, 1, &n, &app->start));
  TN_TRY(tn_tensor_from_f32(app->cx, (const float[]){4, 0, -5}, 1, &n, &app->grad));
  TN_TRY(tn_variable_create(app->cx, tn_string("w"), app->start, 0, &app->w));
  return tn_optimizer_create(app->cx, tn_string("lion"), &lr, 1, &app->lion);
}

static tn_error* step(App* app) {
  return tn_optimizer_step(app->cx, app->lion, &app->w, &app->grad, 1);
}

static tn_error* run(App* app, const char* device) {
  TN_TRY(start(app, device));
  for (int i = 0; i < 3; ++i) TN_TRY(step(app));
  return tn_variable_take(app->cx, app->w, &app->end);
}

int main(int argc, char** argv) {
  App app = {0};
  char text[256] = "";
  tn_error* error = run(&app, argc == 3 && strcmp(argv[1], "--device") == 0 ? argv[2] : NULL);
  if (!error) error = tn_tensor_format(app.end, NULL, text, sizeof text);
  if (error) fprintf(stderr, "embed: %s\n", tn_error_message(error));
  puts(text);
  const int right = strstr(text, "[-0.5, 2, 4.5]") != NULL; /* 1.5 along the sign of the gradient */
  tn_tensor_release(app.start), tn_tensor_release(app.grad), tn_tensor_release(app.end);
  tn_variable_release(app.w), tn_optimizer_release(app.lion);
  tn_ctx_release(app.cx), tn_runtime_release(app.rt), tn_error_release(error);
  return right ? 0 : 1;
}
