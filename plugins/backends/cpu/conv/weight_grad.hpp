// The gradient of a convolution's weights.
#ifndef TENON_CPU_CONV_WEIGHT_GRAD_HPP_
#define TENON_CPU_CONV_WEIGHT_GRAD_HPP_
#include "conv/geometry.hpp"

namespace tenon::cpu::CPU_ISA {

// dw(o, c, a, b) = sum over n, i, j of g(n, o, i, j) * x(n, c, i * step_h + dy[a], j * step_w + dx[b]): a product of gathered taps
// (rows) with the transpose of g (columns), over blocks of positions.
template <class T>
class WeightGrad {
 public:
  // The geometry of the forward convolution; y_image and y_channel are g's strides, and g's planes are dense.
  void plan(const Geometry& geometry, const Device& device);
  int64_t scratch() const { return sums_ * sum_copies_ + slots_ * slot_; }
  // dw: dense [groups * co][ci * taps].
  void run(const T* x, const T* g, T* dw, T* scratch) const;

 private:
  struct Work;
  void run_item(int64_t item, const Work& work, bool* started) const;
  void run_direct(const Work& work, int64_t segments, int64_t c, int64_t channels,
                  bool accumulate) const;
  void gather_g(const Work& work, const Block& block) const;
  void collect(const T* sums, T* dw) const;

  Geometry g_;
  Blocks blocks_;
  Patch patch_;
  const Device* device_ = nullptr;
  bool direct_ = false;  // lanes over positions instead of output channels
  int64_t channel_block_ = 1;
  int64_t parts_c_ = 1, parts_b_ = 1,
          items_ = 0;  // items: groups x parts of channels x parts of blocks
  int64_t slots_ = 1, slot_ = 0;
  int64_t co_round_ = 0, sums_ = 0, sum_copies_ = 1;
  int64_t patch_size_ = 0, g_size_ = 0, a_stride_ = 0;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
