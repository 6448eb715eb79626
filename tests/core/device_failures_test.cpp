// A device that fails while a training step runs: at every command of the step, by an execution that fails and by the loss of the
// device. The error comes back with what failed, what depends on it is poisoned, all else stays, nothing hangs.
#include <unistd.h>

#include <cstdlib>

#include "fixture.hpp"
#include "small_training.hpp"

using namespace tenon::test;

namespace {

constexpr NetworkSize kSize{};
constexpr uint64_t kPatience = 30'000'000'000;  // ns; longer is a hang

using Context = std::unique_ptr<tn_ctx, Releaser>;

// Settings of the adversary are read from the environment when a runtime opens it.
struct Faulty {
  std::unique_ptr<tn_runtime, Releaser> runtime;
  Context ctx;
  Faulty(const char* setting, int64_t n) {
    REQUIRE(setenv(setting, std::to_string(n).c_str(), 1) == 0);
    tn_runtime* rt = nullptr;
    REQUIRE_OK(tn_runtime_create(nullptr, &rt));
    runtime.reset(rt);
    ctx = context("adversary:0");
    REQUIRE(unsetenv(setting) == 0);
    alarm(120);  // ends the program where a wait does not
  }
  ~Faulty() { alarm(0); }
  Context context(const char* device) const {
    tn_ctx* c = nullptr;
    REQUIRE_OK(tn_ctx_create(runtime.get(), tn_string(device), &c));
    return Context(c);
  }
};

struct Expected {
  TrainingState before, after;
  double loss = 0;
};
Expected undisturbed() {
  const Faulty f("TENON_ADVERSARY_FAIL_EXEC", 0);
  SmallTraining t(f.ctx.get(), kSize, "adam");
  Expected e;
  e.before = t.state();
  REQUIRE_OK(t.step(&e.loss));
  e.after = t.state();
  return e;
}

// A variable is as it was, as it should have become, or poisoned with the device's error: nothing else.
void check_variables(SmallTraining& t, tn_ctx* reader, const Expected& want, const char* text) {
  for (tn_variable* v : t.variables()) {
    const tn_str n = tn_variable_name(v);
    const std::string name(n.data, n.size);
    CAPTURE(name);
    tn_tensor* value = nullptr;
    REQUIRE_OK(tn_variable_take(reader, v, &value));
    std::vector<char> bytes(tn_tensor_bytes(value));
    const Outcome out(tn_tensor_read(reader, value, bytes.data(), bytes.size()));
    tn_tensor_release(value);
    INFO(out.message);
    if (out.code == TN_OK) {
      const bool old_or_new = bytes == want.before.at(name) || bytes == want.after.at(name);
      CHECK(old_or_new);
    } else {
      CHECK(out.code == TN_DEVICE_FAILED);
      CHECK(out.message.find(text) != std::string::npos);
    }
  }
}

float first_of(tn_ctx* ctx, const Tensor& t) {
  float value[2] = {-1, -1};
  REQUIRE_OK(tn_tensor_read(ctx, t.get(), value, sizeof value));
  return value[0];
}

Tensor two(tn_ctx* ctx, float value) {
  const float data[] = {value, value};
  const int64_t n = 2;
  tn_tensor* t = nullptr;
  REQUIRE_OK(tn_tensor_from_f32(ctx, data, 1, &n, &t));
  return Tensor(t);
}

// The step and the wait for it: null when all went well.
tn_error* run_step(SmallTraining& t, tn_ctx* ctx, double* loss) {
  tn_error* e = t.step(loss);
  return e ? e : tn_ctx_synchronize(ctx, kPatience);
}

struct Tally {
  int64_t failed = 0, before = 0;
  bool finished = false;
};

// Command n of the device fails.
void fail_command(int64_t n, const Expected& want, Tally& tally) {
  CAPTURE(n);
  const Faulty f("TENON_ADVERSARY_FAIL_EXEC", n);
  const std::string text = "scheduled failure of command " + std::to_string(n);
  // Made by a context of its own, which has nothing to do with the step.
  const Context calm = f.context("adversary:0");
  SmallTraining t(f.ctx.get(), kSize, "adam");
  tn_error* early = tn_ctx_synchronize(f.ctx.get(), kPatience);
  if (early || !t.trouble().empty()) {
    CHECK_FAILS(early, TN_DEVICE_FAILED, text);
    ++tally.before;
    return;
  }
  const Tensor other = two(calm.get(), 7);
  const Outcome upload(tn_ctx_synchronize(calm.get(), kPatience));
  if (upload.code != TN_OK) {
    ++tally.before;
    return;
  }
  double loss = 0;
  tn_error* e = run_step(t, f.ctx.get(), &loss);
  if (!e) {
    tally.finished = true;
    CHECK(loss == want.loss);
    check_variables(t, f.ctx.get(), want, text.c_str());  // of these reads one may fail
    return;
  }
  ++tally.failed;
  CHECK(std::string(tn_error_device(e)) == "adversary:0");
  CHECK(tn_error_retryable(e) == 0);
  CHECK_FAILS(e, TN_DEVICE_FAILED, text);
  // The timeline stays failed until it is replaced.
  CHECK_FAILS(run_step(t, f.ctx.get(), &loss), TN_DEVICE_FAILED, text);
  CHECK(first_of(calm.get(), other) == 7);
  check_variables(t, calm.get(), want, text.c_str());
  REQUIRE_OK(tn_ctx_recover(f.ctx.get()));
  CHECK(first_of(f.ctx.get(), other) == 7);
  check_variables(t, f.ctx.get(), want, text.c_str());
  SmallTraining again(f.ctx.get(), kSize, "adam");
  REQUIRE_OK(run_step(again, f.ctx.get(), &loss));
  CHECK(loss == want.loss);
  CHECK(difference(want.after, again.state(), false) == "");
}

// From command n on the device is gone.
void lose_device(int64_t n, const Expected& want, Tally& tally) {
  CAPTURE(n);
  const Faulty f("TENON_ADVERSARY_LOSE_DEVICE", n);
  constexpr const char* kText = "the device is lost";
  SmallTraining t(f.ctx.get(), kSize, "adam");
  tn_error* early = tn_ctx_synchronize(f.ctx.get(), kPatience);
  if (early || !t.trouble().empty()) {
    CHECK_FAILS(early, TN_DEVICE_FAILED, kText);
    ++tally.before;
    return;
  }
  double loss = 0;
  tn_error* e = run_step(t, f.ctx.get(), &loss);
  if (!e) {
    tally.finished = true;
    CHECK(loss == want.loss);
    return;
  }
  ++tally.failed;
  CHECK_FAILS(e, TN_DEVICE_FAILED, kText);
  CHECK_FAILS(run_step(t, f.ctx.get(), &loss), TN_DEVICE_FAILED, kText);
  CHECK_FAILS(tn_ctx_recover(f.ctx.get()), TN_DEVICE_FAILED, kText);
  // The other device of the same runtime does not care.
  const Context beside = f.context("adversary:1");
  SmallTraining there(beside.get(), kSize, "adam");
  if (there.trouble().empty()) {
    const Outcome out(run_step(there, beside.get(), &loss));
    if (out.code == TN_OK)
      CHECK(loss == want.loss);
    else  // it counts its own commands, and is lost at the same one
      CHECK(out.message.find(kText) != std::string::npos);
  }
}

// Under a sanitizer only every so many-th: the test is ten times slower there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t kEvery = 4;
#else
constexpr int64_t kEvery = 1;
#endif

void at_each_command(void (*attempt)(int64_t n, const Expected& want, Tally& tally)) {
  const Expected want = undisturbed();
  Tally tally;
  for (int64_t n = 1; !tally.finished; n += kEvery) attempt(n, want, tally);
  MESSAGE(tally.failed << " commands of a step, and " << tally.before << " before it");
  CHECK(tally.failed > 30 / kEvery);
}

}  // namespace

TEST_CASE("failures: each command of a training step in turn") { at_each_command(fail_command); }

TEST_CASE("failures: the device is lost at each command of a training step") {
  at_each_command(lose_device);
}

// x -> a -> b in one context, b -> d in another: a failure spreads along the arrows and nowhere else.
TEST_CASE("failures: what depends on a failed command is poisoned, across contexts") {
  int poisoned = 0, rounds = 0;
  for (bool failed = true; failed;) {
    ++rounds;
    CAPTURE(rounds);
    const Faulty f("TENON_ADVERSARY_FAIL_EXEC", rounds);
    const Context second = f.context("adversary:0"), third = f.context("adversary:0");
    const Tensor apart = two(third.get(), 5);
    tn_tensor *a = nullptr, *b = nullptr, *d = nullptr;
    const Tensor x = two(f.ctx.get(), 1);
    tn_error* e = tn_neg(f.ctx.get(), x.get(), &a);
    if (!e) e = tn_neg(f.ctx.get(), a, &b);
    if (!e) e = tn_neg(second.get(), b, &d);
    const Outcome called(e);
    const Tensor owned_a(a), owned_b(b), owned_d(d);
    const Outcome synchronized[] = {Outcome(tn_ctx_synchronize(f.ctx.get(), kPatience)),
                                    Outcome(tn_ctx_synchronize(second.get(), kPatience)),
                                    Outcome(tn_ctx_synchronize(third.get(), kPatience)), called};
    failed = false;
    for (const Outcome& o : synchronized) {
      failed |= o.code != TN_OK;
      if (o.code != TN_OK) CHECK(o.message.find("scheduled failure") != std::string::npos);
    }
    for (tn_ctx* c : {f.ctx.get(), second.get(), third.get()}) REQUIRE_OK(tn_ctx_recover(c));
    if (!failed) break;  // past the last command: from here on the reads would fail
    float value[2];
    std::string message;  // of the first that failed
    const std::vector<std::pair<tn_tensor*, float>> chain = {
        {x.get(), 1.f}, {a, -1.f}, {b, 1.f}, {d, -1.f}};
    for (const auto& [t, right] : chain) {
      if (!t) continue;
      const Outcome out(tn_tensor_read(second.get(), t, value, sizeof value));
      if (out.code != TN_OK) {
        ++poisoned;
        CHECK(out.code == TN_DEVICE_FAILED);
        if (message.empty()) message = out.message;
        CHECK(out.message == message);
      } else {
        CHECK(message.empty());  // after a poisoned one all are
        CHECK(value[0] == right);
      }
    }
    const Outcome side(tn_tensor_read(third.get(), apart.get(), value, sizeof value));
    if (side.code == TN_OK)
      CHECK(value[0] == 5);
    else
      CHECK(synchronized[2].code != TN_OK);  // it was its own command
  }
  MESSAGE("commands: " << rounds - 1 << ", tensors poisoned: " << poisoned);
  CHECK(rounds > 5);
  CHECK(poisoned > 6);
}
