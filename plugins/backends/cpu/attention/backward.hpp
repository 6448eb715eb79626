// The plan of scaled_dot_product_attention_grad, and its way over AMX tiles.
#ifndef TENON_CPU_ATTENTION_BACKWARD_HPP_
#define TENON_CPU_ATTENTION_BACKWARD_HPP_
#include "attention/tiles.hpp"
#include "matmul/tile_queue.hpp"

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
  static constexpr int64_t kKeyBlock = 64;
  static constexpr int64_t kPanels = kRowBlock / kSquare;
  static constexpr int64_t kPieceEvery = parts > 1 ? 2 * kSquare : 8 * kSquare;  // scores of a row

  // Of a block of keys; there are two, for what is multiplied with one while the other is made.
  struct Keys {
    int64_t key = 0, n = 0;
    int64_t seen[kPanels];  // by each panel of rows, in whole squares
    float* changes;
    char *p_pairs, *s_pairs, *s_rows;  // exponentials P and changes S, packed
  };

  bool take(int64_t unit);
  void load_rows(int64_t begin, int64_t end);
  void add_scores(int64_t first, int64_t* key, int64_t limit);
  void exponentials_of(int64_t first, int64_t* key_of_next);
  float exponentials_of_row(int64_t row, int64_t limit, const UnitMask& mask);
  void add_changes(Keys& k, int64_t key);
  void change_scores(const Keys& k);
  void change_pair(const Keys& k, int64_t r, int64_t j);
  void add_sums(const Keys& k);
  void add_to(const Keys& k, float* sums, int64_t lines, const char* a, const char* b, int64_t j);
  void run_rows();
  void write_queries();
  void write_sums(int64_t part);
  void write_turned(int arg, const Operand& o, const float* from, int64_t lines, float* kept);
  float* block(int64_t key) const { return scores_ + key / kKeyBlock * kRowBlock * s_stride_; }
  int64_t rows() const { return end_ - begin_; }
  int64_t panels() const { return ceil_div(rows(), kSquare); }
  int64_t limit_of(int64_t panel) const {
    const int64_t first = begin_ + panel * kSquare;
    return p_.limit(first, smaller(first + kSquare, end_));
  }

  const TileRegisters registers_;
  const Backward& plan_;
  const Problem& p_;
  const tn_view* const* args_;
  float* part_sums_;
  const ScoreFactor factor_;
  int64_t unit_ = -1, begin_ = 0, end_ = 0;           // the block of rows
  char *keys_, *key_columns_, *values_;               // packed, of the unit
  char *queries_, *query_columns_, *g_, *g_columns_;  // packed, of the block
  float *dk_, *dv_;                                   // sums, turned
  float *dq_, *scores_;
  T *gathered_q_, *gathered_g_;
  int64_t k_stride_, q_stride_, s_stride_;
  float inverse_[kRowBlock], delta_[kRowBlock];  // 1 / sum; scale * sum(g * y)
  Keys of_keys_[2];
  TileQueue<kProductsOf<T>, int(kKeyBlock / kSquare * (kPanels + 16) + kPanels * 8)> queue_;
};

#endif

}  // namespace tenon::cpu::CPU_ISA
#endif
