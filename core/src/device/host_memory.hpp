// Host memory where the embedder brings no allocator of its own.
#pragma once
#include <cstdint>

namespace tenon {

// `alignment`: a power of two. Null when there is none left. From 2 MiB on a block is a mapping of its own, aligned to 2 MiB and
// advised to be backed by huge pages, which makes the first touch cheaper; given back, it is the system's at once. Any thread.
void* host_allocate(uint64_t bytes, uint64_t alignment);
// `bytes` as they were asked for.
void host_free(void* memory, uint64_t bytes);

}  // namespace tenon
