/* A net and its training step, eager or captured as one program: forward, gradients, update. */
#ifndef BENCH_TENON_TRAINER_H
#define BENCH_TENON_TRAINER_H

#include "session.h"

enum { TRAINER_PARAMS = 80, TRAINER_BATCHES = 8, TRAINER_SLOTS = 384 };

typedef struct trainer {
  tn_ctx* cx;
  tn_variable* params[TRAINER_PARAMS];
  uint32_t n_params;
  tn_tensor* batches[TRAINER_BATCHES][2]; /* x, and what it should give */
  uint32_t n_batches, next;
  tn_optimizer* optimizer;
  tn_program* program; /* NULL: eager */
  tn_tensor* slots[TRAINER_SLOTS];
  uint32_t n_slots;
  /* The loss over one batch, which is lent. */
  tn_error* (*forward)(struct trainer*, tn_tensor* x, tn_tensor* y, tn_tensor** out_loss);
} trainer;

/* Everything but the context and the program. */
typedef tn_error* (*trainer_setup)(trainer*);

typedef struct trainer_plan {
  trainer_setup setup;
  int eager;
  int steps,
      every; /* what a check takes, and which losses it shows: the first of every so many, and the last */
  trainer* kept; /* stays between timed runs; NULL: each starts from the same weights */
} trainer_plan;

/* The next parameter, with values of this scale around 0. */
tn_error* trainer_add_param(trainer* t, uint32_t rank, const int64_t* dims, uint64_t seed,
                            float scale);
/* The next parameter, of equal elements. */
tn_error* trainer_add_constant(trainer* t, int64_t size, double value);
/* The next batch. Consumes both. */
void trainer_add_batch(trainer* t, tn_tensor* x, tn_tensor* y);

/* Room for one more tensor, which is dropped at the end of the step. */
tn_tensor** trainer_slot(trainer* t);
/* The current values of all parameters, into the first slots. */
tn_error* trainer_take_params(trainer* t);

/* Times `count` steps. NULL, or what went wrong. */
const char* trainer_run(const trainer_plan* plan, int64_t count, int64_t* out_ns);
/* Appends losses, and the sum of magnitudes over all parameters. */
const char* trainer_check(const trainer_plan* plan, double* values, int* n);

#endif
