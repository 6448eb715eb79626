// A part of a graph as the flat blob that compilers are given (tenon/plugin/graph.h).
#pragma once
#include <unordered_map>

#include "pass.hpp"
#include "tenon/plugin/graph.h"

namespace tenon {

struct BlobPart {
  std::vector<int> nodes;    // of the graph, ascending; their casts are explicit
  std::vector<int> inputs;   // values: what the nodes use and do not make, without constants
  std::vector<int> results;  // values: what others use
};

// Whether a blob can hold the node: it runs no other program, and no attribute is an object.
bool blob_holds(const GraphNode& n);
struct BlobNotes {
  std::vector<bool> scalar;  // of each value: whether it is a host scalar at run time
  std::unordered_map<int, int>
      overwrites;  // result of the graph -> input that it is the new value of
};
std::string graph_blob(const Graph& graph, const BlobPart& part, const BlobNotes& notes);

}  // namespace tenon
