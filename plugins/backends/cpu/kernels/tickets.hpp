// Tickets: a key as an unsigned number of the same order with its position below it. They are all
// different, so any sort of them is stable.
#ifndef TENON_CPU_TICKETS_HPP_
#define TENON_CPU_TICKETS_HPP_
#include <algorithm>

#include "narrow.hpp"

namespace tenon::cpu::CPU_ISA {

struct Long {
  uint64_t key;
  uint32_t at;
  bool operator<(const Long& o) const { return key != o.key ? key < o.key : at < o.at; }
};

// Up to 32 bits of key go with the position into one number.
template <class T>
using Ticket = std::conditional_t<(sizeof(T) > 4), Long, uint64_t>;

inline uint32_t position(uint64_t ticket) { return uint32_t(ticket); }
inline uint32_t position(const Long& ticket) { return ticket.at; }

// Of the bits of a float: NaN is above all, -0 is 0.
template <class U>
CPU_INLINE U ordered_bits(U bits, U infinity) {
  const U top = U(U(1) << (8 * sizeof(U) - 1));
  const U size = U(bits & U(~top));
  const U up = bits > top ? U(~bits) : U(size | top);
  return size > infinity ? U(~U(0)) : up;
}

template <class T>
CPU_INLINE auto ordered_up(const T& x) {
  if constexpr (std::is_same_v<T, double>) {
    return ordered_bits(bits_as<uint64_t>(x), uint64_t(0x7ff0000000000000));
  } else if constexpr (std::is_same_v<T, float>) {
    return ordered_bits(bits_as<uint32_t>(x), uint32_t(0x7f800000));
  } else if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) {
    return uint32_t(ordered_bits(x.bits, uint16_t(std::is_same_v<T, f16> ? 0x7c00 : 0x7f80)));
  } else {
    using U = std::conditional_t<(sizeof(T) > 4), uint64_t, uint32_t>;
    const U bias = std::is_signed_v<T> ? U(1) << (8 * sizeof(U) - 1) : U(0);
    return U(U(std::conditional_t<std::is_signed_v<T>, std::make_signed_t<U>, U>(x)) ^ bias);
  }
}

// A smaller key comes first, and so does a smaller ticket.
template <class T>
CPU_INLINE auto ordered(const T& x, bool descending) {
  using Key = decltype(ordered_up(x));
  return Key(ordered_up(x) ^ (descending ? Key(~Key(0)) : Key(0)));
}
template <class T>
CPU_INLINE Ticket<T> ticket(const T& x, bool descending, int64_t at) {
  const auto key = ordered(x, descending);
  if constexpr (sizeof(T) > 4) {
    return {key, uint32_t(at)};
  } else {
    return uint64_t(key) << 32 | uint64_t(at);
  }
}

CPU_INLINE uint64_t key_of(uint64_t ticket) { return ticket >> 32; }
CPU_INLINE uint64_t key_of(const Long& ticket) { return ticket.key; }

// So many are sorted by their digits.
inline constexpr int64_t kRadix = 256;

// Sorts tickets whose positions ascend; `spare` has room for n more. By `digits` bytes of the key
// from byte `first` on, where it may leave the order of those that are alike in these as it was.
template <int first = 0, int digits = 8, class Tickets>
[[gnu::noinline]] void sort_tickets(Tickets* t, Tickets* spare, int64_t n) {
  constexpr int kBytes = sizeof(Tickets) == sizeof(uint64_t) ? 4 : 8;
  constexpr int kDigits = digits < kBytes ? digits : kBytes;
  if (n < kRadix) return std::sort(t, t + n);
  uint32_t counts[kDigits][256] = {};
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t key = key_of(t[i]) >> 8 * first;
#pragma GCC unroll 8
    for (int d = 0; d < kDigits; ++d) ++counts[d][key >> 8 * d & 255];
  }
  // By each byte, from the last on, those in which all are alike left out.
  Tickets* from = t;
  for (int d = 0; d < kDigits; ++d) {
    const int shift = 8 * (first + d);
    if (counts[d][key_of(t[0]) >> shift & 255] == n) continue;
    uint32_t* next = counts[d];
    for (uint32_t k = 0, sum = 0; k < 256; ++k) {
      const uint32_t here = next[k];
      next[k] = sum;
      sum += here;
    }
    Tickets* to = from == t ? spare : t;
    for (int64_t i = 0; i < n; ++i) to[next[key_of(from[i]) >> shift & 255]++] = from[i];
    from = to;
  }
  if (from != t) std::memcpy(static_cast<void*>(t), from, size_t(n) * sizeof(Tickets));
}

}  // namespace tenon::cpu::CPU_ISA

#endif
