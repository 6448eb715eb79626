// Control flow: that a branch or loop gives what the same ops give one by one, called and captured, forward and gradient.
#include <thread>

#include "flow_fixture.hpp"

using namespace tenon::test;
using namespace tenon::test::flow;

TEST_CASE("if: one branch or the other, with its gradient") {
  Session cx;
  const Variable w = variable(cx, "w", cx.f32({2, -1, 0.5f}, {3}));
  const auto tripled = [&](const Raw& in) { return list(scaled(cx, in[0], 3)); };
  const auto bent = [&](const Raw& in) {
    const Tensor weight = value_of(cx, w);
    const Tensor m = mul(cx, in[0], weight.get());
    return list(tanh(cx, m.get()));
  };
  const std::vector<Input> one = {{{TN_DIM_ANY}, {"n"}}};
  const Program a = capture(cx, "tripled", one, tripled), b = capture(cx, "bent", one, bent);
  const Tensor x = cx.f32({0.1f, 0.2f, -0.3f}, {3});
  // What the ops give.
  const auto directly = [&](bool first) {
    const Tensor in = leaf(cx, x.get());
    const Tensors y = first ? tripled({in.get()}) : bent({in.get()});
    const Tensor sq = mul(cx, y[0].get(), y[0].get());
    const Tensor loss = sum(cx, sq.get());
    const Tensor weight = value_of(cx, w);
    Tensors g =
        first ? gradients(cx, loss, {in.get()}) : gradients(cx, loss, {in.get(), weight.get()});
    g.push_back(Tensor(tn_tensor_retain(y[0].get())));
    return read(cx, g);
  };
  const auto by_flow = [&](tn_tensor* condition, tn_tensor* data, bool with_weight) {
    const Tensor in = leaf(cx, data);
    const Tensors y = branch(cx, condition, a, b, {in.get()});
    const Tensor sq = mul(cx, y[0].get(), y[0].get());
    const Tensor loss = sum(cx, sq.get());
    const Tensor weight = value_of(cx, w);
    Raw by = {in.get()};
    if (with_weight) by.push_back(weight.get());
    Tensors g = gradients(cx, loss, by);
    g.push_back(Tensor(tn_tensor_retain(y[0].get())));
    return g;
  };
  const Program both = capture(cx, "both", {{{}, {}, TN_DTYPE_BOOL}, {{TN_DIM_ANY}, {"k"}}},
                               [&](const Raw& in) { return by_flow(in[0], in[1], true); });
  for (const bool first : {true, false}) {
    const Tensor position = cx.f32({first ? 0.f : 2.f}, {});
    const Tensor condition = less(cx, position.get(), 1);
    const auto want = directly(first);
    check_close(read(cx, by_flow(condition.get(), x.get(), !first)), want);
    auto got = read(cx, run(cx, both, {condition.get(), x.get()}));
    REQUIRE(got.size() == 3);
    if (first) {
      CHECK(got[1] == std::vector<float>{0, 0, 0});
      got.erase(got.begin() + 1);
    }
    check_close(got, want);
  }
  char text[4096];
  REQUIRE_OK(tn_program_text(both.get(), text, sizeof text, nullptr));
  CHECK(std::string(text).find("= if(\"tripled\", \"bent\", %0, %1") != std::string::npos);
  // Other sizes than those captured for.
  const Tensor condition = less(cx, cx.f32({0}, {}).get(), 1);
  const Tensor four = cx.f32({1, 2, 3, 4}, {4});
  tn_tensor *in[] = {condition.get(), four.get()}, *out[4];
  uint32_t n = 0;
  CHECK_FAILS(tn_program_run(cx, both.get(), in, 2, out, 4, &n), TN_INVALID_ARGUMENT,
              "program \"both\"");
}

TEST_CASE("while: until the condition is false, or as often as allowed") {
  Session cx;
  // Newton's method for a square root, while the error is large.
  const std::vector<Input> two = {{{}}, {{}}};
  const Program far = capture(cx, "far", two, [&](const Raw& in) {
    const Tensor square = mul(cx, in[0], in[0]);
    const Tensor d = sub(cx, square.get(), in[1]);
    const Tensor e = mul(cx, d.get(), d.get());
    const Tensor limit = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, 1e-8, o); });
    return list(get([&](tn_tensor** o) { return tn_gt(cx, e.get(), limit.get(), o); }));
  });
  const auto newton = [&](const Raw& in) {
    const Tensor q = get([&](tn_tensor** o) { return tn_div(cx, in[1], in[0], o); });
    const Tensor s = add(cx, in[0], q.get());
    return list(scaled(cx, s.get(), 0.5));
  };
  const Program step = capture(cx, "newton", two, newton);
  const Tensor start = cx.f32({1}, {}), value = cx.f32({9}, {});
  const auto captured = [&](int64_t most) {
    return capture(cx, "root", two,
                   [&, most](const Raw& in) { return loop(cx, far, step, most, in); });
  };
  tenon::test::check_close(cx.read(loop(cx, far, step, -1, {start.get(), value.get()})[0]), {3});
  tenon::test::check_close(cx.read(run(cx, captured(-1), {start.get(), value.get()})[0]), {3});
  tenon::test::check_close(cx.read(loop(cx, far, step, 1, {start.get(), value.get()})[0]), {5});
  tenon::test::check_close(cx.read(run(cx, captured(1), {start.get(), value.get()})[0]), {5});
  tenon::test::check_close(cx.read(run(cx, captured(0), {start.get(), value.get()})[0]), {1});
  const Tensor there = cx.f32({3}, {});
  CHECK(cx.read(run(cx, captured(-1), {there.get(), value.get()})[0]) == std::vector<float>{3});

  // Its gradient is that of the steps that were made; d sqrt(v) / dv = 1 / 6.
  const auto gradient = [&](int64_t most, const Raw& in) {
    const Tensor v = leaf(cx, in[1]);
    const Tensors y = loop(cx, far, step, most, {in[0], v.get()});
    return gradients(cx, y[0], {v.get()});
  };
  tenon::test::check_close(cx.read(gradient(-1, {start.get(), value.get()})[0]), {1 / 6.f}, 1e-4);
  const Program derived =
      capture(cx, "derivative", two, [&](const Raw& in) { return gradient(20, in); });
  tenon::test::check_close(cx.read(run(cx, derived, {start.get(), value.get()})[0]),
                           cx.read(gradient(20, {start.get(), value.get()})[0]));
  REQUIRE_OK(tn_capture_begin(cx, tn_string("without a bound")));
  {
    const Tensor x = get([&](tn_tensor** o) {
      return tn_capture_input(cx, tn_string("x"), TN_DTYPE_F32, 0, nullptr, nullptr, o);
    });
    const Tensor v = leaf(cx, x.get());
    tn_tensor *in[] = {x.get(), v.get()}, *out[1];
    uint32_t n = 0;
    CHECK_FAILS(tn_program_while(cx, far.get(), step.get(), -1, in, 2, out, 1, &n),
                TN_FAILED_PRECONDITION, "\"newton\" has no bound");
  }
  tn_capture_abort(cx);
}

TEST_CASE("while: another thread ends a loop that would go on for ever") {
  Session cx;
  const std::vector<Input> one = {{{}}};
  const Program always = capture(cx, "always", one, [&](const Raw& in) {
    return list(get([&](tn_tensor** o) { return tn_eq(cx, in[0], in[0], o); }));
  });
  const Program square =
      capture(cx, "square", one, [&](const Raw& in) { return list(mul(cx, in[0], in[0])); });
  const Program endless =
      capture(cx, "endless", one, [&](const Raw& in) { return loop(cx, always, square, -1, in); });
  const Tensor x = cx.f32({1}, {});
  tn_tensor *in[] = {x.get()}, *out[1] = {};
  uint32_t n = 0;
  const auto interrupted = [&](const auto& run) {
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      tn_ctx_interrupt(cx);
    });
    CHECK_FAILS(run(), TN_CANCELLED, "interrupted");
    other.join();
  };
  interrupted(
      [&] { return tn_program_while(cx, always.get(), square.get(), -1, in, 1, out, 1, &n); });
  interrupted([&] { return tn_program_run(cx, endless.get(), in, 1, out, 1, &n); });
  CHECK(cx.read(loop(cx, always, square, 3, {x.get()})[0]) == std::vector<float>{1});
}

TEST_CASE("scan: a recurrent layer, with the gradients of the same ops one by one") {
  Session cx;
  constexpr int64_t kBatch = 2, kIn = 3, kHidden = 4;
  std::vector<float> numbers;
  for (int i = 0; i < 200; ++i) numbers.push_back(static_cast<float>((i * 37) % 101) / 101 - 0.5f);
  const auto tensor = [&](std::vector<int64_t> dims, size_t from) {
    int64_t n = 1;
    for (const int64_t d : dims) n *= d;
    return cx.f32(
        {numbers.begin() + static_cast<long>(from), numbers.begin() + static_cast<long>(from) + n},
        dims);
  };
  const Variable u = variable(cx, "u", tensor({kHidden, kHidden}, 20));
  // (h, x, w) -> (tanh(x w + h u), x w)
  const auto cell = [&](const Raw& in) {
    const Tensor recurrent = value_of(cx, u);
    Tensor p = matmul(cx, in[1], in[2]);
    const Tensor q = matmul(cx, in[0], recurrent.get());
    const Tensor s = add(cx, p.get(), q.get());
    return list(tanh(cx, s.get()), std::move(p));
  };
  const Program body = capture(cx, "cell",
                               {{{TN_DIM_ANY, kHidden}, {"batch", ""}},
                                {{TN_DIM_ANY, kIn}, {"batch", ""}},
                                {{kIn, kHidden}}},
                               cell);
  using Layer = std::function<Tensors(tn_tensor*, tn_tensor*, tn_tensor*)>;
  const auto gradients_by = [&](const Layer& layer, const Raw& in) {
    const Tensor h = leaf(cx, in[0]), x = leaf(cx, in[1]), w = leaf(cx, in[2]);
    Tensors y = layer(h.get(), x.get(), w.get());
    const Tensor a = mul(cx, y[0].get(), y[0].get()), b = mul(cx, y[1].get(), y[1].get());
    const Tensor sa = sum(cx, a.get()), sb = sum(cx, b.get());
    const Tensor loss = add(cx, sa.get(), sb.get());
    const Tensor recurrent = value_of(cx, u);
    Tensors g = gradients(cx, loss, {h.get(), x.get(), w.get(), recurrent.get()});
    for (Tensor& t : y) g.push_back(std::move(t));
    return g;
  };
  for (const bool reverse : {false, true}) {
    const Layer by_scan = [&](tn_tensor* h, tn_tensor* x, tn_tensor* w) {
      return scan(cx, body, 1, 1, {h, x, w}, reverse);
    };
    const Layer by_ops = [&](tn_tensor* h, tn_tensor* x, tn_tensor* w) {
      const int64_t length = tn_tensor_dims(x)[0];
      Tensor state(tn_tensor_retain(h));
      Tensors made(static_cast<size_t>(length));
      for (int64_t k = 0; k < length; ++k) {
        const int64_t at = reverse ? length - 1 - k : k;
        const int64_t starts[] = {at, 0, 0}, stops[] = {at + 1, kBatch, kIn},
                      dims[] = {kBatch, kIn};
        const Tensor row =
            get([&](tn_tensor** o) { return tn_slice(cx, x, 3, starts, 3, stops, nullptr, o); });
        const Tensor element =
            get([&](tn_tensor** o) { return tn_reshape(cx, row.get(), 2, dims, o); });
        Tensors next = cell({state.get(), element.get(), w});
        state = std::move(next[0]);
        made[static_cast<size_t>(at)] = std::move(next[1]);
      }
      Tensor stacked = get([&](tn_tensor** o) {
        return tn_stack(cx, raw(made).data(), static_cast<uint32_t>(made.size()), nullptr, o);
      });
      return list(std::move(state), std::move(stacked));
    };
    const Program captured = capture(cx, "layer",
                                     {{{TN_DIM_ANY, kHidden}, {"b", ""}},
                                      {{TN_DIM_ANY, TN_DIM_ANY, kIn}, {"time", "b", ""}},
                                      {{kIn, kHidden}}},
                                     [&](const Raw& in) { return gradients_by(by_scan, in); });
    for (const int64_t length : {5, 1, 7}) {
      const Tensor h = tensor({kBatch, kHidden}, 0), x = tensor({length, kBatch, kIn}, 50),
                   w = tensor({kIn, kHidden}, 100);
      const auto want = read(cx, gradients_by(by_ops, {h.get(), x.get(), w.get()}));
      check_close(read(cx, gradients_by(by_scan, {h.get(), x.get(), w.get()})), want);
      check_close(read(cx, run(cx, captured, {h.get(), x.get(), w.get()})), want);
      // Without gradients the prepared program runs step by step.
      const Tensors plain = scan(cx, body, 1, 1, {h.get(), x.get(), w.get()}, reverse);
      check_close(read(cx, plain), {want[4], want[5]});
    }
    // The program again, recorded in another.
    const Program outer =
        capture(cx, "outer", {{{kBatch, kHidden}}, {{3, kBatch, kIn}}, {{kIn, kHidden}}},
                [&](const Raw& in) { return run(cx, captured, in); });
    const Tensor h = tensor({kBatch, kHidden}, 3), x = tensor({3, kBatch, kIn}, 60),
                 w = tensor({kIn, kHidden}, 90);
    check_close(read(cx, run(cx, outer, {h.get(), x.get(), w.get()})),
                read(cx, run(cx, captured, {h.get(), x.get(), w.get()})));
  }
}

TEST_CASE("scan: second derivatives, steps without sequences, and none at all") {
  Session cx;
  // x -> x^2 three times: x^8, with derivatives 8 x^7 and 56 x^6.
  const Program square =
      capture(cx, "square", {{{}}}, [&](const Raw& in) { return list(mul(cx, in[0], in[0])); });
  const Program twice = capture(cx, "twice", {{{}}}, [&](const Raw& in) {
    const Tensor x = leaf(cx, in[0]);
    const Tensors y = scan(cx, square, 1, 0, {x.get()}, false, 3);
    Tensors g = gradients(cx, y[0], {x.get()}, TN_GRAD_CREATE);
    Tensors h = gradients(cx, g[0], {x.get()});
    return list(std::move(g[0]), std::move(h[0]));
  });
  const Tensor x = cx.f32({1.5f}, {});
  check_close(read(cx, run(cx, twice, {x.get()})), {{8 * 17.0859375f}, {56 * 11.390625f}});
  CHECK(cx.read(scan(cx, square, 1, 0, {x.get()}, false, 0)[0]) == std::vector<float>{1.5f});

  const Program sums = capture(cx, "sums", {{{2}}, {{2}}}, [&](const Raw& in) {
    Tensor s = add(cx, in[0], in[1]);
    Tensor copy(tn_tensor_retain(s.get()));
    return list(std::move(s), std::move(copy));
  });
  const Tensor zero = cx.f32({0, 0}, {2}), none = cx.f32({}, {0, 2}),
               some = cx.f32({1, 2, 3, 4, 5, 6}, {3, 2});
  const Program cumulated = capture(cx, "cumulated", {{{2}}, {{TN_DIM_ANY, 2}, {"n", ""}}},
                                    [&](const Raw& in) { return scan(cx, sums, 1, 1, in); });
  const std::vector<std::vector<float>> want = {{9, 12}, {1, 2, 4, 6, 9, 12}}, empty = {{0, 0}, {}};
  for (int i = 0; i < 2; ++i) {
    CHECK(read(cx, scan(cx, sums, 1, 1, {zero.get(), some.get()})) == want);
    CHECK(read(cx, run(cx, cumulated, {zero.get(), some.get()})) == want);
    CHECK(read(cx, scan(cx, sums, 1, 1, {zero.get(), none.get()})) == empty);
    CHECK(read(cx, run(cx, cumulated, {zero.get(), none.get()})) == empty);
  }
  // A loop in a loop.
  const Program inner =
      capture(cx, "inner", {{{2}}, {{TN_DIM_ANY, 2}, {"n", ""}}},
              [&](const Raw& in) { return list(std::move(scan(cx, sums, 1, 1, in)[0])); });
  const Program mixed = capture(cx, "mixed", {{{2}}, {{TN_DIM_ANY, TN_DIM_ANY, 2}, {"m", "n", ""}}},
                                [&](const Raw& in) { return scan(cx, inner, 1, 1, in); });
  const Tensor block = cx.f32({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2});
  CHECK(cx.read(run(cx, mixed, {zero.get(), block.get()})[0]) == std::vector<float>{16, 20});
}

TEST_CASE("scan: carries that a body gives as views, and its gradient, which is one") {
  Session cx;
  const auto by_ops = [](tn_ctx* c, const std::function<Tensors(const Raw&)>& body, tn_tensor* h,
                         int n) {
    Tensor state(tn_tensor_retain(h));
    for (int i = 0; i < n; ++i) state = std::move(body({state.get()})[0]);
    (void)c;
    return state;
  };
  const std::function<Tensors(const Raw&)> turned = [&](const Raw& in) {
    const Tensor t = tanh(cx, in[0]);
    return list(get([&](tn_tensor** o) {
      const int64_t axes[] = {1, 0};
      return tn_transpose(cx, t.get(), 2, axes, o);
    }));
  };
  const std::function<Tensors(const Raw&)> spread = [&](const Raw& in) {
    const Tensor total = sum(cx, in[0]);
    const Tensor small = scaled(cx, total.get(), 0.1);
    const Tensor bent = tanh(cx, small.get());
    return list(get([&](tn_tensor** o) {
      const int64_t dims[] = {3, 3};
      return tn_expand(cx, bent.get(), 2, dims, o);
    }));
  };
  const Tensor x = cx.f32({0.1f, 0.2f, 0.3f, -0.4f, 0.5f, 0.6f, 0.7f, -0.8f, 0.9f}, {3, 3});
  for (const auto& body : {turned, spread}) {
    const Program step = capture(cx, "step", {{{3, 3}}}, body);
    for (const int n : {1, 2, 5}) {
      const auto loss_of = [&](const Tensor& y) {
        const Tensor s = mul(cx, y.get(), y.get());
        const Tensor w = mul(cx, s.get(), x.get());
        return sum(cx, w.get());
      };
      const auto captured = [&](const Raw& in) {
        const Tensor h = leaf(cx, in[0]);
        Tensors y = scan(cx, step, 1, 0, {h.get()}, false, n);
        Tensors g = gradients(cx, loss_of(y[0]), {h.get()});
        g.push_back(std::move(y[0]));
        return g;
      };
      const Tensor h = leaf(cx, x.get());
      const Tensor y = by_ops(cx, body, h.get(), n);
      Tensors want = gradients(cx, loss_of(y), {h.get()});
      want.push_back(Tensor(tn_tensor_retain(y.get())));
      const Program p = capture(cx, "whole", {{{3, 3}}}, captured);
      check_close(read(cx, run(cx, p, {x.get()})), read(cx, want));
      check_close(read(cx, captured({x.get()})), read(cx, want));
    }
  }
}

TEST_CASE("control flow: bodies with detached values, scalars as outputs, sizes by other names") {
  Session cx;
  // d (x * detach(x)) = x
  const Program held = capture(cx, "held", {{{}}}, [&](const Raw& in) {
    const Tensor still = get([&](tn_tensor** o) { return tn_tensor_detach(cx, in[0], o); });
    return list(mul(cx, in[0], still.get()));
  });
  const auto gradient = [&](const Raw& in) {
    const Tensor x = leaf(cx, in[0]);
    const Tensors y = scan(cx, held, 1, 0, {x.get()}, false, 1);
    return gradients(cx, y[0], {x.get()});
  };
  const Tensor three = cx.f32({3}, {});
  CHECK(cx.read(gradient({three.get()})[0]) == std::vector<float>{3});
  CHECK(cx.read(run(cx, capture(cx, "g", {{{}}}, gradient), {three.get()})[0]) ==
        std::vector<float>{3});
  // A host scalar as an output is a tensor of its default dtype.
  const Program numbers = capture(cx, "numbers", {{{}}, {{}}}, [&](const Raw& in) {
    Tensor k = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, 3, o); });
    return list(add(cx, in[0], in[1]), std::move(k));
  });
  const Tensor some = cx.f32({1, 2}, {2}), zero = cx.f32({0}, {});
  const auto counted = [&](const Raw& in) { return scan(cx, numbers, 1, 1, in); };
  const std::vector<std::vector<float>> want = {{3}, {3, 3}};
  CHECK(read(cx, counted({zero.get(), some.get()})) == want);
  CHECK(read(cx, run(cx, capture(cx, "n", {{{}}, {{TN_DIM_ANY}}}, counted),
                     {zero.get(), some.get()})) == want);
  // Outputs of computed sizes; carries declared with a size of their own that is another's.
  const Variable v = variable(cx, "v", cx.f32({1, 2, 3}, {3}));
  const Program doubled =
      capture(cx, "doubled", {{{TN_DIM_ANY}}, {{TN_DIM_ANY}}}, [&](const Raw& in) {
        const Tensor value = value_of(cx, v);
        Tensor pair = get([&](tn_tensor** o) {
          tn_tensor* both[] = {in[1], in[1]};
          return tn_concat(cx, both, 2, nullptr, o);
        });
        return list(mul(cx, in[0], value.get()), std::move(pair));
      });
  const auto sizes = [&](const Raw& in) {
    const Tensor h = leaf(cx, in[0]), x = leaf(cx, in[1]);
    Tensors y = scan(cx, doubled, 1, 1, {h.get(), x.get()});
    const Tensor a = sum(cx, y[0].get()), b = sum(cx, y[1].get());
    const Tensor loss = add(cx, a.get(), b.get());
    return gradients(cx, loss, {h.get(), x.get()});
  };
  const Tensor h = cx.f32({1, 1, 1}, {3}), x = cx.f32({1, 2, 3, 4}, {2, 2});
  const std::vector<std::vector<float>> grads = {{1, 4, 9}, {2, 2, 2, 2}};
  CHECK(read(cx, sizes({h.get(), x.get()})) == grads);
  CHECK(read(cx, run(cx, capture(cx, "s", {{{TN_DIM_ANY}}, {{TN_DIM_ANY, TN_DIM_ANY}}}, sizes),
                     {h.get(), x.get()})) == grads);
}

TEST_CASE("while: derivatives of the third order") {
  Session cx;
  const std::vector<Input> one = {{{}}};
  const Program small =
      capture(cx, "small", one, [&](const Raw& in) { return list(less(cx, in[0], 50)); });
  const Program square =
      capture(cx, "square", one, [&](const Raw& in) { return list(mul(cx, in[0], in[0])); });
  const auto third = [&](const Raw& in) {
    const Tensor x = leaf(cx, in[0]);
    Tensors y = loop(cx, small, square, 6, {x.get()});
    for (int i = 0; i < 3; ++i) y = gradients(cx, y[0], {x.get()}, TN_GRAD_CREATE);
    return y;
  };
  const Tensor x = cx.f32({3}, {});  // 3, 9, 81: x^4, with 24 x
  tenon::test::check_close(cx.read(third({x.get()})[0]), {72});
  tenon::test::check_close(cx.read(run(cx, capture(cx, "third", one, third), {x.get()})[0]), {72});
}

TEST_CASE("control flow: what a capture recorded may outlive it and its context") {
  Tensor left;
  {
    Session cx;
    const Program square =
        capture(cx, "square", {{{}}}, [&](const Raw& in) { return list(mul(cx, in[0], in[0])); });
    REQUIRE_OK(tn_capture_begin(cx, tn_string("outer")));
    const Tensor x = get([&](tn_tensor** o) {
      return tn_capture_input(cx, tn_string("x"), TN_DTYPE_F32, 0, nullptr, nullptr, o);
    });
    const Tensor in = leaf(cx, x.get());
    Tensors y = scan(cx, square, 1, 0, {in.get()}, false, 3);
    tn_capture_abort(cx);
    tn_tensor *from[] = {y[0].get()}, *by[] = {in.get()}, *g = nullptr;
    CHECK_FAILS(tn_vjp(cx, from, nullptr, 1, by, 1, 0, &g), TN_FAILED_PRECONDITION,
                "of capture \"outer\", f32[], has no elements");
    REQUIRE_OK(tn_capture_begin(cx, tn_string("another")));
    CHECK_FAILS(tn_vjp(cx, from, nullptr, 1, by, 1, 0, &g), TN_FAILED_PRECONDITION,
                "an operand is a value of capture \"outer\", which has ended");
    tn_capture_abort(cx);
    left = std::move(y[0]);
  }
}

TEST_CASE("control flow: what does not fit is refused, by name") {
  Session cx;
  const Program same =
      capture(cx, "same", {{{2}}}, [&](const Raw& in) { return list(scaled(cx, in[0], 1)); });
  const Program total =
      capture(cx, "total", {{{2}}}, [&](const Raw& in) { return list(sum(cx, in[0])); });
  const Program pair = capture(cx, "pair", {{{2}}, {{2}}},
                               [&](const Raw& in) { return list(add(cx, in[0], in[1])); });
  const Variable v = variable(cx, "v", cx.f32({1, 2}, {2}));
  const Program assigns = capture(cx, "assigns", {{{2}}}, [&](const Raw& in) {
    Tensor y = scaled(cx, in[0], 2);
    REQUIRE_OK(tn_variable_assign(cx, v.get(), y.get()));
    return list(std::move(y));
  });
  const Program draws = capture(cx, "draws", {{{2}}}, [&](const Raw& in) {
    const Tensor noise = get([&](tn_tensor** o) {
      const int64_t dims[] = {2};
      return tn_uniform(cx, 1, dims, nullptr, o);
    });
    return list(add(cx, in[0], noise.get()));
  });
  const Tensor x = cx.f32({1, 2}, {2}), yes = less(cx, cx.f32({0}, {}).get(), 1);
  tn_tensor *in[] = {x.get(), x.get()}, *out[2];
  uint32_t n = 0;
  const auto fails_if = [&](const Program& a, const Program& b, tn_tensor* condition,
                            uint32_t count, tn_code code, const char* text) {
    CHECK_FAILS(tn_program_if(cx, condition, a.get(), b.get(), in, count, out, 2, &n), code, text);
  };
  fails_if(same, pair, yes.get(), 1, TN_INVALID_ARGUMENT,
           "program \"pair\" takes 2 inputs, 1 are given");
  fails_if(same, assigns, yes.get(), 1, TN_FAILED_PRECONDITION,
           "\"assigns\" assigns to a variable");
  fails_if(draws, same, yes.get(), 1, TN_FAILED_PRECONDITION, "\"draws\" draws random numbers");
  fails_if(same, same, x.get(), 1, TN_INVALID_ARGUMENT, "the condition is f32[2]");
  fails_if(same, Program(), yes.get(), 1, TN_INVALID_ARGUMENT, "program");
  CHECK_FAILS(tn_program_while(cx, same.get(), same.get(), 3, in, 1, out, 2, &n),
              TN_INVALID_ARGUMENT, "the condition is f32[2]");
  tn_scan_options options = tn_scan_options_init();
  options.sequence_count = 0;
  CHECK_FAILS(tn_program_scan(cx, same.get(), &options, in, 1, out, 2, &n), TN_INVALID_ARGUMENT,
              "the options must say the length");
  options.length = 2;
  CHECK_FAILS(tn_program_scan(cx, total.get(), &options, in, 1, out, 2, &n), TN_INVALID_ARGUMENT,
              "output 0 of \"total\" is f32[]; what it carries on is f32[2]");
  options.carry_count = 5;
  CHECK_FAILS(tn_program_scan(cx, same.get(), &options, in, 1, out, 2, &n), TN_INVALID_ARGUMENT,
              "5 carried values");
  CHECK_FAILS(tn_program_while(cx, same.get(), same.get(), -2, in, 1, out, 2, &n),
              TN_INVALID_ARGUMENT, "max_steps is -2");
  options.carry_count = 1, options.sequence_count = 1;
  const Tensor flat = cx.f32({1}, {});
  in[1] = flat.get();
  CHECK_FAILS(tn_program_scan(cx, pair.get(), &options, in, 2, out, 2, &n), TN_INVALID_ARGUMENT,
              "sequence 0 is f32[]; its first dim is the steps");
  const Tensor bits = get([&](tn_tensor** o) { return tn_cast(cx, x.get(), TN_DTYPE_U4, o); });
  in[1] = bits.get();
  CHECK_FAILS(tn_program_scan(cx, pair.get(), &options, in, 2, out, 2, &n), TN_INVALID_ARGUMENT,
              "sequence 0 is u4, whose elements are packed");
  in[1] = x.get();
  options.sequence_count = UINT32_MAX;
  CHECK_FAILS(tn_program_scan(cx, same.get(), &options, in, 1, out, 2, &n), TN_INVALID_ARGUMENT,
              "1 carried values and 4294967295 sequences of 1 inputs");
  options.struct_size = 4;
  CHECK_FAILS(tn_program_scan(cx, same.get(), &options, in, 1, out, 2, &n), TN_INVALID_ARGUMENT,
              "_init");
  // In a capture the branches' shapes must agree.
  REQUIRE_OK(tn_capture_begin(cx, tn_string("outer")));
  const Tensor y = get([&](tn_tensor** o) {
    const int64_t dims[] = {2};
    return tn_capture_input(cx, tn_string("y"), TN_DTYPE_F32, 1, dims, nullptr, o);
  });
  in[0] = y.get();
  fails_if(same, total, yes.get(), 1, TN_INVALID_ARGUMENT,
           "output 0 of \"total\" is f32[], that of the other branch f32[2]");
  fails_if(same, same, x.get(), 1, TN_INVALID_ARGUMENT, "the condition is f32[2]");
  fails_if(same, same, y.get(), 1, TN_INVALID_ARGUMENT, "the condition is f32[2]");
  tn_capture_abort(cx);
  // Its values have no elements outside of it.
  options = tn_scan_options_init();
  options.carry_count = 1, options.length = 2;
  fails_if(same, same, yes.get(), 1, TN_FAILED_PRECONDITION, "value %0 of capture \"outer\"");
  CHECK_FAILS(tn_program_while(cx, total.get(), same.get(), 3, in, 1, out, 2, &n),
              TN_FAILED_PRECONDITION, "tn_program_while: value %0 of capture \"outer\"");
  CHECK_FAILS(tn_program_scan(cx, same.get(), &options, in, 1, out, 2, &n), TN_FAILED_PRECONDITION,
              "tn_program_scan: value %0 of capture \"outer\"");
  CHECK_FAILS(tn_program_run(cx, same.get(), in, 1, out, 2, &n), TN_FAILED_PRECONDITION,
              "tn_program_run: value %0 of capture \"outer\"");
}
