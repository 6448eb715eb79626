// A batch of products on the device's threads. G, of one product: Gemm, or what takes it to the tiles.
#ifndef TENON_CPU_MATMUL_PRODUCT_HPP_
#define TENON_CPU_MATMUL_PRODUCT_HPP_
#include <type_traits>

#include "matmul/batch.hpp"
#include "matmul/narrow_gemm.hpp"
#include "matmul/split_gemm.hpp"

namespace tenon::cpu::CPU_ISA {

// On the tiles.
template <class T>
using TileGemm = std::conditional_t<std::is_same_v<T, bf16>, NarrowGemm, SplitGemm<T>>;

template <class T, class G = Gemm<T>>
class Product {
 public:
  void plan(const MatmulShape& shape, const Device& device);
  uint64_t workspace_bytes() const { return uint64_t(groups_ * gemm_.scratch()) * sizeof(T); }
  // From now on B is what pack() made of it. False: it is read as it is.
  bool take_packed();
  uint64_t packed_bytes() const { return uint64_t(gemm_.packed_bytes()); }
  void pack(const T* b, char* to) const { gemm_.pack(*device_, b, to); }
  // Pointers to the first elements; workspace 64-byte aligned. bias: one per column, or null.
  void run(const T* a, const T* b, T* c, const T* bias, T* workspace,
           const RowsDone* done = nullptr) const;

 private:
  void run_units(int64_t group, const T* a, const T* b, T* c, const T* bias, T* workspace,
                 const RowsDone* done) const;

  G gemm_;
  Batch batch_;
  int64_t groups_ = 1;  // that run at the same time, each with its own scratch
  const Device* device_ = nullptr;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
