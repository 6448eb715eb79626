#include "graph_text.hpp"

#include <cstring>

#include "base/error.hpp"
#include "control.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

std::string number_text(double v) { return fmt::format("{}", v); }

std::string constant_text(const GraphValue& v) {
  const std::string text = is_floating(v.shape.dtype)
                               ? number_text(element_to_f64(v.bits, v.shape.dtype))
                               : fmt::format("{}", element_to_i64(v.bits, v.shape.dtype));
  return v.weak ? text : fmt::format("{}:{}", text, tn_dtype_name(v.shape.dtype));
}

std::string attr_text(const SymTable& symbols, const tn_attr& a) {
  const auto whole = [&](int64_t i) { return symbols.text(i); };
  std::string out;
  switch (a.tag) {
    case TN_ATTR_F64: {
      double v;
      std::memcpy(&v, &a.bits, sizeof v);
      return number_text(v);
    }
    case TN_ATTR_STRING:
      return fmt::format("'{}'", std::string_view(static_cast<const char*>(a.data), a.bits));
    case TN_ATTR_DTYPE:
      return tn_dtype_name(static_cast<tn_dtype>(a.bits));
    case TN_ATTR_I64S:
      for (uint64_t i = 0; i < a.bits; ++i)
        out += (i ? ", " : "") + whole(static_cast<const int64_t*>(a.data)[i]);
      return "[" + out + "]";
    case TN_ATTR_F64S:
      for (uint64_t i = 0; i < a.bits; ++i)
        out += (i ? ", " : "") + number_text(static_cast<const double*>(a.data)[i]);
      return "[" + out + "]";
    default:
      return whole(static_cast<int64_t>(a.bits));
  }
}

bool is_default(const tn_attr& a, const tn_attr& b) {
  const uint64_t bytes = attr_bytes(a);
  return a.tag == b.tag && a.bits == b.bits &&
         (bytes == 0 || std::memcmp(a.data, b.data, bytes) == 0);
}

}  // namespace

std::string symbolic_text(const SymTable& symbols, const Shape& s) {
  std::string out = tn_dtype_name(s.dtype);
  out += '[';
  for (int i = 0; i < s.rank; ++i) out += (i ? ", " : "") + symbols.text(s.dims[i]);
  return out += ']';
}

std::string node_text(const Graph& graph, const SymTable& symbols, const GraphNode& n) {
  std::string out;
  for (int o : n.outputs)
    out += fmt::format("{}%{}: {}", out.empty() ? "  " : ", ", o,
                       symbolic_text(symbols, graph.values[static_cast<size_t>(o)].shape));
  out += fmt::format(" = {}(", n.op->name());
  const char* comma = "";
  if (n.control) {
    out += n.control->text();
    comma = ", ";
  }
  if (n.compiled && n.compiled->ops) {
    out += fmt::format("{} ops", n.compiled->ops);
    comma = ", ";
  }
  for (int i : n.inputs) {
    const bool constant = i >= 0 && graph.values[static_cast<size_t>(i)].constant;
    out += comma + (i < 0      ? std::string("none")
                    : constant ? constant_text(graph.values[static_cast<size_t>(i)])
                               : fmt::format("%{}", i));
    comma = ", ";
  }
  for (uint32_t k = 0; k < n.attrs.size(); ++k) {
    const tn_attr& a = n.attrs.items[k];
    const tn_attr_def& def = n.op->def.attrs[k];
    if (is_default(a, def.fallback)) continue;
    if (k == TN_REGION_CODE && has_region(n.op->id)) continue;  // for machines
    out += fmt::format("{}{}={}", comma, view_of(def.name), attr_text(symbols, a));
    comma = ", ";
  }
  return out + ")\n";
}

}  // namespace tenon
