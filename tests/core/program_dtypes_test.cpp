// Programs on inputs of other dtypes than they were captured for: what the ops give when called on those.
#include <functional>
#include <thread>

#include "flow_fixture.hpp"

using namespace tenon::test;
using namespace tenon::test::flow;
using tenon::test::check_close;

namespace {

Tensor cast(tn_ctx* cx, tn_tensor* t, tn_dtype dtype) {
  return get([&](tn_tensor** o) { return tn_cast(cx, t, dtype, o); });
}
std::vector<float> read_f32(Session& cx, const Tensor& t) {
  return cx.read(cast(cx, t.get(), TN_DTYPE_F32));
}
tn_error* try_run(tn_ctx* cx, const Program& p, const Raw& in) {
  tn_tensor* out[4] = {};
  uint32_t n = 0;
  tn_error* e =
      tn_program_run(cx, p.get(), in.data(), static_cast<uint32_t>(in.size()), out, 4, &n);
  for (tn_tensor* t : out) tn_tensor_release(t);
  return e;
}
uint32_t prepared(const Program& p) {
  tn_program_info info = tn_program_info_init();
  REQUIRE_OK(tn_program_get_info(p.get(), &info));
  return info.prepared_count;
}

// (tanh(3 x) + 1/2) summed over rows; the scalars take the dtype of x.
Tensors body(tn_ctx* cx, const Raw& in) {
  const Tensor t = tanh(cx, scaled(cx, in[0], 3).get());
  const Tensor half = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, 0.5, o); });
  const Tensor u = add(cx, t.get(), half.get());
  const int64_t axis = 1;
  tn_sum_options rows = tn_sum_options_init();
  rows.axes = &axis, rows.n_axes = 1;
  return list(get([&](tn_tensor** o) { return tn_sum(cx, u.get(), &rows, o); }));
}

}  // namespace

TEST_CASE("program: inputs of another dtype run its ops on those, bit for bit as calls do") {
  Session cx;
  const Program p = flow::capture(cx, "rows", {{{TN_DIM_ANY, 3}, {"batch", ""}}},
                                  [&](const Raw& in) { return body(cx, in); });
  const Tensor x = cx.f32({0.1f, -0.2f, 0.3f, 0.4f, 0.5f, -0.6f}, {2, 3});
  for (int again = 0; again < 2; ++again) {
    for (const tn_dtype dtype :
         {TN_DTYPE_F32, TN_DTYPE_BF16, TN_DTYPE_F64, TN_DTYPE_F16, TN_DTYPE_F32}) {
      CAPTURE(tn_dtype_name(dtype));
      const Tensor given = cast(cx, x.get(), dtype);
      const Tensors got = run(cx, p, {given.get()});
      const Tensors want = body(cx, {given.get()});
      CHECK(tn_tensor_dtype(got[0].get()) == dtype);
      CHECK(read_f32(cx, got[0]) == read_f32(cx, want[0]));
    }
    CHECK(prepared(p) == 4);
  }
  // Each keeps its symbolic sizes.
  const Tensor one = cast(cx, cx.f32({1, 2, 3}, {1, 3}).get(), TN_DTYPE_F64);
  CHECK(read_f32(cx, run(cx, p, {one.get()})[0]) == read_f32(cx, body(cx, {one.get()})[0]));
  CHECK(prepared(p) == 5);
  // What does not fit but for the dtype is refused as before.
  const Tensor wide = cast(cx, cx.f32({1, 2}, {1, 2}).get(), TN_DTYPE_F64);
  CHECK_FAILS(try_run(cx, p, {wide.get()}), TN_INVALID_ARGUMENT,
              "input \"0\" is f64[1, 2], the program takes f64[batch, 3]");
}

// Adam over one variable: sum((x w - y)^2), y cast to f32.
struct Training {
  Session& cx;
  Variable w;
  std::unique_ptr<tn_optimizer, void (*)(tn_optimizer*)> o{nullptr, tn_optimizer_release};
  explicit Training(Session& s)
      : cx(s), w(variable(s, "w", s.f32({0.5f, -0.25f, 0.125f, 1, -1, 0.75f}, {3, 2}))) {
    tn_optimizer* made = nullptr;
    const tn_option lr = tn_option_f64("lr", 0.05);
    REQUIRE_OK(tn_optimizer_create(cx, tn_string("adam"), &lr, 1, &made));
    o.reset(made);
  }
  Tensors step(const Raw& in) {
    const Tensor weight = value_of(cx, w), y = cast(cx, in[1], TN_DTYPE_F32);
    const Tensor e = sub(cx, matmul(cx, in[0], weight.get()).get(), y.get());
    Tensor loss = sum(cx, mul(cx, e.get(), e.get()).get());
    tn_variable* vars[] = {w.get()};
    tn_tensor* grads[1];
    REQUIRE_OK(tn_grad(cx, loss.get(), vars, 1, grads));
    const Tensor g(grads[0]);
    REQUIRE_OK(tn_optimizer_step(cx, o.get(), vars, grads, 1));
    return list(std::move(loss));
  }
  Program program() {
    return flow::capture(
        cx, "step",
        {{{TN_DIM_ANY, 3}, {"batch", ""}}, {{TN_DIM_ANY, 2}, {"batch", ""}, TN_DTYPE_I32}},
        [&](const Raw& in) { return step(in); });
  }
};

TEST_CASE("program: a training step takes labels of any dtype, and x as it was captured") {
  Session cx;
  const auto train = [&](bool captured, tn_dtype labels) {
    Training t(cx);
    const Program p = captured ? t.program() : Program();
    std::vector<float> seen;
    for (int k = 0; k < 6; ++k) {
      const Tensor x = cx.f32({1, 2, 0, -1, 0.5f, static_cast<float>(k)}, {2, 3});
      const Tensor y = cast(cx, cx.f32({1, 0, 0, 2}, {2, 2}).get(), labels);
      const Tensors loss = captured ? run(cx, p, {x.get(), y.get()}) : t.step({x.get(), y.get()});
      seen.push_back(cx.read(loss[0])[0]);
      if (captured && k == 0) {
        const Tensor wide = cast(cx, x.get(), TN_DTYPE_F64);
        CHECK_FAILS(try_run(cx, p, {wide.get(), y.get()}), TN_INVALID_ARGUMENT,
                    "program \"step\": input \"0\" is f64, the program takes f32. It assigns");
      }
    }
    for (float f : cx.read(value_of(cx, t.w))) seen.push_back(f);
    return seen;
  };
  for (const tn_dtype labels : {TN_DTYPE_I32, TN_DTYPE_I64, TN_DTYPE_U8})
    check_close(train(true, labels), train(false, labels), 1e-6);

  const Variable n = variable(cx, "n", cast(cx, cx.f32({1}, {1}).get(), TN_DTYPE_I32));
  const Program count = flow::capture(cx, "count", {{{1}, {}, TN_DTYPE_I32}}, [&](const Raw& in) {
    const Tensor more = add(cx, value_of(cx, n).get(), in[0]);
    REQUIRE_OK(tn_variable_assign(cx, n.get(), more.get()));
    return Tensors();
  });
  const Tensor wide = cast(cx, cx.f32({1}, {1}).get(), TN_DTYPE_I64);
  CHECK_FAILS(try_run(cx, count, {wide.get()}), TN_INVALID_ARGUMENT,
              "variable \"n\" is i32[1]; i64[1] cannot be assigned to it");
}

TEST_CASE("program: draws that nobody uses count in another dtype and in a capture") {
  Session cx;
  const auto body_of = [&](tn_tensor* x) {
    const auto drop = [&] {
      return get([&](tn_tensor** o) { return tn_dropout(cx, x, nullptr, o); });
    };
    const Tensor unused = drop();
    return list(drop());
  };
  const Program p =
      flow::capture(cx, "drops", {{{64}}}, [&](const Raw& in) { return body_of(in[0]); });
  const Program nested =
      flow::capture(cx, "outer", {{{64}}}, [&](const Raw& in) { return run(cx, p, {in[0]}); });
  const Tensor x = cx.f32(std::vector<float>(64, 1), {64});
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_F64}) {
    CAPTURE(tn_dtype_name(dtype));
    const Tensor given = cast(cx, x.get(), dtype);
    const auto seeded = [&](const std::function<Tensors()>& make) {
      REQUIRE_OK(tn_ctx_set_seed(cx, 7));
      std::vector<float> seen = read_f32(cx, make()[0]);
      for (float f : read_f32(cx, body_of(given.get())[0]))
        seen.push_back(f);  // where the state is now
      return seen;
    };
    const std::vector<float> want = seeded([&] { return body_of(given.get()); });
    CHECK(seeded([&] { return run(cx, p, {given.get()}); }) == want);
    CHECK(seeded([&] { return run(cx, nested, {given.get()}); }) == want);
  }
}

TEST_CASE("program: another dtype in a capture, a branch, and beside autocast") {
  Session cx;
  const Program rows =
      flow::capture(cx, "rows", {{{2, 3}}}, [&](const Raw& in) { return body(cx, in); });
  const Tensor x = cx.f32({0.1f, -0.2f, 0.3f, 0.4f, 0.5f, -0.6f}, {2, 3});
  const Tensor wide = cast(cx, x.get(), TN_DTYPE_F64);
  const Tensors want = body(cx, {wide.get()});

  const Program outer =
      flow::capture(cx, "outer", {{{2, 3}, {}, TN_DTYPE_F64}}, [&](const Raw& in) {
        const Tensor at = leaf(cx, in[0]);
        Tensors made = run(cx, rows, {at.get()});
        Tensors slope = gradients(cx, sum(cx, made[0].get()), {at.get()});
        return list(std::move(made[0]), std::move(slope[0]));
      });
  const Tensors got = run(cx, outer, {wide.get()});
  CHECK(tn_tensor_dtype(got[1].get()) == TN_DTYPE_F64);
  CHECK(read_f32(cx, got[0]) == read_f32(cx, want[0]));
  const Tensor at = leaf(cx, wide.get());
  const Tensors slope = gradients(cx, sum(cx, body(cx, {at.get()})[0].get()), {at.get()});
  check_close(read_f32(cx, got[1]), read_f32(cx, slope[0]), 1e-6);

  const Tensor yes = less(cx, cx.f32({0}, {}).get(), 1);
  CHECK(read_f32(cx, branch(cx, yes.get(), rows, rows, {wide.get()})[0]) == read_f32(cx, want[0]));

  // Its first run on a dtype casts nothing of its own.
  const Program product = flow::capture(cx, "product", {{{2, 3}}, {{3, 2}}}, [&](const Raw& in) {
    return list(matmul(cx, in[0], in[1]));
  });
  const Tensor y = cast(cx, cx.f32({1, 2, 3, 4, 5, 6}, {3, 2}).get(), TN_DTYPE_F64);
  REQUIRE_OK(tn_ctx_set_autocast(cx, TN_DTYPE_BF16));
  const Tensors under = run(cx, product, {wide.get(), y.get()});
  REQUIRE_OK(tn_ctx_set_autocast(cx, TN_DTYPE_F32));
  CHECK(tn_tensor_dtype(under[0].get()) == TN_DTYPE_F64);
}

TEST_CASE("program: a dtype that an op refuses is an error, and the program is as it was") {
  Session cx;
  const Program p = flow::capture(cx, "pick", {{{4}}, {{2}, {}, TN_DTYPE_I32}}, [&](const Raw& in) {
    return list(get([&](tn_tensor** o) { return tn_gather(cx, in[0], in[1], nullptr, o); }));
  });
  const Tensor x = cx.f32({1, 2, 3, 4}, {4}), at = cx.f32({3, 1}, {2});
  for (int again = 0; again < 2; ++again) {
    CHECK_FAILS(
        try_run(cx, p, {x.get(), at.get()}), TN_INVALID_ARGUMENT,
        "program \"pick\" was captured for inputs of other dtypes, and cannot run on these: "
        "gather");
  }
  const Tensor index = cast(cx, at.get(), TN_DTYPE_I64);
  CHECK(cx.read(run(cx, p, {x.get(), index.get()})[0]) == std::vector<float>{4, 2});
  CHECK(prepared(p) == 1);
}

TEST_CASE("program: a thread may bring another dtype while others step an optimizer") {
  Session cx;
  Training t(cx);
  const Program p = t.program();
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t k = 0; k < wrong.size(); ++k)
    threads.emplace_back([&, k] {
      tn_ctx* own = nullptr;
      tn_error* e = tn_ctx_create(cx.runtime.get(), tn_string(""), &own);
      const float data[] = {1, 2, 0, 1};
      const int64_t x_dims[] = {1, 3}, y_dims[] = {1, 2};
      const tn_dtype labels[] = {TN_DTYPE_I32, TN_DTYPE_I64, TN_DTYPE_I32, TN_DTYPE_U8};
      for (int turn = 0; turn < 30 && !e; ++turn) {
        tn_tensor *in[2] = {}, *y = nullptr, *out = nullptr;
        uint32_t n = 0;
        e = tn_tensor_from_f32(own, data, 2, x_dims, &in[0]);
        if (!e) e = tn_tensor_from_f32(own, data, 2, y_dims, &y);
        if (!e) e = tn_cast(own, y, labels[k], &in[1]);
        if (!e) e = tn_program_run(own, p.get(), in, 2, &out, 1, &n);
        for (tn_tensor* x : {in[0], in[1], y, out}) tn_tensor_release(x);
      }
      wrong[k] = e != nullptr;
      tn_error_release(e);
      tn_ctx_release(own);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("program: threads that run it on different dtypes get each their own") {
  Session cx;
  const Program p = flow::capture(cx, "rows", {{{TN_DIM_ANY, 3}, {"batch", ""}}},
                                  [&](const Raw& in) { return body(cx, in); });
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t k = 0; k < wrong.size(); ++k)
    threads.emplace_back([&, k] {
      tn_ctx* own = nullptr;
      if (tn_error* e = tn_ctx_create(cx.runtime.get(), tn_string(""), &own)) {
        tn_error_release(e);
        wrong[k] = -1;
        return;
      }
      const float data[] = {0.1f, -0.2f, 0.3f};
      const int64_t dims[] = {1, 3};
      for (int turn = 0; turn < 40; ++turn) {
        tn_tensor *x = nullptr, *given = nullptr, *out = nullptr;
        const tn_dtype dtype = (turn + static_cast<int>(k)) % 2 ? TN_DTYPE_F64 : TN_DTYPE_F32;
        uint32_t n = 0;
        tn_error* e = tn_tensor_from_f32(own, data, 2, dims, &x);
        if (!e) e = tn_cast(own, x, dtype, &given);
        if (!e) e = tn_program_run(own, p.get(), &given, 1, &out, 1, &n);
        if (e || tn_tensor_dtype(out) != dtype) ++wrong[k];
        tn_error_release(e);
        for (tn_tensor* t : {x, given, out}) tn_tensor_release(t);
      }
      tn_ctx_release(own);
    });
  for (std::thread& t : threads) t.join();
  CHECK(wrong == std::vector<int>(4, 0));
}
