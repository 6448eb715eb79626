// Devices whose tensors are values: ops are recorded, and run as one program at a read, at a number of them, or on request. Runs on the
// adversary with TENON_ADVERSARY_MEMORY=values, whose complaints at its end fail each case.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <span>
#include <thread>

#include "flow_fixture.hpp"
#include "small_training.hpp"
#include "watched_compiler.hpp"

using namespace tenon::test;

namespace {

// A session whose device says nothing wrong happened, also when it is closed.
struct Rolling {
  watched::Told told;
  Session cx{watched::make_runtime({}, 0, &told)};
  Rolling() = default;
  ~Rolling() {
    cx.ctx.reset();
    cx.runtime.reset();
    CHECK(told.text == "");
  }
  operator tn_ctx*() { return cx; }
  Tensor f32(std::vector<float> v) {
    const auto n = static_cast<int64_t>(v.size());
    return cx.f32(v, {n});
  }
};

// The adversary with its timelines watched.
struct Timelines {
  using Table = tn_device_vtbl;
  static constexpr const char *kLibrary = ADVERSARY, *kInterface = TN_IFACE_DEVICE,
                              *kId = "org.tenon.test.timelines";
  static const Table* table();
  inline static std::vector<const tn_timeline*> all;
  // Commands that are still to be done, on the queue that has most of them.
  static uint64_t ahead() {
    uint64_t most = 0;
    for (const tn_timeline* t : all) {
      const uint64_t completed = __atomic_load_n(&t->completed, __ATOMIC_ACQUIRE);
      most = std::max(most, __atomic_load_n(&t->submitted, __ATOMIC_ACQUIRE) - completed);
    }
    return most;
  }
};
using TimelinesPlugin = WrappedPlugin<Timelines>;
tn_error* TN_CALL watch(void* device, tn_timeline* timeline, void** out) {
  Timelines::all.push_back(timeline);
  return TimelinesPlugin::inner->queue_create(device, timeline, out);
}
const tn_device_vtbl* Timelines::table() {
  static tn_device_vtbl table;
  for (const tn_interface& i :
       std::span(TimelinesPlugin::base->interfaces, TimelinesPlugin::base->interface_count))
    if (std::strcmp(i.id.data, kInterface) == 0)
      table = *static_cast<const tn_device_vtbl*>(i.table);
  table.queue_create = watch;
  return &table;
}

}  // namespace

TEST_CASE("ops are recorded, and a read runs them as one program") {
  Rolling r;
  const Tensor a = r.f32({1, 2, 3}), b = r.f32({10, 20, 30});
  const Tensor sum = flow::add(r, a.get(), b.get());
  const Tensor y = flow::mul(r, sum.get(), sum.get());
  CHECK(watched::runs == 0);
  CHECK(watched::compiles == 0);
  check_close(r.cx.read(y), {121, 484, 1089});
  CHECK(watched::runs == 1);
  CHECK(watched::compiles == 1);
  check_close(r.cx.read(sum), {11, 22, 33});  // came with it
  CHECK(watched::runs == 1);
  CHECK(tn_graph_of(watched::blobs.back().data())->result_count == 2);
}

TEST_CASE("what nobody holds is not computed") {
  Rolling r;
  const Tensor a = r.f32({1, 2});
  for (int i = 0; i < 5; ++i) flow::tanh(r, a.get());
  REQUIRE_OK(tn_ctx_flush(r));
  CHECK(watched::runs == 0);
  const Tensor y = flow::add(r, a.get(), a.get());
  flow::tanh(r, y.get());
  REQUIRE_OK(tn_ctx_flush(r));
  CHECK(watched::runs == 1);
  CHECK(tn_graph_of(watched::blobs.back().data())->node_count == 1);
  check_close(r.cx.read(y), {2, 4});
}

TEST_CASE("a flush at a number of ops, and on request") {
  Rolling r;
  CHECK(tn_ctx_set_flush_limit(r, 8) == 1000);
  CHECK(tn_ctx_set_flush_limit(r, 0) == 8);
  const Tensor one = r.f32({1});
  Tensor x = r.f32({0});
  for (int i = 0; i < 20; ++i) x = flow::add(r, x.get(), one.get());
  CHECK(watched::runs == 2);
  CHECK(watched::compiles == 1);  // both are the same eight additions
  REQUIRE_OK(tn_ctx_flush(r));
  CHECK(watched::runs == 3);
  REQUIRE_OK(tn_ctx_flush(r));
  REQUIRE_OK(tn_ctx_synchronize(r, TN_FOREVER));
  CHECK(watched::runs == 3);
  check_close(r.cx.read(x), {20});
}

TEST_CASE(
    "the second iteration of a training loop compiles nothing, and its results are those of "
    "memory") {
  for (const char* optimizer : {"sgd", "adam"}) {
    for (const bool captured : {false, true}) {
      CAPTURE(optimizer);
      CAPTURE(captured);
      TrainingState want, got;
      std::vector<double> losses;
      {
        unsetenv("TENON_ADVERSARY_MEMORY");
        Session cx(watched::make_runtime());
        setenv("TENON_ADVERSARY_MEMORY", "values", 1);
        SmallTraining t(cx, {}, optimizer, captured);
        for (int step = 0; step < 4; ++step) REQUIRE_OK(t.step(&losses.emplace_back()));
        want = t.state();
      }
      Rolling r;
      SmallTraining t(r, {}, optimizer, captured);
      int compiles = 0;
      for (size_t step = 0; step < 4; ++step) {
        const int runs = watched::runs;
        double loss = 0;
        REQUIRE_OK(t.step(&loss));
        CHECK(loss == losses[step]);
        CAPTURE(step);
        if (step > 0) CHECK(watched::runs == runs + 1);
        if (step > 1) CHECK(watched::compiles == compiles);
        compiles = watched::compiles;
      }
      CHECK(watched::donated >= 3 * static_cast<int>(t.variables().size()));
      got = t.state();
      CHECK(difference(want, got, false) == "");
    }
  }
}

TEST_CASE("rules fail at the call, and nothing of what is recorded is lost") {
  Rolling r;
  const Tensor a = r.f32({1, 2}), b = r.f32({1, 2, 3});
  const Tensor y = flow::add(r, a.get(), a.get());
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_add(r, a.get(), b.get(), &out), TN_INVALID_ARGUMENT, "add");
  const Tensor bytes = get([&](tn_tensor** o) { return tn_cast(r, a.get(), TN_DTYPE_U8, o); });
  const Tensor large = get([&](tn_tensor** o) { return tn_tensor_scalar_i64(r, 300, o); });
  CHECK_FAILS(tn_add(r, bytes.get(), large.get(), &out), TN_OUT_OF_RANGE, "300");
  check_close(r.cx.read(y), {2, 4});
}

TEST_CASE("an execution that cannot begin poisons what it was to make, by name, and no more") {
  Rolling r;
  const Tensor a = r.f32({1, 2});
  const Tensor y = flow::add(r, a.get(), a.get());
  watched::fail_run = true;
  CHECK_FAILS(tn_ctx_flush(r), TN_DEVICE_FAILED,
              "add and what was recorded with it on adversary:0: ");
  std::vector<float> room(2);
  CHECK_FAILS(tn_tensor_read(r, y.get(), room.data(), 8), TN_DEVICE_FAILED, "this run fails");
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_mul(r, y.get(), a.get(), &out), TN_DEVICE_FAILED, "this run fails");
  check_close(r.cx.read(flow::mul(r, a.get(), a.get())), {1, 4});
  watched::decline = "not today";
  const Tensor z = flow::tanh(r, a.get());
  CHECK_FAILS(tn_tensor_read(r, z.get(), room.data(), 8), TN_UNIMPLEMENTED, "not today");
  watched::decline = nullptr;
  check_close(r.cx.read(a), {1, 2});
}

TEST_CASE("an execution that fails later poisons its results with the op's name") {
  setenv("TENON_ADVERSARY_FAIL_EXEC", "2", 1);  // the upload is the first command
  watched::Told told;
  Session cx(watched::make_runtime({}, 0, &told));
  unsetenv("TENON_ADVERSARY_FAIL_EXEC");
  const Tensor a = cx.f32({1, 2}, {2});
  REQUIRE_OK(tn_ctx_synchronize(cx, TN_FOREVER));
  const Tensor y = flow::add(cx, a.get(), a.get());
  REQUIRE_OK(tn_ctx_flush(cx));
  std::vector<float> room(2);
  CHECK_FAILS(tn_tensor_read(cx, y.get(), room.data(), 8), TN_DEVICE_FAILED,
              "add: adversary: scheduled failure of command");
  REQUIRE_OK(tn_ctx_recover(cx));
  CHECK_FAILS(tn_tensor_read(cx, y.get(), room.data(), 8), TN_DEVICE_FAILED, "add: ");
  check_close(cx.read(flow::add(cx, a.get(), a.get())), {2, 4});
  CHECK(told.text == "");
}

TEST_CASE("what is recorded crosses contexts and threads, and outlives its context") {
  Rolling r;
  auto other = r.cx.context();
  const Tensor a = r.f32({1, 2});
  Tensor y = flow::add(r, a.get(), a.get());
  check_close(r.cx.read(flow::mul(other.get(), y.get(), y.get())), {4, 16});
  std::vector<std::thread> threads;
  std::vector<Tensor> made(4);
  for (auto& out : made) {
    out = flow::add(r, y.get(), a.get());
    threads.emplace_back([&r, &out] {
      auto own = r.cx.context();
      Tensor sum = flow::add(own.get(), out.get(), out.get());
      out = std::move(sum);
    });
  }
  for (std::thread& t : threads) t.join();
  for (const Tensor& t : made) check_close(r.cx.read(t), {6, 12});
  y = flow::tanh(other.get(), a.get());
  other.reset();
  check_close(r.cx.read(y), {std::tanh(1.0f), std::tanh(2.0f)});
}

TEST_CASE("memory of values is counted, its addresses and limits are not there") {
  Rolling r;
  tn_memory_stats before = tn_memory_stats_init(), after = before;
  tn_device* d = tn_ctx_get_device(r);
  REQUIRE_OK(tn_device_get_memory(d, &before));
  {
    const Tensor a = r.f32({1, 2});
    const Tensor y = flow::add(r, a.get(), a.get());
    REQUIRE_OK(tn_ctx_flush(r));
    REQUIRE_OK(tn_device_get_memory(d, &after));
    CHECK(after.live_bytes == before.live_bytes + 16);
    const void* data = nullptr;
    CHECK_FAILS(tn_tensor_get_data(r, y.get(), &data), TN_UNIMPLEMENTED, "tn_tensor_read");
    tn_dl_managed* dl = nullptr;
    CHECK_FAILS(tn_tensor_to_dlpack(r, y.get(), 0, &dl), TN_UNIMPLEMENTED, "tn_tensor_to");
    CHECK_FAILS(tn_device_set_memory_limit(d, 1), TN_UNIMPLEMENTED, "plugin");
  }
  const Tensor last = r.f32({0});  // takes in what was released
  REQUIRE_OK(tn_ctx_flush(r));
  REQUIRE_OK(tn_device_get_memory(d, &after));
  CHECK(after.live_bytes <= before.live_bytes + 4);
}

TEST_CASE("what another queue has to do with is not donated") {
  Rolling r;
  const auto other = r.cx.context();
  SUBCASE("by calls") {
    Tensor a = r.f32({1, 2});
    const Tensor y = flow::mul(other.get(), a.get(), a.get());
    REQUIRE_OK(tn_ctx_flush(other.get()));
    const Tensor b = flow::add(r, a.get(), a.get());
    a.reset();
    check_close(r.cx.read(b), {2, 4});
    std::vector<float> got(2);
    REQUIRE_OK(tn_tensor_read(other.get(), y.get(), got.data(), 8));
    check_close(got, {1, 4});
  }
  SUBCASE("by programs") {
    const Variable w = flow::variable(r, "w", r.f32({1, 2}));
    const auto step = flow::capture(r, "step", {}, [&](const flow::Raw&) {
      const Tensor v = flow::value_of(r, w), next = flow::add(r, v.get(), v.get());
      REQUIRE_OK(tn_variable_assign(r, w.get(), next.get()));
      return flow::Tensors();
    });
    const auto look = flow::capture(other.get(), "look", {}, [&](const flow::Raw&) {
      const Tensor v = flow::value_of(other.get(), w);
      return flow::list(flow::mul(other.get(), v.get(), v.get()));
    });
    const auto y = flow::run(other.get(), look, {});
    flow::run(r, step, {});
    check_close(r.cx.read(flow::value_of(r, w)), {2, 4});
    std::vector<float> got(2);
    REQUIRE_OK(tn_tensor_read(other.get(), y[0].get(), got.data(), 8));
    check_close(got, {1, 4});
  }
}

TEST_CASE("a captured program that the compiler declines says why") {
  Rolling r;
  const Tensor a = r.f32({1, 2});
  const auto p = flow::capture(
      r, "p", {{{2}}}, [&](const flow::Raw& in) { return flow::list(flow::tanh(r, in[0])); });
  tn_tensor *in[] = {a.get()}, *out[1] = {};
  uint32_t n = 0;
  watched::decline = "too large";
  CHECK_FAILS(tn_program_run(r, p.get(), in, 1, out, 1, &n), TN_UNIMPLEMENTED, "too large");
  watched::decline = nullptr;
  REQUIRE_OK(tn_program_run(r, p.get(), in, 1, out, 1, &n));
  check_close(r.cx.read(Tensor(out[0])), {std::tanh(1.f), std::tanh(2.f)});
}

TEST_CASE("a memory budget is for devices whose memory the core places") {
  Rolling r;
  REQUIRE_OK(tn_capture_begin(r, tn_string("p")));
  CHECK_FAILS(tn_capture_set_memory_budget(r, 1000), TN_UNIMPLEMENTED, "places memory itself");
  tn_capture_abort(r);
}

TEST_CASE("ops are compiled in the modes that they were called in") {
  Rolling r;
  const Tensor a = r.f32({1, 2});
  tn_ctx_set_deterministic(r, 1);
  const Tensor y = flow::add(r, a.get(), a.get());
  tn_ctx_set_deterministic(r, 0);
  check_close(r.cx.read(y), {2, 4});
  CHECK((watched::flags & TN_SIGNATURE_DETERMINISTIC) != 0);
  tn_ctx_set_deterministic(r, 1);
  const Tensor first = flow::add(r, y.get(), a.get());
  tn_ctx_set_deterministic(r, 0);
  const Tensor second = flow::mul(r, first.get(), a.get());
  CHECK((watched::flags & TN_SIGNATURE_DETERMINISTIC) != 0);  // what came before is on its way
  check_close(r.cx.read(second), {3, 12});
  CHECK((watched::flags & TN_SIGNATURE_DETERMINISTIC) == 0);
}

TEST_CASE("a host scalar beside complex numbers of 16 bytes") {
  Rolling r;
  const double z[] = {1, 2, 3, 4};
  const int64_t dims[] = {2};
  const Tensor a = get([&](tn_tensor** o) {
    return tn_tensor_from_host(r, TN_DTYPE_C128, 1, dims, z, sizeof z, o);
  });
  const Tensor two = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(r, 2, o); });
  const Tensor y = get([&](tn_tensor** o) { return tn_mul(r, a.get(), two.get(), o); });
  double got[4] = {};
  REQUIRE_OK(tn_tensor_read(r, y.get(), got, sizeof got));
  for (int k = 0; k < 4; ++k) CHECK(got[k] == 2 * z[k]);
}

// A read waits for all that is under way, and each command may be a thousand ops.
TEST_CASE("the host runs a few programs ahead of the device") {
  Timelines::all.clear();
  setenv("TENON_ADVERSARY_HOLD", "10000", 1);  // nothing is done before somebody waits
  Session cx(TimelinesPlugin::make_runtime([](tn_runtime_desc&) {}));
  unsetenv("TENON_ADVERSARY_HOLD");
  uint64_t most = 0;
  const auto look = [&] { most = std::max(most, Timelines::ahead()); };
  Tensor x = cx.f32({1, 2}, {2});
  SUBCASE("that are flushed") {
    for (int i = 0; i < 200; ++i, look()) {
      x = flow::add(cx, x.get(), x.get());
      REQUIRE_OK(tn_ctx_flush(cx));
    }
  }
  SUBCASE("that were captured") {
    const auto p = flow::capture(cx, "p", {{{2}}}, [&](const flow::Raw& in) {
      return flow::list(flow::add(cx, in[0], in[0]));
    });
    for (int i = 0; i < 200; ++i, look()) x = std::move(flow::run(cx, p, {x.get()})[0]);
  }
  CHECK(most > 8);
  CHECK(most < 64);
}
