// What reading and writing share of the operating system: descriptors, interrupted calls, errors in words.
#pragma once
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <tenon/sdk/guard.hpp>
#include <utility>

namespace tenon::safetensors {

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
  sdk::fail(code, what, ": ", std::generic_category().message(error), ".");
}

}  // namespace tenon::safetensors
