/* S1: open the safetensors file that BENCH_FILE names and sum every byte of its tensors. */
#include "session.h"

#include "../common/sum_bytes.h"

static tn_error* sum_model(tn_ctx* cx, tn_model* model, int threads, uint64_t* out_sum) {
  uint64_t sum = 0;
  const uint32_t n = tn_model_tensor_count(model);
  for (uint32_t i = 0; i < n; ++i) {
    tn_model_entry entry = tn_model_entry_init();
    tn_tensor* tensor = NULL;
    const void* data = NULL;
    TN_TRY(tn_model_get_entry(model, i, &entry));
    TN_TRY(tn_model_take_tensor(cx, model, entry.name, &tensor));
    TN_TRY(tn_tensor_get_data(cx, tensor, &data));
    sum += bench_sum_bytes(data, tn_tensor_bytes(tensor), threads);
    tn_tensor_drop(cx, tensor);
  }
  *out_sum = sum;
  return NULL;
}

static tn_error* sum_file(uint64_t* out_sum) {
  tn_ctx* cx = NULL;
  tn_model* model = NULL;
  const char* path = getenv("BENCH_FILE");
  const char* threads = getenv("BENCH_THREADS");
  TN_TRY(session_get(&cx));
  TN_TRY(tn_model_open(tn_ctx_get_runtime(cx), tn_string(path), NULL, &model));
  tn_error* error = sum_model(cx, model, threads ? atoi(threads) : 2, out_sum);
  tn_model_release(model);
  return error;
}

static const char* run_file(int64_t arg, int64_t count, int64_t* out_ns) {
  (void)arg;
  tn_error* error = NULL;
  uint64_t sum = 0;
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; !error && i < count; ++i) error = sum_file(&sum);
  *out_ns = bench_now_ns() - start;
  return session_message(error);
}

static const char* check_file(int64_t arg, double* values, int* n) {
  (void)arg;
  uint64_t sum = 0;
  tn_error* error = sum_file(&sum);
  values[(*n)++] = (double)sum;
  return session_message(error);
}

const bench_case file_cases[] = {
    {"S1", 0, NULL, run_file, check_file},
};
const int file_case_count = sizeof file_cases / sizeof *file_cases;
