#include "sum_bytes.h"

#include <pthread.h>
#include <string.h>

enum { MAX_THREADS = 64, BLOCK_WORDS = 128 };

/* Eight bytes at a time: even and odd bytes go into 16-bit lanes, which 128 words cannot overflow. */
static uint64_t sum_range(const unsigned char* p, uint64_t n) {
  const uint64_t low = 0x00ff00ff00ff00ffu;
  uint64_t sum = 0;
  while (n >= sizeof(uint64_t) * BLOCK_WORDS) {
    uint64_t even = 0, odd = 0;
    for (int i = 0; i < BLOCK_WORDS; ++i) {
      uint64_t word;
      memcpy(&word, p + sizeof word * (uint64_t)i, sizeof word);
      even += word & low;
      odd += (word >> 8) & low;
    }
    for (int lane = 0; lane < 64; lane += 16)
      sum += ((even >> lane) & 0xffff) + ((odd >> lane) & 0xffff);
    p += sizeof(uint64_t) * BLOCK_WORDS;
    n -= sizeof(uint64_t) * BLOCK_WORDS;
  }
  while (n--) sum += *p++;
  return sum;
}

typedef struct part {
  pthread_t thread;
  const unsigned char* data;
  uint64_t n;
  uint64_t sum;
} part;

static void* run_part(void* argument) {
  part* p = (part*)argument;
  p->sum = sum_range(p->data, p->n);
  return NULL;
}

uint64_t bench_sum_bytes(const void* data, uint64_t n, int threads) {
  part parts[MAX_THREADS];
  const int count = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
  const uint64_t share = n / (uint64_t)count;
  int started = 0;
  uint64_t sum = 0;
  for (int i = 0; i < count; ++i) {
    parts[i].data = (const unsigned char*)data + share * (uint64_t)i;
    parts[i].n = i == count - 1 ? n - share * (uint64_t)i : share;
  }
  /* The caller takes what no thread could be started for, the last part in any case. */
  while (started < count - 1 &&
         pthread_create(&parts[started].thread, NULL, run_part, &parts[started]) == 0)
    ++started;
  for (int i = started; i < count; ++i) run_part(&parts[i]);
  for (int i = 0; i < started; ++i) pthread_join(parts[i].thread, NULL);
  for (int i = 0; i < count; ++i) sum += parts[i].sum;
  return sum;
}
