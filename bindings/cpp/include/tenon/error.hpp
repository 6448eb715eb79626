// tenon::Error, what every function of the binding throws, and check(), which makes one of a tn_error.
#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tenon/base.h"

namespace tenon {

class Error : public std::exception {
 public:
  // Takes over `error`, which is not NULL.
  explicit Error(tn_error* error) : error_(error, tn_error_release) {}
  Error(tn_code code, std::string_view message)
      : Error(tn_error_create(code, {message.data(), message.size()})) {}

  const char* what() const noexcept override { return tn_error_message(error_.get()); }
  tn_code code() const noexcept { return tn_error_code(error_.get()); }
  // "" where the error has none.
  std::string_view op() const noexcept { return tn_error_op(error_.get()); }
  std::string_view device() const noexcept { return tn_error_device(error_.get()); }
  std::string_view plugin() const noexcept { return tn_error_plugin(error_.get()); }
  bool retryable() const noexcept { return tn_error_retryable(error_.get()) != 0; }
  // Lent; with it the causes, by tn_error_get_cause.
  const tn_error* get() const noexcept { return error_.get(); }

 private:
  std::shared_ptr<tn_error> error_;  // exceptions are copied
};

inline void check(tn_error* error) {
  if (error) throw Error(error);
}

inline tn_str to_str(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view to_view(tn_str s) {
  return s.size ? std::string_view(s.data, s.size) : std::string_view();
}

namespace detail {

// The text of a C function that writes into a buffer: get(buffer, capacity, &size).
template <class Get>
std::string text_of(Get get) {
  std::string text(256, '\0');
  for (;;) {
    uint64_t size = 0;
    check(get(text.data(), uint64_t{text.size()}, &size));
    const bool whole = size < text.size();
    text.resize(whole ? size : size + 1);
    if (whole) return text;
  }
}

// An owned C object with one release function.
template <class T, void(TN_CALL* release)(T*)>
struct Release {
  void operator()(T* object) const noexcept { release(object); }
};
template <class T, void(TN_CALL* release)(T*)>
using Owner = std::unique_ptr<T, Release<T, release>>;

}  // namespace detail
}  // namespace tenon
