// A graph, made ready for one device: a flat list of {run, plan, arguments}.
#pragma once
#include <list>

#include "control.hpp"
#include "graph.hpp"
#include "op/context.hpp"
#include "op/select.hpp"

namespace tenon {

enum class PatchKind : uint8_t {
  kWhole,      // the argument is the input tensor's own view
  kPointer,    // view.mem / offset from the input tensor
  kImmediate,  // the host scalar's element, converted
  kUpload,     // the same, through a slot of the arena
};

struct Patch {
  uint32_t index;  // of the input
  uint32_t view;   // kWhole: place in args
  uint64_t delta;  // bytes
  PatchKind kind;
};

struct OutputPatch {
  uint32_t view;  // whole: place in args
  bool whole;     // the argument is the view of the tensor made
  uint64_t delta;
};

struct Step {
  tn_kernel_run run;
  void* data;
  uint32_t first_arg;
  bool control;  // runs other programs
};

// An argument of a step that is packed: what it was made of.
struct PackedArg {
  uint32_t arg;
  Shape whole;
};

// Memory that a run allocates for results.
struct OutputBuffer {
  Shape shape;
  uint64_t shape_id = 0;
  uint64_t bytes = 0;
  uint32_t cls = 0;
  int alias = -1;                           // input whose memory may serve, when given up
  uint32_t first_patch = 0, n_patches = 0;  // in output_patches
};

struct Result {
  bool owns = false;  // the tensor made for `buffer` itself
  int buffer = -1;    // else a view of it
  int input = -1;     // or of an input (its own shape: a new reference)
  bool same = false;  // exactly the input
  Shape shape;
  uint64_t shape_id = 0;
  uint64_t delta = 0;  // bytes
};

struct TempPatch {
  uint32_t view;
  uint64_t offset;  // in the arena
};

struct Constant {
  uint32_t view;  // slot of the arena
  uint64_t bits[2];
  uint32_t bytes;
};

struct ValueProgram;

// Belongs to one context, and runs one at a time: views and args are those of the run.
struct Program {
  uint32_t refs = 1;
  tn_device* device = nullptr;
  std::vector<Step> steps;
  std::vector<const tn_view*> args;
  std::vector<tn_view> views;
  std::list<Shape> shapes;  // behind the views
  std::vector<Patch> patches;
  std::vector<OutputBuffer> buffers;
  std::vector<OutputPatch> output_patches;
  std::vector<Result> results;
  std::vector<TempPatch> temps;
  std::vector<Constant> constants;
  std::vector<PackedArg> packed;
  std::vector<PlanEntry*> plans;
  std::vector<ControlRun*> controls;           // among the steps
  std::vector<tn_tensor*> made, made_results;  // of the run under way: for buffers, for results
  uint64_t arena_bytes = 0;
  uint64_t arena_mem = 0, arena_offset = ~0ull;  // what the views of temps are set to
  uint32_t n_inputs = 0;
  bool simple = false;  // one kernel, no immediates to upload, one buffer out
  bool uploads = false;
  bool owning = false;  // results are the tensors made for the buffers, one each
  std::shared_ptr<const ValueProgram>
      values;  // where tensors are values, instead of all but `results`
  ~Program() {
    for (PlanEntry* p : plans) plan_release(p);
  }
};
inline void program_release(Program* p) noexcept {
  if (p && --p->refs == 0) delete p;
}

struct CompileOptions {
  uint32_t modes = 0;        // TN_SIGNATURE_...
  bool own_results = false;  // every result is dense, and none a view of an input
  Queue* queue = nullptr;
  class Dump* dump = nullptr;               // null: none is asked for
  std::vector<Candidate>* trail = nullptr;  // of the first op
  const std::vector<std::string>* notes =
      nullptr;  // of the passes that the graph went through: why what is not compiled is not
  std::vector<std::string_view>* decomposed =
      nullptr;  // names of ops, when the first op is decomposed
};

// What an input of a program is at run time. dense and strides must hold at every run (they are part of the caller's key).
struct ProgramInput {
  Shape shape;
  bool scalar = false;  // host scalar
  bool weak = false, absent = false, used = true;
};

// One op as a graph, so that the same code lowers an op and a recipe. inputs[i] null: absent. Throws what its rules throw.
struct OpGraph {
  Graph graph;  // of one node
  std::vector<ProgramInput> inputs;
};
OpGraph graph_of_op(const OpEntry& op, tn_tensor* const* inputs, uint32_t n, const tn_attr* attrs,
                    uint32_t n_attrs);

// Throws UNIMPLEMENTED with the reasons when an op has neither kernel nor decomposition.
Program* compile(tn_runtime* rt, tn_device& device, Graph& graph,
                 const std::vector<ProgramInput>& inputs, const CompileOptions& options);

// The same where tensors are values; made in the layer of captures (op/values.hpp). A graph of nodes is recorded when it runs, one that
// is compiled is executed.
Program* compile_values(tn_runtime* rt, tn_device& device, Graph& graph,
                        const std::vector<ProgramInput>& inputs, const CompileOptions& options);
void run_values(tn_ctx* ctx, Program& p, tn_tensor* const* inputs, tn_tensor** outputs,
                const std::vector<bool>* donate);
// The element of a host scalar in the dtype that the view has.
void convert_scalar(const tn_tensor* t, tn_view& view);

// outputs: results.size() owned references. inputs not used may be null. donate: bit i: nobody needs input i afterwards.
void run_program(tn_ctx* ctx, Program& p, tn_tensor* const* inputs, tn_tensor** outputs,
                 const std::vector<bool>* donate = nullptr);

}  // namespace tenon
