/* T5: one training step of an LSTM. */
#include "trainer.h"

enum { PER_LAYER = 3 }; /* w, r, bias */

/* y [T, 1, B, H] of a layer over x [T, B, H], which is consumed. */
static tn_error* lstm_layer(trainer* t, int layer, tn_tensor* x, tn_tensor** out_y) {
  tn_tensor *p[PER_LAYER] = {NULL}, *h = NULL, *c = NULL;
  for (int i = 0; i < PER_LAYER; ++i)
    TN_TRY(tn_variable_take(t->cx, t->params[layer * PER_LAYER + i], &p[i]));
  TN_TRY(tn_lstm(t->cx, x, p[0], p[1], p[2], NULL, NULL, NULL, NULL, NULL, out_y, &h, &c));
  for (int i = 0; i < PER_LAYER; ++i) tn_tensor_drop(t->cx, p[i]);
  tn_tensor_drop(t->cx, x);
  tn_tensor_drop(t->cx, h);
  tn_tensor_drop(t->cx, c);
  return NULL;
}

static tn_error* lstm_loss(trainer* t, tn_tensor* x, tn_tensor* target, tn_tensor** out_loss) {
  const int64_t dims[] = {BENCH_LSTM_STEPS, BENCH_LSTM_BATCH, BENCH_LSTM_WIDTH};
  tn_tensor *h = tn_tensor_retain(x), *y = NULL;
  for (int l = 0; l < BENCH_LSTM_LAYERS; ++l) {
    if (l > 0) {
      TN_TRY(tn_reshape(t->cx, y, 3, dims, &h));
      tn_tensor_drop(t->cx, y);
    }
    TN_TRY(lstm_layer(t, l, h, &y));
  }
  tn_error* error = tn_mse(t->cx, y, target, NULL, out_loss);
  tn_tensor_drop(t->cx, y);
  return error;
}

static tn_error* lstm_setup(trainer* t) {
  const int64_t width = BENCH_LSTM_WIDTH, rows = 4 * width;
  const int64_t matrix[] = {1, rows, width}, bias[] = {1, 2 * rows};
  t->forward = lstm_loss;
  for (int i = 0; i < PER_LAYER * BENCH_LSTM_LAYERS; ++i) {
    const int is_bias = i % PER_LAYER == 2;
    TN_TRY(trainer_add_param(t, is_bias ? 2 : 3, is_bias ? bias : matrix,
                             BENCH_LSTM_SEED + (uint64_t)i, bench_lstm_scale));
  }
  const int64_t x_dims[] = {BENCH_LSTM_STEPS, BENCH_LSTM_BATCH, width};
  const int64_t y_dims[] = {BENCH_LSTM_STEPS, 1, BENCH_LSTM_BATCH, width};
  tn_tensor *x = NULL, *y = NULL;
  TN_TRY(session_filled(t->cx, 3, x_dims, BENCH_LSTM_SEED + 20, 2, &x));
  TN_TRY(session_filled(t->cx, 4, y_dims, BENCH_LSTM_SEED + 21, 1, &y));
  trainer_add_batch(t, x, y);
  const tn_option rate = tn_option_f64("lr", bench_lstm_rate);
  return tn_optimizer_create(t->cx, tn_string("sgd"), &rate, 1, &t->optimizer);
}

static const char* run_step(int64_t eager, int64_t count, int64_t* out_ns) {
  const trainer_plan plan = {lstm_setup, (int)eager, BENCH_LSTM_CHECK_STEPS, 1, NULL};
  return trainer_run(&plan, count, out_ns);
}

static const char* check_step(int64_t eager, double* values, int* n) {
  const trainer_plan plan = {lstm_setup, (int)eager, BENCH_LSTM_CHECK_STEPS, 1, NULL};
  return trainer_check(&plan, values, n);
}

const bench_case recurrent_cases[] = {{"T5", 0, NULL, run_step, check_step},
                                      {"T5/eager", 1, NULL, run_step, check_step}};
const int recurrent_case_count = sizeof recurrent_cases / sizeof *recurrent_cases;
