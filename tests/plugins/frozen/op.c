/* twice(x) = x + x, with the gradient that its decomposition has. */
#include "frozen.h"

static tn_error* TN_CALL infer(tn_infer* c) {
  const tn_view* x = c->v->input(c, 0);
  return c->v->output(c, 0, x->dtype, x->rank, x->dims);
}
static void TN_CALL decompose(tn_builder* b) {
  tn_value inputs[2], y = TN_NO_VALUE;
  inputs[0] = inputs[1] = b->v->input(b, 0);
  b->v->call(b, TN_OP_ADD, inputs, 2, NULL, 0, &y, 1);
  b->v->set(b, 0, y);
}

static const tn_param params[] = {{TEXT("x"), TN_PARAM_REQUIRED, 0}};
static const tn_op_def ops[] = {{sizeof(tn_op_def), TN_OP_ELEMENTWISE, TEXT("twice"), 1, 1, params,
                                 0, 1, NULL, infer, decompose, NULL, TEXT("")}};
static const tn_ops_vtbl table = {sizeof(tn_ops_vtbl), sizeof(tn_op_def), 1, 0, ops};
FROZEN_PLUGIN("org.example.frozen.op", OPS, &table)
