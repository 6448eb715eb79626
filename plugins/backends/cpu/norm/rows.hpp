// What the kernels that work on rows of contiguous elements share.
#ifndef TENON_CPU_NORM_ROWS_HPP_
#define TENON_CPU_NORM_ROWS_HPP_
#include "kernels/vmath.hpp"
#include "kernels/vmath64.hpp"

namespace tenon::cpu::CPU_ISA {

// Calls whole(i) for each vector of n elements, then rest(i, count) for what is left, if anything is.
template <class T, class Whole, class Rest>
CPU_INLINE void for_vectors(int64_t n, Whole&& whole, Rest&& rest) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) whole(i);
  if (i < n) rest(i, n - i);
}

// The first n lanes of x, the others `other`.
template <class T>
CPU_INLINE Vec<T> first_lanes(Vec<T> x, int64_t n, T other) {
  alignas(kVectorBytes) T part[kLanes<T>];
  for (int i = 0; i < kLanes<T>; ++i) part[i] = T(i);
  return select(load(part) < splat<Vec<T>>(T(n)), x, splat<Vec<T>>(other));
}

// Greatest of n > 0 elements; NaN if one is.
template <class T>
CPU_INLINE T row_max(const T* x, int64_t n) {
  Vec<T> top = splat<Vec<T>>(-std::numeric_limits<T>::infinity());
  for_vectors<T>(
      n, [&](int64_t i) { top = vmax(top, load(x + i)); },
      [&](int64_t i, int64_t count) {
        top = vmax(top,
                   first_lanes(load_n(x + i, count), count, -std::numeric_limits<T>::infinity()));
      });
  return max_lanes(top);
}

// Sum of f(x[i]), in four chains.
template <class T, class F>
CPU_INLINE T row_sum(const T* x, int64_t n, F&& f) {
  constexpr int64_t lanes = kLanes<T>;
  Vec<T> side[4] = {};
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) side[k] += f(load(x + i + k * lanes));
  }
  Vec<T> a = (side[0] + side[1]) + (side[2] + side[3]);
  for (; i < n; i += lanes) {
    const int64_t count = n - i < lanes ? n - i : lanes;
    a += first_lanes(f(load_n(x + i, count)), count, T(0));
  }
  return sum_lanes(a);
}

// y[i] = f(x[i]).
template <class T, class F>
CPU_INLINE void map_row(T* y, const T* x, int64_t n, F&& f) {
  for_vectors<T>(
      n, [&](int64_t i) { store(y + i, f(load(x + i))); },
      [&](int64_t i, int64_t count) { store_n(y + i, f(load_n(x + i, count)), count); });
}

// body(row) for each of `rows` rows of n elements, on the device's threads where that pays.
template <class Body>
inline void for_rows(const Device& device, int64_t rows, int64_t n, double ns_per_element,
                     Body&& body) {
  const double ns_per_row = 10 + ns_per_element * double(n);
  const int64_t grain = ns_per_row > 2000 ? 1 : int64_t(2000 / ns_per_row) + 1;
  parallel(device, rows, grain, ns_per_row, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) body(r);
  });
}

}  // namespace tenon::cpu::CPU_ISA
#endif
