#include "values.hpp"

#include "memory.hpp"

namespace tenon::adversary {

uint64_t Values::make(std::shared_ptr<Value> value) {
  const std::lock_guard lock(mutex_);
  if (limit_ != 0 && in_use_ + value->bytes > limit_)
    sdk::fail(TN_OUT_OF_MEMORY, "adversary: a value of ", value->bytes, " bytes, ",
              limit_ - in_use_, " of ", limit_, " are free");
  in_use_ += value->bytes;
  // As handles of memory, with another top byte.
  const uint64_t scattered = ++serial_ * 0x9E3779B97F4A7C15u & 0xFFFFFFFFFFFFu;
  const uint64_t handle = 0xAE00000000000000u | device_ << 48 | scattered;
  values_.emplace(handle, std::move(value));
  return handle;
}

std::string Values::fate(uint64_t handle) const {
  const auto found = ended_.find(handle);
  return found == ended_.end() ? "unknown" : found->second;
}

std::shared_ptr<Value> Values::find(uint64_t handle, const std::string& what) const {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(handle);
  if (found != values_.end()) return found->second;
  sdk::fail(TN_INTERNAL, "adversary: ", what, " is the ", fate(handle), " value ", hex(handle));
}

std::string Values::end(uint64_t handle, const char* how) {
  const std::lock_guard lock(mutex_);
  const auto found = values_.find(handle);
  if (found == values_.end())
    return sdk::text("the ", fate(handle), " value ", hex(handle), " is to be ", how);
  in_use_ -= found->second->bytes;
  values_.erase(found);
  ended_.emplace(handle, how);
  return {};
}

size_t Values::live() const {
  const std::lock_guard lock(mutex_);
  return values_.size();
}

}  // namespace tenon::adversary
