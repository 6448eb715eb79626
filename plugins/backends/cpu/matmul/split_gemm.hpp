// The matrix product C = A B (+ bias) on AMX tiles: f16 and f32 as sums of bf16 numbers (split.hpp), as exactly as the shape's
// precision asks. The same interface as Gemm.
#ifndef TENON_CPU_MATMUL_SPLIT_GEMM_HPP_
#define TENON_CPU_MATMUL_SPLIT_GEMM_HPP_
#include "kernels/narrow.hpp"
#include "matmul/gemm.hpp"
#include "matmul/split.hpp"

namespace tenon::cpu::CPU_ISA {

// T: float or f16, of A, B, C and bias alike; sums are f32.
template <class T>
class SplitGemm {
 public:
  // Whether the device has the tiles, the strides allow it and it is faster than Gemm.
  static bool worth(const GemmShape& shape, const Device& device);
  static int64_t parts_worth(const Device& device, const GemmShape& shape, int64_t count);

  void plan(const GemmShape& shape, const Device& device, int64_t parts);
  int parts() const { return parts_m_ * parts_n_; }
  int64_t scratch() const { return bytes_.all / int64_t(sizeof(T)); }
  // From now on B is what pack() made of it, which does not depend on m. False: it is read as it is.
  bool take_packed();
  int64_t packed_bytes() const;
  void pack(const Device& device, const T* b, char* to) const;
  // Results do not depend on how the product is cut.
  void run_part(int part, const T* a, const T* b, T* c, const T* bias, T* scratch,
                const RowsDone* done = nullptr) const;

 private:
  struct Run;  // of one part

  void cut(int64_t parts);
  int64_t place_packed(int64_t p, int64_t j) const;
  ExponentRange* packed_ranges(char* packed) const;
  int64_t begin_m(int64_t part) const;
  int64_t begin_n(int64_t part) const;

  GemmShape s_;
  int split_ = 1;          // parts of a number
  bool packed_b_ = false;  // by pack()
  int64_t parts_m_ = 1, parts_n_ = 1;
  int64_t depth_ = 0;   // of a block of A and B along k
  int64_t width_ = 0;   // of a block of B, in columns
  struct {              // where things are in the scratch
    int64_t b = 0;      // behind the panel of A
    int64_t fell = 0;   // for each square whether it is computed in f32
    int64_t sums = 0;   // of several blocks along k, where C cannot hold them
    int64_t dense = 0;  // a panel of A and one of B as f32
    int64_t all = 0;
  } bytes_;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
