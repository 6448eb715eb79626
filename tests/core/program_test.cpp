// Programs: what a capture records, and that a run of it gives what the calls themselves give.
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "fixture.hpp"

using namespace tenon::test;

namespace {

struct ProgramReleaser {
  void operator()(tn_program* p) const { tn_program_release(p); }
};
using Program = std::unique_ptr<tn_program, ProgramReleaser>;

Tensor input(tn_ctx* cx, const char* name, std::vector<int64_t> dims,
             std::vector<const char*> symbols = {}) {
  std::vector<tn_str> names;
  for (const char* s : symbols) names.push_back(tn_string(s));
  return get([&](tn_tensor** o) {
    return tn_capture_input(cx, tn_string(name), TN_DTYPE_F32, static_cast<uint32_t>(dims.size()),
                            dims.data(), names.empty() ? nullptr : names.data(), o);
  });
}

Program finish(tn_ctx* cx, std::vector<const Tensor*> outputs) {
  std::vector<tn_tensor*> list;
  for (const Tensor* t : outputs) list.push_back(t->get());
  tn_program* p = nullptr;
  REQUIRE_OK(tn_capture_end(cx, list.data(), static_cast<uint32_t>(list.size()), &p));
  return Program(p);
}

std::vector<Tensor> run(tn_ctx* cx, const Program& p, std::vector<const Tensor*> inputs) {
  std::vector<tn_tensor*> in, out(16);
  for (const Tensor* t : inputs) in.push_back(t->get());
  uint32_t n = 0;
  REQUIRE_OK(tn_program_run(cx, p.get(), in.data(), static_cast<uint32_t>(in.size()), out.data(),
                            static_cast<uint32_t>(out.size()), &n));
  std::vector<Tensor> results;
  for (uint32_t i = 0; i < n; ++i) results.emplace_back(out[i]);
  return results;
}

std::string text_of(const Program& p) {
  char buffer[16384];
  REQUIRE_OK(tn_program_text(p.get(), buffer, sizeof buffer, nullptr));
  return buffer;
}

Variable variable(tn_ctx* cx, const char* name, const Tensor& value) {
  tn_variable* v = nullptr;
  REQUIRE_OK(tn_variable_create(cx, tn_string(name), value.get(), 0, &v));
  return Variable(v);
}

Tensor value_of(tn_ctx* cx, const Variable& v) {
  return get([&](tn_tensor** o) { return tn_variable_take(cx, v.get(), o); });
}

}  // namespace

TEST_CASE("program: what was recorded is computed at each run") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("sum of squares")));
  const Tensor x = input(cx, "x", {3});
  const Tensor square = get([&](tn_tensor** o) { return tn_mul(cx, x.get(), x.get(), o); });
  const Tensor sum = get([&](tn_tensor** o) { return tn_sum(cx, square.get(), nullptr, o); });
  const Program p = finish(cx, {&sum, &square});
  for (float k : {1.f, 2.f, 3.f}) {
    const Tensor data = cx.f32({k, 2 * k, 3 * k}, {3});
    const std::vector<Tensor> results = run(cx, p, {&data});
    REQUIRE(results.size() == 2);
    check_close(cx.read(results[0]), {14 * k * k});
    check_close(cx.read(results[1]), {k * k, 4 * k * k, 9 * k * k});
  }
  tn_program_info info = tn_program_info_init();
  REQUIRE_OK(tn_program_get_info(p.get(), &info));
  CHECK(info.input_count == 1);
  CHECK(info.output_count == 2);
  CHECK(info.op_count == 2);
  CHECK(info.prepared_count == 1);
  CHECK(std::string(info.name.data, info.name.size) == "sum of squares");
}

TEST_CASE("program: what a run costs is counted for its sizes") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("layer")));
  const Tensor x = input(cx, "x", {TN_DIM_ANY, 24}, {"batch", ""});
  const Tensor w = input(cx, "w", {24, 40});
  const Tensor y = get([&](tn_tensor** o) { return tn_matmul(cx, x.get(), w.get(), nullptr, o); });
  tn_matmul_options second_transposed = tn_matmul_options_init();
  second_transposed.transpose_b = 1;
  const Tensor z =
      get([&](tn_tensor** o) { return tn_matmul(cx, y.get(), y.get(), &second_transposed, o); });
  const Program p = finish(cx, {&z});
  const auto cost = [&](std::vector<int64_t> dims) {
    const Tensor a = cx.f32(std::vector<float>(static_cast<size_t>(dims[0] * dims[1])), dims);
    const Tensor b = cx.f32(std::vector<float>(24 * 40), {24, 40});
    tn_tensor* in[] = {a.get(), b.get()};
    char text[8192];
    REQUIRE_OK(tn_program_cost(cx, p.get(), in, 2, text, sizeof text, nullptr));
    return nlohmann::json::parse(text);
  };
  for (const int64_t rows : {16, 64}) {
    const nlohmann::json j = cost({rows, 24});
    CHECK(j["program"] == "layer");
    CHECK(j["result_bytes"].get<int64_t>() >= 4 * rows * rows);
    REQUIRE(!j["steps"].empty());
    int64_t bytes = 0, flop = 0;
    bool compiled = false;  // what is within a compiled graph is not counted
    for (const nlohmann::json& step : j["steps"]) {
      bytes += step["bytes"].get<int64_t>();
      flop += step["flop"].is_null() ? 0 : step["flop"].get<int64_t>();
      CHECK(!step["kernel"].get<std::string>().empty());
      compiled = compiled || step["op"] == "compiled";
    }
    CHECK(j["bytes"] == bytes);
    CHECK(j["flop"] == flop);
    if (compiled) continue;
    CHECK(j["steps"].size() >= 2);
    CHECK(flop == 2 * rows * 24 * 40 + 2 * rows * 40 * rows);
    CHECK(j["arena_bytes"].get<int64_t>() >= 4 * rows * 40);
    CHECK(bytes >= 4 * (rows * 24 + 24 * 40 + 3 * rows * 40 + rows * rows));
  }
  tn_program_info info = tn_program_info_init();
  REQUIRE_OK(tn_program_get_info(p.get(), &info));
  CHECK(info.prepared_count == 2);  // as runs of these sizes would have left it

  const Tensor wrong = cx.f32({1, 2, 3}, {3});
  tn_tensor* in[] = {wrong.get(), wrong.get()};
  char text[64];
  CHECK_FAILS(tn_program_cost(cx, p.get(), in, 2, text, sizeof text, nullptr), TN_INVALID_ARGUMENT,
              "input \"x\" is f32[3], the program takes");
  CHECK_FAILS(tn_program_cost(cx, p.get(), in, 1, text, sizeof text, nullptr), TN_INVALID_ARGUMENT,
              "1 inputs given, it takes 2");
}

TEST_CASE("program: a size without a value is that of the run") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("mean")));
  const Tensor x = input(cx, "x", {TN_DIM_ANY, 2}, {"batch", ""});
  const Tensor y = input(cx, "y", {TN_DIM_ANY, 2}, {"batch", ""});
  CHECK(tn_tensor_count(x.get()) == -1);
  const Tensor d = get([&](tn_tensor** o) { return tn_sub(cx, x.get(), y.get(), o); });
  const Tensor m = get([&](tn_tensor** o) { return tn_mean(cx, d.get(), nullptr, o); });
  const Program p = finish(cx, {&m});
  CHECK(text_of(p).find("f32[batch, 2] = sub(%0, %1)") != std::string::npos);
  for (int64_t batch : {1, 3, 7, 3, 0 + 1}) {
    const auto n = static_cast<size_t>(batch) * 2;
    const Tensor a = cx.f32(std::vector<float>(n, 5), {batch, 2});
    const Tensor b = cx.f32(std::vector<float>(n, 3), {batch, 2});
    check_close(cx.read(run(cx, p, {&a, &b})[0]), {2});
  }
  tn_program_info info = tn_program_info_init();
  REQUIRE_OK(tn_program_get_info(p.get(), &info));
  CHECK(info.prepared_count == 3);
  const Tensor a = cx.f32({1, 2, 3, 4}, {2, 2}), b = cx.f32({1, 2}, {1, 2});
  tn_tensor *in[] = {a.get(), b.get()}, *out[1];
  uint32_t n = 0;
  CHECK_FAILS(tn_program_run(cx, p.get(), in, 2, out, 1, &n), TN_INVALID_ARGUMENT,
              "batch is 1 in input \"y\", but 2 in input \"x\"");
}

TEST_CASE("program: a slice up to a size, and its gradient") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("head")));
  const Tensor x = input(cx, "x", {TN_DIM_ANY, 3}, {"n", ""});
  const Tensor v = input(cx, "v", {TN_DIM_ANY}, {"m"});
  const Tensor leaf = get([&](tn_tensor** o) { return tn_tensor_leaf(cx, x.get(), o); });
  // The first m rows, and what is behind the first m numbers of each.
  const int64_t m = tn_tensor_dims(v.get())[0];
  const int64_t starts[] = {0, m}, stops[] = {m, INT64_MAX};
  const Tensor y =
      get([&](tn_tensor** o) { return tn_slice(cx, leaf.get(), 2, starts, 2, stops, nullptr, o); });
  const Tensor square = get([&](tn_tensor** o) { return tn_mul(cx, y.get(), y.get(), o); });
  const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, square.get(), nullptr, o); });
  const Tensor grad = get([&](tn_tensor** o) {
    tn_tensor *outputs[] = {loss.get()}, *by[] = {leaf.get()};
    return tn_vjp(cx, outputs, nullptr, 1, by, 1, 0, o);
  });
  const Program p = finish(cx, {&y, &grad});
  for (int64_t n = 1; n <= 4; ++n) {
    for (int64_t k = 0; k <= 4; ++k) {
      CAPTURE(n);
      CAPTURE(k);
      std::vector<float> rows(static_cast<size_t>(n) * 3), want, back;
      for (size_t i = 0; i < rows.size(); ++i) {
        rows[i] = static_cast<float>(i + 1);
        const auto at = static_cast<int64_t>(i);
        const bool taken = at / 3 < k && at % 3 >= k;
        if (taken) want.push_back(rows[i]);
        back.push_back(taken ? 2 * rows[i] : 0);
      }
      const Tensor a = cx.f32(rows, {n, 3}),
                   b = cx.f32(std::vector<float>(static_cast<size_t>(k)), {k});
      const std::vector<Tensor> out = run(cx, p, {&a, &b});
      CHECK(cx.read(out[0]) == want);
      CHECK(cx.read(out[1]) == back);
    }
  }
}

TEST_CASE("program: gradients, an optimizer and its state, as by calls") {
  Session cx;
  const auto train = [&](bool captured) {
    const Variable w = variable(cx, "w", cx.f32({0.5f, -0.25f, 0.125f, 1, -1, 0.75f}, {3, 2}));
    const Variable b = variable(cx, "b", cx.f32({0.1f, -0.1f}, {2}));
    tn_variable* both[] = {w.get(), b.get()};
    tn_optimizer* made = nullptr;
    const tn_option lr = tn_option_f64("lr", 0.05);
    REQUIRE_OK(tn_optimizer_create(cx, tn_string("adam"), &lr, 1, &made));
    const std::unique_ptr<tn_optimizer, void (*)(tn_optimizer*)> o(made, tn_optimizer_release);
    const auto step = [&](tn_tensor* x, tn_tensor* y) {
      const Tensor weight = value_of(cx, w), bias = value_of(cx, b);
      const Tensor h =
          get([&](tn_tensor** t) { return tn_matmul(cx, x, weight.get(), nullptr, t); });
      const Tensor z = get([&](tn_tensor** t) { return tn_add(cx, h.get(), bias.get(), t); });
      const Tensor a = get([&](tn_tensor** t) { return tn_gelu(cx, z.get(), nullptr, t); });
      const Tensor e = get([&](tn_tensor** t) { return tn_sub(cx, a.get(), y, t); });
      const Tensor s = get([&](tn_tensor** t) { return tn_mul(cx, e.get(), e.get(), t); });
      Tensor loss = get([&](tn_tensor** t) { return tn_mean(cx, s.get(), nullptr, t); });
      tn_tensor* grads[2];
      REQUIRE_OK(tn_grad(cx, loss.get(), both, 2, grads));
      const Tensor g0(grads[0]), g1(grads[1]);
      REQUIRE_OK(tn_optimizer_step(cx, o.get(), both, grads, 2));
      return loss;
    };
    Program p;
    if (captured) {
      REQUIRE_OK(tn_capture_begin(cx, tn_string("step")));
      const Tensor x = input(cx, "x", {TN_DIM_ANY, 3}, {"batch", ""});
      const Tensor y = input(cx, "y", {TN_DIM_ANY, 2}, {"batch", ""});
      const Tensor loss = step(x.get(), y.get());
      p = finish(cx, {&loss});
    }
    std::vector<float> losses;
    for (int k = 0; k < 20; ++k) {
      const int64_t batch = 4 + k % 2;
      std::vector<float> xs, ys;
      for (int64_t i = 0; i < batch * 3; ++i) xs.push_back(static_cast<float>((i * 7 + k) % 5) - 2);
      for (int64_t i = 0; i < batch * 2; ++i) ys.push_back(static_cast<float>((i + k) % 3) / 2);
      const Tensor x = cx.f32(xs, {batch, 3}), y = cx.f32(ys, {batch, 2});
      const Tensor loss = captured ? std::move(run(cx, p, {&x, &y})[0]) : step(x.get(), y.get());
      losses.push_back(cx.read(loss)[0]);
    }
    for (const Variable* v : {&w, &b})
      for (float f : cx.read(value_of(cx, *v))) losses.push_back(f);
    uint32_t states = 0;
    REQUIRE_OK(tn_optimizer_state_count(o.get(), &states));
    for (uint32_t i = 0; i < states; ++i) {
      tn_str name;
      tn_tensor* t = nullptr;
      REQUIRE_OK(tn_optimizer_state_take(cx, o.get(), i, &name, &t));
      const Tensor state(t);
      if (tn_tensor_dtype(t) == TN_DTYPE_F32) {
        for (float f : cx.read(state)) losses.push_back(f);
      } else {
        int64_t steps = 0;
        REQUIRE_OK(tn_tensor_item_i64(cx, t, &steps));
        CHECK(steps == 20);
      }
    }
    return losses;
  };
  check_close(train(true), train(false), 1e-6);
}

TEST_CASE("program: what needs elements fails, and says which value has none") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("f")));
  const Tensor x = input(cx, "x", {2});
  float data[2];
  double item = 0;
  CHECK_FAILS(tn_tensor_read(cx, x.get(), data, sizeof data), TN_FAILED_PRECONDITION,
              "tn_tensor_read: value %0 of capture \"f\", f32[2], has no elements");
  CHECK_FAILS(tn_tensor_item_f64(cx, x.get(), &item), TN_FAILED_PRECONDITION, "no elements");
  const Tensor rows = input(cx, "rows", {TN_DIM_ANY, 4}, {"batch", ""});
  const Tensor twice = get([&](tn_tensor** o) {
    tn_tensor* both[] = {rows.get(), rows.get()};
    return tn_concat(cx, both, 2, nullptr, o);
  });
  const auto shown = [](const Tensor& t) {
    char buffer[256];
    REQUIRE_OK(tn_tensor_format(t.get(), nullptr, buffer, sizeof buffer));
    return std::string(buffer);
  };
  CHECK(shown(rows).find("f32[batch, 4] ") == 0);
  CHECK(shown(twice).find("f32[(batch + batch), 4] ") == 0);
  CHECK_FAILS(tn_tensor_read(cx, rows.get(), data, sizeof data), TN_FAILED_PRECONDITION,
              "f32[batch, 4], has no elements");
  tn_tensor* out[2];
  CHECK_FAILS(tn_nonzero(cx, x.get(), nullptr, &out[0], &out[1]), TN_FAILED_PRECONDITION,
              "nonzero");
  CHECK_FAILS(tn_capture_begin(cx, tn_string("g")), TN_FAILED_PRECONDITION, "captures already");
  tn_capture_abort(cx);
  tn_program* none = nullptr;
  CHECK_FAILS(tn_capture_end(cx, nullptr, 0, &none), TN_FAILED_PRECONDITION, "no capture");
  // The values outlive their capture, and are of no use.
  CHECK(shown(twice).find("f32[(batch + batch), 4] ") == 0);
  CHECK_FAILS(tn_neg(cx, x.get(), out), TN_FAILED_PRECONDITION, "capture \"f\"");
}

TEST_CASE("program: gradients of values of a capture need the capture") {
  Session cx;
  const Variable v = variable(cx, "v", cx.f32({1, 2}, {2}));
  REQUIRE_OK(tn_capture_begin(cx, tn_string("f")));
  const Tensor w = value_of(cx, v), x = input(cx, "x", {2});
  const Tensor y = get([&](tn_tensor** o) { return tn_mul(cx, w.get(), x.get(), o); });
  const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, y.get(), nullptr, o); });
  const Program p = finish(cx, {&loss});
  const auto fails = [&](tn_tensor* of, tn_tensor* cotangent, tn_tensor* by, const char* text) {
    tn_tensor* grad = nullptr;
    CHECK_FAILS(tn_vjp(cx, &of, &cotangent, 1, &by, 1, 0, &grad), TN_FAILED_PRECONDITION, text);
  };
  const Tensor ones = cx.f32({1, 1}, {2}), leaf = cx.leaf(ones);
  fails(loss.get(), nullptr, w.get(), "gradient: value %3 of capture \"f\"");
  fails(y.get(), ones.get(), w.get(), "gradient: value %2 of capture \"f\"");
  const Tensor plain = get([&](tn_tensor** o) { return tn_mul(cx, leaf.get(), ones.get(), o); });
  fails(plain.get(), x.get(), leaf.get(), "gradient: value %1 of capture \"f\"");
  const auto give = [](void* user, tn_ctx*, tn_tensor*, tn_tensor** replacement) -> tn_error* {
    *replacement = tn_tensor_retain(static_cast<tn_tensor*>(user));
    return nullptr;
  };
  REQUIRE_OK(tn_tensor_add_grad_hook(cx, plain.get(), tn_grad_hook{give, x.get(), nullptr}));
  fails(plain.get(), ones.get(), leaf.get(), "gradient hook: value %1 of capture \"f\"");
}

TEST_CASE("program: a call that fails leaves nothing in a capture") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("f")));
  const Tensor x = input(cx, "x", {TN_DIM_ANY, 3}, {"batch", ""}),
               other = cx.f32(std::vector<float>(20), {4, 5});
  tn_tensor* none = nullptr;
  tn_error* error = tn_add(cx, x.get(), other.get(), &none);
  REQUIRE(error);
  CHECK(std::string(tn_error_op(error)) == "add");
  tn_error_release(error);
  const Tensor sum = get([&](tn_tensor** o) { return tn_sum(cx, x.get(), nullptr, o); });
  const Program p = finish(cx, {&sum});
  const Tensor two = cx.f32({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(cx.read(run(cx, p, {&two})[0]) == std::vector<float>{21});
}

TEST_CASE("program: random numbers are those that the calls draw") {
  Session cx;
  const auto draw = [&](tn_tensor* x) {
    const int64_t dims[] = {5};
    const Tensor u = get([&](tn_tensor** o) { return tn_uniform(cx, 1, dims, nullptr, o); });
    const Tensor n = get([&](tn_tensor** o) { return tn_normal(cx, 1, dims, nullptr, o); });
    const Tensor s = get([&](tn_tensor** o) { return tn_add(cx, u.get(), n.get(), o); });
    return get([&](tn_tensor** o) { return tn_add(cx, s.get(), x, o); });
  };
  REQUIRE_OK(tn_capture_begin(cx, tn_string("draws")));
  const Tensor x = input(cx, "x", {5});
  const Tensor y = draw(x.get());
  const Program p = finish(cx, {&y});
  const Tensor zero = cx.f32({0, 0, 0, 0, 0}, {5});
  std::vector<std::vector<float>> want, got;
  REQUIRE_OK(tn_ctx_set_seed(cx, 7));
  for (int k = 0; k < 3; ++k) want.push_back(cx.read(draw(zero.get())));
  REQUIRE_OK(tn_ctx_set_seed(cx, 7));
  for (int k = 0; k < 3; ++k) got.push_back(cx.read(run(cx, p, {&zero})[0]));
  CHECK(got == want);
  CHECK(got[0] != got[1]);
}

TEST_CASE("program: outputs stay, variables take what was assigned") {
  Session cx;
  const Variable v = variable(cx, "v", cx.f32({1, 2}, {2}));
  REQUIRE_OK(tn_capture_begin(cx, tn_string("double")));
  const Tensor old = value_of(cx, v);
  const Tensor twice = get([&](tn_tensor** o) { return tn_add(cx, old.get(), old.get(), o); });
  REQUIRE_OK(tn_variable_assign(cx, v.get(), twice.get()));
  const Tensor again = value_of(cx, v);
  const Tensor sum = get([&](tn_tensor** o) { return tn_add(cx, again.get(), old.get(), o); });
  const Program p = finish(cx, {&old, &twice, &sum});
  check_close(cx.read(value_of(cx, v)), {1, 2});
  std::vector<std::vector<Tensor>> kept;
  for (int k = 0; k < 4; ++k) kept.push_back(run(cx, p, {}));
  for (int k = 0; k < 4; ++k) {
    const auto f = static_cast<float>(1 << k);
    check_close(cx.read(kept[static_cast<size_t>(k)][0]), {f, 2 * f});
    check_close(cx.read(kept[static_cast<size_t>(k)][1]), {2 * f, 4 * f});
    check_close(cx.read(kept[static_cast<size_t>(k)][2]), {3 * f, 6 * f});
  }
  check_close(cx.read(value_of(cx, v)), {16, 32});
}

TEST_CASE("program: several threads run one, each with its own context") {
  Session cx;
  const Variable w = variable(cx, "w", cx.f32({1, 2, 3, 4}, {2, 2}));
  const Variable count = variable(cx, "count", cx.f32({0}, {1}));
  const Tensor one = cx.f32({1}, {1});
  REQUIRE_OK(tn_capture_begin(cx, tn_string("count")));
  const Tensor x = input(cx, "x", {2, 2});
  const Tensor weight = value_of(cx, w), before = value_of(cx, count);
  const Tensor y =
      get([&](tn_tensor** o) { return tn_matmul(cx, x.get(), weight.get(), nullptr, o); });
  const Tensor after = get([&](tn_tensor** o) { return tn_add(cx, before.get(), one.get(), o); });
  REQUIRE_OK(tn_variable_assign(cx, count.get(), after.get()));
  const Program p = finish(cx, {&y});
  std::vector<std::thread> threads;
  std::vector<int> wrong(8);
  for (int k = 0; k < 8; ++k)
    threads.emplace_back([&, k] {
      tn_ctx* own = nullptr;
      tn_error* e = tn_ctx_create(cx.runtime.get(), tn_string(""), &own);
      const float f = static_cast<float>(k);
      const float data[] = {f, 0, 0, f};
      const int64_t dims[] = {2, 2};
      tn_tensor *in = nullptr, *out = nullptr;
      if (!e) e = tn_tensor_from_f32(own, data, 2, dims, &in);
      for (int i = 0; i < 50 && !e; ++i) {
        uint32_t n = 0;
        e = tn_program_run(own, p.get(), &in, 1, &out, 1, &n);
        float got[4] = {};
        if (!e) e = tn_tensor_read(own, out, got, sizeof got);
        const float want[] = {f, 2 * f, 3 * f, 4 * f};
        if (!e && std::memcmp(got, want, sizeof got) != 0) ++wrong[static_cast<size_t>(k)];
        tn_tensor_drop(own, out);
        out = nullptr;
      }
      if (e) wrong[static_cast<size_t>(k)] += 1000;
      tn_error_release(e);
      tn_tensor_drop(own, in);
      tn_ctx_release(own);
    });
  for (std::thread& t : threads) t.join();
  CHECK(wrong == std::vector<int>(8));
  check_close(cx.read(value_of(cx, count)), {400});
}

TEST_CASE(
    "program: one that is run in a capture is a part of it, with its gradients and assignments") {
  Session cx;
  const Variable w = variable(cx, "w", cx.f32({2}, {1}));
  const Variable runs = variable(cx, "runs", cx.f32({0}, {1}));
  const Tensor one = cx.f32({1}, {1});
  // y = w x^2 over any number of elements; counts its runs.
  REQUIRE_OK(tn_capture_begin(cx, tn_string("inner")));
  const Tensor a = input(cx, "a", {TN_DIM_ANY}, {"n"});
  const Tensor square = get([&](tn_tensor** o) { return tn_mul(cx, a.get(), a.get(), o); });
  const Tensor scaled =
      get([&](tn_tensor** o) { return tn_mul(cx, square.get(), value_of(cx, w).get(), o); });
  const Tensor next =
      get([&](tn_tensor** o) { return tn_add(cx, value_of(cx, runs).get(), one.get(), o); });
  REQUIRE_OK(tn_variable_assign(cx, runs.get(), next.get()));
  const Program inner = finish(cx, {&scaled});
  // The gradient of sum(inner(inner(x))) by x and w, twice as many elements as a batch.
  REQUIRE_OK(tn_capture_begin(cx, tn_string("outer")));
  const Tensor x = input(cx, "x", {TN_DIM_ANY, 2}, {"batch", ""});
  const Tensor leaf = cx.leaf(x);
  const int64_t flat[] = {-1};
  const Tensor line = get([&](tn_tensor** o) { return tn_reshape(cx, leaf.get(), 1, flat, o); });
  const std::vector<Tensor> once = run(cx, inner, {&line});
  const std::vector<Tensor> twice = run(cx, inner, {&once[0]});
  const Tensor sum = get([&](tn_tensor** o) { return tn_sum(cx, twice[0].get(), nullptr, o); });
  tn_tensor *targets[] = {leaf.get(), value_of(cx, w).release()}, *loss = sum.get(), *grads[2];
  const Tensor weight(targets[1]);
  REQUIRE_OK(tn_vjp(cx, &loss, nullptr, 1, targets, 2, 0, grads));
  const Tensor dx(grads[0]), dw(grads[1]);
  const Program outer = finish(cx, {&sum, &dx, &dw});
  // w^3 x^4, 4 w^3 x^3, 3 w^2 x^4 at w = 2
  const Tensor data = cx.f32({1, 2, -1, 3}, {2, 2});
  const std::vector<Tensor> got = run(cx, outer, {&data});
  check_close(cx.read(got[0]), {8 * (1 + 16 + 1 + 81)});
  check_close(cx.read(got[1]), {32, 32 * 8, -32, 32 * 27});
  check_close(cx.read(got[2]), {12 * (1 + 16 + 1 + 81)});
  check_close(cx.read(value_of(cx, runs)), {2});
}

TEST_CASE(
    "program: an update goes over the memory of its variable, unless somebody holds the value") {
  Session cx;
  const Variable w = variable(cx, "w", cx.f32({1, 2, 3, 4}, {4}));
  tn_optimizer* made = nullptr;
  const tn_option lr = tn_option_f64("lr", 0.5);
  REQUIRE_OK(tn_optimizer_create(cx, tn_string("sgd"), &lr, 1, &made));
  const std::unique_ptr<tn_optimizer, void (*)(tn_optimizer*)> o(made, tn_optimizer_release);
  REQUIRE_OK(tn_capture_begin(cx, tn_string("step")));
  const Tensor g = input(cx, "g", {4});
  tn_variable* variables[] = {w.get()};
  tn_tensor* grads[] = {g.get()};
  REQUIRE_OK(tn_optimizer_step(cx, o.get(), variables, grads, 1));
  const Program p = finish(cx, {});
  const Tensor ones = cx.f32({2, 2, 2, 2}, {4});
  // Address of the value; no reference is left.
  const auto address = [&] {
    const void* data = nullptr;
    REQUIRE_OK(tn_tensor_get_data(cx, value_of(cx, w).get(), &data));
    return data;
  };
  run(cx, p, {&ones});
  // Here, since the other backends have no kernel that steps in place.
  if (const char* device = std::getenv("TENON_DEVICE"); device && std::string(device) == "cpu") {
    const void* where = address();
    for (int k = 0; k < 3; ++k) run(cx, p, {&ones});
    CHECK(address() == where);
  } else {
    for (int k = 0; k < 3; ++k) run(cx, p, {&ones});
  }
  const Tensor held = value_of(cx, w);
  check_close(cx.read(held), {-3, -2, -1, 0});
  run(cx, p, {&ones});
  check_close(cx.read(held), {-3, -2, -1, 0});
  check_close(cx.read(value_of(cx, w)), {-4, -3, -2, -1});
}
