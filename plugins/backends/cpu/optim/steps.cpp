// The rules of the usual optimizers, as PyTorch documents them.
#include <cmath>

#include "optim/step.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

template <class V>
CPU_INLINE V of(double x) {
  return splat<V>(ElementOf<V>(x));
}

struct Sgd {
  static constexpr int hypers = 4, slots = 1;
  double lr, momentum, decay, keep;
  bool nesterov, first;

  Sgd(double step, const double* h, const double* constants)
      : lr(h[0]),
        momentum(h[1]),
        decay(h[2]),
        keep(1 - h[3]),
        nesterov(constants[0] != 0),
        first(step == 1 || momentum == 0) {}  // without momentum the buffer is the gradient
  template <class V>
  CPU_INLINE void apply(V& p, V g, V* s) const {
    g += of<V>(decay) * p;
    s[0] = first ? g : of<V>(momentum) * s[0] + of<V>(keep) * g;
    p -= of<V>(lr) * (nesterov ? g + of<V>(momentum) * s[0] : s[0]);
  }
};

// Adam: weight decay as a penalty in the gradient. AdamW: taken off the parameter.
template <bool decoupled>
struct Adam {
  static constexpr int hypers = 5, slots = 2;
  double rate, beta1, beta2, root, epsilon, decay;

  Adam(double step, const double* h, const double*)
      : rate(h[0] / (1 - std::pow(h[1], step))),
        beta1(h[1]),
        beta2(h[2]),
        root(1 / std::sqrt(1 - std::pow(h[2], step))),
        epsilon(h[3]),
        decay(decoupled ? 1 - h[0] * h[4] : h[4]) {}
  template <class V>
  CPU_INLINE void apply(V& p, V g, V* s) const {
    if (decoupled)
      p *= of<V>(decay);
    else
      g += of<V>(decay) * p;
    s[0] = of<V>(beta1) * s[0] + of<V>(1 - beta1) * g;
    s[1] = of<V>(beta2) * s[1] + of<V>(1 - beta2) * (g * g);
    p -= of<V>(rate) * s[0] / (vsqrt(s[1]) * of<V>(root) + of<V>(epsilon));
  }
};

struct Rmsprop {
  static constexpr int hypers = 5, slots = 2;
  double lr, alpha, epsilon, decay, momentum;

  Rmsprop(double, const double* h, const double*)
      : lr(h[0]), alpha(h[1]), epsilon(h[2]), decay(h[3]), momentum(h[4]) {}
  template <class V>
  CPU_INLINE void apply(V& p, V g, V* s) const {
    g += of<V>(decay) * p;
    s[0] = of<V>(alpha) * s[0] + of<V>(1 - alpha) * (g * g);
    s[1] = of<V>(momentum) * s[1] + g / (vsqrt(s[0]) + of<V>(epsilon));
    p -= of<V>(lr) * s[1];
  }
};

struct Adagrad {
  static constexpr int hypers = 4, slots = 1;
  double rate, epsilon, decay;

  Adagrad(double step, const double* h, const double*)
      : rate(h[0] / (1 + (step - 1) * h[1])), epsilon(h[2]), decay(h[3]) {}
  template <class V>
  CPU_INLINE void apply(V& p, V g, V* s) const {
    g += of<V>(decay) * p;
    s[0] += g * g;
    p -= of<V>(rate) * g / (vsqrt(s[0]) + of<V>(epsilon));
  }
};

}  // namespace

CPU_PREPARE(sgd_step) { return prepare_step<Sgd>(device, sig, plan); }
CPU_PREPARE(adam_step) { return prepare_step<Adam<false>>(device, sig, plan); }
CPU_PREPARE(adamw_step) { return prepare_step<Adam<true>>(device, sig, plan); }
CPU_PREPARE(rmsprop_step) { return prepare_step<Rmsprop>(device, sig, plan); }
CPU_PREPARE(adagrad_step) { return prepare_step<Adagrad>(device, sig, plan); }

}  // namespace tenon::cpu::CPU_ISA
