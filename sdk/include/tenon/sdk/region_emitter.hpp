// Regions (tenon/plugin/region.h) as source text for a device's compiler:
//
//   sdk::RegionEmitter source(sdk::kRegionCuda);
//   const std::string why = source.add("region_0", signature);   // of the op "region", as prepare gets it
//   if (!why.empty()) return s.decline("this region has no text in CUDA");  // a literal: it outlives `why`
//   // source.text() to the device's compiler, with source.dialect().flags; docs/writing-a-backend.md has it whole, in C
//
// A kernel has the dims and strides of the signature in its text (TN_DEPENDS_DIMS, TN_DEPENDS_ATTRS); how it is called stands at the
// dialects. Outputs may be strided, and may be the very same views as inputs. Constants are exact. Each result is rounded to its dtype;
// f16 and bf16 are computed in f32, which gives the same for arithmetic; reductions of them are added up in f32, others in their own dtype. Dtypes: floats but for f8, integers but for i4 and u4, bool.
#ifndef TENON_SDK_REGION_EMITTER_HPP_
#define TENON_SDK_REGION_EMITTER_HPP_
#include <tenon/plugin/region.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "attrs.hpp"
#include "dtype.hpp"
#include "region_dialects.hpp"
#include "view.hpp"

namespace tenon::sdk {

namespace detail {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Every $name of `form` replaced; of two names that fit the longer one must come first.
inline std::string filled(std::string_view form, Fields fields) {
  std::string out;
  for (size_t at = 0; at < form.size();) {
    bool found = false;
    if (form[at] == '$')
      for (const auto& [name, value] : fields)
        if (form.substr(at + 1).starts_with(name)) {
          out += value;
          at += 1 + name.size();
          found = true;
          break;
        }
    if (!found) out += form[at++];
  }
  return out;
}

inline std::string all_replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(what)) {
      out += by;
      at += what.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

// How a dtype is kept and computed with, as names of kRegionTypes.
struct RegionType {
  std::string_view kept, computed;
  bool half = false;
};
inline RegionType region_type(tn_dtype t) {
  switch (t) {
    case TN_DTYPE_BOOL:
      return {"u8", "bool"};
    case TN_DTYPE_I8:
      return {"i8", "i32"};
    case TN_DTYPE_I16:
      return {"i16", "i32"};
    case TN_DTYPE_I32:
      return {"i32", "i32"};
    case TN_DTYPE_I64:
      return {"i64", "i64"};
    case TN_DTYPE_U8:
      return {"u8", "u32"};
    case TN_DTYPE_U16:
      return {"u16", "u32"};
    case TN_DTYPE_U32:
      return {"u32", "u32"};
    case TN_DTYPE_U64:
      return {"u64", "u64"};
    case TN_DTYPE_F16:
    case TN_DTYPE_BF16:
      return {"u16", "f32", true};
    case TN_DTYPE_F32:
      return {"f32", "f32"};
    case TN_DTYPE_F64:
      return {"f64", "f64"};
    default:
      return {};
  }
}

// What an op is on the operands $a, $b, $c: of floats, of integers (in the wide type @, then wrapped) and of bool. "": it has none.
struct RegionOpText {
  tn_op op;
  std::string_view floats, integers, bools = {};
  bool rounds = true;  // a float result may need rounding to a half format
};
inline constexpr RegionOpText kRegionOps[] = {
    {TN_OP_NEG, "-$a", "tn_to_@(tn_to_~(0) - tn_to_~($a))", "", false},
    {TN_OP_ABS, "tn_fabs_@($a)", "$a < tn_to_@(0) ? tn_to_@(tn_to_~(0) - tn_to_~($a)) : $a", "",
     false},
    {TN_OP_FLOOR, "tn_floor_@($a)", "$a", "", false},
    {TN_OP_CEIL, "tn_ceil_@($a)", "$a", "", false},
    {TN_OP_ROUND, "tn_rint_@($a)", "$a", "", false},
    {TN_OP_EXP, "tn_exp_@($a)", ""},
    {TN_OP_EXPM1, "tn_expm1_@($a)", ""},
    {TN_OP_LOG, "tn_log_@($a)", ""},
    {TN_OP_LOG1P, "tn_log1p_@($a)", ""},
    {TN_OP_SQRT, "tn_sqrt_@($a)", ""},
    {TN_OP_RSQRT, "tn_to_@(1) / tn_sqrt_@($a)", ""},
    {TN_OP_SIN, "tn_sin_@($a)", ""},
    {TN_OP_COS, "tn_cos_@($a)", ""},
    {TN_OP_TANH, "tn_tanh_@($a)", ""},
    {TN_OP_ERF, "tn_erf_@($a)", ""},
    {TN_OP_NOT, "", "~$a", "!$a"},
    {TN_OP_SQUARE, "$a * $a", "tn_to_@(tn_to_~($a) * tn_to_~($a))"},
    {TN_OP_RECIPROCAL, "tn_to_@(1) / $a", ""},
    {TN_OP_SIGN, "tn_sign_@($a)",
     "$a > tn_to_@(0) ? tn_to_@(1) : $a == tn_to_@(0) ? tn_to_@(0) : tn_to_@(-1)", "", false},
    {TN_OP_RELU, "tn_relu_@($a)", "$a > tn_to_@(0) ? $a : tn_to_@(0)", "", false},
    {TN_OP_SIGMOID, "tn_sigmoid_@($a)", ""},
    {TN_OP_SOFTPLUS, "tn_softplus_@($a)", ""},
    {TN_OP_SILU, "$a * tn_sigmoid_@($a)", ""},
    {TN_OP_GELU, "tn_gelu_@($a)", ""},
    {TN_OP_ADD, "$a + $b", "tn_to_@(tn_to_~($a) + tn_to_~($b))"},
    {TN_OP_SUB, "$a - $b", "tn_to_@(tn_to_~($a) - tn_to_~($b))"},
    {TN_OP_MUL, "$a * $b", "tn_to_@(tn_to_~($a) * tn_to_~($b))"},
    {TN_OP_DIV, "$a / $b", "tn_quotient_@($a, $b)"},
    {TN_OP_REM, "tn_rem_@($a, $b)", "tn_left_@($a, $b)"},
    {TN_OP_POW, "tn_pow_@($a, $b)", "tn_power_@($a, $b)"},
    {TN_OP_ATAN2, "tn_atan2_@($a, $b)", ""},
    {TN_OP_MAXIMUM, "tn_greater_@($a, $b)", "$a > $b ? $a : $b", "", false},
    {TN_OP_MINIMUM, "tn_lesser_@($a, $b)", "$a < $b ? $a : $b", "", false},
    {TN_OP_AND, "", "$a & $b", "$a && $b"},
    {TN_OP_OR, "", "$a | $b", "$a || $b"},
    {TN_OP_XOR, "", "$a ^ $b", "$a != $b"},
    {TN_OP_EQ, "$a == $b", "$a == $b", "$a == $b"},
    {TN_OP_NE, "$a != $b", "$a != $b", "$a != $b"},
    {TN_OP_LT, "$a < $b", "$a < $b", "!$a && $b"},
    {TN_OP_LE, "$a <= $b", "$a <= $b", "!$a || $b"},
    {TN_OP_GT, "$a > $b", "$a > $b", "$a && !$b"},
    {TN_OP_GE, "$a >= $b", "$a >= $b", "$a || !$b"},
    {TN_OP_WHERE, "$a ? $b : $c", "$a ? $b : $c", "$a ? $b : $c", false},
};
// The op of two by which a reduction folds.
inline tn_op region_fold_op(tn_op op) {
  switch (op) {
    case TN_OP_PROD:
      return TN_OP_MUL;
    case TN_OP_MAX:
      return TN_OP_MAXIMUM;
    case TN_OP_MIN:
      return TN_OP_MINIMUM;
    default:
      return TN_OP_ADD;
  }
}

// The loop nest of all operands, made minimal: axes of size 1 are gone, and neighbours that all walk evenly are one.
struct RegionNest {
  std::vector<int64_t> dims;
  std::vector<std::vector<int64_t>> strides;  // of each operand

  // Of the axes in `axes` of y's dims. An operand of fewer dims is the result of a reduction: it lacks those in `folded`.
  RegionNest(const tn_view& y, const std::vector<const tn_view*>& operands,
             uint32_t axes = ~uint32_t{0}, uint32_t folded = 0)
      : strides(operands.size()) {
    for (int i = 0; i < y.rank; ++i) {
      if (y.dims[i] == 1 || !(axes >> i & 1)) continue;
      const auto stride = [&](const tn_view& v) {
        if (v.rank == y.rank) return v.dims[i] == 1 ? 0 : v.strides[i];
        return folded >> i & 1 ? 0 : v.strides[i - std::popcount(folded & ((1u << i) - 1))];
      };
      bool merge = !dims.empty();
      for (size_t k = 0; merge && k < operands.size(); ++k)
        merge = strides[k].back() == stride(*operands[k]) * y.dims[i];
      if (merge) {
        dims.back() *= y.dims[i];
      } else {
        dims.push_back(y.dims[i]);
      }
      for (size_t k = 0; k < operands.size(); ++k) {
        if (merge) strides[k].pop_back();
        strides[k].push_back(stride(*operands[k]));
      }
    }
  }

  int64_t count() const {
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    return n;
  }

  bool is_dense(size_t k) const {
    int64_t expected = 1;
    for (size_t a = dims.size(); a-- > 0; expected *= dims[a])
      if (strides[k][a] != expected) return false;
    return true;
  }
  // Do all indices and places fit 30 bits, so that a step of the loop beyond the end fits 31?
  bool is_narrow() const {
    constexpr int64_t kMost = int64_t{1} << 30;
    if (count() >= kMost) return false;
    for (const auto& s : strides) {
      int64_t reach = 0;
      for (size_t a = 0; a < dims.size(); ++a) {
        if (s[a] >= kMost || s[a] <= -kMost) return false;
        reach += std::max<int64_t>(dims[a] - 1, 0) * (s[a] < 0 ? -s[a] : s[a]);
        if (reach >= kMost) return false;
      }
    }
    return true;
  }
};

}  // namespace detail

class RegionEmitter {
 public:
  explicit RegionEmitter(RegionDialect dialect) : dialect_(dialect) {}
  const RegionDialect& dialect() const { return dialect_; }

  // One more kernel. Not "": why the dialect cannot compute this region; the text is as it was.
  std::string add(std::string_view name, const tn_signature& signature) {
    RegionEmitter next = *this;
    if (!next.kernel(name, signature)) return std::string(dialect_.name) + ": " + next.why_;
    *this = std::move(next);
    return "";
  }
  // How far the loop of a kernel goes: the number of elements, or with reductions that of results of each. 0: no code.
  static int64_t count(const tn_signature& sig) {
    tn_region_code code;
    if (!read(sig, &code)) return 0;
    if (!code.axes) return sig.outputs[0]->count;
    return detail::RegionNest(*sig.inputs[0], {}, ~code.axes).count();
  }
  // The whole file: what the kernels use, then the kernels.
  std::string text() const {
    std::string all(dialect_.head);
    for (const std::string& line : needs_) all += line;
    return all + definitions_ + "\n" + kernels_;
  }

 private:
  bool no(std::string why) {
    why_ = std::move(why);
    return false;
  }

  static bool read(const tn_signature& sig, tn_region_code* code) {
    const auto list = attr_i64s(sig, TN_REGION_CODE);
    return tn_region_read(list.data(), list.size(), sig.n_inputs, code) &&
           code->n_outputs == sig.n_outputs;
  }

  bool kernel(std::string_view name, const tn_signature& sig) {
    tn_region_code code;
    if (!read(sig, &code)) return no("a code of another version");
    if (!dialect_.several && !kernels_.empty()) return no("one kernel in a file");
    std::vector<const tn_view*> operands(sig.inputs, sig.inputs + sig.n_inputs);
    operands.insert(operands.end(), sig.outputs, sig.outputs + sig.n_outputs);
    // With reductions an output need not have all the dims.
    const tn_view& y = code.axes ? *sig.inputs[0] : *sig.outputs[0];
    const auto no_element = [](const tn_view* v) { return is_immediate(*v); };
    std::vector<const tn_view*> walked = operands;
    std::erase_if(walked, no_element);
    const detail::RegionNest all(y, walked, ~uint32_t{0}, code.axes),
        nest(y, walked, ~code.axes, code.axes), folded(y, walked, code.axes, code.axes);
    const std::string index = all.is_narrow() ? "tn_i32" : "tn_i64";
    std::string params, locals, kept, body, results;
    types_.clear();
    if (!operands_text(operands, sig.n_inputs, &params, &locals)) return false;
    std::vector<std::string> at = places(nest, "i", &kept, index);
    const std::vector<std::string> within = places(folded, "r", &body, index);
    for (size_t w = 0; w < at.size(); ++w)
      if (within[w] != "0") at[w] = at[w] == "0" ? within[w] : at[w] + " + " + within[w];
    size_t w = 0;
    for (uint32_t k = 0; k < operands.size(); ++k) {
      const std::string element =
          is_immediate(*operands[k])
              ? detail::filled(dialect_.scalar_element, {{"p", p(k, sig)}})
              : detail::filled(dialect_.element, {{"p", p(k, sig)}, {"e", at[w]}});
      w += !is_immediate(*operands[k]);
      if (k < sig.n_inputs) {
        body += value(k, operands[k]->dtype, loaded(operands[k]->dtype, element));
        types_.push_back(operands[k]->dtype);
        if (k + 1 == sig.n_inputs && !instructions(code, &body)) return false;
      } else {
        const auto from = static_cast<uint32_t>(code.outputs[k - sig.n_inputs]);
        const tn_region_instruction x = tn_region_at(&code, from - sig.n_inputs);
        if (!tn_region_folds(x.op)) {
          body += "    " + element + " = " + stored(types_[from], v(from)) + ";\n";
        } else {
          results += "    " + std::string(dialect_.fold_stores) + element + " = " +
                     stored(x.dtype, v(from)) + ";\n";
        }
      }
    }
    const std::string count = number(nest.count()), length = number(folded.count());
    const detail::Fields fields = {
        {"name", name}, {"params", params}, {"index", index}, {"count", count}, {"folded", length}};
    if (code.axes) body = folds(code, body, folded.count(), fields) + results;
    const std::string text = detail::filled(dialect_.open, fields) + locals +
                             detail::filled(dialect_.loop, fields) + kept + body +
                             std::string(dialect_.close);
    kernels_ += "\n" + text;
    return use(text);
  }

  // A dtype as its kind, bits and lanes have it; its name is libtenon's.
  static std::string name_of(tn_dtype t) {
    return "dtype " + std::to_string(TN_DTYPE_CODE(t)) + ":" + std::to_string(TN_DTYPE_BITS(t)) +
           ":" + std::to_string(TN_DTYPE_LANES(t));
  }

  static std::string v(int64_t k) { return "v" + std::to_string(k); }
  static std::string p(uint32_t k, const tn_signature& sig) {
    return k < sig.n_inputs ? "in" + std::to_string(k) : "out" + std::to_string(k - sig.n_inputs);
  }

  bool operands_text(const std::vector<const tn_view*>& operands, uint32_t n_inputs,
                     std::string* params, std::string* locals) {
    const bool listed = dialect_.param.ends_with("\n");
    if (listed && operands.size() > 16)
      return no(std::to_string(operands.size()) + " operands, more than 16");
    for (uint32_t k = 0; k < operands.size(); ++k) {
      const tn_view& view = *operands[k];
      const detail::RegionType type = detail::region_type(view.dtype);
      if (type.kept.empty()) return no("no " + name_of(view.dtype));
      const bool scalar = is_immediate(view);
      if (scalar && dialect_.scalar_element.empty()) return no("no host scalars");
      const std::string name =
          k < n_inputs ? "in" + std::to_string(k) : "out" + std::to_string(k - n_inputs);
      const std::string kept = "tn_" + std::string(type.kept), number = std::to_string(k);
      const detail::Fields fields = {{"const", k < n_inputs ? "const " : ""},
                                     {"t", kept},
                                     {"s", type.kept},
                                     {"k", number},
                                     {"p", name}};
      const std::string param =
          detail::filled(scalar ? dialect_.scalar_param : dialect_.param, fields);
      *params += (params->empty() || listed || param.empty() ? "" : ", ") + param;
      if (!scalar || dialect_.scalar_param.empty())
        *locals += detail::filled(dialect_.local, fields);
    }
    return true;
  }

  // A literal of the type of indices.
  std::string number(int64_t n) const {
    const bool narrow = n <= INT32_MAX && n > INT32_MIN;
    return std::to_string(n) + std::string(narrow ? "" : dialect_.u64_suffix.substr(1));
  }

  // Where element `i` of each operand lies.
  std::vector<std::string> places(const detail::RegionNest& nest, const std::string& i,
                                  std::string* body, const std::string& index) const {
    bool all_dense = true;
    for (size_t k = 0; k < nest.strides.size(); ++k) {
      const auto& s = nest.strides[k];
      const bool still = std::all_of(s.begin(), s.end(), [](int64_t x) { return x == 0; });
      all_dense = all_dense && (still || nest.is_dense(k));
    }
    const size_t rank = nest.dims.size();
    std::string rest = i;
    for (size_t a = rank; !all_dense && a-- > 0;) {
      const std::string dim = number(std::max<int64_t>(nest.dims[a], 1));
      *body += "    const " + index + " " + i + std::to_string(a) + " = " + rest +
               (a ? " % " + dim : "") + ";\n";
      rest += " / " + dim;
    }
    std::vector<std::string> at;
    for (size_t k = 0; k < nest.strides.size(); ++k) {
      std::string text;
      for (size_t a = 0; a < rank && !nest.is_dense(k); ++a) {
        const int64_t s = nest.strides[k][a];
        if (s == 0) continue;
        text += (text.empty() ? i : " + " + i) + std::to_string(a);
        if (s < 0) text += " * (" + number(s) + ")";
        if (s > 1) text += " * " + number(s);
      }
      if (rank && nest.is_dense(k)) text = i;
      at.push_back(text.empty() ? "0" : text);
    }
    return at;
  }

  std::string value(int64_t k, tn_dtype dtype, const std::string& text) const {
    return "    " + std::string(dialect_.value) + "tn_" +
           std::string(detail::region_type(dtype).computed) + " " + v(k) + " = " + text + ";\n";
  }

  static std::string loaded(tn_dtype dtype, const std::string& element) {
    const detail::RegionType t = detail::region_type(dtype);
    if (dtype == TN_DTYPE_BOOL) return "tn_to_u32(" + element + ") != 0u";
    if (t.half) return half(dtype) + "of(tn_to_u32(" + element + "))";
    return t.kept == t.computed ? element
                                : "tn_to_" + std::string(t.computed) + "(" + element + ")";
  }
  static std::string stored(tn_dtype dtype, const std::string& value) {
    const detail::RegionType t = detail::region_type(dtype);
    const std::string to = "tn_to_" + std::string(t.kept) + "(";
    if (dtype == TN_DTYPE_BOOL) return to + value + " ? 1u : 0u)";
    if (t.half) return to + half(dtype) + "bits(" + value + "))";
    return t.kept == t.computed ? value : to + value + ")";
  }
  static std::string half(tn_dtype dtype) { return dtype == TN_DTYPE_F16 ? "tn_f16_" : "tn_bf16_"; }

  // `text`, a number of the computed type of `dtype`, as that dtype holds it.
  static std::string held(tn_dtype dtype, const std::string& text) {
    const detail::RegionType t = detail::region_type(dtype);
    if (t.half) return half(dtype) + "of(" + half(dtype) + "bits(" + text + "))";
    switch (dtype) {
      case TN_DTYPE_I8:
        return "tn_to_i32((tn_to_u32(" + text + ") & 0xffu) ^ 0x80u) - 0x80";
      case TN_DTYPE_I16:
        return "tn_to_i32((tn_to_u32(" + text + ") & 0xffffu) ^ 0x8000u) - 0x8000";
      case TN_DTYPE_U8:
        return "(" + text + ") & 0xffu";
      case TN_DTYPE_U16:
        return "(" + text + ") & 0xffffu";
      default:
        return text;
    }
  }

  bool instructions(const tn_region_code& code, std::string* body) {
    for (uint32_t i = 0; i < code.n_instructions; ++i) {
      const tn_region_instruction x = tn_region_at(&code, i);
      if (detail::region_type(x.dtype).kept.empty()) return no("no " + name_of(x.dtype));
      if (tn_region_folds(x.op)) {  // behind the loop that computes the others
        types_.push_back(x.dtype);
        continue;
      }
      const std::string text = x.op == TN_REGION_CONSTANT
                                   ? constant(x.dtype, static_cast<uint64_t>(x.args[0]))
                               : x.op == TN_OP_CAST ? cast(type(x, 0), x.dtype, v(x.args[0]))
                                                    : computed(x);
      if (text.empty()) return false;
      *body += value(static_cast<int64_t>(types_.size()), x.dtype, text);
      types_.push_back(x.dtype);
    }
    return true;
  }
  tn_dtype type(const tn_region_instruction& x, int k) const {
    return types_[static_cast<size_t>(x.args[k])];
  }

  // The loops over what is folded around `body`, and then each reduction as a value.
  std::string folds(const tn_region_code& code, std::string body, int64_t length,
                    detail::Fields fields) {
    std::string start, pieces, elements, parts, whole;
    for (uint32_t i = 0; i < code.n_instructions; ++i) {
      const tn_region_instruction x = tn_region_at(&code, i);
      if (!tn_region_folds(x.op)) continue;
      const std::string n = std::to_string(code.n_inputs + i), all = "all" + n, part = "part" + n;
      const std::string type = "tn_" + std::string(detail::region_type(x.dtype).computed);
      const std::string begin =
          std::string(dialect_.variable) + type + " $ = " + first_of(x.op, x.dtype) + ";\n";
      start += "    " + detail::all_replaced(begin, "$", all);
      pieces += "      " + detail::all_replaced(begin, "$", part);
      elements += "    " + part + " = " + of_two(x, part, v(x.args[0])) + ";\n";
      parts += "      " + all + " = " + of_two(x, all, part) + ";\n";
      const std::string_view f = x.op == TN_OP_PROD  ? "mul"
                                 : x.op == TN_OP_MAX ? "greater"
                                 : x.op == TN_OP_MIN ? "lesser"
                                                     : "add";
      std::string total = detail::filled(dialect_.fold_whole, {{"a", all}, {"t", type}, {"f", f}});
      if (x.op == TN_OP_MEAN)
        total += " / " + (x.dtype == TN_DTYPE_F64 ? f64(static_cast<double>(length))
                                                  : f32(static_cast<float>(length)));
      whole += value(static_cast<int64_t>(code.n_inputs + i), x.dtype, total);
    }
    body = "    " + detail::all_replaced(body + elements, "\n", "\n    ");
    body.resize(body.size() - 4);
    return start + detail::filled(dialect_.fold_pieces, fields) + pieces +
           detail::filled(dialect_.fold_elements, fields) + body + "      }\n" + parts + "    }\n" +
           whole;
  }
  // What a reduction of nothing is.
  std::string first_of(tn_op op, tn_dtype dtype) const {
    const detail::RegionType t = detail::region_type(dtype);
    const bool is_float = t.computed[0] == 'f';
    if (op != TN_OP_MAX && op != TN_OP_MIN)
      return "tn_to_" + std::string(t.computed) + (op == TN_OP_PROD ? "(1)" : "(0)");
    const double end = op == TN_OP_MAX ? -HUGE_VAL : HUGE_VAL;
    if (is_float) return dtype == TN_DTYPE_F64 ? f64(end) : f32(static_cast<float>(end));
    const bool has_sign = t.kept[0] == 'i';
    const uint64_t greatest =
        ~uint64_t{0} >> (64 - static_cast<int>(TN_DTYPE_BITS(dtype)) + has_sign);
    return whole(dtype, op == TN_OP_MIN ? greatest : has_sign ? ~greatest : 0);
  }
  // Two of what a reduction folds as one, in the type that it is computed in.
  static std::string of_two(const tn_region_instruction& x, const std::string& a,
                            const std::string& b) {
    const tn_op op = detail::region_fold_op(x.op);
    const std::string wide(detail::region_type(x.dtype).computed);
    for (const detail::RegionOpText& o : detail::kRegionOps)
      if (o.op == op)
        return detail::all_replaced(
            detail::all_replaced(
                detail::filled(wide[0] == 'f' ? o.floats : o.integers, {{"a", a}, {"b", b}}), "_@",
                "_" + wide),
            "_~", "_u" + wide.substr(1));
    return "";
  }

  std::string computed(const tn_region_instruction& x) {
    uint32_t n = 0;
    const tn_region_class kind = tn_region_class_of(x.op, &n);
    const tn_dtype in = kind == TN_REGION_COMPARE ? type(x, 0) : x.dtype;
    const detail::RegionType t = detail::region_type(in);
    const bool is_float = t.computed[0] == 'f', is_bool = in == TN_DTYPE_BOOL;
    const auto* found = std::find_if(std::begin(detail::kRegionOps), std::end(detail::kRegionOps),
                                     [&](const detail::RegionOpText& o) { return o.op == x.op; });
    const std::string_view form = found == std::end(detail::kRegionOps) ? std::string_view()
                                  : is_bool                             ? found->bools
                                  : is_float                            ? found->floats
                                                                        : found->integers;
    if (form.empty()) {
      no("no op " + std::to_string(x.op) + " of " + name_of(in));
      return "";
    }
    const std::string wide(t.computed), unsigned_ = "u" + wide.substr(1);
    std::string text =
        detail::filled(form, {{"a", v(x.args[0])}, {"b", v(x.args[1])}, {"c", v(x.args[2])}});
    text =
        detail::all_replaced(detail::all_replaced(text, "_@", "_" + wide), "_~", "_" + unsigned_);
    if (kind == TN_REGION_COMPARE || is_bool || (is_float && !found->rounds)) return text;
    return kind == TN_REGION_SELECT ? text : held(x.dtype, text);
  }

  // By value: docs/ops.md, cast.
  std::string cast(tn_dtype from, tn_dtype to, const std::string& x) const {
    const detail::RegionType f = detail::region_type(from), t = detail::region_type(to);
    const std::string in(f.computed), out(t.computed), as = "tn_to_" + out + "(";
    if (from == to) return x;
    if (from == TN_DTYPE_BOOL) return as + x + ")";
    if (to == TN_DTYPE_BOOL) return x + " != tn_to_" + in + "(0)";
    if (out[0] == 'f') {
      const bool inexact = in != "f32" && TN_DTYPE_BITS(from) >= 32;
      if (t.half && inexact) return held(to, "tn_odd_" + in + "(" + x + ")");
      return held(to, in == out ? x : as + x + ")");
    }
    if (in[0] == 'f') return cut(to, in, as, x);
    // The sign goes with an integer that becomes wider.
    if (in == "i32" && out == "u64") return as + "tn_to_i64(" + x + "))";
    return held(to, in == out ? x : as + x + ")");
  }
  // Towards zero, clamped to the range, NaN gives 0.
  std::string cut(tn_dtype to, const std::string& in, const std::string& as,
                  const std::string& x) const {
    const bool has_sign = detail::region_type(to).kept[0] == 'i';
    const auto bits = static_cast<int>(TN_DTYPE_BITS(to));
    const uint64_t greatest = ~uint64_t{0} >> (64 - bits + has_sign);
    const std::string beyond =
        "tn_to_" + in + "(" +
        (bits - has_sign > 63 ? "18446744073709551616.0"
                              : std::to_string(uint64_t{1} << (bits - has_sign)) + ".0") +
        ")";
    const std::string most = whole(to, greatest), least = whole(to, has_sign ? ~greatest : 0);
    const std::string low = has_sign ? "-" + beyond : "tn_to_" + in + "(0)";
    return x + " != " + x + " ? " + as + "0) : " + x + " >= " + beyond + " ? " + most + " : " + x +
           " <= " + low + " ? " + least + " : " + as + x + ")";
  }

  // An integer in the computed type of `dtype`, from its bits.
  std::string whole(tn_dtype dtype, uint64_t bits) const {
    const std::string type(detail::region_type(dtype).computed);
    char hex[24];
    std::snprintf(hex, sizeof hex, "0x%llx", static_cast<unsigned long long>(bits));
    if (type == "u32" || type == "i32") {
      std::snprintf(hex, sizeof hex, "0x%xu", static_cast<unsigned>(bits));
      return type == "u32" ? hex : "tn_to_i32(" + std::string(hex) + ")";
    }
    return "tn_to_" + type + "(" + hex + std::string(dialect_.u64_suffix) + ")";
  }

  std::string constant(tn_dtype dtype, uint64_t bits) const {
    switch (dtype) {
      case TN_DTYPE_BOOL:
        return bits & 1 ? "true" : "false";
      case TN_DTYPE_F16:
        return f32(f16::from_bits(static_cast<uint16_t>(bits)));
      case TN_DTYPE_BF16:
        return f32(bf16::from_bits(static_cast<uint16_t>(bits)));
      case TN_DTYPE_F32:
        return f32(std::bit_cast<float>(static_cast<uint32_t>(bits)));
      case TN_DTYPE_F64:
        return f64(std::bit_cast<double>(bits));
      default:
        break;
    }
    const auto width = static_cast<int>(TN_DTYPE_BITS(dtype));
    const bool has_sign = detail::region_type(dtype).kept[0] == 'i';
    const uint64_t high = bits << (64 - width);
    return whole(dtype, has_sign ? static_cast<uint64_t>(static_cast<int64_t>(high) >> (64 - width))
                                 : high >> (64 - width));
  }
  std::string f32(float x) const {
    char text[48];
    std::snprintf(text, sizeof text, "0x%xu", std::bit_cast<uint32_t>(x));
    if (!dialect_.f32_literal.empty()) return detail::filled(dialect_.f32_literal, {{"b", text}});
    if (!std::isfinite(x)) return "tn_f32_of_bits(" + std::string(text) + ")";
    std::snprintf(text, sizeof text, "%af", static_cast<double>(x));
    return text;
  }
  std::string f64(double x) const {
    const auto bits = std::bit_cast<uint64_t>(x);
    char text[48], low[16];
    std::snprintf(low, sizeof low, "0x%xu", static_cast<unsigned>(bits));
    std::snprintf(text, sizeof text, "0x%xu", static_cast<unsigned>(bits >> 32));
    if (!dialect_.f64_literal.empty())
      return detail::filled(dialect_.f64_literal, {{"low", low}, {"high", text}});
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(bits));
    if (!std::isfinite(x))
      return "tn_f64_of_bits(" + std::string(text) + std::string(dialect_.u64_suffix) + ")";
    std::snprintf(text, sizeof text, "%a", x);
    return text;
  }

  // ---- definitions

  // Defines every name in `text` that begins with tn_.
  bool use(std::string_view text) {
    for (size_t at = 0; (at = text.find("tn_", at)) != text.npos;) {
      size_t end = at;
      const auto is_letter = [](char c) {
        return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
      };
      while (end < text.size() && is_letter(text[end])) ++end;
      const bool whole = at == 0 || !is_letter(text[at - 1]);
      if (whole && !define(std::string(text.substr(at, end - at)))) return false;
      at = end;
    }
    return true;
  }
  bool define(const std::string& name) {
    if (!defined_.insert(name).second) return true;
    std::string text = definition(name);
    if (text.empty()) return no("no " + name);
    if (text.starts_with("TN_FN") && defined_.insert("TN_FN").second)
      definitions_ += definition("TN_FN");
    const bool ok = use(text);
    definitions_ += text;
    return ok;
  }
  std::string definition(const std::string& name) {
    for (size_t t = 0; t < kRegionTypeCount; ++t) {
      const std::string type(kRegionTypes[t]);
      const bool is_cast = name == "tn_to_" + type;
      if ((!is_cast && name != "tn_" + type) || dialect_.types[t].empty()) continue;
      if (!dialect_.needs[t].empty()) needs_.insert(std::string(dialect_.needs[t]));
      return "#define " + name +
             (is_cast
                  ? "(x) " + detail::filled(dialect_.cast, {{"t", dialect_.types[t]}, {"x", "x"}})
                  : " " + std::string(dialect_.types[t])) +
             "\n";
    }
    for (const RegionDefinition& d : dialect_.definitions)
      if (d.name == name) return std::string(d.text);
    const size_t last = name.rfind('_');
    const std::string stem = name.substr(0, last), type = name.substr(last + 1);
    for (const std::string_view f : detail::kLibraryFunctions) {
      const std::string_view form = type == "f64" ? dialect_.library_f64 : dialect_.library_f32;
      if (stem == "tn_" + std::string(f) && !form.empty())
        return "#define " + name + " " + detail::filled(form, {{"f", f}}) + "\n";
    }
    for (const RegionDefinition& d : detail::kSharedDefinitions)
      if (d.name == name) return std::string(d.text);
    for (const RegionDefinition& d : detail::kSharedDefinitions)
      if (d.name == stem + "_@") return detail::all_replaced(d.text, "_@", "_" + type);
    return "";
  }

  RegionDialect dialect_;
  std::string definitions_, kernels_, why_;
  std::set<std::string> needs_, defined_;
  std::vector<tn_dtype> types_;  // of the values of the kernel at work
};

}  // namespace tenon::sdk
#endif
