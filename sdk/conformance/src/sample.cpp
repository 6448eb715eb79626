#include "tenon/conformance/sample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tenon::conformance {

// ---- attributes

Attr integer(uint32_t key, int64_t value) {
  Attr a;
  a.key = key, a.tag = TN_ATTR_I64, a.bits = value;
  return a;
}
Attr flag(uint32_t key, bool value) {
  Attr a;
  a.key = key, a.tag = TN_ATTR_BOOL, a.bits = value;
  return a;
}
Attr number(uint32_t key, double value) {
  Attr a;
  a.key = key, a.tag = TN_ATTR_F64, a.number = value;
  return a;
}
Attr text(uint32_t key, std::string value) {
  Attr a;
  a.key = key, a.tag = TN_ATTR_STRING, a.text = std::move(value);
  return a;
}
Attr type(uint32_t key, tn_dtype value) {
  Attr a;
  a.key = key, a.tag = TN_ATTR_DTYPE, a.bits = value;
  return a;
}
Attr list(uint32_t key, Dims value) {
  Attr a;
  a.key = key, a.tag = TN_ATTR_I64S, a.list = std::move(value);
  return a;
}
Attr numbers(uint32_t key, std::vector<double> value) {
  Attr a;
  a.key = key, a.tag = TN_ATTR_F64S, a.numbers = std::move(value);
  return a;
}

Attrs::Attrs(std::vector<Attr> given) : attrs_(std::move(given)) {
  std::sort(attrs_.begin(), attrs_.end(),
            [](const Attr& a, const Attr& b) { return a.key < b.key; });
}

const Attr* Attrs::find(uint32_t key) const {
  for (const Attr& a : attrs_)
    if (a.key == key) return &a;
  return nullptr;
}
int64_t Attrs::integer(uint32_t key, int64_t fallback) const {
  const Attr* a = find(key);
  return a != nullptr ? a->bits : fallback;
}
bool Attrs::flag(uint32_t key, bool fallback) const { return integer(key, fallback) != 0; }
double Attrs::number(uint32_t key, double fallback) const {
  const Attr* a = find(key);
  return a != nullptr ? a->number : fallback;
}
std::string Attrs::text(uint32_t key, const char* fallback) const {
  const Attr* a = find(key);
  return a != nullptr ? a->text : fallback;
}
tn_dtype Attrs::type(uint32_t key, tn_dtype fallback) const {
  return static_cast<tn_dtype>(integer(key, fallback));
}
Dims Attrs::list(uint32_t key, const Dims& fallback) const {
  const Attr* a = find(key);
  return a != nullptr && !a->list.empty() ? a->list : fallback;
}
std::vector<double> Attrs::numbers(uint32_t key) const {
  const Attr* a = find(key);
  return a != nullptr ? a->numbers : std::vector<double>();
}

std::vector<tn_attr> Attrs::encode() const {
  std::vector<tn_attr> out;
  for (const Attr& a : attrs_) {
    if (a.tag == TN_ATTR_F64)
      out.push_back(tn_attr_f64(a.key, a.number));
    else if (a.tag == TN_ATTR_STRING)
      out.push_back(tn_attr_string(a.key, tn_str{a.text.data(), a.text.size()}));
    else if (a.tag == TN_ATTR_I64S)
      out.push_back(tn_attr_i64s(a.key, a.list.data(), a.list.size()));
    else if (a.tag == TN_ATTR_F64S)
      out.push_back(tn_attr_f64s(a.key, a.numbers.data(), a.numbers.size()));
    else
      out.push_back(tn_attr{a.key, a.tag, static_cast<uint64_t>(a.bits), nullptr});
  }
  return out;
}

// ---- values

uint64_t Rng::next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
double Rng::unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
int64_t Rng::below(int64_t n) {
  return n <= 0 ? 0 : static_cast<int64_t>(next() % static_cast<uint64_t>(n));
}

Fill uniform(double low, double high) {
  return [=](Array& x, Rng& rng) {
    const double from = is_signed(x.dtype) ? low : std::max(low, 0.0);
    const auto first = static_cast<int64_t>(std::ceil(from));
    const auto width = static_cast<int64_t>(std::floor(high)) - first + 1;
    for (int64_t k = 0; k < x.numbers(); ++k) {
      if (x.floating())
        x.set(k, rng.between(low, high));
      else
        x.set(k, x.dtype == TN_DTYPE_BOOL ? rng.below(2) : first + rng.below(width));
    }
  };
}

Fill clear_of(double low, double high, std::vector<double> points, double gap) {
  return [=](Array& x, Rng& rng) {
    if (!x.floating()) return uniform(low, high)(x, rng);
    for (int64_t k = 0; k < x.numbers(); ++k) {
      double v = 0;
      do {
        v = rng.between(low, high);
      } while (std::any_of(points.begin(), points.end(),
                           [&](double p) { return std::fabs(v - p) < gap; }));
      x.set(k, v);
    }
  };
}

Fill distinct(double low, double high) {
  return [=](Array& x, Rng& rng) {
    const int64_t n = x.numbers();
    std::vector<int64_t> order(static_cast<size_t>(n));
    for (int64_t k = 0; k < n; ++k) {
      const int64_t other = rng.below(k + 1);
      order[static_cast<size_t>(k)] = order[static_cast<size_t>(other)];
      order[static_cast<size_t>(other)] = k;
    }
    const double from = is_signed(x.dtype) ? low : std::max(low, 0.0);
    const double step = (high - from) / static_cast<double>(std::max<int64_t>(n, 1));
    for (int64_t k = 0; k < n; ++k) {
      const auto place = static_cast<double>(order[static_cast<size_t>(k)]);
      x.set(k, from + step * (place + 0.5 * rng.unit()));
    }
  };
}

Fill values(std::vector<double> list) {
  return [list = std::move(list)](Array& x, Rng&) {
    for (int64_t k = 0; k < x.numbers(); ++k) x.set(k, list[static_cast<size_t>(k) % list.size()]);
  };
}

Fill special() {
  const double inf = std::numeric_limits<double>::infinity();
  return values({std::numeric_limits<double>::quiet_NaN(), inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.5,
                 -0.5, 2.5, -2.5, 100.0, -100.0, 30000.0, -30000.0, 0.001});
}

Fill indices(int64_t n) {
  return [n](Array& x, Rng& rng) {
    for (int64_t k = 0; k < x.numbers(); ++k) x.set(k, rng.below(n));
  };
}
Fill any_indices(int64_t n) {
  return [n](Array& x, Rng& rng) {
    for (int64_t k = 0; k < x.numbers(); ++k) x.set(k, rng.below(2 * n) - n);
  };
}

// ---- cases

Input in(Dims dims, Fill fill) { return in(std::move(dims), std::move(fill), TN_DTYPE_NONE); }
Input in(Dims dims, Fill fill, tn_dtype dtype) {
  Input x;
  x.dims = std::move(dims), x.fill = std::move(fill), x.dtype = dtype;
  return x;
}
Input weak(Fill fill) {
  Input x;
  x.fill = std::move(fill), x.weak = true;
  return x;
}
Input absent() {
  Input x;
  x.absent = true;
  return x;
}

Case Case::no_grad() && {
  grad = false;
  return std::move(*this);
}
Case Case::plain() && {
  layouts = false;
  return std::move(*this);
}
Case Case::large() && {
  is_large = true, grad = false;
  return std::move(*this);
}
Case Case::ties() && {
  has_ties = true;
  return std::move(*this);
}
Case Case::distinct() && {
  repeats = false;
  return std::move(*this);
}
Case Case::refused(tn_code code) && {
  refusal = code, grad = false, layouts = false;
  return std::move(*this);
}
Case Case::first_only() && {
  second = false;
  return std::move(*this);
}
Case Case::out_of_range() && {
  may_clamp = true, grad = false;
  return std::move(*this);
}
Case Case::only(std::vector<tn_dtype> types) && {
  dtypes = std::move(types);
  return std::move(*this);
}
Case Case::within(Tolerance t) && {
  tolerance = t;
  return std::move(*this);
}
Case Case::coarse(double h, double most) && {
  step = h, grad_tolerance = most;
  return std::move(*this);
}

OpSamples& OpSamples::on(std::vector<tn_dtype> types) {
  dtypes = std::move(types);
  return *this;
}
OpSamples& OpSamples::maybe(std::vector<tn_dtype> types) {
  optional = std::move(types);
  return *this;
}
OpSamples& OpSamples::gives(Oracle o, Tolerance t) {
  oracle = std::move(o), tolerance = t;
  return *this;
}
OpSamples& OpSamples::gradient(Grad g) {
  grad = g;
  return *this;
}
OpSamples& OpSamples::add(Case c) {
  cases.push_back(std::move(c));
  return *this;
}

namespace {

std::vector<tn_dtype> joined(std::vector<tn_dtype> a, const std::vector<tn_dtype>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

const std::vector<tn_dtype> kFloats{TN_DTYPE_F32, TN_DTYPE_F64, TN_DTYPE_F16, TN_DTYPE_BF16};
const std::vector<tn_dtype> kSigned{TN_DTYPE_I32, TN_DTYPE_I64, TN_DTYPE_I8, TN_DTYPE_I16};
const std::vector<tn_dtype> kUnsigned{TN_DTYPE_U8, TN_DTYPE_U16, TN_DTYPE_U32, TN_DTYPE_U64};
const std::vector<tn_dtype> kIntegers = joined(kSigned, kUnsigned);
const std::vector<tn_dtype> kNumbers = joined(kFloats, kIntegers);
const std::vector<tn_dtype> kAll = joined(kNumbers, {TN_DTYPE_BOOL});

OpSamples& Catalogue::add(tn_op op, const char* name) {
  OpSamples samples;
  samples.op = op, samples.name = name;
  ops_.push_back(std::move(samples));
  return ops_.back();
}

OpSamples& Catalogue::at(tn_op op) {
  return *std::find_if(ops_.begin(), ops_.end(), [op](const OpSamples& s) { return s.op == op; });
}

void elementwise_cases(OpSamples& op, const std::vector<Fill>& fills) {
  const auto all = [&](const Dims& dims) {
    std::vector<Input> inputs;
    for (const Fill& fill : fills) inputs.push_back(in(dims, fill));
    return inputs;
  };
  op.add({"matrix", all({3, 5})});
  op.add({"rank0", all({})});
  op.add({"rank5", all({2, 1, 3, 2, 2})});
  op.add({"empty", all({0})});
  op.add({"empty_inside", all({2, 0, 3})});
  op.add(Case{"odd_length", all({131})}.no_grad());
  op.add(Case{"large", all({3, 23339})}.large());
  if (fills.size() < 2) return;

  const size_t last = fills.size() - 1;
  const auto with = [&](const Dims& dims, const Dims& last_dims) {
    std::vector<Input> inputs = all(dims);
    inputs[last].dims = last_dims;
    return inputs;
  };
  op.add({"row", with({2, 3, 4}, {4})});
  op.add({"column_by_row", with({3, 1}, {1, 4})});
  op.add({"scalar_tensor", with({2, 5}, {})});
  op.add(Case{"empty_by_one", with({3, 0}, {1, 1})}.plain());
  std::vector<Input> inputs = all({2, 3});
  inputs[last] = weak(fills[last]);
  op.add({"host_scalar", inputs});
}

const Catalogue& catalogue() {
  static const Catalogue all = [] {
    Catalogue c;
    for (const auto family : {add_unary,          add_activations,
                              add_binary,         add_logic,
                              add_convert,        add_movement,
                              add_arrange,        add_index,
                              add_elements,       add_reduce,
                              add_region,         add_sort,
                              add_matmul,         add_products,
                              add_diagonal,       add_conv,
                              add_product_region, add_conv_nd,
                              add_window,         add_adaptive_pool,
                              add_resize,         add_grid_sample,
                              add_softmax,        add_attention,
                              add_recurrent,      add_ctc,
                              add_quantize,       add_quantized_products,
                              add_normalize,      add_normalize_groups,
                              add_loss,           add_loss_pairwise,
                              add_random,         add_random_choice,
                              add_einsum,         add_linalg,
                              add_complex,        add_counted,
                              add_complex_tensors})
      family(c);
    return c;
  }();
  return all;
}

}  // namespace tenon::conformance
