// What tests of the C API share: errors in the message of a check, owners for handles, a runtime over the plugins of this build.
// TENON_TEST_PLUGINS lists their folders, with ':' between them.
#pragma once
#include <doctest/doctest.h>
#include <tenon/tenon.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::test {

inline std::string_view text_of(tn_str s) { return {s.data ? s.data : "", s.data ? s.size : 0}; }
inline tn_str str_of(std::string_view s) { return {s.data(), s.size()}; }

// Code and message of a call's result, which it takes over.
struct Outcome {
  tn_code code = TN_OK;
  std::string message;
};
inline Outcome outcome(tn_error* error) {
  Outcome o;
  if (error) {
    o.code = tn_error_code(error);
    o.message = tn_error_message(error);
    tn_error_release(error);
  }
  return o;
}

// Ends the test case if `call` fails, and says why.
#define OK(call)                                                     \
  do {                                                               \
    const ::tenon::test::Outcome ok_ = ::tenon::test::outcome(call); \
    REQUIRE_MESSAGE(ok_.code == TN_OK, ok_.message);                 \
  } while (0)
// `call` must fail with this code and have this text in its message.
#define REFUSED(call, expected, text)                                                  \
  do {                                                                                 \
    const ::tenon::test::Outcome refused_ = ::tenon::test::outcome(call);              \
    CHECK(refused_.code == (expected));                                                \
    CHECK_MESSAGE(refused_.message.find(text) != std::string::npos, refused_.message); \
  } while (0)

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* p) const {
    release(p);
  }
};
template <class T, auto release>
using Handle = std::unique_ptr<T, Releaser<release>>;
using Tensor = Handle<tn_tensor, tn_tensor_release>;
using Variable = Handle<tn_variable, tn_variable_release>;
using Optimizer = Handle<tn_optimizer, tn_optimizer_release>;
using Schedule = Handle<tn_schedule, tn_schedule_release>;
using Model = Handle<tn_model, tn_model_release>;

inline std::vector<tn_tensor*> raw(const std::vector<Tensor>& tensors) {
  std::vector<tn_tensor*> out;
  for (const Tensor& t : tensors) out.push_back(t.get());
  return out;
}
inline std::vector<tn_variable*> raw(const std::vector<Variable>& variables) {
  std::vector<tn_variable*> out;
  for (const Variable& v : variables) out.push_back(v.get());
  return out;
}

class Runtime {
 public:
  explicit Runtime(uint32_t flags = 0) {
    std::vector<tn_str> folders;
    for (std::string_view rest = TENON_TEST_PLUGINS; !rest.empty();) {
      folders.push_back(str_of(rest.substr(0, rest.find(':'))));
      rest.remove_prefix(std::min<size_t>(rest.size(), folders.back().size + 1));
    }
    tn_runtime_desc d = tn_runtime_desc_init();
    d.flags = TN_RUNTIME_NO_SEARCH | flags;
    d.trust = TN_TRUST_ANY;
    d.thread_count = 2;
    d.plugin_path_count = static_cast<uint32_t>(folders.size());
    d.plugin_paths = folders.data();
    OK(tn_runtime_create(&d, &runtime_));
  }
  Runtime(const Runtime&) = delete;
  ~Runtime() { tn_runtime_release(runtime_); }
  tn_runtime* get() const { return runtime_; }
  // "reference:0", "cpu:0" and whatever else this build has: the first device of each type.
  std::vector<std::string> devices() const {
    uint32_t n = 0;
    std::vector<std::string> names;
    OK(tn_device_count(runtime_, &n));
    for (uint32_t i = 0; i < n; ++i) {
      tn_device* d = nullptr;
      tn_device_info info = tn_device_info_init();
      OK(tn_device_at(runtime_, i, &d));
      OK(tn_device_get_info(d, &info));
      if (info.index == 0) names.emplace_back(text_of(info.name));
    }
    return names;
  }

 private:
  tn_runtime* runtime_ = nullptr;
};

class Context {
 public:
  Context(const Runtime& runtime, std::string_view device) {
    OK(tn_ctx_create(runtime.get(), str_of(device), &ctx_));
  }
  Context(const Context&) = delete;
  ~Context() { tn_ctx_release(ctx_); }
  operator tn_ctx*() const { return ctx_; }  // NOLINT(google-explicit-constructor)

 private:
  tn_ctx* ctx_ = nullptr;
};

template <class T>
Tensor tensor(tn_ctx* ctx, tn_dtype dtype, const std::vector<int64_t>& dims,
              const std::vector<T>& elements) {
  tn_tensor* t = nullptr;
  OK(tn_tensor_from_host(ctx, dtype, static_cast<uint32_t>(dims.size()), dims.data(),
                         elements.data(), elements.size() * sizeof(T), &t));
  return Tensor(t);
}
// The elements as they lie in memory, dense; T = char gives their bytes.
template <class T>
std::vector<T> elements(tn_ctx* ctx, tn_tensor* t) {
  std::vector<T> out(tn_tensor_bytes(t) / sizeof(T));
  REQUIRE((sizeof(T) == 1 || out.size() == static_cast<size_t>(tn_tensor_count(t))));
  OK(tn_tensor_read(ctx, t, out.data(), out.size() * sizeof(T)));
  return out;
}
inline Variable variable(tn_ctx* ctx, const std::string& name, tn_tensor* value,
                         uint32_t flags = 0) {
  tn_variable* v = nullptr;
  OK(tn_variable_create(ctx, str_of(name), value, flags, &v));
  return Variable(v);
}
inline Tensor value_of(tn_ctx* ctx, tn_variable* v) {
  tn_tensor* t = nullptr;
  OK(tn_variable_take(ctx, v, &t));
  return Tensor(t);
}

// body(runtime, context) for each device of the build.
template <class Body>
void for_each_device(Body&& body) {
  const Runtime runtime;
  for (const std::string& device : runtime.devices()) {
    CAPTURE(device);
    const Context ctx(runtime, device);
    body(runtime, ctx);
  }
}

}  // namespace tenon::test
