/* D1 D2 D4 D5 D6: the cost of a call. */
#include "session.h"

static const int64_t one[] = {1};

static tn_error* scalar_pair(tn_ctx* cx, tn_tensor* pair[2]) {
  TN_TRY(session_filled(cx, 1, one, 1, 1, &pair[0]));
  return session_filled(cx, 1, one, 2, 1, &pair[1]);
}

static void drop_pair(tn_ctx* cx, tn_tensor* pair[2]) {
  tn_tensor_drop(cx, pair[0]);
  tn_tensor_drop(cx, pair[1]);
}

/* D1 and D2 differ in their inputs alone: a leaf has its sum recorded. */
static tn_error* time_add(int64_t recorded, int64_t count, int64_t* out_ns) {
  tn_ctx* cx = NULL;
  tn_tensor *pair[2] = {NULL, NULL}, *c = NULL;
  TN_TRY(session_get(&cx));
  TN_TRY(scalar_pair(cx, pair));
  for (int i = 0; recorded && i < 2; ++i) TN_TRY(session_leaf(cx, &pair[i]));
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    TN_TRY(tn_add(cx, pair[0], pair[1], &c));
    tn_tensor_drop(cx, c);
  }
  TN_TRY(tn_ctx_synchronize(cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  drop_pair(cx, pair);
  return NULL;
}

static tn_error* add_value(double* values, int* n) {
  tn_ctx* cx = NULL;
  tn_tensor *pair[2] = {NULL, NULL}, *c = NULL;
  TN_TRY(session_get(&cx));
  TN_TRY(scalar_pair(cx, pair));
  TN_TRY(tn_add(cx, pair[0], pair[1], &c));
  TN_TRY(tn_tensor_item_f64(cx, c, &values[(*n)++]));
  tn_tensor_drop(cx, c);
  drop_pair(cx, pair);
  return NULL;
}

enum { SHAPES = 1000 };
static tn_tensor* shape_pairs[SHAPES][2];

static tn_error* make_shape_pairs(tn_ctx* cx) {
  static int64_t dims[SHAPES][4];
  static int ranks[SHAPES];
  if (shape_pairs[0][0]) return NULL;
  bench_different_shapes(dims, ranks, SHAPES);
  for (uint64_t i = SHAPES; i-- > 0;)
    for (uint64_t side = 2; side-- > 0;)
      TN_TRY(
          session_filled(cx, (uint32_t)ranks[i], dims[i], 2 * i + side, 1, &shape_pairs[i][side]));
  return NULL;
}

static tn_error* time_shapes(int64_t count, int64_t* out_ns) {
  tn_ctx* cx = NULL;
  tn_tensor* c = NULL;
  TN_TRY(session_get(&cx));
  TN_TRY(make_shape_pairs(cx));
  int next = 0;
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    TN_TRY(tn_add(cx, shape_pairs[next][0], shape_pairs[next][1], &c));
    tn_tensor_drop(cx, c);
    next = next + 1 == SHAPES ? 0 : next + 1;
  }
  TN_TRY(tn_ctx_synchronize(cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  return NULL;
}

static tn_error* shapes_value(double* values, int* n) {
  tn_ctx* cx = NULL;
  tn_tensor* c = NULL;
  double sum = 0;
  TN_TRY(session_get(&cx));
  TN_TRY(make_shape_pairs(cx));
  for (int i = 0; i < SHAPES; ++i) {
    double part[2];
    int k = 0;
    TN_TRY(tn_add(cx, shape_pairs[i][0], shape_pairs[i][1], &c));
    TN_TRY(session_push_sums(cx, c, part, &k));
    tn_tensor_drop(cx, c);
    sum += part[0];
  }
  values[(*n)++] = sum;
  return NULL;
}

enum { CHAIN = 16 };

/* Ten ops; the same chain stands in bench/peers/libtorch/dispatch.cpp. */
static tn_error* chain_loss(tn_ctx* cx, tn_tensor* a, tn_tensor* b, tn_tensor** out_loss) {
  tn_tensor *t = NULL, *u = NULL, *v = NULL, *w = NULL, *x = NULL;
  tn_tensor *y = NULL, *z = NULL, *p = NULL, *q = NULL;
  TN_TRY(tn_mul(cx, a, b, &t));
  TN_TRY(tn_add(cx, t, a, &u));
  TN_TRY(tn_tanh(cx, u, &v));
  TN_TRY(tn_mul(cx, v, b, &w));
  TN_TRY(tn_sub(cx, w, a, &x));
  TN_TRY(tn_exp(cx, x, &y));
  TN_TRY(tn_mul(cx, y, t, &z));
  TN_TRY(tn_add(cx, z, v, &p));
  TN_TRY(tn_mul(cx, p, p, &q));
  TN_TRY(tn_sum(cx, q, NULL, out_loss));
  tn_tensor* temporaries[] = {t, u, v, w, x, y, z, p, q};
  for (int i = 0; i < 9; ++i) tn_tensor_drop(cx, temporaries[i]);
  return NULL;
}

static tn_error* chain_leaves(tn_ctx* cx, tn_tensor* pair[2]) {
  const int64_t dims[] = {CHAIN};
  TN_TRY(session_filled(cx, 1, dims, 11, 2, &pair[0]));
  TN_TRY(session_filled(cx, 1, dims, 12, 2, &pair[1]));
  TN_TRY(session_leaf(cx, &pair[0]));
  return session_leaf(cx, &pair[1]);
}

static tn_error* time_chain(int64_t count, int64_t* out_ns) {
  tn_ctx* cx = NULL;
  tn_tensor *pair[2] = {NULL, NULL}, *grads[2] = {NULL, NULL}, *loss = NULL;
  TN_TRY(session_get(&cx));
  TN_TRY(chain_leaves(cx, pair));
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    TN_TRY(chain_loss(cx, pair[0], pair[1], &loss));
    TN_TRY(tn_vjp(cx, &loss, NULL, 1, pair, 2, 0, grads));
    tn_tensor_drop(cx, loss);
    drop_pair(cx, grads);
  }
  TN_TRY(tn_ctx_synchronize(cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  drop_pair(cx, pair);
  return NULL;
}

static tn_error* chain_values(double* values, int* n) {
  tn_ctx* cx = NULL;
  tn_tensor *pair[2] = {NULL, NULL}, *grads[2] = {NULL, NULL}, *loss = NULL;
  TN_TRY(session_get(&cx));
  TN_TRY(chain_leaves(cx, pair));
  TN_TRY(chain_loss(cx, pair[0], pair[1], &loss));
  TN_TRY(tn_tensor_item_f64(cx, loss, &values[(*n)++]));
  TN_TRY(tn_vjp(cx, &loss, NULL, 1, pair, 2, 0, grads));
  for (int i = 0; i < 2; ++i) TN_TRY(session_push_sums(cx, grads[i], values, n));
  tn_tensor_drop(cx, loss);
  drop_pair(cx, grads);
  drop_pair(cx, pair);
  return NULL;
}

/* The chain and its gradients as a program of two inputs: loss, then the gradients. */
static tn_error* chain_program(tn_ctx* cx, tn_program** out_program) {
  const int64_t dims[] = {CHAIN};
  tn_tensor *pair[2] = {NULL, NULL}, *results[3] = {NULL, NULL, NULL};
  TN_TRY(tn_capture_begin(cx, tn_string("chain")));
  TN_TRY(tn_capture_input(cx, tn_string("a"), TN_DTYPE_F32, 1, dims, NULL, &pair[0]));
  TN_TRY(tn_capture_input(cx, tn_string("b"), TN_DTYPE_F32, 1, dims, NULL, &pair[1]));
  for (int i = 0; i < 2; ++i) TN_TRY(session_leaf(cx, &pair[i]));
  TN_TRY(chain_loss(cx, pair[0], pair[1], &results[0]));
  TN_TRY(tn_vjp(cx, results, NULL, 1, pair, 2, 0, results + 1));
  TN_TRY(tn_capture_end(cx, results, 3, out_program));
  drop_pair(cx, pair);
  for (int i = 0; i < 3; ++i) tn_tensor_drop(cx, results[i]);
  return NULL;
}

static tn_error* time_program(int64_t count, int64_t* out_ns) {
  static tn_program* program;
  tn_ctx* cx = NULL;
  tn_tensor *pair[2] = {NULL, NULL}, *results[3];
  uint32_t n = 0;
  TN_TRY(session_get(&cx));
  TN_TRY(chain_leaves(cx, pair));
  if (!program) TN_TRY(chain_program(cx, &program));
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    TN_TRY(tn_program_run(cx, program, pair, 2, results, 3, &n));
    for (int k = 0; k < 3; ++k) tn_tensor_drop(cx, results[k]);
  }
  TN_TRY(tn_ctx_synchronize(cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  drop_pair(cx, pair);
  return NULL;
}

static tn_error* program_values(double* values, int* n) {
  tn_ctx* cx = NULL;
  tn_program* program = NULL;
  tn_tensor *pair[2] = {NULL, NULL}, *results[3];
  uint32_t got = 0;
  TN_TRY(session_get(&cx));
  TN_TRY(chain_leaves(cx, pair));
  TN_TRY(chain_program(cx, &program));
  TN_TRY(tn_program_run(cx, program, pair, 2, results, 3, &got));
  TN_TRY(tn_tensor_item_f64(cx, results[0], &values[(*n)++]));
  for (int k = 1; k < 3; ++k) TN_TRY(session_push_sums(cx, results[k], values, n));
  for (int k = 0; k < 3; ++k) tn_tensor_drop(cx, results[k]);
  tn_program_release(program);
  drop_pair(cx, pair);
  return NULL;
}

static tn_error* square_pair(tn_ctx* cx, int64_t size, tn_tensor* pair[2]) {
  const int64_t dims[] = {size, size};
  TN_TRY(session_filled(cx, 2, dims, 21, 2, &pair[0]));
  return session_filled(cx, 2, dims, 22, 2, &pair[1]);
}

static tn_error* time_matmul(int64_t size, int64_t count, int64_t* out_ns) {
  tn_ctx* cx = NULL;
  tn_tensor *pair[2] = {NULL, NULL}, *c = NULL;
  TN_TRY(session_get(&cx));
  TN_TRY(square_pair(cx, size, pair));
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) {
    TN_TRY(tn_matmul(cx, pair[0], pair[1], NULL, &c));
    tn_tensor_drop(cx, c);
  }
  TN_TRY(tn_ctx_synchronize(cx, TN_FOREVER));
  *out_ns = bench_now_ns() - start;
  drop_pair(cx, pair);
  return NULL;
}

static tn_error* matmul_values(int64_t size, double* values, int* n) {
  tn_ctx* cx = NULL;
  tn_tensor *pair[2] = {NULL, NULL}, *c = NULL;
  TN_TRY(session_get(&cx));
  TN_TRY(square_pair(cx, size, pair));
  TN_TRY(tn_matmul(cx, pair[0], pair[1], NULL, &c));
  TN_TRY(session_push_sums(cx, c, values, n));
  tn_tensor_drop(cx, c);
  drop_pair(cx, pair);
  return NULL;
}

static const char* run_add(int64_t recorded, int64_t count, int64_t* out_ns) {
  return session_message(time_add(recorded, count, out_ns));
}
static const char* check_add(int64_t recorded, double* values, int* n) {
  (void)recorded;
  return session_message(add_value(values, n));
}
static const char* run_shapes(int64_t arg, int64_t count, int64_t* out_ns) {
  (void)arg;
  return session_message(time_shapes(count, out_ns));
}
static const char* check_shapes(int64_t arg, double* values, int* n) {
  (void)arg;
  return session_message(shapes_value(values, n));
}
static const char* run_chain(int64_t arg, int64_t count, int64_t* out_ns) {
  (void)arg;
  return session_message(time_chain(count, out_ns));
}
static const char* check_chain(int64_t arg, double* values, int* n) {
  (void)arg;
  return session_message(chain_values(values, n));
}
static const char* run_program(int64_t arg, int64_t count, int64_t* out_ns) {
  (void)arg;
  return session_message(time_program(count, out_ns));
}
static const char* check_program(int64_t arg, double* values, int* n) {
  (void)arg;
  return session_message(program_values(values, n));
}
static const char* run_matmul(int64_t size, int64_t count, int64_t* out_ns) {
  return session_message(time_matmul(size, count, out_ns));
}
static const char* check_matmul(int64_t size, double* values, int* n) {
  return session_message(matmul_values(size, values, n));
}

const bench_case dispatch_cases[] = {
    {"D1/new", 0, NULL, run_add, check_add},       {"D1/shapes", 0, NULL, run_shapes, check_shapes},
    {"D2", 1, NULL, run_add, check_add},           {"D4", 0, NULL, run_chain, check_chain},
    {"D5", 0, NULL, run_program, check_program},   {"D6/8", 8, NULL, run_matmul, check_matmul},
    {"D6/16", 16, NULL, run_matmul, check_matmul}, {"D6/32", 32, NULL, run_matmul, check_matmul},
    {"D6/64", 64, NULL, run_matmul, check_matmul},
};
const int dispatch_case_count = sizeof dispatch_cases / sizeof *dispatch_cases;
