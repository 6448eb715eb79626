// The matrix product C = A B (+ bias) of bf16 numbers on AMX tiles, sums in f32. The same interface as Gemm.
#ifndef TENON_CPU_MATMUL_NARROW_GEMM_HPP_
#define TENON_CPU_MATMUL_NARROW_GEMM_HPP_
#include "kernels/narrow.hpp"
#include "matmul/gemm.hpp"
#include "matmul/split.hpp"

namespace tenon::cpu::CPU_ISA {

class NarrowGemm {
 public:
  // Whether the device has the tiles, the strides allow it and it is faster than in f32.
  static bool worth(const GemmShape& shape, const Device& device);
  static int64_t parts_worth(const Device& device, const GemmShape& shape, int64_t count);

  void plan(const GemmShape& shape, const Device& device, int64_t parts);
  int parts() const { return int(parts_m_ * parts_n_); }
  int64_t scratch() const { return bytes_.all / int64_t(sizeof(bf16)); }
  // From now on B is what pack() made of it, which does not depend on m.
  bool take_packed();
  int64_t packed_bytes() const;
  void pack(const Device& device, const bf16* b, char* to) const;
  // Results do not depend on how the product is cut, nor on whether B is packed.
  void run_part(int part, const bf16* a, const bf16* b, bf16* c, const bf16* bias, bf16* scratch,
                const RowsDone* done = nullptr) const;

 private:
  struct Run;  // of one part

  void cut(int64_t parts);
  void plan_blocks();
  void plan_scratch();
  int64_t blocks_k() const;
  int64_t place_packed(int64_t p, int64_t j) const;
  int64_t begin_m(int64_t part) const;
  int64_t begin_n(int64_t part) const;

  GemmShape s_;
  int64_t l2_bytes_ = 0;
  bool packed_b_ = false;  // by pack()
  int64_t parts_m_ = 1, parts_n_ = 1;
  int64_t part_m_ = 0, part_n_ = 0;  // of the largest
  int64_t depth_ = 0;                // of a block along k
  int64_t height_ = 0;               // of a block of A, in rows
  int64_t width_ = 0;                // of a block of B, in columns
  int64_t group_ = 0;                // columns that are packed at once
  bool keep_b_ = false;              // a block of B serves several of A
  bool direct_a_ = false;            // of few columns: A is not worth packing
  struct {                           // where things are in the scratch
    int64_t b = 0;                   // behind the block of A
    int64_t sums = 0;                // of several blocks along k
    int64_t all = 0;
  } bytes_;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
