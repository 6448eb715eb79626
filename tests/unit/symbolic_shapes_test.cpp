// Each shape rule, run on symbols and then substituted, gives what it gives for the sizes themselves: over the samples of the kit.
#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <set>

#include "base/error.hpp"
#include "op/infer.hpp"
#include "ops/ops.hpp"
#include "tenon/conformance/sample.hpp"

using namespace tenon;
namespace kit = tenon::conformance;

namespace {

// What is replaced: each size by a symbol of its own, the same with attributes that hold dims, or each dim by one of its own.
enum class Symbols { per_size, per_size_and_attrs, per_dim };

// Inputs of a rule, and the views that it sees.
struct Inputs {
  std::deque<Shape> shapes;
  std::deque<tn_view> views;
  std::vector<const tn_view*> pointers;
};

tn_dtype dtype_of_scalar(tn_dtype t) {
  if (t == TN_DTYPE_NONE || kit::is_float(t)) return TN_DTYPE_F64;
  return t == TN_DTYPE_BOOL ? t : TN_DTYPE_I64;
}

void add(Inputs& in, tn_dtype dtype, const std::vector<int64_t>& dims, bool symbolic,
         uint8_t flags) {
  Shape& s = in.shapes.emplace_back();
  s.dtype = dtype;
  s.rank = static_cast<uint8_t>(dims.size());
  for (size_t k = 0; k < dims.size(); ++k) s.dims[k] = dims[k];
  if (!symbolic) s.set_dense();
  tn_view v{};
  v.dims = s.dims;
  v.strides = symbolic ? nullptr : s.strides;
  v.count = symbolic ? -1 : s.count();
  v.dtype = dtype;
  v.rank = s.rank;
  v.flags = static_cast<uint8_t>(flags | (symbolic ? 0u : TN_VIEW_CONTIGUOUS));
  in.views.push_back(v);
  in.pointers.push_back(&in.views.back());
}

// `rename` gives the dim to show for a size. A size of one stays what it is: a rule may know that it repeats.
Inputs inputs_of(const OpEntry& op, const kit::Case& c, tn_dtype dtype,
                 const std::function<int64_t(int64_t)>& rename) {
  Inputs in;
  for (const kit::Input& i : c.inputs) {
    const tn_dtype type = i.dtype != TN_DTYPE_NONE ? i.dtype : dtype;
    if (i.absent) {
      in.views.push_back({0, 0, nullptr, nullptr, 0, 0, 0, TN_VIEW_ABSENT, 0});
      in.pointers.push_back(&in.views.back());
    } else if (i.weak) {
      add(in, dtype_of_scalar(type), {}, false, TN_VIEW_IMMEDIATE | TN_VIEW_WEAK);
    } else {
      std::vector<int64_t> dims;
      bool symbolic = false;
      for (const int64_t d : i.dims) {
        const bool known = d == 1 || (i.known_last && dims.size() + 1 == i.dims.size());
        dims.push_back(known ? d : rename(d));
        symbolic |= is_symbolic(dims.back());
      }
      add(in, type, dims, symbolic, 0);
    }
  }
  if (op.n_state && in.pointers.size() <= op.n_fixed - op.n_state) {
    while (in.pointers.size() < op.n_fixed - op.n_state) {
      in.views.push_back({0, 0, nullptr, nullptr, 0, 0, 0, TN_VIEW_ABSENT, 0});
      in.pointers.push_back(&in.views.back());
    }
    for (int k = 0; k < 3; ++k) add(in, TN_DTYPE_U64, {}, false, TN_VIEW_IMMEDIATE);
  }
  return in;
}

// The attributes of a call whose lists of dims (an attribute named so), and one size n, have other names for their sizes.
struct RenamedAttrs {
  Attrs attrs;
  std::deque<std::vector<int64_t>> lists;
};
RenamedAttrs renamed(const OpEntry& op, const std::vector<tn_attr>& given,
                     const std::function<int64_t(int64_t)>& rename) {
  RenamedAttrs out;
  out.attrs = complete_attrs(op, given.data(), static_cast<uint32_t>(given.size()));
  for (uint32_t k = 0; k < op.def.n_attrs; ++k) {
    tn_attr& a = out.attrs.items[k];
    if (op.def.n_params && view_of(op.def.attrs[k].name) == "n" && static_cast<int64_t>(a.bits) > 1)
      a.bits = static_cast<uint64_t>(rename(static_cast<int64_t>(a.bits)));
    if (view_of(op.def.attrs[k].name) != "dims" || a.tag != TN_ATTR_I64S || a.bits == 0) continue;
    const auto* d = static_cast<const int64_t*>(a.data);
    std::vector<int64_t>& list = out.lists.emplace_back(d, d + a.bits);
    for (int64_t& x : list)
      if (x != -1 && x != 1) x = rename(x);
    a.data = list.data();
  }
  return out;
}

std::string text_of(const Inferred& r) {
  std::string out;
  for (const InferredOutput& o : r.outputs)
    out += shape_text(o.shape.dtype, o.shape.rank, o.shape.dims) + " ";
  return out;
}

// The rule's result on symbols with the sizes put back in.
Inferred substituted(Inferred r, const SymTable& symbols, const std::vector<int64_t>& values) {
  for (InferredOutput& o : r.outputs)
    for (int k = 0; k < o.shape.rank; ++k)
      o.shape.dims[k] = SymTable::Values(symbols, values, nullptr)(o.shape.dims[k]);
  return r;
}

struct Tally {
  int compared = 0, refused = 0;
  std::set<std::string> with_symbols;  // ops
};

void compare(const OpEntry& op, const kit::OpSamples& samples, const kit::Case& c, tn_dtype dtype,
             Symbols how, Tally& tally) {
  CAPTURE(samples.name);
  CAPTURE(c.name);
  CAPTURE(kit::name_of(dtype));
  CAPTURE(static_cast<int>(how));
  std::vector<tn_attr> given = c.attrs.encode();
  Attrs attrs;
  Inferred want;
  const Inputs concrete = inputs_of(op, c, dtype, [](int64_t d) { return d; });
  try {
    attrs = complete_attrs(op, given.data(), static_cast<uint32_t>(given.size()));
    want = infer(op, concrete.pointers, attrs);
  } catch (const Error&) {
    ++tally.refused;
    return;
  }
  SymTable symbols;
  std::vector<int64_t> values;
  std::map<int64_t, int64_t> known;
  const auto rename = [&](int64_t d) {
    if (how != Symbols::per_dim && known.count(d)) return known[d];
    const int64_t symbol = symbols.symbol("n" + std::to_string(values.size()));
    values.push_back(d);
    known[d] = symbol;
    return symbol;
  };
  const Inputs shown = inputs_of(op, c, dtype, rename);
  RenamedAttrs symbolic;
  if (how == Symbols::per_size_and_attrs) symbolic = renamed(op, given, rename);
  Inferred got;
  try {
    const Attrs& used = how == Symbols::per_size_and_attrs ? symbolic.attrs : attrs;
    got = substituted(infer(op, shown.pointers, used, &symbols), symbols, values);
  } catch (const Error& e) {
    const std::string message = e.message();
    CHECK_MESSAGE(false, message);
    return;
  }
  if (!values.empty()) tally.with_symbols.insert(samples.name);
  ++tally.compared;
  CHECK(text_of(got) == text_of(want));
  CHECK(got.casts == want.casts);
  // What the rule took for granted must be so.
  SymTable::Values value(symbols, values, nullptr);
  for (const auto& [a, b, by] : symbols.assumed()) CHECK(value(a) == value(b));
}

// An op without inputs whose sizes are numbers among its attributes has no dims to replace.
bool has_dims(const OpEntry& op) {
  if (op.def.n_params > 0) return true;
  for (uint32_t k = 0; k < op.def.n_attrs; ++k)
    if (view_of(op.def.attrs[k].name) == "dims") return true;
  return false;
}

std::vector<tn_op> ids_of(const CoreOps& core) {
  std::vector<tn_op> ids;
  for (size_t i = 0; i < CoreOps::kCount; ++i) ids.push_back(core.id(i));
  return ids;
}

void compare_all(Symbols how) {
  const CoreOps core;
  const std::vector<tn_op> ids = ids_of(core);
  const OpRegistry registry(core.defs(), ids.data());
  Tally tally;
  for (const kit::OpSamples& samples : kit::catalogue().ops())
    for (const kit::Case& c : samples.cases)
      for (const tn_dtype dtype : c.dtypes.empty() ? samples.dtypes : c.dtypes)
        compare(registry.get(samples.op), samples, c, dtype, how, tally);
  MESSAGE(tally.compared << " calls compared, " << tally.refused << " refused with plain sizes");
  CHECK(tally.compared > 5000);
  if (how != Symbols::per_size_and_attrs) return;  // some have dims in attributes alone
  for (uint32_t slot = 0; slot < registry.count(); ++slot) {
    const std::string name(registry.at(slot)->name());
    CAPTURE(name);
    CHECK(tally.with_symbols.count(name) == (has_dims(*registry.at(slot)) ? 1 : 0));
  }
}

}  // namespace

TEST_CASE("shapes: each rule on one symbol per size") { compare_all(Symbols::per_size); }

TEST_CASE("shapes: each rule on one symbol per size, attributes too") {
  compare_all(Symbols::per_size_and_attrs);
}

TEST_CASE("shapes: each rule on one symbol per dim") { compare_all(Symbols::per_dim); }

TEST_CASE("symbols: deep expressions and shared ones are computed once, and told in short") {
  SymTable symbols;
  const int64_t n = symbols.symbol("n");
  int64_t doubled = n, deep = n;
  for (int i = 0; i < 60; ++i) doubled = symbols.make(SymTable::Kind::kAdd, doubled, doubled);
  for (int i = 0; i < 20000; ++i) deep = symbols.make(SymTable::Kind::kAdd, deep, 1);
  const std::vector<int64_t> values = {3};
  SymTable::Values value(symbols, values, nullptr);
  CHECK(value(deep) == 20003);
  CHECK(value(doubled) == int64_t{3} << 60);
  CHECK(symbols.text(deep).size() < 150);
  CHECK(symbols.text(doubled).size() < 150);
  CHECK(symbols.text(deep) != symbols.text(symbols.make(SymTable::Kind::kAdd, deep, 1)));
  const int64_t sum = symbols.make(SymTable::Kind::kAdd, n, 4);
  CHECK((symbols.text(sum) == "(n + 4)" || symbols.text(sum) == "(4 + n)"));
}
