// What matmul/, conv/ and norm/ keep with the device.
#include "cpu.hpp"

namespace tenon::cpu {

tn_error* nn_open(Device&) { return nullptr; }
void nn_close(Device&) {}

}  // namespace tenon::cpu
