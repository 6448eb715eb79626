// The adversary as a compiler: it takes what it likes of a program and runs it as one command.
#ifndef TENON_TESTS_ADVERSARY_COMPILER_HPP_
#define TENON_TESTS_ADVERSARY_COMPILER_HPP_
#include <tenon/sdk/compiler.hpp>
#include <tenon/sdk/host_graph.hpp>

#include <memory>

namespace tenon::adversary {

struct AdversaryDevice;

class CompiledGraph {
 public:
  CompiledGraph(AdversaryDevice& device, const sdk::Graph& graph, uint32_t flags);
  ~CompiledGraph();
  CompiledGraph(const CompiledGraph&) = delete;
  CompiledGraph& operator=(const CompiledGraph&) = delete;

  // [any] One command. What it needs lives until that is done.
  void run(const sdk::Queue& queue, const sdk::Args& args) const;
  // The same over values.
  void execute(const sdk::Queue& queue, std::span<const uint64_t> inputs,
               std::span<const uint8_t> donated, std::span<uint64_t> results) const;
  sdk::Graph graph() const { return graph_->graph(); }

 private:
  AdversaryDevice& device_;
  std::shared_ptr<const sdk::HostGraph> graph_;
};

}  // namespace tenon::adversary
#endif
