// Holds what came out against what ONNX says.
#pragma once
#include <string>
#include <string_view>

#include "reader.hpp"

namespace tenon::onnx {

// "" if dtype and dims are the same and the elements agree: exactly, but for floats, which may be apart by a tolerance, as great as
// ONNX's own at most (1e-7 + 1e-3 |y|); most ops have a tighter one. `op` is "" for a case of several nodes. NaN agrees with NaN, an infinity with itself.
std::string difference(const Array& found, const Array& expected, std::string_view op);

}  // namespace tenon::onnx
