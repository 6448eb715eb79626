// Epilogues: what is computed of the result of a convolution or a product becomes part of it, and not a bit changes. On the device that
// TENON_DEVICE names.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string_view>

#include "prepared.hpp"

using namespace tenon::test;

namespace {

const Tensor kNone;
using Names = std::vector<std::string>;

bool on_cpu(const Session& s) { return s.ctx->device->name == "cpu:0"; }
// Has it tiles, for products of bf16?
bool by_tiles(const Session& s) {
  const char* limit = std::getenv("TENON_MAX_ISA");
  if (!on_cpu(s) || (limit && *limit && std::string_view(limit) != "amx")) return false;
  std::ifstream file("/proc/cpuinfo");
  for (std::string word; file >> word;)
    if (word == "amx_bf16") return true;
  return false;
}

std::string cost(Session& s, const Program& p, const Tensor& x) {
  tn_tensor* in[] = {x.get()};
  std::string text(1 << 16, 0);
  REQUIRE_OK(tn_program_cost(s, p.get(), in, 1, text.data(), text.size(), nullptr));
  return text.c_str();
}
// Do convolutions of f32 go by oneDNN? Where TENON_CPU_CONV asks for it and it can be used.
bool by_library(Session& s) {
  const Tensor x = s.f32(ramp(3 * 40 * 40), {1, 3, 40, 40});
  const Tensor w = s.f32(ramp(32 * 3 * 49), {32, 3, 7, 7});
  const Program p = capture(s, {1, 3, 40, 40}, [&](const Tensor& in) {
    return call(s, TN_OP_CONV2D, {&in, &w, &kNone});
  });
  run(s, p, x);
  return cost(s, p, x).find("conv2d_onednn") != std::string::npos;
}

// The bits of the calls.
template <class Body>
Program check(Session& s, const Tensor& x, const Dims& dims, Body body) {
  Program p = capture(s, dims, body);
  const std::vector<float> want = s.read(body(x));
  for (int turn = 0; turn < 2; ++turn) {
    const std::vector<float> got = s.read(run(s, p, x));
    REQUIRE(got.size() == want.size());
    CHECK(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)) == 0);
  }
  return p;
}

Tensor conv(Session& s, const Tensor& x, const Tensor& w, const Tensor& bias, int64_t stride = 1) {
  const int64_t padding[] = {1, 1}, strides[] = {stride, stride};
  return call(
      s, TN_OP_CONV2D, {&x, &w, &bias},
      {tn_attr_i64s(TN_CONV2D_STRIDE, strides, 2), tn_attr_i64s(TN_CONV2D_PADDING, padding, 2)});
}
Tensor filled(Session& s, const Dims& dims, float by = 1) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  std::vector<float> values = ramp(static_cast<size_t>(n));
  for (float& v : values) v *= by;
  return s.f32(values, dims);
}

}  // namespace

TEST_CASE("epilogues: behind a convolution") {
  Session s;
  const bool joins = on_cpu(s);
  // Output channels that are no whole block, input channels that tiles do not take; planes that are more than one piece and planes that
  // are part of one. The weights are the argument: oneDNN packs those that last, which gains more.
  const Dims dims = {40, 3, 7, 7};
  const Tensor x = filled(s, {1, 3, 64, 64}), w = filled(s, dims, 0.1f), bias = filled(s, {40});
  const Tensor more = filled(s, {1, 40, 60, 60}, 3), column = filled(s, {40, 1, 1});
  SUBCASE("relu") {
    const Program p = check(s, w, dims, [&](const Tensor& in) {
      const Tensor y = conv(s, x, in, bias);
      return call(s, TN_OP_RELU, {&y});
    });
    CHECK((names(p) == Names{"conv2d_region"}) == joins);
    if (!joins) return;
    const std::string text = cost(s, p, w);
    CHECK((text.find("\"kernel\": \"conv2d_region_onednn\"") != std::string::npos) ==
          by_library(s));
    CHECK(text.find("\"flop\": 42336000}") != std::string::npos);
  }
  SUBCASE("a residual and relu") {
    const Program p = check(s, w, dims, [&](const Tensor& in) {
      const Tensor y = conv(s, x, in, kNone), z = call(s, TN_OP_ADD, {&more, &y});
      return call(s, TN_OP_RELU, {&z});
    });
    CHECK((names(p) == Names{"conv2d_region"}) == joins);
  }
  SUBCASE("what is the same for a channel") {
    const Program p = check(s, w, dims, [&](const Tensor& in) {
      const Tensor y = conv(s, x, in, bias), z = call(s, TN_OP_SUB, {&column, &y});
      const Tensor t = call(s, TN_OP_TANH, {&z}), u = call(s, TN_OP_MUL, {&t, &column});
      return call(s, TN_OP_ADD, {&u, &more});
    });
    CHECK((names(p) == Names{"conv2d_region"}) == joins);
  }
  SUBCASE("small planes") {
    const Tensor few = filled(s, {1, 40, 30, 30});
    const Program p = check(s, w, dims, [&](const Tensor& in) {
      const Tensor y = conv(s, x, in, bias, 2), z = call(s, TN_OP_MINIMUM, {&y, &column});
      return call(s, TN_OP_MAXIMUM, {&z, &few});
    });
    CHECK((names(p) == Names{"conv2d_region"}) == joins);
  }
  SUBCASE("the last of two") {
    const Program p = check(s, w, dims, [&](const Tensor& in) {
      const Tensor y = conv(s, x, in, bias), z = conv(s, x, in, kNone);
      const Tensor sum = call(s, TN_OP_ADD, {&y, &z});
      return call(s, TN_OP_RELU, {&sum});
    });
    CHECK((names(p) == Names{"conv2d", "conv2d_region"}) == joins);
  }
}

// One of each road that a convolution takes: what is cut by channels, by positions, by images and by planes.
TEST_CASE("epilogues: behind every kind of convolution") {
  Session s;
  struct Size {
    int64_t batch, inputs, side, outputs, kernel, groups;
  };
  for (const Size& c : {Size{16, 32, 8, 48, 3, 1},   // images side by side
                        Size{4, 64, 28, 64, 3, 1},   // teams of images
                        Size{1, 64, 56, 96, 3, 1},   // one image
                        Size{1, 512, 7, 512, 3, 1},  // many channels, few positions
                        Size{3, 24, 30, 24, 3, 24},  // depthwise
                        Size{2, 12, 20, 18, 5, 3},   // groups
                        Size{5, 1, 28, 6, 5, 1}}) {  // hardly any channels
    CAPTURE(c.inputs);
    CAPTURE(c.outputs);
    const int64_t out = c.side - c.kernel + 3;
    const Tensor x = filled(s, {c.batch, c.inputs, c.side, c.side}, 0.01f);
    const Dims dims = {c.outputs, c.inputs / c.groups, c.kernel, c.kernel};
    const Tensor w = filled(s, dims, 0.1f), bias = filled(s, {c.outputs}, 0.1f);
    const Tensor more = filled(s, {c.batch, c.outputs, out, out}),
                 column = filled(s, {c.outputs, 1, 1});
    for (const Tensor* b : {&bias, &kNone}) {
      const Program p = check(s, w, dims, [&](const Tensor& in) {
        const int64_t padding[] = {1, 1};
        const Tensor y = call(
            s, TN_OP_CONV2D, {&x, &in, b},
            {tn_attr_i64s(TN_CONV2D_PADDING, padding, 2), tn_attr_i64(TN_CONV2D_GROUPS, c.groups)});
        const Tensor z = call(s, TN_OP_MUL, {&y, &column}), t = call(s, TN_OP_ADD, {&z, &more});
        return call(s, TN_OP_RELU, {&t});
      });
      CHECK((names(p) == Names{"conv2d_region"}) == on_cpu(s));
    }
  }
}

// What is no number stays none, zeros lose their sign.
TEST_CASE("epilogues: relu of special values") {
  Session s;
  const Dims dims = {1, 16, 24, 24};
  std::vector<float> values = ramp(16 * 24 * 24);
  const float inf = std::numeric_limits<float>::infinity();
  values[5] = std::numeric_limits<float>::quiet_NaN();
  values[600] = inf, values[1300] = -inf, values[2000] = -0.0f;
  std::vector<float> weights(64 * 16 * 9);
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = i % 9 == 4 && i / 9 % 17 == 0 ? -1 : -0.0f;
  const Tensor x = s.f32(values, dims), w = s.f32(weights, {64, 16, 3, 3});
  Tensor y;
  const Program p = check(s, x, dims, [&](const Tensor& in) {
    const Tensor made = conv(s, in, w, kNone);
    return call(s, TN_OP_RELU, {&made});
  });
  const std::vector<float> got = s.read(run(s, p, x));
  CHECK(std::any_of(got.begin(), got.end(), [](float v) { return std::isnan(v); }));
  CHECK(std::none_of(got.begin(), got.end(), [](float v) { return v == 0 && std::signbit(v); }));
}

TEST_CASE("epilogues: behind products of matrices") {
  Session s;
  const bool joins = on_cpu(s);
  const Tensor w = filled(s, {70, 33}, 0.1f), bias = filled(s, {70});
  const Tensor more = filled(s, {45, 70}), turned = filled(s, {33, 70}, 0.1f);
  const Tensor x = filled(s, {45, 33});
  SUBCASE("linear, gelu and a residual") {
    const Program p = check(s, w, {70, 33}, [&](const Tensor& in) {
      const Tensor y = call(s, TN_OP_LINEAR, {&x, &in, &bias}), z = call(s, TN_OP_GELU, {&y});
      return call(s, TN_OP_ADD, {&z, &more});
    });
    CHECK((names(p) == Names{"linear_region"}) == joins);
  }
  SUBCASE("matmul, a bias and relu") {
    const Program p = check(s, turned, {33, 70}, [&](const Tensor& in) {
      const Tensor y = call(s, TN_OP_MATMUL, {&x, &in}), z = call(s, TN_OP_ADD, {&y, &bias});
      return call(s, TN_OP_RELU, {&z});
    });
    CHECK((names(p) == Names{"matmul_region"}) == joins);
    if (joins) CHECK(cost(s, p, turned).find("\"flop\": 207900}") != std::string::npos);
  }
  SUBCASE("of bf16, more columns than are packed at once, and long sums") {
    const auto cast = [&](const Tensor& from, tn_dtype to) {
      return call(s, TN_OP_CAST, {&from}, {tn_attr_dtype(TN_CAST_DTYPE, to)});
    };
    const Tensor some = cast(filled(s, {50, 700}, 0.1f), TN_DTYPE_BF16);
    for (const int64_t k : {2048, 2080}) {
      const Tensor rows = cast(filled(s, {70, k}, 0.01f), TN_DTYPE_BF16);
      const Program p = check(s, filled(s, {700, k}, 0.01f), {700, k}, [&](const Tensor& in) {
        const Tensor narrow = cast(in, TN_DTYPE_BF16);
        const Tensor y = call(s, TN_OP_LINEAR, {&rows, &narrow, &kNone});
        const Tensor z = call(s, TN_OP_TANH, {&y}), both = call(s, TN_OP_MUL, {&z, &y});
        return cast(call(s, TN_OP_LINEAR, {&both, &some, &kNone}), TN_DTYPE_F32);
      });
      if (!joins) CHECK(!has(p, "linear_region"));
      if (by_tiles(s)) CHECK(has(p, "linear_region"));
    }
  }
  SUBCASE("of a size that a program was not captured with") {
    const Program p = capture(s, {TN_DIM_ANY, 33}, [&](const Tensor& in) {
      const Tensor y = call(s, TN_OP_LINEAR, {&in, &w, &kNone});
      return call(s, TN_OP_TANH, {&y});
    });
    for (const int64_t rows : {1, 0, 7, 300}) {
      const Tensor in = filled(s, {rows, 33}), y = call(s, TN_OP_LINEAR, {&in, &w, &kNone});
      CHECK(s.read(run(s, p, in)) == s.read(call(s, TN_OP_TANH, {&y})));
    }
  }
  SUBCASE("what stays: others use the product, more dims, another dtype") {
    const Tensor wide = filled(s, {2, 45, 70});
    const Program p = check(s, x, {45, 33}, [&](const Tensor& in) {
      const Tensor y = call(s, TN_OP_LINEAR, {&in, &w, &bias}), z = call(s, TN_OP_TANH, {&y});
      const Tensor q = call(s, TN_OP_LINEAR, {&z, &turned, &kNone});
      const Tensor a = call(s, TN_OP_MATMUL, {&q, &turned}), b = call(s, TN_OP_ADD, {&a, &wide});
      const int64_t axes[] = {0};
      const Tensor c = call(s, TN_OP_SUM, {&y}, {tn_attr_i64s(TN_SUM_AXES, axes, 1)});
      return call(s, TN_OP_MUL, {&b, &c});
    });
    CHECK(!has(p, "linear_region"));
    CHECK(!has(p, "matmul_region"));
  }
}
