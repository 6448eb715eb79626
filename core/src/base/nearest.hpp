// "Did you mean": names that differ little from one that is not there.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

// Up to three of the candidates, quoted, the one with the fewest edits first; "" if there are none. Compares the first 5,000.
std::string nearest_names(std::string_view name, std::vector<std::string_view> candidates);

}  // namespace tenon
