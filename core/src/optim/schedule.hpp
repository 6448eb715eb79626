// Learning-rate schedules: a number as a function of the step.
#pragma once
#include <string_view>

#include "autograd/autograd.hpp"
#include "tenon/optimizer.h"

struct tn_schedule {
  enum class Kind { kConstant, kStep, kExponential, kCosine };
  Kind kind = Kind::kConstant;
  double lr = 0, lr_min = 0, gamma = 0;
  double step_size = 0, steps = 0, warmup_steps = 0, first_step = 0;  // whole numbers
  uint64_t step = 0;
  tn_variable* variable = nullptr;  // counted
  ~tn_schedule() { tn_variable_release(variable); }
};

namespace tenon {

// All throw. The variable gets the value of first_step.
tn_schedule* schedule_create(tn_ctx* ctx, std::string_view kind, const tn_option* options,
                             uint32_t n_options, tn_variable* variable);
void schedule_step(tn_ctx* ctx, tn_schedule& s);

// With t counted from the end of the warm-up (t = step - warmup_steps):
//   constant     lr
//   step         lr * gamma^floor(t / step_size)
//   exponential  lr * gamma^t
//   cosine       lr_min + (lr - lr_min) * (1 + cos(pi * min(t, steps) / steps)) / 2     (Loshchilov and Hutter, SGDR, 2017)
// and before that lr * step / warmup_steps.
double schedule_value(const tn_schedule& s, uint64_t step);

}  // namespace tenon
