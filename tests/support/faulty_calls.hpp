// System calls that writing a file makes, so that the n-th of them can be made to fail. Include it in one source of a program
// linked with ENABLE_EXPORTS: the definitions stand before libc's, also for libraries that the program opens. Only the thread that
// holds a CallPlan is counted.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <string>
#include <vector>

namespace tenon::test {

enum class Fault { none, fail, die, interrupt, cut_short };

// From construction to destruction the calls of this thread are counted, and call `at` (from 0) meets the fault:
//  fail: it returns -1 with `error` and does nothing (a close closes, as Linux does); die: the process ends before it;
//  interrupt: it returns EINTR once; cut_short: a write moves one byte.
class CallPlan {
 public:
  explicit CallPlan(Fault fault = Fault::none, int at = -1, int error = EIO);
  ~CallPlan();
  CallPlan(const CallPlan&) = delete;

  Fault next(const char* name);
  int error() const { return error_; }
  const std::vector<std::string>& calls() const { return calls_; }  // names, in order

 private:
  Fault fault_;
  int at_, error_;
  std::vector<std::string> calls_;
};

constexpr int kDied = 42;  // exit status
inline thread_local CallPlan* call_plan = nullptr;

inline CallPlan::CallPlan(Fault fault, int at, int error) : fault_(fault), at_(at), error_(error) {
  calls_.reserve(64);
  call_plan = this;
}
inline CallPlan::~CallPlan() { call_plan = nullptr; }

inline Fault CallPlan::next(const char* name) {
  const int index = static_cast<int>(calls_.size());
  calls_.emplace_back(name);
  if (index != at_) return Fault::none;
  if (fault_ == Fault::die) _exit(kDied);
  if (fault_ == Fault::interrupt) error_ = EINTR;
  return fault_;
}

// The call itself, unless its turn has come to fail.
template <class Call>
long meet(const char* name, Call&& call) {
  if (!call_plan) return call();
  const Fault fault = call_plan->next(name);
  if (fault != Fault::fail && fault != Fault::interrupt) return call();
  if (std::string_view(name) == "close") call();
  errno = call_plan->error();
  return -1;
}

}  // namespace tenon::test

#define TENON_FAULTY extern "C" __attribute__((visibility("default")))

TENON_FAULTY int openat(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const unsigned mode = flags & O_CREAT ? va_arg(list, unsigned) : 0;
  va_end(list);
  return static_cast<int>(
      tenon::test::meet("openat", [&] { return syscall(SYS_openat, folder, path, flags, mode); }));
}
TENON_FAULTY int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const unsigned mode = flags & O_CREAT ? va_arg(list, unsigned) : 0;
  va_end(list);
  return static_cast<int>(
      tenon::test::meet("open", [&] { return syscall(SYS_openat, AT_FDCWD, path, flags, mode); }));
}
TENON_FAULTY ssize_t write(int fd, const void* data, size_t bytes) {
  using tenon::test::call_plan;
  using tenon::test::Fault;
  if (!call_plan) return syscall(SYS_write, fd, data, bytes);
  const Fault fault = call_plan->next("write");
  if (fault == Fault::cut_short) return syscall(SYS_write, fd, data, std::min<size_t>(bytes, 1));
  if (fault == Fault::none) return syscall(SYS_write, fd, data, bytes);
  errno = call_plan->error();
  return -1;
}
TENON_FAULTY int fsync(int fd) {
  return static_cast<int>(tenon::test::meet("fsync", [&] { return syscall(SYS_fsync, fd); }));
}
TENON_FAULTY int close(int fd) {
  return static_cast<int>(tenon::test::meet("close", [&] { return syscall(SYS_close, fd); }));
}
TENON_FAULTY int fchmod(int fd, mode_t mode) noexcept {
  return static_cast<int>(
      tenon::test::meet("fchmod", [&] { return syscall(SYS_fchmod, fd, mode); }));
}
TENON_FAULTY int renameat(int from_folder, const char* from, int to_folder,
                          const char* to) noexcept {
  return static_cast<int>(tenon::test::meet(
      "renameat", [&] { return syscall(SYS_renameat2, from_folder, from, to_folder, to, 0); }));
}
TENON_FAULTY int unlinkat(int folder, const char* path, int flags) noexcept {
  return static_cast<int>(
      tenon::test::meet("unlinkat", [&] { return syscall(SYS_unlinkat, folder, path, flags); }));
}
