// Inputs of a call that is only asked about: zeros of sensible shapes.
#pragma once
#include <string>
#include <vector>

#include "signature.hpp"

namespace tenon::cli {

// What to ask with where the command line says nothing: "64x128,128x32" and "name=value".
struct Defaults {
  std::string shapes;
  std::vector<std::string> attrs;
};
Defaults defaults_of(std::string_view op, const Signature& signature);

// One tensor per shape: dims joined by x, "[]" for a scalar, "-" for an optional input that is not given, all of `dtype`
// unless the op wants integers or bool there. Throws Usage.
std::vector<Tensor> make_inputs(const Context& cx, std::string_view op, const Signature& signature,
                                const std::string& shapes, tn_dtype dtype);

}  // namespace tenon::cli
