// The plan of scaled_dot_product_attention, and its way over AMX tiles.
#ifndef TENON_CPU_ATTENTION_FORWARD_HPP_
#define TENON_CPU_ATTENTION_FORWARD_HPP_
#include "attention/tiles.hpp"

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
};

#if defined(__AVX512BW__)

// One slot's scratch and what it works on.
template <class T>
class TileForward {
 public:
  TileForward(const Forward& f, const tn_view* const* args, char* scratch);
  static int64_t bytes(const Problem& p);

  // From now on the rows are of this unit. False: by parts it would not be as good as in f32.
  bool take(int64_t unit);
  // At most kSquare rows.
  void run(int64_t first, int64_t last);

 private:
  static constexpr int parts = kParts<T>;

  void products(int64_t key, int64_t n, int64_t rows);
  float weights(float factor, int64_t row, int64_t n, float shift);
  void add_values(int64_t key, int64_t n, int64_t rows);
  void write(int64_t first, int64_t last, const float* total);

  const TileRegisters registers_;
  const Forward& plan_;
  const Problem& p_;
  const tn_view* const* args_;
  const ScoreFactor factor_;
  int64_t unit_ = -1;
  char *keys_, *values_, *queries_, *weights_;  // packed; of the panel
  float *scores_, *sums_;
  T* gathered_;
  int64_t s_stride_, y_stride_;
};

#endif

}  // namespace tenon::cpu::CPU_ISA
#endif
