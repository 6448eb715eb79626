// Values of a plugin's op. The kit has no oracle: they are held against those in other dtypes, and what the plugin's samples say.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "odd_one.hpp"
#include "plugin_op.hpp"
#include "tenon/conformance/compare.hpp"

namespace tenon::conformance {
namespace {

// The call in `dtype` throughout.
OpCall in_dtype(OpCall call, tn_dtype dtype) {
  for (RuleInput& i : call.inputs)
    if (!i.absent && is_float(i.dtype)) i.dtype = dtype;
  call.dtype = dtype;
  return call;
}
std::vector<Array> in_dtype(std::vector<Array> inputs, tn_dtype dtype) {
  for (Array& x : inputs)
    if (is_float(x.dtype)) x.dtype = dtype;
  return inputs;
}

// Of a few roundings in a row, relative to the greatest element.
double tolerance_of(tn_dtype dtype) {
  const bool half = dtype == TN_DTYPE_F16 || dtype == TN_DTYPE_BF16;
  return (half ? 16 : 64) * epsilon(dtype);
}

// Where y, in whichever dtypes, is not as `right` is; "" where it is.
std::string difference(const std::vector<Array>& right, const std::vector<Array>& y,
                       double tolerance) {
  for (size_t k = 0; k < y.size() && k < right.size(); ++k) {
    if (!y[k].floating() || right[k].f.size() != y[k].f.size()) continue;
    Array want = y[k];
    want.f = right[k].f;
    const std::string fault = compare_gradient(want, y[k], tolerance);
    if (!fault.empty()) return "output " + std::to_string(k) + " " + fault;
  }
  return "";
}

// The call in each floating dtype that the rule takes, of inputs that all of them hold.
class Council {
 public:
  Council(const Op& op, const OpCall& call) {
    std::vector<Array> x = arrays_of(call, 5);
    for (Array& a : x)
      for (double& v : a.f) v = round_to(TN_DTYPE_BF16, v);
    for (const Array& a : x)
      for (const double v : a.f)
        if (v != round_to(TN_DTYPE_F16, v)) return;
    for (const tn_dtype t : {TN_DTYPE_F64, TN_DTYPE_F32, TN_DTYPE_F16, TN_DTYPE_BF16}) {
      const OpCall c = in_dtype(call, t);
      if (infer_call(op.def, c, false).code != TN_OK) continue;
      try {
        members_.push_back({t, op.values(c, in_dtype(x, t))});
      } catch (const Fault&) {  // it says nothing
      }
    }
  }

  // NONE where that cannot be said.
  tn_dtype odd() const {
    const int at = odd_one(members_.size(), [&](size_t a, size_t b) { return disagree(a, b); });
    return at < 0 ? TN_DTYPE_NONE : members_[static_cast<size_t>(at)].dtype;
  }
  // How the odd one differs from the one of the others that has most digits: the first of them.
  std::string fault_of(tn_dtype odd) const {
    const Member *wrong = nullptr, *right = nullptr;
    for (const Member& m : members_)
      if (m.dtype == odd)
        wrong = &m;
      else if (!right)
        right = &m;
    return difference(right->y, wrong->y, tolerance_of(right->dtype));
  }
  std::string others(tn_dtype odd) const {
    std::string out;
    for (const Member& m : members_)
      if (m.dtype != odd) out += (out.empty() ? "" : ", ") + name_of(m.dtype);
    return out;
  }

 private:
  struct Member {
    tn_dtype dtype;
    std::vector<Array> y;
  };
  bool disagree(size_t a, size_t b) const {
    const double tolerance =
        std::max(tolerance_of(members_[a].dtype), tolerance_of(members_[b].dtype));
    return !difference(members_[a].y, members_[b].y, tolerance).empty();
  }
  std::vector<Member> members_;  // those with more digits first
};

void compare_with_f64(const Op& op, const OpCall& call, const std::vector<Array>& x,
                      const std::vector<Array>& got) {
  const OpCall wide = in_dtype(call, TN_DTYPE_F64);
  if (infer_call(op.def, wide, false).code != TN_OK) return;
  const std::string fault =
      difference(op.values(wide, in_dtype(x, TN_DTYPE_F64)), got, tolerance_of(call.dtype));
  if (fault.empty()) return;
  const Council council(op, call);
  const tn_dtype odd = council.odd();
  if (odd == TN_DTYPE_F64)
    throw WrongInF64(council.fault_of(odd), "what " + council.others(odd) + " agree on",
                     "look for what the rule or the recipe does in f64 only: a constant, a branch "
                     "by dtype, a kernel of the device");
  if (odd == TN_DTYPE_NONE)
    throw Wrong(fault, "the values of f64, rounded",
                "one of the two is wrong: look at the decomposition, constants and casts in f32 "
                "and half formats, branches by dtype");
  expect(false, fault, "the values of f64, rounded");
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

// x, each element moved by up to `part` of itself, at least by half of that.
std::vector<Array> moved(std::vector<Array> x, double part) {
  Rng rng(21);
  for (Array& a : x)
    for (double& v : a.f) {
      const double by = rng.between(0.5, 1) * part;
      v = round_to(a.dtype, v * (rng.between(-1, 1) < 0 ? 1 - by : 1 + by));
    }
  return x;
}

// Whether results of these calls are all multiples of one step, as coarse among the small ones as among the large ones. What is rounded
// to a dtype has finer steps where it is small.
bool evenly_spaced(const Op& op, const std::vector<OpCall>& calls) {
  std::map<int, std::set<double>> by_exponent;
  size_t n = 0;
  for (uint64_t seed = 100; seed < 200 && n < 3000; ++seed)
    for (const OpCall& call : calls)
      for (const Array& y : op.values(call, arrays_of(call, seed)))
        for (const double v : y.f)
          if (std::isfinite(v) && v != 0)
            n += by_exponent[std::ilogb(v)].insert(std::fabs(v)).second;
  double least = HUGE_VAL, most = 0;
  size_t groups = 0;
  for (const auto& [exponent, group] : by_exponent) {
    if (group.size() < 16) continue;
    double gap = HUGE_VAL;
    for (auto v = group.begin(); std::next(v) != group.end(); ++v)
      gap = std::min(gap, *std::next(v) - *v);
    least = std::min(least, gap), most = std::max(most, gap), ++groups;
  }
  const auto multiples = [&](const auto& group) {
    return std::all_of(group.second.begin(), group.second.end(), [&](double v) {
      return std::fabs(std::remainder(v, least)) < 1e-3 * least;
    });
  };
  return groups > 1 && most < 1.5 * least &&
         std::all_of(by_exponent.begin(), by_exponent.end(), multiples);
}

// Fewer digits than the dtype has: all results stay as they are while the inputs move within the digits that are lost, and change
// once they move further. An op that gives whole numbers, few values or even steps does the like: it is not looked at.
void check_resolution(const Op& op, Reporter& r) {
  const auto in = [](tn_dtype t) {
    return [t](const OpCall& c) {
      const bool all = std::all_of(c.inputs.begin(), c.inputs.end(), [t](const RuleInput& i) {
        return i.absent || !is_float(i.dtype) || i.dtype == t;
      });
      return all && c.dtype == t && c.floating() && c.values.empty();
    };
  };
  const std::vector<OpCall>& calls = op.subject.calls;
  const bool f64 = std::any_of(calls.begin(), calls.end(), in(TN_DTYPE_F64));
  const tn_dtype dtype = f64 ? TN_DTYPE_F64 : TN_DTYPE_F32;
  // Within the digits that f32 lacks (of f32: within few of its units), and beyond a unit of f32, f16 and bf16.
  const double parts[] = {f64 ? 0x1p-40 : 0x1p-19, 0x1p-20, 0x1p-9, 0x1p-5};
  size_t tried = 0, changed[4] = {};
  std::vector<OpCall> ran;
  int left = 12;
  for (const OpCall& call : calls) {
    if (!in(dtype)(call) || left-- <= 0) continue;
    try {
      const std::vector<Array> x = arrays_of(call, 17), y = op.values(call, x);
      std::vector<std::vector<Array>> near;
      for (const double part : parts) near.push_back(op.values(call, moved(x, part)));
      ran.push_back(call);
      for (size_t k = 0; k < y.size(); ++k)
        for (size_t e = 0; y[k].dtype == dtype && e < y[k].f.size(); ++e) {
          const double v = y[k].f[e];
          if (!std::isfinite(v) || v == std::trunc(v)) continue;
          ++tried;
          for (size_t p = 0; p < 4; ++p)
            changed[p] += k < near[p].size() && e < near[p][k].f.size() && near[p][k].f[e] != v;
        }
    } catch (const Fault&) {  // op_value says it of the call itself
    }
  }
  if (tried < 20 || changed[3] * 10 < tried * 6) return;
  const bool coarse = changed[0] * 20 < changed[3] && !evenly_spaced(op, ran);
  CheckResult as;
  as.where = "precision in " + name_of(dtype), as.op = op.subject.name(), as.dtype = name_of(dtype);
  r.attempt(as, [&] {
    const auto most = [&](size_t p) { return changed[p] * 10 > changed[3] * 9; };
    if (coarse)
      throw Wrong(std::to_string(tried - changed[0]) + " of " + std::to_string(tried) +
                      " results stay the same where the inputs change in digits that " +
                      name_of(dtype) + " has: it computes with those of " +
                      (f64 && most(1) ? "f32"
                       : most(2)      ? "f16"
                                      : "bf16"),
                  "the precision of " + name_of(dtype),
                  "look for casts and constants in the recipe; what should be rounded so is to be "
                  "listed as expected (--expected-fail)");
    r.add(as);
  });
}

}  // namespace

void run_values(const Subject& s, Worker& w, Reporter& r) {
  const Op op(w, s);
  Seen seen;
  std::string why;
  std::set<std::string> in_f64;
  for (const OpCall& call : s.calls) {
    CheckResult result = case_of(s, call, false);
    announce(s, call, false);
    r.attempt(result, [&] {
      try {
        told([&] { check_values(op, call, result, seen); });
      } catch (const WrongInF64& wrong) {
        CheckResult as = case_of(s, in_dtype(call, TN_DTYPE_F64), false);
        if (in_f64.insert(as.where).second) r.attempt(as, [&] { throw wrong; });
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
  if (seen.ran > 0 && (op.def.flags & TN_OP_RANDOM) == 0) check_resolution(op, r);
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

}  // namespace tenon::conformance
