/* T4: one training step of a GPT: layer norms before attention and before the dense layers, AdamW; in f32, and with products in bf16. */
#include "trainer.h"

enum {
  PER_BLOCK = 12,
  POSITIONS = 1,
  FIRST_BLOCK = 2,
  LAST_NORM = FIRST_BLOCK + PER_BLOCK * BENCH_GPT_LAYERS
};

/* The parameters lie in the first slots. The results below are slots too: lent. */
static tn_error* norm(trainer* t, uint32_t p, tn_tensor* x, tn_tensor** out_y) {
  tn_tensor** y = trainer_slot(t);
  TN_TRY(tn_layer_norm(t->cx, x, t->slots[p], t->slots[p + 1], NULL, y));
  *out_y = *y;
  return NULL;
}

static tn_error* dense(trainer* t, uint32_t p, tn_tensor* x, tn_tensor** out_y) {
  tn_tensor** y = trainer_slot(t);
  TN_TRY(tn_linear(t->cx, x, t->slots[p], t->slots[p + 1], y));
  *out_y = *y;
  return NULL;
}

static tn_error* add(trainer* t, tn_tensor* a, tn_tensor* b, tn_tensor** out_y) {
  tn_tensor** y = trainer_slot(t);
  TN_TRY(tn_add(t->cx, a, b, y));
  *out_y = *y;
  return NULL;
}

/* [batch, length, width] to [batch, heads, length, width / heads]. */
static tn_error* heads(trainer* t, tn_tensor* x, tn_tensor** out_y) {
  static const int64_t perm[] = {0, 2, 1, 3};
  const int64_t dims[] = {BENCH_GPT_BATCH, BENCH_GPT_LENGTH, BENCH_GPT_HEADS,
                          BENCH_GPT_WIDTH / BENCH_GPT_HEADS};
  tn_tensor **cut = trainer_slot(t), **y = trainer_slot(t);
  TN_TRY(tn_reshape(t->cx, x, 4, dims, cut));
  TN_TRY(tn_transpose(t->cx, *cut, 4, perm, y));
  *out_y = *y;
  return NULL;
}

static tn_error* attention(trainer* t, uint32_t p, tn_tensor* x, tn_tensor** out_y) {
  static const int64_t perm[] = {0, 2, 1, 3};
  const int64_t width = BENCH_GPT_WIDTH, sizes[] = {width, width, width};
  const int64_t dims[] = {BENCH_GPT_BATCH, BENCH_GPT_LENGTH, width};
  tn_split_options split = tn_split_options_init();
  tn_scaled_dot_product_attention_options options = tn_scaled_dot_product_attention_options_init();
  tn_tensor *qkv = NULL, *parts[3] = {NULL}, *in[3];
  uint32_t n = 0;
  split.axis = 2;
  options.causal = 1;
  TN_TRY(dense(t, p, x, &qkv));
  TN_TRY(tn_split(t->cx, qkv, 3, sizes, &split, parts, 3, &n));
  for (int i = 0; i < 3; ++i) *trainer_slot(t) = parts[i];
  for (int i = 0; i < 3; ++i) TN_TRY(heads(t, parts[i], &in[i]));
  tn_tensor **y = trainer_slot(t), **back = trainer_slot(t), **rows = trainer_slot(t);
  TN_TRY(tn_scaled_dot_product_attention(t->cx, in[0], in[1], in[2], NULL, &options, y));
  TN_TRY(tn_transpose(t->cx, *y, 4, perm, back));
  TN_TRY(tn_reshape(t->cx, *back, 3, dims, rows));
  return dense(t, p + 2, *rows, out_y);
}

static tn_error* block(trainer* t, uint32_t p, tn_tensor* x, tn_tensor** out_y) {
  tn_tensor *h = NULL, **g = NULL;
  TN_TRY(norm(t, p, x, &h));
  TN_TRY(attention(t, p + 2, h, &h));
  TN_TRY(add(t, x, h, &x));
  TN_TRY(norm(t, p + 6, x, &h));
  TN_TRY(dense(t, p + 8, h, &h));
  g = trainer_slot(t);
  TN_TRY(tn_gelu(t->cx, h, NULL, g));
  TN_TRY(dense(t, p + 10, *g, &h));
  return add(t, x, h, out_y);
}

static tn_error* gpt_loss(trainer* t, tn_tensor* x, tn_tensor* y, tn_tensor** out_loss) {
  const int64_t rows[] = {BENCH_GPT_BATCH * BENCH_GPT_LENGTH, BENCH_GPT_VOCABULARY};
  tn_tensor* h = NULL;
  TN_TRY(trainer_take_params(t));
  tn_tensor **tokens = trainer_slot(t), **logits = trainer_slot(t), **flat = trainer_slot(t);
  TN_TRY(tn_embedding(t->cx, t->slots[0], x, tokens));
  TN_TRY(add(t, *tokens, t->slots[POSITIONS], &h));
  for (uint32_t p = FIRST_BLOCK; p < LAST_NORM; p += PER_BLOCK) TN_TRY(block(t, p, h, &h));
  TN_TRY(norm(t, LAST_NORM, h, &h));
  TN_TRY(tn_linear(t->cx, h, t->slots[0], NULL, logits));
  TN_TRY(tn_reshape(t->cx, *logits, 2, rows, flat));
  return tn_cross_entropy(t->cx, *flat, y, NULL, NULL, out_loss);
}

static tn_error* gpt_loss_bf16(trainer* t, tn_tensor* x, tn_tensor* y, tn_tensor** out_loss) {
  TN_TRY(tn_ctx_set_autocast(t->cx, TN_DTYPE_BF16));
  tn_error* error = gpt_loss(t, x, y, out_loss);
  tn_error* off = tn_ctx_set_autocast(t->cx, TN_DTYPE_F32);
  tn_error_release(error ? off : NULL);
  return error ? error : off;
}

static tn_error* add_matrix(trainer* t, int64_t rows, int64_t columns) {
  const int64_t dims[] = {rows, columns};
  return trainer_add_param(t, 2, dims, BENCH_GPT_SEED + t->n_params, bench_gpt_scale);
}

static tn_error* add_norm(trainer* t) {
  TN_TRY(trainer_add_constant(t, BENCH_GPT_WIDTH, 1));
  return trainer_add_constant(t, BENCH_GPT_WIDTH, 0);
}

static tn_error* add_layer(trainer* t, int64_t out, int64_t in) {
  TN_TRY(add_matrix(t, out, in));
  return trainer_add_constant(t, out, 0);
}

static tn_error* add_batch(trainer* t) {
  enum { ROW = BENCH_GPT_LENGTH + 1, COUNT = BENCH_GPT_BATCH * BENCH_GPT_LENGTH };
  const int64_t x_dims[] = {BENCH_GPT_BATCH, BENCH_GPT_LENGTH}, y_dims[] = {COUNT};
  int64_t tokens[BENCH_GPT_BATCH * ROW], x[COUNT], y[COUNT];
  tn_tensor *in = NULL, *out = NULL;
  bench_fill_classes(tokens, BENCH_GPT_BATCH * ROW, BENCH_GPT_SEED + 100 + t->n_batches,
                     BENCH_GPT_VOCABULARY);
  for (int i = 0; i < COUNT; ++i) {
    const int at = i / BENCH_GPT_LENGTH * ROW + i % BENCH_GPT_LENGTH;
    x[i] = tokens[at];
    y[i] = tokens[at + 1];
  }
  TN_TRY(tn_tensor_from_i64(t->cx, x, 2, x_dims, &in));
  TN_TRY(tn_tensor_from_i64(t->cx, y, 1, y_dims, &out));
  trainer_add_batch(t, in, out);
  return NULL;
}

static tn_error* gpt_setup(trainer* t) {
  const int64_t width = BENCH_GPT_WIDTH;
  t->forward = gpt_loss;
  TN_TRY(add_matrix(t, BENCH_GPT_VOCABULARY, width));
  TN_TRY(add_matrix(t, BENCH_GPT_LENGTH, width));
  for (int i = 0; i < BENCH_GPT_LAYERS; ++i) {
    TN_TRY(add_norm(t));
    TN_TRY(add_layer(t, 3 * width, width));
    TN_TRY(add_layer(t, width, width));
    TN_TRY(add_norm(t));
    TN_TRY(add_layer(t, 4 * width, width));
    TN_TRY(add_layer(t, width, 4 * width));
  }
  TN_TRY(add_norm(t));
  for (int i = 0; i < BENCH_GPT_BATCHES; ++i) TN_TRY(add_batch(t));
  const tn_option options[] = {tn_option_f64("lr", bench_gpt_rate),
                               tn_option_f64("weight_decay", bench_gpt_decay)};
  return tn_optimizer_create(t->cx, tn_string("adamw"), options, 2, &t->optimizer);
}

static tn_error* gpt_setup_bf16(trainer* t) {
  TN_TRY(gpt_setup(t));
  t->forward = gpt_loss_bf16;
  return NULL;
}

/* Filling 14 million parameters would cost as much as a step. */
static trainer kept[3];
static const trainer_plan plans[] = {
    {gpt_setup, 0, BENCH_GPT_CHECK_STEPS, 1, &kept[0]},
    {gpt_setup, 1, BENCH_GPT_CHECK_STEPS, 1, &kept[1]},
    {gpt_setup_bf16, 0, BENCH_GPT_CHECK_STEPS, 1, &kept[2]},
};

static const char* run_step(int64_t plan, int64_t count, int64_t* out_ns) {
  return trainer_run(&plans[plan], count, out_ns);
}

static const char* check_step(int64_t plan, double* values, int* n) {
  return trainer_check(&plans[plan], values, n);
}

const bench_case gpt_cases[] = {{"T4", 0, NULL, run_step, check_step},
                                {"T4/eager", 1, NULL, run_step, check_step},
                                {"T4/bf16", 2, NULL, run_step, check_step},
                                {"S6/gpt", 0, session_idle, run_step, check_step}};
const int gpt_case_count = sizeof gpt_cases / sizeof *gpt_cases;
