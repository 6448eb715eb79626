/* climb: p + rate * (g + s), where the slot s holds the last gradient. */
#include "frozen.h"

static tn_value call(tn_builder* b, tn_op op, tn_value x, tn_value y) {
  tn_value inputs[2], result = TN_NO_VALUE;
  inputs[0] = x, inputs[1] = y;
  b->v->call(b, op, inputs, 2, NULL, 0, &result, 1);
  return result;
}
/* Inputs: parameter, gradient, slot, step, rate. */
static void TN_CALL update(tn_builder* b) {
  const tn_value gradient = b->v->input(b, 1);
  const tn_value sum = call(b, TN_OP_ADD, gradient, b->v->input(b, 2));
  const tn_value move = call(b, TN_OP_MUL, b->v->input(b, 4), sum);
  b->v->set(b, 0, call(b, TN_OP_ADD, b->v->input(b, 0), move));
  b->v->set(b, 1, gradient);
}

static const tn_hyper hypers[] = {{TEXT("rate"), 0.5, 0.0, 10.0, 0, 0}};
static const tn_slot slots[] = {{TEXT("last"), 2.0}};
static const tn_optimizer_def optimizers[] = {
    {sizeof(tn_optimizer_def), 1, TEXT("climb"), hypers, slots, 1, 0, update, TEXT("")}};
static const tn_optimizer_vtbl table = {sizeof(tn_optimizer_vtbl), sizeof(tn_optimizer_def), 1, 0,
                                        optimizers};
FROZEN_PLUGIN("org.example.frozen.optimizer", OPTIMIZER, &table)
