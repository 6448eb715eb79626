#include "memory.hpp"

#include <sys/mman.h>

#include <cstdlib>

namespace tenon::cpu {
namespace {

constexpr uint64_t kHugePage = 2u << 20;

uint64_t round_up(uint64_t bytes, uint64_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

void* allocate_block(uint64_t bytes) {
  if (bytes > UINT64_MAX / 2) return nullptr;
  if (bytes < kHugePage) {
    return std::aligned_alloc(kAlignment, round_up(bytes ? bytes : 1, kAlignment));
  }
  const uint64_t size = round_up(bytes, kHugePage);
  // One huge page more, so that an aligned run of `size` lies inside; what sticks out goes back.
  void* raw =
      mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  char* begin = static_cast<char*>(raw);
  char* block = reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(raw), kHugePage));
  if (block != begin) munmap(begin, size_t(block - begin));
  const uint64_t tail = kHugePage - uint64_t(block - begin);
  if (tail) munmap(block + size, tail);
#if defined(MADV_HUGEPAGE)
  madvise(block, size, MADV_HUGEPAGE);
#endif
  return block;
}

void free_block(void* block, uint64_t bytes) {
  if (!block) return;
  if (bytes < kHugePage) {
    std::free(block);
  } else {
    munmap(block, round_up(bytes, kHugePage));
  }
}

}  // namespace tenon::cpu
