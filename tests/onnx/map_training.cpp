// ONNX's training ops, by Tenon's optimizers: inputs are the rate, the number of updates so far, then the variables, their gradients
// and each kind of state; outputs the variables and each kind of state.
#include <cmath>

#include "mapping.hpp"
#include "tenon/optimizer.hpp"

namespace tenon::onnx {
namespace {

// One step of `optimizer`, which counts from `step`, over the variables of the node.
Results one_step(const Call& c, Optimizer& optimizer, int64_t step,
                 const std::vector<std::string>& slots) {
  const size_t n = (c.inputs().size() - 2) / (2 + slots.size());
  const auto input = [&](size_t kind, size_t k) { return c.in(2 + kind * n + k); };
  std::vector<Variable> variables;
  std::vector<Tensor> grads;
  optimizer.set_state("step", Tensor::full(c.cx, double(step), {}, TN_DTYPE_I64));
  for (size_t k = 0; k < n; ++k) {
    const std::string name = "x" + std::to_string(k);
    variables.emplace_back(c.cx, name, input(0, k));
    grads.push_back(input(1, k));
    for (size_t s = 0; s < slots.size(); ++s)
      optimizer.set_state(name + "." + slots[s], input(2 + s, k));
  }
  optimizer.step(variables, grads);
  Results y;
  for (const Variable& variable : variables) y.push_back(variable.value());
  const auto state = optimizer.state();
  for (const std::string& slot : slots)
    for (size_t k = 0; k < n; ++k)
      for (const auto& [name, value] : state)
        if (name == "x" + std::to_string(k) + "." + slot) y.push_back(value);
  return y;
}

Results adagrad(const Call& c) {
  Optimizer optimizer(c.cx, "adagrad",
                      {{"lr", c.in(0).item()},
                       {"lr_decay", c.real("decay_factor", 0)},
                       {"epsilon", c.real("epsilon", 1e-6)},
                       {"weight_decay", c.real("norm_coefficient", 0)}});
  return one_step(c, optimizer, c.number(1), {"sum"});
}

// ONNX adds epsilon to the uncorrected root, Tenon to the corrected one; at 0 updates ONNX corrects nothing, as after very many.
Results adam(const Call& c) {
  const int64_t updates = c.number(1) > 0 ? c.number(1) : int64_t{1} << 40;
  const double beta2 = c.real("beta", 0.999);
  const double correction = std::sqrt(1 - std::pow(beta2, double(updates)));
  Optimizer optimizer(c.cx, "adam",
                      {{"lr", c.in(0).item()},
                       {"beta1", c.real("alpha", 0.9)},
                       {"beta2", beta2},
                       {"epsilon", c.real("epsilon", 1e-6) / correction},
                       {"weight_decay", c.real("norm_coefficient", 0)}});
  Results y = one_step(c, optimizer, updates - 1, {"exp_avg", "exp_avg_sq"});
  const double post = c.real("norm_coefficient_post", 0);
  for (size_t k = 0; post != 0 && k < y.size() / 3; ++k) y[k] = y[k] * (1 - post);
  return y;
}

// Tenon's first step takes no buffer, ONNX's does, undamped.
Results momentum(const Call& c) {
  const int64_t updates = c.number(1);
  const double beta = c.real("beta", 1);
  Optimizer optimizer(c.cx, "sgd",
                      {{"lr", c.in(0).item()},
                       {"momentum", c.real("alpha", 0)},
                       {"dampening", updates > 0 ? 1 - beta : 0.0},
                       {"weight_decay", c.real("norm_coefficient", 0)},
                       {"nesterov", c.text("mode", "standard") == "nesterov"}});
  return one_step(c, optimizer, updates + 1, {"momentum_buffer"});
}

constexpr Mapping kMappings[] = {{"Adagrad", adagrad}, {"Adam", adam}, {"Momentum", momentum}};

}  // namespace

std::span<const Mapping> training_mappings() { return kMappings; }

}  // namespace tenon::onnx
