// What a context does with a device's queue and kernels: waits that end early, the native queue, determinism.
#include "patient_device.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#define TN_PLUGIN_STATIC org_tenon_test_patient
TENON_PLUGIN("org.tenon.test.patient", "1.0.0", tenon::sdk::Plugin, patient::kInterfaces);

#define TENON_TEST_PLUGINS ""
#include "c_api.hpp"

namespace {

using namespace tenon::test;  // NOLINT(google-build-using-namespace): test helpers
using patient::CommandQueue;

constexpr uint64_t kMillisecond = 1'000'000;

struct Patient {
  Handle<tn_runtime, tn_runtime_release> runtime;
  Handle<tn_ctx, tn_ctx_release> ctx;
  Patient() {
    static const tn_plugin_query_fn plugins[] = {TN_PLUGIN_QUERY, nullptr};
    tn_runtime_desc d = tn_runtime_desc_init();
    d.flags = TN_RUNTIME_NO_ENVIRONMENT | TN_RUNTIME_NO_SEARCH;
    d.trust = TN_TRUST_NONE;
    d.static_plugins = plugins;
    tn_runtime* rt = nullptr;
    OK(tn_runtime_create(&d, &rt));
    runtime.reset(rt);
    tn_ctx* c = nullptr;
    OK(tn_ctx_create(rt, tn_string("patient"), &c));
    ctx.reset(c);
  }
  ~Patient() { CommandQueue::open_gate(true); }
  Tensor numbers() const {
    const float data[] = {1, -2, 3};
    const int64_t n = 3;
    tn_tensor* t = nullptr;
    OK(tn_tensor_from_f32(ctx.get(), data, 1, &n, &t));
    return Tensor(t);
  }
  std::vector<float> read(const Tensor& t) const {
    std::vector<float> out(3);
    OK(tn_tensor_read(ctx.get(), t.get(), out.data(), 12));
    return out;
  }
  std::string explain(tn_op op, const Tensor& x) const {
    tn_tensor* in[] = {x.get()};
    char text[1024];
    uint32_t level = 0;
    OK(tn_op_explain(ctx.get(), op, in, 1, nullptr, 0, &level, text, sizeof text, nullptr));
    return text;
  }
};

// Interrupts the context from another thread, some time after the wait has begun.
class Interrupter {
 public:
  explicit Interrupter(tn_ctx* ctx)
      : thread_([this, ctx] {
          std::this_thread::sleep_for(std::chrono::milliseconds(30));
          tn_ctx_interrupt(ctx);
        }) {}
  ~Interrupter() { thread_.join(); }

 private:
  std::thread thread_;
};

}  // namespace

TEST_CASE("queue: a wait can be interrupted by another thread, and the work goes on") {
  const Patient p;
  CommandQueue::open_gate(false);
  const Tensor x = p.numbers();
  {
    const Interrupter i(p.ctx.get());
    REFUSED(tn_ctx_synchronize(p.ctx.get(), TN_FOREVER), TN_CANCELLED, "interrupted");
  }
  {
    // A read of the elements waits as well.
    const Interrupter i(p.ctx.get());
    float out[3];
    REFUSED(tn_tensor_read(p.ctx.get(), x.get(), out, sizeof out), TN_CANCELLED, "interrupted");
  }
  CommandQueue::open_gate(true);
  OK(tn_ctx_synchronize(p.ctx.get(), TN_FOREVER));
  CHECK(p.read(x) == std::vector<float>{1, -2, 3});
}

TEST_CASE("queue: an interrupt without a wait ends the next one, and no other") {
  const Patient p;
  CommandQueue::open_gate(false);
  const Tensor x = p.numbers();
  tn_ctx_interrupt(p.ctx.get());
  REFUSED(tn_ctx_synchronize(p.ctx.get(), TN_FOREVER), TN_CANCELLED, "interrupted");
  REFUSED(tn_ctx_synchronize(p.ctx.get(), 5 * kMillisecond), TN_DEADLINE_EXCEEDED, "5 ms");
  CommandQueue::open_gate(true);
  CHECK(p.read(x) == std::vector<float>{1, -2, 3});
}

TEST_CASE("queue: a deadline is kept, and nothing is lost by it") {
  const Patient p;
  CommandQueue::open_gate(false);
  const Tensor x = p.numbers();
  const auto start = std::chrono::steady_clock::now();
  REFUSED(tn_ctx_synchronize(p.ctx.get(), 50 * kMillisecond), TN_DEADLINE_EXCEEDED, "patient:0");
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(took >= std::chrono::milliseconds(49));
  CHECK(took < std::chrono::seconds(10));
  CommandQueue::open_gate(true);
  OK(tn_ctx_synchronize(p.ctx.get(), 50 * kMillisecond));
  CHECK(p.read(x) == std::vector<float>{1, -2, 3});
}

TEST_CASE("queue: the native queue is the device's own") {
  const Patient p;
  uint64_t native = 0;
  OK(tn_ctx_get_native_queue(p.ctx.get(), &native));
  CHECK(native == patient::kNativeQueue);
}

TEST_CASE("deterministic: a kernel that is not is left out while the context asks for it") {
  const Patient p;
  const Tensor x = p.numbers();
  const auto square = [&] {
    tn_tensor* y = nullptr;
    OK(tn_square(p.ctx.get(), x.get(), &y));
    return p.read(Tensor(y));
  };
  const std::vector<float> want = {1, 4, 9};
  CHECK(square() == want);
  CHECK(std::string(patient::last_kernel) == "square_atomic");
  CHECK(tn_ctx_set_deterministic(p.ctx.get(), 1) == 0);
  CHECK(square() == want);
  CHECK(std::string(patient::last_kernel) == "square_plain");
  const std::string why = p.explain(TN_OP_SQUARE, x);
  CAPTURE(why);
  CHECK(why.find("square_atomic") < why.find("is not deterministic, which this context asks for"));
  CHECK(tn_ctx_set_deterministic(p.ctx.get(), 0) == 1);
  CHECK(square() == want);
  CHECK(std::string(patient::last_kernel) == "square_atomic");
}

TEST_CASE("deterministic: an op with no other kernel is refused, and says why") {
  const Patient p;
  const Tensor x = p.numbers();
  tn_tensor* y = nullptr;
  OK(tn_abs(p.ctx.get(), x.get(), &y));
  const Tensor first(y);
  tn_ctx_set_deterministic(p.ctx.get(), 1);
  REFUSED(tn_abs(p.ctx.get(), x.get(), &y), TN_UNIMPLEMENTED, "is not deterministic");
}
