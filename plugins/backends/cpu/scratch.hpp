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
  ~ScratchBlocks();
  Block take(size_t bytes);  // of at least that size; memory is null where there is none
  void give(Block block);

 private:
  static constexpr size_t kKept = 16, kLargest = size_t(64) << 20;
  std::mutex mutex_;
  Block kept_[kKept];
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

}  // namespace CPU_ISA
}  // namespace tenon::cpu
#endif
