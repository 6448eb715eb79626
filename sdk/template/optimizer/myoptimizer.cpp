// The optimizer myoptimizer (Kingma and Ba, Adam: a method for stochastic optimization, 2015, section 7.1):
//   m = beta1 m + (1 - beta1) g
//   u = max(beta2 u, |g|)
//   p = p - lr / (1 - beta1^t) m / (u + epsilon)
// Written once, in ops: it runs on every device.
#include <tenon/sdk/optimizer.hpp>
#include <tenon/sdk/plugin.hpp>

namespace {

namespace sdk = tenon::sdk;
using sdk::Value;

constexpr double kBelowOne = 1.0 - 0x1p-24;  // the greatest f32 below 1
constexpr tn_hyper kHypers[] = {
    sdk::variable("lr", 2e-3, 0, 1e30), sdk::variable("beta1", 0.9, 0, kBelowOne),
    sdk::variable("beta2", 0.999, 0, kBelowOne), sdk::variable("epsilon", 1e-8, 0, 1e30)};
constexpr tn_slot kSlots[] = {sdk::slot("exp_avg"), sdk::slot("exp_inf")};

// What an update reads, in this order: parameter, gradient, the slots, the step (1 at first), the variable hyper-parameters.
enum { kParameter, kGradient, kMean, kNorm, kStep, kRate, kBeta1, kBeta2, kEpsilon };

void update(sdk::Recipe& r) {
  // f16 and bf16 parameters have their state in f32: compute in its dtype.
  const tn_dtype stored = r.in(kParameter).dtype(), dtype = r.in(kMean).dtype();
  const auto in = [&](uint32_t i) { return r.in(i).as(dtype); };
  const Value mean = mix(in(kBeta1), in(kMean), in(kGradient));
  const Value norm = maximum(in(kBeta2)*in(kNorm), abs(in(kGradient)));
  const Value rate = in(kRate) / one_minus_power(in(kBeta1), in(kStep));
  const Value next = in(kParameter)-rate * mean / (norm + in(kEpsilon));
  r.set(0, next.as(stored));
  r.set(1, mean);
  r.set(2, norm);
}

constexpr tn_optimizer_def kList[] = {
    sdk::optimizer("myoptimizer", kHypers, kSlots, sdk::recipe<update>)};
constexpr tn_optimizer_vtbl kTable = sdk::optimizer_table(kList);
constexpr tn_interface kInterfaces[] = {TENON_INTERFACE(OPTIMIZER, kTable)};

}  // namespace

TENON_PLUGIN("com.example.myoptimizer", "0.1.0", tenon::sdk::Plugin, kInterfaces);
