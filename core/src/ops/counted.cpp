// nonzero, unique: sizes depend on the data. Without max_size the outputs have as many places as x
// has elements, which is cut to the count where one can wait for it.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr const char* kIsIndex = "the result is an integer index";

// The number of elements of x, and the number of places that are kept of it.
tn_error* sizes(const Infer& c, uint32_t key, int64_t* elements, int64_t* places) {
  int64_t n = 1;
  for (const int64_t d : c.dims(0)) n = c.mul(n, d);
  const int64_t most = c.i64(key);
  if (most < -1) return c.error("max_size is {}; it is a size, or -1 for no limit", most);
  *elements = n;
  *places = most == -1 ? n : most;
  return nullptr;
}

// What x has as one axis, and the places kept of it.
struct Flat {
  Dims elements, places, with_spare;
  Flat(const Recipe& b, Value x, uint32_t key) {
    elements.push(b.product(x.dims().span()));
    places.push(b.i64(key) == -1 ? elements[0] : b.i64(key));
    with_spare.push(b.add(places[0], 1));
  }
};

// `values` put at the places `at`; what is beyond the last place is lost, and 0 is where nothing was put.
Value placed(const Recipe& b, const Flat& f, Value at, Value values, const char* mode = "set") {
  const Value all = scatter(b.fill(0, f.with_spare, values.dtype()), at, values, 0, mode);
  return slice(all, Dims(1, 0), Dims(1, -1), Dims());
}
// i, but no more than the place behind the last.
Value limited(const Recipe& b, const Flat& f, Value i) {
  return minimum(i, b.dim_scalar(f.places[0], TN_DTYPE_I64));
}
// The place of each element that `taken` marks, in order; of the others, the one behind the last.
Value places_of(const Recipe& b, const Flat& f, Value taken, Value number) {
  return where(taken, limited(b, f, number), b.dim_scalar(f.places[0], TN_DTYPE_I64));
}
Value number_of(Value taken) {
  const Value ones = cast(taken, TN_DTYPE_I64);
  return Value{ones.b(), tn_b_cumsum(ones.b(), ones.v(), 0, false, false)} - 1;
}
Value count_of(Value taken) { return sum(cast(taken, TN_DTYPE_I64), 1u, false); }

// ---- nonzero

tn_error* nonzero_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kComputable, &t));
  int64_t n = 0;
  Dims to;
  to.push(c.rank(0));
  to.push(0);
  TN_TRY(sizes(c, TN_NONZERO_MAX_SIZE, &n, &to[1]));
  TN_TRY(c.check_count(to));
  TN_TRY(c.out(0, TN_DTYPE_I64, to));
  TN_TRY(c.out(1, TN_DTYPE_I64, Dims()));
  if (c.i64(TN_NONZERO_MAX_SIZE) == -1) c.counted(0, 1);
  return nullptr;
}

void nonzero_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Dims dims = x.dims();
  const Flat f(b, x, TN_NONZERO_MAX_SIZE);
  const Value taken = reshape(kind_of(x.dtype()) == kBool ? x : ne(x, 0), f.elements);
  b.set(1, count_of(taken));
  if (dims.n == 0 || known_empty(dims)) {
    Dims to;
    to.push(dims.n);
    to.push(f.places[0]);
    return b.set(0, b.fill(0, to, TN_DTYPE_I64));
  }
  const Value at =
      placed(b, f, places_of(b, f, taken, number_of(taken)), b.iota(f.elements, 0, TN_DTYPE_I64));
  tn_value rows[TN_MAX_RANK];
  for (uint32_t a = 0; a < dims.n; ++a) {
    const Value inner = b.dim_scalar(b.product({dims.d + a + 1, dims.n - a - 1}), TN_DTYPE_I64);
    rows[a] = rem(at / inner, b.dim_scalar(dims[a], TN_DTYPE_I64)).v();
  }
  b.set(0, {b.raw(), tn_b_stack(b.raw(), rows, dims.n, 0)});
}

// ---- unique

tn_error* unique_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kComputable, &t));
  int64_t n = 0, places = 0;
  TN_TRY(sizes(c, TN_UNIQUE_MAX_SIZE, &n, &places));
  const Dims to(1, places);
  TN_TRY(c.out(0, t, to));
  TN_TRY(c.out(1, TN_DTYPE_I64, to));
  TN_TRY(c.out(2, TN_DTYPE_I64, c.dims(0)));
  TN_TRY(c.out(3, TN_DTYPE_I64, to));
  TN_TRY(c.out(4, TN_DTYPE_I64, Dims()));
  if (c.i64(TN_UNIQUE_MAX_SIZE) != -1) return nullptr;
  for (const uint32_t i : {0u, 1u, 3u}) c.counted(i, 0);
  return nullptr;
}

void unique_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Flat f(b, x, TN_UNIQUE_MAX_SIZE);
  if (known_empty(x.dims())) {
    b.set(0, b.fill(0, f.places, x.dtype()));
    b.set(1, b.fill(0, f.places, TN_DTYPE_I64));
    b.set(2, b.fill(0, x.dims(), TN_DTYPE_I64));
    b.set(3, b.fill(0, f.places, TN_DTYPE_I64));
    return b.set(4, b.fill(0, Dims(), TN_DTYPE_I64));
  }
  const Value flat = reshape(x, f.elements), order = b.iota(f.elements, 0, TN_DTYPE_I64);
  tn_value out[2] = {TN_NO_VALUE, TN_NO_VALUE};
  if (is_complex(x)) {  // the sort being stable, the one by real parts leaves that of equals
    tn_b_sort(b.raw(), imag(flat).v(), order.v(), 0, false, out);
    tn_b_sort(b.raw(), gather(real(flat), {b.raw(), out[1]}, 0).v(), out[1], 0, false, out);
    out[0] = gather(flat, {b.raw(), out[1]}, 0).v();
  } else {
    tn_b_sort(b.raw(), flat.v(), order.v(), 0, false, out);
  }
  const Value sorted = {b.raw(), out[0]}, origin = {b.raw(), out[1]};
  // The first of each run of equals; the sort being stable, also the first of them in x.
  const tn_value runs[] = {b.fill(1, Dims(1, 1), TN_DTYPE_BOOL).v(),
                           ne(slice(sorted, Dims(1, 1), Dims(1, kToEnd), Dims()),
                              slice(sorted, Dims(1, 0), Dims(1, -1), Dims()))
                               .v()};
  const Value first = {b.raw(), tn_b_concat(b.raw(), runs, 2, 0)};
  const Value number = number_of(first), at = places_of(b, f, first, number);
  b.set(0, placed(b, f, at, sorted));
  b.set(1, placed(b, f, at, origin));
  b.set(2, reshape_like(scatter(order, origin, number, 0, "set"), x));
  b.set(3, placed(b, f, limited(b, f, number), b.fill(1, f.elements, TN_DTYPE_I64), "add"));
  b.set(4, count_of(first));
}

// A value is the element of x where it stands first. Padding has no part in it.
void d_unique(Recipe& b) {
  const Value x = b.in(0), g = b.g();
  if (known_empty(x.dims())) return b.set_zero(0);
  const Flat f(b, x, TN_UNIQUE_MAX_SIZE);
  const Value real = lt(b.iota(f.places, 0, TN_DTYPE_I64), b.out(4));
  const Value flat =
      scatter(b.fill(0, f.elements, g.dtype()), b.out(1), where(real, g, 0), 0, "add");
  b.set(0, reshape_like(flat, x));
}

}  // namespace

const OpRules rules_nonzero = {TN_OP_NONZERO, rule<nonzero_rule>, recipe<nonzero_of_base>, nullptr,
                               kIsIndex};
const OpRules rules_unique = {TN_OP_UNIQUE, rule<unique_rule>, recipe<unique_of_base>,
                              recipe<d_unique>, nullptr};

}  // namespace tenon::ops
