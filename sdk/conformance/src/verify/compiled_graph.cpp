#include "compiled_graph.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tenon::conformance {
namespace {

constexpr unsigned char kFill = 0xB6;
constexpr uint64_t kWatched = 512;  // bytes on either side, at least

int64_t count_of(const tn_graph_value& v) {
  int64_t n = 1;
  for (uint32_t k = 0; k < v.rank; ++k) n *= v.dims[k];
  return n;
}
uint64_t bytes_of(const tn_graph_value& v) {
  return tn_dtype_bytes(v.dtype, static_cast<uint64_t>(count_of(v)));
}

// Memory of one argument, with watched bytes around it.
class Argument {
 public:
  Argument(BareQueue& queue, uint64_t size, const Elements* elements)
      : queue_(queue),
        lead_(std::max(kWatched, queue.device.props.alignment)),
        size_(size),
        block_(queue.device, 2 * lead_ + (size + kWatched - 1) / kWatched * kWatched),
        before_(block_.bytes, kFill) {
    if (elements) std::copy(elements->begin(), elements->end(), before_.begin() + first());
    queue_.upload(block_.mem, 0, before_.data(), before_.size());
  }
  uint64_t mem() const { return block_.mem; }
  uint64_t offset() const { return lead_; }

  Elements elements() {
    const Elements all = look();
    return {all.begin() + first(), all.begin() + first() + static_cast<std::ptrdiff_t>(size_)};
  }
  // Throws Wrong where bytes changed around it, or, of what is only read, in it.
  void check(const std::string& what, bool written) {
    const Elements now = look();
    const auto end = static_cast<size_t>(lead_ + size_);
    for (size_t k = 0; k < now.size(); ++k) {
      const bool inside = k >= lead_ && k < end;
      if (now[k] == before_[k] || (inside && written)) continue;
      if (inside)
        throw Wrong("it changes " + what, "that inputs stay as they are, but for those that the "
                                          "graph names for a result of the run");
      throw Wrong("it writes " +
                      (k < lead_ ? std::to_string(lead_ - k) + " bytes before "
                                 : std::to_string(k - end) + " bytes behind the end of ") +
                      what,
                  "that a compiled graph writes only the elements of its results and the bytes of "
                  "its workspace");
    }
  }

 private:
  std::ptrdiff_t first() const { return static_cast<std::ptrdiff_t>(lead_); }
  Elements look() {
    Elements now(block_.bytes);
    queue_.download(now.data(), block_.mem, 0, now.size());
    queue_.wait();
    return now;
  }

  BareQueue& queue_;
  uint64_t lead_, size_;
  BareBlock block_;
  Elements before_;
};

tn_view view_of(const tn_graph_value& v, const std::vector<int64_t>& strides) {
  tn_view out{};
  out.dims = v.dims, out.strides = strides.data();
  out.count = count_of(v);
  out.dtype = v.dtype;
  out.rank = static_cast<uint8_t>(v.rank);
  out.flags = TN_VIEW_CONTIGUOUS;
  return out;
}

std::vector<int64_t> dense_strides(const tn_graph_value& v) {
  std::vector<int64_t> out(v.rank);
  int64_t step = 1;
  for (size_t k = v.rank; k-- > 0; step *= v.dims[k]) out[k] = step;
  return out;
}

}  // namespace

const tn_graph_value& RecordedGraph::value(int32_t v) const {
  return static_cast<const tn_graph_value*>(tn_graph_at(blob.data(), header().values))[v];
}
const tn_graph_value& RecordedGraph::input(size_t k) const {
  return value(static_cast<const int32_t*>(tn_graph_at(blob.data(), header().inputs))[k]);
}
const tn_graph_result& RecordedGraph::result(size_t k) const {
  return static_cast<const tn_graph_result*>(tn_graph_at(blob.data(), header().results))[k];
}
std::string RecordedGraph::op(uint32_t node) const {
  const auto& n =
      static_cast<const tn_graph_node*>(tn_graph_at(blob.data(), header().nodes))[node];
  return {static_cast<const char*>(tn_graph_at(blob.data(), header().data + n.op)), n.op_bytes};
}
std::string RecordedGraph::text() const {
  constexpr uint32_t kMost = 5;
  std::string out = std::to_string(header().node_count) +
                    (header().node_count == 1 ? " node (" : " nodes (");
  for (uint32_t k = 0; k < std::min(header().node_count, kMost); ++k)
    out += (k ? ", " : "") + op(k);
  return out + (header().node_count > kMost ? ", ...)" : ")");
}
tn_compile_request RecordedGraph::request() const {
  tn_compile_request r{};
  r.struct_size = sizeof r;
  r.flags = flags;
  r.graph = blob.data(), r.graph_bytes = bytes;
  return r;
}

CompiledGraph::CompiledGraph(CompiledGraph&& o) noexcept
    : made(std::exchange(o.made, {})),
      declined(std::move(o.declined)),
      refused(std::move(o.refused)),
      owned_(o.owned_) {}

CompiledGraph::~CompiledGraph() {
  if (owned_ && made.release) try {
      call("release of a compiled graph", [&] { made.release(made.data); });
    } catch (const Wrong&) {  // a failed check is under way, or errors.exceptions says so
    }
}

CompiledGraph CompiledGraph::compile(const OpenDevice& device, const tn_compiler_vtbl& compiler,
                                     const RecordedGraph& graph) {
  CompiledGraph c;
  c.made.struct_size = sizeof c.made;
  const tn_compile_request request = graph.request();
  const std::vector<uint64_t> before = graph.blob;
  device.ok(("compile of " + graph.text()).c_str(),
            call("compile", [&] { return compiler.compile(device.handle, &request, &c.made); }));
  expect(graph.blob == before, "compile changes the graph that it is shown", "that it only reads");
  c.declined = text_of(c.made.declined);
  expect(!c.declined.empty() || c.made.run, "compile of " + graph.text() + " gives no function",
         "run, or declined with a reason");
  return c;
}

CompiledGraph CompiledGraph::load(const OpenDevice& device, const tn_compiler_vtbl& compiler,
                                  const RecordedGraph& graph, const std::string& form) {
  CompiledGraph c;
  c.made.struct_size = sizeof c.made;
  const tn_compile_request request = graph.request();
  // At the end of an allocation of its own: what lies behind is not its.
  const std::vector<char> bytes(form.begin(), form.end());
  const auto taken = device.host.take(call("load", [&] {
    return compiler.load(device.handle, &request, bytes.data(), bytes.size(), &c.made);
  }));
  if (taken.code != TN_OK) {
    c.made = {};  // what was filled in before an error is nobody's
    c.refused = std::string(tn_code_name(taken.code)) + ": " + taken.message;
    return c;
  }
  c.declined = text_of(c.made.declined);
  expect(!c.declined.empty() || c.made.run, "load gives no function",
         "run, or declined with a reason");
  return c;
}

CompiledGraph CompiledGraph::lent(const tn_compiled& made) {
  CompiledGraph c;
  c.made = made;
  c.owned_ = false;
  return c;
}

std::string CompiledGraph::save(const OpenDevice& device, const tn_compiler_vtbl& compiler) const {
  std::string form;
  const tn_compiled_sink sink{
      [](void* user, const void* bytes, uint64_t count) -> tn_error* {
        static_cast<std::string*>(user)->append(static_cast<const char*>(bytes), count);
        return nullptr;
      },
      &form};
  const auto taken = device.host.take(
      call("save", [&] { return compiler.save(device.handle, made.data, &sink); }));
  if (taken.code == TN_UNIMPLEMENTED) throw Unsupported("save: " + taken.message);
  expect(taken.code == TN_OK,
         std::string("save fails: ") + tn_code_name(taken.code) + ": " + taken.message,
         "that it works, or UNIMPLEMENTED");
  return form;
}

std::vector<Elements> run_graph(BareQueue& queue, const CompiledGraph& compiled,
                                const RecordedGraph& graph, Memory where) {
  const size_t n_inputs = graph.inputs.size(), n_results = graph.header().result_count;
  const uint64_t room = compiled.made.workspace_bytes;
  std::vector<std::vector<int64_t>> strides;
  std::vector<tn_view> views;
  std::vector<std::unique_ptr<Argument>> inputs, results;  // null: a scalar; in an input's memory
  std::vector<bool> given(n_inputs);                       // to a result
  strides.reserve(n_inputs + n_results);
  const auto add = [&](const tn_graph_value& v) -> tn_view& {
    strides.push_back(dense_strides(v));
    return views.emplace_back(view_of(v, strides.back()));
  };
  for (size_t k = 0; k < n_inputs; ++k) {
    const tn_graph_value& v = graph.input(k);
    tn_view& view = add(v);
    auto& memory = inputs.emplace_back();
    if ((v.flags & TN_GRAPH_SCALAR) != 0) {
      view.flags |= TN_VIEW_IMMEDIATE;
      std::memcpy(static_cast<void*>(&view), graph.inputs[k].data(),
                  std::min(sizeof view.mem + sizeof view.offset, graph.inputs[k].size()));
      continue;
    }
    memory = std::make_unique<Argument>(queue, bytes_of(v), &graph.inputs[k]);
    view.mem = memory->mem(), view.offset = memory->offset();
  }
  const auto input_of = [&](size_t k) -> Argument* {
    const int32_t input = graph.result(k).input;
    return where == Memory::in_place && input >= 0 ? inputs[static_cast<size_t>(input)].get()
                                                  : nullptr;
  };
  for (size_t k = 0; k < n_results; ++k) {
    const tn_graph_value& v = graph.value(graph.result(k).value);
    tn_view& view = add(v);
    auto& memory = results.emplace_back();
    Argument* at = input_of(k);
    if (at)
      given[static_cast<size_t>(graph.result(k).input)] = true;
    else
      at = (memory = std::make_unique<Argument>(queue, bytes_of(v), nullptr)).get();
    view.mem = at->mem(), view.offset = at->offset();
  }
  std::unique_ptr<Argument> workspace;
  const auto count = static_cast<int64_t>(room), one = int64_t{1};
  if (room > 0) {
    workspace = std::make_unique<Argument>(queue, room, nullptr);
    tn_view& w = views.emplace_back();
    w.mem = workspace->mem(), w.offset = workspace->offset();
    w.dims = &count, w.strides = &one, w.count = count;
    w.dtype = TN_DTYPE_U8, w.rank = 1, w.flags = TN_VIEW_CONTIGUOUS;
  }
  std::vector<const tn_view*> args;
  for (const tn_view& v : views) args.push_back(&v);
  queue.enqueue("run of a compiled graph", [&] {
    return compiled.made.run(compiled.made.data, queue.native, args.data());
  });
  queue.wait();
  expect(queue.failed() == 0, "a run fails: " + queue.device.host.last_failure(), "no failure");
  for (size_t k = 0; k < n_inputs; ++k)
    if (inputs[k]) inputs[k]->check("input " + std::to_string(k), given[k]);
  for (size_t k = 0; k < n_results; ++k)
    if (results[k]) results[k]->check("result " + std::to_string(k), true);
  if (workspace)
    workspace->check("its workspace of " + std::to_string(room) + " bytes", true);
  std::vector<Elements> out;
  for (size_t k = 0; k < n_results; ++k)
    out.push_back((results[k] ? *results[k] : *input_of(k)).elements());
  return out;
}

void expect_same(const RecordedGraph& graph, const std::vector<Elements>& got,
                 const std::vector<Elements>& want, const std::string& what,
                 const std::string& expected) {
  for (size_t k = 0; k < want.size(); ++k) {
    const auto at = std::mismatch(want[k].begin(), want[k].end(), got[k].begin()).first;
    if (at == want[k].end()) continue;
    const uint32_t bits = TN_DTYPE_BITS(graph.value(graph.result(k).value).dtype);
    const auto element = static_cast<uint64_t>(at - want[k].begin()) * 8 / std::max(bits, 1u);
    throw Wrong(what + ": element " + std::to_string(element) + " of result " + std::to_string(k) +
                    " has other bits",
                expected);
  }
}

}  // namespace tenon::conformance
