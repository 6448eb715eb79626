// PluginRegistry: what it tells of its candidates.
#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/nearest.hpp"
#include "plugin/candidate.hpp"
#include "plugin/registry.hpp"

namespace tenon {
namespace {

constexpr const char* kVerdicts[] = {"ready", "loaded", "refused", "broken"};
constexpr size_t kListed = 6;  // candidates or names in a message

// "a, b, c and 4 more"
class List {
 public:
  void add(std::string_view item, std::string_view between = ", ") {
    if (++count_ > kListed) return;
    if (!text_.empty()) text_ += between;
    text_ += item;
  }
  std::string text() const {
    return count_ > kListed ? fmt::format("{} and {} more", text_, count_ - kListed) : text_;
  }
  bool empty() const { return count_ == 0; }

 private:
  std::string text_;
  size_t count_ = 0;
};

}  // namespace

PluginRecord PluginRegistry::make_record(const Candidate& c) const {
  PluginRecord r{c.verdict, c.id, c.path(), c.version, c.provides.text(), c.reason};
  if (c.verdict == TN_PLUGIN_LOADED && !c.note.empty())
    r.provides += (r.provides.empty() ? "" : "; ") + c.note;
  return r;
}

std::vector<PluginRecord> PluginRegistry::records() {
  const std::lock_guard lock(mutex_);
  std::vector<PluginRecord> list;
  for (const auto& c : candidates_) list.push_back(make_record(*c));
  return list;
}

uint32_t PluginRegistry::count() {
  const std::lock_guard lock(mutex_);
  return static_cast<uint32_t>(candidates_.size());
}

tn_str PluginRegistry::lend(const std::string& text) {
  const std::string& kept = *texts_.insert(text).first;
  return {kept.c_str(), kept.size()};
}

tn_plugin_record PluginRegistry::record(uint32_t index) {
  const std::lock_guard lock(mutex_);
  if (index >= candidates_.size()) {
    fail(TN_OUT_OF_RANGE, "plugin record {}: there are {}", index, candidates_.size());
  }
  const PluginRecord r = make_record(*candidates_[index]);
  return {sizeof(tn_plugin_record), r.verdict,        lend(r.id),    lend(r.path),
          lend(r.version),          lend(r.provides), lend(r.reason)};
}

std::string PluginRegistry::report_json() {
  std::string text = "[";
  for (const PluginRecord& r : records()) {
    text += text.size() > 1 ? ",\n " : "";
    const std::pair<const char*, std::string_view> pairs[] = {
        {"{\"id\": ", r.id},
        {", \"path\": ", r.path},
        {", \"verdict\": ", kVerdicts[r.verdict]},
        {", \"reason\": ", r.reason},
        {", \"version\": ", r.version},
        {", \"provides\": ", r.provides}};
    for (const auto& [key, value] : pairs) text += key + json_string(value);
    text += '}';
  }
  return text + "]\n";
}

std::string PluginRegistry::why_not(Provision kind, std::string_view name,
                                    std::vector<std::string_view> known) {
  const std::lock_guard lock(mutex_);
  List refused, unreadable, folders;
  for (const auto& c : candidates_) {
    const bool claims = c->provides.has(kind, name);
    if (c->alive()) {
      if (c->verdict == TN_PLUGIN_LOADED && !c->note.empty() && kind == Provision::device) {
        refused.add(fmt::format("{} ({}): {}", c->id, c->path(), c->note), "; ");
      }
      for (std::string_view other : c->provides.names(kind))
        if (std::find(known.begin(), known.end(), other) == known.end()) known.push_back(other);
    } else if (claims) {
      refused.add(
          fmt::format("{} ({}) is {}: {}", c->id, c->path(), kVerdicts[c->verdict], c->reason),
          "; ");
    } else if (!c->has_manifest) {
      unreadable.add(fmt::format("{} is {}: {}", c->path(), kVerdicts[c->verdict], c->reason),
                     "; ");
    }
  }
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (!refused.empty()) add(refused.text());
  if (kind == Provision::op && !known.empty()) {
    add("nearest: " + nearest_names(name, known));
  } else if (!known.empty()) {
    List others;
    for (std::string_view other : known) others.add(other);
    add("there are " + others.text());
  }
  if (!unreadable.empty()) add(unreadable.text());
  if (refused.empty() && known.empty()) {
    for (const std::string& folder : searched_) folders.add(folder);
    add(folders.empty() ? "no folder was searched" : "searched: " + folders.text());
  }
  return text;
}

}  // namespace tenon
