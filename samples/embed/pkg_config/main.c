/* Which devices an installed Tenon brings, and a product on one of them. Usage: embed [--device NAME] */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

static tn_error* list_devices(tn_runtime* rt) {
  uint32_t n = 0;
  TN_TRY(tn_device_count(rt, &n));
  for (uint32_t i = 0; i < n; ++i) {
    tn_device* device = NULL;
    tn_device_info info = tn_device_info_init();
    TN_TRY(tn_device_at(rt, i, &device));
    TN_TRY(tn_device_get_info(device, &info));
    printf("%.*s  %.*s\n", (int)info.name.size, info.name.data, (int)info.label.size,
           info.label.data);
  }
  return NULL;
}

static tn_error* load(tn_ctx* cx, tn_tensor* t[3]) {
  const int64_t dims[] = {2, 2};
  TN_TRY(tn_tensor_from_f32(cx, (const float[]){1, 2, 3, 4}, 2, dims, &t[0]));
  return tn_tensor_from_f32(cx, (const float[]){0, 1, 1, 0}, 2, dims, &t[1]);
}

static tn_error* multiply(tn_ctx* cx, tn_tensor* t[3]) {
  char text[256];
  TN_TRY(tn_matmul(cx, t[0], t[1], NULL, &t[2]));
  TN_TRY(tn_tensor_format(t[2], NULL, text, sizeof text));
  puts(text);
  return NULL;
}

int main(int argc, char** argv) {
  const char* device = argc == 3 && strcmp(argv[1], "--device") == 0 ? argv[2] : NULL;
  tn_runtime* rt = NULL;
  tn_ctx* cx = NULL;
  tn_tensor* t[3] = {NULL, NULL, NULL};
  tn_error* error = tn_runtime_create(NULL, &rt);
  if (!error) error = list_devices(rt);
  if (!error) error = tn_ctx_create(rt, tn_string(device), &cx);
  if (!error) error = load(cx, t);
  if (!error) error = multiply(cx, t);
  if (error) fprintf(stderr, "embed: %s\n", tn_error_message(error));
  for (int i = 0; i < 3; ++i) tn_tensor_release(t[i]);
  tn_ctx_release(cx), tn_runtime_release(rt), tn_error_release(error);
  return error ? 1 : 0;
}
