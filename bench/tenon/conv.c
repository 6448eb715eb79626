/* C1: the convolutions of bench_convs, one after the other: y, or the gradient of x (of all but the
 * first, which nobody needs), or that of w. arg = pass * 65536 + first layer * 256 + batch; a first
 * layer above 0 is that one alone. */
#include "session.h"

typedef enum conv_pass { PASS_FORWARD, PASS_INPUT, PASS_WEIGHT } conv_pass;

typedef struct convs {
  tn_ctx* cx;
  tn_tensor *x[BENCH_CONVS], *w[BENCH_CONVS], *g[BENCH_CONVS];
  int begin, end;
  conv_pass pass;
} convs;

static void convs_destroy(convs* c) {
  for (int i = 0; i < BENCH_CONVS; ++i) {
    tn_tensor_drop(c->cx, c->x[i]);
    tn_tensor_drop(c->cx, c->w[i]);
    tn_tensor_drop(c->cx, c->g[i]);
  }
}

static tn_error* convs_create(convs* c, int64_t arg) {
  memset(c, 0, sizeof *c);
  c->pass = (conv_pass)(arg / 65536);
  c->begin = (int)(arg / 256 % 256);
  c->end = c->begin ? c->begin : BENCH_CONVS;
  c->begin = c->begin ? c->begin - 1 : c->pass == PASS_INPUT;
  TN_TRY(session_get(&c->cx));
  for (int i = c->begin; i < c->end; ++i) {
    const bench_conv* l = &bench_convs[i];
    const int64_t side = bench_conv_out_side(l);
    const int64_t x[] = {arg % 256, l->in, l->side, l->side}, g[] = {arg % 256, l->out, side, side};
    const int64_t w[] = {l->out, l->in, l->kernel, l->kernel};
    const uint64_t seed = 10 * (uint64_t)i;
    if (c->pass != PASS_INPUT) TN_TRY(session_filled(c->cx, 4, x, seed, 2, &c->x[i]));
    if (c->pass != PASS_WEIGHT) TN_TRY(session_filled(c->cx, 4, w, seed + 1, 0.25f, &c->w[i]));
    if (c->pass != PASS_FORWARD) TN_TRY(session_filled(c->cx, 4, g, seed + 2, 2, &c->g[i]));
  }
  return NULL;
}

static tn_error* convs_call(convs* c, int i, tn_tensor** out) {
  const bench_conv* l = &bench_convs[i];
  const int64_t stride[] = {l->stride, l->stride}, padding[] = {l->kernel / 2, l->kernel / 2};
  tn_conv2d_options forward = tn_conv2d_options_init();
  tn_conv2d_input_grad_options input = tn_conv2d_input_grad_options_init();
  tn_conv2d_weight_grad_options weight = tn_conv2d_weight_grad_options_init();
  forward.stride = input.stride = weight.stride = stride;
  forward.padding = input.padding = weight.padding = padding;
  forward.n_stride = input.n_stride = weight.n_stride = 2;
  forward.n_padding = input.n_padding = weight.n_padding = 2;
  if (c->pass == PASS_FORWARD) return tn_conv2d(c->cx, c->x[i], c->w[i], NULL, &forward, out);
  if (c->pass == PASS_INPUT)
    return tn_conv2d_input_grad(c->cx, c->g[i], c->w[i], l->side, l->side, &input, out);
  return tn_conv2d_weight_grad(c->cx, c->g[i], c->x[i], l->kernel, l->kernel, &weight, out);
}

static tn_error* time_calls(convs* c, int64_t count, int64_t* out_ns) {
  const int64_t start = bench_now_ns();
  for (int64_t k = 0; k < count; ++k)
    for (int i = c->begin; i < c->end; ++i) {
      tn_tensor* y = NULL;
      TN_TRY(convs_call(c, i, &y));
      tn_tensor_drop(c->cx, y);
    }
  TN_TRY(tn_ctx_synchronize(c->cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* call_values(convs* c, double* values, int* n) {
  for (int i = c->begin; i < c->end; ++i) {
    tn_tensor* y = NULL;
    TN_TRY(convs_call(c, i, &y));
    TN_TRY(session_push_sums(c->cx, y, values, n));
    tn_tensor_drop(c->cx, y);
  }
  return NULL;
}

static const char* run_call(int64_t arg, int64_t count, int64_t* out_ns) {
  convs c;
  tn_error* error = convs_create(&c, arg);
  if (!error) error = time_calls(&c, count, out_ns);
  convs_destroy(&c);
  return session_message(error);
}

static const char* check_call(int64_t arg, double* values, int* n) {
  convs c;
  tn_error* error = convs_create(&c, arg);
  if (!error) error = call_values(&c, values, n);
  convs_destroy(&c);
  return session_message(error);
}

#define CONV_CASE(pass, name, layer, batch)                                                 \
  {                                                                                         \
    "C1/" name "-" #batch "-" #layer, (pass)*65536 + (layer)*256 + (batch), NULL, run_call, \
        check_call                                                                          \
  }
#define CONV_LAYER(layer, batch)                                                                  \
  CONV_CASE(PASS_FORWARD, "forward", layer, batch), CONV_CASE(PASS_INPUT, "input", layer, batch), \
      CONV_CASE(PASS_WEIGHT, "weight", layer, batch)
#define CONV_CASES(batch)                                                                     \
  CONV_LAYER(0, batch), CONV_LAYER(1, batch), CONV_LAYER(2, batch), CONV_LAYER(3, batch),     \
      CONV_LAYER(4, batch), CONV_LAYER(5, batch), CONV_LAYER(6, batch), CONV_LAYER(7, batch), \
      CONV_LAYER(8, batch), CONV_LAYER(9, batch), CONV_LAYER(10, batch), CONV_LAYER(11, batch)
const bench_case conv_cases[] = {CONV_CASES(1), CONV_CASES(16)};
const int conv_case_count = sizeof conv_cases / sizeof *conv_cases;
