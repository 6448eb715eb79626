// The file and the manifest beside it: nothing of the plugin runs here, but for the search of its libraries.
#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "elf.hpp"
#include "plugin.hpp"
#include "tenon/plugin.h"
#include "worker.hpp"

namespace tenon::conformance {
namespace {

using Json = nlohmann::json;

std::string few(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string text;
  for (size_t k = 0; k < names.size() && k < 5; ++k) text += (k ? ", " : "") + names[k];
  if (names.size() > 5) text += " and " + std::to_string(names.size() - 5) + " more";
  return text;
}

void check_elf(const Profile& p, Reporter&) { read_elf(p.path); }

void check_exports(const Profile& p, Reporter&) {
  const ElfFile elf = read_elf(p.path);
  std::vector<std::string> names;
  for (const Symbol& s : elf.symbols)
    if (s.defined) names.push_back(s.name);
  expect(std::count(names.begin(), names.end(), TN_PLUGIN_SYMBOL) > 0,
         std::string("no function ") + TN_PLUGIN_SYMBOL + " in " + p.path + ", which exports " +
             (names.empty() ? "nothing" : few(names)),
         "that it is exported: a program finds a plugin by it");
}

void check_loads(const Profile& p, Reporter&) {
  void* library = dlopen(p.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const char* why = library ? nullptr : dlerror();
  expect(library != nullptr, why ? why : "the loader refuses it",
         "that every library and symbol it needs is found");
}

void check_stray_symbols(const Profile& p, Reporter&) {
  std::vector<std::string> strays;
  for (const Symbol& s : read_elf(p.path).symbols)
    if (s.defined && s.name != TN_PLUGIN_SYMBOL)
      strays.push_back(s.name + (s.unique ? " (unique)" : s.weak ? " (weak)" : ""));
  expect(strays.empty(), "exports " + few(strays), std::string("only ") + TN_PLUGIN_SYMBOL);
}

void check_imports(const Profile& p, Reporter&) {
  std::vector<std::string> used;
  for (const Symbol& s : read_elf(p.path).symbols)
    if (!s.defined && s.name.starts_with("tn_")) used.push_back(s.name);
  expect(used.empty(), "imports " + few(used), "nothing from libtenon");
}

void check_needed(const Profile& p, Reporter&) {
  for (const std::string& name : read_elf(p.path).needed) {
    expect(!name.starts_with("libtenon.so"), "is linked to " + name, "no link to libtenon");
    expect(!name.starts_with("libprotobuf"), "needs " + name + ", which clashes with the host's",
           "a private copy, or none");
  }
}

// A folder of the machine that built it is not on the machine that runs it.
void check_run_path(const Profile& p, Reporter&) {
  for (const std::string& list : read_elf(p.path).run_paths)
    for (size_t from = 0, end; from <= list.size(); from = end + 1) {
      end = std::min(list.find(':', from), list.size());
      const std::string folder = list.substr(from, end - from);
      const bool fine = folder.starts_with("$ORIGIN") || folder.starts_with("${ORIGIN}") ||
                        folder.starts_with("/usr/") || folder.starts_with("/opt/") ||
                        folder.starts_with("/lib");
      expect(fine, "the run path \"" + folder + "\"",
             "none, $ORIGIN, or a folder under /usr, /opt or /lib");
    }
}

void check_stack(const Profile& p, Reporter&) {
  const ElfFile elf = read_elf(p.path);
  expect(!elf.no_stack_note, "no note about the stack, which makes it executable",
         "a stack of data");
  expect(!elf.executable_stack, "it asks for an executable stack", "a stack of data");
}

void check_text(const Profile& p, Reporter&) {
  expect(!read_elf(p.path).text_relocations, "relocations in its code", "none");
}

std::string manifest_of(const std::string& library) {
  return std::filesystem::path(library).replace_extension(".json").string();
}

Json read_manifest(const Profile& p) {
  const std::string path = manifest_of(p.path);
  expect(std::filesystem::exists(path), "no file " + path, "a manifest beside the library");
  expect(std::filesystem::file_size(path) <= 65536, "more than 64 KiB", "at most 64 KiB");
  Json j = Json::parse(read_file(path), nullptr, false);
  expect(j.is_object(), path + " is no JSON object", "a JSON object");
  return j;
}

void check_manifest(const Profile& p, Reporter&) {
  const Json j = read_manifest(p);
  const auto text = [&](const char* key) {
    expect(j.contains(key) && j[key].is_string(), std::string("no text \"") + key + "\"",
           "the key with a text");
    return j[key].get<std::string>();
  };
  const std::string library = text("library");
  expect(library == std::filesystem::path(p.path).filename().string(),
         "\"library\": \"" + library + "\"", "the name of the library beside it");
  text("version");
  text("id");
  if (j.contains("level"))
    expect(level_of(j["level"].is_string() ? j["level"].get<std::string>() : "") >= 0,
           "\"level\": " + j["level"].dump(-1, ' ', false, Json::error_handler_t::replace),
           "one of " + level_name(0) + " to " + level_name(kHighestLevel) +
               ", which verify tries without --level");
  for (const char* key : {"interfaces", "provides"})
    expect(j.contains(key) && j[key].is_object(), std::string("no object \"") + key + "\"",
           "the key with an object");
}

std::vector<std::string> names_in(const Json& provides, const char* key) {
  std::vector<std::string> names;
  for (const Json& e : provides.value(key, Json::array()))
    names.push_back(e.is_object()   ? e.value("name", "")
                    : e.is_string() ? e.get<std::string>()
                                    : "");
  return names;
}

void same_names(const char* what, std::vector<std::string> said, std::vector<std::string> has) {
  std::sort(said.begin(), said.end());
  std::sort(has.begin(), has.end());
  has.erase(std::unique(has.begin(), has.end()), has.end());
  expect(said == has, std::string("the manifest provides ") + what + " [" + few(said) + "]",
         "[" + few(has) + "], as the library has");
}

void check_manifest_agrees(const Profile& p, Reporter&) {
  const Json j = read_manifest(p);
  expect(j.value("id", "") == p.id, "\"id\": \"" + j.value("id", "") + "\"",
         "\"" + p.id + "\", as the library says");
  const Json interfaces = j.value("interfaces", Json::object());
  for (const std::string& name : p.interfaces)
    if (name.starts_with("tenon."))
      expect(interfaces.contains(name), "no interface " + name, "every one that the library has");
  for (const auto& [name, version] : interfaces.items())
    expect(std::find(p.interfaces.begin(), p.interfaces.end(), name) != p.interfaces.end(),
           "the interface " + name + ", which the library lacks", "only those that it has");
  const Json provides = j.value("provides", Json::object());
  std::vector<std::string> types;
  for (const DeviceProfile& d : p.devices) types.push_back(d.name.substr(0, d.name.find(':')));
  if (!types.empty()) same_names("devices", names_in(provides, "devices"), types);
  same_names("ops", names_in(provides, "ops"), p.ops);
  same_names("optimizers", names_in(provides, "optimizers"), p.optimizers);
  same_names("formats", names_in(provides, "formats"),
             p.format.empty() ? std::vector<std::string>{} : std::vector<std::string>{p.format});
}

// What a program says to it that keeps to the default, TN_TRUST_SAFE_OWNER. It only looks at the file.
void check_trusted(const Profile& p, Reporter&) {
  const tn_str path = {p.path.data(), p.path.size()};
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &path, desc.plugin_path_count = 1;
  desc.flags = TN_RUNTIME_NO_SEARCH;
  tn_runtime* runtime = nullptr;
  check(tn_runtime_create(&desc, &runtime));
  const RuntimeOwner owner(runtime);
  tn_plugin_record record = tn_plugin_record_init();
  check(tn_plugin_get_record(runtime, 0, &record));
  const std::string reason = text_of(record.reason);
  expect(reason.find("trust policy") == std::string::npos, reason,
         "a file and folders that only root or their owner may write to");
}

constexpr const char* kMap =
    "link with cmake/Tenon/tenon_plugin.map and -fvisibility=hidden, as tenon_add_plugin does";

}  // namespace

const std::vector<Check> kFileChecks = {
    {"file.elf", 0, Kind::all, "a whole shared library for this machine",
     "name the library that tenon_add_plugin builds; by hand: -shared -fPIC, for the machine that "
     "loads it",
     check_elf},
    {"file.exports", 0, Kind::all, "exports tn_plugin_query",
     "write TENON_PLUGIN(...) once, or define tn_plugin_query with TN_PLUGIN_EXPORT",
     check_exports},
    {"file.stray_symbols", 0, Kind::all, "exports nothing else, weak and std symbols included",
     kMap, check_stray_symbols},
    {"file.imports", 0, Kind::all, "imports no tn_ function",
     "call the services of tn_host, which open() is given", check_imports},
    {"file.loads", 0, Kind::all, "every library and symbol it needs is found",
     "install the missing library, or remove it from the link line; a symbol that is missing is in "
     "no library that it is linked to",
     check_loads},
    {"file.needed", 0, Kind::all, "none of the libraries it needs is libtenon, or clashes with it",
     "remove it from the link line", check_needed},
    {"file.run_path", 0, Kind::all, "no run path into somebody's build folder",
     "set SKIP_BUILD_RPATH, or an INSTALL_RPATH of $ORIGIN", check_run_path},
    {"file.executable_stack", 0, Kind::all, "asks for no executable stack",
     "link with -z noexecstack; give assembler files a .note.GNU-stack section", check_stack},
    {"file.text_relocations", 0, Kind::all, "no relocations in code", "compile with -fPIC",
     check_text},
    {"file.trust", 0, Kind::all, "a program with the default trust policy would open it",
     "chmod go-w the file or the folder that is named (a umask of 002 lets the group write); "
     "tenon_add_plugin does so within the build tree. docs/plugins.md, \"Trust\"",
     check_trusted},
    {"file.manifest", 0, Kind::all, "a manifest lies beside it and is well formed",
     "write the keys that docs/plugins.md lists", check_manifest},
    {"file.manifest_agrees", 0, Kind::all, "the manifest says what the library has",
     "correct the manifest: a program reads it instead of opening the library",
     check_manifest_agrees},
};

}  // namespace tenon::conformance
