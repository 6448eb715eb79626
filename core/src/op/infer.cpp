#include "infer.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace tenon {
namespace {

struct Infer : tn_infer {
  const OpEntry* op;
  const std::vector<const tn_view*>* inputs;
  const Attrs* attrs;
  SymTable* symbols;
  Inferred result;
  std::optional<Error> pending;  // of a function that cannot return one

  // The name of the attribute that has this number; "" for none.
  std::string_view giver_of(int64_t number) const {
    for (uint32_t k = 0; k < op->def.n_attrs; ++k) {
      const tn_attr& a = attrs->items[k];
      const auto* list = static_cast<const int64_t*>(a.data);
      if (a.tag == TN_ATTR_I64 ? static_cast<int64_t>(a.bits) == number
                               : a.tag == TN_ATTR_I64S && std::count(list, list + a.bits, number))
        return view_of(op->def.attrs[k].name);
    }
    return {};
  }
  // Outside a capture what is below 0 is no symbol: either it was given, or it came out of what was given.
  [[noreturn]] void not_a_size(int64_t size) const {
    const std::string_view giver = giver_of(size);
    if (is_symbolic(size)) fail(TN_INVALID_ARGUMENT, "{} has a size of another capture", giver);
    if (!giver.empty())
      fail(TN_INVALID_ARGUMENT, "attribute {} has {}; a size cannot be negative", giver, size);
    fail(TN_INVALID_ARGUMENT, "a size comes out as {}; it cannot be negative", size);
  }
  void require_size(int64_t size) const {
    if (size < -1 && !(symbols && symbols->has(size))) not_a_size(size);
  }
  int64_t combine(SymTable::Kind kind, int64_t a, int64_t b) noexcept {
    try {
      require_size(a);
      require_size(b);
      return symbols ? symbols->make(kind, a, b) : dim_apply(kind, a, b);
    } catch (...) {
      if (!pending) pending.emplace(guard([&] { blame(b == 0 ? 0 : std::max(a, b)); }));
      return 0;
    }
  }
  // Throws again what was caught; where sizes overflow it names the attribute that has this number.
  [[noreturn]] void blame(int64_t number) const {
    try {
      throw;
    } catch (const Error& e) {
      const std::string_view giver = giver_of(number);
      if (e.code() != TN_OUT_OF_RANGE || giver.empty()) throw;
      fail(e.code(), "attribute {} has {}: {}", giver, number, e.message());
    }
  }
};

Infer& self(tn_infer* c) { return *static_cast<Infer*>(c); }

template <SymTable::Kind kind>
int64_t TN_CALL dim_op(tn_infer* c, int64_t a, int64_t b) {
  return self(c).combine(kind, a, b);
}

int32_t TN_CALL dim_equal(tn_infer* c, int64_t a, int64_t b) {
  Infer& s = self(c);
  if (a == b) return 1;
  return s.symbols ? s.symbols->equal(a, b) : 0;
}

int64_t TN_CALL dim_broadcast(tn_infer* c, int64_t a, int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  Infer& s = self(c);
  if (s.symbols && (is_symbolic(a) || is_symbolic(b))) {
    try {
      s.require_size(a);
      s.require_size(b);
      s.symbols->assume_equal(a, b, s.op->name());
    } catch (...) {
      s.pending.emplace(error_from_exception());
    }
    return is_symbolic(a) ? b : a;  // the concrete one, if there is one
  }
  return -1;
}

uint32_t TN_CALL input_count(tn_infer* c) { return static_cast<uint32_t>(self(c).inputs->size()); }
const tn_view* TN_CALL input(tn_infer* c, uint32_t i) {
  static const tn_view absent{0, 0, nullptr, nullptr, 0, 0, 0, TN_VIEW_ABSENT, 0};
  return i < self(c).inputs->size() ? (*self(c).inputs)[i] : &absent;
}
const tn_attr* TN_CALL attr(tn_infer* c, uint32_t k) {
  static const tn_attr none{};
  Infer& s = self(c);
  const size_t n = s.attrs->items.size();
  if (k < n) return &s.attrs->items[k];
  if (!s.pending)
    s.pending.emplace(guard([&] {
      fail(TN_INVALID_ARGUMENT, "its rule asks for attribute {} of {}, counted from 0", k, n);
    }));
  return &none;
}

tn_dtype TN_CALL promote_inputs(tn_infer* c, uint32_t a, uint32_t b) {
  const tn_view *x = input(c, a), *y = input(c, b);
  return promote(x->dtype, x->flags & TN_VIEW_WEAK, y->dtype, y->flags & TN_VIEW_WEAK);
}

void TN_CALL cast_input(tn_infer* c, uint32_t i, tn_dtype dtype) {
  Infer& s = self(c);
  if (i < s.result.casts.size() && (*s.inputs)[i]->dtype != dtype) s.result.casts[i] = dtype;
  // A weak scalar of the right dtype still has to become a typed one.
  if (i < s.result.casts.size() && ((*s.inputs)[i]->flags & TN_VIEW_WEAK))
    s.result.casts[i] = dtype;
}

tn_error* TN_CALL rule_error(tn_infer* c, tn_code code, tn_str message) {
  try {
    return error_make(code, fmt::format("{}: {}", self(c).op->name(), view_of(message)));
  } catch (...) {
    return error_out_of_memory();
  }
}

tn_error* TN_CALL output(tn_infer* c, uint32_t i, tn_dtype dtype, uint32_t rank,
                         const int64_t* dims) {
  Infer& s = self(c);
  return guard([&] {
    const std::string name(s.op->name());
    bool symbolic = false;
    if (rank <= TN_MAX_RANK)
      for (uint32_t k = 0; k < rank; ++k) {
        s.require_size(dims[k]);
        symbolic |= is_symbolic(dims[k]);
      }
    if (!symbolic) check_dims(name.c_str(), dtype, rank, dims);
    if (i >= 65536) fail(TN_INVALID_ARGUMENT, "{}: more than 65,536 outputs", name);
    if (i >= s.result.outputs.size()) s.result.outputs.resize(i + 1);
    Shape& shape = s.result.outputs[i].shape;
    shape.dtype = dtype;
    shape.rank = static_cast<uint8_t>(rank);
    for (uint32_t k = 0; k < rank; ++k) shape.dims[k] = dims[k];
    if (!symbolic) shape.set_dense();
  });
}

void TN_CALL view(tn_infer* c, uint32_t i, uint32_t in, const int64_t* strides, int64_t offset) {
  Infer& s = self(c);
  if (i >= s.result.outputs.size()) return;
  InferredOutput& o = s.result.outputs[i];
  o.view_of = static_cast<int>(in);
  o.view_offset = offset;
  for (int k = 0; k < o.shape.rank; ++k) o.shape.strides[k] = strides[k];
}

void TN_CALL alias(tn_infer* c, uint32_t i, uint32_t in) {
  Infer& s = self(c);
  if (i < s.result.outputs.size()) s.result.outputs[i].alias = static_cast<int>(in);
}

void TN_CALL counted(tn_infer* c, uint32_t i, uint32_t axis) {
  Infer& s = self(c);
  if (i + 1 >= s.result.outputs.size() || axis >= s.result.outputs[i].shape.rank) return;
  s.result.outputs[i].counted = static_cast<int>(axis);
}

using K = SymTable::Kind;
const tn_infer_vtbl kTable = {sizeof(tn_infer_vtbl),
                              0,
                              input_count,
                              input,
                              attr,
                              dim_op<K::kAdd>,
                              dim_op<K::kSub>,
                              dim_op<K::kMul>,
                              dim_op<K::kFloorDiv>,
                              dim_op<K::kCeilDiv>,
                              dim_op<K::kMax>,
                              dim_op<K::kMin>,
                              dim_equal,
                              dim_broadcast,
                              promote_inputs,
                              cast_input,
                              output,
                              view,
                              alias,
                              rule_error,
                              counted};

}  // namespace

Shape joint_dims(const std::vector<const Shape*>& shapes) {
  Shape out;
  for (const Shape* s : shapes) out.rank = std::max(out.rank, s->rank);
  std::fill(out.dims, out.dims + out.rank, 1);
  for (const Shape* s : shapes)
    for (int k = 0; k < s->rank; ++k)
      if (s->dims[k] != 1) out.dims[out.rank - s->rank + k] = s->dims[k];
  return out;
}

void check_input_count(const OpEntry& op, uint32_t n) {
  const bool few = n < op.n_required || (op.variadic && n < 1);
  if (few || (!op.variadic && n > op.n_fixed))
    fail(TN_INVALID_ARGUMENT, "{}: {} input{} given. Signature: {}", op.name(), n,
         n == 1 ? "" : "s", op.signature());
}

// Two elements to the byte: where one lies says no byte offset, and no stride.
static void check_packed(const OpEntry& op, const Inferred& inferred) {
  for (const InferredOutput& o : inferred.outputs)
    if (TN_DTYPE_BITS(o.shape.dtype) < 8 && o.view_of >= 0 &&
        (o.view_offset != 0 || !o.shape.dense()))
      fail(TN_INVALID_ARGUMENT,
           "{}: elements of {} are packed two to a byte and stay dense; only copy, cast, bitcast "
           "and reshape take them. Cast to i8 first.",
           op.name(), tn_dtype_name(o.shape.dtype));
}

Inferred infer(const OpEntry& op, const std::vector<const tn_view*>& inputs, const Attrs& attrs,
               SymTable* symbols) {
  check_input_count(op, static_cast<uint32_t>(inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i)
    if ((inputs[i]->flags & TN_VIEW_ABSENT) && (op.variadic || i < op.n_required) &&
        (op.variadic || op.def.params[i].kind == TN_PARAM_REQUIRED))
      fail(TN_INVALID_ARGUMENT, "{}: input {} is NULL (in a recipe TN_NO_VALUE). Signature: {}",
           op.name(), op.variadic ? std::to_string(i) : std::string(view_of(op.def.params[i].name)),
           op.signature());
  Infer c;
  c.v = &kTable;
  c.op = &op;
  c.inputs = &inputs;
  c.attrs = &attrs;
  c.symbols = symbols;
  c.result.casts.assign(inputs.size(), TN_DTYPE_NONE);
  const SymbolNames names(symbols);
  if (!op.is(TN_OP_OUTPUTS_VARY)) c.result.outputs.resize(op.def.n_outputs);
  tn_error* e = op.def.infer(&c);
  if (c.pending) {
    error_release(e);
    fail(c.pending->code(), "{}: {}", op.name(), c.pending->message());
  }
  check(e);
  for (size_t k = 0; k < c.result.outputs.size(); ++k)
    if (c.result.outputs[k].shape.dtype == TN_DTYPE_NONE)
      fail(TN_INVALID_ARGUMENT, "{}: its rule leaves output {} out", op.name(), k);
  check_packed(op, c.result);
  return std::move(c.result);
}

}  // namespace tenon
