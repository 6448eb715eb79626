// Squares of sums that are computed piece by piece between other work, so that tiles and vector units run at the same time.
#ifndef TENON_CPU_MATMUL_TILE_QUEUE_HPP_
#define TENON_CPU_MATMUL_TILE_QUEUE_HPP_
#include "matmul/tiles.hpp"

#if defined(__AVX512BW__)
namespace tenon::cpu::CPU_ISA {

// For one product, or six. A piece is four products of tiles, after which about six vectors of other work are as long. The results are
// those of multiply_square, to the bit. Needs TileRegisters, which nothing else may use while a square is not finished: run() finishes
// all.
template <Products products, int most>
class TileQueue {
  static_assert(products == Products::one || products == Products::six);

 public:
  static constexpr int kMost = most;

  // At most kMost while it was not idle.
  void add(const SquareProduct& square) { squares_[count_++] = square; }
  // Whether all is finished.
  bool idle() {
    if (at_ < count_) return false;
    at_ = count_ = 0;
    return true;
  }

  CPU_INLINE void piece() {
    if (at_ == count_) return;
    const SquareProduct& p = squares_[at_];
    if (!p.tall || !p.wide) {  // as one piece
      multiply_square(p);
      ++at_;
      return;
    }
    if (piece_ == 0) {
      if (step_ == 0) begin(p);
      if (step_ == p.steps) {
        store(p);
        step_ = 0;
        ++at_;
        return;
      }
    }
    next();
  }
  [[gnu::noinline]] void run() {
    while (!idle()) piece();
  }

 private:
  CPU_INLINE void begin(const SquareProduct& p) {
    a_ = p.a;
    b_ = p.b;
    if (!p.accumulate) {
      asm volatile("tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n tilezero %%tmm3" : :);
      return;
    }
    asm volatile(
        "tileloadd (%0,%2,1), %%tmm0\n tileloadd 64(%0,%2,1), %%tmm1\n"
        "tileloadd (%1,%2,1), %%tmm2\n tileloadd 64(%1,%2,1), %%tmm3"
        :
        : "r"(p.c), "r"(p.c + kTileSide * p.c_row), "r"(p.c_row * int64_t(sizeof(float)))
        : "memory");
  }
  CPU_INLINE void store(const SquareProduct& p) {
    asm volatile(
        "tilestored %%tmm0, (%0,%2,1)\n tilestored %%tmm1, 64(%0,%2,1)\n"
        "tilestored %%tmm2, (%1,%2,1)\n tilestored %%tmm3, 64(%1,%2,1)"
        :
        : "r"(p.c), "r"(p.c + kTileSide * p.c_row), "r"(p.c_row * int64_t(sizeof(float)))
        : "memory");
  }
  CPU_INLINE void load_a(int64_t part) const {
    asm volatile("tileloadd (%0,%1,1), %%tmm4\n tileloadd 1024(%0,%1,1), %%tmm5"
                 :
                 : "r"(a_ + part * 2 * kTileBytes), "r"(int64_t(64))
                 : "memory");
  }
  CPU_INLINE void load_b(int64_t part) const {
    asm volatile("tileloadd (%0,%1,1), %%tmm6\n tileloadd 1024(%0,%1,1), %%tmm7"
                 :
                 : "r"(b_ + part * 2 * kTileBytes), "r"(int64_t(64))
                 : "memory");
  }
  // In the order of multiply_square: small products first.
  CPU_INLINE void next() {
    if constexpr (products == Products::one) {
      load_a(0);
      load_b(0);
    } else {
      switch (piece_) {
        case 0:
          load_a(0), load_b(2);
          break;
        case 1:
          load_b(1);
          break;
        case 2:
          load_a(1);
          break;
        case 3:
          load_b(0);
          break;
        case 4:
          load_a(2);
          break;
        default:
          load_a(0);
          break;
      }
    }
    asm volatile(
        "tdpbf16ps %%tmm6, %%tmm4, %%tmm0\n tdpbf16ps %%tmm7, %%tmm4, %%tmm1\n"
        "tdpbf16ps %%tmm6, %%tmm5, %%tmm2\n tdpbf16ps %%tmm7, %%tmm5, %%tmm3"
        :
        :);
    if (++piece_ < (products == Products::six ? 6 : 1)) return;
    piece_ = 0;
    ++step_;
    a_ += parts_of(products) * 2 * kTileBytes;
    b_ += parts_of(products) * 2 * kTileBytes;
  }

  int64_t at_ = 0, count_ = 0, step_ = 0, piece_ = 0;
  const char *a_ = nullptr, *b_ = nullptr;
  SquareProduct squares_[most];
};

}  // namespace tenon::cpu::CPU_ISA
#endif
#endif
