// E2, and E1's measure of it: ten elementwise ops over two tensors, eager. arg = elements.
#include "rows.hpp"

namespace peer {
namespace {

// The same chain stands in bench/tenon/elementwise.c.
at::Tensor chain(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor t = a * b;
  const at::Tensor v = at::tanh(t + a);
  const at::Tensor p = at::abs(v * b - a) * t + v;
  return at::maximum(p, b) * p;
}

struct Pair {
  explicit Pair(int64_t size) : a(filled({size}, 11, 2)), b(filled({size}, 12, 2)) {}
  at::Tensor a, b;
};

// Kept between runs: filling 128 MB would cost more than the calls.
const Pair& kept(int64_t size) {
  static Pair pair(size);
  if (pair.a.numel() != size) pair = Pair(size);
  return pair;
}

const char* run_chain(int64_t size, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    c10::InferenceMode mode;
    const Pair& p = kept(size);
    timed(count, out_ns, [&] { at::Tensor y = chain(p.a, p.b); });
  });
}

const char* check_chain(int64_t size, double* out, int* n) {
  return guarded([&] {
    c10::InferenceMode mode;
    const Pair& p = kept(size);
    push_sums(chain(p.a, p.b), out, n);
  });
}

}  // namespace

std::vector<bench_case> elementwise_cases() {
  return {{"E2/64K", 1 << 16, nullptr, run_chain, check_chain},
          {"E2/1M", 1 << 20, nullptr, run_chain, check_chain},
          {"E2/16M", 1 << 24, nullptr, run_chain, check_chain}};
}

}  // namespace peer
