// Captures: what a call says where sizes are symbols, or are of another capture, and what is left of its values afterwards.
#include "fixture.hpp"

using namespace tenon::test;

namespace {

struct ProgramReleaser {
  void operator()(tn_program* p) const { tn_program_release(p); }
};
using Program = std::unique_ptr<tn_program, ProgramReleaser>;

// f32[symbol, 4]
Tensor rows(tn_ctx* cx, const char* symbol, const char* name = "x") {
  const int64_t dims[] = {TN_DIM_ANY, 4};
  const tn_str symbols[] = {tn_string(symbol), tn_string("")};
  return get([&](tn_tensor** o) {
    return tn_capture_input(cx, tn_string(name), TN_DTYPE_F32, 2, dims, symbols, o);
  });
}

Program finish(tn_ctx* cx, const Tensor& output) {
  tn_tensor* const list[] = {output.get()};
  tn_program* p = nullptr;
  REQUIRE_OK(tn_capture_end(cx, list, 1, &p));
  return Program(p);
}

tn_error* run(tn_ctx* cx, const Program& p, tn_tensor* x, tn_tensor** out) {
  uint32_t n = 0;
  return tn_program_run(cx, p.get(), &x, 1, out, 1, &n);
}

}  // namespace

TEST_CASE("program errors: symbols have their names in what checks of tensors say") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("f")));
  const Tensor x = rows(cx, "batch"), w = cx.f32(std::vector<float>(15), {3, 5});
  tn_tensor* none = nullptr;
  const Tensor whole = get([&](tn_tensor** o) { return tn_cast(cx, x.get(), TN_DTYPE_I64, o); });
  CHECK_FAILS(tn_tensor_leaf(cx, whole.get(), &none), TN_INVALID_ARGUMENT, "i64[batch, 4]");
  tn_tensor* const grads[] = {whole.get()};
  CHECK_FAILS(tn_clip_grad_value(cx, grads, 1, 1.0, &none), TN_INVALID_ARGUMENT, "i64[batch, 4]");
  tn_variable* made = nullptr;
  REQUIRE_OK(tn_variable_create(cx, tn_string("v"), w.get(), 0, &made));
  const Variable v(made);
  CHECK_FAILS(tn_variable_assign(cx, v.get(), x.get()), TN_INVALID_ARGUMENT,
              "variable \"v\" is f32[3, 5]; f32[batch, 4] cannot");
  tn_tensor* y = nullptr;
  CHECK_FAILS(tn_matmul(cx, x.get(), w.get(), nullptr, &y), TN_INVALID_ARGUMENT, "f32[batch, 4]");
  const Tensor sum = get([&](tn_tensor** o) {
    tn_tensor* const both[] = {x.get(), x.get()};
    return tn_concat(cx, both, 2, 0, o);
  });
  CHECK_FAILS(tn_matmul(cx, sum.get(), w.get(), nullptr, &y), TN_INVALID_ARGUMENT,
              "f32[(batch + batch), 4]");
  tn_capture_abort(cx);
}

TEST_CASE(
    "program errors: sizes that were taken for equal are told with the op that took them so") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("f")));
  const Tensor x = rows(cx, "batch"), four = cx.f32(std::vector<float>(16), {4, 4});
  const Tensor sum = get([&](tn_tensor** o) { return tn_add(cx, x.get(), four.get(), o); });
  const Program p = finish(cx, sum);
  const Tensor three = cx.f32(std::vector<float>(12), {3, 4});
  tn_tensor* none = nullptr;
  CHECK_FAILS(run(cx, p, three.get(), &none), TN_INVALID_ARGUMENT,
              "was captured for equal sizes batch and 4 in add; here they are 3 and 4");
}

TEST_CASE("program errors: a rule that does something else at the sizes of a run") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("f")));
  const Tensor x = rows(cx, "batch");
  const Tensor y = get([&](tn_tensor** o) { return tn_squeeze(cx, x.get(), nullptr, o); });
  const Program p = finish(cx, y);
  const Tensor two = cx.f32({1, 2, 3, 4, 5, 6, 7, 8}, {2, 4}), one = cx.f32({1, 2, 3, 4}, {1, 4});
  tn_tensor* out = nullptr;
  REQUIRE_OK(run(cx, p, two.get(), &out));
  const Tensor held(out);
  tn_tensor* none = nullptr;
  CHECK_FAILS(run(cx, p, one.get(), &none), TN_INVALID_ARGUMENT,
              "squeeze gives f32[4] for these sizes, where it was captured for f32[1, 4]");
}

TEST_CASE("program errors: tn_tensor_full takes the sizes of its capture, and none below 0") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("f")));
  const Tensor x = rows(cx, "batch");
  const Tensor twos = get([&](tn_tensor** o) {
    return tn_tensor_full(cx, TN_DTYPE_F32, 2, 2, tn_tensor_dims(x.get()), o);
  });
  const Tensor sum = get([&](tn_tensor** o) { return tn_add(cx, x.get(), twos.get(), o); });
  tn_tensor* none = nullptr;
  const int64_t below[] = {-3};
  const std::vector<int64_t> many(TN_MAX_RANK + 1, 1);
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 2, 1, below, &none), TN_INVALID_ARGUMENT,
              "a size cannot be negative");
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 2, TN_MAX_RANK + 1, many.data(), &none),
              TN_OUT_OF_RANGE, "rank");
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 2, 2, nullptr, &none), TN_INVALID_ARGUMENT, "dims");
  CHECK_FAILS(tn_tensor_full(cx, 0x7f, 2, 0, nullptr, &none), TN_INVALID_ARGUMENT, "dtype");
  const Program p = finish(cx, sum);
  const Tensor three = cx.f32(std::vector<float>(12, 1), {3, 4});
  REQUIRE_OK(run(cx, p, three.get(), &none));
  CHECK(cx.read(Tensor(none)) == std::vector<float>(12, 3));
}

TEST_CASE("program errors: a size of another capture is none in this one, nor outside") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("first")));
  const Tensor old = rows(cx, "batch");
  tn_capture_abort(cx);
  tn_tensor* none = nullptr;
  const int64_t* dims = tn_tensor_dims(old.get());
  const Tensor one = cx.f32(std::vector<float>(4), {1, 4});
  CHECK_FAILS(tn_expand(cx, one.get(), 2, dims, &none), TN_INVALID_ARGUMENT, "another capture");
  REQUIRE_OK(tn_capture_begin(cx, tn_string("second")));
  const Tensor x = rows(cx, "n");
  const Tensor row = get([&](tn_tensor** o) {
    tn_sum_options options = tn_sum_options_init();
    const int64_t axis = 0;
    options.axes = &axis, options.n_axes = 1, options.keepdims = 1;
    return tn_sum(cx, x.get(), &options, o);
  });
  for (tn_tensor* of : {x.get(), row.get()}) {
    CHECK_FAILS(tn_expand(cx, of, 2, dims, &none), TN_INVALID_ARGUMENT, "another capture");
    CHECK_FAILS(tn_reshape(cx, of, 2, dims, &none), TN_INVALID_ARGUMENT, "another capture");
  }
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 2, 2, dims, &none), TN_INVALID_ARGUMENT,
              "another capture");
  const Tensor sum = get([&](tn_tensor** o) { return tn_sum(cx, x.get(), nullptr, o); });
  const Program p = finish(cx, sum);
  REQUIRE_OK(run(cx, p, one.get(), &none));
  CHECK(cx.read(Tensor(none)) == std::vector<float>{0});
}

TEST_CASE("program errors: a custom gradient over values of a capture is of no use after it") {
  Session cx;
  for (const bool gives : {true, false})
    for (const bool any : {true, false}) {
      CAPTURE(gives);
      CAPTURE(any);
      const Tensor plain = cx.f32(std::vector<float>(12, 1), {3, 4});
      tn_variable* made = nullptr;
      REQUIRE_OK(tn_variable_create(cx, tn_string("v"), plain.get(), 0, &made));
      const Variable v(made);
      REQUIRE_OK(tn_capture_begin(cx, tn_string("f")));
      const Tensor x = any ? rows(cx, "batch") : Tensor();
      const Tensor w = get([&](tn_tensor** o) { return tn_variable_take(cx, v.get(), o); });
      const Tensor leaf = any ? cx.leaf(x) : Tensor(tn_tensor_retain(w.get()));
      const Tensor through = get([&](tn_tensor** o) { return tn_square(cx, leaf.get(), o); });
      tn_grad_callback callback{};
      if (gives)
        callback.function = [](void*, tn_ctx*, tn_tensor* const* cotangents, uint32_t,
                               tn_tensor** grads, uint32_t) -> tn_error* {
          grads[0] = tn_tensor_retain(cotangents[0]);
          return nullptr;
        };
      else
        callback.function = [](void*, tn_ctx*, tn_tensor* const*, uint32_t, tn_tensor**,
                               uint32_t) -> tn_error* { return nullptr; };
      tn_tensor *in = through.get(), *out = plain.get(), *result = nullptr;
      REQUIRE_OK(tn_custom_grad(cx, &in, 1, &out, 1, callback, &result));
      const Tensor y(result);
      tn_capture_abort(cx);
      CHECK(cx.read(y) == std::vector<float>(12, 1));  // it has elements, and may be used
      const Tensor twice = get([&](tn_tensor** o) { return tn_add(cx, y.get(), y.get(), o); });
      CHECK(cx.read(twice) == std::vector<float>(12, 2));
      const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, twice.get(), nullptr, o); });
      tn_tensor *of = loss.get(), *by = leaf.get(), *grad = nullptr;
      const Outcome outcome(tn_vjp(cx, &of, nullptr, 1, &by, 1, 0, &grad));
      INFO(outcome.message);
      CHECK(outcome.code != TN_OK);
      CHECK(grad == nullptr);
      CHECK(cx.read(y) == std::vector<float>(12, 1));
    }
}
