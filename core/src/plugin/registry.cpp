#include "plugin/registry.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "plugin/candidate.hpp"
#include "plugin/file.hpp"
#include "plugin/search.hpp"
#include "plugin/trust.hpp"

namespace tenon {
namespace {

Manifest read_manifest(const std::string& path) {
  std::string text;
  try {
    text = File(path).text(kManifestLimit);
  } catch (const Error& e) {
    if (e.code() == TN_OUT_OF_MEMORY) throw;
    fail(TN_INVALID_ARGUMENT, "manifest: {}", e.message());
  }
  return parse_manifest(text);
}

}  // namespace

PluginRegistry::PluginRegistry(PluginConfig config,
                               std::function<const tn_host*(const std::string&)> host_for,
                               std::function<void(Plugin&)> on_open)
    : config_(std::move(config)), host_for_(std::move(host_for)), on_open_(std::move(on_open)) {
  if (config_.trust > TN_TRUST_NONE)
    fail(TN_INVALID_ARGUMENT, "there is no trust policy {}", config_.trust);
}

PluginRegistry::~PluginRegistry() { close_all(); }

void PluginRegistry::search() {
  const std::lock_guard lock(mutex_);
  for (tn_plugin_query_fn query : config_.statics) add_static(query);
  for (const PluginPlace& place :
       plugin_places(config_.paths, config_.search, config_.environment)) {
    if (place.from_environment && !place.path.starts_with('/'))
      settle(add(place.path, {}), TN_PLUGIN_BROKEN, TN_INVALID_ARGUMENT,
             "a relative path in TENON_PLUGIN_PATH is not searched; write the whole path");
    else
      add_place(place.path, place.is_explicit || place.from_environment);
  }
}

// `is_explicit`: somebody named this very path, so a file needs no manifest, and that nothing is there is worth a record.
void PluginRegistry::add_place(const std::string& path, bool is_explicit) {
  const std::string real = real_path(path);
  if (real.empty()) {
    if (is_explicit)
      settle(add(path, {}), TN_PLUGIN_BROKEN, TN_NOT_FOUND, "no such file or folder");
    return;
  }
  if (is_folder(real)) return add_folder(real);
  Candidate* c = find_file(real);
  if (!c) examine(add_file(path));
}

// A library or a manifest, with the other one beside it if there is one.
PluginRegistry::Candidate& PluginRegistry::add_file(const std::string& path) {
  if (path.ends_with(".json")) return add({}, real_path(path));
  Candidate& c = add(real_path(path), real_path(std::string(without_extension(path)) + ".json"));
  c.given = c.file;
  return c;
}

void PluginRegistry::add_folder(const std::string& folder) {
  if (std::find(searched_.begin(), searched_.end(), folder) != searched_.end()) return;
  searched_.push_back(folder);
  const std::optional<Listing> listing = list_folder(folder);
  if (!listing)
    return log(TN_LOG_WARNING, fmt::format("the plugin folder {} cannot be read", folder));
  for (const std::string& name : listing->manifests) {
    const std::string path = real_path(folder + '/' + name);
    if (!path.empty() && !find_file(path)) examine(add({}, path));
  }
  for (const std::string& name : listing->libraries) {
    const std::string path = real_path(folder + '/' + name);
    const std::string manifest = std::string(without_extension(name)) + ".json";
    const bool has_manifest = std::find(listing->manifests.begin(), listing->manifests.end(),
                                        manifest) != listing->manifests.end();
    if (path.empty() || has_manifest || find_file(path)) continue;
    settle(add(path, {}), TN_PLUGIN_BROKEN, TN_NOT_FOUND,
           fmt::format("has no manifest: {} should lie beside it", manifest));
  }
}

void PluginRegistry::add_static(tn_plugin_query_fn query) {
  Candidate& c = add(kStaticPath, {});
  c.is_static = true;
  c.query = query;
  examine(c);
}

PluginRegistry::Candidate& PluginRegistry::add(std::string file, std::string manifest) {
  candidates_.push_back(std::make_unique<Candidate>());
  candidates_.back()->file = std::move(file);
  candidates_.back()->manifest_path = std::move(manifest);
  return *candidates_.back();
}

PluginRegistry::Candidate* PluginRegistry::find_file(const std::string& real_file) {
  for (const auto& c : candidates_) {
    if (!c->is_static && (c->file == real_file || c->manifest_path == real_file)) return c.get();
  }
  return nullptr;
}

// All that can be known without running code (of a static plugin: without opening it). Settles the verdict.
void PluginRegistry::examine(Candidate& c) {
  c.duplicate_of = nullptr;
  try {
    if (c.is_static) {
      c.info = copy_info(call_plugin("tn_plugin_query", [&] { return c.query(TENON_VERSION); }));
      c.id.assign(c.info.id.data, c.info.id.size);
      c.version.assign(c.info.version.data ? c.info.version.data : "", c.info.version.size);
    } else {
      if (!c.manifest_path.empty()) examine_manifest(c);
      check_trust({config_.trust, config_.lock_file}, File(c.file), false);
    }
    if (!c.id.empty()) check_duplicate(c);
    settle(c, TN_PLUGIN_READY, TN_OK, {});
  } catch (const Error& e) {
    if (e.code() == TN_OUT_OF_MEMORY) throw;  // says nothing of the plugin
    settle(c, verdict_of(e.code()), e.code(), e.message());
  }
}

void PluginRegistry::examine_manifest(Candidate& c) {
  Manifest m = read_manifest(c.manifest_path);
  c.id = m.id, c.version = m.version, c.priority = m.priority;
  c.provides = std::move(m.provides);
  c.has_manifest = true;
  const std::string library = folder_of(c.manifest_path) + '/' + m.library;
  c.file = real_path(library);
  if (c.file.empty()) {
    c.file = library;
    fail(TN_NOT_FOUND, "its library {} is missing", m.library);
  }
  if (!c.given.empty() && c.given != c.file) {
    const std::string other = std::exchange(c.file, c.given);
    fail(TN_INVALID_ARGUMENT, "its manifest names another library: {}", other);
  }
  check_manifest(m);
}

// Ids are given in the order of search: to the first that is not refused or broken.
void PluginRegistry::check_duplicate(Candidate& c) {
  bool before = true;
  for (const auto& o : candidates_) {
    if (o.get() == &c) {
      before = false;
    } else if (o->id == c.id && o->alive() &&
               (before || o->opening || o->verdict == TN_PLUGIN_LOADED)) {
      c.duplicate_of = o.get();
      fail(TN_ALREADY_EXISTS, "the id {} is taken by {}", c.id, o->path());
    }
  }
}

// Those behind `c` in the search, to which it denies its id.
void PluginRegistry::refuse_duplicates(const Candidate& c) {
  for (const auto& o : candidates_) {
    if (o.get() == &c || o->id != c.id || o->verdict != TN_PLUGIN_READY || o->opening) continue;
    o->duplicate_of = &c;
    settle(*o, TN_PLUGIN_REFUSED, TN_ALREADY_EXISTS,
           fmt::format("the id {} is taken by {}", c.id, c.path()));
  }
}

void PluginRegistry::settle(Candidate& c, uint32_t verdict, tn_code code, std::string reason) {
  c.verdict = verdict;
  c.code = code;
  c.reason = std::move(reason);
  if (c.alive())
    return log(TN_LOG_DEBUG,
               fmt::format("plugin {}: {}", c.path(), c.verdict ? "loaded" : "found"));
  const bool expected = code == TN_ALREADY_EXISTS || config_.trust == TN_TRUST_NONE;
  log(expected ? TN_LOG_INFO : TN_LOG_WARNING,
      fmt::format("plugin {}: {}: {}", c.path(),
                  verdict == TN_PLUGIN_REFUSED ? "refused" : "broken", c.reason));
  for (const auto& o : candidates_) {  // a broken plugin keeps its id from nobody
    if (o->duplicate_of == &c) examine(*o);
  }
}

void PluginRegistry::load(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (closed_) fail(TN_SHUTDOWN, "plugin {}: the runtime was shut down", path);
  const std::string real = real_path(path);
  if (real.empty()) fail(TN_NOT_FOUND, "plugin {}: no such file", path);
  if (is_folder(real))
    fail(TN_INVALID_ARGUMENT, "plugin {}: is a folder; a library or a manifest is needed", path);
  Candidate* c = find_file(real);
  if (!c) c = &add_file(path);
  if (c->opening) fail(TN_FAILED_PRECONDITION, "plugin {}: is being opened already", path);
  if (c->verdict == TN_PLUGIN_LOADED) return;
  if (c->manifest_path.empty())
    c->manifest_path = real_path(std::string(without_extension(path)) + ".json");
  examine(*c);
  if (open(*c)) return;
  Error error(c->code, fmt::format("plugin {}: {}", path, c->reason));
  error.get()->plugin = c->id;
  throw error;
}

void PluginRegistry::close_all() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(closed_, true)) return;
  for (auto it = opened_.rbegin(); it != opened_.rend(); ++it) {
    Candidate& c = **it;
    try {
      call_plugin("close", [&] { c.info.close(c.plugin.state); });
    } catch (const Error& e) {
      log(TN_LOG_ERROR, fmt::format("plugin {}: {}", c.path(), e.message()));
    }
    c.plugin.state = nullptr;
  }
}

void PluginRegistry::log(uint32_t level, const std::string& message) {
  if (config_.log) config_.log(level, message);
}

}  // namespace tenon
