/* S1: the work that both sides do on what they loaded. C11. */
#ifndef BENCH_SUM_BYTES_H
#define BENCH_SUM_BYTES_H

#include <stdint.h>

/* The sum of `n` bytes, each taken as a number from 0 to 255, on `threads` threads (at least 1).
 * Also built as a shared library, which the Python peers call. */
__attribute__((visibility("default"))) uint64_t bench_sum_bytes(const void* data, uint64_t n,
                                                                int threads);

#endif
