// The pass that knows norms, softmax and attention by their parts, for whoever says which nodes a device takes.
#pragma once
#include <functional>

#include "pass.hpp"

namespace tenon {

// takes(graph, node): would a kernel run it?
using Takes = std::function<bool(const Graph&, const GraphNode&)>;
size_t recognise(Graph& graph, const OpRegistry& ops, const Takes& takes);

}  // namespace tenon
