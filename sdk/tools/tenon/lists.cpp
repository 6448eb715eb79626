// tenon plugins, tenon devices, tenon ops.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "explain.hpp"
#include "signature.hpp"
#include "table.hpp"

namespace tenon::cli {
namespace {

void print(const Json& list) {
  std::puts(list.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

struct Verdict {
  const char* name;
  Style style;
};
constexpr Verdict kVerdicts[] = {{"ready", Style::plain},
                                 {"loaded", Style::good},
                                 {"refused", Style::warn},
                                 {"broken", Style::bad}};

// Of a library its name; a folder that is not there whole.
std::string short_name(std::string_view path) {
  if (!path.ends_with(".so")) return std::string(path);
  return std::string(path.substr(path.rfind('/') + 1));
}

// The first device of each type, with the context to ask it.
std::vector<Context> one_of_each_type(const Runtime& runtime) {
  std::vector<Context> list;
  for (const Device& d : runtime.devices())
    if (d.info().index == 0) list.emplace_back(runtime, d.name());
  return list;
}

// Types of the devices that have the op natively, for inputs of f32 where it takes them.
std::vector<std::string> native_on(const std::vector<Context>& contexts, const std::string& op) {
  std::vector<std::string> types;
  for (const Context& cx : contexts) {
    ExplainArgs args;
    args.op = op;
    try {
      if (ask(cx, args).level == TN_SUPPORT_NATIVE)
        types.emplace_back(to_view(cx.device().info().type));
    } catch (const Error&) {  // this device cannot take the question
    } catch (const Usage&) {  // an op of a plugin, with inputs that nobody here knows
    }
  }
  return types;
}

// Did the user name this file, or its folder?
bool is_asked(const std::vector<std::string>& asked, std::string_view path) {
  const auto real = [](std::string_view p) { return std::filesystem::weakly_canonical(p); };
  return std::ranges::any_of(asked, [&](const std::string& a) {
    return real(a) == real(path) || real(a) == real(path).parent_path();
  });
}

// Opens every plugin, so that its ops are known.
void open_all(const Runtime& runtime) {
  for (const tn_plugin_record& r : runtime.plugins())
    if (r.verdict == TN_PLUGIN_READY)
      tn_error_release(tn_plugin_load(runtime.get(), r.path));  // `tenon plugins` says why not
}

tn_op_info op_info(const Runtime& runtime, tn_op op) {
  tn_op_info info = tn_op_info_init();
  check(tn_op_get_info(runtime.get(), op, &info));
  return info;
}

std::vector<tn_op_info> all_ops(const Runtime& runtime) {
  uint32_t n = 0;
  check(tn_op_count(runtime.get(), &n));
  std::vector<tn_op_info> list;
  for (uint32_t i = 0; i < n; ++i) {
    tn_op op = 0;
    check(tn_op_at(runtime.get(), i, &op));
    list.push_back(op_info(runtime, op));
  }
  return list;
}

Json to_json(const tn_op_info& info, const std::vector<std::string>& native) {
  return {{"name", to_view(info.name)},
          {"base", info.base != 0},
          {"differentiable", info.differentiable != 0},
          {"why_not_differentiable", to_view(info.why_not_differentiable)},
          {"native", native}};
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& n : names) text += (text.empty() ? "" : ", ") + n;
  return text;
}

std::string differentiable(const tn_op_info& info) {
  return info.differentiable ? "yes" : "no: " + std::string(to_view(info.why_not_differentiable));
}

// One op, whole.
void show_op(const tn_op_info& info, const std::vector<std::string>& native) {
  const Signature signature = parse_signature(to_view(info.signature));
  for (const std::string& line : wrap(to_view(info.signature), terminal_width()))
    std::puts(styled(line, Style::bold).c_str());
  Table facts({"since", "base", "differentiable", "native", "plugin"});
  facts.add({{std::to_string(info.since)},
             {info.base ? "base" : "-"},
             {differentiable(info)},
             {joined(native)},
             {std::string(to_view(info.plugin))}});
  std::fputs(facts.text().c_str(), stdout);
  Table parameters({"parameter", "kind", "default"});
  for (const Parameter& p : signature.params)
    parameters.add({{p.name, Style::bold},
                    {p.variadic   ? "any number of inputs"
                     : p.optional ? "optional input"
                                  : "input"},
                    {""}});
  for (const Attribute& a : signature.attrs)
    parameters.add({{a.name, Style::bold},
                    {"attribute, " + a.type},
                    {a.required ? "must be given" : a.fallback}});
  std::printf("\n%s", parameters.text().c_str());
}

}  // namespace

int list_plugins(const Runtime& runtime, const std::vector<std::string>& asked, bool json) {
  runtime.devices();  // opens them: only that shows whether versions fit
  bool failed = false;
  for (const tn_plugin_record& r : runtime.plugins())
    if (is_asked(asked, to_view(r.path)) && r.verdict == TN_PLUGIN_READY)
      tn_error_release(tn_plugin_load(runtime.get(), r.path));  // its record says why not
  Json list = Json::array();
  Table table({"verdict", "id", "provides", "why"});
  for (const tn_plugin_record& r : runtime.plugins()) {
    const Verdict& verdict = kVerdicts[std::min<size_t>(r.verdict, std::size(kVerdicts) - 1)];
    const std::string id(to_view(r.id)), reason(to_view(r.reason)), provides(to_view(r.provides));
    failed |= is_asked(asked, to_view(r.path)) && r.verdict >= TN_PLUGIN_REFUSED;
    list.push_back({{"id", id},
                    {"path", to_view(r.path)},
                    {"verdict", verdict.name},
                    {"reason", reason},
                    {"provides", provides}});
    const bool waits = r.verdict == TN_PLUGIN_READY && reason.empty();
    table.add({{verdict.name, verdict.style},
               {id.empty() ? "(" + short_name(to_view(r.path)) + ")" : id},
               {provides},
               {waits ? "opens on first use" : reason}});
  }
  if (json) return print(list), failed ? 1 : 0;
  if (list.empty())
    return std::puts(
               "no plugin was found in lib/tenon/plugins of this installation; --plugin and\n"
               "TENON_PLUGIN_PATH name more places"),
           1;
  std::fputs(table.text().c_str(), stdout);
  std::vector<std::string> folders;
  for (const Json& r : list) {
    const std::string path = r["path"];
    // A folder that was asked for and is not there is a record of its own.
    const std::string folder = path.ends_with(".so") ? path.substr(0, path.rfind('/')) : path;
    if (!std::ranges::count(folders, folder)) folders.push_back(folder);
  }
  std::puts("");
  for (const std::string& folder : folders)
    for (const std::string& line : wrap("in " + folder, terminal_width() - 2))
      std::printf("  %s\n", styled(line, Style::dim).c_str());
  return failed ? 1 : 0;
}

int list_devices(const Runtime& runtime, bool json) {
  Json list = Json::array();
  Table table({"name", "label", "plugin", "memory", "kernels"});
  for (const Device& d : runtime.devices()) {
    const tn_device_info i = d.info();
    list.push_back({{"name", to_view(i.name)},
                    {"label", to_view(i.label)},
                    {"plugin", to_view(i.plugin)},
                    {"memory_bytes", i.memory_bytes},
                    {"kernels", i.kernel_count}});
    table.add({{std::string(to_view(i.name)), Style::bold},
               {std::string(to_view(i.label))},
               {std::string(to_view(i.plugin))},
               {i.memory_bytes ? bytes_text(i.memory_bytes) : ""},
               {std::to_string(i.kernel_count)}});
  }
  if (json) return print(list), list.empty() ? 1 : 0;
  if (list.empty()) return std::puts("no device; `tenon plugins` says why"), 1;
  std::fputs(table.text().c_str(), stdout);
  return 0;
}

int list_ops(const Runtime& runtime, const std::string& op, bool json) {
  const std::vector<Context> contexts = one_of_each_type(runtime);
  std::vector<tn_op_info> ops;
  if (op.empty()) {
    open_all(runtime);
    ops = all_ops(runtime);
  } else {
    tn_op id = 0;
    check(tn_op_find(runtime.get(), to_str(op), 0, &id));
    ops = {op_info(runtime, id)};
  }
  Json list = Json::array();
  Table core({"name", "base", "differentiable", "native"});
  Table others({"name", "differentiable", "native", "plugin"});
  bool have_others = false;
  for (const tn_op_info& info : ops) {
    const std::vector<std::string> native = native_on(contexts, std::string(to_view(info.name)));
    list.push_back(to_json(info, native));
    const Cell name{std::string(to_view(info.name)), Style::bold}, gradient{differentiable(info)},
        types{joined(native)};
    have_others |= info.plugin.size != 0;
    if (info.plugin.size)
      others.add({name, gradient, types, {std::string(to_view(info.plugin))}});
    else
      core.add({name, {info.base ? "base" : "-"}, gradient, types});
    if (!json && !op.empty()) show_op(info, native);
  }
  if (json) return print(list), 0;
  if (!op.empty()) return 0;
  std::fputs(core.text().c_str(), stdout);
  if (have_others) std::printf("\n%s", others.text().c_str());
  return 0;
}

}  // namespace tenon::cli
