// Faults of optimizers and of the ops that are their fused steps.
#include <string_view>
#include <vector>

#include <tenon/plugin/builder_ops.h>

#include "faulty.hpp"

namespace tenon::faulty {
namespace {

const tn_optimizer_vtbl& under() {
  return *static_cast<const tn_optimizer_vtbl*>(base_table(TN_IFACE_OPTIMIZER));
}
const tn_optimizer_def* find(std::string_view name) {
  for (uint32_t i = 0; i < under().optimizer_count; ++i)
    if (name == std::string_view(under().optimizers[i].name.data, under().optimizers[i].name.size))
      return &under().optimizers[i];
  return nullptr;
}

// The update of the base, and then another result in place of one of its own.
void TN_CALL adam_keeps_slot(tn_builder* b) {
  find("adam")->update(b);
  b->v->set(b, 1, b->v->input(b, 2));
}
void TN_CALL sgd_keeps_parameter(tn_builder* b) {
  find("sgd")->update(b);
  b->v->set(b, 0, b->v->input(b, 0));
}

const tn_ops_vtbl& ops() { return *static_cast<const tn_ops_vtbl*>(base_table(TN_IFACE_OPS)); }
tn_recipe rmsprop_step = nullptr;
void TN_CALL fused_keeps_parameter(tn_builder* b) {
  constexpr uint32_t kParameter = 6;  // behind the step and five hyper-parameters
  rmsprop_step(b);
  b->v->set(b, 0, tn_b_copy(b, b->v->input(b, kParameter)));
}

}  // namespace

const tn_optimizer_vtbl* optimizer_table() {
  if (!base_table(TN_IFACE_OPTIMIZER)) return nullptr;
  static tn_optimizer_vtbl out;
  static auto* defs = new std::vector<tn_optimizer_def>(
      under().optimizers, under().optimizers + under().optimizer_count);
  static auto* hypers = new std::vector<tn_hyper>;
  for (tn_optimizer_def& d : *defs) {
    const std::string_view name(d.name.data, d.name.size);
    if (name == "adam" && is("slot_lost")) d.update = adam_keeps_slot, d.fused_op = {};
    if (name == "sgd" && is("parameter_stays")) d.update = sgd_keeps_parameter, d.fused_op = {};
    if (name == "adagrad" && is("default_out_of_range")) {
      hypers->assign(d.hypers, d.hypers + d.n_hypers);
      hypers->front().value = hypers->front().max * 2;
      d.hypers = hypers->data();
    }
    if (name == "adamw" && is("name_empty")) d.name = {};
  }
  out = under();
  out.optimizers = defs->data();
  return &out;
}

const tn_ops_vtbl* ops_table() {
  if (!base_table(TN_IFACE_OPS)) return nullptr;
  static tn_ops_vtbl out;
  static auto* defs = new std::vector<tn_op_def>(ops().ops, ops().ops + ops().op_count);
  for (tn_op_def& d : *defs) {
    if (std::string_view(d.name.data, d.name.size) != "rmsprop_step" || !is("fused_disagrees"))
      continue;
    rmsprop_step = d.decompose;
    d.decompose = fused_keeps_parameter;
  }
  out = ops();
  out.ops = defs->data();
  if (is("op_stride_wrong")) out.op_stride = 8;
  return &out;
}

}  // namespace tenon::faulty
