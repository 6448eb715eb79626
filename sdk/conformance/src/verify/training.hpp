// Trainings and optimizers as units on the worker's device.
#pragma once
#include "check.hpp"

namespace tenon::conformance {

std::vector<Unit> training_units(const std::shared_ptr<Worker>& worker);
// Kernels in threads, without memory, and between guard bytes.
std::vector<Unit> kernel_units(const std::shared_ptr<Worker>& worker, bool brief);
// Of the plugin where it brings some, else every one that is found: on its device.
std::vector<Unit> optimizer_units(const Profile& profile, const std::shared_ptr<Worker>& worker);

// Of the ops that the plugin brings.
std::vector<Unit> plugin_op_units(const Profile& profile, const VerifyOptions& options,
                                  const std::shared_ptr<Worker>& worker);

}  // namespace tenon::conformance
