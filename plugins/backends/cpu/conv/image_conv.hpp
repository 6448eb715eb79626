// Convolutions of few channels over many images: lanes are images, so that none is idle however short rows are, and what a tap reads is a
// vector wherever it lies. The sums of an element do not depend on how the work is cut.
#ifndef TENON_CPU_CONV_IMAGE_CONV_HPP_
#define TENON_CPU_CONV_IMAGE_CONV_HPP_
#include "conv/plane_conv.hpp"

namespace tenon::cpu::CPU_ISA {

// The input planes of a group of images, the images side by side; zeros where columns are outside.
struct ImagePlanes {
  int64_t low_x = 0, pitch = 0, plane = 0;  // pitch in columns, plane in elements
  int64_t row[kMaxTaps], column[kMaxTaps];  // of taps: rows, and elements from the first output's

  // For `columns` output columns.
  void plan(const Geometry& g, int64_t columns);
  // `to` holds zeros, or other images.
  void fill(const Geometry& g, const float* x, int64_t images, float* to) const;
  // The taps, begin .. end, whose rows for output row h are inside.
  void inside(const Geometry& g, int64_t h, int* begin, int* end) const;
};

// What both kernels are cut into: groups of images, of each some parts of the blocks of output channels.
struct ImageItems {
  int64_t groups = 1, channels = 1, blocks = 1, parts = 1, slots = 1;  // channels: of a block
  void plan(const Geometry& g, const Device& device);
  int64_t count() const { return groups * parts; }
};

class ImageConv {
 public:
  static bool worth(const ConvProblem& p);
  void plan(const ConvProblem& p, const Device& device);
  int64_t scratch() const { return weights_ + items_.slots * slot_ + 16; }  // elements
  bool backward() const { return p_.backward; }
  // bias: one per output channel, or null. done: of a dense y, or null; its rows are planes of channels.
  void run(const float* x, const float* w, const float* bias, float* y, float* scratch,
           const RowsDone* done = nullptr) const;

 private:
  void pack(const float* w, float* to) const;
  void block(int64_t block, const float* planes, const float* weights, const float* bias,
             float* outs) const;

  ConvProblem p_;
  const Device* device_ = nullptr;
  ImagePlanes planes_;
  ImageItems items_;
  int64_t weights_ = 0, slot_ = 0, out_ = 0;  // out: of a channel
};

class ImageWeightGrad {
 public:
  static bool worth(const Geometry& g);
  // The geometry of the forward convolution; y_image and y_channel are g's strides, and g's planes are dense.
  void plan(const Geometry& geometry, const Device& device);
  int64_t scratch() const { return sums_ + items_.slots * slot_ + 16; }  // elements
  void run(const float* x, const float* g, float* dw, float* scratch) const;

 private:
  void block(int64_t channels, const float* planes, const float* outs, float* dw) const;

  Geometry g_;
  const Device* device_ = nullptr;
  ImagePlanes planes_;
  ImageItems items_;
  int64_t sums_ = 0, slot_ = 0, out_ = 0;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
