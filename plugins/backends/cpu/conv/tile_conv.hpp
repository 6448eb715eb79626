// Convolutions on AMX tiles: numbers as sums of bf16 numbers (matmul/split.hpp), taps as offsets (conv/flat.hpp). The sums of an
// output position are the same however the work is cut.
#ifndef TENON_CPU_CONV_TILE_CONV_HPP_
#define TENON_CPU_CONV_TILE_CONV_HPP_
#include "conv/conv2d.hpp"

namespace tenon::cpu::CPU_ISA {

template <class T>
class TileConv {
 public:
  // Whether the shape is fit for it and it is faster than the other ways.
  static bool worth(const ConvProblem& p, const Device& device);

  void plan(const ConvProblem& p, const Device& device);
  int64_t scratch() const { return slots_at_ + slots_ * slot_ + 64; }  // bytes
  // False: there are numbers that do not split well, and y is not what it should be. bias: one per output channel, or null. done: of a
  // dense y, or null; its rows are planes of channels.
  bool run(const T* x, const T* w, const T* bias, T* y, char* scratch,
           const RowsDone* done = nullptr) const;

 private:
  struct Run;
  int64_t blocks(int64_t images) const;
  // Of the input, for an output position.
  int64_t place(int64_t position) const;
  template <class Offset>
  auto spots(int64_t position, int64_t images, int64_t pitch, Offset offset) const;

  ConvProblem p_;
  const Device* device_ = nullptr;
  Flat flat_;
  int parts_ = 1;
  int64_t cell_ = 0;                        // bytes of a position: kTileDepth channels of each part
  int64_t width_ = 0;                       // positions of an input row
  int64_t row_phases_ = 1;                  // rows h * step + phase lie together
  int64_t in_blocks_ = 0, out_blocks_ = 0;  // of kTileDepth, kTileSide channels
  int64_t images_ = 1, teams_ = 1,
          slots_ = 1;    // teams of images that are split and computed by one thread
  bool shared_ = false;  // all threads share one team
  bool beside_ = false;  // images lie side by side, not one after another
  int64_t plane_ = 0, slot_ = 0, slots_at_ = 0;  // bytes
  int64_t at_[kMostPhases][kMostTaps];           // of taps, in a plane
  int64_t weights_at_[kMostPhases + 1];          // of a phase, in those of a group
  int64_t outs_ = 0;                             // output channels whose weights stay in a cache
  int log_terms_ = 0;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
