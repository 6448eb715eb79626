// What matmul's operands look like to a kernel: one product's strides, and the batch around it.
#ifndef TENON_CPU_MATMUL_BATCH_HPP_
#define TENON_CPU_MATMUL_BATCH_HPP_
#include "matmul/gemm.hpp"

namespace tenon::cpu::CPU_ISA {

// Batch axes with broadcasting resolved (stride 0), axes that all operands walk evenly merged. Strides in elements.
struct Batch {
  int rank = 0;
  int64_t count = 1;
  int64_t dims[TN_MAX_RANK];
  int64_t a[TN_MAX_RANK], b[TN_MAX_RANK], c[TN_MAX_RANK];

  struct Offsets {
    int64_t a = 0, b = 0, c = 0;
  };
  Offsets at(int64_t index) const {
    Offsets o;
    for (int i = rank - 1; i >= 0; --i) {
      const int64_t q = index % dims[i];
      index /= dims[i];
      o.a += q * a[i];
      o.b += q * b[i];
      o.c += q * c[i];
    }
    return o;
  }
};

struct MatmulShape {
  GemmShape gemm;
  Batch batch;
  bool lasting_b = false;  // it may be packed for good
};

// From a matmul signature with its transpose attributes. Batch axes along which B does not change become rows of A where they can.
// False: C's rows are not dense.
bool matmul_shape(const tn_signature& sig, MatmulShape* out);

// From a linear signature: y = x w^T. False: the rows of x or y are not evenly apart.
bool linear_shape(const tn_signature& sig, MatmulShape* out);

}  // namespace tenon::cpu::CPU_ISA
#endif
