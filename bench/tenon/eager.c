/* E3: single ops on [rows, 768], eager; the result is dropped. arg = op * 65536 + rows. */
#include "session.h"

typedef enum eager_op { OP_SOFTMAX, OP_LAYER_NORM, OP_GELU, OP_SUM_ROWS, OP_SUM_COLUMNS } eager_op;

typedef struct eager {
  tn_ctx* cx;
  tn_tensor *x, *scale, *bias;
} eager;

static void eager_destroy(eager* e) {
  tn_tensor_drop(e->cx, e->x);
  tn_tensor_drop(e->cx, e->scale);
  tn_tensor_drop(e->cx, e->bias);
}

static tn_error* eager_create(eager* e, int64_t rows) {
  const int64_t dims[] = {rows, BENCH_ROW};
  memset(e, 0, sizeof *e);
  TN_TRY(session_get(&e->cx));
  TN_TRY(session_filled(e->cx, 2, dims, 1, 8, &e->x));
  TN_TRY(session_filled(e->cx, 1, &dims[1], 2, 2, &e->scale));
  return session_filled(e->cx, 1, &dims[1], 3, 2, &e->bias);
}

static tn_error* eager_call(eager* e, int64_t op, tn_tensor** out_y) {
  const tn_softmax_options softmax = tn_softmax_options_init();
  const tn_layer_norm_options norm = tn_layer_norm_options_init();
  const tn_gelu_options gelu = tn_gelu_options_init();
  tn_sum_options sum = tn_sum_options_init();
  const int64_t axis = op == OP_SUM_COLUMNS;
  sum.axes = &axis;
  sum.n_axes = 1;
  switch ((eager_op)op) {
    case OP_SOFTMAX:
      return tn_softmax(e->cx, e->x, &softmax, out_y);
    case OP_LAYER_NORM:
      return tn_layer_norm(e->cx, e->x, e->scale, e->bias, &norm, out_y);
    case OP_GELU:
      return tn_gelu(e->cx, e->x, &gelu, out_y);
    case OP_SUM_ROWS:
    case OP_SUM_COLUMNS:
      return tn_sum(e->cx, e->x, &sum, out_y);
  }
  return NULL;
}

static tn_error* time_calls(eager* e, int64_t op, int64_t count, int64_t* out_ns) {
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    tn_tensor* y = NULL;
    TN_TRY(eager_call(e, op, &y));
    tn_tensor_drop(e->cx, y);
  }
  TN_TRY(tn_ctx_synchronize(e->cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* call_values(eager* e, int64_t op, double* values, int* n) {
  tn_tensor* y = NULL;
  TN_TRY(eager_call(e, op, &y));
  tn_error* error = session_push_sums(e->cx, y, values, n);
  tn_tensor_drop(e->cx, y);
  return error;
}

static const char* run_call(int64_t arg, int64_t count, int64_t* out_ns) {
  eager e;
  tn_error* error = eager_create(&e, arg % 65536);
  if (!error) error = time_calls(&e, arg / 65536, count, out_ns);
  eager_destroy(&e);
  return session_message(error);
}

static const char* check_call(int64_t arg, double* values, int* n) {
  eager e;
  tn_error* error = eager_create(&e, arg % 65536);
  if (!error) error = call_values(&e, arg / 65536, values, n);
  eager_destroy(&e);
  return session_message(error);
}

#define EAGER_CASE(name, op, rows) \
  { "E3/" name "-" #rows, (int64_t)(op)*65536 + (rows), NULL, run_call, check_call }
#define EAGER_CASES(rows)                                                                 \
  EAGER_CASE("softmax", OP_SOFTMAX, rows), EAGER_CASE("layer_norm", OP_LAYER_NORM, rows), \
      EAGER_CASE("gelu", OP_GELU, rows), EAGER_CASE("sum0", OP_SUM_ROWS, rows),           \
      EAGER_CASE("sum1", OP_SUM_COLUMNS, rows)
const bench_case eager_cases[] = {EAGER_CASES(512), EAGER_CASES(4096)};
const int eager_case_count = sizeof eager_cases / sizeof *eager_cases;
