/* What the machine can do at most, on argv[1] threads (default 2), as one JSON object on stdout:
 * f32 multiply-adds in registers, products of AMX tiles in bf16 and int8 where the processor and the
 * kernel have them (a multiply and an add count as two), and over arrays that fit no cache a[i] = b[i] + c[i] with plain and
 * with non-temporal stores, a[i] += b[i], and a sum. Bytes are those the program asks for: three
 * floats an element, one for the sum. Each figure is the best of several bursts.
 *
 * With a second argument "pace": for each line on stdin the nanoseconds of a burst of a third of a millisecond, tiles or else
 * multiply-adds, of the slowest of the threads, each on a processor of its own. What a burst takes in excess of the least of many is
 * what others take of the machine. */
#define _GNU_SOURCE /* syscall, sched_setaffinity */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#define X86 1
#else
#define X86 0
#endif
#if defined(__linux__)
#include <sched.h>
#endif
#if X86 && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#define TILES 1
#else
#define TILES 0
#endif

enum {
  MAX_THREADS = 64,
  BURSTS = 7,
  STREAM_FLOATS = 16 << 20,
  FMA_LOOPS = 2000000,
  TILE_LOOPS = 200000,
  PACE_PART = 20,    /* of these loops one in so many */
  TILE_PRODUCTS = 6, /* of one loop: as many sums as the registers hold beside two factors */
  TILE_BYTES = 1024
};

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- multiply-adds: 12 independent chains hide the latency of two units, 16 of three or four -----
 * With two factors they fit the registers: 16 of AVX2 and SSE, 32 elsewhere. */

/* A body per vector width: GCC and clang contract a * b + c where the target has the instruction. */
#define FMA_FUNCTION(name, bytes, chains, attribute)                   \
  typedef float name##_vector __attribute__((vector_size(bytes)));     \
  attribute static double name(long loops) {                           \
    name##_vector acc[chains], scale, step;                            \
    for (int i = 0; i < (int)(bytes / sizeof(float)); ++i) {           \
      scale[i] = 0.999f;                                               \
      step[i] = 0.001f;                                                \
    }                                                                  \
    for (int k = 0; k < chains; ++k) acc[k] = scale;                   \
    for (long i = 0; i < loops; ++i)                                   \
      for (int k = 0; k < chains; ++k) acc[k] = acc[k] * scale + step; \
    double sum = 0;                                                    \
    for (int k = 0; k < chains; ++k) sum += (double)acc[k][0];         \
    return sum;                                                        \
  }

#if X86
enum { CHAINS_AVX512 = 16, CHAINS_AVX2 = 12, CHAINS_PORTABLE = 12 };
FMA_FUNCTION(fma_avx512, 64, CHAINS_AVX512, __attribute__((target("avx512f"))))
FMA_FUNCTION(fma_avx2, 32, CHAINS_AVX2, __attribute__((target("avx2,fma"))))
#else
enum { CHAINS_PORTABLE = 16 };
#endif
FMA_FUNCTION(fma_portable, 16, CHAINS_PORTABLE, )

typedef struct fma_choice {
  double (*run)(long loops);
  int lanes, chains;
  const char* name;
} fma_choice;

static fma_choice choose_fma(void) {
#if X86
  if (__builtin_cpu_supports("avx512f"))
    return (fma_choice){fma_avx512, 16, CHAINS_AVX512, "avx512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return (fma_choice){fma_avx2, 8, CHAINS_AVX2, "avx2"};
#endif
  return (fma_choice){fma_portable, 4, CHAINS_PORTABLE, "portable"};
}

/* ---- tiles -------------------------------------------------------------------------------------- */

#if TILES
/* Linux hands out the tile registers on request, for the whole process. Bits of the leaf 7. */
static unsigned tile_features(void) {
  const unsigned tile = 1u << 24;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & tile)) return 0;
  const long request_permission = 0x1023, tile_data = 18; /* ARCH_REQ_XCOMP_PERM */
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0 ? d : 0;
}

/* Palette 1; from byte 16 on the bytes of a row of each register, from 48 on its rows. */
static const unsigned char tile_config[64] = {
    [0] = 1,   [16] = 64, [18] = 64, [20] = 64, [22] = 64, [24] = 64,
    [26] = 64, [28] = 64, [30] = 64, [48] = 16, [49] = 16, [50] = 16,
    [51] = 16, [52] = 16, [53] = 16, [54] = 16, [55] = 16};

/* Products of full tiles, 16 rows of 64 bytes: six independent sums hide the latency of the unit. */
#define TILE_FUNCTION(name, product, attribute)                 \
  attribute static void name(long loops, const void* factors) { \
    _tile_loadconfig(tile_config);                              \
    _tile_loadd(6, factors, 64);                                \
    _tile_loadd(7, (const char*)factors + TILE_BYTES, 64);      \
    _tile_zero(0);                                              \
    _tile_zero(1);                                              \
    _tile_zero(2);                                              \
    _tile_zero(3);                                              \
    _tile_zero(4);                                              \
    _tile_zero(5);                                              \
    for (long i = 0; i < loops; ++i) {                          \
      product(0, 6, 7);                                         \
      product(1, 6, 7);                                         \
      product(2, 6, 7);                                         \
      product(3, 6, 7);                                         \
      product(4, 6, 7);                                         \
      product(5, 6, 7);                                         \
    }                                                           \
    _tile_release();                                            \
  }

TILE_FUNCTION(tiles_bf16, _tile_dpbf16ps, __attribute__((target("amx-tile,amx-bf16"))))
TILE_FUNCTION(tiles_int8, _tile_dpbssd, __attribute__((target("amx-tile,amx-int8"))))
#endif

/* ---- stream ------------------------------------------------------------------------------------ */

static void update(float* a, const float* b, size_t n) {
  for (size_t i = 0; i < n; ++i) a[i] += b[i];
}

static double read_all(const float* b, size_t n) {
  uint32_t sum = 0;
  for (size_t i = 0; i < n; ++i) {
    uint32_t bits;
    memcpy(&bits, b + i, sizeof bits);
    sum += bits;
  }
  return sum;
}

static void add_plain(float* a, const float* b, const float* c, size_t n) {
  for (size_t i = 0; i < n; ++i) a[i] = b[i] + c[i];
}

#if X86
static void add_streaming(float* a, const float* b, const float* c, size_t n) {
  for (size_t i = 0; i + 4 <= n; i += 4)
    _mm_stream_ps(a + i, _mm_add_ps(_mm_loadu_ps(b + i), _mm_loadu_ps(c + i)));
  _mm_sfence();
}
#endif

/* ---- threads ----------------------------------------------------------------------------------- */

typedef enum job {
  JOB_FMA,
  JOB_BF16,
  JOB_INT8,
  JOB_PLAIN,
  JOB_STREAMING,
  JOB_UPDATE,
  JOB_READ,
  JOB_PACE
} job;

typedef struct worker {
  pthread_t thread;
  job what;
  fma_choice fma;
  float *a, *b, *c;
  size_t n;
  double result;
  int index, tiles; /* of the thread; whether there are any in bf16 */
} worker;

/* The i-th of the processors that this process may run on. */
static void stay_on_processor(int i) {
#if defined(__linux__)
  cpu_set_t all, one;
  if (sched_getaffinity(0, sizeof all, &all)) return;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &all) || i-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
#else
  (void)i;
#endif
}

/* Nanoseconds of a short burst. */
static double pace(const worker* w) {
  stay_on_processor(w->index);
  const double start = seconds();
#if TILES
  if (w->tiles) {
    tiles_bf16(TILE_LOOPS / PACE_PART, w->b);
    return (seconds() - start) * 1e9;
  }
#endif
  volatile double sum = w->fma.run(FMA_LOOPS / PACE_PART);
  (void)sum;
  return (seconds() - start) * 1e9;
}

static void* work(void* argument) {
  worker* w = (worker*)argument;
  if (w->what == JOB_FMA) w->result = w->fma.run(FMA_LOOPS);
  if (w->what == JOB_PLAIN) add_plain(w->a, w->b, w->c, w->n);
  if (w->what == JOB_UPDATE) update(w->a, w->b, w->n);
  if (w->what == JOB_READ) w->result = read_all(w->b, w->n);
  if (w->what == JOB_PACE) w->result = pace(w);
#if X86
  if (w->what == JOB_STREAMING) add_streaming(w->a, w->b, w->c, w->n);
#endif
#if TILES
  if (w->what == JOB_BF16) tiles_bf16(TILE_LOOPS, w->b);
  if (w->what == JOB_INT8) tiles_int8(TILE_LOOPS, w->b);
#endif
  return NULL;
}

/* Of one pass over all threads. */
static double pass(worker* workers, int threads, job what) {
  const double start = seconds();
  for (int i = 0; i < threads; ++i) {
    workers[i].what = what;
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) exit(1);
  }
  for (int i = 0; i < threads; ++i) pthread_join(workers[i].thread, NULL);
  return seconds() - start;
}

static double best_pass(worker* workers, int threads, job what) {
  double best = 1e9;
  for (int burst = 0; burst < BURSTS; ++burst) {
    const double took = pass(workers, threads, what);
    if (took < best) best = took;
  }
  return best;
}

static void serve_pace(worker* workers, int threads) {
  for (int c; (c = getchar()) != EOF;) {
    if (c != '\n') continue;
    double slowest = 0;
    pass(workers, threads, JOB_PACE);
    for (int i = 0; i < threads; ++i)
      if (workers[i].result > slowest) slowest = workers[i].result;
    printf("%.0f\n", slowest);
    fflush(stdout);
  }
}

/* Of tiles: 16 x 16 sums of 32 products in bf16 or of 64 in int8. */
static void print_tiles(worker* workers, int threads) {
#if TILES
  const unsigned features = tile_features(), bf16 = 1u << 22, int8 = 1u << 25;
  const double sums = 2.0 * 16 * 16 * TILE_PRODUCTS * TILE_LOOPS * threads * 1e-9;
  if (features & bf16)
    printf(", \"amx_bf16_gflops\": %.0f", 32 * sums / best_pass(workers, threads, JOB_BF16));
  if (features & int8)
    printf(", \"amx_int8_gops\": %.0f", 64 * sums / best_pass(workers, threads, JOB_INT8));
#else
  (void)workers, (void)threads;
#endif
}

int main(int argc, char** argv) {
  static worker workers[MAX_THREADS];
  int threads = argc > 1 ? atoi(argv[1]) : 2;
  if (threads < 1 || threads > MAX_THREADS) threads = 1;
  const int paced = argc > 2 && strcmp(argv[2], "pace") == 0;
  const size_t floats = paced ? (size_t)threads * 4096 : STREAM_FLOATS,
               bytes = floats * sizeof(float);
  float* arrays[3];
  for (int i = 0; i < 3; ++i) {
    if (posix_memalign((void**)&arrays[i], 4096, bytes)) return 1;
    memset(arrays[i], 0, bytes);
  }
  const size_t share = floats / (size_t)threads / 16 * 16;
  for (int i = 0; i < threads; ++i) {
    workers[i].index = i;
    workers[i].fma = choose_fma();
#if TILES
    workers[i].tiles = (tile_features() & 1u << 22) != 0;
#endif
    workers[i].a = arrays[0] + share * (size_t)i;
    workers[i].b = arrays[1] + share * (size_t)i;
    workers[i].c = arrays[2] + share * (size_t)i;
    workers[i].n = share;
  }
  if (paced) {
    serve_pace(workers, threads);
    return 0;
  }
  const fma_choice fma = workers[0].fma;
  const double flop = 2.0 * fma.chains * fma.lanes * FMA_LOOPS * threads;
  const double moved = 3.0 * (double)(share * sizeof(float)) * threads;
  printf("{\"threads\": %d, \"isa\": \"%s\"", threads, fma.name);
  printf(", \"fma_gflops\": %.1f", flop / best_pass(workers, threads, JOB_FMA) * 1e-9);
  print_tiles(workers, threads);
  printf(", \"stream_gbs\": %.1f", moved / best_pass(workers, threads, JOB_PLAIN) * 1e-9);
  if (X86)
    printf(", \"stream_nt_gbs\": %.1f", moved / best_pass(workers, threads, JOB_STREAMING) * 1e-9);
  printf(", \"update_gbs\": %.1f", moved / best_pass(workers, threads, JOB_UPDATE) * 1e-9);
  printf(", \"read_gbs\": %.1f", moved / 3 / best_pass(workers, threads, JOB_READ) * 1e-9);
  printf("}\n");
  return 0;
}
