// A1: scaled_dot_product_attention on [batch, 12, length, 64], alone and with the gradients of q, k
// and v; as libtorch chooses ("flash" on the CPU) and as matrix products. arg = ((batch * 2 +
// backward) * 2 + products) * 65536 + length.
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "rows.hpp"

namespace peer {
namespace {

struct Attention {
  explicit Attention(int64_t arg)
      : backward(arg / 65536 / 2 % 2 != 0), products(arg / 65536 % 2 != 0) {
    const int64_t dims[] = {arg / 65536 / 4, BENCH_HEADS, arg % 65536, BENCH_HEAD_WIDTH};
    for (uint64_t i = 0; i < 3; ++i) {
      qkv.push_back(filled(dims, 1 + i, 4));
      if (backward) qkv.back().requires_grad_(true);
    }
    g = filled(dims, 4, 2);
  }

  // y, and with backward dq, dk and dv after it.
  std::vector<at::Tensor> call() const {
    const at::Tensor y =
        products ? std::get<0>(at::_scaled_dot_product_attention_math(qkv[0], qkv[1], qkv[2]))
                 : at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    std::vector<at::Tensor> results = {y};
    if (backward)
      for (at::Tensor& t : torch::autograd::grad({y}, qkv, {g})) results.push_back(t);
    return results;
  }

  bool backward, products;
  std::vector<at::Tensor> qkv;
  at::Tensor g;
};

const char* run_call(int64_t arg, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    const c10::InferenceMode mode(arg / 65536 / 2 % 2 == 0);
    const Attention a(arg);
    timed(count, out_ns, [&] { a.call(); });
  });
}

const char* check_call(int64_t arg, double* out, int* n) {
  return guarded([&] {
    const c10::InferenceMode mode(arg / 65536 / 2 % 2 == 0);
    int index = 0;
    for (const at::Tensor& t : Attention(arg).call()) {
      push_sums(t, out, n);
      if (index++ == BENCH_ATTENTION_DK) out[*n - 2] = out[*n - 1];
    }
  });
}

}  // namespace

std::vector<bench_case> attention_cases() {
  std::vector<bench_case> cases;
  static std::vector<std::string> names;
  names.reserve(24);
  for (const int64_t batch : {1, 8})
    for (const int64_t length : {128, 512, 1024})
      for (int64_t way = 0; way < 4; ++way) {
        names.push_back(std::string("A1/") + (way / 2 ? "both-" : "forward-") +
                        std::to_string(batch) + "-" + std::to_string(length) +
                        (way % 2 ? "-products" : ""));
        cases.push_back({names.back().c_str(), (batch * 4 + way) * 65536 + length, nullptr,
                         run_call, check_call});
      }
  return cases;
}

}  // namespace peer
