// philox(seed, stream, offset) -> bits (u32): Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
// 1, 2, 3" (2011). Element i is lane i mod 4 of the block with counter offset + i / 4 and the given stream; the seed is the key.
#include "elementwise.hpp"

namespace tenon::reference {
namespace {

using Block = std::array<uint32_t, 4>;

Block philox4x32(Block counter, uint32_t key0, uint32_t key1) {
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

uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

struct Philox {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    for (int i = 0; i < 3; ++i) {
      if (s.input(i).dtype != TN_DTYPE_U64) return s.decline("the random state is not u64");
    }
    if (s.output().dtype != TN_DTYPE_U32) return s.decline("the bits are not u32");
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    const auto seed = sdk::scalar<uint64_t>(args[0]);
    const auto stream = sdk::scalar<uint64_t>(args[1]);
    const auto offset = sdk::scalar<uint64_t>(args[2]);
    Dense<uint64_t> result(static_cast<size_t>(args[3].count));
    Block block{};
    for (size_t i = 0; i < result.size(); ++i) {
      if (i % 4 == 0) {
        const uint64_t counter = offset + i / 4;
        block = philox4x32({low(counter), high(counter), low(stream), high(stream)}, low(seed),
                           high(seed));
      }
      result[i] = block[i % 4];
    }
    store(result, args[3]);
  }
};

}  // namespace

REFERENCE_KERNEL(philox, Philox, 0);

}  // namespace tenon::reference
