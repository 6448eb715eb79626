// Branches and loops over programs: tn_program_if, tn_program_while, tn_program_scan.
#pragma once
#include "capture.hpp"
#include "recipe/control.hpp"

namespace tenon {

enum class FlowKind : uint8_t { kIf, kWhile, kScan };

// Operands: if: the condition, then what both branches take; while: state, then constants; scan: carries, sequences, constants.
// Outputs: if: the branch's; while: the state; scan: the carries, then the stacked elements.
struct Flow {
  FlowKind kind = FlowKind::kIf;
  tn_program* first = nullptr;   // if: where true; while: the condition; scan: the body
  tn_program* second = nullptr;  // if: otherwise; while: the body
  uint32_t n_carry = 0;          // while, scan
  uint32_t n_sequences = 0;      // scan
  int64_t steps = -1;            // while: at most, -1: no bound; scan without sequences: how many
  bool reverse = false;          // scan
  const tn_program& body() const { return *(kind == FlowKind::kScan ? first : second); }
  const char* function() const;
};

// Throws INVALID_ARGUMENT where programs and operands do not fit each other.
void check_flow(const tn_ctx* ctx, const Flow& f, std::span<tn_tensor* const> operands);
// In a capture one node of it, else at once; recorded for gradients where an operand is. The programs must outlive the call only.
std::vector<Owned> run_flow(tn_ctx* ctx, const Flow& f, std::span<tn_tensor* const> operands);
// The part of that for captures.
std::vector<Owned> record_flow(tn_ctx* ctx, const Flow& f, std::span<tn_tensor* const> operands);
// Waits for a condition and reads it. Throws CANCELLED where another thread interrupts, also before the wait: a loop may be without end.
bool is_true(tn_ctx* ctx, tn_tensor* condition);
// Throws INVALID_ARGUMENT where elements are less than a byte.
void need_bytes(const Flow& f, tn_dtype dtype, const char* what, size_t i);
// The shapes of its outputs, which in a capture may hold symbols of `to`.
std::vector<Shape> output_shapes(const Flow& f, std::span<tn_tensor* const> operands, SymTable* to);
// A flow whose programs use nothing but their arguments, made ready for known sizes.
std::unique_ptr<ControlRun> prepare_flow(const Flow& f, tn_runtime* rt, tn_device& device,
                                         std::span<const Shape> inputs,
                                         std::span<const Shape> outputs,
                                         const CompileOptions& options);

// A tensor that is only looked at: by rules, or by a program that runs in another. Its dims lie in `shape`.
struct Stand {
  explicit Stand(const Shape& s) : shape(s) { tensor.view = view_of(shape); }
  Stand(const Stand&) = delete;
  Shape shape;
  tn_tensor tensor{};
};
// What is left of a sequence's shape for one step.
inline Shape element_of(Shape s) {
  std::copy(s.dims + 1, s.dims + s.rank, s.dims);
  --s.rank;
  s.set_dense();
  return s;
}

}  // namespace tenon
