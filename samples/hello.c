/* One op, and its result. Usage: hello [--device NAME]; without it TENON_DEVICE, else the best one. */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

static tn_error* add(tn_ctx* cx, tn_tensor* t[3]) {
  char text[256];
  TN_TRY(tn_tensor_from_f32(cx, (const float[]){1, 2, 3}, 1, (const int64_t[]){3}, &t[0]));
  TN_TRY(tn_tensor_full_f32(cx, 10.0, 1, (const int64_t[]){3}, &t[1]));
  TN_TRY(tn_add(cx, t[0], t[1], &t[2]));
  TN_TRY(tn_tensor_format(t[2], NULL, text, sizeof text));
  puts(text); /* f32[3] cpu:0  [11, 12, 13] */
  return NULL;
}

int main(int argc, char** argv) {
  const char* device = argc == 3 && strcmp(argv[1], "--device") == 0 ? argv[2] : NULL;
  if (argc > 1 && !device) return fputs("usage: hello [--device NAME]\n", stderr), 2;
  tn_runtime* rt = NULL;
  tn_ctx* cx = NULL;
  tn_tensor* t[3] = {NULL, NULL, NULL};
  tn_error* error = tn_runtime_create(NULL, &rt); /* NULL: the defaults */
  if (!error) error = tn_ctx_create(rt, tn_string(device), &cx);
  if (!error) error = add(cx, t);
  if (error) fprintf(stderr, "hello: %s\n", tn_error_message(error));
  for (int i = 0; i < 3; ++i) tn_tensor_release(t[i]);
  tn_ctx_release(cx), tn_runtime_release(rt), tn_error_release(error);
  return error ? 1 : 0;
}
