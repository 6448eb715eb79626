/* T1, T2 and S5: one training step of an MLP or of LeNet-5, eager, with an optimizer plugin. */
#include "session.h"

enum { MOST_PARAMS = BENCH_LENET_PARAMS };

typedef enum training { MLP_SGD, MLP_ADAM, LENET_SGD } training;

typedef struct net {
  tn_ctx* cx;
  tn_variable* params[MOST_PARAMS]; /* weight, bias of each layer */
  uint32_t n_params;
  /* The last layer's result. x is the batch. */
  tn_error* (*forward)(struct net*, tn_tensor* x, tn_tensor** out_h);
  tn_tensor* x[BENCH_MLP_BATCHES];
  tn_tensor* y[BENCH_MLP_BATCHES];
  tn_optimizer* optimizer;
  int next;
} net;

static void net_destroy(net* m) {
  for (uint32_t i = 0; i < m->n_params; ++i) tn_variable_release(m->params[i]);
  for (int i = 0; i < BENCH_MLP_BATCHES; ++i) {
    tn_tensor_drop(m->cx, m->x[i]);
    tn_tensor_drop(m->cx, m->y[i]);
  }
  tn_optimizer_release(m->optimizer);
}

static tn_error* net_add_param(net* m, uint32_t rank, const int64_t* dims, float scale) {
  tn_tensor* value = NULL;
  char name[16];
  snprintf(name, sizeof name, "p%u", (unsigned)m->n_params);
  TN_TRY(session_filled(m->cx, rank, dims, 100 + m->n_params, scale, &value));
  tn_error* error = tn_variable_create(m->cx, tn_string(name), value, 0, &m->params[m->n_params]);
  tn_tensor_drop(m->cx, value);
  if (!error) ++m->n_params;
  return error;
}

/* Consumes x unless it is the batch. */
static void drop_unless_batch(net* m, tn_tensor* x) {
  for (int i = 0; i < BENCH_MLP_BATCHES; ++i)
    if (x == m->x[i]) return;
  tn_tensor_drop(m->cx, x);
}

/* h = relu(x), which is consumed. */
static tn_error* take_relu(net* m, tn_tensor* x, tn_tensor** out_h) {
  tn_error* error = tn_relu(m->cx, x, out_h);
  tn_tensor_drop(m->cx, x);
  return error;
}

/* h = x w^T + b, with params[first] and the one after it, then relu unless `last`. */
static tn_error* dense_layer(net* m, int first, int last, tn_tensor* x, tn_tensor** out_h) {
  tn_tensor *w = NULL, *b = NULL, *z = NULL;
  TN_TRY(tn_variable_take(m->cx, m->params[first], &w));
  TN_TRY(tn_variable_take(m->cx, m->params[first + 1], &b));
  TN_TRY(tn_linear(m->cx, x, w, b, &z));
  tn_tensor_drop(m->cx, w);
  tn_tensor_drop(m->cx, b);
  drop_unless_batch(m, x);
  if (!last) return take_relu(m, z, out_h);
  *out_h = z;
  return NULL;
}

static tn_error* mlp_forward(net* m, tn_tensor* x, tn_tensor** out_h) {
  for (int l = 0; l < BENCH_MLP_LAYERS; ++l)
    TN_TRY(dense_layer(m, 2 * l, l == BENCH_MLP_LAYERS - 1, x, &x));
  *out_h = x;
  return NULL;
}

/* h = the maxima over 2 x 2 of relu(conv(x)). */
static tn_error* conv_layer(net* m, int first, int64_t padding, tn_tensor* x, tn_tensor** out_h) {
  tn_tensor *w = NULL, *b = NULL, *z = NULL;
  const int64_t both[] = {padding, padding}, window[] = {2, 2};
  tn_conv2d_options options = tn_conv2d_options_init();
  options.padding = both;
  options.n_padding = 2;
  TN_TRY(tn_variable_take(m->cx, m->params[first], &w));
  TN_TRY(tn_variable_take(m->cx, m->params[first + 1], &b));
  TN_TRY(tn_conv2d(m->cx, x, w, b, &options, &z));
  tn_tensor_drop(m->cx, w);
  tn_tensor_drop(m->cx, b);
  drop_unless_batch(m, x);
  TN_TRY(take_relu(m, z, &z));
  tn_error* error = tn_max_pool2d(m->cx, z, 2, window, NULL, out_h);
  tn_tensor_drop(m->cx, z);
  return error;
}

static tn_error* lenet_forward(net* m, tn_tensor* x, tn_tensor** out_h) {
  const int64_t flat[] = {BENCH_MLP_BATCH, bench_lenet_params[4].dims[1]};
  tn_tensor* h = NULL;
  TN_TRY(conv_layer(m, 0, 2, x, &x));
  TN_TRY(conv_layer(m, 2, 0, x, &x));
  TN_TRY(tn_reshape(m->cx, x, 2, flat, &h));
  tn_tensor_drop(m->cx, x);
  for (int first = 4; first < BENCH_LENET_PARAMS; first += 2)
    TN_TRY(dense_layer(m, first, first == BENCH_LENET_PARAMS - 2, h, &h));
  *out_h = h;
  return NULL;
}

static tn_error* net_create(net* m, training kind) {
  memset(m, 0, sizeof *m);
  TN_TRY(session_get(&m->cx));
  const int lenet = kind == LENET_SGD, adam = kind == MLP_ADAM;
  m->forward = lenet ? lenet_forward : mlp_forward;
  for (int i = 0; lenet && i < BENCH_LENET_PARAMS; ++i) {
    const bench_param* p = &bench_lenet_params[i];
    TN_TRY(net_add_param(m, (uint32_t)p->rank, p->dims, p->scale));
  }
  for (int l = 0; !lenet && l < BENCH_MLP_LAYERS; ++l) {
    const int64_t w_dims[] = {bench_mlp_dims[l + 1], bench_mlp_dims[l]};
    TN_TRY(net_add_param(m, 2, w_dims, bench_mlp_scale(l)));
    TN_TRY(net_add_param(m, 1, w_dims, bench_mlp_scale(l)));
  }
  const int64_t row_dims[] = {BENCH_MLP_BATCH, bench_mlp_dims[0]}, y_dims[] = {BENCH_MLP_BATCH};
  const int64_t image_dims[] = {BENCH_MLP_BATCH, 1, BENCH_LENET_SIDE, BENCH_LENET_SIDE};
  for (uint64_t i = 0; i < BENCH_MLP_BATCHES; ++i) {
    int64_t classes[BENCH_MLP_BATCH];
    bench_fill_classes(classes, BENCH_MLP_BATCH, 300 + i, BENCH_MLP_CLASSES);
    TN_TRY(
        session_filled(m->cx, lenet ? 4 : 2, lenet ? image_dims : row_dims, 200 + i, 2, &m->x[i]));
    TN_TRY(tn_tensor_from_i64(m->cx, classes, 1, y_dims, &m->y[i]));
  }
  const tn_option rate = tn_option_f64("lr", adam ? bench_mlp_adam_rate : bench_mlp_sgd_rate);
  return tn_optimizer_create(m->cx, tn_string(adam ? "adam" : "sgd"), &rate, 1, &m->optimizer);
}

/* The loss of the step goes to *out_loss unless that is NULL. */
static tn_error* net_step(net* m, tn_tensor** out_loss) {
  tn_tensor *h = NULL, *loss = NULL, *grads[MOST_PARAMS] = {NULL};
  TN_TRY(m->forward(m, m->x[m->next], &h));
  TN_TRY(tn_cross_entropy(m->cx, h, m->y[m->next], NULL, NULL, &loss));
  tn_tensor_drop(m->cx, h);
  m->next = (m->next + 1) % BENCH_MLP_BATCHES;
  TN_TRY(tn_grad(m->cx, loss, m->params, m->n_params, grads));
  TN_TRY(tn_optimizer_step(m->cx, m->optimizer, m->params, grads, m->n_params));
  for (uint32_t i = 0; i < m->n_params; ++i) tn_tensor_drop(m->cx, grads[i]);
  if (out_loss)
    *out_loss = loss;
  else
    tn_tensor_drop(m->cx, loss);
  return NULL;
}

static tn_error* time_steps(net* m, int64_t count, int64_t* out_ns) {
  for (int i = 0; i < 3; ++i) TN_TRY(net_step(m, NULL));
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) TN_TRY(net_step(m, NULL));
  TN_TRY(tn_ctx_synchronize(m->cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* step_values(net* m, double* values, int* n) {
  for (int i = 1; i <= BENCH_MLP_CHECK_STEPS; ++i) {
    tn_tensor* loss = NULL;
    TN_TRY(net_step(m, &loss));
    if (i % 5 == 1 || i == BENCH_MLP_CHECK_STEPS)
      TN_TRY(tn_tensor_item_f64(m->cx, loss, &values[(*n)++]));
    tn_tensor_drop(m->cx, loss);
  }
  return session_push_sizes(m->cx, m->params, (int)m->n_params, values, n);
}

/* Every timed run starts from the same weights, so that a round never trains on what another
 * left. */
static const char* run_step(int64_t kind, int64_t count, int64_t* out_ns) {
  net m;
  tn_error* error = net_create(&m, (training)kind);
  if (!error) error = time_steps(&m, count, out_ns);
  net_destroy(&m);
  return session_message(error);
}

static const char* check_step(int64_t kind, double* values, int* n) {
  net m;
  tn_error* error = net_create(&m, (training)kind);
  if (!error) error = step_values(&m, values, n);
  net_destroy(&m);
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
    {"T1/sgd", MLP_SGD, NULL, run_step, check_step},
    {"T1/adam", MLP_ADAM, NULL, run_step, check_step},
    {"T2", LENET_SGD, NULL, run_step, check_step},
    {"S5", MLP_ADAM, prepare_idle, run_step, check_step},
};
const int training_case_count = sizeof training_cases / sizeof *training_cases;
