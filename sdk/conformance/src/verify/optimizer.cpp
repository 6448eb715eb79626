// Optimizers on the worker's device: against the formulas, against their fused form, and their state by name.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "odd_one.hpp"
#include "plugin.hpp"
#include "plugin_samples.hpp"
#include "program.hpp"
#include "tenon/conformance/optimizers.hpp"
#include "training.hpp"
#include "worker.hpp"

namespace tenon::conformance {
namespace {

const std::vector<Dims> kShapes = {{3, 5}, {}, {1}, {130}, {2, 0}};

struct ReleaseOptimizer {
  void operator()(tn_optimizer* o) const { tn_optimizer_release(o); }
};
struct ReleaseVariable {
  void operator()(tn_variable* v) const { tn_variable_release(v); }
};
using Optimizer = std::unique_ptr<tn_optimizer, ReleaseOptimizer>;
using Variable = std::unique_ptr<tn_variable, ReleaseVariable>;

tn_error* create(Session& s, const std::string& name, const Hypers& options, tn_optimizer** out) {
  std::vector<tn_option> list;
  for (const auto& [key, value] : options) list.push_back(tn_option_f64(key.c_str(), value));
  return tn_optimizer_create(s.ctx(), {name.data(), name.size()}, list.data(),
                             static_cast<uint32_t>(list.size()), out);
}
Optimizer make(Session& s, const std::string& name, const Hypers& options) {
  tn_optimizer* o = nullptr;
  check(create(s, name, options, &o));
  return Optimizer(o);
}

Array drawn(tn_dtype dtype, const Dims& dims, Rng& rng) {
  Array x(dtype, dims);
  for (int64_t k = 0; k < x.count(); ++k) x.set(k, rng.between(-1.5, 1.5));
  return x;
}

// Variables of the shapes above, with gradients that do not depend on them.
struct Problem {
  Session& s;
  tn_dtype dtype;
  Rng rng{77};
  std::vector<Variable> variables;
  std::vector<tn_variable*> raw;
  std::vector<Array> start;

  Problem(Session& session, tn_dtype t) : s(session), dtype(t) {
    for (size_t k = 0; k < kShapes.size(); ++k) start.push_back(drawn(t, kShapes[k], rng));
    set(start);
  }
  void set(const std::vector<Array>& values) {
    variables.clear();
    raw.clear();
    for (size_t k = 0; k < values.size(); ++k) {
      const Tensor value = s.upload(values[k]);
      const std::string name = "v" + std::to_string(k);
      tn_variable* v = nullptr;
      check(tn_variable_create(s.ctx(), {name.data(), name.size()}, value.get(), 0, &v));
      variables.emplace_back(v);
      raw.push_back(v);
    }
  }
  std::vector<Array> gradients() {
    std::vector<Array> g;
    for (const Dims& dims : kShapes) g.push_back(drawn(dtype, dims, rng));
    return g;
  }
  void step(tn_optimizer* o, const std::vector<Array>& gradients) {
    std::vector<Tensor> g;
    for (const Array& a : gradients) g.push_back(s.upload(a));
    check(tn_optimizer_step(s.ctx(), o, raw.data(), pointers(g).data(),
                            static_cast<uint32_t>(g.size())));
  }
  std::vector<Array> values() {
    std::vector<Array> out;
    for (tn_variable* v : raw) {
      tn_tensor* t = nullptr;
      check(tn_variable_take(s.ctx(), v, &t));
      out.push_back(s.read(Tensor(t).get()));
    }
    return out;
  }
};

double tolerance_of(tn_dtype dtype) {
  if (dtype == TN_DTYPE_F64) return 1e-11;
  if (dtype == TN_DTYPE_F32) return 2e-5;
  return dtype == TN_DTYPE_F16 ? 4e-3 : 3e-2;
}

void compare_values(const std::vector<Array>& got, const std::vector<std::vector<double>>& want,
                    double tolerance, const std::string& when) {
  for (size_t v = 0; v < want.size(); ++v)
    for (size_t k = 0; k < want[v].size(); ++k) {
      const double is = got[v].real(static_cast<int64_t>(k));
      expect(std::fabs(is - want[v][k]) <= tolerance * (1 + std::fabs(want[v][k])),
             "element " + std::to_string(k) + " of a parameter " + text_of(got[v].dims) + " is " +
                 std::to_string(is) + when,
             std::to_string(want[v][k]) + " within " + std::to_string(tolerance));
    }
}

// The formulas, rounded to the dtype after each step as the device does.
void follow(Session& s, const OptimizerCase& c, tn_dtype dtype) {
  constexpr int kSteps = 12;
  Problem p(s, dtype);
  const Optimizer o = make(s, c.name, c.options);
  std::vector<std::vector<double>> want;
  std::vector<std::vector<OptimizerOracle>> oracles;
  for (const Array& a : p.start) {
    want.push_back(a.f);
    oracles.emplace_back(a.f.size(), OptimizerOracle{c.all(), 0, 0, 0});
  }
  for (int step = 1; step <= kSteps; ++step) {
    const std::vector<Array> g = p.gradients();
    for (size_t v = 0; v < want.size(); ++v)
      for (size_t k = 0; k < want[v].size(); ++k) {
        oracles[v][k].t = step;
        want[v][k] = round_to(dtype, c.update(oracles[v][k], want[v][k], g[v].f[k]));
      }
    p.step(o.get(), g);
  }
  compare_values(p.values(), want, tolerance_of(dtype),
                 " after " + std::to_string(kSteps) + " steps");
}

std::string options_text(const Hypers& options) {
  std::string out;
  for (const auto& [key, value] : options) {
    char text[64];
    std::snprintf(text, sizeof text, "%s%s=%g", out.empty() ? " " : ",", key.c_str(), value);
    out += text;
  }
  return out;
}

std::vector<Array> in_dtype(std::vector<Array> arrays, tn_dtype dtype) {
  for (Array& a : arrays) a.dtype = dtype;
  return arrays;
}

constexpr int kSteps = 8;

// Parameters before and after some steps in `dtype`; they and the gradients are numbers of `drawn`, which `dtype` has as well.
struct Trajectory {
  std::vector<Array> start, end;
  Trajectory(Session& s, const std::string& name, const Hypers& options, tn_dtype dtype,
             tn_dtype drawn) {
    Problem source(s, drawn), p(s, dtype);
    start = in_dtype(source.start, dtype);
    p.set(start);
    const Optimizer o = make(s, name, options);
    for (int step = 0; step < kSteps; ++step) p.step(o.get(), in_dtype(source.gradients(), dtype));
    end = p.values();
  }
};

// Each step rounds the parameter.
void compare_ends(const Trajectory& got, const Trajectory& right, tn_dtype dtype,
                  const std::string& when) {
  std::vector<std::vector<double>> want;
  for (const Array& a : right.end) want.push_back(a.f);
  compare_values(got.end, want, kSteps * tolerance_of(dtype), when);
}

// Whether it is f64 that is wrong: then what it should be.
void judge_f64(Session& s, const std::string& name, const Hypers& options) {
  const std::vector<tn_dtype> all = {TN_DTYPE_F64, TN_DTYPE_F32, TN_DTYPE_F16, TN_DTYPE_BF16};
  std::vector<Trajectory> ends;
  for (const tn_dtype t : all) ends.emplace_back(s, name, options, t, TN_DTYPE_BF16);
  const auto compared = [&](size_t a, size_t b) { compare_ends(ends[b], ends[a], all[b], ""); };
  const auto disagree = [&](size_t a, size_t b) {
    try {
      compared(a, b);
      return false;
    } catch (const Wrong&) {
      return true;
    }
  };
  if (odd_one(all.size(), disagree) != 0) return;
  try {
    compare_ends(ends[0], ends[1], TN_DTYPE_F32, " in f64");
  } catch (const Wrong& w) {
    throw WrongInF64(w.found, w.expected + ", as in f32, f16 and bf16",
                     "look for what the update does in f64 only: a constant, a branch by dtype");
  }
}

// An optimizer that the kit does not know: f64 is the judge of the other dtypes, unless they all agree against it.
void agree(Session& s, const std::string& name, const Hypers& options, tn_dtype dtype) {
  const Trajectory exact(s, name, options, TN_DTYPE_F64, dtype),
      got(s, name, options, dtype, dtype);
  bool moved = false;
  for (size_t v = 0; v < exact.end.size(); ++v) {
    for (const double x : exact.end[v].f)
      expect(std::isfinite(x), "it gives NaN or infinity", "numbers");
    moved |= exact.end[v].f != exact.start[v].f;
  }
  expect(moved, "no parameter changes in " + std::to_string(kSteps) + " steps", "an update");
  try {
    compare_ends(got, exact, dtype, ", otherwise than in f64");
  } catch (const Wrong&) {
    judge_f64(s, name, options);
    throw;
  }
}

// What the plugin's table says of an optimizer.
struct Definition {
  std::vector<tn_hyper> hypers;
  std::vector<std::string> names;  // of the hypers
  std::vector<std::string> slots;
  std::vector<double> initial, variable, constant;
  std::string fused;
};

Definition definition_of(const std::string& plugin, const std::string& name) {
  const Library library(plugin);
  const tn_optimizer_vtbl* t = library.optimizers();
  for (uint32_t k = 0; t && k < t->optimizer_count; ++k) {
    const tn_optimizer_def& o = *entry(t->optimizers, t->optimizer_stride, k);
    if (text_of(o.name) != name) continue;
    Definition d;
    for (uint32_t i = 0; i < o.n_slots; ++i) {
      d.slots.push_back(text_of(o.slots[i].name));
      d.initial.push_back(o.slots[i].initial);
    }
    for (uint32_t i = 0; i < o.n_hypers; ++i) {
      (o.hypers[i].constant ? d.constant : d.variable).push_back(o.hypers[i].value);
      d.hypers.push_back(o.hypers[i]);
      d.names.push_back(text_of(o.hypers[i].name));
    }
    d.fused = text_of(o.fused_op);
    return d;
  }
  throw Wrong("no optimizer " + name + " in its table", "the one that it provides");
}

// Other values than the default, within the range: half and twice of it; of 0, and of a switch, one not far from it.
std::vector<double> others_of(const tn_hyper& h) {
  std::vector<double> out;
  const double least = std::max(h.min, -1e3), most = std::min(h.max, 1e3);
  const auto add = [&](double v) {
    if (v != h.value && v >= h.min && v <= h.max) out.push_back(v);
  };
  if (h.value == 0) {
    if (h.constant || least == 0) add(std::min(h.constant ? 1.0 : 0.1, most));
    if (least < 0) add(std::max(-0.1, least));
  } else {
    add(h.value / 2 >= least ? h.value / 2 : (h.value + least) / 2);
    add(h.value * 2 <= most ? h.value * 2 : (h.value + most) / 2);
    if (h.constant && h.value == 1) add(0);
  }
  return out;
}

// The parameters after some steps in f64.
std::vector<Array> after_steps(Session& s, const std::string& name, const Hypers& options) {
  return Trajectory(s, name, options, TN_DTYPE_F64, TN_DTYPE_F64).end;
}

bool same_bits(const std::vector<Array>& a, const std::vector<Array>& b) {
  for (size_t k = 0; k < a.size(); ++k)
    if (encode(a[k]) != encode(b[k])) return false;
  return true;
}

// A hyper-parameter that changes nothing, neither by itself nor with the others away from their defaults.
void check_effect(Session& s, const std::string& name, const Definition& d, size_t k) {
  const std::vector<double> values = others_of(d.hypers[k]);
  if (values.empty()) throw Unsupported("its range leaves no other value than the default");
  Hypers one, others;
  for (size_t i = 0; i < d.hypers.size(); ++i)
    if (const std::vector<double> v = others_of(d.hypers[i]); i != k && !v.empty())
      others[d.names[i]] = v[0];
  Hypers all = others;
  one[d.names[k]] = all[d.names[k]] = values[0];
  if (same_bits(after_steps(s, name, {}), after_steps(s, name, one)) &&
      same_bits(after_steps(s, name, others), after_steps(s, name, all)))
    throw Wrong(
        options_text(one).substr(1) + " gives the same parameters after 8 steps as the default",
        "that a hyper-parameter changes something",
        "is it read, and from its place? The inputs of an update are: parameter, gradient, "
        "slots, step, then the hyper-parameters in their order");
}

void run_own(Worker& w, const std::string& name, Reporter& r) {
  Session& s = w.get_session();
  const Definition d = definition_of(w.plugin, name);
  const auto all = [&](const Hypers& options) {
    bool said = false;
    for (const tn_dtype t : {TN_DTYPE_F32, TN_DTYPE_F16, TN_DTYPE_BF16}) {
      const std::string where = name_of(t) + options_text(options);
      r.attempt(where, [&] {
        try {
          told([&] { agree(s, name, options, t); });
        } catch (const WrongInF64& wrong) {
          if (!std::exchange(said, true))
            r.attempt("f64" + options_text(options), [&] { throw wrong; });
          r.pass(where);
        }
      });
    }
  };
  all({});
  for (size_t k = 0; k < d.hypers.size(); ++k) {
    for (const double v : others_of(d.hypers[k])) all({{d.names[k], v}});
    r.attempt(d.names[k], [&] { check_effect(s, name, d, k); });
  }
}

// What a sample of the plugin says.
void check_sample(Session& s, const std::string& name, const OptimizerSample& sample) {
  const Dims dims = {static_cast<int64_t>(sample.parameter.size())};
  const auto array = [&](const std::vector<double>& from) {
    Array a(TN_DTYPE_F32, dims);
    for (size_t k = 0; k < from.size(); ++k) a.set(static_cast<int64_t>(k), from[k]);
    return a;
  };
  Problem p(s, TN_DTYPE_F32);
  p.set({array(sample.parameter)});
  const Optimizer o = make(s, name, sample.options);
  for (const std::vector<double>& g : sample.gradients) p.step(o.get(), {array(g)});
  compare_values(p.values(), {sample.gives}, tolerance_of(TN_DTYPE_F32),
                 " after the steps of " + sample.name);
}

void run_values(Worker& w, const std::string& name, bool own, Reporter& r) {
  std::vector<Misread> misread;
  if (own) {
    const std::vector<std::string> names = definition_of(w.plugin, name).names;
    for (const OptimizerSample& sample : optimizer_samples_of(w.plugin, name, names, &misread))
      r.attempt(sample.name, [&] { told([&] { check_sample(w.get_session(), name, sample); }); });
  }
  for (const Misread& m : misread) r.attempt(m.where, [&] { throw m.wrong; });
  bool known = false;
  for (const OptimizerCase& c : optimizer_cases()) {
    if (c.name != name) continue;
    known = true;
    for (const tn_dtype t : kFloats)
      r.attempt(name_of(t) + options_text(c.options), [&] { follow(w.get_session(), c, t); });
  }
  if (!known) run_own(w, name, r);
}

// ---- state

using State = std::map<std::string, Array>;

State state_of(Session& s, tn_optimizer* o) {
  State out;
  uint32_t n = 0;
  check(tn_optimizer_state_count(o, &n));
  for (uint32_t k = 0; k < n; ++k) {
    tn_str name{};
    tn_tensor* t = nullptr;
    check(tn_optimizer_state_take(s.ctx(), o, k, &name, &t));
    const Tensor owner(t);
    const std::string text = text_of(name);
    expect(out.emplace(text, s.read(t)).second, "two entries named " + text, "a name for each");
  }
  return out;
}

void run_state(Session& s, const std::string& name, Reporter&) {
  Problem straight(s, TN_DTYPE_F32);
  const Optimizer o = make(s, name, {});
  for (int k = 0; k < 3; ++k) straight.step(o.get(), straight.gradients());
  const State saved = state_of(s, o.get());
  expect(saved.count("step") == 1 && saved.at("step").integer(0) == 3, "no entry step of 3",
         "the number of updates");
  const std::vector<Array> middle = straight.values();
  std::vector<std::vector<Array>> later;
  for (int k = 0; k < 3; ++k) later.push_back(straight.gradients());
  for (const auto& g : later) straight.step(o.get(), g);

  Problem resumed(s, TN_DTYPE_F32);
  resumed.set(middle);
  const Optimizer fresh = make(s, name, {});
  for (const auto& [entry_name, value] : saved) {
    const Tensor t = s.upload(value);
    check(tn_optimizer_state_set(s.ctx(), fresh.get(), {entry_name.data(), entry_name.size()},
                                 t.get()));
  }
  for (const auto& g : later) resumed.step(fresh.get(), g);
  expect(same_bits(resumed.values(), straight.values()),
         "saved by name after 3 steps and set again, it goes on to other parameters",
         "the same bits as without the stop: every slot is part of the state");
  const State first = state_of(s, o.get()), second = state_of(s, fresh.get());
  for (const auto& [entry_name, value] : first)
    expect(second.count(entry_name) == 1 && encode(second.at(entry_name)) == encode(value),
           "the state " + entry_name + " is other than without the stop", "the same bits");
}

// ---- the fused op

// One call of the fused op for all parameters.
std::vector<Tensor> fused_step(Session& s, tn_op which, const Definition& d, int step,
                               const std::vector<Tensor>& state, const std::vector<Array>& g) {
  std::vector<Tensor> made;
  std::vector<tn_tensor*> in;
  const auto scalar = [&](double value) {
    Array a(TN_DTYPE_F32, {});
    a.set(0, value);
    made.push_back(s.upload(a));
    in.push_back(made.back().get());
  };
  scalar(step);
  for (const double v : d.variable) scalar(v);
  const size_t each = 1 + d.slots.size();
  for (size_t v = 0; v < g.size(); ++v) {
    in.push_back(state[v * each].get());
    made.push_back(s.upload(g[v]));
    in.push_back(made.back().get());
    for (size_t k = 1; k < each; ++k) in.push_back(state[v * each + k].get());
  }
  std::vector<Attr> attrs;
  for (size_t k = 0; k < d.constant.size(); ++k)
    attrs.push_back(number(static_cast<uint32_t>(k), d.constant[k]));
  return s.call(which, in, Attrs(attrs));
}

void run_fused(Worker& w, const std::string& name, Reporter&) {
  const Definition d = definition_of(w.plugin, name);
  Session& s = w.get_session();
  tn_op which = 0;
  check(tn_op_find(w.get_runtime(), {d.fused.data(), d.fused.size()}, 0, &which));
  Problem p(s, TN_DTYPE_F32);
  const Optimizer o = make(s, name, {});
  std::vector<Tensor> state;
  for (const Array& a : p.start) {
    state.push_back(s.upload(a));
    for (const double initial : d.initial) {
      Array slot(TN_DTYPE_F32, a.dims);
      for (int64_t k = 0; k < slot.count(); ++k) slot.set(k, initial);
      state.push_back(s.upload(slot));
    }
  }
  for (int step = 1; step <= 5; ++step) {
    const std::vector<Array> g = p.gradients();
    p.step(o.get(), g);
    state = fused_step(s, which, d, step, state, g);
  }
  const size_t each = 1 + d.slots.size();
  expect(state.size() == each * p.start.size(),
         d.fused + " gives " + std::to_string(state.size()) + " outputs",
         "the parameter and the slots, for each parameter");
  std::vector<std::vector<double>> want;
  std::vector<Array> got;
  for (const Array& a : p.values()) want.push_back(a.f);
  for (size_t v = 0; v < want.size(); ++v) got.push_back(s.read(state[v * each].get()));
  compare_values(got, want, 2e-5, " after 5 calls of " + d.fused);
  const State slots = state_of(s, o.get());
  for (size_t v = 0; v < want.size(); ++v)
    for (size_t k = 0; k < d.slots.size(); ++k) {
      const Array is = s.read(state[v * each + 1 + k].get());
      const Array& right = slots.at("v" + std::to_string(v) + "." + d.slots[k]);
      for (int64_t i = 0; i < right.count(); ++i)
        expect(std::fabs(is.real(i) - right.real(i)) <= 2e-5 * (1 + std::fabs(right.real(i))),
               "slot " + d.slots[k] + " after 5 calls of " + d.fused + " is " +
                   std::to_string(is.real(i)),
               std::to_string(right.real(i)) + ", as by the recipe");
    }
}

// ---- what the table declares

void check_declaration(const Library& library, const tn_optimizer_def& o) {
  const std::string name = text_of(o.name);
  std::map<std::string, int> names;
  for (uint32_t k = 0; k < o.n_hypers; ++k) {
    const tn_hyper& h = o.hypers[k];
    const std::string hyper = text_of(h.name);
    expect(!hyper.empty() && ++names[hyper] == 1,
           name + ": a hyper-parameter without a name of its own", "a name for each");
    expect(h.min <= h.value && h.value <= h.max,
           name + ": the default of " + hyper + " is " + std::to_string(h.value),
           "one between its min and its max");
    expect(h.constant <= 1 && h.reserved == 0, name + ": " + hyper + " has odd flags", "0 or 1");
  }
  names.clear();
  for (uint32_t k = 0; k < o.n_slots; ++k) {
    const std::string slot = text_of(o.slots[k].name);
    expect(!slot.empty() && slot.find('.') == std::string::npos && ++names[slot] == 1,
           name + ": the slot \"" + slot + "\"", "a name of its own, without dots");
    expect(std::isfinite(o.slots[k].initial), name + ": slot " + slot + " begins with no number",
           "a number");
  }
  const std::string fused = text_of(o.fused_op);
  const tn_ops_vtbl* ops = library.ops();
  bool found = fused.empty();
  for (uint32_t k = 0; ops && k < ops->op_count; ++k)
    found |= text_of(entry(ops->ops, ops->op_stride, k)->name) == fused;
  expect(found, name + ": the fused op " + fused + " is not among its ops",
         "an op in tenon.ops of the same plugin");
}

void check_declarations(const Profile& p, Reporter& r) {
  const Library library(p.path);
  const tn_optimizer_vtbl* t = library.optimizers();
  for (uint32_t k = 0; k < t->optimizer_count; ++k) {
    const tn_optimizer_def& o = *entry(t->optimizers, t->optimizer_stride, k);
    r.attempt(text_of(o.name), [&] { check_declaration(library, o); });
  }
  r.attempt("samples", [&] { check_sampled(p); });
}

void run_options(Worker& w, const std::string& name, Reporter&) {
  Session& s = w.get_session();
  const Library library(w.plugin);
  const tn_optimizer_vtbl* t = library.optimizers();
  for (uint32_t k = 0; k < t->optimizer_count; ++k) {
    const tn_optimizer_def& o = *entry(t->optimizers, t->optimizer_stride, k);
    if (text_of(o.name) != name) continue;
    for (uint32_t i = 0; i < o.n_hypers; ++i) {
      const tn_hyper& h = o.hypers[i];
      for (const double value : {h.min, h.max}) make(s, name, {{text_of(h.name), value}});
      tn_optimizer* out = nullptr;
      tn_error* e = create(s, name, {{text_of(h.name), h.min - 1 - std::fabs(h.min)}}, &out);
      const tn_code code = tn_error_code(e);
      tn_error_release(e);
      tn_optimizer_release(out);
      expect(code == TN_INVALID_ARGUMENT, text_of(h.name) + " below its min is taken",
             "INVALID_ARGUMENT");
    }
  }
}

// Which other plugin a program gets that asks for this name, "" if it is this one. Which were loaded says it: making an optimizer
// opens whoever has it.
std::string taken_by(Worker& w, const std::string& name) {
  const RuntimeOwner runtime = make_runtime(w.plugin);
  Session session(runtime.get(), w.device);
  const auto loaded = [&] {
    std::vector<std::string> out;
    uint32_t n = 0;
    check(tn_plugin_count(runtime.get(), &n));
    for (uint32_t k = 0; k < n; ++k) {
      tn_plugin_record record = tn_plugin_record_init();
      check(tn_plugin_get_record(runtime.get(), k, &record));
      if (record.verdict == TN_PLUGIN_LOADED)
        out.push_back(text_of(record.id) + " (" + text_of(record.path) + ")");
    }
    return out;
  };
  const std::vector<std::string> before = loaded();
  make(session, name, {});
  for (const std::string& plugin : loaded())
    if (std::count(before.begin(), before.end(), plugin) == 0) return plugin;
  return "";
}

void check_own(Worker& w, const std::string& name) {
  const std::string other = taken_by(w, name);
  if (other.empty()) return;
  throw Wrong(
      "the name " + name + " is taken by " + other +
          ": a program that asks for it never gets the one of this plugin",
      "a name of its own",
      "choose another name, or a \"priority\" in the manifest above that plugin's (those of "
      "Tenon have 100)");
}

// Steps by a program whose inputs are the gradients, against the same steps by calls.
void run_program_steps(Session& s, const std::string& name, bool exact, Reporter& r) {
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_F16})
    r.attempt(name_of(dtype), [&] {
      Problem called(s, dtype), captured(s, dtype);
      const Optimizer one = make(s, name, {}), other = make(s, name, {});
      std::vector<ProgramInput> inputs;
      for (const Dims& dims : kShapes) inputs.push_back({dtype, dims});
      const Program program =
          record_program(s, inputs, [&](const std::vector<tn_tensor*>& gradients) {
            check(tn_optimizer_step(s.ctx(), other.get(), captured.raw.data(), gradients.data(),
                                    static_cast<uint32_t>(gradients.size())));
            return std::vector<Tensor>();
          });
      for (int step = 1; step <= kSteps; ++step) {
        const std::vector<Array> gradients = called.gradients();
        called.step(one.get(), gradients);
        std::vector<Tensor> g;
        for (const Array& a : gradients) g.push_back(s.upload(a));
        run_program(s, program, pointers(g));
        const std::string when = " after " + std::to_string(step) + " runs of the captured step";
        const std::vector<Array> want = called.values(), got = captured.values();
        std::vector<std::vector<double>> numbers;
        for (const Array& a : want) numbers.push_back(a.f);
        compare_values(got, numbers, kSteps * tolerance_of(dtype), when);
        expect(!exact || same_bits(got, want), "a parameter has other bits" + when,
               "those of the same steps by calls");
      }
    });
}

constexpr const char* kProgramAdvice =
    "whatever an update needs of earlier steps must be in its slots: a program runs the recorded "
    "ops again and nothing else";
constexpr const char* kAdvice = "follow one element by hand through the first two steps";
constexpr const char* kStateAdvice =
    "whatever an update needs of earlier steps must be in its slots, and each slot must be set";
constexpr const char* kFusedAdvice =
    "the op of fused_op must do for each parameter what the update does";
constexpr const char* kOptionsAdvice = "correct the ranges in the list of hyper-parameters";

}  // namespace

std::vector<Unit> optimizer_units(const Profile& profile, const std::shared_ptr<Worker>& worker) {
  std::vector<std::string> names = profile.optimizers;
  const bool own = !names.empty();
  if (!own) names = {"sgd", "adam", "adamw", "rmsprop", "adagrad"};
  std::vector<Unit> units;
  for (const std::string& name : names) {
    const auto add = [&](const char* group, const char* advice, auto body, int level = 3) {
      Unit u;
      u.check = group + name, u.level = level, u.advice = advice, u.alone = false;
      u.body = [worker, name, own, body](Reporter& r) {
        if (!own) {  // a backend is judged with what is installed beside it
          tn_optimizer* o = nullptr;
          tn_error* e = create(worker->get_session(), name, {}, &o);
          const tn_code code = tn_error_code(e);
          tn_error_release(e);
          tn_optimizer_release(o);
          if (code == TN_NOT_FOUND)
            throw Unsupported("no plugin here brings the optimizer " + name);
        }
        told([&] { body(*worker, name, r); });
      };
      units.push_back(std::move(u));
    };
    add("optimizer.", kAdvice, [own](Worker& w, const std::string& n, Reporter& r) {
      if (own) check_own(w, n);
      run_values(w, n, own, r);
    });
    const auto add_own = [&](const char* group, const char* advice, auto body, int level = 3) {
      add(
          group, advice,
          [own, body](Worker& w, const std::string& n, Reporter& r) {
            if (own && !taken_by(w, n).empty())
              throw Unsupported("the name is taken: see optimizer." + n);
            body(w, n, r);
          },
          level);
    };
    add_own("optimizer_state.", kStateAdvice,
            [](Worker& w, const std::string& n, Reporter& r) { run_state(w.get_session(), n, r); });
    const bool exact = !has_compiler(profile);
    add_own(
        "optimizer_captured.", kProgramAdvice,
        [exact](Worker& w, const std::string& n, Reporter& r) {
          run_program_steps(w.get_session(), n, exact, r);
        },
        4);
    if (!own) continue;
    const auto at = static_cast<size_t>(&name - names.data());
    if (!profile.fused_ops[at].empty()) add_own("optimizer_fused.", kFusedAdvice, run_fused);
    add_own("optimizer_options.", kOptionsAdvice, run_options);
  }
  return units;
}

const std::vector<Check> kOptimizerChecks = {
    {"optimizer_declaration", 1, Kind::optimizer, "names, defaults within their ranges, slots",
     "correct the table", check_declarations},
    {"optimizer.NAME", 3, Kind::optimizer,
     "steps against the formulas (or f64, where the kit has none), with other hyper-parameters "
     "than the "
     "defaults; of a backend with those found",
     kAdvice, nullptr},
    {"optimizer_state.NAME", 3, Kind::optimizer,
     "state saved by name goes on as if nothing had been", kStateAdvice, nullptr},
    {"optimizer_captured.NAME", 4, Kind::optimizer,
     "a captured step, run again and again, does what the step by calls does", kProgramAdvice,
     nullptr},
    {"optimizer_fused.NAME", 3, Kind::optimizer, "the fused op does what the recipe does",
     kFusedAdvice, nullptr},
    {"optimizer_options.NAME", 3, Kind::optimizer, "hyper-parameters are taken up to their bounds",
     kOptionsAdvice, nullptr},
};

}  // namespace tenon::conformance
