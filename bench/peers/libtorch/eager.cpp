// E3: single ops on [rows, 768]. arg = op * 65536 + rows.
#include "rows.hpp"

namespace peer {
namespace {

enum Op : int64_t { kSoftmax, kLayerNorm, kGelu, kSumRows, kSumColumns };

struct Eager {
  explicit Eager(int64_t arg)
      : op(static_cast<Op>(arg / 65536)),
        x(filled({arg % 65536, BENCH_ROW}, 1, 8)),
        scale(filled({BENCH_ROW}, 2, 2)),
        bias(filled({BENCH_ROW}, 3, 2)) {}

  at::Tensor call() const {
    switch (op) {
      case kSoftmax:
        return at::softmax(x, -1);
      case kLayerNorm:
        return at::layer_norm(x, {BENCH_ROW}, scale, bias, 1e-5);
      case kGelu:
        return at::gelu(x);
      default:
        return at::sum(x, {op == kSumColumns ? 1 : 0});
    }
  }

  Op op;
  at::Tensor x, scale, bias;
};

const char* run_call(int64_t arg, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    c10::InferenceMode mode;
    const Eager e(arg);
    timed(count, out_ns, [&] { at::Tensor y = e.call(); });
  });
}

const char* check_call(int64_t arg, double* out, int* n) {
  return guarded([&] {
    c10::InferenceMode mode;
    push_sums(Eager(arg).call(), out, n);
  });
}

}  // namespace

std::vector<bench_case> eager_cases() {
  std::vector<bench_case> cases;
  static std::vector<std::string> names;
  names.reserve(10);
  const char* ops[] = {"softmax", "layer_norm", "gelu", "sum0", "sum1"};
  for (const int64_t rows : {512, 4096})
    for (int64_t op = kSoftmax; op <= kSumColumns; ++op) {
      names.push_back("E3/" + std::string(ops[op]) + "-" + std::to_string(rows));
      cases.push_back({names.back().c_str(), op * 65536 + rows, nullptr, run_call, check_call});
    }
  return cases;
}

}  // namespace peer
