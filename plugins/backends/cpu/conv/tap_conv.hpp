// Runs a Geometry: a product of the weights with columns that are gathered block by block, or read in place.
#ifndef TENON_CPU_CONV_TAP_CONV_HPP_
#define TENON_CPU_CONV_TAP_CONV_HPP_
#include "conv/geometry.hpp"

namespace tenon::cpu::CPU_ISA {

template <class T>
class TapConv {
 public:
  void plan(const Geometry& geometry, const Device& device);
  // Scratch of all that run at the same time, in elements.
  int64_t scratch() const { return slots_ * slot_; }
  // w: [groups * co][ci * taps], rows w_row apart, dense, in the order (channel, tap row, tap column). bias: one per output channel,
  // or null. done: of a dense y, or null; its rows are planes of channels. Threads of the device are used.
  void run(const T* x, const T* w, int64_t w_row, const T* bias, T* y, T* scratch,
           const RowsDone* done = nullptr) const;

 private:
  struct Work;  // pointers of one item
  void fill(const T* bias, T* y, const RowsDone* done) const;
  void run_item(int64_t item, const Work& work) const;
  void multiply(const Work& work, const Block& block, int64_t channels, int64_t m0, int64_t m1,
                bool first) const;
  void gather(const Work& work, int64_t depth, bool biased) const;
  void write_panel(const Work& work, int64_t panel, int64_t rows, T* y, bool accumulate) const;
  void choose_direct();
  int64_t direct_panels(const Block& block, const Work& work) const;

  Geometry g_;
  Blocks blocks_;
  Patch patch_;
  const Device* device_ = nullptr;
  // Direct: columns are read from the patch itself. Its rows are taken as one run, with the borders computed in vain; with steps, each
  // by itself.
  bool direct_ = false;
  bool by_rows() const { return g_.step_h != 1 || g_.step_w != 1; }
  int64_t channel_block_ = 1, parts_m_ = 1, items_ = 0;
  int64_t slots_ = 1, slot_ = 0;
  int64_t panels_ = 0, pieces_ = 0;  // at most, of a block
  int64_t patch_size_ = 0, columns_size_ = 0, panel_size_ = 0, a_stride_ = 0;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
