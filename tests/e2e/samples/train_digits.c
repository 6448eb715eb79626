#define _POSIX_C_SOURCE 200809L
#include "sample.h"
#define main train_digits_main
#include "../../../samples/train_digits.c"

static Training t;

static tn_error* start(const char* device, tn_ctx** out_ctx) {
  t.options = (Options){.device = device, .epochs = 1, .batch = 32, .seed = 1, .lr = 0.2};
  TN_TRY(prepare(&t));
  for (int64_t i = 0; i < t.train.count; ++i) t.order[i] = i;
  uint64_t random = t.options.seed;
  shuffle(t.order, t.train.count, &random);
  *out_ctx = t.ctx;
  return NULL;
}

/* Every fourth batch is a small one, as the last of an epoch. */
static tn_error* before(uint32_t step, tn_tensor** out_inputs) {
  const int64_t n = step % 4 == 3 ? 13 : t.options.batch;
  TN_TRY(tn_schedule_step(t.ctx, t.schedule));
  return tn_tensor_from_i64(t.ctx, t.order + step * t.options.batch, 1, &n, &out_inputs[0]);
}

static tn_error* compute(tn_tensor* const* inputs, tn_tensor** outputs) {
  Step s = {.rows = tn_tensor_retain(inputs[0])};
  tn_error* error = update(&t, &s);
  if (!error) outputs[0] = tn_tensor_retain(s.loss);
  step_drop(&t, &s);
  return error;
}

static tn_variable* variable(uint32_t k) { return k < kParams ? t.vars[k] : NULL; }
static tn_program* program(void) { return t.step; }
static void stop(void) { release(&t), t = (Training){0}; }

const Sample sample_train_digits = {.file = "train_digits.c",
                                    .steps = 44,
                                    .inputs = 1,
                                    .outputs = 1,
                                    .start = start,
                                    .before = before,
                                    .compute = compute,
                                    .variable = variable,
                                    .program = program,
                                    .stop = stop};
