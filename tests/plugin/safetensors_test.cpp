// The safetensors plugin alone, through its tables; TENON_SAFETENSORS_PLUGIN is its path.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <tenon/plugin/format.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <vector>

#include "faulty_calls.hpp"
#include "files.hpp"
#include "mock_host.hpp"
#include "safetensors_cases.hpp"

namespace fs = std::filesystem;
using namespace tenon::test;  // NOLINT(google-build-using-namespace)

namespace {

// The plugin, opened with a host of its own.
struct Format {
  tn_host host = mock_host();
  const tn_plugin_info* info = nullptr;
  const tn_format_vtbl* v = nullptr;
  void* state = nullptr;

  Format() {
    void* library = dlopen(TENON_SAFETENSORS_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(library, dlerror());
    const auto query = reinterpret_cast<tn_plugin_query_fn>(dlsym(library, TN_PLUGIN_SYMBOL));
    REQUIRE((query != nullptr));
    info = query(TENON_VERSION);
    REQUIRE(info->interface_count == 1);
    v = static_cast<const tn_format_vtbl*>(info->interfaces[0].table);
    REQUIRE(outcome(info->open(&host, &state)).code == TN_OK);
  }
  ~Format() { info->close(state); }
};

tn_str str(const std::string& s) { return {s.data(), s.size()}; }

tn_format_limits limits(bool copy = false) {
  tn_format_limits l{};
  l.struct_size = sizeof l;
  l.copy = copy;
  return l;
}

// Closes at the end.
struct Opened {
  const tn_format_vtbl* v;
  void* file = nullptr;
  Outcome result;
  Opened(const Format& f, const std::string& path, const tn_format_limits& l = limits()) : v(f.v) {
    result = outcome(v->open(f.state, str(path), &l, &file));
  }
  ~Opened() {
    if (file) v->close(file);
  }
  tn_model_entry entry(uint32_t i) const {
    tn_model_entry e = tn_model_entry_init();
    REQUIRE(outcome(v->tensor(file, i, &e)).code == TN_OK);
    return e;
  }
  const void* data(uint32_t i) const {
    const void* p = nullptr;
    REQUIRE(outcome(v->data(file, i, &p)).code == TN_OK);
    return p;
  }
};

struct Item {
  std::string name;
  tn_dtype dtype;
  std::vector<int64_t> dims;
  std::vector<unsigned char> bytes;
};

Item item(std::string name, tn_dtype dtype, std::vector<int64_t> dims, unsigned char seed = 1) {
  uint64_t n = 1;
  for (const int64_t d : dims) n *= static_cast<uint64_t>(d);
  std::vector<unsigned char> bytes(tn_dtype_bytes(dtype, n));
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(dtype == TN_DTYPE_BOOL ? i % 2 : seed + i * 7);
  }
  return {std::move(name), dtype, std::move(dims), std::move(bytes)};
}

Outcome save(const Format& f, const std::string& path, const std::vector<Item>& items,
             const std::vector<tn_metadata>& metadata = {}) {
  std::vector<tn_format_item> raw;
  for (const Item& i : items) {
    raw.push_back({str(i.name), i.dtype, static_cast<uint32_t>(i.dims.size()), i.dims.data(),
                   i.bytes.data(), i.bytes.size()});
  }
  return outcome(f.v->save(f.state, str(path), raw.data(), static_cast<uint32_t>(raw.size()),
                           metadata.data(), static_cast<uint32_t>(metadata.size())));
}

std::vector<Item> every_dtype() {
  std::vector<Item> items;
  for (const tn_dtype t :
       {TN_DTYPE_BOOL, TN_DTYPE_U8, TN_DTYPE_I8, TN_DTYPE_F8E5M2, TN_DTYPE_F8E4M3, TN_DTYPE_I16,
        TN_DTYPE_U16, TN_DTYPE_F16, TN_DTYPE_BF16, TN_DTYPE_I32, TN_DTYPE_U32, TN_DTYPE_F32,
        TN_DTYPE_C64, TN_DTYPE_F64, TN_DTYPE_I64, TN_DTYPE_U64}) {
    items.push_back(item("t" + std::to_string(t), t, {3, 5}, static_cast<unsigned char>(t)));
  }
  items.push_back(item("scalar", TN_DTYPE_F32, {}));
  items.push_back(item("empty", TN_DTYPE_F64, {4, 0, 2}));
  items.push_back(item("a \"quoted\"\n\\name\x01 \xc3\xa9 \xf0\x9f\x99\x82", TN_DTYPE_U8, {2}));
  return items;
}

}  // namespace

TEST_CASE("safetensors: the plugin says what it is") {
  const Format f;
  CHECK(view_of(f.info->id) == "org.tenon.safetensors");
  CHECK(view_of(f.info->interfaces[0].id) == "tenon.format");
  CHECK(f.info->interfaces[0].revision == TN_IFACE_FORMAT_REVISION);
  CHECK(view_of(f.v->name) == "safetensors");
  CHECK(view_of(f.v->extensions) == ".safetensors");
}

TEST_CASE("safetensors: what is written is read back") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  const std::vector<Item> items = every_dtype();
  const std::vector<tn_metadata> metadata = {{tn_string("format"), tn_string("pt")},
                                             {tn_string("a\"b\n"), tn_string("")}};
  REQUIRE(save(f, path, items, metadata).message == "");
  CHECK(folder.entries() == 1);
  for (const bool copy : {false, true}) {
    const Opened o(f, path, limits(copy));
    REQUIRE(o.result.message == "");
    REQUIRE(f.v->tensor_count(o.file) == items.size());
    for (uint32_t i = 0; i < items.size(); ++i) {
      const tn_model_entry e = o.entry(i);
      const auto of_name = [&](const Item& x) { return x.name == view_of(e.name); };
      const auto it = std::find_if(items.begin(), items.end(), of_name);
      REQUIRE(it != items.end());
      CHECK(e.dtype == it->dtype);
      CHECK(std::vector<int64_t>(e.dims, e.dims + e.rank) == it->dims);
      REQUIRE(e.bytes == it->bytes.size());
      CHECK((e.bytes == 0 || std::memcmp(o.data(i), it->bytes.data(), e.bytes) == 0));
      CHECK(reinterpret_cast<uintptr_t>(o.data(i)) % (e.bytes ? TN_DTYPE_BITS(e.dtype) / 8 : 1) ==
            0);
    }
    REQUIRE(f.v->metadata_count(o.file) == 2);
    tn_metadata pair{};
    REQUIRE(outcome(f.v->metadata(o.file, 1, &pair)).code == TN_OK);
    CHECK(view_of(pair.key) == "a\"b\n");
    CHECK(view_of(pair.value) == "");
    CHECK(outcome(f.v->metadata(o.file, 2, &pair)).code == TN_OUT_OF_RANGE);
    tn_model_entry e = tn_model_entry_init();
    CHECK(outcome(f.v->tensor(o.file, 99, &e)).code == TN_OUT_OF_RANGE);
  }
}

TEST_CASE("safetensors: the bytes of a file are those of the format's own library") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  REQUIRE(save(f, path,
               {item("b", TN_DTYPE_U8, {3}), item("z", TN_DTYPE_F32, {1, 2}),
                item("a", TN_DTYPE_F32, {2}), item("s", TN_DTYPE_F64, {})},
               {{tn_string("k"), tn_string("v")}})
              .message == "");
  const std::string bytes = read_file(path);
  const std::string header =
      R"({"__metadata__":{"k":"v"},"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
      R"("a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
      R"("z":{"dtype":"F32","shape":[1,2],"data_offsets":[16,24]},)"
      R"("b":{"dtype":"U8","shape":[3],"data_offsets":[24,27]}})";
  const size_t padded = (header.size() + 7) / 8 * 8;
  REQUIRE(bytes.size() == 8 + padded + 27);
  CHECK(static_cast<unsigned char>(bytes[0]) + 256 * static_cast<unsigned char>(bytes[1]) ==
        padded);
  CHECK(bytes.substr(8, padded) == header + std::string(padded - header.size(), ' '));
}

TEST_CASE("safetensors: an empty file of no tensors") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  REQUIRE(save(f, path, {}).code == TN_OK);
  const Opened o(f, path);
  CHECK(o.result.message == "");
  CHECK(f.v->tensor_count(o.file) == 0);
  CHECK(f.v->metadata_count(o.file) == 0);
}

TEST_CASE("safetensors: every damaged file is refused with what is wrong") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  for (const BadFile& bad : bad_files()) {
    CAPTURE(bad.what);
    write_file(path, bad.bytes);
    const Opened o(f, path);
    CHECK(o.result.code == bad.code);
    CHECK_MESSAGE(o.result.message.find(bad.says) != std::string::npos, o.result.message);
    CHECK(o.result.message.find(path + ": ") == 0);
    if (bad.code == TN_DATA_LOSS) {
      CHECK(o.result.message.find("The file is cut off or damaged; nothing was loaded.") !=
            std::string::npos);
    }
  }
}

TEST_CASE("safetensors: what the format allows is read") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  const std::string a = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  const std::vector<std::string> headers = {
      "{\"a\":{" + a + "}}",
      "{ \"a\" :\n{\t" + a + "\r} } \n  ",
      R"({"a":{"data_offsets":[ 0 , 8 ],"shape":[2],"dtype":"F32"}})",
      R"({"\u0061":{"dtype":"\u004632","shape":[2],"data_offsets":[0,8]}})",
      R"({"e":{"dtype":"U8","shape":[0],"data_offsets":[8,8]},"a":{)" + a +
          R"(},"f":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
      R"({"__metadata__":{"\ud83d\ude42":"\u0000"},"a":{)" + a + "}}",
  };
  for (const std::string& header : headers) {
    CAPTURE(header);
    write_file(path, safetensors(header, 8));
    const Opened o(f, path);
    CHECK(o.result.message == "");
    bool found = false;
    for (uint32_t i = 0; o.file && i < f.v->tensor_count(o.file); ++i) {
      found |= view_of(o.entry(i).name) == "a";
    }
    CHECK(found);
  }
}

TEST_CASE("safetensors: limits hold") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  REQUIRE(save(f, path, {item("one", TN_DTYPE_U8, {4}), item("two", TN_DTYPE_U8, {4})}).code ==
          TN_OK);
  const auto says = [&](const std::function<void(tn_format_limits&)>& set, const char* text) {
    tn_format_limits l = limits();
    set(l);
    const Opened o(f, path, l);
    CHECK(o.result.code == TN_OUT_OF_RANGE);
    CHECK_MESSAGE(o.result.message.find(text) != std::string::npos, o.result.message);
  };
  says([](auto& l) { l.max_bytes = 100; }, "bytes, the limit of this call is 100 (max_bytes)");
  says([](auto& l) { l.max_tensors = 1; },
       "more than 1 tensors, the limit of this call (max_tensors)");
  says([](auto& l) { l.max_name_bytes = 2; }, "has 3 bytes, the limit of this call is 2: \"one\"");
  says([](auto& l) { l.max_header_bytes = 16; }, "the header has 112 bytes, the limit is 16");
  // A header longer than the file is damage, whatever the limits; a sparse giant is a limit.
  write_file(path, "");
  fs::resize_file(path, 200'000'008);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
      << std::string("\x00\xc2\xeb\x0b", 4);
  const Opened o(f, path);
  CHECK(o.result.code == TN_OUT_OF_RANGE);
  CHECK(o.result.message.find("the header has 200000000 bytes, the limit is 100000000") !=
        std::string::npos);
}

TEST_CASE("safetensors: paths that are no files") {
  const Format f;
  const Folder folder;
  const std::string missing = folder.file("missing");
  CHECK(Opened(f, missing).result.code == TN_NOT_FOUND);
  CHECK(Opened(f, missing).result.message ==
        missing + ": cannot be opened: No such file or directory.");
  CHECK(Opened(f, folder.path.string()).result.code == TN_INVALID_ARGUMENT);
  CHECK(Opened(f, std::string("a\0b", 3)).result.code == TN_INVALID_ARGUMENT);
  const std::string pipe = folder.file("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(Opened(f, pipe).result.code == TN_INVALID_ARGUMENT);  // and does not wait for a writer
  CHECK(save(f, pipe, {}).code == TN_INVALID_ARGUMENT);
  CHECK(save(f, folder.path.string(), {}).code == TN_INVALID_ARGUMENT);
  CHECK(save(f, folder.file("no/such/folder"), {}).code == TN_NOT_FOUND);
}

TEST_CASE("safetensors: a mapped file is not copied, a copied one is not mapped") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  const Item big = item("x", TN_DTYPE_F32, {1000, 1000});
  REQUIRE(save(f, path, {big}).code == TN_OK);
  const auto mapped_at = [&](const void* p) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      const uint64_t begin = std::stoull(line, nullptr, 16);
      const uint64_t end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
      const auto at = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(p));
      if (at >= begin && at < end) return line.find(path) != std::string::npos;
    }
    return false;
  };
  const Opened mapped(f, path);
  CHECK(mapped_at(mapped.data(0)));
  const Opened copied(f, path, limits(true));
  CHECK_FALSE(mapped_at(copied.data(0)));
  // Cutting the file off harms the mapping, never the copy.
  fs::resize_file(path, 100);
  CHECK(std::memcmp(copied.data(0), big.bytes.data(), big.bytes.size()) == 0);
}

TEST_CASE("safetensors: BOOL elements are 0 or 1") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  write_file(path, safetensors(one_tensor("\"BOOL\"", "[4]", "[0,4]"), 4));
  const Opened o(f, path);
  REQUIRE(o.result.message == "");
  const void* data = nullptr;
  const Outcome r = outcome(f.v->data(o.file, 0, &data));
  CHECK(r.code == TN_DATA_LOSS);
  CHECK(r.message.find(R"(tensor "a" is BOOL, but its element 2 is 2)") != std::string::npos);
}

TEST_CASE("safetensors: the first bytes tell the format") {
  const Format f;
  const auto probe = [&](const std::string& s) {
    return f.v->probe(f.state, s.data(), s.size(), s.size());
  };
  CHECK(probe(safetensors("{}", 0)) == 90);
  CHECK(probe(safetensors("{  }", 0).substr(0, 10)) == 40);
  CHECK(probe("") == 0);
  CHECK(probe("{}") == 0);
  CHECK(probe("PK\x03\x04 something else") == 0);
}

TEST_CASE("safetensors: what cannot be written is refused and leaves nothing") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  const auto says = [&](const std::vector<Item>& items, const std::vector<tn_metadata>& metadata,
                        tn_code code, const char* text) {
    const Outcome o = save(f, path, items, metadata);
    CHECK(o.code == code);
    CHECK_MESSAGE(o.message.find(text) != std::string::npos, o.message);
    CHECK(folder.entries() == 0);
  };
  const Item a = item("a", TN_DTYPE_U8, {2});
  Item wrong = item("w", TN_DTYPE_F32, {3});
  wrong.bytes.pop_back();
  says({a, a}, {}, TN_INVALID_ARGUMENT, R"(two tensors are named "a")");
  says({wrong}, {}, TN_INVALID_ARGUMENT,
       R"(tensor "w" comes with 11 bytes, which is not the size of its shape)");
  says({item("__metadata__", TN_DTYPE_U8, {2})}, {}, TN_INVALID_ARGUMENT,
       "cannot be named \"__metadata__\"");
  says({item("\xff", TN_DTYPE_U8, {2})}, {}, TN_INVALID_ARGUMENT,
       R"(tensor name "\xff" is not UTF-8)");
  says({item("c", TN_DTYPE_C128, {2})}, {}, TN_UNIMPLEMENTED, "which the format does not have");
  says({a}, {{tn_string("k"), tn_string("1")}, {tn_string("k"), tn_string("2")}},
       TN_INVALID_ARGUMENT, R"(two metadata are named "k")");
  says({a}, {{tn_string("k"), tn_string("\xff")}}, TN_INVALID_ARGUMENT,
       R"(metadata "k" is not UTF-8)");
}

TEST_CASE("safetensors: a link stays a link and permissions are kept") {
  const Format f;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  const std::string link = folder.file("link");
  REQUIRE(save(f, path, {item("a", TN_DTYPE_U8, {1})}).code == TN_OK);
  fs::permissions(path, fs::perms(0640));
  fs::create_symlink("m.safetensors", link);
  REQUIRE(save(f, link, {item("b", TN_DTYPE_U8, {2})}).code == TN_OK);
  CHECK(fs::is_symlink(link));
  CHECK(fs::status(path).permissions() == fs::perms(0640));
  const Opened o(f, path);
  CHECK(view_of(o.entry(0).name) == "b");
}

// ---- writes that are cut off: the old file is there whole, or the new one; never anything else ----

namespace {

// A file `path` that can be written over: what it held, what it shall hold, and by which system calls.
struct Overwrite {
  Format f;
  Folder folder;
  std::string path = folder.file("m.safetensors");
  const std::vector<Item> before = {item("old", TN_DTYPE_F32, {16})};
  // Larger than the write buffer, so that there are several writes.
  const std::vector<Item> after = {item("big", TN_DTYPE_F32, {300, 400}),
                                   item("new", TN_DTYPE_U8, {3})};
  std::string old_bytes, new_bytes;
  std::vector<std::string> calls;
  int renamed = 0;  // index of the call that puts the new file in place

  Overwrite() {
    REQUIRE(save(f, path, after).code == TN_OK);
    new_bytes = read_file(path);
    reset();
    old_bytes = read_file(path);
    const CallPlan plan;
    REQUIRE(save(f, path, after).code == TN_OK);
    calls = plan.calls();
    REQUIRE(std::count(calls.begin(), calls.end(), "write") >= 2);
    REQUIRE(std::count(calls.begin(), calls.end(), "fsync") == 2);
    renamed = static_cast<int>(std::find(calls.begin(), calls.end(), "renameat") - calls.begin());
    REQUIRE(renamed < count());
  }
  int count() const { return static_cast<int>(calls.size()); }
  const std::string& name(int at) const { return calls[static_cast<size_t>(at)]; }
  void reset() const { REQUIRE(save(f, path, before).code == TN_OK); }
  Outcome write_with(Fault fault, int at, int error = EIO) const {
    const CallPlan plan(fault, at, error);
    return save(f, path, after);
  }
};

}  // namespace

TEST_CASE("safetensors: a system call that fails leaves a whole file") {
  const Overwrite o;
  for (int at = 0; at < o.count(); ++at) {
    for (const int error : {EIO, ENOSPC, EACCES}) {
      CAPTURE(at);
      CAPTURE(o.name(at));
      o.reset();
      const Outcome result = o.write_with(Fault::fail, at, error);
      // Closing the folder, or the permissions of the new file, change nothing about the data.
      const bool harmless = o.name(at) == "fchmod" || (o.name(at) == "close" && at > o.renamed);
      CHECK((result.code == TN_OK) == harmless);
      CHECK((harmless || result.message.find(o.path + ": ") == 0));
      CHECK((read_file(o.path) == (at > o.renamed || harmless ? o.new_bytes : o.old_bytes)));
      CHECK(o.folder.entries() == 1);
    }
  }
}

TEST_CASE("safetensors: a process that dies at any system call leaves a whole file") {
  const Overwrite o;
  for (int at = 0; at < o.count(); ++at) {
    CAPTURE(at);
    CAPTURE(o.name(at));
    o.reset();
    const pid_t child = fork();
    if (child == 0) {
      o.write_with(Fault::die, at);
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == kDied);
    CHECK((read_file(o.path) == (at > o.renamed ? o.new_bytes : o.old_bytes)));
    for (const auto& e : fs::directory_iterator(o.folder.path)) {
      if (e.path() != o.path) fs::remove(e.path());  // what a dead process leaves behind
    }
  }
}

TEST_CASE("safetensors: interrupted calls and short writes are carried on") {
  const Overwrite o;
  for (const Fault fault : {Fault::interrupt, Fault::cut_short}) {
    for (int at = 0; at < o.count(); ++at) {
      CAPTURE(at);
      CAPTURE(o.name(at));
      o.reset();
      CHECK(o.write_with(fault, at).message == "");
      CHECK((read_file(o.path) == o.new_bytes));
      CHECK(o.folder.entries() == 1);
    }
  }
}
