#include "registry.hpp"

#include <cstring>
#include <mutex>

#include "base/error.hpp"

namespace tenon {

namespace {

const char* tag_name(uint32_t tag) {
  static constexpr const char* kNames[] = {"?",     "i64",  "f64",  "bool",   "string",  "bytes",
                                           "dtype", "i64s", "f64s", "tensor", "program", "handle"};
  return tag < 12 ? kNames[tag] : "?";
}

std::string attr_text(const tn_attr& a) {
  switch (a.tag) {
    case TN_ATTR_I64:
      return fmt::format("{}", static_cast<int64_t>(a.bits));
    case TN_ATTR_F64:
      return fmt::format("{}", tn_attr_get_f64(&a));
    case TN_ATTR_BOOL:
      return a.bits ? "1" : "0";
    case TN_ATTR_STRING:
      return fmt::format("'{}'", std::string_view(static_cast<const char*>(a.data), a.bits));
    case TN_ATTR_DTYPE:
      return tn_dtype_name(static_cast<tn_dtype>(a.bits));
    case TN_ATTR_I64S: {
      std::string out = "[";
      for (uint64_t i = 0; i < a.bits; ++i)
        out += fmt::format("{}{}", i ? ", " : "", static_cast<const int64_t*>(a.data)[i]);
      return out + "]";
    }
    default:
      return "...";
  }
}

}  // namespace

std::string OpEntry::signature() const {
  std::string out(name());
  out += '(';
  bool first = true;
  for (uint32_t i = 0; i < def.n_params - n_state; ++i) {
    const tn_param& p = def.params[i];
    out += first ? "" : ", ";
    first = false;
    out += view_of(p.name);
    if (p.kind == TN_PARAM_OPTIONAL) out += "?";
    if (p.kind == TN_PARAM_VARIADIC) out += "...";
  }
  if (def.n_attrs) out += first ? "*" : ", *";
  for (uint32_t i = 0; i < def.n_attrs; ++i) {
    const tn_attr_def& a = def.attrs[i];
    out += fmt::format(", {}: {}", view_of(a.name), tag_name(a.fallback.tag));
    if (!a.required) out += " = " + attr_text(a.fallback);
  }
  return out + ")";
}

OpRegistry::OpRegistry(std::span<const tn_op_def> core, const tn_op* ids) {
  by_id_.reserve(core.size());
  by_name_.reserve(core.size());
  for (size_t i = 0; i < core.size(); ++i) insert(ids[i], core[i], "");
}

const OpEntry& OpRegistry::insert(tn_op id, const tn_op_def& def, const std::string& plugin) {
  OpEntry e;
  e.id = id;
  e.slot = static_cast<uint32_t>(entries_.size());
  e.def = def;
  e.plugin = plugin;
  for (uint32_t i = 0; i < def.n_params; ++i) {
    const tn_param& p = def.params[i];
    if (p.kind == TN_PARAM_VARIADIC) {
      if (e.variadic || i + 1 != def.n_params)
        fail(TN_INVALID_ARGUMENT, "op {}: only the last parameter may be variadic", e.name());
      e.variadic = true;
    } else {
      ++e.n_fixed;
      if (p.kind == TN_PARAM_REQUIRED) e.n_required = e.n_fixed;
    }
  }
  if (e.is(TN_OP_RANDOM)) e.n_state = 3;
  if (e.n_fixed < e.n_state)
    fail(TN_INVALID_ARGUMENT, "op {}: a random one ends with the inputs seed, stream, offset",
         e.name());
  entries_.push_back(std::move(e));
  const OpEntry& kept = entries_.back();
  try {
    by_id_.emplace(id, kept.slot);
    by_name_.emplace(kept.name(), kept.slot);
  } catch (...) {
    by_id_.erase(id);
    entries_.pop_back();
    throw;
  }
  return kept;
}

const OpEntry& OpRegistry::get(tn_op op) const {
  std::shared_lock lock(mutex_);
  auto it = by_id_.find(op);
  if (it == by_id_.end())
    fail(TN_NOT_FOUND, "{} is not the id of an op. Use the TN_OP_ constants or tn_op_find.", op);
  return entries_[it->second];
}

const OpEntry* OpRegistry::find(std::string_view name, uint32_t since) const {
  std::shared_lock lock(mutex_);
  const OpEntry* best = nullptr;
  auto [begin, end] = by_name_.equal_range(name);
  for (auto it = begin; it != end; ++it) {
    const OpEntry& e = entries_[it->second];
    if ((since == 0 || e.def.since <= since) && (!best || e.def.since > best->def.since)) best = &e;
  }
  return best;
}

const OpEntry* OpRegistry::at(uint32_t slot) const {
  std::shared_lock lock(mutex_);
  return slot < entries_.size() ? &entries_[slot] : nullptr;
}

uint32_t OpRegistry::count() const {
  std::shared_lock lock(mutex_);
  return static_cast<uint32_t>(entries_.size());
}

std::vector<std::string_view> OpRegistry::names() const {
  std::shared_lock lock(mutex_);
  std::vector<std::string_view> out;
  for (const OpEntry& e : entries_) out.push_back(e.name());
  return out;
}

const std::string& OpRegistry::signature(const OpEntry& op) {
  std::unique_lock lock(mutex_);
  auto it = signatures_.find(op.slot);
  if (it == signatures_.end()) it = signatures_.emplace(op.slot, op.signature()).first;
  return it->second;
}

void OpRegistry::add(const tn_op_def& def, const std::string& plugin) {
  std::unique_lock lock(mutex_);
  auto [begin, end] = by_name_.equal_range(view_of(def.name));
  for (auto it = begin; it != end; ++it) {
    const OpEntry& e = entries_[it->second];
    const bool again = e.plugin == plugin && e.def.name.data == def.name.data;
    if (again && e.def.infer == def.infer && e.def.params == def.params && e.def.since == def.since)
      return;  // the plugin was being opened when there was no memory
    if (e.def.since == def.since)
      fail(TN_ALREADY_EXISTS, "op {} (since {}) of plugin {} is already defined by {}", e.name(),
           def.since, plugin, e.plugin.empty() ? "the core" : e.plugin);
  }
  if (!def.infer)
    fail(TN_INVALID_ARGUMENT, "op {} of plugin {} has no dtype and shape rule", view_of(def.name),
         plugin);
  insert(next_++, def, plugin);
}

uint64_t attr_bytes(const tn_attr& a) {
  switch (a.tag) {
    case TN_ATTR_STRING:
    case TN_ATTR_BYTES:
      return a.bits;
    case TN_ATTR_I64S:
    case TN_ATTR_F64S:
      return a.bits * 8;
    default:
      return 0;
  }
}

Attrs complete_attrs(const OpEntry& op, const tn_attr* attrs, uint32_t n) {
  Attrs out;
  out.items.resize(op.def.n_attrs);
  out.storage.resize(op.def.n_attrs);
  uint32_t given = 0;
  for (uint32_t k = 0; k < op.def.n_attrs; ++k) {
    const tn_attr_def& schema = op.def.attrs[k];
    const tn_attr* a = &schema.fallback;
    if (given < n && attrs[given].key == k) {
      a = &attrs[given++];
      if (a->tag != schema.fallback.tag)
        fail(TN_INVALID_ARGUMENT, "{}: attribute {} has type {}, expected {}", op.name(),
             view_of(schema.name), tag_name(a->tag), tag_name(schema.fallback.tag));
      if (a->bits && attr_bytes(*a) && !a->data)
        fail(TN_INVALID_ARGUMENT, "{}: attribute {} has {} elements but no data", op.name(),
             view_of(schema.name), a->bits);
      if (attr_bytes(*a) > 1 << 20)
        fail(TN_INVALID_ARGUMENT, "{}: attribute {} is longer than 1 MiB", op.name(),
             view_of(schema.name));
    } else if (schema.required) {
      fail(TN_INVALID_ARGUMENT, "{}: attribute {} is missing. Signature: {}", op.name(),
           view_of(schema.name), op.signature());
    }
    out.items[k] = *a;
    out.items[k].key = k;
    if (const uint64_t bytes = attr_bytes(*a)) {
      out.storage[k].assign(static_cast<const char*>(a->data), bytes);
      out.items[k].data = out.storage[k].data();
    }
  }
  if (given && given != n && attrs[given].key == attrs[given - 1].key)
    fail(TN_INVALID_ARGUMENT, "{}: attribute {} is given twice", op.name(),
         view_of(op.def.attrs[attrs[given].key].name));
  if (given != n)
    fail(TN_INVALID_ARGUMENT,
         "{}: attribute number {} is not in its schema, or attributes are not sorted by key. "
         "Signature: {}",
         op.name(), attrs[given].key, op.signature());
  return out;
}

}  // namespace tenon
