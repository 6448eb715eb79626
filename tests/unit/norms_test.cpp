// Norms for inference behind convolutions and products: they become part of the weights where a run alone decides nothing about them;
// the results are those of the calls, to rounding. On the device that TENON_DEVICE names.
#include "prepared.hpp"

using namespace tenon::test;

namespace {

// Parameters by the order in which they are asked for, as variables or as constants.
struct Weights {
  Session& s;
  bool constant = false;
  std::vector<Variable> variables = {};
  std::vector<Tensor> tensors = {};
  size_t next = 0;

  Tensor take(const Dims& dims, float least = -2) {
    if (next == tensors.size()) {
      int64_t n = 1;
      for (const int64_t d : dims) n *= d;
      std::vector<float> values = ramp(static_cast<size_t>(n));
      for (float& x : values) x += least + 2 + 0.1f * static_cast<float>(next);
      tensors.push_back(s.f32(values, dims));
      tn_variable* v = nullptr;
      REQUIRE_OK(tn_variable_create(s, tn_string("p"), tensors.back().get(), 0, &v));
      variables.emplace_back(v);
    }
    const size_t at = next++;
    if (constant)
      return get([&](tn_tensor** o) { return tn_tensor_detach(s, tensors[at].get(), o); });
    return get([&](tn_tensor** o) { return tn_variable_take(s, variables[at].get(), o); });
  }
  // Every parameter gets another value.
  void change() {
    for (const Variable& v : variables) {
      const Tensor w = get([&](tn_tensor** o) { return tn_variable_take(s, v.get(), o); });
      const Tensor by = number(s, 1.25),
                   plain = get([&](tn_tensor**o) { return tn_tensor_detach(s, w.get(), o); });
      const Tensor more = call(s, TN_OP_MUL, {&plain, &by});
      REQUIRE_OK(tn_variable_assign(s, v.get(), more.get()));
    }
  }
};

const Tensor kNone;

Tensor conv(Weights& w, const Tensor& x, int64_t in, int64_t out, bool bias) {
  const int64_t padding[] = {1, 1};
  const Tensor k = w.take({out, in, 3, 3}), b = bias ? w.take({out}) : Tensor();
  return call(w.s, TN_OP_CONV2D, {&x, &k, &b}, {tn_attr_i64s(TN_CONV2D_PADDING, padding, 2)});
}
Tensor norm(Weights& w, const Tensor& x) {
  const int64_t n = tn_tensor_dims(x.get())[1];
  const Tensor scale = w.take({n}), bias = w.take({n}), mean = w.take({n}),
               variance = w.take({n}, 0.5);
  return call(w.s, TN_OP_BATCH_NORM, {&x, &scale, &bias, &mean, &variance});
}
Tensor relu(tn_ctx* cx, const Tensor& x) { return call(cx, TN_OP_RELU, {&x}); }

// (x - mean) / sqrt(variance + epsilon) * scale + bias, each [C, 1, 1].
Tensor norm_by_hand(Weights& w, const Tensor& x) {
  const int64_t n = tn_tensor_dims(x.get())[1];
  const Tensor mean = w.take({n, 1, 1}), variance = w.take({n, 1, 1}, 0.5),
               small = number(w.s, 1e-5);
  const Tensor plus = call(w.s, TN_OP_ADD, {&variance, &small}),
               root = call(w.s, TN_OP_SQRT, {&plus});
  const Tensor c = call(w.s, TN_OP_SUB, {&x, &mean}), y = call(w.s, TN_OP_DIV, {&c, &root});
  const Tensor scale = w.take({n, 1, 1}), bias = w.take({1, n, 1, 1});
  const Tensor scaled = call(w.s, TN_OP_MUL, {&scale, &y});
  return call(w.s, TN_OP_ADD, {&scaled, &bias});
}

template <class Body>
Program check(Session& s, Weights& w, const Tensor& x, const Dims& dims, Body body) {
  const auto fresh = [&](const Tensor& in) {
    w.next = 0;
    return body(in);
  };
  Program p = capture(s, dims, fresh);
  for (int turn = 0; turn < 2; ++turn) {
    const Tensor want = fresh(x);
    for (int again = 0; again < 2; ++again) check_close(s.read(run(s, p, x)), s.read(want), 1e-4);
    if (!w.constant) w.change();
  }
  return p;
}
bool on_cpu(const Session& s) { return s.ctx->device->name == "cpu:0"; }

}  // namespace

TEST_CASE("norms: behind a convolution") {
  Session s;
  Weights w{s};
  SUBCASE("of variables") {}
  SUBCASE("of constants") { w.constant = true; }
  const Tensor x = s.f32(ramp(2 * 3 * 5 * 6), {2, 3, 5, 6});
  const Program p = check(s, w, x, {TN_DIM_ANY, 3, 5, 6}, [&](const Tensor& in) {
    const Tensor a = conv(w, in, 3, 4, true), b = norm(w, a), c = relu(s, b);
    const Tensor d = conv(w, c, 4, 7, false);
    return norm(w, d);
  });
  if (on_cpu(s)) CHECK(names(p) == std::vector<std::string>{"conv2d_region", "conv2d"});
}

TEST_CASE("norms: written by hand") {
  Session s;
  Weights w{s};
  const Tensor x = s.f32(ramp(2 * 3 * 5 * 6), {2, 3, 5, 6});
  const Program p = check(s, w, x, {2, 3, 5, 6}, [&](const Tensor& in) {
    const Tensor y = conv(w, in, 3, 4, false);
    return norm_by_hand(w, y);
  });
  if (on_cpu(s)) CHECK(names(p) == std::vector<std::string>{"conv2d"});
}

TEST_CASE("norms: behind linear and matmul") {
  Session s;
  Weights w{s};
  const Tensor x = s.f32(ramp(6 * 5), {6, 5});
  bool transposed = false;
  SUBCASE("w") {}
  SUBCASE("w, transposed") { transposed = true; }
  const Program p = check(s, w, x, {6, 5}, [&](const Tensor& in) {
    const Tensor k = w.take({4, 5}), y = call(s, TN_OP_LINEAR, {&in, &k, &kNone});
    const Tensor n = norm(w, y), m = transposed ? w.take({3, 4}) : w.take({4, 3});
    const Tensor z = call(
        s, TN_OP_MATMUL, {&n, &m},
        {tn_attr_bool(TN_MATMUL_TRANSPOSE_A, 0), tn_attr_bool(TN_MATMUL_TRANSPOSE_B, transposed)});
    return norm(w, z);
  });
  if (on_cpu(s)) CHECK(names(p) == std::vector<std::string>{"linear", "matmul_region"});
}

TEST_CASE("norms: what stays") {
  Session s;
  Weights w{s};
  const Tensor x = s.f32(ramp(2 * 4 * 5 * 4), {2, 4, 5, 4});
  SUBCASE("of a result that others use") {
    const Program p = check(s, w, x, {2, 4, 5, 4}, [&](const Tensor& in) {
      const Tensor y = conv(w, in, 4, 4, false), n = norm(w, y);
      return call(s, TN_OP_ADD, {&y, &n});
    });
    CHECK(has(p, "batch_norm") == on_cpu(s));
  }
  SUBCASE("with statistics of the run") {
    const Program p = check(s, w, x, {2, 4, 5, 4}, [&](const Tensor& in) {
      const Tensor y = conv(w, in, 4, 4, false);
      const int64_t axes[] = {0, 2, 3};
      const Tensor mean = call(s, TN_OP_MEAN, {&in}, {tn_attr_i64s(0, axes, 3)});
      const Tensor scale = w.take({4}), bias = w.take({4}), variance = w.take({4}, 0.5);
      return call(s, TN_OP_BATCH_NORM, {&y, &scale, &bias, &mean, &variance});
    });
    CHECK(has(p, "batch_norm") == on_cpu(s));
  }
  SUBCASE("what is per column or per row and not per channel") {
    const Program p = check(s, w, x, {2, 4, 5, 4}, [&](const Tensor& in) {
      const Tensor y = conv(w, in, 4, 4, false), row = w.take({4});
      const Tensor z = call(s, TN_OP_MUL, {&y, &row}), k = w.take({4, 4});
      const Tensor l = call(s, TN_OP_LINEAR, {&z, &k, &kNone}), column = w.take({5, 1});
      return call(s, TN_OP_ADD, {&l, &column});
    });
    if (on_cpu(s))  // each has its last in it
      CHECK(names(p) == std::vector<std::string>{"conv2d_region", "linear_region"});
    else
      CHECK(names(p).size() >= 4);
  }
}
