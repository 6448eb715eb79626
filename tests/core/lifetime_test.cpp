// Objects in any order, from any thread.
#include <thread>

#include "fixture.hpp"

using namespace tenon::test;

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

TEST_CASE("lifetime: a device gets everything back at a shutdown, whatever is still held") {
  std::string errors;
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.log_level = TN_LOG_ERROR;
  desc.log.user = &errors;
  desc.log.function = [](void* user, uint32_t, tn_str message) {
    *static_cast<std::string*>(user) += std::string(message.data, message.size) + "\n";
  };
  tn_runtime* raw = nullptr;
  REQUIRE_OK(tn_runtime_create(&desc, &raw));
  Session cx(raw);
  const Tensor a = cx.f32({1, 2}, {2});
  const Tensor b = get([&](tn_tensor** o) { return tn_mul(cx, a.get(), a.get(), o); });
  tn_runtime_shutdown(raw);  // the context still has the call site of mul
  CHECK_MESSAGE(errors.empty(), errors);
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

namespace {

constexpr int kThreads = 8, kRounds = 200, kElements = 256;

// What thread k writes in round i into all elements: no two writes alike, exact in f32. -1 stands there before.
float written(int k, int i) { return static_cast<float>(k * kRounds + i); }

bool somebody_wrote(float v) {
  if (v == -1) return true;
  const int n = static_cast<int>(v);
  return v == static_cast<float>(n) && n >= 0 && n < kThreads * kRounds && n % kRounds % 10 == 0;
}

// One round: takes the value of w, squares it, asks for the gradient, and now and then assigns. Says what is wrong, or "".
std::string shared_round(tn_ctx* cx, tn_variable* w, int k, int i) {
  tn_tensor *v = nullptr, *y = nullptr, *s = nullptr, *g = nullptr, *mine = nullptr;
  float value[kElements] = {}, grad[kElements] = {};
  const int64_t dims[] = {kElements};
  tn_error* e = tn_variable_take(cx, w, &v);
  if (!e) e = tn_mul(cx, v, v, &y);
  if (!e) e = tn_sum(cx, y, nullptr, &s);
  if (!e) e = tn_vjp(cx, &s, nullptr, 1, &v, 1, 0, &g);
  if (!e && i % 10 == 0) {
    e = tn_tensor_full_f32(cx, static_cast<double>(written(k, i)), 1, dims, &mine);
    if (!e) e = tn_variable_assign(cx, w, mine);
  }
  if (!e) e = tn_tensor_read(cx, v, value, sizeof value);
  if (!e) e = tn_tensor_read(cx, g, grad, sizeof grad);
  std::string wrong = e ? tn_error_message(e) : "";
  for (int a = 0; a < kElements && wrong.empty(); ++a) {
    if (value[a] != value[0]) {
      wrong = "a mix of " + std::to_string(value[0]) + " and " + std::to_string(value[a]);
    } else if (!somebody_wrote(value[a])) {
      wrong = "nobody wrote " + std::to_string(value[a]);
    } else if (grad[a] != 2 * value[a]) {
      wrong = "the gradient is of another value";
    }
  }
  tn_error_release(e);
  for (tn_tensor* t : {v, y, s, g, mine}) tn_tensor_drop(cx, t);
  return wrong;
}

}  // namespace

TEST_CASE("lifetime: eight threads, a context each, shared variables") {
  Session cx;
  tn_variable* raw = nullptr;
  const Tensor first = cx.f32(std::vector<float>(kElements, -1.f), {kElements});
  REQUIRE_OK(tn_variable_create(cx, tn_string("w"), first.get(), 0, &raw));
  const Variable w(raw);
  std::vector<std::thread> threads;
  std::vector<std::string> wrong(kThreads);
  for (int k = 0; k < kThreads; ++k)
    threads.emplace_back([&, k] {
      tn_ctx* c = nullptr;
      if (tn_error* e = tn_ctx_create(cx.runtime.get(), tn_string(""), &c)) {
        wrong[static_cast<size_t>(k)] = tn_error_message(e);
        tn_error_release(e);
        return;
      }
      for (int i = 0; i < kRounds && wrong[static_cast<size_t>(k)].empty(); ++i)
        wrong[static_cast<size_t>(k)] = shared_round(c, w.get(), k, i);
      tn_ctx_release(c);
    });
  for (auto& t : threads) t.join();
  for (const std::string& text : wrong) CHECK(text == "");
}

// Of a heap that ends, three threads may be the last to look at it: the one that ends its context, and two that hand tensors back.
TEST_CASE("lifetime: a context ends while its last tensors are released elsewhere") {
  Session cx;
  for (int round = 0; round < 300; ++round) {
    tn_ctx* c = nullptr;
    REQUIRE_OK(tn_ctx_create(cx.runtime.get(), tn_string(""), &c));
    tn_tensor* last[2] = {};
    for (tn_tensor*& t : last) REQUIRE_OK(tn_tensor_full_f32(c, 1, 0, nullptr, &t));
    std::atomic<int> ready{0};
    const auto together = [&ready] {
      ++ready;
      while (ready < 3) std::this_thread::yield();
    };
    std::vector<std::thread> threads;
    for (tn_tensor* t : last)
      threads.emplace_back([&, t] {
        together();
        tn_tensor_release(t);
      });
    together();
    tn_ctx_release(c);
    for (auto& t : threads) t.join();
  }
}

TEST_CASE("lifetime: what belongs to another runtime is refused") {
  Session a, b;
  const Tensor x = a.f32({1, 2}, {2}), y = b.f32({1, 2}, {2});
  tn_ctx* cx = b.ctx.get();
  tn_tensor *out = nullptr, *foreign = x.get();
  float data[2];
  constexpr const char* kSays = "another runtime";
  CHECK_FAILS(tn_neg(cx, foreign, &out), TN_INVALID_ARGUMENT, kSays);
  CHECK_FAILS(tn_add(cx, foreign, foreign, &out), TN_INVALID_ARGUMENT, kSays);
  CHECK_FAILS(tn_tensor_leaf(cx, foreign, &out), TN_INVALID_ARGUMENT, kSays);
  CHECK_FAILS(tn_tensor_read(cx, foreign, data, sizeof data), TN_INVALID_ARGUMENT, kSays);
  CHECK_FAILS(tn_tensor_to(cx, foreign, tn_string("cpu"), &out), TN_INVALID_ARGUMENT, kSays);
  tn_variable* v = nullptr;
  CHECK_FAILS(tn_variable_create(cx, tn_string("v"), foreign, 0, &v), TN_INVALID_ARGUMENT, kSays);
  REQUIRE_OK(tn_variable_create(a.ctx.get(), tn_string("v"), foreign, 0, &v));
  const Variable owned(v);
  CHECK_FAILS(tn_variable_take(cx, v, &out), TN_INVALID_ARGUMENT, kSays);
  CHECK_FAILS(tn_variable_assign(cx, v, y.get()), TN_INVALID_ARGUMENT, kSays);
  tn_optimizer* o = nullptr;
  REQUIRE_OK(tn_optimizer_create(cx, tn_string("sgd"), nullptr, 0, &o));
  tn_tensor* g = y.get();
  CHECK_FAILS(tn_optimizer_step(cx, o, &v, &g, 1), TN_INVALID_ARGUMENT, kSays);
  tn_optimizer_release(o);
}
