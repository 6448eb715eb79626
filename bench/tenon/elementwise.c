/* E1 and E2: ten elementwise ops over two tensors, captured and eager; the result is dropped.
 * arg = elements. */
#include "session.h"

enum { OPS = 10 };

/* The chain of D4 without its exp and its sum; the same stands in bench/peers. Captured and eager
 * alike. */
static tn_error* chain(void* model, tn_tensor* const* in, tn_tensor** out_y) {
  tn_ctx* cx = (tn_ctx*)model;
  tn_tensor *a = in[0], *b = in[1], *t[OPS - 1] = {NULL};
  TN_TRY(tn_mul(cx, a, b, &t[0]));
  TN_TRY(tn_add(cx, t[0], a, &t[1]));
  TN_TRY(tn_tanh(cx, t[1], &t[2]));
  tn_tensor_drop(cx, t[1]);
  TN_TRY(tn_mul(cx, t[2], b, &t[3]));
  TN_TRY(tn_sub(cx, t[3], a, &t[4]));
  tn_tensor_drop(cx, t[3]);
  TN_TRY(tn_abs(cx, t[4], &t[5]));
  tn_tensor_drop(cx, t[4]);
  TN_TRY(tn_mul(cx, t[5], t[0], &t[6]));
  tn_tensor_drop(cx, t[5]);
  tn_tensor_drop(cx, t[0]);
  TN_TRY(tn_add(cx, t[6], t[2], &t[7]));
  tn_tensor_drop(cx, t[6]);
  tn_tensor_drop(cx, t[2]);
  TN_TRY(tn_maximum(cx, t[7], b, &t[8]));
  tn_error* error = tn_mul(cx, t[8], t[7], out_y);
  tn_tensor_drop(cx, t[7]);
  tn_tensor_drop(cx, t[8]);
  return error;
}

typedef struct pair {
  tn_ctx* cx;
  tn_tensor* in[2];
  tn_program* program; /* NULL: eager */
} pair;

static void pair_destroy(pair* p) {
  tn_tensor_drop(p->cx, p->in[0]);
  tn_tensor_drop(p->cx, p->in[1]);
  tn_program_release(p->program);
}

static tn_error* pair_create(pair* p, int64_t size, int captured) {
  memset(p, 0, sizeof *p);
  TN_TRY(session_get(&p->cx));
  TN_TRY(session_filled(p->cx, 1, &size, 11, 2, &p->in[0]));
  TN_TRY(session_filled(p->cx, 1, &size, 12, 2, &p->in[1]));
  return captured ? session_capture(p->cx, chain, p->cx, p->in, 2, &p->program) : NULL;
}

static tn_error* call(pair* p, tn_tensor** out_y) {
  uint32_t n = 0;
  return p->program ? tn_program_run(p->cx, p->program, p->in, 2, out_y, 1, &n)
                    : chain(p->cx, p->in, out_y);
}

/* Kept between runs: filling 128 MB would cost more than the calls. */
static pair kept;
static int64_t kept_size, kept_captured;

static tn_error* time_calls(int64_t size, int captured, int64_t count, int64_t* out_ns) {
  tn_tensor* y = NULL;
  if (kept_size != size || kept_captured != captured) {
    pair_destroy(&kept);
    TN_TRY(pair_create(&kept, size, captured));
    kept_size = size;
    kept_captured = captured;
    TN_TRY(call(&kept, &y)); /* prepares the program */
    tn_tensor_drop(kept.cx, y);
  }
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    TN_TRY(call(&kept, &y));
    tn_tensor_drop(kept.cx, y);
  }
  TN_TRY(tn_ctx_synchronize(kept.cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* call_values(int64_t size, int captured, double* values, int* n) {
  pair p;
  tn_tensor* y = NULL;
  tn_error* error = pair_create(&p, size, captured);
  if (!error) error = call(&p, &y);
  if (!error) error = session_push_sums(p.cx, y, values, n);
  tn_tensor_drop(p.cx, y);
  pair_destroy(&p);
  return error;
}

static const char* run_captured(int64_t size, int64_t count, int64_t* out_ns) {
  return session_message(time_calls(size, 1, count, out_ns));
}
static const char* check_captured(int64_t size, double* values, int* n) {
  return session_message(call_values(size, 1, values, n));
}
static const char* run_eager(int64_t size, int64_t count, int64_t* out_ns) {
  return session_message(time_calls(size, 0, count, out_ns));
}
static const char* check_eager(int64_t size, double* values, int* n) {
  return session_message(call_values(size, 0, values, n));
}

#define CHAIN_CASES(name, size)                             \
  {"E1/" name, size, NULL, run_captured, check_captured}, { \
    "E2/" name, size, NULL, run_eager, check_eager          \
  }
const bench_case elementwise_cases[] = {CHAIN_CASES("64K", 1 << 16), CHAIN_CASES("1M", 1 << 20),
                                        CHAIN_CASES("16M", 1 << 24)};
const int elementwise_case_count = sizeof elementwise_cases / sizeof *elementwise_cases;
