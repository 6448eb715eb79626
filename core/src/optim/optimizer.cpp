// Making an optimizer from a plugin's definition, and its hyper-parameters.
#include "optimizer.hpp"

#include <cfloat>
#include <span>

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "plugin/registry.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"

tn_optimizer::~tn_optimizer() {
  for (auto& group : groups) {
    for (tn_tensor* t : group.slots) tn_tensor_release(t);
    tn_variable_release(group.variable);
  }
  for (auto& entry : pending) tn_tensor_release(entry.second);
  for (Hyper& h : hypers) tn_variable_release(h.variable);
  tenon::runtime_release(runtime);
}

namespace tenon {
namespace {

const tn_optimizer_def& find_definition(tn_runtime* rt, std::string_view name) {
  Plugin* plugin = rt->plugins->open_first(Provision::optimizer, name);
  if (!plugin)
    fail(TN_NOT_FOUND, "there is no optimizer \"{}\": {}", name,
         rt->plugins->why_not(Provision::optimizer, name));
  for (uint32_t i = 0; i < plugin->optimizer->optimizer_count; ++i) {
    const tn_optimizer_def& def = plugin->optimizer->optimizers[i];
    if (view_of(def.name) == name) return def;
  }
  fail(TN_INTERNAL, "optimizer {}: plugin {} lost it", name, plugin->id);
}

// "lr is -1; it must be at least 0"
void check_range(const tn_optimizer& o, const tn_optimizer::Hyper& h, double value) {
  if (value >= h.min && value <= h.max) return;
  const bool low = h.min > -FLT_MAX, high = h.max < FLT_MAX;
  const std::string wanted = low && high ? fmt::format("lie in [{}, {:.8g}]", h.min, h.max)
                             : low       ? fmt::format("be at least {} and fit f32", h.min)
                             : high      ? fmt::format("be at most {:.8g}", h.max)
                                         : std::string("be a finite number");
  fail(TN_INVALID_ARGUMENT, "optimizer {}: {} is {}; it must {}", o.name, h.name, value, wanted);
}

// Defaults, replaced by what the options say.
std::vector<double> read_options(const tn_optimizer& o, const tn_optimizer_def& def,
                                 std::span<const tn_option> options) {
  std::vector<double> values;
  for (uint32_t i = 0; i < def.n_hypers; ++i) values.push_back(def.hypers[i].value);
  std::vector<bool> seen(values.size());
  for (const tn_option& option : options) {
    const std::string_view name = view_of(option.name);
    size_t i = 0;
    while (i < o.hypers.size() && o.hypers[i].name != name) ++i;
    if (i == o.hypers.size()) {
      std::string known;
      for (const auto& h : o.hypers) known += (known.empty() ? "" : ", ") + h.name;
      fail(TN_INVALID_ARGUMENT, "optimizer {}: there is no option \"{}\". It takes {}.", o.name,
           name, known);
    }
    if (seen[i])
      fail(TN_INVALID_ARGUMENT, "optimizer {}: option \"{}\" is given twice", o.name, name);
    seen[i] = true;
    values[i] = option_number(fmt::format("optimizer {}", o.name), option);
    check_range(o, o.hypers[i], values[i]);
  }
  return values;
}

}  // namespace

double option_number(std::string_view owner, const tn_option& option) {
  const tn_attr& v = option.value;
  if (v.tag == TN_ATTR_F64) return tn_attr_get_f64(&v);
  if (v.tag == TN_ATTR_I64) return static_cast<double>(static_cast<int64_t>(v.bits));
  if (v.tag == TN_ATTR_BOOL) return v.bits != 0;
  fail(TN_INVALID_ARGUMENT, "{}: option \"{}\" must be a number", owner, view_of(option.name));
}

Owned scalar(tn_ctx* ctx, double value) {
  return Owned(ctx, make_scalar(ctx, TN_DTYPE_F64, true, &value));
}

Owned cast(tn_ctx* ctx, tn_tensor* t, tn_dtype dtype) {
  if (t->view.dtype == dtype) return Owned(ctx, keep(ctx, t));
  return call_one(ctx, TN_OP_CAST, {t}, {tn_attr_dtype(TN_CAST_DTYPE, dtype)});
}

Owned make_full(tn_ctx* ctx, tn_dtype dtype, double value, const Shape& like) {
  return call_one(
      ctx, TN_OP_FILL, {scalar(ctx, value).get()},
      {tn_attr_i64s(TN_FILL_DIMS, like.dims, like.rank), tn_attr_dtype(TN_FILL_DTYPE, dtype)});
}

tn_optimizer* optimizer_create(tn_ctx* ctx, std::string_view name, const tn_option* options,
                               uint32_t n_options) {
  const tn_optimizer_def& def = find_definition(ctx->runtime, name);
  auto o = std::make_unique<tn_optimizer>();
  o->runtime = runtime_retain(ctx->runtime);
  o->name = name;
  o->recipe_name = o->name + " update";
  o->update = def.update;
  if (def.fused_op.size) o->fused = ctx->runtime->ops.find(view_of(def.fused_op), 0);
  for (uint32_t i = 0; i < def.n_slots; ++i)
    o->slots.push_back({std::string(view_of(def.slots[i].name)), def.slots[i].initial});
  for (uint32_t i = 0; i < def.n_hypers; ++i) {
    const tn_hyper& h = def.hypers[i];
    o->hypers.push_back({std::string(view_of(h.name)), h.min, h.max, h.constant != 0});
  }
  const std::vector<double> values = read_options(*o, def, {options, n_options});
  const NoGrad no_grad(ctx);
  for (size_t i = 0; i < o->hypers.size(); ++i) {
    tn_optimizer::Hyper& h = o->hypers[i];
    if (h.constant) {
      o->constants.push_back(tn_attr_f64(static_cast<uint32_t>(o->constants.size()), values[i]));
    } else {
      const Owned value = make_full(ctx, TN_DTYPE_F32, values[i], Shape{});
      check(tn_variable_create(ctx, tn_string(h.name.c_str()), value.get(),
                               TN_VARIABLE_NOT_TRAINABLE, &h.variable));
    }
  }
  return o.release();
}

tn_variable* optimizer_hyper(tn_optimizer& o, std::string_view name) {
  std::string known;
  for (const auto& h : o.hypers) {
    if (h.name == name) {
      if (h.constant)
        fail(TN_NOT_FOUND,
             "optimizer {}: {} is fixed when the optimizer is made and is no variable", o.name,
             name);
      return h.variable;
    }
    if (!h.constant) known += (known.empty() ? "" : ", ") + h.name;
  }
  fail(TN_NOT_FOUND, "optimizer {}: there is no hyper-parameter \"{}\". It has {}.", o.name, name,
       known);
}

}  // namespace tenon
