/* Our side of the bench: a process that answers the protocol of common/serve.h. */
#include "session.h"

static tn_runtime* runtime;
static tn_ctx* context;

static const char* device_name(void) {
  const char* name = getenv("TENON_DEVICE");
  return name ? name : "cpu";
}

static int thread_count(void) {
  const char* threads = getenv("BENCH_THREADS");
  return threads ? atoi(threads) : 2;
}

tn_error* session_get(tn_ctx** out_cx) {
  if (!context) {
    tn_runtime_desc desc = tn_runtime_desc_init();
    desc.thread_count = thread_count();
    if (!runtime) TN_TRY(tn_runtime_create(&desc, &runtime));
    TN_TRY(tn_ctx_create(runtime, tn_string(device_name()), &context));
  }
  *out_cx = context;
  return NULL;
}

void session_close(void) {
  tn_ctx_release(context);
  tn_runtime_release(runtime);
  context = NULL;
  runtime = NULL;
}

const char* session_message(tn_error* error) {
  static char text[512];
  if (!error) return NULL;
  snprintf(text, sizeof text, "%s", tn_error_message(error));
  text[strcspn(text, "\n")] = 0;
  tn_error_release(error);
  return text;
}

tn_error* session_filled(tn_ctx* cx, uint32_t rank, const int64_t* dims, uint64_t seed, float scale,
                         tn_tensor** out_tensor) {
  size_t n = 1;
  for (uint32_t i = 0; i < rank; ++i) n *= (size_t)dims[i];
  float* data = (float*)malloc(n * sizeof *data);
  if (!data) return tn_error_create(TN_OUT_OF_MEMORY, tn_string("bench: no memory for an input"));
  bench_fill(data, n, seed, scale);
  tn_error* error = tn_tensor_from_f32(cx, data, rank, dims, out_tensor);
  free(data);
  return error;
}

tn_error* session_push_sums(tn_ctx* cx, tn_tensor* tensor, double* values, int* n) {
  const uint64_t bytes = tn_tensor_bytes(tensor);
  float* data = (float*)malloc(bytes);
  if (!data) return tn_error_create(TN_OUT_OF_MEMORY, tn_string("bench: no memory for a result"));
  tn_error* error = tn_tensor_read(cx, tensor, data, bytes);
  double sum = 0, size = 0;
  for (uint64_t i = 0; !error && i < bytes / sizeof *data; ++i) {
    sum += data[i];
    size += data[i] < 0 ? -data[i] : data[i];
  }
  free(data);
  values[(*n)++] = sum;
  values[(*n)++] = size;
  return error;
}

tn_error* session_leaf(tn_ctx* cx, tn_tensor** tensor) {
  tn_tensor* made = NULL;
  TN_TRY(tn_tensor_leaf(cx, *tensor, &made));
  tn_tensor_drop(cx, *tensor);
  *tensor = made;
  return NULL;
}

tn_error* session_push_sizes(tn_ctx* cx, tn_variable* const* variables, int count, double* values,
                             int* n) {
  double size = 0;
  for (int i = 0; i < count; ++i) {
    tn_tensor* value = NULL;
    double part[2];
    int k = 0;
    TN_TRY(tn_variable_take(cx, variables[i], &value));
    TN_TRY(session_push_sums(cx, value, part, &k));
    tn_tensor_drop(cx, value);
    size += part[1];
  }
  values[(*n)++] = size;
  return NULL;
}

enum { MOST_INPUTS = 4 };

static tn_error* capture(tn_ctx* cx, session_body body, void* model, tn_tensor* const* like,
                         uint32_t n, tn_tensor** inputs, tn_tensor** result, tn_program** out) {
  TN_TRY(tn_capture_begin(cx, tn_string("bench")));
  for (uint32_t i = 0; i < n; ++i) {
    const char name[] = {(char)('a' + (int)i), 0};
    TN_TRY(tn_capture_input(cx, tn_string(name), tn_tensor_dtype(like[i]), tn_tensor_rank(like[i]),
                            tn_tensor_dims(like[i]), NULL, &inputs[i]));
  }
  TN_TRY(body(model, inputs, result));
  return tn_capture_end(cx, result, 1, out);
}

tn_error* session_capture(tn_ctx* cx, session_body body, void* model, tn_tensor* const* like,
                          uint32_t n, tn_program** out_program) {
  tn_tensor *inputs[MOST_INPUTS] = {NULL}, *result = NULL;
  tn_error* error = capture(cx, body, model, like, n, inputs, &result, out_program);
  tn_capture_abort(cx); /* nothing where the capture has ended */
  for (uint32_t i = 0; i < n; ++i) tn_tensor_drop(cx, inputs[i]);
  tn_tensor_drop(cx, result);
  return error;
}

static tn_error* first_op(void) {
  tn_ctx* cx = NULL;
  tn_tensor *a = NULL, *c = NULL;
  const int64_t dims[] = {1};
  TN_TRY(session_get(&cx));
  TN_TRY(tn_tensor_full_f32(cx, 1, 1, dims, &a));
  TN_TRY(tn_add(cx, a, a, &c));
  tn_tensor_drop(cx, a);
  tn_tensor_drop(cx, c);
  return tn_device_reset_peak(tn_ctx_get_device(cx));
}

const char* session_idle(int64_t arg) {
  (void)arg;
  return session_message(first_op());
}

static int64_t peak_bytes(void) {
  tn_ctx* cx = NULL;
  tn_memory_stats stats = tn_memory_stats_init();
  tn_error* error = session_get(&cx);
  if (!error) error = tn_device_get_memory(tn_ctx_get_device(cx), &stats);
  tn_error_release(error);
  return (int64_t)stats.peak_bytes;
}

int main(void) {
  enum { CAPACITY = 512 };
  static bench_case cases[CAPACITY];
  const bench_case* parts[] = {dispatch_cases, training_cases,  recurrent_cases,   resnet_cases,
                               gpt_cases,      optimizer_cases, file_cases,        attention_cases,
                               conv_cases,     eager_cases,     elementwise_cases, matmul_cases,
                               thread_cases};
  const int counts[] = {dispatch_case_count, training_case_count,    recurrent_case_count,
                        resnet_case_count,   gpt_case_count,         optimizer_case_count,
                        file_case_count,     attention_case_count,   conv_case_count,
                        eager_case_count,    elementwise_case_count, matmul_case_count,
                        thread_case_count};
  int n = 0;
  for (size_t p = 0; p < sizeof counts / sizeof *counts; ++p)
    for (int i = 0; i < counts[p] && n < CAPACITY; ++i) cases[n++] = parts[p][i];
  char about[96];
  const uint32_t version = tn_version();
  snprintf(about, sizeof about, "tenon %u.%u.%u, device %s, %d threads", (unsigned)(version >> 22),
           (unsigned)((version >> 12) & 0x3ffu), (unsigned)(version & 0xfffu), device_name(),
           thread_count());
  const bench_worker worker = {about, cases, n, peak_bytes};
  const int code = bench_serve(&worker);
  session_close();
  return code;
}
