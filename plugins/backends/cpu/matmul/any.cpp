#include "matmul/any.hpp"

#include <tenon/sdk/dtype.hpp>

namespace tenon::cpu::CPU_ISA {

namespace {

struct AnyPlan {
  GemmShape gemm;
  Batch batch;
  const Device* device;
};

template <class T>
CPU_INLINE void multiply_add(T& sum, T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    sum = sum || (a && b);
  } else if constexpr (sdk::is_complex<T>) {
    sum = T(sum.real() + a.real() * b.real() - a.imag() * b.imag(),
            sum.imag() + a.real() * b.imag() + a.imag() * b.real());
  } else {
    // In unsigned numbers of at least int's width, where overflow is defined.
    using U = std::common_type_t<std::make_unsigned_t<T>, unsigned>;
    sum = T(U(sum) + U(a) * U(b));
  }
}

// Row i of C.
template <class T>
void multiply_row(const GemmShape& s, const T* a, const T* b, T* c) {
  for (int64_t j = 0; j < s.n; ++j) c[j] = T(0);
  if (s.b_col == 1) {
    for (int64_t p = 0; p < s.k; ++p) {
      const T x = a[p * s.a_col];
      const T* row = b + p * s.b_row;
      for (int64_t j = 0; j < s.n; ++j) multiply_add(c[j], x, row[j]);
    }
    return;
  }
  for (int64_t j = 0; j < s.n; ++j) {
    T sum = T(0);
    for (int64_t p = 0; p < s.k; ++p)
      multiply_add(sum, a[p * s.a_col], b[p * s.b_row + j * s.b_col]);
    c[j] = sum;
  }
}

template <class T>
tn_error* TN_CALL run_any(void* plan, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const AnyPlan*>(plan);
  const GemmShape& s = p.gemm;
  const T* a = input<T>(args[0]);
  const T* b = input<T>(args[1]);
  T* c = output<T>(args[2]);
  const double ns_per_row = 0.3 * double(s.n) * double(s.k);
  parallel(*p.device, p.batch.count * s.m, 1, ns_per_row, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const Batch::Offsets o = p.batch.at(r / s.m);
      const int64_t i = r % s.m;
      multiply_row(s, a + o.a + i * s.a_row, b + o.b, c + o.c + i * s.c_row);
    }
  });
  return nullptr;
}

}  // namespace

tn_error* make_any_matmul(const Device& device, tn_dtype dtype, const MatmulShape& shape,
                          tn_plan* plan) {
  tn_kernel_run run = nullptr;
  using Dtypes = sdk::Join<sdk::Join<sdk::Integers, sdk::Complexes>, sdk::Bools>;
  sdk::visit_dtype<Dtypes>(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
      run = run_any<std::make_unsigned_t<T>>;  // the same bits
    else
      run = run_any<T>;
  });
  if (!run) return decline(plan, "a dtype that is not computed on");
  if (!make_plan<AnyPlan>(plan, run, shape.gemm, shape.batch, &device))
    return out_of_memory(device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
