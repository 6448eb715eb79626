// Exceptions end here: every C++ function that the host calls is wrapped by guard(), which turns what was thrown into a tn_error.
#ifndef TENON_SDK_GUARD_HPP_
#define TENON_SDK_GUARD_HPP_
#include <charconv>
#include <concepts>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "host.hpp"

namespace tenon::sdk {

// What plugin code throws: a code of the ABI and a message that names the object, what was given and what was expected. The host
// puts the op and the device in front.
class Error : public std::exception {
 public:
  Error(tn_code code, std::string message) : code_(code), message_(std::move(message)) {}
  tn_code code() const { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  tn_code code_;
  std::string message_;
};

namespace detail {
inline void append(std::string& out, std::string_view part) { out += part; }
inline void append(std::string& out, char part) { out += part; }
template <class T>
requires(std::is_arithmetic_v<T> && !std::same_as<T, char>) void append(std::string& out, T part) {
  if constexpr (std::is_same_v<T, bool>) {
    out += part ? '1' : '0';
  } else {  // the shortest text that is this number
    char digits[64];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, part).ptr);
  }
}
}  // namespace detail

// The parts, texts and numbers, one after the other.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

// Throws Error: fail(TN_OUT_OF_RANGE, "index ", i, " lies outside 0..", n).
template <class... Parts>
[[noreturn]] void fail(tn_code code, const Parts&... parts) {
  throw Error(code, text(parts...));
}

// Runs f() and returns null, or the error that f threw.
template <class F>
tn_error* guard(Host host, F&& f) noexcept {
  try {
    std::forward<F>(f)();
    return nullptr;
  } catch (const Error& e) {
    return host.error(e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return host.error(TN_OUT_OF_MEMORY, "host memory is exhausted");
  } catch (const std::exception& e) {
    return host.error(TN_INTERNAL, e.what());
  } catch (...) {
    return host.error(TN_INTERNAL, "an exception of unknown type");
  }
}

// Throws what a service of the host returned; takes the error over.
inline void check(Host host, tn_error* error) {
  if (!error) return;
  Error thrown(host.raw()->error_code(error), host.raw()->error_message(error));
  host.raw()->error_release(error);
  throw thrown;
}

}  // namespace tenon::sdk
#endif
