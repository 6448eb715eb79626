// Reading graph blobs (tenon/plugin/graph.h).
#ifndef TENON_SDK_GRAPH_HPP_
#define TENON_SDK_GRAPH_HPP_
#include <tenon/plugin/graph.h>

#include <span>
#include <string_view>
#include <vector>

#include "guard.hpp"

namespace tenon::sdk {

// A blob, which must outlive it. Numbers of values and nodes are indices into values() and nodes().
class Graph {
 public:
  // Throws INVALID_ARGUMENT unless the blob is whole and of a version that is known.
  Graph(const void* blob, uint64_t bytes) : blob_(blob) {
    if (reinterpret_cast<uintptr_t>(blob) % 8 != 0 || !tn_graph_check(blob, bytes))
      fail(TN_INVALID_ARGUMENT, "a graph of ", bytes,
           " bytes is damaged or of another version than ", TN_GRAPH_VERSION);
  }

  const tn_graph_header& header() const { return *tn_graph_of(blob_); }
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(blob_), static_cast<size_t>(header().bytes)};
  }
  std::span<const tn_graph_value> values() const {
    return list<tn_graph_value>(header().values, header().value_count);
  }
  std::span<const tn_graph_node> nodes() const {
    return list<tn_graph_node>(header().nodes, header().node_count);
  }
  // Values, in the order of a run's arguments.
  std::span<const int32_t> inputs() const {
    return list<int32_t>(header().inputs, header().input_count);
  }
  std::span<const tn_graph_result> results() const {
    return list<tn_graph_result>(header().results, header().result_count);
  }

  std::string_view op(const tn_graph_node& n) const {
    return {static_cast<const char*>(data(n.op)), n.op_bytes};
  }
  // Values; -1: an optional input that is absent.
  std::span<const int32_t> inputs(const tn_graph_node& n) const {
    return operands().subspan(n.first_operand, n.n_inputs);
  }
  std::span<const int32_t> outputs(const tn_graph_node& n) const {
    return operands().subspan(n.first_operand + n.n_inputs, n.n_outputs);
  }
  // As kernels get them: [k].key == k. What they point at lies in the blob.
  std::vector<tn_attr> attrs(const tn_graph_node& n) const {
    std::vector<tn_attr> out;
    for (const tn_graph_attr& a : list<tn_graph_attr>(header().attrs, header().attr_count)
                                      .subspan(n.first_attr, n.n_attrs)) {
      tn_attr& to = out.emplace_back();
      to.key = a.key;
      to.tag = a.tag;
      to.bits = a.bits;
      const bool points = a.tag == TN_ATTR_STRING || a.tag == TN_ATTR_BYTES ||
                          a.tag == TN_ATTR_I64S || a.tag == TN_ATTR_F64S;
      to.data = points ? data(a.offset) : nullptr;
    }
    return out;
  }

  static bool is_constant(const tn_graph_value& v) { return (v.flags & TN_GRAPH_CONSTANT) != 0; }
  static bool is_scalar(const tn_graph_value& v) { return (v.flags & TN_GRAPH_SCALAR) != 0; }
  static int64_t count(const tn_graph_value& v) {
    int64_t n = 1;
    for (uint32_t k = 0; k < v.rank; ++k) n *= v.dims[k];
    return n;
  }

 private:
  template <class T>
  std::span<const T> list(uint64_t offset, uint32_t count) const {
    return {static_cast<const T*>(tn_graph_at(blob_, offset)), count};
  }
  std::span<const int32_t> operands() const {
    return list<int32_t>(header().operands, header().operand_count);
  }
  const void* data(uint64_t offset) const { return tn_graph_at(blob_, header().data + offset); }

  const void* blob_;
};

}  // namespace tenon::sdk
#endif
