// Convolution and windows in plain loops, compiled once for all instruction sets.
#ifndef TENON_CPU_CONV_LOOPS_HPP_
#define TENON_CPU_CONV_LOOPS_HPP_
#include "cpu.hpp"

namespace tenon::cpu {

// Plans the base op conv for any number of axes and every dtype; w and y must be contiguous.
tn_error* plan_conv_loops(const Device& device, const tn_signature& sig, tn_plan* plan);

struct WindowAxis {
  int64_t in, out, window, stride, low, dilation;
};

// Everything before the last two axes that have windows of more than one element or padding is `planes`.
struct WindowPlan {
  const Device* device;
  int rank;  // of the plane: the trailing axes
  int64_t planes, in_size, out_size;
  WindowAxis axis[TN_MAX_RANK];
  double scale;  // avg_pool2d: sums become averages; 0: they stay sums
  bool count_padding;
};

// The elements of an axis that a window at `i` covers: window elements first .. last, the first at input `at`.
struct Reach {
  int64_t first, last, at;
};
inline Reach reach(const WindowAxis& a, int64_t i) {
  const int64_t start = i * a.stride - a.low;
  const int64_t first = start >= 0 ? 0 : (-start + a.dilation - 1) / a.dilation;
  const int64_t room = a.in - start;
  const int64_t last = room <= 0 ? 0 : (room + a.dilation - 1) / a.dilation;
  return {first, last < a.window ? last : a.window, start + first * a.dilation};
}

enum class WindowMode : uint8_t { max, min, sum };

// What reduces (scatters) with `p`, a WindowPlan, as the plan's data; null for a dtype that has no such thing. Contiguous tensors.
tn_kernel_run window_reduce_loops(tn_dtype dtype, WindowMode mode);
tn_kernel_run window_scatter_loops(tn_dtype dtype);

// Divides the sums of one plane of two axes.
template <class T>
void average_plane(const WindowPlan& p, T* y) {
  if (p.count_padding) {
    for (int64_t i = 0; i < p.out_size; ++i) y[i] *= T(p.scale);
    return;
  }
  for (int64_t i = 0; i < p.axis[0].out; ++i) {
    const Reach r = reach(p.axis[0], i);
    for (int64_t j = 0; j < p.axis[1].out; ++j) {
      const Reach c = reach(p.axis[1], j);
      *y++ /= T((r.last - r.first) * (c.last - c.first));
    }
  }
}

}  // namespace tenon::cpu
#endif
