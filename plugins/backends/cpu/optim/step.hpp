// One optimizer step over many tensors in one call, in f32 and f64.
//
// Inputs, one variadic: step, the variable hyper-parameters, then for each parameter: parameter, gradient, slots. Outputs: for each
// parameter: parameter, slots; each may be its input. A rule says what happens to one vector of elements:
//
//   struct Rule {
//     static constexpr int hypers = 4, slots = 1;
//     Rule(double step, const double* hypers, const double* constants);
//     template <class V> void apply(V& p, V g, V* slots) const;
//   };
#ifndef TENON_CPU_OPTIM_STEP_HPP_
#define TENON_CPU_OPTIM_STEP_HPP_
#include "kernels/simd.hpp"

namespace tenon::cpu::CPU_ISA {

inline constexpr int kMaxConstants = 4;

struct StepPlan {
  const Device* device;
  int64_t tensors;
  double constants[kMaxConstants];
};

// Elements begin..end of one parameter. first: parameter, gradient, slots; out: parameter, slots. The rule is a copy, whose numbers
// no store of the loop can change.
template <class T, class Rule>
void step_run(const Rule rule, const tn_view* const* first, const tn_view* const* out,
              int64_t begin, int64_t end) {
  constexpr int slots = Rule::slots;
  constexpr int64_t lanes = kLanes<T>;
  const T* p = input<T>(first[0]);
  const T* g = input<T>(first[1]);
  T* p_out = output<T>(out[0]);
  const T* s[slots];
  T* s_out[slots];
  for (int q = 0; q < slots; ++q) {
    s[q] = input<T>(first[2 + q]);
    s_out[q] = output<T>(out[1 + q]);
  }
  int64_t i = begin;
  for (; i + lanes <= end; i += lanes) {
    Vec<T> x = load(p + i);
    Vec<T> state[slots];
#pragma GCC unroll 4
    for (int q = 0; q < slots; ++q) state[q] = load(s[q] + i);
    rule.apply(x, load(g + i), state);
    store(p_out + i, x);
#pragma GCC unroll 4
    for (int q = 0; q < slots; ++q) store(s_out[q] + i, state[q]);
  }
  if (i < end) {
    const int64_t n = end - i;
    Vec<T> x = load_n(p + i, n);
    Vec<T> state[slots];
#pragma GCC unroll 4
    for (int q = 0; q < slots; ++q) state[q] = load_n(s[q] + i, n);
    rule.apply(x, load_n(g + i, n), state);
    store_n(p_out + i, x, n);
#pragma GCC unroll 4
    for (int q = 0; q < slots; ++q) store_n(s_out[q] + i, state[q], n);
  }
}

template <class T, class Rule>
tn_error* TN_CALL run_step(void* data, void*, const tn_view* const* args) {
  const auto& plan = *static_cast<const StepPlan*>(data);
  constexpr int head = 1 + Rule::hypers;
  constexpr int in = 2 + Rule::slots, out = 1 + Rule::slots;
  double hypers[Rule::hypers];
  for (int i = 0; i < Rule::hypers; ++i) hypers[i] = double(*input<float>(args[1 + i]));
  const Rule rule(double(*input<float>(args[0])), hypers, plan.constants);
  const tn_view* const* inputs = args + head;
  const tn_view* const* outputs = inputs + plan.tensors * in;
  int64_t total = 0;
  for (int64_t t = 0; t < plan.tensors; ++t) total += inputs[t * in]->count;
  constexpr double ns_per_element = 0.25 * Rule::slots * double(sizeof(T)) / 4;
  parallel(*plan.device, total, 4096, ns_per_element, [&](int64_t begin, int64_t end) {
    int64_t start = 0;  // of tensor t among all elements
    for (int64_t t = 0; t < plan.tensors && start < end; ++t) {
      const int64_t count = inputs[t * in]->count;
      const int64_t from = begin > start ? begin - start : 0;
      const int64_t to = end - start < count ? end - start : count;
      if (from < to) step_run<T>(rule, inputs + t * in, outputs + t * out, from, to);
      start += count;
    }
  });
  return nullptr;
}

template <class Rule>
tn_error* prepare_step(const Device& device, const tn_signature& sig, tn_plan* plan) {
  constexpr uint32_t head = 1 + Rule::hypers, in = 2 + Rule::slots, out = 1 + Rule::slots;
  if (sig.n_inputs < head + in || (sig.n_inputs - head) % in != 0 ||
      sig.n_outputs != (sig.n_inputs - head) / in * out || sig.n_attrs > kMaxConstants) {
    return fail(
        device, TN_INVALID_ARGUMENT,
        "%u inputs, %u outputs and %u attributes; expected %u scalars, then %u inputs and %u "
        "outputs per parameter",
        sig.n_inputs, sig.n_outputs, sig.n_attrs, head, in, out);
  }
  for (uint32_t i = 0; i < head; ++i) {
    if (sig.inputs[i]->dtype != TN_DTYPE_F32)
      return decline(plan, "step and hyper-parameters must be f32");
  }
  const tn_dtype dtype = sig.inputs[head]->dtype;
  if (dtype != TN_DTYPE_F32 && dtype != TN_DTYPE_F64) return decline(plan, "only f32 and f64");
  for (uint32_t i = head; i < sig.n_inputs; ++i) {
    if (sig.inputs[i]->dtype != dtype)
      return decline(plan, "parameters, gradients and slots of one dtype only");
    if (!contiguous(sig.inputs[i])) return decline(plan, "contiguous tensors only");
  }
  for (uint32_t i = 0; i < sig.n_outputs; ++i) {
    if (!contiguous(sig.outputs[i])) return decline(plan, "contiguous tensors only");
  }
  auto* data = make_plan<StepPlan>(
      plan, dtype == TN_DTYPE_F32 ? run_step<float, Rule> : run_step<double, Rule>);
  if (!data) return out_of_memory(device);
  data->device = &device;
  data->tensors = (sig.n_inputs - head) / in;
  for (uint32_t i = 0; i < sig.n_attrs; ++i) data->constants[i] = attr_f64(sig, i);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
#endif
