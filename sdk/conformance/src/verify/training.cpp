// Five tiny trainings on the device against the same in double precision: the loss written out in loops, its gradient by central
// differences, plain gradient descent. Nothing of libtenon runs in the reference.
#include <cmath>
#include <cstring>

#include "program.hpp"
#include "tenon/conformance/compare.hpp"
#include "training.hpp"
#include "worker.hpp"

namespace tenon::conformance {
namespace {

using Doubles = std::vector<double>;

constexpr int kSteps = 20;

struct Parameter {
  const char* name;
  Dims dims;
};

// A model: its loss twice, as loops over doubles and as calls of ops.
struct Model {
  const char* name;
  std::vector<Parameter> parameters;
  double rate;
  std::function<double(const std::vector<Doubles>&)> reference;
  std::function<Tensor(Session&, const std::vector<tn_tensor*>&)> device;
};

Doubles numbers(size_t n, double scale, uint64_t seed) {
  Rng rng(seed);
  Doubles out(n);
  // Representable in f32: both sides begin alike.
  for (double& x : out) x = static_cast<double>(static_cast<float>(rng.between(-scale, scale)));
  return out;
}

// x [rows, in] * w [out, in] transposed + b [out]
Doubles dense(const Doubles& x, const Doubles& w, const Doubles& b) {
  const size_t outs = b.size(), ins = w.size() / outs, rows = x.size() / ins;
  Doubles y(rows * outs);
  for (size_t r = 0; r < rows; ++r)
    for (size_t o = 0; o < outs; ++o) {
      double sum = b[o];
      for (size_t i = 0; i < ins; ++i) sum += x[r * ins + i] * w[o * ins + i];
      y[r * outs + o] = sum;
    }
  return y;
}
double mean_square(const Doubles& x, const Doubles& target) {
  double sum = 0;
  for (size_t k = 0; k < x.size(); ++k) sum += (x[k] - target[k]) * (x[k] - target[k]);
  return sum / static_cast<double>(x.size());
}
// Mean of -log softmax at the label of each row.
double cross_entropy(const Doubles& logits, size_t rows) {
  const size_t n = logits.size() / rows;
  double loss = 0;
  for (size_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (size_t k = 0; k < n; ++k) sum += std::exp(logits[r * n + k]);
    loss += std::log(sum) - logits[r * n + r % n];
  }
  return loss / static_cast<double>(rows);
}

// ---- the device's side

Array array(const Doubles& values, const Dims& dims) {
  Array a(TN_DTYPE_F32, dims);
  for (size_t k = 0; k < values.size(); ++k) a.set(static_cast<int64_t>(k), values[k]);
  return a;
}
Tensor constant(Session& s, const Doubles& values, const Dims& dims) {
  return s.upload(array(values, dims));
}
Tensor labels(Session& s, int64_t rows, int64_t classes) {
  Array a(TN_DTYPE_I64, {rows});
  for (int64_t k = 0; k < rows; ++k) a.set(k, k % classes);
  return s.upload(a);
}
Tensor op(Session& s, tn_op which, const std::vector<tn_tensor*>& in, const Attrs& attrs = {}) {
  return std::move(s.call(which, in, attrs).at(0));
}

Model linear_model() {
  const Doubles x = numbers(24, 1, 11), t = numbers(18, 1, 12);
  return {"linear",
          {{"weight", {3, 4}}, {"bias", {3}}},
          0.2,
          [=](const std::vector<Doubles>& p) { return mean_square(dense(x, p[0], p[1]), t); },
          [=](Session& s, const std::vector<tn_tensor*>& p) {
            const Tensor in = constant(s, x, {6, 4}), target = constant(s, t, {6, 3});
            const Tensor y = op(s, TN_OP_LINEAR, {in.get(), p[0], p[1]});
            return op(s, TN_OP_MSE, {y.get(), target.get()});
          }};
}

Model mlp_model() {
  const Doubles x = numbers(24, 1, 21);
  return {
      "mlp",
      {{"first.weight", {7, 3}}, {"first.bias", {7}}, {"last.weight", {4, 7}}, {"last.bias", {4}}},
      0.5,
      [=](const std::vector<Doubles>& p) {
        Doubles h = dense(x, p[0], p[1]);
        for (double& v : h) v = std::tanh(v);
        return cross_entropy(dense(h, p[2], p[3]), 8);
      },
      [=](Session& s, const std::vector<tn_tensor*>& p) {
        const Tensor in = constant(s, x, {8, 3}), y = labels(s, 8, 4);
        const Tensor a = op(s, TN_OP_LINEAR, {in.get(), p[0], p[1]});
        const Tensor h = op(s, TN_OP_TANH, {a.get()});
        const Tensor z = op(s, TN_OP_LINEAR, {h.get(), p[2], p[3]});
        return op(s, TN_OP_CROSS_ENTROPY, {z.get(), y.get()});
      }};
}

// Images 4 x [1, 5, 5], three filters 3 x 3 with a border of zeros, softplus, mean over the places, a dense layer.
Model conv_model() {
  const Doubles x = numbers(100, 1, 31);
  const auto reference = [=](const std::vector<Doubles>& p) {
    Doubles means(12);
    for (size_t n = 0; n < 4; ++n)
      for (size_t f = 0; f < 3; ++f)
        for (int r = 0; r < 5; ++r)
          for (int c = 0; c < 5; ++c) {
            double sum = p[1][f];
            for (int i = 0; i < 3; ++i)
              for (int j = 0; j < 3; ++j) {
                const int y = r + i - 1, z = c + j - 1;
                if (y < 0 || y > 4 || z < 0 || z > 4) continue;
                sum += x[n * 25 + static_cast<size_t>(y * 5 + z)] *
                       p[0][f * 9 + static_cast<size_t>(i * 3 + j)];
              }
            means[n * 3 + f] += std::log1p(std::exp(sum)) / 25;
          }
    return cross_entropy(dense(means, p[2], p[3]), 4);
  };
  return {"conv",
          {{"filter", {3, 1, 3, 3}}, {"shift", {3}}, {"weight", {2, 3}}, {"bias", {2}}},
          0.8,
          reference,
          [=](Session& s, const std::vector<tn_tensor*>& p) {
            const Tensor in = constant(s, x, {4, 1, 5, 5}), y = labels(s, 4, 2);
            const Tensor a = op(s, TN_OP_CONV2D, {in.get(), p[0], p[1]},
                                Attrs({list(TN_CONV2D_PADDING, {1, 1})}));
            const Tensor h = op(s, TN_OP_SOFTPLUS, {a.get()});
            const Tensor m = op(s, TN_OP_MEAN, {h.get()}, Attrs({list(TN_MEAN_AXES, {2, 3})}));
            const Tensor z = op(s, TN_OP_LINEAR, {m.get(), p[2], p[3]});
            return op(s, TN_OP_CROSS_ENTROPY, {z.get(), y.get()});
          }};
}

// One head over five tokens of width four: softmax(q k' / 2) v, then a dense layer.
Model attention_model() {
  const Doubles x = numbers(20, 1, 41), t = numbers(20, 1, 42);
  const Doubles none(4, 0.0);
  const auto reference = [=](const std::vector<Doubles>& p) {
    const Doubles q = dense(x, p[0], none), k = dense(x, p[1], none), v = dense(x, p[2], none);
    Doubles mixed(20);
    for (size_t i = 0; i < 5; ++i) {
      Doubles e(5);
      double sum = 0;
      for (size_t j = 0; j < 5; ++j) {
        double dot = 0;
        for (size_t c = 0; c < 4; ++c) dot += q[i * 4 + c] * k[j * 4 + c];
        sum += e[j] = std::exp(dot / 2);
      }
      for (size_t j = 0; j < 5; ++j)
        for (size_t c = 0; c < 4; ++c) mixed[i * 4 + c] += e[j] / sum * v[j * 4 + c];
    }
    return mean_square(dense(mixed, p[3], p[4]), t);
  };
  return {
      "attention",
      {{"q", {4, 4}}, {"k", {4, 4}}, {"v", {4, 4}}, {"weight", {4, 4}}, {"bias", {4}}},
      0.4,
      reference,
      [=](Session& s, const std::vector<tn_tensor*>& p) {
        const Tensor in = constant(s, x, {5, 4}), target = constant(s, t, {5, 4});
        std::vector<Tensor> heads;
        for (size_t k = 0; k < 3; ++k) {
          const Tensor y = op(s, TN_OP_LINEAR, {in.get(), p[k]});
          heads.push_back(
              op(s, TN_OP_RESHAPE, {y.get()}, Attrs({list(TN_RESHAPE_DIMS, {1, 1, 5, 4})})));
        }
        const Tensor a = op(s, TN_OP_SCALED_DOT_PRODUCT_ATTENTION, pointers(heads));
        const Tensor m = op(s, TN_OP_RESHAPE, {a.get()}, Attrs({list(TN_RESHAPE_DIMS, {5, 4})}));
        const Tensor y = op(s, TN_OP_LINEAR, {m.get(), p[3], p[4]});
        return op(s, TN_OP_MSE, {y.get(), target.get()});
      }};
}

// Three words to each of four sentences, one of them twice; the mean of their rows, a dense layer.
Model embedding_model() {
  const std::vector<int64_t> words = {0, 3, 1, 5, 5, 2, 4, 0, 1, 2, 3, 5};
  const auto reference = [=](const std::vector<Doubles>& p) {
    Doubles means(12);
    for (size_t k = 0; k < words.size(); ++k)
      for (size_t c = 0; c < 3; ++c)
        means[k / 3 * 3 + c] += p[0][static_cast<size_t>(words[k]) * 3 + c] / 3;
    return cross_entropy(dense(means, p[1], p[2]), 4);
  };
  return {"embedding",
          {{"table", {6, 3}}, {"weight", {4, 3}}, {"bias", {4}}},
          1.0,
          reference,
          [=](Session& s, const std::vector<tn_tensor*>& p) {
            Array indices(TN_DTYPE_I64, {4, 3});
            for (size_t k = 0; k < words.size(); ++k)
              indices.set(static_cast<int64_t>(k), words[k]);
            const Tensor at = s.upload(indices), y = labels(s, 4, 4);
            const Tensor e = op(s, TN_OP_EMBEDDING, {p[0], at.get()});
            const Tensor m = op(s, TN_OP_MEAN, {e.get()}, Attrs({list(TN_MEAN_AXES, {1})}));
            const Tensor z = op(s, TN_OP_LINEAR, {m.get(), p[1], p[2]});
            return op(s, TN_OP_CROSS_ENTROPY, {z.get(), y.get()});
          }};
}

std::vector<Doubles> start_of(const Model& m) {
  std::vector<Doubles> p;
  for (size_t k = 0; k < m.parameters.size(); ++k)
    p.push_back(numbers(static_cast<size_t>(count_of(m.parameters[k].dims)), 0.6, 100 + k));
  return p;
}

Doubles reference_curve(const Model& m) {
  constexpr double kStep = 1e-5;
  std::vector<Doubles> p = start_of(m);
  Doubles losses;
  for (int step = 0; step < kSteps; ++step) {
    losses.push_back(m.reference(p));
    std::vector<Doubles> moved = p;
    std::vector<Doubles> at = p;
    for (size_t v = 0; v < p.size(); ++v)
      for (size_t k = 0; k < p[v].size(); ++k) {
        at[v][k] = p[v][k] + kStep;
        const double above = m.reference(at);
        at[v][k] = p[v][k] - kStep;
        moved[v][k] -= m.rate * (above - m.reference(at)) / (2 * kStep);
        at[v][k] = p[v][k];
      }
    p = moved;
  }
  return losses;
}

struct ReleaseVariable {
  void operator()(tn_variable* v) const { tn_variable_release(v); }
};
using Variable = std::unique_ptr<tn_variable, ReleaseVariable>;
struct Trained {
  Doubles losses;
  std::vector<std::vector<unsigned char>> parameters;
};

Tensor taken(Session& s, tn_variable* v) {
  tn_tensor* t = nullptr;
  check(tn_variable_take(s.ctx(), v, &t));
  return Tensor(t);
}

// p - rate * g, by ops.
void descend(Session& s, tn_variable* v, const Tensor& gradient, double rate) {
  tn_ctx_set_grad_mode(s.ctx(), 0);
  const Array by = [&] {
    Array a(TN_DTYPE_F64, {});
    a.set(0, rate);
    return a;
  }();
  const Tensor scalar = s.scalar(by), now = taken(s, v);
  const Tensor step = op(s, TN_OP_MUL, {gradient.get(), scalar.get()});
  const Tensor next = op(s, TN_OP_SUB, {now.get(), step.get()});
  check(tn_variable_assign(s.ctx(), v, next.get()));
}

// Forward, gradients, descent; gives the loss.
Tensor step(Session& s, const Model& m, const std::vector<tn_variable*>& variables) {
  tn_ctx_set_grad_mode(s.ctx(), 1);
  std::vector<Tensor> values;
  for (tn_variable* v : variables) values.push_back(taken(s, v));
  Tensor loss = m.device(s, pointers(values));
  std::vector<tn_tensor*> slots(variables.size(), nullptr);
  check(tn_grad(s.ctx(), loss.get(), variables.data(), static_cast<uint32_t>(variables.size()),
                slots.data()));
  std::vector<Tensor> grads;
  for (tn_tensor* g : slots) grads.emplace_back(g);
  for (size_t k = 0; k < variables.size(); ++k) descend(s, variables[k], grads[k], m.rate);
  return loss;
}

enum class By : uint8_t { calls, program };

Trained train(Session& s, const Model& m, By by = By::calls) {
  std::vector<Variable> variables;
  std::vector<tn_variable*> raw;
  const std::vector<Doubles> start = start_of(m);
  for (size_t k = 0; k < start.size(); ++k) {
    const Tensor t = constant(s, start[k], m.parameters[k].dims);
    tn_variable* v = nullptr;
    check(tn_variable_create(s.ctx(), tn_string(m.parameters[k].name), t.get(), 0, &v));
    variables.emplace_back(v);
    raw.push_back(v);
  }
  Trained out;
  Program program;
  if (by == By::program)
    program = record_program(s, {}, [&](const std::vector<tn_tensor*>&) {
      std::vector<Tensor> outputs;
      outputs.push_back(step(s, m, raw));
      return outputs;
    });
  for (int k = 0; k < kSteps; ++k) {
    const Tensor loss = program ? std::move(run_program(s, program, {}).at(0)) : step(s, m, raw);
    out.losses.push_back(s.read(loss.get()).real(0));
  }
  for (tn_variable* v : raw) out.parameters.push_back(s.bytes(taken(s, v).get()));
  tn_ctx_set_grad_mode(s.ctx(), 0);
  return out;
}

std::vector<Model> models() {
  return {linear_model(), mlp_model(), conv_model(), attention_model(), embedding_model()};
}

void follow(Session& s, const Model& m) {
  const Doubles want = reference_curve(m);
  expect(want.back() < 0.9 * want.front(), "the reference itself does not learn", "a falling loss");
  const Trained got = train(s, m);
  for (size_t k = 0; k < want.size(); ++k) {
    const double allowed = 2e-4 * (1 + std::fabs(want[k]));
    expect(std::fabs(got.losses[k] - want[k]) <= allowed,
           "the loss of step " + std::to_string(k) + " is " + std::to_string(got.losses[k]),
           std::to_string(want[k]) + " within " + std::to_string(allowed) +
               ", as in double precision");
  }
}

// The same loss at each step and the same parameters at the end, but for sums in another order.
void follow_captured(Session& s, const Model& m) {
  tn_ctx_set_deterministic(s.ctx(), 1);
  const Trained want = train(s, m), got = train(s, m, By::program);
  tn_ctx_set_deterministic(s.ctx(), 0);
  for (size_t k = 0; k < want.losses.size(); ++k)
    expect(std::fabs(got.losses[k] - want.losses[k]) <= 1e-5 * (1 + std::fabs(want.losses[k])),
           "run " + std::to_string(k) + " of the captured step gives the loss " +
               std::to_string(got.losses[k]),
           std::to_string(want.losses[k]) + " within 0.00001 of it, as the step by calls");
  for (size_t k = 0; k < want.parameters.size(); ++k) {
    const auto read = [&](const Trained& t) {
      return decode(TN_DTYPE_F32, m.parameters[k].dims, t.parameters[k]);
    };
    const std::string fault = compare_gradient(read(want), read(got), 1e-4);
    expect(fault.empty(),
           "after " + std::to_string(kSteps) + " runs of the captured step " +
               m.parameters[k].name + " " + fault,
           "what the same steps by calls give");
  }
}

constexpr const char* kAdvice =
    "if op.* and grad.* pass, look at what only a training does: memory reused, many steps, "
    "accumulated gradients";

}  // namespace

std::vector<CapturedTraining> captured_trainings() {
  std::vector<CapturedTraining> out;
  for (const Model& m : models())
    out.push_back({m.name, [m](Session& s) { follow_captured(s, m); }});
  return out;
}

std::vector<Unit> training_units(const std::shared_ptr<Worker>& worker) {
  std::vector<Unit> units;
  const auto add = [&](const std::string& name, const std::function<void(Session&)>& body) {
    Unit u;
    u.check = "train." + name, u.level = 3, u.advice = kAdvice, u.alone = false;
    u.body = [worker, body](Reporter&) {
      try {
        body(worker->get_session());
      } catch (const Fault& fault) {
        worker->get_session().recover();
        throw Wrong(fault.what(), "a training in f32: base ops are enough for it");
      }
    };
    units.push_back(std::move(u));
  };
  for (const Model& m : models()) add(m.name, [m](Session& s) { follow(s, m); });
  add("deterministic", [](Session& s) {
    tn_ctx_set_deterministic(s.ctx(), 1);
    for (const Model& m : models()) {
      const Trained first = train(s, m), second = train(s, m);
      expect(first.parameters == second.parameters && first.losses == second.losses,
             std::string(m.name) + " trained twice gives other bits",
             "the same bits where the context asks for determinism");
    }
    tn_ctx_set_deterministic(s.ctx(), 0);
  });
  return units;
}

const std::vector<Check> kTrainingChecks = {
    {"train.linear", 3, Kind::backend, "a tiny training follows the loss curve in double precision",
     kAdvice, nullptr},
    {"train.mlp", 3, Kind::backend, "two layers with tanh, cross entropy", kAdvice, nullptr},
    {"train.conv", 3, Kind::backend, "a convolution with padding, softplus, mean", kAdvice,
     nullptr},
    {"train.attention", 3, Kind::backend, "attention over five tokens", kAdvice, nullptr},
    {"train.embedding", 3, Kind::backend, "rows of a table, one of them twice", kAdvice, nullptr},
    {"train.deterministic", 3, Kind::backend, "trained twice, the same bits",
     "mark kernels that are not deterministic TN_KERNEL_NONDETERMINISTIC", nullptr},
};

}  // namespace tenon::conformance
