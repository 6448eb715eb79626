// Windows over planes of two axes, in f32 and f64.
#ifndef TENON_CPU_CONV_WINDOW_PLANES_HPP_
#define TENON_CPU_CONV_WINDOW_PLANES_HPP_
#include "conv/loops.hpp"

namespace tenon::cpu::CPU_ISA {

// What reduces (scatters) with `p` as the plan's data; null where this does not apply.
tn_kernel_run window_reduce_planes(const WindowPlan& p, tn_dtype dtype, WindowMode mode);
tn_kernel_run window_scatter_planes(const WindowPlan& p, tn_dtype dtype);

}  // namespace tenon::cpu::CPU_ISA
#endif
