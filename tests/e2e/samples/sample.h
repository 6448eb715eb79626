/* A program of samples/ as captured_samples_test.cpp runs it: a file of this folder includes the program itself, whose main() nobody
 * calls, and has its functions behind one table. */
#ifndef TENON_TESTS_E2E_SAMPLE_H_
#define TENON_TESTS_E2E_SAMPLE_H_
#include <stdio.h>
#include <stdlib.h>
#include <tenon/tenon.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct Sample {
  const char* file;   /* in samples/ */
  const char* device; /* the one that it is for; NULL: any */
  uint32_t steps, inputs, outputs;
  int any_size; /* captured with a symbol for the first size of each input */
  /* On this device; *out_ctx is lent. */
  tn_error* (*start)(const char* device, tn_ctx** out_ctx);
  /* The inputs of this step, and what else is done before it. NULL: none. */
  tn_error* (*before)(uint32_t step, tn_tensor** out_inputs);
  /* What is compared: by calls, or within a capture. */
  tn_error* (*compute)(tn_tensor* const* inputs, tn_tensor** outputs);
  /* The next one to compare, lent; NULL after the last. */
  tn_variable* (*variable)(uint32_t k);
  /* The program that the sample captured itself. NULL: compute is captured. */
  tn_program* (*program)(void);
  void (*stop)(void);
} Sample;

/* The runtime of the test. Samples that make one get this. */
extern tn_runtime* sample_runtime;

#ifdef __cplusplus
}
#endif

#define tn_runtime_create(desc, out) \
  ((void)(desc), *(out) = tn_runtime_retain(sample_runtime), (tn_error*)NULL)
#ifndef __cplusplus
/* Host reads for print alone, which a capture refuses. */
#define tn_tensor_format(tensor, options, text, size) (*(text) = '\0', (tn_error*)NULL)
#define puts(text) ((void)(text))
#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* main() under its new name */
#endif

#endif
