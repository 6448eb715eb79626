// region: codes over every layout and dtype. The oracle reads a code by its description in plugin/region.h and rounds each
// result to its dtype.
#include <tenon/plugin/region.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

double compute(tn_op op, const double* x) {
  switch (op) {
    case TN_OP_NEG:
      return -x[0];
    case TN_OP_ABS:
      return std::fabs(x[0]);
    case TN_OP_EXP:
      return std::exp(x[0]);
    case TN_OP_TANH:
      return std::tanh(x[0]);
    case TN_OP_SQRT:
      return std::sqrt(x[0]);
    case TN_OP_RELU:
      return x[0] > 0 ? x[0] : 0;
    case TN_OP_ADD:
      return x[0] + x[1];
    case TN_OP_SUB:
      return x[0] - x[1];
    case TN_OP_MUL:
      return x[0] * x[1];
    case TN_OP_DIV:
      return x[0] / x[1];
    case TN_OP_MAXIMUM:
      return std::fmax(x[0], x[1]);
    case TN_OP_LT:
      return x[0] < x[1];
    case TN_OP_WHERE:
      return x[0] != 0 ? x[1] : x[2];
    case TN_OP_CAST:
      return x[0];
    default:
      throw std::logic_error("region: the oracle lacks an op");
  }
}

double constant(tn_dtype dtype, int64_t bits) {
  std::vector<unsigned char> bytes(sizeof bits);
  std::memcpy(bytes.data(), &bits, sizeof bits);
  bytes.resize(tn_dtype_bytes(dtype, 1));
  return decode(dtype, {}, bytes).real(0);
}

// Sums and constants of 64-bit integers, which doubles do not hold.
bool whole(tn_op op) { return op == TN_OP_ADD || op == TN_OP_SUB || op == TN_REGION_CONSTANT; }
int64_t exact(tn_op op, const Dims& code, size_t at, const std::vector<Array>& values, int64_t k) {
  if (op == TN_REGION_CONSTANT) return code[at + 1];
  const auto operand = [&](size_t a) {
    return static_cast<uint64_t>(values[static_cast<size_t>(code[at + a])].integer(k));
  };
  return static_cast<int64_t>(op == TN_OP_ADD ? operand(1) + operand(2) : operand(1) - operand(2));
}

// One of the integers that an extremum chooses from, in the order of their dtype.
bool before(tn_dtype dtype, int64_t a, int64_t b) {
  return is_signed(dtype) ? a < b : static_cast<uint64_t>(a) < static_cast<uint64_t>(b);
}

// What is lost of a sum in double is kept beside it (Neumaier): long ones are exact enough to judge sums in f64 by.
struct Sum {
  double value = 0, lost = 0, scale = 0;
  int64_t whole = 0, terms = 0;

  void add(tn_op op, const Array& x, int64_t k) {
    const bool first = terms++ == 0;
    if (!x.floating()) return add_whole(op, x.dtype, x.integer(k), first);
    const double v = x.real(k);
    switch (op) {
      case TN_OP_PROD:
        value = first ? v : value * v;
        break;
      case TN_OP_MAX:
        value = first || std::isnan(v) || v > value ? v : value;
        break;
      case TN_OP_MIN:
        value = first || std::isnan(v) || v < value ? v : value;
        break;
      default: {
        const double next = value + v;
        const bool larger = std::fabs(value) >= std::fabs(v);
        if (std::isfinite(next)) lost += larger ? (value - next) + v : (v - next) + value;
        value = next, scale += std::fabs(v);
      }
    }
  }
  void add_whole(tn_op op, tn_dtype dtype, int64_t v, bool first) {
    const auto a = static_cast<uint64_t>(whole), b = static_cast<uint64_t>(v);
    if (op == TN_OP_SUM) whole = static_cast<int64_t>(a + b);
    if (op == TN_OP_PROD) whole = first ? v : static_cast<int64_t>(a * b);
    if (op == TN_OP_MAX && (first || before(dtype, whole, v))) whole = v;
    if (op == TN_OP_MIN && (first || before(dtype, v, whole))) whole = v;
  }
};

Array folded(tn_op op, const Array& x, int64_t axes, bool keeps) {
  Dims kept = x.dims, dims;
  for (size_t a = 0; a < kept.size(); ++a) {
    const bool folds = (axes >> a & 1) != 0;
    if (folds) kept[a] = 1;
    if (!folds || keeps) dims.push_back(kept[a]);
  }
  std::vector<Sum> sums(static_cast<size_t>(count_of(kept)));
  const Dims strides = strides_of(kept);
  int64_t at = 0;
  for_each(x.dims, [&](Dims index) {
    for (size_t a = 0; a < index.size(); ++a)
      if (axes >> a & 1) index[a] = 0;
    sums[static_cast<size_t>(offset_of(index, strides))].add(op, x, at++);
  });
  Array y(x.dtype, dims);
  for (size_t k = 0; k < sums.size(); ++k) {
    const Sum& s = sums[k];
    y.terms = std::max(y.terms, s.terms);
    if (!x.floating()) {
      y.set(static_cast<int64_t>(k), s.whole);
      continue;
    }
    const double n = op == TN_OP_MEAN ? static_cast<double>(s.terms) : 1.0;
    y.f[k] = op == TN_OP_PROD && s.terms == 0 ? 1 : (s.value + s.lost) / n;
    y.scale.push_back(op == TN_OP_PROD ? std::fabs(y.f[k]) * static_cast<double>(s.terms)
                                       : s.scale / n);
  }
  return y;
}

std::vector<Array> region(const Call& call) {
  const Dims code = call.attrs.list(TN_REGION_CODE);
  std::vector<Array> values = broadcast_inputs(call);
  const Dims dims = values[0].dims;
  const auto outputs = static_cast<size_t>(code[1]);
  for (size_t at = 2 + outputs; at < code.size(); at += 4) {
    const auto op = static_cast<tn_op>(code[at] & 0xffffffff);
    const auto dtype = static_cast<tn_dtype>(static_cast<uint64_t>(code[at]) >> 32);
    if (tn_region_folds(op)) {
      values.push_back(
          folded(op, values[static_cast<size_t>(code[at + 1])], code[at + 2], code[at + 3] != 0));
      continue;
    }
    Array y(dtype, dims);
    for (int64_t k = 0; k < y.count(); ++k) {
      if (is_integer(dtype) && TN_DTYPE_BITS(dtype) == 64 && whole(op)) {
        y.set(k, exact(op, code, at, values, k));
        continue;
      }
      double x[3] = {0, 0, 0};
      for (size_t a = 0; a < 3 && op != TN_REGION_CONSTANT; ++a)
        if (code[at + 1 + a] >= 0) x[a] = values[static_cast<size_t>(code[at + 1 + a])].real(k);
      const double v = op == TN_REGION_CONSTANT ? constant(dtype, code[at + 1]) : compute(op, x);
      if (y.floating())
        y.set(k, v);
      else
        y.set(k, static_cast<int64_t>(v));
    }
    values.push_back(y);
  }
  std::vector<Array> out;
  for (size_t i = 0; i < outputs; ++i) out.push_back(values[static_cast<size_t>(code[2 + i])]);
  return out;
}

// A code under construction.
class Code {
 public:
  explicit Code(int64_t inputs) : next_(inputs) {}
  int64_t op(tn_op op, tn_dtype dtype, Dims args) {
    words_.push_back(static_cast<int64_t>(op | static_cast<uint64_t>(dtype) << 32));
    args.resize(3, -1);
    words_.insert(words_.end(), args.begin(), args.end());
    return next_++;
  }
  int64_t number(tn_dtype dtype, double value) {
    Array a(dtype, {});
    if (a.floating())
      a.set(0, value);
    else
      a.set(0, static_cast<int64_t>(value));
    int64_t bits = 0;
    const auto bytes = encode(a);
    std::memcpy(&bits, bytes.data(), bytes.size());
    return op(TN_REGION_CONSTANT, dtype, {bits});
  }
  int64_t fold(tn_op op, tn_dtype dtype, int64_t value, int64_t axes, bool keeps = false) {
    version_ = TN_REGION_VERSION_FOLDS;
    return this->op(op, dtype, {value, axes, keeps});
  }
  std::vector<Attr> gives(Dims outputs) const {
    Dims all = {version_, static_cast<int64_t>(outputs.size())};
    all.insert(all.end(), outputs.begin(), outputs.end());
    all.insert(all.end(), words_.begin(), words_.end());
    return {list(TN_REGION_CODE, all)};
  }

 private:
  int64_t next_, version_ = TN_REGION_VERSION;
  Dims words_;
};

// relu(a * b + a) - 2, and the product.
std::vector<Attr> chain(tn_dtype t) {
  Code c(2);
  const int64_t product = c.op(TN_OP_MUL, t, {0, 1});
  const int64_t sum = c.op(TN_OP_ADD, t, {product, 0});
  const int64_t positive = c.op(TN_OP_RELU, t, {sum});
  return c.gives({c.op(TN_OP_SUB, t, {positive, c.number(t, 2)}), product});
}

// a < b ? tanh(a) : b - exp(a): many values alive, a bool among them.
std::vector<Attr> choice(tn_dtype t) {
  Code c(2);
  const int64_t less = c.op(TN_OP_LT, TN_DTYPE_BOOL, {0, 1});
  const int64_t left = c.op(TN_OP_TANH, t, {0});
  const int64_t right = c.op(TN_OP_SUB, t, {1, c.op(TN_OP_EXP, t, {0})});
  return c.gives({c.op(TN_OP_WHERE, t, {less, left, right}), less});
}

// |a * s| + c, where s and s * s are the same for all: computed once.
std::vector<Attr> with_scalar(tn_dtype t) {
  Code c(3);
  const int64_t square = c.op(TN_OP_MUL, t, {1, 1});
  const int64_t scaled = c.op(TN_OP_ABS, t, {c.op(TN_OP_MUL, t, {0, square})});
  return c.gives({c.op(TN_OP_ADD, t, {scaled, 2})});
}

// Through another dtype and back; the intermediate is an output too.
std::vector<Attr> through(tn_dtype t, tn_dtype other) {
  Code c(1);
  const int64_t there = c.op(TN_OP_CAST, other, {0});
  const int64_t sum = c.op(TN_OP_ADD, other, {there, there});
  return c.gives({c.op(TN_OP_CAST, t, {sum}), there});
}

// What is passed on is the first operand, the second, both or neither; the other one a value for each element or for all.
std::vector<Attr> sides(tn_dtype t) {
  Code c(2);
  const int64_t three = c.number(t, 3), half = c.number(t, 0.5);
  const int64_t less = c.op(TN_OP_SUB, t, {0, 1});
  const int64_t turned = c.op(TN_OP_SUB, t, {three, less});
  const int64_t twice = c.op(TN_OP_MUL, t, {turned, turned});
  const int64_t part = c.op(TN_OP_DIV, t, {1, c.op(TN_OP_ADD, t, {twice, half})});
  const int64_t rest = c.op(TN_OP_SUB, t, {c.op(TN_OP_SUB, t, {0, part}), half});
  const int64_t below = c.op(TN_OP_LT, TN_DTYPE_BOOL, {rest, half});
  const int64_t above = c.op(TN_OP_LT, TN_DTYPE_BOOL, {1, rest});
  const int64_t first = c.op(TN_OP_WHERE, t, {below, rest, 0});
  const int64_t second = c.op(TN_OP_WHERE, t, {above, half, first});
  const int64_t last = c.op(TN_OP_MAXIMUM, t, {turned, second});
  return c.gives({last, c.op(TN_OP_WHERE, t, {above, less, last}), below});
}

// A narrow value, made in another dtype, is read among values that are wider and live on.
std::vector<Attr> between(tn_dtype t, tn_dtype other) {
  Code c(2);
  const int64_t less =
      c.op(TN_OP_LT, TN_DTYPE_BOOL, {c.op(TN_OP_CAST, other, {0}), c.op(TN_OP_CAST, other, {1})});
  const int64_t chosen = c.op(TN_OP_WHERE, t, {less, 0, 1});
  const int64_t square = c.op(TN_OP_MUL, t, {0, 0});
  const int64_t sum = c.op(TN_OP_ADD, t, {chosen, 1});
  return c.gives({c.op(TN_OP_SUB, t, {sum, square})});
}

// Thirty values that all live to the end.
std::vector<Attr> wide(tn_dtype t) {
  Code c(2);
  Dims made;
  for (int k = 0; k < 30; ++k)
    made.push_back(c.op(k % 2 ? TN_OP_ADD : TN_OP_SUB, t, {0, k ? made.back() : 1}));
  int64_t all = made[0];
  for (const int64_t v : made) all = c.op(TN_OP_MAXIMUM, t, {all, v});
  return c.gives({all});
}

// One value named as an output three times, and another beside it.
std::vector<Attr> thrice(tn_dtype t) {
  Code c(2);
  const int64_t sum = c.op(TN_OP_ADD, t, {0, 1});
  return c.gives({sum, sum, sum, c.op(TN_OP_MAXIMUM, t, {sum, 0})});
}

// What is the same for all elements, through a conversion on the way: of one-element operands all of it.
std::vector<Attr> converted_once(tn_dtype t) {
  Code c(2);
  const int64_t first = c.op(TN_OP_MUL, t, {0, 1}), second = c.op(TN_OP_ADD, t, {first, 1});
  const int64_t less = c.op(TN_OP_LT, TN_DTYPE_BOOL, {0, second});
  const int64_t more = c.op(TN_OP_LT, TN_DTYPE_BOOL, {first, 1});
  return c.gives(
      {c.op(TN_OP_WHERE, t, {less, second, first}), more, c.op(TN_OP_SUB, t, {second, first})});
}

// A constant that a double does not hold.
std::vector<Attr> beyond_doubles(tn_dtype t) {
  Code c(1);
  const int64_t large = c.op(TN_REGION_CONSTANT, t, {(int64_t{1} << 53) + 1});
  const int64_t sum = c.op(TN_OP_ADD, t, {0, large});
  return c.gives({c.op(TN_OP_SUB, t, {sum, c.op(TN_REGION_CONSTANT, t, {int64_t{1} << 53})})});
}

// What is computed is added up, or its greatest chosen, and goes nowhere else.
std::vector<Attr> only_folded(tn_dtype t, int64_t axes, bool keeps = false) {
  Code c(2);
  const int64_t product = c.op(TN_OP_MUL, t, {0, 1});
  const int64_t sum = c.op(TN_OP_ADD, t, {c.op(TN_OP_RELU, t, {product}), 1});
  return c.gives(
      {c.fold(is_float(t) || TN_DTYPE_BITS(t) == 64 ? TN_OP_SUM : TN_OP_MAX, t, sum, axes, keeps)});
}

// Extrema, and a mean or a product, of values of which one is an output too, between the others.
std::vector<Attr> folds_beside(tn_dtype t, int64_t axes) {
  Code c(2);
  const bool wraps = !is_float(t) && !is_signed(t);  // below 0
  const int64_t difference = c.op(wraps ? TN_OP_ADD : TN_OP_SUB, t, {0, 1});
  const int64_t size = c.op(TN_OP_MAXIMUM, t, {difference, 1});
  const int64_t least = c.fold(TN_OP_MIN, t, difference, axes);
  const int64_t most = c.fold(TN_OP_MAX, t, size, axes, true);
  Dims outputs = {least, difference, most};
  if (is_float(t)) outputs.push_back(c.fold(TN_OP_MEAN, t, size, axes));
  if (TN_DTYPE_BITS(t) == 64) outputs.push_back(c.fold(TN_OP_PROD, t, difference, axes));
  return c.gives(outputs);
}

void add_folds(OpSamples& s, tn_dtype t) {
  const std::string name = name_of(t) + "_folds_";
  const Fill small = is_float(t) || is_signed(t) ? uniform(-4, 4) : uniform(3, 9);
  const auto x = [&](Dims dims) { return in(std::move(dims), small, t); };
  const auto add = [&](const std::string& what, std::vector<Input> inputs, std::vector<Attr> code) {
    return Case{name + what, std::move(inputs), std::move(code)}.only({TN_DTYPE_NONE}).no_grad();
  };
  s.add(add("rows", {x({3, 50}), x({3, 50})}, only_folded(t, 2)));
  s.add(add("columns", {x({19, 70}), x({19, 70})}, only_folded(t, 1, true)));
  s.add(add("all", {x({4, 7}), x({7})}, only_folded(t, 3)));
  s.add(add("short", {x({100, 7}), x({100, 1})}, only_folded(t, 2)));
  s.add(add("middle", {x({3, 9, 5}), x({9, 1})}, folds_beside(t, 2)));
  s.add(add("ends", {x({3, 4, 5}), x({3, 4, 5})}, folds_beside(t, 5)));
  s.add(add("apart", {x({2, 3, 2, 3}), x({2, 3})}, folds_beside(t, 5)));
  s.add(add("ones", {x({1, 6, 1}), x({})}, folds_beside(t, 5)));
  s.add(add("beside_rows", {x({5, 200}), x({200})}, folds_beside(t, 2)));
  s.add(add("beside_columns", {x({30, 130}), x({130})}, folds_beside(t, 1)));
  s.add(add("large_rows", {x({40, 5003}), x({5003})}, only_folded(t, 2)).large());
  s.add(add("large_columns", {x({600, 700}), x({600, 700})}, only_folded(t, 1)).large());
  if (t != TN_DTYPE_F64) {  // of which a plain sum so long is not exact enough
    s.add(add("long_columns", {x({5000, 40}), x({40})}, only_folded(t, 1)).large());
    s.add(add("long_all", {x({90001}), x({})}, only_folded(t, 1)).large());
  }
  if (is_float(t) || TN_DTYPE_BITS(t) == 64)
    s.add(add("nothing", {x({0, 4}), x({4})}, only_folded(t, 1)));
}

void add_for(OpSamples& s, tn_dtype t) {
  const std::string name = name_of(t) + "_";
  const Fill small = is_float(t) || is_signed(t) ? uniform(-4, 4) : uniform(3, 9);
  const auto add = [&](const char* what, std::vector<Input> inputs,
                       std::vector<Attr> code) -> Case {
    return Case{name + what, std::move(inputs), std::move(code)}.only({TN_DTYPE_NONE}).no_grad();
  };
  const auto x = [&](Dims dims) { return in(std::move(dims), small, t); };
  s.add(add("chain", {x({3, 5}), x({3, 5})}, chain(t)));
  s.add(add("rank0", {x({}), x({})}, chain(t)));
  s.add(add("empty", {x({0, 4}), x({4})}, chain(t)));
  s.add(add("row", {x({4, 200}), x({200})}, chain(t)));
  s.add(add("column", {x({3, 1}), x({3, 150})}, chain(t)));
  s.add(add("outer", {x({7, 1}), x({1, 9})}, chain(t)));
  s.add(add("rank5", {x({2, 1, 3, 1, 4}), x({3, 2, 1})}, chain(t)));
  s.add(add("scalar", {x({2, 70}), x({}), x({2, 1})}, with_scalar(t)));
  s.add(add("one_for_all", {x({1, 1}), x({}), x({1})}, with_scalar(t)));
  if (is_float(t) || is_signed(t)) s.add(add("wide", {x({6, 33}), x({6, 33})}, wide(t)));
  s.add(add("thrice", {x({3, 5}), x({3, 5})}, thrice(t)));
  s.add(add("one_element", {x({1}), x({})}, converted_once(t)));
  s.add(add("one_row_of_ones", {x({2, 1}), x({})}, converted_once(t)));
  s.add(add("large", {x({300, 257}), x({257})}, chain(t)).large());
  if (!is_float(t)) return;
  s.add(add("choice", {x({3, 50}), x({3, 50})}, choice(t)));
  s.add(add("sides", {x({3, 150}), x({3, 150})}, sides(t)));
  s.add(add("sides_rows", {x({4, 200}), x({200})}, sides(t)));
  s.add(add("between", {x({500}), x({500})},
            between(t, t == TN_DTYPE_F64 ? TN_DTYPE_F32 : TN_DTYPE_F64)));
  s.add(add("choice_large", {x({90001}), x({90001})}, choice(t)).large());
  for (const tn_dtype other :
       {TN_DTYPE_F32, TN_DTYPE_F64, TN_DTYPE_F16, TN_DTYPE_BF16, TN_DTYPE_I32, TN_DTYPE_I8})
    if (other != t) s.add(add(("to_" + name_of(other)).c_str(), {x({5, 30})}, through(t, other)));
}

}  // namespace

void add_region(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_REGION, "region");
  s.on({TN_DTYPE_NONE}).gives(region, {16, false, false, 6}).gradient(Grad::either);
  for (const tn_dtype t : kNumbers) add_for(s, t);
  for (const tn_dtype t : kNumbers) add_folds(s, t);
  const auto f32 = TN_DTYPE_F32;
  for (const tn_dtype t : {TN_DTYPE_I64, TN_DTYPE_U64})
    s.add(Case{name_of(t) + "_beyond_doubles", {in({3}, uniform(1, 50), t)}, beyond_doubles(t)}
              .only({TN_DTYPE_NONE})
              .no_grad());
  s.add(Case{"gradient",
             {in({3, 5}, clear_of(-3, 3, {0}, 0.2)), in({5}, uniform(1, 2))},
             chain(TN_DTYPE_F64)}
            .only({TN_DTYPE_F64}));
  s.add(Case{"folds_gradient",
             {in({3, 5}, clear_of(-3, 3, {0}, 0.2)), in({5}, uniform(1, 2))},
             only_folded(TN_DTYPE_F64, 1)}
            .only({TN_DTYPE_F64}));
  s.add(Case{"refuses_extremum_of_nothing",
             {in({0, 2}, uniform(0, 1), TN_DTYPE_F64), in({2}, uniform(0, 1), TN_DTYPE_F64)},
             folds_beside(TN_DTYPE_F64, 1)}
            .only({TN_DTYPE_NONE})
            .refused(TN_INVALID_ARGUMENT));
  const int64_t relu = TN_OP_RELU | int64_t{f32} << 32, sum = TN_OP_SUM | int64_t{f32} << 32;
  const int64_t mean_i64 = TN_OP_MEAN | int64_t{TN_DTYPE_I64} << 32;
  const int64_t of_i64 = TN_OP_CAST | int64_t{TN_DTYPE_I64} << 32;
  const int64_t sum_i32 = TN_OP_SUM | int64_t{TN_DTYPE_I32} << 32;
  const int64_t of_i32 = TN_OP_CAST | int64_t{TN_DTYPE_I32} << 32;
  const Dims folds = {TN_REGION_VERSION_FOLDS, 1, 2, relu, 0, -1, -1};
  const auto with = [&](Dims words) {
    Dims all = folds;
    all.insert(all.end(), words.begin(), words.end());
    return all;
  };
  for (const Dims& bad :
       {Dims{},
        Dims{2, 1, 1},
        Dims{TN_REGION_VERSION, 0},
        Dims{TN_REGION_VERSION, 1, 0},
        Dims{TN_REGION_VERSION, 1, 1, TN_OP_MATMUL | int64_t{f32} << 32, 0, 0, -1},
        Dims{TN_REGION_VERSION, 1, 1, TN_OP_ADD | int64_t{f32} << 32, 0, 1, -1},
        Dims{TN_REGION_VERSION, 1, 1, TN_OP_ADD | int64_t{TN_DTYPE_F64} << 32, 0, 0, -1},
        Dims{TN_REGION_VERSION, 1, 1, TN_OP_ADD | int64_t{f32} << 32, 0, 0},
        Dims{TN_REGION_VERSION, 1, 1, int64_t{TN_REGION_CONSTANT} | int64_t{TN_DTYPE_BOOL} << 32, 2,
             -1, -1},
        Dims{TN_REGION_VERSION, 1, 1, int64_t{TN_REGION_CONSTANT} | int64_t{TN_DTYPE_C64} << 32, 2,
             -1, -1},
        Dims{TN_REGION_VERSION_FOLDS + 1, 1, 1, relu, 0, -1, -1},      // no such version
        Dims{TN_REGION_VERSION, 1, 2, relu, 0, -1, -1, sum, 1, 1, 0},  // one without reductions
        with({sum, 1, 0, 0}),
        with({sum, 1, 2, 0}),
        with({sum, 1, 256, 0}),  // axes
        with({sum, 1, 1, 2}),
        with({sum, -1, 1, 0}),
        with({sum, 2, 1, 0}),
        with({sum, 1, 1, 0, sum, 2, 1, 0}),     // a reduction of a reduction
        with({sum, 1, 1, 0, relu, 2, -1, -1}),  // an op on one
        with({sum, 1, 1, 0, sum, 1, 2, 0}),     // over other axes
        Dims{TN_REGION_VERSION_FOLDS, 1, 2, of_i64, 0, -1, -1, mean_i64, 1, 1, 0},
        Dims{TN_REGION_VERSION_FOLDS, 1, 2, of_i32, 0, -1, -1, sum_i32, 1, 1, 0},
        Dims{TN_REGION_VERSION_FOLDS, 1, 2, of_i64, 0, -1, -1, sum, 1, 1, 0}})
    s.add(
        Case{"refuses_" + text_of(bad), {in({2}, uniform(0, 1), f32)}, {list(TN_REGION_CODE, bad)}}
            .only({TN_DTYPE_NONE})
            .refused(TN_INVALID_ARGUMENT));
}

}  // namespace tenon::conformance
