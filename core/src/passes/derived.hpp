// What fold_variables.cpp cuts off a program: a graph of what variables alone decide, run where one of them has another value than before.
#pragma once
#include "autograd/autograd.hpp"
#include "recipe/program.hpp"

namespace tenon {

// Its results for one version of each variable. Nobody changes them.
struct DerivedValues {
  std::vector<uint64_t> versions;  // in the order of Derived::reads
  std::vector<tn_tensor*> tensors;
  DerivedValues() = default;
  DerivedValues(const DerivedValues&) = delete;
  ~DerivedValues() {
    for (tn_tensor* t : tensors) tensor_release_remote(t);
  }
};
// The newest of them, for all sets of sizes that derive the same.
struct Derivation {
  std::mutex mutex;
  std::shared_ptr<const DerivedValues> newest;
};

struct Derived {
  std::vector<tn_variable*>
      given;        // by input of the program: whose value it is; null: of none that is only read
  Graph graph;      // its inputs are those of the program's graph; its results those behind them
  std::string key;  // the same where the same is computed of the same
  std::vector<ProgramInput> inputs;
  std::vector<tn_variable*> reads;         // those of its inputs that variables are
  std::shared_ptr<Derivation> derivation;  // null: nothing is derived

  // `inputs`: of the program, without its results, which are put behind them.
  void prepare(std::vector<ProgramInput>& of_program);
  bool uses(size_t input) const { return derivation && !inputs[input].absent; }
};

// Of one run at a time.
struct DerivedRun {
  std::unique_ptr<Program> program;
  std::vector<uint64_t> versions;
  bool lasts = true;                            // nobody else writes to the variables' memory
  std::shared_ptr<const DerivedValues> values;  // null while it is idle

  // Takes the versions, where nobody assigns to the variables meanwhile, or with `lock`. Are the values at hand those of others?
  bool stale(const Derived& d, bool lock);
  // Those of the versions; inputs: of the graph, then what the results go to.
  void derive(tn_ctx* ctx, Derived& d, Program& of_program, uint32_t modes, Queue* queue,
              std::vector<tn_tensor*>& inputs);
};

}  // namespace tenon
