// Graphs and recipes, run: op by op or as one program.
#include "run.hpp"

#include <optional>

#include "base/error.hpp"
#include "op/recorder.hpp"
#include "op/runtime.hpp"

namespace tenon {

std::vector<tn_tensor*> replay(tn_ctx* ctx, const Graph& graph, tn_tensor* const* inputs) {
  std::vector<Owned> values;
  for (size_t i = 0; i < graph.values.size(); ++i) values.emplace_back(ctx, nullptr);
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    if (inputs[i]) values[static_cast<size_t>(graph.inputs[i])] = Owned(ctx, keep(ctx, inputs[i]));
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const GraphValue& v = graph.values[i];
    if (v.constant) values[i] = Owned(ctx, make_scalar(ctx, v.shape.dtype, v.weak, v.bits));
  }
  for (const GraphNode& node : graph.nodes) {
    if (!node.live) continue;
    std::vector<tn_tensor*> in, out(node.outputs.size(), nullptr);
    for (int i : node.inputs) in.push_back(i < 0 ? nullptr : values[static_cast<size_t>(i)].get());
    const std::optional<NoGrad> off_tape = node.stop ? std::optional<NoGrad>(ctx) : std::nullopt;
    if (node.control) {
      std::vector<Owned> made = node.control->call(ctx, in);
      for (size_t k = 0; k < made.size(); ++k)
        values[static_cast<size_t>(node.outputs[k])] = std::move(made[k]);
      continue;
    }
    call(ctx, node.op->id, in.data(), static_cast<uint32_t>(in.size()), node.attrs.data(),
         node.attrs.size(), out.data(), static_cast<uint32_t>(out.size()));
    for (size_t k = 0; k < out.size(); ++k)
      values[static_cast<size_t>(node.outputs[k])] = Owned(ctx, out[k]);
  }
  std::vector<tn_tensor*> results;
  results.reserve(graph.results.size());
  for (int r : graph.results)
    results.push_back(r < 0 ? nullptr : keep(ctx, values[static_cast<size_t>(r)].get()));
  return results;
}

void op_call_donating(tn_ctx* ctx, tn_op op, std::span<tn_tensor* const> inputs,
                      std::span<const tn_attr> attrs, std::span<tn_tensor*> outputs,
                      const std::vector<bool>& donate) {
  NoGrad no_grad(ctx);
  call(ctx, op, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.data(),
       static_cast<uint32_t>(attrs.size()), outputs.data(), static_cast<uint32_t>(outputs.size()),
       &donate);
}

std::vector<TraceInput> trace_inputs(std::span<tn_tensor* const> tensors) {
  std::vector<TraceInput> out(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    out[i].absent = !tensors[i];
    if (!tensors[i]) continue;
    out[i].shape = shape_of(tensors[i]->view);
    out[i].weak = tensors[i]->view.flags & TN_VIEW_WEAK;
  }
  return out;
}

void play_recipe(tn_ctx* ctx, std::string_view name, tn_recipe recipe,
                 std::span<tn_tensor* const> inputs, const Attrs& attrs,
                 std::span<tn_tensor*> outputs) {
  const Graph graph =
      trace_recipe(ctx->runtime->ops, name, recipe, trace_inputs(inputs), attrs,
                   static_cast<uint32_t>(outputs.size()), &ctx->recorder->symbols());
  const std::vector<tn_tensor*> results = replay(ctx, graph, inputs.data());
  std::copy(results.begin(), results.end(), outputs.begin());
}

void run_recipe(tn_ctx* ctx, const char* name, tn_recipe recipe, std::span<tn_tensor* const> inputs,
                std::span<const tn_attr> attrs, std::span<tn_tensor*> outputs) {
  NoGrad no_grad(ctx);
  Attrs complete;
  complete.items.assign(attrs.begin(), attrs.end());
  if (ctx->recorder) {
    play_recipe(ctx, name, recipe, inputs, complete, outputs);
    return;
  }
  std::string key = name;
  auto put = [&key](const auto& v) { key.append(reinterpret_cast<const char*>(&v), sizeof v); };
  put(recipe);
  put(ctx->modes);
  for (tn_tensor* t : inputs) put(t ? t->shape_id : ~0ull);
  for (const tn_attr& a : attrs) {
    put(a.tag);
    put(a.bits);
    key.append(static_cast<const char*>(a.data), attr_bytes(a));
  }
  auto it = ctx->programs.find(key);
  if (it == ctx->programs.end()) {
    std::vector<TraceInput> shapes;
    std::vector<ProgramInput> given;
    tn_device* device = nullptr;
    for (tn_tensor* t : inputs) {
      TraceInput trace;
      ProgramInput in;
      trace.absent = in.absent = !t;
      if (t) {
        trace.shape = in.shape = shape_of(t->view);
        trace.weak = in.weak = t->view.flags & TN_VIEW_WEAK;
        in.scalar = is_scalar(t);
        if (!in.scalar && !device) device = t->device;
        if (!in.scalar && device != t->device)
          fail(TN_INVALID_ARGUMENT, "{}: inputs live on {} and {}", name, device->name,
               t->device->name);
      }
      shapes.push_back(trace);
      given.push_back(in);
    }
    if (!device) device = ctx->device;
    Graph graph = trace_recipe(ctx->runtime->ops, name, recipe, shapes, complete,
                               static_cast<uint32_t>(outputs.size()));
    CompileOptions options;
    options.modes = ctx->modes;
    options.queue = ctx->state(device).queue;
    std::unique_ptr<Program> program;
    try {
      program.reset(compile(ctx->runtime, *device, graph, given, options));
    } catch (Error& e) {
      if (e.code() != TN_UNIMPLEMENTED || !ctx->fallback) throw;
      graph = trace_recipe(ctx->runtime->ops, name, recipe, shapes, complete,
                           static_cast<uint32_t>(outputs.size()));
      const OnDevice there(ctx, device);
      const std::vector<tn_tensor*> results = replay(ctx, graph, inputs.data());
      std::copy(results.begin(), results.end(), outputs.begin());
      return;
    }
    if (ctx->programs.size() >= 4096) {
      for (auto& [k, p] : ctx->programs) program_release(p);
      ctx->programs.clear();
    }
    it = ctx->programs.emplace(key, program.get()).first;
    (void)program.release();
  }
  run_program(ctx, *it->second, inputs.data(), outputs.data());
}

}  // namespace tenon
