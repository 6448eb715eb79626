// The one exception of the core, and the object behind tn_error*.
#pragma once
#include <fmt/core.h>

#include <atomic>
#include <string>
#include <utility>

#include "tenon/base.h"

// Immutable after creation but for the adding of context on the way out. Counted, because a failed timeline and each reader of it
// hold the same one.
struct tn_error {
  std::atomic<uint32_t> refs{1};
  tn_code code = TN_OK;
  bool is_static = false;  // the out-of-memory error: never counted, never freed
  bool retryable = false;
  std::string message, op, device, plugin;
  tn_error* cause = nullptr;  // owned
};

namespace tenon {

tn_error* error_make(tn_code code, std::string message) noexcept;  // never null
tn_error* error_out_of_memory() noexcept;                          // the static one
tn_error* error_retain(tn_error* e) noexcept;
void error_release(tn_error* e) noexcept;

// Owns one reference to an error. Thrown inside the core; `release` hands it to the C side.
class Error {
 public:
  Error(tn_code code, std::string message) : error_(error_make(code, std::move(message))) {}
  explicit Error(tn_error* taken) : error_(taken) {}
  Error(const Error& o) noexcept : error_(error_retain(o.error_)) {}
  Error(Error&& o) noexcept : error_(std::exchange(o.error_, nullptr)) {}
  Error& operator=(Error o) noexcept {
    std::swap(error_, o.error_);
    return *this;
  }
  ~Error() { error_release(error_); }

  tn_error* release() noexcept { return std::exchange(error_, nullptr); }
  tn_error* get() const noexcept { return error_; }
  tn_code code() const noexcept { return error_->code; }
  const char* message() const noexcept { return tn_error_message(error_); }

 private:
  tn_error* error_;
};

// The number with so many significant digits; 0: as many as it takes to read the same number again.
std::string number_text(double value, int digits = 0);

[[noreturn]] void fail_with(tn_code code, fmt::string_view format, fmt::format_args args);

// fail(TN_NOT_FOUND, "plugin {}: no such file", path)
template <class... Args>
[[noreturn]] void fail(tn_code code, fmt::format_string<Args...> format, Args&&... args) {
  fail_with(code, format, fmt::make_format_args(args...));
}

// Turns an error that came back from a plugin or a C function into an exception.
inline void check(tn_error* e) {
  if (e) [[unlikely]]
    throw Error(e);
}

// The error of the exception in flight: for the guard of the C functions and of callbacks.
tn_error* error_from_exception() noexcept;

// guard([&] { ... }): what every C function runs in.
template <class Body>
inline tn_error* guard(Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return error_from_exception();
  }
}

// In a handler: throws again what the core itself threw, and makes INTERNAL of all else.
[[noreturn]] void rethrow_from_plugin(const char* function);

// Runs a function of a plugin. Nothing may be thrown through the boundary; where it is all the same, it becomes INTERNAL.
template <class Body>
auto call_plugin(const char* function, Body&& body) {
  try {
    return body();
  } catch (...) {
    rethrow_from_plugin(function);
  }
}

// A function of a plugin that has nothing to report: what it throws may not end the process.
template <class Body>
void quietly(Body&& body) noexcept {
  try {
    body();
  } catch (...) {
  }
}

[[noreturn]] void assert_failed(const char* what, const char* file, int line);

}  // namespace tenon

// A broken invariant: INTERNAL, never an abort.
#define TENON_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::tenon::assert_failed(#condition, __FILE__, __LINE__))
