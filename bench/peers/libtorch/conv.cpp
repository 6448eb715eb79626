// C1: the convolutions of bench_convs, one after the other; contiguous and channels_last. arg =
// (pass * 2 + channels_last) * 65536 + layer * 256 + batch; layer 0 is all of them.
#include "rows.hpp"

namespace peer {
namespace {

enum Pass : int64_t { kForward, kInput, kWeight };

struct Conv {
  const bench_conv* layer;
  at::Tensor x, w, g;
};

struct Convs {
  explicit Convs(int64_t arg) : pass(static_cast<Pass>(arg / 65536 / 2)) {
    const auto format =
        arg / 65536 % 2 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
    const int64_t layer = arg / 256 % 256, batch = arg % 256;
    for (int64_t i = layer ? layer - 1 : pass == kInput; i < (layer ? layer : BENCH_CONVS); ++i) {
      const bench_conv& l = bench_convs[i];
      const int64_t side = bench_conv_out_side(&l);
      const auto seed = static_cast<uint64_t>(10 * i);
      convs.push_back(
          {&l, filled({batch, l.in, l.side, l.side}, seed, 2).contiguous(format),
           filled({l.out, l.in, l.kernel, l.kernel}, seed + 1, 0.25f).contiguous(format),
           filled({batch, l.out, side, side}, seed + 2, 2).contiguous(format)});
    }
  }

  at::Tensor call(const Conv& c) const {
    const int64_t padding = c.layer->kernel / 2;
    const at::IntArrayRef stride(&c.layer->stride, 1), pad(&padding, 1);
    if (pass == kForward) return at::conv2d(c.x, c.w, {}, stride, pad);
    const int64_t strides[] = {c.layer->stride, c.layer->stride}, pads[] = {padding, padding};
    const auto grads =
        at::convolution_backward(c.g, c.x, c.w, c10::nullopt, strides, pads, {1, 1}, false, {0, 0},
                                 1, {pass == kInput, pass == kWeight, false});
    return pass == kInput ? std::get<0>(grads) : std::get<1>(grads);
  }

  Pass pass;
  std::vector<Conv> convs;
};

const char* run_call(int64_t arg, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    c10::InferenceMode mode;
    const Convs all(arg);
    timed(count, out_ns, [&] {
      for (const Conv& c : all.convs) at::Tensor y = all.call(c);
    });
  });
}

const char* check_call(int64_t arg, double* out, int* n) {
  return guarded([&] {
    c10::InferenceMode mode;
    const Convs all(arg);
    for (const Conv& c : all.convs) push_sums(all.call(c), out, n);
  });
}

}  // namespace

std::vector<bench_case> conv_cases() {
  std::vector<bench_case> cases;
  static std::vector<std::string> names;
  names.reserve(2 * 6 * (BENCH_CONVS + 1));
  const char* passes[] = {"forward", "input", "weight"};
  for (const int64_t batch : {1, 16})
    for (int64_t layer = 0; layer <= BENCH_CONVS; ++layer)
      for (int64_t way = 0; way < 6; ++way) {
        names.push_back(std::string("C1/") + passes[way / 2] + "-" + std::to_string(batch) + "-" +
                        std::to_string(layer) + (way % 2 ? "-last" : ""));
        cases.push_back({names.back().c_str(), way * 65536 + layer * 256 + batch, nullptr, run_call,
                         check_call});
      }
  return cases;
}

}  // namespace peer
