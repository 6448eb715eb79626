// Which of some names a misspelt one may stand for.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tenon::conformance {

// "; nearest X", or "" where none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace tenon::conformance
