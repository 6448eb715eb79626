// The C++ binding: owners, operators, options, exceptions, gradients, training, files.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <tenon/tenon.hpp>

using namespace tenon;

namespace {

struct Fixture {
  Runtime runtime = make_runtime();
  Context cx{runtime, "reference"};

  static Runtime make_runtime() {
    const tn_str folder = tn_string(TENON_TEST_PLUGINS);
    tn_runtime_desc desc = tn_runtime_desc_init();
    desc.flags = TN_RUNTIME_NO_ENVIRONMENT | TN_RUNTIME_NO_SEARCH;
    desc.plugin_paths = &folder;
    desc.plugin_path_count = 1;
    return Runtime(desc);
  }
  Tensor vec(std::initializer_list<float> values) { return Tensor(cx, values); }
};

std::vector<float> values(const Tensor& t) { return t.read<float>(); }
using Floats = std::vector<float>;

std::vector<int64_t> dims(const Tensor& t) { return {t.dims().begin(), t.dims().end()}; }

template <class F>
tn_code code_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code();
  }
  return TN_OK;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "tensor: made from values, asked, read") {
  const Tensor x(cx, {1.f, 2.f, 3.f, 4.f, 5.f, 6.f}, {2, 3});
  CHECK(x.dtype() == TN_DTYPE_F32);
  CHECK(dims(x) == Dims{2, 3});
  CHECK(x.count() == 6);
  CHECK(values(x) == Floats{1, 2, 3, 4, 5, 6});
  CHECK(Tensor(cx, std::vector<int64_t>{7, 8}, {2}).read<int64_t>() == std::vector<int64_t>{7, 8});
  CHECK(Tensor::full(cx, 2.5, {}).item() == 2.5);
  CHECK(Tensor::ones(cx, {2}, TN_DTYPE_I32).read<int32_t>() == std::vector<int32_t>{1, 1});
  CHECK(code_of([&] { x.read<double>(); }) == TN_INVALID_ARGUMENT);
  CHECK(Tensor::ones(cx, {2}, TN_DTYPE_BOOL).read<bool>() == std::vector<bool>{true, true});
  CHECK(isnan(x).read<bool>() == std::vector<bool>(static_cast<size_t>(x.count()), false));
  CHECK(code_of([&] { x.item(); }) == TN_INVALID_ARGUMENT);
  std::ostringstream out;
  out << vec({1, 2});
  CHECK(out.str() == "f32[2] reference:0  [1, 2]");
}

TEST_CASE_FIXTURE(Fixture, "tensor: copies share, moves leave an empty one") {
  Tensor a = vec({1, 2});
  Tensor b = a;
  CHECK(a.get() == b.get());
  const Tensor c = std::move(a);
  CHECK(a.empty());
  b = b;
  CHECK(values(b) == Floats{1, 2});
  b = Tensor();
  CHECK(b.empty());
  CHECK(values(c) == Floats{1, 2});
}

TEST_CASE_FIXTURE(Fixture, "tensor: released after its context and runtime") {
  Tensor kept;
  {
    Runtime other = make_runtime();
    const Context context(other, "reference");
    kept = Tensor(context, {1.f});
  }
  CHECK(!kept.empty());
}

TEST_CASE_FIXTURE(Fixture, "operators: tensors and numbers on either side") {
  const Tensor x = vec({1, 2, 4}), y = vec({4, 2, 1});
  CHECK(values(x + y) == Floats{5, 4, 5});
  CHECK(values(x - 1) == Floats{0, 1, 3});
  CHECK(values(2.0 * x) == Floats{2, 4, 8});
  CHECK(values(8 / x) == Floats{8, 4, 2});
  CHECK(values(-x) == Floats{-1, -2, -4});
  CHECK((x * 2.0).dtype() == TN_DTYPE_F32);
  CHECK(values(cast(x < y, TN_DTYPE_F32)) == Floats{1, 0, 0});
  CHECK(values(cast(x >= 2, TN_DTYPE_F32)) == Floats{0, 1, 1});
  CHECK(values(cast(x == y, TN_DTYPE_F32)) == Floats{0, 1, 0});
  CHECK(values(cast(x != 2, TN_DTYPE_F32)) == Floats{1, 0, 1});
  CHECK(values(cast((x > 1) & (y > 1), TN_DTYPE_F32)) == Floats{0, 1, 0});
  CHECK(values(cast(~(x > 1) | (y > 3), TN_DTYPE_F32)) == Floats{1, 0, 0});
  CHECK(code_of([] { Operand(1) + Operand(2); }) == TN_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(Fixture, "ops: options by name, optional inputs, several outputs") {
  const Tensor x(cx, {3.f, 1.f, 2.f, 6.f, 5.f, 4.f}, {2, 3});
  CHECK(values(sum(x, {.axes = {1}})) == Floats{6, 15});
  CHECK(dims(sum(x, {.axes = {0}, .keepdims = true})) == Dims{1, 3});
  CHECK(argmax(x).read<int64_t>() == std::vector<int64_t>{0, 0});
  CHECK(values(clip(x, 2, {})) == Floats{3, 2, 2, 6, 5, 4});
  CHECK(values(maximum(x, 3)) == Floats{3, 3, 3, 6, 5, 4});
  CHECK(values(where(x > 3, x, 0)) == Floats{0, 0, 0, 6, 5, 4});
  CHECK(dims(concat({x, x}, {.axis = 1})) == Dims{2, 6});
  CHECK(dims(reshape(x, {3, -1})) == Dims{3, 2});
  CHECK(values(slice(x, {INT64_MAX, 2}, {INT64_MIN, 0}, {.steps = {-1, -2}})) == Floats{4, 2});
  CHECK(values(fill(cx, 3, {2})) == Floats{3, 3});
  CHECK(values(linear(vec({1, 1, 1}), x)) == Floats{6, 15});
  CHECK(values(sum(softmax(x), {.axes = {-1}}))[0] == doctest::Approx(1));
  CHECK(values(matmul(x, x, {.transpose_b = true})) == Floats{14, 31, 31, 77});
  CHECK(mse(x, x + 2, {.reduction = "sum"}).item() == 24);

  const SortResult sorted = sort(x, x, {.descending = true});
  CHECK(values(sorted.sorted_keys) == Floats{3, 2, 1, 6, 5, 4});
  const std::vector<Tensor> parts = split(x, {1, 2}, {.axis = 1});
  REQUIRE(parts.size() == 2);
  CHECK(values(parts[0]) == Floats{3, 6});
  CHECK(values(parts[1]) == Floats{1, 2, 5, 4});
}

TEST_CASE_FIXTURE(Fixture, "random: the seed decides") {
  cx.seed(7);
  const Floats first = values(uniform(cx, {4}, {.low = 2, .high = 3}));
  const auto state = cx.random_state();
  const Floats second = values(uniform(cx, {4}));
  CHECK(first != second);
  cx.seed(7);
  CHECK(values(uniform(cx, {4}, {.low = 2, .high = 3})) == first);
  cx.set_random_state(state);
  CHECK(values(uniform(cx, {4})) == second);
  for (const float v : first) CHECK((v >= 2 && v < 3));
}

TEST_CASE_FIXTURE(Fixture, "error: code, op, message; the context goes on") {
  const Tensor a = Tensor::ones(cx, {2, 3}), b = Tensor::ones(cx, {4, 5});
  try {
    matmul(a, b);
    FAIL("it should throw");
  } catch (const Error& e) {
    const Error copy = e;
    CHECK(copy.code() == TN_INVALID_ARGUMENT);
    CHECK(copy.op() == "matmul");
    CHECK(std::string(copy.what()).find("inner dimensions differ") != std::string::npos);
    CHECK(!copy.retryable());
  }
  CHECK(dims(matmul(a, Tensor::ones(cx, {3, 1}))) == Dims{2, 1});
  CHECK(code_of([&] { Context bad(runtime, "nosuchdevice"); }) == TN_NOT_FOUND);
  CHECK(code_of([&] { neg(Tensor()); }) == TN_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(Fixture, "gradients: of variables, of tensors, of gradients, and none") {
  const std::vector<Variable> vars{{cx, "w", vec({1, 2})}, {cx, "b", Tensor::full(cx, 1, {})}};
  const Tensor x = vec({3, 4});
  const std::vector<Tensor> g = grad(sum(square(vars[0] * x + vars[1])), vars);
  CHECK(values(g[0]) == Floats{24, 72});  // 2 (w x + b) x
  CHECK(g[1].item() == 26);
  CHECK(vars[0].name() == "w");

  const Tensor leaf = vec({2}).leaf();
  const Tensor y = sum(leaf * leaf * leaf);
  const Tensor first = grad(y, leaf, TN_GRAD_CREATE);
  CHECK(first.item() == 12);
  CHECK(grad(sum(first), leaf).item() == 12);

  {
    const NoGrad no_grad(cx);
    CHECK(!(vars[0].value() * 2).requires_grad());
  }
  CHECK((vars[0] * 2).requires_grad());
  CHECK(!(vars[0] * 2).detach().requires_grad());
}

TEST_CASE_FIXTURE(Fixture, "training: an optimizer reaches the solution, its state has names") {
  const Tensor x(cx, {1.f, 0.f, 0.f, 1.f, 1.f, 1.f}, {3, 2}), y(cx, {2.f, -1.f, 1.f}, {3, 1});
  const std::vector<Variable> vars{{cx, "w", Tensor::zeros(cx, {1, 2})}};
  Optimizer optimizer(cx, "sgd", {{"lr", 0.2}, {"momentum", 0.5}});
  for (int i = 0; i < 100; ++i) {
    const Tensor loss = mse(linear(x, vars[0]), y);
    optimizer.step(vars, clip_grad_norm(cx, grad(loss, vars), 10).grads);
  }
  const Floats w = values(vars[0].value());
  CHECK(w[0] == doctest::Approx(2).epsilon(1e-4));
  CHECK(w[1] == doctest::Approx(-1).epsilon(1e-4));
  CHECK(!optimizer.state().empty());
  optimizer.hyper("lr").assign(Tensor::full(cx, 0.1, {}));
  CHECK(optimizer.hyper("lr").value().item() == doctest::Approx(0.1));
  CHECK(code_of([&] { optimizer.step(vars, {}); }) == TN_INVALID_ARGUMENT);
  CHECK(code_of([&] { Optimizer(cx, "sgd", {{"nosuch", 1}}); }) == TN_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(Fixture, "program: a training step, captured") {
  const Variable w(cx, "w", Tensor::full(cx, 0, {2, 1}));
  Optimizer sgd(cx, "sgd", {{"lr", 0.1}});
  const Program step = capture(cx, "step", [&](Capture& in) {
    const Tensor x = in.input("x", {"batch", 2}), y = in.input("y", {"batch", 1});
    const Tensor error = matmul(x, w) - y;
    const Tensor loss = mean(error * error);
    sgd.step({&w, 1}, grad(loss, {&w, 1}));
    return std::vector{loss};
  });
  CHECK(step.info().input_count == 2);
  CHECK(step.text().find("f32[batch, 1] = matmul(") != std::string::npos);
  double last = 0;
  for (int i = 0; i < 200; ++i) {
    const int64_t batch = 2 + i % 3;  // y = 2 x0 - x1
    std::vector<float> x, y;
    for (int64_t k = 0; k < batch; ++k) {
      const float a = static_cast<float>((k + i) % 3), b = static_cast<float>((k * 2 + i) % 5 - 2);
      x.insert(x.end(), {a, b});
      y.push_back(2 * a - b);
    }
    last = step(cx, {Tensor(cx, x, {batch, 2}), Tensor(cx, y, {batch, 1})})[0].item<double>();
  }
  CHECK(last < 1e-6);
  CHECK(values(w)[0] == doctest::Approx(2).epsilon(1e-3));
  CHECK(code_of([&] { step(cx, {vec({1, 2})}); }) == TN_INVALID_ARGUMENT);
  const Program tight = capture(cx, "tight", [](Capture& in) {
    in.memory_budget(1);
    const Tensor x = in.input("x", {64, 64});
    return std::vector{matmul(matmul(x, x), x)};
  });
  CHECK(code_of([&] { tight(cx, {Tensor::full(cx, 1, {64, 64})}); }) == TN_OUT_OF_MEMORY);
  // A function that throws leaves no capture behind.
  CHECK_THROWS(capture(cx, "bad", [](Capture& in) {
    in.input("x", {2}).item<double>();
    return std::vector<Tensor>{};
  }));
  CHECK(values(vec({1}) + vec({2})) == Floats{3});
}

TEST_CASE_FIXTURE(Fixture, "program: branches, loops, and a scan with its gradient") {
  using List = std::vector<Tensor>;
  const Program twice = capture(cx, "twice", [](Capture& in) {
    const Tensor x = in.input("x", {});
    return List{x * 2};
  });
  const Program same = capture(cx, "same", [](Capture& in) {
    const Tensor x = in.input("x", {});
    return List{x * 1};
  });
  const Program small = capture(cx, "small", [](Capture& in) {
    const Tensor x = in.input("x", {});
    return List{x < 100};
  });
  const Tensor one = sum(vec({1}));
  CHECK(values(branch(cx, one < 2, twice, same, List{one})[0]) == Floats{2});
  CHECK(values(branch(cx, one > 2, twice, same, List{one})[0]) == Floats{1});
  CHECK(values(loop(cx, small, twice, List{one})[0]) == Floats{128});
  CHECK(values(loop(cx, small, twice, List{one}, 3)[0]) == Floats{8});
  // h = h * w + x, and dh / dw.
  const Program cell = capture(cx, "cell", [](Capture& in) {
    const Tensor h = in.input("h", {}), x = in.input("x", {}), w = in.input("w", {});
    const Tensor next = h * w + x;
    return List{next, h};
  });
  const Variable w(cx, "w", one * 3);
  const List out = scan(cx, cell, List{one}, List{vec({1, 2})}, List{w});  // (1 * w + 1) * w + 2
  CHECK(values(out[0]) == Floats{14});
  CHECK(values(out[1]) == Floats{1, 4});
  CHECK(values(grad(out[0], {&w, 1})[0]) == Floats{7});  // 2 w + 1
  CHECK(values(scan(cx, twice, List{one}, {}, {}, {.length = 4})[0]) == Floats{16});
}

TEST_CASE_FIXTURE(Fixture, "mixed precision: while it lives, and a scale of losses") {
  const Variable w(cx, "w", Tensor::full(cx, 1, {2, 1}));
  Optimizer sgd(cx, "sgd", {{"lr", 1.0}});
  const LossScale scale(cx, {{"scale", 8.0}, {"interval", 1.0}});
  {
    const Autocast narrow(cx, TN_DTYPE_BF16);
    const Tensor y = matmul(Tensor(cx, Floats{1, 2}, {1, 2}), w);
    CHECK(y.dtype() == TN_DTYPE_BF16);
    scale.step(sgd, {&w, 1}, grad(scale(sum(y)), {&w, 1}));
    scale.update();
  }
  CHECK(tn_ctx_get_autocast(cx.get()) == TN_DTYPE_F32);
  CHECK(values(w) == Floats{0, -1});
  CHECK(values(scale.variable("loss_scale.scale")) == Floats{16});
  CHECK(code_of([&] { Autocast(cx, TN_DTYPE_I8); }) == TN_INVALID_ARGUMENT);
}

TEST_CASE_FIXTURE(Fixture, "model: saved and opened") {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("tenon_cpp_" + std::to_string(std::rand()) + ".safetensors");
  save(cx, path.string(), {{"a", vec({1, 2})}, {"b", Tensor::zeros(cx, {2, 2}, TN_DTYPE_I64)}},
       {{"kind", "test"}});
  {
    const Model model(runtime, path.string());
    CHECK(model.format() == "safetensors");
    CHECK(model.entries().size() == 2);
    REQUIRE(model.metadata().size() == 1);
    CHECK(model.metadata()[0].second == "test");
    CHECK(values(model.tensor(cx, "a")) == Floats{1, 2});
    CHECK(code_of([&] { model.tensor(cx, "c"); }) == TN_NOT_FOUND);
  }
  std::filesystem::remove(path);
  CHECK(code_of([&] { Model(runtime, path.string()); }) != TN_OK);
}

// Beside a function of its name the namespace std would be ambiguous to whoever says `using namespace tenon`.
TEST_CASE_FIXTURE(Fixture, "ops: one whose name C++ takes ends in an underscore") {
  const Tensor x = vec({1, 5});
  CHECK(values(std_(x)) == Floats{2});
  CHECK(values(tenon::std_(x, {.correction = 1})) == Floats{std::sqrt(8.f)});
  CHECK(not_(eq(x, x)).read<bool>() == std::vector<bool>{false, false});
}

TEST_CASE_FIXTURE(Fixture, "runtime: plugins and devices are listed") {
  CHECK(!runtime.devices().empty());
  bool found = false;
  for (const tn_plugin_record& r : runtime.plugins())
    found |= to_view(r.id) == "org.tenon.reference";
  CHECK(found);
  CHECK(runtime.device("reference").name() == "reference:0");
  Runtime copy = runtime;
  copy.shutdown();
  CHECK(code_of([&] { Tensor::ones(cx, {1}); }) == TN_SHUTDOWN);
}
