/* Runs one kind of call COUNT times after a warm-up: bench_count add|recorded|chain COUNT.
 * An instruction counter run twice, with COUNT and 2 COUNT, gives what one call costs.
 * bench_count plan COUNT captures so many ops, their gradients besides, and runs the program once: what a node costs to record, pass
 * and plan. bench_count parameters COUNT does so with the step of an optimizer over so many variables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

enum { WARM_UP = 100 };

static tn_error* call_add(tn_ctx* cx, tn_tensor* a, tn_tensor* b) {
  tn_tensor* c = NULL;
  TN_TRY(tn_add(cx, a, b, &c));
  tn_tensor_drop(cx, c);
  return NULL;
}

/* Ten recorded ops in a row, then both gradients. */
static tn_error* call_chain(tn_ctx* cx, tn_tensor* a, tn_tensor* b) {
  tn_tensor *y = NULL, *next = NULL, *grads[2] = {NULL, NULL}, *inputs[] = {a, b};
  TN_TRY(tn_mul(cx, a, b, &y));
  for (int i = 1; i < 10; ++i) {
    TN_TRY(i % 2 ? tn_add(cx, y, a, &next) : tn_mul(cx, y, b, &next));
    tn_tensor_drop(cx, y);
    y = next;
  }
  TN_TRY(tn_vjp(cx, &y, NULL, 1, inputs, 2, 0, grads));
  tn_tensor_drop(cx, y);
  tn_tensor_drop(cx, grads[0]);
  tn_tensor_drop(cx, grads[1]);
  return NULL;
}

/* Node i of the captured program: regions, reductions that join and that do not, products, views, the same twice. */
static tn_error* node(tn_ctx* cx, long i, tn_tensor* x, tn_tensor* a, tn_tensor** out_y) {
  static const int64_t perm[] = {1, 0}, axis = 1;
  tn_tensor* part = NULL;
  tn_error* error = NULL;
  switch (i % 8) {
    case 0:
      return tn_matmul(cx, x, a, NULL, out_y);
    case 1:
      return tn_tanh(cx, x, out_y);
    case 2:
      return tn_transpose(cx, x, 2, perm, out_y);
    case 4: {
      tn_sum_options options = tn_sum_options_init();
      options.axes = &axis, options.n_axes = 1, options.keepdims = 1;
      TN_TRY(tn_sum(cx, x, &options, &part));
      break;
    }
    case 6:
      TN_TRY(tn_mul(cx, x, a, &part));
      break;
    default:
      return i % 2 ? tn_add(cx, x, a, out_y) : tn_mul(cx, x, a, out_y);
  }
  error = tn_sub(cx, x, part, out_y);
  tn_tensor_drop(cx, part);
  return error;
}

static tn_error* call_plan(tn_ctx* cx, tn_tensor* a, long count) {
  static const int64_t dims[] = {4, 4};
  tn_tensor *x = NULL, *y = NULL, *leaf = NULL, *next = NULL, *grad = NULL, *out[2] = {NULL, NULL};
  tn_program* program = NULL;
  uint32_t n = 0;
  TN_TRY(tn_capture_begin(cx, tn_string("plan")));
  TN_TRY(tn_capture_input(cx, tn_string("x"), TN_DTYPE_F32, 2, dims, NULL, &x));
  TN_TRY(tn_tensor_leaf(cx, x, &leaf));
  tn_tensor_retain(y = leaf);
  for (long i = 0; i < count; ++i) {
    TN_TRY(node(cx, i, y, a, &next));
    tn_tensor_drop(cx, y);
    y = next;
  }
  TN_TRY(tn_sum(cx, y, NULL, &next));
  TN_TRY(tn_vjp(cx, &next, NULL, 1, &leaf, 1, 0, &grad));
  tn_tensor* outputs[] = {y, grad};
  TN_TRY(tn_capture_end(cx, outputs, 2, &program));
  TN_TRY(tn_program_run(cx, program, &a, 1, out, 2, &n));
  tn_tensor* all[] = {x, leaf, y, next, grad, out[0], out[1]};
  for (int i = 0; i < 7; ++i) tn_tensor_drop(cx, all[i]);
  tn_program_release(program);
  return NULL;
}

static tn_error* call_parameters(tn_ctx* cx, tn_tensor* a, long count) {
  const size_t n = (size_t)count;
  const tn_option lr = tn_option_f64("lr", 0.1);
  tn_variable** variables = calloc(n, sizeof *variables);
  tn_tensor** grads = calloc(n, sizeof *grads);
  tn_tensor *loss = NULL, *next = NULL, *value = NULL;
  tn_optimizer* sgd = NULL;
  tn_program* program = NULL;
  uint32_t n_out = 0;
  if (!variables || !grads) abort();
  TN_TRY(tn_optimizer_create(cx, tn_string("sgd"), &lr, 1, &sgd));
  for (size_t i = 0; i < n; ++i) {
    char name[32];
    snprintf(name, sizeof name, "w%zu", i);
    TN_TRY(tn_variable_create(cx, tn_string(name), a, 0, &variables[i]));
  }
  TN_TRY(tn_capture_begin(cx, tn_string("parameters")));
  for (size_t i = 0; i < n; ++i) {
    TN_TRY(tn_variable_take(cx, variables[i], &value));
    if (i == 0) {
      loss = value;
      continue;
    }
    TN_TRY(tn_add(cx, loss, value, &next));
    tn_tensor_drop(cx, loss);
    tn_tensor_drop(cx, value);
    loss = next;
  }
  TN_TRY(tn_sum(cx, loss, NULL, &next));
  TN_TRY(tn_grad(cx, next, variables, (uint32_t)count, grads));
  TN_TRY(tn_optimizer_step(cx, sgd, variables, grads, (uint32_t)count));
  TN_TRY(tn_capture_end(cx, &next, 1, &program));
  tn_tensor_drop(cx, loss);
  tn_tensor_drop(cx, next);
  TN_TRY(tn_program_run(cx, program, NULL, 0, &loss, 1, &n_out));
  tn_tensor_drop(cx, loss);
  tn_program_release(program);
  tn_optimizer_release(sgd);
  for (size_t i = 0; i < n; ++i) {
    tn_tensor_drop(cx, grads[i]);
    tn_variable_release(variables[i]);
  }
  free(variables);
  free(grads);
  return NULL;
}

static tn_error* inputs_of(tn_ctx* cx, int leaves, uint32_t rank, tn_tensor** out_a,
                           tn_tensor** out_b) {
  static const int64_t dims[] = {4, 4}, one[] = {1};
  static const float values[2][16] = {{1}, {2}};
  tn_tensor** outs[] = {out_a, out_b};
  for (int i = 0; i < 2; ++i) {
    tn_tensor* value = NULL;
    TN_TRY(tn_tensor_from_f32(cx, values[i], rank, rank == 1 ? one : dims, &value));
    if (leaves) {
      TN_TRY(tn_tensor_leaf(cx, value, outs[i]));
      tn_tensor_drop(cx, value);
    } else {
      *outs[i] = value;
    }
  }
  return NULL;
}

static tn_error* run(const char* what, long count) {
  tn_runtime* rt = NULL;
  tn_ctx* cx = NULL;
  tn_tensor *a = NULL, *b = NULL;
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.thread_count = 1; /* no other thread's instructions */
  TN_TRY(tn_runtime_create(&desc, &rt));
  const char* device = getenv("TENON_DEVICE");
  TN_TRY(tn_ctx_create(rt, tn_string(device ? device : "cpu"), &cx));
  const int plan = strcmp(what, "plan") == 0, chain = strcmp(what, "chain") == 0;
  const int once = plan || strcmp(what, "parameters") == 0;
  TN_TRY(inputs_of(cx, !once && strcmp(what, "add") != 0, once ? 2 : 1, &a, &b));
  if (once) TN_TRY(plan ? call_plan(cx, a, count) : call_parameters(cx, a, count));
  for (long i = 0; !once && i < WARM_UP + count; ++i)
    TN_TRY(chain ? call_chain(cx, a, b) : call_add(cx, a, b));
  tn_tensor_drop(cx, a);
  tn_tensor_drop(cx, b);
  tn_ctx_release(cx);
  tn_runtime_release(rt);
  return NULL;
}

int main(int argc, char** argv) {
  const char* kinds[] = {"add", "recorded", "chain", "plan", "parameters"};
  int known = 0;
  for (int i = 0; argc == 3 && i < 5; ++i) known |= strcmp(argv[1], kinds[i]) == 0;
  if (!known) {
    fprintf(stderr, "usage: bench_count add|recorded|chain|plan|parameters COUNT\n");
    return 2;
  }
  tn_error* error = run(argv[1], atol(argv[2]));
  if (!error) return 0;
  fprintf(stderr, "bench_count: %s\n", tn_error_message(error));
  tn_error_release(error);
  return 1;
}
