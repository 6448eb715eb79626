/* O1: one AdamW step over ten million parameters. arg = number of tensors. */
#include "session.h"

enum { MOST_TENSORS = 160 };

typedef struct adamw {
  tn_ctx* cx;
  tn_variable* params[MOST_TENSORS];
  tn_tensor* grads[MOST_TENSORS];
  uint32_t n;
  tn_optimizer* optimizer;
} adamw;

static void adamw_destroy(adamw* a) {
  for (uint32_t i = 0; i < a->n; ++i) {
    tn_variable_release(a->params[i]);
    tn_tensor_drop(a->cx, a->grads[i]);
  }
  tn_optimizer_release(a->optimizer);
  memset(a, 0, sizeof *a);
}

static tn_error* adamw_create(adamw* a, int64_t tensors) {
  const int64_t dims[] = {BENCH_ADAMW_PARAMS / tensors};
  memset(a, 0, sizeof *a);
  TN_TRY(session_get(&a->cx));
  a->n = (uint32_t)tensors;
  for (uint32_t i = 0; i < a->n; ++i) {
    tn_tensor* value = NULL;
    char name[16];
    snprintf(name, sizeof name, "p%u", (unsigned)i);
    TN_TRY(session_filled(a->cx, 1, dims, 1000 + i, 1, &value));
    tn_error* error = tn_variable_create(a->cx, tn_string(name), value, 0, &a->params[i]);
    tn_tensor_drop(a->cx, value);
    if (error) return error;
    TN_TRY(session_filled(a->cx, 1, dims, 2000 + i, 0.1f, &a->grads[i]));
  }
  const tn_option options[] = {tn_option_f64("lr", 1e-3), tn_option_f64("weight_decay", 1e-2)};
  return tn_optimizer_create(a->cx, tn_string("adamw"), options, 2, &a->optimizer);
}

static tn_error* adamw_step(adamw* a) {
  return tn_optimizer_step(a->cx, a->optimizer, a->params, a->grads, a->n);
}

/* Kept between runs: filling 160 MB would cost more than the steps. */
static adamw kept;

static tn_error* time_steps(int64_t tensors, int64_t count, int64_t* out_ns) {
  if (kept.n != (uint32_t)tensors) {
    adamw_destroy(&kept);
    TN_TRY(adamw_create(&kept, tensors));
  }
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) TN_TRY(adamw_step(&kept));
  TN_TRY(tn_ctx_synchronize(kept.cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* step_values(adamw* a, double* values, int* n) {
  double sum = 0, size = 0;
  for (int i = 0; i < BENCH_ADAMW_CHECK_STEPS; ++i) TN_TRY(adamw_step(a));
  for (uint32_t i = 0; i < a->n; ++i) {
    tn_tensor* value = NULL;
    double part[2];
    int k = 0;
    TN_TRY(tn_variable_take(a->cx, a->params[i], &value));
    TN_TRY(session_push_sums(a->cx, value, part, &k));
    tn_tensor_drop(a->cx, value);
    sum += part[0];
    size += part[1];
  }
  values[(*n)++] = sum;
  values[(*n)++] = size;
  return NULL;
}

static const char* run_step(int64_t tensors, int64_t count, int64_t* out_ns) {
  return session_message(time_steps(tensors, count, out_ns));
}

static const char* check_step(int64_t tensors, double* values, int* n) {
  adamw a;
  tn_error* error = adamw_create(&a, tensors);
  if (!error) error = step_values(&a, values, n);
  adamw_destroy(&a);
  return session_message(error);
}

const bench_case optimizer_cases[] = {
    {"O1/1", 1, NULL, run_step, check_step},
    {"O1/160", 160, NULL, run_step, check_step},
};
const int optimizer_case_count = sizeof optimizer_cases / sizeof *optimizer_cases;
