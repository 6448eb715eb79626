#include "plugin/search.hpp"

#include <dlfcn.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "plugin/file.hpp"

namespace tenon {
namespace {

// The folder that holds the code running now, by the memory map: the loader may know it only by a relative name, and what that is
// relative to may have changed.
std::string own_folder_by_map(uintptr_t address) {
  const std::unique_ptr<FILE, int (*)(FILE*)> maps(std::fopen("/proc/self/maps", "re"),
                                                   &std::fclose);
  if (!maps && errno == ENOMEM) throw std::bad_alloc();
  char line[4096 + 128];
  while (maps && std::fgets(line, sizeof line, maps.get())) {
    char* rest = line;
    const uintptr_t begin = std::strtoull(rest, &rest, 16);
    const uintptr_t end = *rest == '-' ? std::strtoull(rest + 1, &rest, 16) : 0;
    if (address < begin || address >= end) continue;
    const char* path = std::strchr(rest, '/');
    return path ? folder_of(path) : std::string();
  }
  return {};
}

std::string own_folder() {
  Dl_info info{};
  const void* here = reinterpret_cast<const void*>(&read_environment);
  if (dladdr(here, &info) && info.dli_fname && info.dli_fname[0] == '/')
    return folder_of(info.dli_fname);
  return own_folder_by_map(reinterpret_cast<uintptr_t>(here));
}

std::string user_folder() {
  const std::string_view data = read_environment("XDG_DATA_HOME"), home = read_environment("HOME");
  if (data.starts_with('/')) return std::string(data) + "/tenon/plugins";
  if (home.starts_with('/')) return std::string(home) + "/.local/share/tenon/plugins";
  return {};
}

}  // namespace

std::string_view read_environment(const char* name) {
  if (getauxval(AT_SECURE)) return {};
  const char* value = std::getenv(name);
  return value ? value : std::string_view();
}

std::vector<PluginPlace> plugin_places(const std::vector<std::string>& paths, bool search,
                                       bool environment) {
  std::vector<PluginPlace> places;
  auto add = [&](std::string path, bool is_explicit, bool from_environment) {
    if (!path.empty()) places.push_back({std::move(path), is_explicit, from_environment});
  };
  for (const std::string& path : paths) add(path, true, false);
  if (!search) return places;
  if (environment) {
    std::string_view list = read_environment("TENON_PLUGIN_PATH");
    while (!list.empty()) {
      const std::string_view entry = list.substr(0, list.find(':'));
      add(std::string(entry), false, true);
      list.remove_prefix(std::min(entry.size() + 1, list.size()));
    }
    add(user_folder(), false, false);
  }
  if (const std::string folder = own_folder(); !folder.empty())
    add(folder + "/tenon/plugins", false, false);
#ifdef TENON_PLUGIN_DIR
  add(TENON_PLUGIN_DIR, false, false);
#endif
  return places;
}

}  // namespace tenon
