#include "device.hpp"

#include "kernels.hpp"

namespace tenon::reference {

uint32_t ReferenceDevice::count(sdk::Plugin&) { return 1; }

void ReferenceDevice::props(sdk::Plugin&, uint32_t, tn_device_props& out) {
  out.flags = TN_DEVICE_INLINE | TN_DEVICE_HOST_MEMORY;
  out.type = sdk::str("reference");
  out.label = sdk::str("plain loops in double precision");
  out.alignment = kAlignment;
  out.priority = 0;
}

ReferenceDevice::ReferenceDevice(sdk::Plugin& plugin, uint32_t) : kernels_(all_kernels()) {
  host = plugin.host;
}

}  // namespace tenon::reference
