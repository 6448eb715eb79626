/* Trains a small network on the 8x8 digits and saves it to model.safetensors in the current folder. SGD with momentum, a
 * learning rate that falls along a cosine, and noise on the images, so that the network does not learn them by heart. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "digits.h"

typedef struct Training {
  Options options;
  tn_runtime* rt;
  tn_ctx* ctx;
  Digits train, test;
  tn_tensor *images, *labels; /* all of train, on the device */
  tn_variable* vars[kParams];
  tn_optimizer* optimizer;
  tn_schedule* schedule;
  tn_program* step; /* rows of train to the mean loss */
  int64_t *order, *classes;
  double* curve; /* loss of each epoch */
  double accuracy, start;
} Training;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- progress --------------------------------------------------------------------------------- */

/* Of the terminal; 80 where it does not say. */
static int columns(void) {
  struct winsize size;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* In a terminal one line that is drawn again and again, elsewhere a line at the end of each epoch. */
static void show(const Training* t, int64_t epoch, int64_t done, double loss) {
  static double last_drawn = 0;
  const int64_t count = t->train.count;
  const int whole = done == count;
  const double spent = now() - t->start;
  if (!isatty(STDOUT_FILENO)) {
    if (whole)
      printf("epoch %2lld/%lld   loss %.6f   accuracy %.3f   %.1f s\n", (long long)epoch + 1,
             (long long)t->options.epochs, loss, t->accuracy, spent);
    return;
  }
  if (!whole && spent - last_drawn < 0.03) return;
  last_drawn = spent;
  const double part = (double)(epoch * count + done) / (double)(t->options.epochs * count);
  char head[48], tail[80] = "", bar[15] = "";
  snprintf(head, sizeof head, "epoch %2lld/%lld", (long long)epoch + 1,
           (long long)t->options.epochs);
  int size = snprintf(tail, sizeof tail, "%3lld %%  loss %.3f  accuracy %.3f",
                      (long long)(done * 100 / count), loss, t->accuracy);
  if (part < 1)
    snprintf(tail + size, sizeof tail - (size_t)size, "  %4.1f s left", spent / part - spent);
  /* What is left of the line, less the brackets, the gaps and the last column. */
  const int left = columns() - (int)strlen(head) - (int)strlen(tail) - 7;
  const int width = left < (int)sizeof bar ? left : (int)sizeof bar - 1;
  const int full = (int)(done * width / count);
  for (int i = 0; i < width; ++i) bar[i] = i < full ? '=' : ' ';
  if (full > 0 && full < width) bar[full - 1] = '>';
  if (width < 3)
    printf("\r\033[K%.*s", columns() - 1, tail);
  else
    printf("\r\033[K%s  [%.*s]  %s", head, width, bar, tail);
  if (part >= 1) printf("\ntrained in %.1f s\n", spent);
  fflush(stdout);
}

/* ---- training --------------------------------------------------------------------------------- */

static const double kNoise = 0.4; /* greatest change of a grey value from 0 to 1 */

/* Everything that a step makes, so that one place releases it. */
typedef struct Step {
  tn_tensor *rows, *clean, *noise, *images, *labels, *params[kParams], *logits, *loss,
      *grads[kParams];
} Step;

/* Forward, gradients and optimizer for the images in s->rows; alike by calls and in a capture. */
static tn_error* update(Training* t, Step* s) {
  tn_uniform_options range = tn_uniform_options_init();
  range.low = -kNoise, range.high = kNoise;
  TN_TRY(tn_gather(t->ctx, t->images, s->rows, NULL, &s->clean));
  TN_TRY(tn_uniform(t->ctx, 2, tn_tensor_dims(s->clean), &range, &s->noise));
  TN_TRY(tn_add(t->ctx, s->clean, s->noise, &s->images));
  TN_TRY(tn_gather(t->ctx, t->labels, s->rows, NULL, &s->labels));
  for (int k = 0; k < kParams; ++k) TN_TRY(tn_variable_take(t->ctx, t->vars[k], &s->params[k]));
  TN_TRY(net_logits(t->ctx, s->params, s->images, &s->logits));
  TN_TRY(tn_cross_entropy(t->ctx, s->logits, s->labels, NULL, NULL, &s->loss));
  TN_TRY(tn_grad(t->ctx, s->loss, t->vars, kParams, s->grads));
  return tn_optimizer_step(t->ctx, t->optimizer, t->vars, s->grads, kParams);
}

static void step_drop(Training* t, Step* s) {
  tn_tensor* const single[] = {s->rows,   s->clean,  s->noise, s->images,
                               s->labels, s->logits, s->loss};
  for (size_t i = 0; i < sizeof single / sizeof *single; ++i) tn_tensor_drop(t->ctx, single[i]);
  for (int k = 0; k < kParams; ++k)
    tn_tensor_drop(t->ctx, s->params[k]), tn_tensor_drop(t->ctx, s->grads[k]);
}

static tn_error* step_record(Training* t, Step* s) {
  const int64_t any = TN_DIM_ANY;
  const tn_str batch = tn_string("batch");
  TN_TRY(tn_capture_begin(t->ctx, tn_string("step")));
  TN_TRY(tn_capture_input(t->ctx, tn_string("rows"), TN_DTYPE_I64, 1, &any, &batch, &s->rows));
  TN_TRY(update(t, s));
  return tn_capture_end(t->ctx, &s->loss, 1, &t->step);
}

/* One program for batches of any size: the last one of an epoch is smaller. */
static tn_error* step_create(Training* t) {
  Step s = {0};
  tn_error* error = step_record(t, &s);
  tn_capture_abort(t->ctx); /* does nothing where the recording has ended */
  step_drop(t, &s);
  return error;
}

static tn_error* step(Training* t, const int64_t* rows, int64_t n, double* out_loss) {
  tn_tensor *index = NULL, *loss = NULL;
  uint32_t count = 0;
  TN_TRY(tn_schedule_step(t->ctx, t->schedule));
  TN_TRY(tn_tensor_from_i64(t->ctx, rows, 1, &n, &index));
  tn_error* error = tn_program_run(t->ctx, t->step, &index, 1, &loss, 1, &count);
  if (!error) error = tn_tensor_item_f64(t->ctx, loss, out_loss);
  tn_tensor_drop(t->ctx, index), tn_tensor_drop(t->ctx, loss);
  return error;
}

/* The current values of all parameters; on failure none. */
static tn_error* take_params(Training* t, tn_tensor* out_params[kParams]) {
  tn_error* error = NULL;
  for (int k = 0; k < kParams; ++k) {
    out_params[k] = NULL;
    if (!error) error = tn_variable_take(t->ctx, t->vars[k], &out_params[k]);
  }
  for (int k = 0; error && k < kParams; ++k) tn_tensor_drop(t->ctx, out_params[k]);
  return error;
}

static tn_error* measure(Training* t) {
  tn_tensor* params[kParams];
  int64_t right = 0;
  TN_TRY(take_params(t, params));
  tn_error* error = net_classify(t->ctx, params, &t->test, t->classes, &right);
  for (int k = 0; k < kParams; ++k) tn_tensor_drop(t->ctx, params[k]);
  t->accuracy = (double)right / (double)t->test.count;
  return error;
}

/* A new order of the images: Fisher and Yates, with the random numbers of splitmix64. */
static void shuffle(int64_t* order, int64_t n, uint64_t* state) {
  for (int64_t i = n - 1; i > 0; --i) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    const int64_t j = (int64_t)((z ^ (z >> 31)) % (uint64_t)(i + 1)), swapped = order[i];
    order[i] = order[j], order[j] = swapped;
  }
}

static tn_error* train(Training* t) {
  const int64_t count = t->train.count;
  uint64_t random = t->options.seed;
  for (int64_t i = 0; i < count; ++i) t->order[i] = i;
  t->start = now();
  for (int64_t epoch = 0; epoch < t->options.epochs; ++epoch) {
    double sum = 0, loss = 0;
    shuffle(t->order, count, &random);
    for (int64_t done = 0; done < count;) {
      const int64_t n = count - done < t->options.batch ? count - done : t->options.batch;
      TN_TRY(step(t, t->order + done, n, &loss));
      sum += loss * (double)n, done += n;
      if (done < count) show(t, epoch, done, sum / (double)done);
    }
    t->curve[epoch] = sum / (double)count;
    TN_TRY(measure(t));
    show(t, epoch, count, t->curve[epoch]);
  }
  return NULL;
}

/* ---- before and after ------------------------------------------------------------------------- */

/* Uniform in +-1/sqrt(inputs of the layer). */
static tn_error* variable_create(Training* t, int k) {
  const double bound = 1.0 / sqrt((double)kParam[k & ~1].dims[1]);
  tn_uniform_options range = tn_uniform_options_init();
  tn_tensor* value = NULL;
  range.low = -bound, range.high = bound;
  TN_TRY(tn_uniform(t->ctx, kParam[k].rank, kParam[k].dims, &range, &value));
  tn_error* error = tn_variable_create(t->ctx, tn_string(kParam[k].name), value, 0, &t->vars[k]);
  tn_tensor_drop(t->ctx, value);
  return error;
}

/* SGD, and a cosine from options.lr down to 0 that drives its learning rate. */
static tn_error* optimizer_create(Training* t) {
  const int64_t steps = (t->train.count + t->options.batch - 1) / t->options.batch;
  const tn_option sgd[] = {tn_option_f64("lr", t->options.lr), tn_option_f64("momentum", 0.9)};
  const tn_option cosine[] = {tn_option_f64("lr", t->options.lr),
                              tn_option_i64("steps", steps * t->options.epochs)};
  tn_variable* lr = NULL; /* lent by the optimizer */
  TN_TRY(tn_optimizer_create(t->ctx, tn_string("sgd"), sgd, 2, &t->optimizer));
  TN_TRY(tn_optimizer_get_hyper(t->optimizer, tn_string("lr"), &lr));
  return tn_schedule_create(t->ctx, tn_string("cosine"), cosine, 2, lr, &t->schedule);
}

static tn_error* prepare(Training* t) {
  TN_TRY(digits_load(0, &t->train));
  TN_TRY(digits_load(1, &t->test));
  const int64_t dims[2] = {t->train.count, kPixels};
  t->order = malloc((size_t)t->train.count * sizeof(int64_t));
  t->classes = malloc((size_t)t->test.count * sizeof(int64_t));
  t->curve = malloc((size_t)t->options.epochs * sizeof(double));
  if (!t->order || !t->classes || !t->curve)
    return tn_error_create(TN_OUT_OF_MEMORY, tn_string("no memory for the order of the images"));
  TN_TRY(tn_runtime_create(NULL, &t->rt));
  TN_TRY(tn_ctx_create(t->rt, tn_string(t->options.device), &t->ctx));
  TN_TRY(tn_ctx_set_seed(t->ctx, t->options.seed));
  TN_TRY(tn_tensor_from_f32(t->ctx, t->train.pixels, 2, dims, &t->images));
  TN_TRY(tn_tensor_from_i64(t->ctx, t->train.labels, 1, dims, &t->labels));
  for (int k = 0; k < kParams; ++k) TN_TRY(variable_create(t, k));
  TN_TRY(optimizer_create(t));
  return step_create(t);
}

static tn_error* curve_problem(const Training* t) {
  char text[512];
  snprintf(text, sizeof text, "--curve: cannot write %.400s: %s", t->options.curve,
           strerror(errno));
  return tn_error_create(TN_IO, tn_string(text));
}

/* Before there is anything to lose. What the file has is kept until there is a new curve. */
static tn_error* check_curve(const Training* t) {
  FILE* file = fopen(t->options.curve, "a");
  return !file || fclose(file) != 0 ? curve_problem(t) : NULL;
}

static tn_error* write_curve(const Training* t) {
  FILE* file = fopen(t->options.curve, "w");
  for (int64_t i = 0; file && i < t->options.epochs; ++i) fprintf(file, "%.9g\n", t->curve[i]);
  return !file || fclose(file) != 0 ? curve_problem(t) : NULL;
}

/* The parameters, and the loss of each epoch as metadata for infer_digits to draw. */
static tn_error* save(Training* t) {
  tn_str names[kParams];
  tn_tensor* params[kParams];
  const size_t room = (size_t)t->options.epochs * 16 + 1;
  char* losses = calloc(room, 1);
  if (!losses) return tn_error_create(TN_OUT_OF_MEMORY, tn_string("no memory for the curve"));
  for (size_t i = 0, at = 0; i < (size_t)t->options.epochs; ++i)
    at += (size_t)snprintf(losses + at, room - at, "%.6g ", t->curve[i]);
  const tn_metadata metadata = {tn_string("loss"), tn_string(losses)};
  tn_error* error = take_params(t, params);
  if (!error) {
    for (int k = 0; k < kParams; ++k) names[k] = tn_string(kParam[k].name);
    error =
        tn_model_save(t->ctx, tn_string(MODEL_FILE), names, params, kParams, &metadata, 1, NULL);
    for (int k = 0; k < kParams; ++k) tn_tensor_drop(t->ctx, params[k]);
  }
  free(losses);
  return error;
}

static tn_error* run(Training* t) {
  tn_device_info device = tn_device_info_init();
  if (t->options.curve) TN_TRY(check_curve(t));
  TN_TRY(prepare(t));
  TN_TRY(tn_device_get_info(tn_ctx_get_device(t->ctx), &device));
  printf("%lld digits to train on, %lld held out, on %.*s\n", (long long)t->train.count,
         (long long)t->test.count, (int)device.name.size, device.name.data);
  TN_TRY(train(t));
  TN_TRY(save(t));
  printf("saved %s\n", MODEL_FILE);
  return t->options.curve ? write_curve(t) : NULL;
}

static void release(Training* t) {
  tn_program_release(t->step);
  tn_schedule_release(t->schedule);
  tn_optimizer_release(t->optimizer);
  for (int k = 0; k < kParams; ++k) tn_variable_release(t->vars[k]);
  tn_tensor_release(t->images), tn_tensor_release(t->labels);
  tn_ctx_release(t->ctx);
  tn_runtime_release(t->rt);
  digits_free(&t->train), digits_free(&t->test);
  free(t->order), free(t->classes), free(t->curve);
}

int main(int argc, char** argv) {
  Training t = {0};
  const int status = options_read(argc, argv, "Trains on the 8x8 digits.", 1, &t.options);
  if (status >= 0) return status;
  tn_error* error = run(&t);
  if (error) fprintf(stderr, "train_digits: %s\n", tn_error_message(error));
  tn_error_release(error);
  release(&t);
  return error ? 1 : 0;
}
