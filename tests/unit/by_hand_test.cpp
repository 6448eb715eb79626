// Norms, softmax and attention as users of other libraries write them, through the C API: on a device with kernels for the ops they
// become these, on others they stay; the results are those of the calls, to rounding.
#include "prepared.hpp"

using namespace tenon::test;

namespace {

bool on_cpu(const Session& s) { return s.ctx->device->name == "cpu:0"; }

Tensor reduced(tn_ctx* cx, tn_op op, const Tensor& x, int64_t axis) {
  return call(cx, op, {&x}, {tn_attr_i64s(0, &axis, 1), tn_attr_bool(1, 1)});
}
// As in a module of PyTorch: (x - mean) / sqrt(var + eps) * weight + bias.
Tensor layer_norm(tn_ctx* cx, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor m = reduced(cx, TN_OP_MEAN, x, -1), c = call(cx, TN_OP_SUB, {&x, &m});
  const Tensor two = number(cx, 2), epsilon = number(cx, 1e-5);
  const Tensor squares = call(cx, TN_OP_POW, {&c, &two});
  const Tensor v = reduced(cx, TN_OP_MEAN, squares, -1);
  const Tensor plus = call(cx, TN_OP_ADD, {&v, &epsilon}), root = call(cx, TN_OP_SQRT, {&plus});
  const Tensor y = call(cx, TN_OP_DIV, {&c, &root}), scaled = call(cx, TN_OP_MUL, {&weight, &y});
  return call(cx, TN_OP_ADD, {&scaled, &bias});
}
// As in JAX: the maximum detached, exp, a division by the sum.
Tensor softmax(tn_ctx* cx, const Tensor& x) {
  const Tensor top = reduced(cx, TN_OP_MAX, x, -1);
  const Tensor still = get([&](tn_tensor** o) { return tn_tensor_detach(cx, top.get(), o); });
  const Tensor d = call(cx, TN_OP_SUB, {&x, &still}), e = call(cx, TN_OP_EXP, {&d});
  const Tensor sum = reduced(cx, TN_OP_SUM, e, -1);
  return call(cx, TN_OP_DIV, {&e, &sum});
}
// Self-attention of [heads, length, width], causal by a mask of -infinity.
Tensor attention(tn_ctx* cx, const Tensor& x, double scale) {
  const int64_t n = tn_tensor_dims(x.get())[1], swap[] = {0, 2, 1};
  const Tensor k = call(cx, TN_OP_TRANSPOSE, {&x}, {tn_attr_i64s(TN_TRANSPOSE_PERM, swap, 3)});
  const Tensor products = call(cx, TN_OP_MATMUL, {&x, &k}), by = number(cx, scale);
  const Tensor scores = call(cx, TN_OP_MUL, {&products, &by});
  const Tensor row = iota(cx, {n, 1}, 0, TN_DTYPE_I64), column = iota(cx, {1, n}, 1, TN_DTYPE_I64);
  const Tensor later = call(cx, TN_OP_LT, {&row, &column});
  const Tensor never = number(cx, -INFINITY);
  const Tensor zero = number(cx, 0), mask = call(cx, TN_OP_WHERE, {&later, &never, &zero});
  const Tensor masked = call(cx, TN_OP_ADD, {&scores, &mask});
  const Tensor p = softmax(cx, masked);
  return call(cx, TN_OP_MATMUL, {&p, &x});
}

}  // namespace

TEST_CASE("by hand: layer norm") {
  Session s;
  const Tensor weight = s.f32(ramp(40), {40}), bias = s.f32(ramp(40), {40});
  const auto body = [&](const Tensor& x) { return layer_norm(s, x, weight, bias); };
  const Program p = capture(s, {TN_DIM_ANY, 40}, body);
  const Tensor x = s.f32(ramp(7 * 40), {7, 40});
  const Tensor want = body(x);
  check_close(s.read(run(s, p, x)), s.read(want));
  if (on_cpu(s)) CHECK(names(p) == std::vector<std::string>{"layer_norm"});
  CHECK(has(p, "layer_norm") == on_cpu(s));
}

TEST_CASE("by hand: softmax") {
  Session s;
  const auto body = [&](const Tensor& x) { return softmax(s, x); };
  const Program p = capture(s, {5, TN_DIM_ANY}, body);
  std::vector<float> values = ramp(5 * 33);
  values[3] = -INFINITY;
  for (size_t i = 0; i < 33; ++i) values[2 * 33 + i] = -INFINITY;
  values[4 * 33 + 1] = INFINITY;
  const Tensor x = s.f32(values, {5, 33});
  const std::vector<float> want = s.read(body(x)), got = s.read(run(s, p, x));
  for (size_t i = 0; i < want.size(); ++i) {
    CAPTURE(i);
    const bool close = std::fabs(got[i] - want[i]) <= 1e-6f;
    CHECK((std::isnan(want[i]) ? std::isnan(got[i]) : close));
  }
  CHECK(has(p, "softmax") == on_cpu(s));
}

TEST_CASE("by hand: softmax of one number") {
  Session s;
  const auto body = [&](const Tensor& x) {
    const Tensor top = get([&](tn_tensor** o) { return tn_max(s, x.get(), nullptr, o); });
    const Tensor d = call(s, TN_OP_SUB, {&x, &top}), e = call(s, TN_OP_EXP, {&d});
    const Tensor sum = get([&](tn_tensor** o) { return tn_sum(s, e.get(), nullptr, o); });
    return call(s, TN_OP_DIV, {&e, &sum});
  };
  const Program p = capture(s, {}, body);
  CHECK(s.read(run(s, p, s.f32({3}, {}))) == std::vector<float>{1});
}

TEST_CASE("by hand: attention behind a causal mask, which is computed once") {
  Session s;
  const auto body = [&](const Tensor& x) { return attention(s, x, 0.125); };
  const Program p = capture(s, {3, TN_DIM_ANY, 24}, body);
  for (const int64_t n : {1, 19, 130}) {
    const Tensor x = s.f32(ramp(static_cast<size_t>(3 * n * 24)), {3, n, 24});
    const Tensor want = body(x);
    check_close(s.read(run(s, p, x)), s.read(want));
    CHECK(has(p, "scaled_dot_product_attention") == on_cpu(s));
    CHECK_FALSE(has(p, "iota"));
    CHECK_FALSE(has(p, "lt"));
  }
}

TEST_CASE("by hand: gradients that need what lies between keep it") {
  Session s;
  const auto body = [&](const Tensor& x) {
    const Tensor leaf = s.leaf(x), y = softmax(s, leaf), root = call(s, TN_OP_TANH, {&y});
    const Tensor squares = call(s, TN_OP_MUL, {&root, &y}), loss = call(s, TN_OP_SUM, {&squares});
    return get([&](tn_tensor** o) {
      tn_tensor *outputs[] = {loss.get()}, *inputs[] = {leaf.get()};
      return tn_vjp(s, outputs, nullptr, 1, inputs, 1, 0, o);
    });
  };
  const Program p = capture(s, {4, 9}, body);
  const Tensor x = s.f32(ramp(36), {4, 9});
  const Tensor want = body(x);
  check_close(s.read(run(s, p, x)), s.read(want));
  CHECK_FALSE(has(p, "softmax"));
}
