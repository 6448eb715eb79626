// Convolutions of many channels and few positions, as a product whose columns are output channels: then hardly any lane is idle, and
// weights are read once. The sums of an element do not depend on how the work is cut.
#ifndef TENON_CPU_CONV_CHANNEL_CONV_HPP_
#define TENON_CPU_CONV_CHANNEL_CONV_HPP_
#include "conv/plane_conv.hpp"

namespace tenon::cpu::CPU_ISA {

class ChannelConv {
 public:
  static bool worth(const ConvProblem& p);
  void plan(const ConvProblem& p, const Device& device);
  int64_t scratch() const;  // elements
  bool backward() const { return p_.backward; }
  // bias: one per output channel, or null. done: of a dense y, or null; its rows are planes of channels.
  void run(const float* x, const float* w, const float* bias, float* y, float* scratch,
           const RowsDone* done = nullptr) const;

 private:
  struct Phase {
    int64_t at[kMostTaps];  // of taps, in a plane
    int64_t taps = 0, out = 0,
            tiles = 0;  // out: positions of an image; tiles: so many it is cut into
    int64_t rows = 0, sums = 0, first_tap = 0;  // where its part begins
    int64_t begin(int64_t tile) const { return tile * out / tiles; }
  };
  void gather(int64_t channel, const float* x, float* plane, float* rows) const;
  void pack(const float* w, int64_t o, int64_t channel, int64_t channels, float* to) const;
  void panel(const float* w, const float* bias, int64_t o, const float* rows, float* y,
             float* slot) const;
  void write(int phase, const float* sums, float bias, float* y) const;

  ConvProblem p_;
  const Device* device_ = nullptr;
  FlatPlane flat_;
  Phase phase_[kMostPhases];
  int64_t channels_ = 1;  // of inputs whose weights are packed at a time
  int64_t slots_ = 1, slot_ = 0, rows_ = 0, packed_ = 0;
};

// The gradient of the weights: columns are taps of input channels, so that sums are written where they belong.
class ChannelWeightGrad {
 public:
  static bool worth(const Geometry& g);
  // The geometry of the forward convolution; y_image and y_channel are g's strides, and g's planes are dense.
  void plan(const Geometry& geometry, const Device& device);
  int64_t scratch() const { return slots_ * slot_ + 16; }  // elements
  void run(const float* x, const float* g, float* dw, float* scratch) const;

 private:
  void channels(const float* x, const float* g, int64_t channel, int64_t n, float* dw,
                float* slot) const;

  Geometry g_;
  const Device* device_ = nullptr;
  FlatPlane flat_;
  int64_t at_[kMostTaps];
  int64_t channels_ = 1;  // whose taps are gathered at a time
  int64_t slots_ = 1, slot_ = 0, row_ = 0, rows_ = 0, panels_ = 0;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
