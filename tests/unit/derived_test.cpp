// What programs keep of variables: what is computed when, for whom, and that every way to give a variable a value is noticed. On the
// device that TENON_DEVICE names.
#include <atomic>
#include <thread>

#include "prepared.hpp"

using namespace tenon::test;

namespace {

Variable variable(tn_ctx* cx, const Tensor& value) {
  tn_variable* v = nullptr;
  REQUIRE_OK(tn_variable_create(cx, tn_string("w"), value.get(), 0, &v));
  return Variable(v);
}
Tensor taken(tn_ctx* cx, const Variable& v) {
  return get([&](tn_tensor** o) { return tn_variable_take(cx, v.get(), o); });
}
void assign(tn_ctx* cx, const Variable& v, const Tensor& value) {
  REQUIRE_OK(tn_variable_assign(cx, v.get(), value.get()));
}

size_t derived(const Program& p) { return last_of(p).derived.graph.results.size(); }
// What the last run used: the same tensors as long as nothing was computed anew.
std::vector<tn_tensor*> used(const Program& p) {
  const tenon::Instance* last = p->last.load();
  return last && last->derived.values ? last->derived.values->tensors : std::vector<tn_tensor*>();
}

// x times sin(w), turned.
Tensor turned(tn_ctx* cx, const Tensor& x, const Variable& v) {
  const Tensor w = taken(cx, v), sines = call(cx, TN_OP_SIN, {&w});
  const int64_t perm[] = {1, 0};
  const Tensor t = call(cx, TN_OP_TRANSPOSE, {&sines}, {tn_attr_i64s(TN_TRANSPOSE_PERM, perm, 2)});
  return call(cx, TN_OP_MATMUL, {&x, &t});
}

}  // namespace

TEST_CASE("derived: computed once for each value of a variable, for all sets of sizes") {
  Session s;
  const Variable v = variable(s, s.f32(ramp(15), {5, 3}));
  const Program p = capture(s, {TN_DIM_ANY, 3}, [&](const Tensor& x) { return turned(s, x, v); });
  const auto check = [&](int64_t rows) {
    const Tensor x = s.f32(ramp(static_cast<size_t>(rows) * 3), {rows, 3});
    CHECK(s.read(run(s, p, x)) == s.read(turned(s, x, v)));
    CHECK(derived(p) == 1);
    CHECK_FALSE(has(p, "sin"));
  };
  check(2);
  const std::vector<tn_tensor*> first = used(p);
  REQUIRE(first.size() == 1);
  check(2);
  CHECK(used(p) == first);
  check(7);
  CHECK(used(p) == first);  // the same for other sizes
  std::vector<float> other = ramp(15);
  for (float& x : other) x += 0.25f;
  assign(s, v, s.f32(other, {5, 3}));
  check(7);
  const std::vector<tn_tensor*> second = used(p);
  check(2);
  CHECK(used(p) == second);
}

TEST_CASE("derived: what a recipe turns is kept dense, and used as such") {
  Session s;
  // Where no gradient is wanted the capture records einsum as it is, and its recipe turns the variable by views.
  const auto fixed = [&](const Tensor& value) {
    tn_variable* v = nullptr;
    REQUIRE_OK(tn_variable_create(s, tn_string("w"), value.get(), TN_VARIABLE_NOT_TRAINABLE, &v));
    return Variable(v);
  };
  const auto einsum = [&](const char* equation, const Tensor& x, const Tensor& w) {
    return call(s, TN_OP_EINSUM, {&x, &w},
                {tn_attr_string(TN_EINSUM_EQUATION, tn_string(equation))});
  };
  const auto check = [&](const Dims& dims, auto body) {
    const Program p = capture(s, dims, body);
    size_t n = 1;
    for (int64_t d : dims) n *= static_cast<size_t>(d);
    const Tensor x = s.f32(ramp(n), dims);
    const std::vector<float> want = s.read(body(x));
    for (int turn = 0; turn < 2; ++turn) {
      const std::vector<float> got = s.read(run(s, p, x));
      REQUIRE(got.size() == want.size());
      for (size_t k = 0; k < got.size(); ++k) CHECK(got[k] == doctest::Approx(want[k]));
    }
  };
  SUBCASE("by the recipe alone") {
    const Variable v = fixed(s.f32(ramp(5 * 4 * 6), {5, 4, 6}));
    check({3, 4, 6}, [&](const Tensor& x) { return einsum("bhd,ohd->bo", x, taken(s, v)); });
  }
  SUBCASE("with a factor for each column") {
    const Variable v = fixed(s.f32(ramp(30), {5, 6})), f = fixed(s.f32(ramp(5), {5}));
    check({3, 6}, [&](const Tensor& x) {
      const Tensor y = einsum("bi,oi->bo", x, taken(s, v)), scale = taken(s, f);
      return call(s, TN_OP_MUL, {&y, &scale});
    });
  }
}

TEST_CASE("derived: shared by sets of sizes whose tables differ") {
  Session s;
  const Variable v = variable(s, s.f32(ramp(15), {5, 3}));
  const Program p = capture(s, {TN_DIM_ANY, 3}, [&](const Tensor& x) {
    const Dims dims = {tn_tensor_dims(x.get())[0], 5};
    const Tensor y = turned(s, x, v), rows = iota(s, dims, 0, TN_DTYPE_F32);
    return call(s, TN_OP_ADD, {&y, &rows});
  });
  const auto after = [&](int64_t rows) {
    run(s, p, s.f32(ramp(static_cast<size_t>(rows) * 3), {rows, 3}));
    CHECK(kept(p) == 1);
    return used(p);
  };
  const std::vector<tn_tensor*> first = after(2);
  REQUIRE(first.size() == 1);
  CHECK(after(7) == first);
  CHECK(after(1) == first);
}

TEST_CASE("derived: every way to assign is noticed") {
  Session s;
  const Variable v = variable(s, s.f32(ramp(15), {5, 3}));
  const Program p = capture(s, {2, 3}, [&](const Tensor& x) { return turned(s, x, v); });
  const Tensor x = s.f32(ramp(6), {2, 3});
  const auto check = [&] { CHECK(s.read(run(s, p, x)) == s.read(turned(s, x, v))); };
  check();
  SUBCASE("an optimizer's step, over the memory of the value") {
    tn_optimizer* raw = nullptr;
    const tn_option rate = tn_option_f64("lr", 0.5);
    REQUIRE_OK(tn_optimizer_create(s, tn_string("sgd"), &rate, 1, &raw));
    const std::unique_ptr<tn_optimizer, void (*)(tn_optimizer*)> o(raw, tn_optimizer_release);
    for (int turn = 0; turn < 3; ++turn) {
      tn_variable* list[] = {v.get()};
      const Tensor g = s.f32(ramp(15), {5, 3});
      tn_tensor* grads[] = {g.get()};
      REQUIRE_OK(tn_optimizer_step(s, o.get(), list, grads, 1));
      check();
    }
  }
  SUBCASE("another program") {
    const Program step = capture(s, {5, 3}, [&](const Tensor& by) {
      const Tensor w = taken(s, v), next = call(s, TN_OP_ADD, {&w, &by});
      assign(s, v, next);
      return call(s, TN_OP_NEG, {&by});
    });
    const Tensor by = s.f32(ramp(15), {5, 3});
    for (int turn = 0; turn < 3; ++turn) {
      run(s, step, by);
      check();
    }
  }
  SUBCASE("a program that assigns it itself derives nothing of it") {
    const Program both = capture(s, {2, 3}, [&](const Tensor& in) {
      Tensor y = turned(s, in, v);
      const Tensor w = taken(s, v), half = number(s, 0.5);
      assign(s, v, call(s, TN_OP_MUL, {&w, &half}));
      return y;
    });
    for (int turn = 0; turn < 3; ++turn) {
      const std::vector<float> want = s.read(turned(s, x, v));
      CHECK(s.read(run(s, both, x)) == want);
      CHECK(derived(both) == 0);
      check();
    }
  }
}

TEST_CASE("derived: memory of somebody else may change without a word") {
  Session s;
  if (s.ctx->device->name != "cpu:0" && s.ctx->device->name != "reference:0") return;
  std::vector<float> mine = ramp(15);
  int64_t dims[] = {5, 3};
  tn_dl_managed lent{};
  lent.version_major = 1;
  lent.tensor.data = mine.data();
  lent.tensor.device_type = TN_DL_CPU;
  lent.tensor.ndim = 2;
  lent.tensor.shape = dims;
  lent.tensor.dtype_code = TN_DTYPE_CODE(TN_DTYPE_F32);
  lent.tensor.dtype_bits = 32;
  lent.tensor.dtype_lanes = 1;
  const Variable v = variable(s, s.f32(ramp(15), {5, 3}));
  const Tensor x = s.f32(ramp(6), {2, 3});
  const auto body = [&](const Tensor& in) { return turned(s, in, v); };
  const Program before = capture(s, {2, 3}, body);
  CHECK(s.read(run(s, before, x)) == s.read(body(x)));
  assign(s, v, get([&](tn_tensor** o) { return tn_tensor_from_dlpack(s, &lent, o); }));
  const Program after = capture(s, {2, 3}, body);
  for (int turn = 0; turn < 3; ++turn) {
    mine[static_cast<size_t>(turn)] += 1;
    CHECK(s.read(run(s, before, x)) == s.read(body(x)));
    CHECK(s.read(run(s, after, x)) == s.read(body(x)));
  }
  CHECK(derived(after) == 0);
}

TEST_CASE("derived: memory that the caller keeps unchanged, as that of a file, is like any other") {
  Session s;
  const std::vector<float> mine = ramp(15);
  const int64_t dims[] = {5, 3};
  const Variable v = variable(s, get([&](tn_tensor** o) {
                                return tn_tensor_wrap(s, TN_DTYPE_F32, 2, dims, nullptr,
                                                      mine.data(), 60, nullptr, nullptr, o);
                              }));
  const Program p = capture(s, {2, 3}, [&](const Tensor& x) { return turned(s, x, v); });
  const Tensor x = s.f32(ramp(6), {2, 3});
  CHECK(s.read(run(s, p, x)) == s.read(turned(s, x, v)));
  CHECK(derived(p) == 1);
}

TEST_CASE("derived: what stays") {
  Session s;
  const Variable v = variable(s, s.f32(ramp(12), {12, 1}));
  const Tensor x = s.f32(ramp(12), {1, 12});
  SUBCASE("a result has memory of its own") {
    const Program p = capture(s, {1, 12}, [&](const Tensor&) {
      const Tensor w = taken(s, v);
      return call(s, TN_OP_SIN, {&w});
    });
    const Tensor one = run(s, p, x), other = run(s, p, x);
    CHECK(one->buffer != other->buffer);
    CHECK(derived(p) == 0);
  }
  SUBCASE("of what is much larger than the variable its parts are kept") {
    const Variable large = variable(s, full(s, 0.5, {400, 12}));  // used as it is
    const auto body = [&](const Tensor& in) {
      const Tensor w = taken(s, v), sines = call(s, TN_OP_SIN, {&w});
      const int64_t perm[] = {1, 0};
      const Tensor t =
          call(s, TN_OP_TRANSPOSE, {&sines}, {tn_attr_i64s(TN_TRANSPOSE_PERM, perm, 2)});
      const Tensor table = call(s, TN_OP_MATMUL, {&sines, &t});
      const Tensor y = call(s, TN_OP_MATMUL, {&in, &table}), w2 = taken(s, large);
      const Tensor z = call(s, TN_OP_MUL, {&in, &w2}), mean = call(s, TN_OP_MEAN, {&z});
      return call(s, TN_OP_ADD, {&y, &mean});
    };
    const Program p = capture(s, {1, 12}, body);
    CHECK(s.read(run(s, p, x)) == s.read(body(x)));
    CHECK(derived(p) == 1);
    CHECK(used(p)[0]->view.count == 12);
    CHECK_FALSE(has(p, "sin"));
  }
  SUBCASE("a view costs nothing") {
    const int64_t dims[] = {1, 12}, perm[] = {1, 0};
    const Program p = capture(s, {1, 12}, [&](const Tensor& in) {
      const Tensor w = taken(s, v), flat = call(s, TN_OP_RESHAPE, {&w}, {tn_attr_i64s(0, dims, 2)});
      const Tensor t = call(s, TN_OP_TRANSPOSE, {&w}, {tn_attr_i64s(TN_TRANSPOSE_PERM, perm, 2)});
      const Tensor y = call(s, TN_OP_MUL, {&in, &flat});
      return call(s, TN_OP_ADD, {&y, &t});
    });
    run(s, p, x);
    CHECK(derived(p) == 0);
  }
  SUBCASE("random numbers are drawn anew") {
    const Program p = capture(s, {1, 12}, [&](const Tensor& in) {
      const Tensor w = taken(s, v);
      const Tensor noise = call(s, TN_OP_DROPOUT, {&w}, {tn_attr_f64(TN_DROPOUT_RATE, 0.5)});
      return call(s, TN_OP_MATMUL, {&in, &noise});
    });
    CHECK(s.read(run(s, p, x)) != s.read(run(s, p, x)));
  }
}

TEST_CASE("derived: a failure to compute it leaves everything as it was") {
  Session s;
  const auto live = [&] {
    tn_memory_stats stats = tn_memory_stats_init();
    REQUIRE_OK(tn_device_get_memory(s.ctx->device, &stats));
    return stats.live_bytes;
  };
  const Variable v = variable(s, full(s, 0.5, {1024, 2048}));  // 8 MiB
  const auto body = [&](const Tensor& x) {
    const Tensor w = taken(s, v), sines = call(s, TN_OP_SIN, {&w});
    return call(s, TN_OP_MATMUL, {&x, &sines});
  };
  Program p = capture(s, {1, 1024}, body);
  const Tensor x = s.f32(ramp(1024), {1, 1024});
  REQUIRE_OK(tn_device_trim(s.ctx->device));
  const uint64_t before = live();
  Tensor y;
  REQUIRE_OK(tn_device_set_memory_limit(s.ctx->device, before + (6 << 20)));
  CHECK(try_run(s, p, x, &y).code == TN_OUT_OF_MEMORY);
  CHECK(try_run(s, p, x, &y).code == TN_OUT_OF_MEMORY);
  REQUIRE_OK(tn_device_set_memory_limit(s.ctx->device, 0));
  const std::vector<float> first = s.read(run(s, p, x));
  CHECK(first == s.read(body(x)));
  const std::vector<tn_tensor*> kept = used(p);
  CHECK(s.read(run(s, p, x)) == first);
  CHECK(used(p) == kept);
  REQUIRE_OK(tn_device_trim(s.ctx->device));
  const uint64_t with = live();
  CHECK(with >= before + (8 << 20));
  p.reset();
  tenon::settle(s.ctx.get());
  REQUIRE_OK(tn_device_trim(s.ctx->device));
  CHECK(live() + (8 << 20) <= with);
}

TEST_CASE("derived: threads that run and one that assigns: each run sees one value") {
  Session s;
  const int64_t n = 64;
  const Variable v = variable(s, full(s, 1, {n, n}));
  const auto body = [&](tn_ctx* cx, const Tensor& x) {
    const Tensor w = taken(cx, v), two = number(cx, 2), twice = call(cx, TN_OP_MUL, {&w, &two});
    const Tensor y = call(cx, TN_OP_MATMUL, {&x, &twice});
    const Tensor last = call(cx, TN_OP_SUB, {&w, &twice});  // -w, elementwise with x
    return call(cx, TN_OP_ADD, {&y, &last});
  };
  const Program p = capture(s, {n, n}, [&](const Tensor& x) { return body(s, x); });
  std::atomic<int> wrong{0}, left{3};
  const auto runner = [&] {
    const auto cx = s.context();
    const Tensor ones = full(cx.get(), 1, {n, n});
    for (int turn = 0; turn < 200; ++turn) {
      tn_tensor *in = ones.get(), *out = nullptr;
      uint32_t count = 0;
      if (tn_program_run(cx.get(), p.get(), &in, 1, &out, 1, &count)) {
        ++wrong;
        continue;
      }
      std::vector<float> got(static_cast<size_t>(n * n));
      if (tn_tensor_read(cx.get(), out, got.data(), got.size() * sizeof(float))) ++wrong;
      tn_tensor_release(out);
      // 2 n w - w for a whole w, the same in all elements
      const float w = got[0] / static_cast<float>(2 * n - 1);
      bool same = w == std::floor(w) && w >= 1 && w <= 9;
      for (const float x : got) same &= x == got[0];
      wrong += !same;
    }
    --left;
  };
  std::vector<std::thread> threads;
  for (int k = 0; k < 3; ++k) threads.emplace_back(runner);
  for (int k = 0; left; ++k) {
    assign(s, v, full(s, 1 + k % 9, {n, n}));
    // A run waits for the value it got, and so for all that is ahead of it.
    if (k % 16 == 15) REQUIRE_OK(tn_ctx_synchronize(s, TN_FOREVER));
  }
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
}
