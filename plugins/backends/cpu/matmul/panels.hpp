// Panels of bf16 numbers as they are, packed for AMX tiles.
#ifndef TENON_CPU_MATMUL_PANELS_HPP_
#define TENON_CPU_MATMUL_PANELS_HPP_
#include "kernels/narrow.hpp"
#include "matmul/split.hpp"

namespace tenon::cpu::CPU_ISA {

// Packs any number of lines: each kSquare of them are a panel in one part (split.hpp), panels `panel` bytes apart. The last one is filled
// up with lines of 0.
void pack_panels(char* to, int64_t panel, const Lines<bf16>& lines, bool turned);

}  // namespace tenon::cpu::CPU_ISA
#endif
