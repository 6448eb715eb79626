// The table of "tenon.optimizer" from constant definitions. See the template of `tenon new optimizer` for one that uses all of it.
#ifndef TENON_SDK_OPTIMIZER_HPP_
#define TENON_SDK_OPTIMIZER_HPP_
#include <tenon/plugin/optimizer.h>

#include <span>
#include <string_view>

#include "host.hpp"
#include "recipe.hpp"

namespace tenon::sdk {

// A hyper-parameter that may change from step to step, and one that is fixed when the optimizer is made.
constexpr tn_hyper variable(std::string_view name, double value, double min, double max) {
  return {str(name), value, min, max, 0, 0};
}
constexpr tn_hyper constant(std::string_view name, double value, double min, double max) {
  return {str(name), value, min, max, 1, 0};
}
// State of each parameter: every element begins as `initial`.
constexpr tn_slot slot(std::string_view name, double initial = 0) { return {str(name), initial}; }

constexpr tn_optimizer_def optimizer(std::string_view name, std::span<const tn_hyper> hypers,
                                     std::span<const tn_slot> slots, tn_recipe update) {
  tn_optimizer_def d{};
  d.struct_size = sizeof d;
  d.n_hypers = static_cast<uint32_t>(hypers.size());
  d.name = str(name);
  d.hypers = hypers.data();
  d.slots = slots.data();
  d.n_slots = static_cast<uint32_t>(slots.size());
  d.update = update;
  return d;
}
constexpr tn_optimizer_vtbl optimizer_table(std::span<const tn_optimizer_def> list) {
  return {sizeof(tn_optimizer_vtbl), sizeof(tn_optimizer_def), static_cast<uint32_t>(list.size()),
          0, list.data()};
}

}  // namespace tenon::sdk
#endif
