// Device memory that no host code can touch by accident: handles are no addresses, and the pages behind them are readable only
// while a command runs on a queue's thread.
#ifndef TENON_TESTS_ADVERSARY_MEMORY_HPP_
#define TENON_TESTS_ADVERSARY_MEMORY_HPP_
#include <tenon/sdk/backend.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace tenon::adversary {

namespace sdk = tenon::sdk;

// What memory holds before it is written (NaN in every float dtype, -1 in signed ones), after it was freed, and around each block.
constexpr int kFreshByte = 0xFF;
constexpr int kFreedByte = 0xDB;
constexpr int kGuardByte = 0xA7;
constexpr uint64_t kAlignment = 256;

// One allocation. Pages: guard bytes (kAlignment of them), the block, guard bytes to the end of the page.
class Block {
 public:
  // Throws OUT_OF_MEMORY.
  Block(uint64_t handle, uint64_t bytes);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  uint64_t handle() const { return handle_; }
  uint64_t bytes() const { return bytes_; }
  // Only what is open may be touched.
  std::byte* data() const { return pages_ + kAlignment; }

  // Nested, from any thread: the pages of these bytes are accessible while anyone has them open.
  void open(uint64_t begin, uint64_t end) { count(begin, end, 1); }
  void close(uint64_t begin, uint64_t end) { count(begin, end, -1); }
  // Marks the contents as gone. False: a guard byte was overwritten. in_use: somebody has the block open now.
  bool retire(bool* in_use);

 private:
  void count(uint64_t begin, uint64_t end, int step);
  void protect(uint64_t first, uint64_t last, bool accessible);
  bool guards_intact() const;

  uint64_t handle_;
  uint64_t bytes_;
  uint64_t mapped_;
  std::byte* pages_;
  std::mutex mutex_;
  std::vector<int> open_;  // per page: how many have it open
};

// Bytes of a block that stay accessible as long as this lives.
class OpenBlock {
 public:
  OpenBlock(std::shared_ptr<Block> block, uint64_t begin, uint64_t end)
      : block_(std::move(block)), begin_(begin), end_(end) {
    block_->open(begin_, end_);
  }
  ~OpenBlock() {
    if (block_) block_->close(begin_, end_);
  }
  OpenBlock(OpenBlock&&) = default;
  OpenBlock(const OpenBlock&) = delete;
  OpenBlock& operator=(const OpenBlock&) = delete;
  OpenBlock& operator=(OpenBlock&&) = delete;
  const Block& operator*() const { return *block_; }
  const Block* operator->() const { return block_.get(); }

 private:
  std::shared_ptr<Block> block_;
  uint64_t begin_, end_;
};

// All blocks of one device. Handles are never used twice and, plus any small number, are no other handle. [any]
class Memory {
 public:
  Memory(uint64_t device_index, uint64_t limit_bytes)
      : device_(device_index), limit_(limit_bytes) {}

  uint64_t allocate(uint64_t bytes);
  // Empty, or what was wrong: unknown handle, freed twice, another size, guards overwritten, in use by a command.
  std::string free(uint64_t handle, uint64_t bytes);
  uint64_t bytes_free() const;
  size_t live() const;

  // The bytes begin..end of a block, which must lie inside it; throws INTERNAL, naming `what`, the handle and the bounds.
  OpenBlock open(uint64_t handle, int64_t begin, int64_t end, const std::string& what) const;

 private:
  std::shared_ptr<Block> find(uint64_t handle, const std::string& what) const;

  const uint64_t device_;
  const uint64_t limit_;  // 0: none
  mutable std::mutex mutex_;
  uint64_t serial_ = 0;
  uint64_t in_use_ = 0;
  std::unordered_map<uint64_t, std::shared_ptr<Block>> blocks_;
  std::unordered_map<uint64_t, uint64_t> freed_;  // handle -> bytes
};

// 0x and sixteen digits.
std::string hex(uint64_t value);

}  // namespace tenon::adversary
#endif
