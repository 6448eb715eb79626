// Attention on the cpu backend keeps no scores.
#include <cstdlib>
#include <string_view>

#include "fixture.hpp"

using namespace tenon::test;

namespace {

// Peak of the device's memory over attention of so many queries and keys, and its gradients.
uint64_t peak_of(int64_t length) {
  Session s;
  const std::vector<float> values(static_cast<size_t>(2 * length * 16), 0.5f);
  std::vector<Tensor> qkv;
  tn_tensor* inputs[3];
  for (tn_tensor*& input : inputs) {
    qkv.push_back(s.leaf(s.f32(values, {2, length, 16})));
    input = qkv.back().get();
  }
  const Tensor g = s.f32(values, {2, length, 16});
  tn_device* device = tn_ctx_get_device(s);
  REQUIRE_OK(tn_device_reset_peak(device));
  const tn_scaled_dot_product_attention_options options =
      tn_scaled_dot_product_attention_options_init();
  const Tensor y = get([&](tn_tensor** out) {
    return tn_scaled_dot_product_attention(s, inputs[0], inputs[1], inputs[2], nullptr, &options,
                                           out);
  });
  tn_tensor *outputs[] = {y.get()}, *cotangents[] = {g.get()}, *grads[3] = {};
  REQUIRE_OK(tn_vjp(s, outputs, cotangents, 1, inputs, 3, 0, grads));
  for (tn_tensor* grad : grads) tn_tensor_release(grad);
  tn_memory_stats stats = tn_memory_stats_init();
  REQUIRE_OK(tn_device_get_memory(device, &stats));
  return stats.peak_bytes;
}

}  // namespace

TEST_CASE("attention: its memory grows with the length, not with its square") {
  const char* device = std::getenv("TENON_DEVICE");
  if (!device || std::string_view(device) != "cpu") return;
  const uint64_t once = peak_of(1024), twice = peak_of(2048);
  CAPTURE(once);
  CAPTURE(twice);
  CHECK(twice < 2 * once + once / 4);
  CHECK(twice < 2048u * 2048u * sizeof(float));  // the scores of one head
}
