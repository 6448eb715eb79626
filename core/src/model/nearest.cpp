// "Did you mean": names that differ little from one that is not there.
#include <algorithm>

#include "model.hpp"

namespace tenon {
namespace {

constexpr size_t kLooked = 5000;  // names compared at most
constexpr size_t kLongest = 200;  // bytes of a name compared
constexpr size_t kGiven = 3;

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

std::string nearest_names(const tn_model& model, std::string_view name) {
  const std::string_view wanted = name.substr(0, kLongest);
  std::vector<std::pair<size_t, std::string_view>> found;
  // Names around the place where it would stand: those that begin alike, first of all.
  const auto at = std::lower_bound(
      model.by_name.begin(), model.by_name.end(), name, [&](uint32_t i, std::string_view n) {
        return std::string_view(model.entries[i].name.data, model.entries[i].name.size) < n;
      });
  const auto place = static_cast<size_t>(at - model.by_name.begin());
  const size_t first = place > kLooked / 2 ? place - kLooked / 2 : 0;
  const size_t last = std::min(model.by_name.size(), first + kLooked);
  for (size_t i = first; i < last; ++i) {
    const tn_str n = model.entries[model.by_name[i]].name;
    const std::string_view candidate(n.data, n.size);
    found.emplace_back(distance(wanted, candidate.substr(0, kLongest)), candidate);
  }
  const size_t n = std::min(kGiven, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end());
  std::string out;
  for (size_t i = 0; i < n; ++i) {
    out += out.empty() ? "\"" : ", \"";
    out += found[i].second.substr(0, kLongest);
    out += '"';
  }
  return out;
}

}  // namespace tenon
