// The safetensors plugin, linked in, against any bytes. Built with clang and -fsanitize=fuzzer it is a libFuzzer target;
// safetensors_corpus.cpp drives the same function without it.
#include "safetensors_fuzz.hpp"

#include <sys/mman.h>
#include <tenon/plugin/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "mock_host.hpp"

namespace tenon::test {
namespace {

[[noreturn]] void broken(const char* what) {
  std::fprintf(stderr, "safetensors: %s\n", what);
  std::abort();
}
void require(bool condition, const char* what) {
  if (!condition) broken(what);
}

struct Format {
  tn_host host = mock_host();
  const tn_format_vtbl* v = nullptr;
  void* state = nullptr;
  std::string folder;
  Format() {
    const tn_plugin_info* info = TN_PLUGIN_QUERY(TENON_VERSION);
    v = static_cast<const tn_format_vtbl*>(info->interfaces[0].table);
    require(!info->open(&host, &state), "the plugin does not open");
    const char* temporary = std::getenv("TMPDIR");
    folder = std::string(temporary ? temporary : "/tmp") + "/tenon-fuzz-XXXXXX";
    require(mkdtemp(folder.data()), "no temporary folder");
  }
  ~Format() {
    std::remove((folder + "/m.safetensors").c_str());
    rmdir(folder.c_str());
  }
};
Format& format() {
  static Format f;
  return f;
}

// A file in memory only.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : fd_(memfd_create("fuzz", 0)) {
    require(fd_ >= 0 && write(fd_, data, size) == static_cast<ssize_t>(size), "no memory file");
    path_ = "/proc/self/fd/" + std::to_string(fd_);
  }
  ~MemoryFile() { close(fd_); }
  const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

void* open_file(const std::string& path, bool copy) {
  tn_format_limits l{};
  l.struct_size = sizeof l;
  l.copy = copy;
  l.max_tensors = 10000;
  void* file = nullptr;
  tn_error* e = format().v->open(format().state, {path.data(), path.size()}, &l, &file);
  if (!e) return file;
  require(!e->message.empty() && e->code != TN_INTERNAL && !file, "an error without a reason");
  delete e;
  return nullptr;
}

// Every tensor lies in the file, has the size of its shape and a name of its own; together they cover the data.
std::vector<tn_format_item> check_file(void* file, size_t size) {
  std::vector<tn_format_item> items;
  std::set<std::string_view> names;
  uint64_t covered = 0, start = size;
  for (uint32_t i = 0; i < format().v->tensor_count(file); ++i) {
    tn_model_entry e = tn_model_entry_init();
    const void* data = nullptr;
    require(!format().v->tensor(file, i, &e), "a tensor without an entry");
    uint64_t count = 1;
    for (uint32_t k = 0; k < e.rank; ++k) count *= static_cast<uint64_t>(e.dims[k]);
    require(e.rank <= TN_MAX_RANK && tn_dtype_bytes(e.dtype, count) == e.bytes,
            "a size that is no product");
    require(e.file_offset <= size && e.bytes <= size - e.file_offset, "a tensor beyond the file");
    require(names.insert(view_of(e.name)).second, "a name twice");
    covered += e.bytes;
    start = e.file_offset < start ? e.file_offset : start;
    if (tn_error* error = format().v->data(file, i, &data)) {
      require(error->code == TN_DATA_LOSS && e.dtype == TN_DTYPE_BOOL, "data refused");
      delete error;
      continue;
    }
    items.push_back({e.name, e.dtype, e.rank, e.dims, data, e.bytes});
  }
  require(start == size || start + covered == size, "bytes that belong to no tensor");
  return items;
}

void check_same(const std::vector<tn_format_item>& a, const std::vector<tn_format_item>& b) {
  require(a.size() == b.size(), "another number of tensors");
  for (const tn_format_item& x : a) {
    bool found = false;
    for (const tn_format_item& y : b) {
      found |= view_of(x.name) == view_of(y.name) && x.dtype == y.dtype && x.bytes == y.bytes &&
               x.rank == y.rank && std::memcmp(x.data, y.data, x.bytes) == 0;
    }
    require(found, "a tensor that differs");
  }
}

// Writes what was read, and reads that.
void check_round_trip(void* file, const std::vector<tn_format_item>& items) {
  const tn_format_vtbl& v = *format().v;
  std::vector<tn_metadata> metadata(v.metadata_count(file));
  for (uint32_t i = 0; i < metadata.size(); ++i) {
    require(!v.metadata(file, i, &metadata[i]), "metadata without a pair");
  }
  const std::string path = format().folder + "/m.safetensors";
  require(!v.save(format().state, {path.data(), path.size()}, items.data(),
                  static_cast<uint32_t>(items.size()), metadata.data(),
                  static_cast<uint32_t>(metadata.size())),
          "what was read cannot be written");
  void* again = open_file(path, true);
  require(again && v.metadata_count(again) == metadata.size(), "what was written cannot be read");
  check_same(items, check_file(again, std::filesystem::file_size(path)));
  v.close(again);
}

}  // namespace

bool offer_safetensors(const uint8_t* data, size_t size) {
  const MemoryFile memory(data, size);
  void* mapped = open_file(memory.path(), false);
  void* copied = open_file(memory.path(), true);
  require(!mapped == !copied, "mapped and copied differ");
  if (!mapped) return false;
  const auto items = check_file(mapped, size);
  check_same(items, check_file(copied, size));
  if (items.size() <= 64) check_round_trip(mapped, items);
  format().v->close(mapped);
  format().v->close(copied);
  return true;
}

}  // namespace tenon::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tenon::test::offer_safetensors(data, size);
  return 0;
}
