// Programs with a memory budget: the bits of those without, in an arena that fits.
#include <algorithm>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "fixture.hpp"

using namespace tenon::test;

namespace {

struct ProgramReleaser {
  void operator()(tn_program* p) const { tn_program_release(p); }
};
using Program = std::unique_ptr<tn_program, ProgramReleaser>;

// A network whose parameters come in the order in which they are asked for, and its optimizer.
struct Model {
  Session& s;
  std::vector<Variable> variables = {};
  size_t next = 0;
  std::unique_ptr<tn_optimizer, void (*)(tn_optimizer*)> optimizer{nullptr, tn_optimizer_release};

  explicit Model(Session& session) : s(session) {
    tn_optimizer* made = nullptr;
    const tn_option lr = tn_option_f64("lr", 0.01);
    REQUIRE_OK(tn_optimizer_create(s, tn_string("adam"), &lr, 1, &made));
    optimizer.reset(made);
  }
  tn_tensor* keep(Tensor t) {
    made_.push_back(std::move(t));
    return made_.back().get();
  }
  template <class Call>
  tn_tensor* make(Call call) {
    return keep(get(call));
  }
  tn_tensor* parameter(std::vector<int64_t> dims, float least = -0.5f) {
    if (next == variables.size()) {
      int64_t n = 1;
      for (const int64_t d : dims) n *= d;
      std::vector<float> values(static_cast<size_t>(n));
      for (float& x : values) {
        random_ = random_ * 1664525u + 1013904223u;
        x = static_cast<float>(random_ >> 8) / static_cast<float>(1 << 24) + least;
      }
      const std::string name = "p" + std::to_string(next);
      tn_variable* v = nullptr;
      REQUIRE_OK(tn_variable_create(s, tn_string(name.c_str()), s.f32(values, dims).get(), 0, &v));
      variables.emplace_back(v);
    }
    tn_variable* v = variables[next++].get();
    return make([&](tn_tensor** o) { return tn_variable_take(s, v, o); });
  }
  tn_tensor* dense(tn_tensor* x, int64_t in, int64_t out) {
    tn_tensor *w = parameter({out, in}), *b = parameter({out});
    return make([&](tn_tensor** o) { return tn_linear(s, x, w, b, o); });
  }
  tn_tensor* norm(tn_tensor* x, int64_t width) {
    tn_tensor *g = parameter({width}, 0.5f), *b = parameter({width});
    return make([&](tn_tensor** o) { return tn_layer_norm(s, x, g, b, nullptr, o); });
  }
  tn_tensor* dropped(tn_tensor* x) {
    tn_dropout_options options = tn_dropout_options_init();
    options.rate = 0.2;
    return make([&](tn_tensor** o) { return tn_dropout(s, x, &options, o); });
  }
  tn_tensor* add(tn_tensor* x, tn_tensor* y) {
    return make([&](tn_tensor** o) { return tn_add(s, x, y, o); });
  }
  void forget() {
    made_.clear();
    next = 0;
  }

 private:
  uint32_t random_ = 7;
  std::vector<Tensor> made_;
};

using Loss = std::function<tn_tensor*(Model&, tn_tensor* x)>;

// A step of training of the input x: the loss and all gradients, and the optimizer's step. budget 0: none.
Program capture_step(Model& m, const Loss& loss, const std::vector<int64_t>& dims, uint64_t budget,
                     const char* symbol = "") {
  m.forget();
  REQUIRE_OK(tn_capture_begin(m.s, tn_string("step")));
  if (budget) REQUIRE_OK(tn_capture_set_memory_budget(m.s, budget));
  std::vector<tn_str> names(dims.size(), tn_string(""));
  names[0] = tn_string(symbol);
  const Tensor x = get([&](tn_tensor** o) {
    return tn_capture_input(m.s, tn_string("x"), TN_DTYPE_F32, static_cast<uint32_t>(dims.size()),
                            dims.data(), names.data(), o);
  });
  std::vector<tn_tensor*> out = {loss(m, x.get())};
  std::vector<tn_variable*> by;
  for (const Variable& v : m.variables) by.push_back(v.get());
  const auto n = static_cast<uint32_t>(by.size());
  std::vector<tn_tensor*> grads(n);
  REQUIRE_OK(tn_grad(m.s, out[0], by.data(), n, grads.data()));
  REQUIRE_OK(tn_optimizer_step(m.s, m.optimizer.get(), by.data(), grads.data(), n));
  for (tn_tensor* g : grads) out.push_back(m.keep(Tensor(g)));
  tn_program* p = nullptr;
  REQUIRE_OK(tn_capture_end(m.s, out.data(), static_cast<uint32_t>(out.size()), &p));
  m.forget();
  return Program(p);
}

Tensor input(Session& s, const std::vector<int64_t>& dims) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i * 37 % 101) * 0.02f - 1;
  return s.f32(values, dims);
}

nlohmann::json cost(Session& s, const Program& p, const Tensor& x) {
  tn_tensor* in = x.get();
  uint64_t size = 0;
  REQUIRE_OK(tn_program_cost(s, p.get(), &in, 1, nullptr, 0, &size));
  std::string text(size + 1, 0);
  REQUIRE_OK(tn_program_cost(s, p.get(), &in, 1, text.data(), text.size(), nullptr));
  return nlohmann::json::parse(text.c_str());
}

std::string bytes(Session& s, tn_tensor* t) {
  std::string out(tn_tensor_bytes(t), 0);
  REQUIRE_OK(tn_tensor_read(s, t, out.data(), out.size()));
  return out;
}

// What three steps give, each output and at the end each variable.
std::vector<std::string> run(Model& m, const Program& p, const Tensor& x) {
  std::vector<std::string> all;
  REQUIRE_OK(tn_ctx_set_seed(m.s, 11));
  for (int step = 0; step < 3; ++step) {
    std::vector<tn_tensor*> out(m.variables.size() + 1);
    tn_tensor* in = x.get();
    uint32_t n = 0;
    REQUIRE_OK(
        tn_program_run(m.s, p.get(), &in, 1, out.data(), static_cast<uint32_t>(out.size()), &n));
    REQUIRE(n == out.size());
    for (tn_tensor* t : out) all.push_back(bytes(m.s, Tensor(t).get()));
  }
  for (const Variable& v : m.variables)
    all.push_back(
        bytes(m.s, get([&](tn_tensor** o) { return tn_variable_take(m.s, v.get(), o); }).get()));
  return all;
}

bool fits(Session& s, const Program& p, const Tensor& x) {
  tn_tensor* in = x.get();
  uint64_t size = 0;
  return Outcome(tn_program_cost(s, p.get(), &in, 1, nullptr, 0, &size)).code != TN_OUT_OF_MEMORY;
}

// With budgets of parts of the arena without one: the same bits in less.
void check_budgets(const Loss& loss, const std::vector<int64_t>& dims,
                   const std::vector<double>& parts) {
  Session s;
  const Tensor x = input(s, dims);
  const auto fresh = [&](uint64_t budget, Program& p) {
    auto m = std::make_unique<Model>(s);
    REQUIRE_OK(tn_capture_begin(s, tn_string("parameters")));  // makes them
    loss(*m, x.get());
    tn_capture_abort(s);
    p = capture_step(*m, loss, dims, budget);
    return m;
  };
  Program plain;
  const auto without = fresh(0, plain);
  const nlohmann::json most = cost(s, plain, x);
  const auto arena = most["arena_bytes"].get<uint64_t>();
  CHECK(most["memory_budget"] == 0);
  CHECK(most["recomputed_steps"] == 0);
  const bool compiled = std::ranges::any_of(
      most["steps"], [](const nlohmann::json& step) { return step["op"] == "compiled"; });
  const std::vector<std::string> want = run(*without, plain, x);
  for (const double part : parts) {
    CAPTURE(part);
    const auto budget = static_cast<uint64_t>(part * static_cast<double>(arena));
    Program p;
    const auto model = fresh(budget, p);
    if (compiled && part < 1 && !fits(s, p, x)) continue;
    const nlohmann::json less = cost(s, p, x);
    MESSAGE(arena << " bytes in " << most["steps"].size() << " steps, now "
                  << less["arena_bytes"].get<uint64_t>() << " in " << less["steps"].size()
                  << ", flop " << most["flop"].get<uint64_t>() << " + "
                  << less["recomputed_flop"].get<uint64_t>());
    CHECK(less["memory_budget"] == budget);
    CHECK(less["arena_bytes"].get<uint64_t>() <= budget);
    CHECK((less["recomputed_steps"].get<uint64_t>() > 0) == (part < 1));
    CHECK(less["flop"].get<uint64_t>() ==
          most["flop"].get<uint64_t>() + less["recomputed_flop"].get<uint64_t>());
    const std::vector<std::string> got = run(*model, p, x);
    REQUIRE(got.size() == want.size());
    for (size_t k = 0; k < got.size(); ++k) {
      CAPTURE(k);
      CHECK(std::memcmp(got[k].data(), want[k].data(), want[k].size()) == 0);
    }
  }
}

tn_tensor* mlp(Model& m, tn_tensor* x) {
  for (int layer = 0; layer < 14; ++layer) {
    x = m.dense(x, 24, 24);
    x = m.make([&](tn_tensor** o) { return tn_tanh(m.s, x, o); });
    x = m.dropped(x);
  }
  x = m.make([&](tn_tensor** o) { return tn_square(m.s, x, o); });
  return m.make([&](tn_tensor** o) { return tn_mean(m.s, x, nullptr, o); });
}

constexpr int64_t kWidth = 16, kHeads = 2, kBatch = 3, kLength = 12;

tn_tensor* heads(Model& m, tn_tensor* x) {
  static const int64_t perm[] = {0, 2, 1, 3}, dims[] = {kBatch, kLength, kHeads, kWidth / kHeads};
  tn_tensor* cut = m.make([&](tn_tensor** o) { return tn_reshape(m.s, x, 4, dims, o); });
  return m.make([&](tn_tensor** o) { return tn_transpose(m.s, cut, 4, perm, o); });
}

tn_tensor* gpt(Model& m, tn_tensor* x) {
  static const int64_t perm[] = {0, 2, 1, 3}, dims[] = {kBatch, kLength, kWidth};
  for (int block = 0; block < 6; ++block) {
    tn_tensor* h = m.norm(x, kWidth);
    tn_tensor* in[3];
    for (tn_tensor*& t : in) t = heads(m, m.dense(h, kWidth, kWidth));
    tn_scaled_dot_product_attention_options options =
        tn_scaled_dot_product_attention_options_init();
    options.causal = 1;
    h = m.make([&](tn_tensor** o) {
      return tn_scaled_dot_product_attention(m.s, in[0], in[1], in[2], nullptr, &options, o);
    });
    h = m.make([&](tn_tensor** o) { return tn_transpose(m.s, h, 4, perm, o); });
    h = m.make([&](tn_tensor** o) { return tn_reshape(m.s, h, 3, dims, o); });
    x = m.add(x, m.dropped(m.dense(h, kWidth, kWidth)));
    h = m.dense(m.norm(x, kWidth), kWidth, 4 * kWidth);
    h = m.make([&](tn_tensor** o) { return tn_gelu(m.s, h, nullptr, o); });
    x = m.add(x, m.dense(h, 4 * kWidth, kWidth));
  }
  x = m.make([&](tn_tensor** o) { return tn_square(m.s, m.norm(x, kWidth), o); });
  return m.make([&](tn_tensor** o) { return tn_mean(m.s, x, nullptr, o); });
}

}  // namespace

TEST_CASE("memory budget: a deep network with dropout") {
  check_budgets(mlp, {192, 24}, {1, 0.7, 0.5, 0.35});
}

TEST_CASE("memory budget: blocks of attention") {
  check_budgets(gpt, {kBatch, kLength, kWidth}, {1, 0.7, 0.5, 0.37});
}

TEST_CASE("memory budget: each set of sizes has it, and what cannot be met says so") {
  Session s;
  Model m(s);
  const Tensor small = input(s, {16, 24}), large = input(s, {256, 24});
  REQUIRE_OK(tn_capture_begin(s, tn_string("parameters")));
  mlp(m, small.get());
  tn_capture_abort(s);
  const uint64_t budget = 100'000;
  const Program p = capture_step(m, mlp, {TN_DIM_ANY, 24}, budget, "batch");
  CHECK(cost(s, p, small)["arena_bytes"].get<uint64_t>() <= budget);
  run(m, p, small);
  tn_tensor* in = large.get();
  std::vector<tn_tensor*> out(m.variables.size() + 1);
  uint32_t n = 0;
  for (int again = 0; again < 2; ++again) {
    const Outcome made(
        tn_program_run(s, p.get(), &in, 1, out.data(), static_cast<uint32_t>(out.size()), &n));
    CHECK(made.code == TN_OUT_OF_MEMORY);
    CHECK(made.message.find(" bytes between its steps are the least ") != std::string::npos);
    CHECK(made.message.find("its memory budget is 100000") != std::string::npos);
  }
  char text[64];
  CHECK_FAILS(tn_program_cost(s, p.get(), &in, 1, text, sizeof text, nullptr), TN_OUT_OF_MEMORY,
              "memory budget");
  run(m, p, small);
}

TEST_CASE("memory budget: a long chain of one weight") {
  Session s;
  const int64_t dims[] = {8, 16}, square[] = {16, 16};
  const Tensor x = input(s, {8, 16}), w = input(s, {16, 16});
  tn_tensor* given[] = {x.get(), w.get()};
  const auto capture = [&](uint64_t budget) {
    REQUIRE_OK(tn_capture_begin(s, tn_string("chain")));
    if (budget) REQUIRE_OK(tn_capture_set_memory_budget(s, budget));
    const auto input_of = [&](const char* name, const int64_t* of) {
      return get([&](tn_tensor** o) {
        return tn_capture_input(s, tn_string(name), TN_DTYPE_F32, 2, of, nullptr, o);
      });
    };
    const Tensor in = input_of("x", dims), weight = s.leaf(input_of("w", square));
    Tensor h = get([&](tn_tensor** o) { return tn_exp(s, in.get(), o); });
    for (int layer = 0; layer < 200; ++layer) {
      const Tensor y =
          get([&](tn_tensor** o) { return tn_matmul(s, h.get(), weight.get(), nullptr, o); });
      h = get([&](tn_tensor** o) { return tn_tanh(s, y.get(), o); });
    }
    const Tensor loss = get([&](tn_tensor** o) { return tn_sum(s, h.get(), nullptr, o); });
    tn_tensor *of = loss.get(), *by = weight.get(), *grad = nullptr;
    REQUIRE_OK(tn_vjp(s, &of, nullptr, 1, &by, 1, 0, &grad));
    const Tensor kept(grad);
    tn_tensor* out[] = {of, grad};
    tn_program* p = nullptr;
    REQUIRE_OK(tn_capture_end(s, out, 2, &p));
    return Program(p);
  };
  // What it takes; where that is more than the budget, the least that was found.
  const auto arena_of = [&](uint64_t budget, std::string* of_grad) -> uint64_t {
    const Program p = capture(budget);
    tn_tensor* out[2] = {};
    uint32_t n = 0;
    const Outcome made(tn_program_run(s, p.get(), given, 2, out, 2, &n));
    const Tensor loss(out[0]), grad(out[1]);
    if (made.message.find(" bytes between its steps are the least ") != std::string::npos)
      return std::stoull(made.message.substr(made.message.find(": ") + 2));
    REQUIRE(made.code == TN_OK);
    *of_grad = bytes(s, grad.get());
    std::string text(1 << 20, 0);
    uint64_t size = 0;
    REQUIRE_OK(tn_program_cost(s, p.get(), given, 2, text.data(), text.size(), &size));
    return nlohmann::json::parse(text.c_str())["arena_bytes"];
  };
  std::string want, got;
  const uint64_t most = arena_of(0, &want);
  for (const double part : {0.75, 0.5, 0.3, 0.2}) {
    CAPTURE(part);
    const auto budget = static_cast<uint64_t>(part * static_cast<double>(most));
    CHECK(arena_of(budget, &got) <= budget);
    CHECK((got == want));
  }
  const uint64_t least = arena_of(1, &got);
  CHECK(least < most / 5);
  for (const uint64_t budget : {most / 1000, least / 2, least - 1})
    CHECK(arena_of(budget, &got) == least);
  CHECK(arena_of(least, &got) <= least);
  CHECK((got == want));
}

TEST_CASE("memory budget: of a capture only") {
  Session s;
  CHECK_FAILS(tn_capture_set_memory_budget(s, 1), TN_FAILED_PRECONDITION,
              "no capture under way; begin one first");
}

TEST_CASE("memory budget: loops and branches are computed once") {
  const auto run_with = [](uint64_t budget, uint64_t* arena) {
    Session s;
    const int64_t dims[] = {64, 64};
    const auto begin = [&](const char* name) {
      REQUIRE_OK(tn_capture_begin(s, tn_string(name)));
      return get([&](tn_tensor** o) {
        return tn_capture_input(s, tn_string("x"), TN_DTYPE_F32, 2, dims, nullptr, o);
      });
    };
    const auto end = [&](const Tensor& y) {
      tn_tensor* out = y.get();
      tn_program* p = nullptr;
      REQUIRE_OK(tn_capture_end(s, &out, 1, &p));
      return Program(p);
    };
    const auto exp = [&](const Tensor& x) {
      return get([&](tn_tensor** o) { return tn_exp(s, x.get(), o); });
    };
    const auto tanh = [&](const Tensor& x) {
      return get([&](tn_tensor** o) { return tn_tanh(s, x.get(), o); });
    };
    const auto product = [&](const Tensor& x, const Tensor& y) {
      return get([&](tn_tensor** o) { return tn_matmul(s, x.get(), y.get(), nullptr, o); });
    };
    Program one, other;
    {
      const Tensor x = begin("one");
      one = end(tanh(exp(x)));
    }
    {
      const Tensor x = begin("other");
      other = end(exp(tanh(x)));
    }
    const Tensor x = begin("whole");
    if (budget) REQUIRE_OK(tn_capture_set_memory_budget(s, budget));
    const Tensor sum = get([&](tn_tensor** o) { return tn_sum(s, x.get(), nullptr, o); });
    const Tensor zero = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(s, 0, o); });
    const Tensor above = get([&](tn_tensor** o) { return tn_gt(s, sum.get(), zero.get(), o); });
    std::vector<Tensor> waiting;
    Tensor y = tanh(x);
    for (int k = 0; k < 6; ++k) {
      waiting.push_back(tanh(k ? waiting.back() : x));
      tn_tensor *in = waiting.back().get(), *out = nullptr;
      uint32_t n = 0;
      REQUIRE_OK(tn_program_if(s, above.get(), one.get(), other.get(), &in, 1, &out, 1, &n));
      y = product(Tensor(out), y);
    }
    for (; !waiting.empty(); waiting.pop_back()) y = product(y, waiting.back());
    const Program p = end(y);
    const Tensor data = input(s, {64, 64});
    const nlohmann::json j = cost(s, p, data);
    *arena = j["arena_bytes"];
    tn_tensor *in = data.get(), *out = nullptr;
    uint32_t n = 0;
    REQUIRE_OK(tn_program_run(s, p.get(), &in, 1, &out, 1, &n));
    if (budget) CHECK(j["recomputed_steps"].get<uint64_t>() > 0);
    return bytes(s, Tensor(out).get());
  };
  uint64_t most = 0, less = 0;
  const std::string want = run_with(0, &most);
  const std::string got = run_with(most * 7 / 8, &less);
  CHECK(less <= most * 7 / 8);
  CHECK((got == want));
}
