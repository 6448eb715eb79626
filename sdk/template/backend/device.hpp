// The device: what it says of itself, its memory and its copies. Everything is done when a call returns (TN_DEVICE_INLINE), so there
// are no queues.
#pragma once
#include <tenon/sdk/backend.hpp>

#include <cstring>
#include <vector>

#include "kernels.hpp"

namespace mydevice_backend {

namespace sdk = tenon::sdk;

struct HostDevice : sdk::Device {
  static constexpr uint64_t kAlignment = 64;

  static uint32_t count(sdk::Plugin&) { return 1; }
  static void props(sdk::Plugin&, uint32_t, tn_device_props& out) {
    out.flags = TN_DEVICE_INLINE | TN_DEVICE_HOST_MEMORY;
    out.type = sdk::str("mydevice");
    out.label = sdk::str("host memory, plain loops");
    out.alignment = kAlignment;
  }

  HostDevice(sdk::Plugin& plugin, uint32_t)
      : kernels_(sdk::join_kernels(
            {elementwise_kernels(), move_kernels(), product_kernels(), reduce_kernels()})) {
    host = plugin.host;
  }

  // A block is any number but 0; here it is an address.
  uint64_t allocate(uint64_t bytes) {
    void* memory = host.allocate(bytes, kAlignment);
    if (!memory) sdk::fail(TN_OUT_OF_MEMORY, "no ", bytes, " bytes of host memory");
    return reinterpret_cast<uintptr_t>(memory);
  }
  void free(uint64_t mem, uint64_t bytes) { host.free(at(mem), bytes); }
  void upload(void*, uint64_t mem, uint64_t offset, const void* from, uint64_t bytes) {
    if (bytes) std::memcpy(at(mem + offset), from, bytes);
  }
  void download(void*, void* to, uint64_t mem, uint64_t offset, uint64_t bytes) {
    if (bytes) std::memcpy(to, at(mem + offset), bytes);
  }

  std::span<const tn_kernel> kernels() const { return kernels_; }

 private:
  static void* at(uint64_t address) { return reinterpret_cast<void*>(address); }

  std::vector<tn_kernel> kernels_;
};

}  // namespace mydevice_backend
