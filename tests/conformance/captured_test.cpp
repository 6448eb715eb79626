// Every sample of every op, captured: a run of the program gives what the calls give, values and gradients, for the sizes of the
// capture and with a symbol for each size. Bit for bit; but a gradient that is a sum may be taken in another order where a call sees a
// copy and the program the strided values themselves.
//
//   captured_conformance --device NAME --plugin PATH [--op NAME]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "runner.hpp"

namespace {

using namespace tenon::conformance;  // NOLINT(google-build-using-namespace): its one user

constexpr uint32_t kMostOutputs = 64;
enum class Sizes { known, symbols };

struct Value {
  std::vector<unsigned char> bytes;
  Array elements;
  bool gradient;
};

// Which NaN it is no op says.
bool same_bits(const Value& a, const Value& b) {
  if (a.bytes == b.bytes) return true;
  const Array &x = a.elements, &y = b.elements;
  if (!x.floating() || x.dtype != y.dtype || x.dims != y.dims || x.f.size() != y.f.size())
    return false;
  for (size_t k = 0; k < x.f.size(); ++k)
    if (std::memcmp(&x.f[k], &y.f[k], sizeof x.f[k]) != 0 &&
        !(std::isnan(x.f[k]) && std::isnan(y.f[k])))
      return false;
  return true;
}

// Two orders of one sum: a few units of the largest element.
bool close(const Value& a, const Value& b) {
  const Array &x = a.elements, &y = b.elements;
  if (!a.gradient || x.dtype != y.dtype || x.dims != y.dims || x.f.size() != y.f.size())
    return false;
  const bool wide = x.dtype == TN_DTYPE_F64 || x.dtype == TN_DTYPE_C128;
  if (!wide && x.dtype != TN_DTYPE_F32 && x.dtype != TN_DTYPE_C64) return false;
  double scale = 0;
  for (const double v : x.f) scale = std::max(scale, std::fabs(v));
  for (size_t k = 0; k < x.f.size(); ++k)
    if (!(std::fabs(x.f[k] - y.f[k]) <= scale * (wide ? 0x1p-50 : 0x1p-21))) return false;
  return true;
}

// Values and gradients of one case, by calls or as a program.
class Side {
 public:
  Side(Session& session, const OpSamples& op, const Case& c, const std::vector<Array>& arrays)
      : session_(session), op_(op), case_(c), arrays_(arrays) {
    for (size_t k = 0; k < arrays.size(); ++k)
      held_.push_back(session.arrange(arrays[k], Layout::contiguous, k).tensor);
  }

  std::vector<Value> called() { return bytes(computed(pointers(held_))); }

  std::vector<Value> captured(Sizes sizes) {
    tn_program* made = nullptr;
    std::vector<tn_tensor*> arguments;
    begin(sizes, &made, &arguments);
    const std::unique_ptr<tn_program, void (*)(tn_program*)> program(made, tn_program_release);
    prepare();
    tn_tensor* results[kMostOutputs * 2] = {};
    uint32_t n = 0;
    check(tn_program_run(session_.ctx(), program.get(), arguments.data(),
                         static_cast<uint32_t>(arguments.size()), results, kMostOutputs * 2, &n));
    std::vector<Tensor> owned;
    for (uint32_t i = 0; i < n; ++i) owned.emplace_back(results[i]);
    return bytes(owned);
  }

 private:
  void prepare() {
    tn_ctx_set_grad_mode(session_.ctx(), 1);
    if (op_.random) session_.set_random(random_state(false));
  }

  void begin(Sizes sizes, tn_program** program, std::vector<tn_tensor*>* arguments) {
    prepare();
    check(tn_capture_begin(session_.ctx(), tn_string("sample")));
    try {
      std::vector<Tensor> inputs;
      for (size_t k = 0; k < held_.size(); ++k) {
        const Array& x = arrays_[k];
        if (x.absent || x.weak) continue;
        inputs.resize(held_.size());
        inputs[k] = input(x, k, sizes);
        arguments->push_back(held_[k].get());
      }
      inputs.resize(held_.size());
      std::vector<tn_tensor*> in = pointers(inputs);
      for (size_t k = 0; k < held_.size(); ++k)
        if (arrays_[k].weak) in[k] = held_[k].get();
      const std::vector<Tensor> outputs = computed(in);
      check(tn_capture_end(session_.ctx(), pointers(outputs).data(),
                           static_cast<uint32_t>(outputs.size()), program));
    } catch (...) {
      tn_capture_abort(session_.ctx());
      throw;
    }
  }

  Tensor input(const Array& x, size_t k, Sizes sizes) {
    std::vector<int64_t> dims(x.dims.begin(), x.dims.end());
    std::vector<std::string> names;
    for (size_t d = 0; d < dims.size(); ++d) {
      const bool last = d + 1 == dims.size();
      const bool known = dims[d] <= 1 || (last && case_.inputs[k].known_last);
      names.push_back(known || sizes == Sizes::known ? "" : "n" + std::to_string(dims[d]));
      if (!names.back().empty()) dims[d] = TN_DIM_ANY;
    }
    std::vector<tn_str> symbols;
    for (const std::string& n : names) symbols.push_back({n.data(), n.size()});
    const std::string name = "in" + std::to_string(k);
    tn_tensor* t = nullptr;
    check(tn_capture_input(session_.ctx(), {name.data(), name.size()}, x.dtype,
                           static_cast<uint32_t>(dims.size()), dims.data(), symbols.data(), &t));
    return Tensor(t);
  }

  // Outputs, then the gradients of the sum of the floating ones' squares.
  std::vector<Tensor> computed(const std::vector<tn_tensor*>& given) {
    prepare();
    tn_ctx* ctx = session_.ctx();
    const bool with_gradient = op_.grad == Grad::yes && case_.grad;
    std::vector<tn_tensor*> in = given;
    std::vector<Tensor> leaves;
    for (size_t k = 0; k < in.size() && with_gradient; ++k) {
      if (arrays_[k].absent || arrays_[k].weak || !arrays_[k].floating()) continue;
      tn_tensor* leaf = nullptr;
      check(tn_tensor_leaf(ctx, in[k], &leaf));
      leaves.emplace_back(leaf);
      in[k] = leaf;
    }
    std::vector<Tensor> results = session_.call(op_.op, in, case_.attrs);
    std::vector<Tensor> cotangents;
    std::vector<tn_tensor*> outputs;
    for (const Tensor& y : results) {
      if (!tn_tensor_requires_grad(y.get())) continue;
      tn_tensor* g = nullptr;
      check(tn_tensor_detach(ctx, y.get(), &g));
      outputs.push_back(y.get());
      cotangents.emplace_back(g);
    }
    values_ = results.size();
    if (outputs.empty()) return results;
    std::vector<tn_tensor*> grads(leaves.size());
    check(tn_vjp(ctx, outputs.data(), pointers(cotangents).data(),
                 static_cast<uint32_t>(outputs.size()), pointers(leaves).data(),
                 static_cast<uint32_t>(leaves.size()), TN_GRAD_ALLOW_UNUSED, grads.data()));
    for (tn_tensor* g : grads)
      if (g) results.emplace_back(g);
    return results;
  }

  std::vector<Value> bytes(const std::vector<Tensor>& tensors) {
    std::vector<Value> out;
    for (size_t k = 0; k < tensors.size(); ++k)
      out.push_back(
          {session_.bytes(tensors[k].get()), session_.read(tensors[k].get()), k >= values_});
    return out;
  }

  Session& session_;
  const OpSamples& op_;
  const Case& case_;
  const std::vector<Array>& arrays_;
  std::vector<Tensor> held_;
  size_t values_ = 0;  // outputs, before the gradients
};

struct Tally {
  int compared = 0, failed = 0, reordered = 0, refused = 0;
  std::map<std::string, std::string> not_captured;  // op and why
};

void compare(Session& session, const OpSamples& op, const Case& c, tn_dtype dtype, Tally& tally) {
  const std::vector<Array> arrays = inputs_of(op, c, dtype);
  Side side(session, op, c, arrays);
  std::vector<Value> want;
  try {
    want = side.called();
  } catch (const Fault&) {
    session.recover();
    ++tally.refused;
    return;
  }
  for (const Sizes sizes : {Sizes::known, Sizes::symbols}) {
    const std::string what = op.name + " (" + c.name +
                             (dtype ? " " + std::string(tn_dtype_name(dtype)) : "") +
                             (sizes == Sizes::symbols ? ", symbols)" : ")");
    try {
      const auto got = side.captured(sizes);
      ++tally.compared;
      size_t k = 0;
      bool reordered = false;
      for (; k < got.size() && k < want.size(); ++k) {
        if (same_bits(got[k], want[k])) continue;
        if (!close(got[k], want[k])) break;
        reordered = true;
      }
      tally.reordered += reordered;
      if (k == got.size() && k == want.size()) continue;
      ++tally.failed;
      std::printf("fail %s: result %zu of %zu differs\n", what.c_str(), k, want.size());
    } catch (const Fault& fault) {
      session.recover();
      if (fault.code() == TN_FAILED_PRECONDITION || sizes == Sizes::symbols) {
        tally.not_captured.emplace(op.name, fault.what());
        continue;
      }
      ++tally.failed;
      std::printf("fail %s: %s\n", what.c_str(), fault.what());
    }
  }
}

int run(const std::string& device, const std::string& plugin, const std::string& only) {
  const tn_str path = {plugin.data(), plugin.size()};
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &path;
  desc.plugin_path_count = 1;
  tn_runtime* runtime = nullptr;
  check(tn_runtime_create(&desc, &runtime));
  Tally tally;
  {
    Session session(runtime, device);
    for (const OpSamples& op : catalogue().ops()) {
      if (!only.empty() && op.name != only) continue;
      for (const Case& c : op.cases) {
        if (c.refusal != TN_OK || c.may_clamp || c.is_large) continue;
        for (const tn_dtype dtype : dtypes_of(op, c, true)) compare(session, op, c, dtype, tally);
      }
    }
  }
  tn_runtime_release(runtime);
  for (const auto& [op, why] : tally.not_captured)
    std::printf("not captured: %s: %s\n", op.c_str(), why.c_str());
  std::printf(
      "%s: %d compared, %d failed, %d with sums in another order, %d refused by the calls too, %zu "
      "ops not captured in some "
      "form\n",
      device.c_str(), tally.compared, tally.failed, tally.reordered, tally.refused,
      tally.not_captured.size());
  return tally.failed == 0 && tally.compared > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int k = 1; k + 1 < argc; k += 2) options[argv[k]] = argv[k + 1];
  try {
    return run(options["--device"], options["--plugin"], options["--op"]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "captured_conformance: %s\n", error.what());
    return 2;
  }
}
