// G1 to G3: [m, k] by [k, n], B row-major or as the transpose of what is. G1 in f32, G2 with torch's precision of f32 products set to
// "high", G3 in bf16. arg = (row * 2 + transposed) * 16 + product.
#include "rows.hpp"

namespace peer {
namespace {

struct Matmul {
  explicit Matmul(int64_t arg) : row(arg / 32) {
    const bench_product& p = bench_products[arg % 16];
    a = filled({p.m, p.k}, 1, 2);
    b = filled({p.k, p.n}, 2, 2);
    if (row == 3) {
      a = a.to(at::kBFloat16);
      b = b.to(at::kBFloat16);
    }
    if (arg / 16 % 2) b = b.t().contiguous().t();
    at::globalContext().setFloat32MatmulPrecision(row == 2 ? "high" : "highest");
  }
  ~Matmul() { at::globalContext().setFloat32MatmulPrecision("highest"); }
  Matmul(const Matmul&) = delete;
  Matmul& operator=(const Matmul&) = delete;

  at::Tensor call() const { return at::matmul(a, b); }

  int64_t row;
  at::Tensor a, b;
};

const char* run_call(int64_t arg, int64_t count, int64_t* out_ns) {
  return guarded([&] {
    c10::InferenceMode mode;
    const Matmul m(arg);
    timed(count, out_ns, [&] { at::Tensor y = m.call(); });
  });
}

const char* check_call(int64_t arg, double* out, int* n) {
  return guarded([&] {
    c10::InferenceMode mode;
    push_sums(Matmul(arg).call(), out, n);
  });
}

}  // namespace

std::vector<bench_case> matmul_cases() {
  std::vector<bench_case> cases;
  static std::vector<std::string> names;
  names.reserve(3 * 2 * BENCH_PRODUCTS);
  for (int64_t row = 1; row <= 3; ++row)
    for (int64_t i = 0; i < BENCH_PRODUCTS; ++i)
      for (int64_t transposed = 0; transposed < 2; ++transposed) {
        const bench_product& p = bench_products[i];
        names.push_back("G" + std::to_string(row) + "/" + std::to_string(p.m) + "-" +
                        std::to_string(p.n) + "-" + std::to_string(p.k) +
                        (transposed ? "-transposed" : ""));
        cases.push_back(
            {names.back().c_str(), (row * 2 + transposed) * 16 + i, nullptr, run_call, check_call});
      }
  return cases;
}

}  // namespace peer
