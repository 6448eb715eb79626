// Host memory for the length of a kernel's run, kept by the device from one run to the next, so that a program which is replayed asks
// the system for none. For what a plan cannot know when it is prepared; else a plan says workspace_bytes.
#ifndef TENON_CPU_SCRATCH_HPP_
#define TENON_CPU_SCRATCH_HPP_
#include <cstddef>
#include <mutex>

#include "cpu.hpp"

namespace tenon::cpu {

// Any thread.
class ScratchBlocks {
 public:
  struct Block {
    void* memory = nullptr;
    size_t bytes = 0;
  };
  explicit ScratchBlocks(size_t most)
      : most_(most) {}  // bytes that are kept, of all blocks together
  ~ScratchBlocks();
  Block take(size_t bytes);  // of at least that size; memory is null where there is none
  void give(Block block);

 private:
  static constexpr size_t kKept = 16;
  const size_t most_;
  std::mutex mutex_;
  Block kept_[kKept];
  size_t bytes_ = 0;  // of those
};

namespace CPU_ISA {

// n elements without values; null where there is no memory.
template <class T>
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Device& device, int64_t n) { reset(device, n); }
  Scratch(const Scratch&) = delete;
  ~Scratch() {
    if (block_.memory) from_->give(block_);
  }
  void reset(const Device& device, int64_t n) {
    from_ = device.scratch;
    block_ = from_->take(size_t(n > 0 ? n : 1) * sizeof(T));
  }
  explicit operator bool() const { return block_.memory != nullptr; }
  T* get() const { return static_cast<T*>(block_.memory); }
  T& operator[](int64_t i) const { return get()[i]; }

 private:
  ScratchBlocks* from_ = nullptr;
  ScratchBlocks::Block block_;
};

// n elements for each thread that is at work at once in a parallel() of so many units: taken before it, whole, so that it makes no
// difference to the memory how many threads come, and when. Null where there is no memory.
template <class T>
class ThreadScratch {
 public:
  ThreadScratch(const Device& device, int64_t units, int64_t n)
      : slots_(units < device.threads ? units : device.threads),
        stride_((n * int64_t(sizeof(T)) + 127) / 64 * 64),
        memory_(device, slots_ * stride_) {
    for (int64_t i = 0; memory_ && i < slots_; ++i) *taken(i) = 0;
  }
  explicit operator bool() const { return bool(memory_); }

  // A thread's own, for as long as it lives.
  class Mine {
   public:
    explicit Mine(const ThreadScratch& from) : taken_(from.taken(0)) {
      for (int64_t i = 0; __atomic_exchange_n(taken_, 1, __ATOMIC_ACQUIRE) != 0;)
        taken_ = from.taken(i = (i + 1) % from.slots_);
    }
    Mine(const Mine&) = delete;
    ~Mine() { __atomic_store_n(taken_, 0, __ATOMIC_RELEASE); }
    T* get() const { return reinterpret_cast<T*>(reinterpret_cast<char*>(taken_) + 64); }
    T& operator[](int64_t i) const { return get()[i]; }

   private:
    uint32_t* taken_;
  };

 private:
  uint32_t* taken(int64_t slot) const {
    return reinterpret_cast<uint32_t*>(memory_.get() + slot * stride_);
  }
  int64_t slots_, stride_;
  Scratch<char> memory_;
};

}  // namespace CPU_ISA
}  // namespace tenon::cpu
#endif
