#include "host_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace tenon {
namespace {

constexpr uint64_t kHugePage = 2u << 20;

uint64_t round_up(uint64_t bytes, uint64_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

void* host_allocate(uint64_t bytes, uint64_t alignment) {
  void* p = nullptr;
  if (bytes < kHugePage) {
    alignment = std::max<uint64_t>(alignment, sizeof(void*));
    return posix_memalign(&p, alignment, bytes ? bytes : 1) == 0 ? p : nullptr;
  }
  if (bytes > UINT64_MAX / 4 || alignment > UINT64_MAX / 4) return nullptr;
  alignment = std::max(alignment, kHugePage);
  const uint64_t size = round_up(bytes, kHugePage);
  // More than is wanted, so that an aligned run of `size` lies inside; what sticks out goes back.
  p = mmap(nullptr, size + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  char* begin = static_cast<char*>(p);
  char* block = reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(p), alignment));
  const auto before = static_cast<uint64_t>(block - begin);
  if (before) munmap(begin, before);
  if (alignment > before) munmap(block + size, alignment - before);
  madvise(block, size, MADV_HUGEPAGE);
  return block;
}

void host_free(void* memory, uint64_t bytes) {
  if (bytes < kHugePage)
    std::free(memory);
  else
    munmap(memory, round_up(bytes, kHugePage));
}

}  // namespace tenon
