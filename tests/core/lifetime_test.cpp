// Objects in any order, from any thread; nothing grows.
#include <cstdio>
#include <random>
#include <thread>

#include "fixture.hpp"

using namespace tenon::test;

namespace {

long resident_kib() {
  long pages = 0, total = 0;
  FILE* f = std::fopen("/proc/self/statm", "r");
  if (f && std::fscanf(f, "%ld %ld", &total, &pages) != 2) pages = 0;
  if (f) std::fclose(f);
  return pages * 4;
}

}  // namespace

TEST_CASE("lifetime: tensors outlive context and runtime") {
  Tensor a, b;
  {
    Session cx;
    a = cx.f32({1, 2}, {2});
    const Tensor leaf = cx.leaf(a);
    b = get([&](tn_tensor** o) { return tn_mul(cx, leaf.get(), a.get(), o); });
  }
  CHECK(tn_tensor_count(a.get()) == 2);
  CHECK(tn_tensor_dims(b.get())[0] == 2);
}

TEST_CASE("lifetime: released from other threads") {
  Session cx;
  for (int round = 0; round < 20; ++round) {
    std::vector<Tensor> made;
    for (int i = 0; i < 200; ++i) made.push_back(cx.f32({1, 2, 3}, {3}));
    std::vector<Tensor> second;
    for (auto& t : made) second.emplace_back(tn_tensor_retain(t.get()));
    std::thread other([&] { made.clear(); });
    second.clear();
    other.join();
  }
  tn_memory_stats s = tn_memory_stats_init();
  const Tensor last = cx.f32({1}, {1});
  cx.ctx.reset();
  REQUIRE_OK(tn_device_get_memory(tn_tensor_get_device(last.get()), &s));
  CHECK(s.live_blocks == 1);
}

TEST_CASE("lifetime: eight threads, a context each, shared variables") {
  Session cx;
  tn_variable* raw = nullptr;
  REQUIRE_OK(tn_variable_create(cx, tn_string("w"), cx.f32({1, 1, 1, 1}, {4}).get(), 0, &raw));
  const Variable w(raw);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int k = 0; k < 8; ++k)
    threads.emplace_back([&] {
      tn_ctx* c = nullptr;
      if (tn_error* e = tn_ctx_create(cx.runtime.get(), tn_string(""), &c)) {
        tn_error_release(e);
        ++failures;
        return;
      }
      for (int i = 0; i < 200; ++i) {
        tn_tensor *v = nullptr, *y = nullptr, *s = nullptr, *g = nullptr;
        tn_variable* vars[] = {w.get()};
        tn_error* e = tn_variable_take(c, w.get(), &v);
        if (!e) e = tn_mul(c, v, v, &y);
        if (!e) e = tn_sum(c, y, nullptr, &s);
        tn_tensor* in = v;
        if (!e) e = tn_vjp(c, &s, nullptr, 1, &in, 1, 0, &g);
        if (!e && i % 10 == 0) e = tn_variable_assign(c, vars[0], y);
        float out[4];
        if (!e) e = tn_tensor_read(c, g, out, sizeof out);
        if (e || out[0] != 2.f) ++failures;
        tn_error_release(e);
        for (tn_tensor* t : {v, y, s, g}) tn_tensor_drop(c, t);
      }
      tn_ctx_release(c);
    });
  for (auto& t : threads) t.join();
  CHECK(failures == 0);
}

TEST_CASE("lifetime: many shapes, objects created and destroyed, nothing grows") {
  Session cx;
  std::mt19937 random(1);
  long at_start = 0;
  const int rounds = 10000;
  for (int i = 0; i < rounds; ++i) {
    const auto n = static_cast<int64_t>(random() % 256 + 1);
    const Tensor x = cx.f32(std::vector<float>(static_cast<size_t>(n) * 8, 0.5f), {n, 8});
    tn_variable* raw = nullptr;
    REQUIRE_OK(tn_variable_create(cx, tn_string("w"),
                                  cx.f32(std::vector<float>(64, 0.1f), {8, 8}).get(), 0, &raw));
    const Variable w(raw);
    const Tensor v = get([&](tn_tensor** o) { return tn_variable_take(cx, w.get(), o); });
    const Tensor h =
        get([&](tn_tensor** o) { return tn_matmul(cx, x.get(), v.get(), nullptr, o); });
    const Tensor r = get([&](tn_tensor** o) { return tn_relu(cx, h.get(), o); });
    const Tensor loss = get([&](tn_tensor** o) { return tn_mean(cx, r.get(), nullptr, o); });
    tn_variable* vars[] = {w.get()};
    tn_tensor* g = nullptr;
    REQUIRE_OK(tn_grad(cx, loss.get(), vars, 1, &g));
    const Tensor grad(g);
    if (i == rounds / 2) at_start = resident_kib();
  }
  CHECK(resident_kib() - at_start <= 1024);
}
