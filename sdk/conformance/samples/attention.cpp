// scaled_dot_product_attention, its gradient, and rotary_embedding.
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

// q, k and v are the inputs from `first` on.
struct Heads {
  Heads(const Call& what, size_t first)
      : call(what), q(what.in(first)), k(what.in(first + 1)), v(what.in(first + 2)) {
    const size_t n = q.rank();
    heads = q.dims[n - 3], rows = q.dims[n - 2], width = q.dims[n - 1];
    keys = k.dims[n - 2], shared = k.dims[n - 3], out = v.dims[n - 1];
    scale = call.attrs.number(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, 0);
    if (scale == 0) scale = 1 / std::sqrt(static_cast<double>(width));
    Dims dims = q.dims;
    dims[n - 1] = keys;
    mask.absent = true;
    if (call.has(first + 3)) mask = broadcast(call.in(first + 3), dims);
    if (keys > 0) queries = q.count() / width;
  }
  int64_t head_of_k(int64_t row) const {
    const int64_t head = row / rows % heads, item = row / rows / heads;
    return item * shared + head / (heads / shared);
  }

  // How much query `row` looks at each key, and how far rounding of the score can change that;
  // false: it sees none.
  bool look(int64_t row, std::vector<double>* weight, std::vector<double>* size) const {
    weight->clear();
    size->clear();
    for (int64_t j = 0; j < keys; ++j) {
      double score = 0, products = 0;
      for (int64_t e = 0; e < width; ++e) {
        const double p = q.real(row * width + e) * k.real((head_of_k(row) * keys + j) * width + e);
        score += p;
        products += std::fabs(p);
      }
      weight->push_back(score * scale + masked(call, mask, row, row % rows, j));
      size->push_back(products * std::fabs(scale) + 1);
    }
    const double top = *std::max_element(weight->begin(), weight->end());
    if (std::isinf(top)) return false;
    double total = 0;
    for (double& w : *weight) total += w = std::exp(w - top);
    for (double& w : *weight) w /= total;
    return true;
  }

  const Call& call;
  const Array &q, &k, &v;
  Array mask;
  int64_t heads, rows, width, keys, shared, out, queries = 0;
  double scale;
};

// What a sum is made of: its value, and the size of its terms.
void add_term(Array& to, int64_t at, double term, double size) {
  to.f[static_cast<size_t>(at)] += term;
  to.scale[static_cast<size_t>(at)] += size;
}

Array zeros(const Array& like, const Dims& dims, int64_t terms) {
  Array y(like.dtype, dims);
  y.scale.assign(y.f.size(), 0);
  y.terms = terms;
  return y;
}

std::vector<Array> attention(const Call& call) {
  const Heads h(call, 0);
  Dims dims = h.q.dims;
  dims.back() = h.out;
  Array y = zeros(h.q, dims, std::max(h.keys, h.width));
  std::vector<double> weight, size;
  for (int64_t row = 0; row < h.queries; ++row) {
    if (!h.look(row, &weight, &size)) continue;
    for (int64_t e = 0; e < h.out; ++e)
      for (int64_t j = 0; j < h.keys; ++j) {
        const auto from = static_cast<size_t>(j);
        const double value = h.v.real((h.head_of_k(row) * h.keys + j) * h.out + e);
        add_term(y, row * h.out + e, weight[from] * value,
                 std::fabs(weight[from] * value) * size[from]);
      }
  }
  return {y};
}

std::vector<Array> attention_grad(const Call& call) {
  const Heads h(call, 2);
  const Array &g = call.in(0), &y = call.in(1);
  const int64_t terms =
      std::max({h.keys, h.width, h.out, h.rows * h.heads / std::max<int64_t>(h.shared, 1)});
  Array dq = zeros(h.q, h.q.dims, terms), dk = zeros(h.q, h.k.dims, terms),
        dv = zeros(h.q, h.v.dims, terms);
  std::vector<double> weight, size;
  for (int64_t row = 0; row < h.queries; ++row) {
    if (!h.look(row, &weight, &size)) continue;
    double sent_back = 0, products = 0;
    for (int64_t e = 0; e < h.out; ++e) {
      const double p = g.real(row * h.out + e) * y.real(row * h.out + e);
      sent_back += p;
      products += std::fabs(p);
    }
    for (int64_t j = 0; j < h.keys; ++j) {
      const int64_t key = h.head_of_k(row) * h.keys + j;
      const double p = weight[static_cast<size_t>(j)], unsure = size[static_cast<size_t>(j)];
      double dp = -sent_back, dp_size = products;
      for (int64_t e = 0; e < h.out; ++e) {
        const double of_g = g.real(row * h.out + e), of_v = h.v.real(key * h.out + e);
        dp += of_g * of_v;
        dp_size += std::fabs(of_g * of_v);
        add_term(dv, key * h.out + e, p * of_g, std::fabs(p * of_g) * unsure);
      }
      for (int64_t e = 0; e < h.width; ++e) {
        const double to_q = p * h.scale * h.k.real(key * h.width + e);
        const double to_k = p * h.scale * h.q.real(row * h.width + e);
        add_term(dq, row * h.width + e, dp * to_q, dp_size * std::fabs(to_q) * unsure);
        add_term(dk, key * h.width + e, dp * to_k, dp_size * std::fabs(to_k) * unsure);
      }
    }
  }
  return {dq, dk, dv};
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

const std::vector<Attr> kCausal{flag(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL, true)};
const Fill kCoin = values({1, 0, 1, 1, 0});

using Inputs = std::function<std::vector<Input>(Dims q, Dims k, Dims v, Input mask)>;

// What both ops are tried with; `inputs` puts what else they take in front of q, k, v and mask.
void add_heads(OpSamples& s, const Inputs& inputs) {
  s.add({"heads", inputs({2, 3, 4}, {2, 5, 4}, {2, 5, 3}, absent())});
  s.add({"batch", inputs({2, 2, 3, 2}, {2, 2, 3, 2}, {2, 2, 3, 2}, absent())});
  s.add({"causal", inputs({1, 2, 4, 3}, {1, 2, 4, 3}, {1, 2, 4, 2}, absent()), kCausal});
  s.add({"causal_more_keys", inputs({2, 3, 2}, {2, 5, 2}, {2, 5, 2}, absent()), kCausal});
  s.add({"causal_fewer_keys", inputs({2, 4, 2}, {2, 2, 2}, {2, 2, 2}, absent()), kCausal});
  s.add({"scale",
         inputs({2, 3, 4}, {2, 2, 4}, {2, 2, 3}, absent()),
         {number(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, -0.7)}});
  s.add({"grouped", inputs({2, 4, 3, 2}, {2, 2, 5, 2}, {2, 2, 5, 3}, absent())});
  s.add({"one_head_of_keys", inputs({3, 2, 4}, {1, 3, 4}, {1, 3, 2}, absent()), kCausal});
  const Input coins = in({2, 4}, kCoin, TN_DTYPE_BOOL);
  s.add({"mask", inputs({2, 2, 3}, {2, 4, 3}, {2, 4, 3}, coins)});
  s.add({"mask_by_head",
         inputs({1, 4, 2, 3}, {1, 2, 3, 3}, {1, 2, 3, 3}, in({4, 1, 3}, kCoin, TN_DTYPE_BOOL)),
         kCausal});
  s.add({"nothing_counts",
         inputs({2, 2, 3}, {2, 4, 3}, {2, 4, 3}, in({2, 1}, values({1, 0}), TN_DTYPE_BOOL))});
  s.add({"bias", inputs({2, 2, 3}, {2, 4, 3}, {2, 4, 3}, in({2, 2, 4}, kAny))});
  s.add({"bias_grouped", inputs({2, 4, 2, 3}, {2, 2, 3, 3}, {2, 2, 3, 3}, in({4, 2, 3}, kAny)),
         kCausal});
  s.add({"bias_row", inputs({2, 2, 3}, {2, 4, 3}, {2, 4, 3}, in({4}, kAny))});
  s.add({"no_batch", inputs({0, 2, 3, 2}, {0, 2, 3, 2}, {0, 2, 3, 2}, absent())});
  s.add({"no_keys", inputs({2, 3, 2}, {2, 0, 2}, {2, 0, 2}, absent())});
  s.add({"no_queries", inputs({2, 0, 2}, {2, 3, 2}, {2, 3, 2}, absent())});
  // Sizes that no block of a kernel divides.
  const auto large = [&](const char* name, std::vector<Input> what, std::vector<Attr> how) {
    s.add(Case{name, std::move(what), std::move(how)}.large());
  };
  large("large", inputs({2, 4, 65, 32}, {2, 2, 67, 32}, {2, 2, 67, 16}, absent()), kCausal);
  large("large_blocks", inputs({1, 2, 157, 40}, {1, 2, 601, 40}, {1, 2, 601, 24}, absent()), {});
  large("large_causal", inputs({1, 4, 157, 24}, {1, 2, 131, 24}, {1, 2, 131, 40}, absent()),
        kCausal);
  large(
      "large_mask",
      inputs({1, 2, 75, 16}, {1, 1, 139, 16}, {1, 1, 139, 72}, in({75, 139}, kCoin, TN_DTYPE_BOOL)),
      kCausal);
  large("large_bias",
        inputs({1, 2, 75, 16}, {1, 1, 139, 16}, {1, 1, 139, 8}, in({2, 1, 139}, kAny)), {});
  // Queries near the least normal number, of which a kernel that takes numbers apart would lose what
  // is denormal.
  const Dims dims{1, 1, 160, 64};
  std::vector<Input> small = inputs(dims, dims, dims, absent());
  small[small.size() - 4] = in(dims, uniform(-1e-36, 1e-36));
  s.add(Case{"large_least_queries", small, {number(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, 1e36)}}
            .large()
            .only({TN_DTYPE_F32}));
}

// And refused with.
void refuse_heads(OpSamples& s, const Inputs& inputs) {
  const auto refuse = [&](const char* name, std::vector<Input> what) {
    s.add(Case{name, std::move(what)}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  };
  refuse("rank2", inputs({3, 4}, {3, 4}, {3, 4}, absent()));
  refuse("widths_differ", inputs({2, 3, 4}, {2, 3, 5}, {2, 3, 4}, absent()));
  refuse("keys_and_values_differ", inputs({2, 3, 4}, {2, 3, 4}, {2, 2, 4}, absent()));
  refuse("heads_do_not_divide", inputs({3, 3, 4}, {2, 3, 4}, {2, 3, 4}, absent()));
  refuse("mask_too_large", inputs({2, 3, 4}, {2, 3, 4}, {2, 3, 4}, in({2, 2, 3, 3}, kAny)));
  refuse("integer_mask", inputs({2, 3, 4}, {2, 3, 4}, {2, 3, 4}, in({3, 3}, kCoin, TN_DTYPE_I32)));
}

void add_attention_op(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_SCALED_DOT_PRODUCT_ATTENTION, "scaled_dot_product_attention");
  s.on(kFloats).gives(attention, kComposite).gradient(Grad::yes);
  const Inputs inputs = [](const Dims& q, const Dims& k, const Dims& v, Input mask) {
    return std::vector<Input>{in(q, kAny), in(k, kAny), in(v, kAny), std::move(mask)};
  };
  add_heads(s, inputs);
  refuse_heads(s, inputs);
}

void add_attention_grad(Catalogue& c) {
  OpSamples& s =
      c.add(TN_OP_SCALED_DOT_PRODUCT_ATTENTION_GRAD, "scaled_dot_product_attention_grad");
  s.on(kFloats).gives(attention_grad, kComposite).gradient(Grad::yes);
  const Inputs inputs = [](const Dims& q, const Dims& k, const Dims& v, Input mask) {
    Dims y = q;
    y.back() = v.back();
    return std::vector<Input>{in(y, kAny), in(y, kAny), in(q, kAny),
                              in(k, kAny), in(v, kAny), std::move(mask)};
  };
  add_heads(s, inputs);
  refuse_heads(s, inputs);
  std::vector<Input> wrong = inputs({2, 3, 4}, {2, 5, 4}, {2, 5, 3}, absent());
  wrong[0] = in({2, 3, 4}, kAny);
  s.add(Case{"g_does_not_fit", wrong}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  std::swap(wrong[0], wrong[1]);
  s.add(Case{"y_does_not_fit", wrong}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
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
  add_attention_grad(c);
  add_rotary(c);
}

}  // namespace tenon::conformance
