// A plugin between libtenon and the one under test. To libtenon it is an inline device; each command goes to the real device on a
// queue of the kit's own and is waited for. So what one kernel does to memory can be seen before the next one runs.
#pragma once
#include <string>
#include <vector>

#include "check.hpp"
#include "compiled_graph.hpp"
#include "tenon/runtime.h"

namespace tenon::conformance {

// What was seen wrong since the last call: "kernel add_f32 of add: wrote behind output 0".
struct Observation {
  std::string found, expected;
};

// A runtime whose one device, "verified:0", is device 0 of the plugin behind the interposer. One per process.
class Interposed {
 public:
  explicit Interposed(const std::string& plugin);
  ~Interposed();
  Interposed(const Interposed&) = delete;
  Interposed& operator=(const Interposed&) = delete;
  tn_runtime* runtime() const { return runtime_; }
  std::vector<Observation> take();
  // Whether a kernel of this op says TN_KERNEL_INPLACE.
  bool has_inplace(const std::string& op) const;
  // From now on (or no longer) each run of such a kernel is done again in the memory of each input that allows it, instead of looks
  // around its outputs. How many were.
  void try_inplace(bool on);
  int64_t inplace_runs() const;
  // Whether kernels' runs are looked at at all: from the start they are.
  void watch(bool on);
  // Of the compiler. What it makes is tried, the first time that it runs, in memory of the kit's own; what is wrong with it is observed.
  const tn_compiler_vtbl* compiler() const;  // null: there is none
  const OpenDevice& device() const;
  // Graphs that were run since the last call, and how many were compiled.
  std::vector<RecordedGraph> take_graphs();
  int64_t compiled() const;
  // The claimed nodes whose number is `which` modulo three are left to kernels; -1: none.
  void leave(int which);
  // As SimulatedHost's, for the services that the plugin uses.
  void fail_allocation(int64_t n, bool all_after);
  int64_t refused() const;

 private:
  tn_runtime* runtime_ = nullptr;
};

}  // namespace tenon::conformance
