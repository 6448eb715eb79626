// Where plugins are looked for. The current folder is never among the places.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

struct PluginPlace {
  std::string path;       // as given
  bool is_explicit;       // named by the embedder: must be there
  bool from_environment;  // named by TENON_PLUGIN_PATH; a relative one is not searched
};

// In the order of search: the embedder's paths; TENON_PLUGIN_PATH (empty entries are left out); the per-user folder;
// the folder beside libtenon; the install prefix. `search` false: only the first. `environment` false, or a process that runs with
// more rights than its user's (AT_SECURE): nothing that environment variables decide, which takes out the per-user folder as well.
std::vector<PluginPlace> plugin_places(const std::vector<std::string>& paths, bool search,
                                       bool environment);

// $NAME, "" if it is not set or the process is elevated.
std::string_view read_environment(const char* name);

}  // namespace tenon
