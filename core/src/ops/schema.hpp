// abi/ops.def read at compile time into small tables without pointers, which ops.cpp turns into
// definitions: pointers in constant data cost a relocation each. Private to ops.cpp.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tenon/plugin/ops.h"

namespace tenon::schema {

struct Row {
  tn_op id;
  uint32_t since;
  std::string_view name;
  std::string_view flags, params, attrs, outputs;
};

inline constexpr Row kRows[] = {
#define TN_OP(id, name, since, flags, parameters, attributes, outputs) \
  {id, since, #name, flags, parameters, attributes, outputs},
#include "ops.def"
#undef TN_OP
};
inline constexpr size_t kCount = std::size(kRows);

// A malformed line of ops.def: calling this makes the constant expression invalid, and the
// compiler's note names the place.
inline void malformed_ops_def() {}

constexpr std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// Cuts the part before the next `separator` that is not in brackets off the front of `rest`.
constexpr std::string_view cut(std::string_view& rest, char separator) {
  size_t i = 0;
  for (int depth = 0; i < rest.size() && (depth != 0 || rest[i] != separator); ++i)
    depth += rest[i] == '[' ? 1 : rest[i] == ']' ? -1 : 0;
  const std::string_view part = rest.substr(0, i);
  rest = i < rest.size() ? rest.substr(i + 1) : std::string_view();
  return trim(part);
}

constexpr size_t count_parts(std::string_view text, char separator) {
  size_t n = 0;
  for (text = trim(text); !text.empty(); ++n) cut(text, separator);
  return n;
}

// Decimal with an optional fraction and exponent; exact as long as the digits fit 53 bits and the
// power of ten 10^22.
constexpr double parse_f64(std::string_view s) {
  const bool negative = !s.empty() && s.front() == '-';
  if (negative) s.remove_prefix(1);
  double digits = 0;
  int scale = 0;
  size_t i = 0;
  for (bool fraction = false; i < s.size() && s[i] != 'e'; ++i) {
    if (s[i] == '.') {
      fraction = true;
      continue;
    }
    if (s[i] < '0' || s[i] > '9') malformed_ops_def();
    digits = digits * 10 + (s[i] - '0');
    scale -= fraction ? 1 : 0;
  }
  if (i < s.size()) {
    const bool down = s[i + 1] == '-';
    int exponent = 0;
    for (i += down ? 2 : 1; i < s.size(); ++i) exponent = exponent * 10 + (s[i] - '0');
    scale += down ? -exponent : exponent;
  }
  double power = 1;
  for (int k = scale < 0 ? -scale : scale; k > 0; --k) power *= 10;
  const double value = scale < 0 ? digits / power : digits * power;
  return negative ? -value : value;
}

constexpr int64_t parse_i64(std::string_view s) { return static_cast<int64_t>(parse_f64(s)); }

constexpr uint32_t parse_type(std::string_view s) {
  if (s == "i64") return TN_ATTR_I64;
  if (s == "f64") return TN_ATTR_F64;
  if (s == "bool") return TN_ATTR_BOOL;
  if (s == "string") return TN_ATTR_STRING;
  if (s == "dtype") return TN_ATTR_DTYPE;
  if (s == "i64s") return TN_ATTR_I64S;
  if (s == "f64s") return TN_ATTR_F64S;
  malformed_ops_def();
  return 0;
}

constexpr tn_dtype parse_dtype(std::string_view s) {
  if (s == "bool") return TN_DTYPE_BOOL;
  if (s == "i32") return TN_DTYPE_I32;
  if (s == "i64") return TN_DTYPE_I64;
  if (s == "u8") return TN_DTYPE_U8;
  if (s == "u32") return TN_DTYPE_U32;
  if (s == "f32") return TN_DTYPE_F32;
  if (s == "f64") return TN_DTYPE_F64;
  malformed_ops_def();
  return TN_DTYPE_NONE;
}

// "name: type = default" in parts; `fallback` is empty where there is no default, `required` says
// so.
struct AttrText {
  std::string_view name, type, fallback;
  bool required;
};
constexpr AttrText attr_text(std::string_view item) {
  const size_t colon = item.find(':');
  if (colon == std::string_view::npos) malformed_ops_def();
  const size_t equals = item.find('=');
  const bool required = equals == std::string_view::npos;
  return {trim(item.substr(0, colon)),
          trim(item.substr(colon + 1, required ? equals : equals - colon - 1)),
          required ? std::string_view() : trim(item.substr(equals + 1)), required};
}

// The inside of "[1, 1]".
constexpr std::string_view list_text(std::string_view s) {
  if (s.size() < 2 || s.front() != '[' || s.back() != ']') malformed_ops_def();
  return s.substr(1, s.size() - 2);
}

struct Sizes {
  size_t chars = 0, params = 0, attrs = 0, numbers = 0;
};
constexpr Sizes measure() {
  Sizes n;
  for (const Row& row : kRows) {
    n.chars += row.name.size() + row.params.size() + row.attrs.size();
    n.params += count_parts(row.params, ' ');
    n.attrs += count_parts(row.attrs, ',');
    for (std::string_view rest = row.attrs; !trim(rest).empty();) {
      const AttrText a = attr_text(cut(rest, ','));
      if (!a.required && parse_type(a.type) == TN_ATTR_I64S)
        n.numbers += count_parts(list_text(a.fallback), ',');
    }
  }
  return n;
}
inline constexpr Sizes kSizes = measure();

struct Text {  // of Tables::chars
  uint16_t at, size;
};
struct Param {
  Text name;
  uint16_t kind;
};
struct Attr {
  uint64_t bits;  // as of tn_attr
  Text name;
  uint16_t data;  // where the default begins: in chars, or in numbers
  uint8_t tag, required;
};
struct Op {
  Text name;
  uint16_t id, flags;
  uint8_t since, n_params, n_attrs, n_outputs;
};

constexpr uint32_t read_flags(std::string_view text) {
  uint32_t flags = 0;
  for (char c : text) {
    switch (c) {
      case 'B':
        flags |= TN_OP_BASE;
        break;
      case 'E':
        flags |= TN_OP_ELEMENTWISE;
        break;
      case 'V':
        flags |= TN_OP_VIEW;
        break;
      case 'R':
        flags |= TN_OP_RANDOM;
        break;
      case 'O':
        flags |= TN_OP_OUTPUTS_VARY;
        break;
      case 'D':
        flags |= TN_OP_COUNTED;
        break;
      default:
        malformed_ops_def();
    }
  }
  return flags;
}

// What is called the same shares its characters.
struct Texts {
  std::array<char, kSizes.chars> chars{};
  std::array<Text, kCount + kSizes.params + 2 * kSizes.attrs> kept{};
  size_t n_chars = 0, n = 0;

  constexpr Text keep(std::string_view text) {
    for (size_t i = 0; i < n; ++i)
      if (std::string_view(chars.data() + kept[i].at, kept[i].size) == text) return kept[i];
    kept[n] = {static_cast<uint16_t>(n_chars), static_cast<uint16_t>(text.size())};
    for (const char c : text) chars[n_chars++] = c;
    return kept[n++];
  }
};

// Parameters, attributes and numbers of default lists stand in the order of the ops.
template <size_t kChars>
struct Tables {
  std::array<char, kChars> chars{};
  std::array<int64_t, kSizes.numbers> numbers{};
  std::array<Param, kSizes.params> params{};
  std::array<Attr, kSizes.attrs> attrs{};
  std::array<Op, kCount> ops{};
  size_t n_numbers = 0;

  constexpr explicit Tables(Texts& texts) {
    size_t param = 0, attr = 0;
    for (size_t i = 0; i < kCount; ++i) {
      const Row& row = kRows[i];
      const size_t first_param = param, first_attr = attr;
      for (std::string_view rest = row.params; !trim(rest).empty();)
        params[param++] = read_param(texts, cut(rest, ' '));
      for (std::string_view rest = row.attrs; !trim(rest).empty();)
        attrs[attr++] = read_attr(texts, attr_text(cut(rest, ',')));
      ops[i] = {texts.keep(row.name),
                static_cast<uint16_t>(row.id),
                static_cast<uint16_t>(read_flags(row.flags)),
                static_cast<uint8_t>(row.since),
                static_cast<uint8_t>(param - first_param),
                static_cast<uint8_t>(attr - first_attr),
                static_cast<uint8_t>(count_parts(row.outputs, ' '))};
    }
    for (size_t i = 0; i < kChars; ++i) chars[i] = texts.chars[i];
  }

 private:
  constexpr Param read_param(Texts& texts, std::string_view name) {
    uint16_t kind = TN_PARAM_REQUIRED;
    if (name.front() == '$') {  // random state: the core supplies it
      name.remove_prefix(1);
      kind = TN_PARAM_OPTIONAL;
    } else if (name.ends_with("...")) {
      name.remove_suffix(3);
      kind = TN_PARAM_VARIADIC;
    } else if (name.back() == '?') {
      name.remove_suffix(1);
      kind = TN_PARAM_OPTIONAL;
    }
    return {texts.keep(name), kind};
  }
  constexpr Attr read_attr(Texts& texts, const AttrText& a) {
    Attr out = {0, texts.keep(a.name), 0, static_cast<uint8_t>(parse_type(a.type)), a.required};
    if (a.required) return out;
    switch (out.tag) {
      case TN_ATTR_I64:
        out.bits = static_cast<uint64_t>(parse_i64(a.fallback));
        break;
      case TN_ATTR_BOOL:
        out.bits = a.fallback == "1" ? 1 : 0;
        break;
      case TN_ATTR_F64:
        out.bits = std::bit_cast<uint64_t>(parse_f64(a.fallback));
        break;
      case TN_ATTR_DTYPE:
        out.bits = parse_dtype(a.fallback);
        break;
      case TN_ATTR_STRING: {
        if (a.fallback.size() < 2 || a.fallback.front() != '\'' || a.fallback.back() != '\'')
          malformed_ops_def();
        const Text text = texts.keep(a.fallback.substr(1, a.fallback.size() - 2));
        out.data = text.at, out.bits = text.size;
        break;
      }
      case TN_ATTR_I64S:
        out.data = static_cast<uint16_t>(n_numbers);
        for (std::string_view items = list_text(a.fallback); !trim(items).empty(); ++out.bits)
          numbers[n_numbers++] = parse_i64(cut(items, ','));
        break;
      case TN_ATTR_F64S:
        if (a.fallback != "[]") malformed_ops_def();
        break;
      default:
        malformed_ops_def();
    }
    return out;
  }
};
template <size_t kChars>
constexpr Tables<kChars> read(Texts texts = {}) {
  return Tables<kChars>(texts);
}
constexpr size_t chars_kept() {
  Texts texts;
  (void)Tables<0>(texts);
  return texts.n_chars;
}
inline constexpr Tables kTables = read<chars_kept()>();
static_assert(kSizes.chars < 65536 && kSizes.numbers < 65536);

constexpr bool ids_ascend() {
  for (size_t i = 1; i < kCount; ++i)
    if (kRows[i].id <= kRows[i - 1].id) return false;
  return kRows[kCount - 1].id < 4096;
}
static_assert(ids_ascend(), "ops.def: ids stand in ascending order, below those of plugins");

}  // namespace tenon::schema
