/* Our side of the bench: what its files share. */
#ifndef BENCH_TENON_SESSION_H
#define BENCH_TENON_SESSION_H

#include "../common/serve.h"

#include <tenon/tenon.h>

#include "../common/fill.h"

/* The one runtime and context of the worker, on the device that TENON_DEVICE names, else the cpu.
 * Made at the first call. Borrowed. */
tn_error* session_get(tn_ctx** out_cx);
void session_close(void);

/* The error's message, which is released, or NULL for NULL. Valid until the next call. */
const char* session_message(tn_error* error);

/* Prepares a case whose memory is measured: the library is up and has run its first op. */
const char* session_idle(int64_t arg);

/* f32 tensor with the bench's reproducible values. */
tn_error* session_filled(tn_ctx* cx, uint32_t rank, const int64_t* dims, uint64_t seed, float scale,
                         tn_tensor** out_tensor);
/* Appends the sum and the sum of magnitudes of an f32 tensor, added up in double. */
tn_error* session_push_sums(tn_ctx* cx, tn_tensor* tensor, double* values, int* n);
/* Appends one number: the sum of magnitudes over all of the variables. */
tn_error* session_push_sizes(tn_ctx* cx, tn_variable* const* variables, int count, double* values,
                             int* n);

/* Replaces a tensor by a leaf of the same value. */
tn_error* session_leaf(tn_ctx* cx, tn_tensor** tensor);

/* What a program computes: borrows its inputs, which belong to the capture. */
typedef tn_error* (*session_body)(void* model, tn_tensor* const* inputs, tn_tensor** out_result);
/* Captures one call of `body` with inputs of the dtypes and sizes of `like`: a program of one result. */
tn_error* session_capture(tn_ctx* cx, session_body body, void* model, tn_tensor* const* like,
                          uint32_t n, tn_program** out_program);

/* The cases of each file. */
extern const bench_case attention_cases[];
extern const int attention_case_count;
extern const bench_case conv_cases[];
extern const int conv_case_count;
extern const bench_case eager_cases[];
extern const int eager_case_count;
extern const bench_case elementwise_cases[];
extern const int elementwise_case_count;
extern const bench_case dispatch_cases[];
extern const int dispatch_case_count;
extern const bench_case matmul_cases[];
extern const int matmul_case_count;
extern const bench_case training_cases[];
extern const int training_case_count;
extern const bench_case recurrent_cases[];
extern const int recurrent_case_count;
extern const bench_case resnet_cases[];
extern const int resnet_case_count;
extern const bench_case gpt_cases[];
extern const int gpt_case_count;
extern const bench_case optimizer_cases[];
extern const int optimizer_case_count;
extern const bench_case file_cases[];
extern const int file_case_count;
extern const bench_case thread_cases[];
extern const int thread_case_count;

#endif
