/* A1: scaled_dot_product_attention on [batch, 12, length, 64], alone and with the gradients of q, k
 * and v. arg = (batch * 2 + backward) * 65536 + length. */
#include "session.h"

typedef struct attention {
  tn_ctx* cx;
  tn_tensor *qkv[3], *g;
  int backward;
} attention;

static void attention_destroy(attention* a) {
  for (int i = 0; i < 3; ++i) tn_tensor_drop(a->cx, a->qkv[i]);
  tn_tensor_drop(a->cx, a->g);
}

static tn_error* attention_create(attention* a, int64_t arg) {
  const int64_t dims[] = {arg / 65536 / 2, BENCH_HEADS, arg % 65536, BENCH_HEAD_WIDTH};
  memset(a, 0, sizeof *a);
  a->backward = (int)(arg / 65536 % 2);
  TN_TRY(session_get(&a->cx));
  for (uint64_t i = 0; i < 3; ++i) {
    TN_TRY(session_filled(a->cx, 4, dims, 1 + i, 4, &a->qkv[i]));
    if (a->backward) TN_TRY(session_leaf(a->cx, &a->qkv[i]));
  }
  return session_filled(a->cx, 4, dims, 4, 2, &a->g);
}

/* y, and with backward dq, dk and dv after it. */
static tn_error* attention_call(attention* a, tn_tensor* results[4]) {
  const tn_scaled_dot_product_attention_options options =
      tn_scaled_dot_product_attention_options_init();
  TN_TRY(tn_scaled_dot_product_attention(a->cx, a->qkv[0], a->qkv[1], a->qkv[2], NULL, &options,
                                         &results[0]));
  if (!a->backward) return NULL;
  return tn_vjp(a->cx, &results[0], &a->g, 1, a->qkv, 3, 0, &results[1]);
}

static void drop_results(attention* a, tn_tensor* results[4]) {
  for (int i = 0; i < 4; ++i) tn_tensor_drop(a->cx, results[i]);
}

static tn_error* time_calls(attention* a, int64_t count, int64_t* out_ns) {
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    tn_tensor* results[4] = {NULL};
    TN_TRY(attention_call(a, results));
    drop_results(a, results);
  }
  TN_TRY(tn_ctx_synchronize(a->cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* call_values(attention* a, double* values, int* n) {
  tn_tensor* results[4] = {NULL};
  TN_TRY(attention_call(a, results));
  for (int i = 0; i < (a->backward ? 4 : 1); ++i) {
    TN_TRY(session_push_sums(a->cx, results[i], values, n));
    if (i == BENCH_ATTENTION_DK) values[*n - 2] = values[*n - 1];
  }
  drop_results(a, results);
  return NULL;
}

static const char* run_call(int64_t arg, int64_t count, int64_t* out_ns) {
  attention a;
  tn_error* error = attention_create(&a, arg);
  if (!error) error = time_calls(&a, count, out_ns);
  attention_destroy(&a);
  return session_message(error);
}

static const char* check_call(int64_t arg, double* values, int* n) {
  attention a;
  tn_error* error = attention_create(&a, arg);
  if (!error) error = call_values(&a, values, n);
  attention_destroy(&a);
  return session_message(error);
}

#define ATTENTION_CASE(name, backward, batch, length)                                     \
  {                                                                                       \
    "A1/" name "-" #batch "-" #length, ((batch)*2 + (backward)) * 65536 + (length), NULL, \
        run_call, check_call                                                              \
  }
#define ATTENTION_CASES(batch, length) \
  ATTENTION_CASE("forward", 0, batch, length), ATTENTION_CASE("both", 1, batch, length)
const bench_case attention_cases[] = {
    ATTENTION_CASES(1, 128), ATTENTION_CASES(1, 512), ATTENTION_CASES(1, 1024),
    ATTENTION_CASES(8, 128), ATTENTION_CASES(8, 512), ATTENTION_CASES(8, 1024),
};
const int attention_case_count = sizeof attention_cases / sizeof *attention_cases;
