#include <cstring>

#include "device.hpp"

namespace tenon::reference {
namespace {
void* pointer(uint64_t mem, uint64_t offset) {
  return reinterpret_cast<void*>(static_cast<uintptr_t>(mem + offset));
}
}  // namespace

uint64_t ReferenceDevice::allocate(uint64_t bytes) const {
  void* memory = host.allocate(bytes, kAlignment);
  if (!memory) sdk::fail(TN_OUT_OF_MEMORY, "no ", bytes, " bytes of host memory");
  return reinterpret_cast<uintptr_t>(memory);
}

void ReferenceDevice::free(uint64_t mem, uint64_t bytes) const {
  host.free(pointer(mem, 0), bytes);
}

void ReferenceDevice::upload(void*, uint64_t mem, uint64_t offset, const void* from,
                             uint64_t bytes) const {
  if (bytes) std::memcpy(pointer(mem, offset), from, bytes);
}

void ReferenceDevice::download(void*, void* to, uint64_t mem, uint64_t offset,
                               uint64_t bytes) const {
  if (bytes) std::memcpy(to, pointer(mem, offset), bytes);
}

}  // namespace tenon::reference
