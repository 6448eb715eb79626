// Plugins compiled against frozen headers (tests/plugins/frozen) and today's core: it loads and runs them or, where a revision moved
// before 1.0, refuses each by name with both revisions.
#include <doctest/doctest.h>
#include <tenon/plugin/plugin.h>
#include <tenon/tenon.h>

#include <cstring>

#include "plugin_fixture.hpp"

using tenon_test::contains;
using tenon_test::PluginFolder;

namespace {

// Of the frozen headers, and of today's.
constexpr uint32_t kFrozenMajor = 0, kFrozenRevision = 1;
struct Interface {
  const char* id;
  uint32_t major, revision;
};
constexpr Interface kDevice = {TN_IFACE_DEVICE, TN_IFACE_DEVICE_MAJOR, TN_IFACE_DEVICE_REVISION};
constexpr Interface kKernels = {TN_IFACE_KERNELS, TN_IFACE_KERNELS_MAJOR,
                                TN_IFACE_KERNELS_REVISION};
constexpr Interface kOps = {TN_IFACE_OPS, TN_IFACE_OPS_MAJOR, TN_IFACE_OPS_REVISION};
constexpr Interface kOptimizer = {TN_IFACE_OPTIMIZER, TN_IFACE_OPTIMIZER_MAJOR,
                                  TN_IFACE_OPTIMIZER_REVISION};
constexpr Interface kFormat = {TN_IFACE_FORMAT, TN_IFACE_FORMAT_MAJOR, TN_IFACE_FORMAT_REVISION};

struct Outcome {
  tn_code code;
  std::string message;
};
Outcome take(tn_error* error) {
  Outcome o{tn_error_code(error), tn_error_message(error)};
  tn_error_release(error);
  return o;
}
void ok(tn_error* error) {
  const Outcome o = take(error);
  REQUIRE_MESSAGE(o.code == TN_OK, o.message);
}

// A runtime that finds nothing but what is loaded into it, and a context on "plain" where that is there.
struct Host {
  tn_runtime* runtime = nullptr;
  tn_ctx* cx = nullptr;
  PluginFolder folder;

  Host() {
    tn_runtime_desc desc = tn_runtime_desc_init();
    desc.flags = TN_RUNTIME_NO_SEARCH | TN_RUNTIME_NO_ENVIRONMENT;
    ok(tn_runtime_create(&desc, &runtime));
  }
  ~Host() {
    tn_ctx_release(cx);
    tn_runtime_release(runtime);
  }
  Host(const Host&) = delete;

  // Loads the fixture without a manifest, so that the library itself is asked. True: it is in. Else it was refused as it must be.
  bool load(const std::string& kind, std::initializer_list<Interface> uses) {
    const std::string to = folder.path(kind + ".so");
    std::filesystem::copy_file(TENON_FROZEN_PLUGINS "/r1/" + kind + ".so", to);
    std::filesystem::permissions(to, std::filesystem::perms(0755));
    const Outcome o = take(tn_plugin_load(runtime, {to.data(), to.size()}));
    for (const Interface& i : uses) {
      if (i.major == kFrozenMajor && (i.major > 0 || i.revision == kFrozenRevision)) continue;
      CHECK(o.code == TN_INCOMPATIBLE);
      const std::string theirs = std::string(i.id) + "/0 revision 1";
      CHECK_MESSAGE(contains(o.message, theirs), o.message);
      CHECK_MESSAGE(contains(o.message, "revision " + std::to_string(i.revision)), o.message);
      return false;
    }
    REQUIRE_MESSAGE(o.code == TN_OK, kind << ": " << o.message);
    return true;
  }
  bool load_backend() {
    if (!load("backend", {kDevice, kKernels})) return false;
    ok(tn_ctx_create(runtime, tn_string("plain"), &cx));
    return true;
  }
  tn_tensor* tensor(std::initializer_list<float> values) const {
    const auto n = static_cast<int64_t>(values.size());
    tn_tensor* t = nullptr;
    ok(tn_tensor_from_f32(cx, values.begin(), 1, &n, &t));
    return t;
  }
  // Reads, compares and releases.
  void check(tn_tensor* t, const std::vector<float>& expected) const {
    std::vector<float> values(expected.size());
    ok(tn_tensor_read(cx, t, values.data(), values.size() * sizeof(float)));
    CHECK(values == expected);
    tn_tensor_release(t);
  }
};

}  // namespace

TEST_CASE("frozen: a backend of revision 1 computes") {
  Host host;
  if (!host.load_backend()) return;
  tn_tensor *a = host.tensor({1, 2, 3}), *b = host.tensor({4, 5, 6}), *y = nullptr;
  ok(tn_mul(host.cx, a, b, &y));
  host.check(y, {4, 10, 18});
  tn_tensor_release(a);
  tn_tensor_release(b);
}

TEST_CASE("frozen: an op of revision 1 runs and is differentiated") {
  Host host;
  if (!host.load_backend() || !host.load("op", {kOps})) return;
  tn_op op = 0;
  ok(tn_op_find(host.runtime, tn_string("twice"), 0, &op));
  tn_tensor *x = host.tensor({1, -2}), *y = nullptr;
  uint32_t n = 0;
  ok(tn_op_call(host.cx, op, &x, 1, nullptr, 0, &y, 1, &n));
  host.check(y, {2, -4});
  tn_op_info info = tn_op_info_init();
  ok(tn_op_get_info(host.runtime, op, &info));
  CHECK(info.differentiable == 1);
  tn_tensor_release(x);
}

TEST_CASE("frozen: an optimizer of revision 1 steps, with its state") {
  Host host;
  if (!host.load_backend() || !host.load("optimizer", {kOptimizer})) return;
  tn_tensor *start = host.tensor({1, 2}), *grad = host.tensor({2, 4}), *end = nullptr;
  tn_variable* w = nullptr;
  tn_optimizer* optimizer = nullptr;
  ok(tn_variable_create(host.cx, tn_string("w"), start, 0, &w));
  ok(tn_optimizer_create(host.cx, tn_string("climb"), nullptr, 0, &optimizer));
  // The slot begins as 2, then is the last gradient: 1 + 0.5 (2 + 2) = 3, then 3 + 0.5 (2 + 2) = 5; 2 + 0.5 (4 + 2) = 5, then 9.
  for (int i = 0; i < 2; ++i) ok(tn_optimizer_step(host.cx, optimizer, &w, &grad, 1));
  ok(tn_variable_take(host.cx, w, &end));
  host.check(end, {5, 9});
  tn_tensor_release(start);
  tn_tensor_release(grad);
  tn_variable_release(w);
  tn_optimizer_release(optimizer);
}

TEST_CASE("frozen: a format of revision 1 reads") {
  Host host;
  if (!host.load_backend() || !host.load("format", {kFormat})) return;
  const float values[] = {1, 2, 3, 4};
  std::string text = "frozen1\n";
  text.append(reinterpret_cast<const char*>(values), sizeof values);
  const std::string path = host.folder.write("m.frozen", text);
  tn_model* model = nullptr;
  tn_tensor* t = nullptr;
  ok(tn_model_open(host.runtime, {path.data(), path.size()}, nullptr, &model));
  ok(tn_model_take_tensor(host.cx, model, tn_string("data"), &t));
  host.check(t, {1, 2, 3, 4});
  tn_model_release(model);
}
