#include "signature.hpp"

#include <algorithm>
#include <charconv>

#include "commands.hpp"

namespace tenon::cli {
namespace {

std::string_view trimmed(std::string_view s) {
  const auto blank = [](char c) { return c == ' '; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

template <class T>
T number(const Attribute& attr, std::string_view text) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size())
    throw Usage("attribute " + attr.name + " is " + attr.type + "; '" + std::string(text) +
                "' is not");
  return value;
}

template <class T>
std::vector<T> numbers(const Attribute& attr, std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<T> values;
  for (const std::string& part : split_list(text)) values.push_back(number<T>(attr, part));
  return values;
}

bool truth(const Attribute& attr, std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  throw Usage("attribute " + attr.name + " is bool: true or false, not '" + std::string(text) +
              "'");
}

std::string attribute_names(const Signature& signature) {
  std::string names;
  for (const Attribute& a : signature.attrs) names += (names.empty() ? "" : ", ") + a.name;
  return names.empty() ? "none" : names;
}

}  // namespace

tn_dtype dtype_of_name(const std::string& name) {
  static constexpr tn_dtype kAll[] = {TN_DTYPE_BOOL,   TN_DTYPE_I4,  TN_DTYPE_I8,   TN_DTYPE_I16,
                                      TN_DTYPE_I32,    TN_DTYPE_I64, TN_DTYPE_U4,   TN_DTYPE_U8,
                                      TN_DTYPE_U16,    TN_DTYPE_U32, TN_DTYPE_U64,  TN_DTYPE_F8E4M3,
                                      TN_DTYPE_F8E5M2, TN_DTYPE_F16, TN_DTYPE_BF16, TN_DTYPE_F32,
                                      TN_DTYPE_F64,    TN_DTYPE_C64, TN_DTYPE_C128};
  if (const tn_dtype dtype = tn_dtype_find(to_str(name)); dtype != TN_DTYPE_NONE) return dtype;
  std::string names;
  for (const tn_dtype d : kAll) names += std::string(names.empty() ? "" : ", ") + tn_dtype_name(d);
  throw Usage("there is no dtype '" + name + "'; there are: " + names);
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  size_t from = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (i < text.size() && (c != ',' || depth > 0)) continue;
    const std::string_view part = trimmed(text.substr(from, i - from));
    if (!part.empty()) parts.emplace_back(part);
    from = i + 1;
  }
  return parts;
}

Signature parse_signature(std::string_view text) {
  Signature s;
  const size_t open = text.find('('), close = text.rfind(')');
  if (open == text.npos || close == text.npos) return s;
  bool attrs = false;
  for (const std::string& part : split_list(text.substr(open + 1, close - open - 1))) {
    if (part == "*") {
      attrs = true;
    } else if (attrs) {
      const size_t colon = part.find(": "), equals = part.find(" = ");
      Attribute a;
      a.name = part.substr(0, colon);
      a.type = colon == part.npos ? "" : part.substr(colon + 2, equals - colon - 2);
      a.required = equals == part.npos;
      if (!a.required) a.fallback = part.substr(equals + 3);
      s.attrs.push_back(std::move(a));
    } else {
      Parameter p;
      p.variadic = part.ends_with("...");
      p.optional = part.ends_with("?");
      p.name = part.substr(0, part.size() - (p.variadic ? 3 : p.optional ? 1 : 0));
      s.params.push_back(std::move(p));
    }
  }
  return s;
}

tn_attr AttrValues::parse(uint32_t key, const Attribute& attr, const std::string& value) {
  if (attr.type == "i64") return tn_attr_i64(key, number<int64_t>(attr, value));
  if (attr.type == "f64") return tn_attr_f64(key, number<double>(attr, value));
  if (attr.type == "bool") return tn_attr_bool(key, truth(attr, value));
  if (attr.type == "i64s") {
    whole_.push_back(numbers<int64_t>(attr, value));
    return tn_attr_i64s(key, whole_.back().data(), whole_.back().size());
  }
  if (attr.type == "f64s") {
    real_.push_back(numbers<double>(attr, value));
    return tn_attr_f64s(key, real_.back().data(), real_.back().size());
  }
  if (attr.type == "dtype") return tn_attr_dtype(key, dtype_of_name(value));
  if (attr.type != "string")
    throw Usage("attribute " + attr.name + " is " + attr.type + ", which cannot be given here");
  strings_.push_back(value);
  return tn_attr_string(key, to_str(strings_.back()));
}

AttrValues::AttrValues(const Signature& signature, const std::vector<std::string>& texts) {
  strings_.reserve(texts.size());  // items_ points into it
  std::vector<const std::string*> given(signature.attrs.size(), nullptr);
  std::vector<std::string> values(signature.attrs.size());
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const auto found = std::ranges::find(signature.attrs, text.substr(0, equals), &Attribute::name);
    if (equals == text.npos) throw Usage("--attr takes name=value, not '" + text + "'");
    if (found == signature.attrs.end())
      throw Usage("the op has no attribute '" + text.substr(0, equals) + "'; it takes " +
                  attribute_names(signature));
    const auto key = static_cast<size_t>(found - signature.attrs.begin());
    values[key] = text.substr(equals + 1);
    given[key] = &values[key];
  }
  for (size_t key = 0; key < signature.attrs.size(); ++key) {
    if (given[key])
      items_.push_back(parse(static_cast<uint32_t>(key), signature.attrs[key], values[key]));
    else if (signature.attrs[key].required)
      throw Usage("the op needs --attr " + signature.attrs[key].name + "=... (" +
                  signature.attrs[key].type + ")");
  }
}

}  // namespace tenon::cli
