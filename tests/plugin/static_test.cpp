// A program into which libtenon, a backend, a format and the optimizers are linked: no file is opened.
#include <tenon/tenon.h>
#include <tenon_static_plugins.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#define TENON_TEST_PLUGINS ""
#include "c_api.hpp"

namespace {

using namespace tenon::test;  // NOLINT(google-build-using-namespace): test helpers

using StaticRuntime = Handle<tn_runtime, tn_runtime_release>;
using StaticContext = Handle<tn_ctx, tn_ctx_release>;

StaticRuntime make_runtime() {
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.flags = TN_RUNTIME_NO_ENVIRONMENT | TN_RUNTIME_NO_SEARCH;
  desc.trust = TN_TRUST_NONE;
  desc.thread_count = 1;
  desc.static_plugins = tenon_static_plugins;
  tn_runtime* rt = nullptr;
  OK(tn_runtime_create(&desc, &rt));
  return StaticRuntime(rt);
}

StaticContext make_context(tn_runtime* rt) {
  tn_ctx* cx = nullptr;
  OK(tn_ctx_create(rt, tn_string("reference"), &cx));
  return StaticContext(cx);
}

}  // namespace

TEST_CASE("static: the array holds the plugins that were linked in, and nothing else is found") {
  const StaticRuntime rt = make_runtime();
  REQUIRE(std::size(tenon_static_plugins) == 4);
  CHECK(!tenon_static_plugins[3]);
  uint32_t count = 0;
  OK(tn_plugin_count(rt.get(), &count));
  std::set<std::string_view> ids;
  for (uint32_t i = 0; i < count; ++i) {
    tn_plugin_record record = tn_plugin_record_init();
    OK(tn_plugin_get_record(rt.get(), i, &record));
    CHECK(text_of(record.path) == "static");
    CHECK(record.verdict == TN_PLUGIN_READY);
    ids.insert(text_of(record.id));
  }
  CHECK(ids == std::set<std::string_view>{"org.tenon.optimizers", "org.tenon.reference",
                                          "org.tenon.safetensors"});
}

TEST_CASE("static: a linked-in optimizer steps on the linked-in device") {
  const StaticRuntime rt = make_runtime();
  const StaticContext cx = make_context(rt.get());
  const int64_t n = 2;
  const float start[] = {1.0f, -2.0f};
  tn_tensor *first = nullptr, *current = nullptr, *square = nullptr, *loss = nullptr,
            *grad = nullptr, *moved = nullptr;
  tn_variable* raw_x = nullptr;
  tn_optimizer* raw_sgd = nullptr;

  OK(tn_tensor_from_f32(cx.get(), start, 1, &n, &first));
  const Tensor hold_first(first);
  OK(tn_variable_create(cx.get(), tn_string("x"), first, 0, &raw_x));
  const Variable x(raw_x);
  OK(tn_variable_take(cx.get(), x.get(), &current));
  const Tensor hold_current(current);
  OK(tn_mul(cx.get(), current, current, &square));
  const Tensor hold_square(square);
  OK(tn_sum(cx.get(), square, nullptr, &loss));
  const Tensor hold_loss(loss);
  OK(tn_grad(cx.get(), loss, &raw_x, 1, &grad));
  const Tensor hold_grad(grad);

  const tn_option lr = tn_option_f64("lr", 0.25);
  OK(tn_optimizer_create(cx.get(), tn_string("sgd"), &lr, 1, &raw_sgd));
  const Optimizer sgd(raw_sgd);
  OK(tn_optimizer_step(cx.get(), sgd.get(), &raw_x, &grad, 1));
  OK(tn_variable_take(cx.get(), x.get(), &moved));
  const Tensor hold_moved(moved);
  float got[2] = {0, 0};
  OK(tn_tensor_read(cx.get(), moved, got, sizeof got));
  CHECK(got[0] == 0.5f);  // x - 0.25 * 2 * x
  CHECK(got[1] == -1.0f);
}

TEST_CASE("static: no shared library of Tenon is in the process") {
  const StaticRuntime rt = make_runtime();
  const StaticContext cx = make_context(rt.get());
  std::ifstream maps("/proc/self/maps");
  const std::string text((std::istreambuf_iterator<char>(maps)), {});
  REQUIRE(text.find("libc.so") != std::string::npos);
  CHECK(text.find("libtenon") == std::string::npos);
  CHECK(text.find("tenon_backend") == std::string::npos);
}
