#include "program.hpp"

namespace tenon::conformance {
namespace {

constexpr uint32_t kMostOutputs = 128;

Tensor input(Session& session, const ProgramInput& x, size_t k) {
  std::vector<tn_str> symbols(x.dims.size());
  for (size_t d = 0; d < x.names.size(); ++d) symbols[d] = {x.names[d].data(), x.names[d].size()};
  const std::string name = "in" + std::to_string(k);
  tn_tensor* t = nullptr;
  check(tn_capture_input(session.ctx(), {name.data(), name.size()}, x.dtype,
                         static_cast<uint32_t>(x.dims.size()), x.dims.data(), symbols.data(), &t));
  return Tensor(t);
}

}  // namespace

Program record_program(Session& session, const std::vector<ProgramInput>& inputs,
                       const Recorded& body) {
  check(tn_capture_begin(session.ctx(), tn_string("sample")));
  try {
    std::vector<Tensor> in;
    for (size_t k = 0; k < inputs.size(); ++k) in.push_back(input(session, inputs[k], k));
    const std::vector<Tensor> outputs = body(pointers(in));
    tn_program* program = nullptr;
    check(tn_capture_end(session.ctx(), pointers(outputs).data(),
                         static_cast<uint32_t>(outputs.size()), &program));
    return Program(program);
  } catch (...) {
    tn_capture_abort(session.ctx());
    throw;
  }
}

std::vector<Tensor> run_program(Session& session, const Program& program,
                                const std::vector<tn_tensor*>& inputs) {
  tn_tensor* results[kMostOutputs] = {};
  uint32_t n = 0;
  check(tn_program_run(session.ctx(), program.get(), inputs.data(),
                       static_cast<uint32_t>(inputs.size()), results, kMostOutputs, &n));
  std::vector<Tensor> out;
  for (uint32_t k = 0; k < n; ++k) out.emplace_back(results[k]);
  return out;
}

}  // namespace tenon::conformance
