#include "plugin/manifest.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace tenon {
namespace {

constexpr size_t kDepthLimit = 16;
constexpr size_t kTextLimit = 256;    // of a name, version, extension
constexpr size_t kListLimit = 10000;  // of names

[[noreturn]] void bad_manifest(fmt::string_view format, fmt::format_args args) {
  fail(TN_INVALID_ARGUMENT, "manifest: {}", fmt::vformat(format, args));
}
template <class... Args>
[[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) {
  bad_manifest(format, fmt::make_format_args(args...));
}

// A JSON value, as far as manifests have any: to end one takes no memory, as ending one of the library's does.
struct Value {
  enum Kind : uint8_t { other, text, integer, list, object } kind = other;
  int64_t number = 0;
  std::string string;
  std::vector<std::pair<std::string, Value>> items;  // of a list: without keys
};

// Makes a Value from what the parser meets.
class Reader : public nlohmann::json::json_sax_t {
 public:
  explicit Reader(Value* root) : open_{root} {}
  bool null() override { return add({}); }
  bool boolean(bool) override { return add({}); }
  bool number_integer(int64_t n) override { return add({Value::integer, n, {}, {}}); }
  bool number_unsigned(uint64_t n) override {
    const bool fits = n <= static_cast<uint64_t>(INT64_MAX);
    return add({fits ? Value::integer : Value::other, static_cast<int64_t>(n), {}, {}});
  }
  bool number_float(double, const std::string&) override { return add({}); }
  bool string(std::string& text) override { return add({Value::text, 0, std::move(text), {}}); }
  bool binary(nlohmann::json::binary_t&) override { return add({}); }
  bool start_object(size_t) override { return begin(Value::object); }
  bool start_array(size_t) override { return begin(Value::list); }
  bool end_object() override { return open_.pop_back(), true; }
  bool end_array() override { return open_.pop_back(), true; }
  bool key(std::string& name) override { return key_ = std::move(name), true; }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception& e) override {
    std::string_view what =
        e.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
    if (const size_t end = what.find("] "); end != what.npos) what.remove_prefix(end + 2);
    bad("not JSON: {}", what);
  }

 private:
  bool add(Value value) {
    if (open_.size() == 1) return *open_[0] = std::move(value), true;
    open_.back()->items.emplace_back(std::exchange(key_, {}), std::move(value));
    return true;
  }
  bool begin(Value::Kind kind) {
    if (open_.size() > kDepthLimit) bad("nested deeper than {} levels", kDepthLimit);
    add({kind, 0, {}, {}});
    open_.push_back(open_.size() == 1 ? open_[0] : &open_.back()->items.back().second);
    return true;
  }
  std::vector<Value*> open_;  // the root, then it again and what lies open in it
  std::string key_;
};

const Value* find(const Value& object, std::string_view key) {
  for (const auto& [name, value] : object.items)
    if (name == key) return &value;
  return nullptr;
}

std::string to_text(const Value& value, std::string_view key) {
  if (value.string.empty()) bad("\"{}\" is not a non-empty string", key);
  if (value.string.size() > kTextLimit) bad("\"{}\" is longer than {} bytes", key, kTextLimit);
  return value.string;
}

std::string required_text(const Value& object, const char* key) {
  const Value* value = find(object, key);
  if (!value) bad("\"{}\" is missing", key);
  return to_text(*value, key);
}

int64_t to_integer(const Value& value, std::string_view key, int64_t low, int64_t high) {
  if (value.kind != Value::integer || value.number < low || value.number > high)
    bad("\"{}\" is not an integer from {} to {}", key, low, high);
  return value.number;
}

// An absent list is an empty one.
std::vector<std::string> texts(const Value& object, const char* key) {
  std::vector<std::string> list;
  const Value* value = find(object, key);
  if (!value) return list;
  if (value->kind != Value::list || value->items.size() > kListLimit)
    bad("\"{}\" is not a list of at most {} names", key, kListLimit);
  for (const auto& [none, item] : value->items) list.push_back(to_text(item, key));
  return list;
}

std::vector<InterfaceVersion> interfaces(const Value& root) {
  const Value* value = find(root, "interfaces");
  if (!value || value->kind != Value::object || value->items.empty())
    bad("\"interfaces\" is missing, empty or not an object");
  std::vector<InterfaceVersion> list;
  for (const auto& [name, version] : value->items) {
    constexpr int64_t kMax = std::numeric_limits<uint32_t>::max();
    const Value *major = find(version, "major"), *revision = find(version, "revision");
    if (!major || !revision) bad("interface \"{}\" lacks its major or revision", name);
    list.push_back({name, static_cast<uint32_t>(to_integer(*major, "major", 0, kMax)),
                    static_cast<uint32_t>(to_integer(*revision, "revision", 0, kMax))});
  }
  return list;
}

Provisions provisions(const Value& root) {
  Provisions p;
  const Value* value = find(root, "provides");
  if (!value) return p;
  if (value->kind != Value::object) bad("\"provides\" is not an object");
  p.devices = texts(*value, "devices");
  p.ops = texts(*value, "ops");
  p.optimizers = texts(*value, "optimizers");
  const Value* formats = find(*value, "formats");
  if (!formats) return p;
  if (formats->kind != Value::list) bad("\"formats\" is not a list");
  for (const auto& [none, format] : formats->items) {
    if (format.kind != Value::object) bad("\"formats\" holds something that is not an object");
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
  Value root;
  Reader reader(&root);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  if (root.kind != Value::object) bad("not a JSON object");
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
  if (const Value* priority = find(root, "priority")) {
    m.priority = static_cast<int32_t>(to_integer(*priority, "priority", -1000000, 1000000));
  }
  return m;
}

const std::vector<std::string>& Provisions::list(Provision kind) const {
  return kind == Provision::device ? devices : kind == Provision::op ? ops : optimizers;
}

bool Provisions::has(Provision kind, std::string_view name) const {
  auto in = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (kind != Provision::format) return in(list(kind));
  return std::any_of(formats.begin(), formats.end(),
                     [&](const Format& f) { return f.name == name || in(f.extensions); });
}

std::vector<std::string_view> Provisions::names(Provision kind) const {
  if (kind != Provision::format) return {list(kind).begin(), list(kind).end()};
  std::vector<std::string_view> list;
  for (const Format& f : formats) list.emplace_back(f.name);
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
