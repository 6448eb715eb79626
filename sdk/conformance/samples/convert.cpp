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
}

void add_bitcast(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_BITCAST, "bitcast");
  s.on({TN_DTYPE_NONE})
      .gives(
          [](const Call& call) -> std::vector<Array> {
            const Array& x = call.in(0);
            return {decode(call.attrs.type(TN_BITCAST_DTYPE, x.dtype), x.dims, encode(x))};
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
  s.add(Case{"other_width", {in({4}, bits, TN_DTYPE_F32)}, {type(TN_BITCAST_DTYPE, TN_DTYPE_I64)}}
            .refused(TN_INVALID_ARGUMENT));
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
}

}  // namespace tenon::conformance
