#include "infer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/sym.hpp"

namespace tenon::ops {
namespace {

std::string kinds_text(uint32_t kinds) {
  if (kinds == kNumber) return "numeric";
  std::string s;
  auto part = [&](uint32_t bit, const char* name) {
    if (!(kinds & bit)) return;
    if (!s.empty()) s += " or ";
    s += name;
  };
  part(kBool, "bool");
  part(kInt, "integer");
  part(kFloat, "floating point");
  part(kComplex, "complex");
  return s;
}

const char* cast_hint(uint32_t kinds) {
  if (kinds & kFloat) return "f32";
  return kinds & kInt ? "i64" : "bool";
}

}  // namespace

static Text text_of(const std::string& s) {
  Text t;
  t.chars[s.copy(t.chars, sizeof t.chars - 1)] = 0;
  return t;
}

Text dim_text(int64_t dim) { return text_of(dim_name(dim)); }

Text numbers_text(std::span<const int64_t> numbers) {
  std::string s = "[";
  for (const int64_t v : numbers) s += fmt::format("{}{}", s.size() > 1 ? ", " : "", v);
  return text_of(s + "]");
}

Text dims_text(std::span<const int64_t> dims) {
  std::string s = "[";
  for (const int64_t d : dims) s += (s.size() > 1 ? ", " : "") + dim_name(d);
  return text_of(s + "]");
}

Dims Infer::dims(uint32_t i) const {
  Dims out;
  const tn_view& v = in(i);
  for (uint32_t a = 0; a < v.rank; ++a) out.push(v.dims[a]);
  return out;
}

const char* Infer::text(uint32_t i) const {
  char* to = texts_[n_texts_++ % kTexts];
  const std::string text =
      !has(i)   ? "absent"
      : weak(i) ? fmt::format("a {} scalar", kinds_text(kind_of(dtype(i))))
                : tn_dtype_name(dtype(i)) + std::string(dims_text({in(i).dims, rank(i)}).chars);
  to[text.copy(to, kTextBytes - 1)] = 0;
  return to;
}

std::string_view Infer::string(uint32_t key) const {
  const tn_attr& a = attr(key);
  return {static_cast<const char*>(a.data), static_cast<size_t>(a.bits)};
}

std::span<const int64_t> Infer::list(uint32_t key) const {
  const tn_attr& a = attr(key);
  return {static_cast<const int64_t*>(a.data), static_cast<size_t>(a.bits)};
}

int64_t Infer::plus(int64_t dim, int64_t number) const {
  if (!concrete(dim))
    return number >= 0 ? add(dim, number) : sub(dim, -std::max(number, -INT64_MAX));
  int64_t sum = 0;
  return __builtin_add_overflow(dim, number, &sum) || sum < 0 ? INT64_MIN : sum;
}

// ---- dtypes

tn_error* Infer::error_with(fmt::string_view format, fmt::format_args args) const {
  return error_of(TN_INVALID_ARGUMENT, fmt::vformat(format, args));
}

tn_error* Infer::require_kind(uint32_t i, const char* name, uint32_t kinds) const {
  if (kind_of(dtype(i)) & kinds) return nullptr;
  return error("{} is {}; it must be {}. Cast it first (cast, dtype = {}).", name, text(i),
               kinds_text(kinds), cast_hint(kinds));
}

tn_error* Infer::single(uint32_t i, const char* name, uint32_t kinds, tn_dtype* out) const {
  tn_dtype t = weak(i) ? c_->v->promote(c_, i, i) : dtype(i);
  if (weak(i) && !(kind_of(t) & kinds) && (kinds & kFloat)) t = TN_DTYPE_F32;
  if (!(kind_of(t) & kinds)) return require_kind(i, name, kinds);
  cast(i, t);
  *out = t;
  return nullptr;
}

// Typed inputs first, pair by pair; then the weak scalars, which can only raise the kind.
tn_error* Infer::promote(std::span<const uint32_t> inputs, tn_dtype* out) const {
  tn_dtype t = TN_DTYPE_NONE;
  int64_t typed = -1;
  for (const uint32_t i : inputs) {
    if (!has(i) || weak(i)) continue;
    const tn_dtype before = t;
    t = typed < 0 ? dtype(i) : tn_dtype_promote(t, dtype(i));
    if (t == TN_DTYPE_NONE)
      return error("{} and {} have no common dtype. Cast one of them.", tn_dtype_name(before),
                   tn_dtype_name(dtype(i)));
    if (typed < 0 || dtype(i) == t) typed = i;
  }
  int64_t first_weak = -1;
  for (const uint32_t i : inputs) {
    if (!has(i) || !weak(i)) continue;
    if (first_weak < 0) first_weak = i;
    const auto other = static_cast<uint32_t>(typed >= 0 ? typed : first_weak);
    const tn_dtype p = c_->v->promote(c_, other, i);
    if (p == TN_DTYPE_NONE)
      return error("{} takes no part in arithmetic with a scalar. Cast it.", text(other));
    if (t == TN_DTYPE_NONE || kind_of(p) > kind_of(t)) t = p;
  }
  *out = t;
  return nullptr;
}

tn_error* Infer::common_of(std::span<const uint32_t> inputs, uint32_t kinds, tn_dtype* out) const {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(promote(inputs, &t));
  if (!(kind_of(t) & kinds)) {
    const bool all_weak =
        std::all_of(inputs.begin(), inputs.end(), [&](uint32_t i) { return !has(i) || weak(i); });
    if (!all_weak || !(kinds & kFloat)) {
      std::string list;
      for (const uint32_t i : inputs)
        if (has(i)) list += std::string((list.empty() ? "" : " and ")) + text(i);
      return error("the inputs are {}; they must be {}. Cast them first (cast, dtype = {}).", list,
                   kinds_text(kinds), cast_hint(kinds));
    }
    t = TN_DTYPE_F32;
  }
  for (const uint32_t i : inputs)
    if (has(i)) cast(i, t);
  *out = t;
  return nullptr;
}

tn_error* Infer::common(std::initializer_list<uint32_t> inputs, uint32_t kinds,
                        tn_dtype* out) const {
  return common_of({inputs.begin(), inputs.size()}, kinds, out);
}

namespace {
std::vector<uint32_t> first_numbers(uint32_t n) {
  std::vector<uint32_t> out(n);
  std::iota(out.begin(), out.end(), 0u);
  return out;
}
}  // namespace

tn_error* Infer::common_all(uint32_t kinds, tn_dtype* out) const {
  return common_of(first_numbers(count()), kinds, out);
}

void Infer::cast(uint32_t i, tn_dtype to) const {
  if (dtype(i) != to || weak(i)) c_->v->cast_input(c_, i, to);
}

// ---- shapes

tn_error* Infer::broadcast(std::initializer_list<uint32_t> inputs, Dims* out) const {
  return broadcast_of({inputs.begin(), inputs.size()}, out);
}

tn_error* Infer::broadcast_all(Dims* out) const {
  return broadcast_of(first_numbers(count()), out);
}

tn_error* Infer::broadcast_of(std::span<const uint32_t> inputs, Dims* out) const {
  Dims result;
  for (const uint32_t i : inputs)
    if (has(i)) result.n = std::max(result.n, rank(i));
  for (uint32_t a = 0; a < result.n; ++a) {
    int64_t d = 1;
    for (const uint32_t i : inputs) {
      if (!has(i) || a + rank(i) < result.n) continue;
      const int64_t other = dim(i, a + rank(i) - result.n);
      const int64_t both = c_->v->dim_broadcast(c_, d, other);
      if (both == -1) {
        std::string list;
        for (const uint32_t k : inputs)
          if (has(k)) list += std::string((list.empty() ? "" : " and ")) + text(k);
        return error(
            "shapes do not broadcast: {} (axis {} from the end: {} against {}; they must be equal "
            "or 1)",
            list, result.n - a, dim_text(d), dim_text(other));
      }
      d = both;
    }
    result[a] = d;
  }
  *out = result;
  return nullptr;
}

tn_error* Infer::require_rank(uint32_t i, const char* name, uint32_t wanted,
                              const char* form) const {
  if (rank(i) == wanted) return nullptr;
  return error("{} is {}; it must have rank {}: {}", name, text(i), wanted, form);
}

tn_error* Infer::require_scalar(uint32_t i, const char* name) const {
  if (rank(i) == 0) return nullptr;
  return error("{} is {}; it must be a scalar (rank 0)", name, text(i));
}

tn_error* Infer::axis(int64_t value, uint32_t rank, uint32_t* out) const {
  const auto n = static_cast<int64_t>(rank);
  if (value < -n || value >= n) {
    if (n == 0)
      return error_of(TN_OUT_OF_RANGE,
                      fmt::format("axis {}: a tensor of rank 0 has no axes", value));
    return error_of(
        TN_OUT_OF_RANGE,
        fmt::format("axis {} is out of range for rank {}: use {} to {}", value, n, -n, n - 1));
  }
  *out = static_cast<uint32_t>(value < 0 ? value + n : value);
  return nullptr;
}

tn_error* Infer::axes(std::span<const int64_t> values, uint32_t rank, uint32_t if_empty,
                      uint32_t* mask) const {
  uint32_t found = 0;
  for (const int64_t value : values) {
    uint32_t a = 0;
    TN_TRY(axis(value, rank, &a));
    if (found & (1u << a))
      return error("axis {} stands twice in axes {}", value, numbers_text(values));
    found |= 1u << a;
  }
  *mask = values.empty() ? if_empty : found;
  return nullptr;
}

tn_error* Infer::length(uint32_t key, const char* name, uint32_t n, bool or_empty) const {
  const size_t found = list(key).size();
  if (found == n || (or_empty && found == 0)) return nullptr;
  return error("{} has {} entries; it must have {}{}", name, found, n, or_empty ? " or none" : "");
}

tn_error* Infer::within(uint32_t key, const char* name, int64_t least, int64_t most) const {
  const int64_t one = i64(key);
  const bool is_list = attr(key).tag == TN_ATTR_I64S;
  for (const int64_t v : is_list ? list(key) : std::span(&one, 1)) {
    if (v >= least && v <= most) continue;
    return error("{} {} {}; it must be {}{}", name, is_list ? "has" : "is", v, least,
                 most == INT64_MAX ? " or more" : fmt::format(" to {}", most));
  }
  return nullptr;
}

tn_error* Infer::finite(uint32_t key, const char* name) const {
  if (std::isfinite(f64(key))) return nullptr;
  return error("{} is {}; it must be a finite number", name, f64(key));
}

tn_error* Infer::dtype_attr(uint32_t key, uint32_t kinds) const {
  const tn_dtype t = type(key);
  const std::string_view name = tn_dtype_name(t);
  if ((kind_of(t) & kinds) && name != "?") return nullptr;
  return error("dtype is {}; it must be {}",
               name == "?" ? fmt::format("{:#x}, which is none", t) : std::string(name),
               kinds == kAnyKind ? "one" : kinds_text(kinds));
}

tn_error* Infer::dims_attr(uint32_t key, Dims* out) const {
  const auto values = list(key);
  if (values.size() > TN_MAX_RANK) return check_rank(static_cast<uint32_t>(values.size()));
  Dims result;
  for (const int64_t d : values) {
    if (d == -1) return error("dims {}: -1 has no meaning here, give the size", dims_text(values));
    result.push(d);
  }
  TN_TRY(check_count(result));
  *out = result;
  return nullptr;
}

tn_error* Infer::check_count(const Dims& dims) const {
  int64_t count = 1;
  for (const int64_t d : dims) {
    // Zero-sized dims do not excuse an overflow elsewhere: strides are products of the others.
    if (d > 0 && __builtin_mul_overflow(count, d, &count))
      return error_of(TN_OUT_OF_RANGE,
                      fmt::format("dims {}: the number of elements overflows 64 bits",
                                  dims_text({dims.d, dims.n}).chars));
  }
  return nullptr;
}

tn_error* Infer::check_rank(uint32_t rank) const {
  if (rank <= TN_MAX_RANK) return nullptr;
  return error_of(TN_OUT_OF_RANGE,
                  fmt::format("rank {}: a tensor has at most {} dims", rank, TN_MAX_RANK));
}

tn_error* Infer::choice(const char* name, std::string_view found,
                        std::initializer_list<std::string_view> allowed) const {
  std::string list;
  for (const std::string_view a : allowed) {
    if (a == found) return nullptr;
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", a);
  }
  return error("{} is '{}'; it must be one of {}", name, found, list);
}

tn_error* Infer::elementwise(tn_dtype t, const Dims& result,
                             std::initializer_list<uint32_t> inputs) const {
  TN_TRY(out(0, t, result));
  for (const uint32_t i : inputs) {
    if (!has(i) || weak(i) || dtype(i) != t || rank(i) != result.n) continue;
    bool equal = true;
    for (uint32_t a = 0; a < result.n && equal; ++a) equal = same(dim(i, a), result[a]);
    if (equal) c_->v->alias(c_, 0, i);
  }
  return nullptr;
}

tn_error* elementwise_of_one(const Infer& c, uint32_t kinds) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kinds, &t));
  return c.elementwise(t, c.dims(0), {0});
}

tn_error* elementwise_of_two(const Infer& c, uint32_t kinds) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kinds, &t));
  Dims dims;
  TN_TRY(c.broadcast({0, 1}, &dims));
  return c.elementwise(t, dims, {0, 1});
}

}  // namespace tenon::ops
