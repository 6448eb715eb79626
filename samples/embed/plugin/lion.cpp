// The optimizer Lion (Chen et al., Symbolic Discovery of Optimization Algorithms, 2023) as a plugin.
#include <tenon/plugin/builder_ops.h>
#include <tenon/plugin/optimizer.h>

#include <tenon/sdk/plugin.hpp>

namespace {

using tenon::sdk::str;

constexpr tn_hyper kHypers[] = {{str("lr"), 1e-4, 0.0, 1e30, 0, 0},
                                {str("beta1"), 0.9, 0.0, 1.0, 0, 0},
                                {str("beta2"), 0.99, 0.0, 1.0, 0, 0}};
constexpr tn_slot kSlots[] = {{str("exp_avg"), 0.0}};

// rate * x + (1 - rate) * y
tn_value mix(tn_builder* b, tn_value rate, tn_value x, tn_value y) {
  return tn_b_add(b, y, tn_b_mul(b, rate, tn_b_sub(b, x, y)));
}

// Written once, in ops: it runs on every device.
void TN_CALL update(tn_builder* b) {
  enum { kParameter, kGradient, kMean, kStep, kRate, kBeta1, kBeta2 };
  const auto in = [&](uint32_t i) { return b->v->input(b, i); };
  const tn_value direction = tn_b_sign(b, mix(b, in(kBeta1), in(kMean), in(kGradient)));
  const tn_value moved = tn_b_sub(b, in(kParameter), tn_b_mul(b, in(kRate), direction));
  // The slots of an f16 parameter are f32, and so is what comes of both.
  b->v->set(b, 0, tn_b_cast(b, moved, b->v->dtype(b, in(kParameter))));
  b->v->set(b, 1, mix(b, in(kBeta2), in(kMean), in(kGradient)));
}

constexpr tn_optimizer_def kLion = {
    sizeof(tn_optimizer_def), 3, str("lion"), kHypers, kSlots, 1, 0, update, {}};
constexpr tn_optimizer_vtbl kTable = {sizeof(tn_optimizer_vtbl), sizeof(tn_optimizer_def), 1, 0,
                                      &kLion};
constexpr tn_interface kInterfaces[] = {TENON_INTERFACE(OPTIMIZER, kTable)};

}  // namespace

TENON_PLUGIN("com.example.lion", "1.0.0", tenon::sdk::Plugin, kInterfaces);
