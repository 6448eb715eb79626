// The matrix product C = A B (+ bias) of one instruction set: how it is cut and packed is decided once, then run many times.
#ifndef TENON_CPU_MATMUL_GEMM_HPP_
#define TENON_CPU_MATMUL_GEMM_HPP_
#include "matmul/micro.hpp"

namespace tenon::cpu::CPU_ISA {

// A(i, p) is a[i * a_row + p * a_col], B(p, j) is b[p * b_row + j * b_col], C(i, j) is c[i * c_row + j]; strides in elements,
// any sign. C overlaps neither A nor B.
struct GemmShape {
  int64_t m = 0, n = 0, k = 0;
  int64_t a_row = 0, a_col = 0;
  int64_t b_row = 0, b_col = 0;
  int64_t c_row = 0;
  tn_precision precision = TN_PRECISION_HIGHEST;  // of f32, where that makes a difference
  bool rows_done =
      false;  // there is something to do with complete rows, the longer at once the better
};

// What is done with rows of C as soon as they are complete, by the thread that made them: `rows` of n elements, c_row apart.
struct RowsDone {
  void (*run)(const RowsDone& self, void* c, int64_t c_row, int64_t rows, int64_t n);
  const void* data;
  const tn_view* const* args;
};

// Into how many parts of enough work for a thread `count` such products can be cut.
int64_t gemm_parts_worth(const Device& device, const GemmShape& shape, int64_t count);

template <class T>
class Gemm {
 public:
  static int64_t parts_worth(const Device& device, const GemmShape& shape, int64_t count) {
    return gemm_parts_worth(device, shape, count);
  }
  // `parts`: into how many parts the product may be cut; fewer where the shape does not allow it.
  void plan(const GemmShape& shape, const Device& device, int64_t parts);

  // Parts are independent and write disjoint blocks of C.
  int parts() const { return parts_m_ * parts_n_; }
  // Elements of scratch that one running part needs, 64-byte aligned.
  int64_t scratch() const { return scratch_; }

  // From now on B is what pack() made of it, which does not depend on m. False: it is read as it is.
  bool take_packed();
  int64_t packed_bytes() const;
  void pack(const Device& device, const T* b, char* to) const;

  // bias: n entries, added to every row; null for none. done: null for nothing. accumulate: C += A B (then no bias).
  void run_part(int part, const T* a, const T* b, T* c, const T* bias, T* scratch,
                const RowsDone* done = nullptr, bool accumulate = false) const;

 private:
  enum class Path : uint8_t { empty, tiles, dots, row, column };

  bool stays_in_cache(const Device& device) const;
  void plan_depth(const Device& device);
  void plan_tiles(const Device& device);
  int64_t part_begin_n(int part) const;
  // column: of C and B, of this part's first.
  void run_tiles(const GemmShape& s, int64_t column, const T* a, const T* b, T* c, const T* bias,
                 T* scratch, bool accumulate, const RowsDone* done) const;
  // Where a panel of B lies that is packed for good, from row p and column j on.
  int64_t place_packed(int64_t p, int64_t j, int64_t depth) const;

  GemmShape s_;
  Path path_ = Path::empty;
  ALayout a_layout_ = ALayout::rows;
  bool pack_a_ = false;
  bool pack_b_ = false;
  bool packed_b_ = false;  // by pack()
  int parts_m_ = 1, parts_n_ = 1;
  int64_t part_m_ = 0;
  int64_t depth_ = 0;  // of a block of B, in rows
  int64_t width_ = 0;  // of a block of B, in columns
  int64_t scratch_ = 0;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
