// The plugins of one runtime: found by their manifests, opened when something of them is asked for, reported whatever became of
// them. A broken plugin never takes another one with it.
//
// Threads: any. One lock covers everything, opening included, and is held while a plugin's open() and `on_open` run; they may call
// back on the same thread (a plugin that looks up an op of another one), but the caller must hold no lock that `on_open` takes.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "plugin/manifest.hpp"
#include "plugin/negotiate.hpp"
#include "tenon/plugin.h"

namespace tenon {

struct PluginConfig {
  bool search = true;       // look beyond `paths`
  bool environment = true;  // read environment variables
  uint32_t trust = TN_TRUST_SAFE_OWNER;
  std::vector<std::string> paths;  // folders or .so files
  std::string lock_file;           // for TN_TRUST_PINNED
  std::vector<tn_plugin_query_fn> statics;
  std::function<void(uint32_t level, std::string_view message)> log;  // may be empty
};

// An opened plugin. Lives as long as the registry; `state` is null after close_all.
struct Plugin {
  std::string id, version;
  std::string path;  // of the library; "static" for one that is linked in
  int32_t priority = 0;
  void* state = nullptr;
  // Normalised copies that the core owns (negotiate.hpp); null where the plugin does not offer the interface.
  const tn_device_vtbl* device = nullptr;
  const tn_kernels_vtbl* kernels = nullptr;
  const tn_compiler_vtbl* compiler = nullptr;
  const tn_ops_vtbl* ops = nullptr;
  const tn_optimizer_vtbl* optimizer = nullptr;
  const tn_format_vtbl* format = nullptr;
};

struct PluginRecord {
  uint32_t verdict = TN_PLUGIN_READY;
  std::string id, path, version, provides, reason;
};

class PluginRegistry {
 public:
  // host_for gives the services lent to the plugin of an id, valid until close_all has returned. on_open registers what an opened
  // plugin offers; if it throws, the plugin is closed again and counts as broken. Throws INVALID_ARGUMENT for an unknown policy.
  PluginRegistry(PluginConfig config,
                 std::function<const tn_host*(const std::string& plugin_id)> host_for,
                 std::function<void(Plugin&)> on_open);
  ~PluginRegistry();  // close_all
  PluginRegistry(const PluginRegistry&) = delete;
  PluginRegistry& operator=(const PluginRegistry&) = delete;

  // Fills the list of candidates. Reads manifests; of plugin code only the queries of static plugins run. Call once.
  void search();

  // Each gives the opened plugin that provides something, opening it if need be, or null: why_not has the reasons. Among several:
  // the one with `id` if that is not empty, then the highest priority, then the first id. When one fails to open, or turns out not
  // to have what its manifest says, the next is tried. Throws SHUTDOWN after close_all.
  // A format is found by its extensions too.
  Plugin* open_first(Provision kind, std::string_view name, std::string_view id = {});
  // All that may have any of a kind (devices; formats, to probe a file); best first.
  std::vector<Plugin*> open_all(Provision kind);
  // Those open now, in the order of opening.
  std::vector<Plugin*> opened();

  // The kernels of a device of this plugin, in the host's layout; their number goes into the record. Throws what the plugin
  // returns or throws, and INCOMPATIBLE for entries that do not fit.
  std::vector<tn_kernel> kernels(Plugin& plugin, void* device);

  // Opens the plugin of a library or manifest now. A plugin that is open already is left alone; one that failed gets another
  // chance. Throws "plugin <path>: <reason>".
  void load(const std::string& path);

  std::vector<PluginRecord> records();
  uint32_t count();
  // Strings in the result live as long as the registry. Throws OUT_OF_RANGE.
  tn_plugin_record record(uint32_t index);
  // [{"id", "path", "verdict", "reason", "version", "provides"}]; verdicts are ready, loaded, refused, broken.
  std::string report_json();
  // For a NOT_FOUND message, behind "there is no <kind> <name>: ": which candidates provide it and why they were refused; else what there is instead, which files could
  // not be read, where was searched. `known` are names that are there without a plugin. Of ops only the nearest names are listed.
  std::string why_not(Provision kind, std::string_view name,
                      std::vector<std::string_view> known = {});

  // Closes what is open, last opened first. Nothing is unmapped. A second call does nothing.
  void close_all();

 private:
  struct Candidate;

  void add_place(const std::string& path, bool is_explicit);
  void add_folder(const std::string& folder);
  void add_static(tn_plugin_query_fn query);
  Candidate& add_file(const std::string& path);
  Candidate& add(std::string file, std::string manifest);
  Candidate* find_file(const std::string& real_file);
  void examine(Candidate& c);
  void examine_manifest(Candidate& c);
  void check_duplicate(Candidate& c);
  void refuse_duplicates(const Candidate& c);
  void settle(Candidate& c, uint32_t verdict, tn_code code, std::string reason);

  bool open(Candidate& c);
  void run_query(Candidate& c);
  void run_open(Candidate& c);
  std::vector<Candidate*> by_preference();
  PluginRecord make_record(const Candidate& c) const;
  tn_str lend(const std::string& text);
  void log(uint32_t level, const std::string& message);

  const PluginConfig config_;
  const std::function<const tn_host*(const std::string&)> host_for_;
  const std::function<void(Plugin&)> on_open_;
  std::recursive_mutex mutex_;
  bool closed_ = false;
  std::vector<std::unique_ptr<Candidate>> candidates_;  // in the order of search
  std::vector<Candidate*> opened_;
  std::vector<std::string> searched_;      // folders, real paths
  std::unordered_set<std::string> texts_;  // lent by record()
};

}  // namespace tenon
