// What the three ops of the conv2d family have in common.
#ifndef TENON_CPU_CONV_CONV2D_HPP_
#define TENON_CPU_CONV_CONV2D_HPP_
#include "conv/flat.hpp"
#include "conv/region.hpp"

namespace tenon::cpu {

namespace CPU_SHARED_ISA {
// By multiply-adds, for any numbers.
tn_error* plan_conv2d(const Device& device, const tn_signature& sig, tn_plan* plan);
tn_error* plan_conv2d_input_grad(const Device& device, const tn_signature& sig, tn_plan* plan);
tn_error* plan_conv2d_weight_grad(const Device& device, const tn_signature& sig, tn_plan* plan);
}  // namespace CPU_SHARED_ISA

namespace CPU_ISA {

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

inline constexpr int kMostTaps = 128, kMostPhases = 4;

// Geometries of the same input, images and groups that share their weights; each writes its own part of y.
struct ConvProblem {
  int phases = 1;
  Geometry g[kMostPhases];
  int64_t y_start[kMostPhases] = {};
  // Output o and input c of a group, tap t (in the order of g): w[group * w_group + o * w_out + c * w_in + tap[phase][t]].
  int64_t w_group = 0, w_out = 0, w_in = 0;
  int tap[kMostPhases][kMostTaps];
  Products products = Products::six;
  bool backward = false;  // the gradient of an input

  // False: more taps or phases than there is room for.
  bool forward(const ConvShape& s, const tn_view& x);
  bool input_grad(const ConvShape& s, const tn_view& g);
};

// Of the signature of conv2d. By multiply-adds, in f32; by AMX tiles, declined where they gain nothing (tile_kernels.cpp).
tn_error* plan_conv2d_f32(const Device& device, const tn_signature& sig, tn_plan* plan,
                          const ConvRegionPtr& region);
tn_error* plan_conv2d_tiles(const Device& device, const tn_signature& sig, tn_plan* plan,
                            const ConvRegionPtr& region);
#if !CPU_CONV_F64
tn_error* plan_conv2d(const Device& device, const tn_signature& sig, tn_plan* plan);
tn_error* plan_conv2d_input_grad(const Device& device, const tn_signature& sig, tn_plan* plan);
tn_error* plan_conv2d_weight_grad(const Device& device, const tn_signature& sig, tn_plan* plan);
#endif

}  // namespace CPU_ISA
}  // namespace tenon::cpu
#endif
