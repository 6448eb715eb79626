/* Runs one kind of call COUNT times after a warm-up: bench_count add|recorded|chain COUNT.
 * An instruction counter run twice, with COUNT and 2 COUNT, gives what one call costs. */
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

static tn_error* inputs_of(tn_ctx* cx, int leaves, tn_tensor** out_a, tn_tensor** out_b) {
  const int64_t dims[] = {1};
  const float values[] = {1, 2};
  tn_tensor** outs[] = {out_a, out_b};
  for (int i = 0; i < 2; ++i) {
    tn_tensor* value = NULL;
    TN_TRY(tn_tensor_from_f32(cx, &values[i], 1, dims, &value));
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
  TN_TRY(inputs_of(cx, strcmp(what, "add") != 0, &a, &b));
  const int chain = strcmp(what, "chain") == 0;
  for (long i = 0; i < WARM_UP + count; ++i)
    TN_TRY(chain ? call_chain(cx, a, b) : call_add(cx, a, b));
  tn_tensor_drop(cx, a);
  tn_tensor_drop(cx, b);
  tn_ctx_release(cx);
  tn_runtime_release(rt);
  return NULL;
}

int main(int argc, char** argv) {
  const char* kinds[] = {"add", "recorded", "chain"};
  int known = 0;
  for (int i = 0; argc == 3 && i < 3; ++i) known |= strcmp(argv[1], kinds[i]) == 0;
  if (!known) {
    fprintf(stderr, "usage: bench_count add|recorded|chain COUNT\n");
    return 2;
  }
  tn_error* error = run(argv[1], atol(argv[2]));
  if (!error) return 0;
  fprintf(stderr, "bench_count: %s\n", tn_error_message(error));
  tn_error_release(error);
  return 1;
}
