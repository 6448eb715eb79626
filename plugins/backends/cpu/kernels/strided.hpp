// Walking strided operands: coalesced loop nests, and gathers into dense blocks.
#ifndef TENON_CPU_STRIDED_HPP_
#define TENON_CPU_STRIDED_HPP_
#include "simd.hpp"

namespace tenon::cpu::CPU_ISA {

// A loop nest over the dims of a dense output and `inputs` operands, made minimal: axes of size 1
// are gone and neighbours that every operand walks evenly are one. rank is 0 for a single element.
template <int inputs>
struct Walk {
  int rank = 0;
  int64_t dims[TN_MAX_RANK];
  int64_t strides[inputs][TN_MAX_RANK];  // in elements

  // strides_of(k) gives the strides of operand k.
  template <class F>
  void build(int n_inputs, int view_rank, const int64_t* view_dims, F&& strides_of) {
    rank = 0;
    for (int i = 0; i < view_rank; ++i) {
      const int64_t d = view_dims[i];
      if (d == 1) continue;
      bool merge = rank > 0;
      for (int k = 0; merge && k < n_inputs; ++k) {
        merge = strides[k][rank - 1] == strides_of(k)[i] * d;
      }
      if (!merge) dims[rank++] = 1;
      dims[rank - 1] *= d;
      for (int k = 0; k < n_inputs; ++k) strides[k][rank - 1] = strides_of(k)[i];
    }
  }
  int64_t inner() const { return rank ? dims[rank - 1] : 1; }
  int64_t inner_stride(int k) const { return rank ? strides[k][rank - 1] : 1; }
};

// Elements begin..begin+n in row-major order of an operand, into a dense run. bytes: 1, 2, 4, 8 or
// 16.
void gather_run(void* to, const void* from, int bytes, int rank, const int64_t* dims,
                const int64_t* strides, int64_t begin, int64_t n);

// to[r * to_stride + c] = from[r * row_stride + c * column_stride], where row_stride is the smaller
// one.
void gather_tile(void* to, const void* from, int bytes, int64_t rows, int64_t columns,
                 int64_t to_stride, int64_t row_stride, int64_t column_stride);

// The dense copy of a strided operand, with threads where that pays. `to` holds all elements.
void copy_strided(const Device& device, void* to, const void* from, int bytes, int rank,
                  const int64_t* dims, const int64_t* strides);

}  // namespace tenon::cpu::CPU_ISA

#endif
