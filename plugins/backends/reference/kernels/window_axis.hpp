// Where windows lie along one axis: shared by convolution and the window ops.
#ifndef TENON_BACKENDS_REFERENCE_KERNELS_WINDOW_AXIS_HPP_
#define TENON_BACKENDS_REFERENCE_KERNELS_WINDOW_AXIS_HPP_
#include <cstdint>

namespace tenon::reference {

// Output position p, window position w: the element p * stride + w * dilation of the input, once that is dilated (input_dilation - 1
// holes between neighbours) and padded by `low`. The output's size says how much padding there is at the other end.
struct WindowAxis {
  int64_t size = 0;  // of the input
  int64_t stride = 1, low = 0, dilation = 1, input_dilation = 1;

  // The index in the input, or -1: padding or a hole.
  int64_t source(int64_t p, int64_t w) const {
    const int64_t at = p * stride + w * dilation - low;
    if (at < 0 || at % input_dilation != 0 || at / input_dilation >= size) return -1;
    return at / input_dilation;
  }
};

}  // namespace tenon::reference
#endif
