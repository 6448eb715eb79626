/* T3: one training step of ResNet-18: convolutions and batch norms, SGD. */
#include "trainer.h"

typedef struct resnet_kind {
  int64_t batch, side;
  int64_t stem; /* kernel of the first convolution; of 7: with stride 2, and maxima after it */
} resnet_kind;
static const resnet_kind small = {BENCH_RESNET_BATCH, BENCH_RESNET_SIDE, 3};
static const resnet_kind large = {BENCH_RESNET_LARGE_BATCH, BENCH_RESNET_LARGE_SIDE, 7};

/* The parameters lie in the first slots; `next` is the first one that is not used yet. The results
 * below are slots too: lent. */
typedef struct resnet {
  trainer* t;
  uint32_t next;
} resnet;

/* norm(conv(x)), padded by half the kernel. */
static tn_error* conv_norm(resnet* r, int64_t kernel, int64_t stride, tn_tensor* x,
                           tn_tensor** out_y) {
  trainer* t = r->t;
  const int64_t padding[] = {kernel / 2, kernel / 2}, strides[] = {stride, stride};
  tn_conv2d_options options = tn_conv2d_options_init();
  tn_tensor *const *p = &t->slots[r->next], **z = trainer_slot(t), **y = trainer_slot(t);
  tn_tensor **mean = trainer_slot(t), **variance = trainer_slot(t);
  options.padding = padding;
  options.n_padding = 2;
  options.stride = strides;
  options.n_stride = 2;
  r->next += 3;
  TN_TRY(tn_conv2d(t->cx, x, p[0], NULL, &options, z));
  TN_TRY(tn_batch_norm_train(t->cx, *z, p[1], p[2], NULL, y, mean, variance));
  *out_y = *y;
  return NULL;
}

static tn_error* relu(resnet* r, tn_tensor* x, tn_tensor** out_y) {
  tn_tensor** y = trainer_slot(r->t);
  TN_TRY(tn_relu(r->t->cx, x, y));
  *out_y = *y;
  return NULL;
}

/* The first convolution and what belongs to it. */
static tn_error* stem(resnet* r, int64_t kernel, tn_tensor* x, tn_tensor** out_y) {
  static const int64_t window[] = {3, 3}, stride[] = {2, 2}, padding[] = {1, 1};
  tn_max_pool2d_options options = tn_max_pool2d_options_init();
  tn_tensor** y = NULL;
  TN_TRY(conv_norm(r, kernel, kernel == 7 ? 2 : 1, x, &x));
  TN_TRY(relu(r, x, out_y));
  if (kernel != 7) return NULL;
  options.stride = stride;
  options.n_stride = 2;
  options.padding = padding;
  options.n_padding = 2;
  y = trainer_slot(r->t);
  TN_TRY(tn_max_pool2d(r->t->cx, *out_y, 2, window, &options, y));
  *out_y = *y;
  return NULL;
}

static tn_error* block(resnet* r, int64_t stride, tn_tensor* x, tn_tensor** out_y) {
  tn_tensor *h = NULL, **sum = NULL;
  TN_TRY(conv_norm(r, 3, stride, x, &h));
  TN_TRY(relu(r, h, &h));
  TN_TRY(conv_norm(r, 3, 1, h, &h));
  if (stride > 1) TN_TRY(conv_norm(r, 1, stride, x, &x));
  sum = trainer_slot(r->t);
  TN_TRY(tn_add(r->t->cx, h, x, sum));
  return relu(r, *sum, out_y);
}

static int64_t stride_of(int stage, int index) { return stage > 0 && index == 0 ? 2 : 1; }

static tn_error* loss_of(const resnet_kind* kind, trainer* t, tn_tensor* x, tn_tensor* y,
                         tn_tensor** out_loss) {
  static const int64_t axes[] = {2, 3};
  resnet r = {t, 0};
  tn_mean_options options = tn_mean_options_init();
  options.axes = axes;
  options.n_axes = 2;
  TN_TRY(trainer_take_params(t));
  TN_TRY(stem(&r, kind->stem, x, &x));
  for (int stage = 0; stage < BENCH_RESNET_STAGES; ++stage)
    for (int i = 0; i < BENCH_RESNET_BLOCKS; ++i) TN_TRY(block(&r, stride_of(stage, i), x, &x));
  tn_tensor **rows = trainer_slot(t), **logits = trainer_slot(t);
  TN_TRY(tn_mean(t->cx, x, &options, rows));
  TN_TRY(tn_linear(t->cx, *rows, t->slots[r.next], t->slots[r.next + 1], logits));
  return tn_cross_entropy(t->cx, *logits, y, NULL, NULL, out_loss);
}

static tn_error* small_loss(trainer* t, tn_tensor* x, tn_tensor* y, tn_tensor** out_loss) {
  return loss_of(&small, t, x, y, out_loss);
}
static tn_error* large_loss(trainer* t, tn_tensor* x, tn_tensor* y, tn_tensor** out_loss) {
  return loss_of(&large, t, x, y, out_loss);
}

static tn_error* add_conv(trainer* t, int64_t in, int64_t out, int64_t kernel) {
  const int64_t dims[] = {out, in, kernel, kernel};
  TN_TRY(trainer_add_param(t, 4, dims, BENCH_RESNET_SEED + t->n_params, bench_resnet_scale));
  TN_TRY(trainer_add_constant(t, out, 1));
  return trainer_add_constant(t, out, 0);
}

static tn_error* add_batch(const resnet_kind* kind, trainer* t) {
  const int64_t dims[] = {kind->batch, 3, kind->side, kind->side};
  const uint64_t seed = BENCH_RESNET_SEED + 100 + t->n_batches;
  int64_t classes[BENCH_RESNET_BATCH];
  tn_tensor *x = NULL, *y = NULL;
  bench_fill_classes(classes, kind->batch, seed + 100, BENCH_RESNET_CLASSES);
  TN_TRY(session_filled(t->cx, 4, dims, seed, 2, &x));
  TN_TRY(tn_tensor_from_i64(t->cx, classes, 1, dims, &y));
  trainer_add_batch(t, x, y);
  return NULL;
}

static tn_error* setup(const resnet_kind* kind, trainer* t) {
  int64_t in = BENCH_RESNET_WIDTH;
  TN_TRY(add_conv(t, 3, in, kind->stem));
  for (int stage = 0; stage < BENCH_RESNET_STAGES; ++stage)
    for (int i = 0; i < BENCH_RESNET_BLOCKS; ++i) {
      const int64_t out = (int64_t)BENCH_RESNET_WIDTH << stage;
      TN_TRY(add_conv(t, in, out, 3));
      TN_TRY(add_conv(t, out, out, 3));
      if (in != out) TN_TRY(add_conv(t, in, out, 1));
      in = out;
    }
  const int64_t dims[] = {BENCH_RESNET_CLASSES, in};
  TN_TRY(trainer_add_param(t, 2, dims, BENCH_RESNET_SEED + t->n_params, bench_resnet_scale));
  TN_TRY(trainer_add_constant(t, BENCH_RESNET_CLASSES, 0));
  for (int i = 0; i < BENCH_RESNET_BATCHES; ++i) TN_TRY(add_batch(kind, t));
  const tn_option rate = tn_option_f64("lr", bench_resnet_rate);
  return tn_optimizer_create(t->cx, tn_string("sgd"), &rate, 1, &t->optimizer);
}

static tn_error* small_setup(trainer* t) {
  t->forward = small_loss;
  return setup(&small, t);
}
static tn_error* large_setup(trainer* t) {
  t->forward = large_loss;
  return setup(&large, t);
}

/* Filling 11 million parameters would cost as much as a step. */
static trainer kept[3];
static const trainer_plan plans[] = {
    {small_setup, 0, BENCH_RESNET_CHECK_STEPS, 1, &kept[0]},
    {small_setup, 1, BENCH_RESNET_CHECK_STEPS, 1, &kept[1]},
    {large_setup, 0, BENCH_RESNET_CHECK_STEPS, 1, &kept[2]},
};

static const char* run_step(int64_t plan, int64_t count, int64_t* out_ns) {
  return trainer_run(&plans[plan], count, out_ns);
}

static const char* check_step(int64_t plan, double* values, int* n) {
  return trainer_check(&plans[plan], values, n);
}

const bench_case resnet_cases[] = {{"T3", 0, NULL, run_step, check_step},
                                   {"T3/eager", 1, NULL, run_step, check_step},
                                   {"T3/224", 2, NULL, run_step, check_step},
                                   {"S6/resnet", 0, session_idle, run_step, check_step}};
const int resnet_case_count = sizeof resnet_cases / sizeof *resnet_cases;
