/* T1 and S5: one training step of an MLP, eager, with an optimizer plugin. */
#include "session.h"

enum { PARAMS = 2 * BENCH_MLP_LAYERS };

typedef enum update { UPDATE_SGD, UPDATE_ADAM } update;

typedef struct mlp {
  tn_ctx* cx;
  tn_variable* params[PARAMS]; /* weight, bias of each layer */
  tn_tensor* x[BENCH_MLP_BATCHES];
  tn_tensor* y[BENCH_MLP_BATCHES];
  tn_optimizer* optimizer;
  int next;
} mlp;

static void mlp_destroy(mlp* m) {
  for (int i = 0; i < PARAMS; ++i) tn_variable_release(m->params[i]);
  for (int i = 0; i < BENCH_MLP_BATCHES; ++i) {
    tn_tensor_drop(m->cx, m->x[i]);
    tn_tensor_drop(m->cx, m->y[i]);
  }
  tn_optimizer_release(m->optimizer);
}

static tn_error* mlp_add_param(mlp* m, int index, uint32_t rank, const int64_t* dims) {
  tn_tensor* value = NULL;
  char name[16];
  snprintf(name, sizeof name, "p%d", index);
  TN_TRY(
      session_filled(m->cx, rank, dims, 100 + (uint64_t)index, bench_mlp_scale(index / 2), &value));
  tn_error* error = tn_variable_create(m->cx, tn_string(name), value, 0, &m->params[index]);
  tn_tensor_drop(m->cx, value);
  return error;
}

static tn_error* mlp_create(mlp* m, update kind) {
  memset(m, 0, sizeof *m);
  TN_TRY(session_get(&m->cx));
  for (int l = 0; l < BENCH_MLP_LAYERS; ++l) {
    const int64_t w_dims[] = {bench_mlp_dims[l + 1], bench_mlp_dims[l]};
    TN_TRY(mlp_add_param(m, 2 * l, 2, w_dims));
    TN_TRY(mlp_add_param(m, 2 * l + 1, 1, &bench_mlp_dims[l + 1]));
  }
  const int64_t x_dims[] = {BENCH_MLP_BATCH, bench_mlp_dims[0]}, y_dims[] = {BENCH_MLP_BATCH};
  for (uint64_t i = 0; i < BENCH_MLP_BATCHES; ++i) {
    int64_t classes[BENCH_MLP_BATCH];
    bench_fill_classes(classes, BENCH_MLP_BATCH, 300 + i, BENCH_MLP_CLASSES);
    TN_TRY(session_filled(m->cx, 2, x_dims, 200 + i, 2, &m->x[i]));
    TN_TRY(tn_tensor_from_i64(m->cx, classes, 1, y_dims, &m->y[i]));
  }
  const int adam = kind == UPDATE_ADAM;
  const tn_option rate = tn_option_f64("lr", adam ? bench_mlp_adam_rate : bench_mlp_sgd_rate);
  return tn_optimizer_create(m->cx, tn_string(adam ? "adam" : "sgd"), &rate, 1, &m->optimizer);
}

/* h = x w^T + b, then relu except in the last layer. Consumes x unless it is the batch. */
static tn_error* mlp_layer(mlp* m, int layer, tn_tensor* x, tn_tensor** out_h) {
  tn_tensor *w = NULL, *b = NULL, *z = NULL, *h = NULL;
  TN_TRY(tn_variable_take(m->cx, m->params[2 * layer], &w));
  TN_TRY(tn_variable_take(m->cx, m->params[2 * layer + 1], &b));
  TN_TRY(tn_linear(m->cx, x, w, b, &z));
  tn_tensor_drop(m->cx, w);
  tn_tensor_drop(m->cx, b);
  if (layer > 0) tn_tensor_drop(m->cx, x);
  if (layer == BENCH_MLP_LAYERS - 1) {
    *out_h = z;
    return NULL;
  }
  TN_TRY(tn_relu(m->cx, z, &h));
  tn_tensor_drop(m->cx, z);
  *out_h = h;
  return NULL;
}

/* The loss of the step goes to *out_loss unless that is NULL. */
static tn_error* mlp_step(mlp* m, tn_tensor** out_loss) {
  tn_tensor *h = m->x[m->next], *loss = NULL, *grads[PARAMS] = {NULL};
  for (int l = 0; l < BENCH_MLP_LAYERS; ++l) TN_TRY(mlp_layer(m, l, h, &h));
  TN_TRY(tn_cross_entropy(m->cx, h, m->y[m->next], NULL, &loss));
  tn_tensor_drop(m->cx, h);
  m->next = (m->next + 1) % BENCH_MLP_BATCHES;
  TN_TRY(tn_grad(m->cx, loss, m->params, PARAMS, grads));
  TN_TRY(tn_optimizer_step(m->cx, m->optimizer, m->params, grads, PARAMS));
  for (int i = 0; i < PARAMS; ++i) tn_tensor_drop(m->cx, grads[i]);
  if (out_loss)
    *out_loss = loss;
  else
    tn_tensor_drop(m->cx, loss);
  return NULL;
}

static tn_error* time_steps(mlp* m, int64_t count, int64_t* out_ns) {
  for (int i = 0; i < 3; ++i) TN_TRY(mlp_step(m, NULL));
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) TN_TRY(mlp_step(m, NULL));
  TN_TRY(tn_ctx_synchronize(m->cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* step_values(mlp* m, double* values, int* n) {
  for (int i = 1; i <= BENCH_MLP_CHECK_STEPS; ++i) {
    tn_tensor* loss = NULL;
    TN_TRY(mlp_step(m, &loss));
    if (i % 5 == 1 || i == BENCH_MLP_CHECK_STEPS)
      TN_TRY(tn_tensor_item_f64(m->cx, loss, &values[(*n)++]));
    tn_tensor_drop(m->cx, loss);
  }
  double size = 0;
  for (int i = 0; i < PARAMS; ++i) {
    tn_tensor* value = NULL;
    double part[2];
    int k = 0;
    TN_TRY(tn_variable_take(m->cx, m->params[i], &value));
    TN_TRY(session_push_sums(m->cx, value, part, &k));
    tn_tensor_drop(m->cx, value);
    size += part[1];
  }
  values[(*n)++] = size;
  return NULL;
}

/* Every timed run starts from the same weights, so that a round never trains on what another
 * left. */
static const char* run_step(int64_t kind, int64_t count, int64_t* out_ns) {
  mlp m;
  tn_error* error = mlp_create(&m, (update)kind);
  if (!error) error = time_steps(&m, count, out_ns);
  mlp_destroy(&m);
  return session_message(error);
}

static const char* check_step(int64_t kind, double* values, int* n) {
  mlp m;
  tn_error* error = mlp_create(&m, (update)kind);
  if (!error) error = step_values(&m, values, n);
  mlp_destroy(&m);
  return session_message(error);
}

/* S5's idle state: the library is up and has run its first op. */
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

static const char* prepare_idle(int64_t arg) {
  (void)arg;
  return session_message(first_op());
}

const bench_case training_cases[] = {
    {"T1/sgd", UPDATE_SGD, NULL, run_step, check_step},
    {"T1/adam", UPDATE_ADAM, NULL, run_step, check_step},
    {"S5", UPDATE_ADAM, prepare_idle, run_step, check_step},
};
const int training_case_count = sizeof training_cases / sizeof *training_cases;
