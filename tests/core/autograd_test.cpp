#include <utility>

#include "fixture.hpp"

using namespace tenon::test;

namespace {

Tensor vjp1(Session& cx, const Tensor& y, const Tensor& x, uint32_t flags = 0) {
  tn_tensor *out = y.get(), *in = x.get();
  return get([&](tn_tensor** grad) { return tn_vjp(cx, &out, nullptr, 1, &in, 1, flags, grad); });
}

}  // namespace

TEST_CASE("autograd: product and broadcast") {
  Session cx;
  const Tensor x = cx.leaf(cx.f32({1, 2, 3}, {3}));
  const Tensor m = cx.f32({1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor p = get([&](tn_tensor** o) { return tn_mul(cx, m.get(), x.get(), o); });
  const Tensor q = get([&](tn_tensor** o) { return tn_mul(cx, p.get(), x.get(), o); });
  const Tensor s = get([&](tn_tensor** o) { return tn_sum(cx, q.get(), nullptr, o); });
  check_close(cx.read(vjp1(cx, s, x)), {10, 28, 54});  // 2 x sum(m, axis 0)
}

TEST_CASE("autograd: second and third order") {
  Session cx;
  const Tensor x = cx.leaf(cx.f32({2}, {1}));
  const Tensor x2 = get([&](tn_tensor** o) { return tn_mul(cx, x.get(), x.get(), o); });
  const Tensor x3 = get([&](tn_tensor** o) { return tn_mul(cx, x2.get(), x.get(), o); });
  const Tensor t = get([&](tn_tensor** o) { return tn_tanh(cx, x3.get(), o); });
  const Tensor g1 = vjp1(cx, x3, x, TN_GRAD_CREATE);
  check_close(cx.read(g1), {12});
  const Tensor g2 = vjp1(cx, g1, x, TN_GRAD_CREATE);
  check_close(cx.read(g2), {12});
  check_close(cx.read(vjp1(cx, g2, x)), {6});
  CHECK(tn_tensor_requires_grad(t.get()) == 1);
}

TEST_CASE("autograd: a tape serves once unless it is retained") {
  Session cx;
  const Tensor x = cx.leaf(cx.f32({3}, {1}));
  const Tensor y = get([&](tn_tensor** o) { return tn_mul(cx, x.get(), x.get(), o); });
  check_close(cx.read(vjp1(cx, y, x, TN_GRAD_RETAIN)), {6});
  check_close(cx.read(vjp1(cx, y, x)), {6});
  tn_tensor *out = y.get(), *in = x.get(), *grad = nullptr;
  CHECK_FAILS(tn_vjp(cx, &out, nullptr, 1, &in, 1, 0, &grad), TN_FAILED_PRECONDITION,
              "TN_GRAD_RETAIN");
}

TEST_CASE("autograd: unused inputs, no-grad, integers, other contexts") {
  Session cx;
  const Tensor x = cx.leaf(cx.f32({3}, {1}));
  const Tensor other = cx.leaf(cx.f32({4}, {1}));
  const Tensor y = get([&](tn_tensor** o) { return tn_mul(cx, x.get(), x.get(), o); });
  tn_tensor *out = y.get(), *ins[] = {x.get(), other.get()}, *grads[2] = {nullptr, nullptr};
  CHECK_FAILS(tn_vjp(cx, &out, nullptr, 1, ins, 2, TN_GRAD_RETAIN, grads), TN_FAILED_PRECONDITION,
              "does not depend on input 1");
  REQUIRE_OK(tn_vjp(cx, &out, nullptr, 1, ins, 2, TN_GRAD_ALLOW_UNUSED, grads));
  const Tensor g0(grads[0]);
  CHECK(grads[1] == nullptr);
  check_close(cx.read(g0), {6});

  const int32_t before = tn_ctx_set_grad_mode(cx, 0);
  CHECK(before == 1);
  const Tensor quiet = get([&](tn_tensor** o) { return tn_mul(cx, x.get(), x.get(), o); });
  tn_ctx_set_grad_mode(cx, before);
  CHECK(tn_tensor_requires_grad(quiet.get()) == 0);
  const Tensor flag = get([&](tn_tensor** o) { return tn_lt(cx, x.get(), other.get(), o); });
  CHECK(tn_tensor_requires_grad(flag.get()) == 0);

  auto second = cx.context();
  tn_tensor* r = nullptr;
  CHECK_FAILS(tn_mul(second.get(), x.get(), x.get(), &r), TN_FAILED_PRECONDITION,
              "another context");
}

TEST_CASE("autograd: variables keep old tapes valid") {
  Session cx;
  tn_variable* raw = nullptr;
  REQUIRE_OK(tn_variable_create(cx, tn_string("w"), cx.f32({2, 3}, {2}).get(), 0, &raw));
  const Variable w(raw);
  const Tensor w0 = get([&](tn_tensor** o) { return tn_variable_take(cx, w.get(), o); });
  const Tensor y = get([&](tn_tensor** o) { return tn_mul(cx, w0.get(), w0.get(), o); });
  const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, y.get(), nullptr, o); });
  tn_variable* vars[] = {w.get()};
  tn_tensor* g = nullptr;
  REQUIRE_OK(tn_grad(cx, loss.get(), vars, 1, &g));
  const Tensor grad(g);
  check_close(cx.read(grad), {4, 6});
  const Tensor y2 = get([&](tn_tensor** o) { return tn_mul(cx, w0.get(), w0.get(), o); });
  REQUIRE_OK(tn_variable_assign(cx, w.get(), cx.f32({10, 20}, {2}).get()));
  check_close(cx.read(w0), {2, 3});
  const Tensor w1 = get([&](tn_tensor** o) { return tn_variable_take(cx, w.get(), o); });
  check_close(cx.read(w1), {10, 20});
  CHECK_FAILS(tn_variable_assign(cx, w.get(), cx.f32({1}, {1}).get()), TN_INVALID_ARGUMENT,
              "variable \"w\" is f32[2]; f32[1] cannot be assigned");
}

TEST_CASE("autograd: custom gradients and hooks") {
  Session cx;
  static int destroyed;
  destroyed = 0;
  const Tensor x = cx.leaf(cx.f32({1, 2}, {2}));
  const Tensor y = get([&](tn_tensor** o) { return tn_floor(cx, x.get(), o); });
  tn_grad_callback straight{};
  straight.function = [](void*, tn_ctx* c, tn_tensor* const* cot, uint32_t, tn_tensor** grads,
                         uint32_t) { return tn_add(c, cot[0], cot[0], &grads[0]); };
  straight.destroy = [](void*) { ++destroyed; };
  tn_tensor *in = x.get(), *out = y.get(), *res = nullptr;
  REQUIRE_OK(tn_custom_grad(cx, &in, 1, &out, 1, straight, &res));
  {
    const Tensor z(res);
    tn_grad_hook hook{};
    hook.function = [](void*, tn_ctx* c, tn_tensor* grad, tn_tensor** replacement) {
      return tn_neg(c, grad, replacement);
    };
    hook.destroy = [](void*) { ++destroyed; };
    REQUIRE_OK(tn_tensor_add_grad_hook(cx, z.get(), hook));
    const Tensor s = get([&](tn_tensor** o) { return tn_sum(cx, z.get(), nullptr, o); });
    check_close(cx.read(vjp1(cx, s, x)), {-2, -2});
  }
  cx.ctx.reset();
  CHECK(destroyed == 2);
}

TEST_CASE("autograd: a callback that fails") {
  Session cx;
  const Tensor x = cx.leaf(cx.f32({1}, {1}));
  tn_grad_callback bad{};
  bad.function = [](void*, tn_ctx*, tn_tensor* const*, uint32_t, tn_tensor**, uint32_t) {
    return tn_error_create(TN_CANCELLED, tn_string("not today"));
  };
  tn_tensor *in = x.get(), *out = x.get(), *res = nullptr;
  REQUIRE_OK(tn_custom_grad(cx, &in, 1, &out, 1, bad, &res));
  const Tensor z(res);
  tn_tensor* grad = nullptr;
  out = z.get();
  CHECK_FAILS(tn_vjp(cx, &out, nullptr, 1, &in, 1, 0, &grad), TN_CANCELLED, "not today");
  CHECK(grad == nullptr);
}

TEST_CASE("autograd: a long chain is freed without recursion") {
  Session cx;
  Tensor y = cx.leaf(cx.f32({1}, {1}));
  const Tensor x(tn_tensor_retain(y.get()));
  const Tensor one = cx.f32({1}, {1});
  for (int i = 0; i < 200000; ++i)
    y = get([&](tn_tensor** o) { return tn_add(cx, y.get(), one.get(), o); });
  check_close(cx.read(vjp1(cx, y, x, TN_GRAD_RETAIN)), {1});
  y.reset();
}

namespace {

// A gradient inside a gradient: y = x through a gradient of the caller's own, whose callback differentiates `inside` as well.
struct Nested {
  tn_tensor *inside = nullptr, *x = nullptr;
  uint32_t flags = TN_GRAD_RETAIN;  // of the inner gradient
  std::vector<float> seen;
};

tn_error* nested_gradient(void* user, tn_ctx* ctx, tn_tensor* const* cotangents, uint32_t,
                          tn_tensor** out_grads, uint32_t) {
  auto& n = *static_cast<Nested*>(user);
  tn_tensor* g = nullptr;
  TN_TRY(tn_vjp(ctx, &n.inside, nullptr, 1, &n.x, 1, n.flags, &g));
  n.seen.resize(3);
  tn_error* e = tn_tensor_read(ctx, g, n.seen.data(), 12);
  tn_tensor_drop(ctx, g);
  out_grads[0] = tn_tensor_retain(cotangents[0]);
  return e;
}

}  // namespace

TEST_CASE("autograd: a callback may take a gradient over nodes of the pass that runs it") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const int64_t n = 3;
  const float data[] = {1, 2, 3};
  tn_tensor *plain = nullptr, *x = nullptr, *square = nullptr, *inside = nullptr, *y = nullptr,
            *product = nullptr, *loss = nullptr, *g = nullptr;
  REQUIRE_OK(tn_tensor_from_f32(cx, data, 1, &n, &plain));
  REQUIRE_OK(tn_tensor_leaf(cx, plain, &x));
  REQUIRE_OK(tn_mul(cx, x, x, &square));
  REQUIRE_OK(tn_sum(cx, square, nullptr, &inside));
  Nested nested{.inside = inside, .x = x, .seen = {}};
  const tn_grad_callback callback = {nested_gradient, &nested, nullptr};
  REQUIRE_OK(tn_custom_grad(cx, &x, 1, &plain, 1, callback, &y));
  REQUIRE_OK(tn_mul(cx, y, square, &product));
  REQUIRE_OK(tn_sum(cx, product, nullptr, &loss));
  REQUIRE_OK(tn_vjp(cx, &loss, nullptr, 1, &x, 1, TN_GRAD_RETAIN, &g));
  std::vector<float> out(3);
  REQUIRE_OK(tn_tensor_read(cx, g, out.data(), 12));
  CHECK(nested.seen == std::vector<float>{2, 4, 6});
  CHECK(out == std::vector<float>{3, 12, 27});
  // One that frees what the outer still needs is refused, by the outer.
  nested.flags = 0;
  tn_tensor* none = nullptr;
  CHECK_FAILS(tn_vjp(cx, &loss, nullptr, 1, &x, 1, TN_GRAD_RETAIN, &none), TN_FAILED_PRECONDITION,
              "it must pass TN_GRAD_RETAIN");
  for (tn_tensor* t : {plain, x, square, inside, y, product, loss, g}) tn_tensor_drop(cx, t);
}

TEST_CASE(
    "autograd: a callback that gives nothing gives zero; what is not used is said before the tape "
    "goes") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const int64_t n = 2;
  const float data[] = {1, 2};
  tn_tensor *plain = nullptr, *x = nullptr, *other = nullptr, *y = nullptr, *loss = nullptr;
  REQUIRE_OK(tn_tensor_from_f32(cx, data, 1, &n, &plain));
  REQUIRE_OK(tn_tensor_leaf(cx, plain, &x));
  REQUIRE_OK(tn_tensor_leaf(cx, plain, &other));
  const tn_grad_callback nothing = {[](void*, tn_ctx*, tn_tensor* const*, uint32_t, tn_tensor**,
                                       uint32_t) -> tn_error* { return nullptr; },
                                    nullptr, nullptr};
  REQUIRE_OK(tn_custom_grad(cx, &x, 1, &plain, 1, nothing, &y));
  REQUIRE_OK(tn_sum(cx, y, nullptr, &loss));
  tn_tensor *both[] = {x, other}, *g[2] = {nullptr, nullptr};
  CHECK_FAILS(tn_vjp(cx, &loss, nullptr, 1, both, 2, 0, g), TN_FAILED_PRECONDITION, "input 1");
  REQUIRE_OK(tn_vjp(cx, &loss, nullptr, 1, both, 2, TN_GRAD_ALLOW_UNUSED, g));
  CHECK(!g[1]);
  std::vector<float> out(2, 7.0f);
  REQUIRE_OK(tn_tensor_read(cx, g[0], out.data(), 8));
  CHECK(out == std::vector<float>{0, 0});
  for (tn_tensor* t : {plain, x, other, y, loss, g[0]}) tn_tensor_drop(cx, t);
}

TEST_CASE(
    "autograd: a tape recorded before an assignment still finds the variable, at its old value") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  tn_tensor *three = nullptr, *seven = nullptr, *w = nullptr, *first = nullptr, *second = nullptr,
            *later = nullptr, *now = nullptr, *g = nullptr;
  tn_variable* v = nullptr;
  REQUIRE_OK(tn_tensor_full_f32(cx, 3, 0, nullptr, &three));
  REQUIRE_OK(tn_tensor_full_f32(cx, 7, 0, nullptr, &seven));
  REQUIRE_OK(tn_variable_create(cx, tn_string("v"), three, 0, &v));
  REQUIRE_OK(tn_variable_take(cx, v, &w));
  REQUIRE_OK(tn_mul(cx, w, w, &first));
  REQUIRE_OK(tn_mul(cx, first, w, &second));  // shares the tape of first
  REQUIRE_OK(tn_variable_assign(cx, v, seven));
  REQUIRE_OK(tn_variable_take(cx, v, &later));
  REQUIRE_OK(tn_mul(cx, later, later, &now));
  const auto gradient = [&](tn_tensor* loss) {
    double value = 0;
    REQUIRE_OK(tn_grad(cx, loss, &v, 1, &g));
    REQUIRE_OK(tn_tensor_item_f64(cx, g, &value));
    tn_tensor_drop(cx, g);
    return value;
  };
  CHECK(gradient(second) == 27);  // 3 v^2 at 3
  CHECK(gradient(now) == 14);     // 2 v at 7
  for (tn_tensor* t : {three, seven, w, first, second, later, now}) tn_tensor_drop(cx, t);
  tn_variable_release(v);
}

TEST_CASE("autograd: a pass that fails half-way may be repeated only where its tape was kept") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const int64_t n = 2;
  const float data[] = {1, 2};
  tn_tensor *plain = nullptr, *x = nullptr, *y = nullptr, *loss = nullptr, *g = nullptr;
  REQUIRE_OK(tn_tensor_from_f32(cx, data, 1, &n, &plain));
  REQUIRE_OK(tn_tensor_leaf(cx, plain, &x));
  const tn_grad_callback full = {
      [](void*, tn_ctx*, tn_tensor* const*, uint32_t, tn_tensor**, uint32_t) -> tn_error* {
        return tn_error_create(TN_OUT_OF_MEMORY, tn_string("no room"));
      },
      nullptr, nullptr};
  REQUIRE_OK(tn_custom_grad(cx, &x, 1, &plain, 1, full, &y));
  REQUIRE_OK(tn_sum(cx, y, nullptr, &loss));
  tn_error* e = tn_vjp(cx, &loss, nullptr, 1, &x, 1, TN_GRAD_RETAIN, &g);
  CHECK(tn_error_code(e) == TN_OUT_OF_MEMORY);
  CHECK(tn_error_retryable(e) == 1);
  tn_error_release(e);
  e = tn_vjp(cx, &loss, nullptr, 1, &x, 1, 0, &g);
  CHECK(tn_error_code(e) == TN_OUT_OF_MEMORY);
  CHECK(tn_error_retryable(e) == 0);
  CHECK(std::string(tn_error_message(e)).find("no room") != std::string::npos);
  CHECK(std::string(tn_error_message(e)).find("record the loss again") != std::string::npos);
  tn_error_release(e);
  for (tn_tensor* t : {plain, x, y, loss}) tn_tensor_drop(cx, t);
}

TEST_CASE("autograd: a sum of gradients is not written over what others hold of its parts") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const Tensor plain = s.f32({1, 2}, {2}), part = s.f32({10, 20}, {2});
  const Tensor x = s.leaf(plain);
  const Tensor twice = get([&](tn_tensor** o) { return tn_add(cx, x.get(), x.get(), o); });
  const tn_grad_callback gives = {[](void* user, tn_ctx*, tn_tensor* const*, uint32_t,
                                     tn_tensor** grads, uint32_t) -> tn_error* {
                                    grads[0] = tn_tensor_retain(static_cast<tn_tensor*>(user));
                                    return nullptr;
                                  },
                                  part.get(), nullptr};
  tn_tensor *in = x.get(), *out = plain.get();
  // Recorded last, so its gradient is the first to come, and that of `twice` is added to it.
  const Tensor y =
      get([&](tn_tensor** o) { return tn_custom_grad(cx, &in, 1, &out, 1, gives, o); });
  const Tensor sum = get([&](tn_tensor** o) { return tn_add(cx, twice.get(), y.get(), o); });
  const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, sum.get(), nullptr, o); });
  check_close(s.read(vjp1(s, loss, x)), {12, 22});
  check_close(s.read(part), {10, 20});

  // The same cotangent twice for one result.
  const Tensor z = get([&](tn_tensor** o) { return tn_mul(cx, x.get(), plain.get(), o); });
  tn_tensor *both[] = {z.get(), z.get()}, *cotangents[] = {part.get(), part.get()};
  const Tensor g =
      get([&](tn_tensor** o) { return tn_vjp(cx, both, cotangents, 2, &in, 1, 0, o); });
  check_close(s.read(g), {20, 80});
  check_close(s.read(part), {10, 20});
}

TEST_CASE("autograd: a cotangent that is on a tape comes back off it") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const Tensor x = s.leaf(s.f32({1, 2}, {2})), c = s.leaf(s.f32({3, 4}, {2}));
  const Tensor y = get([&](tn_tensor** o) { return tn_add(cx, x.get(), x.get(), o); });
  const Tensor cotangent = get([&](tn_tensor** o) { return tn_mul(cx, c.get(), c.get(), o); });
  tn_tensor *out = y.get(), *in = x.get(), *given = cotangent.get();
  const Tensor sum = get([&](tn_tensor** o) { return tn_vjp(cx, &out, &given, 1, &in, 1, 0, o); });
  check_close(s.read(sum), {18, 32});
  CHECK(tn_tensor_requires_grad(sum.get()) == 0);
  const Tensor other = s.f32({5, 6}, {2});
  const Tensor once = get([&](tn_tensor** o) { return tn_add(cx, x.get(), other.get(), o); });
  out = once.get();
  const Tensor same = get([&](tn_tensor** o) { return tn_vjp(cx, &out, &given, 1, &in, 1, 0, o); });
  check_close(s.read(same), {9, 16});
  CHECK(tn_tensor_requires_grad(same.get()) == 0);
  CHECK(tn_tensor_requires_grad(cotangent.get()) == 1);
}

TEST_CASE("autograd: a pass inside another that asks for less leaves the other its own") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const Tensor plain = s.f32({1, 2, 3}, {3});
  const Tensor x = s.leaf(plain), w = s.leaf(s.f32({4, 5, 6}, {3}));
  const Tensor product = get([&](tn_tensor** o) { return tn_mul(cx, x.get(), w.get(), o); });
  const Tensor inside = get([&](tn_tensor** o) { return tn_sum(cx, product.get(), nullptr, o); });
  Nested nested{.inside = inside.get(), .x = w.get(), .seen = {}};
  const tn_grad_callback callback = {nested_gradient, &nested, nullptr};
  tn_tensor *in = x.get(), *out = plain.get();
  const Tensor y =
      get([&](tn_tensor** o) { return tn_custom_grad(cx, &in, 1, &out, 1, callback, o); });
  const Tensor all = get([&](tn_tensor** o) { return tn_add(cx, product.get(), y.get(), o); });
  const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, all.get(), nullptr, o); });
  tn_tensor *inputs[] = {x.get(), w.get()}, *grads[2] = {nullptr, nullptr};
  out = loss.get();
  REQUIRE_OK(tn_vjp(cx, &out, nullptr, 1, inputs, 2, 0, grads));
  const Tensor gx(grads[0]), gw(grads[1]);
  CHECK(nested.seen == std::vector<float>{1, 2, 3});
  check_close(s.read(gx), {5, 6, 7});
  check_close(s.read(gw), {1, 2, 3});
}

TEST_CASE("autograd: a hook or callback that frees the node it stands at is refused") {
  struct Inner {
    tn_tensor *y, *x;
  };
  for (const bool two : {false, true}) {  // the other pass asks for all that the tape has, or less
    Session s;
    tn_ctx* cx = s.ctx.get();
    const Tensor x = s.leaf(s.f32({1, 2}, {2})), w = s.leaf(s.f32({3, 4}, {2}));
    const Tensor y = two ? get([&](tn_tensor** o) { return tn_mul(cx, x.get(), w.get(), o); })
                         : get([&](tn_tensor** o) { return tn_exp(cx, x.get(), o); });
    Inner inner{y.get(), x.get()};
    tn_grad_hook hook{};
    hook.user = &inner;
    hook.function = [](void* user, tn_ctx* c, tn_tensor* grad, tn_tensor**) -> tn_error* {
      auto& in = *static_cast<Inner*>(user);
      tn_tensor* g = nullptr;
      if (!in.y) return nullptr;
      tn_tensor* out = std::exchange(in.y, nullptr);
      TN_TRY(tn_vjp(c, &out, &grad, 1, &in.x, 1, 0, &g));
      tn_tensor_drop(c, g);
      return nullptr;
    };
    REQUIRE_OK(tn_tensor_add_grad_hook(cx, y.get(), hook));
    const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, y.get(), nullptr, o); });
    tn_tensor *out = loss.get(), *in = x.get(), *g = nullptr;
    CHECK_FAILS(tn_vjp(cx, &out, nullptr, 1, &in, 1, 0, &g), TN_FAILED_PRECONDITION,
                "it must pass TN_GRAD_RETAIN");
  }
  Session s;
  tn_ctx* cx = s.ctx.get();
  const Tensor plain = s.f32({1, 2}, {2});
  const Tensor x = s.leaf(plain);
  Inner inner{nullptr, x.get()};
  const tn_grad_callback callback = {[](void* user, tn_ctx* c, tn_tensor* const* cotangents,
                                        uint32_t, tn_tensor** grads, uint32_t) -> tn_error* {
                                       auto& in = *static_cast<Inner*>(user);
                                       if (tn_tensor* out = std::exchange(in.y, nullptr)) {
                                         tn_tensor* g = nullptr;
                                         TN_TRY(tn_vjp(c, &out, cotangents, 1, &in.x, 1, 0, &g));
                                         tn_tensor_drop(c, g);
                                       }
                                       grads[0] = tn_tensor_retain(cotangents[0]);
                                       return nullptr;
                                     },
                                     &inner, nullptr};
  tn_tensor *in = x.get(), *out = plain.get(), *g = nullptr;
  const Tensor y =
      get([&](tn_tensor** o) { return tn_custom_grad(cx, &in, 1, &out, 1, callback, o); });
  inner.y = y.get();
  const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, y.get(), nullptr, o); });
  out = loss.get();
  CHECK_FAILS(tn_vjp(cx, &out, nullptr, 1, &in, 1, 0, &g), TN_FAILED_PRECONDITION,
              "it must pass TN_GRAD_RETAIN");
}

TEST_CASE("autograd: some of more than 64 outputs, and gradients that were spread are dense") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  constexpr uint32_t n = 70;
  std::vector<float> data(n, 1.0f);
  const Tensor x = s.leaf(s.f32(data, {n}));
  for (const std::vector<uint32_t>& of :
       {std::vector<uint32_t>{0, 64}, {63, 69}, {62}, {63}, {69, 1, 65}}) {
    std::vector<tn_tensor*> parts(n, nullptr), outputs;
    const std::vector<int64_t> sizes(n, 1);
    uint32_t count = 0;
    REQUIRE_OK(tn_split(cx, x.get(), n, sizes.data(), nullptr, parts.data(), n, &count));
    REQUIRE(count == n);
    std::vector<float> want(n, 0.0f);
    for (uint32_t i : of) outputs.push_back(parts[i]), want[i] = 1;
    tn_tensor* in = x.get();
    const Tensor g = get([&](tn_tensor** o) {
      return tn_vjp(cx, outputs.data(), nullptr, static_cast<uint32_t>(outputs.size()), &in, 1, 0,
                    o);
    });
    CHECK(s.read(g) == want);
    for (tn_tensor* t : parts) tn_tensor_drop(cx, t);
  }
  const Tensor other = s.f32(data, {n});
  const Tensor y = get([&](tn_tensor** o) { return tn_add(cx, x.get(), other.get(), o); });
  const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, y.get(), nullptr, o); });
  const Tensor g = vjp1(s, loss, x);
  CHECK(s.read(g) == data);
  CHECK(tn_tensor_strides(g.get())[0] == 1);
}
