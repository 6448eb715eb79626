// From the code of a region to steps: which row function, where each value lies.
#include <tenon/plugin/region.h>

#include <algorithm>
#include <map>

#include "region_chain.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr int64_t kRowEnough = 128;     // shorter rows are gathered into blocks
constexpr int64_t kBlockBytes = 4096;   // of one value
constexpr int64_t kTouched = 40 << 10;  // of all values of a block
constexpr int64_t kLeastBlock = 64;

bool is_one(const tn_view& v) {
  bool one = (v.flags & TN_VIEW_IMMEDIATE) != 0;
  if (one || contiguous(&v)) return one || v.rank == 0 || v.count == 1;
  one = true;
  for (int i = 0; i < v.rank; ++i) one = one && (v.strides[i] == 0 || v.dims[i] == 1);
  return one;
}

// How the inputs are walked: flat, row by row, or gathered.
void place_inputs(const tn_signature& sig, const tn_view& y, RegionPlan& p) {
  static constexpr int64_t kZeros[TN_MAX_RANK] = {};
  bool flat = true;
  for (int k = 0; k < p.n_inputs; ++k) {
    const tn_view& v = *sig.inputs[k];
    RegionValue& value = p.values[size_t(k)];
    value.where = is_one(v) ? Lies::kUniform : Lies::kDense;
    value.input = k;
    value.dtype = v.dtype;
    value.bytes = int32_t(tn_dtype_bytes(v.dtype, 1));
    if (value.where == Lies::kDense && !contiguous(&v)) flat = false;
  }
  if (flat) return;
  p.walk.build(p.n_inputs, y.rank, y.dims, [&](int k) {
    return p.values[size_t(k)].where == Lies::kUniform ? kZeros : sig.inputs[k]->strides;
  });
  bool steps = true;
  for (int k = 0; k < p.n_inputs; ++k) {
    const int64_t step = p.walk.inner_stride(k);
    steps = steps && (step == 0 || step == 1);
  }
  if (steps && (p.walk.rank <= 1 || p.walk.inner() >= kRowEnough)) {
    p.rows = p.walk.rank > 1;
    for (int k = 0; k < p.n_inputs; ++k)
      if (p.walk.inner_stride(k) == 0) p.values[size_t(k)].where = Lies::kUniform;
    return;
  }
  for (int k = 0; k < p.n_inputs; ++k) {
    RegionValue& value = p.values[size_t(k)];
    if (value.where == Lies::kDense && !contiguous(sig.inputs[k])) value.where = Lies::kGather;
  }
}

bool kernel_of(const tn_region_instruction& x, const std::vector<tn_dtype>& types,
               Elementwise* out) {
  const auto type = [&](int k) { return types[size_t(x.args[k])]; };
  if (x.op == TN_OP_CAST) {
    if (type(0) == x.dtype) return false;
    return cast_of(type(0), x.dtype, out);
  }
  const Elementwise* found = elementwise_of(x.op, type(x.op == TN_OP_WHERE ? 1 : 0));
  if (found) *out = *found;
  return found != nullptr;
}

// Blocks of scratch: given out in turn, taken back after the last use. Only for elements of the same size, since those of a chain
// come and go slice by slice.
class Blocks {
 public:
  int take(int32_t bytes) {
    std::vector<int>& free = free_[bytes];
    if (free.empty()) return n_++;
    const int b = free.back();
    free.pop_back();
    return b;
  }
  void give(int b, int32_t bytes) { free_[bytes].push_back(b); }
  int count() const { return n_; }

 private:
  std::map<int32_t, std::vector<int>> free_;
  int n_ = 0;
};

// Offsets for all values that live in scratch, and the size of a block.
const char* place_blocks(RegionPlan& p) {
  const size_t n = p.values.size();
  std::vector<int> last(n, -1), block_of(n, -1);
  for (size_t s = 0; s < p.steps.size(); ++s)
    for (int k = 0; k < p.steps[s].kernel.n_inputs; ++k) last[size_t(p.steps[s].args[k])] = int(s);
  Blocks blocks;
  int64_t width = 4;
  int touched = 0;
  bool converts = false;
  for (const RegionStep& step : p.uniform) converts |= step.converts;
  for (size_t v = 0; v < n; ++v) {
    if (p.values[v].where == Lies::kGather) block_of[v] = blocks.take(p.values[v].bytes);
    if (p.values[v].where != Lies::kUniform && p.values[v].bytes > width) width = p.values[v].bytes;
    touched += p.values[v].where == Lies::kDense || p.values[v].where >= Lies::kOutput;
  }
  for (size_t s = 0; s < p.steps.size(); ++s) {
    const RegionStep& step = p.steps[s];
    converts |= step.converts;
    RegionValue& made = p.values[size_t(step.value)];
    if (made.where == Lies::kBlock) block_of[size_t(step.value)] = blocks.take(made.bytes);
    for (int k = 0; k < step.kernel.n_inputs; ++k) {
      int& b = block_of[size_t(step.args[k])];
      const bool again = std::find(step.args, step.args + k, step.args[k]) != step.args + k;
      if (p.values[size_t(step.args[k])].where == Lies::kBlock && !again &&
          last[size_t(step.args[k])] == int(s))
        blocks.give(b, p.values[size_t(step.args[k])].bytes);
    }
    if (made.where == Lies::kBlock && last[size_t(step.value)] < int(s))
      blocks.give(block_of[size_t(step.value)], made.bytes);
    for (int k = 0; k < step.kernel.n_inputs; ++k)
      width = std::max<int64_t>(width, step.kernel.row_in_bytes[k]);
    width = std::max<int64_t>(width, step.kernel.row_out_bytes);
  }
  const int64_t all = blocks.count() + touched + (converts ? 4 : 0);
  p.block = std::min(kBlockBytes / width, kTouched / (std::max<int64_t>(all, 1) * width));
  p.block = std::max(kLeastBlock, p.block / 64 * 64);
  const int64_t bytes = p.block_bytes = p.block * width;
  for (size_t v = 0; v < n; ++v)
    if (block_of[v] >= 0) p.values[v].scratch = block_of[v] * bytes;
  int64_t at = blocks.count() * bytes;
  p.converted = at;
  at += converts ? 4 * bytes : 0;
  for (int v : p.outputs) p.values[size_t(v)].scratch = at, at += bytes;  // for streams
  for (size_t v = 0; v < n; ++v)
    if (p.values[v].where == Lies::kUniform && p.values[v].input < 0)
      p.values[v].scratch = at, at += 64;
  if (at > kRegionScratch) return "too many values alive at once";
  int64_t all_items = 0;
  for (int v : p.items) all_items += p.values[size_t(v)].bytes;
  p.room = kRegionItems / std::max<int64_t>(all_items, 1) / 64 * 64;
  at = kRegionScratch;
  for (int v : p.items) p.values[size_t(v)].scratch = at, at += p.room * p.values[size_t(v)].bytes;
  return p.room < kRegionRun ? "too many reductions" : nullptr;
}

// The dims as three axes, of which every second one is folded.
bool fold_axes(const tn_view& x, uint32_t mask, RegionPlan& p) {
  int64_t* const all[] = {&p.inner, &p.middle, &p.outer};
  int n = -1;
  bool last = false;
  for (int i = x.rank - 1; i >= 0; --i) {
    if (x.dims[i] == 1) continue;
    const bool folds = (mask >> i & 1) != 0;
    if (n < 0 || folds != last) ++n;
    if (n == 0) p.columns = !folds;
    if (n > 2) return false;
    *all[n] *= x.dims[i];
    last = folds;
  }
  return true;
}

// Does a reduction read it?
bool is_folded(const tn_region_code& code, int64_t value) {
  for (uint32_t i = 0; i < code.n_instructions; ++i) {
    const tn_region_instruction x = tn_region_at(&code, i);
    if (tn_region_folds(x.op) && x.args[0] == value) return true;
  }
  return false;
}

// Which output a value is; -1: none, -2: several.
int output_of(const tn_region_code& code, int64_t value) {
  int found = -1;
  for (uint32_t o = 0; o < code.n_outputs; ++o)
    if (code.outputs[o] == value) found = found == -1 ? int(o) : -2;
  return found;
}

const char* plan_fold(const tn_region_instruction& x, int output,
                      const std::vector<tn_dtype>& types, RegionPlan& p) {
  const RegionValue& of = p.values[size_t(x.args[0])];
  const Reduction* kernel = find_reduction(x.op, types[size_t(x.args[0])]);
  if (!kernel || !kernel->rows) return "no kernel for a reduction of this dtype";
  if (of.where != Lies::kOutput && of.where != Lies::kItems) return "a reduction of what is given";
  if (output < 0)
    return output == -1 ? "a reduction that is no output" : "a value that is two outputs";
  if (p.folds.size() == size_t(kRegionFolds)) return "too many reductions";
  p.folds.push_back({kernel, int32_t(x.args[0]), int32_t(output)});
  p.values.emplace_back();
  return nullptr;
}

}  // namespace

const char* plan_region(const tn_signature& sig, RegionPlan& p) {
  tn_region_code code;
  const I64s list = attr_i64s(sig, TN_REGION_CODE);
  if (!tn_region_read(list.data, uint64_t(list.size), sig.n_inputs, &code))
    return "a code of another version";
  if (sig.n_inputs > uint32_t(kRegionInputs)) return "too many inputs";
  p.n_inputs = int(sig.n_inputs);
  p.n_outputs = int(sig.n_outputs);
  // With reductions an output need not have all the dims, but operands are shown at them.
  const tn_view& all = code.axes ? *sig.inputs[0] : *sig.outputs[0];
  for (uint32_t k = 0; code.axes && k < sig.n_inputs; ++k)
    if (sig.inputs[k]->rank != all.rank) return "operands of several ranks";
  p.n = all.count;
  if (code.axes && p.n == 0) return "nothing to reduce";
  if (code.axes && !fold_axes(all, code.axes, p)) return "reductions over axes that lie apart";
  p.values.resize(sig.n_inputs);
  place_inputs(sig, all, p);
  std::vector<tn_dtype> types;
  for (uint32_t k = 0; k < sig.n_inputs; ++k) types.push_back(sig.inputs[k]->dtype);
  for (uint32_t i = 0; i < code.n_instructions; ++i) {
    const tn_region_instruction x = tn_region_at(&code, i);
    RegionValue made;
    made.dtype = x.dtype;
    made.bytes = int32_t(tn_dtype_bytes(x.dtype, 1));
    types.push_back(x.dtype);
    const int output = output_of(code, int64_t(p.values.size()));
    if (tn_region_folds(x.op)) {
      if (const char* why = plan_fold(x, output, types, p)) return why;
      continue;
    }
    if (x.op == TN_REGION_CONSTANT) {
      if (output != -1) return "a constant for an output";
      made.constant = true;
      made.bits = uint64_t(x.args[0]);
      p.values.push_back(made);
      continue;
    }
    RegionStep step{};
    if (!kernel_of(x, types, &step.kernel)) return "no kernel for an op on this dtype";
    step.op = x.op;
    step.value = int32_t(p.values.size());
    step.converts = step.kernel.save != nullptr;
    bool uniform = true;
    for (int k = 0; k < step.kernel.n_inputs; ++k) {
      step.args[k] = int32_t(x.args[k]);
      const bool one = p.values[size_t(x.args[k])].where == Lies::kUniform;
      if (one) step.scalars |= 1u << k;
      uniform = uniform && one;
      step.converts = step.converts || step.kernel.load[k];
    }
    if (output == -2) return "a value that is two outputs";
    made.output = output;
    made.where = output >= 0                   ? Lies::kOutput
                 : is_folded(code, step.value) ? Lies::kItems
                 : uniform                     ? Lies::kUniform
                                               : Lies::kBlock;
    if (made.where == Lies::kOutput) p.outputs.push_back(step.value);
    if (made.where == Lies::kItems) p.items.push_back(step.value);
    p.values.push_back(made);
    if (made.where != Lies::kUniform) p.ns += step.kernel.ns * 0.5f;
    (made.where == Lies::kUniform ? p.uniform : p.steps).push_back(step);
  }
  for (size_t v = 0; v < p.values.size(); ++v)
    if (p.values[v].where == Lies::kDense) p.moving.push_back(int(v));
  p.ns += 0.1f * float(p.moving.size() + p.outputs.size());
  if (const char* why = place_blocks(p)) return why;
  form_chains(p);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
