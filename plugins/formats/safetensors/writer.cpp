#include "writer.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>
#include <tenon/sdk/guard.hpp>
#include <vector>

#include "dtypes.hpp"
#include "header.hpp"
#include "json.hpp"
#include "os.hpp"

namespace tenon::safetensors {
namespace {

using sdk::fail;
using sdk::view_of;

void write_all(int fd, const void* from, uint64_t bytes) {
  const auto* p = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t n = retry([&] { return write(fd, p, std::min(bytes, kMaxTransfer)); });
    if (n < 0) fail_system("cannot be written");
    if (n == 0) fail(TN_IO, "cannot be written: the system takes no more bytes.");
    p += n;
    bytes -= static_cast<uint64_t>(n);
  }
}

// Gathers small pieces, so that a file of many small tensors is not as many calls.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) { buffer_.reserve(kBuffer); }

  void append(const void* from, uint64_t bytes) {
    if (bytes > kBuffer - buffer_.size()) flush();
    if (bytes > kBuffer) {
      write_all(fd_, from, bytes);
    } else if (bytes > 0) {
      const auto* p = static_cast<const char*>(from);
      buffer_.insert(buffer_.end(), p, p + bytes);
    }
  }
  void flush() {
    write_all(fd_, buffer_.data(), buffer_.size());
    buffer_.clear();
  }

 private:
  static constexpr size_t kBuffer = 256 << 10;
  int fd_;
  std::vector<char> buffer_;
};

// ---- what goes into the file --------------------------------------------------------------------

struct Piece {
  const tn_format_item* item;
  const Dtype* dtype;
};

// Checks an item; its bytes must be those of its shape.
Piece piece_of(const tn_format_item& item) {
  const std::string_view name = view_of(item.name);
  if (name == "__metadata__") {
    fail(TN_INVALID_ARGUMENT, "a tensor cannot be named \"__metadata__\" in this format.");
  }
  if (!valid_utf8(name)) fail(TN_INVALID_ARGUMENT, "tensor name ", quoted(name), " is not UTF-8.");
  const Dtype* dtype = find_dtype(item.dtype);
  if (!dtype) {
    fail(TN_UNIMPLEMENTED, "tensor ", quoted(name), " has dtype code ", TN_DTYPE_CODE(item.dtype),
         " of ", TN_DTYPE_BITS(item.dtype), " bits, which the format does not have.");
  }
  uint64_t bytes = dtype->bytes;
  bool wrong = item.rank > TN_MAX_RANK;
  for (uint32_t i = 0; !wrong && i < item.rank; ++i) {
    wrong = item.dims[i] < 0 ||
            __builtin_mul_overflow(bytes, static_cast<uint64_t>(item.dims[i]), &bytes);
  }
  if (wrong || bytes != item.bytes || (bytes > 0 && !item.data)) {
    fail(TN_INVALID_ARGUMENT, "tensor ", quoted(name), " comes with ", item.bytes,
         " bytes, which is not the size of its shape.");
  }
  return {&item, dtype};
}

// In the order of the file: element sizes fall, so that every tensor is aligned to its own; then by name.
std::vector<Piece> pieces_of(std::span<const tn_format_item> items) {
  std::vector<Piece> pieces;
  pieces.reserve(items.size());
  for (const tn_format_item& item : items) pieces.push_back(piece_of(item));
  const auto name = [](const Piece& p) { return view_of(p.item->name); };
  std::sort(pieces.begin(), pieces.end(),
            [&](const Piece& a, const Piece& b) { return name(a) < name(b); });
  const auto twice =
      std::adjacent_find(pieces.begin(), pieces.end(),
                         [&](const Piece& a, const Piece& b) { return name(a) == name(b); });
  if (twice != pieces.end()) {
    fail(TN_INVALID_ARGUMENT, "two tensors are named ", quoted(name(*twice)), ".");
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.dtype->order > b.dtype->order; });
  return pieces;
}

void append_metadata(std::string& json, std::span<const tn_metadata> metadata) {
  std::vector<std::string_view> keys;
  json += "\"__metadata__\":{";
  for (const tn_metadata& m : metadata) {
    const std::string_view key = view_of(m.key);
    const std::string_view value = view_of(m.value);
    if (!valid_utf8(key) || !valid_utf8(value)) {
      fail(TN_INVALID_ARGUMENT, "metadata ", quoted(key), " is not UTF-8.");
    }
    if (!keys.empty()) json += ',';
    append_json(json, key);
    json += ':';
    append_json(json, value);
    keys.push_back(key);
  }
  json += '}';
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end())
    fail(TN_INVALID_ARGUMENT, "two metadata are named ", quoted(*twice), ".");
}

// The length and the JSON, padded with spaces to a multiple of 8 bytes.
std::string header_of(const std::vector<Piece>& pieces, std::span<const tn_metadata> metadata) {
  std::string json(8, '\0');
  json += '{';
  if (!metadata.empty()) append_metadata(json, metadata);
  uint64_t offset = 0;
  for (const Piece& p : pieces) {
    if (json.back() != '{') json += ',';
    append_json(json, view_of(p.item->name));
    json += ":{\"dtype\":\"";
    json += p.dtype->name;
    json += "\",\"shape\":[";
    for (uint32_t i = 0; i < p.item->rank; ++i) {
      if (i) json += ',';
      json += std::to_string(p.item->dims[i]);
    }
    uint64_t end = 0;
    if (__builtin_add_overflow(offset, p.item->bytes, &end)) {
      fail(TN_OUT_OF_RANGE, "the tensors together have more than 2^64 bytes.");
    }
    json += sdk::text("],\"data_offsets\":[", offset, ',', end, "]}");
    offset = end;
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  const uint64_t length = json.size() - 8;
  if (length > kMaxHeaderBytes) {
    fail(TN_OUT_OF_RANGE, "the header would have ", length, " bytes, the format's limit is ",
         kMaxHeaderBytes, ".");
  }
  for (int i = 0; i < 8; ++i) json[static_cast<size_t>(i)] = static_cast<char>(length >> (8 * i));
  return json;
}

// ---- how it gets there --------------------------------------------------------------------------

struct Place {
  std::string folder, name;
  mode_t mode = 0666;  // of the new file, less the umask
  bool replaces = false;
};

Place place_of(const std::string& path) {
  if (path.find('\0') != std::string::npos) fail(TN_INVALID_ARGUMENT, "a path has no NUL byte.");
  const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), std::free);
  const std::string_view full = real ? real.get() : std::string_view(path);
  const size_t slash = full.rfind('/');
  Place p;
  p.folder = slash == std::string_view::npos ? "." : full.substr(0, std::max<size_t>(slash, 1));
  p.name = slash == std::string_view::npos ? full : full.substr(slash + 1);
  if (p.name.empty()) fail(TN_INVALID_ARGUMENT, "names no file.");
  struct stat old {};
  if (stat(path.c_str(), &old) == 0) {
    if (!S_ISREG(old.st_mode)) fail(TN_INVALID_ARGUMENT, "is there and is no regular file.");
    p.replaces = true;
    p.mode = old.st_mode & 07777;
  }
  return p;
}

uint64_t random_number() {
  uint64_t value = 0;
  if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    value = (static_cast<uint64_t>(now.tv_nsec) << 32) ^ static_cast<uint64_t>(now.tv_sec) ^
            (static_cast<uint64_t>(getpid()) << 16);
  }
  return value;
}

// A new file in `folder`, removed at the end unless it was renamed.
class Temporary {
 public:
  Temporary(int folder, mode_t mode) : folder_(folder), fd_(create(mode)) {
    if (fd_.get() < 0) fail_system("no temporary file can be made in its folder");
  }
  Temporary(const Temporary&) = delete;
  ~Temporary() {
    if (!renamed_ && created_) unlinkat(folder_, name_, 0);
  }

  int fd() const { return fd_.get(); }
  void rename_to(const std::string& name) {
    if (retry([&] { return fsync(fd_.get()); }) != 0) fail_system("cannot be flushed to the disk");
    if (fd_.close() != 0) fail_system("cannot be closed");
    if (retry([&] { return renameat(folder_, name_, folder_, name.c_str()); }) != 0) {
      fail_system("cannot be replaced");
    }
    renamed_ = true;
  }

 private:
  int create(mode_t mode) {
    for (int attempt = 0;; ++attempt) {
      std::snprintf(name_, sizeof name_, ".safetensors-%016llx.tmp",
                    static_cast<unsigned long long>(random_number()));
      const int fd = retry([&] {
        return openat(folder_, name_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
      });
      created_ = fd >= 0;
      if (created_ || errno != EEXIST || attempt == 100) return fd;
    }
  }

  int folder_;
  char name_[64] = {};
  bool created_ = false, renamed_ = false;
  Descriptor fd_;
};

void sync_folder(int folder) {
  // Some file systems have nothing to flush for a folder and say EINVAL.
  if (retry([&] { return fsync(folder); }) == 0 || errno == EINVAL || errno == ENOTSUP) return;
  fail_system(
      "is written and in place, but its folder cannot be flushed to the disk: after a loss of "
      "power the old file may be back");
}

void write_file(const std::string& path, std::span<const tn_format_item> items,
                std::span<const tn_metadata> metadata) {
  const std::vector<Piece> pieces = pieces_of(items);
  const std::string header = header_of(pieces, metadata);
  const Place place = place_of(path);
  const Descriptor folder(
      retry([&] { return open(place.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (folder.get() < 0) fail_system("its folder cannot be opened");

  Temporary file(folder.get(), place.mode);
  // The umask took away what the old file may have had. Where a file system has no permissions, nothing is lost.
  if (place.replaces) static_cast<void>(fchmod(file.fd(), place.mode));
  Output out(file.fd());
  out.append(header.data(), header.size());
  for (const Piece& p : pieces) out.append(p.item->data, p.item->bytes);
  out.flush();
  file.rename_to(place.name);
  sync_folder(folder.get());
}

}  // namespace

void save(const std::string& path, std::span<const tn_format_item> items,
          std::span<const tn_metadata> metadata) {
  try {
    write_file(path, items, metadata);
  } catch (const sdk::Error& e) {
    throw sdk::Error(e.code(), path + ": " + e.what());
  }
}

}  // namespace tenon::safetensors
