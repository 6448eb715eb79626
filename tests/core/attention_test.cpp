// Attention: scores that are large, masks that are no numbers; on the cpu backend it keeps no scores.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
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

// y, and dq and dv for a gradient of ones.
struct Results {
  std::vector<float> y, dq, dv;
};
Results attend(Session& s, const Tensor& q, const Tensor& k, const Tensor& v, const tn_tensor* mask,
               bool causal, tn_dtype dtype) {
  const auto cast = [&](const Tensor& x, tn_dtype to) {
    return get([&](tn_tensor** out) { return tn_cast(s, x.get(), to, out); });
  };
  std::vector<Tensor> leaves;
  tn_tensor* in[3];
  for (const Tensor* x : {&q, &k, &v}) {
    leaves.push_back(s.leaf(cast(*x, dtype)));
    in[leaves.size() - 1] = leaves.back().get();
  }
  tn_scaled_dot_product_attention_options options = tn_scaled_dot_product_attention_options_init();
  options.causal = causal;
  const Tensor y = get([&](tn_tensor** out) {
    return tn_scaled_dot_product_attention(s, in[0], in[1], in[2], const_cast<tn_tensor*>(mask),
                                           &options, out);
  });
  const Tensor g = get([&](tn_tensor** out) {
    return tn_tensor_full(s, dtype, 1, tn_tensor_rank(y.get()), tn_tensor_dims(y.get()), out);
  });
  tn_tensor *outputs[] = {y.get()}, *cotangents[] = {g.get()}, *grads[3] = {};
  REQUIRE_OK(tn_vjp(s, outputs, cotangents, 1, in, 3, 0, grads));
  const Tensor dq(grads[0]), dk(grads[1]), dv(grads[2]);
  return {s.read(cast(y, TN_DTYPE_F32)), s.read(cast(dq, TN_DTYPE_F32)),
          s.read(cast(dv, TN_DTYPE_F32))};
}

}  // namespace

// Each score is the greatest: what is taken off it must be what it is, to the last bit.
TEST_CASE("attention: scores of thousands of millions") {
  Session s;
  const std::vector<int64_t> dims{1, 256, 64};
  const std::vector<float> ones(256 * 64, 1.0f);
  const Tensor v = s.f32(ones, dims);
  const char* device = std::getenv("TENON_DEVICE");  // others than the cpu backend take their time
  const float step = device && std::string_view(device) == "cpu" ? 1024 : 8192;
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_BF16})
    for (const bool causal : {false, true})
      for (float c = 10000; c < 40000; c += step) {
        CAPTURE(dtype);
        CAPTURE(causal);
        CAPTURE(c);
        const Tensor q = s.f32(std::vector<float>(256 * 64, c), dims);
        const Results r = attend(s, q, q, v, nullptr, causal, dtype);
        bool close = true, numbers = true;
        for (const float x : r.y) close = close && std::fabs(x - 1) < 0.01f;
        for (const float x : r.dq) numbers = numbers && std::isfinite(x);
        for (const float x : r.dv) numbers = numbers && std::isfinite(x) && x > 0;
        CHECK(close);
        CHECK(numbers);
      }
}

TEST_CASE("attention: a mask that is no number, whatever its bits") {
  Session s;
  std::vector<float> values(64 * 64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
  const Tensor x = s.f32(values, {1, 64, 64});
  for (const uint32_t bits : {0x7fc00000u, 0x7fc00001u, 0x7fffffffu, 0xffffffffu}) {
    CAPTURE(bits);
    std::vector<float> bias(64 * 64, 0.0f);
    std::memcpy(&bias[3 * 64 + 7], &bits, sizeof bits);
    const Tensor mask = s.f32(bias, {64, 64});
    const Results r = attend(s, x, x, x, mask.get(), false, TN_DTYPE_F32);
    for (size_t row = 0; row < 64; ++row) {
      const bool none = row == 3;
      CHECK(std::isnan(r.y[row * 64]) == none);
      CHECK(std::isnan(r.dq[row * 64 + 1]) == none);
      CHECK(std::isnan(r.dv[row * 64 + 2]));
    }
  }
}

TEST_CASE("attention: its memory grows with the length, not with its square") {
  const char* device = std::getenv("TENON_DEVICE");
  if (!device || std::string_view(device) != "cpu") return;
  const uint64_t once = peak_of(1024), twice = peak_of(2048);
  CAPTURE(once);
  CAPTURE(twice);
  CHECK(twice < 2 * once + once / 4);
  CHECK(twice < 2048u * 2048u * sizeof(float));  // the scores of one head
}
