#include "failing_memory.hpp"

#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define TENON_OWN_MALLOC 0
#else
#define TENON_OWN_MALLOC 1
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}
#endif

namespace {

std::atomic<bool> armed{false}, all_after{false}, own_thread{false};
std::atomic<int64_t> left{0}, first{0}, failures{0}, live_blocks{0};
pthread_t owner;

bool fails() noexcept {
  if (!armed.load(std::memory_order_acquire)) return false;
  if (own_thread.load(std::memory_order_relaxed) && !pthread_equal(owner, pthread_self()))
    return false;
  const int64_t now = left.fetch_sub(1, std::memory_order_relaxed) - 1;
  if (now > 0 || (now < 0 && !all_after.load(std::memory_order_relaxed))) return false;
  failures.fetch_add(1, std::memory_order_relaxed);
  errno = ENOMEM;
  return true;
}

void* system_memory(size_t alignment, size_t bytes) noexcept {
#if TENON_OWN_MALLOC
  return alignment <= alignof(std::max_align_t) ? __libc_malloc(bytes)
                                                : __libc_memalign(alignment, bytes);
#else
  if (alignment <= alignof(std::max_align_t)) return std::malloc(bytes);
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
#endif
}

void* take(size_t bytes, size_t alignment) noexcept {
  void* p = fails() ? nullptr : system_memory(alignment, bytes ? bytes : 1);
  if (p) live_blocks.fetch_add(1, std::memory_order_relaxed);
  return p;
}
void* take_or_throw(size_t bytes, size_t alignment) {
  void* p = take(bytes, alignment);
  if (!p) throw std::bad_alloc();
  return p;
}
void give(void* p) noexcept {
  if (!p) return;
  live_blocks.fetch_sub(1, std::memory_order_relaxed);
  std::free(p);
}
constexpr size_t kPlain = alignof(std::max_align_t);

}  // namespace

namespace tenon::test {

void FailingMemory::arm(int64_t n, bool all, bool own) {
  left.store(n);
  first.store(n);
  failures.store(0);
  all_after.store(all);
  own_thread.store(own);
  owner = pthread_self();
  armed.store(true, std::memory_order_release);
}
int64_t FailingMemory::asked() { return first.load() - left.load(); }
int64_t FailingMemory::disarm() {
  armed.store(false, std::memory_order_release);
  return failures.load();
}
int64_t FailingMemory::live() { return live_blocks.load(); }

void* FailingMemory::allocate(void*, uint64_t bytes, uint64_t alignment) {
  const auto least = static_cast<uint64_t>(sizeof(void*));
  return take(bytes, alignment < least ? least : alignment);
}
void FailingMemory::free(void*, void* memory, uint64_t) { give(memory); }

}  // namespace tenon::test

void* operator new(size_t n) { return take_or_throw(n, kPlain); }
void* operator new[](size_t n) { return take_or_throw(n, kPlain); }
void* operator new(size_t n, std::align_val_t a) {
  return take_or_throw(n, static_cast<size_t>(a));
}
void* operator new[](size_t n, std::align_val_t a) {
  return take_or_throw(n, static_cast<size_t>(a));
}
void* operator new(size_t n, const std::nothrow_t&) noexcept { return take(n, kPlain); }
void* operator new[](size_t n, const std::nothrow_t&) noexcept { return take(n, kPlain); }
void* operator new(size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return take(n, static_cast<size_t>(a));
}
void* operator new[](size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return take(n, static_cast<size_t>(a));
}
void operator delete(void* p) noexcept { give(p); }
void operator delete[](void* p) noexcept { give(p); }
void operator delete(void* p, size_t) noexcept { give(p); }
void operator delete[](void* p, size_t) noexcept { give(p); }
void operator delete(void* p, std::align_val_t) noexcept { give(p); }
void operator delete[](void* p, std::align_val_t) noexcept { give(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { give(p); }
void operator delete[](void* p, size_t, std::align_val_t) noexcept { give(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { give(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { give(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { give(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { give(p); }

// Seen by the libraries, which the program's own functions stand before.
#if TENON_OWN_MALLOC
#pragma GCC visibility push(default)
extern "C" {
void* malloc(size_t n) noexcept { return fails() ? nullptr : __libc_malloc(n); }
void* calloc(size_t n, size_t size) noexcept { return fails() ? nullptr : __libc_calloc(n, size); }
void* realloc(void* p, size_t n) noexcept { return fails() ? nullptr : __libc_realloc(p, n); }
void* aligned_alloc(size_t alignment, size_t n) noexcept {
  return fails() ? nullptr : __libc_memalign(alignment, n);
}
int posix_memalign(void** out, size_t alignment, size_t n) noexcept {
  void* p = fails() ? nullptr : __libc_memalign(alignment, n);
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}
}
#pragma GCC visibility pop
#endif
