// T5: one training step of an LSTM in eager mode, by the operator that torch::nn::LSTM calls, with the
// fused SGD kernel.
#include <torch/types.h>

#include "rows.hpp"

namespace peer {
namespace {

class Lstm {
 public:
  Lstm() {
    const int64_t width = BENCH_LSTM_WIDTH, rows = 4 * width;
    for (uint64_t l = 0; l < BENCH_LSTM_LAYERS; ++l) {
      const uint64_t seed = BENCH_LSTM_SEED + 3 * l;
      params_.push_back(reordered(filled({rows, width}, seed, bench_lstm_scale)));
      params_.push_back(reordered(filled({rows, width}, seed + 1, bench_lstm_scale)));
      const at::Tensor bias = filled({2, rows}, seed + 2, bench_lstm_scale);
      for (int k = 0; k < 2; ++k) params_.push_back(reordered(bias[k]));
    }
    for (at::Tensor& p : params_) p.requires_grad_(true);
    const std::vector<int64_t> dims{BENCH_LSTM_STEPS, BENCH_LSTM_BATCH, width};
    x_ = filled(dims, BENCH_LSTM_SEED + 20, 2);
    target_ = filled(dims, BENCH_LSTM_SEED + 21, 1);
    state_ = at::zeros({BENCH_LSTM_LAYERS, BENCH_LSTM_BATCH, width});
  }

  at::Tensor step() {
    const at::Tensor y = std::get<0>(
        at::lstm(x_, {state_, state_}, params_, true, BENCH_LSTM_LAYERS, 0, true, false, false));
    const at::Tensor loss = at::mse_loss(y, target_);
    loss.backward();
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> grads;
    for (const at::Tensor& p : params_) grads.push_back(p.grad());
    at::_fused_sgd_(params_, grads, {}, 0, 0, bench_lstm_rate, 0, false, false, true);
    for (at::Tensor& p : params_) p.mutable_grad().reset();
    return loss.detach();
  }

  const std::vector<at::Tensor>& params() const { return params_; }

 private:
  // torch's order of the gates, i f c o.
  static at::Tensor reordered(const at::Tensor& t) {
    const std::vector<at::Tensor> g = t.chunk(4, 0);
    return at::cat({g[0], g[2], g[3], g[1]}, 0);
  }

  std::vector<at::Tensor> params_;
  at::Tensor x_, target_, state_;
};

const char* run_step(int64_t, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    Lstm lstm;
    for (int i = 0; i < 3; ++i) lstm.step();
    timed(count, out_ns, [&] { lstm.step(); });
  });
}

const char* check_step(int64_t, double* out, int* n) {
  return guarded([&] {
    Lstm lstm;
    for (int i = 0; i < BENCH_LSTM_CHECK_STEPS; ++i) out[(*n)++] = lstm.step().item<float>();
    double size = 0;
    for (const at::Tensor& p : lstm.params())
      size += p.detach().to(at::kDouble).abs().sum().item<double>();
    out[(*n)++] = size;
  });
}

}  // namespace

std::vector<bench_case> recurrent_cases() { return {{"T5", 0, nullptr, run_step, check_step}}; }

}  // namespace peer
