#include "base/nearest.hpp"

#include <algorithm>

namespace tenon {
namespace {

constexpr size_t kLooked = 5000;  // names compared at most
constexpr size_t kLongest = 200;  // bytes of a name compared
constexpr std::ptrdiff_t kGiven = 3;

// Insertions, deletions and replacements that turn one text into the other (Levenshtein).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t corner = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = corner + (a[i - 1] != b[j - 1]);
      corner = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_names(std::string_view name, std::vector<std::string_view> candidates) {
  const std::string_view wanted = name.substr(0, kLongest);
  if (candidates.size() > kLooked) candidates.resize(kLooked);
  std::vector<std::pair<size_t, std::string_view>> found;
  for (const std::string_view c : candidates)
    found.emplace_back(distance(wanted, c.substr(0, kLongest)), c);
  std::string out;
  for (auto next = found.begin(); next != found.end() && next - found.begin() < kGiven; ++next) {
    std::iter_swap(next, std::min_element(next, found.end()));
    out += out.empty() ? "\"" : ", \"";
    out += next->second.substr(0, kLongest);
    out += '"';
  }
  return out;
}

}  // namespace tenon
