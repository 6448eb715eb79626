// Philox 4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011), a vector of
// counters at a time.
#ifndef TENON_CPU_PHILOX_HPP_
#define TENON_CPU_PHILOX_HPP_
#include "simd.hpp"

namespace tenon::cpu::CPU_ISA {

using U64 = Vec<uint64_t>;

// Products of the low halves of 64-bit lanes.
CPU_INLINE U64 multiply_low(U64 a, U64 b) {
#if defined(__AVX512F__)
  return bits_as<U64>(_mm512_mul_epu32(bits_as<__m512i>(a), bits_as<__m512i>(b)));
#elif defined(__AVX2__)
  return bits_as<U64>(_mm256_mul_epu32(bits_as<__m256i>(a), bits_as<__m256i>(b)));
#elif defined(__SSE2__)
  return bits_as<U64>(_mm_mul_epu32(bits_as<__m128i>(a), bits_as<__m128i>(b)));
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

struct Philox {
  uint64_t seed, stream, offset;

  static constexpr int64_t kGroup = 4 * kLanes<uint64_t>;  // words of one call of `group`

  // Words 4 * counter .. + kGroup of the sequence that starts at `offset`.
  CPU_INLINE void group(uint32_t* to, int64_t counter) const {
    constexpr uint64_t kLow = 0xffffffffu;
    U64 index;
    for (int i = 0; i < kLanes<uint64_t>; ++i) index[i] = uint64_t(i);
    const U64 at = index + (offset + uint64_t(counter));
    U64 c0 = at & kLow, c1 = at >> 32;
    U64 c2 = splat<U64>(stream & kLow), c3 = splat<U64>(stream >> 32);
    uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const U64 p0 = multiply_low(c0, splat<U64>(0xD2511F53u));
      const U64 p1 = multiply_low(c2, splat<U64>(0xCD9E8D57u));
      c0 = (p1 >> 32) ^ c1 ^ uint64_t(k0);
      c1 = p1;
      c2 = (p0 >> 32) ^ c3 ^ uint64_t(k1);
      c3 = p0;
      c1 &= kLow;
      c3 &= kLow;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    // Lanes hold words 0, 1, 2, 3 of a counter each: joined in pairs, then interleaved.
    uint64_t low[kLanes<uint64_t>], high[kLanes<uint64_t>], out[2 * kLanes<uint64_t>];
    store(low, (c0 & kLow) | c1 << 32);
    store(high, (c2 & kLow) | c3 << 32);
    for (int i = 0; i < kLanes<uint64_t>; ++i) out[2 * i] = low[i], out[2 * i + 1] = high[i];
    __builtin_memcpy(to, out, sizeof out);
  }

  // Words first .. first + n, first a multiple of 4; `to` has room for n rounded up to kGroup.
  void words(uint32_t* to, int64_t first, int64_t n) const {
    for (int64_t i = 0; i < n; i += kGroup) group(to + i, (first + i) / 4);
  }
};

}  // namespace tenon::cpu::CPU_ISA

#endif
