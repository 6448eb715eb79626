// Adagrad (Duchi, Hazan and Singer, 2011), as PyTorch's Adagrad documents it.
#pragma once
#include "optimizer.hpp"

namespace tenon::optimizers {

struct Adagrad {
  static constexpr std::string_view name = "adagrad", fused = "adagrad_step";
  static constexpr tn_hyper hypers[] = {
      variable("lr", 1e-2, 0, kAny),
      variable("lr_decay", 0, 0, kAny),
      variable("epsilon", 1e-10, 0, kAny),
      variable("weight_decay", 0, 0, kAny),
  };
  static constexpr tn_slot slots[] = {slot("sum")};

  static void update(Step& s) {
    const Expr lr = s.hypers[0], lr_decay = s.hypers[1], epsilon = s.hypers[2], decay = s.hypers[3];
    Expr& sum = s.slots[0];
    const Expr g = s.gradient + decay * s.parameter;
    sum = sum + square(g);
    const Expr rate = lr / (1 + (s.step - 1) * lr_decay);
    s.parameter = s.parameter - rate * (g / (sqrt(sum) + epsilon));
  }
};

}  // namespace tenon::optimizers
