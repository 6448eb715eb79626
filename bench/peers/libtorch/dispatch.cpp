// D1 D2 D4 D6: the cost of a call. D1 and D6 run under InferenceMode, the cheapest mode there is.
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "rows.hpp"

namespace peer {
namespace {

enum Form : int64_t { kNew = 0, kOut = 1 };

struct Pair {
  at::Tensor a, b, out;
};

Pair scalar_pair() { return {filled({1}, 1, 1), filled({1}, 2, 1), at::empty({1}, at::kFloat)}; }

const char* run_add(int64_t form, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    c10::InferenceMode mode;
    Pair p = scalar_pair();
    if (form == kOut)
      timed(count, out_ns, [&] { at::add_out(p.out, p.a, p.b); });
    else
      timed(count, out_ns, [&] { at::Tensor c = at::add(p.a, p.b); });
  });
}

const char* check_add(int64_t, double* out, int* n) {
  return guarded([&] {
    Pair p = scalar_pair();
    out[(*n)++] = at::add(p.a, p.b).item<float>();
  });
}

constexpr int kShapes = 1000;

std::vector<Pair> shape_pairs() {
  static int64_t dims[kShapes][4];
  static int ranks[kShapes];
  bench_different_shapes(dims, ranks, kShapes);
  std::vector<Pair> pairs;
  for (int i = 0; i < kShapes; ++i) {
    const at::IntArrayRef shape(dims[i], static_cast<size_t>(ranks[i]));
    const auto seed = static_cast<uint64_t>(i);
    pairs.push_back({filled(shape, 2 * seed, 1), filled(shape, 2 * seed + 1, 1), {}});
  }
  return pairs;
}

const char* run_shapes(int64_t, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    c10::InferenceMode mode;
    static const std::vector<Pair> pairs = shape_pairs();
    size_t next = 0;
    timed(count, out_ns, [&] {
      at::Tensor c = at::add(pairs[next].a, pairs[next].b);
      next = next + 1 == kShapes ? 0 : next + 1;
    });
  });
}

const char* check_shapes(int64_t, double* out, int* n) {
  return guarded([&] {
    double sum = 0;
    for (const Pair& p : shape_pairs())
      sum += at::add(p.a, p.b).to(at::kDouble).sum().item<double>();
    out[(*n)++] = sum;
  });
}

const char* run_recorded(int64_t, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    Pair p = scalar_pair();
    p.a.requires_grad_(true);
    p.b.requires_grad_(true);
    timed(count, out_ns, [&] { at::Tensor c = at::add(p.a, p.b); });
  });
}

constexpr int64_t kChain = 16;

// Ten ops; the same chain stands in bench/tenon/dispatch.c.
at::Tensor chain_loss(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor t = a * b;
  const at::Tensor u = t + a;
  const at::Tensor v = at::tanh(u);
  const at::Tensor w = v * b;
  const at::Tensor x = w - a;
  const at::Tensor y = at::exp(x);
  const at::Tensor z = y * t;
  const at::Tensor p = z + v;
  const at::Tensor q = p * p;
  return q.sum();
}

Pair chain_leaves() {
  return {filled({kChain}, 11, 2).requires_grad_(true),
          filled({kChain}, 12, 2).requires_grad_(true),
          {}};
}

const char* run_chain(int64_t, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    Pair p = chain_leaves();
    timed(count, out_ns, [&] {
      auto grads = torch::autograd::grad({chain_loss(p.a, p.b)}, {p.a, p.b});
    });
  });
}

const char* check_chain(int64_t, double* out, int* n) {
  return guarded([&] {
    Pair p = chain_leaves();
    const at::Tensor loss = chain_loss(p.a, p.b);
    const auto grads = torch::autograd::grad({loss}, {p.a, p.b});
    out[(*n)++] = loss.item<float>();
    push_sums(grads[0], out, n);
    push_sums(grads[1], out, n);
  });
}

// arg = size, negative for the out form.
Pair square_pair(int64_t n) {
  return {filled({n, n}, 21, 2), filled({n, n}, 22, 2), at::empty({n, n}, at::kFloat)};
}

const char* run_matmul(int64_t arg, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    c10::InferenceMode mode;
    Pair p = square_pair(arg < 0 ? -arg : arg);
    if (arg < 0)
      timed(count, out_ns, [&] { at::mm_out(p.out, p.a, p.b); });
    else
      timed(count, out_ns, [&] { at::Tensor c = at::mm(p.a, p.b); });
  });
}

const char* check_matmul(int64_t arg, double* out, int* n) {
  return guarded([&] {
    Pair p = square_pair(arg < 0 ? -arg : arg);
    push_sums(at::mm(p.a, p.b), out, n);
  });
}

}  // namespace

std::vector<bench_case> dispatch_cases() {
  return {
      {"D1/new", kNew, nullptr, run_add, check_add},
      {"D1/out", kOut, nullptr, run_add, check_add},
      {"D1/shapes", 0, nullptr, run_shapes, check_shapes},
      {"D2", 0, nullptr, run_recorded, check_add},
      {"D4", 0, nullptr, run_chain, check_chain},
      {"D6/8", 8, nullptr, run_matmul, check_matmul},
      {"D6/16", 16, nullptr, run_matmul, check_matmul},
      {"D6/32", 32, nullptr, run_matmul, check_matmul},
      {"D6/64", 64, nullptr, run_matmul, check_matmul},
      {"D6/8-out", -8, nullptr, run_matmul, check_matmul},
      {"D6/16-out", -16, nullptr, run_matmul, check_matmul},
      {"D6/32-out", -32, nullptr, run_matmul, check_matmul},
      {"D6/64-out", -64, nullptr, run_matmul, check_matmul},
  };
}

}  // namespace peer
