// O1: one AdamW step over ten million parameters with the fused CPU kernel. arg = number of tensors.
#include <memory>

#include "rows.hpp"

namespace peer {
namespace {

class AdamW {
 public:
  explicit AdamW(int64_t tensors) {
    const int64_t size = BENCH_ADAMW_PARAMS / tensors;
    for (int64_t i = 0; i < tensors; ++i) {
      const auto seed = static_cast<uint64_t>(i);
      params_.push_back(filled({size}, 1000 + seed, 1));
      grads_.push_back(filled({size}, 2000 + seed, 0.1f));
      first_.push_back(at::zeros({size}));
      second_.push_back(at::zeros({size}));
      steps_.push_back(at::zeros({}));
    }
  }

  void step() {
    at::_foreach_add_(steps_, 1);
    at::_fused_adamw_(params_, grads_, first_, second_, {}, steps_, 1e-3, 0.9, 0.999, 1e-2, 1e-8,
                      false, false);
  }

  const std::vector<at::Tensor>& params() const { return params_; }

 private:
  std::vector<at::Tensor> params_, grads_, first_, second_, steps_;
};

// Kept between runs: filling 160 MB would cost more than the steps. A constant gradient keeps every
// quantity normal, whatever the number of steps.
AdamW& state(int64_t tensors) {
  static std::unique_ptr<AdamW> kept;
  static int64_t kept_tensors = 0;
  if (kept_tensors != tensors) {
    kept.reset();
    kept = std::make_unique<AdamW>(tensors);
    kept_tensors = tensors;
  }
  return *kept;
}

const char* run_step(int64_t tensors, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    c10::InferenceMode mode;
    AdamW& adamw = state(tensors);
    timed(count, out_ns, [&] { adamw.step(); });
  });
}

const char* check_step(int64_t tensors, double* out, int* n) {
  return guarded([&] {
    c10::InferenceMode mode;
    AdamW adamw(tensors);
    for (int i = 0; i < BENCH_ADAMW_CHECK_STEPS; ++i) adamw.step();
    double sum = 0, size = 0;
    for (const at::Tensor& p : adamw.params()) {
      double part[2];
      int k = 0;
      push_sums(p, part, &k);
      sum += part[0];
      size += part[1];
    }
    out[(*n)++] = sum;
    out[(*n)++] = size;
  });
}

}  // namespace

std::vector<bench_case> optimizer_cases() {
  return {
      {"O1/1", 1, nullptr, run_step, check_step},
      {"O1/160", 160, nullptr, run_step, check_step},
  };
}

}  // namespace peer
