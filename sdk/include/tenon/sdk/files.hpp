// Files as formats need them on POSIX systems: reading without surprises, and replacing a file as a whole or not at all.
// Errors are thrown as sdk::Error without the path, which the caller puts in front.
#ifndef TENON_SDK_FILES_HPP_
#define TENON_SDK_FILES_HPP_
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "guard.hpp"

namespace tenon::sdk {

// Linux moves at most 2 GiB - 4 KiB in one read or write.
constexpr uint64_t kMaxTransfer = 1u << 30;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close();
  }
  int get() const { return fd_; }
  // 0, or -1 and errno. Never a second time: Linux has closed the descriptor also when the call was interrupted.
  int close() {
    const int result = ::close(std::exchange(fd_, -1));
    return result != 0 && errno == EINTR ? 0 : result;
  }

 private:
  int fd_;
};

// Repeats a system call that a signal interrupted.
template <class Call>
auto retry(Call&& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// Throws errno in words: "cannot be opened: No such file or directory."
[[noreturn]] inline void fail_system(const char* what) {
  const int error = errno;
  const tn_code code = error == ENOENT || error == ENOTDIR ? TN_NOT_FOUND
                       : error == EACCES || error == EPERM ? TN_PERMISSION_DENIED
                       : error == ENOMEM                   ? TN_OUT_OF_MEMORY
                                                           : TN_IO;
  fail(code, what, ": ", std::generic_category().message(error), ".");
}

// ---- reading ------------------------------------------------------------------------------------

// Throws DATA_LOSS where the file is shorter.
inline void read_at(int fd, void* to, uint64_t bytes, uint64_t offset) {
  auto* p = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t n =
        pread(fd, p, std::min<uint64_t>(bytes, kMaxTransfer), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_system("cannot be read");
    if (n == 0) fail(TN_DATA_LOSS, "ends at byte ", offset, ", before its data do.");
    p += n;
    bytes -= static_cast<uint64_t>(n);
    offset += static_cast<uint64_t>(n);
  }
}

// Opened without waiting: a pipe of that name must not block.
inline Descriptor open_regular(const std::string& path, uint64_t* out_bytes) {
  if (path.find('\0') != std::string::npos) fail(TN_INVALID_ARGUMENT, "a path has no NUL byte.");
  Descriptor fd(retry([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (fd.get() < 0) fail_system("cannot be opened");
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) fail_system("cannot be examined");
  if (!S_ISREG(status.st_mode)) fail(TN_INVALID_ARGUMENT, "is no regular file.");
  *out_bytes = static_cast<uint64_t>(status.st_size);
  return fd;
}

// The whole file, of at most max_bytes.
inline std::vector<char> read_file(const std::string& path, uint64_t max_bytes) {
  uint64_t bytes = 0;
  const Descriptor fd = open_regular(path, &bytes);
  if (bytes > max_bytes) {
    fail(TN_OUT_OF_RANGE, "has ", bytes, " bytes, the limit of this call is ", max_bytes,
         " (max_bytes).");
  }
  std::vector<char> content(bytes);
  read_at(fd.get(), content.data(), bytes, 0);
  return content;
}

// ---- writing ------------------------------------------------------------------------------------

inline void write_all(int fd, const void* from, uint64_t bytes) {
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

namespace detail {

struct Place {
  std::string folder, name;
  mode_t mode = 0666;  // of the new file, less the umask
  bool replaces = false;
};

inline Place place_of(const std::string& path) {
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

inline uint64_t random_number() {
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
      std::snprintf(name_, sizeof name_, ".tenon-%016llx.tmp",
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

inline void sync_folder(int folder) {
  // Some file systems have nothing to flush for a folder and say EINVAL.
  if (retry([&] { return fsync(folder); }) == 0 || errno == EINVAL || errno == ENOTSUP) return;
  fail_system(
      "is written and in place, but its folder cannot be flushed to the disk: after a loss of "
      "power the old file may be back");
}

}  // namespace detail

// A new file at `path`, or a new content: write(Output&) goes to a temporary file in the same folder, which is flushed to the disk
// and then renamed. After any failure the old file is whole.
template <class Write>
void write_atomically(const std::string& path, Write&& write) {
  const detail::Place place = detail::place_of(path);
  const Descriptor folder(
      retry([&] { return open(place.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (folder.get() < 0) fail_system("its folder cannot be opened");

  detail::Temporary file(folder.get(), place.mode);
  // The umask took away what the old file may have had. Where a file system has no permissions, nothing is lost.
  if (place.replaces) static_cast<void>(fchmod(file.fd(), place.mode));
  Output out(file.fd());
  write(out);
  out.flush();
  file.rename_to(place.name);
  detail::sync_folder(folder.get());
}

}  // namespace tenon::sdk
#endif
