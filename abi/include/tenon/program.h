/* Tenon: programs. Between begin and end a context records the ops that are called instead of running them: forward,
 * gradients, optimizer steps and assignments together. What comes out is a program, prepared once for each set of input sizes
 * and then run as often as wanted, in one arena.
 *
 *   tn_capture_begin(cx, tn_string("step"));
 *   tn_capture_input(cx, tn_string("x"), TN_DTYPE_F32, 2, (int64_t[]){TN_DIM_ANY, 784}, (tn_str[]){"batch"}, &x);
 *   ... tn_matmul, tn_grad, tn_optimizer_step ...
 *   tn_capture_end(cx, &loss, 1, &program);
 *   tn_program_run(cx, program, &batch, 1, &result, 1, &n);
 */
#ifndef TENON_PROGRAM_H_
#define TENON_PROGRAM_H_
#include "autograd.h"
TN_EXTERN_C_BEGIN

/* Immutable; any thread. Holds the variables and optimizers that it uses. */
typedef struct tn_program tn_program;

/* ---- capture ------------------------------------------------------------------------------------------------------- */

/* A size that is known only when the program runs. */
#define TN_DIM_ANY (-1)

/* From here on this context records, until tn_capture_end or tn_capture_abort. Captures do not nest. `name` is for messages.
 * What is recorded: every op with an operand of the capture, every op without tensors (fill, arange ...) and every random one.
 * Ops over tensors from before run at once: their results are constants of the program.
 * tn_variable_take gives the value that the variable has when the program runs, or what the capture assigned to it;
 * tn_variable_assign and tn_optimizer_step take effect at the end of each run. Random numbers are drawn anew in each run, from the
 * state of the context that runs the program.
 * What needs elements cannot be recorded and fails with FAILED_PRECONDITION: tn_tensor_read, tn_tensor_item_*, tn_tensor_to, saving,
 * DLPack, and ops whose result size depends on data (nonzero and unique without max_size). */
TN_API tn_error* TN_CALL tn_capture_begin(tn_ctx* ctx, tn_str name);

/* The next input of the program, on the context's device. dims[i] >= 0: that size; TN_DIM_ANY: one known at run time, named
 * symbols[i]; equal names are equal sizes, an empty name (or symbols NULL) is a size of its own. tn_tensor_dims of what is computed
 * from it shows such sizes as tokens below -2^61, good for the dims attributes of further ops in this capture, starts and stops of
 * slices among them, and nothing else; tn_tensor_count gives -1. Where an op does something else at the sizes of a run than it did for
 * their symbols (squeeze without axes leaves out a size of 1), the run fails with INVALID_ARGUMENT. */
TN_API tn_error* TN_CALL tn_capture_input(tn_ctx* ctx, tn_str name, tn_dtype dtype, uint32_t rank,
                                          const int64_t* dims, const tn_str* symbols,
                                          tn_tensor** out_tensor);

/* The program under way may use at most so many bytes for what lies between its steps ("arena_bytes" of tn_program_cost; outputs, new values of
 * variables and constants are not in it); 0, as at first: as many as it takes. What is needed late may then be given up and computed again right
 * before, with the same bits, random numbers included; that takes time, which "recomputed_steps" and "recomputed_flop" show. Where that is
 * not enough, running the program, or asking for its cost, fails with OUT_OF_MEMORY, whose message says what it came down to. A
 * program that is run in a capture, a branch or a loop has no budget there: it is the outer program's that counts, for the whole.
 * UNIMPLEMENTED where a device places memory itself (TN_DEVICE_VALUES). */
TN_API tn_error* TN_CALL tn_capture_set_memory_budget(tn_ctx* ctx, uint64_t bytes);

/* Ends the capture, on success. Tensors of the capture are of no more use, but must be released. Output i of a run is what outputs[i]
 * stands for. */
TN_API tn_error* TN_CALL tn_capture_end(tn_ctx* ctx, tn_tensor* const* outputs, uint32_t n_outputs,
                                        tn_program** out_program);
/* Ends it without a program; nothing where there is none. Variables and optimizers are as they were. */
TN_API void TN_CALL tn_capture_abort(tn_ctx* ctx);

/* ---- control flow -------------------------------------------------------------------------------------------------- */

/* Branches and loops over programs that were captured before, for the device of the context. They may read variables and constants, not assign
 * to variables, step optimizers or draw random numbers (FAILED_PRECONDITION). Outside of a capture the host decides and waits for conditions; in
 * one the whole is one op. Gradients flow through inputs and variables by the ops of the body alone (no custom gradients, no hooks, none through
 * what was recorded with grad mode off; in a capture zero for what the body does not use). inputs and outputs as in tn_program_run. */

/* `then` where condition (bool, rank 0) is true, else `otherwise`, over the same inputs. Both give the same number of outputs; in a
 * capture also of the same dtypes and dims. */
TN_API tn_error* TN_CALL tn_program_if(tn_ctx* ctx, tn_tensor* condition, tn_program* then,
                                       tn_program* otherwise, tn_tensor* const* inputs, uint32_t n,
                                       tn_tensor** outputs, uint32_t capacity, uint32_t* out_n);
/* While `condition` gives true, the outputs of `body` take the place of the first inputs; the others stay. Both programs take all inputs;
 * the condition gives a bool of rank 0. At most max_steps times; -1: without a bound, and then in a capture without gradients
 * (FAILED_PRECONDITION). With a bound and gradients a captured loop takes the time and memory of max_steps steps. */
TN_API tn_error* TN_CALL tn_program_while(tn_ctx* ctx, tn_program* condition, tn_program* body,
                                          int64_t max_steps, tn_tensor* const* inputs, uint32_t n,
                                          tn_tensor** outputs, uint32_t capacity, uint32_t* out_n);

typedef struct tn_scan_options {
  uint32_t struct_size;
  uint32_t carry_count;    /* of the first inputs, and of the body's first outputs */
  uint32_t sequence_count; /* of the inputs after them: [length, ...] each */
  int32_t reverse;         /* 1: from the last element to the first */
  int64_t length;          /* how many steps, where there is no sequence; else not read */
} tn_scan_options;
/* One carry, one sequence. */
TN_INLINE tn_scan_options tn_scan_options_init(void) {
  tn_scan_options o;
  o.struct_size = (uint32_t)sizeof o, o.carry_count = 1, o.sequence_count = 1, o.reverse = 0,
  o.length = -1;
  return o;
}
/* For each element of the sequences: (carries, elements, the inputs after them) through `body` to (carries, elements). outputs: the last
 * carries, then the elements stacked, [length, ...]. Carries keep dtype and dims. */
TN_API tn_error* TN_CALL tn_program_scan(tn_ctx* ctx, tn_program* body,
                                         const tn_scan_options* options, tn_tensor* const* inputs,
                                         uint32_t n, tn_tensor** outputs, uint32_t capacity,
                                         uint32_t* out_n);

/* ---- programs ------------------------------------------------------------------------------------------------------ */

TN_API tn_program* TN_CALL tn_program_retain(tn_program* program); /* NULL is fine and gives NULL */
TN_API void TN_CALL tn_program_release(tn_program* program);

/* Runs it. inputs: as declared, in that order, on the program's device. outputs: `capacity` slots, of which *out_n are filled; each is
 * the caller's and is never written again. A run for sizes not seen before prepares the program for them first. For inputs of other dtypes
 * than it was captured for its ops are called once more on those, and results are of the dtypes that the ops promote to; a program that
 * assigns to variables takes floating dtypes as captured. INVALID_ARGUMENT where an op takes no such operand, FAILED_PRECONDITION past
 * 32 sets of dtypes. Several threads may
 * run one program at once, each with a context of its own; those that assign to variables take turns. When it fails before anything
 * was computed, variables, optimizers and the random state are as they were; what a kernel that failed was writing over is lost, by name:
 * reading it gives that error until it is assigned again. Not recorded for gradients; but in a capture its ops are
 * recorded as if they had been called there, and so are their gradients. */
TN_API tn_error* TN_CALL tn_program_run(tn_ctx* ctx, tn_program* program, tn_tensor* const* inputs,
                                        uint32_t n_inputs, tn_tensor** outputs, uint32_t capacity,
                                        uint32_t* out_n);

typedef struct tn_program_info {
  uint32_t struct_size;
  uint32_t input_count;
  uint32_t output_count;
  uint32_t variable_count; /* read or assigned */
  uint32_t op_count;       /* recorded ops that are needed */
  uint32_t prepared_count; /* sets of input sizes and dtypes that it is prepared for */
  tn_str name;             /* lent */
  tn_str device;           /* lent */
} tn_program_info;
TN_INLINE tn_program_info tn_program_info_init(void) {
  tn_program_info d;
  unsigned char* p = (unsigned char*)&d;
  for (size_t i = 0; i < sizeof d; ++i) p[i] = 0;
  d.struct_size = (uint32_t)sizeof d;
  return d;
}
TN_API tn_error* TN_CALL tn_program_get_info(tn_program* program, tn_program_info* out_info);

/* The program as text, one op a line: "%3: f32[batch, 10] = matmul(%0, %1)". Texts: base.h. */
TN_API tn_error* TN_CALL tn_program_text(tn_program* program, char* buffer, uint64_t capacity,
                                         uint64_t* out_size);

/* What one run for inputs of these sizes costs, by counting; no step of it is run, but the program is prepared for them as a run would. JSON:
 *   {"program", "device",
 *    "steps": [{"op", "kernel", "args": ["f32[64, 784]", ...], "bytes", "flop"}, ...],
 *    "bytes", "flop", "arena_bytes", "memory_budget", "recomputed_steps", "recomputed_flop", "result_bytes", "constant_bytes",
 *    "derived_bytes", "not_compiled": ["...", ...]}
 * steps: the kernels in their order; args: their inputs, results and workspace. bytes: of the elements of the arguments, each read or written
 * once. flop: multiplications and additions of products and convolutions; null in a step of another kind or one that is a compiled graph.
 * arena_bytes: of the memory for what lies between steps; recomputed_*: of steps that compute again what was given up for
 * the memory budget, in steps and flop; result_bytes: of what a run allocates for outputs and new values; constant_bytes: kept
 * for these sizes; derived_bytes: kept as long as the variables that they were computed of stay as they are. not_compiled: why a backend's compiler left what it left. Texts: base.h. */
TN_API tn_error* TN_CALL tn_program_cost(tn_ctx* ctx, tn_program* program, tn_tensor* const* inputs,
                                         uint32_t n_inputs, char* buffer, uint64_t capacity,
                                         uint64_t* out_size);

TN_EXTERN_C_END
#endif
