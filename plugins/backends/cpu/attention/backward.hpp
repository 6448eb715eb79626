// The plan of scaled_dot_product_attention_grad, and its way over AMX tiles.
#ifndef TENON_CPU_ATTENTION_BACKWARD_HPP_
#define TENON_CPU_ATTENTION_BACKWARD_HPP_
#include "attention/tiles.hpp"

namespace tenon::cpu::CPU_ISA {

struct Backward {
  Problem problem;
  Operand g{}, y{}, dq{}, dk{}, dv{};
  bool tiles = false;
  int64_t row_block = 0;  // without tiles
  // The rows of a unit in so many parts, each with its own sums of dk and dv; those of the first one
  // are the results where these are f32.
  int64_t parts = 1;
  int64_t slots = 1;
  int64_t slot = 0;  // bytes of one's scratch

  int64_t sums() const { return problem.keys * (problem.width + problem.out); }
  int64_t first_kept() const { return problem.narrow ? 0 : 1; }
  int64_t kept() const { return parts == 1 ? 0 : parts - first_kept(); }  // parts, behind the slots
  int64_t all_sums() const { return round_up(problem.units * kept() * sums(), kLine); }
  float* sums_of(float* all, int64_t unit, int64_t part) const {
    return all + (unit * kept() + part - first_kept()) * sums();
  }
};

#if defined(__AVX512BW__)

// One slot's scratch and what it works on.
template <class T>
class TileBackward {
 public:
  TileBackward(const Backward& b, const tn_view* const* args, char* scratch, float* sums);
  static int64_t bytes(const Problem& p);
  static int64_t row_blocks(const Problem& p) { return ceil_div(p.rows, kRowBlock); }

  // One part of the rows of a unit. False, and nothing is done: by parts of numbers it would not be
  // as good as in f32.
  bool run(int64_t unit, int64_t part);

 private:
  static constexpr int parts = kParts<T>;
  static constexpr int64_t kStep = parts * 2 * kTileBytes;
  static constexpr int64_t kRowBlock = 64;
  static constexpr int64_t kKeyBlock = 128;
  static constexpr int64_t kPanels = kRowBlock / kSquare;

  bool take(int64_t unit);
  void load_rows(int64_t begin, int64_t end);
  void exponentials_of(int64_t begin, int64_t end);
  float exponentials_of_row(int64_t begin, int64_t row, int64_t limit, const UnitMask& mask);
  void key_block(int64_t begin, int64_t end, int64_t key, int64_t n);
  void change_scores(int64_t i, int64_t rows, int64_t key, int64_t n);
  void change_pair(int64_t r, int64_t rows, const float* e, int64_t j);
  void add_to(float* sums, int64_t lines, const char* a, char* b, int64_t rows, int64_t key,
              int64_t j, int64_t n);
  void add_queries(int64_t i, int64_t rows, int64_t key);
  void write_queries(int64_t begin, int64_t end);
  void write_sums(int64_t part);
  void write_turned(int arg, const Operand& o, const float* from, int64_t lines, float* kept);
  float* block(int64_t key) const { return scores_ + key / kKeyBlock * kRowBlock * s_stride_; }

  const TileRegisters registers_;
  const Backward& plan_;
  const Problem& p_;
  const tn_view* const* args_;
  float* part_sums_;
  const ScoreFactor factor_;
  int64_t unit_ = -1;
  char *keys_, *key_columns_, *values_;  // packed, of the unit
  // Packed, of a block of rows, and the exponentials P and changes S of a block of keys.
  char *queries_, *query_columns_, *g_, *g_columns_, *p_pairs_, *s_pairs_, *s_rows_;
  float *dk_, *dv_;  // sums, turned
  float *dq_, *scores_, *changes_;
  T *gathered_q_, *gathered_g_;
  int64_t k_stride_, q_stride_, s_stride_;
  int64_t seen_[kPanels];  // of a block of keys, by each panel of rows, in whole squares
  float inverse_[kRowBlock], delta_[kRowBlock];  // 1 / sum; scale * sum(g * y)
};

#endif

}  // namespace tenon::cpu::CPU_ISA
#endif
