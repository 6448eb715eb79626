/* The worker's side of the bench protocol: one line in, one line out. Header-only, C11 and C++20.
 *
 *   list             > list D1 D2 ...          the cases this worker has
 *   prepare CASE     > ok SECONDS              set-up outside the timing (compilation, warm state)
 *   run CASE COUNT   > ns NANOSECONDS          per iteration, timed inside the worker
 *   check CASE       > values V V V ...        numbers that the other side must reproduce
 *   memory           > memory BYTES            allocator's own peak; 0 where it keeps none
 *   about            > about TEXT              what this side is and how it is set
 *   quit
 *
 * A reply starts with "> ", so whatever else a library prints on stdout is ignored by the reader.
 * A failure is "> error TEXT" and the worker goes on. */
#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* clock_gettime: include this header first */
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_CHECK_MAX 64

typedef struct bench_case {
  const char* id;
  int64_t arg; /* tells cases apart that share their functions */
  /* Returns NULL or a message that stays valid until the next call. May be NULL. */
  const char* (*prepare)(int64_t arg);
  /* Runs `count` iterations, stores their total duration in nanoseconds. */
  const char* (*run)(int64_t arg, int64_t count, int64_t* out_ns);
  /* Fills at most BENCH_CHECK_MAX values. May be NULL. */
  const char* (*check)(int64_t arg, double* out_values, int* out_n);
} bench_case;

typedef struct bench_worker {
  const char* about;
  const bench_case* cases;
  int case_count;
  int64_t (*peak_bytes)(void); /* may be NULL */
} bench_worker;

static inline int64_t bench_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline const bench_case* bench_find(const bench_worker* w, const char* id) {
  for (int i = 0; i < w->case_count; ++i)
    if (strcmp(w->cases[i].id, id) == 0) return &w->cases[i];
  return NULL;
}

static inline const char* bench_answer_run(const bench_case* c, int64_t count) {
  int64_t ns = 0;
  const char* error = c->run(c->arg, count, &ns);
  if (!error) printf("> ns %.6f\n", (double)ns / (double)count);
  return error;
}

static inline const char* bench_answer_check(const bench_case* c) {
  double values[BENCH_CHECK_MAX];
  int n = 0;
  const char* error = c->check ? c->check(c->arg, values, &n) : NULL;
  if (error) return error;
  printf("> values");
  for (int i = 0; i < n; ++i) printf(" %.17g", values[i]);
  printf("\n");
  return NULL;
}

static inline const char* bench_answer_prepare(const bench_case* c) {
  int64_t start = bench_now_ns();
  const char* error = c->prepare ? c->prepare(c->arg) : NULL;
  if (!error) printf("> ok %.6f\n", (double)(bench_now_ns() - start) * 1e-9);
  return error;
}

static inline const char* bench_answer(const bench_worker* w, const char* verb, const char* id,
                                       int64_t count) {
  if (strcmp(verb, "list") == 0) {
    printf("> list");
    for (int i = 0; i < w->case_count; ++i) printf(" %s", w->cases[i].id);
    printf("\n");
    return NULL;
  }
  if (strcmp(verb, "about") == 0) {
    printf("> about %s\n", w->about);
    return NULL;
  }
  if (strcmp(verb, "memory") == 0) {
    printf("> memory %lld\n", (long long)(w->peak_bytes ? w->peak_bytes() : 0));
    return NULL;
  }
  const bench_case* c = bench_find(w, id);
  if (!c) return "no such case";
  if (strcmp(verb, "prepare") == 0) return bench_answer_prepare(c);
  if (strcmp(verb, "check") == 0) return bench_answer_check(c);
  if (strcmp(verb, "run") == 0)
    return count > 0 ? bench_answer_run(c, count) : "count must be positive";
  return "no such command";
}

/* Answers until stdin ends or "quit" comes. Returns the exit code. */
static inline int bench_serve(const bench_worker* w) {
  char line[256];
  while (fgets(line, sizeof line, stdin)) {
    char verb[32] = "", id[64] = "";
    long long count = 0;
    sscanf(line, "%31s %63s %lld", verb, id, &count);
    if (strcmp(verb, "quit") == 0) break;
    const char* error = bench_answer(w, verb, id, count);
    if (error) printf("> error %s\n", error);
    fflush(stdout);
  }
  return 0;
}

#endif
