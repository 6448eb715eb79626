// The registry from the inside: choice among plugins, normalised tables, search, life.
#include "plugin/registry.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "../../plugin/plugin_fixture.hpp"
#include "base/error.hpp"
#include "plugin/library.hpp"
#include "plugin/search.hpp"

using namespace tenon;  // NOLINT(google-build-using-namespace)
using tenon_test::contains;
using tenon_test::PluginFolder;

namespace {

const tn_host* mock_host(const std::string&) {
  static const tn_host host = [] {
    tn_host h{};
    h.struct_size = sizeof h;
    h.version = TENON_VERSION;
    h.error = [](const tn_host*, tn_code code, tn_str message) {
      return tn_error_create(code, message);
    };
    return h;
  }();
  return &host;
}

PluginConfig only(const std::vector<std::string>& paths) {
  PluginConfig c;
  c.search = false;
  c.paths = paths;
  return c;
}

std::string device_plugin(const PluginFolder& folder, const std::string& name,
                          const std::string& as, int priority) {
  return folder.plugin(name, as, R"("priority": )" + std::to_string(priority));
}

Error error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e;
  }
  return Error(TN_OK, "");
}

// Sets a variable for one scope.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = getenv(name)) old_ = old, had_ = true;
    setenv(name, value.c_str(), 1);
  }
  ~Environment() { had_ ? setenv(name_, old_.c_str(), 1) : unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

// Plugins that are linked in.
int static_opened = 0, static_closed = 0;
tn_error* TN_CALL static_open(const tn_host*, void** out_state) {
  ++static_opened;
  *out_state = &static_opened;
  return nullptr;
}
void TN_CALL static_close(void*) { ++static_closed; }
tn_error* TN_CALL static_infer(tn_infer*) { return nullptr; }
const tn_plugin_info* TN_CALL static_query(uint32_t) {
  static const tn_op_def op = {
      sizeof(tn_op_def), 0,       {"static_op", 9}, 1,      0, nullptr, 0, 1, nullptr,
      static_infer,      nullptr, nullptr,          {"", 0}};
  static const tn_ops_vtbl ops = {sizeof(tn_ops_vtbl), sizeof(tn_op_def), 1, 0, &op};
  static const tn_interface interfaces[] = {{{"tenon.ops", 9}, 0, 1, &ops}};
  static const tn_plugin_info info = {sizeof(tn_plugin_info),
                                      TENON_VERSION,
                                      {"org.example.good", 16},
                                      {"9", 1},
                                      interfaces,
                                      1,
                                      sizeof(tn_interface),
                                      static_open,
                                      static_close};
  return &info;
}

void nothing(Plugin&) {}

}  // namespace

TEST_CASE("registry: priority decides, then the id, unless one is asked for") {
  const PluginFolder folder;
  device_plugin(folder, "longer_zero", "z", 5);
  device_plugin(folder, "good", "a", 5);
  device_plugin(folder, "strided", "s", 3);
  device_plugin(folder, "throws_in_open", "t", 50);
  device_plugin(folder, "newer_revision", "n", 90);
  int opened = 0;
  PluginRegistry r(only({folder.path()}), mock_host, [&](Plugin& p) {
    ++opened;
    CHECK(p.state != nullptr);
  });
  r.search();
  CHECK(r.count() == 5);
  CHECK(opened == 0);
  Plugin* p = r.open_first(Provision::device, "minimal");
  REQUIRE(p);
  CHECK(p->id == "org.example.good");  // the better ones failed
  CHECK(p->priority == 5);
  CHECK(r.open_first(Provision::device, "minimal") == p);
  CHECK(opened == 1);
  Plugin* z = r.open_first(Provision::device, "minimal", "org.example.longer_zero");
  REQUIRE(z);
  CHECK(z->id == "org.example.longer_zero");
  CHECK(!r.open_first(Provision::device, "minimal", "org.example.nobody"));
  CHECK(!r.open_first(Provision::device, "maximal"));
  CHECK(r.opened() == std::vector<Plugin*>{p, z});
  const std::vector<Plugin*> all = r.open_all(Provision::device);
  REQUIRE(all.size() == 3);
  CHECK(all[0] == p);
  CHECK(all[1] == z);
  CHECK(all[2]->id == "org.example.strided");
}

TEST_CASE("registry: why there is no such thing") {
  const PluginFolder folder;
  const std::string thrower = device_plugin(folder, "throws_in_open", "t", 1);
  PluginRegistry r(only({folder.path()}), mock_host, nothing);
  r.search();
  CHECK(!r.open_first(Provision::device, "minimal"));
  CHECK(r.why_not(Provision::device, "minimal") ==
        "org.example.throws_in_open (" + thrower +
            ") is broken: threw an exception in open: open went wrong");
  const PluginFolder empty;
  PluginRegistry none(only({empty.path()}), mock_host, nothing);
  none.search();
  CHECK(none.why_not(Provision::op, "swish") == "searched: " + empty.path());
  PluginRegistry good(only({folder.library("good")}), mock_host, nothing);
  good.search();
  CHECK(good.open_all(Provision::device).size() == 1);
  CHECK(good.why_not(Provision::device, "cuda") == "there are minimal");
  PluginRegistry without(only({folder.library("no_device")}), mock_host, nothing);
  without.search();
  CHECK(!without.open_first(Provision::device, "minimal"));
  CHECK(contains(without.why_not(Provision::device, "minimal"), "it found no device"));
}

TEST_CASE("registry: tables come out whole") {
  const PluginFolder folder;
  PluginRegistry r(only({folder.library("good")}), mock_host, nothing);
  r.search();
  const Plugin* p = r.open_first(Provision::device, "minimal");
  REQUIRE(p);
  CHECK(p->priority == 7);  // without a manifest: what its device says
  REQUIRE(p->device);
  CHECK(!p->kernels);
  CHECK(!p->ops);
  CHECK(p->device->struct_size == sizeof(tn_device_vtbl));
  uint64_t n = 0;
  void* queue = nullptr;
  auto absent = [](tn_error* e, const std::string& slot) {
    const Error error(e);
    CHECK(error.code() == TN_UNIMPLEMENTED);
    CHECK(error.message() == "the plugin leaves out the optional slot tenon.device." + slot);
  };
  absent(p->device->memory_free(nullptr, &n), "memory_free");
  absent(p->device->queue_create(nullptr, nullptr, &queue), "queue_create");
  absent(p->device->queue_wait(nullptr, 0, 0), "queue_wait");
  absent(p->device->queue_wait_for(nullptr, nullptr, nullptr, 0), "queue_wait_for");
  absent(p->device->queue_native(nullptr, &n), "queue_native");
  p->device->queue_destroy(nullptr);
}

TEST_CASE("registry: arrays are walked in the plugin's stride") {
  const PluginFolder folder;
  const std::string path = folder.library("strided");
  PluginRegistry r(only({path}), mock_host, nothing);
  r.search();
  Plugin* p = r.open_first(Provision::op, "third_op");
  REQUIRE(p);
  REQUIRE(p->ops->op_count == 3);
  CHECK(p->ops->op_stride == sizeof(tn_op_def));
  CHECK(std::string(p->ops->ops[2].name.data) == "third_op");
  CHECK(p->ops->ops[2].struct_size == sizeof(tn_op_def));
  CHECK(r.open_first(Provision::op, "first_op") == p);
  CHECK(!r.open_first(Provision::op, "fourth_op"));
  CHECK(r.open_first(Provision::optimizer, "run") == p);
  CHECK(std::string(p->optimizer->optimizers[1].name.data) == "run");
  const std::vector<tn_kernel> kernels = r.kernels(*p, nullptr);
  REQUIRE(kernels.size() == 2);
  CHECK(std::string(kernels[1].op.data) == "matmul");
  CHECK(bool(kernels[1].prepare));
  CHECK(r.records()[0].provides ==
        "device minimal, 2 kernels, ops first_op second_op third_op, optimizers walk run");
}

TEST_CASE("registry: entries and kernels that do not fit") {
  const PluginFolder folder;
  PluginRegistry r(only({folder.library("strided")}), mock_host, nothing);
  r.search();
  Plugin* p = r.open_first(Provision::op, "first_op");
  REQUIRE(p);
  tn_kernels_vtbl broken = *p->kernels;
  broken.kernel_stride = 8;
  CHECK(contains(error_of([&] { copy_kernels(broken, nullptr); }).message(),
                 "tenon.kernels: entries are 8 bytes apart"));
  broken.kernel_stride = sizeof(tn_kernel);  // less than the entries say they have
  CHECK(contains(error_of([&] { copy_kernels(broken, nullptr); }).message(), "more than the"));
  broken.kernel_stride = p->kernels->kernel_stride;
  broken.list = [](void*, const tn_kernel**, uint32_t* n) -> tn_error* { return *n = 3, nullptr; };
  CHECK(error_of([&] { copy_kernels(broken, nullptr); }).code() == TN_INCOMPATIBLE);
  broken.list = [](void*, const tn_kernel**, uint32_t*) -> tn_error* {
    throw std::runtime_error("listing went wrong");
  };
  Plugin copy = *p;
  copy.kernels = &broken;
  CHECK(std::string(error_of([&] { r.kernels(copy, nullptr); }).message()) ==
        "threw an exception in list: listing went wrong");
}

TEST_CASE("registry: what cannot be registered is closed again") {
  static_opened = static_closed = 0;
  PluginConfig c = only({});
  c.statics = {static_query};
  PluginRegistry r(c, mock_host,
                   [](Plugin&) { fail(TN_ALREADY_EXISTS, "op static_op: exists already"); });
  r.search();
  CHECK(!r.open_first(Provision::op, "static_op"));
  CHECK(static_opened == 1);
  CHECK(static_closed == 1);
  CHECK(r.records()[0].verdict == TN_PLUGIN_BROKEN);
  CHECK(r.records()[0].reason == "op static_op: exists already");
}

TEST_CASE("registry: static plugins take the same road and come first") {
  static_opened = static_closed = 0;
  const PluginFolder folder;
  folder.plugin("good");
  PluginConfig c = only({folder.path()});
  c.statics = {static_query};
  c.trust = TN_TRUST_NONE;
  std::vector<std::string> log;
  c.log = [&](uint32_t, std::string_view message) { log.emplace_back(message); };
  PluginRegistry r(c, mock_host, nothing);
  r.search();
  CHECK(static_opened == 0);
  const auto records = r.records();
  REQUIRE(records.size() == 2);
  CHECK(records[0].path == "static");
  CHECK(records[0].id == "org.example.good");
  CHECK(records[0].verdict == TN_PLUGIN_READY);
  CHECK(records[1].verdict == TN_PLUGIN_REFUSED);
  REQUIRE(r.open_first(Provision::op, "static_op"));
  CHECK(static_opened == 1);
  r.close_all();
  r.close_all();
  CHECK(static_closed == 1);
  CHECK(error_of([&] { r.open_first(Provision::op, "static_op"); }).code() == TN_SHUTDOWN);
  CHECK(r.records().size() == 2);
  CHECK(log.size() >= 2);
}

TEST_CASE("registry: two runtimes open a plugin each") {
  static_opened = static_closed = 0;
  PluginConfig c = only({});
  c.statics = {static_query};
  {
    PluginRegistry a(c, mock_host, nothing), b(c, mock_host, nothing);
    a.search(), b.search();
    CHECK(a.open_first(Provision::op, "static_op") != b.open_first(Provision::op, "static_op"));
    CHECK(static_opened == 2);
  }
  CHECK(static_closed == 2);
}

TEST_CASE("registry: while one is opened it may ask for another, not for itself") {
  const PluginFolder folder;
  folder.plugin("longer_zero");
  PluginConfig c = only({folder.path()});
  c.statics = {static_query};
  PluginRegistry* registry = nullptr;
  bool asked = false;
  PluginRegistry r(c, mock_host, [&](Plugin& p) {
    if (!p.ops) return;
    asked = true;
    CHECK(!registry->open_first(Provision::op, "static_op"));  // itself: not before it is open
    CHECK(registry->open_first(Provision::device, "minimal"));
  });
  registry = &r;
  r.search();
  CHECK(r.open_first(Provision::op, "static_op"));
  CHECK(asked);
}

TEST_CASE("registry: eight threads ask for the same thing") {
  const PluginFolder folder;
  folder.plugin("good");
  std::atomic<int> opened{0};
  PluginRegistry r(only({folder.path()}), mock_host, [&](Plugin&) { ++opened; });
  r.search();
  std::vector<Plugin*> found(8);
  std::vector<std::thread> threads;
  for (Plugin*& p : found) {
    threads.emplace_back([&] {
      p = r.open_first(Provision::device, "minimal");
      r.report_json();
      r.record(0);
    });
  }
  for (std::thread& t : threads) t.join();
  CHECK(opened == 1);
  for (Plugin* p : found) CHECK(p == found[0]);
  CHECK(found[0]);
}

TEST_CASE("search: places in their order, and never the current folder") {
  const PluginFolder a, b, data;
  const Environment path("TENON_PLUGIN_PATH", ":" + a.path() + "::relative:.:" + b.path() + ":");
  const Environment user("XDG_DATA_HOME", data.path());
  auto list = [](const std::vector<std::string>& paths, bool search, bool environment) {
    std::vector<std::string> names;
    for (const PluginPlace& p : plugin_places(paths, search, environment)) names.push_back(p.path);
    return names;
  };
  const auto all = list({"given", ""}, true, true);
  REQUIRE(all.size() >= 7);
  CHECK(all[0] == "given");
  CHECK(all[1] == a.path());
  CHECK(all[2] == "relative");  // which search() only reports, as the next
  CHECK(all[3] == ".");
  CHECK(all[4] == b.path());
  CHECK(all[5] == data.path() + "/tenon/plugins");
  const std::string own = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
  CHECK(all[6] == own + "/tenon/plugins");  // here the library is linked into the program
  CHECK(list({"given"}, false, true) == std::vector<std::string>{"given"});
  const auto quiet = list({}, true, false);
  CHECK(quiet[0] == own + "/tenon/plugins");
  const Environment relative("XDG_DATA_HOME", "data");
  const Environment home("HOME", "/home/nobody");
  CHECK(list({}, true, true)[4] == "/home/nobody/.local/share/tenon/plugins");
}

TEST_CASE("search: the environment counts, a folder is searched once") {
  const PluginFolder folder;
  folder.plugin("good");
  std::filesystem::create_directory_symlink(folder.path(), folder.path("again"));
  const Environment path("TENON_PLUGIN_PATH", folder.path() + ":" + folder.path("again"));
  PluginConfig c;
  auto found = [&] {
    PluginRegistry r(c, mock_host, nothing);
    r.search();
    int n = 0;
    for (const PluginRecord& record : r.records()) n += record.path == folder.path("good.so");
    return n;
  };
  CHECK(found() == 1);
  c.environment = false;
  CHECK(found() == 0);
}

TEST_CASE("search: a relative path in the environment is not searched, and it is said") {
  const PluginFolder folder;
  folder.plugin("good");
  const std::string before = std::filesystem::current_path().string();
  std::filesystem::current_path(folder.path());
  const Environment path("TENON_PLUGIN_PATH", ".");
  PluginRegistry r({}, mock_host, nothing);
  r.search();
  std::filesystem::current_path(before);
  int said = 0;
  for (const PluginRecord& record : r.records()) {
    CHECK(record.path != folder.path("good.so"));
    if (record.path != ".") continue;
    ++said;
    CHECK(record.verdict == TN_PLUGIN_BROKEN);
    CHECK(record.reason.find("a relative path in TENON_PLUGIN_PATH") == 0);
  }
  CHECK(said == 1);
}

TEST_CASE("manifest: CPU features") {
#if defined(__x86_64__)
  CHECK_NOTHROW(check_cpu_feature("sse4.1"));
  if (!__builtin_cpu_supports("avx512vnni")) {
    CHECK(std::string(error_of([] { check_cpu_feature("avx512vnni"); }).message()) ==
          "needs a CPU with avx512vnni, which this one lacks");
  }
#endif
  CHECK(error_of([] { check_cpu_feature("quantum"); }).code() == TN_INCOMPATIBLE);
}

TEST_CASE("manifest: everything in its place") {
  const Manifest m = parse_manifest(
      R"({"id": "org.tenon.x", "version": "0.1.0", "library": "x.so", "priority": -3, "new": [],
    "interfaces": {"tenon.format": {"major": 0, "revision": 1}}, "cpu_features": ["avx2"],
    "provides": {"ops": ["a"], "optimizers": ["b", "c"], "formats": [{"name": "f", "extensions": [".f", ".ff"]}]}})");
  CHECK(m.id == "org.tenon.x");
  CHECK(m.priority == -3);
  CHECK(m.cpu_features == std::vector<std::string>{"avx2"});
  CHECK(m.provides.has(Provision::format, "f"));
  CHECK(m.provides.has(Provision::format, ".ff"));
  CHECK(!m.provides.has(Provision::format, ".g"));
  CHECK(m.provides.has(Provision::optimizer, "c"));
  CHECK(m.provides.text() == "op a, optimizers b c, format f");
}

TEST_CASE("manifest: damaged in any byte, it is read or refused, never more") {
  const std::string whole =
      R"({"id": "org.tenon.x", "version": "1", "library": "x.so", "priority": 1,
    "interfaces": {"tenon.device": {"major": 0, "revision": 1}}, "provides": {"devices": ["d"], "formats": [{"name": "f"}]}})";
  auto try_it = [](const std::string& text) {
    try {
      parse_manifest(text);
    } catch (const Error& e) {
      CHECK(e.code() == TN_INVALID_ARGUMENT);
      CHECK(std::string_view(e.message()).starts_with("manifest: "));
    }
  };
  for (size_t i = 0; i < whole.size(); ++i) {
    try_it(whole.substr(0, i));
    for (const char c : {'"', '{', '}', '[', ']', '0', '\\', '\0', '\xff'}) {
      std::string text = whole;
      text[i] = c;
      try_it(text);
    }
  }
}
