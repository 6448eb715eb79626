// Ops at the edges of what they take: nothing to do, indices outside, infinite numbers.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "fixture.hpp"

using namespace tenon::test;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

template <class T>
Tensor host(tn_ctx* cx, tn_dtype dtype, const std::vector<T>& data,
            const std::vector<int64_t>& dims) {
  return get([&](tn_tensor** out) {
    return tn_tensor_from_host(cx, dtype, static_cast<uint32_t>(dims.size()), dims.data(),
                               data.data(), data.size() * sizeof(T), out);
  });
}
Tensor labels(tn_ctx* cx, const std::vector<int64_t>& v) {
  return host(cx, TN_DTYPE_I64, v, {static_cast<int64_t>(v.size())});
}
Tensor zeros(tn_ctx* cx, const std::vector<int64_t>& dims, tn_dtype dtype = TN_DTYPE_F32) {
  return get([&](tn_tensor** out) {
    return tn_tensor_full(cx, dtype, 0, static_cast<uint32_t>(dims.size()), dims.data(), out);
  });
}

// The error of a call, which may come with its result. The context's queue is usable again afterwards.
template <class Call>
Outcome outcome(tn_ctx* cx, Call&& call) {
  tn_tensor* out = nullptr;
  tn_error* e = call(&out);
  const Tensor kept(out);
  if (!e && out) {
    std::vector<char> bytes(static_cast<size_t>(tn_tensor_count(out)) * 16);
    e = tn_tensor_read(cx, out, bytes.data(),
                       tn_dtype_bytes(tn_tensor_dtype(out), tn_tensor_count(out)));
  }
  const Outcome found(e);
  CHECK_OK(tn_ctx_recover(cx));
  return found;
}

#define CHECK_OUTSIDE(found, text)                         \
  do {                                                     \
    const Outcome found_ = (found);                        \
    INFO(found_.message);                                  \
    CHECK(found_.code == TN_OUT_OF_RANGE);                 \
    CHECK(found_.message.find(text) != std::string::npos); \
  } while (0)

}  // namespace

TEST_CASE("edges: classes are needed, and labels that are of them") {
  Session cx;
  const std::vector<int64_t> two{2, 1};
  const Tensor logits = zeros(cx, {2, 3, 1}), flat = labels(cx, {2, -3});
  const Tensor at = get([&](auto out) { return tn_reshape(cx, flat.get(), 2, two.data(), out); });
  CHECK_OUTSIDE(outcome(cx,
                        [&](auto out) {
                          return tn_cross_entropy(cx, logits.get(), at.get(), nullptr, nullptr,
                                                  out);
                        }),
                "cross_entropy: labels has -3 at position 1: use 0 to 2");
  tn_tensor* out = nullptr;
  const Tensor none = zeros(cx, {2, 0}), zero = labels(cx, {0, 0});
  CHECK_FAILS(tn_cross_entropy(cx, none.get(), zero.get(), nullptr, nullptr, &out),
              TN_INVALID_ARGUMENT, "no classes");
}

TEST_CASE("edges: convolution of nothing takes no time, however far the padding reaches") {
  Session cx;
  const std::array<int64_t, 2> low{INT32_MAX, 1};
  tn_conv_options o = tn_conv_options_init();
  o.low = low.data();
  o.n_low = 2;
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_U8}) {
    const Tensor x = zeros(cx, {0, 2, 5, 1}, dtype), w = zeros(cx, {1, 2, 5, 1}, dtype);
    const Tensor y = get([&](auto out) { return tn_conv(cx, x.get(), w.get(), &o, out); });
    CHECK(tn_tensor_count(y.get()) == 0);
    const Tensor one = zeros(cx, {1, 2, 5, 1}, dtype), no = zeros(cx, {0, 2, 5, 1}, dtype);
    const Tensor z = get([&](auto out) { return tn_conv(cx, one.get(), no.get(), &o, out); });
    CHECK(tn_tensor_count(z.get()) == 0);
  }
}

TEST_CASE("edges: complex division by zero and by infinite numbers") {
  Session cx;
  const auto pairs = [&](const std::vector<float>& v) {
    return host(cx, TN_DTYPE_C64, v, {static_cast<int64_t>(v.size() / 2)});
  };
  const Tensor a = pairs({1, 0, -1, 2, 0, 0, 1, 1, kInf, 1, 6, 2}),
               b = pairs({0, 0, 0, 0, 0, 0, kInf, kInf, 1, 1, 1, -1});
  const Tensor y = get([&](auto out) { return tn_div(cx, a.get(), b.get(), out); });
  std::vector<float> got(12);
  REQUIRE_OK(tn_tensor_read(cx, y.get(), got.data(), got.size() * sizeof(float)));
  CHECK(got[0] == kInf);
  CHECK(std::isnan(got[1]));
  CHECK(got[2] == -kInf);
  CHECK(got[3] == kInf);
  CHECK((std::isnan(got[4]) && std::isnan(got[5])));
  CHECK((got[6] == 0 && got[7] == 0));
  CHECK((got[8] == kInf && got[9] == -kInf));
  CHECK((got[10] == 2 && got[11] == 4));
}

TEST_CASE("edges: complex numbers are added where indices meet") {
  Session cx;
  const Tensor x = zeros(cx, {2}, TN_DTYPE_C64), at = labels(cx, {1, 0, 1});
  const Tensor u = host<float>(cx, TN_DTYPE_C64, {1, 2, 3, 4, 5, 6}, {3});
  const Tensor y =
      get([&](auto out) { return tn_scatter_add(cx, x.get(), at.get(), u.get(), nullptr, out); });
  std::vector<float> got(4);
  REQUIRE_OK(tn_tensor_read(cx, y.get(), got.data(), got.size() * sizeof(float)));
  check_close(got, {3, 4, 6, 8});
}

TEST_CASE("edges: uniform numbers over more than the dtype holds") {
  Session cx;
  const int64_t dims[] = {4};
  tn_tensor* out = nullptr;
  tn_uniform_options o = tn_uniform_options_init();
  o.dtype = TN_DTYPE_F64;
  o.low = -1.7e308;
  o.high = 1.7e308;
  CHECK_FAILS(tn_uniform(cx, 1, dims, &o, &out), TN_INVALID_ARGUMENT, "for f64");
  o.dtype = TN_DTYPE_F32;
  o.low = -3e38;
  o.high = 3e38;
  CHECK_FAILS(tn_uniform(cx, 1, dims, &o, &out), TN_INVALID_ARGUMENT, "for f32");
}

TEST_CASE("edges: counts that cannot be meant are refused before anything is read") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const int64_t n = 1;
  const float data[] = {1};
  tn_tensor *t = nullptr, *out = nullptr;
  uint32_t made = 0;
  REQUIRE_OK(tn_tensor_from_f32(cx, data, 1, &n, &t));
  CHECK_FAILS(tn_reshape(cx, t, 0xffffffffu, &n, &out), TN_OUT_OF_RANGE, "reshape: attribute");
  tn_tensor* in[] = {t, t};
  CHECK_FAILS(tn_op_call(cx, TN_OP_ADD, in, 0xffffffffu, nullptr, 0, &out, 1, &made),
              TN_INVALID_ARGUMENT, "4294967295 inputs given");
  tn_tensor_drop(cx, t);
}

TEST_CASE("edges: optional inputs at the end may be left out of the list") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const Tensor x = s.f32({-1, 0, 2, 4}, {2, 2}), low = s.f32({0}, {}),
               w = s.f32({1, 0, 0, 1}, {2, 2});
  const auto call = [&](tn_op op, std::vector<tn_tensor*> in) {
    return s.read(get([&](tn_tensor** out) {
      uint32_t made = 0;
      return tn_op_call(cx, op, in.data(), static_cast<uint32_t>(in.size()), nullptr, 0, out, 1,
                        &made);
    }));
  };
  CHECK(call(TN_OP_CLIP, {x.get()}) == std::vector<float>{-1, 0, 2, 4});
  CHECK(call(TN_OP_CLIP, {x.get(), low.get()}) == std::vector<float>{0, 0, 2, 4});
  CHECK(call(TN_OP_LINEAR, {x.get(), w.get()}) == std::vector<float>{-1, 0, 2, 4});
  CHECK(call(TN_OP_LAYER_NORM, {x.get()}) == call(TN_OP_LAYER_NORM, {x.get(), nullptr, nullptr}));
}

TEST_CASE("edges: steps larger than any image") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const Tensor x = s.f32({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3}),
               w = s.f32({1, 1, 1, 1}, {1, 1, 2, 2});
  for (const int64_t step :
       {int64_t{1000}, int64_t{INT32_MAX}, int64_t{INT32_MAX} + 1, INT64_MAX}) {
    CAPTURE(step);
    const int64_t steps[] = {step, step}, two[] = {2, 2}, one[] = {1, 1, 1, 1},
                  apart[] = {1, 1, step, step};
    tn_conv2d_options conv = tn_conv2d_options_init();
    conv.stride = steps, conv.n_stride = 2;
    tn_max_pool2d_options pool = tn_max_pool2d_options_init();
    pool.stride = steps, pool.n_stride = 2;
    tn_window_reduce_options window = tn_window_reduce_options_init();
    window.dilation = apart, window.n_dilation = 4;
    const auto by_conv = [&](auto o) { return tn_conv2d(cx, x.get(), w.get(), nullptr, &conv, o); };
    const auto by_pool = [&](auto o) { return tn_max_pool2d(cx, x.get(), 2, two, &pool, o); };
    const auto by_window = [&](auto o) {
      return tn_window_reduce(cx, x.get(), 4, one, &window, o);
    };
    if (step <= INT32_MAX) {
      CHECK(s.read(get(by_conv)) == std::vector<float>{12});
      CHECK(s.read(get(by_pool)) == std::vector<float>{5});
      CHECK(s.read(get(by_window)) == s.read(x));
      continue;
    }
    tn_tensor* out = nullptr;
    CHECK_FAILS(by_conv(&out), TN_INVALID_ARGUMENT, "conv2d: stride has ");
    CHECK_FAILS(by_pool(&out), TN_INVALID_ARGUMENT, "; it must be 1 to 2147483647");
    CHECK_FAILS(by_window(&out), TN_INVALID_ARGUMENT, "window_reduce: dilation has ");
  }
}

// What a kernel walks is bounded by the tensor, whatever the attributes say.
TEST_CASE("edges: windows that are far larger than the tensor") {
  Session cx;
  const Tensor x = cx.f32({1, 5, 2, 4}, {1, 4});
  // Window p sees the elements 0 to p + 1, and far - p - 2 places of padding.
  const int64_t far = INT32_MAX, window[] = {1, far}, low[] = {0, far - 2};
  tn_window_reduce_options reduce = tn_window_reduce_options_init();
  reduce.low = low, reduce.n_low = 2;
  const auto reduced = [&](const char* mode) {
    reduce.mode = tn_string(mode);
    return cx.read(
        get([&](tn_tensor** o) { return tn_window_reduce(cx, x.get(), 2, window, &reduce, o); }));
  };
  check_close(reduced("max"), {5, 5, 5}, 0);
  check_close(reduced("min"), {1, 1, 1}, 0);
  check_close(reduced("sum"), {6, 8, 12}, 0);
  const Tensor g = cx.f32({1, 10, 100}, {1, 3});
  tn_window_scatter_options scatter = tn_window_scatter_options_init();
  scatter.low = low, scatter.n_low = 2;
  check_close(cx.read(get([&](tn_tensor** o) {
    return tn_window_scatter(cx, x.get(), g.get(), 2, window, &scatter, o);
  })),
              {0, 111, 0, 0}, 0);
}

// 1.4 MB each: a device may bind less than that at once.
TEST_CASE("edges: arguments larger than a binding") {
  Session cx;
  constexpr int64_t n = 600;
  std::vector<float> ramp(n * n), diagonal(n * n);
  for (int64_t i = 0; i < n * n; ++i) ramp[i] = static_cast<float>(i % 1021);
  for (int64_t i = 0; i < n; ++i) diagonal[i * n + i] = 2;
  const Tensor x = cx.f32(ramp, {n, n}), d = cx.f32(diagonal, {n, n});
  const int64_t perm[] = {1, 0}, axes[] = {0}, flat[] = {n * n};
  const Tensor turned = get([&](tn_tensor** o) { return tn_transpose(cx, x.get(), 2, perm, o); });
  std::vector<float> twice(n * n), across(n * n), sums(n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n; ++k) {
      twice[i * n + k] = 2 * ramp[i * n + k];
      across[i * n + k] = ramp[i * n + k] + ramp[k * n + i];
      sums[k] += ramp[i * n + k];
    }
  const auto read = [&](auto&& call) { return cx.read(get(call)); };
  check_close(read([&](tn_tensor** o) { return tn_matmul(cx, x.get(), d.get(), nullptr, o); }),
              twice, 0);
  check_close(read([&](tn_tensor** o) { return tn_add(cx, x.get(), turned.get(), o); }), across, 0);
  tn_sum_options sum = tn_sum_options_init();
  sum.axes = axes, sum.n_axes = 1;
  check_close(read([&](tn_tensor** o) { return tn_sum(cx, x.get(), &sum, o); }), sums, 1e-6);
  const Tensor line = get([&](tn_tensor** o) { return tn_reshape(cx, x.get(), 1, flat, o); });
  std::vector<float> sorted = ramp;
  std::sort(sorted.begin(), sorted.end());
  tn_tensor* out[2] = {};
  REQUIRE_OK(tn_sort(cx, line.get(), line.get(), nullptr, &out[0], &out[1]));
  const Tensor keys(out[0]), values(out[1]);
  check_close(cx.read(keys), sorted, 0);
  check_close(cx.read(values), sorted, 0);
}
