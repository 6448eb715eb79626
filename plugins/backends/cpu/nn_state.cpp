// What matmul/, conv/ and norm/ keep with the device.
#include "conv/onednn.hpp"

namespace tenon::cpu {

tn_error* nn_open(Device& device) {
  device.nn_state = onednn_create(device);
  return device.nn_state ? nullptr : out_of_memory(device);
}

void nn_close(Device& device) { onednn_destroy(static_cast<OneDnn*>(device.nn_state)); }

}  // namespace tenon::cpu
