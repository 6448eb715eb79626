// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011): what the op philox computes.
#ifndef TENON_SDK_PHILOX_HPP_
#define TENON_SDK_PHILOX_HPP_
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tenon::sdk {

using PhiloxBlock = std::array<uint32_t, 4>;

inline PhiloxBlock philox4x32(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(p0)};
    key0 += 0x9E3779B9;  // the golden ratio
    key1 += 0xBB67AE85;  // sqrt(3) - 1
  }
  return counter;
}

// Elements 4 * i to 4 * i + 3 of the op: the block with counter offset + i and the given stream; the seed is the key.
inline PhiloxBlock philox_block(uint64_t seed, uint64_t stream, uint64_t offset, uint64_t i) {
  const auto low = [](uint64_t x) { return static_cast<uint32_t>(x); };
  const auto high = [](uint64_t x) { return static_cast<uint32_t>(x >> 32); };
  return philox4x32({low(offset + i), high(offset + i), low(stream), high(stream)}, low(seed),
                    high(seed));
}

// The first n elements of the op. Wide numbers, so that store() of wide.hpp writes them.
inline std::vector<uint64_t> philox_bits(uint64_t seed, uint64_t stream, uint64_t offset,
                                         size_t n) {
  std::vector<uint64_t> bits(n);
  PhiloxBlock block{};
  for (size_t i = 0; i < n; ++i) {
    if (i % 4 == 0) block = philox_block(seed, stream, offset, i / 4);
    bits[i] = block[i % 4];
  }
  return bits;
}

}  // namespace tenon::sdk
#endif
