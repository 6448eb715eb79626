#include "plugin_samples.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "elf.hpp"
#include "plugin.hpp"
#include "tenon/conformance/compare.hpp"
#include "tenon/conformance/nearest.hpp"

namespace tenon::conformance {
namespace {

using Json = nlohmann::json;

constexpr uint32_t kStateInputs = 3;  // of a random op: seed, stream, offset

// ---- attributes

std::string value_text(const Attr& a) {
  std::ostringstream out;
  switch (a.tag) {
    case TN_ATTR_F64:
      out << a.number;
      break;
    case TN_ATTR_BOOL:
      return a.bits != 0 ? "true" : "false";
    case TN_ATTR_STRING:
      return "\"" + a.text + "\"";
    case TN_ATTR_DTYPE:
      return name_of(static_cast<tn_dtype>(a.bits));
    case TN_ATTR_I64S:
      return text_of(a.list);
    case TN_ATTR_F64S:
      for (const double x : a.numbers) out << (out.str().empty() ? "[" : ",") << x;
      return a.numbers.empty() ? "[]" : out.str() + "]";
    default:
      out << a.bits;
  }
  return out.str();
}

void tell(const tn_op_def& op, OpCall& call, Attr a) {
  call.told += ", " + text_of(op.attrs[a.key].name) + " = " + value_text(a);
  std::erase_if(call.attrs, [&](const Attr& other) { return other.key == a.key; });
  call.attrs.push_back(std::move(a));
}

// Required ones with a small value of their type.
std::vector<Attr> required_of(const tn_op_def& op) {
  std::vector<Attr> attrs;
  for (uint32_t k = 0; k < op.n_attrs; ++k) {
    if (!op.attrs[k].required) continue;
    switch (op.attrs[k].fallback.tag) {
      case TN_ATTR_I64:
        attrs.push_back(integer(k, 1));
        break;
      case TN_ATTR_F64:
        attrs.push_back(number(k, 0.5));
        break;
      case TN_ATTR_BOOL:
        attrs.push_back(flag(k, false));
        break;
      case TN_ATTR_STRING:
        attrs.push_back(text(k, ""));
        break;
      case TN_ATTR_DTYPE:
        attrs.push_back(type(k, TN_DTYPE_F32));
        break;
      case TN_ATTR_I64S:
        attrs.push_back(list(k, {1, 1}));
        break;
      default:
        attrs.push_back(numbers(k, {1, 1}));
    }
  }
  return attrs;
}

// Other values than the default of attribute k; the rule says which of them are none.
std::vector<Attr> others_of(const tn_op_def& op, uint32_t k) {
  const tn_attr& a = op.attrs[k].fallback;
  std::vector<Attr> out;
  if (a.tag == TN_ATTR_F64) {
    const double v = op.attrs[k].required ? 0.5 : tn_attr_get_f64(&a);
    for (const double x : {v == 0 ? 0.5 : v / 2, v == 0 ? 1.0 : v * 2})
      if (std::isfinite(x) && x != v) out.push_back(number(k, x));
  } else if (a.tag == TN_ATTR_I64) {
    const int64_t v = op.attrs[k].required ? 1 : static_cast<int64_t>(a.bits);
    std::set<int64_t> values = {v / 2};
    if (v > -(1 << 20) && v < 1 << 20) values.insert({v + 1, v - 1, v * 2});
    for (const int64_t x : values)
      if (x != v) out.push_back(integer(k, x));
  } else if (a.tag == TN_ATTR_BOOL) {
    out.push_back(flag(k, a.bits == 0));
  } else if (a.tag == TN_ATTR_DTYPE) {
    for (const tn_dtype t : {TN_DTYPE_F32, TN_DTYPE_F64, TN_DTYPE_I64})
      if (t != a.bits) out.push_back(type(k, t));
  } else if (a.tag == TN_ATTR_I64S) {
    for (const Dims& d : {Dims{0}, Dims{1}, Dims{0, 1}, Dims{1, 0}, Dims{2, 2}})
      out.push_back(list(k, d));
  }
  return out;
}

// ---- the kit's own calls

// Shapes to try, for inputs 0, 1, 2; the last one for all that follow.
const std::vector<std::vector<Dims>>& shapes() {
  static const std::vector<std::vector<Dims>> all = {
      {{3, 4}, {3, 4}, {3, 4}},
      {{3, 4}, {4}, {4}},
      {{4, 4}, {4, 4}, {4, 4}},
      {{5}, {5}, {5}},
      {{4}, {3, 4}, {3, 4}},
      {{3, 4}, {4, 5}, {5}},
      {{3, 4}, {5, 4}, {5}},
      {{3, 4}, {}, {}},
      {{4}, {4, 4}, {4}},
      {{3, 4}, {3, 1}, {4}},
      {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}},
      {{2, 3, 4}, {4}, {4}},
      {{2, 3, 4}, {3}, {3}},
      {{2, 3, 4}, {2, 4, 5}, {5}},
      {{2, 3, 5}, {4, 3, 2}, {4}},
      {{2, 3, 5, 5}, {2, 3, 3, 3}, {2}},
      {{2, 3, 5, 5}, {3}, {3}},
      {{2, 2, 3, 4}, {2, 2, 3, 4}, {2, 2, 3, 4}},
      {{1, 2, 3, 4, 4}, {2, 2, 2, 2, 2}, {2}},
      {{2, 1, 3, 1, 2}, {2, 1, 3, 1, 2}, {2, 1, 3, 1, 2}},
      {{3, 4}, {3}, {3}},
      {{1}, {1}, {1}},
      {{6}, {3}, {2}},
      {{}, {}, {}}};
  return all;
}

// Dtypes of inputs 0, 1, 2; NONE: the dtype of the case, as for all that follow.
const std::vector<std::vector<tn_dtype>>& kinds() {
  static const std::vector<std::vector<tn_dtype>> all = {
      {},
      {TN_DTYPE_NONE, TN_DTYPE_I64},
      {TN_DTYPE_I64},
      {TN_DTYPE_BOOL},
      {TN_DTYPE_NONE, TN_DTYPE_BOOL},
      {TN_DTYPE_NONE, TN_DTYPE_NONE, TN_DTYPE_I64},
      {TN_DTYPE_NONE, TN_DTYPE_NONE, TN_DTYPE_BOOL},
      {TN_DTYPE_NONE, TN_DTYPE_I64, TN_DTYPE_I64},
      {TN_DTYPE_NONE, TN_DTYPE_I32}};
  return all;
}

RuleInput input_of(tn_dtype dtype, Dims dims) {
  RuleInput i;
  i.dtype = dtype, i.dims = std::move(dims);
  return i;
}
RuleInput absent_input() {
  RuleInput i;
  i.dtype = TN_DTYPE_NONE, i.absent = true;
  return i;
}

// Which inputs are left out: none, all that are optional, each of them alone.
std::vector<std::vector<bool>> absences_of(const tn_op_def& op, uint32_t n) {
  std::vector<std::vector<bool>> out = {std::vector<bool>(n)};
  std::vector<bool> all(n);
  for (uint32_t k = 0; k < n && k < op.n_params; ++k) {
    if (op.params[k].kind != TN_PARAM_OPTIONAL) continue;
    all[k] = true;
    out.emplace_back(n);
    out.back()[k] = true;
  }
  if (all != out[0] && std::count(out.begin(), out.end(), all) == 0) out.push_back(all);
  return out;
}

bool is_random(const tn_op_def& op) { return (op.flags & TN_OP_RANDOM) != 0; }

// Numbers of inputs that a call may have, without the state of a random op.
std::vector<uint32_t> counts_of(const tn_op_def& op) {
  const uint32_t n = op.n_params - (is_random(op) ? std::min(kStateInputs, op.n_params) : 0);
  if (op.n_params == 0 || op.params[op.n_params - 1].kind != TN_PARAM_VARIADIC) return {n};
  return {n + 1, n, n + 2};
}

void add_state(const tn_op_def& op, OpCall& call) {
  if (!is_random(op)) return;
  for (const double word : {11.0, 3.0, 0.0}) {
    call.values.resize(call.inputs.size());
    call.values.push_back({word});
    call.inputs.push_back(input_of(TN_DTYPE_U64, {}));
  }
}

// Takes in the calls that the rule takes.
class Chosen {
 public:
  Chosen(const tn_op_def& op, std::string* refused) : op_(op), refused_(refused) {}

  bool take(OpCall call) {
    const RuleResult result = infer_call(op_, call, false);
    if (result.code != TN_OK) {
      if (refused_->empty()) *refused_ = call.place() + ": " + result.message;
      return false;
    }
    if (places_.insert(call.sample + call.place()).second) calls_.push_back(std::move(call));
    return true;
  }
  std::vector<OpCall>& calls() { return calls_; }

 private:
  const tn_op_def& op_;
  std::string* refused_;
  std::set<std::string> places_;
  std::vector<OpCall> calls_;
};

// Whether the rule took any of them.
bool take_kind(const tn_op_def& op, tn_dtype dtype, const std::vector<tn_dtype>& kind, bool brief,
               Chosen& chosen) {
  bool any = false;
  for (const uint32_t n : counts_of(op))
    for (const std::vector<bool>& absent : absences_of(op, n)) {
      size_t taken = 0;
      for (const std::vector<Dims>& dims : shapes()) {
        OpCall c;
        bool of_case = false;
        for (uint32_t k = 0; k < n; ++k) {
          const bool fixed = k < kind.size() && kind[k] != TN_DTYPE_NONE;
          of_case |= !absent[k] && !fixed;
          c.inputs.push_back(absent[k] ? absent_input()
                                       : input_of(fixed ? kind[k] : dtype,
                                                  dims[std::min<size_t>(k, dims.size() - 1)]));
        }
        c.dtype = of_case || c.inputs.empty() ? dtype : c.inputs[0].dtype;
        c.attrs = required_of(op);
        add_state(op, c);
        taken += chosen.take(std::move(c));
        if (brief && taken == 4) break;
      }
      any |= taken > 0;
    }
  return any;
}

// Each attribute alone, on the first two calls of this dtype that the rule takes with it.
void vary_attributes(const tn_op_def& op, size_t from, bool brief, Chosen& chosen) {
  const size_t to = chosen.calls().size();
  for (uint32_t k = 0; k < op.n_attrs; ++k)
    for (const Attr& a : others_of(op, k)) {
      int left = brief ? 1 : 2;
      for (size_t i = from; i < to && left > 0; ++i) {
        OpCall c = chosen.calls()[i];
        if (!c.told.empty()) continue;
        c.gives.clear();
        tell(op, c, a);
        left -= chosen.take(std::move(c));
      }
    }
}

// ---- samples of the manifest

Json samples_in(const std::string& plugin) {
  const auto path = std::filesystem::path(plugin).replace_extension(".json");
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return Json::object();  // file.manifest says so
  const Json j = Json::parse(read_file(path.string()), nullptr, false);
  return j.is_object() && j.contains("samples") ? j["samples"] : Json::object();
}

[[noreturn]] void misread(const std::string& where, const std::string& found,
                          const std::string& expected) {
  throw Wrong(where + ": " + found, expected, "correct \"samples\" in the manifest");
}

constexpr const char* kFollow = "\"samples\" in the manifest must follow where a name changes";

// What has no such attribute or option.
[[noreturn]] void unknown_name(const std::string& where, const char* what, const std::string& name,
                               const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& n : names) all += (all.empty() ? "" : ", ") + n;
  throw Wrong(where + ": there is no " + what + " \"" + name + "\"" + nearest(name, names),
              names.empty() ? std::string("none: it has no ") + what + "s" : "one of " + all,
              kFollow);
}

// Each sample in the list of `name`.
template <class Read>
void each_sample(const std::string& plugin, const std::string& name, std::vector<Misread>* misread,
                 const Read& read) {
  const Json all = samples_in(plugin);
  if (!all.is_object() || !all.contains(name)) return;
  if (!all[name].is_array()) {
    misread->push_back({"samples", Wrong(name + ": its samples are no list", "a list of objects",
                                         "correct \"samples\" in the manifest")});
    return;
  }
  size_t number = 0;
  for (const Json& j : all[name]) {
    const std::string sample = "sample " + std::to_string(++number);
    try {
      read(sample, j);
    } catch (const Wrong& w) {
      misread->push_back({sample, w});
    }
  }
}

tn_dtype dtype_named(const std::string& name) {
  for (const tn_dtype t : kAll)
    if (name_of(t) == name) return t;
  for (const tn_dtype t : {TN_DTYPE_C64, TN_DTYPE_C128})
    if (name_of(t) == name) return t;
  return TN_DTYPE_NONE;
}

// "f32[3,4]", "[3,4]", null
RuleInput read_input(const std::string& where, const Json& j, bool* any_dtype) {
  constexpr const char* kForm = "\"f32[3,4]\", \"[3,4]\" (every dtype) or null (absent)";
  *any_dtype = false;
  if (j.is_null()) return absent_input();
  if (!j.is_string()) misread(where, "an input is " + j.dump(), kForm);
  const std::string text = j.get<std::string>();
  const size_t open = text.find('[');
  if (open == std::string::npos || text.back() != ']')
    misread(where, "an input is \"" + text + "\"", kForm);
  RuleInput i;
  *any_dtype = open == 0;
  i.dtype = dtype_named(text.substr(0, open));
  if (open > 0 && i.dtype == TN_DTYPE_NONE)
    misread(where, "there is no dtype \"" + text.substr(0, open) + "\"", kForm);
  const Json dims = Json::parse(text.substr(open), nullptr, false);
  if (!dims.is_array() || dims.size() > TN_MAX_RANK)
    misread(where, "an input is \"" + text + "\"", kForm);
  int64_t elements = 1;
  for (const Json& d : dims) {
    if (!d.is_number_integer() || d < 0 || d > 4096 || (elements *= d.get<int64_t>()) > 65536)
      misread(where, "an input is \"" + text + "\"", "at most 65,536 elements");
    i.dims.push_back(d);
  }
  return i;
}

Attr read_attribute(const std::string& where, uint32_t key, uint32_t tag, const Json& j) {
  const auto all = [&](bool (*fits)(const Json&)) {
    return j.is_array() && std::all_of(j.begin(), j.end(), fits);
  };
  if (tag == TN_ATTR_I64 && j.is_number_integer()) return integer(key, j);
  if (tag == TN_ATTR_F64 && j.is_number()) return number(key, j);
  if (tag == TN_ATTR_BOOL && j.is_boolean()) return flag(key, j);
  if (tag == TN_ATTR_STRING && j.is_string()) return text(key, j);
  if (tag == TN_ATTR_I64S && all([](const Json& e) { return e.is_number_integer(); }))
    return list(key, j.get<Dims>());
  if (tag == TN_ATTR_F64S && all([](const Json& e) { return e.is_number(); }))
    return numbers(key, j.get<std::vector<double>>());
  if (tag == TN_ATTR_DTYPE && j.is_string() && dtype_named(j) != TN_DTYPE_NONE)
    return type(key, dtype_named(j));
  constexpr const char* kNames[] = {"?",
                                    "a whole number",
                                    "a number",
                                    "true or false",
                                    "a text",
                                    "?",
                                    "a dtype: \"f32\"",
                                    "a list of whole numbers",
                                    "a list of numbers"};
  misread(where, "the attribute is " + j.dump(), tag < 9 ? kNames[tag] : "one that JSON can hold");
}

std::vector<std::vector<double>> read_lists(const std::string& where, const Json& j,
                                            const char* key) {
  std::vector<std::vector<double>> out;
  if (!j.contains(key)) return out;
  bool good = j[key].is_array();
  for (size_t k = 0; good && k < j[key].size(); ++k) {
    const Json& one = j[key][k];
    good = one.is_array() &&
           std::all_of(one.begin(), one.end(), [](const Json& e) { return e.is_number(); });
    if (good) out.push_back(one.get<std::vector<double>>());
  }
  if (!good)
    misread(where, std::string("\"") + key + "\" is " + j[key].dump(),
            "a list of lists of numbers");
  return out;
}

void check_values(const std::string& where, const OpCall& c) {
  if (c.values.empty() && !c.gives.empty())
    misread(where, "\"gives\" without \"values\"", "both, or neither");
  if (c.values.empty()) return;
  if (c.values.size() != c.inputs.size())
    misread(where, "values of " + std::to_string(c.values.size()) + " inputs",
            "one list for each input");
  for (size_t k = 0; k < c.inputs.size(); ++k) {
    const int64_t n = c.inputs[k].absent ? 0 : count_of(c.inputs[k].dims);
    if (static_cast<int64_t>(c.values[k].size()) != n)
      misread(where, std::to_string(c.values[k].size()) + " values of input " + std::to_string(k),
              std::to_string(n) + ", as it has elements");
  }
}

std::vector<std::string> names_of(const tn_op_def& op) {
  std::vector<std::string> names;
  for (uint32_t k = 0; k < op.n_attrs; ++k) names.push_back(text_of(op.attrs[k].name));
  return names;
}

OpSample read_sample(const tn_op_def& op, const std::string& name, const Json& j) {
  const std::string where = text_of(op.name) + ", " + name;
  if (!j.is_object() || !j.contains("inputs") || !j["inputs"].is_array())
    misread(where, j.dump(), "an object with \"inputs\", a list");
  for (const auto& [key, value] : j.items())
    if (key != "inputs" && key != "attributes" && key != "range" && key != "values" &&
        key != "gives")
      misread(where, "the key \"" + key + "\"", "inputs, attributes, range, values, gives");
  OpSample s;
  s.call.sample = name;
  for (const Json& input : j["inputs"]) {
    bool any = false;
    s.call.inputs.push_back(read_input(where, input, &any));
    s.any_dtype.push_back(any);
  }
  const uint32_t most = counts_of(op).front();
  if (counts_of(op).size() == 1 && s.call.inputs.size() > most)
    misread(where, std::to_string(s.call.inputs.size()) + " inputs",
            "at most " + std::to_string(most));
  while (counts_of(op).size() == 1 && s.call.inputs.size() < most) {
    s.call.inputs.push_back(absent_input());
    s.any_dtype.push_back(false);
  }
  s.call.attrs = required_of(op);
  const Json attributes = j.value("attributes", Json::object());
  if (!attributes.is_object()) misread(where, "\"attributes\" is no object", "{name: value}");
  for (const auto& [key, value] : attributes.items()) {
    uint32_t k = 0;
    while (k < op.n_attrs && text_of(op.attrs[k].name) != key) ++k;
    if (k == op.n_attrs) unknown_name(where, "attribute", key, names_of(op));
    tell(op, s.call, read_attribute(where + ", " + key, k, op.attrs[k].fallback.tag, value));
  }
  if (j.contains("range")) {
    const Json& r = j["range"];
    if (!r.is_array() || r.size() != 2 || !r[0].is_number() || !r[1].is_number() || r[0] > r[1])
      misread(where, "\"range\" is " + r.dump(), "[least, greatest]");
    s.call.ranged = true, s.call.low = r[0], s.call.high = r[1];
  }
  s.call.values = read_lists(where, j, "values");
  s.call.gives = read_lists(where, j, "gives");
  check_values(where, s.call);
  add_state(op, s.call);
  s.any_dtype.resize(s.call.inputs.size());
  return s;
}

OptimizerSample read_optimizer_sample(const std::string& optimizer, const std::string& name,
                                      const Json& j, const std::vector<std::string>& known) {
  OptimizerSample s;
  s.name = name;
  const std::string where = optimizer + ", " + name;
  if (!j.is_object()) misread(where, j.dump(), "an object");
  for (const auto& [key, value] : j.items())
    if (key != "options" && key != "parameter" && key != "gradients" && key != "gives")
      misread(where, "the key \"" + key + "\"", "options, parameter, gradients, gives");
  const Json options = j.value("options", Json::object());
  for (const auto& [key, value] : options.items()) {
    if (std::count(known.begin(), known.end(), key) == 0)
      unknown_name(where, "hyper-parameter", key, known);
    if (!value.is_number()) misread(where, key + " is " + value.dump(), "a number");
    s.options[key] = value;
  }
  const auto flat = [&](const char* key) {
    const auto lists = read_lists(where, Json{{key, Json::array({j.value(key, Json())})}}, key);
    return lists.front();
  };
  s.parameter = flat("parameter"), s.gives = flat("gives");
  s.gradients = read_lists(where, j, "gradients");
  const auto fits = [&](const std::vector<double>& v) { return v.size() == s.parameter.size(); };
  if (s.gradients.empty() || !fits(s.gives) ||
      !std::all_of(s.gradients.begin(), s.gradients.end(), fits))
    misread(where, "lists of different lengths, or none",
            "parameter, gives and each of the gradients of one length");
  return s;
}

bool of_any_dtype(const OpSample& s) {
  return std::count(s.any_dtype.begin(), s.any_dtype.end(), true) > 0;
}

// A sample where the dtype of the case is this.
OpCall in_case(const OpSample& sample, tn_dtype dtype) {
  OpCall c = sample.call;
  for (size_t k = 0; k < c.inputs.size(); ++k)
    if (sample.any_dtype[k]) c.inputs[k].dtype = dtype;
  c.dtype = of_any_dtype(sample) || c.inputs.empty() ? dtype : c.inputs[0].dtype;
  return c;
}

void take_sample(const OpSample& sample, tn_dtype dtype, Chosen& chosen) {
  if (of_any_dtype(sample) || dtype == TN_DTYPE_F32) chosen.take(in_case(sample, dtype));
}

}  // namespace

std::string OpCall::place() const {
  std::string out;
  for (const RuleInput& i : inputs)
    out += (out.empty() ? "" : ", ") + (i.absent ? "absent" : name_of(i.dtype) + text_of(i.dims));
  return inputs.empty() && told.starts_with(", ") ? told.substr(2) : out + told;
}

bool OpCall::floating() const {
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const RuleInput& i) { return !i.absent && is_float(i.dtype); });
}

std::vector<OpSample> samples_of(const std::string& plugin, const tn_op_def& op,
                                 std::vector<Misread>* misread) {
  std::vector<OpSample> out;
  each_sample(plugin, text_of(op.name), misread, [&](const std::string& sample, const Json& j) {
    out.push_back(read_sample(op, sample, j));
  });
  return out;
}

void check_sampled(const Profile& p) {
  const Json all = samples_in(p.path);
  expect(all.is_object(), "\"samples\" in the manifest is no object",
         "an object of lists, one for each op");
  std::vector<std::string> names = p.ops;
  names.insert(names.end(), p.optimizers.begin(), p.optimizers.end());
  for (const auto& [name, list] : all.items())
    if (std::count(names.begin(), names.end(), name) == 0)
      throw Wrong("\"samples\" of the manifest has " + name + nearest(name, names),
                  "ops and optimizers that the library has", kFollow);
}

std::vector<OptimizerSample> optimizer_samples_of(const std::string& plugin,
                                                  const std::string& optimizer,
                                                  const std::vector<std::string>& known,
                                                  std::vector<Misread>* misread) {
  std::vector<OptimizerSample> out;
  each_sample(plugin, optimizer, misread, [&](const std::string& sample, const Json& j) {
    out.push_back(read_optimizer_sample(optimizer, sample, j, known));
  });
  return out;
}

RuleResult infer_call(const tn_op_def& op, const OpCall& call, bool symbolic, const tn_attr* raw) {
  const Attrs given(call.attrs);
  std::vector<tn_attr> attrs;
  for (uint32_t k = 0; k < op.n_attrs; ++k) {
    attrs.push_back(op.attrs[k].fallback);
    attrs.back().key = k;
  }
  for (const tn_attr& a : given.encode()) attrs[a.key] = a;
  if (raw) attrs[raw->key] = *raw;
  return run_rule(op, call.inputs, attrs, symbolic);
}

std::vector<OpCall> candidates_of(const tn_op_def& op, const std::vector<OpSample>& samples) {
  std::vector<OpCall> out;
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_I64}) {
    for (const OpSample& s : samples) out.push_back(in_case(s, dtype));
    for (const size_t k : {0, 3, 10, 15}) {
      OpCall c;
      for (uint32_t i = 0; i < counts_of(op).front(); ++i)
        c.inputs.push_back(input_of(dtype, shapes()[k][std::min<size_t>(i, 2)]));
      c.dtype = dtype, c.attrs = required_of(op);
      add_state(op, c);
      out.push_back(std::move(c));
    }
  }
  return out;
}

std::vector<OpCall> calls_of(const tn_op_def& op, const std::vector<OpSample>& samples, bool brief,
                             std::string* refused) {
  Chosen chosen(op, refused);
  const std::vector<tn_dtype> few = {TN_DTYPE_F32, TN_DTYPE_F64, TN_DTYPE_F16, TN_DTYPE_BF16,
                                     TN_DTYPE_I32};
  for (const tn_dtype dtype : brief ? few : kAll) {
    const size_t from = chosen.calls().size();
    for (const OpSample& s : samples) take_sample(s, dtype, chosen);
    for (const auto& kind : kinds())
      if (take_kind(op, dtype, kind, brief, chosen)) break;
    vary_attributes(op, from, brief, chosen);
  }
  return std::move(chosen.calls());
}

}  // namespace tenon::conformance
