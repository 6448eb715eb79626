// Whole numbers: divided upwards, rounded upwards, the smaller and the larger of two.
#ifndef TENON_CPU_WHOLE_HPP_
#define TENON_CPU_WHOLE_HPP_
#include <cstdint>

namespace tenon::cpu::CPU_ISA {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }
constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

}  // namespace tenon::cpu::CPU_ISA
#endif
