/* A program to be profiled: ten products of 64 x 32 by 32 x 16, and three runs of a program that adds. It ends with the status argv[1],
 * and with argv[2] it never gives its runtime back. */
#include <stdio.h>
#include <stdlib.h>

#include "tenon/tenon.h"

static void check(tn_error* error) {
  if (!error) return;
  fprintf(stderr, "%s\n", tn_error_message(error));
  exit(9);
}

int main(int argc, char** argv) {
  tn_runtime* runtime = NULL;
  tn_ctx* ctx = NULL;
  check(tn_runtime_create(NULL, &runtime));
  check(tn_ctx_create(runtime, tn_string("cpu"), &ctx));
  const int64_t dims_a[] = {64, 32}, dims_b[] = {32, 16};
  tn_tensor *a = NULL, *b = NULL, *c = NULL;
  check(tn_tensor_full(ctx, TN_DTYPE_F32, 2, 2, dims_a, &a));
  check(tn_tensor_full(ctx, TN_DTYPE_F32, 3, 2, dims_b, &b));
  for (int i = 0; i < 10; ++i) {
    tn_tensor* in[2];
    uint32_t n = 0;
    in[0] = a;
    in[1] = b;
    check(tn_op_call(ctx, TN_OP_MATMUL, in, 2, NULL, 0, &c, 1, &n));
    tn_tensor_release(c);
  }
  tn_tensor *x = NULL, *y = NULL, *in[2];
  tn_program* program = NULL;
  uint32_t n = 0;
  check(tn_capture_begin(ctx, tn_string("twice")));
  check(tn_capture_input(ctx, tn_string("x"), TN_DTYPE_F32, 2, dims_a, NULL, &x));
  in[0] = in[1] = x;
  check(tn_op_call(ctx, TN_OP_ADD, in, 2, NULL, 0, &y, 1, &n));
  check(tn_capture_end(ctx, &y, 1, &program));
  tn_tensor_release(x);
  tn_tensor_release(y);
  for (int i = 0; i < 3; ++i) {
    check(tn_program_run(ctx, program, &a, 1, &y, 1, &n));
    tn_tensor_release(y);
  }
  puts("done");
  if (argc > 2) return atoi(argv[1]);
  tn_program_release(program);
  tn_tensor_release(a);
  tn_tensor_release(b);
  tn_ctx_release(ctx);
  tn_runtime_release(runtime);
  return argc > 1 ? atoi(argv[1]) : 0;
}
