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

// The ops of the conv2d family in f32. It runs in one thread per part of the batch or of the channels, on the device's threads.
tn_error* plan_onednn_conv2d(const Device& device, const tn_signature& sig, tn_plan* plan);
tn_error* plan_onednn_input_grad(const Device& device, const tn_signature& sig, tn_plan* plan);
tn_error* plan_onednn_weight_grad(const Device& device, const tn_signature& sig, tn_plan* plan);

}  // namespace tenon::cpu
#endif
