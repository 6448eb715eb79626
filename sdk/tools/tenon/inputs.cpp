#include "inputs.hpp"

#include <algorithm>
#include <charconv>

#include "commands.hpp"

namespace tenon::cli {
namespace {

struct Row {
  std::string_view op, shapes, attrs;  // attributes separated by blanks
};

// Ops for which 64x128 for every input will not do.
constexpr Row kRows[] = {
    {"matmul", "64x128,128x32", ""},
    {"linear", "64x128,32x128,32", ""},
    {"conv", "8x16x32x32,32x16x3x3", "low=1,1 high=1,1"},
    {"conv2d", "8x16x32x32,32x16x3x3,32", "padding=1,1"},
    {"conv2d_input_grad", "8x32x32x32,32x16x3x3", "height=32 width=32 padding=1,1"},
    {"conv2d_weight_grad", "8x32x32x32,8x16x32x32", "height=3 width=3 padding=1,1"},
    {"window_reduce", "8x16x32x32", "window=1,1,2,2 stride=1,1,2,2"},
    {"window_scatter", "8x16x32x32,8x16x16x16", "window=1,1,2,2 stride=1,1,2,2"},
    {"max_pool2d", "8x16x32x32", "window=2,2"},
    {"avg_pool2d", "8x16x32x32", "window=2,2"},
    {"global_avg_pool", "8x16x32x32", ""},
    {"global_max_pool", "8x16x32x32", ""},
    {"layer_norm", "64x128,128,128", ""},
    {"batch_norm", "64x128,128,128,128,128", ""},
    {"batch_norm_train", "64x128,128,128", ""},
    {"cross_entropy", "64x10,64", ""},
    {"cross_entropy_grad", "[],64x10,64,-", ""},
    {"cross_entropy_probs", "64x10,64x10", ""},
    {"gather", "64x128,16", ""},
    {"scatter", "64x128,16,16x128", ""},
    {"scatter_add", "64x128,16,16x128", ""},
    {"embedding", "64x128,16", ""},
    {"one_hot", "64", "depth=10"},
    {"cast", "64x128", "dtype=f64"},
    {"bitcast", "64x128", "dtype=i32"},
    {"reshape", "64x128", "dims=128,64"},
    {"expand", "1x128", "dims=64,128"},
    {"transpose", "64x128", "perm=1,0"},
    {"slice", "64x128", "starts=0,0 stops=32,128"},
    {"flip", "64x128", "axes=0"},
    {"unsqueeze", "64x128", "axes=0"},
    {"squeeze", "1x128", ""},
    {"pad", "64x128,-", "low=1,1 high=1,1"},
    {"concat", "64x128,64x128", ""},
    {"stack", "64x128,64x128", ""},
    {"split", "64x128", "sizes=32,32"},
    {"clip", "64x128,[],[]", ""},
    {"iota", "", "dims=64,128"},
    {"fill", "[]", "dims=64,128"},
    {"philox", "", "dims=64,128"},
    {"uniform", "", "dims=64,128"},
    {"normal", "", "dims=64,128"},
    {"bernoulli", "", "dims=64,128"},
    {"outer", "64,128", ""},
    {"dot", "64,64", ""},
    {"eye", "", "n=64"},
    {"arange", "", "start=0 stop=64"},
    {"tile", "64x128", "repeats=2,1"},
    {"roll", "64x128", "shifts=3 axes=1"},
    {"pad_edge", "64x128", "low=1,1 high=1,1"},
    {"pad_reflect", "64x128", "low=1,1 high=1,1"},
    {"depth_to_space", "8x16x32x32", "block=2"},
    {"space_to_depth", "8x16x32x32", "block=2"},
    {"take_along_axis", "64x128,64x16", ""},
    {"gather_nd", "64x128,16x1", ""},
    {"scatter_nd", "64x128,16x1,16x128", ""},
    {"topk", "64x128", "k=5"},
    {"meshgrid", "64,128", ""},
    {"nll", "64x10,64", ""},
    {"cosine_loss", "64x128,64x128,64", ""},
    {"group_norm", "8x16x32x32,16,16", "groups=4"},
    {"instance_norm", "8x16x32x32,16,16", ""},
    {"lrn", "8x16x32x32", "size=5"},
    {"randint", "", "dims=64,128 low=0 high=10"},
    {"truncated_normal", "", "dims=64,128"},
    {"permutation", "", "n=64"},
    {"scaled_dot_product_attention", "8x4x64x32,8x4x64x32,8x4x64x32,-", ""},
    {"conv1d", "8x16x64,32x16x3,32", "padding=1"},
    {"conv3d", "8x4x16x16x16,8x4x3x3x3,8", "padding=1,1,1"},
    {"conv_transpose1d", "8x16x64,16x32x3,32", "stride=2"},
    {"conv_transpose2d", "8x16x32x32,16x32x3x3,32", "stride=2,2"},
    {"max_pool1d", "8x16x64", "window=2"},
    {"avg_pool1d", "8x16x64", "window=2"},
    {"max_pool3d", "8x4x16x16x16", "window=2,2,2"},
    {"avg_pool3d", "8x4x16x16x16", "window=2,2,2"},
    {"adaptive_avg_pool2d", "8x16x32x32", "output_size=4,4"},
    {"quantize_linear", "64x128,[],-", ""},
    {"dequantize_linear", "64x128,[],-", ""},
    {"conv_transpose3d", "8x4x8x8x8,4x8x3x3x3,8", "stride=2,2,2"},
    {"adaptive_avg_pool1d", "8x16x32", "output_size=4"},
    {"adaptive_avg_pool3d", "8x4x16x16x16", "output_size=4,4,4"},
    {"adaptive_max_pool1d", "8x16x32", "output_size=4"},
    {"adaptive_max_pool2d", "8x16x32x32", "output_size=4,4"},
    {"adaptive_max_pool3d", "8x4x16x16x16", "output_size=4,4,4"},
    {"scaled_dot_product_attention_grad", "8x4x64x32,8x4x64x32,8x4x64x32,8x4x64x32,8x4x64x32,-",
     ""},
    {"rnn", "16x8x32,1x64x32,1x64x64,1x128,-,-", ""},
    {"gru", "16x8x32,1x192x32,1x192x64,1x384,-,-", ""},
    {"lstm", "16x8x32,1x256x32,1x256x64,1x512,-,-,-,-", ""},
    {"lstm_steps", "16x8x1x256,1x256x64,-,-,-,-", ""},
    {"lstm_steps_grad", "16x8x1x320,1x256x64,-,-,-,-,-,-,-", ""},
    {"checked_index", "1000", "size=1000"},
    {"ctc", "16x8x10,8x4,8,8", ""},
    {"resize", "8x16x32x32", "dims=8,16,64,64"},
    {"grid_sample", "8x16x32x32,8x16x16x2", ""},
    {"matmul_integer", "64x128,128x32,-,-", ""},
    {"conv_integer", "8x16x32x32,32x16x3x3,-,-", ""},
    {"qlinear_matmul", "64x128,[],[],128x32,[],[],[],[]", ""},
    {"qlinear_conv", "8x16x32x32,[],[],32x16x3x3,[],[],[],[],-", ""},
    {"einsum", "64x128,128x32", "equation=ij,jk->ik"},
    {"cholesky", "64x64", ""},
    {"triangular_solve", "64x64,64x32", ""},
    {"lu", "64x64", ""},
    {"solve", "64x64,64x32", ""},
    {"inverse", "64x64", ""},
    {"det", "64x64", ""},
    // The step, the hyper-parameters, then of one parameter: itself, its gradient, the slots.
    {"sgd_step", "[],[],[],[],[],64x128,64x128,64x128", "nesterov=0"},
    {"adam_step", "[],[],[],[],[],[],64x128,64x128,64x128,64x128", ""},
    {"adamw_step", "[],[],[],[],[],[],64x128,64x128,64x128,64x128", ""},
    {"rmsprop_step", "[],[],[],[],[],[],64x128,64x128,64x128,64x128", ""},
    {"adagrad_step", "[],[],[],[],[],64x128,64x128,64x128", ""},
};

constexpr std::string_view kLogical[] = {"not", "and", "or", "xor", "any", "all"};
constexpr std::string_view kShifts[] = {"shl", "shr"};
constexpr std::string_view kBytes[] = {"matmul_integer", "conv_integer", "qlinear_matmul",
                                       "qlinear_conv"};
constexpr std::string_view kIndexed[] = {"one_hot",     "gather",          "scatter",
                                         "scatter_add", "embedding",       "cross_entropy",
                                         "nll",         "take_along_axis", "gather_nd",
                                         "scatter_nd",  "checked_index",   "cross_entropy_grad"};

// The dtype of one input: indices and labels are i64, conditions bool, and ops on bits do not take floats.
tn_dtype dtype_of(std::string_view op, std::string_view param, tn_dtype asked) {
  const bool real =
      TN_DTYPE_CODE(asked) == 2 || TN_DTYPE_CODE(asked) == 4 || TN_DTYPE_CODE(asked) == 5;
  if (param == "condition") return TN_DTYPE_BOOL;
  if ((param == "indices" || param == "labels") && std::ranges::count(kIndexed, op))
    return TN_DTYPE_I64;
  if (param.ends_with("lengths") || (op == "ctc" && param == "labels")) return TN_DTYPE_I64;
  if (op == "dequantize_linear" && param == "x") return TN_DTYPE_U8;
  if (real && !param.ends_with("scale") && std::ranges::count(kBytes, op)) return TN_DTYPE_U8;
  if (real && std::ranges::count(kLogical, op)) return TN_DTYPE_BOOL;
  if (real && std::ranges::count(kShifts, op)) return TN_DTYPE_I32;
  return asked;
}

Dims parse_dims(const std::string& text) {
  Dims dims;
  if (text == "[]") return dims;
  for (const char *at = text.data(), *const end = at + text.size(); at <= end;) {
    int64_t dim = 0;
    const auto [next, code] = std::from_chars(at, end, dim);
    if (code != std::errc() || dim < 0 || (next != end && *next != 'x'))
      throw Usage(
          "--shape takes dims as in 2x3,3x4 ([] for a scalar, - for an absent input), not '" +
          text + "'");
    dims.push_back(dim);
    at = next + 1;
  }
  return dims;
}

Tensor zeros(const Context& cx, const Dims& dims, tn_dtype dtype) {
  uint64_t count = 1;
  for (const int64_t d : dims)
    if (__builtin_mul_overflow(count, static_cast<uint64_t>(d), &count) || count > (1u << 30))
      throw Usage("--shape: more than 2^30 elements");
  const std::vector<unsigned char> bytes(std::max<uint64_t>(tn_dtype_bytes(dtype, count), 1));
  tn_tensor* t = nullptr;
  check(tn_tensor_from_host(cx.get(), dtype, static_cast<uint32_t>(dims.size()), dims.data(),
                            bytes.data(), tn_dtype_bytes(dtype, count), &t));
  return {cx.get(), t};
}

}  // namespace

Defaults defaults_of(std::string_view op, const Signature& signature) {
  Defaults d;
  for (const Row& row : kRows) {
    if (row.op != op) continue;
    d.shapes = row.shapes;
    for (size_t from = 0; from < row.attrs.size();) {
      const size_t end = std::min(row.attrs.find(' ', from), row.attrs.size());
      d.attrs.emplace_back(row.attrs.substr(from, end - from));
      from = end + 1;
    }
    return d;
  }
  for (const Parameter& p : signature.params)
    if (!p.optional) d.shapes += d.shapes.empty() ? "64x128" : ",64x128";
  return d;
}

std::vector<Tensor> make_inputs(const Context& cx, std::string_view op, const Signature& signature,
                                const std::string& shapes, tn_dtype dtype) {
  std::vector<Tensor> inputs;
  const std::vector<std::string> parts = split_list(shapes);
  const bool variadic = !signature.params.empty() && signature.params.back().variadic;
  if (parts.size() > signature.params.size() && !variadic)
    throw Usage("the op has " + std::to_string(signature.params.size()) +
                " inputs, --shape gives " + std::to_string(parts.size()));
  for (size_t i = 0; i < std::max(parts.size(), signature.params.size()); ++i) {
    const Parameter& p = signature.params[std::min(i, signature.params.size() - 1)];
    const bool absent = i >= parts.size() || parts[i] == "-";
    if (absent && !p.optional) throw Usage("--shape gives none for input " + p.name);
    inputs.push_back(absent ? Tensor()
                            : zeros(cx, parse_dims(parts[i]), dtype_of(op, p.name, dtype)));
  }
  return inputs;
}

}  // namespace tenon::cli
