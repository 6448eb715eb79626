// A program on its way from graph to plan: steps that have their kernels, and what they work on. For the passes over steps.
#pragma once
#include <deque>
#include <list>

#include "recipe/graph.hpp"
#include "recipe/program.hpp"

namespace tenon {

const tn_view kAbsent{0, 0, nullptr, nullptr, 0, 0, 0, TN_VIEW_ABSENT, 0};

enum class Base : uint8_t { kInput, kTemp, kConstant, kNone };

// A value while lowering: where it lies, as what.
struct LValue {
  Base base = Base::kNone;
  int index = -1;  // input or temp
  Shape shape;
  uint64_t delta = 0;  // bytes from the base's first element
  bool immediate = false, weak = false, converted = false;
  tn_dtype source = TN_DTYPE_NONE;  // immediate: dtype before conversion
  uint64_t bits[2] = {0, 0};        // constant
};

// Memory between the steps of a program.
struct Temporary {
  uint64_t bytes = 0, offset = 0;
  int first = 0, last = -1;  // steps; before the first and behind the last is for the whole program
};

struct Temp : Temporary {
  Shape shape;
  int buffer = -1;  // it is a result
  int alias = -1;
};

struct LStep {
  PlanEntry* plan = nullptr;
  std::vector<int> inputs;   // values; -1 absent
  std::vector<int> outputs;  // temps
  int workspace = -1;        // temp
  bool immediates = false, control = false;
  const CompiledNode* compiled = nullptr;
};

struct Lowered {
  tn_runtime* rt;
  tn_device& device;
  const std::vector<ProgramInput>& inputs;
  std::deque<LValue> values;
  std::vector<Temp> temps;
  std::vector<LStep> steps;
  std::vector<int> results;           // values; -1 absent
  std::vector<ControlRun*> controls;  // of the steps

  Lowered(tn_runtime* runtime, tn_device& on, const std::vector<ProgramInput>& given)
      : rt(runtime), device(on), inputs(given) {}
  Lowered(const Lowered&) = delete;
  ~Lowered();
  // For the step that comes next.
  int temp(const Shape& shape, uint64_t bytes);
};

tn_view view_of(const LValue& v);

// In this order (passes/, a file for each):
void lower(Graph& graph, const CompileOptions& options, Lowered& out);
void overwrite_in_place(Lowered& l);
// Gives each its offset, rounds its bytes up to a multiple of `align`, and says how many bytes all take.
uint64_t plan_memory(const std::vector<Temporary*>& temps, size_t steps, uint64_t align);

void write_memory(class Dump& dump, const Lowered& l, const Program& p);

}  // namespace tenon
