// The ops that a plugin brings. The kit has no oracle for them: their rules are held against themselves, their values against f64
// and what the plugin's samples say, their gradients against finite differences of the op.
#include <algorithm>
#include <cmath>

#include "plugin.hpp"
#include "plugin_samples.hpp"
#include "tenon/conformance/compare.hpp"
#include "training.hpp"
#include "worker.hpp"

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

constexpr const char* kSampleAdvice =
    "name calls that it takes in the manifest: {\"samples\": {OP: [{\"inputs\": [\"f32[3,4]\"]}]}} "
    "(docs/writing-an-op.md)";

// An op of the plugin, and the calls that are tried of it.
struct Subject {
  Library library;
  const tn_op_def& def;
  std::vector<OpSample> samples;
  std::string refused;  // what the rule said to the first call that it refused
  std::vector<OpCall> calls;

  Subject(const std::string& plugin, const std::string& name, bool brief)
      : library(plugin), def(find_def(library, name)), samples(samples_of(plugin, def)) {
    calls = calls_of(def, samples, brief, &refused);
  }
  std::string name() const { return text_of(def.name); }
  std::string why_none() const {
    return "its rule takes none of the calls that are tried" +
           (refused.empty() ? std::string() : "; it refuses " + refused);
  }
};

CheckResult case_of(const Subject& s, const OpCall& call, bool gradient) {
  CheckResult r;
  r.where = call.place();
  r.op = s.name(), r.dtype = name_of(call.dtype), r.gradient = gradient;
  return r;
}

// ---- the table

void check_attributes(const tn_op_def& op) {
  std::map<std::string, int> names;
  for (uint32_t k = 0; k < op.n_attrs; ++k) {
    const tn_attr_def& a = op.attrs[k];
    const std::string what = "attribute " + std::to_string(k) + ", \"" + text_of(a.name) + "\", ";
    expect(a.name.size > 0 && ++names[text_of(a.name)] == 1, what + "has no name of its own",
           "a name for each");
    expect(a.fallback.key == k, what + "has the key " + std::to_string(a.fallback.key),
           std::to_string(k) + ": the key of an attribute is its place in the list");
    expect(a.fallback.tag >= TN_ATTR_I64 && a.fallback.tag <= TN_ATTR_F64S,
           what + "has the tag " + std::to_string(a.fallback.tag),
           "one of TN_ATTR_..., for a required one as well");
    const bool list = a.fallback.tag == TN_ATTR_STRING || a.fallback.tag == TN_ATTR_BYTES ||
                      a.fallback.tag == TN_ATTR_I64S || a.fallback.tag == TN_ATTR_F64S;
    expect(!list || a.fallback.bits == 0 || a.fallback.data, what + "has a default without data",
           "its data");
  }
}

void check_declaration(const tn_op_def& op) {
  check_attributes(op);
  std::map<std::string, int> names;
  for (uint32_t k = 0; k < op.n_params; ++k) {
    const tn_param& p = op.params[k];
    const std::string what = "input " + std::to_string(k) + ", \"" + text_of(p.name) + "\", ";
    expect(p.name.size > 0 && ++names[text_of(p.name)] == 1, what + "has no name of its own",
           "a name for each");
    expect(p.kind <= TN_PARAM_VARIADIC, what + "is of kind " + std::to_string(p.kind),
           "TN_PARAM_...");
    expect(p.kind != TN_PARAM_VARIADIC || k + 1 == op.n_params, what + "is variadic",
           "only the last one");
  }
  expect(op.n_outputs > 0 || (op.flags & TN_OP_OUTPUTS_VARY) != 0, "it has no outputs",
         "at least one");
  expect(op.since > 0, "since is 0", "1 for a new op");
}

void check_declarations(const Profile& p, Reporter& r) {
  const Library library(p.path);
  const tn_ops_vtbl* t = library.ops();
  for (uint32_t k = 0; k < t->op_count; ++k) {
    const tn_op_def& op = *entry(t->ops, t->op_stride, k);
    r.attempt(text_of(op.name), [&] { check_declaration(op); });
  }
  r.attempt("samples", [&] { check_sampled(p); });
}

// ---- the rule

void check_outputs(const Subject& s, const OpCall& call) {
  const RuleResult known = infer_call(s.def, call, false), symbols = infer_call(s.def, call, true);
  expect(known.outputs.size() >= s.def.n_outputs || (s.def.flags & TN_OP_OUTPUTS_VARY) != 0,
         std::to_string(known.outputs.size()) + " outputs of " + std::to_string(s.def.n_outputs),
         "output() for each");
  for (size_t k = 0; k < known.outputs.size(); ++k)
    if (known.outputs[k].dtype == TN_DTYPE_NONE)
      throw Wrong("output " + std::to_string(k) + " has no dtype",
                  "c->v->output(c, " + std::to_string(k) + ", ...)",
                  "call output() for every output, with its dtype");
  expect(symbols.code == TN_OK, "with symbols for sizes it fails: " + symbols.message,
         "what it does with the sizes themselves: unknown is not wrong");
  expect(symbols.outputs == known.outputs, "with symbols for sizes other outputs come out",
         "the same");
}

void check_rule(const Subject& s, Worker&, Reporter& r) {
  for (const OpCall& call : s.calls)
    r.attempt(case_of(s, call, false), [&] { check_outputs(s, call); });
  if (s.calls.empty()) r.unsupported(s.why_none());
  // A sample that is refused in every dtype is none.
  for (const OpSample& sample : s.samples) {
    const auto taken = [&](const OpCall& c) { return c.sample == sample.call.sample; };
    if (std::any_of(s.calls.begin(), s.calls.end(), taken)) continue;
    OpCall first = sample.call;
    for (size_t k = 0; k < first.inputs.size(); ++k)
      if (sample.any_dtype[k]) first.inputs[k].dtype = TN_DTYPE_F32;
    r.attempt(sample.call.sample, [&] {
      throw Wrong(
          "its rule refuses " + first.place() + ": " + infer_call(s.def, first, false).message,
          "a call that it takes", "correct the sample in the manifest, or the rule");
    });
  }
  r.attempt("refusals", [&] {
    expect(s.refused.empty() || !s.refused.ends_with(": "),
           "it refuses " + s.refused + "without a message", "what is wrong with which input");
  });
}

// ---- values

// Numbers inside the domain of most functions; numbers of both signs are tried where they give numbers.
constexpr double kPositive = 0.25, kBothSigns = -1.5;

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

std::vector<Array> arrays_of(const OpCall& call, uint64_t seed, double low = kPositive) {
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

struct Op {
  Worker& w;
  const Subject& subject;
  const tn_op_def& def;
  tn_op id = 0;

  Op(Worker& worker, const Subject& s) : w(worker), subject(s), def(s.def) {
    check(tn_op_find(w.get_runtime(), def.name, 0, &id));
  }
  std::vector<Tensor> call(const OpCall& c, const std::vector<tn_tensor*>& in) const {
    return w.get_session().call(id, in, Attrs(c.attrs));
  }
  std::vector<Tensor> upload(const std::vector<Array>& inputs) const {
    std::vector<Tensor> in;
    for (const Array& x : inputs) in.push_back(x.absent ? Tensor() : w.get_session().upload(x));
    return in;
  }
  std::vector<Array> values(const OpCall& c, const std::vector<Array>& inputs) const {
    const std::vector<Tensor> in = upload(inputs);
    std::vector<Array> out;
    for (const Tensor& t : call(c, pointers(in))) out.push_back(w.get_session().read(t.get()));
    return out;
  }
};

bool all_finite(const std::vector<Array>& arrays) {
  for (const Array& a : arrays)
    for (const double x : a.f)
      if (!std::isfinite(x)) return false;
  return true;
}

// The call in f64 throughout.
OpCall in_f64(OpCall call) {
  for (RuleInput& i : call.inputs)
    if (!i.absent && is_float(i.dtype)) i.dtype = TN_DTYPE_F64;
  return call;
}
std::vector<Array> in_f64(std::vector<Array> inputs) {
  for (Array& x : inputs)
    if (is_float(x.dtype)) x.dtype = TN_DTYPE_F64;
  return inputs;
}

// Of a few roundings in a row, relative to the greatest element.
double tolerance_of(tn_dtype dtype) {
  const bool half = dtype == TN_DTYPE_F16 || dtype == TN_DTYPE_BF16;
  return (half ? 16 : 64) * epsilon(dtype);
}

void compare_with_f64(const Op& op, const OpCall& call, const std::vector<Array>& x,
                      const std::vector<Array>& got) {
  const OpCall wide = in_f64(call);
  if (infer_call(op.def, wide, false).code != TN_OK) return;
  const std::vector<Array> exact = op.values(wide, in_f64(x));
  for (size_t k = 0; k < got.size() && k < exact.size(); ++k) {
    if (!got[k].floating() || exact[k].f.size() != got[k].f.size()) continue;
    Array want = got[k];
    want.f = exact[k].f;
    const std::string fault = compare_gradient(want, got[k], tolerance_of(call.dtype));
    expect(fault.empty(), "output " + std::to_string(k) + " " + fault,
           "the values of f64, rounded");
  }
}

// Beside what a sample of the plugin says.
void compare_with_sample(const OpCall& call, const std::vector<Array>& got) {
  for (size_t k = 0; k < call.gives.size(); ++k) {
    const std::string what = "output " + std::to_string(k) + " of " + call.sample + " ";
    expect(k < got.size() && got[k].numbers() == static_cast<int64_t>(call.gives[k].size()),
           what + "has " + std::to_string(k < got.size() ? got[k].numbers() : 0) + " elements",
           std::to_string(call.gives[k].size()) + ", as the sample gives");
    Array want = got[k];
    for (size_t e = 0; e < call.gives[k].size(); ++e)
      want.set(static_cast<int64_t>(e), call.gives[k][e]);
    const double tolerance = got[k].floating() ? tolerance_of(got[k].dtype) : 0;
    const std::string fault = got[k].floating() ? compare_gradient(want, got[k], tolerance)
                                                : compare(want, got[k], kExact);
    if (!fault.empty())
      throw Wrong(what + fault, "what the sample gives",
                  "one of the two is wrong: the op or the sample");
  }
}

// What came out of all calls.
struct Seen {
  size_t ran = 0;
  bool floating = false, finite = false;

  void add(const std::vector<Array>& outputs) {
    for (const Array& y : outputs) {
      floating |= !y.f.empty();
      finite |= std::any_of(y.f.begin(), y.f.end(), [](double v) { return std::isfinite(v); });
    }
  }
};

void check_values(const Op& op, const OpCall& call, CheckResult& result, Seen& seen) {
  const std::vector<Array> x = arrays_of(call, 5);
  const std::vector<Array> got = op.values(call, x), again = op.values(call, x);
  seen.add(got);
  const std::vector<Tensor> in = op.upload(x);
  result.native = op.w.get_session().native(op.id, pointers(in), Attrs(call.attrs));
  const RuleResult rule = infer_call(op.def, call, false);
  for (size_t k = 0; k < got.size(); ++k) {
    if (encode(got[k]) != encode(again[k]))
      throw Wrong("other bits at the second call", "the same",
                  "a recipe must depend on its arguments only");
    expect(
        (op.def.flags & TN_OP_COUNTED) != 0 ||
            (k < rule.outputs.size() && rule.outputs[k] == RuleOutput{got[k].dtype, got[k].dims}),
        "output " + std::to_string(k) + " is " + name_of(got[k].dtype) + text_of(got[k].dims),
        "what the rule says");
  }
  compare_with_sample(call, got);
  const bool random = (op.def.flags & TN_OP_RANDOM) != 0;
  if (!random && is_float(call.dtype) && call.dtype != TN_DTYPE_F64)
    compare_with_f64(op, call, x, got);
}

bool same_values(const std::vector<Array>& a, const std::vector<Array>& b) {
  if (a.size() != b.size()) return false;
  for (size_t k = 0; k < a.size(); ++k)
    if (a[k].dtype != b[k].dtype || a[k].dims != b[k].dims || encode(a[k]) != encode(b[k]))
      return false;
  return true;
}

// An attribute that changes nothing in any call that is tried with it alone: in several draws, in numbers of both signs, and also near
// one where a sample says another range.
void check_effects(const Op& op, Reporter& r) {
  for (uint32_t key = 0; key < op.def.n_attrs; ++key) {
    const std::string name = text_of(op.def.attrs[key].name);
    size_t tried = 0;
    bool changes = false;
    for (const OpCall& call : op.subject.calls) {
      if (changes || call.attrs.size() != 1 || call.attrs[0].key != key) continue;
      OpCall plain = call, near_one = call;
      plain.attrs.clear();
      near_one.ranged = false;
      for (uint64_t seed = 5; seed < 13 && !changes; ++seed) {
        const double low = seed % 2 ? kPositive : kBothSigns;
        try {
          const std::vector<Array> x = arrays_of(seed < 9 ? call : near_one, seed, low);
          changes = !same_values(op.values(call, x), op.values(plain, x));
          ++tried;
        } catch (const Fault&) {  // what is refused says nothing
        }
      }
    }
    if (tried == 0) continue;
    r.attempt(name, [&] {
      if (!changes)
        throw Wrong("attribute " + name + " changes no result: " + std::to_string(tried) +
                        " pairs of calls with and without it gave the same",
                    "that an attribute changes something",
                    "is it read, from its own key? If it shows only elsewhere, give a sample in "
                    "which it does, or list this as expected");
    });
  }
}

void run_values(const Subject& s, Worker& w, Reporter& r) {
  const Op op(w, s);
  Seen seen;
  std::string why;
  for (const OpCall& call : s.calls) {
    CheckResult result = case_of(s, call, false);
    r.attempt(result, [&] {
      try {
        told([&] { check_values(op, call, result, seen); });
      } catch (const Fault& fault) {  // only UNIMPLEMENTED comes as it is
        why = call.place() + ": " + fault.what();
        throw;
      } catch (...) {
        ++seen.ran;
        throw;
      }
      ++seen.ran;
      r.add(result);
    });
  }
  if (seen.ran > 0) check_effects(op, r);
  if (seen.ran > 0 && (seen.finite || !seen.floating)) return;
  r.attempt("", [&] {
    expect(seen.ran == 0, "no call gives a finite number",
           "that some do: its samples may have the \"range\" in which it does");
    if (s.calls.empty())
      throw Wrong("it never ran: " + s.why_none(), "calls to try", kSampleAdvice);
    throw Wrong("it never ran: " + why, "a decomposition, which every device runs",
                "give it a .decompose, or kernels of this plugin");
  });
}

// ---- gradients

double loss_of(const Op& op, const OpCall& call, const std::vector<Array>& x,
               const std::vector<Array>& weights) {
  const std::vector<Array> y = op.values(call, x);
  double sum = 0;
  for (size_t k = 0; k < y.size(); ++k)
    for (int64_t i = 0; y[k].floating() && i < y[k].count(); ++i)
      sum += y[k].real(i) * weights[k].real(i);
  return sum;
}

bool is_variable(const Array& a) { return !a.absent && is_float(a.dtype); }

std::vector<Array> gradients_of(const Op& op, const OpCall& call, const std::vector<Array>& x,
                                const std::vector<Array>& weights) {
  Session& s = op.w.get_session();
  tn_ctx_set_grad_mode(s.ctx(), 1);
  std::vector<Tensor> held;
  std::vector<tn_tensor*> in, leaves;
  for (const Array& a : x) {
    held.push_back(a.absent ? Tensor() : s.upload(a));
    if (is_variable(a)) {
      tn_tensor* leaf = nullptr;
      check(tn_tensor_leaf(s.ctx(), held.back().get(), &leaf));
      held.emplace_back(leaf);
      leaves.push_back(leaf);
    }
    in.push_back(held.back().get());
  }
  const std::vector<Tensor> y = op.call(call, in);
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
    if (!is_variable(a)) continue;
    const Tensor g(grads[next++]);
    out.push_back(g ? s.read(g.get()) : Array(a.dtype, a.dims));
  }
  return out;
}

// How finely differences are taken in a dtype, and how near a gradient must be to them.
struct Difference {
  double step, tolerance;
};
Difference difference_of(tn_dtype dtype) {
  return dtype == TN_DTYPE_F64 ? Difference{0x1p-17, 2e-6} : Difference{0x1p-7, 2e-2};
}

// Whether there was anything to compare.
bool compare_with_differences(const Op& op, const OpCall& call, const std::vector<Array>& x) {
  const Difference d = difference_of(call.dtype);
  Rng rng(9);
  std::vector<Array> weights;
  for (const Array& y : op.values(call, x)) {
    Array v(y.dtype, y.dims);
    if (v.floating()) uniform(-1, 1)(v, rng);
    weights.push_back(v);
  }
  if (std::none_of(weights.begin(), weights.end(), [](const Array& a) { return a.floating(); }))
    return false;
  const std::vector<Array> got = gradients_of(op, call, x, weights);
  std::vector<Array> at = x;
  size_t next = 0;
  for (size_t v = 0; v < x.size(); ++v) {
    if (!is_variable(x[v])) continue;
    Array want(x[v].dtype, x[v].dims);
    for (size_t k = 0; k < want.f.size(); ++k) {
      at[v].f[k] = x[v].f[k] + d.step;
      const double above = loss_of(op, call, at, weights);
      at[v].f[k] = x[v].f[k] - d.step;
      want.f[k] = (above - loss_of(op, call, at, weights)) / (2 * d.step);
      at[v].f[k] = x[v].f[k];
    }
    const std::string fault = compare_gradient(want, got[next++], d.tolerance);
    expect(fault.empty(), "gradient of input " + std::to_string(v) + " " + fault,
           "finite differences of the op");
  }
  return true;
}

void run_gradient(const Subject& s, Worker& w, Reporter& r) {
  const Op op(w, s);
  tn_op_info info = tn_op_info_init();
  check(tn_op_get_info(w.get_runtime(), op.id, &info));
  if (!info.differentiable) throw Unsupported(text_of(info.why_not_differentiable));
  if (s.calls.empty()) throw Unsupported(s.why_none());
  const auto in = [&](tn_dtype t) {
    return [t](const OpCall& c) { return c.dtype == t && c.floating(); };
  };
  const bool f64 = std::any_of(s.calls.begin(), s.calls.end(), in(TN_DTYPE_F64));
  const auto chosen = in(f64 ? TN_DTYPE_F64 : TN_DTYPE_F32);
  size_t fruitless = 0;
  for (const OpCall& call : s.calls) {
    if (!chosen(call)) continue;
    const auto attempt = [&](uint64_t seed, double low, const char* how) {
      CheckResult as = case_of(s, call, true);
      as.where += how;
      r.attempt(as, [&] {
        told([&] {
          const std::vector<Array> x = arrays_of(call, seed, low);
          const bool sure = low > 0 && call.told.empty();
          if (sure || all_finite(op.values(call, x)))
            fruitless += !compare_with_differences(op, call, x);
        });
        r.add(as);
      });
    };
    attempt(6, kPositive, "");
    if (!call.ranged && call.values.empty()) attempt(7, kBothSigns, " of both signs");
  }
  if (r.count() == 0) throw Unsupported("it takes no floating inputs that are tried");
  if (fruitless == r.count()) r.unsupported("no output of it is a floating number");
}

// ---- time

void run_perf(const Subject& s, Worker& w, Reporter& r) {
  const Op op(w, s);
  Session& session = w.get_session();
  tn_ctx_set_grad_mode(session.ctx(), 0);
  const auto wanted = [&](tn_dtype t) {
    return [t](const OpCall& c) { return c.dtype == t && c.told.empty(); };
  };
  const bool f32 = std::any_of(s.calls.begin(), s.calls.end(), wanted(TN_DTYPE_F32));
  for (const OpCall& call : s.calls) {
    if (!wanted(f32 ? TN_DTYPE_F32 : s.calls[0].dtype)(call)) continue;
    CheckResult result = case_of(s, call, false);
    r.attempt(result, [&] {
      const std::vector<Tensor> in = op.upload(arrays_of(call, 5));
      const Attrs attrs(call.attrs);
      result.milliseconds = time_of(session, op.id, pointers(in), attrs);
      result.native = session.native(op.id, pointers(in), attrs);
      r.add(result);
    });
  }
}

constexpr const char* kRuleAdvice =
    "combine dims with dim_add, dim_mul ... only, and take dim_equal's -1 for \"maybe\"";
constexpr const char* kValueAdvice =
    "look at the decomposition: constants and casts in f32 and half formats";
constexpr const char* kGradientAdvice =
    "look at the gradient recipe; without one it comes from the decomposition";

}  // namespace

std::vector<Unit> plugin_op_units(const Profile& profile, const VerifyOptions& options,
                                  const std::shared_ptr<Worker>& worker) {
  std::vector<Unit> units;
  for (const std::string& name : profile.ops) {
    if (!options.op.empty() && name != options.op) continue;
    if (std::ranges::count(profile.fused_ops, name) > 0)
      continue;  // optimizer_fused.NAME judges it
    const auto add = [&](const char* group, int level, const char* advice, auto body) {
      Unit u;
      u.check = group + name, u.level = level, u.advice = advice, u.alone = false;
      u.body = [worker, name, body, brief = options.brief](Reporter& r) {
        body(Subject(worker->plugin, name, brief), *worker, r);
      };
      units.push_back(std::move(u));
    };
    add("op_rule.", 2, kRuleAdvice, check_rule);
    add("op_value.", 2, kValueAdvice, run_values);
    add("op_gradient.", 3, kGradientAdvice, run_gradient);
    if (options.perf) add("perf.", 3, "", run_perf);
  }
  return units;
}

const std::vector<Check> kPluginOpChecks = {
    {"op_declaration", 1, Kind::op, "names, keys and defaults in the table of ops",
     "correct the table", check_declarations},
    {"op_rule.NAME", 2, Kind::op, "a plugin's op: its rule gives the same for sizes and symbols",
     kRuleAdvice, nullptr},
    {"op_value.NAME", 2, Kind::op,
     "its values in each dtype against f64 and its samples, twice the same bits; that it ran at "
     "all",
     kValueAdvice, nullptr},
    {"op_gradient.NAME", 3, Kind::op, "its gradient against finite differences of itself",
     kGradientAdvice, nullptr},
};

}  // namespace tenon::conformance
