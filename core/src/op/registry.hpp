// The ops a runtime knows: the core's and those of plugins.
#pragma once
#include <algorithm>
#include <deque>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tenon/plugin/ops.h"

namespace tenon {

struct OpEntry {
  tn_op id = 0;
  uint32_t slot = 0;  // dense number, index of per-device kernel lists
  tn_op_def def{};
  std::string plugin;  // id of the plugin, "" for the core's
  uint32_t n_required = 0, n_fixed = 0,
           n_state = 0;  // parameters: required, not variadic, of the random state (at the end)
  bool variadic = false;
  // Of n inputs given, with the optional ones at the end that were left out.
  uint32_t with_absent(uint32_t n) const { return variadic ? n : std::max(n, n_fixed - n_state); }

  std::string_view name() const { return {def.name.data, def.name.size}; }
  bool is(uint32_t flag) const { return (def.flags & flag) != 0; }
  bool differentiable() const {
    return def.gradient || (def.decompose && !def.why_not_differentiable.size);
  }
  std::string signature() const;
};

// Any thread. Entries never move or go away.
class OpRegistry {
 public:
  // With the core's definitions, whose memory must outlive the registry.
  OpRegistry(std::span<const tn_op_def> core, const tn_op* ids);
  const OpEntry& get(tn_op op) const;  // throws NOT_FOUND
  const OpEntry* find(std::string_view name, uint32_t since) const;
  const OpEntry* at(uint32_t slot) const;
  uint32_t count() const;
  std::vector<std::string_view> names() const;
  // Lent for as long as the registry lives.
  const std::string& signature(const OpEntry& op);
  // Definitions of a plugin, whose memory must outlive the registry. Throws ALREADY_EXISTS, INVALID_ARGUMENT.
  void add(const tn_op_def& def, const std::string& plugin);

 private:
  const OpEntry& insert(tn_op id, const tn_op_def& def, const std::string& plugin);
  mutable std::shared_mutex mutex_;
  std::deque<OpEntry> entries_;
  std::unordered_map<tn_op, uint32_t> by_id_;
  std::unordered_multimap<std::string_view, uint32_t> by_name_;
  std::unordered_map<uint32_t, std::string> signatures_;  // by slot, made when asked for
  tn_op next_ = 4096;
};

inline std::string_view view_of(tn_str s) { return {s.data ? s.data : "", s.data ? s.size : 0}; }

// Attributes of a call made complete and checked against the schema: attrs[k].key == k. Owns what they point at when `own`.
struct Attrs {
  std::vector<tn_attr> items;
  std::vector<std::string> storage;  // copies of lists and strings
  const tn_attr* data() const { return items.data(); }
  uint32_t size() const { return static_cast<uint32_t>(items.size()); }
};
Attrs complete_attrs(const OpEntry& op, const tn_attr* attrs, uint32_t n);
uint64_t attr_bytes(const tn_attr& a);  // of the data it points at

}  // namespace tenon
