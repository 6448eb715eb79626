// Trainings and optimizers as units on the worker's device.
#pragma once
#include "check.hpp"
#include "session.hpp"

namespace tenon::conformance {

std::vector<Unit> training_units(const std::shared_ptr<Worker>& worker);
// The same trainings with each step a run of one program, against those by calls.
struct CapturedTraining {
  std::string name;
  std::function<void(Session&)> run;  // throws Wrong
};
std::vector<CapturedTraining> captured_trainings();
// Programs: level 4.
std::vector<Unit> program_units(const Profile& profile, const std::shared_ptr<Worker>& worker);
// The compiler, of plugins that have one.
std::vector<Unit> compiler_units(const Profile& profile, const VerifyOptions& options,
                                 const std::shared_ptr<Worker>& worker);
// Kernels in threads, without memory, and between guard bytes.
std::vector<Unit> kernel_units(const std::shared_ptr<Worker>& worker, bool brief);
// Of the plugin where it brings some, else every one that is found: on its device.
std::vector<Unit> optimizer_units(const Profile& profile, const std::shared_ptr<Worker>& worker);

// Of the ops that the plugin brings.
std::vector<Unit> plugin_op_units(const Profile& profile, const VerifyOptions& options,
                                  const std::shared_ptr<Worker>& worker);

}  // namespace tenon::conformance
