#include "tenon/conformance/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tenon::conformance {
namespace {

// Letters to change, put in or take out.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t corner = std::exchange(row[0], i + 1);
    for (size_t k = 0; k < b.size(); ++k) {
      const size_t changed = corner + (a[i] == b[k] ? 0 : 1);
      corner = row[k + 1];
      row[k + 1] = std::min({changed, row[k] + 1, row[k + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t least = word.size() / 2 + 1;
  for (const std::string& c : candidates)
    if (const size_t d = distance(word, c); d < least) least = d, best = c;
  return best.empty() ? "" : "; nearest " + best;
}

}  // namespace tenon::conformance
