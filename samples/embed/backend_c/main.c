/* Arithmetic on the device that plain.c brings, and on what it has no kernel for. */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

typedef struct App {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_tensor *x, *square, *y, *none;
} App;

static tn_error* start(App* a) {
  const tn_str plugin = tn_string(PLUGIN);
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &plugin;
  desc.plugin_path_count = 1;
  TN_TRY(tn_runtime_create(&desc, &a->rt));
  TN_TRY(tn_ctx_create(a->rt, tn_string("plain"), &a->cx));
  return tn_tensor_from_f32(a->cx, (const float[]){1, 2, 3}, 1, (const int64_t[]){3}, &a->x);
}

static tn_error* compute(App* a) {
  TN_TRY(tn_square(a->cx, a->x, &a->square)); /* decomposed into mul */
  return tn_add(a->cx, a->x, a->square, &a->y);
}

int main(void) {
  App a = {0};
  char text[256] = "";
  tn_error* error = start(&a);
  if (!error) error = compute(&a);
  if (!error) error = tn_tensor_format(a.y, NULL, text, sizeof text);
  if (error) fprintf(stderr, "embed: %s\n", tn_error_message(error));
  int right = !error && strstr(text, "f32[3] plain:0  [2, 6, 12]") != NULL;
  puts(text);
  tn_error_release(error);
  if (right) { /* no kernel and no fallback: an error that says so */
    error = tn_exp(a.cx, a.x, &a.none);
    right = error && tn_error_code(error) == TN_UNIMPLEMENTED;
    puts(tn_error_message(error));
    tn_error_release(error);
  }
  tn_tensor_release(a.x), tn_tensor_release(a.square), tn_tensor_release(a.y);
  tn_tensor_release(a.none), tn_ctx_release(a.cx), tn_runtime_release(a.rt);
  return right ? 0 : 1;
}
