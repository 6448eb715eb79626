#include "device.hpp"

namespace sdk = tenon::sdk;
using tenon::reference::ReferenceDevice;

static constexpr tn_interface kInterfaces[] = {
    TENON_INTERFACE(DEVICE, sdk::device_table<sdk::Plugin, ReferenceDevice>),
    TENON_INTERFACE(KERNELS, sdk::kernels_table<ReferenceDevice>),
};
TENON_PLUGIN("org.tenon.reference", "0.1.0", sdk::Plugin, kInterfaces);
