/* G1 to G3: [m, k] by [k, n], eager; the result is dropped. G1 in f32, G2 in f32 at the precision high, G3 in bf16.
 * arg = row * 16 + product. */
#include "session.h"

typedef struct matmul {
  tn_ctx* cx;
  tn_tensor *a, *b;
} matmul;

static void matmul_destroy(matmul* m) {
  tn_ctx_set_precision(m->cx, TN_PRECISION_HIGHEST);
  tn_tensor_drop(m->cx, m->a);
  tn_tensor_drop(m->cx, m->b);
}

static tn_error* narrow(tn_ctx* cx, tn_tensor** tensor) {
  tn_tensor* made = NULL;
  TN_TRY(tn_cast(cx, *tensor, TN_DTYPE_BF16, &made));
  tn_tensor_drop(cx, *tensor);
  *tensor = made;
  return NULL;
}

static tn_error* matmul_create(matmul* m, int64_t arg) {
  const bench_product* p = &bench_products[arg % 16];
  const int64_t a_dims[] = {p->m, p->k}, b_dims[] = {p->k, p->n}, row = arg / 16;
  memset(m, 0, sizeof *m);
  TN_TRY(session_get(&m->cx));
  TN_TRY(session_filled(m->cx, 2, a_dims, 1, 2, &m->a));
  TN_TRY(session_filled(m->cx, 2, b_dims, 2, 2, &m->b));
  if (row == 2) tn_ctx_set_precision(m->cx, TN_PRECISION_HIGH);
  if (row != 3) return NULL;
  TN_TRY(narrow(m->cx, &m->a));
  return narrow(m->cx, &m->b);
}

static tn_error* time_calls(matmul* m, int64_t count, int64_t* out_ns) {
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    tn_tensor* y = NULL;
    TN_TRY(tn_matmul(m->cx, m->a, m->b, NULL, &y));
    tn_tensor_drop(m->cx, y);
  }
  TN_TRY(tn_ctx_synchronize(m->cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* call_values(matmul* m, double* values, int* n) {
  tn_tensor *y = NULL, *wide = NULL;
  TN_TRY(tn_matmul(m->cx, m->a, m->b, NULL, &y));
  tn_error* error = tn_cast(m->cx, y, TN_DTYPE_F32, &wide);
  if (!error) error = session_push_sums(m->cx, wide, values, n);
  tn_tensor_drop(m->cx, y);
  tn_tensor_drop(m->cx, wide);
  return error;
}

static const char* run_call(int64_t arg, int64_t count, int64_t* out_ns) {
  matmul m;
  tn_error* error = matmul_create(&m, arg);
  if (!error) error = time_calls(&m, count, out_ns);
  matmul_destroy(&m);
  return session_message(error);
}

static const char* check_call(int64_t arg, double* values, int* n) {
  matmul m;
  tn_error* error = matmul_create(&m, arg);
  if (!error) error = call_values(&m, values, n);
  matmul_destroy(&m);
  return session_message(error);
}

#define MATMUL_CASE(row, index, name) \
  { "G" #row "/" name, (row)*16 + (index), NULL, run_call, check_call }
#define MATMUL_CASES(row)                                                       \
  MATMUL_CASE(row, 0, "128-384-384"), MATMUL_CASE(row, 1, "128-1536-384"),      \
      MATMUL_CASE(row, 2, "512-2304-768"), MATMUL_CASE(row, 3, "512-3072-768"), \
      MATMUL_CASE(row, 4, "512-768-3072"), MATMUL_CASE(row, 5, "512-512-512"),  \
      MATMUL_CASE(row, 6, "1024-1024-1024"), MATMUL_CASE(row, 7, "2048-2048-2048")
const bench_case matmul_cases[] = {MATMUL_CASES(1), MATMUL_CASES(2), MATMUL_CASES(3)};
const int matmul_case_count = sizeof matmul_cases / sizeof *matmul_cases;
