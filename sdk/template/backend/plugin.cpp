// The one function that the library exports.
#include "device.hpp"

namespace sdk = tenon::sdk;
using mydevice_backend::HostDevice;

static constexpr tn_interface kInterfaces[] = {
    TENON_INTERFACE(DEVICE, sdk::device_table<sdk::Plugin, HostDevice>),
    TENON_INTERFACE(KERNELS, sdk::kernels_table<HostDevice>),
};
TENON_PLUGIN("com.example.mydevice", "0.1.0", sdk::Plugin, kInterfaces);
