#include "trainer.h"

static tn_error* add_variable(trainer* t, tn_tensor* value) {
  char name[16];
  snprintf(name, sizeof name, "p%u", (unsigned)t->n_params);
  tn_error* error = tn_variable_create(t->cx, tn_string(name), value, 0, &t->params[t->n_params]);
  tn_tensor_drop(t->cx, value);
  if (!error) ++t->n_params;
  return error;
}

tn_error* trainer_add_param(trainer* t, uint32_t rank, const int64_t* dims, uint64_t seed,
                            float scale) {
  tn_tensor* value = NULL;
  TN_TRY(session_filled(t->cx, rank, dims, seed, scale, &value));
  return add_variable(t, value);
}

tn_error* trainer_add_constant(trainer* t, int64_t size, double value) {
  tn_tensor* made = NULL;
  TN_TRY(tn_tensor_full_f32(t->cx, value, 1, &size, &made));
  return add_variable(t, made);
}

void trainer_add_batch(trainer* t, tn_tensor* x, tn_tensor* y) {
  t->batches[t->n_batches][0] = x;
  t->batches[t->n_batches++][1] = y;
}

tn_tensor** trainer_slot(trainer* t) { return &t->slots[t->n_slots++]; }

tn_error* trainer_take_params(trainer* t) {
  for (uint32_t i = 0; i < t->n_params; ++i)
    TN_TRY(tn_variable_take(t->cx, t->params[i], trainer_slot(t)));
  return NULL;
}

static void drop_slots(trainer* t) {
  while (t->n_slots > 0) {
    tn_tensor** slot = &t->slots[--t->n_slots];
    tn_tensor_drop(t->cx, *slot);
    *slot = NULL;
  }
}

/* A whole step, run or recorded. */
static tn_error* step_body(void* model, tn_tensor* const* batch, tn_tensor** out_loss) {
  trainer* t = (trainer*)model;
  tn_tensor* grads[TRAINER_PARAMS] = {NULL};
  tn_error* error = t->forward(t, batch[0], batch[1], out_loss);
  drop_slots(t);
  if (!error) error = tn_grad(t->cx, *out_loss, t->params, t->n_params, grads);
  if (!error) error = tn_optimizer_step(t->cx, t->optimizer, t->params, grads, t->n_params);
  for (uint32_t i = 0; i < t->n_params; ++i) tn_tensor_drop(t->cx, grads[i]);
  return error;
}

/* The loss goes to *out_loss unless that is NULL. */
static tn_error* step(trainer* t, tn_tensor** out_loss) {
  tn_tensor* const* batch = t->batches[t->next];
  tn_tensor* loss = NULL;
  uint32_t n = 0;
  t->next = (t->next + 1) % t->n_batches;
  if (t->program)
    TN_TRY(tn_program_run(t->cx, t->program, batch, 2, &loss, 1, &n));
  else
    TN_TRY(step_body(t, batch, &loss));
  if (out_loss)
    *out_loss = loss;
  else
    tn_tensor_drop(t->cx, loss);
  return NULL;
}

static void destroy(trainer* t) {
  tn_program_release(t->program);
  for (uint32_t i = 0; i < t->n_params; ++i) tn_variable_release(t->params[i]);
  for (uint32_t i = 0; i < t->n_batches; ++i)
    for (int k = 0; k < 2; ++k) tn_tensor_drop(t->cx, t->batches[i][k]);
  tn_optimizer_release(t->optimizer);
  memset(t, 0, sizeof *t);
}

static tn_error* create(trainer* t, const trainer_plan* plan) {
  memset(t, 0, sizeof *t);
  TN_TRY(session_get(&t->cx));
  TN_TRY(plan->setup(t));
  return plan->eager ? NULL : session_capture(t->cx, step_body, t, t->batches[0], 2, &t->program);
}

static tn_error* time_steps(trainer* t, const trainer_plan* plan, int64_t count, int64_t* out_ns) {
  if (!t->cx) {
    TN_TRY(create(t, plan));
    for (int i = 0; i < 3; ++i) TN_TRY(step(t, NULL));
  }
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) TN_TRY(step(t, NULL));
  TN_TRY(tn_ctx_synchronize(t->cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* step_values(trainer* t, const trainer_plan* plan, double* values, int* n) {
  TN_TRY(create(t, plan));
  for (int i = 0; i < plan->steps; ++i) {
    tn_tensor* loss = NULL;
    TN_TRY(step(t, &loss));
    if (i % plan->every == 0 || i == plan->steps - 1)
      TN_TRY(tn_tensor_item_f64(t->cx, loss, &values[(*n)++]));
    tn_tensor_drop(t->cx, loss);
  }
  return session_push_sizes(t->cx, t->params, (int)t->n_params, values, n);
}

const char* trainer_run(const trainer_plan* plan, int64_t count, int64_t* out_ns) {
  trainer fresh = {0};
  trainer* t = plan->kept ? plan->kept : &fresh;
  tn_error* error = time_steps(t, plan, count, out_ns);
  if (error || !plan->kept) destroy(t);
  return session_message(error);
}

const char* trainer_check(const trainer_plan* plan, double* values, int* n) {
  trainer t = {0};
  tn_error* error = step_values(&t, plan, values, n);
  destroy(&t);
  return session_message(error);
}
