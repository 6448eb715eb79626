/* P1: one op at many sizes, eager; the result is dropped. Rows have 256 elements. arg = op * 2^32 + size. */
#include "session.h"

typedef enum swept { OP_MATMUL, OP_ADD, OP_TANH, OP_SOFTMAX, OP_SUM_ROWS, OP_SUM_COLUMNS } swept;
enum { ROW = 256 };

typedef struct sweep {
  tn_ctx* cx;
  tn_tensor *a, *b;
  swept op;
} sweep;

static void sweep_destroy(sweep* s) {
  tn_tensor_drop(s->cx, s->a);
  tn_tensor_drop(s->cx, s->b);
}

static tn_error* sweep_create(sweep* s, int64_t arg) {
  const int64_t size = arg & 0xffffffff, square[] = {size, size}, rows[] = {size / ROW, ROW};
  memset(s, 0, sizeof *s);
  s->op = (swept)(arg >> 32);
  const int64_t* dims = s->op == OP_MATMUL ? square : rows;
  TN_TRY(session_get(&s->cx));
  TN_TRY(session_filled(s->cx, 2, dims, 1, 2, &s->a));
  return session_filled(s->cx, 2, dims, 2, 2, &s->b);
}

static tn_error* sweep_call(sweep* s, tn_tensor** out_y) {
  const tn_softmax_options softmax = tn_softmax_options_init();
  tn_sum_options sum = tn_sum_options_init();
  const int64_t axis = s->op == OP_SUM_COLUMNS;
  sum.axes = &axis;
  sum.n_axes = 1;
  switch (s->op) {
    case OP_MATMUL:
      return tn_matmul(s->cx, s->a, s->b, NULL, out_y);
    case OP_ADD:
      return tn_add(s->cx, s->a, s->b, out_y);
    case OP_TANH:
      return tn_tanh(s->cx, s->a, out_y);
    case OP_SOFTMAX:
      return tn_softmax(s->cx, s->a, &softmax, out_y);
    case OP_SUM_ROWS:
    case OP_SUM_COLUMNS:
      return tn_sum(s->cx, s->a, &sum, out_y);
  }
  return NULL;
}

static tn_error* time_calls(sweep* s, int64_t count, int64_t* out_ns) {
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    tn_tensor* y = NULL;
    TN_TRY(sweep_call(s, &y));
    tn_tensor_drop(s->cx, y);
  }
  TN_TRY(tn_ctx_synchronize(s->cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* call_values(sweep* s, double* values, int* n) {
  tn_tensor* y = NULL;
  TN_TRY(sweep_call(s, &y));
  tn_error* error = session_push_sums(s->cx, y, values, n);
  tn_tensor_drop(s->cx, y);
  return error;
}

static const char* run_call(int64_t arg, int64_t count, int64_t* out_ns) {
  sweep s;
  tn_error* error = sweep_create(&s, arg);
  if (!error) error = time_calls(&s, count, out_ns);
  sweep_destroy(&s);
  return session_message(error);
}

static const char* check_call(int64_t arg, double* values, int* n) {
  sweep s;
  tn_error* error = sweep_create(&s, arg);
  if (!error) error = call_values(&s, values, n);
  sweep_destroy(&s);
  return session_message(error);
}

#define POINT(name, op, size) \
  { "P1/" name "-" #size, ((int64_t)(op) << 32) + (size), NULL, run_call, check_call }
#define POINTS(name, op)                                                                       \
  POINT(name, op, 4096), POINT(name, op, 6144), POINT(name, op, 8192), POINT(name, op, 12288), \
      POINT(name, op, 16384), POINT(name, op, 24576), POINT(name, op, 32768),                  \
      POINT(name, op, 49152), POINT(name, op, 65536), POINT(name, op, 98304),                  \
      POINT(name, op, 131072), POINT(name, op, 196608), POINT(name, op, 262144)
#define SQUARE(side) POINT("matmul", OP_MATMUL, side)
const bench_case thread_cases[] = {
    SQUARE(32),
    SQUARE(48),
    SQUARE(64),
    SQUARE(80),
    SQUARE(96),
    SQUARE(112),
    SQUARE(128),
    SQUARE(160),
    SQUARE(192),
    SQUARE(256),
    POINTS("add", OP_ADD),
    POINTS("tanh", OP_TANH),
    POINTS("softmax", OP_SOFTMAX),
    POINTS("sum0", OP_SUM_ROWS),
    POINTS("sum1", OP_SUM_COLUMNS),
};
const int thread_case_count = sizeof thread_cases / sizeof *thread_cases;
