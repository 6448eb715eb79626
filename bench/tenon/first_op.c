/* S3: prints the monotonic clock in nanoseconds when the first op has its result. */
#include "../common/serve.h"

#include <tenon/tenon.h>

static tn_error* run(double* out_sum) {
  tn_runtime* rt = NULL;
  tn_ctx* cx = NULL;
  tn_tensor *a = NULL, *b = NULL, *c = NULL;
  const void* data = NULL;
  const int64_t dims[] = {3};
  TN_TRY(tn_runtime_create(NULL, &rt));
  const char* device = getenv("TENON_DEVICE");
  TN_TRY(tn_ctx_create(rt, tn_string(device ? device : "cpu"), &cx));
  TN_TRY(tn_tensor_full_f32(cx, 1, 1, dims, &a));
  TN_TRY(tn_tensor_full_f32(cx, 10, 1, dims, &b));
  TN_TRY(tn_add(cx, a, b, &c));
  TN_TRY(tn_tensor_get_data(cx, c, &data));
  *out_sum = ((const float*)data)[0];
  return NULL;
}

/* Frees nothing: a process that ends has no need to. */
int main(void) {
  double sum = 0;
  tn_error* error = run(&sum);
  if (error) {
    printf("> error %s\n", tn_error_message(error));
    return 1;
  }
  printf("> ns %lld %.1f\n", (long long)bench_now_ns(), sum);
  return 0;
}
