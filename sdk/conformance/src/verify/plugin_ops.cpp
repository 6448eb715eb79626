// The ops that a plugin brings: their table, their rules, which are held against themselves, and the list of their checks.
#include <algorithm>
#include <bit>

#include "plugin_op.hpp"
#include "training.hpp"

namespace tenon::conformance {
namespace {

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

// What the rule says with these bits in attribute `key`, its tag as declared.
RuleResult rule_with(const tn_op_def& op, const OpCall& call, uint32_t key, uint64_t bits) {
  tn_attr raw = op.attrs[key].fallback;
  raw.key = key, raw.bits = bits;
  try {
    return infer_call(op, call, false, &raw);
  } catch (const Wrong& w) {
    return {TN_INTERNAL, w.found, {}};
  }
}

// Whether it says otherwise to some of these, in other words apart.
bool varies(const tn_op_def& op, const OpCall& call, uint32_t key,
            const std::vector<uint64_t>& bits) {
  const RuleResult first = rule_with(op, call, key, bits[0]);
  return std::any_of(bits.begin(), bits.end(), [&](uint64_t b) {
    const RuleResult r = rule_with(op, call, key, b);
    return r.code != first.code || r.outputs != first.outputs;
  });
}

// Whether a refusal of these shows them as an f64 would be shown, or as a whole number.
bool shows_double(const tn_op_def& op, const OpCall& call, uint32_t key) {
  const auto shows = [&](uint64_t bits, const char* text) {
    return rule_with(op, call, key, bits).message.find(text) != std::string::npos;
  };
  return (shows(~uint64_t{0}, "nan") && !shows(1, "nan")) || shows(3, "e-323") || shows(7, "e-323");
}
bool shows_whole(const tn_op_def& op, const OpCall& call, uint32_t key) {
  return std::ranges::any_of(std::vector<double>{-3.5, -1, 0.5, 4, 1e9}, [&](double x) {
    const auto bits = std::bit_cast<uint64_t>(x);
    const std::string text = rule_with(op, call, key, bits).message;
    return text.find(std::to_string(static_cast<int64_t>(bits))) != std::string::npos;
  });
}

// An attribute that a rule reads as another type than its own gives itself away by what it heeds, or shows. As doubles the whole numbers
// from 1 are all next to 0: a rule that tells them apart reads no f64. And one that tells 0.25 from 10^6, as whole numbers both beyond
// 4 * 10^18, but not 1 from 2^20, reads no i64.
std::string misread_attribute(const tn_op_def& op, uint32_t key,
                              const std::vector<OpCall>& candidates) {
  static const std::vector<uint64_t> kWhole = {1, 2, 3, 4, 5, 7, 16, 100, 1000, 1 << 20};
  static const std::vector<uint64_t> kDoubles = [] {
    std::vector<uint64_t> all;
    for (const double x : {0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 10.0, 100.0, 1e4, 1e6})
      all.push_back(std::bit_cast<uint64_t>(x));
    return all;
  }();
  const bool f64 = op.attrs[key].fallback.tag == TN_ATTR_F64;
  for (const OpCall& call : candidates)
    if (f64 ? varies(op, call, key, kWhole) || shows_whole(op, call, key)
            : shows_double(op, call, key) ||
                  (!varies(op, call, key, kWhole) && varies(op, call, key, kDoubles)))
      return f64                                          ? "an f64, as a whole number (its bits)"
             : op.attrs[key].fallback.tag == TN_ATTR_BOOL ? "a bool, as an f64"
                                                          : "an i64, as an f64";
  return "";
}

void check_types(const Subject& s, Reporter& r) {
  const std::vector<OpCall> candidates = candidates_of(s.def, s.samples);
  for (uint32_t key = 0; key < s.def.n_attrs; ++key) {
    const uint32_t tag = s.def.attrs[key].fallback.tag;
    if (tag != TN_ATTR_F64 && tag != TN_ATTR_I64 && tag != TN_ATTR_BOOL) continue;
    std::string how;
    try {  // numbers beyond all bounds may be too much for a rule
      how = in_child([&] { return misread_attribute(s.def, key, candidates); }, 5);
    } catch (const Wrong&) {
      continue;
    }
    const std::string name = text_of(s.def.attrs[key].name);
    r.attempt("attribute " + name, [&] {
      if (!how.empty())
        throw Wrong("its rule reads attribute \"" + name + "\", " + how,
                    "that it reads each attribute as what its default is",
                    tag == TN_ATTR_F64
                        ? "tn_attr_get_f64(c->v->attr(c, " + std::to_string(key) + "))"
                        : "c->v->attr(c, " + std::to_string(key) + ")->bits");
    });
  }
}

void check_rule(const Subject& s, Worker&, Reporter& r) {
  check_types(s, r);
  for (const OpCall& call : s.calls)
    r.attempt(case_of(s, call, false), [&] { check_outputs(s, call); });
  if (s.calls.empty()) r.unsupported(s.why_none());
  for (const Misread& m : s.misread) r.attempt(m.where, [&] { throw m.wrong; });
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
constexpr const char* kSecondAdvice =
    "the gradient recipe is differentiated in its turn: what it computes from inputs must get "
    "there "
    "by ops that have gradients, not by a rounding, a comparison or integers";

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
    add("op_gradient2.", 3, kSecondAdvice, run_second_gradient);
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
     "its values in each dtype against the others and its samples, twice the same bits, to the "
     "precision of the dtype; that it ran at all",
     kValueAdvice, nullptr},
    {"op_gradient.NAME", 3, Kind::op, "its gradient against finite differences of itself",
     kGradientAdvice, nullptr},
    {"op_gradient2.NAME", 3, Kind::op, "the gradient of its gradient", kSecondAdvice, nullptr},
};

}  // namespace tenon::conformance
