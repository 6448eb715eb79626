// scaled_dot_product_attention and rotary_embedding.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

// What is added to the score of query i and key j: -infinity where the key does not count.
double masked(const Call& call, const Array& mask, int64_t row, int64_t i, int64_t j) {
  const double never = -std::numeric_limits<double>::infinity();
  if (call.attrs.flag(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL) && j > i) return never;
  if (mask.absent) return 0;
  const int64_t at = row * mask.dims.back() + j;
  return mask.floating() ? mask.real(at) : mask.integer(at) != 0 ? 0 : never;
}

std::vector<Array> attention(const Call& call) {
  const Array &q = call.in(0), &k = call.in(1), &v = call.in(2);
  const size_t n = q.rank();
  const int64_t heads = q.dims[n - 3], rows = q.dims[n - 2], width = q.dims[n - 1];
  const int64_t keys = k.dims[n - 2], shared = k.dims[n - 3], out = v.dims[n - 1];
  double scale = call.attrs.number(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, 0);
  if (scale == 0) scale = 1 / std::sqrt(static_cast<double>(width));
  Dims dims = q.dims;
  dims[n - 1] = keys;
  Array mask;
  mask.absent = true;
  if (call.has(3)) mask = broadcast(call.in(3), dims);
  dims[n - 1] = out;
  Array y(q.dtype, dims);
  y.scale.assign(y.f.size(), 0);
  y.terms = std::max(keys, width);
  const int64_t batch = q.count() / std::max<int64_t>(heads * rows * width, 1);
  for (int64_t row = 0; row < batch * heads * rows && keys > 0; ++row) {
    const int64_t head = row / rows % heads, item = row / rows / heads;
    const int64_t head_of_k = item * shared + head / (heads / shared);
    std::vector<double> weight, size;
    for (int64_t j = 0; j < keys; ++j) {
      double score = 0, products = 0;
      for (int64_t e = 0; e < width; ++e) {
        const double p = q.real(row * width + e) * k.real((head_of_k * keys + j) * width + e);
        score += p;
        products += std::fabs(p);
      }
      weight.push_back(score * scale + masked(call, mask, row, row % rows, j));
      size.push_back(products * std::fabs(scale) + 1);
    }
    const double top = *std::max_element(weight.begin(), weight.end());
    if (std::isinf(top)) continue;
    double total = 0;
    for (double& w : weight) total += w = std::exp(w - top);
    for (int64_t e = 0; e < out; ++e)
      for (int64_t j = 0; j < keys; ++j) {
        const auto at = static_cast<size_t>(row * out + e), from = static_cast<size_t>(j);
        const double term = weight[from] / total * v.real((head_of_k * keys + j) * out + e);
        y.f[at] += term;
        y.scale[at] += std::fabs(term) * size[from];
      }
  }
  return {y};
}

std::vector<Array> rotary(const Call& call) {
  const Array& x = call.in(0);
  const int64_t width = x.dims.back(), rows = x.dims[x.rank() - 2];
  const double base = call.attrs.number(TN_ROTARY_EMBEDDING_BASE, 10000);
  const bool interleaved = call.attrs.flag(TN_ROTARY_EMBEDDING_INTERLEAVED);
  Array positions;
  if (call.has(1)) positions = broadcast(call.in(1), Dims(x.dims.begin(), x.dims.end() - 1));
  Array y(x.dtype, x.dims);
  y.scale.assign(y.f.size(), 0);
  for (int64_t k = 0; k < x.count(); ++k) {
    const int64_t row = k / width, e = k % width;
    const int64_t i = interleaved ? e / 2 : e % (width / 2);
    const bool second = interleaved ? e % 2 == 1 : e >= width / 2;
    const int64_t partner = k + (interleaved ? 1 : width / 2) * (second ? -1 : 1);
    const auto position = static_cast<double>(call.has(1) ? positions.integer(row) : row % rows);
    const double angle =
        position / std::pow(base, 2 * static_cast<double>(i) / static_cast<double>(width));
    y.f[static_cast<size_t>(k)] =
        x.real(k) * std::cos(angle) + x.real(partner) * std::sin(angle) * (second ? 1 : -1);
    y.scale[static_cast<size_t>(k)] =
        (std::fabs(x.real(k)) + std::fabs(x.real(partner))) * (1 + std::fabs(angle));
  }
  return {y};
}

const Fill kAny = uniform(-2, 2);

void add_attention_op(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_SCALED_DOT_PRODUCT_ATTENTION, "scaled_dot_product_attention");
  s.on(kFloats).gives(attention, kComposite).gradient(Grad::yes);
  const auto inputs = [](const Dims& q, const Dims& k, const Dims& v, Input mask = absent()) {
    return std::vector<Input>{in(q, kAny), in(k, kAny), in(v, kAny), std::move(mask)};
  };
  const std::vector<Attr> causal{flag(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL, true)};
  s.add({"heads", inputs({2, 3, 4}, {2, 5, 4}, {2, 5, 3})});
  s.add({"batch", inputs({2, 2, 3, 2}, {2, 2, 3, 2}, {2, 2, 3, 2})});
  s.add({"causal", inputs({1, 2, 4, 3}, {1, 2, 4, 3}, {1, 2, 4, 2}), causal});
  s.add({"causal_more_keys", inputs({2, 3, 2}, {2, 5, 2}, {2, 5, 2}), causal});
  s.add({"causal_fewer_keys", inputs({2, 4, 2}, {2, 2, 2}, {2, 2, 2}), causal});
  s.add({"scale",
         inputs({2, 3, 4}, {2, 2, 4}, {2, 2, 3}),
         {number(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, -0.7)}});
  s.add({"grouped", inputs({2, 4, 3, 2}, {2, 2, 5, 2}, {2, 2, 5, 3})});
  s.add({"one_head_of_keys", inputs({3, 2, 4}, {1, 3, 4}, {1, 3, 2}), causal});
  const Fill coin = values({1, 0, 1, 1, 0});
  s.add({"mask", inputs({2, 2, 3}, {2, 4, 3}, {2, 4, 3}, in({2, 4}, coin, TN_DTYPE_BOOL))});
  s.add({"mask_by_head",
         inputs({1, 4, 2, 3}, {1, 2, 3, 3}, {1, 2, 3, 3}, in({4, 1, 3}, coin, TN_DTYPE_BOOL)),
         causal});
  s.add({"nothing_counts",
         inputs({2, 2, 3}, {2, 4, 3}, {2, 4, 3}, in({2, 1}, values({1, 0}), TN_DTYPE_BOOL))});
  s.add({"bias", inputs({2, 2, 3}, {2, 4, 3}, {2, 4, 3}, in({2, 2, 4}, kAny))});
  s.add({"bias_grouped", inputs({2, 4, 2, 3}, {2, 2, 3, 3}, {2, 2, 3, 3}, in({4, 2, 3}, kAny)),
         causal});
  s.add({"bias_row", inputs({2, 2, 3}, {2, 4, 3}, {2, 4, 3}, in({4}, kAny))});
  s.add({"no_batch", inputs({0, 2, 3, 2}, {0, 2, 3, 2}, {0, 2, 3, 2})});
  s.add({"no_keys", inputs({2, 3, 2}, {2, 0, 2}, {2, 0, 2})});
  s.add({"no_queries", inputs({2, 0, 2}, {2, 3, 2}, {2, 3, 2})});
  s.add(Case{"large", inputs({2, 4, 65, 32}, {2, 2, 67, 32}, {2, 2, 67, 16}), causal}.large());
  const auto refuse = [&](const char* name, std::vector<Input> what) {
    s.add(Case{name, std::move(what)}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  };
  refuse("rank2", inputs({3, 4}, {3, 4}, {3, 4}));
  refuse("widths_differ", inputs({2, 3, 4}, {2, 3, 5}, {2, 3, 4}));
  refuse("keys_and_values_differ", inputs({2, 3, 4}, {2, 3, 4}, {2, 2, 4}));
  refuse("heads_do_not_divide", inputs({3, 3, 4}, {2, 3, 4}, {2, 3, 4}));
  refuse("mask_too_large", inputs({2, 3, 4}, {2, 3, 4}, {2, 3, 4}, in({2, 2, 3, 3}, kAny)));
  refuse("integer_mask", inputs({2, 3, 4}, {2, 3, 4}, {2, 3, 4}, in({3, 3}, coin, TN_DTYPE_I32)));
}

void add_rotary(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_ROTARY_EMBEDDING, "rotary_embedding");
  s.on(kFloats).gives(rotary, kComposite).gradient(Grad::yes);
  const std::vector<Attr> pairs{flag(TN_ROTARY_EMBEDDING_INTERLEAVED, true)};
  const Fill places = indices(40);
  s.add({"rows", {in({5, 6}, kAny), absent()}});
  s.add({"interleaved", {in({5, 6}, kAny), absent()}, pairs});
  s.add({"heads", {in({2, 3, 4, 4}, kAny), absent()}});
  s.add({"positions", {in({2, 3, 4}, kAny), in({3}, places, TN_DTYPE_I64)}});
  s.add(
      {"positions_by_batch", {in({2, 2, 3, 4}, kAny), in({2, 1, 3}, places, TN_DTYPE_I32)}, pairs});
  s.add({"one_position", {in({3, 4}, kAny), in({}, places, TN_DTYPE_I64)}});
  s.add({"base", {in({4, 8}, kAny), absent()}, {number(TN_ROTARY_EMBEDDING_BASE, 100)}});
  s.add({"empty", {in({0, 3, 4}, kAny), absent()}});
  s.add({"no_width", {in({3, 0}, kAny), absent()}});
  s.add(Case{"large", {in({2, 4, 65, 32}, kAny), absent()}}.large());
  const auto refuse = [&](const char* name, std::vector<Input> what, std::vector<Attr> how = {}) {
    s.add(Case{name, std::move(what), std::move(how)}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
  };
  refuse("odd", {in({3, 5}, kAny), absent()});
  refuse("rank1", {in({4}, kAny), absent()});
  refuse("float_positions", {in({3, 4}, kAny), in({3}, kAny)});
  refuse("positions_do_not_fit", {in({3, 4}, kAny), in({2}, places, TN_DTYPE_I64)});
  refuse("no_base", {in({3, 4}, kAny), absent()}, {number(TN_ROTARY_EMBEDDING_BASE, 0)});
}

}  // namespace

void add_attention(Catalogue& c) {
  add_attention_op(c);
  add_rotary(c);
}

}  // namespace tenon::conformance
