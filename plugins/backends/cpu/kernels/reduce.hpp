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

inline constexpr int64_t kColumns = 512;    // at most that many columns at once
inline constexpr int64_t kRows = 256;       // of them, then items become wide
inline constexpr int64_t kRun = 1024;       // elements gathered or converted at a time
inline constexpr int64_t kPart = 64 << 10;  // elements of a part of one long run
inline constexpr int64_t kTurned = 256;     // short runs that are turned into columns at a time
inline constexpr double kElementNs = 0.05;  // of an element from the second cache
inline constexpr int kMaxBytes = 16;        // of a wide value

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
  // The same in steps: `clear` items, which have room for kColumns and 64 bytes; fold rows into them, 8 at a time but for the last;
  // `widen` them into wide[c] after kRows rows and at the end. Null of complex numbers.
  void (*clear)(void* items, int64_t columns);
  void (*rows)(void* items, const void* x, int64_t rows, int64_t stride, int64_t columns);
  void (*widen)(void* wide, const void* items, int64_t columns);
  void (*merge)(void* wide, const void* other, int64_t n);
  // Results from wide[0..n), each of which was folded from `folded` elements.
  void (*finish)(void* y, const void* wide, int64_t n, int64_t folded);
};

namespace CPU_SHARED_ISA {
// max and min of what is no float; any and all.
const Reduction* find_other_extremum(tn_op op, tn_dtype dtype);
// prod; sum and mean of what is no float.
const Reduction* find_other_sum(tn_op op, tn_dtype dtype);
}  // namespace CPU_SHARED_ISA

namespace CPU_ISA {

// How the folding of dense values is cut, by their sizes alone: of `outputs` runs of n elements, each made of `repeats` pieces ...
inline int64_t parts_of_run(int64_t n, int64_t repeats, int64_t outputs) {
  return repeats != 1 || outputs > 16 ? 1 : (n + kPart - 1) / kPart;
}
inline bool is_turned(int64_t n, int64_t repeats, int64_t outputs) {
  return repeats == 1 && n <= 16 && outputs >= 64;  // such runs are too short for vectors
}
// ... and of `outputs` sets of columns.
struct Strips {
  int64_t n, width;          // of columns
  int64_t parts, part_rows;  // of rows
  Strips(int64_t columns, int64_t rows, int64_t outputs)
      : n((columns + kColumns - 1) / kColumns),
        width(((columns + n - 1) / n + 63) / 64 * 64),
        parts(1),
        part_rows(rows) {
    if (width > kColumns) width = kColumns;
    const int64_t most = (128 << 10) / width > 512 ? (128 << 10) / width : 512;
    if (outputs * n < 16 && rows >= 2 * most) {
      part_rows = most;
      parts = (rows + most - 1) / most;
    }
  }
};

// Folds n runs of `length` elements, at most 16, one beside the other, row_stride apart, into wide[0..n). n <= kTurned.
void fold_turned(const Reduction& k, void* wide, const char* x, int64_t row_stride, int64_t length,
                 int64_t n);

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

}  // namespace CPU_ISA
}  // namespace tenon::cpu

#endif
