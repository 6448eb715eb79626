#include "plugin/manifest.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace tenon {
namespace {

using Json = nlohmann::json;

constexpr int kDepthLimit = 16;
constexpr size_t kTextLimit = 256;    // of a name, version, extension
constexpr size_t kListLimit = 10000;  // of names

template <class... Args>
[[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(TN_INVALID_ARGUMENT, "manifest: " + fmt::format(format, std::forward<Args>(args)...));
}

// The parser has no limit of its own on nesting.
void check_depth(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthLimit) bad("nested deeper than {} levels", kDepthLimit);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

Json parse(std::string_view text) {
  check_depth(text);
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& e) {
    std::string_view what =
        e.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
    if (const size_t end = what.find("] "); end != what.npos) what.remove_prefix(end + 2);
    bad("not JSON: {}", what);
  }
}

const Json* find(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

std::string to_text(const Json& value, std::string_view key) {
  const auto* text = value.get_ptr<const std::string*>();
  if (!text || text->empty()) bad("\"{}\" is not a non-empty string", key);
  if (text->size() > kTextLimit) bad("\"{}\" is longer than {} bytes", key, kTextLimit);
  return *text;
}

std::string required_text(const Json& object, const char* key) {
  const Json* value = find(object, key);
  if (!value) bad("\"{}\" is missing", key);
  return to_text(*value, key);
}

int64_t to_integer(const Json& value, std::string_view key, int64_t low, int64_t high) {
  const auto* n = value.get_ptr<const int64_t*>();
  const auto* u =
      value.get_ptr<const uint64_t*>();  // what the parser makes of a number without a sign
  if ((!n && !u) || (u && *u > static_cast<uint64_t>(high)) || (!u && (*n < low || *n > high))) {
    bad("\"{}\" is not an integer from {} to {}", key, low, high);
  }
  return u ? static_cast<int64_t>(*u) : *n;
}

// An absent list is an empty one.
std::vector<std::string> texts(const Json& object, const char* key) {
  std::vector<std::string> list;
  const Json* value = find(object, key);
  if (!value) return list;
  if (!value->is_array() || value->size() > kListLimit)
    bad("\"{}\" is not a list of at most {} names", key, kListLimit);
  for (const Json& item : *value) list.push_back(to_text(item, key));
  return list;
}

std::vector<InterfaceVersion> interfaces(const Json& root) {
  const Json* value = find(root, "interfaces");
  if (!value || !value->is_object() || value->empty())
    bad("\"interfaces\" is missing, empty or not an object");
  std::vector<InterfaceVersion> list;
  for (auto it = value->begin(); it != value->end(); ++it) {
    constexpr int64_t kMax = std::numeric_limits<uint32_t>::max();
    const Json* major = it->is_object() ? find(*it, "major") : nullptr;
    const Json* revision = it->is_object() ? find(*it, "revision") : nullptr;
    if (!major || !revision) bad("interface \"{}\" lacks its major or revision", it.key());
    list.push_back({it.key(), static_cast<uint32_t>(to_integer(*major, "major", 0, kMax)),
                    static_cast<uint32_t>(to_integer(*revision, "revision", 0, kMax))});
  }
  return list;
}

Provisions provisions(const Json& root) {
  Provisions p;
  const Json* value = find(root, "provides");
  if (!value) return p;
  if (!value->is_object()) bad("\"provides\" is not an object");
  p.devices = texts(*value, "devices");
  p.ops = texts(*value, "ops");
  p.optimizers = texts(*value, "optimizers");
  const Json* formats = find(*value, "formats");
  if (!formats) return p;
  if (!formats->is_array()) bad("\"formats\" is not a list");
  for (const Json& format : *formats) {
    if (!format.is_object()) bad("\"formats\" holds something that is not an object");
    p.formats.push_back({required_text(format, "name"), texts(format, "extensions")});
  }
  return p;
}

std::string joined(std::string_view what, const std::vector<std::string>& names) {
  std::string text(what);
  for (const std::string& name : names) text += ' ', text += name;
  return text;
}

}  // namespace

bool valid_plugin_id(std::string_view id) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return id.size() <= 128 && id.find('.') != id.npos && id.find("..") == id.npos &&
         id.front() != '.' && id.back() != '.' && id.find_first_not_of(kLetters) == id.npos;
}

Manifest parse_manifest(std::string_view text) {
  const Json root = parse(text);
  if (!root.is_object()) bad("not a JSON object");
  Manifest m;
  m.id = required_text(root, "id");
  if (!valid_plugin_id(m.id))
    bad("the id \"{}\" is no reverse-DNS name such as org.example.name", m.id);
  m.version = required_text(root, "version");
  m.library = required_text(root, "library");
  if (m.library.find_first_of(std::string_view("/\\\0", 3)) != m.library.npos || m.library == "." ||
      m.library == "..") {
    bad("the library \"{}\" is not a plain file name: it must lie in the manifest's own folder",
        m.library);
  }
  m.interfaces = interfaces(root);
  m.provides = provisions(root);
  m.cpu_features = texts(root, "cpu_features");
  if (const Json* priority = find(root, "priority")) {
    m.priority = static_cast<int32_t>(to_integer(*priority, "priority", -1000000, 1000000));
  }
  return m;
}

bool Provisions::has(Provision kind, std::string_view name) const {
  auto in = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  switch (kind) {
    case Provision::device:
      return in(devices);
    case Provision::op:
      return in(ops);
    case Provision::optimizer:
      return in(optimizers);
    case Provision::format:
      break;
  }
  return std::any_of(formats.begin(), formats.end(),
                     [&](const Format& f) { return f.name == name || in(f.extensions); });
}

std::vector<std::string_view> Provisions::names(Provision kind) const {
  std::vector<std::string_view> list;
  if (kind == Provision::format) {
    for (const Format& f : formats) list.emplace_back(f.name);
  } else {
    const auto& from = kind == Provision::device ? devices
                       : kind == Provision::op   ? ops
                                                 : optimizers;
    list.assign(from.begin(), from.end());
  }
  return list;
}

std::string Provisions::text() const {
  std::string text;
  auto add = [&](const std::string& part) {
    if (!text.empty()) text += ", ";
    text += part;
  };
  if (!devices.empty()) add(joined(devices.size() == 1 ? "device" : "devices", devices));
  if (kernels) add(fmt::format("{} kernel{}", kernels, kernels == 1 ? "" : "s"));
  if (ops.size() > 4) add(fmt::format("{} ops", ops.size()));
  if (!ops.empty() && ops.size() <= 4) add(joined(ops.size() == 1 ? "op" : "ops", ops));
  if (!optimizers.empty())
    add(joined(optimizers.size() == 1 ? "optimizer" : "optimizers", optimizers));
  for (const Format& f : formats) add("format " + f.name);
  return text;
}

}  // namespace tenon
