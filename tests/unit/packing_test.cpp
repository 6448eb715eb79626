// Weights packed once: what is packed, for whom, when again, and that nothing but time depends on it. On the device that TENON_DEVICE
// names; the reference packs nothing.
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <thread>

#include "prepared.hpp"

using namespace tenon::test;

namespace {

// How many nodes of the last set of sizes take a packed input, and what was packed for them.
size_t packed(const Program& p) {
  size_t n = 0;
  for (const tenon::GraphNode& node : last_of(p).graph.nodes)
    n += node.compiled && node.compiled->packed >= 0;
  return n;
}
size_t forms(const Program& p) {
  size_t n = 0;
  for (const tenon::GraphNode& node : last_of(p).derived.graph.nodes)
    n += node.op->name() == "pack";
  return n;
}
std::shared_ptr<const tenon::DerivedValues> used(const Program& p) {
  const tenon::Instance* last = p->last.load();
  return last ? last->derived.values : nullptr;
}

bool packs(const Session& s) { return s.ctx->device->type != "reference"; }
bool by_library(Session& s, const Program& p, const Tensor& x) {
  tn_tensor* in[] = {x.get()};
  std::string text(1 << 16, 0);
  REQUIRE_OK(tn_program_cost(s, p.get(), in, 1, text.data(), text.size(), nullptr));
  return text.find("_onednn\"") != std::string::npos;
}

std::vector<float> noise(size_t n, uint32_t seed) {
  std::vector<float> out(n);
  for (float& x : out) {
    seed = seed * 1664525 + 1013904223;
    x = std::ldexp(static_cast<float>(seed >> 8) - 8388608, -23);
  }
  return out;
}

struct Weights {
  Weights(Session& s, Dims dims_, std::vector<float> values) : session(s), dims(std::move(dims_)) {
    tn_variable* v = nullptr;
    REQUIRE_OK(tn_variable_create(s, tn_string("w"), s.f32(values, dims).get(),
                                  TN_VARIABLE_NOT_TRAINABLE, &v));
    variable.reset(v);
  }
  Weights(Session& s, const Dims& d, uint32_t seed = 1)
      : Weights(s, d, noise(static_cast<size_t>(d[0] * d[1]), seed)) {}
  Tensor get(tn_ctx* cx) const {
    return tenon::test::get([&](tn_tensor** o) { return tn_variable_take(cx, variable.get(), o); });
  }
  void set(std::vector<float> values) const {
    REQUIRE_OK(tn_variable_assign(session, variable.get(), session.f32(values, dims).get()));
  }
  Session& session;
  Dims dims;
  Variable variable;
};

Tensor linear(tn_ctx* cx, const Tensor& x, const Tensor& w) {
  return call(cx, TN_OP_LINEAR, {&x, &w});
}
Tensor matmul(tn_ctx* cx, const Tensor& a, const Tensor& b) {
  return call(cx, TN_OP_MATMUL, {&a, &b});
}
Tensor turned(tn_ctx* cx, const Tensor& w) {
  const int64_t perm[] = {1, 0};
  return call(cx, TN_OP_TRANSPOSE, {&w}, {tn_attr_i64s(TN_TRANSPOSE_PERM, perm, 2)});
}
Tensor cast(tn_ctx* cx, const Tensor& x, tn_dtype to) {
  return call(cx, TN_OP_CAST, {&x}, {tn_attr_dtype(TN_CAST_DTYPE, to)});
}

// A program gives the bits of the calls, time and again.
void check_bits(Session& s, const Program& p, const Tensor& x,
                const std::function<Tensor(const Tensor&)>& body) {
  const std::vector<float> want = s.read(body(x));
  for (int turn = 0; turn < 3; ++turn) {
    const std::vector<float> got = s.read(run(s, p, x));
    REQUIRE(got.size() == want.size());
    CHECK(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)) == 0);
  }
}

}  // namespace

TEST_CASE("packing: products with weights of every layout and size give the bits of the calls") {
  Session s;
  size_t taken = 0;  // packed inputs
  for (const int64_t rows : {1, 5, 40, 70}) {
    for (const Dims& dims : {Dims{64, 96}, Dims{200, 333}, Dims{1100, 70}}) {
      const int64_t n = dims[0], k = dims[1];
      const Weights w(s, dims);
      const Tensor x = s.f32(noise(static_cast<size_t>(rows * k), 7), {rows, k});
      const auto check = [&](const char* what, const std::function<Tensor(const Tensor&)>& body) {
        INFO(what << " of " << rows << " rows by " << n << ", " << k);
        const Program p = capture(s, {rows, k}, body);
        check_bits(s, p, x, body);
        taken += packed(p);
      };
      check("linear", [&](const Tensor& in) { return linear(s, in, w.get(s)); });
      check("matmul, turned", [&](const Tensor& in) { return matmul(s, in, turned(s, w.get(s))); });
      check("matmul of a sum, turned", [&](const Tensor& in) {
        const Tensor v = w.get(s), sum = call(s, TN_OP_ADD, {&v, &v});
        return matmul(s, in, turned(s, sum));
      });
      check("bf16", [&](const Tensor& in) {
        return cast(s, linear(s, cast(s, in, TN_DTYPE_BF16), cast(s, w.get(s), TN_DTYPE_BF16)),
                    TN_DTYPE_F32);
      });
      check("f16", [&](const Tensor& in) {
        return cast(s, linear(s, cast(s, in, TN_DTYPE_F16), cast(s, w.get(s), TN_DTYPE_F16)),
                    TN_DTYPE_F32);
      });
      check("a part of it", [&](const Tensor& in) {
        const int64_t begin[] = {3, 0}, end[] = {n - 2, k};
        const Tensor v = w.get(s);
        const Tensor part =
            call(s, TN_OP_SLICE, {&v},
                 {tn_attr_i64s(TN_SLICE_STARTS, begin, 2), tn_attr_i64s(TN_SLICE_STOPS, end, 2)});
        return linear(s, in, part);
      });
      check("turned x", [&](const Tensor& in) {
        const Tensor v = w.get(s), t = turned(s, in);  // [k, rows], by [rows, n]
        const Tensor some = call(s, TN_OP_MATMUL, {&v, &t});
        return matmul(s, turned(s, some), v);
      });
    }
  }
  CHECK((taken >= 24) == packs(s));
}

TEST_CASE("packing: one form for all sizes, for all nodes and for all that is run of one value") {
  Session s;
  const Weights w(s, {96, 96});
  const auto body = [&](tn_ctx* cx, const Tensor& x) {
    const Tensor v = w.get(cx), y = linear(cx, x, v), z = linear(cx, y, v);
    return call(cx, TN_OP_ADD, {&y, &z});
  };
  const Program p = capture(s, {TN_DIM_ANY, 96}, [&](const Tensor& x) { return body(s, x); });
  const auto after = [&](int64_t rows) {
    const Tensor x = s.f32(noise(static_cast<size_t>(rows * 96), 3), {rows, 96});
    check_bits(s, p, x, [&](const Tensor& in) { return body(s, in); });
    return used(p);
  };
  const auto first = after(96);
  if (!packs(s)) {
    CHECK(packed(p) == 0);
    return;
  }
  CHECK(packed(p) == 2);
  CHECK(forms(p) == 1);
  REQUIRE(first);
  CHECK(after(96) == first);
  CHECK(after(160) == first);
  CHECK(packed(p) == 2);
  w.set(noise(96 * 96, 5));
  const auto second = after(160);
  CHECK(second != first);
  CHECK(after(96) == second);
}

TEST_CASE("packing: numbers that are no sums of short ones") {
  Session s;
  const float inf = std::numeric_limits<float>::infinity(), tiny = std::ldexp(1.0f, -140),
              small = std::ldexp(1.0f, -110), huge = std::ldexp(1.5f, 126),
              nan = std::numeric_limits<float>::quiet_NaN();
  const int64_t n = 100, k = 1200, rows = 256;
  for (const float odd : {inf, -inf, nan, tiny, small, huge, -0.0f}) {
    for (const bool in_x : {false, true}) {
      CAPTURE(odd);
      CAPTURE(in_x);
      std::vector<float> of_w = noise(static_cast<size_t>(n * k), 1),
                         of_x = noise(static_cast<size_t>(rows * k), 2);
      (in_x ? of_x : of_w)[static_cast<size_t>(40 * k + 700)] = odd;
      const Weights w(s, {n, k}, of_w);
      const auto body = [&](const Tensor& x) { return linear(s, x, w.get(s)); };
      const Program p = capture(s, {rows, k}, body);
      check_bits(s, p, s.f32(of_x, {rows, k}), body);
      if (packs(s)) CHECK(packed(p) == 1);
    }
  }
}

TEST_CASE("packing: what is assigned to in the program, or changes without a word, is not packed") {
  Session s;
  const Weights w(s, {96, 96});
  const auto body = [&](const Tensor& x) {
    const Tensor v = w.get(s);
    Tensor y = linear(s, x, v);
    const Tensor half = number(s, 0.5), next = call(s, TN_OP_MUL, {&v, &half});
    REQUIRE_OK(tn_variable_assign(s, w.variable.get(), next.get()));
    return y;
  };
  const Program p = capture(s, {64, 96}, body);
  const Tensor x = s.f32(noise(64 * 96, 3), {64, 96});
  for (int turn = 0; turn < 3; ++turn) {
    const std::vector<float> want = s.read(linear(s, x, w.get(s)));
    CHECK(s.read(run(s, p, x)) == want);
    CHECK(packed(p) == 0);
  }
}

TEST_CASE(
    "packing: a form that is much larger than the weights is made by the kernel in each run") {
  Session s;
  for (const Dims& dims : {Dims{3, 1000}, Dims{1, 2}}) {
    const Weights w(s, dims);
    const auto body = [&](const Tensor& x) { return linear(s, x, w.get(s)); };
    const Program p = capture(s, {64, dims[1]}, body);
    check_bits(s, p, s.f32(noise(static_cast<size_t>(64 * dims[1]), 3), {64, dims[1]}), body);
    for (const tenon::GraphNode& n : last_of(p).graph.nodes) CHECK(n.op->name() != "pack");
    if (dims[0] == 1) CHECK(packed(p) == 0);
  }
}

TEST_CASE("packing: arguments that are not dense") {
  Session s;
  const Weights w(s, {200, 96});
  for (const int64_t rows : {5, 70}) {
    CAPTURE(rows);
    const auto check = [&](const char* what, const Tensor& x, const Dims& dims,
                           const std::function<Tensor(const Tensor&)>& body) {
      INFO(what);
      const Program p = capture(s, dims, body);
      check_bits(s, p, x, body);
      if (packs(s) && rows > 5) CHECK(packed(p) == 1);
    };
    const auto by_w = [&](const Tensor& in) { return linear(s, in, w.get(s)); };
    const Tensor wide = s.f32(noise(static_cast<size_t>(rows * 192), 7), {rows, 192});
    const int64_t begin[] = {0, 0}, end[] = {rows, 192}, step[] = {1, 2}, half[] = {rows, 96};
    check("every second column",
          call(s, TN_OP_SLICE, {&wide},
               {tn_attr_i64s(TN_SLICE_STARTS, begin, 2), tn_attr_i64s(TN_SLICE_STOPS, end, 2),
                tn_attr_i64s(TN_SLICE_STEPS, step, 2)}),
          {rows, 96}, by_w);
    check("the left half",
          call(s, TN_OP_SLICE, {&wide},
               {tn_attr_i64s(TN_SLICE_STARTS, begin, 2), tn_attr_i64s(TN_SLICE_STOPS, half, 2)}),
          {rows, 96}, by_w);
    const Tensor tall = s.f32(noise(static_cast<size_t>(rows * 96), 9), {96, rows});
    check("turned", turned(s, tall), {rows, 96}, by_w);
    const Tensor flat = s.f32(noise(static_cast<size_t>(rows * 96), 11), {rows, 96});
    check("turned, and back by the program", turned(s, flat), {96, rows},
          [&](const Tensor& in) { return linear(s, turned(s, in), w.get(s)); });
  }
}

TEST_CASE("packing: images by weights") {
  Session s;
  for (const int64_t images : {1, 3}) {
    const Dims dims = {images, 24, 28, 28};
    const auto count = static_cast<size_t>(images * 24 * 28 * 28);
    const Tensor wide = s.f32(noise(32 * 24 * 9, 4), {32, 24, 3, 3});
    tn_variable* raw = nullptr;
    REQUIRE_OK(tn_variable_create(s, tn_string("w"), wide.get(), TN_VARIABLE_NOT_TRAINABLE, &raw));
    const Variable v(raw);
    const Tensor x = s.f32(noise(count, 9), dims);
    const auto body = [&](const Tensor& in) {
      const Tensor w = get([&](tn_tensor** o) { return tn_variable_take(s, v.get(), o); });
      return call(s, TN_OP_CONV2D, {&in, &w});
    };
    const Program p = capture(s, dims, body);
    check_bits(s, p, x, body);
    // Where there are tiles images go by own kernels, which pack nothing; else by a library that packs.
    const bool own = s.ctx->device->type == "cpu" && !by_library(s, p, x);
    if (packs(s)) CHECK(packed(p) == (own ? 0 : 1));
    REQUIRE_OK(tn_variable_assign(s, v.get(), s.f32(noise(32 * 24 * 9, 5), {32, 24, 3, 3}).get()));
    check_bits(s, p, x, body);
  }
}

TEST_CASE("packing: threads that run and one that assigns: each run sees one value") {
  Session s;
  const int64_t n = 96;
  const auto whole = [&](float v) { return std::vector<float>(static_cast<size_t>(n * n), v); };
  const Weights w(s, {n, n}, whole(1));
  const Program p = capture(s, {n, n}, [&](const Tensor& x) { return linear(s, x, w.get(s)); });
  std::atomic<int> wrong{0}, left{3};
  const auto runner = [&] {
    const auto cx = s.context();
    const Tensor ones = full(cx.get(), 1, {n, n});
    for (int turn = 0; turn < 100; ++turn) {
      tn_tensor *in = ones.get(), *out = nullptr;
      uint32_t count = 0;
      if (tn_program_run(cx.get(), p.get(), &in, 1, &out, 1, &count)) {
        ++wrong;
        continue;
      }
      std::vector<float> got(static_cast<size_t>(n * n));
      if (tn_tensor_read(cx.get(), out, got.data(), got.size() * sizeof(float))) ++wrong;
      tn_tensor_release(out);
      const float v = got[0] / static_cast<float>(n);
      bool same = v == std::floor(v) && v >= 1 && v <= 9;
      for (const float x : got) same &= x == got[0];
      wrong += !same;
    }
    --left;
  };
  std::vector<std::thread> threads;
  for (int k = 0; k < 3; ++k) threads.emplace_back(runner);
  for (int k = 0; left; ++k) {
    w.set(whole(static_cast<float>(1 + k % 9)));
    // A run waits for the value it got, and so for all that is ahead of it.
    if (k % 16 == 15) REQUIRE_OK(tn_ctx_synchronize(s, TN_FOREVER));
  }
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
  if (packs(s)) CHECK(packed(p) == 1);
}
