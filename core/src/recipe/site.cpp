// Makes call sites and keeps them.
#include "site.hpp"

#include "base/error.hpp"
#include "op/recorder.hpp"
#include "op/runtime.hpp"
#include "tenon/op_ids.h"

namespace tenon {

tn_device* device_of(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs, uint32_t n) {
  tn_device* device = nullptr;
  uint32_t first = 0;
  for (uint32_t i = 0; i < n; ++i) {
    if (!inputs[i] || is_scalar(inputs[i])) continue;
    if (!device) {
      device = inputs[i]->device;
      first = i;
    } else if (device != inputs[i]->device) {
      auto name = [&](uint32_t k) {
        return op.variadic ? fmt::format("{}", k) : std::string(view_of(op.def.params[k].name));
      };
      fail(TN_INVALID_ARGUMENT,
           "{}: inputs live on two devices: {} on {}, {} on {}. Copy one with tn_tensor_to.",
           op.name(), name(first), device->name, name(i), inputs[i]->device->name);
    }
  }
  if (device && device->runtime != ctx->runtime)
    fail(TN_INVALID_ARGUMENT,
         "{}: its inputs belong to another runtime; copy their elements by the host", op.name());
  return device ? device : ctx->device;
}

uint64_t words_drawn(const OpRegistry& ops, const OpEntry& op,
                     const std::vector<TraceInput>& inputs, const Attrs& attrs,
                     const std::vector<Shape>& outputs) {
  if (op.id == TN_OP_PHILOX) return static_cast<uint64_t>(outputs[0].count());
  if (!op.n_state || !op.def.decompose) return 0;
  const Graph graph = trace_recipe(ops, op.name(), op.def.decompose, inputs, attrs,
                                   op.is(TN_OP_OUTPUTS_VARY) ? 0 : op.def.n_outputs);
  uint64_t words = 0;
  for (const GraphNode& n : graph.nodes)
    if (n.op->n_state) words = std::max(words, words_drawn(ops, graph, n));
  return words;
}

uint64_t words_drawn(const OpRegistry& ops, const Graph& graph, const GraphNode& node) {
  std::vector<TraceInput> inputs(node.inputs.size());
  std::vector<Shape> outputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    inputs[i].absent = node.inputs[i] < 0;
    if (node.inputs[i] < 0) continue;
    const GraphValue& v = graph.values[static_cast<size_t>(node.inputs[i])];
    inputs[i].shape = v.shape;
    inputs[i].weak = v.weak;
  }
  for (int o : node.outputs) outputs.push_back(graph.values[static_cast<size_t>(o)].shape);
  return words_drawn(ops, *node.op, inputs, node.attrs, outputs);
}

namespace {

// Inline devices, one or two tensors, one kernel: see FastCall.
void prepare_fast(tn_ctx* ctx, Site& site) {
  Program& p = *site.program;
  if (!p.simple || site.n_in == 0 || site.n_in > 2 || site.derived ||
      p.args.size() != site.n_in + 1u)
    return;
  DeviceState& ds = ctx->state(p.device);
  if (ds.queue || p.patches.size() != site.n_in || p.buffers[0].n_patches != 1) return;
  FastCall f;
  if (!p.output_patches[0].whole || p.output_patches[0].view != site.n_in) return;
  for (const Patch& x : p.patches) {
    if (x.kind == PatchKind::kWhole) {
      if (x.view != x.index) return;
    } else {
      if (x.kind != PatchKind::kPointer || x.delta != 0 || p.args[x.index] != &p.views[x.view])
        return;
      f.in[x.index] = &p.views[x.view];
    }
  }
  f.run = p.steps[0].run;
  f.data = p.steps[0].data;
  f.state = &ds;
  f.out_id = p.buffers[0].shape_id;
  f.cls = p.buffers[0].cls;
  f.buffer = &p.buffers[0];
  site.fast = f;
}

}  // namespace

Site* make_site(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs, uint32_t n,
                const tn_attr* attrs, uint32_t n_attrs) {
  auto site = std::make_unique<Site>();
  site->op = op.id;
  site->entry = &op;
  site->n_in = n;
  site->n_attrs = n_attrs;
  site->attrs = complete_attrs(op, attrs, n_attrs);
  for (uint32_t k = 0; k < n_attrs; ++k) {
    site->given.push_back(attrs[k]);
    site->given.back().data = site->attrs.items[attrs[k].key].data;
  }
  for (uint32_t i = 0; i < n; ++i)
    if (inputs[i]) need_elements(inputs[i], std::string(op.name()).c_str());
  tn_device* device = device_of(ctx, op, inputs, n);
  site->by_context = true;
  for (uint32_t i = 0; i < n; ++i)
    if (inputs[i] && !is_scalar(inputs[i])) site->by_context = false;
  OpGraph one = graph_of_op(op, inputs, n, attrs, n_attrs);
  for (uint32_t i = 0; i < n; ++i) {
    const ProgramInput& in = one.inputs[i];
    site->inputs.push_back({in.shape, in.weak, in.absent});
    site->scalar_inputs.push_back(in.scalar);
    const uint64_t id = inputs[i] ? inputs[i]->shape_id : ~0ull;
    if (n <= 4)
      site->ids_inline[i] = id;
    else
      site->ids.push_back(id);
  }
  for (const InferredOutput& o : one.graph.nodes[0].inferred.outputs) {
    site->outputs.push_back(o.shape);
    site->outputs.back().set_dense();
  }
  CompileOptions options;
  options.modes = ctx->modes;
  options.queue = ctx->state(device).queue;
  site->program = compile(ctx->runtime, *device, one.graph, one.inputs, options);
  site->gives_inputs = site->program->values ||
                       std::any_of(site->program->results.begin(), site->program->results.end(),
                                   [](const Result& r) { return r.same; });
  bool floating_out = false;
  for (size_t k = 0; k < site->outputs.size(); ++k) {
    if (!is_floating(site->outputs[k].dtype)) continue;
    floating_out = true;
    site->floating_outputs |= 1ull << std::min<size_t>(k, 63);
  }
  site->records = op.differentiable() && floating_out;
  site->derived = site->records && !op.def.gradient;
  if (op.n_state)
    site->random_words =
        words_drawn(ctx->runtime->ops, op, site->inputs, site->attrs, site->outputs);
  prepare_fast(ctx, *site);
  return site.release();
}

SiteTable::SiteTable() : sets_(new Set[kSets]{}) {}
SiteTable::~SiteTable() { clear(); }

void SiteTable::insert(uint64_t hash, Site* site) {
  Set& s = set(hash);
  size_t w = 0;
  while (w < kWays && s.sites[w]) ++w;
  if (w == kWays) w = next_++ % kWays;
  site_release(s.sites[w]);
  s.tags[w] = hash;
  s.sites[w] = site;
}

void SiteTable::clear() noexcept {
  for (size_t i = 0; i < kSets; ++i)
    for (size_t w = 0; w < kWays; ++w) {
      site_release(sets_[i].sites[w]);
      sets_[i].sites[w] = nullptr;
      sets_[i].tags[w] = 0;
    }
}

}  // namespace tenon
