// Elementwise kernels: rows of vectors, and the driver that walks views with them.
//
// A kernel is a row function, which does n elements with each input either a run of elements or one
// value for all of them, and a description of it. The driver coalesces dims, gathers what is
// strided into blocks that stay in L1, converts narrow dtypes there, and uses threads where that
// pays.
#ifndef TENON_CPU_ELEMENTWISE_HPP_
#define TENON_CPU_ELEMENTWISE_HPP_
#include <span>

#include "simd.hpp"

namespace tenon::cpu {

inline constexpr int kMaxInputs = 3;

// y[0..n) from in[k][0..n), or from in[k][0] where bit k of `scalars` is set. y may be any in[k].
using RowFunction = void (*)(void* y, const void* const* in, uint32_t scalars, int64_t n,
                             const void* param);
// n elements of one dtype as another. Ranges do not overlap.
using ConvertFunction = void (*)(void* to, const void* from, int64_t n);

struct Elementwise {
  RowFunction row;
  int32_t n_inputs;
  float ns;                      // one element in cache, for the choice of threads
  int32_t in_bytes[kMaxInputs];  // of an element in memory
  int32_t out_bytes;
  ConvertFunction load[kMaxInputs];  // null: the row function reads the dtype itself
  ConvertFunction save;
  int32_t row_in_bytes[kMaxInputs];  // of an element as the row function sees it
  int32_t row_out_bytes;
};

// One op for one dtype of its first data input.
struct ElementwiseEntry {
  tn_op op;
  tn_dtype dtype;
  tn_kernel_run dense;  // all views dense, with equal dims
  tn_kernel_run any;
  const Elementwise* kernel = nullptr;  // null: not as rows of its own
};
using EntryTable = std::span<const ElementwiseEntry>;

namespace CPU_SHARED_ISA {
EntryTable unary_int_entries();
EntryTable binary_int_entries();
EntryTable binary_int64_entries();
EntryTable complex_entries();
}  // namespace CPU_SHARED_ISA

namespace CPU_ISA {

EntryTable unary_f32_entries();
EntryTable unary_f64_entries();
EntryTable binary_f32_entries();
EntryTable binary_f64_entries();
EntryTable where_entries();
EntryTable clip_entries();

// Inputs args[0..n_inputs), output args[n_inputs]. The output is dense; inputs have its dims and
// any strides.
void run_elementwise(const Device& device, const Elementwise& kernel, const tn_view* const* args,
                     const void* param);

// Writes past the caches: for outputs that would only push other data out of them. `from` lies on a cache line. A fence is
// the caller's.
void stream_out(char* to, const char* from, int64_t bytes);

// The kernel of an op without attributes for this dtype of its first data input (where: of the second); null: none.
const Elementwise* elementwise_of(tn_op op, tn_dtype dtype);
// That of a cast; false: none.
bool cast_of(tn_dtype from, tn_dtype to, Elementwise* out);

// Are all of these views dense and of the same dims?
inline bool all_dense(const tn_signature& s) {
  const tn_view& y = *s.outputs[0];
  for (uint32_t k = 0; k < s.n_inputs; ++k) {
    const tn_view& v = *s.inputs[k];
    if (absent(&v) || !contiguous(&v) || (v.flags & TN_VIEW_IMMEDIATE) || v.rank != y.rank ||
        v.count != y.count) {
      return false;
    }
  }
  return true;
}

}  // namespace CPU_ISA
}  // namespace tenon::cpu

#endif
