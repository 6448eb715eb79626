// Stochastic gradient descent with momentum, as PyTorch's SGD documents it.
#pragma once
#include "optimizer.hpp"

namespace tenon::optimizers {

struct Sgd {
  static constexpr std::string_view name = "sgd", fused = "sgd_step";
  static constexpr tn_hyper hypers[] = {
      variable("lr", 1e-3, 0, kAny),        variable("momentum", 0, 0, kAny),
      variable("weight_decay", 0, 0, kAny), variable("dampening", 0, -kAny, kAny),
      constant("nesterov", 0, 0, 1),
  };
  static constexpr tn_slot slots[] = {slot("momentum_buffer")};

  static void update(Step& s) {
    const Expr lr = s.hypers[0], momentum = s.hypers[1], decay = s.hypers[2],
               dampening = s.hypers[3];
    Expr& buffer = s.slots[0];
    const Expr g = s.gradient + decay * s.parameter;
    // The buffer begins as the first gradient, undamped; without momentum it is the gradient of this step, undamped too.
    const Expr one = s.step.number(1);
    const Expr fresh = where(equal(s.step, 1), one, where(equal(momentum, 0), one, 1 - dampening));
    const Expr carried = where(equal(s.step, 1), momentum * momentum.number(0), momentum);
    buffer = carried * buffer + fresh * g;
    const Expr direction = s.constants[0] != 0 ? g + momentum * buffer : buffer;
    s.parameter = s.parameter - lr * direction;
  }
};

}  // namespace tenon::optimizers
