// T1, T2 and S5: one training step of an MLP or of LeNet-5 in eager mode, with the optimizers of
// torch::optim and with the fused kernels that the Python front end calls.
#include <torch/nn/functional.h>
#include <torch/optim.h>
#include <torch/types.h>

#include <memory>

#include "rows.hpp"

namespace peer {
namespace {

enum Update : int64_t { kSgd = 0, kSgdFused = 1, kAdam = 2, kAdamFused = 3 };
constexpr int64_t kLeNet = 16;  // added to an update: of LeNet-5

class Net {
 public:
  explicit Net(int64_t kind) : lenet_(kind >= kLeNet), update_(static_cast<Update>(kind % kLeNet)) {
    if (lenet_) {
      for (const bench_param& p : bench_lenet_params)
        add_param({p.dims, static_cast<size_t>(p.rank)}, p.scale);
    } else {
      for (int l = 0; l < BENCH_MLP_LAYERS; ++l) {
        const int64_t in = bench_mlp_dims[l], out = bench_mlp_dims[l + 1];
        add_param({out, in}, bench_mlp_scale(l));
        add_param({out}, bench_mlp_scale(l));
      }
    }
    for (uint64_t i = 0; i < BENCH_MLP_BATCHES; ++i) {
      x_.push_back(filled({BENCH_MLP_BATCH, bench_mlp_dims[0]}, 200 + i, 2));
      if (lenet_) x_.back() = x_.back().view({-1, 1, BENCH_LENET_SIDE, BENCH_LENET_SIDE});
      y_.push_back(at::empty({BENCH_MLP_BATCH}, at::kLong));
      bench_fill_classes(y_.back().data_ptr<int64_t>(), BENCH_MLP_BATCH, 300 + i,
                         BENCH_MLP_CLASSES);
    }
    make_optimizer();
  }

  at::Tensor step() {
    const at::Tensor& y = y_[next_];
    at::Tensor h = lenet_ ? convolved(x_[next_]) : x_[next_];
    next_ = (next_ + 1) % BENCH_MLP_BATCHES;
    for (size_t i = lenet_ ? 4 : 0; i < params_.size(); i += 2) {
      h = at::linear(h, params_[i], params_[i + 1]);
      if (i + 2 < params_.size()) h = at::relu(h);
    }
    const at::Tensor loss = at::cross_entropy_loss(h, y);
    loss.backward();
    update();
    return loss.detach();
  }

  const std::vector<at::Tensor>& params() const { return params_; }

 private:
  void add_param(at::IntArrayRef dims, float scale) {
    params_.push_back(filled(dims, 100 + params_.size(), scale));
    params_.back().requires_grad_(true);
  }

  at::Tensor convolved(const at::Tensor& x) const {
    at::Tensor h = at::conv2d(x, params_[0], params_[1], {1}, {2});
    h = at::max_pool2d(at::relu(h), {2, 2});
    h = at::conv2d(h, params_[2], params_[3]);
    return at::max_pool2d(at::relu(h), {2, 2}).flatten(1);
  }

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

  bool lenet_;
  Update update_;
  size_t next_ = 0;
  std::vector<at::Tensor> params_, x_, y_, first_, second_, steps_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

// Every timed run starts from the same weights, so that a round never trains on what another left.
const char* run_step(int64_t kind, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    Net net(kind);
    for (int i = 0; i < 3; ++i) net.step();
    timed(count, out_ns, [&] { net.step(); });
  });
}

const char* check_step(int64_t kind, double* out, int* n) {
  return guarded([&] {
    Net net(kind);
    for (int i = 1; i <= BENCH_MLP_CHECK_STEPS; ++i) {
      const double loss = net.step().item<float>();
      if (i % 5 == 1 || i == BENCH_MLP_CHECK_STEPS) out[(*n)++] = loss;
    }
    double size = 0;
    for (const at::Tensor& p : net.params())
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
      {"T2", kLeNet + kSgd, nullptr, run_step, check_step},
      {"T2-fused", kLeNet + kSgdFused, nullptr, run_step, check_step},
      {"S5", kAdamFused, prepare_idle, run_step, check_step},
  };
}

}  // namespace peer
