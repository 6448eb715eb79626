// The state of an optimizer: made, given out and set by name.
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "optimizer.hpp"
#include "recipe/site.hpp"

namespace tenon {
namespace {

// A value for a slot: without history, of the slot's dtype and dims, on `device`.
Owned fit(tn_ctx* ctx, const tn_optimizer& o, std::string_view name, tn_tensor* value,
          const Shape& wanted, tn_device* device) {
  const tn_view& v = value->view;
  if (is_scalar(value) || !same_type(v, wanted))
    fail(TN_INVALID_ARGUMENT, "optimizer {}: state \"{}\" is {}, what was set is {}", o.name, name,
         shape_text(wanted), shape_text(v));
  tn_tensor* out = nullptr;
  check(tn_tensor_detach(ctx, value, &out));
  const Owned plain(ctx, out);
  check(tn_tensor_to(ctx, plain.get(), tn_string(device->name.c_str()), &out));
  return Owned(ctx, out);
}

size_t slot_count(const tn_optimizer& o) { return o.groups.size() * o.slots.size(); }

// Splits "fc1.weight.exp_avg" into its variable and its slot.
size_t slot_of(const tn_optimizer& o, std::string_view name, std::string_view* out_variable) {
  std::string known = "step";
  for (size_t k = 0; k < o.slots.size(); ++k) {
    const std::string& slot = o.slots[k].name;
    if (name.size() > slot.size() && name.ends_with(slot) &&
        name[name.size() - slot.size() - 1] == '.') {
      *out_variable = name.substr(0, name.size() - slot.size() - 1);
      return k;
    }
    known += ", <variable>." + slot;
  }
  fail(TN_NOT_FOUND, "optimizer {}: there is no state \"{}\". There are: {}.", o.name, name, known);
}

}  // namespace

OptimizerGroup& optimizer_group(tn_ctx* ctx, tn_optimizer& o, tn_variable* variable,
                                tn_device* device) {
  if (const auto it = o.group_of.find(variable->name); it != o.group_of.end()) {
    OptimizerGroup& group = o.groups[it->second];
    if (group.variable == variable) return group;
    // Another variable of this name takes over the state, if it fits.
    const Shape &is = variable->shape, &was = group.variable->shape;
    if (!same_type(is, was))
      fail(TN_INVALID_ARGUMENT,
           "optimizer {}: variable \"{}\" is {}, but its state was made for {}", o.name,
           variable->name, shape_text(is), shape_text(was));
    return group;
  }
  Shape shape = variable->shape;
  shape.dtype = slot_dtype(shape.dtype);
  OptimizerGroup group;
  std::vector<Owned> slots;
  const DeviceScope scope(ctx, device);
  for (const auto& slot : o.slots) {
    group.names.push_back(variable->name + "." + slot.name);
    const auto set = o.pending.find(group.names.back());
    slots.push_back(set == o.pending.end() ? make_full(ctx, shape.dtype, slot.initial, shape)
                                           : fit(ctx, o, set->first, set->second, shape, device));
  }
  group.slots.reserve(slots.size());
  o.groups.reserve(o.groups.size() + 1);
  o.group_of.emplace(variable->name, o.groups.size());
  for (Owned& t : slots) group.slots.push_back(t.release());
  group.variable = tn_variable_retain(variable);
  o.groups.push_back(std::move(group));
  return o.groups.back();
}

NewState::~NewState() {
  while (o_.groups.size() > before_) {
    OptimizerGroup& group = o_.groups.back();
    for (tn_tensor* t : group.slots) drop(ctx_, t);
    o_.group_of.erase(group.variable->name);
    tn_variable_release(group.variable);
    o_.groups.pop_back();
  }
}

void NewState::keep() noexcept {
  for (; before_ < o_.groups.size(); ++before_) {
    for (const std::string& name : o_.groups[before_].names) {
      if (const auto set = o_.pending.find(name); set != o_.pending.end()) {
        drop(ctx_, set->second);
        o_.pending.erase(set);
      }
    }
  }
}

uint32_t optimizer_state_count(const tn_optimizer& o) {
  return static_cast<uint32_t>(1 + slot_count(o) + o.pending.size());
}

// "step", then the slots of each variable in the order in which they came, then what was set and not used yet.
Owned optimizer_state_take(tn_ctx* ctx, tn_optimizer& o, uint32_t index, tn_str* out_name) {
  const uint32_t count = optimizer_state_count(o);
  if (index >= count) fail(TN_OUT_OF_RANGE, "optimizer {}: state {} of {}", o.name, index, count);
  if (index == 0) {
    tn_tensor* step = nullptr;
    check(tn_tensor_from_host(ctx, TN_DTYPE_I64, 0, nullptr, &o.step, sizeof o.step, &step));
    *out_name = tn_string("step");
    return Owned(ctx, step);
  }
  size_t at = index - 1;
  if (at < slot_count(o)) {
    const OptimizerGroup& group = o.groups[at / o.slots.size()];
    const std::string& name = group.names[at % o.slots.size()];
    *out_name = {name.data(), name.size()};
    check_not_lost(group.slots[at % o.slots.size()]);
    return Owned(ctx, keep(ctx, group.slots[at % o.slots.size()]));
  }
  auto it = o.pending.begin();
  for (at -= slot_count(o); at > 0; --at) ++it;
  *out_name = {it->first.data(), it->first.size()};
  return Owned(ctx, keep(ctx, it->second));
}

void optimizer_state_set(tn_ctx* ctx, tn_optimizer& o, std::string_view name, tn_tensor* value) {
  if (name == "step") {
    double step = 0;
    check(tn_tensor_item_f64(ctx, value, &step));
    if (!(step >= 0 && step < 0x1p53) || step != std::floor(step))
      fail(TN_INVALID_ARGUMENT,
           "optimizer {}: step is {}; it counts updates from 0 and is a whole number", o.name,
           step);
    o.step = static_cast<int64_t>(step);
    return;
  }
  std::string_view variable;
  const size_t k = slot_of(o, name, &variable);
  if (const auto it = o.group_of.find(std::string(variable)); it != o.group_of.end()) {
    tn_tensor*& slot = o.groups[it->second].slots[k];
    Owned fresh = fit(ctx, o, name, value, shape_of(slot->view), slot->device);
    drop(ctx, std::exchange(slot, fresh.release()));
    return;
  }
  if (is_scalar(value))
    fail(TN_INVALID_ARGUMENT, "optimizer {}: state \"{}\" cannot be a host scalar", o.name, name);
  tn_tensor* plain = nullptr;
  check(tn_tensor_detach(ctx, value, &plain));
  Owned kept(ctx, plain);
  tn_tensor*& entry = o.pending[std::string(name)];
  if (entry) drop(ctx, entry);
  entry = kept.release();
}

}  // namespace tenon
