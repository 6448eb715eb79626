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

// Memory of a run's arguments, each with watched bytes around it, in one block: what a plugin does for each is slow.
class Arena {
 public:
  explicit Arena(BareQueue& queue)
      : queue_(queue), place_(std::max(kWatched, queue.device.props.alignment)) {}

  // Before start(); gives the offset.
  uint64_t add(const std::string& what, uint64_t bytes, const Elements* elements) {
    const uint64_t at = std::max<uint64_t>(before_.size(), place_);
    before_.resize(at + (bytes + place_ - 1) / place_ * place_ + place_, kFill);
    if (elements) std::copy(elements->begin(), elements->end(), at_of(before_, at));
    parts_.push_back({what, at, bytes, elements == nullptr});
    return at;
  }
  // What is given to a result may be written.
  void give(uint64_t offset) {
    for (Part& p : parts_) p.written |= p.at == offset;
  }
  uint64_t start() {
    if (before_.empty()) before_.resize(place_, kFill);
    block_ = std::make_unique<BareBlock>(queue_.device, before_.size());
    queue_.upload(block_->mem, 0, before_.data(), before_.size());
    return block_->mem;
  }
  // Throws Wrong where bytes changed that are nobody's, or in what is only read.
  void finish() {
    after_.resize(before_.size());
    queue_.download(after_.data(), block_->mem, 0, after_.size());
    queue_.wait();
    for (size_t k = 0; k < after_.size(); ++k)
      if (after_[k] != before_[k]) judge(k);
  }
  Elements elements(uint64_t offset, uint64_t bytes) {
    return {at_of(after_, offset), at_of(after_, offset + bytes)};
  }

 private:
  struct Part {
    std::string what;
    uint64_t at, bytes;
    bool written;
  };
  static Elements::iterator at_of(Elements& all, uint64_t k) {
    return all.begin() + static_cast<std::ptrdiff_t>(k);
  }
  void judge(size_t k) const {
    const Part* before = nullptr;
    for (const Part& p : parts_)
      if (p.at <= k) before = &p;
    if (before && k < before->at + before->bytes) {
      if (before->written) return;
      throw Wrong("it changes " + before->what,
                  "that inputs stay as they are, but for those whose memory is given to a result");
    }
    const uint64_t gap = before ? k - before->at - before->bytes : 0;
    throw Wrong(before ? "it writes behind the end of " + before->what +
                             (gap > 0 ? ", " + std::to_string(gap) + " bytes away" : "")
                       : "it writes before " + parts_[0].what,
                "that a compiled graph writes only the elements of its results and the bytes of "
                "its workspace");
  }

  BareQueue& queue_;
  uint64_t place_;
  Elements before_, after_;
  std::vector<Part> parts_;
  std::unique_ptr<BareBlock> block_;
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
  const auto& n = static_cast<const tn_graph_node*>(tn_graph_at(blob.data(), header().nodes))[node];
  return {static_cast<const char*>(tn_graph_at(blob.data(), header().data + n.op)), n.op_bytes};
}
std::string RecordedGraph::text() const {
  constexpr uint32_t kMost = 5;
  std::string out =
      std::to_string(header().node_count) + (header().node_count == 1 ? " node (" : " nodes (");
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
  const tn_compiled_sink sink{[](void* user, const void* bytes, uint64_t count) -> tn_error* {
                                static_cast<std::string*>(user)->append(
                                    static_cast<const char*>(bytes), count);
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
  Arena arena(queue);
  std::vector<std::vector<int64_t>> strides;
  std::vector<tn_view> views;
  const auto add = [&](const tn_graph_value& v) -> tn_view& {
    strides.push_back(dense_strides(v));
    return views.emplace_back(view_of(v, strides.back()));
  };
  for (size_t k = 0; k < n_inputs; ++k) {
    const tn_graph_value& v = graph.input(k);
    tn_view& view = add(v);
    if ((v.flags & TN_GRAPH_SCALAR) != 0) {
      view.flags |= TN_VIEW_IMMEDIATE;
      std::memcpy(static_cast<void*>(&view), graph.inputs[k].data(),
                  std::min(sizeof view.mem + sizeof view.offset, graph.inputs[k].size()));
    } else {
      view.offset = arena.add("input " + std::to_string(k), bytes_of(v), &graph.inputs[k]);
    }
  }
  for (size_t k = 0; k < n_results; ++k) {
    const tn_graph_result& r = graph.result(k);
    const tn_graph_value& v = graph.value(r.value);
    tn_view& view = add(v);
    if (where == Memory::in_place && r.input >= 0) {
      view.offset = views[static_cast<size_t>(r.input)].offset;
      arena.give(view.offset);
    } else {
      view.offset = arena.add("result " + std::to_string(k), bytes_of(v), nullptr);
    }
  }
  const auto count = static_cast<int64_t>(room), one = int64_t{1};
  if (room > 0) {
    tn_view& w = views.emplace_back();
    w.offset = arena.add("its workspace of " + std::to_string(room) + " bytes", room, nullptr);
    w.dims = &count, w.strides = &one, w.count = count;
    w.dtype = TN_DTYPE_U8, w.rank = 1, w.flags = TN_VIEW_CONTIGUOUS;
  }
  const uint64_t mem = arena.start();
  std::vector<const tn_view*> args;
  for (tn_view& v : views) {
    if ((v.flags & TN_VIEW_IMMEDIATE) == 0) v.mem = mem;
    args.push_back(&v);
  }
  queue.enqueue("run of a compiled graph",
                [&] { return compiled.made.run(compiled.made.data, queue.native, args.data()); });
  arena.finish();
  expect(queue.failed() == 0, "a run fails: " + queue.device.host.last_failure(), "no failure");
  std::vector<Elements> out;
  for (size_t k = 0; k < n_results; ++k)
    out.push_back(
        arena.elements(views[n_inputs + k].offset, bytes_of(graph.value(graph.result(k).value))));
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
