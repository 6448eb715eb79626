// PluginRegistry: choosing a plugin and opening it.
#include <algorithm>
#include <tuple>

#include "base/error.hpp"
#include "plugin/candidate.hpp"
#include "plugin/library.hpp"
#include "plugin/registry.hpp"
#include "plugin/trust.hpp"

namespace tenon {
namespace {

std::string to_string(tn_str s) { return s.data ? std::string(s.data, s.size) : std::string(); }

// Closes a state again unless all went well.
struct StateGuard {
  void(TN_CALL* close)(void*);
  void* state;
  ~StateGuard() {
    if (close) quietly([&] { close(state); });
  }
};

void add_devices(const Plugin& plugin, Provisions& p, int32_t& priority) {
  uint32_t count = 0;
  check(call_plugin("count", [&] { return plugin.device->count(plugin.state, &count); }));
  if (count > 4096) fail(TN_INTERNAL, "count gives {} devices", count);
  for (uint32_t i = 0; i < count; ++i) {
    tn_device_props props{};
    props.struct_size = sizeof props;
    check(call_plugin("props", [&] { return plugin.device->props(plugin.state, i, &props); }));
    priority = i == 0 ? props.priority : std::max(priority, props.priority);
    if (!props.type.data || props.type.size > 64) fail(TN_INTERNAL, "device {} has no type", i);
    std::string type = to_string(props.type);
    if (type.empty() || type.find_first_of(": ") != type.npos)
      fail(TN_INTERNAL, "\"{}\" is no type of a device", type);
    if (props.alignment & (props.alignment - 1) || props.alignment >> 30)
      fail(TN_INTERNAL, "the alignment of device {} is {}, no power of two", i, props.alignment);
    if (!p.has(Provision::device, type)) p.devices.push_back(std::move(type));
  }
}

void add_tables(const Plugin& plugin, Provisions& p) {
  for (uint32_t i = 0; plugin.ops && i < plugin.ops->op_count; ++i)
    p.ops.push_back(to_string(plugin.ops->ops[i].name));
  for (uint32_t i = 0; plugin.optimizer && i < plugin.optimizer->optimizer_count; ++i) {
    p.optimizers.push_back(to_string(plugin.optimizer->optimizers[i].name));
  }
  if (!plugin.format) return;
  Provisions::Format format{to_string(plugin.format->name), {}};
  std::string_view list(plugin.format->extensions.data ? plugin.format->extensions.data : "",
                        plugin.format->extensions.size);
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(' '));
    if (!one.empty()) format.extensions.emplace_back(one);
    list.remove_prefix(std::min(one.size() + 1, list.size()));
  }
  p.formats.push_back(std::move(format));
}

}  // namespace

// Opens it unless that was done or tried before; leaves the verdict. Whatever goes wrong stays with this candidate.
bool PluginRegistry::open(Candidate& c) {
  if (c.verdict != TN_PLUGIN_READY || c.opening) return c.verdict == TN_PLUGIN_LOADED;
  c.opening = true;
  bool in_open = false;
  std::optional<Error> error;
  try {
    run_query(c);
    refuse_duplicates(c);
    in_open = true;
    opened_.reserve(opened_.size() + 1);
    run_open(c);
  } catch (...) {
    error.emplace(error_from_exception());
  }
  c.opening = false;
  if (error && error->code() == TN_OUT_OF_MEMORY) throw *error;  // says nothing of the plugin
  if (!error) {
    opened_.push_back(&c);
    settle(c, TN_PLUGIN_LOADED, TN_OK, {});
    return true;
  }
  settle(c, in_open ? TN_PLUGIN_BROKEN : verdict_of(error->code()), error->code(),
         error->message());
  return false;
}

void PluginRegistry::run_query(Candidate& c) {
  if (!c.is_static) {
    const File file(c.file);
    check_trust({config_.trust, config_.lock_file}, file, true);
    c.query = load_library(file);
  }
  c.info = copy_info(call_plugin("tn_plugin_query", [&] { return c.query(TENON_VERSION); }));
  const std::string id = to_string(c.info.id);
  if (c.has_manifest && id != c.id)
    fail(TN_INVALID_ARGUMENT, "its manifest says that it is {}, the library says {}", c.id, id);
  c.id = id;
  c.version = to_string(c.info.version);
  check_duplicate(c);
  c.tables = std::make_unique<Tables>();
  copy_tables(c.info, *c.tables);
}

void PluginRegistry::run_open(Candidate& c) {
  const tn_host* host = host_for_(c.id);
  Plugin& p = c.plugin = Plugin{c.id, c.version, c.path(), c.priority};
  if (tn_error* e = call_plugin("open", [&] { return c.info.open(host, &p.state); })) {
    const Error error(e);
    throw Error(error.code(), std::string("open failed: ") + error.message());
  }
  StateGuard guard{c.info.close, p.state};
  const Tables& t = *c.tables;
  p.device = t.has_device ? &t.device : nullptr;
  p.kernels = t.has_kernels ? &t.kernels : nullptr;
  p.compiler = t.has_compiler ? &t.compiler : nullptr;
  p.ops = t.has_ops ? &t.ops : nullptr;
  p.optimizer = t.has_optimizer ? &t.optimizer : nullptr;
  p.format = t.has_format ? &t.format : nullptr;

  Provisions provides;
  c.note.clear();
  try {
    int32_t priority = c.priority;
    if (p.device) add_devices(p, provides, priority);
    if (p.device && provides.devices.empty()) c.note = "it found no device";
    if (!c.has_manifest) p.priority = c.priority = priority;
  } catch (const Error& e) {
    if (e.code() == TN_OUT_OF_MEMORY) throw;
    throw Error(e.code(), std::string("its devices cannot be listed: ") + e.message());
  }
  add_tables(p, provides);
  c.provides = std::move(provides);
  on_open_(p);
  guard.close = nullptr;
}

std::vector<PluginRegistry::Candidate*> PluginRegistry::by_preference() {
  // One that must be opened to see what it has comes last.
  const auto rank = [](const Candidate* c) {
    return std::make_tuple(!c->has_manifest && c->verdict != TN_PLUGIN_LOADED,
                           -int64_t{c->priority}, std::string_view(c->id));
  };
  std::vector<Candidate*> list;
  for (const auto& c : candidates_)
    list.insert(std::upper_bound(list.begin(), list.end(), c.get(),
                                 [&](auto* a, auto* b) { return rank(a) < rank(b); }),
                c.get());
  return list;
}

Plugin* PluginRegistry::open_first(Provision kind, std::string_view name, std::string_view id) {
  const std::lock_guard lock(mutex_);
  if (closed_) fail(TN_SHUTDOWN, "plugins: the runtime was shut down");
  // Opening one changes the verdicts, and with them the choice, so it is made anew each time. Every round either ends the search
  // or takes a candidate out of the running.
  for (;;) {
    Candidate* best = nullptr;
    for (Candidate* c : by_preference()) {
      const bool other = !id.empty() && !c->id.empty() && c->id != id;
      if (!other && c->may_have(kind, name)) {
        best = c;
        break;
      }
    }
    if (!best) return nullptr;
    if (open(*best) && best->provides.has(kind, name) && (id.empty() || best->id == id))
      return &best->plugin;
  }
}

std::vector<Plugin*> PluginRegistry::open_all(Provision kind) {
  const std::lock_guard lock(mutex_);
  if (closed_) fail(TN_SHUTDOWN, "plugins: the runtime was shut down");
  // Twice: one that turned out to be broken may have made room for another of its id.
  for (int round = 0; round < 2; ++round) {
    for (Candidate* c : by_preference()) {
      if (!c->has_manifest || !c->provides.names(kind).empty()) open(*c);
    }
  }
  std::vector<Plugin*> list;
  for (Candidate* c : by_preference()) {
    if (c->verdict == TN_PLUGIN_LOADED && !c->provides.names(kind).empty())
      list.push_back(&c->plugin);
  }
  return list;
}

std::vector<Plugin*> PluginRegistry::opened() {
  const std::lock_guard lock(mutex_);
  std::vector<Plugin*> list;
  for (Candidate* c : opened_) list.push_back(&c->plugin);
  return list;
}

std::vector<tn_kernel> PluginRegistry::kernels(Plugin& plugin, void* device) {
  if (!plugin.kernels) return {};
  auto list = call_plugin("list", [&] { return copy_kernels(*plugin.kernels, device); });
  const std::lock_guard lock(mutex_);
  for (const auto& c : candidates_) {
    if (&c->plugin == &plugin) c->provides.kernels = static_cast<uint32_t>(list.size());
  }
  return list;
}

}  // namespace tenon
