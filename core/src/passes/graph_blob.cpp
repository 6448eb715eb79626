#include "graph_blob.hpp"

#include <cstring>
#include <unordered_map>

#include "base/error.hpp"
#include "recipe/control.hpp"

namespace tenon {
namespace {

class Blob {
 public:
  Blob(const Graph& graph, const BlobNotes& notes) : g_(graph), notes_(notes) {}

  std::string write(const BlobPart& part) {
    for (int v : part.inputs) inputs_.push_back(number(v));
    for (int k : part.nodes) add(g_.nodes[static_cast<size_t>(k)]);
    std::vector<tn_graph_result> results;
    for (int v : part.results) results.push_back({number(v), alias(v)});
    tn_graph_header h{};
    h.magic = TN_GRAPH_MAGIC;
    h.version = TN_GRAPH_VERSION;
    h.value_count = count(values_);
    h.node_count = count(nodes_);
    h.operand_count = count(operands_);
    h.attr_count = count(attrs_);
    h.input_count = count(inputs_);
    h.result_count = count(results);
    out_.assign(sizeof h, '\0');
    h.values = put(values_);
    h.nodes = put(nodes_);
    h.operands = put(operands_);
    h.attrs = put(attrs_);
    h.inputs = put(inputs_);
    h.results = put(results);
    h.data = out_.size();
    out_ += data_;
    h.bytes = out_.size();
    std::memcpy(out_.data(), &h, sizeof h);
    return std::move(out_);
  }

 private:
  template <class T>
  static uint32_t count(const std::vector<T>& list) {
    if (list.size() > INT32_MAX) fail(TN_OUT_OF_RANGE, "the graph is too large for a compiler");
    return static_cast<uint32_t>(list.size());
  }
  template <class T>
  uint64_t put(const std::vector<T>& list) {
    const uint64_t at = out_.size();
    out_.append(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T));
    out_.resize((out_.size() + 7) / 8 * 8);
    return at;
  }
  uint64_t keep(const void* bytes, uint64_t size) {
    data_.resize((data_.size() + 7) / 8 * 8);
    const uint64_t at = data_.size();
    data_.append(static_cast<const char*>(bytes), size);
    return at;
  }

  int32_t number(int v) {
    if (v < 0 || value_of(g_, v).absent) return -1;
    const auto [at, fresh] = numbers_.emplace(v, static_cast<int32_t>(values_.size()));
    if (!fresh) return at->second;
    const GraphValue& from = value_of(g_, v);
    tn_graph_value& to = values_.emplace_back();
    std::memset(&to, 0, sizeof to);
    to.dtype = from.shape.dtype;
    to.rank = static_cast<uint32_t>(from.shape.rank);
    to.node = to.view_of = -1;
    if (from.constant) {
      to.flags = TN_GRAPH_CONSTANT;
      std::memcpy(to.bits, from.bits, sizeof to.bits);
    } else if (notes_.scalar[static_cast<size_t>(v)]) {
      to.flags = TN_GRAPH_SCALAR;
    }
    Shape dense = from.shape;
    dense.set_dense();
    std::copy_n(dense.dims, dense.rank, to.dims);
    std::copy_n(dense.strides, dense.rank, to.strides);
    return at->second;
  }

  void add(const GraphNode& n) {
    tn_graph_node to{};
    to.op_bytes = static_cast<uint32_t>(n.op->name().size());
    to.op = keep(n.op->name().data(), to.op_bytes);
    to.since = n.op->def.since;
    to.flags = n.op->def.flags;
    to.first_operand = count(operands_);
    to.n_inputs = static_cast<uint32_t>(n.inputs.size());
    to.n_outputs = static_cast<uint32_t>(n.outputs.size());
    for (int i : n.inputs) operands_.push_back(number(i));
    for (size_t k = 0; k < n.outputs.size(); ++k) {
      const int32_t o = number(n.outputs[k]);
      operands_.push_back(o);
      tn_graph_value& made = values_[static_cast<size_t>(o)];
      made.node = static_cast<int32_t>(nodes_.size());
      const InferredOutput& inferred = n.inferred.outputs[k];
      if (inferred.view_of >= 0) {
        made.view_of = number(n.inputs[static_cast<size_t>(inferred.view_of)]);
        made.view_offset = inferred.view_offset;
        std::copy_n(inferred.shape.strides, inferred.shape.rank, made.strides);
      }
    }
    to.first_attr = count(attrs_);
    to.n_attrs = n.attrs.size();
    for (const tn_attr& a : n.attrs.items) {
      const uint64_t bytes = attr_bytes(a);
      attrs_.push_back({a.key, a.tag, a.bits, bytes ? keep(a.data, bytes) : 0});
    }
    nodes_.push_back(to);
  }

  int32_t alias(int result) const {
    const auto at = notes_.overwrites.find(result);
    if (at == notes_.overwrites.end()) return -1;
    const auto number = numbers_.find(at->second);
    for (size_t i = 0; number != numbers_.end() && i < inputs_.size(); ++i)
      if (inputs_[i] == number->second) return static_cast<int32_t>(i);
    return -1;
  }

  const Graph& g_;
  const BlobNotes& notes_;
  std::unordered_map<int, int32_t> numbers_;
  std::vector<tn_graph_value> values_;
  std::vector<tn_graph_node> nodes_;
  std::vector<int32_t> operands_, inputs_;
  std::vector<tn_graph_attr> attrs_;
  std::string data_, out_;
};

}  // namespace

bool blob_holds(const GraphNode& n) {
  return !n.control && !n.compiled && std::ranges::none_of(n.attrs.items, [](const tn_attr& a) {
    return a.tag == TN_ATTR_TENSOR || a.tag == TN_ATTR_PROGRAM || a.tag == TN_ATTR_HANDLE;
  });
}

std::string graph_blob(const Graph& graph, const BlobPart& part, const BlobNotes& notes) {
  return Blob(graph, notes).write(part);
}

}  // namespace tenon
