// The n-th allocation of a training step fails, for every n: an error or a success, never half a step, nothing lost, and the step
// works afterwards with the same numbers.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "failing_memory.hpp"
#include "fixture.hpp"
#include "small_training.hpp"

using namespace tenon::test;

namespace {

using Runtime = std::unique_ptr<tn_runtime, Releaser>;
using Context = std::unique_ptr<tn_ctx, Releaser>;

constexpr NetworkSize kDense{};
constexpr NetworkSize kConvolution{2, 6, 2, 3, true};
constexpr NetworkSize kLarge{64, 300, 300, 10};  // its weights have blocks of their own

// Device memory on the host: the requests `first` to `last` (from 1) fail.
struct DeviceFault {
  static inline int64_t asked = 0, first = 0, last = -1, failed = 0;
  static void arm(int64_t from, int64_t to) { asked = failed = 0, first = from, last = to; }
  static void* allocate(void* user, uint64_t bytes, uint64_t alignment) {
    ++asked;
    if (asked < first || asked > last) return FailingMemory::allocate(user, bytes, alignment);
    ++failed;
    return nullptr;
  }
};

Runtime make_runtime() {
  static const tn_host_allocator allocator = {DeviceFault::allocate, FailingMemory::free, nullptr};
  tn_runtime_desc d = tn_runtime_desc_init();
  d.allocator = &allocator;
  d.thread_count = 2;
  tn_runtime* rt = nullptr;
  REQUIRE_OK(tn_runtime_create(&d, &rt));
  return Runtime(rt);
}

Context make_context(const Runtime& rt) {
  tn_ctx* c = nullptr;
  REQUIRE_OK(tn_ctx_create(rt.get(), tn_string(""), &c));
  return Context(c);
}

// Failures on threads of a device reach the caller through its timeline, long after the call: those are another test's.
bool own_thread_only() {
  const char* device = std::getenv("TENON_DEVICE");
  return device && std::string(device) == "adversary";
}

// First steps make thousands of allocations: where each attempt is slow, only every so many-th is tried. On the cpu device each is; the
// reference, most of whose ops are decomposed, makes several times as many in the same places.
int64_t stride() {
  int64_t n = own_thread_only()                                         ? 11
              : std::string(std::getenv("TENON_DEVICE")) == "reference" ? 3
                                                                        : 1;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  n *= 31;
#endif
  return n;
}

// Steps on a warm context are quick and make hundreds: under a sanitizer every seventh is tried, elsewhere each.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t kWarmStride = 7;
#else
constexpr int64_t kWarmStride = 1;
#endif

tn_memory_stats memory_of(const Runtime& rt) {
  tn_device* d = nullptr;
  tn_memory_stats s = tn_memory_stats_init();
  REQUIRE_OK(tn_device_get(rt.get(), tn_string(std::getenv("TENON_DEVICE")), &d));
  REQUIRE_OK(tn_device_get_memory(d, &s));
  return s;
}

struct Expected {
  TrainingState before, after;
  double loss = 0;
};

// What a step under a failure left behind, and one without. `text`: part of the message of the error.
void check_attempt(SmallTraining& t, const Expected& want, tn_error* error, double loss,
                   const char* text) {
  const Outcome out(error);
  if (out.code != TN_OK) {
    INFO(out.message);
    REQUIRE(out.code == TN_OUT_OF_MEMORY);
    REQUIRE(out.message.find(text) != std::string::npos);
    REQUIRE(difference(want.before, t.state(), true) == "");
    REQUIRE_OK(t.step(&loss));
  }
  REQUIRE(loss == want.loss);
  REQUIRE(difference(want.after, t.state(), false) == "");
}

// A step with a failing host allocation. False: none failed, so n is past the last.
bool attempt(SmallTraining& t, const Expected& want, int64_t n, bool all_after) {
  CAPTURE(n);
  CAPTURE(all_after);
  double loss = 0;
  FailingMemory::arm(n, all_after, own_thread_only());
  tn_error* error = t.step();
  const int64_t failed = FailingMemory::disarm();
  if (!error) REQUIRE_OK(t.read_loss(&loss));
  if (error) REQUIRE(failed > 0);
  check_attempt(t, want, error, loss, "memory");
  return failed > 0;
}

// What a step does undisturbed, from the state that `t` is in.
Expected observe(SmallTraining& t) {
  Expected want;
  want.before = t.state();
  REQUIRE_OK(t.step(&want.loss));
  want.after = t.state();
  REQUIRE(want.before.at("first.weight") != want.after.at("first.weight"));
  return want;
}

Expected first_step(const Runtime& rt, const NetworkSize& size, const char* optimizer,
                    bool captured = false) {
  const Context ctx = make_context(rt);
  SmallTraining t(ctx.get(), size, optimizer, captured);
  return observe(t);
}

void sweep_warm_context(const NetworkSize& size, const char* optimizer) {
  const Runtime rt = make_runtime();
  for (const bool all_after : {false, true}) {
    const Context ctx = make_context(rt);
    SmallTraining t(ctx.get(), size, optimizer);
    double loss = 0;
    for (int i = 0; i < 3; ++i) REQUIRE_OK(t.step(&loss));
    const Expected want = observe(t);
    int64_t n = 1;
    for (bool failed = true; failed; n += kWarmStride) {
      t.restore(want.before);
      failed = attempt(t, want, n, all_after);
    }
    MESSAGE("allocations of a step on a warm context: " << n - 1 - kWarmStride);
    CHECK(n > 1 + kWarmStride);
  }
  CHECK(memory_of(rt).live_blocks == 0);
}

// Blocks that are live, once the threads of a device have let go of their last commands and the allocator has seen it.
int64_t live_blocks(const Runtime& rt, int64_t expected) {
  int64_t live = INT64_MAX;
  for (int ms = 0; ms < 2000; ++ms) {
    memory_of(rt);
    live = FailingMemory::live();
    if (live <= expected) break;
    usleep(1000);
  }
  return live;
}

// A new context each time, all on one runtime: what a failed step leaves behind would add up.
void sweep_fresh_context(const NetworkSize& size, const char* optimizer, bool captured = false) {
  const Runtime rt = make_runtime();
  const Expected want = first_step(rt, size, optimizer, captured);
  for (const bool all_after : {false, true}) {
    const int64_t step = stride() * (all_after ? 3 : 1) * (captured && stride() > 1 ? 3 : 1);
    int64_t n = 1, live = 0, rounds = 0;
    uint64_t reserved = 0;  // how much of it a device needs depends on how far its threads were
    for (bool failed = true; failed; n += step) {
      {
        const Context ctx = make_context(rt);
        SmallTraining t(ctx.get(), size, optimizer, captured);
        failed = attempt(t, want, n, all_after);
      }
      const int64_t now = live_blocks(rt, rounds > 1 ? live : INT64_MAX);
      CAPTURE(n);
      const uint64_t had = std::exchange(reserved, memory_of(rt).reserved_bytes);
      if (++rounds > 2 && reserved <= had) REQUIRE(now <= live);
      live = now;
    }
    MESSAGE("allocations of the first step of a context: " << n - 1 - stride()
                                                           << ", attempts: " << rounds);
    CHECK(n > 100);
    CHECK(memory_of(rt).live_blocks == 0);
  }
}

// A new runtime each time: not one block may be left.
void sweep_fresh_runtime(const NetworkSize& size, const char* optimizer) {
  const Expected want = first_step(make_runtime(), size, optimizer);
  int64_t n = 1;
  for (bool failed = true; failed; n += stride()) {
    const int64_t live = FailingMemory::live();
    {
      const Runtime rt = make_runtime();
      {
        const Context ctx = make_context(rt);
        SmallTraining t(ctx.get(), size, optimizer);
        failed = attempt(t, want, n, false);
      }
      REQUIRE(memory_of(rt).live_blocks == 0);
    }
    CAPTURE(n);
    if (n > 1) REQUIRE(FailingMemory::live() == live);
  }
  MESSAGE("allocations of the first step of a runtime: " << n - 1 - stride());
  CHECK(n > 100);
}

// `failures` requests from the n-th on are refused by the embedder's allocator.
void sweep_host_device(int64_t failures) {
  CAPTURE(failures);
  const Runtime rt = make_runtime();
  DeviceFault::arm(0, -1);
  const Expected want = first_step(rt, kLarge, "adam");
  if (DeviceFault::asked == 0) {
    MESSAGE("the device maps its memory itself: here only its limit can refuse");
    return;
  }
  int64_t n = 0, errors = 0;
  for (bool failed = true; failed;) {
    ++n;
    CAPTURE(n);
    const Context ctx = make_context(rt);
    SmallTraining t(ctx.get(), kLarge, "adam");
    REQUIRE_OK(tn_device_trim(tn_ctx_get_device(ctx.get())));
    double loss = 0;
    DeviceFault::arm(n, n - 1 + failures);
    tn_error* error = t.step();
    failed = DeviceFault::failed > 0;
    DeviceFault::arm(0, -1);
    if (error)
      ++errors;
    else
      REQUIRE_OK(t.read_loss(&loss));
    check_attempt(t, want, error, loss, ": wanted ");
  }
  MESSAGE("device allocations of a step: " << n - 1 << ", of which " << errors << " gave an error");
  CHECK(n > 4);
  // A refusal or two are met by giving back what is cached; after the twelfth there is nothing left to try.
  CHECK((errors > 0) == (failures > 2));
  CHECK(memory_of(rt).live_blocks == 0);
}

// The first step of a runtime whose device refuses as `schedule` says after `before` requests were served.
void adversary_step(const Expected& want, int64_t n, bool all_after, bool* failed, bool* error) {
  CAPTURE(n);
  static int64_t before = 0;  // requests until the step begins
  const std::string schedule = n ? std::to_string(before + n) + (all_after ? "+" : "") : "";
  REQUIRE(setenv("TENON_ADVERSARY_FAIL_ALLOC", schedule.c_str(), 1) == 0);
  const Runtime rt = make_runtime();
  {
    const Context ctx = make_context(rt);
    SmallTraining t(ctx.get(), kLarge, "adam");
    before = static_cast<int64_t>(memory_of(rt).device_allocation_count);
    double loss = 0;
    tn_error* e = t.step(&loss);
    const auto asked = static_cast<int64_t>(memory_of(rt).device_allocation_count) - before;
    *failed = asked >= n;
    *error = e != nullptr;
    if (e && all_after)
      CHECK_FAILS(e, TN_OUT_OF_MEMORY, "out of memory on adversary:0: wanted ");
    else
      check_attempt(t, want, e, loss, ": wanted ");
  }
  CHECK(memory_of(rt).live_blocks == 0);
  REQUIRE(unsetenv("TENON_ADVERSARY_FAIL_ALLOC") == 0);
}

}  // namespace

TEST_CASE("memory: every host allocation of a step on a context that has done it before") {
  sweep_warm_context(kDense, "adam");
  sweep_warm_context(kConvolution, "sgd");
}

TEST_CASE("memory: every host allocation of the first step of a context") {
  SUBCASE("dense, adam") { sweep_fresh_context(kDense, "adam"); }
  SUBCASE("convolution, sgd") { sweep_fresh_context(kConvolution, "sgd"); }
  SUBCASE("dense, adam, captured") { sweep_fresh_context(kDense, "adam", true); }
}

TEST_CASE("memory: a replay asks for none, and computes what the calls compute") {
  const Runtime rt = make_runtime();
  for (const NetworkSize* size : {&kDense, &kConvolution, &kLarge}) {
    CAPTURE(size->inputs);
    const Context ctx = make_context(rt);
    SmallTraining called(ctx.get(), *size, "adam"), captured(ctx.get(), *size, "adam", true);
    double want = 0, got = 0;
    for (int i = 0; i < 5; ++i) {
      REQUIRE_OK(called.step(&want));
      REQUIRE_OK(captured.step(&got));
      CHECK(got == want);
    }
    CHECK(difference(called.state(), captured.state(), false) == "");
    REQUIRE_OK(captured.step(&got));  // the states took memory of their own
    DeviceFault::arm(0, -1);
    FailingMemory::arm(INT64_MAX, false, own_thread_only());
    for (int i = 0; i < 50; ++i) {
      if (tn_error* e = captured.step(&got)) {
        FailingMemory::disarm();
        REQUIRE_OK(e);
      }
    }
    const int64_t asked = FailingMemory::asked();
    FailingMemory::disarm();
    // Kernels of the other backends are written to be read, and make lists of their own.
    if (std::string(std::getenv("TENON_DEVICE")) == "cpu") CHECK(asked == 0);
    CHECK(DeviceFault::asked == 0);
  }
}

namespace {

struct ConvolutionSize {
  int64_t batch, inputs, side, outputs, kernel, stride, groups = 1;
};

// A program of a convolution of x and its gradients for both operands, and of the convolution of twice w that a relu follows.
tn_program* convolution_program(tn_ctx* cx, const ConvolutionSize& c) {
  const int64_t x_dims[] = {c.batch, c.inputs, c.side, c.side},
                w_dims[] = {c.outputs, c.inputs / c.groups, c.kernel, c.kernel};
  const int64_t stride[] = {c.stride, c.stride}, padding[] = {c.kernel / 2, c.kernel / 2};
  REQUIRE_OK(tn_capture_begin(cx, tn_string("convolution")));
  const auto given = [&](const char* name, const int64_t* dims) {
    const Tensor t = get([&](tn_tensor** o) {
      return tn_capture_input(cx, tn_string(name), TN_DTYPE_F32, 4, dims, nullptr, o);
    });
    return get([&](tn_tensor** o) { return tn_tensor_leaf(cx, t.get(), o); });
  };
  const Tensor x = given("x", x_dims), w = given("w", w_dims);
  tn_conv2d_options options = tn_conv2d_options_init();
  options.stride = stride, options.n_stride = 2;
  options.padding = padding, options.n_padding = 2;
  options.groups = c.groups;
  const Tensor y =
      get([&](tn_tensor** o) { return tn_conv2d(cx, x.get(), w.get(), nullptr, &options, o); });
  const Tensor square = get([&](tn_tensor** o) { return tn_square(cx, y.get(), o); });
  const Tensor loss = get([&](tn_tensor** o) { return tn_sum(cx, square.get(), nullptr, o); });
  tn_tensor *of = loss.get(), *by[] = {x.get(), w.get()}, *grads[2] = {};
  REQUIRE_OK(tn_vjp(cx, &of, nullptr, 1, by, 2, 0, grads));
  const Tensor twice = get([&](tn_tensor** o) { return tn_add(cx, w.get(), w.get(), o); });
  const Tensor again =
      get([&](tn_tensor** o) { return tn_conv2d(cx, x.get(), twice.get(), nullptr, &options, o); });
  const Tensor relu = get([&](tn_tensor** o) { return tn_relu(cx, again.get(), o); });
  tn_tensor* out[] = {grads[0], grads[1], relu.get()};
  tn_program* p = nullptr;
  REQUIRE_OK(tn_capture_end(cx, out, 3, &p));
  for (tn_tensor* g : grads) tn_tensor_release(g);
  return p;
}

}  // namespace

TEST_CASE("memory: a replay of convolutions of usual sizes asks for none") {
  if (std::string(std::getenv("TENON_DEVICE")) != "cpu") return;  // others make lists of their own
  const Runtime rt = make_runtime();
  const Context ctx = make_context(rt);
  tn_ctx* cx = ctx.get();
  // Of LeNet-5 and ResNet-18, several images.
  for (const ConvolutionSize& c : {ConvolutionSize{8, 1, 28, 6, 5, 1},
                                   {8, 6, 14, 16, 5, 1},
                                   {4, 3, 32, 64, 3, 1},
                                   {2, 3, 64, 64, 7, 2},
                                   {4, 64, 16, 64, 3, 1},
                                   {4, 64, 16, 128, 3, 2},
                                   {4, 64, 16, 128, 1, 2},
                                   {2, 256, 8, 512, 3, 2},
                                   {2, 512, 4, 512, 3, 1},
                                   // One image.
                                   {1, 3, 112, 64, 7, 2},
                                   {1, 64, 28, 64, 3, 1},
                                   {1, 96, 28, 96, 1, 1},
                                   {1, 16, 32, 32, 3, 1},
                                   {1, 256, 14, 512, 3, 2},
                                   {1, 512, 7, 512, 3, 1},
                                   // Depthwise, of MobileNet.
                                   {1, 64, 112, 64, 3, 1, 64},
                                   {2, 256, 56, 256, 3, 2, 256},
                                   {8, 512, 14, 512, 3, 1, 512}}) {
    CAPTURE(c.inputs);
    CAPTURE(c.outputs);
    CAPTURE(c.stride);
    const std::unique_ptr<tn_program, decltype(&tn_program_release)> p(convolution_program(cx, c),
                                                                       tn_program_release);
    const int64_t x_dims[] = {c.batch, c.inputs, c.side, c.side},
                  w_dims[] = {c.outputs, c.inputs / c.groups, c.kernel, c.kernel};
    const auto full = [&](const int64_t* dims) {
      return get([&](tn_tensor** o) { return tn_tensor_full(cx, TN_DTYPE_F32, 0.5, 4, dims, o); });
    };
    const Tensor x = full(x_dims), w = full(w_dims);
    tn_tensor* in[] = {x.get(), w.get()};
    const auto run = [&] {
      tn_tensor* out[3] = {};
      uint32_t n = 0;
      tn_error* e = tn_program_run(cx, p.get(), in, 2, out, 3, &n);
      for (tn_tensor* t : out) tn_tensor_drop(cx, t);
      return e;
    };
    for (int i = 0; i < 3; ++i) REQUIRE_OK(run());
    std::vector<char> cost(1 << 16);
    REQUIRE_OK(tn_program_cost(cx, p.get(), in, 2, cost.data(), cost.size(), nullptr));
    // The square joins no convolution, since the gradient wants what that gave; the relu does.
    CHECK(std::string(cost.data()).find("\"conv2d_region_") != std::string::npos);
    FailingMemory::arm(INT64_MAX, false, false);
    for (int i = 0; i < 10; ++i) {
      if (tn_error* e = run()) {
        FailingMemory::disarm();
        REQUIRE_OK(e);
      }
    }
    const int64_t asked = FailingMemory::asked();
    FailingMemory::disarm();
    CHECK(asked == 0);
  }
}

TEST_CASE(
    "memory: what is derived of a variable: nothing is asked for while that keeps its value") {
  const Runtime rt = make_runtime();
  const Context ctx = make_context(rt);
  tn_ctx* cx = ctx.get();
  const int64_t dims[] = {64, 64};
  const auto full = [&](double x) {
    return get([&](tn_tensor** o) { return tn_tensor_full(cx, TN_DTYPE_F32, x, 2, dims, o); });
  };
  const Tensor x = full(1);
  tn_variable* raw = nullptr;
  REQUIRE_OK(tn_variable_create(cx, tn_string("w"), full(0.5).get(), 0, &raw));
  const Variable v(raw);
  tn_program* p = nullptr;
  {
    REQUIRE_OK(tn_capture_begin(cx, tn_string("derived")));
    const Tensor in = get([&](tn_tensor** o) {
      return tn_capture_input(cx, tn_string("x"), TN_DTYPE_F32, 2, dims, nullptr, o);
    });
    const Tensor w = get([&](tn_tensor** o) { return tn_variable_take(cx, v.get(), o); });
    const Tensor root = get([&](tn_tensor** o) { return tn_sqrt(cx, w.get(), o); });
    const Tensor y =
        get([&](tn_tensor** o) { return tn_matmul(cx, in.get(), root.get(), nullptr, o); });
    tn_tensor* out = y.get();
    REQUIRE_OK(tn_capture_end(cx, &out, 1, &p));
  }
  float first = 0;
  const auto run = [&]() -> tn_error* {
    tn_tensor *in = x.get(), *y = nullptr;
    uint32_t n = 0;
    if (tn_error* e = tn_program_run(cx, p, &in, 1, &y, 1, &n)) return e;
    float all[64 * 64];
    tn_error* e = tn_tensor_read(cx, y, all, sizeof all);
    first = all[64 * 64 - 1];
    tn_tensor_release(y);
    return e;
  };
  const auto assign = [&](double value) {
    REQUIRE_OK(tn_variable_assign(cx, v.get(), full(value * value).get()));
  };
  for (int turn = 0; turn < 3; ++turn) REQUIRE_OK(run());
  DeviceFault::arm(0, -1);
  FailingMemory::arm(INT64_MAX, false, own_thread_only());
  for (int turn = 0; turn < 50; ++turn)
    if (tn_error* e = run()) {
      FailingMemory::disarm();
      REQUIRE_OK(e);
    }
  const int64_t asked = FailingMemory::asked();
  FailingMemory::disarm();
  if (std::string(std::getenv("TENON_DEVICE")) == "cpu") CHECK(asked == 0);
  CHECK(DeviceFault::asked == 0);
  int errors = 0;
  for (int64_t n = 1, failed = 1; failed; ++n) {
    CAPTURE(n);
    assign(static_cast<double>(n));
    FailingMemory::arm(n, false, own_thread_only());
    tn_error* e = run();
    failed = FailingMemory::asked() >= n;
    FailingMemory::disarm();
    errors += e != nullptr;
    tn_error_release(e);
    REQUIRE_OK(run());
    CHECK(std::fabs(first - 64 * static_cast<float>(n)) <= 1e-3f * static_cast<float>(n));
  }
  CHECK(errors > 0);
  tn_program_release(p);
}

// A plugin is opened by the first context of its device: what fails then says nothing of the plugin.
TEST_CASE("memory: every host allocation of a runtime and of its first context") {
  int64_t n = 1, errors = 0;
  for (bool failed = true; failed; n += stride()) {
    CAPTURE(n);
    tn_runtime* rt = nullptr;
    tn_ctx* ctx = nullptr;
    FailingMemory::arm(n, false, own_thread_only());
    tn_error* error = tn_runtime_create(nullptr, &rt);
    const bool created = !error;
    if (created) error = tn_ctx_create(rt, tn_string(std::getenv("TENON_DEVICE")), &ctx);
    failed = FailingMemory::disarm() > 0;
    if (error) {
      ++errors;
      const Outcome out(error);
      CAPTURE(out.message);
      REQUIRE(out.code == TN_OUT_OF_MEMORY);
      if (!created) REQUIRE_OK(tn_runtime_create(nullptr, &rt));
      REQUIRE_OK(tn_ctx_create(rt, tn_string(std::getenv("TENON_DEVICE")), &ctx));
    }
    tn_optimizer* optimizer = nullptr;
    REQUIRE_OK(tn_optimizer_create(ctx, tn_string("adam"), nullptr, 0, &optimizer));
    tn_optimizer_release(optimizer);
    tn_ctx_release(ctx);
    tn_runtime_release(rt);
  }
  MESSAGE("allocations: " << n - 1 - stride() << ", of which " << errors << " gave an error");
  CHECK(errors > 1);
}

TEST_CASE("memory: every host allocation of the first step of a runtime") {
  sweep_fresh_runtime(kDense, "adam");
}

TEST_CASE("memory: every device allocation of a step") {
  if (!own_thread_only()) {
    for (const int64_t failures : {int64_t{1}, int64_t{12}, INT64_MAX / 2})
      sweep_host_device(failures);
    return;
  }
  const Expected want = first_step(make_runtime(), kLarge, "adam");
  bool failed = true, error = false;
  adversary_step(want, 0, false, &failed, &error);  // counts what comes before the step
  for (const bool all_after : {false, true}) {
    int64_t n = 0, errors = 0;
    for (failed = true; failed; errors += error)
      adversary_step(want, ++n, all_after, &failed, &error);
    MESSAGE("device allocations of a step: " << n - 1 << ", of which " << errors
                                             << " gave an error");
    CHECK(n > 4);
    CHECK((errors > 0) == all_after);
  }
}

TEST_CASE("memory: a limit that is reached at every place of a step") {
  const Runtime rt = make_runtime();
  const Expected want = first_step(rt, kLarge, "adam");
  int64_t errors = 0;
  bool refused = true;
  for (uint64_t more = 0; refused; more += 64 << 10) {
    CAPTURE(more);
    const Context ctx = make_context(rt);
    SmallTraining t(ctx.get(), kLarge, "adam");
    tn_device* d = tn_ctx_get_device(ctx.get());
    REQUIRE_OK(tn_device_trim(d));
    REQUIRE_OK(tn_device_set_memory_limit(d, memory_of(rt).reserved_bytes + more));
    double loss = 0;
    tn_error* error = t.step(&loss);
    REQUIRE_OK(tn_device_set_memory_limit(d, 0));
    refused = error != nullptr;
    errors += refused;
    check_attempt(t, want, error, loss, "over a limit of");
  }
  MESSAGE("limits that were too low: " << errors);
  CHECK(errors > 10);
  CHECK(memory_of(rt).live_blocks == 0);
}
