// Raw memory blocks of the cpu device.
#ifndef TENON_CPU_MEMORY_HPP_
#define TENON_CPU_MEMORY_HPP_
#include <cstdint>

namespace tenon::cpu {

inline constexpr uint64_t kAlignment = 64;

// A block aligned to kAlignment, or null. From 2 MiB on it comes from mmap, aligned to 2 MiB and
// advised to be backed by huge pages, which makes the first touch cheaper. [any]
void* allocate_block(uint64_t bytes);
// `bytes` as it was asked for.
void free_block(void* block, uint64_t bytes);

}  // namespace tenon::cpu
#endif
