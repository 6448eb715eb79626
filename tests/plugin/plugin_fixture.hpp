// A folder of plugins, put together for one test.
#pragma once
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tenon_test {

// Made with mode 0700 under the system's temporary folder, gone at the end of the scope.
class PluginFolder {
 public:
  PluginFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tenon_plugins_XXXXXX").string();
    path_ = std::filesystem::canonical(mkdtemp(name.data())).string();
  }
  ~PluginFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string path(const std::string& name) const { return path_ + "/" + name; }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    std::filesystem::permissions(path(name), std::filesystem::perms(0644));
    return path(name);
  }
  // Copies a plugin of tests/plugins/broken to `as`.so.
  std::string library(const std::string& name, const std::string& as) const {
    const std::string to = path(as + ".so");
    std::filesystem::copy_file(TENON_BROKEN_PLUGINS "/" + name + ".so", to);
    std::filesystem::permissions(to, std::filesystem::perms(0755));
    return to;
  }
  std::string library(const std::string& name) const { return library(name, name); }
  // The library with a manifest that says it is org.example.<name> and has the device "minimal"; `more` goes into the JSON object.
  std::string plugin(const std::string& name, const std::string& as,
                     const std::string& more = "") const {
    manifest(name, as,
             R"("provides": {"devices": ["minimal"]})" + (more.empty() ? "" : ", " + more));
    return library(name, as);
  }
  std::string plugin(const std::string& name) const { return plugin(name, name); }
  std::string manifest(const std::string& name, const std::string& as,
                       const std::string& more) const {
    return write(as + ".json",
                 R"({"id": "org.example.)" + name + R"(", "version": "1.2.3", "library": ")" + as +
                     R"(.so", "interfaces": {"tenon.device": {"major": 0, "revision": 1}}, )" +
                     more + "}");
  }

 private:
  std::string path_;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace tenon_test
