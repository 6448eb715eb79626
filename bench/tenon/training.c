/* T1, T2 and S5: one training step of an MLP or of LeNet-5. */
#include "trainer.h"

/* h = relu(x), which is consumed. */
static tn_error* take_relu(trainer* t, tn_tensor* x, tn_tensor** out_h) {
  tn_error* error = tn_relu(t->cx, x, out_h);
  tn_tensor_drop(t->cx, x);
  return error;
}

/* h = x w^T + b, with params[first] and the one after it, then relu unless `last`. Consumes x. */
static tn_error* dense_layer(trainer* t, int first, int last, tn_tensor* x, tn_tensor** out_h) {
  tn_tensor *w = NULL, *b = NULL, *z = NULL;
  TN_TRY(tn_variable_take(t->cx, t->params[first], &w));
  TN_TRY(tn_variable_take(t->cx, t->params[first + 1], &b));
  TN_TRY(tn_linear(t->cx, x, w, b, &z));
  tn_tensor_drop(t->cx, w);
  tn_tensor_drop(t->cx, b);
  tn_tensor_drop(t->cx, x);
  if (!last) return take_relu(t, z, out_h);
  *out_h = z;
  return NULL;
}

/* The loss of logits h, which are consumed. */
static tn_error* take_loss(trainer* t, tn_tensor* h, tn_tensor* y, tn_tensor** out_loss) {
  tn_error* error = tn_cross_entropy(t->cx, h, y, NULL, NULL, out_loss);
  tn_tensor_drop(t->cx, h);
  return error;
}

static tn_error* mlp_loss(trainer* t, tn_tensor* x, tn_tensor* y, tn_tensor** out_loss) {
  tn_tensor* h = tn_tensor_retain(x);
  for (int l = 0; l < BENCH_MLP_LAYERS; ++l)
    TN_TRY(dense_layer(t, 2 * l, l == BENCH_MLP_LAYERS - 1, h, &h));
  return take_loss(t, h, y, out_loss);
}

/* h = the maxima over 2 x 2 of relu(conv(x)). Consumes x. */
static tn_error* conv_layer(trainer* t, int first, int64_t padding, tn_tensor* x,
                            tn_tensor** out_h) {
  tn_tensor *w = NULL, *b = NULL, *z = NULL;
  const int64_t both[] = {padding, padding}, window[] = {2, 2};
  tn_conv2d_options options = tn_conv2d_options_init();
  options.padding = both;
  options.n_padding = 2;
  TN_TRY(tn_variable_take(t->cx, t->params[first], &w));
  TN_TRY(tn_variable_take(t->cx, t->params[first + 1], &b));
  TN_TRY(tn_conv2d(t->cx, x, w, b, &options, &z));
  tn_tensor_drop(t->cx, w);
  tn_tensor_drop(t->cx, b);
  tn_tensor_drop(t->cx, x);
  TN_TRY(take_relu(t, z, &z));
  tn_error* error = tn_max_pool2d(t->cx, z, 2, window, NULL, out_h);
  tn_tensor_drop(t->cx, z);
  return error;
}

static tn_error* lenet_loss(trainer* t, tn_tensor* x, tn_tensor* y, tn_tensor** out_loss) {
  const int64_t flat[] = {BENCH_MLP_BATCH, bench_lenet_params[4].dims[1]};
  tn_tensor *h = tn_tensor_retain(x), *rows = NULL;
  TN_TRY(conv_layer(t, 0, 2, h, &h));
  TN_TRY(conv_layer(t, 2, 0, h, &h));
  TN_TRY(tn_reshape(t->cx, h, 2, flat, &rows));
  tn_tensor_drop(t->cx, h);
  for (int first = 4; first < BENCH_LENET_PARAMS; first += 2)
    TN_TRY(dense_layer(t, first, first == BENCH_LENET_PARAMS - 2, rows, &rows));
  return take_loss(t, rows, y, out_loss);
}

static tn_error* add_batches(trainer* t, uint32_t rank, const int64_t* dims) {
  for (uint64_t i = 0; i < BENCH_MLP_BATCHES; ++i) {
    int64_t classes[BENCH_MLP_BATCH];
    tn_tensor *x = NULL, *y = NULL;
    bench_fill_classes(classes, BENCH_MLP_BATCH, 300 + i, BENCH_MLP_CLASSES);
    TN_TRY(session_filled(t->cx, rank, dims, 200 + i, 2, &x));
    TN_TRY(tn_tensor_from_i64(t->cx, classes, 1, dims, &y));
    trainer_add_batch(t, x, y);
  }
  return NULL;
}

static tn_error* add_optimizer(trainer* t, const char* name, double lr) {
  const tn_option rate = tn_option_f64("lr", lr);
  return tn_optimizer_create(t->cx, tn_string(name), &rate, 1, &t->optimizer);
}

static tn_error* mlp_setup(trainer* t) {
  const int64_t dims[] = {BENCH_MLP_BATCH, bench_mlp_dims[0]};
  t->forward = mlp_loss;
  for (int l = 0; l < BENCH_MLP_LAYERS; ++l) {
    const int64_t w_dims[] = {bench_mlp_dims[l + 1], bench_mlp_dims[l]};
    const float scale = bench_mlp_scale(l);
    TN_TRY(trainer_add_param(t, 2, w_dims, 100 + t->n_params, scale));
    TN_TRY(trainer_add_param(t, 1, w_dims, 100 + t->n_params, scale));
  }
  return add_batches(t, 2, dims);
}

static tn_error* mlp_sgd(trainer* t) {
  TN_TRY(mlp_setup(t));
  return add_optimizer(t, "sgd", bench_mlp_sgd_rate);
}

static tn_error* mlp_adam(trainer* t) {
  TN_TRY(mlp_setup(t));
  return add_optimizer(t, "adam", bench_mlp_adam_rate);
}

static tn_error* lenet_sgd(trainer* t) {
  const int64_t dims[] = {BENCH_MLP_BATCH, 1, BENCH_LENET_SIDE, BENCH_LENET_SIDE};
  t->forward = lenet_loss;
  for (int i = 0; i < BENCH_LENET_PARAMS; ++i) {
    const bench_param* p = &bench_lenet_params[i];
    TN_TRY(trainer_add_param(t, (uint32_t)p->rank, p->dims, 100 + t->n_params, p->scale));
  }
  TN_TRY(add_batches(t, 4, dims));
  return add_optimizer(t, "sgd", bench_mlp_sgd_rate);
}

typedef enum training { MLP_SGD, MLP_ADAM, LENET_SGD, EAGER } training; /* + EAGER: not captured */

#define PLAN(setup, eager) \
  { setup, eager, BENCH_MLP_CHECK_STEPS, 5, NULL }
static const trainer_plan plans[] = {
    PLAN(mlp_sgd, 0), PLAN(mlp_adam, 0), PLAN(lenet_sgd, 0),
    PLAN(mlp_sgd, 1), PLAN(mlp_adam, 1), PLAN(lenet_sgd, 1),
};

static const char* run_step(int64_t plan, int64_t count, int64_t* out_ns) {
  return trainer_run(&plans[plan], count, out_ns);
}

static const char* check_step(int64_t plan, double* values, int* n) {
  return trainer_check(&plans[plan], values, n);
}

const bench_case training_cases[] = {
    {"T1/sgd", MLP_SGD, NULL, run_step, check_step},
    {"T1/sgd/eager", MLP_SGD + EAGER, NULL, run_step, check_step},
    {"T1/adam", MLP_ADAM, NULL, run_step, check_step},
    {"T1/adam/eager", MLP_ADAM + EAGER, NULL, run_step, check_step},
    {"T2", LENET_SGD, NULL, run_step, check_step},
    {"T2/eager", LENET_SGD + EAGER, NULL, run_step, check_step},
    {"S5", MLP_ADAM + EAGER, session_idle, run_step, check_step},
};
const int training_case_count = sizeof training_cases / sizeof *training_cases;
