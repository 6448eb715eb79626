/* Tenon: regions: several elementwise ops over the same dims, and reductions of their results, as one op, "region", whose attribute
 * `code` says what is computed.
 * Plugin tier. Captures make regions for devices that have a kernel for them; where a kernel declines one, its ops run one by one.
 *
 * code: [version, number of outputs, the value of each output ..., instructions of four numbers each]
 * Values are numbered: 0 .. n_inputs - 1 the inputs, then the result of each instruction in turn. An instruction is
 *   op | dtype << 32, a, b, c
 * with the op's id, the dtype of its result, and its operands in order, values before it, -1 behind the last. A constant has
 * TN_REGION_CONSTANT for its op and its element's bits, as dtype holds them, in a. Every other op is one of TN_REGION_OPS, without
 * attributes but for cast, whose dtype is the result's. Operands have the dtypes the op's class says. Results are what the
 * op alone would give, rounded to their dtype each.
 *
 * Version 2 (TN_REGION_VERSION_FOLDS; version 1 has none): an op of TN_REGION_FOLDS reduces the value a, of the result's dtype, which is
 * no reduction itself, over the axes whose bits are set in b, of the dims of the region (those that all inputs broadcast to); c is 1
 * where they stay as axes of size 1, else 0. All reductions of a region have the same axes. What they give is for outputs alone, no
 * operand of anything. Sums, products and means of floats may be taken in any order, within the op's tolerance: like the op alone where
 * that can be had. sum, prod and mean have dtypes that they give themselves: floats, and i64 and u64 of the first two. */
#ifndef TENON_PLUGIN_REGION_H_
#define TENON_PLUGIN_REGION_H_
#include "../op.h"
#include "../op_ids.h"
TN_EXTERN_C_BEGIN

#define TN_REGION_VERSION 1       /* without reductions */
#define TN_REGION_VERSION_FOLDS 2 /* with some */
#define TN_REGION_CONSTANT 0xffffffffu

/* X(op, operands, class): SAME: operands have the dtype of the result; COMPARE: operands have one dtype, the result is bool;
 * SELECT: bool, then two of the result's dtype; CAST: any. */
#define TN_REGION_OPS(X)       \
  X(TN_OP_NEG, 1, SAME)        \
  X(TN_OP_ABS, 1, SAME)        \
  X(TN_OP_FLOOR, 1, SAME)      \
  X(TN_OP_CEIL, 1, SAME)       \
  X(TN_OP_ROUND, 1, SAME)      \
  X(TN_OP_EXP, 1, SAME)        \
  X(TN_OP_EXPM1, 1, SAME)      \
  X(TN_OP_LOG, 1, SAME)        \
  X(TN_OP_LOG1P, 1, SAME)      \
  X(TN_OP_SQRT, 1, SAME)       \
  X(TN_OP_RSQRT, 1, SAME)      \
  X(TN_OP_SIN, 1, SAME)        \
  X(TN_OP_COS, 1, SAME)        \
  X(TN_OP_TANH, 1, SAME)       \
  X(TN_OP_ERF, 1, SAME)        \
  X(TN_OP_NOT, 1, SAME)        \
  X(TN_OP_SQUARE, 1, SAME)     \
  X(TN_OP_RECIPROCAL, 1, SAME) \
  X(TN_OP_SIGN, 1, SAME)       \
  X(TN_OP_RELU, 1, SAME)       \
  X(TN_OP_SIGMOID, 1, SAME)    \
  X(TN_OP_SOFTPLUS, 1, SAME)   \
  X(TN_OP_SILU, 1, SAME)       \
  X(TN_OP_GELU, 1, SAME)       \
  X(TN_OP_ADD, 2, SAME)        \
  X(TN_OP_SUB, 2, SAME)        \
  X(TN_OP_MUL, 2, SAME)        \
  X(TN_OP_DIV, 2, SAME)        \
  X(TN_OP_REM, 2, SAME)        \
  X(TN_OP_POW, 2, SAME)        \
  X(TN_OP_ATAN2, 2, SAME)      \
  X(TN_OP_MAXIMUM, 2, SAME)    \
  X(TN_OP_MINIMUM, 2, SAME)    \
  X(TN_OP_AND, 2, SAME)        \
  X(TN_OP_OR, 2, SAME)         \
  X(TN_OP_XOR, 2, SAME)        \
  X(TN_OP_EQ, 2, COMPARE)      \
  X(TN_OP_NE, 2, COMPARE)      \
  X(TN_OP_LT, 2, COMPARE)      \
  X(TN_OP_LE, 2, COMPARE)      \
  X(TN_OP_GT, 2, COMPARE)      \
  X(TN_OP_GE, 2, COMPARE)      \
  X(TN_OP_WHERE, 3, SELECT)    \
  X(TN_OP_CAST, 1, CAST)

#define TN_REGION_FOLDS(X) \
  X(TN_OP_SUM)             \
  X(TN_OP_PROD)            \
  X(TN_OP_MAX)             \
  X(TN_OP_MIN)             \
  X(TN_OP_MEAN)

typedef enum tn_region_class {
  TN_REGION_NONE = 0,
  TN_REGION_SAME = 1,
  TN_REGION_COMPARE = 2,
  TN_REGION_SELECT = 3,
  TN_REGION_CAST = 4
} tn_region_class;

/* Class of an op, and how many operands it has; TN_REGION_NONE: it cannot be in a region. */
TN_INLINE tn_region_class tn_region_class_of(tn_op op, uint32_t* out_operands) {
  switch (op) {
#define TN_REGION_CASE_(op, operands, class) \
  case op:                                   \
    *out_operands = operands;                \
    return TN_REGION_##class;
    TN_REGION_OPS(TN_REGION_CASE_)
#undef TN_REGION_CASE_
    default:
      *out_operands = 0;
      return TN_REGION_NONE;
  }
}

/* Is it one of TN_REGION_FOLDS? */
TN_INLINE int tn_region_folds(tn_op op) {
#define TN_REGION_CASE_(fold) \
  if (op == (fold)) return 1;
  TN_REGION_FOLDS(TN_REGION_CASE_)
#undef TN_REGION_CASE_
  return 0;
}

typedef struct tn_region_code {
  uint32_t n_inputs;
  uint32_t n_outputs;
  uint32_t n_instructions;
  uint32_t axes;               /* that reductions fold, a bit each; 0: there are none */
  const int64_t* outputs;      /* values */
  const int64_t* instructions; /* four numbers each */
} tn_region_code;

typedef struct tn_region_instruction {
  tn_op op;
  tn_dtype dtype;
  const int64_t* args; /* three */
} tn_region_instruction;

TN_INLINE tn_region_instruction tn_region_at(const tn_region_code* r, uint32_t i) {
  const int64_t* at = r->instructions + 4 * (size_t)i;
  tn_region_instruction out;
  out.op = (tn_op)((uint64_t)at[0] & 0xffffffffu);
  out.dtype = (tn_dtype)((uint64_t)at[0] >> 32);
  out.args = at + 1;
  return out;
}

/* The parts of a code of `size` numbers for so many inputs. 0: it is of no version here, or a value in it does not exist. Whether the axes
 * do, and the dtypes fit, is the rule's to say. */
TN_INLINE int tn_region_read(const int64_t* code, uint64_t size, uint32_t n_inputs,
                             tn_region_code* out) {
  uint64_t i;
  uint32_t k;
  if (size < 2 || code[0] < TN_REGION_VERSION || code[0] > TN_REGION_VERSION_FOLDS || code[1] < 1 ||
      (uint64_t)code[1] > size - 2 || (size - 2 - (uint64_t)code[1]) % 4 != 0)
    return 0;
  out->n_inputs = n_inputs;
  out->n_outputs = (uint32_t)code[1];
  out->n_instructions = (uint32_t)((size - 2 - (uint64_t)code[1]) / 4);
  out->axes = 0;
  out->outputs = code + 2;
  out->instructions = code + 2 + code[1];
  for (k = 0; k < out->n_instructions; ++k) {
    const tn_region_instruction x = tn_region_at(out, k);
    const int folds = tn_region_folds(x.op);
    uint32_t operands = 1, j;
    if (x.op == TN_REGION_CONSTANT) continue;
    if (folds) {
      if (code[0] != TN_REGION_VERSION_FOLDS || x.args[1] < 1 || x.args[1] >= 1 << TN_MAX_RANK ||
          (x.args[2] != 0 && x.args[2] != 1) || (out->axes && (int64_t)out->axes != x.args[1]))
        return 0;
      out->axes = (uint32_t)x.args[1];
    } else if (tn_region_class_of(x.op, &operands) == TN_REGION_NONE) {
      return 0;
    }
    for (j = 0; j < operands; ++j) {
      int64_t from;
      if (x.args[j] < 0) return 0;
      from = x.args[j] - (int64_t)n_inputs;
      if (from >= (int64_t)k) return 0;
      if (from >= 0 && tn_region_folds(tn_region_at(out, (uint32_t)from).op)) return 0;
    }
    for (; !folds && j < 3; ++j)
      if (x.args[j] != -1) return 0;
  }
  for (i = 0; i < out->n_outputs; ++i)
    if (out->outputs[i] < (int64_t)n_inputs ||
        out->outputs[i] >= (int64_t)n_inputs + out->n_instructions)
      return 0;
  return 1;
}

TN_EXTERN_C_END
#endif
