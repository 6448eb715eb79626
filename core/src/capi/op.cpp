#include "base/json_text.hpp"
#include "op/guards.hpp"
#include "op/infer.hpp"
#include "op/recorder.hpp"
#include "plugin/registry.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"

using namespace tenon;

namespace {

const char* why_not(const OpEntry& e) {
  if (e.differentiable()) return "";
  return e.def.why_not_differentiable.size ? e.def.why_not_differentiable.data
                                           : "no gradient is defined";
}

struct Explanation {
  uint32_t level = TN_SUPPORT_UNSUPPORTED;
  std::string kernel, why;
  std::vector<Candidate> candidates;
  std::vector<std::string_view> decomposition;
};

Explanation explain(tn_ctx* ctx, const OpEntry& op, tn_device& device, tn_tensor* const* inputs,
                    uint32_t n, const tn_attr* attrs, uint32_t n_attrs) {
  Explanation x;
  OpGraph one = graph_of_op(op, inputs, n, attrs, n_attrs);
  CompileOptions options;
  options.modes = ctx->modes;
  options.trail = &x.candidates;
  options.decomposed = &x.decomposition;
  try {
    std::unique_ptr<Program> p(compile(ctx->runtime, device, one.graph, one.inputs, options));
    for (const Candidate& c : x.candidates)
      if (c.verdict == "chosen") x.kernel = view_of(c.kernel->name);
    if (!x.decomposition.empty()) {
      x.level = TN_SUPPORT_DECOMPOSED;
      x.why =
          x.candidates.empty() ? "the device has no kernel for this op" : "every kernel declines";
      if (p->values) x.why = "its compiler takes what it is made of";
    } else if (p->values) {
      x.level = TN_SUPPORT_NATIVE;
      x.why = "its compiler takes it";
    } else if (p->steps.empty()) {
      x.level = TN_SUPPORT_NATIVE;
      x.why = "a view: nothing is computed";
    } else {
      x.level = TN_SUPPORT_NATIVE;
      x.why = "the kernel of highest priority that takes it";
    }
  } catch (Error& e) {
    if (e.code() != TN_UNIMPLEMENTED) throw;
    x.level = ctx->fallback && device.type != "cpu" ? TN_SUPPORT_FALLBACK : TN_SUPPORT_UNSUPPORTED;
    x.why = e.message();
  }
  return x;
}

}  // namespace

extern "C" {

tn_error* tn_op_find(tn_runtime* rt, tn_str name, uint32_t since, tn_op* out) {
  return with_runtime(rt, "tn_op_find", [&] {
    need(out, "tn_op_find", "out_op");
    const OpEntry* e = rt->ops.find(view_of(name), since);
    if (!e) {
      rt->plugins->open_first(Provision::op, view_of(name));
      e = rt->ops.find(view_of(name), since);
    }
    if (!e && since && rt->ops.find(view_of(name), 0))
      fail(TN_NOT_FOUND, "op \"{}\" exists, but not in a version as old as {}", view_of(name),
           since);
    if (!e)
      fail(TN_NOT_FOUND, "there is no op \"{}\": {}", view_of(name),
           rt->plugins->why_not(Provision::op, view_of(name), rt->ops.names()));
    *out = e->id;
  });
}

tn_error* tn_op_count(tn_runtime* rt, uint32_t* out) {
  return with_runtime(rt, "tn_op_count", [&] {
    need(out, "tn_op_count", "out_count");
    *out = rt->ops.count();
  });
}

tn_error* tn_op_at(tn_runtime* rt, uint32_t index, tn_op* out) {
  return with_runtime(rt, "tn_op_at", [&] {
    need(out, "tn_op_at", "out_op");
    const OpEntry* e = rt->ops.at(index);
    if (!e) fail(TN_OUT_OF_RANGE, "tn_op_at: index {} of {} ops", index, rt->ops.count());
    *out = e->id;
  });
}

tn_error* tn_op_get_info(tn_runtime* rt, tn_op op, tn_op_info* out) {
  return with_runtime(rt, "tn_op_get_info", [&] {
    const OpEntry& e = rt->ops.get(op);
    tn_op_info info = tn_op_info_init();
    info.op = e.id;
    info.name = e.def.name;
    info.since = e.def.since;
    info.base = e.is(TN_OP_BASE);
    info.differentiable = e.differentiable();
    info.input_count = e.def.n_params;
    info.attr_count = e.def.n_attrs;
    info.output_count = e.def.n_outputs;
    info.why_not_differentiable = tn_string(why_not(e));
    info.plugin = str_of(e.plugin);
    info.signature = str_of(rt->ops.signature(e));
    give_struct(info, out, "tn_op_get_info");
  });
}

tn_error* tn_op_explain(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs, uint32_t n,
                        const tn_attr* attrs, uint32_t n_attrs, uint32_t* out_level, char* buffer,
                        uint64_t capacity, uint64_t* out_size) {
  return with_ctx(ctx, "tn_op_explain", [&] {
    if (n && !inputs) fail(TN_INVALID_ARGUMENT, "tn_op_explain: inputs is NULL");
    if (n_attrs && !attrs) fail(TN_INVALID_ARGUMENT, "tn_op_explain: attrs is NULL");
    const OpEntry& e = ctx->runtime->ops.get(op);
    check_input_count(e, n);
    for (uint32_t i = 0; i < n; ++i)
      if (inputs[i]) need_elements(inputs[i], "tn_op_explain");
    tn_device* device = ctx->device;
    for (uint32_t i = 0; i < n; ++i)
      if (inputs[i] && inputs[i]->device) {
        device = inputs[i]->device;
        break;
      }
    // A random op has its state as three more inputs, as in a call.
    std::vector<tn_tensor*> all(inputs, inputs + n);
    std::vector<Owned> state;
    state.reserve(3);
    all.resize(e.with_absent(n), nullptr);
    if (e.n_state && all.size() == e.n_fixed - e.n_state) {
      for (uint64_t word : {ctx->random.seed, ctx->random.stream, ctx->random.offset}) {
        state.emplace_back(ctx, make_scalar(ctx, TN_DTYPE_U64, false, &word));
        all.push_back(state.back().get());
      }
    }
    const Explanation x =
        explain(ctx, e, *device, all.data(), static_cast<uint32_t>(all.size()), attrs, n_attrs);
    static constexpr const char* kLevels[] = {"unsupported", "fallback", "decomposed", "native"};
    std::string out = fmt::format(
        "{{\"op\": {}, \"device\": {}, \"level\": \"{}\", \"kernel\": {}, \"plugin\": {}, \"why\": "
        "{}, \"candidates\": [",
        json_string(e.name()), json_string(device->name), kLevels[x.level], json_string(x.kernel),
        json_string(device->plugin), json_string(x.why));
    for (size_t i = 0; i < x.candidates.size(); ++i) {
      const Candidate& c = x.candidates[i];
      out += fmt::format("{}{{\"kernel\": {}, \"plugin\": {}, \"verdict\": {}, \"why\": {}}}",
                         i ? ", " : "", json_string(view_of(c.kernel->name)),
                         json_string(device->plugin), json_string(c.verdict), json_string(c.why));
    }
    out += "], \"decomposition\": [";
    for (size_t i = 0; i < x.decomposition.size(); ++i)
      out += (i ? ", " : "") + json_string(x.decomposition[i]);
    out += "]}";
    give_text(out, buffer, capacity, out_size);
    if (out_level) *out_level = x.level;
  });
}

}  // extern "C"
