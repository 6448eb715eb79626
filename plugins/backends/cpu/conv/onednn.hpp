// oneDNN, which is loaded when the first convolution that gains from it is planned. Everything that knows of it is in onednn.cpp;
// built without it, and where its library is not found, the plans here decline.
#ifndef TENON_CPU_CONV_ONEDNN_HPP_
#define TENON_CPU_CONV_ONEDNN_HPP_
#include "cpu.hpp"

namespace tenon::cpu {

struct OneDnn;  // the library; one per device

// Makes the (still unloaded) library of a device; null without memory. Frees it.
OneDnn* onednn_create(const Device& device);
void onednn_destroy(OneDnn* library);

// What a part of a convolution gives: of a position, the channels of a block lie side by side.
struct ChannelBlocks {
  const float* at;  // image0, channel0
  int64_t image0, image1, channel0, channel1;
  int64_t channels, positions;     // of a whole image; of a plane
  int64_t lanes;                   // at most 16
  int64_t step;                    // from a position to the next, in elements
  int64_t image_step, block_step;  // in elements
};
// Puts what a part gives into the output, which is no one else's part. The plan, or what declines, releases it.
struct ConvFinish {
  void (*run)(const void* data, const tn_view* const* args, const ChannelBlocks& part);
  void (*release)(void* data);
  void* data = nullptr;
  int result = 0;  // the output among the kernel's arguments
};

// The ops of the conv2d family in f32. It runs in one thread per part of the batch or of the channels, on the device's threads. `then`:
// instead of writing the output as it is; null for none.
tn_error* plan_onednn_conv2d(const Device& device, const tn_signature& sig, tn_plan* plan,
                             const ConvFinish* then = nullptr);
tn_error* plan_onednn_input_grad(const Device& device, const tn_signature& sig, tn_plan* plan);
tn_error* plan_onednn_weight_grad(const Device& device, const tn_signature& sig, tn_plan* plan);

}  // namespace tenon::cpu
#endif
