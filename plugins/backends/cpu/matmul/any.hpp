// matmul in integers, bool and complex numbers: plain loops.
#ifndef TENON_CPU_MATMUL_ANY_HPP_
#define TENON_CPU_MATMUL_ANY_HPP_
#include "matmul/batch.hpp"

namespace tenon::cpu::CPU_ISA {

// Sets plan, or declines a dtype that is none of these. Integers wrap around; on bool it is or of ands.
tn_error* make_any_matmul(const Device& device, tn_dtype dtype, const MatmulShape& shape,
                          tn_plan* plan);

}  // namespace tenon::cpu::CPU_ISA
#endif
