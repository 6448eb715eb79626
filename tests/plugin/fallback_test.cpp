// A device without any kernel, and a context that may fall back to the cpu.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "plugin_fixture.hpp"
#include "tenon/tenon.h"

using tenon_test::PluginFolder;

namespace {

int warnings = 0;
void TN_CALL count_warning(void*, uint32_t, tn_str) { ++warnings; }

#define REQUIRE_OK(call)                                       \
  do {                                                         \
    tn_error* error_ = (call);                                 \
    INFO(std::string(error_ ? tn_error_message(error_) : "")); \
    REQUIRE(error_ == nullptr);                                \
  } while (0)

struct Bare {
  tn_runtime* runtime = nullptr;
  tn_ctx* cx = nullptr;
  PluginFolder folder;
  std::vector<tn_tensor*> owned;
  Bare() {
    const std::string library = folder.library("good");
    tn_runtime_desc d = tn_runtime_desc_init();
    d.log.function = count_warning;
    d.log_level = TN_LOG_WARNING;
    d.trust = TN_TRUST_ANY;
    warnings = 0;
    REQUIRE_OK(tn_runtime_create(&d, &runtime));
    REQUIRE_OK(tn_plugin_load(runtime, tn_string(library.c_str())));
    REQUIRE_OK(tn_ctx_create(runtime, tn_string("minimal"), &cx));
  }
  ~Bare() {
    for (tn_tensor* t : owned) tn_tensor_release(t);
    tn_ctx_release(cx);
    tn_runtime_release(runtime);
  }
  tn_tensor* keep(tn_tensor* t) {
    owned.push_back(t);
    return t;
  }
  std::vector<float> values(tn_tensor* t) {
    std::vector<float> out(tn_tensor_count(t));
    REQUIRE(tn_tensor_dtype(t) == TN_DTYPE_F32);
    REQUIRE_OK(tn_tensor_read(cx, t, out.data(), out.size() * sizeof(float)));
    return out;
  }
};

}  // namespace

TEST_CASE("fallback: off, an op that the device cannot run is an error that says so") {
  Bare b;
  const int64_t dims[] = {2};
  const float data[] = {1, 2};
  tn_tensor *a = nullptr, *y = nullptr;
  REQUIRE_OK(tn_tensor_from_f32(b.cx, data, 1, dims, &a));
  b.keep(a);
  tn_error* error = tn_add(b.cx, a, a, &y);
  CHECK(tn_error_code(error) == TN_UNIMPLEMENTED);
  CHECK(std::string(tn_error_message(error)).find("allow fallback") != std::string::npos);
  tn_error_release(error);
}

TEST_CASE("fallback: ops, scalars, gradients, random numbers and optimizers run") {
  Bare b;
  tn_ctx_set_fallback(b.cx, 1);
  const int64_t dims[] = {2};
  const float data[] = {1, 2};
  tn_tensor *a = nullptr, *three = nullptr, *y = nullptr;
  REQUIRE_OK(tn_tensor_from_f32(b.cx, data, 1, dims, &a));
  b.keep(a);
  REQUIRE_OK(tn_tensor_scalar_f64(b.cx, 3, &three));
  b.keep(three);

  // A weak scalar stays weak: f32 in, f32 out, on the device of the tensor.
  REQUIRE_OK(tn_mul(b.cx, a, three, &y));
  b.keep(y);
  CHECK(b.values(y) == std::vector<float>{3, 6});
  CHECK(tn_tensor_get_device(y) == tn_tensor_get_device(a));

  // Said once for an op.
  const int before = warnings;
  REQUIRE_OK(tn_mul(b.cx, a, a, &y));
  b.keep(y);
  CHECK(warnings == before);

  tn_tensor *leaf = nullptr, *square = nullptr, *sum = nullptr, *grad = nullptr;
  REQUIRE_OK(tn_tensor_leaf(b.cx, a, &leaf));
  REQUIRE_OK(tn_mul(b.cx, leaf, leaf, &square));
  REQUIRE_OK(tn_sum(b.cx, square, nullptr, &sum));
  REQUIRE_OK(tn_vjp(b.cx, &sum, nullptr, 1, &leaf, 1, 0, &grad));
  for (tn_tensor* t : {leaf, square, sum, grad}) b.keep(t);
  CHECK(b.values(grad) == std::vector<float>{2, 4});

  // The state of the random numbers advances as it does without fallback.
  tn_ctx* cpu = nullptr;
  REQUIRE_OK(tn_ctx_create(b.runtime, tn_string("cpu"), &cpu));
  REQUIRE_OK(tn_ctx_set_seed(cpu, 7));
  REQUIRE_OK(tn_ctx_set_seed(b.cx, 7));
  for (int i = 0; i < 2; ++i) {
    tn_tensor *u = nullptr, *v = nullptr;
    REQUIRE_OK(tn_uniform(b.cx, 1, dims, nullptr, &u));
    REQUIRE_OK(tn_uniform(cpu, 1, dims, nullptr, &v));
    b.keep(u);
    float expected[2];
    REQUIRE_OK(tn_tensor_read(cpu, v, expected, sizeof expected));
    tn_tensor_release(v);
    CHECK(b.values(u) == std::vector<float>(expected, expected + 2));
    CHECK(tn_tensor_get_device(u) == tn_tensor_get_device(a));
  }
  tn_ctx_release(cpu);

  tn_variable* w = nullptr;
  tn_optimizer* adam = nullptr;
  const tn_option lr = tn_option_f64("lr", 0.5);
  REQUIRE_OK(tn_variable_create(b.cx, tn_string("w"), a, 0, &w));
  REQUIRE_OK(tn_optimizer_create(b.cx, tn_string("adam"), &lr, 1, &adam));
  REQUIRE_OK(tn_optimizer_step(b.cx, adam, &w, &grad, 1));
  REQUIRE_OK(tn_variable_take(b.cx, w, &y));
  b.keep(y);
  const std::vector<float> stepped =
      b.values(y);  // the first step of Adam is lr, whatever the gradient
  CHECK(std::abs(stepped[0] - 0.5f) < 1e-5f);
  CHECK(std::abs(stepped[1] - 1.5f) < 1e-5f);
  tn_optimizer_release(adam);
  tn_variable_release(w);
}
