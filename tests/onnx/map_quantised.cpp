// ONNX's quantised ops.
#include "mapping.hpp"

namespace tenon::onnx {
namespace {

Results quantized(const Call& c) {
  const tn_dtype dtype = c.given(2) ? c.in(2).dtype() : TN_DTYPE_U8;
  return {
      quantize_linear(c.in(0), c.in(1), c.in(2), {.axis = c.integer("axis", 1), .dtype = dtype})};
}

Results dynamically_quantized(const Call& c) {
  const DynamicQuantizeLinearResult r = dynamic_quantize_linear(c.in(0));
  return {r.y, r.scale, r.zero_point};
}

constexpr Mapping kMappings[] = {
    {"QuantizeLinear", quantized},
    {"DequantizeLinear",
     [](const Call& c) -> Results {
       return {dequantize_linear(c.in(0), c.in(1), c.in(2), {.axis = c.integer("axis", 1)})};
     }},
    {"DynamicQuantizeLinear", dynamically_quantized},
    {"MatMulInteger",
     [](const Call& c) -> Results { return {matmul_integer(c.in(0), c.in(1), c.in(2), c.in(3))}; }},
    {"QLinearMatMul",
     [](const Call& c) -> Results {
       return {
           qlinear_matmul(c.in(0), c.in(1), c.in(2), c.in(3), c.in(4), c.in(5), c.in(6), c.in(7))};
     }},
};

}  // namespace

std::span<const Mapping> quantised_mappings() { return kMappings; }

}  // namespace tenon::onnx
