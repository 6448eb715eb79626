// The gradient of a convolution's weights on AMX tiles; see tile_conv.hpp.
#ifndef TENON_CPU_CONV_TILE_WEIGHT_GRAD_HPP_
#define TENON_CPU_CONV_TILE_WEIGHT_GRAD_HPP_
#include "conv/flat.hpp"
#include "conv/tile_conv.hpp"

namespace tenon::cpu::CPU_ISA {

template <class T>
class TileWeightGrad {
 public:
  // The geometry of the forward convolution; y_image and y_channel are g's strides, and g's planes are dense.
  static bool worth(const Geometry& g, Products products, const Device& device);
  void plan(const Geometry& geometry, Products products, const Device& device);
  int64_t scratch() const { return items_ * sums_ + slots_ * slot_ + 64; }  // bytes
  // dw: dense [groups * co][ci * taps]. False: there are numbers that do not split well.
  bool run(const T* x, const T* g, T* dw, char* scratch) const;

 private:
  // x for the taps of one phase of the steps, and for odd or even offsets.
  struct Copy {
    int64_t phase_y, phase_x;
    bool odd;
  };
  struct Run;
  int64_t positions() const { return g_.batch * flat_.rows * flat_.pitch; }

  Geometry g_;
  Products products_ = Products::six;
  const Device* device_ = nullptr;
  Flat flat_;
  int parts_ = 1;
  int64_t cell_ = 0;  // bytes of a row of a tile, with all parts
  int copies_ = 0;
  Copy copy_[kMostTaps];
  int copy_of_[kMostTaps];   // of a tap
  int64_t pair_[kMostTaps];  // of a tap: the first pair that position 0 needs
  int64_t longest_ = 0;      // offset of a tap, in positions
  int64_t chunk_ = 0;        // positions that are summed in one go
  int64_t parts_c_ = 1, parts_k_ = 1, blocks_c_ = 0, blocks_k_ = 0;  // blocks of kSquare channels
  int64_t together_ = 1;  // blocks of input channels that are split at a time
  int64_t pairs_ = 0;     // of a copy, of 16 channels
  int64_t items_ = 0, slots_ = 1;
  int64_t sums_ = 0, slot_ = 0, x_at_ = 0, spots_at_ = 0;  // bytes
  int log_terms_ = 0;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
