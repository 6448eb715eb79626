// What the three ops of the conv2d family have in common.
#ifndef TENON_CPU_CONV_CONV2D_HPP_
#define TENON_CPU_CONV_CONV2D_HPP_
#include "conv/geometry.hpp"

namespace tenon::cpu::CPU_ISA {

struct ConvShape {
  int64_t groups = 1, batch = 0;
  int64_t ci = 0, co = 0;  // channels per group
  int64_t in_h = 0, in_w = 0, out_h = 0, out_w = 0, kernel_h = 0, kernel_w = 0;
  int64_t stride_h = 1, stride_w = 1, padding_h = 0, padding_w = 0, dilation_h = 1, dilation_w = 1;

  // stride, padding, dilation and groups, which stand in this order from attribute `first` on.
  void attrs(const tn_signature& sig, uint32_t first);
  // After attrs. x: the dims of the input, [N, C, H, W].
  void dims(const int64_t* x, int64_t outputs, int64_t kh, int64_t kw, int64_t oh, int64_t ow);
};

// Of the forward convolution of x into a dense output.
Geometry forward_geometry(const ConvShape& s, const tn_view& x);

// Of the gradient of the input along an axis: output element phase + stride * j is reached from g's element j + t by each kernel
// element k with phase + padding - k * dilation = stride * t.
struct AxisPhase {
  int taps = 0;
  int64_t kernel[kMaxTaps];  // which element of w
  int64_t offset[kMaxTaps];  // t
};
// The elements of dx from (ph, pw) on, a stride apart; the first is at ph * in_w + pw.
Geometry input_grad_geometry(const ConvShape& s, const tn_view& g, int64_t ph, int64_t pw,
                             AxisPhase* h, AxisPhase* w);

// Declined where AMX tiles gain nothing (tile_kernels.cpp).
tn_error* plan_conv2d_tiles(const Device& device, const tn_signature& sig, tn_plan* plan);
// By multiply-adds, for any numbers.
tn_error* plan_conv2d(const Device& device, const tn_signature& sig, tn_plan* plan);
tn_error* plan_conv2d_input_grad(const Device& device, const tn_signature& sig, tn_plan* plan);
tn_error* plan_conv2d_weight_grad(const Device& device, const tn_signature& sig, tn_plan* plan);

}  // namespace tenon::cpu::CPU_ISA
#endif
