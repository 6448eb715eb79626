#include "device.hpp"
#include "queue.hpp"

namespace sdk = tenon::sdk;
using tenon::adversary::AdversaryDevice;
using tenon::adversary::CommandQueue;

static constexpr tn_interface kInterfaces[] = {
    TENON_INTERFACE(DEVICE, sdk::device_table<sdk::Plugin, AdversaryDevice, CommandQueue>),
    TENON_INTERFACE(KERNELS, sdk::kernels_table<AdversaryDevice>),
    TENON_INTERFACE(COMPILER, sdk::compiler_table<AdversaryDevice>),
};
TENON_PLUGIN("org.tenon.test.adversary", "0.1.0", sdk::Plugin, kInterfaces);
