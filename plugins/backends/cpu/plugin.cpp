// Entry point of the cpu backend.
#include <tenon/sdk/backend.hpp>

#include "device.hpp"

namespace {

using tenon::cpu::CpuDevice;
using tenon::cpu::CpuPlugin;

constexpr tn_interface kInterfaces[] = {
    TENON_INTERFACE(DEVICE, tenon::sdk::device_table<CpuPlugin, CpuDevice>),
    TENON_INTERFACE(KERNELS, tenon::sdk::kernels_table<CpuDevice>),
};

}  // namespace

TENON_PLUGIN("org.tenon.cpu", "0.1.0", CpuPlugin, kInterfaces);
