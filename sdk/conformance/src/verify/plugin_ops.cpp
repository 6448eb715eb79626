// The ops that a plugin brings. The kit has no oracle for them: their rules are held against themselves, their values against f64,
// their gradients against finite differences of the op.
#include <algorithm>
#include <cmath>

#include "plugin.hpp"
#include "rules.hpp"
#include "tenon/conformance/compare.hpp"
#include "training.hpp"
#include "worker.hpp"

namespace tenon::conformance {
namespace {

const tn_op_def* find_def(const Library& library, const std::string& name) {
  const tn_ops_vtbl* t = library.ops();
  for (uint32_t k = 0; t && k < t->op_count; ++k) {
    const tn_op_def* op = entry(t->ops, t->op_stride, k);
    if (text_of(op->name) == name) return op;
  }
  throw Wrong("no op " + name + " in its table", "the one that it provides");
}

// Every attribute with its default; of a required one a small value of its type.
std::vector<tn_attr> defaults_of(const tn_op_def& op) {
  std::vector<tn_attr> attrs;
  static const int64_t ones[] = {1, 1};
  for (uint32_t k = 0; k < op.n_attrs; ++k) {
    tn_attr a = op.attrs[k].fallback;
    if (op.attrs[k].required && a.tag == TN_ATTR_I64) a = tn_attr_i64(k, 1);
    if (op.attrs[k].required && a.tag == TN_ATTR_F64) a = tn_attr_f64(k, 0.5);
    if (op.attrs[k].required && a.tag == TN_ATTR_I64S) a = tn_attr_i64s(k, ones, 2);
    if (op.attrs[k].required && a.tag == TN_ATTR_DTYPE) a = tn_attr_dtype(k, TN_DTYPE_F32);
    a.key = k;
    attrs.push_back(a);
  }
  return attrs;
}

// Shapes to try, for inputs 0, 1, 2; the last one for all that follow.
const std::vector<std::vector<Dims>>& shapes() {
  static const std::vector<std::vector<Dims>> all = {{{3, 4}, {3, 4}, {3, 4}},
                                                     {{4, 4}, {4, 4}, {4, 4}},
                                                     {{5}, {5}, {5}},
                                                     {{3, 4}, {4}, {4}},
                                                     {{3, 4}, {4, 5}, {5}},
                                                     {{3, 4}, {5, 4}, {5}},
                                                     {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}},
                                                     {{2, 3, 4}, {4}, {4}},
                                                     {{2, 3, 4}, {3}, {3}},
                                                     {{2, 3, 5, 5}, {2, 3, 3, 3}, {2}},
                                                     {{2, 3, 5, 5}, {3}, {3}},
                                                     {{2, 2, 3, 4}, {2, 2, 3, 4}, {2, 2, 3, 4}},
                                                     {{3, 4}, {3}, {3}},
                                                     {{}, {}, {}}};
  return all;
}

struct Try {
  std::vector<Dims> dims;
  std::vector<tn_dtype> dtypes;  // NONE: the dtype of the case
};

std::vector<RuleInput> inputs_of(const tn_op_def& op, const Try& t, tn_dtype dtype) {
  std::vector<RuleInput> inputs;
  const uint32_t n = op.n_params > 0 && op.params[op.n_params - 1].kind == TN_PARAM_VARIADIC
                         ? op.n_params + 1
                         : op.n_params;
  for (uint32_t k = 0; k < n; ++k) {
    RuleInput i;
    i.dims = t.dims[std::min<size_t>(k, t.dims.size() - 1)];
    i.dtype = k < t.dtypes.size() && t.dtypes[k] != TN_DTYPE_NONE ? t.dtypes[k] : dtype;
    inputs.push_back(i);
  }
  return inputs;
}

// What the op's rule accepts in `dtype`.
std::vector<Try> accepted(const tn_op_def& op, tn_dtype dtype) {
  const std::vector<tn_attr> attrs = defaults_of(op);
  std::vector<Try> out;
  const std::vector<std::vector<tn_dtype>> kinds = {{},
                                                    {TN_DTYPE_NONE, TN_DTYPE_I64},
                                                    {TN_DTYPE_I64},
                                                    {TN_DTYPE_BOOL},
                                                    {TN_DTYPE_NONE, TN_DTYPE_BOOL}};
  for (const auto& kind : kinds) {
    for (const auto& dims : shapes()) {
      const Try t{dims, kind};
      if (run_rule(op, inputs_of(op, t, dtype), attrs, false).code == TN_OK) out.push_back(t);
    }
    if (!out.empty()) return out;
  }
  return out;
}

std::string signature_of(const std::vector<RuleInput>& inputs) {
  std::string out;
  for (const RuleInput& i : inputs)
    out += (out.empty() ? "" : ", ") + name_of(i.dtype) + text_of(i.dims);
  return out;
}

void need_some(const std::vector<Try>& tries) {
  if (tries.empty()) throw Unsupported("its rule accepts none of the inputs that the kit tries");
}

void check_rule(const std::string& plugin, const std::string& name, Reporter& r) {
  const Library library(plugin);
  const tn_op_def& op = *find_def(library, name);
  const std::vector<tn_attr> attrs = defaults_of(op);
  size_t tried = 0;
  for (const tn_dtype dtype : kAll)
    for (const Try& t : accepted(op, dtype)) {
      ++tried;
      const std::vector<RuleInput> inputs = inputs_of(op, t, dtype);
      r.attempt(signature_of(inputs), [&] {
        const RuleResult known = run_rule(op, inputs, attrs, false);
        const RuleResult symbols = run_rule(op, inputs, attrs, true);
        expect(known.outputs.size() >= op.n_outputs || (op.flags & TN_OP_OUTPUTS_VARY) != 0,
               std::to_string(known.outputs.size()) + " outputs of " + std::to_string(op.n_outputs),
               "output() for each");
        for (const RuleOutput& o : known.outputs)
          expect(o.dtype != TN_DTYPE_NONE, "an output without a dtype", "one");
        expect(symbols.code == TN_OK, "with symbols for sizes it fails: " + symbols.message,
               "what it does with the sizes themselves: unknown is not wrong");
        expect(symbols.outputs == known.outputs, "with symbols for sizes other outputs come out",
               "the same");
      });
    }
  if (tried == 0) r.unsupported("its rule accepts none of the inputs that the kit tries");
  // Of what it refuses.
  r.attempt("refusals", [&] {
    for (const auto& dims : shapes()) {
      const RuleResult result = run_rule(op, inputs_of(op, {dims, {}}, TN_DTYPE_F32), attrs, false);
      expect(result.code == TN_OK || result.message.size() > 4, "it refuses without a message",
             "what is wrong with which input");
    }
  });
}

// Numbers inside the domain of most functions; numbers of both signs are tried where they give numbers.
constexpr double kPositive = 0.25, kBothSigns = -1.5;

Array filled(const RuleInput& i, double low, Rng& rng) {
  Array x(i.dtype, i.dims);
  if (x.floating())
    uniform(low, 1.5)(x, rng);
  else if (i.dtype == TN_DTYPE_BOOL)
    uniform(0, 1)(x, rng);
  else
    indices(3)(x, rng);
  return x;
}

struct Op {
  Worker& w;
  const tn_op_def& def;
  tn_op id = 0;

  Op(Worker& worker, const tn_op_def& d) : w(worker), def(d) {
    check(tn_op_find(w.get_runtime(), def.name, 0, &id));
  }
  // With required attributes only.
  std::vector<Tensor> call(const std::vector<tn_tensor*>& in) const {
    constexpr uint32_t kMost = 32;
    tn_tensor* outputs[kMost] = {};
    uint32_t n = 0;
    std::vector<tn_attr> attrs;
    for (const tn_attr& a : defaults_of(def))
      if (def.attrs[a.key].required) attrs.push_back(a);
    check(tn_op_call(w.get_session().ctx(), id, in.data(), static_cast<uint32_t>(in.size()),
                     attrs.data(), static_cast<uint32_t>(attrs.size()), outputs, kMost, &n));
    std::vector<Tensor> out;
    for (uint32_t k = 0; k < n; ++k) out.emplace_back(outputs[k]);
    return out;
  }
  std::vector<Array> values(const std::vector<Array>& inputs) const {
    std::vector<Tensor> in;
    for (const Array& x : inputs) in.push_back(w.get_session().upload(x));
    std::vector<Array> out;
    for (const Tensor& t : call(pointers(in))) out.push_back(w.get_session().read(t.get()));
    return out;
  }
};

std::vector<Array> arrays_of(const std::vector<RuleInput>& inputs, uint64_t seed,
                             double low = kPositive) {
  Rng rng(seed);
  std::vector<Array> out;
  for (const RuleInput& i : inputs) out.push_back(filled(i, low, rng));
  return out;
}
bool all_finite(const std::vector<Array>& arrays) {
  for (const Array& a : arrays)
    for (const double x : a.f)
      if (!std::isfinite(x)) return false;
  return true;
}

std::vector<Array> in_f64(std::vector<Array> inputs) {
  for (Array& x : inputs)
    if (x.floating()) x.dtype = TN_DTYPE_F64;
  return inputs;
}

void run_values(Worker& w, const std::string& name, Reporter& r) {
  const Library library(w.plugin);
  const Op op(w, *find_def(library, name));
  if ((op.def.flags & TN_OP_RANDOM) != 0) throw Unsupported("it draws random numbers");
  size_t tried = 0;
  for (const tn_dtype dtype : kAll)
    for (const Try& t : accepted(op.def, dtype)) {
      ++tried;
      const std::vector<RuleInput> inputs = inputs_of(op.def, t, dtype);
      r.attempt(signature_of(inputs), [&] {
        const std::vector<Array> x = arrays_of(inputs, 5);
        const std::vector<Array> got = op.values(x), again = op.values(x);
        const RuleResult rule = run_rule(op.def, inputs, defaults_of(op.def), false);
        for (size_t k = 0; k < got.size(); ++k) {
          expect(encode(got[k]) == encode(again[k]), "other bits at the second call", "the same");
          expect(
              k < rule.outputs.size() && rule.outputs[k] == RuleOutput{got[k].dtype, got[k].dims},
              "output " + std::to_string(k) + " is " + name_of(got[k].dtype) + text_of(got[k].dims),
              "what the rule says");
        }
        if (!is_float(dtype) || dtype == TN_DTYPE_F64) return;
        const std::vector<Array> exact = op.values(in_f64(x));
        for (size_t k = 0; k < got.size(); ++k) {
          if (!got[k].floating()) continue;
          Array want = got[k];
          want.f = exact[k].f;
          const double tolerance = 64 * epsilon(dtype);
          const std::string fault = compare_gradient(want, got[k], tolerance);
          expect(fault.empty(), "output " + std::to_string(k) + " " + fault,
                 "the values of f64, rounded");
        }
      });
    }
  need_some(tried ? std::vector<Try>(1) : std::vector<Try>());
}

double loss_of(const Op& op, const std::vector<Array>& x, const std::vector<Array>& weights) {
  const std::vector<Array> y = op.values(x);
  double sum = 0;
  for (size_t k = 0; k < y.size(); ++k)
    for (int64_t i = 0; y[k].floating() && i < y[k].count(); ++i)
      sum += y[k].real(i) * weights[k].real(i);
  return sum;
}

std::vector<Array> gradients_of(const Op& op, const std::vector<Array>& x,
                                const std::vector<Array>& weights) {
  Session& s = op.w.get_session();
  tn_ctx_set_grad_mode(s.ctx(), 1);
  std::vector<Tensor> held;
  std::vector<tn_tensor*> in, leaves;
  for (const Array& a : x) {
    held.push_back(s.upload(a));
    if (a.floating()) {
      tn_tensor* leaf = nullptr;
      check(tn_tensor_leaf(s.ctx(), held.back().get(), &leaf));
      held.emplace_back(leaf);
      leaves.push_back(leaf);
    }
    in.push_back(held.back().get());
  }
  const std::vector<Tensor> y = op.call(in);
  std::vector<tn_tensor*> of, with;
  for (size_t k = 0; k < y.size(); ++k) {
    if (!weights[k].floating()) continue;
    held.push_back(s.upload(weights[k]));
    of.push_back(y[k].get());
    with.push_back(held.back().get());
  }
  std::vector<tn_tensor*> grads(leaves.size(), nullptr);
  check(tn_vjp(s.ctx(), of.data(), with.data(), static_cast<uint32_t>(of.size()), leaves.data(),
               static_cast<uint32_t>(leaves.size()), TN_GRAD_ALLOW_UNUSED, grads.data()));
  tn_ctx_set_grad_mode(s.ctx(), 0);
  std::vector<Array> out;
  size_t next = 0;
  for (const Array& a : x) {
    if (!a.floating()) continue;
    const Tensor g(grads[next++]);
    out.push_back(g ? s.read(g.get()) : Array(a.dtype, a.dims));
  }
  return out;
}

void compare_with_differences(const Op& op, const std::vector<Array>& x) {
  constexpr double kStep = 0x1p-17;
  Rng rng(9);
  std::vector<Array> weights;
  for (const Array& y : op.values(x)) {
    Array v(y.dtype, y.dims);
    if (v.floating()) uniform(-1, 1)(v, rng);
    weights.push_back(v);
  }
  if (std::none_of(weights.begin(), weights.end(), [](const Array& a) { return a.floating(); }))
    return;
  const std::vector<Array> got = gradients_of(op, x, weights);
  std::vector<Array> at = x;
  size_t next = 0;
  for (size_t v = 0; v < x.size(); ++v) {
    if (!x[v].floating()) continue;
    Array want(x[v].dtype, x[v].dims);
    for (size_t k = 0; k < want.f.size(); ++k) {
      at[v].f[k] = x[v].f[k] + kStep;
      const double above = loss_of(op, at, weights);
      at[v].f[k] = x[v].f[k] - kStep;
      want.f[k] = (above - loss_of(op, at, weights)) / (2 * kStep);
      at[v].f[k] = x[v].f[k];
    }
    const std::string fault = compare_gradient(want, got[next++], 2e-6);
    expect(fault.empty(), "gradient of input " + std::to_string(v) + " " + fault,
           "finite differences of the op");
  }
}

void run_gradient(Worker& w, const std::string& name, Reporter& r) {
  const Library library(w.plugin);
  const Op op(w, *find_def(library, name));
  tn_op_info info = tn_op_info_init();
  check(tn_op_get_info(w.get_runtime(), op.id, &info));
  if (!info.differentiable) throw Unsupported(text_of(info.why_not_differentiable));
  if ((op.def.flags & TN_OP_RANDOM) != 0) throw Unsupported("it draws random numbers");
  const std::vector<Try> tries = accepted(op.def, TN_DTYPE_F64);
  need_some(tries);
  for (const Try& t : tries) {
    const std::vector<RuleInput> inputs = inputs_of(op.def, t, TN_DTYPE_F64);
    r.attempt(signature_of(inputs), [&] { compare_with_differences(op, arrays_of(inputs, 6)); });
    r.attempt(signature_of(inputs) + " of both signs", [&] {
      const std::vector<Array> x = arrays_of(inputs, 7, kBothSigns);
      if (all_finite(op.values(x))) compare_with_differences(op, x);
    });
  }
}

constexpr const char* kRuleAdvice =
    "combine dims with dim_add, dim_mul ... only, and take dim_equal's -1 for \"maybe\"";

}  // namespace

std::vector<Unit> plugin_op_units(const Profile& profile, const std::shared_ptr<Worker>& worker) {
  std::vector<Unit> units;
  for (const std::string& name : profile.ops) {
    if (std::ranges::count(profile.fused_ops, name) > 0)
      continue;  // optimizer_fused.NAME judges it
    const auto add = [&](const char* group, int level, const char* advice, auto body) {
      Unit u;
      u.check = group + name, u.level = level, u.advice = advice, u.alone = false;
      u.body = [worker, name, body](Reporter& r) { body(*worker, name, r); };
      units.push_back(std::move(u));
    };
    add("op_rule.", 2, kRuleAdvice,
        [](Worker& w, const std::string& n, Reporter& r) { check_rule(w.plugin, n, r); });
    add("op_value.", 2, "look at the decomposition: constants and casts in f32 and half formats",
        run_values);
    add("op_gradient.", 3,
        "look at the gradient recipe; without one it comes from the decomposition", run_gradient);
  }
  return units;
}

const std::vector<Check> kPluginOpChecks = {
    {"op_rule.NAME", 2, Kind::op, "a plugin's op: its rule gives the same for sizes and symbols",
     kRuleAdvice, nullptr},
    {"op_value.NAME", 2, Kind::op, "its values in each dtype against f64, twice the same bits", "",
     nullptr},
    {"op_gradient.NAME", 3, Kind::op, "its gradient against finite differences of itself", "",
     nullptr},
};

}  // namespace tenon::conformance
