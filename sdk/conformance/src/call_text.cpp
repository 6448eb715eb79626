// A call as text: "gelu(f32[3,5], approximate='tanh')".
#include <map>

#include "runner.hpp"
#include "tenon/conformance/compare.hpp"

namespace tenon::conformance {
namespace {

// The names behind the star of a signature, in the order of their keys.
std::vector<std::string> names_in(const std::string& signature) {
  std::vector<std::string> names;
  const size_t star = signature.find("*, ");
  if (star == std::string::npos) return names;
  int depth = 0;
  bool quoted = false, in_name = true;
  std::string name;
  for (size_t k = star + 3; k < signature.size() && depth >= 0; ++k) {
    const char c = signature[k];
    if (c == '\'') quoted = !quoted;
    if (quoted) continue;
    if (c == '[') ++depth;
    if (c == ']' || c == ')') --depth;
    if (in_name && c == ':') {
      names.push_back(name);
      in_name = false;
    } else if (depth == 0 && c == ',') {
      name.clear();
      in_name = true;
    } else if (in_name && c != ' ') {
      name += c;
    }
  }
  return names;
}

const std::vector<std::string>& attr_names(const Session& session, tn_op op) {
  static std::map<tn_op, std::vector<std::string>> known;
  const auto [found, fresh] = known.try_emplace(op);
  if (fresh) {
    tn_op_info info = tn_op_info_init();
    check(tn_op_get_info(tn_ctx_get_runtime(session.ctx()), op, &info));
    found->second = names_in(std::string(info.signature.data, info.signature.size));
  }
  return found->second;
}

std::string value_text(const tn_attr& a) {
  switch (a.tag) {
    case TN_ATTR_BOOL:
      return a.bits ? "true" : "false";
    case TN_ATTR_DTYPE:
      return name_of(static_cast<tn_dtype>(a.bits));
    case TN_ATTR_F64:
      return text_of(tn_attr_get_f64(&a));
    case TN_ATTR_STRING:
      return "'" + std::string(static_cast<const char*>(a.data), a.bits) + "'";
    case TN_ATTR_I64S: {
      const auto* first = static_cast<const int64_t*>(a.data);
      return text_of(Dims(first, first + a.bits));
    }
    case TN_ATTR_F64S: {
      std::string text;
      for (uint64_t k = 0; k < a.bits; ++k)
        text += (k ? "," : "") + text_of(static_cast<const double*>(a.data)[k]);
      return "[" + text + "]";
    }
    default:
      return std::to_string(static_cast<int64_t>(a.bits));
  }
}

std::string input_text(const Input& x, tn_dtype dtype) {
  if (x.absent) return "-";
  if (x.weak) return "a host scalar";
  return name_of(x.dtype != TN_DTYPE_NONE ? x.dtype : dtype) + text_of(x.dims);
}

}  // namespace

std::string call_text(const Session& session, const OpSamples& op, const Case& c, tn_dtype dtype) {
  std::string inside;
  const auto add = [&](const std::string& text) { inside += (inside.empty() ? "" : ", ") + text; };
  for (const Input& x : c.inputs) add(input_text(x, dtype));
  const std::vector<std::string>& names = attr_names(session, op.op);
  for (const tn_attr& a : c.attrs.encode())
    add((a.key < names.size() ? names[a.key] : std::to_string(a.key)) + "=" + value_text(a));
  return op.name + "(" + inside + ")";
}

}  // namespace tenon::conformance
