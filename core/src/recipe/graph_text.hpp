// Graphs as text.
#pragma once
#include "graph.hpp"

namespace tenon {

std::string symbolic_text(const SymTable& symbols, const Shape& s);  // "f32[batch, 10]"
// "  %7: f32[batch, 10] = add(%5, 1)", with the attributes that are not the default but for a region's code. Ends the line.
std::string node_text(const Graph& graph, const SymTable& symbols, const GraphNode& n);

}  // namespace tenon
