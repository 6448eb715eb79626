// Depthwise convolutions: every plane by itself, with taps of its own. A plane is copied so that it lies flat (conv/flat.hpp), columns
// sorted by phase of the step: then what each tap reads of successive positions is dense. The sums of an element do not depend on how
// the work is cut.
#ifndef TENON_CPU_CONV_PLANE_CONV_HPP_
#define TENON_CPU_CONV_PLANE_CONV_HPP_
#include "conv/conv2d.hpp"

namespace tenon::cpu::CPU_ISA {

// A plane of an image as it is copied: row r, column u is x's row r + low_y, column u + low_x, or 0 where that is outside.
struct FlatPlane {
  int64_t low_y = 0, low_x = 0, in_h = 0, in_w = 0, in_row = 0;
  int64_t step_h = 1, step_w = 1;      // rows and columns of a phase lie together
  int64_t phases_h = 1, phases_w = 1;  // which are read
  int64_t rows = 0, pitch = 0;         // of a phase
  int64_t size = 0;                    // elements of a phase

  void plan(const ConvProblem& p);
  // `below`: rows beyond those of the outputs that taps reach.
  void plan(int64_t out_rows, int64_t below, int64_t pitch);
  // Where the taps of one of the problem's geometries are.
  void offsets(const Geometry& g, int64_t* at) const;
  int64_t elements() const { return phases_h * phases_w * size; }
  // Where an element at (y, x) from the low corner is, for output position 0.
  int64_t at(int64_t y, int64_t x) const {
    return (y % step_h * phases_w + x % step_w) * size + y / step_h * pitch + x / step_w;
  }
  // `to` holds zeros, or another plane.
  void fill(const float* x, float* to) const;
};

// f(begin, end, slot) over parts of 0 .. n, one for each of the slots; a thread takes one or several.
template <class F>
void share(const Device& device, int64_t slots, int64_t n, F f) {
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot)
      f(slot * n / slots, (slot + 1) * n / slots, slot);
  };
  if (slots == 1)
    body(0, 1);
  else
    parallel(device, slots, 1, kParallelNs, body);
}

class PlaneConv {
 public:
  static bool fits(const ConvProblem& p);
  void plan(const ConvProblem& p, const Device& device);
  int64_t scratch() const { return slots_ * slot_; }  // elements
  bool backward() const { return p_.backward; }
  // bias: one per channel, or null. done: of a dense y, or null.
  void run(const float* x, const float* w, const float* bias, float* y, float* scratch,
           const RowsDone* done = nullptr) const;

 private:
  void planes(int64_t begin, int64_t end, const float* x, const float* w, const float* bias,
              float* y, float* slot) const;
  void sum(int64_t phase, const float* x, const float* w, float start, int64_t rows,
           float* out) const;

  ConvProblem p_;
  const Device* device_ = nullptr;
  FlatPlane flat_;
  int64_t rows_ = 0;     // computed at a time
  int64_t columns_ = 1;  // phases of the results' columns
  int64_t planes_ = 1;   // filled at a time
  int64_t slots_ = 1, slot_ = 0, out_ = 0;
  int64_t at_[kMostPhases][kMostTaps];
};

class PlaneWeightGrad {
 public:
  static bool fits(const Geometry& g);
  // The geometry of the forward convolution; y_image and y_channel are g's strides, and g's planes are dense.
  void plan(const Geometry& geometry, const Device& device);
  int64_t scratch() const { return slots_ * slot_; }  // elements
  void run(const float* x, const float* g, float* dw, float* scratch) const;

 private:
  void channel(const float* x, const float* g, float* dw, float* slot) const;
  void channel_exactly(const float* x, const float* g, float* dw) const;

  Geometry g_;
  const Device* device_ = nullptr;
  FlatPlane x_, out_;
  int64_t images_ = 1;  // that are summed in one go
  int64_t slots_ = 1, slot_ = 0;
  int64_t at_[kMostTaps];
};

}  // namespace tenon::cpu::CPU_ISA
#endif
