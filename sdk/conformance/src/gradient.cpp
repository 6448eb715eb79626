// Gradients against finite differences of the oracle, and gradients of gradients against finite
// differences of the gradient.
#include <algorithm>
#include <cmath>

#include "runner.hpp"
#include "tenon/conformance/compare.hpp"

namespace tenon::conformance {
namespace {

using Arrays = std::vector<Array>;

constexpr double kStep = 0x1p-17;  // balances truncation and rounding of central differences in f64

// By imaginary parts the real part of a product of complex numbers falls.
double sign_of(const Array& x, int64_t number) { return number % x.parts() == 0 ? 1 : -1; }

// A cotangent g of a complex value z stands for the real part of g z.
double dot(const Array& a, const Array& b) {
  double sum = 0;
  for (int64_t k = 0; k < a.numbers(); ++k) sum += sign_of(a, k) * a.real(k) * b.real(k);
  return sum;
}

Array random_like(const Array& x, Rng& rng) {
  Array v(x.dtype, x.dims);
  uniform(-1, 1)(v, rng);
  return v;
}

bool is_variable(const Array& x) { return !x.absent && !x.weak && x.floating(); }

// One case in one dtype and layout. Variables are the stored parts of the floating inputs.
struct Problem {
  const OpSamples& op;
  const Case& sample;
  Layout layout;
  Arrays inputs;                 // all inputs as the op sees them
  std::vector<size_t> variable;  // which of them
  Arrays stored;                 // what is differentiated by: collapsed where the layout repeats
  Arrays cotangents;             // of every output; those of integer outputs are not used
  double step = kStep;

  Problem(const OpSamples& o, const Case& c, Layout l, const Arrays& raw)
      : op(o), sample(c), layout(l) {
    for (const Array& x : raw) {
      if (is_variable(x)) {
        variable.push_back(inputs.size());
        stored.push_back(collapsed(x, l));
      }
      inputs.push_back(seen(x, l));
    }
    if (c.step > 0) step = c.step;
    Rng rng(12345);
    for (const Array& y : outputs(stored)) {
      const Array v = y.floating() ? random_like(y, rng) : Array(y.dtype, y.dims);
      cotangents.push_back(seen(v, l));
    }
  }

  // By the oracle.
  Arrays outputs(const Arrays& at) const {
    Call call;
    call.inputs = inputs;
    call.attrs = sample.attrs;
    call.random = random_state(false);
    for (size_t k = 0; k < variable.size(); ++k)
      call.inputs[variable[k]] = broadcast(at[k], inputs[variable[k]].dims);
    return op.oracle(call);
  }

  bool has_real_output() const {
    return std::any_of(cotangents.begin(), cotangents.end(),
                       [](const Array& v) { return v.floating(); });
  }

  double loss(const Arrays& at) const {
    const Arrays y = outputs(at);
    double sum = 0;
    for (size_t k = 0; k < y.size(); ++k)
      if (y[k].floating()) sum += dot(y[k], cotangents[k]);
    return sum;
  }

  Arrays differences() const {
    Arrays out;
    Arrays at = stored;
    for (size_t v = 0; v < stored.size(); ++v) {
      Array g(stored[v].dtype, stored[v].dims);
      for (size_t k = 0; k < g.f.size(); ++k) {
        const double x = stored[v].f[k], h = step * std::max(1.0, std::fabs(x));
        at[v].f[k] = x + h;
        const double above = loss(at);
        at[v].f[k] = x - h;
        g.f[k] = sign_of(g, static_cast<int64_t>(k)) * (above - loss(at)) / (2 * h);
        at[v].f[k] = x;
      }
      out.push_back(g);
    }
    return out;
  }
};

// The same on the device.
struct Tape {
  Session& session;
  const Problem& problem;
  std::vector<Arranged> blocks;
  std::vector<Tensor> leaves, views, outputs;
  std::vector<tn_tensor*> real_outputs, real_cotangents;
  std::vector<Arranged> cotangents;
  std::vector<Tensor> cotangent_leaves;

  Tape(Session& s, const Problem& p) : session(s), problem(p) {}

  // A leaf for each variable, with the layout of the case; a repeated one is a small leaf that is
  // expanded on the tape.
  void record(const Arrays& at, bool cotangents_too) {
    tn_ctx_set_grad_mode(session.ctx(), 1);
    std::vector<tn_tensor*> in;
    size_t next = 0;
    for (size_t k = 0; k < problem.inputs.size(); ++k) {
      const Array& x = problem.inputs[k];
      if (!is_variable(x)) {
        blocks.push_back(session.arrange(x, problem.layout, k));
        in.push_back(blocks.back().tensor.get());
        continue;
      }
      const Array& value = at[next++];
      const Layout held = repeats(problem.layout) ? Layout::contiguous : problem.layout;
      blocks.push_back(session.arrange(value, held, k));
      leaves.push_back(leaf(blocks.back().tensor.get()));
      in.push_back(leaves.back().get());
      if (value.dims != x.dims) {
        views.push_back(std::move(
            session.call(TN_OP_EXPAND, {leaves.back().get()}, Attrs({list(TN_EXPAND_DIMS, x.dims)}))
                .at(0)));
        in.back() = views.back().get();
      }
    }
    if (problem.op.random) session.set_random(random_state(false));
    outputs = session.call(problem.op.op, in, problem.sample.attrs);
    if (outputs.size() != problem.cotangents.size()) throw Fault(TN_INTERNAL, "number of outputs");
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (!problem.cotangents[k].floating()) continue;
      cotangents.push_back(session.arrange(problem.cotangents[k], problem.layout, k));
      real_outputs.push_back(outputs[k].get());
      real_cotangents.push_back(cotangents.back().tensor.get());
      if (cotangents_too) {
        cotangent_leaves.push_back(leaf(real_cotangents.back()));
        real_cotangents.back() = cotangent_leaves.back().get();
      }
    }
  }

  Tensor leaf(tn_tensor* t) {
    tn_tensor* out = nullptr;
    check(tn_tensor_leaf(session.ctx(), t, &out));
    return Tensor(out);
  }

  std::vector<Tensor> vjp(const std::vector<tn_tensor*>& of, const std::vector<tn_tensor*>& with,
                          const std::vector<tn_tensor*>& by, uint32_t flags) {
    std::vector<tn_tensor*> grads(by.size(), nullptr);
    check(tn_vjp(session.ctx(), of.data(), with.data(), static_cast<uint32_t>(of.size()), by.data(),
                 static_cast<uint32_t>(by.size()), flags | TN_GRAD_ALLOW_UNUSED, grads.data()));
    std::vector<Tensor> out;
    for (tn_tensor* g : grads) out.emplace_back(g);
    return out;
  }

  std::vector<Tensor> gradients(uint32_t flags) {
    return vjp(real_outputs, real_cotangents, pointers(leaves), flags);
  }

  // No gradient is a gradient of zeros.
  Array value(const Tensor& gradient, const Array& like) {
    return gradient ? session.read(gradient.get()) : Array(like.dtype, like.dims);
  }
};

// Tapes are recorded only where a gradient is asked for.
struct GradMode {
  explicit GradMode(tn_ctx* c) : ctx(c) {}
  ~GradMode() { tn_ctx_set_grad_mode(ctx, 0); }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;
  tn_ctx* ctx;
};

std::string first_order(Session& session, const Problem& problem, const Arrays& expected,
                        double tolerance) {
  const GradMode mode(session.ctx());
  Tape tape(session, problem);
  tape.record(problem.stored, false);
  const std::vector<Tensor> grads = tape.gradients(0);
  for (size_t k = 0; k < grads.size(); ++k) {
    const std::string fault =
        compare_gradient(expected[k], tape.value(grads[k], problem.stored[k]), tolerance);
    if (!fault.empty())
      return "gradient of input " + std::to_string(problem.variable[k]) + " " + fault;
  }
  return "";
}

// phi(x) = sum of w * gradient at x, by the device.
double weighted_gradient(Session& session, const Problem& problem, const Arrays& at,
                         const Arrays& weights) {
  Tape tape(session, problem);
  tape.record(at, false);
  const std::vector<Tensor> grads = tape.gradients(0);
  double sum = 0;
  for (size_t k = 0; k < grads.size(); ++k) sum += dot(tape.value(grads[k], at[k]), weights[k]);
  return sum;
}

Arrays moved(const Arrays& from, const Arrays& direction, double by) {
  Arrays out = from;
  for (size_t v = 0; v < out.size(); ++v)
    for (size_t k = 0; k < out[v].f.size(); ++k) out[v].f[k] += by * direction[v].f[k];
  return out;
}

struct Second {
  Arrays by_variable, by_cotangent;
};

Second second_gradients(Session& session, const Problem& problem, const Arrays& weights) {
  Tape tape(session, problem);
  tape.record(problem.stored, true);
  const std::vector<Tensor> grads = tape.gradients(TN_GRAD_CREATE);
  std::vector<Tensor> seeds;
  std::vector<tn_tensor*> of, with;
  for (size_t k = 0; k < grads.size(); ++k) {
    if (!grads[k] || tn_tensor_requires_grad(grads[k].get()) == 0) continue;
    seeds.push_back(session.upload(weights[k]));
    of.push_back(grads[k].get());
    with.push_back(seeds.back().get());
  }
  std::vector<tn_tensor*> by = pointers(tape.leaves);
  for (const Tensor& t : tape.cotangent_leaves) by.push_back(t.get());
  std::vector<Tensor> result(by.size());
  if (!of.empty()) result = tape.vjp(of, with, by, 0);
  Second out;
  size_t next = 0;
  for (const Array& x : problem.stored) out.by_variable.push_back(tape.value(result[next++], x));
  for (const Array& v : problem.cotangents)
    if (v.floating()) out.by_cotangent.push_back(tape.value(result[next++], v));
  return out;
}

std::string second_order(Session& session, const Problem& problem) {
  const double tolerance = std::max(2e-6, problem.sample.grad_tolerance);
  const GradMode mode(session.ctx());
  Rng rng(54321);
  Arrays weights;
  for (const Array& x : problem.stored) weights.push_back(random_like(x, rng));
  const Second got = second_gradients(session, problem, weights);

  for (int direction = 0; direction < 4; ++direction) {
    Arrays along;
    double by_gradient = 0;
    for (size_t k = 0; k < problem.stored.size(); ++k) {
      along.push_back(random_like(problem.stored[k], rng));
      by_gradient += dot(along[k], got.by_variable[k]);
    }
    const double h = problem.step;
    const double above =
        weighted_gradient(session, problem, moved(problem.stored, along, h), weights);
    const double below =
        weighted_gradient(session, problem, moved(problem.stored, along, -h), weights);
    const double expected = (above - below) / (2 * h);
    if (!(std::fabs(by_gradient - expected) <= tolerance * (1 + std::fabs(expected))))
      return "second gradient along direction " + std::to_string(direction) + ": got " +
             text_of(by_gradient) + ", expected " + text_of(expected);
  }

  // By the cotangents the gradient is linear: J w.
  const double h = problem.step;
  const Arrays above = problem.outputs(moved(problem.stored, weights, h));
  const Arrays below = problem.outputs(moved(problem.stored, weights, -h));
  size_t next = 0;
  for (size_t k = 0; k < above.size(); ++k) {
    if (!above[k].floating()) continue;
    Array expected(above[k].dtype, above[k].dims);
    for (size_t i = 0; i < expected.f.size(); ++i)
      expected.f[i] = (above[k].f[i] - below[k].f[i]) / (2 * h);
    const std::string fault = compare_gradient(expected, got.by_cotangent[next++], tolerance);
    if (!fault.empty())
      return "gradient of the gradient by cotangent " + std::to_string(k) + " " + fault;
  }
  return "";
}

bool takes(const OpSamples& op, const Case& c, tn_dtype dtype) {
  const std::vector<tn_dtype> types = dtypes_of(op, c, false);
  return std::find(types.begin(), types.end(), dtype) != types.end();
}

// Layouts for gradients: those in which an input's own layout differs.
std::vector<Layout> gradient_layouts(const Case& c, const Arrays& inputs, bool brief) {
  std::vector<Layout> layouts = layouts_of(c, inputs, brief);
  std::erase_if(layouts, [&](Layout l) {
    return l == Layout::offset || l == Layout::flipped || l == Layout::mixed ||
           (c.has_ties && repeats(l));
  });
  return layouts;
}

}  // namespace

size_t run_gradients(Session& session, const OpSamples& op, bool brief, const Record& record) {
  size_t results = 0;
  for (const Case& c : op.cases) {
    if (!c.grad || c.is_large) continue;
    for (const tn_dtype dtype : {TN_DTYPE_F64, TN_DTYPE_F32, TN_DTYPE_C128, TN_DTYPE_C64}) {
      const bool fine = epsilon(dtype) == epsilon(TN_DTYPE_F64);
      if (!takes(op, c, dtype)) continue;
      const Arrays raw = inputs_of(op, c, dtype);
      Arrays expected;  // the same for all layouts that do not repeat
      for (const Layout layout : gradient_layouts(c, raw, brief)) {
        if (!fine && layout != Layout::contiguous) continue;
        const Problem problem(op, c, layout, raw);
        if (problem.variable.empty() || !problem.has_real_output()) continue;
        if (expected.empty() || repeats(layout)) expected = problem.differences();
        double tolerance = fine ? 1e-6 : 2e-3;
        tolerance = std::max(tolerance, c.grad_tolerance);
        ++results;
        attempt(session, blank(session, op, c, dtype, layout, Level::grad), false, record,
                [&] { return first_order(session, problem, expected, tolerance); });
      }
    }
  }
  return results;
}

void run_second_order(Session& session, const OpSamples& op, bool brief, const Record& record) {
  for (const Case& c : op.cases) {
    if (!c.grad || !c.second || c.is_large) continue;
    for (const tn_dtype dtype : {TN_DTYPE_F64, TN_DTYPE_C128}) {
      if (!takes(op, c, dtype)) continue;
      const Arrays raw = inputs_of(op, c, dtype);
      for (const Layout layout : gradient_layouts(c, raw, brief)) {
        const Problem problem(op, c, layout, raw);
        if (problem.variable.empty() || !problem.has_real_output()) continue;
        attempt(session, blank(session, op, c, dtype, layout, Level::grad2), false, record,
                [&] { return second_order(session, problem); });
      }
    }
  }
}

}  // namespace tenon::conformance
