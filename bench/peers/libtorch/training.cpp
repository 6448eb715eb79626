// T1 and S5: one training step of an MLP in eager mode, with the optimizers of torch::optim and with
// the fused kernels that the Python front end calls.
#include <torch/nn/functional.h>
#include <torch/optim.h>
#include <torch/types.h>

#include <memory>

#include "rows.hpp"

namespace peer {
namespace {

enum Update : int64_t { kSgd = 0, kSgdFused = 1, kAdam = 2, kAdamFused = 3 };

class Mlp {
 public:
  explicit Mlp(Update update) : update_(update) {
    for (int l = 0; l < BENCH_MLP_LAYERS; ++l) {
      const int64_t in = bench_mlp_dims[l], out = bench_mlp_dims[l + 1];
      const auto seed = static_cast<uint64_t>(100 + 2 * l);
      params_.push_back(filled({out, in}, seed, bench_mlp_scale(l)));
      params_.push_back(filled({out}, seed + 1, bench_mlp_scale(l)));
    }
    for (at::Tensor& p : params_) p.requires_grad_(true);
    for (uint64_t i = 0; i < BENCH_MLP_BATCHES; ++i) {
      x_.push_back(filled({BENCH_MLP_BATCH, bench_mlp_dims[0]}, 200 + i, 2));
      y_.push_back(at::empty({BENCH_MLP_BATCH}, at::kLong));
      bench_fill_classes(y_.back().data_ptr<int64_t>(), BENCH_MLP_BATCH, 300 + i,
                         BENCH_MLP_CLASSES);
    }
    make_optimizer();
  }

  at::Tensor step() {
    const at::Tensor& x = x_[next_];
    const at::Tensor& y = y_[next_];
    next_ = (next_ + 1) % BENCH_MLP_BATCHES;
    at::Tensor h = at::relu(at::linear(x, params_[0], params_[1]));
    h = at::relu(at::linear(h, params_[2], params_[3]));
    const at::Tensor loss = at::cross_entropy_loss(at::linear(h, params_[4], params_[5]), y);
    loss.backward();
    update();
    return loss.detach();
  }

  const std::vector<at::Tensor>& params() const { return params_; }

 private:
  void make_optimizer() {
    if (update_ == kSgd) {
      optimizer_ = std::make_unique<torch::optim::SGD>(
          params_, torch::optim::SGDOptions(bench_mlp_sgd_rate));
    } else if (update_ == kAdam) {
      optimizer_ = std::make_unique<torch::optim::Adam>(
          params_, torch::optim::AdamOptions(bench_mlp_adam_rate));
    } else if (update_ == kAdamFused) {
      for (const at::Tensor& p : params_) {
        first_.push_back(at::zeros_like(p));
        second_.push_back(at::zeros_like(p));
        steps_.push_back(at::zeros({}, at::kFloat));
      }
    }
  }

  void update() {
    if (optimizer_) {
      optimizer_->step();
      optimizer_->zero_grad();
      return;
    }
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> grads;
    for (const at::Tensor& p : params_) grads.push_back(p.grad());
    if (update_ == kSgdFused) {
      at::_fused_sgd_(params_, grads, {}, 0, 0, bench_mlp_sgd_rate, 0, false, false, true);
    } else {
      at::_foreach_add_(steps_, 1);
      at::_fused_adam_(params_, grads, first_, second_, {}, steps_, bench_mlp_adam_rate, 0.9, 0.999,
                       0, 1e-8, false, false);
    }
    for (at::Tensor& p : params_) p.mutable_grad().reset();
  }

  Update update_;
  size_t next_ = 0;
  std::vector<at::Tensor> params_, x_, y_, first_, second_, steps_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

// Every timed run starts from the same weights, so that a round never trains on what another left.
const char* run_step(int64_t update, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    Mlp mlp(static_cast<Update>(update));
    for (int i = 0; i < 3; ++i) mlp.step();
    timed(count, out_ns, [&] { mlp.step(); });
  });
}

const char* check_step(int64_t update, double* out, int* n) {
  return guarded([&] {
    Mlp mlp(static_cast<Update>(update));
    for (int i = 1; i <= BENCH_MLP_CHECK_STEPS; ++i) {
      const double loss = mlp.step().item<float>();
      if (i % 5 == 1 || i == BENCH_MLP_CHECK_STEPS) out[(*n)++] = loss;
    }
    double size = 0;
    for (const at::Tensor& p : mlp.params())
      size += p.detach().to(at::kDouble).abs().sum().item<double>();
    out[(*n)++] = size;
  });
}

// S5's idle state: the library is up and has run its first op.
const char* prepare_idle(int64_t) {
  return guarded([] { at::Tensor c = at::add(at::ones({1}), at::ones({1})); });
}

}  // namespace

std::vector<bench_case> training_cases() {
  return {
      {"T1/sgd", kSgd, nullptr, run_step, check_step},
      {"T1/sgd-fused", kSgdFused, nullptr, run_step, check_step},
      {"T1/adam", kAdam, nullptr, run_step, check_step},
      {"T1/adam-fused", kAdamFused, nullptr, run_step, check_step},
      {"S5", kAdamFused, prepare_idle, run_step, check_step},
  };
}

}  // namespace peer
