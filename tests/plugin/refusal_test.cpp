// What an application sees of plugins that are spoilt in one way each: verdict, reason, and that the good one beside them works.
#include <doctest/doctest.h>
#include <link.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "plugin_fixture.hpp"
#include "tenon/plugin/plugin.h"
#include "tenon/tenon.h"

using tenon_test::contains;
using tenon_test::PluginFolder;

namespace {

struct Record {
  uint32_t verdict;
  std::string id, path, version, provides, reason;
};

struct Failure {
  tn_code code;
  std::string message, plugin;
};

Failure take(tn_error* e) {
  Failure f{tn_error_code(e), tn_error_message(e), tn_error_plugin(e)};
  tn_error_release(e);
  return f;
}

std::string text(tn_str s) { return std::string(s.data, s.size); }

class Runtime {
 public:
  explicit Runtime(const std::vector<std::string>& paths = {}, uint32_t trust = TN_TRUST_SAFE_OWNER,
                   const std::string& lock_file = "") {
    std::vector<tn_str> strings;
    for (const std::string& path : paths) strings.push_back({path.data(), path.size()});
    tn_runtime_desc desc = tn_runtime_desc_init();
    desc.flags = TN_RUNTIME_NO_SEARCH | TN_RUNTIME_NO_ENVIRONMENT;
    desc.trust = trust;
    desc.plugin_paths = strings.data();
    desc.plugin_path_count = static_cast<uint32_t>(strings.size());
    desc.lock_file = {lock_file.data(), lock_file.size()};
    const Failure f = take(tn_runtime_create(&desc, &runtime_));
    REQUIRE_MESSAGE(f.code == TN_OK, f.message);
  }
  ~Runtime() { tn_runtime_release(runtime_); }
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  tn_runtime* get() const { return runtime_; }
  Failure load(const std::string& path) const {
    return take(tn_plugin_load(runtime_, {path.data(), path.size()}));
  }
  uint32_t count() const {
    uint32_t n = 0;
    CHECK(take(tn_plugin_count(runtime_, &n)).code == TN_OK);
    return n;
  }
  Record record(uint32_t index) const {
    tn_plugin_record r = tn_plugin_record_init();
    const Failure f = take(tn_plugin_get_record(runtime_, index, &r));
    REQUIRE_MESSAGE(f.code == TN_OK, f.message);
    return {r.verdict, text(r.id), text(r.path), text(r.version), text(r.provides), text(r.reason)};
  }
  // Of the file `path`; fails the test if there is none.
  Record record(const std::string& path) const {
    for (uint32_t i = 0; i < count(); ++i) {
      if (Record r = record(i); r.path == path) return r;
    }
    FAIL("no record of " << path);
    return {};
  }

 private:
  tn_runtime* runtime_ = nullptr;
};

// Loads a spoilt plugin by its path, beside a good one. The error and the record must say the same, and the good one still opens.
void check_refused(const std::string& name, tn_code code, uint32_t verdict,
                   const std::string& reason) {
  CAPTURE(name);
  const PluginFolder folder;
  const std::string good = folder.library("good"), bad = folder.library(name);
  const Runtime runtime;
  const Failure f = runtime.load(bad);
  CHECK_MESSAGE(f.code == code, tn_code_name(f.code));
  CHECK_MESSAGE(f.message == "plugin " + bad + ": " + reason, f.message);
  const Record r = runtime.record(bad);
  CHECK(r.verdict == verdict);
  CHECK(r.reason == reason);
  CHECK(runtime.load(good).code == TN_OK);
  CHECK(runtime.record(good).verdict == TN_PLUGIN_LOADED);
}

constexpr uint32_t kRefused = TN_PLUGIN_REFUSED, kBroken = TN_PLUGIN_BROKEN;

// Where the last segment to be mapped ends in a file; behind it are sections and debug information.
uintmax_t mapped_bytes(const std::string& library) {
  std::ifstream file(library, std::ios::binary);
  ElfW(Ehdr) header{};
  file.read(reinterpret_cast<char*>(&header), sizeof header);
  uintmax_t end = 0;
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (int i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment{};
    file.read(reinterpret_cast<char*>(&segment), sizeof segment);
    if (segment.p_type == PT_LOAD)
      end = std::max<uintmax_t>(end, segment.p_offset + segment.p_filesz);
  }
  return end;
}

}  // namespace

TEST_CASE("plugins: a good one loads and says what it has") {
  const PluginFolder folder;
  const std::string good = folder.library("good");
  const Runtime runtime;
  const Failure f = runtime.load(good);
  CHECK_MESSAGE(f.code == TN_OK, f.message);
  const Record r = runtime.record(good);
  CHECK(r.verdict == TN_PLUGIN_LOADED);
  CHECK(r.id == "org.example.good");
  CHECK(r.version == "1.2.3");
  CHECK(r.provides == "device minimal");
  CHECK(r.reason.empty());
  CHECK(runtime.load(good).code == TN_OK);  // again: nothing happens
  CHECK(runtime.count() == 1);
}

TEST_CASE("plugins: a search opens nothing") {
  const PluginFolder folder;
  const std::string bad = folder.plugin("throws_in_open");
  const Runtime runtime({folder.path()});
  const Record r = runtime.record(bad);
  CHECK(r.verdict == TN_PLUGIN_READY);
  CHECK(r.id == "org.example.throws_in_open");
  CHECK(r.provides == "device minimal");
}

TEST_CASE("plugins: versions that do not fit are refused with both versions") {
  check_refused(
      "newer_revision", TN_INCOMPATIBLE, kRefused,
      "needs a newer host: tenon.device/0 revision 7, this libtenon (0.1.0) offers revision 1");
  check_refused("older_revision", TN_INCOMPATIBLE, kRefused,
                "was built for an older host and must be rebuilt: tenon.device/0 revision 0, this "
                "libtenon (0.1.0) offers "
                "revision 1");
  check_refused("newer_major", TN_INCOMPATIBLE, kRefused,
                "needs a newer host: tenon.device/3 revision 2, this libtenon (0.1.0) offers "
                "tenon.device/0 revision 1");
  check_refused(
      "unknown_interface", TN_INCOMPATIBLE, kRefused,
      "needs a newer host: it offers nothing that this libtenon (0.1.0) knows, but tenon.teleport");
}

TEST_CASE("plugins: tables that do not fit are refused with both sizes") {
  const std::string least = std::to_string(offsetof(tn_device_vtbl, make_value)),
                    size = std::to_string(sizeof(tn_device_vtbl)),
                    larger = std::to_string(sizeof(tn_device_vtbl) + 8);
  check_refused("short_table", TN_INCOMPATIBLE, kRefused,
                "tenon.device has 16 bytes, this libtenon (0.1.0) needs at least " + least);
  check_refused("longer_used", TN_INCOMPATIBLE, kRefused,
                "needs a newer host: tenon.device uses " + larger +
                    " bytes, this libtenon (0.1.0) knows " + size);
  check_refused("short_info", TN_INCOMPATIBLE, kRefused,
                "tn_plugin_info has 8 bytes, this libtenon (0.1.0) needs at least " +
                    std::to_string(sizeof(tn_plugin_info)));
  check_refused("slot_missing", TN_INCOMPATIBLE, kRefused,
                "tenon.device: the required slot free is empty");
  check_refused("op_without_rule", TN_INCOMPATIBLE, kRefused,
                "tenon.ops: ruleless: the required slot infer is empty");
}

TEST_CASE("plugins: a longer table with nothing in the unknown part is fine") {
  const PluginFolder folder;
  const Runtime runtime;
  const Failure f = runtime.load(folder.library("longer_zero"));
  CHECK_MESSAGE(f.code == TN_OK, f.message);
}

TEST_CASE("plugins: what is no plugin is called by its name") {
  check_refused("no_symbol", TN_INVALID_ARGUMENT, kBroken,
                "is not a Tenon plugin: it exports no function tn_plugin_query");
  check_refused("null_info", TN_INVALID_ARGUMENT, kBroken, "tn_plugin_query returned nothing");
  check_refused("missing_dependency", TN_IO, kBroken,
                "cannot be loaded: libtenon_test_vanished.so: cannot open shared object file: No "
                "such file or directory");

  const PluginFolder folder;
  const Runtime runtime;
  Failure f = runtime.load(folder.write("text.so", "I am a text file."));
  CHECK(f.code == TN_INVALID_ARGUMENT);
  CHECK(contains(f.message, "text.so: is not a shared library: no ELF header"));
  f = runtime.load(folder.path("nothing.so"));
  CHECK(f.code == TN_NOT_FOUND);
  CHECK(contains(f.message, "nothing.so: no such file"));
  f = runtime.load(folder.path());
  CHECK(f.code == TN_INVALID_ARGUMENT);
  CHECK(contains(f.message, ": is a folder; a library or a manifest is needed"));
  CHECK(runtime.load("").code == TN_INVALID_ARGUMENT);

  // Cut off anywhere in what is mapped, a library is an error and not a crash.
  const uintmax_t size = mapped_bytes(folder.library("good"));
  REQUIRE(size > 1000);
  for (uintmax_t cut : {uintmax_t{0}, uintmax_t{4}, uintmax_t{40}, uintmax_t{64}, uintmax_t{200},
                        size / 4, size / 2, size - 1}) {
    CAPTURE(cut);
    const std::string part = folder.library("good", "cut" + std::to_string(cut));
    std::filesystem::resize_file(part, cut);
    f = runtime.load(part);
    CHECK(f.code == TN_INVALID_ARGUMENT);
    CHECK_MESSAGE((contains(f.message, ": is cut off: ") || contains(f.message, "no ELF header")),
                  f.message);
  }
}

TEST_CASE("plugins: exceptions and failures stay inside") {
  check_refused("throws_in_query", TN_INTERNAL, kBroken,
                "threw an exception in tn_plugin_query: query went wrong");
  check_refused("throws_in_open", TN_INTERNAL, kBroken,
                "threw an exception in open: open went wrong");
  check_refused("open_fails", TN_DEVICE_FAILED, kBroken, "open failed: the driver is asleep");

  const PluginFolder folder;
  const Runtime runtime;
  const std::string none = folder.library("no_device"),
                    throwing = folder.library("throws_in_props");
  CHECK(runtime.load(none).code == TN_OK);
  CHECK(runtime.record(none).provides == "it found no device");
  const auto refused = runtime.load(throwing);
  CHECK(refused.code == TN_INTERNAL);
  CHECK(runtime.record(throwing).verdict == kBroken);
}

TEST_CASE("plugins: devices that cannot be are refused") {
  check_refused("many_devices", TN_INTERNAL, kBroken,
                "its devices cannot be listed: count gives 4000000000 devices");
  check_refused("no_type", TN_INTERNAL, kBroken,
                "its devices cannot be listed: \"a:b\" is no type of a device");
  check_refused("odd_alignment", TN_INTERNAL, kBroken,
                "its devices cannot be listed: the alignment of device 0 is 96, no power of two");
}

TEST_CASE("plugins: what a device throws while it works is an error of the call, or nothing") {
  const PluginFolder folder;
  const Runtime runtime;
  const std::string path = folder.library("throws_in_commands");
  CHECK(runtime.load(path).code == TN_OK);
  tn_ctx* ctx = nullptr;
  tn_tensor *x = nullptr, *y = nullptr;
  const float data[] = {1, 2};
  const int64_t n = 2;
  REQUIRE(take(tn_ctx_create(runtime.get(), tn_string("minimal"), &ctx)).code == TN_OK);
  REQUIRE(take(tn_tensor_from_f32(ctx, data, 1, &n, &x)).code == TN_OK);
  for (int i = 0; i < 2; ++i) {  // the second call takes the short road
    const Failure f = take(tn_neg(ctx, x, &y));
    CHECK(f.code == TN_INTERNAL);
    CHECK(f.message == "neg: threw an exception in run");
  }
  CHECK(take(tn_abs(ctx, x, &y)).message == "abs: threw an exception in prepare");
  CHECK(contains(take(tn_exp(ctx, x, &y)).message, "exp: the kernel asks for a workspace of 1844"));
  tn_tensor_drop(ctx, x);
  CHECK(take(tn_device_trim(tn_ctx_get_device(ctx))).code == TN_OK);  // frees, and that throws
  tn_ctx_release(ctx);
}

TEST_CASE("plugins: of two with one id the first has it") {
  const PluginFolder folder;
  const std::string first = folder.plugin("good", "a_first"),
                    second = folder.plugin("good", "b_second");
  const Runtime runtime({folder.path()});
  CHECK(runtime.record(first).verdict == TN_PLUGIN_READY);
  CHECK(runtime.record(second).verdict == kRefused);
  CHECK(runtime.record(second).reason == "the id org.example.good is taken by " + first);
  const Failure f = runtime.load(second);
  CHECK(f.code == TN_ALREADY_EXISTS);
  CHECK(f.message == "plugin " + second + ": the id org.example.good is taken by " + first);
  CHECK(f.plugin == "org.example.good");

  // The same where the id shows only when the library is asked.
  const PluginFolder bare;
  const std::string one = bare.library("good", "one"), two = bare.library("good", "two");
  const Runtime other;
  CHECK(other.load(one).code == TN_OK);
  CHECK(other.load(two).code == TN_ALREADY_EXISTS);
  CHECK(other.record(two).reason == "the id org.example.good is taken by " + one);

  // And where it shows only once another one stands ready to have it.
  const PluginFolder later;
  const std::string ready = later.plugin("good");
  const Runtime both({one, later.path()});
  CHECK(both.record(ready).verdict == TN_PLUGIN_READY);
  CHECK(both.load(one).code == TN_OK);
  CHECK(both.record(ready).reason == "the id org.example.good is taken by " + one);
}

TEST_CASE("plugins: an id held by a broken one is free") {
  const PluginFolder folder;
  folder.manifest("good", "a_first", R"("provides": {"devices": ["minimal"]})");
  folder.write("a_first.so", "no library");
  const std::string second = folder.plugin("good", "b_second");
  const Runtime runtime({folder.path()});
  CHECK(runtime.record(second).verdict == kRefused);
  CHECK(runtime.load(folder.path("a_first.so")).code == TN_INVALID_ARGUMENT);
  CHECK(runtime.record(second).verdict == TN_PLUGIN_READY);
  CHECK(runtime.load(second).code == TN_OK);
}

TEST_CASE("plugins: safe-owner refuses what others could change") {
  PluginFolder folder;
  const std::string good = folder.library("good");
  const Runtime runtime;
  auto check = [&](const std::string& reason) {
    const Failure f = runtime.load(good);
    CHECK(f.code == TN_PERMISSION_DENIED);
    CHECK_MESSAGE(f.message == "plugin " + good + ": " + reason, f.message);
    CHECK(runtime.record(good).verdict == kRefused);
  };
  REQUIRE(chmod(good.c_str(), 0757) == 0);
  check("the file " + good +
        " is writable by others (trust policy safe-owner; chmod go-w would settle it)");
  REQUIRE(chmod(good.c_str(), 0775) == 0);
  check("the file " + good +
        " is writable by its group (trust policy safe-owner; chmod go-w would settle it)");
  REQUIRE(chmod(good.c_str(), 0755) == 0);
  REQUIRE(chmod(folder.path().c_str(), 01777) ==
          0);  // a sticky folder lets others add and name files
  check("the folder " + folder.path() +
        " is writable by others (trust policy safe-owner; chmod go-w would settle it)");

  // A link from a safe folder changes nothing: the file itself counts.
  PluginFolder safe;
  std::filesystem::create_symlink(good, safe.path("link.so"));
  CHECK(runtime.load(safe.path("link.so")).code == TN_PERMISSION_DENIED);
  const Runtime trusting({}, TN_TRUST_ANY);
  CHECK(trusting.load(good).code == TN_OK);

  REQUIRE(chmod(folder.path().c_str(), 0700) == 0);
  if (geteuid() == 0) {
    REQUIRE(chown(good.c_str(), 12345, 12345) == 0);
    check("the file " + good +
          " belongs to user 12345, not to root or to user 0, who runs this program (trust policy "
          "safe-owner)");
    REQUIRE(chown(good.c_str(), 0, 0) == 0);
  } else {
    MESSAGE("not root: a foreign owner was not tried");
  }
  CHECK(runtime.load(good).code == TN_OK);  // mended, it loads
}

TEST_CASE("plugins: safe-owner looks at all folders above, where a sticky one is fine") {
  const PluginFolder top;
  const std::string middle = top.path("middle"), folder = middle + "/folder",
                    good = folder + "/good.so";
  std::filesystem::create_directories(folder);
  REQUIRE(chmod(middle.c_str(), 0755) == 0);
  REQUIRE(chmod(folder.c_str(), 0755) == 0);
  std::filesystem::rename(top.library("good"), good);
  const auto check = [&](const std::string& path, const std::string& reason) {
    const Runtime runtime;
    const Failure f = runtime.load(good);
    CHECK(f.code == TN_PERMISSION_DENIED);
    CHECK_MESSAGE(f.message == "plugin " + good + ": the folder " + path + reason, f.message);
    CHECK(runtime.record(good).verdict == kRefused);
  };
  const std::string advice = " (trust policy safe-owner; chmod go-w would settle it)";
  REQUIRE(chmod(middle.c_str(), 0757) == 0);
  check(middle, " is writable by others" + advice);
  REQUIRE(chmod(middle.c_str(), 0775) == 0);
  check(middle, " is writable by its group" + advice);
  REQUIRE(chmod(middle.c_str(), 01777) == 0);
  CHECK(Runtime().load(good).code == TN_OK);
  REQUIRE(chmod(middle.c_str(), 0755) == 0);

  REQUIRE(chmod(top.path().c_str(), 0777) == 0);
  check(top.path(), " is writable by others" + advice);
  REQUIRE(chmod(top.path().c_str(), 0755) == 0);
  if (geteuid() == 0) {
    REQUIRE(chmod(middle.c_str(), 01777) == 0);
    REQUIRE(chown(middle.c_str(), 12345, 12345) == 0);
    check(middle,
          " belongs to user 12345, not to root or to user 0, who runs this program (trust policy "
          "safe-owner)");
    REQUIRE(chown(middle.c_str(), 0, 0) == 0);
  } else {
    MESSAGE("not root: a foreign owner was not tried");
  }
  CHECK(Runtime().load(good).code == TN_OK);
}

TEST_CASE("plugins: policy none opens no file") {
  const PluginFolder folder;
  const std::string good = folder.plugin("good");
  const Runtime runtime({folder.path()}, TN_TRUST_NONE);
  CHECK(runtime.record(good).verdict == kRefused);
  const Failure f = runtime.load(good);
  CHECK(f.code == TN_PERMISSION_DENIED);
  CHECK(f.message == "plugin " + good + ": plugin files are not opened at all (trust policy none)");
}

TEST_CASE("plugins: policy pinned wants the hash in the lock file") {
  const PluginFolder folder;
  const std::string good = folder.library("good"), zeros(64, '0');
  auto reason = [&](const std::string& lock_file) {
    const Runtime runtime({}, TN_TRUST_PINNED, lock_file);
    const Failure f = runtime.load(good);
    CHECK(f.code == TN_PERMISSION_DENIED);
    CHECK(runtime.record(good).verdict == kRefused);
    return f.message.substr(std::min(f.message.size(), ("plugin " + good + ": ").size()));
  };
  const std::string lock = folder.path("plugins.lock");
  CHECK(reason("") == "no lock file was given (trust policy pinned)");
  CHECK(reason(lock) == "the lock file " + lock + ": no such file (trust policy pinned)");
  folder.write("plugins.lock", "nonsense\n");
  CHECK(reason(lock) ==
        "the lock file " + lock + ", line 1: not \"<SHA-256> <file>\" (trust policy pinned)");
  folder.write("plugins.lock", "# nothing here yet\n" + zeros + "  other.so\n");
  CHECK(reason(lock) == "is not listed in " + lock + " (trust policy pinned)");
  folder.write("plugins.lock", zeros + "  good.so\n");
  const std::string told = reason(lock);
  CHECK(contains(told, ", which is not the one in " + lock + " (trust policy pinned)"));

  const std::string hash = told.substr(std::string("its SHA-256 is ").size(), 64);
  for (const std::string& line :
       {hash + "  good.so\n", zeros + "  good.so\r\n" + hash + " *good.so", hash + "  ./good.so",
        hash + "  " + good}) {
    CAPTURE(line);
    folder.write("plugins.lock", line);
    const Runtime runtime({}, TN_TRUST_PINNED, lock);
    const Failure f = runtime.load(good);
    CHECK_MESSAGE(f.code == TN_OK, f.message);
  }
}

TEST_CASE("plugins: manifests are checked before any code runs") {
  const PluginFolder folder;
  auto reason = [&](const std::string& text) {
    folder.write("m.json", text);
    const Runtime runtime({folder.path("m.json")});
    const Record r = runtime.record(0u);
    CHECK(r.verdict ==
          (contains(r.reason, "needs a") || contains(r.reason, "needs the") ? kRefused : kBroken));
    return r.reason;
  };
  auto with = [](const std::string& id, const std::string& library, const std::string& interfaces,
                 const std::string& more = "") {
    return R"({"id": ")" + id + R"(", "version": "1", "library": ")" + library +
           R"(", "interfaces": {)" + interfaces + "}" + more + "}";
  };
  const std::string device = R"("tenon.device": {"major": 0, "revision": 1})";

  CHECK(contains(reason("{"), "manifest: not JSON: parse error at line 1, column 2"));
  CHECK(reason("[]") == "manifest: not a JSON object");
  CHECK(reason(std::string(100, '[')) == "manifest: nested deeper than 16 levels");
  CHECK(reason(std::string(70000, ' ')) == "manifest: has 70000 bytes, the limit is 65536");
  CHECK(reason("{}") == "manifest: \"id\" is missing");
  CHECK(reason(with("good", "x.so", device)) ==
        "manifest: the id \"good\" is no reverse-DNS name such as org.example.name");
  for (const char* library : {"../x.so", "/lib/x.so", "sub/x.so", ".."}) {
    CHECK(reason(with("a.b", library, device)) ==
          std::string("manifest: the library \"") + library +
              "\" is not a plain file name: it must lie in the manifest's own folder");
  }
  CHECK(reason(with("a.b", "gone.so", device)) == "its library gone.so is missing");
  CHECK(reason(with("a.b", "x.so", "")) ==
        "manifest: \"interfaces\" is missing, empty or not an object");
  CHECK(reason(with("a.b", "x.so", R"("tenon.device": {"major": 0})")) ==
        "manifest: interface \"tenon.device\" lacks its major or revision");
  CHECK(reason(with("a.b", "x.so", R"("tenon.device": {"major": 0, "revision": -1})")) ==
        "manifest: \"revision\" is not an integer from 0 to 4294967295");
  CHECK(reason(with("a.b", "x.so", device, R"(, "provides": {"devices": "cpu"})")) ==
        "manifest: \"devices\" is not a list of at most 10000 names");
  CHECK(reason(with("a.b", "x.so", device, R"(, "provides": {"formats": ["safetensors"]})")) ==
        "manifest: \"formats\" holds something that is not an object");
  CHECK(reason(with("a.b", "x.so", device, R"(, "priority": 1e30)")) ==
        "manifest: \"priority\" is not an integer from -1000000 to 1000000");

  folder.library("good", "x");
  CHECK(reason(with("a.b", "x.so", R"("tenon.device": {"major": 0, "revision": 7})")) ==
        "needs a newer host: tenon.device/0 revision 7, this libtenon (0.1.0) offers revision 1");
  CHECK(
      reason(with("a.b", "x.so", R"("tenon.teleport": {"major": 0, "revision": 7})")) ==
      "needs a newer host: it offers nothing that this libtenon (0.1.0) knows, but tenon.teleport");
  CHECK(reason(with("a.b", "x.so", device, R"(, "cpu_features": ["quantum"])")) ==
        "needs the CPU feature quantum, of which this libtenon (0.1.0) cannot tell whether it is "
        "there");
}

TEST_CASE("plugins: manifest and library must agree") {
  const PluginFolder folder;
  folder.manifest("other", "good", R"("provides": {})");
  const std::string good = folder.library("good");
  const Runtime runtime({folder.path()});
  Failure f = runtime.load(good);
  CHECK(f.message ==
        "plugin " + good +
            ": its manifest says that it is org.example.other, the library says org.example.good");
  CHECK(runtime.record(good).verdict == kBroken);

  const PluginFolder crossed;
  crossed.library("good", "b");
  const std::string a = crossed.library("good", "a");
  std::filesystem::rename(crossed.manifest("good", "b", R"("provides": {})"),
                          crossed.path("a.json"));
  f = runtime.load(a);
  CHECK(f.message ==
        "plugin " + a + ": its manifest names another library: " + crossed.path("b.so"));
}

TEST_CASE("plugins: nothing that was looked at is passed over in silence") {
  const PluginFolder folder;
  const std::string bare = folder.library("good", "bare");
  const std::string gone = folder.path("gone");
  const Runtime runtime({folder.path(), gone});
  CHECK(runtime.count() == 2);
  CHECK(runtime.record(bare).verdict == kBroken);
  CHECK(runtime.record(bare).reason == "has no manifest: bare.json should lie beside it");
  CHECK(runtime.record(gone).reason == "no such file or folder");
  CHECK(runtime.load(bare).code == TN_OK);  // by its very name it needs none
}

TEST_CASE("plugins: records and the report check what they are given") {
  const PluginFolder folder;
  folder.plugin("good");
  const Runtime runtime({folder.path()});
  tn_plugin_record r = tn_plugin_record_init();
  Failure f = take(tn_plugin_get_record(runtime.get(), 1, &r));
  CHECK(f.code == TN_OUT_OF_RANGE);
  CHECK(f.message == "plugin record 1: there are 1");
  r.struct_size = 4;
  CHECK(take(tn_plugin_get_record(runtime.get(), 0, &r)).code == TN_INVALID_ARGUMENT);
  CHECK(take(tn_plugin_get_record(runtime.get(), 0, nullptr)).code == TN_INVALID_ARGUMENT);
  CHECK(take(tn_plugin_count(runtime.get(), nullptr)).code == TN_INVALID_ARGUMENT);
  CHECK(take(tn_plugin_report(runtime.get(), nullptr, 8, nullptr)).code == TN_INVALID_ARGUMENT);

  const std::string expected =
      R"([{"id": "org.example.good", "path": ")" + folder.path("good.so") +
      R"(", "verdict": "ready", "reason": "", "version": "1.2.3", "provides": "device minimal"}])"
      "\n";
  uint64_t size = 0;
  CHECK(take(tn_plugin_report(runtime.get(), nullptr, 0, &size)).code == TN_OK);
  CHECK(size == expected.size());
  std::string buffer(size + 1, 'x');
  CHECK(take(tn_plugin_report(runtime.get(), buffer.data(), buffer.size(), nullptr)).code == TN_OK);
  CHECK(buffer.c_str() == expected);
  char cut[5] = "xxxx";
  CHECK(take(tn_plugin_report(runtime.get(), cut, sizeof cut, &size)).code == TN_OK);
  CHECK(std::string(cut) == expected.substr(0, 4));
  CHECK(size == expected.size());
}

TEST_CASE("plugins: a record's strings outlive what happens to it later") {
  const PluginFolder folder;
  const std::string path = folder.library("open_fails");
  const Runtime runtime({path});
  tn_plugin_record before = tn_plugin_record_init();
  CHECK(take(tn_plugin_get_record(runtime.get(), 0, &before)).code == TN_OK);
  CHECK(runtime.load(path).code == TN_DEVICE_FAILED);
  CHECK(text(before.reason).empty());
  CHECK(text(before.path) == path);
  CHECK(runtime.record(0u).reason == "open failed: the driver is asleep");
}
