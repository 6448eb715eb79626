// A program: what a capture recorded, and what it was made into for the sizes that it ran with.
#pragma once
#include <array>
#include <list>

#include "autograd/autograd.hpp"
#include "optim/optimizer.hpp"
#include "passes/pass.hpp"
#include "recipe/program.hpp"

namespace tenon {

enum class InputKind : uint8_t {
  kArgument,  // index: of the run's inputs
  kVariable,  // variable; index: whether it is assigned to
  kSlot,      // optimizer, group, index
  kStep,      // optimizer; index: steps of this run before it
  kConstant,  // tensor
  kSeed,      // word of the random state
  kStream,
  kOffset,  // index: the draw
};
inline bool is_scalar(InputKind k) { return k == InputKind::kStep || k >= InputKind::kSeed; }

// Where a value of a program comes from, or goes to. Counts what it points at.
struct Place {
  InputKind kind = InputKind::kArgument;
  uint32_t index = 0, group = 0;
  tn_variable* variable = nullptr;
  tn_optimizer* optimizer = nullptr;
  tn_tensor* tensor = nullptr;

  Place() = default;
  Place(InputKind k, uint32_t i) : kind(k), index(i) {}
  explicit Place(tn_variable& v) : kind(InputKind::kVariable), variable(tn_variable_retain(&v)) {}
  Place(InputKind k, tn_optimizer& o, uint32_t g, uint32_t i)
      : kind(k), index(i), group(g), optimizer(optimizer_retain(&o)) {}
  explicit Place(tn_tensor* constant)
      : kind(InputKind::kConstant), tensor(tensor_retain(constant)) {}
  Place(Place&& o) noexcept { *this = std::move(o); }
  Place& operator=(Place&& o) noexcept {
    std::swap(kind, o.kind);
    std::swap(index, o.index);
    std::swap(group, o.group);
    std::swap(variable, o.variable);
    std::swap(optimizer, o.optimizer);
    std::swap(tensor, o.tensor);
    return *this;
  }
  ~Place() {
    tn_variable_release(variable);
    if (optimizer) optimizer_release(optimizer);
    if (tensor) tensor_release_remote(tensor);
  }
};

struct Argument {
  std::string name;
  Shape shape;  // with symbols
};

struct Specialised;

// What one run at a time uses, so that it asks for no memory.
struct Instance {
  std::shared_ptr<Specialised> of;   // unless it is idle
  std::unique_ptr<Program> program;  // null: its graph is played by calls
  Queue* queue = nullptr;            // that its kernels were prepared for
  std::vector<tn_tensor*> inputs, results;
  std::vector<bool> donate;
  std::vector<tn_tensor*> held;  // inputs that it counts
  std::list<tn_tensor> scalars;  // behind inputs that are scalars; no heap owns them
  DerivedRun derived;            // its values are the last inputs
};

// The program for one set of sizes.
struct Specialised {
  uint64_t hash = 0;
  std::vector<uint64_t> ids;  // shape ids of the arguments
  bool by_calls = false;      // it runs programs, on a device whose tensors are values, not memory
  uint32_t modes = 0;
  Graph graph;  // without symbols; its attributes point into those of the program
  std::list<std::vector<int64_t>> lists;  // and here
  std::vector<ProgramInput> inputs;       // those of the program, then constants.made, then derived
  Constants constants;
  Derived derived;
  std::vector<std::string> notes;  // of the passes: why what was not compiled was not
  Recomputed recomputed;
  std::vector<uint64_t> draws;  // offset of each in the random state, relative to the run's
  uint64_t drawn = 0;           // what a run advances it by
  std::mutex mutex;             // guards `idle`
  std::vector<std::unique_ptr<Instance>> idle;
};

}  // namespace tenon

struct tn_program {
  std::atomic<uint32_t> refs{1};
  tn_runtime* runtime = nullptr;  // counted
  std::string name;
  tn_device* device = nullptr;
  tenon::SymTable symbols;
  std::vector<tenon::Argument> arguments;
  tenon::Graph graph;                // results: outputs, then what is assigned
  std::vector<tenon::Place> inputs;  // of the graph
  uint32_t n_outputs = 0;
  uint64_t memory_budget = 0;  // bytes of the arena; 0: none
  std::vector<int>
      overwrites;  // of each result up to the last target: the input that it is the new value of; -1: none
  std::vector<tenon::Place> targets;  // of the results after the outputs
  struct Use {
    tn_variable* variable;
    bool written;
  };
  std::vector<Use> variables;  // by address, the order in which they are locked
  std::vector<std::pair<tn_optimizer*, int64_t>> steps;  // the same; how many each run makes

  std::atomic<tenon::Instance*> last{nullptr};              // of the run that ended last; owned
  std::mutex mutex;                                         // guards `prepared`
  std::list<std::shared_ptr<tenon::Specialised>> prepared;  // used last comes first

  std::list<std::unique_ptr<tn_program>>
      others;  // its ops on inputs of other dtypes; guarded by `mutex`

  tn_program* base = nullptr;  // counted; attributes of the graph may point into its own

  ~tn_program();
};

namespace tenon {

// The program for arguments of these dtypes: p, or its ops recorded once more over such, kept with it as long as it lives.
tn_program& for_dtypes(tn_ctx* ctx, tn_program& p, tn_tensor* const* arguments);
// What the sizes of the arguments make of it; prepared on first use. Throws INVALID_ARGUMENT where they do not fit.
std::shared_ptr<Specialised> specialise(tn_ctx* ctx, tn_program& p, tn_tensor* const* arguments);
std::unique_ptr<Instance> make_instance(tn_ctx* ctx, tn_program& p, Specialised& s,
                                        Dump* dump = nullptr);
// The program's graph for these arguments, whose sizes may be symbols of `to`. Its attributes point into those of p and into `lists`.
// any_dtype: its shapes are not those of a run, only its ops are good.
Graph substitute(const tn_program& p, tn_tensor* const* arguments,
                 std::list<std::vector<int64_t>>& lists, SymTable* to = nullptr,
                 bool any_dtype = false);
void check_arguments(const tn_ctx* ctx, const tn_program& p, tn_tensor* const* arguments);
void run_captured(tn_ctx* ctx, tn_program& p, tn_tensor* const* arguments, tn_tensor** outputs);
std::string program_text(const tn_program& p);
// What input i of the graph is; those that passes added: "input".
std::string input_text(const tn_program& p, size_t i);
std::string program_cost(tn_ctx* ctx, tn_program& p, tn_tensor* const* arguments);

}  // namespace tenon
