// Reductions over any axes: what a kernel supplies, and the driver that walks views with it.
//
// Elements are folded in two levels: within a block in the dtype itself, with several vectors side
// by side, and across blocks in a wide type (double for float sums), so that the error does not
// grow with the length. How the work is cut depends on the sizes alone: results do not change with
// the number of threads.
#ifndef TENON_CPU_REDUCE_HPP_
#define TENON_CPU_REDUCE_HPP_
#include "elementwise.hpp"

namespace tenon::cpu {

inline constexpr int64_t kColumns = 512;  // at most that many columns at once

struct Reduction {
  int32_t in_bytes;    // of an element in memory
  int32_t item_bytes;  // of an element as run and columns see it
  int32_t wide_bytes;
  int32_t out_bytes;
  ConvertFunction load;  // null: run and columns read memory as it is
  void (*init)(void* wide, int64_t n);
  // Folds x[0..n) into *wide.
  void (*run)(void* wide, const void* x, int64_t n);
  // Folds rows x[r * stride + c] into wide[c], c < columns <= kColumns.
  void (*columns)(void* wide, const void* x, int64_t rows, int64_t stride, int64_t columns);
  void (*merge)(void* wide, const void* other, int64_t n);
  // Results from wide[0..n), each of which was folded from `folded` elements.
  void (*finish)(void* y, const void* wide, int64_t n, int64_t folded);
};

namespace CPU_SHARED_ISA {
// prod; sum and mean of what is no float.
const Reduction* find_other_sum(tn_op op, tn_dtype dtype);
}  // namespace CPU_SHARED_ISA

namespace CPU_ISA {

// Reduces x over the axes whose bit is set. y is dense and has the other axes.
tn_error* run_reduction(const Device& device, const Reduction& kernel, const tn_view* x,
                        uint32_t axes, const tn_view* y);

// The axes that a list attribute names, negative ones counted from the end; an empty list names
// all.
uint32_t reduced_axes(const tn_signature& sig, uint32_t key, int rank);

// The kernel for the op (sum, prod, max, min, mean, any, all) and dtype, or null.
const Reduction* find_reduction(tn_op op, tn_dtype dtype);
const Reduction* find_sum(tn_op op, tn_dtype dtype);
const Reduction* find_extremum(tn_op op, tn_dtype dtype);
// max and min of integers; any and all.
const Reduction* find_other_extremum(tn_op op, tn_dtype dtype);

}  // namespace CPU_ISA
}  // namespace tenon::cpu

#endif
