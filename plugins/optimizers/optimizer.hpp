// An optimizer is a struct:
//
//   struct Sgd {
//     static constexpr std::string_view name = "sgd", fused = "sgd_step";
//     static constexpr tn_hyper hypers[] = {...};       // the constant ones last
//     static constexpr tn_slot slots[] = {...};
//     static void update(Step& s);                      // one parameter, see Step
//   };
//
// and one line in the list of plugin.cpp. From it come the optimizer's definition, whose recipe is `update`, and that of an op,
// `fused`, that updates many parameters in one call: backends that have a kernel for it are handed all parameters at once, on the
// others it decomposes into the same `update`.
#pragma once
#include <cfloat>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <tenon/sdk/optimizer.hpp>

namespace tenon::optimizers {

using sdk::constant;
using sdk::slot;
using sdk::variable;
using Expr = sdk::Value;

constexpr uint32_t kMaxSlots = 4, kMaxHypers = 8;

// What an update reads and, in place, what it gives back. All in the dtype that is computed in, that of the slots: f32 for f16 and
// bf16 parameters, else the parameter's own.
struct Step {
  Expr parameter, gradient;
  Expr slots[kMaxSlots];
  Expr step;                // 1 at the first update
  Expr hypers[kMaxHypers];  // the variable ones, in the order of the definition
  double constants[kMaxHypers];
};

// Limits of the definitions. Below one: the greatest f32 there is.
constexpr double kAny = FLT_MAX;
constexpr double kBelowOne = 1.0 - 0x1p-24;

template <class O>
struct Definition {
  static constexpr uint32_t kHypers = std::size(O::hypers);
  static constexpr uint32_t kSlots = std::size(O::slots);
  static_assert(kHypers <= kMaxHypers && kSlots <= kMaxSlots);

  static constexpr uint32_t count_constants() {
    uint32_t n = 0;
    for (const tn_hyper& h : O::hypers) n += h.constant;
    return n;
  }
  static constexpr uint32_t kConstants = count_constants();
  static constexpr uint32_t kVariables = kHypers - kConstants;
  static constexpr uint32_t kGroup =
      2 + kSlots;  // inputs of one parameter: itself, gradient, slots

  static constexpr bool constants_last() {
    for (uint32_t i = 0; i < kVariables; ++i) {
      if (O::hypers[i].constant) return false;
    }
    return true;
  }
  static_assert(constants_last());

  // The attributes of the fused op: the constant hyper-parameters. One more entry, so that it is never empty.
  struct Attrs {
    tn_attr_def items[kConstants + 1];
  };
  static constexpr Attrs make_attrs() {
    Attrs out{};
    for (uint32_t k = 0; k < kConstants; ++k) {
      out.items[k] = {O::hypers[kVariables + k].name, 1, 0, {k, TN_ATTR_F64, 0, nullptr}};
    }
    return out;
  }
  static constexpr Attrs kAttrs = make_attrs();
  static constexpr tn_param kParams[] = {{sdk::str("inputs"), TN_PARAM_VARIADIC, 0}};

  static void TN_CALL update(tn_builder* b);
  static void TN_CALL decompose(tn_builder* b);
  static tn_error* TN_CALL infer(tn_infer* c);

  static constexpr tn_optimizer_def optimizer() {
    tn_optimizer_def d{};
    d.struct_size = sizeof d;
    d.n_hypers = kHypers;
    d.name = sdk::str(O::name);
    d.hypers = O::hypers;
    d.slots = O::slots;
    d.n_slots = kSlots;
    d.update = update;
    d.fused_op = sdk::str(O::fused);
    return d;
  }
  static constexpr tn_op_def fused() {
    tn_op_def d{};
    d.struct_size = sizeof d;
    d.flags = TN_OP_OUTPUTS_VARY;
    d.name = sdk::str(O::fused);
    d.since = 1;
    d.n_params = 1;
    d.params = kParams;
    d.n_attrs = kConstants;
    d.n_outputs = 1;
    d.attrs = kAttrs.items;
    d.infer = infer;
    d.decompose = decompose;
    d.why_not_differentiable = sdk::str(
        "it steps from one set of parameters to the next, and may overwrite the old one; to "
        "differentiate through an update, write it in ops");
    return d;
  }

 private:
  static void run_update(tn_builder* b, const tn_value* group, tn_value step,
                         const tn_value* hypers, uint32_t first_result);
};

// What does not depend on the optimizer (rules.cpp).
tn_dtype compute_dtype(tn_dtype parameter);
tn_error* infer_step(tn_infer* c, uint32_t variables, uint32_t slots);

// group: parameter, gradient, slots. Results from `first_result` on: the new parameter, the new slots.
template <class O>
void Definition<O>::run_update(tn_builder* b, const tn_value* group, tn_value step,
                               const tn_value* hypers, uint32_t first_result) {
  const tn_dtype stored = b->v->dtype(b, group[0]);
  const tn_dtype dtype = compute_dtype(stored);
  const auto in = [&](tn_value v) { return Expr{b, v}.as(dtype); };
  Step s{};
  s.parameter = in(group[0]);
  s.gradient = in(group[1]);
  for (uint32_t i = 0; i < kSlots; ++i) s.slots[i] = in(group[2 + i]);
  s.step = in(step);
  for (uint32_t i = 0; i < kVariables; ++i) s.hypers[i] = in(hypers[i]);
  for (uint32_t k = 0; k < kConstants; ++k) s.constants[k] = tn_attr_get_f64(b->v->attr(b, k));
  O::update(s);
  b->v->set(b, first_result, s.parameter.as(stored).v);
  for (uint32_t i = 0; i < kSlots; ++i) b->v->set(b, first_result + 1 + i, s.slots[i].v);
}

// Inputs of an update: parameter, gradient, slots, step, hyper-parameters.
template <class O>
void TN_CALL Definition<O>::update(tn_builder* b) {
  tn_value v[kGroup + 1 + kVariables];
  for (uint32_t i = 0; i < std::size(v); ++i) v[i] = b->v->input(b, i);
  run_update(b, v, v[kGroup], v + kGroup + 1, 0);
}

// Inputs of the fused op: step, hyper-parameters, then parameter, gradient, slots of each parameter.
template <class O>
void TN_CALL Definition<O>::decompose(tn_builder* b) {
  tn_value common[1 + kVariables];
  for (uint32_t i = 0; i < std::size(common); ++i) common[i] = b->v->input(b, i);
  const uint32_t n = b->v->input_count(b);
  uint32_t result = 0;
  for (uint32_t at = std::size(common); at + kGroup <= n; at += kGroup) {
    tn_value group[kGroup];
    for (uint32_t i = 0; i < kGroup; ++i) group[i] = b->v->input(b, at + i);
    run_update(b, group, common[0], common + 1, result);
    result += 1 + kSlots;
  }
}

template <class O>
tn_error* TN_CALL Definition<O>::infer(tn_infer* c) {
  return infer_step(c, kVariables, kSlots);
}

}  // namespace tenon::optimizers
