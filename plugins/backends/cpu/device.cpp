#include "device.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <tenon/sdk/wide.hpp>

#include "isa.hpp"
#include "scratch.hpp"

namespace tenon::cpu {

CpuPlugin::CpuPlugin(sdk::Host h) : sdk::Plugin(h), label(processor_name()) {}

void CpuDevice::props(CpuPlugin& plugin, uint32_t index, tn_device_props& out) {
  if (index != 0) sdk::fail(TN_OUT_OF_RANGE, "device cpu:", index, ": there is only cpu:0");
  out.flags = TN_DEVICE_INLINE | TN_DEVICE_HOST_MEMORY;
  out.type = sdk::str("cpu");
  out.label = sdk::str(plugin.label);
  out.memory_bytes = physical_memory();
  out.alignment = kAlignment;
  out.priority = 100;
}

CpuDevice::CpuDevice(CpuPlugin& plugin, uint32_t) {
  host = plugin.host;
  threads = host.thread_count();
  const std::string_view limit = host.environment("MAX_ISA");
  if (!detect_isa(limit, this)) {
    host.log(TN_LOG_WARNING, sdk::text("cpu: TENON_MAX_ISA is '", limit,
                                       "', expected amx, avx512, avx2 or portable; ignored"));
  }
  cut_all = host.environment("CPU_CUT") == "all";
  const std::string_view conv = host.environment("CPU_CONV");
  onednn = conv == "onednn";
  if (!onednn && !conv.empty() && conv != "own") {
    host.log(TN_LOG_WARNING,
             sdk::text("cpu: TENON_CPU_CONV is '", conv, "', expected own or onednn; ignored"));
  }
  auto blocks =
      std::make_unique<ScratchBlocks>((size_t(128) << 20) * size_t(threads > 2 ? threads : 2));
  scratch = blocks.get();
  sdk::check(host, nn_open(*this));
  (void)blocks.release();
}

CpuDevice::~CpuDevice() {
  nn_close(*this);
  delete scratch;
}

uint64_t CpuDevice::allocate(uint64_t bytes) {
  void* block = host.allocate(bytes, kAlignment);
  if (!block) {
    sdk::fail(TN_OUT_OF_MEMORY, "no ", bytes, " bytes of host memory; ", available_memory(), " of ",
              physical_memory(), " are available");
  }
  return reinterpret_cast<uintptr_t>(block);
}

void CpuDevice::free(uint64_t mem, uint64_t bytes) {
  host.free(reinterpret_cast<void*>(mem), bytes);
}

uint64_t CpuDevice::memory_free() { return available_memory(); }

void CpuDevice::upload(void*, uint64_t mem, uint64_t offset, const void* from, uint64_t bytes) {
  if (bytes) std::memcpy(reinterpret_cast<void*>(mem + offset), from, bytes);
}

void CpuDevice::download(void*, void* to, uint64_t mem, uint64_t offset, uint64_t bytes) {
  if (bytes) std::memcpy(to, reinterpret_cast<const void*>(mem + offset), bytes);
}

std::span<const tn_kernel> CpuDevice::kernels() const {
  uint32_t count = 0;
  const tn_kernel* list = nullptr;
  switch (isa) {
#if defined(CPU_X86_LEVELS)
    case Isa::avx512:
      list = avx512::kernel_list(&count);
      break;
    case Isa::avx2:
      list = avx2::kernel_list(&count);
      break;
#endif
    default:
      list = portable::kernel_list(&count);
      break;
  }
  return {list, count};
}

tn_error* fail(const Device& device, tn_code code, const char* format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return device.host.error(code, text);
}

tn_error* outside(const Device& device, const char* what, tn_dtype dtype, int64_t index,
                  int64_t position, int64_t size, bool from_end) {
  return sdk::guard(device.host, [&] {
    sdk::fail(TN_OUT_OF_RANGE, sdk::outside_text(what, dtype, index, position, size, from_end));
  });
}

}  // namespace tenon::cpu
