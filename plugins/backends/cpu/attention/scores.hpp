// Blocks of scores and their exponentials, which forward and backward share.
//
// Scores are kept times log2(e), so that a power of two is the exponential. The softmax of a row is
// 2^(s - shift) over the sum of that.
#ifndef TENON_CPU_ATTENTION_SCORES_HPP_
#define TENON_CPU_ATTENTION_SCORES_HPP_
#include "attention/problem.hpp"
#include "matmul/micro.hpp"

namespace tenon::cpu::CPU_ISA {

inline constexpr int64_t kLine = 64 / int64_t(sizeof(float));
// Rows of a buffer start so far apart, in elements: no two in the same set of the cache.
constexpr int64_t padded(int64_t width) { return round_up(width, 2 * kLine) + kLine; }

// Rows begin(i) .. begin(i + 1) are panel i: of at most kTileRows<float> rows, and about even.
struct Panels {
  int64_t first, rows, count;

  Panels(int64_t begin, int64_t n) : first(begin), rows(n), count(ceil_div(n, kTileRows<float>)) {}
  int64_t begin(int64_t i) const { return first + i * (rows / count) + smaller(i, rows % count); }
};

// x^T in panels of kTileCols<float> columns, x [n, width]: that of row j begins at to + j * width.
void pack_transposed_rows(float* to, const float* x, int64_t row, int64_t n, int64_t width);
constexpr int64_t packed_size(int64_t n, int64_t width) {
  return round_up(n, kTileCols<float>) * width;
}

// c[rows, n] (+)= a [rows, k] b [k, n].
struct PanelProduct {
  const float* a;
  int64_t a_stride;
  ALayout layout;
  const float* b;
  int64_t b_stride;
  float* c;
  int64_t c_stride;
  int64_t rows, n, k;
  bool accumulate;
};
// For at most kTileRows<float> rows.
void multiply(const PanelProduct& p);
// The same for b packed by pack_transposed_rows: n columns from `from` on, which divides by
// kTileCols<float>; writes up to `to`, at most the columns there are.
void multiply_packed(const PanelProduct& p, int64_t from, int64_t to);

// Queries times scale and log2(e), of rows begin .. end: to[i * stride].
void load_queries(const Problem& p, const float* q, int64_t begin, int64_t end, float* to,
                  int64_t stride);

// The mask of one unit.
struct UnitMask {
  const void* data = nullptr;

  UnitMask(const Problem& p, const tn_view* view, int64_t unit);
};

// Finishes n scores of a row, of the keys from `key` on: the mask, -infinity for keys that do not
// count and up to the next whole vector. Gives the greatest.
float mask_scores(const Problem& p, const UnitMask& mask, int64_t row, int64_t key, int64_t n,
                  float* s);

// s = 2^(s - shift), n elements and up to the next whole vector; the sum.
float exponentials(float* s, int64_t n, float shift);

// 2^x
float power_of_two(float x);

// What a sum is divided by: 1 / sum, 0 where no key counts.
float reciprocal(const Problem& p, float sum);

}  // namespace tenon::cpu::CPU_ISA
#endif
