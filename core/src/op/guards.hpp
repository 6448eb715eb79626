// What every C function checks before it does anything.
#pragma once
#include "base/error.hpp"
#include "runtime.hpp"

namespace tenon {

inline void need(const void* p, const char* function, const char* what) {
  if (!p) [[unlikely]]
    fail(TN_INVALID_ARGUMENT, "{}: {} is NULL", function, what);
}

inline const tn_runtime* runtime_of(const tn_tensor& t) {
  return t.device ? t.device->runtime : nullptr;
}
// need, and what is given to a context is of its runtime: tensors, variables.
template <class T>
void need_own(const tn_ctx* ctx, const T* of, const char* function, const char* what) {
  need(of, function, what);
  const tn_runtime* rt = runtime_of(*of);
  if (rt && rt != ctx->runtime)
    fail(TN_INVALID_ARGUMENT, "{}: {} belongs to another runtime; copy its elements by the host",
         function, what);
}

// guard with a live runtime / context. `function` is the C name.
template <class Body>
tn_error* with_runtime(tn_runtime* rt, const char* function, Body&& body) noexcept {
  return guard([&] {
    need(rt, function, "runtime");
    runtime_check(rt, function);
    body();
  });
}
template <class Body>
tn_error* with_ctx(tn_ctx* ctx, const char* function, Body&& body) noexcept {
  return guard([&] {
    need(ctx, function, "ctx");
    if (ctx->page->state.load(std::memory_order_relaxed) != kAlive) [[unlikely]]
      runtime_check(ctx->runtime, function);
    body();
  });
}

// A path of the caller. A NUL byte would make it another one for the operating system.
std::string path_of(tn_str path, const char* function, const char* what = "path");

// Copies a text into a caller's buffer (rules in base.h).
inline void give_text(const std::string& text, char* buffer, uint64_t capacity,
                      uint64_t* out_size) {
  if (capacity && !buffer) fail(TN_INVALID_ARGUMENT, "buffer is NULL but capacity is {}", capacity);
  if (capacity) {
    const uint64_t n = std::min<uint64_t>(capacity - 1, text.size());
    std::memcpy(buffer, text.data(), n);
    buffer[n] = 0;
  }
  if (out_size) *out_size = text.size();
}

// Writes an out-struct: at most what the caller's struct_size covers.
template <class T>
void give_struct(const T& value, T* out, const char* function) {
  need(out, function, "the out-struct");
  const uint32_t size = out->struct_size;
  if (size < sizeof(uint32_t) * 2)
    fail(TN_INVALID_ARGUMENT, "{}: struct_size is {}; use the _init function", function, size);
  std::memcpy(out, &value, std::min<size_t>(size, sizeof(T)));
  out->struct_size = size;
}

// Reads an argument struct: zero-extended when older; a newer one must have a zero tail.
template <class T>
T take_struct(const T* in, T defaults, const char* function) {
  if (!in) return defaults;
  const uint32_t size = in->struct_size;
  if (size < sizeof(uint32_t) * 2)
    fail(TN_INVALID_ARGUMENT, "{}: struct_size is {}; use the _init function", function, size);
  const auto* bytes = reinterpret_cast<const unsigned char*>(in);
  for (size_t i = sizeof(T); i < size; ++i)
    if (bytes[i])
      fail(TN_INCOMPATIBLE,
           "{}: the argument struct has {} bytes, this library ({}.{}.{}) knows {} and the rest is "
           "in use: it needs a newer libtenon",
           function, size, TENON_VERSION >> 22, TENON_VERSION >> 12 & 0x3ff, TENON_VERSION & 0xfff,
           sizeof(T));
  T out{};
  std::memcpy(&out, in, std::min<size_t>(size, sizeof(T)));
  out.struct_size = sizeof(T);
  return out;
}

inline tn_str str_of(const std::string& s) { return {s.data(), s.size()}; }

}  // namespace tenon
