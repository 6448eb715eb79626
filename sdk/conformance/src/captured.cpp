// Every case of an op, captured: a run of the program gives what the calls give, values and gradients, for the sizes of the capture,
// with constants for all inputs but the first, and with a symbol for each size. Bit for bit; but a gradient that is a sum may be taken in another order where a call sees a copy and
// the program the strided values themselves.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "program.hpp"
#include "runner.hpp"
#include "tenon/conformance/compare.hpp"

namespace tenon::conformance {
namespace {

struct NotCaptured {};  // its result depends on elements, or its rule on sizes

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
bool reordered(const Value& a, const Value& b) {
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

double gradient_tolerance(tn_dtype dtype) {
  if (dtype == TN_DTYPE_F64 || dtype == TN_DTYPE_C128) return 1e-12;
  if (dtype == TN_DTYPE_F16) return 4e-3;
  return dtype == TN_DTYPE_BF16 ? 3e-2 : 1e-5;
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

  // Throws NotCaptured where the op cannot be recorded so.
  std::vector<Value> captured(Sizes sizes) {
    std::vector<tn_tensor*> arguments;
    const Program program = record(sizes, &arguments);
    prepare();
    if (sizes == Sizes::lasting) {  // for the second run to find what the first one keeps
      run_program(session_, program, arguments);
      prepare();
    }
    return bytes(run_program(session_, program, arguments));
  }

  // What is wrong with the values, by the op's oracle.
  std::string judged(const std::vector<Value>& got) {
    Call call;
    call.inputs = arrays_, call.attrs = case_.attrs, call.random = random_state(false);
    std::vector<Array> values;
    for (const Value& v : got)
      if (!v.gradient) values.push_back(v.elements);
    const std::vector<Array> expected = op_.oracle ? op_.oracle(call) : std::vector<Array>();
    for (size_t k = 0; k < expected.size() && k < values.size(); ++k) {
      const std::string fault =
          compare(expected[k], values[k], case_.tolerance.value_or(op_.tolerance));
      if (!fault.empty()) return "output " + std::to_string(k) + " " + fault;
    }
    return op_.judge ? op_.judge(call, values) : "";
  }

 private:
  void prepare() {
    tn_ctx_set_grad_mode(session_.ctx(), 1);
    if (op_.random) session_.set_random(random_state(false));
  }

  Program record(Sizes sizes, std::vector<tn_tensor*>* arguments) {
    std::vector<ProgramInput> inputs;
    std::vector<size_t> at;  // which of the op's
    for (size_t k = 0; k < held_.size(); ++k) {
      if (arrays_[k].absent || arrays_[k].weak) continue;
      if (sizes == Sizes::lasting && !inputs.empty()) continue;
      inputs.push_back(input(arrays_[k], k, sizes));
      arguments->push_back(held_[k].get());
      at.push_back(k);
    }
    prepare();
    try {
      return record_program(session_, inputs, [&](const std::vector<tn_tensor*>& given) {
        std::vector<tn_tensor*> in = pointers(held_);
        for (size_t k = 0; k < at.size(); ++k) in[at[k]] = given[k];
        return computed(in);
      });
    } catch (const Fault& fault) {
      if (fault.code() == TN_FAILED_PRECONDITION || sizes == Sizes::symbols) throw NotCaptured();
      throw;
    }
  }

  ProgramInput input(const Array& x, size_t k, Sizes sizes) const {
    ProgramInput out{x.dtype, x.dims};
    for (size_t d = 0; d < x.dims.size() && sizes == Sizes::symbols; ++d) {
      const bool last = d + 1 == x.dims.size();
      const bool known = x.dims[d] <= 1 || (last && case_.inputs[k].known_last);
      out.names.push_back(known ? "" : "n" + std::to_string(x.dims[d]));
      if (!known) out.dims[d] = TN_DIM_ANY;
    }
    return out;
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

// What is wrong with the results of a program, "" for nothing; `how`: in what they differ from the calls all the same.
std::string differs(Side& side, const std::vector<Value>& got, const std::vector<Value>& want,
                    Exactness exactness, std::string* how) {
  if (got.size() != want.size())
    return std::to_string(got.size()) + " results, the calls give " + std::to_string(want.size());
  bool values = false;
  for (size_t k = 0; k < got.size(); ++k) {
    const Array &x = want[k].elements, &y = got[k].elements;
    if (same_bits(got[k], want[k])) continue;
    if (reordered(got[k], want[k])) {
      *how = "gradients with sums in another order";
      continue;
    }
    const bool gradient = want[k].gradient;
    std::string fault =
        gradient ? compare_gradient(x, y, gradient_tolerance(x.dtype)) : compare(x, y, kSameBits);
    if (exactness == Exactness::bits || (gradient && !fault.empty()))
      return (gradient ? "gradient " + std::to_string(k) : "output " + std::to_string(k)) + " " +
             (fault.empty() ? "has other bits" : fault);
    values |= !gradient;
    *how = kWithin;
  }
  return values ? side.judged(got) : "";
}

void compare_case(Session& session, const OpSamples& op, const Case& c, tn_dtype dtype,
                  Exactness exactness, const Record& record, Sizes asked) {
  const std::vector<Array> arrays = inputs_of(op, c, dtype);
  std::vector<Value> want;
  std::unique_ptr<Side> side;
  try {
    side = std::make_unique<Side>(session, op, c, arrays);
    want = side->called();
  } catch (const Fault&) {  // what calls refuse is judged elsewhere
    session.recover();
    return;
  }
  const auto several = std::ranges::count_if(arrays, [](auto& x) { return !x.absent && !x.weak; });
  for (const Sizes sizes : {Sizes::known, Sizes::lasting, Sizes::symbols}) {
    if (sizes > asked) return;
    if (sizes == Sizes::lasting && several < 2) continue;
    Result r = blank(session, op, c, dtype, Layout::contiguous, Level::captured);
    r.layout = sizes == Sizes::known     ? "captured"
               : sizes == Sizes::lasting ? "captured with constants"
                                         : "captured for any size";
    r.call += ", " + r.layout;
    std::string how;
    bool is_captured = true;
    const auto into = [&](Result done) {
      if (!is_captured) return;
      if (done.verdict == Verdict::pass) done.why = how;
      record(std::move(done));
    };
    attempt(session, r, false, into, [&]() -> Finding {
      try {
        return {differs(*side, side->captured(sizes), want, exactness, &how),
                "what the calls give" + std::string(exactness == Exactness::bits
                                                        ? ", bit for bit"
                                                        : ", or values within the op's tolerance")};
      } catch (const NotCaptured&) {
        session.recover();
        is_captured = false;
        return {};
      } catch (
          const Fault& fault) {  // also what the device declines: it does not when it is called
        session.recover();
        return {fault.what(), "no error, as the calls give none"};
      }
    });
  }
}

}  // namespace

void run_captured(Session& session, const OpSamples& op, Exactness exactness, const Record& record,
                  Sizes sizes) {
  for (const Case& c : op.cases) {
    if (c.refusal != TN_OK || c.may_clamp || c.is_large) continue;
    for (const tn_dtype dtype : dtypes_of(op, c, true))
      compare_case(session, op, c, dtype, exactness, record, sizes);
  }
  tn_ctx_set_grad_mode(session.ctx(), 0);
}

}  // namespace tenon::conformance
