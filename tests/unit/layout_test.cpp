// Programs written channels-last around convolutions: what lies between is computed channels-first, the results are those of the calls.
// On the device that TENON_DEVICE names.
#include "passes/pass.hpp"
#include "prepared.hpp"

using namespace tenon::test;

namespace {

Tensor turn(tn_ctx* cx, const Tensor& x, const Dims& perm) {
  return call(cx, TN_OP_TRANSPOSE, {&x},
              {tn_attr_i64s(TN_TRANSPOSE_PERM, perm.data(), perm.size())});
}
Tensor first(tn_ctx* cx, const Tensor& x) { return turn(cx, x, {0, 3, 1, 2}); }
Tensor last(tn_ctx* cx, const Tensor& x) { return turn(cx, x, {0, -2, -1, 1}); }

// Constants of one test, so that the calls and the program see the same.
struct Net {
  Session s;
  Tensor constant(const Dims& dims, float shift = 0) {
    int64_t n = 1;
    for (const int64_t d : dims) n *= d;
    std::vector<float> v = ramp(static_cast<size_t>(n));
    for (float& x : v) x = 0.3f * x + shift;
    return s.f32(v, dims);
  }
  // x and y [N, H, W, C].
  Tensor conv(const Tensor& x, const Tensor& w) {
    const int64_t padding[] = {1, 1};
    const Tensor in = first(s, x);
    const Tensor y =
        call(s, TN_OP_CONV2D, {&in, &w}, {tn_attr_i64s(TN_CONV2D_PADDING, padding, 2)});
    return last(s, y);
  }
  Tensor pool(const Tensor& x) {
    const int64_t window[] = {2, 2};
    const Tensor in = first(s, x);
    const Tensor y =
        call(s, TN_OP_MAX_POOL2D, {&in}, {tn_attr_i64s(TN_MAX_POOL2D_WINDOW, window, 2)});
    return last(s, y);
  }
  Tensor op(tn_op id, const Tensor& a) { return call(s, id, {&a}); }
  Tensor op(tn_op id, const Tensor& a, const Tensor& b) { return call(s, id, {&a, &b}); }
  Tensor reduce(tn_op id, const Tensor& x, const Dims& axes, bool keep) {
    return call(s, id, {&x}, {tn_attr_i64s(0, axes.data(), axes.size()), tn_attr_bool(1, keep)});
  }
};

// Transposes of what the program computes: not of its inputs, of rows or of what is expanded.
size_t turns(const Program& p) {
  const tenon::Graph& g = last_of(p).graph;
  size_t n = 0;
  for (const tenon::GraphNode& node : g.nodes) {
    if (node.op->id != TN_OP_TRANSPOSE) continue;
    const tenon::GraphValue& x = value_of(g, node.inputs[0]);
    if (x.node < 0 || g.nodes[static_cast<size_t>(x.node)].op->id == TN_OP_EXPAND) continue;
    n += std::count_if(x.shape.dims, x.shape.dims + x.shape.rank,
                       [](int64_t d) { return d != 1; }) > 1;
  }
  return n;
}

// The same of a program captured from `body`, whose results are those of the calls.
template <class Body>
size_t turns_of(Net& net, const Dims& dims, Body body) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  const Tensor x = net.s.f32(ramp(static_cast<size_t>(n)), dims);
  const Program p = capture(net.s, dims, body);
  const Tensor want = body(x), got = run(net.s, p, x);
  const int64_t* shape = tn_tensor_dims(want.get());
  REQUIRE(std::equal(shape, shape + tn_tensor_rank(want.get()), tn_tensor_dims(got.get())));
  check_close(net.s.read(got), net.s.read(want), 1e-5);
  return turns(p);
}

using Pair = std::pair<Tensor, Tensor>;

// A program of x with two results, which are those of the calls.
template <class Body>
Program check_two(Net& net, const Tensor& x, const Pair& want, Body body) {
  REQUIRE_OK(tn_capture_begin(net.s, tn_string("two")));
  const std::vector<tn_str> no_names(2, tn_string(""));
  const Tensor in = get([&](tn_tensor** o) {
    return tn_capture_input(net.s, tn_string("x"), TN_DTYPE_F32, 2, tn_tensor_dims(x.get()),
                            no_names.data(), o);
  });
  const Pair made = body(in);
  tn_tensor* results[] = {made.first.get(), made.second.get()};
  tn_program* raw = nullptr;
  REQUIRE_OK(tn_capture_end(net.s, results, 2, &raw));
  Program p(raw);
  tn_tensor *given = x.get(), *out[2] = {};
  uint32_t count = 0;
  REQUIRE_OK(tn_program_run(net.s, raw, &given, 1, out, 2, &count));
  const Pair got{Tensor(out[0]), Tensor(out[1])};
  check_close(net.s.read(got.first), net.s.read(want.first));
  check_close(net.s.read(got.second), net.s.read(want.second));
  return p;
}
// Is the result a transpose of what is computed?
bool is_turned(const Program& p, size_t result) {
  const tenon::Graph& g = last_of(p).graph;
  const int node = value_of(g, g.results[result]).node;
  return node >= 0 && g.nodes[static_cast<size_t>(node)].op->id == TN_OP_TRANSPOSE;
}

}  // namespace

TEST_CASE("layout: a net written channels-last") {
  Net n;
  const Tensor w = n.constant({8, 3, 3, 3}), v = n.constant({8, 8, 3, 3}), bias = n.constant({8}),
               scale = n.constant({1, 1, 8}, 1);
  const auto body = [&](const Tensor& x) {
    const Tensor a = n.conv(x, w), b = n.op(TN_OP_ADD, a, bias), c = n.op(TN_OP_RELU, b);
    const Tensor d = n.conv(c, v), e = n.op(TN_OP_MUL, scale, d), f = n.op(TN_OP_ADD, e, c);
    const Tensor g = n.pool(f), h = n.op(TN_OP_TANH, g), i = n.conv(h, v);
    return n.reduce(TN_OP_MEAN, i, {1, 2}, false);  // [N, C]
  };
  CHECK(turns_of(n, {2, 6, 4, 3}, body) == 0);
}

TEST_CASE("layout: results and values between have the order that was asked for") {
  Net n;
  const Tensor w = n.constant({5, 3, 3, 3}), v = n.constant({4, 5, 3, 3});
  const auto body = [&](const Tensor& x) {
    const Tensor a = n.op(TN_OP_SIN, n.conv(x, w)), b = n.conv(a, v);
    const Tensor flat = n.reduce(TN_OP_MAX, a, {3}, true);  // [N, H, W, 1]
    return n.op(TN_OP_ADD, b, flat);
  };
  CHECK(turns_of(n, {2, 4, 5, 3}, body) == 1);  // the result
}

TEST_CASE("layout: reductions, padding and joining rename their axes") {
  Net n;
  const Tensor w = n.constant({4, 3, 3, 3}), v = n.constant({2, 9, 3, 3}),
               other = n.constant({1, 4, 1, 4}), more = n.constant({2, 4, 6, 1});
  for (const tn_op op : {TN_OP_SUM, TN_OP_PROD, TN_OP_MAX, TN_OP_MIN, TN_OP_MEAN}) {
    const auto body = [&](const Tensor& x) {
      const Tensor a = n.op(TN_OP_SIN, n.conv(x, w));
      const Tensor r = n.reduce(op, a, {-2, 3}, true);  // [N, H, 1, 1]
      const Tensor b = n.op(TN_OP_SUB, a, r), c = n.op(TN_OP_ADD, b, other);
      const std::vector<const Tensor*> parts = {&c, &a, &more};
      const Tensor d = call(n.s, TN_OP_CONCAT, parts, {tn_attr_i64(TN_CONCAT_AXIS, -1)});
      return n.op(TN_OP_COS, n.conv(d, v));
    };
    CHECK(turns_of(n, {2, 4, 6, 3}, body) == 1);  // the result
  }
  const int64_t low[] = {0, 1, 0, 2}, high[] = {0, 0, 3, -1}, interior[] = {0, 1, 0, 0};
  const auto padded = [&](const Tensor& x) {
    const Tensor a = n.op(TN_OP_SIN, n.conv(x, w));
    const Tensor b = call(n.s, TN_OP_PAD, {&a},
                          {tn_attr_i64s(TN_PAD_LOW, low, 4), tn_attr_i64s(TN_PAD_HIGH, high, 4),
                           tn_attr_i64s(TN_PAD_INTERIOR, interior, 4)});
    const Tensor u = n.constant({2, 5, 3, 3});
    return n.op(TN_OP_COS, n.conv(b, u));
  };
  CHECK(turns_of(n, {2, 4, 6, 3}, padded) == 1);
}

TEST_CASE("layout: gradients") {
  Net n;
  const Tensor w = n.constant({8, 3, 3, 3}), v = n.constant({8, 8, 3, 3}), bias = n.constant({8});
  for (const bool of_bias : {false, true}) {
    const auto body = [&](const Tensor& x) {
      const Tensor in = n.s.leaf(x), b = n.s.leaf(bias);
      const Tensor a = n.op(TN_OP_ADD, n.conv(in, w), b), c = n.op(TN_OP_TANH, a);
      const Tensor d = n.op(TN_OP_ADD, n.conv(c, v), c), e = n.op(TN_OP_SQUARE, d);
      const Tensor loss = n.reduce(TN_OP_SUM, n.conv(e, v), {}, false);
      return get([&](tn_tensor** o) {
        tn_tensor *outputs[] = {loss.get()}, *inputs[] = {of_bias ? b.get() : in.get()};
        return tn_vjp(n.s, outputs, nullptr, 1, inputs, 1, 0, o);
      });
    };
    // The gradient of x is turned back.
    CHECK(turns_of(n, {2, 6, 4, 3}, body) == (of_bias ? 0 : 1));
  }
}

TEST_CASE("layout: transposes of transposes are one") {
  Net n;
  const auto body = [&](const Tensor& x) {
    const Tensor a = turn(n.s, turn(n.s, n.op(TN_OP_EXP, x), {1, 2, 0}), {1, 2, 0});
    const Tensor b = turn(n.s, a, {1, 2, 0});  // of exp(x) itself
    const Tensor c = turn(n.s, n.op(TN_OP_NEG, a), {1, 2, 0});
    return n.op(TN_OP_SUB, b, c);
  };
  CHECK(turns_of(n, {3, 4, 5}, body) == 0);
}

TEST_CASE("layout: bounds that are absent, and a value used twice") {
  Net n;
  const Tensor w = n.constant({4, 3, 3, 3}), v = n.constant({2, 4, 3, 3}), low = number(n.s, -0.5);
  const auto body = [&](const Tensor& x) {
    const Tensor other = n.reduce(TN_OP_MAX, x, {3}, true);  // [N, H, W, 1], not turned
    const Tensor y = n.conv(x, w), none, a = call(n.s, TN_OP_CLIP, {&y, &low, &none});
    const Tensor b = n.op(TN_OP_MUL, n.op(TN_OP_ADD, a, other), n.op(TN_OP_SUB, a, other));
    return n.op(TN_OP_SIN, n.conv(b, v));
  };
  // The result, and `other` once.
  CHECK(turns_of(n, {2, 4, 6, 3}, body) == 2);
}

TEST_CASE("layout: what must lie as it is stays") {
  Net n;
  const Tensor in = n.s.f32(ramp(24), {4, 6});
  SUBCASE("two results stay two, and a copy lies dense") {
    for (const tn_op op : {TN_OP_EXP, TN_OP_COPY}) {
      const auto body = [&](const Tensor& x) {
        Tensor a = n.op(op, turn(n.s, x, {1, 0}));
        const Tensor b = turn(n.s, a, {1, 0});
        return Pair{std::move(a), n.op(TN_OP_NEG, b)};
      };
      const Pair want = body(in);
      const Program p = check_two(n, in, want, body);
      CHECK(is_turned(p, 0) == (op == TN_OP_EXP));
    }
    const auto both = [&](const Tensor& x) {
      Tensor a = n.op(TN_OP_EXP, turn(n.s, x, {1, 0}));
      Tensor b = turn(n.s, a, {1, 0});
      return Pair{std::move(a), std::move(b)};
    };
    check_two(n, in, both(in), both);
    const auto same = [&](const Tensor& x) {
      Tensor a = n.op(TN_OP_EXP, x);
      Tensor b = turn(n.s, turn(n.s, a, {1, 0}), {1, 0});
      return Pair{std::move(a), std::move(b)};
    };
    const Program p = check_two(n, in, same(in), same);
    CHECK(last_of(p).graph.results[0] != last_of(p).graph.results[1]);
  }
  SUBCASE("four bits have no strides") {
    const auto body = [&](const Tensor& x) {
      const tn_attr narrow = tn_attr_dtype(TN_CAST_DTYPE, TN_DTYPE_I4),
                    wide = tn_attr_dtype(TN_CAST_DTYPE, TN_DTYPE_F32);
      const Tensor t = turn(n.s, x, {1, 0}), c = call(n.s, TN_OP_CAST, {&t}, {narrow});
      const Tensor d = call(n.s, TN_OP_CAST, {&c}, {wide}), e = turn(n.s, d, {1, 0});
      const int64_t flat[] = {24};
      const Tensor all = call(n.s, TN_OP_RESHAPE, {&c}, {tn_attr_i64s(TN_RESHAPE_DIMS, flat, 1)});
      return Pair{call(n.s, TN_OP_CAST, {&all}, {wide}), n.op(TN_OP_NEG, e)};
    };
    check_two(n, in, body(in), body);
  }
  SUBCASE("what a variable is set to") {
    tn_variable* raw = nullptr;
    REQUIRE_OK(tn_variable_create(n.s, tn_string("w"), n.constant({6, 4}).get(), 0, &raw));
    const Variable w(raw);
    const Program p = capture(n.s, {4, 6}, [&](const Tensor& x) {
      Tensor now = get([&](tn_tensor** o) { return tn_variable_take(n.s, w.get(), o); });
      for (const tn_op op : {TN_OP_EXP, TN_OP_SIN, TN_OP_COS})
        now = n.op(TN_OP_SUB, now, turn(n.s, n.op(op, x), {1, 0}));
      REQUIRE_OK(tn_variable_assign(n.s, w.get(), now.get()));
      return n.op(TN_OP_SUM, now);
    });
    const Tensor before = get([&](tn_tensor** o) { return tn_variable_take(n.s, w.get(), o); });
    std::vector<float> want = n.s.read(before);
    const std::vector<float> x = ramp(24);
    for (size_t i = 0; i < 6; ++i)
      for (size_t j = 0; j < 4; ++j)
        want[i * 4 + j] -= std::exp(x[j * 6 + i]) + std::sin(x[j * 6 + i]) + std::cos(x[j * 6 + i]);
    run(n.s, p, in);
    const Tensor after = get([&](tn_tensor** o) { return tn_variable_take(n.s, w.get(), o); });
    check_close(n.s.read(after), want);
    CHECK(turns(p) + has(p, "region") > 0);
    CHECK_FALSE(is_turned(p, 1));
  }
  SUBCASE("a kernel for the last axes only") {
    const Tensor w = n.constant({8, 3, 3, 3}), v = n.constant({2, 8, 3, 3});
    const auto body = [&](const Tensor& x) {
      const Tensor a = n.op(TN_OP_RELU, n.conv(x, w)), s = n.reduce(TN_OP_VAR, a, {3}, true);
      return n.conv(n.op(TN_OP_ADD, a, s), v);
    };
    const Tensor x = n.s.f32(ramp(2 * 4 * 5 * 3), {2, 4, 5, 3});
    const Program p = capture(n.s, {2, 4, 5, 3}, body);
    check_close(n.s.read(run(n.s, p, x)), n.s.read(body(x)), 1e-5);
    for (const tenon::GraphNode& node : last_of(p).graph.nodes) {
      if (node.op->id != TN_OP_VAR) continue;  // the device has it, of the last axes
      CHECK(*static_cast<const int64_t*>(node.attrs.items[TN_VAR_AXES].data) == 3);
    }
    if (n.s.ctx->device->name == "cpu:0") CHECK(has(p, "var"));
  }
}

TEST_CASE("layout: what gains nothing stays") {
  Net n;
  SUBCASE("nobody turns back") {
    const auto body = [&](const Tensor& x) { return n.op(TN_OP_EXP, turn(n.s, x, {1, 0})); };
    CHECK(turns_of(n, {5, 7}, body) == 0);
  }
  SUBCASE("as much would be turned anew") {
    const auto body = [&](const Tensor& x) {
      const Tensor a = turn(n.s, x, {1, 0}), b = n.op(TN_OP_ADD, a, n.op(TN_OP_EXP, x));
      return n.reduce(TN_OP_MAX, b, {1}, false);
    };
    CHECK(turns_of(n, {6, 6}, body) == 0);
  }
  SUBCASE("another order") {
    const auto body = [&](const Tensor& x) {
      const Tensor a = n.op(TN_OP_EXP, turn(n.s, x, {1, 2, 0}));
      return n.op(TN_OP_NEG, turn(n.s, a, {1, 2, 0}));
    };
    CHECK(turns_of(n, {3, 4, 5}, body) == 1);
  }
}

TEST_CASE("layout: reductions whose axes would come out in another order keep theirs") {
  Net n;
  const auto body = [&](const Tensor& x) {
    const Tensor a = n.op(TN_OP_SIN, turn(n.s, x, {2, 0, 1}));  // [5, 3, 4]
    const Tensor sums = n.reduce(TN_OP_SUM, a, {1}, false);     // [5, 4]; of x it were [4, 5]
    const Tensor back = n.op(TN_OP_COS, turn(n.s, a, {1, 2, 0}));
    const Tensor all = n.reduce(TN_OP_SUM, back, {0}, false);  // [4, 5]
    return n.op(TN_OP_ADD, all, turn(n.s, sums, {1, 0}));
  };
  turns_of(n, {3, 4, 5}, body);
}
