// Gradients of a plugin's op against finite differences of the op, and gradients of them against finite differences of them.
#include <algorithm>
#include <cmath>

#include "plugin_op.hpp"
#include "tenon/conformance/compare.hpp"

namespace tenon::conformance {
namespace {

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

// Gradients are recorded only while one of these is there.
struct Recording {
  explicit Recording(tn_ctx* c) : ctx(c) { tn_ctx_set_grad_mode(ctx, 1); }
  ~Recording() { tn_ctx_set_grad_mode(ctx, 0); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  tn_ctx* ctx;
};

// A call on the tape: leaves for its variables and for the weights of its floating outputs.
struct Tape {
  Session& s;
  const Recording recording;
  std::vector<Tensor> held, y;
  std::vector<tn_tensor*> leaves, of, with;

  Tape(const Op& op, const OpCall& call, const std::vector<Array>& x,
       const std::vector<Array>& weights)
      : s(op.w.get_session()), recording(s.ctx()) {
    std::vector<tn_tensor*> in;
    for (const Array& a : x) {
      in.push_back(a.absent ? nullptr : is_variable(a) ? leaf(a) : hold(s.upload(a)));
      if (is_variable(a)) leaves.push_back(in.back());
    }
    y = op.call(call, in);
    for (size_t k = 0; k < y.size(); ++k) {
      if (!weights[k].floating()) continue;
      of.push_back(y[k].get());
      with.push_back(leaf(weights[k]));
    }
  }
  tn_tensor* hold(Tensor t) {
    held.push_back(std::move(t));
    return held.back().get();
  }
  tn_tensor* leaf(const Array& a) {
    tn_tensor* out = nullptr;
    check(tn_tensor_leaf(s.ctx(), hold(s.upload(a)), &out));
    return hold(Tensor(out));
  }
  // Null where there is none.
  std::vector<Tensor> vjp(const std::vector<tn_tensor*>& outputs,
                          const std::vector<tn_tensor*>& cotangents,
                          const std::vector<tn_tensor*>& by, uint32_t flags) {
    std::vector<tn_tensor*> grads(by.size(), nullptr);
    check(tn_vjp(s.ctx(), outputs.data(), cotangents.data(), static_cast<uint32_t>(outputs.size()),
                 by.data(), static_cast<uint32_t>(by.size()), flags | TN_GRAD_ALLOW_UNUSED,
                 grads.data()));
    std::vector<Tensor> out;
    for (tn_tensor* g : grads) out.emplace_back(g);
    return out;
  }
  Array value(const Tensor& gradient, const Array& like) {
    return gradient ? s.read(gradient.get()) : Array(like.dtype, like.dims);
  }
};

std::vector<Array> variables_of(const std::vector<Array>& x) {
  std::vector<Array> out;
  for (const Array& a : x)
    if (is_variable(a)) out.push_back(a);
  return out;
}

// Of the variables, in their order.
std::vector<Array> gradients_of(const Op& op, const OpCall& call, const std::vector<Array>& x,
                                const std::vector<Array>& weights) {
  Tape tape(op, call, x, weights);
  const std::vector<Tensor> grads = tape.vjp(tape.of, tape.with, tape.leaves, 0);
  std::vector<Array> out = variables_of(x);
  for (size_t k = 0; k < out.size(); ++k) out[k] = tape.value(grads[k], out[k]);
  return out;
}

// How finely differences are taken in a dtype, and how near a gradient must be to them.
struct Difference {
  double step, tolerance;
};
Difference difference_of(tn_dtype dtype) {
  return dtype == TN_DTYPE_F64 ? Difference{0x1p-17, 2e-6} : Difference{0x1p-7, 2e-2};
}

std::vector<Array> drawn_like(const std::vector<Array>& all, uint64_t seed) {
  Rng rng(seed);
  std::vector<Array> out;
  for (const Array& a : all) {
    Array v(a.dtype, a.dims);
    if (v.floating()) uniform(-1, 1)(v, rng);
    out.push_back(v);
  }
  return out;
}

bool all_zero(const Array& a) {
  return std::all_of(a.f.begin(), a.f.end(), [](double v) { return v == 0; });
}

void compare_one(const Subject& s, size_t input, const Array& want, const Array& got,
                 double tolerance) {
  const std::string fault = compare_gradient(want, got, tolerance);
  if (fault.empty()) return;
  const std::string of = "the gradient of " + s.input(input);
  if (got.dims == want.dims && all_zero(got))
    throw Wrong(of + " is missing, or 0 everywhere: " + fault, "finite differences of the op",
                "the gradient recipe must set it: r.set(" + std::to_string(input) + ", ...)");
  throw Wrong(of + " " + fault, "finite differences of the op");
}

// Whether there was anything to compare.
bool compare_with_differences(const Op& op, const OpCall& call, const std::vector<Array>& x) {
  const Difference d = difference_of(call.dtype);
  const std::vector<Array> weights = drawn_like(op.values(call, x), 9);
  if (std::none_of(weights.begin(), weights.end(), [](const Array& a) { return a.floating(); }))
    return false;
  const std::vector<Array> got = gradients_of(op, call, x, weights);
  std::vector<Array> at = x;
  const auto slope = [&](size_t v, size_t k, double step) {
    at[v].f[k] = x[v].f[k] + step;
    const double above = loss_of(op, call, at, weights);
    at[v].f[k] = x[v].f[k] - step;
    const double below = loss_of(op, call, at, weights);
    at[v].f[k] = x[v].f[k];
    return (above - below) / (2 * step);
  };
  size_t next = 0;
  for (size_t v = 0; v < x.size(); ++v) {
    if (!is_variable(x[v])) continue;
    Array want(x[v].dtype, x[v].dims);
    const Array& is = got[next++];
    for (size_t k = 0; k < want.f.size(); ++k) {
      double& w = want.f[k] = slope(v, k, d.step);
      if (k >= is.f.size() || std::fabs(is.f[k] - w) <= d.tolerance) continue;
      // Across a jump the slope grows as the step shrinks: there is no gradient here.
      if (std::fabs(w) > 1 && std::fabs(slope(v, k, d.step / 8)) > 4 * std::fabs(w)) w = is.f[k];
    }
    compare_one(op.subject, v, want, is, d.tolerance);
  }
  return true;
}

// ---- gradients of gradients

// x, its variables moved along `direction`.
std::vector<Array> moved(std::vector<Array> x, const std::vector<Array>& direction, double by) {
  size_t next = 0;
  for (Array& a : x) {
    if (!is_variable(a)) continue;
    const Array& d = direction[next++];
    for (size_t k = 0; k < a.f.size(); ++k) a.f[k] += by * d.f[k];
  }
  return x;
}

double dot(const std::vector<Array>& a, const std::vector<Array>& b) {
  double sum = 0;
  for (size_t v = 0; v < a.size(); ++v)
    for (size_t k = 0; k < a[v].f.size(); ++k) sum += a[v].f[k] * b[v].f[k];
  return sum;
}

// The sum of seed * gradient, differentiated by the variables. None: no gradient depends on anything.
std::vector<Array> second_of(const Op& op, const OpCall& call, const std::vector<Array>& x,
                             const std::vector<Array>& weights, const std::vector<Array>& seeds) {
  Tape tape(op, call, x, weights);
  const std::vector<Tensor> grads = tape.vjp(tape.of, tape.with, tape.leaves, TN_GRAD_CREATE);
  std::vector<tn_tensor*> of, with;
  for (size_t k = 0; k < grads.size(); ++k) {
    if (!grads[k] || tn_tensor_requires_grad(grads[k].get()) == 0) continue;
    of.push_back(grads[k].get());
    with.push_back(tape.hold(tape.s.upload(seeds[k])));
  }
  std::vector<Array> out = variables_of(x);
  std::vector<Tensor> second(out.size());
  if (!of.empty()) second = tape.vjp(of, with, tape.leaves, 0);
  for (size_t k = 0; k < out.size(); ++k) out[k] = tape.value(second[k], out[k]);
  return out;
}

bool compare_second(const Op& op, const OpCall& call, const std::vector<Array>& x) {
  const Difference d = difference_of(call.dtype);
  const std::vector<Array> variables = variables_of(x);
  const std::vector<Array> weights = drawn_like(op.values(call, x), 9);
  if (variables.empty() ||
      std::none_of(weights.begin(), weights.end(), [](const Array& a) { return a.floating(); }))
    return false;
  const std::vector<Array> seeds = drawn_like(variables, 31);
  const std::vector<Array> second = second_of(op, call, x, weights, seeds);
  for (uint64_t direction = 0; direction < 4; ++direction) {
    const std::vector<Array> along = drawn_like(variables, 41 + direction);
    const auto at = [&](double by) {
      return dot(gradients_of(op, call, moved(x, along, by), weights), seeds);
    };
    const double got = dot(second, along), want = (at(d.step) - at(-d.step)) / (2 * d.step);
    if (std::fabs(got - want) <= d.tolerance * (1 + std::fabs(want))) continue;
    const bool none = std::all_of(second.begin(), second.end(), all_zero);
    throw Wrong("along a direction the gradient of the gradient is " + text_of(got) +
                    (none ? ", being 0 everywhere" : "") + ", expected " + text_of(want) +
                    " within " + text_of(d.tolerance * (1 + std::fabs(want))),
                "finite differences of the op's gradient");
  }
  return true;
}

// Each call in f64, or in f32 where there is none, of positive numbers and of both signs.
void run_calls(const Subject& s, Worker& w, Reporter& r, bool second) {
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
      announce(s, call, true);
      r.attempt(as, [&] {
        told([&] {
          const std::vector<Array> x = arrays_of(call, seed, low);
          const bool sure = low > 0 && call.told.empty();
          if (sure || all_finite(op.values(call, x)))
            fruitless +=
                !(second ? compare_second(op, call, x) : compare_with_differences(op, call, x));
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

}  // namespace

void run_gradient(const Subject& s, Worker& w, Reporter& r) { run_calls(s, w, r, false); }
void run_second_gradient(const Subject& s, Worker& w, Reporter& r) { run_calls(s, w, r, true); }

}  // namespace tenon::conformance
