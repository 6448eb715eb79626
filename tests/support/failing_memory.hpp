// Host allocations that fail on schedule: operator new everywhere, and the malloc family where no sanitizer keeps it for itself.
// For programs that link failing_memory.cpp; the libraries they load allocate through it as well.
#pragma once
#include <cstdint>

namespace tenon::test {

struct FailingMemory {
  // From now on the n-th allocation (the next is the first) fails, and with `all_after` every later one too.
  // own_thread: only those of the calling thread count.
  static void arm(int64_t n, bool all_after, bool own_thread);
  // Ends it. Gives how many allocations failed.
  static int64_t disarm();
  // Allocations since it was armed, of those that count.
  static int64_t asked();
  // Blocks from operator new that were not given back yet, of the whole process.
  static int64_t live();
  // A tn_host_allocator over the same schedule, so that memory of tensors counts as well under a sanitizer.
  static void* allocate(void* user, uint64_t bytes, uint64_t alignment);
  static void free(void* user, void* memory, uint64_t bytes);
};

}  // namespace tenon::test
