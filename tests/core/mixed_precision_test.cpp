// Mixed precision: what autocast casts, gradients through it, and loss scaling.
#include <cstring>

#include "fixture.hpp"

using namespace tenon::test;

namespace {

struct Narrow {
  Narrow(tn_ctx* ctx, tn_dtype dtype) : cx(ctx) { REQUIRE_OK(tn_ctx_set_autocast(cx, dtype)); }
  ~Narrow() { tn_error_release(tn_ctx_set_autocast(cx, TN_DTYPE_F32)); }
  tn_ctx* cx;
};

struct OptimizerReleaser {
  void operator()(tn_optimizer* o) const { tn_optimizer_release(o); }
  void operator()(tn_loss_scale* s) const { tn_loss_scale_release(s); }
  void operator()(tn_program* p) const { tn_program_release(p); }
};
template <class T>
using Held = std::unique_ptr<T, OptimizerReleaser>;

Tensor cast(tn_ctx* cx, const Tensor& t, tn_dtype dtype) {
  return get([&](tn_tensor** o) { return tn_cast(cx, t.get(), dtype, o); });
}
Tensor matmul(tn_ctx* cx, tn_tensor* a, tn_tensor* b) {
  return get([&](tn_tensor** o) { return tn_matmul(cx, a, b, nullptr, o); });
}
Tensor sum(tn_ctx* cx, const Tensor& t) {
  return get([&](tn_tensor** o) { return tn_sum(cx, t.get(), nullptr, o); });
}
Variable variable(tn_ctx* cx, const char* name, const Tensor& value) {
  tn_variable* v = nullptr;
  REQUIRE_OK(tn_variable_create(cx, tn_string(name), value.get(), 0, &v));
  return Variable(v);
}
Tensor value_of(tn_ctx* cx, tn_variable* v) {
  return get([&](tn_tensor** o) { return tn_variable_take(cx, v, o); });
}
Held<tn_optimizer> optimizer(tn_ctx* cx, const char* name, std::vector<tn_option> options) {
  tn_optimizer* o = nullptr;
  REQUIRE_OK(tn_optimizer_create(cx, tn_string(name), options.data(),
                                 static_cast<uint32_t>(options.size()), &o));
  return Held<tn_optimizer>(o);
}
Held<tn_loss_scale> loss_scale(tn_ctx* cx, std::vector<tn_option> options) {
  tn_loss_scale* s = nullptr;
  REQUIRE_OK(tn_loss_scale_create(cx, options.data(), static_cast<uint32_t>(options.size()), &s));
  return Held<tn_loss_scale>(s);
}
float scale_of(Session& cx, const Held<tn_loss_scale>& s, const char* name = "loss_scale.scale") {
  tn_variable* v = nullptr;
  REQUIRE_OK(tn_loss_scale_get_variable(s.get(), tn_string(name), &v));
  return cx.read(value_of(cx, v))[0];
}
tn_dtype dtype_of(const Tensor& t) { return tn_tensor_dtype(t.get()); }

}  // namespace

TEST_CASE("autocast: products are narrow, sums wide, the rest takes the wider") {
  Session cx;
  const Tensor a = cx.f32({1, 2, 3, 4}, {2, 2}), b = cx.f32({0.5f, -1, 2, 1}, {2, 2});
  CHECK(tn_ctx_get_autocast(cx) == TN_DTYPE_F32);
  for (const tn_dtype narrow : {TN_DTYPE_BF16, TN_DTYPE_F16}) {
    const Narrow on(cx, narrow);
    CHECK(tn_ctx_get_autocast(cx) == narrow);
    const Tensor product = matmul(cx, a.get(), b.get());
    CHECK(dtype_of(product) == narrow);
    check_close(cx.read(cast(cx, product, TN_DTYPE_F32)), {4.5f, 1, 9.5f, 1});
    CHECK(dtype_of(sum(cx, product)) == TN_DTYPE_F32);
    CHECK(dtype_of(get([&](tn_tensor** o) { return tn_softmax(cx, product.get(), nullptr, o); })) ==
          TN_DTYPE_F32);
    CHECK(dtype_of(get([&](tn_tensor** o) { return tn_add(cx, product.get(), a.get(), o); })) ==
          TN_DTYPE_F32);
    CHECK(dtype_of(get([&](tn_tensor** o) { return tn_relu(cx, product.get(), o); })) == narrow);
    CHECK(dtype_of(get([&](tn_tensor** o) { return tn_mul(cx, a.get(), b.get(), o); })) ==
          TN_DTYPE_F32);
    const Tensor wide = cast(cx, a, TN_DTYPE_F64);
    CHECK(dtype_of(wide) == TN_DTYPE_F64);
    CHECK(dtype_of(matmul(cx, wide.get(), wide.get())) == TN_DTYPE_F64);
  }
  CHECK(dtype_of(matmul(cx, a.get(), b.get())) == TN_DTYPE_F32);
  CHECK_FAILS(tn_ctx_set_autocast(cx, TN_DTYPE_I32), TN_INVALID_ARGUMENT, "i32 given");
  CHECK_FAILS(tn_ctx_set_autocast(nullptr, TN_DTYPE_BF16), TN_INVALID_ARGUMENT, "ctx");
}

TEST_CASE("autocast: a variable of f32 gets its gradient in f32, captured as called") {
  Session cx;
  const Variable w = variable(cx, "w", cx.f32({1.001f, -2, 0.5f, 3}, {2, 2}));
  tn_variable* list[] = {w.get()};
  const Tensor x = cx.f32({1, 2, 3, 4, 5, 6}, {3, 2});
  const auto gradient = [&](tn_tensor* data) {
    const Narrow on(cx, TN_DTYPE_BF16);
    const Tensor weight = value_of(cx, w.get());
    const Tensor y = matmul(cx, data, weight.get());
    const Tensor t = get([&](tn_tensor** o) { return tn_tanh(cx, y.get(), o); });
    const Tensor loss = sum(cx, t);
    tn_tensor* g = nullptr;
    REQUIRE_OK(tn_grad(cx, loss.get(), list, 1, &g));
    return Tensor(g);
  };
  const Tensor called = gradient(x.get());
  CHECK(dtype_of(called) == TN_DTYPE_F32);
  const int64_t dims[] = {TN_DIM_ANY, 2};
  REQUIRE_OK(tn_capture_begin(cx, tn_string("gradient")));
  const Tensor in = get([&](tn_tensor** o) {
    return tn_capture_input(cx, tn_string("x"), TN_DTYPE_F32, 2, dims, nullptr, o);
  });
  const Tensor out = gradient(in.get());
  tn_tensor* outputs[] = {out.get()};
  tn_program* made = nullptr;
  REQUIRE_OK(tn_capture_end(cx, outputs, 1, &made));
  const Held<tn_program> p(made);
  tn_tensor *inputs[] = {x.get()}, *result = nullptr;
  uint32_t n = 0;
  REQUIRE_OK(tn_program_run(cx, p.get(), inputs, 1, &result, 1, &n));
  CHECK(cx.read(Tensor(result)) == cx.read(called));
  // Not the gradient of f32, but near it: bf16 has 8 bits.
  REQUIRE_OK(tn_ctx_set_autocast(cx, TN_DTYPE_F32));
  const Tensor weight = value_of(cx, w.get());
  const Tensor y = matmul(cx, x.get(), weight.get());
  const Tensor t = get([&](tn_tensor** o) { return tn_tanh(cx, y.get(), o); });
  const Tensor loss = sum(cx, t);
  tn_tensor* g = nullptr;
  REQUIRE_OK(tn_grad(cx, loss.get(), list, 1, &g));
  const Tensor exact(g);
  CHECK(cx.read(exact) != cx.read(called));
  check_close(cx.read(exact), cx.read(called), 0.02);
}

TEST_CASE("loss scale: gradients that f16 cannot hold arrive") {
  Session cx;
  const Variable w = variable(cx, "w", cx.f32({1, 1}, {2, 1}));
  tn_variable* list[] = {w.get()};
  const Held<tn_loss_scale> s = loss_scale(cx, {tn_option_f64("scale", 8192)});
  const Tensor x = cx.f32({1, 2}, {1, 2});
  const auto step = [&](bool scaled) {
    const Tensor weight = value_of(cx, w.get());
    const Narrow on(cx, TN_DTYPE_F16);
    const Tensor y = matmul(cx, x.get(), weight.get());
    const Tensor total = sum(cx, y);
    const Tensor small = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, 1e-8, o); });
    const Tensor loss = get([&](tn_tensor** o) { return tn_mul(cx, total.get(), small.get(), o); });
    Tensor taken = get([&](tn_tensor** o) {
      return scaled ? tn_loss_scale_apply(cx, s.get(), loss.get(), o)
                    : tn_tensor_detach(cx, loss.get(), o);
    });
    tn_tensor* g = nullptr;
    REQUIRE_OK(tn_grad(cx, scaled ? taken.get() : loss.get(), list, 1, &g));
    const Tensor grad(g);
    std::vector<float> out = cx.read(grad);
    for (float& v : out) v /= scaled ? 8192.f : 1.f;
    return out;
  };
  CHECK(step(false) == std::vector<float>{0, 0});
  check_close(step(true), {1e-8f, 2e-8f}, 2e-11);
}

TEST_CASE("loss scale: a step that is not finite is left out, and the scale follows") {
  Session cx;
  const auto train = [&](bool captured) {
    const Variable a = variable(cx, "a", cx.f32({1, 2}, {2})),
                   b = variable(cx, "b", cx.f32({3}, {1}));
    tn_variable* both[] = {a.get(), b.get()};
    const Held<tn_loss_scale> s = loss_scale(
        cx,
        {tn_option_f64("scale", 1024), tn_option_i64("interval", 3), tn_option_f64("growth", 4)});
    const Held<tn_optimizer> adam = optimizer(cx, "adam", {tn_option_f64("lr", 0.1)});
    const auto record = [&](tn_tensor* x) {
      const Tensor va = value_of(cx, a.get()), vb = value_of(cx, b.get());
      const Tensor p = get([&](tn_tensor** o) { return tn_mul(cx, va.get(), x, o); });
      const Tensor q = get([&](tn_tensor** o) { return tn_mul(cx, p.get(), vb.get(), o); });
      const Tensor loss = sum(cx, q);
      const Tensor scaled =
          get([&](tn_tensor** o) { return tn_loss_scale_apply(cx, s.get(), loss.get(), o); });
      tn_tensor* g[2];
      REQUIRE_OK(tn_grad(cx, scaled.get(), both, 2, g));
      const Tensor g0(g[0]), g1(g[1]);
      REQUIRE_OK(tn_loss_scale_step(cx, s.get(), adam.get(), both, g, 2));
      REQUIRE_OK(tn_loss_scale_update(cx, s.get()));
    };
    Held<tn_program> program;
    if (captured) {
      const int64_t dims[] = {2};
      REQUIRE_OK(tn_capture_begin(cx, tn_string("step")));
      const Tensor x = get([&](tn_tensor** o) {
        return tn_capture_input(cx, tn_string("x"), TN_DTYPE_F32, 1, dims, nullptr, o);
      });
      record(x.get());
      tn_program* made = nullptr;
      REQUIRE_OK(tn_capture_end(cx, nullptr, 0, &made));
      program.reset(made);
    }
    const auto step = [&](float first) {
      const Tensor x = cx.f32({first, 0.5f}, {2});
      if (!captured) return record(x.get());
      tn_tensor *in[] = {x.get()}, *out[1];
      uint32_t n = 0;
      REQUIRE_OK(tn_program_run(cx, program.get(), in, 1, out, 0, &n));
    };
    std::vector<float> seen;
    const auto look = [&] {
      for (tn_variable* v : both)
        for (const float f : cx.read(value_of(cx, v))) seen.push_back(f);
      uint32_t states = 0;
      REQUIRE_OK(tn_optimizer_state_count(adam.get(), &states));
      for (uint32_t i = 0; i < states; ++i) {
        tn_str name;
        tn_tensor* t = nullptr;
        REQUIRE_OK(tn_optimizer_state_take(cx, adam.get(), i, &name, &t));
        const Tensor held(t);
        if (tn_tensor_dtype(t) == TN_DTYPE_F32)
          for (const float f : cx.read(held)) seen.push_back(f);
      }
      return seen;
    };
    step(1);
    CHECK(scale_of(cx, s) == 1024);
    CHECK(scale_of(cx, s, "loss_scale.steps") == 1);
    const std::vector<float> before = cx.read(value_of(cx, a.get()));
    CHECK(before != std::vector<float>{1, 2});
    seen.clear();
    const std::vector<float> all = look();
    step(3e38f);  // times 1024: infinite
    seen.clear();
    CHECK(look() == all);
    CHECK(scale_of(cx, s) == 512);
    CHECK(scale_of(cx, s, "loss_scale.steps") == 0);
    for (int i = 0; i < 3; ++i) step(0.25f);
    CHECK(scale_of(cx, s) == 2048);
    CHECK(cx.read(value_of(cx, a.get())) != before);
    seen.clear();
    return look();
  };
  const std::vector<float> called = train(false);
  CHECK(train(true) == called);
}

TEST_CASE("loss scale: options that cannot be are refused") {
  Session cx;
  const auto refused = [&](tn_option option, const char* text) {
    tn_loss_scale* s = nullptr;
    CHECK_FAILS(tn_loss_scale_create(cx, &option, 1, &s), TN_INVALID_ARGUMENT, text);
    CHECK(s == nullptr);
  };
  refused(tn_option_f64("scale", 0), "scale is 0; it must lie in");
  refused(tn_option_f64("growth", 0.5), "growth is 0.5");
  refused(tn_option_f64("backoff", 2), "backoff is 2");
  refused(tn_option_f64("interval", 1.5), "a whole number");
  refused(tn_option_f64("rate", 1), "there is no option \"rate\"");
  refused(tn_option_string("scale", "big"), "must be a number");
  const Held<tn_loss_scale> s = loss_scale(cx, {});
  tn_variable* v = nullptr;
  CHECK_FAILS(tn_loss_scale_get_variable(s.get(), tn_string("x"), &v), TN_NOT_FOUND, "\"x\"");
  CHECK_FAILS(tn_loss_scale_step(cx, s.get(), nullptr, nullptr, nullptr, 0), TN_INVALID_ARGUMENT,
              "optimizer");
}
