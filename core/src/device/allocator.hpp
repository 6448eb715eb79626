// The caching allocator of a device: size classes over raw blocks that the plugin supplies.
#pragma once
#include <mutex>
#include <unordered_map>
#include <vector>

#include "tenon/device.h"
#include "tensor/tensor.hpp"

namespace tenon {

// Eight classes per power of two from 64 bytes on: at most 12.5 % is lost.
constexpr uint32_t kSizeClasses = 8 * 44;
inline uint32_t size_class(uint64_t bytes) {
  const uint64_t x = (bytes < 64 ? 64 : bytes) - 1;
  const int e = 63 - __builtin_clzll(x);
  return static_cast<uint32_t>((e - 5) * 8 + static_cast<int>((x >> (e - 3)) & 7));
}
inline uint64_t class_bytes(uint32_t c) {
  const uint32_t e = c / 8 + 5;
  return (8 + c % 8 + 1ull) << (e - 3);
}

// Any thread.
class Allocator {
 public:
  explicit Allocator(tn_device& device) : device_(device) {}
  ~Allocator();
  Allocator(const Allocator&) = delete;

  // A block of at least `bytes`; throws OUT_OF_MEMORY with what was wanted for (`what`) and what is in use.
  Buffer* allocate(uint64_t bytes, Queue* home, const std::string& what);
  // Called when the last reference to a buffer is gone: reusable at once, or when the queues that used it are that far.
  void free(Buffer* b) noexcept;
  void trim();
  void close();  // gives every block back, in use or not; later calls of free do nothing
  tn_memory_stats stats();
  void reset_peak();
  void set_limit(uint64_t bytes);
  // A value of the device, which counts as in use until it is given up: freed, or consumed by an execution.
  void adopt(const Buffer& b);
  void give_up(Buffer& b, bool consumed) noexcept;
  // Bytes that contexts hold in their lists of dead tensors: not in use, not ours yet.
  void add_idle(int64_t bytes) { idle_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  struct Place {
    uint64_t mem, offset;
    uint32_t chunk;  // index + 1 in chunks_, 0: a block of its own
  };
  struct Chunk {
    uint64_t mem = 0, bytes = 0, used = 0;
    uint32_t live = 0;
  };
  struct Deferred {
    uint32_t cls;
    Place place;
    std::vector<std::pair<Queue*, uint64_t>> until;
  };
  bool take(uint32_t cls, Place& out);
  bool carve(uint32_t cls, Place& out);
  void give_back(uint64_t mem, uint64_t bytes) noexcept;
  uint64_t raw(uint64_t bytes);  // 0: none left
  void collect();
  void trim_locked();
  bool closed_ = false;
  std::unordered_map<uint64_t, uint64_t>
      own_blocks_;  // mem -> bytes, of blocks that are not chunks
  void put(uint32_t cls, Place place);
  [[noreturn]] void out_of_memory(uint64_t bytes, const std::string& what);

  tn_device& device_;
  std::mutex mutex_;
  std::vector<Place> free_[kSizeClasses];
  std::vector<Chunk> chunks_;
  std::vector<Deferred> deferred_;
  std::vector<uint32_t> open_;  // chunks with room at the end
  uint64_t live_ = 0, reserved_ = 0, peak_ = 0, limit_ = 0, served_ = 0, raw_calls_ = 0;
  uint32_t live_blocks_ = 0;
  uint32_t live_of_[kSizeClasses] = {};  // live blocks by size class
  std::atomic<int64_t> idle_{0};
};

}  // namespace tenon
