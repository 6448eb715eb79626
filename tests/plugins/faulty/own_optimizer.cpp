// An optimizer that the kit has no formulas of, with the faults that it can have; its name is FAULTY_OPTIMIZER.
//   m = momentum m + g;  p = p - lr (m + decay p)
#include <cstdlib>
#include <string_view>

#include <tenon/sdk/optimizer.hpp>
#include <tenon/sdk/plugin.hpp>

namespace {

namespace sdk = tenon::sdk;
using sdk::Value;

bool is(std::string_view fault) {
  const char* asked = std::getenv("TENON_FAULT");
  return asked && fault == asked;
}

const tn_hyper kHypers[] = {sdk::variable(is("option_renamed") ? "rate" : "lr", 0.1, 0, 1e30),
                            sdk::variable("momentum", 0.5, 0, 1),
                            sdk::variable("decay", 0, 0, 1e30)};
constexpr tn_slot kSlots[] = {sdk::slot("momentum_buffer")};

enum { kParameter, kGradient, kMomentum, kStep, kRate, kFactor, kDecay };

void update(sdk::Recipe& r) {
  const tn_dtype stored = r.in(kParameter).dtype(), dtype = r.in(kMomentum).dtype();
  const auto in = [&](uint32_t i) { return r.in(i).as(dtype); };
  const Value m =
      in(is("momentum_from_its_neighbour") ? kRate : kFactor) * in(kMomentum) + in(kGradient);
  Value decay = in(kDecay);
  if (is("decay_is_no_number")) decay = decay * log(0.05 - decay);
  const bool doubled = is("rate_is_double") || (is("wrong_in_f64") && stored == TN_DTYPE_F64);
  const Value rate = doubled ? 2 * in(kRate) : in(kRate);
  r.set(0, (in(kParameter)-rate * (m + decay * in(kParameter))).as(stored));
  r.set(1, m);
}

const tn_optimizer_def kList[] = {
    sdk::optimizer(FAULTY_OPTIMIZER, kHypers, kSlots, sdk::recipe<update>)};
const tn_optimizer_vtbl kTable = sdk::optimizer_table(kList);
const tn_interface kInterfaces[] = {TENON_INTERFACE(OPTIMIZER, kTable)};

}  // namespace

TENON_PLUGIN(FAULTY_ID, "0.1.0", tenon::sdk::Plugin, kInterfaces);
