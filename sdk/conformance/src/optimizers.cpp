#include "tenon/conformance/optimizers.hpp"

#include <cmath>

namespace tenon::conformance {
namespace {

double sgd(OptimizerOracle& s, double p, double g) {
  g += s.h("weight_decay") * p;
  if (s.h("momentum") == 0) return p - s.h("lr") * g;
  s.slot0 = s.t == 1 ? g : s.h("momentum") * s.slot0 + (1 - s.h("dampening")) * g;
  const double direction = s.h("nesterov") != 0 ? g + s.h("momentum") * s.slot0 : s.slot0;
  return p - s.h("lr") * direction;
}
double adam(OptimizerOracle& s, double p, double g, bool decoupled) {
  const double b1 = s.h("beta1"), b2 = s.h("beta2");
  if (decoupled) {
    p -= s.h("lr") * s.h("weight_decay") * p;
  } else {
    g += s.h("weight_decay") * p;
  }
  s.slot0 = b1 * s.slot0 + (1 - b1) * g;
  s.slot1 = b2 * s.slot1 + (1 - b2) * g * g;
  const double m = s.slot0 / (1 - std::pow(b1, s.t)), v = s.slot1 / (1 - std::pow(b2, s.t));
  return p - s.h("lr") * m / (std::sqrt(v) + s.h("epsilon"));
}
double rmsprop(OptimizerOracle& s, double p, double g) {
  g += s.h("weight_decay") * p;
  s.slot0 = s.h("alpha") * s.slot0 + (1 - s.h("alpha")) * g * g;
  s.slot1 = s.h("momentum") * s.slot1 + g / (std::sqrt(s.slot0) + s.h("epsilon"));
  return p - s.h("lr") * s.slot1;
}
double adagrad(OptimizerOracle& s, double p, double g) {
  g += s.h("weight_decay") * p;
  s.slot0 += g * g;
  return p -
         s.h("lr") / (1 + (s.t - 1) * s.h("lr_decay")) * g / (std::sqrt(s.slot0) + s.h("epsilon"));
}

using Update = std::function<double(OptimizerOracle&, double, double)>;

}  // namespace

Hypers OptimizerCase::all() const {
  Hypers all = defaults;
  for (const auto& [k, v] : options) all[k] = v;
  return all;
}

std::vector<OptimizerCase> optimizer_cases() {
  const Hypers sgd_defaults = {
      {"lr", 1e-3}, {"momentum", 0}, {"weight_decay", 0}, {"dampening", 0}, {"nesterov", 0}};
  const Hypers adam_defaults = {
      {"lr", 1e-3}, {"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", 1e-8}, {"weight_decay", 0}};
  Hypers adamw_defaults = adam_defaults;
  adamw_defaults["weight_decay"] = 0.01;
  const Hypers rms_defaults = {
      {"lr", 1e-2}, {"alpha", 0.99}, {"epsilon", 1e-8}, {"weight_decay", 0}, {"momentum", 0}};
  const Hypers ada_defaults = {
      {"lr", 1e-2}, {"lr_decay", 0}, {"epsilon", 1e-10}, {"weight_decay", 0}};
  const Update plain_adam = [](OptimizerOracle& s, double p, double g) {
    return adam(s, p, g, false);
  };
  const Update decoupled = [](OptimizerOracle& s, double p, double g) {
    return adam(s, p, g, true);
  };
  return {
      {"sgd", {}, sgd_defaults, sgd},
      {"sgd",
       {{"lr", 0.1}, {"momentum", 0.9}, {"weight_decay", 0.01}, {"dampening", 0.2}},
       sgd_defaults,
       sgd},
      {"sgd", {{"lr", 0.1}, {"momentum", 0.9}, {"nesterov", 1}}, sgd_defaults, sgd},
      {"sgd", {{"lr", 0.1}, {"dampening", 0.5}}, sgd_defaults, sgd},
      {"adam", {}, adam_defaults, plain_adam},
      {"adam",
       {{"lr", 0.05}, {"beta1", 0.5}, {"beta2", 0.9}, {"epsilon", 1e-3}, {"weight_decay", 0.1}},
       adam_defaults,
       plain_adam},
      {"adam", {{"beta1", 0}, {"beta2", 0}}, adam_defaults, plain_adam},
      {"adamw", {}, adamw_defaults, decoupled},
      {"adamw", {{"lr", 0.05}, {"weight_decay", 0.3}}, adamw_defaults, decoupled},
      {"rmsprop", {}, rms_defaults, rmsprop},
      {"rmsprop",
       {{"alpha", 0.8}, {"momentum", 0.7}, {"weight_decay", 0.05}},
       rms_defaults,
       rmsprop},
      {"adagrad", {}, ada_defaults, adagrad},
      {"adagrad",
       {{"lr", 0.3}, {"lr_decay", 0.1}, {"weight_decay", 0.05}, {"epsilon", 1e-4}},
       ada_defaults,
       adagrad},
  };
}

}  // namespace tenon::conformance
