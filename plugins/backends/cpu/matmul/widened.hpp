// f16 and bf16 for kernels that compute in f32: operands are converted before and after.
#ifndef TENON_CPU_MATMUL_WIDENED_HPP_
#define TENON_CPU_MATMUL_WIDENED_HPP_
#include "cpu.hpp"

namespace tenon::cpu::CPU_ISA {

inline bool is_narrow(tn_dtype dtype) { return dtype == TN_DTYPE_F16 || dtype == TN_DTYPE_BF16; }

// Plans `prepare` for the signature with every f16 and bf16 view as f32. Those views must have no gaps in memory, in whatever order
// their axes are; else it declines, as it does where prepare does.
tn_error* prepare_widened(const Device& device, const tn_signature& sig, tn_plan* plan,
                          tn_error* (*prepare)(const Device&, const tn_signature&, tn_plan*));

}  // namespace tenon::cpu::CPU_ISA
#endif
