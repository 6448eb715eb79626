// Values: what the device has instead of memory with TENON_ADVERSARY_MEMORY=values. Handles are no addresses and are never used twice.
#ifndef TENON_TESTS_ADVERSARY_VALUES_HPP_
#define TENON_TESTS_ADVERSARY_VALUES_HPP_
#include <tenon/sdk/backend.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace tenon::adversary {

namespace sdk = tenon::sdk;

// Its elements are there when the command that makes it is done; kFreedByte when it was donated to one that is.
struct Value {
  explicit Value(uint64_t n) : bytes(n) {}
  const uint64_t bytes;
  std::vector<std::byte> elements;
  std::atomic<bool> ready{false};
};

// All values of one device. [any]
class Values {
 public:
  Values(uint64_t device_index, uint64_t limit_bytes)
      : device_(device_index), limit_(limit_bytes) {}

  // Throws OUT_OF_MEMORY.
  uint64_t make(std::shared_ptr<Value> value);
  // Throws INTERNAL, naming `what`, for a handle that is none, and for what was freed or donated.
  std::shared_ptr<Value> find(uint64_t handle, const std::string& what) const;
  // It ends; commands that hold it go on. Empty, or what was wrong.
  std::string end(uint64_t handle, const char* how);
  size_t live() const;

 private:
  std::string fate(uint64_t handle) const;

  const uint64_t device_;
  const uint64_t limit_;  // 0: none
  mutable std::mutex mutex_;
  uint64_t serial_ = 0, in_use_ = 0;
  std::unordered_map<uint64_t, std::shared_ptr<Value>> values_;
  std::unordered_map<uint64_t, const char*> ended_;  // handle -> how
};

}  // namespace tenon::adversary
#endif
