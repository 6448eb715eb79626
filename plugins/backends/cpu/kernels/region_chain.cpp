// Steps in one pass: four vectors go from link to link in registers, and what the next link needs not from memory is not written there.
// A link is a function that ends in a call of the next one's, which is a jump.
#include "region_chain.hpp"

#if defined(CPU_SMALL)
namespace tenon::cpu::CPU_ISA {
void form_chains(RegionPlan&) {}
void run_chain(const RegionLink*, char* const*, int64_t) {}
}  // namespace tenon::cpu::CPU_ISA
#else
#include <algorithm>

#include "float_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr int64_t kStep = kLanes<float>;

#define CPU_LINK \
  const RegionLink *l, char *const *at, int64_t i, F32 a, F32 b, F32 c, [[maybe_unused]] F32 d
#define CPU_NEXT return l[1].run(l + 1, at, i, a, b, c, d)

// ---- operands: element i on of a value, or its only one; computed in float

template <class T>
CPU_INLINE F32 fetch(const T* p) {
  if constexpr (std::is_same_v<T, float>) {
    return load(p);
  } else {
    float wide[kStep];
    convert_run<float, T>(wide, p, kStep);
    return load(wide);
  }
}
template <class T>
CPU_INLINE void put(T* p, F32 v) {
  if constexpr (std::is_same_v<T, float>) {
    store(p, v);
  } else {
    float wide[kStep];
    store(wide, v);
    convert_run<T, float>(p, wide, kStep);
  }
}

template <class T>
struct Many {
  Many(const RegionLink* l, char* const* at, int64_t i)
      : p(reinterpret_cast<const T*>(at[l->value]) + i) {}
  CPU_INLINE F32 operator[](int k) const { return fetch(p + k * kStep); }
  const T* p;
};
template <class T>
struct Single {
  Single(const RegionLink* l, char* const* at, int64_t)
      : v(splat<F32>(float(*reinterpret_cast<const T*>(at[l->value])))) {}
  CPU_INLINE F32 operator[](int) const { return v; }
  F32 v;
};

// ---- links

void stop(const RegionLink*, char* const*, int64_t, F32, F32, F32, F32) {}

template <class T>
void load_link(CPU_LINK) {
  const Many<T> x(l, at, i);
  a = x[0], b = x[1], c = x[2], d = x[3];
  CPU_NEXT;
}

template <class T>
void store_link(CPU_LINK) {
  T* y = reinterpret_cast<T*>(at[l->value]) + i;
  put(y, a), put(y + kStep, b), put(y + 2 * kStep, c), put(y + 3 * kStep, d);
  CPU_NEXT;
}

// What a narrower dtype keeps.
template <class T>
CPU_INLINE F32 rounded(F32 x) {
  if constexpr (std::is_same_v<T, bf16>) return bits_as<F32>(round_to_bf16(x) << 16);
  T narrow[kStep];
  put(narrow, x);
  return fetch(narrow);
}
template <class T>
void round_link(CPU_LINK) {
  a = rounded<T>(a), b = rounded<T>(b), c = rounded<T>(c), d = rounded<T>(d);
  CPU_NEXT;
}

template <class Op>
void unary_link(CPU_LINK) {
  a = Op::apply(a), b = Op::apply(b), c = Op::apply(c), d = Op::apply(d);
  CPU_NEXT;
}

template <class Op>
void self_link(CPU_LINK) {
  a = Op::apply(a, a), b = Op::apply(b, b), c = Op::apply(c, c), d = Op::apply(d, d);
  CPU_NEXT;
}

template <class Op, class Other>
void first_link(CPU_LINK) {
  const Other x(l, at, i);
  a = Op::apply(a, x[0]), b = Op::apply(b, x[1]), c = Op::apply(c, x[2]), d = Op::apply(d, x[3]);
  CPU_NEXT;
}
template <class Op, class Other>
void second_link(CPU_LINK) {
  const Other x(l, at, i);
  a = Op::apply(x[0], a), b = Op::apply(x[1], b), c = Op::apply(x[2], c), d = Op::apply(x[3], d);
  CPU_NEXT;
}

// A comparison's result goes to memory: the value of the link after it, which is passed over.
template <class Op, class Other, bool swapped>
void compare_link(CPU_LINK) {
  const Other x(l, at, i);
  auto* y = reinterpret_cast<uint8_t*>(at[l[1].value]) + i;
  const auto of = [](F32 mine, F32 other) {
    return mask_bytes(swapped ? Op::apply(other, mine) : Op::apply(mine, other));
  };
  store(y, of(a, x[0])), store(y + kStep, of(b, x[1]));
  store(y + 2 * kStep, of(c, x[2])), store(y + 3 * kStep, of(d, x[3]));
  return l[2].run(l + 2, at, i, a, b, c, d);
}

// where: the link's value is the other choice, that of the next the condition.
template <class Other, bool swapped>
void where_link(CPU_LINK) {
  const Other x(l, at, i);
  const auto* p = reinterpret_cast<const uint8_t*>(at[l[1].value]) + i;
  const auto of = [](const uint8_t* from, F32 mine, F32 other) {
    const auto mask = widen_bytes<Mask<float>>(load_as<VecN<uint8_t, int(kStep)>>(from)) != 0;
    return swapped ? select(mask, other, mine) : select(mask, mine, other);
  };
  a = of(p, a, x[0]), b = of(p + kStep, b, x[1]);
  c = of(p + 2 * kStep, c, x[2]), d = of(p + 3 * kStep, d, x[3]);
  return l[2].run(l + 2, at, i, a, b, c, d);
}

#undef CPU_NEXT
#undef CPU_LINK

// ---- which link: by the op, the dtype of the other operand, whether that is one element, and on which side it is

constexpr bool is_float(tn_dtype t) {
  return t == TN_DTYPE_F32 || t == TN_DTYPE_F16 || t == TN_DTYPE_BF16;
}

template <template <class> class Make>
LinkFunction by_dtype(tn_dtype t) {
  return t == TN_DTYPE_F32   ? Make<float>::link
         : t == TN_DTYPE_F16 ? Make<f16>::link
                             : Make<bf16>::link;
}
template <class T>
struct Load {
  static constexpr LinkFunction link = load_link<T>;
};
template <class T>
struct Store {
  static constexpr LinkFunction link = store_link<T>;
};
template <class T>
struct Round {
  static constexpr LinkFunction link = round_link<T>;
};

struct UnaryLink {
  tn_op op;
  LinkFunction link;
};
#define CPU_ENTRY(id, op) {id, unary_link<op>},
constexpr UnaryLink kUnaries[] = {CPU_FLOAT_UNARIES(CPU_ENTRY)};
#undef CPU_ENTRY

struct BinaryLink {
  tn_op op;
  LinkFunction self;            // both operands are the same
  LinkFunction other[2][3][2];  // the other one is second, first; f32, f16, bf16; many, one
};
template <class Op>
constexpr BinaryLink arithmetic(tn_op op) {
  return {op,
          self_link<Op>,
          {{{first_link<Op, Many<float>>, first_link<Op, Single<float>>},
            {first_link<Op, Many<f16>>, first_link<Op, Single<f16>>},
            {first_link<Op, Many<bf16>>, first_link<Op, Single<bf16>>}},
           {{second_link<Op, Many<float>>, second_link<Op, Single<float>>},
            {second_link<Op, Many<f16>>, second_link<Op, Single<f16>>},
            {second_link<Op, Many<bf16>>, second_link<Op, Single<bf16>>}}}};
}
template <class Op>
constexpr BinaryLink comparison(tn_op op) {
  return {op,
          nullptr,
          {{{compare_link<Op, Many<float>, false>, compare_link<Op, Single<float>, false>}, {}, {}},
           {{compare_link<Op, Many<float>, true>, compare_link<Op, Single<float>, true>}, {}, {}}}};
}
constexpr BinaryLink kBinaries[] = {
    arithmetic<AddOp>(TN_OP_ADD),
    arithmetic<SubOp>(TN_OP_SUB),
    arithmetic<MulOp>(TN_OP_MUL),
    arithmetic<DivOp>(TN_OP_DIV),
    arithmetic<MaximumOp>(TN_OP_MAXIMUM),
    arithmetic<MinimumOp>(TN_OP_MINIMUM),
    comparison<EqOp>(TN_OP_EQ),
    comparison<NeOp>(TN_OP_NE),
    comparison<LtOp>(TN_OP_LT),
    comparison<LeOp>(TN_OP_LE),
    comparison<GtOp>(TN_OP_GT),
    comparison<GeOp>(TN_OP_GE),
    {TN_OP_WHERE,
     nullptr,
     {{{where_link<Many<float>, false>, where_link<Single<float>, false>}, {}, {}},
      {{where_link<Many<float>, true>, where_link<Single<float>, true>}, {}, {}}}},
};

template <class Table>
auto find(const Table& table, tn_op op) {
  const auto* at = std::find_if(std::begin(table), std::end(table),
                                [&](const auto& entry) { return entry.op == op; });
  return at == std::end(table) ? nullptr : at;
}
int column(tn_dtype t) { return t == TN_DTYPE_F32 ? 0 : t == TN_DTYPE_F16 ? 1 : 2; }

// ---- from steps to links

class Chains {
 public:
  explicit Chains(RegionPlan& p) : p_(p), last_(p.values.size(), -1) {
    for (size_t s = 0; s < p.steps.size(); ++s)
      for (int k = 0; k < p.steps[s].kernel.n_inputs; ++k)
        last_[size_t(p.steps[s].args[k])] = int(s);
  }

  void form() {
    const int n = int(p_.steps.size());
    for (int s = 0; s < n;) {
      const bool chain = can(s);
      const int first = s;
      const size_t links = p_.links.size();
      held_ = -1;
      while (s < n && can(s) == chain) {
        if (chain) add(s);
        ++s;
      }
      if (chain) p_.links.push_back({stop, -1});
      p_.stretches.push_back({first, s, chain ? int32_t(links) : -1});
      any_ = any_ || chain;
    }
    if (!any_) p_.stretches.clear();
  }

 private:
  const RegionStep& step(int s) const { return p_.steps[size_t(s)]; }
  tn_dtype dtype(int v) const { return p_.values[size_t(v)].dtype; }
  bool one(int v) const { return p_.values[size_t(v)].where == Lies::kUniform; }

  bool can(int s) const {
    const RegionStep& x = step(s);
    const tn_dtype from = dtype(x.args[x.kernel.n_inputs - 1]), to = dtype(x.value);
    const bool where = x.op == TN_OP_WHERE;
    const auto* end = x.args + x.kernel.n_inputs;
    if (!is_float(from) || std::all_of(x.args + where, end, [&](int v) { return one(v); }))
      return false;
    if (x.op == TN_OP_CAST) return is_float(to);
    if (x.kernel.n_inputs == 1) return find(kUnaries, x.op);
    const BinaryLink* link = find(kBinaries, x.op);
    if (!link || link->self) return link;
    // Of narrower dtypes `where` moves bits, which links would round where they are no number.
    return from == TN_DTYPE_F32 && x.args[0] != x.args[1] && !(where && one(x.args[0]));
  }

  // Which operand the step before has left in the registers; -1: none.
  int held_by(int s, int value) const {
    const RegionStep& x = step(s);
    const int first = x.op == TN_OP_WHERE ? 1 : 0;
    for (int k = first; k < x.kernel.n_inputs; ++k)
      if (value >= 0 && x.args[k] == value) return k;
    return -1;
  }
  // Is it read by the next step alone, from the registers?
  bool passes(int s, int value) const {
    if (p_.values[size_t(value)].where != Lies::kBlock || last_[size_t(value)] != s + 1)
      return false;
    if (s + 1 >= int(p_.steps.size()) || !can(s + 1)) return false;
    const RegionStep& next = step(s + 1);
    const auto* end = next.args + next.kernel.n_inputs;
    return held_by(s + 1, value) >= 0 &&
           (std::count(next.args, end, value) == 1 || next.kernel.n_inputs == 2);
  }

  void put(LinkFunction link, int value) { p_.links.push_back({link, int32_t(value)}); }

  void add(int s) {
    const RegionStep& x = step(s);
    const int inputs = x.kernel.n_inputs, value = x.value;
    int k = held_by(s, held_);
    if (k < 0) {
      k = x.op == TN_OP_WHERE ? 1 : 0;
      if (one(x.args[k])) ++k;
      put(by_dtype<Load>(dtype(x.args[k])), x.args[k]);
    }
    held_ = value;
    if (x.op == TN_OP_CAST) {
      // Of a wider dtype the value stays what it is.
    } else if (inputs == 1) {
      put(find(kUnaries, x.op)->link, -1);
    } else {
      const BinaryLink& link = *find(kBinaries, x.op);
      const int other = x.op == TN_OP_WHERE ? 3 - k : 1 - k;
      const int of = x.args[other];
      const bool second = x.op == TN_OP_WHERE ? k == 2 : k == 1;
      if (link.self && x.args[0] == x.args[1]) {
        put(link.self, -1);
      } else {
        put(link.other[second][column(dtype(of))][one(of)], of);
      }
      if (x.op == TN_OP_WHERE) put(nullptr, x.args[0]);
      if (dtype(value) == TN_DTYPE_BOOL) {
        put(nullptr, value);
        held_ = -1;
        return;
      }
    }
    if (dtype(value) != TN_DTYPE_F32) put(by_dtype<Round>(dtype(value)), -1);
    if (!passes(s, value)) put(by_dtype<Store>(dtype(value)), value);
  }

  RegionPlan& p_;
  std::vector<int> last_;  // step that reads a value
  int held_ = -1;          // value in the registers
  bool any_ = false;
};

}  // namespace

void form_chains(RegionPlan& p) { Chains(p).form(); }

void run_chain(const RegionLink* first, char* const* at, int64_t n) {
  const F32 none{};
  for (int64_t i = 0; i < n; i += kRegionSlice) first->run(first, at, i, none, none, none, none);
}

}  // namespace tenon::cpu::CPU_ISA
#endif
