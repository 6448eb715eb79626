// tenon new: a plugin of one's own from a template.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "commands.hpp"

namespace fs = std::filesystem;

namespace tenon::cli {
namespace {

// A template and the word in it that the new name replaces.
struct Template {
  const char* kind;
  const char* word;
};
constexpr Template kTemplates[] = {
    {"backend", "mydevice"}, {"op", "myop"}, {"optimizer", "myoptimizer"}, {"format", "myformat"}};

// share/tenon/template beside the folder of this program: of the installed tree, and of the build.
fs::path template_folder(const char* kind) {
  const fs::path program = fs::canonical("/proc/self/exe");
  const fs::path folder = program.parent_path().parent_path() / "share/tenon/template" / kind;
  if (!fs::is_directory(folder)) {
    throw std::runtime_error("no template in " + folder.string() +
                             "; install Tenon with its component sdk");
  }
  return folder;
}

void check_name(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (!name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
      std::ranges::all_of(name, fits)) {
    return;
  }
  throw Usage("'" + name + "' cannot name a plugin: a small letter, then small letters, digits, _");
}

// Whether "5 ops, optimizers sgd adam" has `name` among those of `kind`.
bool provides(std::string_view text, const std::string& kind, const std::string& name) {
  std::istringstream parts{std::string(text)};
  for (std::string part; std::getline(parts, part, ',');) {
    std::istringstream words(part);
    std::string word;
    if (!(words >> word) || (word != kind && word != kind + "s")) continue;
    while (words >> word)
      if (word == name) return true;
  }
  return false;
}

// What a program asks for by its name must be the plugin's own.
void check_name_free(const std::string& kind, const std::string& name) {
  const Runtime runtime;
  const auto taken = [&](std::string_view by) {
    throw Usage("there is " + std::string(kind[0] == 'o' ? "an " : "a ") + kind + " '" + name +
                "' already, of " + std::string(by) + "; take another name");
  };
  if (tn_op op = 0; kind == "op") {
    tn_op_info info = tn_op_info_init();
    tn_error* error = tn_op_find(runtime.get(), to_str(name), 0, &op);
    const bool free = error != nullptr;
    tn_error_release(error);
    if (free) return;
    check(tn_op_get_info(runtime.get(), op, &info));
    taken(info.plugin.size ? to_view(info.plugin) : "the core");
  }
  uint32_t n = 0;
  check(tn_plugin_count(runtime.get(), &n));
  for (uint32_t k = 0; k < n; ++k) {
    tn_plugin_record record = tn_plugin_record_init();
    check(tn_plugin_get_record(runtime.get(), k, &record));
    if (provides(to_view(record.provides), kind == "backend" ? "device" : kind, name))
      taken(to_view(record.id));
  }
}

// Its plugin would be hidden by one of ours, or hide it.
void check_free(const std::string& kind, const std::string& name) {
  const std::string file = (kind == "op" ? "tenon_ops_" : "tenon_" + kind + "_") + name + ".so";
  const fs::path prefix = fs::canonical("/proc/self/exe").parent_path().parent_path();
  std::error_code none;
  for (const fs::directory_entry& folder : fs::directory_iterator(prefix, none)) {
    const fs::path taken = folder.path() / "tenon/plugins" / file;
    if (fs::exists(taken, none)) {
      throw Usage("Tenon has a plugin of the name '" + name + "' (" + taken.string() +
                  "); take another");
    }
  }
}

std::string replaced(std::string text, const std::string& word, const std::string& name) {
  for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += name.size())
    text.replace(at, word.size(), name);
  return text;
}

const char* article(const std::string& kind) { return kind[0] == 'o' ? "an" : "a"; }

std::string read(const fs::path& path) {
  std::ostringstream text;
  std::ifstream in(path, std::ios::binary);
  if (!(text << in.rdbuf())) throw std::runtime_error(path.string() + ": cannot be read");
  return text.str();
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  if (!(out << text) || !out.flush())
    throw std::runtime_error(path.string() + ": cannot be written");
}

}  // namespace

int create(const std::string& kind, const std::string& name, const std::string& into) {
  check_name(name);
  const auto* found =
      std::ranges::find_if(kTemplates, [&](const Template& t) { return t.kind == kind; });
  if (found == std::end(kTemplates))
    throw Usage("there is no template '" + kind + "'; there are backend, op, optimizer, format");
  check_free(kind, name);
  check_name_free(kind, name);
  const fs::path from = template_folder(found->kind);
  const fs::path to = fs::path(into) / name;
  if (!fs::is_directory(into)) throw std::runtime_error(into + " is no folder");
  // Fails where something of the name is there, whatever it is: nothing is ever overwritten.
  std::error_code error;
  if (!fs::create_directory(to, error)) {
    throw std::runtime_error(to.string() + ": " + (error ? error.message() : "is there already") +
                             "; nothing was written");
  }
  // A plugin in a folder that others may write to would be refused.
  fs::permissions(to, fs::perms::group_write | fs::perms::others_write, fs::perm_options::remove);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
    const std::string relative = entry.path().lexically_relative(from).string();
    const fs::path target = to / replaced(relative, found->word, name);
    if (entry.is_directory())
      fs::create_directory(target);
    else
      write(target, replaced(read(entry.path()), found->word, name));
  }
  std::printf("%s: the %s '%s'. Next:\n\n", to.c_str(), kind.c_str(), name.c_str());
  std::printf("  cd %s\n", to.c_str());
  std::printf("  cmake -B build -DCMAKE_PREFIX_PATH=<where Tenon is installed>\n");
  std::printf("  cmake --build build && build/check\n");
  const std::string file = (kind == "op" ? "ops_" : kind + "_") + name + ".so";
  std::printf("  tenon --plugin build/lib/tenon/plugins %s\n",
              kind == "op" ? ("ops " + name).c_str() : "plugins");
  std::printf("  tenon verify build/lib/tenon/plugins/tenon_%s\n\n", file.c_str());
  const std::string guide =
      std::string("doc/tenon/docs/writing-") + article(kind) + "-" + kind + ".md";
  const fs::path share = from.parent_path().parent_path().parent_path();
  if (fs::exists(share / guide)) std::printf("The guide is %s\n", (share / guide).c_str());
  return 0;
}

}  // namespace tenon::cli
