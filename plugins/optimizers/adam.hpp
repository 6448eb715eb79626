// Adam (Kingma and Ba, 2015, algorithm 1) and AdamW (Loshchilov and Hutter, 2019, algorithm 2).
#pragma once
#include "optimizer.hpp"

namespace tenon::optimizers {

// From the parameter and its gradient, both after weight decay.
inline void adam_update(Step& s) {
  const Expr lr = s.hypers[0], beta1 = s.hypers[1], beta2 = s.hypers[2], epsilon = s.hypers[3];
  Expr &mean = s.slots[0], &variance = s.slots[1];
  mean = beta1 * mean + (1 - beta1) * s.gradient;
  variance = beta2 * variance + (1 - beta2) * square(s.gradient);
  const Expr step_size = lr / one_minus_power(beta1, s.step);
  const Expr scale = sqrt(one_minus_power(beta2, s.step));
  s.parameter = s.parameter - step_size * (mean / (sqrt(variance) / scale + epsilon));
}

struct Adam {
  static constexpr std::string_view name = "adam", fused = "adam_step";
  static constexpr tn_hyper hypers[] = {
      variable("lr", 1e-3, 0, kAny),          variable("beta1", 0.9, 0, kBelowOne),
      variable("beta2", 0.999, 0, kBelowOne), variable("epsilon", 1e-8, 0, kAny),
      variable("weight_decay", 0, 0, kAny),
  };
  static constexpr tn_slot slots[] = {slot("exp_avg"), slot("exp_avg_sq")};

  static void update(Step& s) {
    s.gradient = s.gradient + s.hypers[4] * s.parameter;
    adam_update(s);
  }
};

struct AdamW {
  static constexpr std::string_view name = "adamw", fused = "adamw_step";
  static constexpr tn_hyper hypers[] = {
      variable("lr", 1e-3, 0, kAny),           variable("beta1", 0.9, 0, kBelowOne),
      variable("beta2", 0.999, 0, kBelowOne),  variable("epsilon", 1e-8, 0, kAny),
      variable("weight_decay", 1e-2, 0, kAny),
  };
  static constexpr tn_slot slots[] = {slot("exp_avg"), slot("exp_avg_sq")};

  static void update(Step& s) {
    s.parameter = s.parameter * (1 - s.hypers[0] * s.hypers[4]);
    adam_update(s);
  }
};

}  // namespace tenon::optimizers
