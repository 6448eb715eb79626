// The device "reference": host memory, and everything done when the call returns.
#ifndef TENON_BACKENDS_REFERENCE_DEVICE_HPP_
#define TENON_BACKENDS_REFERENCE_DEVICE_HPP_
#include <tenon/sdk/backend.hpp>

#include <span>
#include <vector>

namespace tenon::reference {

struct ReferenceDevice : sdk::Device {
  static constexpr uint64_t kAlignment = 64;

  static uint32_t count(sdk::Plugin& plugin);
  static void props(sdk::Plugin& plugin, uint32_t index, tn_device_props& out);
  ReferenceDevice(sdk::Plugin& plugin, uint32_t index);

  // memory.cpp. There are no queues, so the first argument of the copies is always null.
  uint64_t allocate(uint64_t bytes) const;
  void free(uint64_t mem, uint64_t bytes) const;
  void upload(void*, uint64_t mem, uint64_t offset, const void* from, uint64_t bytes) const;
  void download(void*, void* to, uint64_t mem, uint64_t offset, uint64_t bytes) const;

  std::span<const tn_kernel> kernels() const { return kernels_; }

 private:
  std::vector<tn_kernel> kernels_;
};

}  // namespace tenon::reference
#endif
