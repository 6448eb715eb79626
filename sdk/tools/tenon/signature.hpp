// The schema of an op, read from the signature that the library gives:
// "conv2d(x, w, bias?, *, stride: i64s = [1, 1], groups: i64 = 1)".
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tenon/tenon.hpp"

namespace tenon::cli {

struct Parameter {
  std::string name;
  bool optional = false, variadic = false;
};

struct Attribute {
  std::string name, type, fallback;
  bool required = false;
};

struct Signature {
  std::vector<Parameter> params;
  std::vector<Attribute> attrs;  // in the order of their keys
};

Signature parse_signature(std::string_view text);

// Throws Usage, with the names there are.
tn_dtype dtype_of_name(const std::string& name);

// "a, b, [c, d]" at the commas outside brackets, each part without blanks around it.
std::vector<std::string> split_list(std::string_view text);

// Values of attributes, from "name=value" texts. They own what `items` points to.
class AttrValues {
 public:
  // Throws Usage where a name is not of the op, a value not of the type, or a required attribute absent.
  AttrValues(const Signature& signature, const std::vector<std::string>& texts);
  AttrValues(const AttrValues&) = delete;
  AttrValues& operator=(const AttrValues&) = delete;
  const std::vector<tn_attr>& items() const { return items_; }

 private:
  tn_attr parse(uint32_t key, const Attribute& attr, const std::string& value);

  std::vector<tn_attr> items_;
  std::vector<std::vector<int64_t>> whole_;
  std::vector<std::vector<double>> real_;
  std::vector<std::string> strings_;
};

}  // namespace tenon::cli
