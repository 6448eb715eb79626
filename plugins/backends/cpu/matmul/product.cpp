#include "matmul/product.hpp"

namespace tenon::cpu::CPU_ISA {

template <class T, class G>
void Product<T, G>::plan(const MatmulShape& shape, const Device& device) {
  batch_ = shape.batch;
  device_ = &device;
  groups_ = G::parts_worth(device, shape.gemm, batch_.count);
  const int64_t count = batch_.count > 0 ? batch_.count : 1;
  gemm_.plan(shape.gemm, device, (groups_ + count - 1) / count);
  const int64_t units = batch_.count * gemm_.parts();
  if (groups_ > units) groups_ = units > 0 ? units : 1;
}

template <class T, class G>
bool Product<T, G>::take_packed() {
  for (int i = 0; i < batch_.rank; ++i)
    if (batch_.b[i] != 0) return false;
  return gemm_.take_packed();
}

template <class T, class G>
void Product<T, G>::run_units(int64_t group, const T* a, const T* b, T* c, const T* bias,
                              T* workspace, const RowsDone* done) const {
  const int64_t parts = gemm_.parts();
  const int64_t units = batch_.count * parts;
  T* scratch = workspace + group * gemm_.scratch();
  for (int64_t u = group * units / groups_; u < (group + 1) * units / groups_; ++u) {
    const Batch::Offsets o = batch_.at(u / parts);
    gemm_.run_part(int(u % parts), a + o.a, b + o.b, c + o.c, bias, scratch, done);
  }
}

template <class T, class G>
void Product<T, G>::run(const T* a, const T* b, T* c, const T* bias, T* workspace,
                        const RowsDone* done) const {
  if (groups_ == 1) return run_units(0, a, b, c, bias, workspace, done);
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) run_units(g, a, b, c, bias, workspace, done);
  };
  parallel(*device_, groups_, 1, kParallelNs, body);
}

template class Product<float>;
template class Product<double>;
template class Product<float, SplitGemm<float>>;
template class Product<f16, SplitGemm<f16>>;
template class Product<bf16, NarrowGemm>;

}  // namespace tenon::cpu::CPU_ISA
