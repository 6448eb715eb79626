#include "compiled_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <tuple>

#include "base/error.hpp"
#include "base/heap_sort.hpp"
#include "op/runtime.hpp"
#include "plugin/file.hpp"
#include "plugin/sha256.hpp"
#include "plugin/trust.hpp"
#include "tenon/plugin/compiler.h"
#include "tenon/runtime.h"

namespace tenon {
namespace {

constexpr std::string_view kMagic = "tenon compiled 1\n", kEnding = ".tnc";
constexpr size_t kHashSize = 64, kHead = kMagic.size() + kHashSize;
constexpr std::string_view kFresh = ".fresh-";
constexpr int64_t kStale = 3600;  // seconds after which nobody is still writing a file
constexpr uint64_t kDefaultLimit = uint64_t{1} << 30;

std::string hash_of(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.finish();
}

[[noreturn]] void fail_io(const char* what, const std::string& path) {
  fail(TN_IO, "{} cannot be {}: {}", path, what, std::strerror(errno));
}

// A file that goes away unless it is given its name.
class Fresh {
 public:
  explicit Fresh(const std::string& folder) : path_(folder + '/' + std::string(kFresh) + "XXXXXX") {
    fd_ = mkostemp(path_.data(), O_CLOEXEC);
    if (fd_ < 0) fail_io("written", path_);
  }
  ~Fresh() {
    close(fd_);
    if (!path_.empty()) unlink(path_.c_str());
  }
  Fresh(const Fresh&) = delete;
  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) fail_io("written", path_);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  void become(const std::string& path) {
    if (rename(path_.c_str(), path.c_str()) != 0) fail_io("written", path);
    path_.clear();
  }

 private:
  std::string path_;
  int fd_;
};

}  // namespace

std::unique_ptr<CompiledFiles> CompiledFiles::of(tn_runtime* rt, const tn_device& device) {
  const std::string folder = rt->cache_dir.empty() ? environment(rt, "CACHE_DIR") : rt->cache_dir;
  if (folder.empty() || !device.compiler->save) return nullptr;
  tn_str text{};
  check(call_plugin("compatibility",
                    [&] { return device.compiler->compatibility(device.handle, &text); }));
  return std::unique_ptr<CompiledFiles>(
      new CompiledFiles(folder, rt->cache_bytes ? rt->cache_bytes : kDefaultLimit,
                        device.plugin + '\n' + std::string(view_of(text)) + '\n'));
}

std::string CompiledFiles::name(const std::string& blob, uint32_t modes) const {
  Sha256 hash;
  hash.add(compatibility_.data(), compatibility_.size());
  hash.add(&modes, sizeof modes);
  hash.add(blob.data(), blob.size());
  return hash.finish().append(kEnding);
}

std::optional<std::string> CompiledFiles::read(const std::string& name) const {
  const std::string path = folder_ + '/' + name;
  if (access(path.c_str(), F_OK) != 0) return {};
  const File file(path);  // its path is without links
  check_trust({TN_TRUST_SAFE_OWNER, {}}, file, false);
  std::string bytes = file.text(limit_);
  const std::string_view all = bytes;
  if (all.size() < kHead || all.substr(0, kMagic.size()) != kMagic ||
      all.substr(kMagic.size(), kHashSize) != hash_of(all.substr(kHead))) {
    unlink(path.c_str());
    fail(TN_DATA_LOSS, "{} was damaged, and is gone now", path);
  }
  utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // used last
  return bytes.erase(0, kHead);
}

void CompiledFiles::write(const std::string& name, const std::string& bytes) const {
  if (kHead + bytes.size() > limit_) return;
  if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) fail_io("made", folder_);
  Fresh file(folder_);
  file.add(kMagic);
  file.add(hash_of(bytes));
  file.add(bytes);
  file.become(folder_ + '/' + name);
  trim();
}

void CompiledFiles::trim() const {
  using Entry = std::tuple<int64_t, int64_t, uint64_t, std::string>;  // last use, size, path
  std::vector<Entry> entries;
  uint64_t sum = 0;
  DIR* dir = opendir(folder_.c_str());
  if (!dir) fail_io("read", folder_);
  while (const dirent* e = readdir(dir)) {
    const std::string_view name = e->d_name;
    const bool fresh =
        name.starts_with(kFresh);  // of a process that did not come to its end, if it is old
    if (!fresh && !name.ends_with(kEnding)) continue;
    const std::string path = folder_ + '/' + e->d_name;
    struct stat s {};
    if (stat(path.c_str(), &s) != 0) continue;
    if (fresh) {
      if (s.st_mtim.tv_sec + kStale < std::time(nullptr)) unlink(path.c_str());
      continue;
    }
    entries.emplace_back(s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_size, path);
    sum += static_cast<uint64_t>(s.st_size);
  }
  closedir(dir);
  heap_sort(entries);
  for (const Entry& e : entries) {
    if (sum <= limit_) break;
    unlink(std::get<3>(e).c_str());
    sum -= std::get<2>(e);
  }
}

}  // namespace tenon
