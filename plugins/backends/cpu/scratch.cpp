#include "scratch.hpp"

#include <cstdlib>

namespace tenon::cpu {

ScratchBlocks::~ScratchBlocks() {
  for (const Block& b : kept_) std::free(b.memory);
}

ScratchBlocks::Block ScratchBlocks::take(size_t bytes) {
  Block* best = nullptr;
  {
    const std::lock_guard lock(mutex_);
    for (Block& b : kept_)
      if (b.bytes >= bytes && (!best || b.bytes < best->bytes)) best = &b;
    if (best) {
      bytes_ -= best->bytes;
      return std::exchange(*best, Block{});
    }
    // None is large enough: one that is smaller goes, so that blocks grow to what is asked for.
    for (Block& b : kept_)
      if (b.memory && (!best || b.bytes < best->bytes)) best = &b;
    if (best) {
      bytes_ -= best->bytes;
      std::free(std::exchange(*best, Block{}).memory);
    }
  }
  const size_t whole = (bytes + 63) / 64 * 64;
  void* memory = std::aligned_alloc(64, whole);
  return {memory, memory ? whole : 0};
}

void ScratchBlocks::give(Block block) {
  {
    const std::lock_guard lock(mutex_);
    for (Block& b : kept_) {
      if (b.memory || bytes_ + block.bytes > most_) continue;
      bytes_ += block.bytes;
      b = block;
      return;
    }
  }
  std::free(block.memory);
}

}  // namespace tenon::cpu
