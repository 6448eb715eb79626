// Optimizers and clipping through the C API, on every device of the build, against loops in double precision.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <tenon/sdk/dtype.hpp>
#include <thread>

#include "c_api.hpp"
#include "tenon/conformance/optimizers.hpp"

using namespace tenon::test;  // NOLINT(google-build-using-namespace)
namespace sdk = tenon::sdk;

namespace {

using Options = tenon::conformance::Hypers;
using tenon::conformance::optimizer_cases;
using tenon::conformance::OptimizerCase;
using tenon::conformance::OptimizerOracle;

Optimizer make(tn_ctx* ctx, const std::string& name, const Options& options = {}) {
  std::vector<tn_option> list;
  for (const auto& [key, value] : options) list.push_back(tn_option_f64(key.c_str(), value));
  tn_optimizer* o = nullptr;
  OK(tn_optimizer_create(ctx, str_of(name), list.data(), static_cast<uint32_t>(list.size()), &o));
  return Optimizer(o);
}

const std::vector<std::vector<int64_t>> kShapes = {{3, 5}, {}, {1}, {130}, {2, 0}};
// The device of the tests that takes its time with every command is followed for fewer.
int steps_on(tn_ctx* ctx) {
  tn_device_info info = tn_device_info_init();
  OK(tn_device_get_info(tn_ctx_get_device(ctx), &info));
  return info.host_addressable ? 50 : 3;
}

int64_t count_of(const std::vector<int64_t>& dims) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  return n;
}

// Parameters and gradients that nobody's update influences.
struct Numbers {
  std::mt19937 random{7};
  template <class T>
  std::vector<T> draw(int64_t n, double scale) {
    std::normal_distribution<double> normal(0, scale);
    std::vector<T> out;
    for (int64_t i = 0; i < n; ++i) out.push_back(T(normal(random)));
    return out;
  }
};

// Steps of a case in dtype T against the oracle, which rounds the parameter to T after each step as the device does.
template <class T>
void follow(tn_ctx* ctx, const OptimizerCase& c, double tolerance) {
  const tn_dtype dtype = sdk::dtype_of<T>;
  Numbers numbers;
  const Options all = c.all();
  const Optimizer optimizer = make(ctx, c.name, c.options);
  std::vector<Variable> variables;
  std::vector<std::vector<T>> expected;
  std::vector<std::vector<OptimizerOracle>> oracles;
  for (size_t i = 0; i < kShapes.size(); ++i) {
    expected.push_back(numbers.draw<T>(count_of(kShapes[i]), 1));
    variables.push_back(
        variable(ctx, "v" + std::to_string(i), tensor(ctx, dtype, kShapes[i], expected[i]).get()));
    oracles.emplace_back(expected[i].size(), OptimizerOracle{all});
  }
  const int steps = steps_on(ctx);
  for (int step = 1; step <= steps; ++step) {
    std::vector<Tensor> grads;
    for (size_t i = 0; i < kShapes.size(); ++i) {
      const auto g = numbers.draw<T>(count_of(kShapes[i]), 0.5);
      grads.push_back(tensor(ctx, dtype, kShapes[i], g));
      for (size_t k = 0; k < g.size(); ++k) {
        oracles[i][k].t = step;
        expected[i][k] = T(c.update(oracles[i][k], double(expected[i][k]), double(g[k])));
      }
    }
    OK(tn_optimizer_step(ctx, optimizer.get(), raw(variables).data(), raw(grads).data(),
                         static_cast<uint32_t>(grads.size())));
  }
  for (size_t i = 0; i < kShapes.size(); ++i) {
    const auto got = elements<T>(ctx, value_of(ctx, variables[i].get()).get());
    double worst = 0;
    for (size_t k = 0; k < got.size(); ++k) {
      worst = std::max(worst, std::fabs(double(got[k]) - double(expected[i][k])) /
                                  (1 + std::fabs(double(expected[i][k]))));
    }
    CAPTURE(i);
    CHECK(worst <= tolerance);
  }
}

std::map<std::string, std::vector<char>> state_bytes(tn_ctx* ctx, tn_optimizer* o) {
  std::map<std::string, std::vector<char>> out;
  uint32_t n = 0;
  OK(tn_optimizer_state_count(o, &n));
  for (uint32_t i = 0; i < n; ++i) {
    tn_str name{};
    tn_tensor* t = nullptr;
    OK(tn_optimizer_state_take(ctx, o, i, &name, &t));
    const Tensor owner(t);
    std::vector<char> bytes(tn_tensor_bytes(t));
    OK(tn_tensor_read(ctx, t, bytes.data(), bytes.size()));
    CHECK(out.emplace(std::string(text_of(name)), std::move(bytes)).second);
  }
  return out;
}

// Two f32 variables "a" [2, 3] and "b" [4] with gradients for as many steps as one likes.
struct Small {
  Numbers numbers;
  std::vector<Variable> variables;
  explicit Small(tn_ctx* ctx) {
    variables.push_back(
        variable(ctx, "a", tensor(ctx, TN_DTYPE_F32, {2, 3}, numbers.draw<float>(6, 1)).get()));
    variables.push_back(
        variable(ctx, "b", tensor(ctx, TN_DTYPE_F32, {4}, numbers.draw<float>(4, 1)).get()));
  }
  std::vector<Tensor> grads(tn_ctx* ctx) {
    std::vector<Tensor> g;
    g.push_back(tensor(ctx, TN_DTYPE_F32, {2, 3}, numbers.draw<float>(6, 1)));
    g.push_back(tensor(ctx, TN_DTYPE_F32, {4}, numbers.draw<float>(4, 1)));
    return g;
  }
  tn_error* step(tn_ctx* ctx, tn_optimizer* o, const std::vector<Tensor>& g) const {
    return tn_optimizer_step(ctx, o, raw(variables).data(), raw(g).data(), 2);
  }
  std::vector<std::vector<float>> values(tn_ctx* ctx) const {
    return {elements<float>(ctx, value_of(ctx, variables[0].get()).get()),
            elements<float>(ctx, value_of(ctx, variables[1].get()).get())};
  }
};

}  // namespace

TEST_CASE("optimizer: fifty steps follow the formulas in f32") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    for (const OptimizerCase& c : optimizer_cases()) {
      CAPTURE(c.name);
      follow<float>(ctx, c, 2e-5);
    }
  });
}

TEST_CASE("optimizer: fifty steps follow the formulas in f64") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    for (const OptimizerCase& c : optimizer_cases()) {
      CAPTURE(c.name);
      follow<double>(ctx, c, 1e-11);
    }
  });
}

TEST_CASE("optimizer: f16 and bf16 parameters have state in f32") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    for (const OptimizerCase& c : optimizer_cases()) {
      CAPTURE(c.name);
      follow<sdk::f16>(ctx, c, 4e-3);
      if (steps_on(ctx) == 50) follow<sdk::bf16>(ctx, c, 3e-2);
    }
    const Optimizer o = make(ctx, "adam");
    const std::vector<sdk::bf16> ones(3, sdk::bf16(1.0f));
    const Tensor value = tensor(ctx, TN_DTYPE_BF16, {3}, ones);
    const Variable v = variable(ctx, "w", value.get());
    tn_variable* variables[] = {v.get()};
    tn_tensor* grads[] = {value.get()};
    OK(tn_optimizer_step(ctx, o.get(), variables, grads, 1));
    tn_str name{};
    tn_tensor* slot = nullptr;
    OK(tn_optimizer_state_take(ctx, o.get(), 2, &name, &slot));
    CHECK(text_of(name) == "w.exp_avg_sq");
    CHECK(tn_tensor_dtype(slot) == TN_DTYPE_F32);
    tn_tensor_release(slot);
  });
}

TEST_CASE("optimizer: state saved by name continues as if nothing had happened") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    for (const OptimizerCase& c : optimizer_cases()) {
      CAPTURE(c.name);
      Small straight(ctx);
      const Optimizer o = make(ctx, c.name, c.options);
      for (int i = 0; i < 5; ++i) OK(straight.step(ctx, o.get(), straight.grads(ctx)));
      const auto saved_values = straight.values(ctx);
      // A new context, optimizer and variables, from the bytes alone.
      char device[64];
      tn_device_info info = tn_device_info_init();
      OK(tn_device_get_info(tn_ctx_get_device(ctx), &info));
      std::snprintf(device, sizeof device, "%.*s", static_cast<int>(info.name.size),
                    info.name.data);
      const Context other(runtime, device);
      const Optimizer resumed = make(other, c.name, c.options);
      for (const auto& [name, bytes] : state_bytes(ctx, o.get())) {
        tn_tensor* t = nullptr;
        const int64_t dims_a[] = {2, 3}, dims_b[] = {4};
        if (name == "step") {
          OK(tn_tensor_from_host(other, TN_DTYPE_I64, 0, nullptr, bytes.data(), bytes.size(), &t));
        } else if (name[0] == 'a') {
          OK(tn_tensor_from_host(other, TN_DTYPE_F32, 2, dims_a, bytes.data(), bytes.size(), &t));
        } else {
          OK(tn_tensor_from_host(other, TN_DTYPE_F32, 1, dims_b, bytes.data(), bytes.size(), &t));
        }
        OK(tn_optimizer_state_set(other, resumed.get(), str_of(name), t));
        tn_tensor_release(t);
      }
      CHECK(state_bytes(other, resumed.get()) == state_bytes(ctx, o.get()));
      std::vector<Variable> copies;
      copies.push_back(
          variable(other, "a", tensor(other, TN_DTYPE_F32, {2, 3}, saved_values[0]).get()));
      copies.push_back(
          variable(other, "b", tensor(other, TN_DTYPE_F32, {4}, saved_values[1]).get()));
      for (int i = 0; i < 5; ++i) {
        const std::vector<Tensor> g = straight.grads(ctx);
        OK(straight.step(ctx, o.get(), g));
        std::vector<Tensor> same;
        same.push_back(tensor(other, TN_DTYPE_F32, {2, 3}, elements<float>(ctx, g[0].get())));
        same.push_back(tensor(other, TN_DTYPE_F32, {4}, elements<float>(ctx, g[1].get())));
        OK(tn_optimizer_step(other, resumed.get(), raw(copies).data(), raw(same).data(), 2));
      }
      CHECK(state_bytes(other, resumed.get()) == state_bytes(ctx, o.get()));
      CHECK(elements<float>(other, value_of(other, copies[0].get()).get()) ==
            straight.values(ctx)[0]);
      CHECK(elements<float>(other, value_of(other, copies[1].get()).get()) ==
            straight.values(ctx)[1]);
    }
  });
}

TEST_CASE("optimizer: state is named and typed, and can be set between steps") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    Small s(ctx);
    const Optimizer o = make(ctx, "adam");
    OK(s.step(ctx, o.get(), s.grads(ctx)));
    std::vector<std::string> names;
    for (const auto& [name, bytes] : state_bytes(ctx, o.get())) names.push_back(name);
    CHECK(names == std::vector<std::string>{"a.exp_avg", "a.exp_avg_sq", "b.exp_avg",
                                            "b.exp_avg_sq", "step"});
    const std::vector<float> set = {1, 2, 3, 4};
    OK(tn_optimizer_state_set(ctx, o.get(), tn_string("b.exp_avg"),
                              tensor(ctx, TN_DTYPE_F32, {4}, set).get()));
    const auto bytes = state_bytes(ctx, o.get()).at("b.exp_avg");
    CHECK(std::vector<float>(reinterpret_cast<const float*>(bytes.data()),
                             reinterpret_cast<const float*>(bytes.data()) + 4) == set);

    REFUSED(tn_optimizer_state_set(ctx, o.get(), tn_string("b.exp_avg"),
                                   tensor<float>(ctx, TN_DTYPE_F32, {3}, {1, 2, 3}).get()),
            TN_INVALID_ARGUMENT, "state \"b.exp_avg\" is f32[4], what was set is f32[3]");
    REFUSED(tn_optimizer_state_set(ctx, o.get(), tn_string("b.momentum"),
                                   tensor(ctx, TN_DTYPE_F32, {4}, set).get()),
            TN_NOT_FOUND,
            "there is no state \"b.momentum\". There are: step, <variable>.exp_avg, "
            "<variable>.exp_avg_sq");
    REFUSED(tn_optimizer_state_set(ctx, o.get(), tn_string("step"),
                                   tensor<int64_t>(ctx, TN_DTYPE_I64, {}, {-1}).get()),
            TN_INVALID_ARGUMENT, "step is -1");
    // What was set for a variable that comes later must fit it then.
    const Optimizer early = make(ctx, "adam");
    OK(tn_optimizer_state_set(ctx, early.get(), tn_string("a.exp_avg"),
                              tensor(ctx, TN_DTYPE_F32, {4}, set).get()));
    const auto before = s.values(ctx);
    REFUSED(s.step(ctx, early.get(), s.grads(ctx)), TN_INVALID_ARGUMENT,
            "state \"a.exp_avg\" is f32[2, 3], what was set is f32[4]");
    CHECK(s.values(ctx) == before);
  });
}

TEST_CASE("optimizer: what others hold is not written over") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    for (const std::string name : {"sgd", "adam", "adamw", "rmsprop", "adagrad"}) {
      CAPTURE(name);
      Small s(ctx);
      const Optimizer o = make(ctx, name, {{"lr", 0.5}});
      for (int i = 0; i < 3; ++i) OK(s.step(ctx, o.get(), s.grads(ctx)));
      const Tensor held = value_of(ctx, s.variables[0].get());
      const auto held_before = elements<float>(ctx, held.get());
      tn_str slot_name{};
      tn_tensor* slot = nullptr;
      OK(tn_optimizer_state_take(ctx, o.get(), 1, &slot_name, &slot));
      const Tensor slot_owner(slot);
      const auto slot_before = elements<float>(ctx, slot);
      const std::vector<Tensor> g = s.grads(ctx);
      const auto grad_before = elements<float>(ctx, g[0].get());
      OK(s.step(ctx, o.get(), g));
      CHECK(elements<float>(ctx, held.get()) == held_before);
      CHECK(elements<float>(ctx, slot) == slot_before);
      CHECK(elements<float>(ctx, g[0].get()) == grad_before);
      CHECK(s.values(ctx)[0] != held_before);
    }
  });
}

TEST_CASE("optimizer: a fused step writes over what nobody else holds") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    tn_op op = 0;
    Small s(ctx);
    const Optimizer o = make(ctx, "adamw");
    OK(tn_op_find(runtime.get(), tn_string("adamw_step"), 0, &op));
    std::vector<Tensor> inputs;
    for (int i = 0; i < 6; ++i) inputs.push_back(tensor<float>(ctx, TN_DTYPE_F32, {}, {1}));
    for (int i = 0; i < 4; ++i) inputs.push_back(tensor<float>(ctx, TN_DTYPE_F32, {2}, {1, 1}));
    uint32_t level = 0;
    OK(tn_op_explain(ctx, op, raw(inputs).data(), 10, nullptr, 0, &level, nullptr, 0, nullptr));
    if (level != TN_SUPPORT_NATIVE) return;
    const auto address = [&](tn_tensor* t) {
      const void* data = nullptr;
      OK(tn_tensor_get_data(ctx, t, &data));
      return data;
    };
    const auto slot_address = [&] {
      tn_str name{};
      tn_tensor* slot = nullptr;
      OK(tn_optimizer_state_take(ctx, o.get(), 1, &name, &slot));
      return address(Tensor(slot).get());
    };
    OK(s.step(ctx, o.get(), s.grads(ctx)));
    const void* value = address(value_of(ctx, s.variables[0].get()).get());
    const void* slot = slot_address();
    for (int i = 0; i < 3; ++i) OK(s.step(ctx, o.get(), s.grads(ctx)));
    CHECK(address(value_of(ctx, s.variables[0].get()).get()) == value);
    CHECK(slot_address() == slot);
  });
}

TEST_CASE("optimizer: a variable without gradient is left alone") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    Small s(ctx);
    const Optimizer o = make(ctx, "adam", {{"lr", 0.1}});
    const auto before = s.values(ctx);
    std::vector<Tensor> g = s.grads(ctx);
    g[0].reset();
    OK(s.step(ctx, o.get(), g));
    CHECK(s.values(ctx)[0] == before[0]);
    CHECK(s.values(ctx)[1] != before[1]);
    CHECK(state_bytes(ctx, o.get()).size() == 3);
    g[1].reset();
    OK(s.step(ctx, o.get(), g));  // nothing to do: no update is counted
    int64_t step = 0;
    std::memcpy(&step, state_bytes(ctx, o.get()).at("step").data(), sizeof step);
    CHECK(step == 1);
    OK(tn_optimizer_step(ctx, o.get(), nullptr, nullptr, 0));
  });
}

TEST_CASE("optimizer: a step without memory changes nothing") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    Numbers numbers;
    constexpr int64_t n = 100000;
    std::vector<Variable> variables;
    std::vector<Tensor> grads;
    for (const char* name : {"x", "y", "z"}) {
      variables.push_back(
          variable(ctx, name, tensor(ctx, TN_DTYPE_F32, {n}, numbers.draw<float>(n, 1)).get()));
      grads.push_back(tensor(ctx, TN_DTYPE_F32, {n}, numbers.draw<float>(n, 1)));
    }
    const Optimizer o = make(ctx, "adam", {{"lr", 0.1}});
    const auto step = [&] {
      return tn_optimizer_step(ctx, o.get(), raw(variables).data(), raw(grads).data(), 3);
    };
    OK(step());
    // Held values cannot be written over, so that the step needs memory.
    std::vector<Tensor> held;
    for (const Variable& v : variables) held.push_back(value_of(ctx, v.get()));
    const auto state = state_bytes(ctx, o.get());
    const auto value = elements<float>(ctx, held[0].get());
    tn_device* device = tn_ctx_get_device(ctx);
    tn_memory_stats stats = tn_memory_stats_init();
    OK(tn_device_trim(device));
    OK(tn_device_get_memory(device, &stats));
    for (uint64_t room = 0; room < 40; ++room) {
      OK(tn_device_set_memory_limit(device, stats.live_bytes + 1 + room * n));
      const Outcome result = outcome(step());
      CHECK((result.code == TN_OUT_OF_MEMORY || result.code == TN_OK));
      if (result.code == TN_OK) break;
      CHECK(state_bytes(ctx, o.get()) == state);
      for (size_t i = 0; i < 3; ++i) {
        CHECK(elements<float>(ctx, value_of(ctx, variables[i].get()).get()) ==
              elements<float>(ctx, held[i].get()));
      }
    }
    OK(tn_device_set_memory_limit(device, 0));
    OK(step());
    CHECK(elements<float>(ctx, held[0].get()) == value);
  });
}

TEST_CASE("optimizer: hyper-parameters are variables") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    Small s(ctx);
    const Optimizer o = make(ctx, "sgd", {{"lr", 0.5}});
    tn_variable* lr = nullptr;
    OK(tn_optimizer_get_hyper(o.get(), tn_string("lr"), &lr));
    double value = 0;
    OK(tn_tensor_item_f64(ctx, value_of(ctx, lr).get(), &value));
    CHECK(value == 0.5);
    OK(tn_variable_assign(ctx, lr, tensor<float>(ctx, TN_DTYPE_F32, {}, {0}).get()));
    const auto before = s.values(ctx);
    OK(s.step(ctx, o.get(), s.grads(ctx)));
    CHECK(s.values(ctx) == before);
    tn_variable* none = nullptr;
    REFUSED(tn_optimizer_get_hyper(o.get(), tn_string("beta1"), &none), TN_NOT_FOUND,
            "there is no hyper-parameter \"beta1\". It has lr, momentum, weight_decay, dampening");
    REFUSED(tn_optimizer_get_hyper(o.get(), tn_string("nesterov"), &none), TN_NOT_FOUND,
            "nesterov is fixed when the optimizer is made");
    CHECK(none == nullptr);
  });
}

TEST_CASE("optimizer: wrong use is refused with what was wrong") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    tn_optimizer* o = nullptr;
    const auto create = [&](const char* name, std::vector<tn_option> options) {
      return tn_optimizer_create(ctx, tn_string(name), options.data(),
                                 static_cast<uint32_t>(options.size()), &o);
    };
    REFUSED(create("adamm", {}), TN_NOT_FOUND, "there is no optimizer \"adamm\"");
    REFUSED(create("adam", {tn_option_f64("momentum", 0.9)}), TN_INVALID_ARGUMENT,
            "optimizer adam: there is no option \"momentum\". It takes lr, beta1, beta2, epsilon, "
            "weight_decay.");
    REFUSED(create("adam", {tn_option_f64("lr", -1)}), TN_INVALID_ARGUMENT,
            "optimizer adam: lr is -1; it must be at least 0");
    REFUSED(create("adam", {tn_option_f64("lr", NAN)}), TN_INVALID_ARGUMENT, "lr is nan");
    REFUSED(create("adam", {tn_option_f64("lr", INFINITY)}), TN_INVALID_ARGUMENT, "lr is inf");
    REFUSED(create("adam", {tn_option_i64("beta1", 1)}), TN_INVALID_ARGUMENT,
            "beta1 is 1; it must lie in [0, 0.99999994]");
    REFUSED(create("sgd", {tn_option_i64("nesterov", 2)}), TN_INVALID_ARGUMENT,
            "nesterov is 2; it must lie in [0, 1]");
    REFUSED(create("adam", {tn_option_string("lr", "fast")}), TN_INVALID_ARGUMENT,
            "option \"lr\" must be a number");
    REFUSED(create("adam", {tn_option_f64("lr", 1), tn_option_f64("lr", 2)}), TN_INVALID_ARGUMENT,
            "option \"lr\" is given twice");
    REFUSED(tn_optimizer_create(ctx, tn_string("adam"), nullptr, 1, &o), TN_INVALID_ARGUMENT,
            "options is NULL");
    REFUSED(tn_optimizer_create(nullptr, tn_string("adam"), nullptr, 0, &o), TN_INVALID_ARGUMENT,
            "ctx is NULL");
    REFUSED(tn_optimizer_create(ctx, tn_string("adam"), nullptr, 0, nullptr), TN_INVALID_ARGUMENT,
            "out_optimizer is NULL");
    CHECK(o == nullptr);

    Small s(ctx);
    const Optimizer adam = make(ctx, "adam");
    const auto before = s.values(ctx);
    std::vector<Tensor> g = s.grads(ctx);
    std::swap(g[0], g[1]);
    REFUSED(s.step(ctx, adam.get(), g), TN_INVALID_ARGUMENT,
            "optimizer adam: variable \"a\" is f32[2, 3], its gradient f32[4]");
    g[0] = tensor(ctx, TN_DTYPE_F64, {2, 3}, std::vector<double>(6));
    REFUSED(s.step(ctx, adam.get(), g), TN_INVALID_ARGUMENT,
            "variable \"a\" is f32[2, 3], its gradient f64[2, 3]");
    g = s.grads(ctx);
    tn_variable* twice[] = {s.variables[0].get(), s.variables[0].get()};
    tn_tensor* grads[] = {g[0].get(), g[0].get()};
    REFUSED(tn_optimizer_step(ctx, adam.get(), twice, grads, 2), TN_INVALID_ARGUMENT,
            "two of the variables are named \"a\"; state is kept by name");
    const Variable namesake = variable(ctx, "a", value_of(ctx, s.variables[1].get()).get());
    tn_variable* names[] = {s.variables[0].get(), namesake.get()};
    REFUSED(tn_optimizer_step(ctx, adam.get(), names, raw(g).data(), 2), TN_INVALID_ARGUMENT,
            "two of the variables are named \"a\"; state is kept by name");
    CHECK(s.values(ctx) == before);
    uint32_t entries = 0;
    OK(tn_optimizer_state_count(adam.get(), &entries));
    CHECK(entries == 1);  // "step": what was refused left nothing behind
    tn_variable* first[] = {s.variables[0].get()};
    OK(tn_optimizer_step(ctx, adam.get(), first, raw(g).data(), 1));
    const auto after = s.values(ctx);
    tn_variable* other[] = {namesake.get()};
    REFUSED(tn_optimizer_step(ctx, adam.get(), other, raw(g).data() + 1, 1), TN_INVALID_ARGUMENT,
            "variable \"a\" is f32[4], but its state was made for f32[2, 3]");
    tn_variable* missing[] = {nullptr};
    REFUSED(tn_optimizer_step(ctx, adam.get(), missing, grads, 1), TN_INVALID_ARGUMENT,
            "variable 0 is NULL");
    REFUSED(tn_optimizer_step(ctx, nullptr, twice, grads, 2), TN_INVALID_ARGUMENT,
            "optimizer is NULL");
    const Variable count =
        variable(ctx, "n", tensor(ctx, TN_DTYPE_I64, {2}, std::vector<int64_t>(2)).get());
    const Tensor whole = tensor(ctx, TN_DTYPE_I64, {2}, std::vector<int64_t>(2));
    tn_variable* integers[] = {count.get()};
    tn_tensor* whole_grads[] = {whole.get()};
    REFUSED(tn_optimizer_step(ctx, adam.get(), integers, whole_grads, 1), TN_INVALID_ARGUMENT,
            "variable \"n\" is i64[2]; only f32, f64, f16 and bf16");
    CHECK(s.values(ctx) == after);
    tn_optimizer_release(nullptr);
  });
}

// Every element moves alike, so a reader that sees two different elements saw half a step.
TEST_CASE("optimizer: readers in other threads never see half a step") {
  const Runtime runtime;
  for (const std::string& device : runtime.devices()) {
    CAPTURE(device);
    const Context ctx(runtime, device);
    constexpr int64_t n = 20000;
    const std::vector<float> ones(n, 1.0f);
    const Variable v = variable(ctx, "w", tensor(ctx, TN_DTYPE_F32, {n}, ones).get());
    const Tensor g = tensor(ctx, TN_DTYPE_F32, {n}, ones);
    const Optimizer o = make(ctx, "sgd", {{"lr", 0.01}});
    std::atomic<bool> done{false};
    std::atomic<int> torn{0}, reads{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
      readers.emplace_back([&] {
        tn_ctx* mine = nullptr;
        if (tn_error* e = tn_ctx_create(runtime.get(), str_of(device), &mine))
          return tn_error_release(e);
        std::vector<float> seen(n);
        while (!done) {
          tn_tensor* t = nullptr;
          if (tn_variable_take(mine, v.get(), &t) ||
              tn_tensor_read(mine, t, seen.data(), n * sizeof(float)))
            break;
          for (const float x : seen) torn += x != seen[0];
          ++reads;
          tn_tensor_drop(mine, t);
        }
        tn_ctx_release(mine);
      });
    }
    tn_variable* variables[] = {v.get()};
    tn_tensor* grads[] = {g.get()};
    for (int i = 0; i < 300 || reads < 20; ++i)
      OK(tn_optimizer_step(ctx, o.get(), variables, grads, 1));
    done = true;
    for (std::thread& t : readers) t.join();
    CHECK(torn == 0);
  }
}

// ---- clipping -----------------------------------------------------------------------------------

TEST_CASE("clip_grad_value: elements end at the limit") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    const Tensor g = tensor<float>(ctx, TN_DTYPE_F32, {4}, {-3, -0.5f, 0.25f, 7});
    tn_tensor* grads[] = {g.get(), nullptr};
    tn_tensor* out[] = {nullptr, g.get()};
    OK(tn_clip_grad_value(ctx, grads, 2, 0.5, out));
    const Tensor owner(out[0]);
    CHECK(out[1] == nullptr);
    CHECK(elements<float>(ctx, out[0]) == std::vector<float>{-0.5f, -0.5f, 0.25f, 0.5f});
    REFUSED(tn_clip_grad_value(ctx, grads, 2, 0, out), TN_INVALID_ARGUMENT,
            "limit is 0; it must be greater than 0");
    REFUSED(tn_clip_grad_value(ctx, grads, 2, NAN, out), TN_INVALID_ARGUMENT, "limit is nan");
  });
}

TEST_CASE("clip_grad_norm: all are scaled by one factor") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    Numbers numbers;
    const auto a = numbers.draw<float>(12, 1);
    const auto b = numbers.draw<double>(5, 1);
    const auto c = numbers.draw<sdk::f16>(7, 1);
    double squares = 0;
    for (const float x : a) squares += double(x) * double(x);
    for (const double x : b) squares += x * x;
    for (const sdk::f16 x : c) squares += double(x) * double(x);
    const double norm = std::sqrt(squares);
    std::vector<Tensor> grads;
    grads.push_back(tensor(ctx, TN_DTYPE_F32, {3, 4}, a));
    grads.push_back(nullptr);
    grads.push_back(tensor(ctx, TN_DTYPE_F64, {5}, b));
    grads.push_back(tensor(ctx, TN_DTYPE_F16, {7}, c));
    for (const double max_norm : {0.5, 2.0, 1000.0}) {
      tn_tensor* out[4] = {};
      tn_tensor* out_norm = nullptr;
      OK(tn_clip_grad_norm(ctx, raw(grads).data(), 4, max_norm, out, &out_norm));
      const Tensor owners[] = {Tensor(out[0]), Tensor(out[1]), Tensor(out[2]), Tensor(out[3]),
                               Tensor(out_norm)};
      const double scale = std::min(1.0, max_norm / (norm + 1e-6));
      double got = 0;
      OK(tn_tensor_item_f64(ctx, out_norm, &got));
      CHECK(tn_tensor_dtype(out_norm) == TN_DTYPE_F32);
      CHECK(tn_tensor_rank(out_norm) == 0);
      CHECK(got == doctest::Approx(norm).epsilon(1e-6));
      CHECK(out[1] == nullptr);
      for (size_t i = 0; i < a.size(); ++i)
        CHECK(elements<float>(ctx, out[0])[i] == doctest::Approx(a[i] * scale).epsilon(1e-5));
      for (size_t i = 0; i < b.size(); ++i)
        CHECK(elements<double>(ctx, out[2])[i] == doctest::Approx(b[i] * scale).epsilon(1e-6));
      REQUIRE(tn_tensor_dtype(out[3]) == TN_DTYPE_F16);
      for (size_t i = 0; i < c.size(); ++i)
        CHECK(double(elements<sdk::f16>(ctx, out[3])[i]) ==
              doctest::Approx(double(c[i]) * scale).epsilon(2e-3));
    }
    tn_tensor* none[] = {nullptr};
    tn_tensor* out_norm = nullptr;
    OK(tn_clip_grad_norm(ctx, none, 1, 1, none, &out_norm));
    double zero = 1;
    OK(tn_tensor_item_f64(ctx, out_norm, &zero));
    CHECK(zero == 0);
    tn_tensor_release(out_norm);
    REFUSED(tn_clip_grad_norm(ctx, none, 1, -1, none, nullptr), TN_INVALID_ARGUMENT,
            "max_norm is -1; it must be greater than 0");
  });
}
