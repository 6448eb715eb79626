// The cases of the libtorch worker, one table per file, and what they share.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "../../common/fill.h"
#include "../../common/serve.h"

namespace peer {

std::vector<bench_case> dispatch_cases();     // D1 D2 D4 D6
std::vector<bench_case> training_cases();     // T1 T2 S5
std::vector<bench_case> recurrent_cases();    // T5
std::vector<bench_case> optimizer_cases();    // O1
std::vector<bench_case> attention_cases();    // A1
std::vector<bench_case> conv_cases();         // C1
std::vector<bench_case> eager_cases();        // E3
std::vector<bench_case> elementwise_cases();  // E2
std::vector<bench_case> matmul_cases();       // G1 G2 G3

// f32 tensor with the bench's reproducible values.
inline at::Tensor filled(at::IntArrayRef dims, uint64_t seed, float scale) {
  at::Tensor t = at::empty(dims, at::kFloat);
  bench_fill(t.data_ptr<float>(), static_cast<size_t>(t.numel()), seed, scale);
  return t;
}

// Calls f and turns an exception into the protocol's message.
template <class F>
const char* guarded(F&& f) {
  static std::string text;
  try {
    f();
    return nullptr;
  } catch (const std::exception& e) {
    text = e.what();
    text = text.substr(0, text.find('\n'));
    return text.c_str();
  }
}

// Runs `body` count times and stores the total duration.
template <class F>
void timed(int64_t count, int64_t* out_ns, F&& body) {
  const int64_t start = bench_now_ns();
  for (int64_t i = 0; i < count; ++i) body();
  *out_ns = bench_now_ns() - start;
}

// Sum and sum of magnitudes in double: what "check" compares for larger tensors.
inline void push_sums(const at::Tensor& t, double* out, int* n) {
  const at::Tensor d = t.detach().to(at::kDouble);
  out[(*n)++] = d.sum().item<double>();
  out[(*n)++] = d.abs().sum().item<double>();
}

}  // namespace peer
