// scaled_dot_product_attention as its kernels see it.
#ifndef TENON_CPU_ATTENTION_PROBLEM_HPP_
#define TENON_CPU_ATTENTION_PROBLEM_HPP_
#include "kernels/simd.hpp"
#include "kernels/whole.hpp"

namespace tenon::cpu::CPU_ISA {

// Where a tensor of the op lies, in elements. A unit is a head of k with the heads of q that share it.
struct Operand {
  int64_t unit[TN_MAX_RANK] = {};
  int64_t head = 0;  // from one of those heads of q to the next
  int64_t row = 0;
  int64_t col = 1;  // 1 but for a mask
};

enum class MaskKind : uint8_t { none, keep, bias };

// The rows of a unit are the queries of its heads, one head after the other.
struct Problem {
  const Device* device = nullptr;
  int rank = 0;  // axes of the units
  int64_t dims[TN_MAX_RANK] = {};
  int64_t units = 1;
  int64_t queries = 0;  // of a head
  int64_t rows = 0;     // of a unit
  int64_t keys = 0;
  int64_t width = 0;  // of q and k
  int64_t out = 0;    // of v and y
  bool causal = false;
  bool narrow = false;  // of bf16, a bias too
  MaskKind mask_kind = MaskKind::none;
  float scale = 1;
  Operand q{}, k{}, v{}, mask{};

  int64_t offset(const Operand& o, int64_t unit) const {
    int64_t at = 0;
    for (int i = rank - 1; i >= 0; --i) {
      at += unit % dims[i] * o.unit[i];
      unit /= dims[i];
    }
    return at;
  }
  int64_t offset_of_row(const Operand& o, int64_t row) const {
    return row / queries * o.head + row % queries * o.row;
  }
  // Keys that a row sees: the first ones.
  int64_t limit(int64_t row) const { return causal ? smaller(row % queries + 1, keys) : keys; }
  // Of the rows from `begin` on up to `end`: the greatest limit.
  int64_t limit(int64_t begin, int64_t end) const {
    const int64_t last = (end - 1) % queries;
    return end - begin > last + 1 ? limit(queries - 1) : limit(last);
  }
  // Whether it is worth a second thread, if a pair of a query and a key takes so many multiplications.
  bool worth_threads(double products) const;
  // Into how many of `items` parts to cut it for the threads.
  int64_t slots(double products, int64_t items) const;
};

// From a signature whose inputs q, k, v and mask begin at `first`, of f32 or (narrow) of bf16. False: *why says what the kernels
// do not take.
bool attention_problem(const Device& device, const tn_signature& sig, uint32_t first, bool narrow,
                       Problem* out, const char** why);

// As q, or with `shared` as k. False: its rows are not dense.
bool attention_operand(const tn_view& v, int64_t shared_heads, bool shared, Operand* out);

}  // namespace tenon::cpu::CPU_ISA
#endif
