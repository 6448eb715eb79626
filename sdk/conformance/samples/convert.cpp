// cast, bitcast, copy.
#include <cmath>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

std::vector<Array> cast(const Call& call) {
  const Array& x = call.in(0);
  Array y(call.attrs.type(TN_CAST_DTYPE, x.dtype), x.dims);
  for (int64_t k = 0; k < x.count(); ++k) {
    if (y.floating() || y.dtype == TN_DTYPE_BOOL)
      y.set(k, x.real(k));
    else if (x.floating())
      y.set(k, std::trunc(x.real(k)));
    else
      y.set(k, x.integer(k));
  }
  return {y};
}

// Elements of half a byte: always dense, with odd counts, and a run for several threads.
constexpr tn_dtype kPacked[] = {TN_DTYPE_I4, TN_DTYPE_U4};
std::vector<Dims> packed_dims() { return {{3, 5}, {4}, {1}, {}, {0}, {150001}}; }
Fill packed_range(tn_dtype packed) { return is_signed(packed) ? uniform(-8, 7) : uniform(0, 15); }
tn_dtype other(tn_dtype packed) { return packed == TN_DTYPE_I4 ? TN_DTYPE_U4 : TN_DTYPE_I4; }

Case packed_case(tn_dtype packed, const std::string& what, const Dims& dims,
                 std::vector<Attr> attrs) {
  return Case{name_of(packed) + what + text_of(dims),
              {in(dims, packed_range(packed), packed)},
              std::move(attrs)}
      .only({TN_DTYPE_NONE})
      .no_grad()
      .plain();
}

void add_packed_casts(OpSamples& s) {
  for (const tn_dtype packed : kPacked) {
    const auto from = [&](tn_dtype to, const Dims& dims) {
      s.add(packed_case(packed, "_to_" + name_of(to), dims, {type(TN_CAST_DTYPE, to)}));
    };
    for (const Dims& dims : packed_dims()) from(TN_DTYPE_F32, dims), from(other(packed), dims);
    for (const tn_dtype target : kAll)
      if (target != TN_DTYPE_F32) from(target, {3, 3});
    const std::string name = "to_" + name_of(packed);
    const std::vector<Attr> to{type(TN_CAST_DTYPE, packed)};
    s.add(Case{name, {in({3, 5}, packed_range(packed))}, to}.no_grad());
    s.add(Case{name + "_large", {in({150001}, packed_range(packed))}, to}.large());
    s.add(Case{name + "_wraps", {in({9}, uniform(-30000, 30000))}, to}.only(
        {TN_DTYPE_I16, TN_DTYPE_I32, TN_DTYPE_I64}));
  }
}

void add_cast(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_CAST, "cast");
  s.on(kAll).gives(cast, kExact).gradient(Grad::yes);
  const auto to = [](tn_dtype dtype) { return std::vector<Attr>{type(TN_CAST_DTYPE, dtype)}; };
  for (const tn_dtype target : kAll) {
    const std::string name = "to_" + name_of(target);
    // The gradient of a rounding function is seen with wide steps only.
    Case positive{name, {in({3, 5}, uniform(0, 120))}, to(target)};
    if (target == TN_DTYPE_F32)
      s.add(std::move(positive).coarse(0.5, 1e-4));
    else
      s.add(target == TN_DTYPE_F64 ? positive : std::move(positive).no_grad());
    if (is_signed(target))
      s.add(Case{name + "_negative", {in({11}, uniform(-120, 120))}, to(target)}.no_grad());
    s.add(Case{name + "_large", {in({40013}, uniform(0, 100))}, to(target)}.large());
    if (is_float(target))
      s.add(Case{name + "_special", {in({16}, special())}, to(target)}.no_grad().only(kFloats));
    if (is_integer(target))
      s.add(Case{name + "_wraps", {in({9}, uniform(-30000, 30000))}, to(target)}.only(
          {TN_DTYPE_I16, TN_DTYPE_I32, TN_DTYPE_I64}));
  }
  s.add(Case{"rank0", {in({}, uniform(0, 9))}, to(TN_DTYPE_F64)});
  s.add(Case{"empty", {in({0, 2}, uniform(0, 9))}, to(TN_DTYPE_F64)});
  s.add(Case{
      "ties_to_even",
      {in({6}, values({1 + 0x1p-11, 1 + 3 * 0x1p-11, 1 + 0x1p-8, 1 + 3 * 0x1p-8, 65520, 0x1p-24}))},
      to(TN_DTYPE_F16)}
            .no_grad()
            .only({TN_DTYPE_F32, TN_DTYPE_F64}));
  s.add(Case{"ties_to_even_bf16",
             {in({4}, values({1 + 0x1p-8, 1 + 3 * 0x1p-8, -1 - 0x1p-8, 1 + 0x1p-8 + 0x1p-20}))},
             to(TN_DTYPE_BF16)}
            .no_grad()
            .only({TN_DTYPE_F32, TN_DTYPE_F64}));
  add_packed_casts(s);
}

void add_bitcast(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_BITCAST, "bitcast");
  s.on({TN_DTYPE_NONE})
      .gives(
          [](const Call& call) -> std::vector<Array> {
            const Array& x = call.in(0);
            const tn_dtype to = call.attrs.type(TN_BITCAST_DTYPE, x.dtype);
            Dims dims = x.dims;
            if (is_complex(x.dtype) && is_float(to)) dims.push_back(2);
            if (is_float(x.dtype) && is_complex(to)) dims.pop_back();
            return {decode(to, dims, encode(x))};
          },
          kSameBits);
  const auto pair = [&](tn_dtype from, tn_dtype to, const Fill& fill) {
    for (const Dims& dims : {Dims{3, 5}, Dims{}, Dims{0}})
      s.add({name_of(from) + "_to_" + name_of(to) + text_of(dims),
             {in(dims, fill, from)},
             {type(TN_BITCAST_DTYPE, to)}});
  };
  const Fill number = uniform(-50, 50), bits = uniform(0, 100);
  pair(TN_DTYPE_F32, TN_DTYPE_I32, number);
  pair(TN_DTYPE_F32, TN_DTYPE_U32, number);
  pair(TN_DTYPE_F64, TN_DTYPE_I64, number);
  pair(TN_DTYPE_F16, TN_DTYPE_U16, number);
  pair(TN_DTYPE_BF16, TN_DTYPE_I16, number);
  pair(TN_DTYPE_I8, TN_DTYPE_U8, number);
  pair(TN_DTYPE_I32, TN_DTYPE_U32, number);
  pair(TN_DTYPE_I64, TN_DTYPE_U64, number);
  pair(TN_DTYPE_U16, TN_DTYPE_BF16, uniform(0x3f00, 0x4100));
  pair(TN_DTYPE_I32, TN_DTYPE_F32, uniform(0x3f000000, 0x41000000));
  pair(TN_DTYPE_C64, TN_DTYPE_F32, number);
  pair(TN_DTYPE_C128, TN_DTYPE_F64, number);
  pair(TN_DTYPE_C64, TN_DTYPE_U64, number);
  for (const auto& [from, to] :
       {std::pair{TN_DTYPE_F32, TN_DTYPE_C64}, std::pair{TN_DTYPE_F64, TN_DTYPE_C128}})
    for (const Dims& dims : {Dims{3, 4, 2}, Dims{2}, Dims{0, 2}})
      s.add({name_of(from) + "_to_" + name_of(to) + text_of(dims),
             {in(dims, number, from)},
             {type(TN_BITCAST_DTYPE, to)}});
  for (const Dims& dims : {Dims{}, Dims{2, 3}})
    s.add(Case{"no_pairs" + text_of(dims),
               {in(dims, number, TN_DTYPE_F32)},
               {type(TN_BITCAST_DTYPE, TN_DTYPE_C64)}}
              .refused(TN_INVALID_ARGUMENT));
  s.add(Case{"other_width", {in({4}, bits, TN_DTYPE_F32)}, {type(TN_BITCAST_DTYPE, TN_DTYPE_I64)}}
            .refused(TN_INVALID_ARGUMENT));
  for (const tn_dtype packed : kPacked)
    for (const Dims& dims : packed_dims())
      s.add(packed_case(packed, "_to_" + name_of(other(packed)), dims,
                        {type(TN_BITCAST_DTYPE, other(packed))}));
}

}  // namespace

void add_convert(Catalogue& c) {
  add_cast(c);
  add_bitcast(c);

  OpSamples& s = c.add(TN_OP_COPY, "copy");
  s.on(kAll)
      .gives([](const Call& call) -> std::vector<Array> { return {call.in(0)}; }, kSameBits)
      .gradient(Grad::yes);
  elementwise_cases(s, {uniform(-9, 9)});
  s.add({"rank8", {in({1, 2, 1, 2, 1, 3, 1, 2}, uniform(-9, 9))}});
  s.add(Case{"special", {in({16}, special())}}.no_grad().only(kFloats));
  for (const tn_dtype packed : kPacked)
    for (const Dims& dims : packed_dims()) s.add(packed_case(packed, "", dims, {}));
}

}  // namespace tenon::conformance
