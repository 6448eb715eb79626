// A region over complete rows of what another kernel makes, in their place, while they are in a cache.
#ifndef TENON_CPU_MATMUL_REGION_ROWS_HPP_
#define TENON_CPU_MATMUL_REGION_ROWS_HPP_
#include "kernels/region.hpp"
#include "matmul/gemm.hpp"

namespace tenon::cpu::CPU_ISA {

// For RowsDone: `data` is an Epilogue, C is part of its output.
template <class T>
void region_of_rows(const RowsDone& self, void* c, int64_t c_row, int64_t rows, int64_t n) {
  const auto& e = *static_cast<const Epilogue*>(self.data);
  const int64_t at = static_cast<T*>(c) - output<T>(self.args[e.result]);
  run_epilogue(e, self.args, {static_cast<char*>(c), c_row, at, c_row, rows, n});
}

}  // namespace tenon::cpu::CPU_ISA
#endif
