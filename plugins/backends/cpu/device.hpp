// The one device of this backend: the processor, with host memory, computing before a call returns.
#ifndef TENON_CPU_DEVICE_HPP_
#define TENON_CPU_DEVICE_HPP_
#include <tenon/sdk/backend.hpp>

#include <span>
#include <string>

#include "cpu.hpp"

namespace tenon::cpu {

inline constexpr uint64_t kAlignment = 64;  // of blocks of memory

struct CpuPlugin : sdk::Plugin {
  explicit CpuPlugin(sdk::Host h);
  std::string label;
};

struct CpuDevice : Device {
  static uint32_t count(CpuPlugin&) { return 1; }
  static void props(CpuPlugin& plugin, uint32_t index, tn_device_props& out);

  CpuDevice(CpuPlugin& plugin, uint32_t index);
  ~CpuDevice();
  CpuDevice(const CpuDevice&) = delete;
  CpuDevice& operator=(const CpuDevice&) = delete;

  uint64_t allocate(uint64_t bytes);
  void free(uint64_t mem, uint64_t bytes);
  uint64_t memory_free();
  void upload(void* queue, uint64_t mem, uint64_t offset, const void* from, uint64_t bytes);
  void download(void* queue, void* to, uint64_t mem, uint64_t offset, uint64_t bytes);
  std::span<const tn_kernel> kernels() const;
};

}  // namespace tenon::cpu
#endif
