// Programs of the device under test.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "session.hpp"

namespace tenon::conformance {

struct ReleaseProgram {
  void operator()(tn_program* p) const { tn_program_release(p); }
};
using Program = std::unique_ptr<tn_program, ReleaseProgram>;

struct ProgramInput {
  tn_dtype dtype;
  Dims dims;                            // TN_DIM_ANY: of any size
  std::vector<std::string> names = {};  // of these sizes; fewer: without one
};
// Records what `body` calls with the inputs; it gives the outputs. Throws a Fault, with nothing left of the capture.
using Recorded = std::function<std::vector<Tensor>(const std::vector<tn_tensor*>& inputs)>;
Program record_program(Session& session, const std::vector<ProgramInput>& inputs,
                       const Recorded& body);
std::vector<Tensor> run_program(Session& session, const Program& program,
                                const std::vector<tn_tensor*>& inputs);

}  // namespace tenon::conformance
