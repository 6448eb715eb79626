// The calls of a plugin's op, their inputs, and how they are made.
#include "plugin_op.hpp"

#include <algorithm>
#include <cmath>

#include "runner.hpp"

namespace tenon::conformance {
namespace {

const tn_op_def& find_def(const Library& library, const std::string& name) {
  const tn_ops_vtbl* t = library.ops();
  for (uint32_t k = 0; t && k < t->op_count; ++k) {
    const tn_op_def* op = entry(t->ops, t->op_stride, k);
    if (text_of(op->name) == name) return *op;
  }
  throw Wrong("no op " + name + " in its table", "the one that it provides");
}

// Integers may be indices into any axis of the inputs: below 3, and below the shortest axis.
int64_t bound_of(const OpCall& call) {
  int64_t bound = 3;
  for (const RuleInput& i : call.inputs)
    for (const int64_t d : i.dims) bound = std::min(bound, std::max<int64_t>(d, 1));
  return bound;
}

Array filled(const RuleInput& i, const OpCall& call, double low, Rng& rng) {
  Array x(i.dtype, i.dims);
  x.absent = i.absent;
  if (i.absent) return x;
  if (call.ranged && i.dtype != TN_DTYPE_BOOL)
    uniform(call.low, call.high)(x, rng);
  else if (x.floating())
    uniform(low, 1.5)(x, rng);
  else if (i.dtype == TN_DTYPE_BOOL)
    uniform(0, 1)(x, rng);
  else
    indices(call.inputs.size() > 1 ? bound_of(call) : 3)(x, rng);
  return x;
}

}  // namespace

Subject::Subject(const std::string& plugin, const std::string& name, bool brief)
    : library(plugin), def(find_def(library, name)), samples(samples_of(plugin, def, &misread)) {
  calls = calls_of(def, samples, brief, &refused);
}

std::string Subject::why_none() const {
  return "its rule takes none of the calls that are tried" +
         (refused.empty() ? std::string() : "; it refuses " + refused);
}

std::string Subject::input(size_t k) const {
  const size_t last = def.n_params - 1;
  std::string name = text_of(def.params[std::min(k, last)].name);
  if (def.params[last].kind == TN_PARAM_VARIADIC && k >= last)
    name += "[" + std::to_string(k - last) + "]";
  return "input \"" + name + "\"";
}

CheckResult case_of(const Subject& s, const OpCall& call, bool gradient) {
  CheckResult r;
  r.where = call.place();
  r.op = s.name(), r.dtype = name_of(call.dtype), r.gradient = gradient;
  return r;
}

void announce(const Subject& s, const OpCall& call, bool gradient) {
  if (!on_case) return;
  Result r;
  r.op = s.name(), r.sample = call.place(), r.dtype = name_of(call.dtype);
  r.level = gradient ? Level::grad : Level::forward;
  r.call = r.op + "(" + r.sample + ")";
  on_case(r);
}

Op::Op(Worker& worker, const Subject& s) : w(worker), subject(s), def(s.def) {
  check(tn_op_find(w.get_runtime(), def.name, 0, &id));
}
std::vector<Tensor> Op::call(const OpCall& c, const std::vector<tn_tensor*>& in) const {
  return w.get_session().call(id, in, Attrs(c.attrs));
}
std::vector<Tensor> Op::upload(const std::vector<Array>& inputs) const {
  std::vector<Tensor> in;
  for (const Array& x : inputs) in.push_back(x.absent ? Tensor() : w.get_session().upload(x));
  return in;
}
std::vector<Array> Op::values(const OpCall& c, const std::vector<Array>& inputs) const {
  const std::vector<Tensor> in = upload(inputs);
  std::vector<Array> out;
  for (const Tensor& t : call(c, pointers(in))) out.push_back(w.get_session().read(t.get()));
  return out;
}

std::vector<Array> arrays_of(const OpCall& call, uint64_t seed, double low) {
  Rng rng(seed);
  std::vector<Array> out;
  for (size_t k = 0; k < call.inputs.size(); ++k) {
    out.push_back(filled(call.inputs[k], call, low, rng));
    if (k >= call.values.size()) continue;
    for (size_t e = 0; e < call.values[k].size(); ++e)
      out.back().set(static_cast<int64_t>(e), call.values[k][e]);
  }
  return out;
}

bool all_finite(const std::vector<Array>& arrays) {
  for (const Array& a : arrays)
    for (const double x : a.f)
      if (!std::isfinite(x)) return false;
  return true;
}

}  // namespace tenon::conformance
