#include "explain.hpp"

#include <cstdio>

#include "inputs.hpp"
#include "table.hpp"

namespace tenon::cli {
namespace {

std::string shape_text(const Tensor& t) {
  if (t.empty()) return "-";
  std::string text = std::string(tn_dtype_name(t.dtype())) + "[";
  for (uint32_t i = 0; i < t.rank(); ++i) text += (i ? ", " : "") + std::to_string(t.dim(i));
  return text + "]";
}

std::string joined(const Json& names) {
  std::string text;
  for (const Json& n : names) text += (text.empty() ? "" : " + ") + n.get<std::string>();
  return text;
}

// "by sgemm (org.tenon.cpu)", "into gather + matmul"
std::string how(const Answer& a) {
  const std::string kernel = a.detail["kernel"];
  if (a.level == TN_SUPPORT_DECOMPOSED) return "into " + joined(a.detail["decomposition"]);
  if (kernel.empty()) return "";
  return "by " + kernel + " (" + a.detail["plugin"].get<std::string>() + ")";
}

constexpr Style kStyles[] = {Style::bad, Style::warn, Style::plain, Style::good};

Style verdict_style(const std::string& verdict) {
  return verdict == "chosen" ? Style::good : Style::plain;
}

}  // namespace

Answer ask(const Context& cx, const ExplainArgs& args) {
  tn_op op = 0;
  tn_op_info info = tn_op_info_init();
  check(tn_op_find(cx.runtime().get(), to_str(args.op), 0, &op));
  check(tn_op_get_info(cx.runtime().get(), op, &info));
  const tn_dtype dtype = dtype_of_name(args.dtype);

  const Signature signature = parse_signature(to_view(info.signature));
  const Defaults defaults = defaults_of(args.op, signature);
  // With shapes of the caller's own, the attributes that go with the usual ones do not fit.
  std::vector<std::string> attrs = args.attrs;
  if (args.shapes.empty())
    attrs.insert(attrs.begin(), defaults.attrs.begin(), defaults.attrs.end());
  const AttrValues values(signature, attrs);
  const std::vector<Tensor> inputs = make_inputs(
      cx, args.op, signature, args.shapes.empty() ? defaults.shapes : args.shapes, dtype);

  Answer answer;
  const std::vector<tn_tensor*> handles = detail::handles(inputs);
  answer.detail = Json::parse(detail::text_of([&](char* buffer, uint64_t capacity, uint64_t* size) {
    return tn_op_explain(cx.get(), op, handles.data(), static_cast<uint32_t>(handles.size()),
                         values.items().data(), static_cast<uint32_t>(values.items().size()),
                         &answer.level, buffer, capacity, size);
  }));
  answer.call = args.op + "(";
  for (size_t i = 0; i < inputs.size(); ++i) answer.call += (i ? ", " : "") + shape_text(inputs[i]);
  answer.call += ")";
  return answer;
}

int explain(const Runtime& runtime, const ExplainArgs& args, bool json) {
  const Context cx(runtime, args.device);
  const Answer a = ask(cx, args);
  const int status = a.level == TN_SUPPORT_UNSUPPORTED ? 1 : 0;
  if (json) {
    std::puts(Json::array({a.detail}).dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    return status;
  }
  const std::string title = a.call + " on " + a.detail["device"].get<std::string>();
  for (const std::string& line : wrap(title, terminal_width())) std::puts(line.c_str());
  Table verdict({"level", "how", "why"});
  verdict.add({{a.detail["level"], kStyles[a.level]}, {how(a)}, {a.detail["why"]}});
  std::fputs(verdict.text().c_str(), stdout);
  if (!a.detail["candidates"].empty()) {
    Table table({"kernel", "verdict", "why"});
    for (const Json& c : a.detail["candidates"])
      table.add({{c["kernel"]}, {c["verdict"], verdict_style(c["verdict"])}, {c["why"]}});
    std::printf("\n%s", table.text().c_str());
  }
  if (a.level != TN_SUPPORT_NATIVE && args.dtype != "f32") {
    ExplainArgs other = args;
    other.dtype = "f32";
    const Answer b = ask(cx, other);
    if (b.level == TN_SUPPORT_NATIVE)
      std::printf("\n  would be native in f32 %s\n", how(b).c_str());
  }
  return status;
}

}  // namespace tenon::cli
