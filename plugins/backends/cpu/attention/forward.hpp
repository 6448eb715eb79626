// The plan of scaled_dot_product_attention, and its way over AMX tiles.
#ifndef TENON_CPU_ATTENTION_FORWARD_HPP_
#define TENON_CPU_ATTENTION_FORWARD_HPP_
#include "attention/tiles.hpp"
#include "matmul/tile_queue.hpp"

namespace tenon::cpu::CPU_ISA {

struct Forward {
  Problem problem;
  Operand y{};
  bool tiles = false;
  bool packs = false;
  int64_t slots = 1;  // that run at the same time, each with its own scratch
  int64_t slot = 0;   // bytes of one's scratch

  // Panels of rows, each of one item of work.
  int64_t panels() const {
    return tiles ? ceil_div(problem.rows, kSquare) : Panels(0, problem.rows).count;
  }
  // With causal masks later panels take longer: they come in turn from both ends, so that any cut
  // leaves about even parts.
  int64_t panel_at(int64_t place) const { return place % 2 ? panels() - 1 - place / 2 : place / 2; }
};

#if defined(__AVX512BW__)

// One slot's scratch and what it works on. Two panels of rows take turns: while vector units make
// exponentials of one's scores, tiles multiply for the other.
template <class T>
class TileForward {
 public:
  TileForward(const Forward& f, const tn_view* const* args, char* scratch);
  static int64_t bytes(const Problem& p);

  // From now on the rows are of this unit. False: by parts it would not be as good as in f32.
  bool take(int64_t unit);
  // The panels in those places.
  void run(int64_t begin, int64_t end);

 private:
  static constexpr int parts = kParts<T>;
  static constexpr int64_t kKeyBlock = parts > 1 ? 256 : 128;
  static constexpr int64_t kPieceEvery = parts > 1 ? kSquare : 4 * kSquare;  // scores of a row

  struct Panel {
    int64_t first = 0, last = 0;
    F32 total[kSquare];  // of each row, lane by lane
  };
  struct Stream {
    Panel now, ended;  // ended: its last products are still in the queue
    bool live = false, ends = false;
    int64_t limit = 0, key = 0, n = 0;  // of the panel; the block of keys
    F32 top[2];                         // of 16 rows each
    char *queries, *weights;            // packed
    float *scores, *sums;
  };

  void start(Stream& s, int64_t panel);
  void add_products(Stream& s);
  void add_values(const Stream& s);
  void advance(Stream& s, int64_t* next, int64_t end);
  void soften(Stream& s);
  F32 weights(const Stream& s, int64_t row, float shift);
  void soften_half(Stream& s, int64_t half, const UnitMask& mask);
  void write(Stream& s);

  const TileRegisters registers_;
  const Forward& plan_;
  const Problem& p_;
  const tn_view* const* args_;
  const ScoreFactor factor_;
  int64_t unit_ = -1;
  char *keys_, *values_;  // packed
  T* gathered_;
  int64_t s_stride_, y_stride_;
  Stream streams_[2];
  TileQueue<kProductsOf<T>, int(kKeyBlock / kSquare + 256 / kSquare)> queue_;
};

#endif

}  // namespace tenon::cpu::CPU_ISA
#endif
