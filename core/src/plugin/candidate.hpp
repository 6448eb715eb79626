// What the registry keeps of each plugin that it met. Private to the registry.
#pragma once
#include "base/error.hpp"
#include "plugin/registry.hpp"

namespace tenon {

constexpr const char* kStaticPath = "static";

struct PluginRegistry::Candidate {
  // Where it is. Paths are real paths.
  std::string file;           // the library; "static"; "" as long as no readable manifest names it
  std::string manifest_path;  // "": it has none
  bool is_static = false;
  std::string
      given;  // the library that somebody asked for, which its manifest must name too; "": none

  // What became of it.
  uint32_t verdict = TN_PLUGIN_READY;
  tn_code code = TN_OK;  // of what went wrong
  std::string reason;
  std::string note;  // why an open plugin has no devices
  const Candidate* duplicate_of = nullptr;
  bool opening = false;

  // What it says of itself: its manifest, later its tables.
  std::string id, version;
  int32_t priority = 0;
  bool has_manifest = false;  // `provides` is known before it is opened
  Provisions provides;

  // Once it is open.
  tn_plugin_query_fn query = nullptr;
  tn_plugin_info info{};
  std::unique_ptr<Tables> tables;
  Plugin plugin;

  const std::string& path() const { return file.empty() ? manifest_path : file; }
  bool alive() const { return verdict == TN_PLUGIN_READY || verdict == TN_PLUGIN_LOADED; }
  // May open_...(kind, name) be answered by it? Without a manifest that shows only when it is open.
  bool may_have(Provision kind, std::string_view name) const {
    return alive() && !opening &&
           ((verdict == TN_PLUGIN_READY && !has_manifest) || provides.has(kind, name));
  }
};

// What an error found before a plugin's open() says of it.
inline uint32_t verdict_of(tn_code code) {
  const bool refused =
      code == TN_INCOMPATIBLE || code == TN_PERMISSION_DENIED || code == TN_ALREADY_EXISTS;
  return refused ? TN_PLUGIN_REFUSED : TN_PLUGIN_BROKEN;
}

}  // namespace tenon
