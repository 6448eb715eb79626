/* T5: one training step of an LSTM, eager, with an optimizer plugin. */
#include "session.h"

enum { PER_LAYER = 3, PARAMS = PER_LAYER * BENCH_LSTM_LAYERS };

typedef struct lstm {
  tn_ctx* cx;
  tn_variable* params[PARAMS]; /* w, r, bias of each layer */
  tn_tensor *x, *target;
  tn_optimizer* optimizer;
} lstm;

static void lstm_destroy(lstm* m) {
  for (int i = 0; i < PARAMS; ++i) tn_variable_release(m->params[i]);
  tn_tensor_drop(m->cx, m->x);
  tn_tensor_drop(m->cx, m->target);
  tn_optimizer_release(m->optimizer);
}

static tn_error* lstm_create(lstm* m) {
  memset(m, 0, sizeof *m);
  TN_TRY(session_get(&m->cx));
  const int64_t width = BENCH_LSTM_WIDTH, rows = 4 * width;
  const int64_t matrix[] = {1, rows, width}, bias[] = {1, 2 * rows};
  for (int i = 0; i < PARAMS; ++i) {
    const int is_bias = i % PER_LAYER == 2;
    tn_tensor* value = NULL;
    char name[16];
    snprintf(name, sizeof name, "p%d", i);
    TN_TRY(session_filled(m->cx, is_bias ? 2 : 3, is_bias ? bias : matrix,
                          BENCH_LSTM_SEED + (uint64_t)i, bench_lstm_scale, &value));
    tn_error* error = tn_variable_create(m->cx, tn_string(name), value, 0, &m->params[i]);
    tn_tensor_drop(m->cx, value);
    TN_TRY(error);
  }
  const int64_t x[] = {BENCH_LSTM_STEPS, BENCH_LSTM_BATCH, width};
  const int64_t y[] = {BENCH_LSTM_STEPS, 1, BENCH_LSTM_BATCH, width};
  TN_TRY(session_filled(m->cx, 3, x, BENCH_LSTM_SEED + 20, 2, &m->x));
  TN_TRY(session_filled(m->cx, 4, y, BENCH_LSTM_SEED + 21, 1, &m->target));
  const tn_option rate = tn_option_f64("lr", bench_lstm_rate);
  return tn_optimizer_create(m->cx, tn_string("sgd"), &rate, 1, &m->optimizer);
}

/* y [T, 1, B, H] of a layer over x [T, B, H], which it consumes unless it is the batch. */
static tn_error* lstm_layer(lstm* m, int layer, tn_tensor* x, tn_tensor** out_y) {
  tn_tensor *p[PER_LAYER] = {NULL}, *h = NULL, *c = NULL;
  for (int i = 0; i < PER_LAYER; ++i)
    TN_TRY(tn_variable_take(m->cx, m->params[layer * PER_LAYER + i], &p[i]));
  TN_TRY(tn_lstm(m->cx, x, p[0], p[1], p[2], NULL, NULL, NULL, NULL, NULL, out_y, &h, &c));
  for (int i = 0; i < PER_LAYER; ++i) tn_tensor_drop(m->cx, p[i]);
  if (layer > 0) tn_tensor_drop(m->cx, x);
  tn_tensor_drop(m->cx, h);
  tn_tensor_drop(m->cx, c);
  return NULL;
}

/* The loss of the step goes to *out_loss unless that is NULL. */
static tn_error* lstm_step(lstm* m, tn_tensor** out_loss) {
  const int64_t dims[] = {BENCH_LSTM_STEPS, BENCH_LSTM_BATCH, BENCH_LSTM_WIDTH};
  tn_tensor *x = m->x, *y = NULL, *loss = NULL, *grads[PARAMS] = {NULL};
  for (int l = 0; l < BENCH_LSTM_LAYERS; ++l) {
    if (l > 0) {
      TN_TRY(tn_reshape(m->cx, y, 3, dims, &x));
      tn_tensor_drop(m->cx, y);
    }
    TN_TRY(lstm_layer(m, l, x, &y));
  }
  TN_TRY(tn_mse(m->cx, y, m->target, NULL, &loss));
  tn_tensor_drop(m->cx, y);
  TN_TRY(tn_grad(m->cx, loss, m->params, PARAMS, grads));
  TN_TRY(tn_optimizer_step(m->cx, m->optimizer, m->params, grads, PARAMS));
  for (int i = 0; i < PARAMS; ++i) tn_tensor_drop(m->cx, grads[i]);
  if (out_loss)
    *out_loss = loss;
  else
    tn_tensor_drop(m->cx, loss);
  return NULL;
}

static tn_error* time_steps(lstm* m, int64_t count, int64_t* out_ns) {
  for (int i = 0; i < 3; ++i) TN_TRY(lstm_step(m, NULL));
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) TN_TRY(lstm_step(m, NULL));
  TN_TRY(tn_ctx_synchronize(m->cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* step_values(lstm* m, double* values, int* n) {
  for (int i = 0; i < BENCH_LSTM_CHECK_STEPS; ++i) {
    tn_tensor* loss = NULL;
    TN_TRY(lstm_step(m, &loss));
    TN_TRY(tn_tensor_item_f64(m->cx, loss, &values[(*n)++]));
    tn_tensor_drop(m->cx, loss);
  }
  return session_push_sizes(m->cx, m->params, PARAMS, values, n);
}

/* Every timed run starts from the same weights. */
static const char* run_step(int64_t arg, int64_t count, int64_t* out_ns) {
  (void)arg;
  lstm m;
  tn_error* error = lstm_create(&m);
  if (!error) error = time_steps(&m, count, out_ns);
  lstm_destroy(&m);
  return session_message(error);
}

static const char* check_step(int64_t arg, double* values, int* n) {
  (void)arg;
  lstm m;
  tn_error* error = lstm_create(&m);
  if (!error) error = step_values(&m, values, n);
  lstm_destroy(&m);
  return session_message(error);
}

const bench_case recurrent_cases[] = {{"T5", 0, NULL, run_step, check_step}};
const int recurrent_case_count = sizeof recurrent_cases / sizeof *recurrent_cases;
