// oneDNN's convolutions in the kernel list; they are asked before this backend's own.
#include "conv/onednn.hpp"

namespace tenon::cpu::CPU_ISA {

CPU_PREPARE(conv2d_onednn) { return plan_onednn_conv2d(device, sig, plan); }
CPU_PREPARE(conv2d_input_grad_onednn) { return plan_onednn_input_grad(device, sig, plan); }
CPU_PREPARE(conv2d_weight_grad_onednn) { return plan_onednn_weight_grad(device, sig, plan); }

}  // namespace tenon::cpu::CPU_ISA
