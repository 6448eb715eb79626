// A square of lanes, turned in registers.
#ifndef TENON_CPU_MATMUL_TRANSPOSE_HPP_
#define TENON_CPU_MATMUL_TRANSPOSE_HPP_
#include "kernels/simd.hpp"

namespace tenon::cpu::CPU_ISA {

// Lanes of the low (high) halves of a and b, taken in turn.
template <bool high, class V, int... i>
CPU_INLINE V interleave(V a, V b, std::integer_sequence<int, i...>) {
  constexpr int n = int(sizeof...(i));
  return __builtin_shufflevector(a, b, ((high ? n / 2 : 0) + i / 2 + (i % 2) * n)...);
}

// rows[i][j] becomes rows[j][i].
template <class T>
CPU_INLINE void transpose_lanes(Vec<T>* rows) {
  constexpr int n = kLanes<T>;
  constexpr std::make_integer_sequence<int, n> lanes;
#pragma GCC unroll 4
  for (int step = 1; step < n; step *= 2) {
    Vec<T> next[n];
#pragma GCC unroll 16
    for (int i = 0; i < n / 2; ++i) {
      next[2 * i] = interleave<false>(rows[i], rows[i + n / 2], lanes);
      next[2 * i + 1] = interleave<true>(rows[i], rows[i + n / 2], lanes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) rows[i] = next[i];
  }
}

// A dense square of numbers, turned where it lies.
template <class T>
CPU_INLINE void turn_square(T* square) {
  constexpr int n = kLanes<T>;
  Vec<T> rows[n];
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) rows[i] = load(square + i * n);
  transpose_lanes<T>(rows);
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) store(square + i * n, rows[i]);
}

}  // namespace tenon::cpu::CPU_ISA
#endif
