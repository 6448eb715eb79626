#include "compiler.hpp"

#include <cstring>

#include "device.hpp"
#include "queue.hpp"

namespace tenon::reference {
std::vector<tn_kernel> all_kernels();
}

namespace tenon::adversary {
namespace {

constexpr uint64_t kBinding = AdversaryDevice::kMaxBindingBytes;
constexpr uint32_t kSince = 1;  // of every op that it has a kernel of
constexpr std::string_view kForm = "adversary form 1\n";

const std::vector<tn_kernel>& inner_kernels() {
  static const std::vector<tn_kernel> list = reference::all_kernels();
  return list;
}

bool has_kernel(std::string_view op) {
  return std::ranges::any_of(inner_kernels(),
                             [&](const tn_kernel& k) { return sdk::view_of(k.op) == op; });
}

// Device memory of one argument.
struct Binding {
  uint64_t mem, offset, bytes;
  std::string name;

  template <class F>
  void windows(Memory& memory, F&& move) const {
    for (uint64_t at = 0; at < bytes; at += kBinding) {
      const uint64_t size = std::min(kBinding, bytes - at);
      const auto begin = static_cast<int64_t>(offset + at);
      const OpenBlock block = memory.open(mem, begin, begin + static_cast<int64_t>(size), name);
      move(block->data() + begin, at, static_cast<size_t>(size));
    }
  }
};

struct Command {
  std::vector<Binding> results;
  std::vector<Binding> inputs;                   // of bytes 0: `elements` has it
  std::vector<std::vector<std::byte>> elements;  // of the inputs
};

void run_command(AdversaryDevice& device, const sdk::HostGraph& graph, Command& c) {
  std::vector<const void*> in;
  for (size_t k = 0; k < c.inputs.size(); ++k) {
    auto& to = c.elements[k];
    if (to.empty()) to.resize(c.inputs[k].bytes);
    c.inputs[k].windows(device.memory, [&](const std::byte* from, uint64_t at, size_t size) {
      std::memcpy(to.data() + at, from, size);
    });
    in.push_back(to.data());
  }
  std::vector<std::vector<std::byte>> made;
  std::vector<void*> out;
  for (const Binding& r : c.results) out.push_back(made.emplace_back(r.bytes).data());
  graph.run(in, out);
  for (size_t k = 0; k < made.size(); ++k)
    c.results[k].windows(device.memory, [&](std::byte* to, uint64_t at, size_t size) {
      std::memcpy(to, made[k].data() + at, size);
    });
}

}  // namespace

CompiledGraph::CompiledGraph(AdversaryDevice& device, const sdk::Graph& graph, uint32_t flags)
    : device_(device),
      graph_(std::make_shared<sdk::HostGraph>(graph, flags, device, inner_kernels())) {
  ++device_.plans;
}

CompiledGraph::~CompiledGraph() { --device_.plans; }

void CompiledGraph::run(const sdk::Queue& queue, const sdk::Args& args) const {
  if (!queue.raw()) sdk::fail(TN_INTERNAL, "adversary: a compiled graph was run without a queue");
  const sdk::Graph g = graph();
  const size_t n_inputs = g.inputs().size();
  Command command;
  const auto bind = [&](size_t k, const tn_graph_value& v, const char* kind) {
    const tn_view& view = args[static_cast<int>(k)];
    const std::string name = sdk::text("compiled graph: ", kind, k);
    if (view.dtype != v.dtype || view.rank != v.rank ||
        !std::equal(view.dims, view.dims + v.rank, v.dims))
      sdk::fail(TN_INTERNAL, "adversary: ", name, " is not what the graph says");
    if (sdk::is_immediate(view) != sdk::Graph::is_scalar(v) || !sdk::is_contiguous(view))
      sdk::fail(TN_INTERNAL, "adversary: ", name, " is neither dense nor the scalar it should be");
    const uint64_t bytes = tn_dtype_bytes(v.dtype, static_cast<uint64_t>(view.count));
    return Binding{view.mem, view.offset, bytes, name};
  };
  for (size_t k = 0; k < n_inputs; ++k) {
    const tn_graph_value& v = g.values()[static_cast<size_t>(g.inputs()[k])];
    Binding b = bind(k, v, "argument ");
    auto& element = command.elements.emplace_back();
    if (sdk::Graph::is_scalar(v)) {
      const auto* from = static_cast<const std::byte*>(sdk::address(args[static_cast<int>(k)]));
      element.assign(from, from + b.bytes);
      b.bytes = 0;
    }
    command.inputs.push_back(std::move(b));
  }
  for (const tn_graph_result& r : g.results())
    command.results.push_back(bind(n_inputs + command.results.size(),
                                   g.values()[static_cast<size_t>(r.value)], "result "));
  queue.as<CommandQueue>().enqueue(
      [&device = device_, graph = graph_, command = std::move(command)]() mutable {
        run_command(device, *graph, command);
      });
}

namespace {

struct ValueCommand {
  std::vector<std::shared_ptr<Value>> inputs, results;
  std::vector<std::vector<std::byte>> elements;  // of the inputs that are scalars
  std::vector<std::shared_ptr<Value>> donated;
};

void execute_values(const sdk::HostGraph& graph, ValueCommand& c) {
  std::vector<const void*> in;
  for (size_t k = 0; k < c.inputs.size(); ++k) {
    if (c.inputs[k] && !c.inputs[k]->ready)
      sdk::fail(TN_INTERNAL, "adversary: input ", k, " of a compiled graph is not made yet");
    in.push_back(c.inputs[k] ? c.inputs[k]->elements.data() : c.elements[k].data());
  }
  std::vector<void*> out;
  for (const auto& r : c.results) {
    r->elements.assign(r->bytes, static_cast<std::byte>(kFreshByte));
    out.push_back(r->elements.data());
  }
  graph.run(in, out);
  for (const auto& d : c.donated)
    std::ranges::fill(d->elements, static_cast<std::byte>(kFreedByte));
  for (const auto& r : c.results) r->ready = true;
}

}  // namespace

void CompiledGraph::execute(const sdk::Queue& queue, std::span<const uint64_t> inputs,
                            std::span<const uint8_t> donated, std::span<uint64_t> results) const {
  const sdk::Graph g = graph();
  ValueCommand c;
  for (size_t k = 0; k < inputs.size(); ++k) {
    const tn_graph_value& v = g.values()[static_cast<size_t>(g.inputs()[k])];
    const uint64_t bytes = tn_dtype_bytes(v.dtype, static_cast<uint64_t>(sdk::Graph::count(v)));
    auto& value = c.inputs.emplace_back();
    auto& element = c.elements.emplace_back();
    if (sdk::Graph::is_scalar(v)) {
      element.resize(sizeof inputs[k]);
      std::memcpy(element.data(), &inputs[k], sizeof inputs[k]);
    } else {
      value = device_.values.find(inputs[k], sdk::text("input ", k, " of a compiled graph"));
      if (value->bytes != bytes)
        sdk::fail(TN_INTERNAL, "adversary: input ", k, " has ", value->bytes, " bytes, not ",
                  bytes);
    }
    if (!donated[k]) continue;
    const bool named = std::ranges::any_of(
        g.results(), [&](const tn_graph_result& r) { return r.input == static_cast<int32_t>(k); });
    if (!named || !value || std::ranges::count(inputs, inputs[k]) != 1)
      sdk::fail(TN_INTERNAL, "adversary: input ", k, " cannot be donated");
    c.donated.push_back(value);
  }
  size_t made = 0;
  try {
    for (; made < results.size(); ++made) {
      const tn_graph_value& v = g.values()[static_cast<size_t>(g.results()[made].value)];
      auto [handle, value] =
          device_.new_value(tn_dtype_bytes(v.dtype, static_cast<uint64_t>(sdk::Graph::count(v))));
      results[made] = handle;
      c.results.push_back(std::move(value));
    }
    queue.as<CommandQueue>().enqueue(
        [graph = graph_, c = std::move(c)]() mutable { execute_values(*graph, c); });
  } catch (...) {
    for (size_t k = 0; k < made; ++k) device_.values.end(results[k], "freed");
    throw;
  }
  for (size_t k = 0; k < inputs.size(); ++k)
    if (donated[k]) device_.values.end(inputs[k], "donated");
}

// Every third node or so is left, so that programs are mixtures of compiled graphs and kernels.
void AdversaryDevice::claim(const sdk::Graph& graph, uint32_t, std::span<tn_claim> claims) {
  for (size_t k = 0; k < claims.size(); ++k) {
    const tn_graph_node& n = graph.nodes()[k];
    const auto refuse = [&](std::string_view why) { claims[k].reason = sdk::str(why); };
    uint32_t hash = static_cast<uint32_t>(k);
    for (const char c : graph.op(n)) hash = hash * 31 + static_cast<uint8_t>(c);
    const auto held = [&](int32_t v) {
      return v < 0 || sdk::HostGraph::holds(graph.values()[static_cast<size_t>(v)]);
    };
    const auto is_view = [&](int32_t v) {
      return graph.values()[static_cast<size_t>(v)].view_of >= 0;
    };
    if (settings.compiler == "off")
      refuse("TENON_ADVERSARY_COMPILER is off");
    else if (settings.compiler != "whole" && hash % 3 == 0)
      refuse("left to kernels on purpose");
    else if (!std::ranges::all_of(graph.inputs(n), held) ||
             !std::ranges::all_of(graph.outputs(n), held))
      refuse("elements smaller than a byte");
    else if (!std::ranges::all_of(graph.outputs(n), is_view) && !has_kernel(graph.op(n)))
      refuse("no kernel of this op");
    else if (n.since > kSince)
      refuse("a version of this op that it does not know");
    else
      claims[k].claimed = 1;
  }
}

sdk::Compilation<CompiledGraph> AdversaryDevice::compile(const sdk::Graph& graph, uint32_t flags) {
  try {
    return {std::make_unique<CompiledGraph>(*this, graph, flags), 0, TN_COMPILED_INPLACE};
  } catch (const sdk::Error& e) {
    if (e.code() != TN_UNIMPLEMENTED) throw;
    return sdk::Declined{"a kernel declines its node"};
  }
}

std::string AdversaryDevice::save(const CompiledGraph& compiled) const {
  const auto bytes = compiled.graph().bytes();
  return std::string(kForm).append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// From the graph in the form, not from the one that is asked for: what is wrong with forms shows.
sdk::Compilation<CompiledGraph> AdversaryDevice::load(const sdk::Graph& graph, uint32_t flags,
                                                      std::span<const std::byte> form) {
  const std::string_view text(reinterpret_cast<const char*>(form.data()), form.size());
  if (!text.starts_with(kForm)) return sdk::Declined{"it is no form of the adversary"};
  std::vector<uint64_t> blob((form.size() - kForm.size() + 7) / 8);
  std::memcpy(blob.data(), text.data() + kForm.size(), form.size() - kForm.size());
  const sdk::Graph kept(blob.data(), form.size() - kForm.size());
  if (!std::ranges::equal(kept.bytes(), graph.bytes())) return sdk::Declined{"of another graph"};
  return compile(kept, flags);
}

}  // namespace tenon::adversary
