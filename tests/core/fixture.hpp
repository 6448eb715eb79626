// What the tests of the C API share: a runtime and a context on the device that TENON_DEVICE names, and short forms.
#pragma once
#include <doctest/doctest.h>
#include <tenon/tenon.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace tenon::test {

// Takes over an error: its code and message.
struct Outcome {
  tn_code code = TN_OK;
  std::string message;
  explicit Outcome(tn_error* e) : code(tn_error_code(e)), message(tn_error_message(e)) {
    tn_error_release(e);
  }
};

#define CHECK_OK(call)                           \
  do {                                           \
    const ::tenon::test::Outcome outcome_(call); \
    INFO(outcome_.message);                      \
    CHECK(outcome_.code == TN_OK);               \
  } while (0)
#define REQUIRE_OK(call)                         \
  do {                                           \
    const ::tenon::test::Outcome outcome_(call); \
    INFO(outcome_.message);                      \
    REQUIRE(outcome_.code == TN_OK);             \
  } while (0)
// The call fails with this code, and its message holds the text.
#define CHECK_FAILS(call, expected, text)                    \
  do {                                                       \
    const ::tenon::test::Outcome outcome_(call);             \
    INFO(outcome_.message);                                  \
    CHECK(outcome_.code == (expected));                      \
    CHECK(outcome_.message.find(text) != std::string::npos); \
  } while (0)

struct Releaser {
  void operator()(tn_tensor* t) const { tn_tensor_release(t); }
  void operator()(tn_runtime* r) const { tn_runtime_release(r); }
  void operator()(tn_ctx* c) const { tn_ctx_release(c); }
  void operator()(tn_variable* v) const { tn_variable_release(v); }
};
using Tensor = std::unique_ptr<tn_tensor, Releaser>;
using Variable = std::unique_ptr<tn_variable, Releaser>;

struct Session {
  std::unique_ptr<tn_runtime, Releaser> runtime;
  std::unique_ptr<tn_ctx, Releaser> ctx;
  Session() : Session(make_runtime()) {}
  explicit Session(tn_runtime* taken) : runtime(taken), ctx(context()) {}
  static tn_runtime* make_runtime() {
    tn_runtime* rt = nullptr;
    REQUIRE_OK(tn_runtime_create(nullptr, &rt));
    return rt;
  }
  std::unique_ptr<tn_ctx, Releaser> context() {
    tn_ctx* c = nullptr;
    REQUIRE_OK(tn_ctx_create(runtime.get(), tn_string(""), &c));
    return std::unique_ptr<tn_ctx, Releaser>(c);
  }
  operator tn_ctx*() const { return ctx.get(); }

  Tensor f32(const std::vector<float>& v, std::vector<int64_t> dims) {
    tn_tensor* t = nullptr;
    REQUIRE_OK(tn_tensor_from_f32(ctx.get(), v.data(), static_cast<uint32_t>(dims.size()),
                                  dims.data(), &t));
    return Tensor(t);
  }
  Tensor leaf(const Tensor& t) {
    tn_tensor* out = nullptr;
    REQUIRE_OK(tn_tensor_leaf(ctx.get(), t.get(), &out));
    return Tensor(out);
  }
  std::vector<float> read(const Tensor& t) {
    std::vector<float> out(static_cast<size_t>(tn_tensor_count(t.get())));
    REQUIRE_OK(tn_tensor_read(ctx.get(), t.get(), out.data(), out.size() * sizeof(float)));
    return out;
  }
};

// get([&](tn_tensor** out) { return tn_add(cx, a, b, out); })
template <class Call>
Tensor get(Call&& call) {
  tn_tensor* t = nullptr;
  REQUIRE_OK(call(&t));
  return Tensor(t);
}

inline void check_close(const std::vector<float>& got, const std::vector<float>& want,
                        double tolerance = 1e-5) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::fabs(static_cast<double>(got[i]) - static_cast<double>(want[i])) <=
          tolerance * (1 + std::fabs(static_cast<double>(want[i]))));
  }
}

}  // namespace tenon::test
