// What the well-known optimizers do to one element, in double precision, from the papers' formulas.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tenon::conformance {

using Hypers = std::map<std::string, double>;

// One element's state. Hyper-parameters are f32 variables.
struct OptimizerOracle {
  Hypers hypers;
  double slot0 = 0, slot1 = 0;
  int t = 0;  // the step, from 1
  double h(const char* name) const {
    return static_cast<double>(static_cast<float>(hypers.at(name)));
  }
};

struct OptimizerCase {
  std::string name;
  Hypers options;   // as given
  Hypers defaults;  // of those not given
  // The parameter after a step with gradient g.
  std::function<double(OptimizerOracle&, double p, double g)> update;
  Hypers all() const;
};

// sgd, adam, adamw, rmsprop, adagrad, each with several options.
std::vector<OptimizerCase> optimizer_cases();

}  // namespace tenon::conformance
