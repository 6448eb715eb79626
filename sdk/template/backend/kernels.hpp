// The lists of kernels, one of each file in kernels/.
#pragma once
#include <tenon/sdk/backend.hpp>
#include <tenon/sdk/host_kernels.hpp>

namespace mydevice_backend {

std::span<const tn_kernel> elementwise_kernels();
std::span<const tn_kernel> move_kernels();
std::span<const tn_kernel> product_kernels();
std::span<const tn_kernel> reduce_kernels();

}  // namespace mydevice_backend
