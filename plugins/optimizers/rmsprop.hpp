// RMSprop (Hinton, Neural Networks for Machine Learning, lecture 6e), as PyTorch's RMSprop documents it, not centred.
#pragma once
#include "optimizer.hpp"

namespace tenon::optimizers {

struct RmsProp {
  static constexpr std::string_view name = "rmsprop", fused = "rmsprop_step";
  static constexpr tn_hyper hypers[] = {
      variable("lr", 1e-2, 0, kAny),      variable("alpha", 0.99, 0, kBelowOne),
      variable("epsilon", 1e-8, 0, kAny), variable("weight_decay", 0, 0, kAny),
      variable("momentum", 0, 0, kAny),
  };
  static constexpr tn_slot slots[] = {slot("square_avg"), slot("momentum_buffer")};

  static void update(Step& s) {
    const Expr lr = s.hypers[0], alpha = s.hypers[1], epsilon = s.hypers[2], decay = s.hypers[3],
               momentum = s.hypers[4];
    Expr &average = s.slots[0], &buffer = s.slots[1];
    const Expr g = s.gradient + decay * s.parameter;
    average = alpha * average + (1 - alpha) * square(g);
    buffer = momentum * buffer + g / (sqrt(average) + epsilon);
    s.parameter = s.parameter - lr * buffer;
  }
};

}  // namespace tenon::optimizers
