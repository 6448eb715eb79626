// Graphs as compilers get them, compiled and run without libtenon, in memory of the kit's own.
#pragma once
#include <string>
#include <vector>

#include "plugin.hpp"

namespace tenon::conformance {

using Elements = std::vector<unsigned char>;

// A graph that came to the compiler, with the arguments of a run and what came out of it.
struct RecordedGraph {
  std::vector<uint64_t> blob;
  uint64_t bytes = 0;
  uint32_t flags = 0;
  std::vector<Elements> inputs, results;  // dense

  const tn_graph_header& header() const { return *tn_graph_of(blob.data()); }
  const tn_graph_value& value(int32_t v) const;
  const tn_graph_value& input(size_t k) const;
  const tn_graph_result& result(size_t k) const;
  std::string op(uint32_t node) const;
  // "3 nodes (matmul, tanh, add)"
  std::string text() const;
  tn_compile_request request() const;
};

// What compile or load made of a graph; released at the end.
class CompiledGraph {
 public:
  // Throws Wrong where the compiler gives an error or no function.
  static CompiledGraph compile(const OpenDevice& device, const tn_compiler_vtbl& compiler,
                               const RecordedGraph& graph);
  // Also of bytes that are no form: then it may be an error, which is kept in `refused`.
  static CompiledGraph load(const OpenDevice& device, const tn_compiler_vtbl& compiler,
                            const RecordedGraph& graph, const std::string& form);
  CompiledGraph(CompiledGraph&& other) noexcept;
  CompiledGraph& operator=(CompiledGraph&&) = delete;
  ~CompiledGraph();

  // Of one that runs somewhere: nothing is released.
  static CompiledGraph lent(const tn_compiled& made);
  // Throws Unsupported where this one cannot be kept.
  std::string save(const OpenDevice& device, const tn_compiler_vtbl& compiler) const;

  tn_compiled made{};
  std::string declined, refused;

 private:
  CompiledGraph() = default;
  bool owned_ = true;
};

enum class Memory : uint8_t { own, in_place };
// The results of a run; Wrong where it writes around its results or workspace, or to an input. in_place: results lie in the memory of
// the inputs that the graph names for them.
std::vector<Elements> run_graph(BareQueue& queue, const CompiledGraph& compiled,
                                const RecordedGraph& graph, Memory where = Memory::own);
// Throws Wrong, saying where, unless both are the same; `what` gives them.
void expect_same(const RecordedGraph& graph, const std::vector<Elements>& got,
                 const std::vector<Elements>& want, const std::string& what,
                 const std::string& expected);

}  // namespace tenon::conformance
