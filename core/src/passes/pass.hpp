// Passes: each makes the graph of a program, whose sizes are known, do the same with less. A file for each; none knows another.
//
// A graph is a list of nodes in an order in which they can run. A pass may add values and nodes, and leave nodes that nobody
// needs: the next removal of dead code takes them out. What a pass gives must be bit for bit what it found, but for those that say in
// their first lines that sums come in another order.
#pragma once
#include <optional>
#include <span>

#include "derived.hpp"
#include "device/device.hpp"
#include "recipe/graph.hpp"

struct tn_program;

namespace tenon {

// Tensors that are the same in each run of a program.
struct Constants {
  std::vector<tn_tensor*> given;  // by input of the graph, lent; null: not such a one
  std::vector<tn_tensor*> made;   // of the inputs that passes put behind these
  Constants() = default;
  Constants(const Constants&) = delete;
  ~Constants();
};

// What a program's memory budget asks for, and what it took.
struct Recomputed {
  uint64_t target = 0;  // bytes between nodes
  double dear = 1;      // how much may be computed again, for each that the graph computes
  uint64_t bytes = 0;   // those that there are at most, by counting
  size_t nodes = 0;     // more than before
  double flop = 0;      // more in products and convolutions
};

class Dump;

struct PassContext {
  tn_runtime* runtime;
  tn_device* device;
  Queue* queue;
  uint32_t modes;                  // TN_SIGNATURE_...
  tn_ctx* ctx = nullptr;           // null: nothing can be computed
  Constants* constants = nullptr;  // where ctx is
  Derived* derived = nullptr;      // the same
  // Of each result of the graph: the input, its place, that it is the new value of; -1: none. Shorter or null: none of the rest.
  const std::vector<int>* overwrites = nullptr;
  // Of each input as it is given, or of no dtype: dense. Shorter or null: dense the rest.
  const std::vector<Shape>* layouts = nullptr;
  const std::vector<bool>* scalars = nullptr;  // whether each input is a host scalar; null: none is
  std::vector<std::string>* notes = nullptr;   // why what was not compiled was not
  Recomputed* recomputed = nullptr;            // null: as much memory as it takes
  // What an input of this program is, for dumps; null: just that.
  std::string (*input_text)(const tn_program& p, size_t input) = nullptr;
  const tn_program* program = nullptr;
};

struct Pass {
  const char* name;
  size_t (*run)(Graph& graph, const PassContext& c);  // in how many places it changed something
};

size_t remove_dead_code(Graph& graph, const PassContext& c);
size_t expand_recipes(Graph& graph, const PassContext& c);
// The same for the nodes alone that are not `kept`, and without looking at what came out.
size_t expand_once(Graph& graph, const PassContext& c, const std::vector<bool>& kept);
size_t simplify(Graph& graph, const PassContext& c);
size_t share_subexpressions(Graph& graph, const PassContext& c);
size_t form_compiled(Graph& graph, const PassContext& c);
// The ops that the compiler takes in the place of these. Throws UNIMPLEMENTED, with the reason, where it takes neither an op nor what that is
// made of. c.notes must be there.
std::vector<std::string_view> need_claims(Graph graph, const PassContext& c);
size_t recognise(Graph& graph, const PassContext& c);
size_t layout(Graph& graph, const PassContext& c);
size_t fold_constants(Graph& graph, const PassContext& c);
size_t fold_norms(Graph& graph, const PassContext& c);
size_t pack_weights(Graph& graph, const PassContext& c);
size_t fold_variables(Graph& graph, const PassContext& c);
size_t form_regions(Graph& graph, const PassContext& c);
size_t form_epilogues(Graph& graph, const PassContext& c);
size_t recompute(Graph& graph, const PassContext& c);

// In the order in which they run.
std::span<const Pass> passes();
// All of them; the graph before and after each goes into the dump.
void run_passes(Graph& graph, const PassContext& c, Dump& dump);

// ---- for passes

inline const GraphValue& value_of(const Graph& g, int v) {
  return g.values[static_cast<size_t>(v)];
}
// Puts with[v] in the place of v wherever a node or a result uses v.
void replace_values(Graph& graph, std::vector<int>& with);
// with[v] == v for all.
std::vector<int> same_values(const Graph& graph);
// The same where two nodes compute the same of the same values, or two constants are the same.
std::string key_of(const GraphNode& n);
std::string key_of(const GraphValue& constant);
// How long each value stays the same: for a run, until a variable that the program reads is assigned to, or as long as the program lives.
// Where `constants` and `derived` are.
enum class Lasts : uint8_t { kRun, kVersion, kEver };
std::vector<Lasts> lasting_values(const Graph& graph, const PassContext& c);
// Multiplications and additions of a kernel of this op, args[y] its result; NaN: not of a product or a convolution.
double flop_of(std::string_view op, const tn_view* const* args, size_t y);
// A node as a region of its own, if one can be made of it.
std::optional<GraphNode> region_of_one(Graph& graph, const PassContext& c, int node);
// Nodes whose packed input is packed in each run take it as it is: in how many places.
size_t unpack_weights(Graph& graph);
// What the op's rule says of a node. Throws the rule's error.
Inferred infer_node(const Graph& graph, const GraphNode& n);
// Does the device have a kernel for it, with dense inputs of the dtypes that the rule asks for? What cannot be told here is no.
bool has_kernel(const Graph& graph, const GraphNode& n, const Inferred& inferred,
                const PassContext& c);

}  // namespace tenon
