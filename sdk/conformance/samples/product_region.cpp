// conv2d_region, linear_region and matmul_region: products with what is computed of their results. The oracle is that of the product, then
// that of region, which are written in other files; what the region does here makes no error greater, over values of about 1.
#include <tenon/plugin/region.h>

#include <algorithm>
#include <cmath>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

// An op of a product, with the keys of its attributes moved by `shift` in the op with a region; `biased`: it may have a third operand.
Oracle with_region(Oracle product, Oracle region, uint32_t shift, bool biased,
                   std::vector<uint32_t> lists) {
  return [=](const Call& call) -> std::vector<Array> {
    const auto operands =
        static_cast<size_t>(biased ? call.attrs.integer(TN_CONV2D_REGION_OPERANDS, 2) : 2);
    Call first;
    first.inputs.assign(call.inputs.begin(), call.inputs.begin() + static_cast<long>(operands));
    std::vector<Attr> attrs;
    for (uint32_t k = 0; k < 4; ++k) {
      const bool is_list = std::find(lists.begin(), lists.end(), k) != lists.end();
      if (is_list && !call.attrs.list(k + shift).empty())
        attrs.push_back(list(k, call.attrs.list(k + shift)));
      else if (!is_list && !lists.empty())
        attrs.push_back(integer(k, call.attrs.integer(k + shift, 1)));
      else if (!is_list && !biased && k < 2)
        attrs.push_back(flag(k, call.attrs.flag(k + shift)));
    }
    first.attrs = Attrs(attrs);
    const Array made = product(first).at(0);
    Call then;
    then.inputs = {Array(made.dtype, made.dims)};
    for (int64_t k = 0; k < made.count(); ++k) then.inputs[0].set(k, made.real(k));
    then.inputs.insert(then.inputs.end(), call.inputs.begin() + static_cast<long>(operands),
                       call.inputs.end());
    then.attrs = Attrs({list(TN_REGION_CODE, call.attrs.list(TN_REGION_CODE))});
    Array y = region(then).at(0);
    if (!y.floating()) return {y};
    y.terms = made.terms;
    y.scale.clear();
    for (size_t k = 0; k < y.f.size(); ++k)
      y.scale.push_back(std::fabs(y.f[k]) + 1 + (made.scale.empty() ? 0 : made.scale[k]));
    return {y};
  };
}

int64_t word(tn_op op, tn_dtype dtype) {
  return static_cast<int64_t>(op | static_cast<uint64_t>(dtype) << 32);
}
// Of `inputs` values, the product among them, the last of these instructions.
Attr code(int64_t inputs, std::vector<Dims> instructions) {
  Dims words = {1, 1, inputs + static_cast<int64_t>(instructions.size()) - 1};
  for (Dims& x : instructions) {
    x.resize(4, -1);
    words.insert(words.end(), x.begin(), x.end());
  }
  return list(TN_REGION_CODE, words);
}
Attr relu(tn_dtype t) { return code(1, {{word(TN_OP_RELU, t), 0}}); }
// relu(product + a)
Attr plus(tn_dtype t) { return code(2, {{word(TN_OP_ADD, t), 0, 1}, {word(TN_OP_RELU, t), 2}}); }
// b - tanh(max(a, product)), with operands that are not in order
Attr mixed(tn_dtype t) {
  return code(
      3, {{word(TN_OP_MAXIMUM, t), 1, 0}, {word(TN_OP_TANH, t), 3}, {word(TN_OP_SUB, t), 2, 4}});
}
// tanh(product + a) where it is below b, else product: it is used to the end
Attr chosen(tn_dtype t) {
  return code(3, {{word(TN_OP_ADD, t), 0, 1},
                  {word(TN_OP_TANH, t), 3},
                  {word(TN_OP_LT, TN_DTYPE_BOOL), 4, 2},
                  {word(TN_OP_WHERE, t), 5, 4, 0}});
}
// Is the product below a?
Attr below() { return code(2, {{word(TN_OP_LT, TN_DTYPE_BOOL), 0, 1}}); }

const Fill kAny = uniform(-1, 1), kFar = uniform(2, 3);

// What of each op with a region is the same: x and w (and bias) give y.
struct Shapes {
  const char* name;
  Dims x, w, bias, y;  // bias: empty for none
  std::vector<Attr> attrs;
  bool large = false;
};

void add_cases(OpSamples& s, const Shapes& of, tn_dtype t) {
  const Dims row = {of.y.back()};
  const size_t rank = of.y.size();
  const Dims column = rank == 4   ? Dims{of.y[1], 1, 1}
                      : rank == 1 ? Dims{1}
                                  : Dims{of.y[rank - 2], 1};
  const auto add = [&](const char* what, const Attr& does, const std::vector<Dims>& more,
                       const Fill& last = kAny) {
    std::vector<Input> inputs = {in(of.x, kAny, t), in(of.w, kAny, t)};
    std::vector<Attr> attrs = of.attrs;
    attrs.push_back(does);
    if (!of.bias.empty()) {
      inputs.push_back(in(of.bias, kAny, t));
      attrs.push_back(integer(TN_CONV2D_REGION_OPERANDS, 3));
    }
    for (size_t k = 0; k < more.size(); ++k)
      inputs.push_back(in(more[k], k + 1 == more.size() ? last : kAny, t));
    Case c = Case{name_of(t) + "_" + of.name + "_" + what, std::move(inputs), std::move(attrs)}
                 .only({TN_DTYPE_NONE})
                 .no_grad();
    s.add(of.large ? std::move(c).large().only({TN_DTYPE_NONE}) : std::move(c));
  };
  add("plus", plus(t), {of.y});
  if (of.large && t != TN_DTYPE_F32) return;
  add("relu", relu(t), {});
  add("plus_column", plus(t), {column});
  add("mixed", mixed(t), {of.y, row});
  add("mixed_column", mixed(t), {column, {}});
  add("chosen", chosen(t), {row, of.y}, kFar);
  if (t == TN_DTYPE_F32) add("below", below(), {row}, uniform(500, 600));
}

void add_all(OpSamples& s, const std::vector<Shapes>& shapes) {
  s.on({TN_DTYPE_NONE}).gradient(Grad::either);
  for (const Shapes& of : shapes)
    for (const tn_dtype t : kFloats)
      if (!of.large || t == TN_DTYPE_F32 || t == TN_DTYPE_BF16) add_cases(s, of, t);
}

// The gradient, in double precision; what is refused. x, w, y and bias fit each other.
void add_rest(OpSamples& s, const Shapes& of) {
  const tn_dtype f64 = TN_DTYPE_F64;
  std::vector<Attr> attrs = of.attrs;
  attrs.push_back(code(2, {{word(TN_OP_ADD, f64), 0, 1}, {word(TN_OP_TANH, f64), 2}}));
  std::vector<Input> inputs = {in(of.x, kAny), in(of.w, kAny)};
  if (!of.bias.empty()) {
    inputs.push_back(in(of.bias, kAny));
    attrs.push_back(integer(TN_CONV2D_REGION_OPERANDS, 3));
  }
  const auto with = [&](const Dims& dims) {
    std::vector<Input> all = inputs;
    all.push_back(in(dims, kAny));
    return all;
  };
  s.add(Case{"gradient", with({of.y.back()}), attrs}.only({f64}));
  Dims more = of.y;
  more.insert(more.begin(), 2);
  const auto refuse = [&](const char* what, std::vector<Input> given, std::vector<Attr> how) {
    s.add(Case{what, std::move(given), std::move(how)}.only({f64}).refused(TN_INVALID_ARGUMENT));
  };
  refuse("refuses_more_dims", with(more), attrs);
  refuse("refuses_other_dims", with({of.y.back() + 1}), attrs);
  refuse("refuses_too_few", {in(of.x, kAny)}, attrs);
  refuse("refuses_a_code_of_more_values", inputs, attrs);
  std::vector<Attr> two = of.attrs;
  two.push_back(list(TN_REGION_CODE, {1, 2, 2, 2, word(TN_OP_ADD, f64), 0, 1, -1}));
  if (!of.bias.empty()) two.push_back(integer(TN_CONV2D_REGION_OPERANDS, 3));
  refuse("refuses_two_outputs", with(of.y), two);
}

std::vector<Attr> how(Dims stride, Dims padding, int64_t groups = 1) {
  return {list(TN_CONV2D_REGION_STRIDE, std::move(stride)),
          list(TN_CONV2D_REGION_PADDING, std::move(padding)),
          integer(TN_CONV2D_REGION_GROUPS, groups)};
}

}  // namespace

void add_product_region(Catalogue& c) {
  const Oracle region = c.at(TN_OP_REGION).oracle, conv = c.at(TN_OP_CONV2D).oracle,
               linear = c.at(TN_OP_LINEAR).oracle, matmul = c.at(TN_OP_MATMUL).oracle;
  const Tolerance tolerance{32, false, false, 4};

  OpSamples& s = c.add(TN_OP_CONV2D_REGION, "conv2d_region");
  s.gives(with_region(conv, region, TN_CONV2D_REGION_STRIDE, true, {0, 1, 2}), tolerance);
  const Shapes small{"bias", {2, 2, 5, 4}, {3, 2, 3, 2}, {3}, {2, 3, 3, 3}, {}};
  // Wide: for kernels that take only what is worth it. Planes of less and of more than a piece, channels that are no whole block.
  add_all(
      s,
      {small,
       {"stride", {1, 2, 5, 6}, {2, 2, 3, 3}, {}, {1, 2, 3, 2}, how({2, 3}, {1, 1})},
       {"groups", {2, 4, 3, 3}, {6, 2, 2, 2}, {6}, {2, 6, 2, 2}, how({1, 1}, {0, 0}, 2)},
       {"wide", {3, 32, 14, 14}, {24, 32, 3, 3}, {24}, {3, 24, 14, 14}, how({1, 1}, {1, 1}), true},
       {"wide_planes",
        {1, 16, 22, 19},
        {40, 16, 3, 3},
        {},
        {1, 40, 22, 19},
        how({1, 1}, {1, 1}),
        true},
       {"wide_stride",
        {2, 64, 14, 14},
        {48, 64, 3, 3},
        {48},
        {2, 48, 7, 7},
        how({2, 2}, {1, 1}),
        true},
       {"wide_depthwise",
        {8, 32, 32, 32},
        {32, 1, 3, 3},
        {32},
        {8, 32, 32, 32},
        how({1, 1}, {1, 1}, 32),
        true}});
  add_rest(s, small);

  OpSamples& l = c.add(TN_OP_LINEAR_REGION, "linear_region");
  l.gives(with_region(linear, region, 2, true, {}), tolerance);
  const Shapes layer{"bias", {3, 4}, {5, 4}, {5}, {3, 5}, {}};
  add_all(l, {layer,
              {"rank3", {2, 3, 4}, {2, 4}, {}, {2, 3, 2}, {}},
              {"rank1", {4}, {6, 4}, {6}, {6}, {}},
              {"empty", {0, 4}, {2, 4}, {2}, {0, 2}, {}},
              {"large", {64, 201}, {197, 201}, {197}, {64, 197}, {}, true}});
  add_rest(l, layer);

  OpSamples& m = c.add(TN_OP_MATMUL_REGION, "matmul_region");
  m.gives(with_region(matmul, region, TN_MATMUL_REGION_TRANSPOSE_A, false, {}), tolerance);
  const auto turned = [](bool a, bool b) {
    return std::vector<Attr>{flag(TN_MATMUL_REGION_TRANSPOSE_A, a),
                             flag(TN_MATMUL_REGION_TRANSPOSE_B, b)};
  };
  const Shapes plain{"plain", {3, 4}, {4, 5}, {}, {3, 5}, {}};
  add_all(m, {plain,
              {"turned", {4, 3}, {5, 4}, {}, {3, 5}, turned(true, true)},
              {"batched", {2, 3, 4}, {2, 4, 2}, {}, {2, 3, 2}, {}},
              {"one_for_all", {3, 2, 4}, {4, 2}, {}, {3, 2, 2}, {}},
              {"row", {1, 6}, {6, 7}, {}, {1, 7}, {}},
              {"column", {7, 6}, {6, 1}, {}, {7, 1}, {}},
              {"no_terms", {2, 0}, {0, 3}, {}, {2, 3}, {}},
              {"large", {129, 300}, {300, 161}, {}, {129, 161}, {}, true},
              {"large_turned", {300, 129}, {161, 300}, {}, {129, 161}, turned(true, true), true},
              {"long", {40, 3007}, {3007, 50}, {}, {40, 50}, {}, true}});
  add_rest(m, plain);
}

}  // namespace tenon::conformance
