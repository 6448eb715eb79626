#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "region_text.hpp"
#include "runner.hpp"
#include "tenon/conformance/compare.hpp"

namespace tenon::conformance {
namespace {

// A code under construction, with the dtype of each value.
struct Draft {
  std::vector<tn_dtype> types;
  Dims words;
  size_t inputs = 0;
  int64_t version = TN_REGION_VERSION;

  int64_t add(tn_op op, tn_dtype dtype, Dims args) {
    words.push_back(static_cast<int64_t>(op | static_cast<uint64_t>(dtype) << 32));
    args.resize(3, -1);
    words.insert(words.end(), args.begin(), args.end());
    types.push_back(dtype);
    return static_cast<int64_t>(types.size()) - 1;
  }
  void fold(tn_op op, tn_dtype dtype, int64_t value, int64_t axes, bool keeps) {
    version = TN_REGION_VERSION_FOLDS;
    add(op, dtype, {value, axes, keeps});
  }
  Dims code(const Dims& outputs) const {
    Dims all = {version, static_cast<int64_t>(outputs.size())};
    all.insert(all.end(), outputs.begin(), outputs.end());
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  Dims every() const {
    Dims all;
    for (size_t k = inputs; k < types.size(); ++k) all.push_back(static_cast<int64_t>(k));
    return all;
  }
};

struct RegionOp {
  tn_op op;
  uint32_t operands;
  tn_region_class kind;
};
const std::vector<RegionOp>& region_ops() {
#define TENON_ROW_(op, operands, kind) {op, operands, TN_REGION_##kind},
  static const std::vector<RegionOp> ops = {TN_REGION_OPS(TENON_ROW_)};
#undef TENON_ROW_
  return ops;
}

const OpSamples& samples_of(tn_op op) {
  for (const OpSamples& s : catalogue().ops())
    if (s.op == op) return s;
  throw std::logic_error("no samples of op " + std::to_string(op));
}
bool takes(tn_op op, tn_dtype dtype) {
  const OpSamples& s = samples_of(op);
  const auto has = [&](const std::vector<tn_dtype>& list) {
    return std::find(list.begin(), list.end(), dtype) != list.end();
  };
  return has(s.dtypes) || has(s.optional);
}

// Results that IEEE 754 says to the last bit.
bool is_exact(tn_op op) {
  static constexpr tn_op kLoose[] = {TN_OP_SIGN,  TN_OP_RELU,  // a zero may have either sign
                                     TN_OP_EXP,   TN_OP_EXPM1,   TN_OP_LOG,      TN_OP_LOG1P,
                                     TN_OP_RSQRT, TN_OP_SIN,     TN_OP_COS,      TN_OP_ERF,
                                     TN_OP_TANH,  TN_OP_SIGMOID, TN_OP_SOFTPLUS, TN_OP_SILU,
                                     TN_OP_POW,   TN_OP_GELU,    TN_OP_ATAN2};
  return std::find(std::begin(kLoose), std::end(kLoose), op) == std::end(kLoose);
}

Array random_array(tn_dtype dtype, const Dims& dims, Rng& rng) {
  Array x(dtype, dims);
  const Fill fill = !x.floating()       ? uniform(-9, 100)
                    : rng.below(3) == 0 ? special()
                    : rng.below(2) == 0 ? uniform(-4, 4)
                                        : uniform(-300, 300);
  fill(x, rng);
  if (is_integer(dtype))  // some that reach the ends of the range
    for (int64_t k = 0; k < x.count(); ++k)
      if (rng.below(4) == 0) x.set(k, static_cast<int64_t>(rng.next()));
  return x;
}

int64_t random_constant(tn_dtype dtype, Rng& rng) {
  const std::vector<unsigned char> bytes = encode(random_array(dtype, {}, rng));
  int64_t bits = 0;
  std::memcpy(&bits, bytes.data(), bytes.size());
  return bits;
}

// Adds one instruction of any kind; false where what it would take is not there.
bool grow(Draft& d, Rng& rng) {
  const auto pick = [&] { return rng.below(static_cast<int64_t>(d.types.size())); };
  const auto like = [&](tn_dtype dtype) {
    for (int tries = 0; tries < 20; ++tries)
      if (const int64_t v = pick(); d.types[static_cast<size_t>(v)] == dtype) return v;
    return int64_t{-1};
  };
  if (rng.below(8) == 0) {
    const tn_dtype dtype = kAll[static_cast<size_t>(rng.below(static_cast<int64_t>(kAll.size())))];
    d.add(TN_REGION_CONSTANT, dtype, {random_constant(dtype, rng), rng.below(2) ? -1 : 7, -1});
    return true;
  }
  const auto& ops = region_ops();
  const RegionOp& x = ops[static_cast<size_t>(rng.below(static_cast<int64_t>(ops.size())))];
  const int64_t a = pick();
  const tn_dtype dtype = d.types[static_cast<size_t>(a)];
  if (x.kind == TN_REGION_CAST) {
    d.add(x.op, kAll[static_cast<size_t>(rng.below(static_cast<int64_t>(kAll.size())))], {a});
    return true;
  }
  if (!takes(x.op, dtype)) return false;
  Dims args = {a};
  if (x.kind == TN_REGION_SELECT) args = {like(TN_DTYPE_BOOL), a};
  while (args.size() < x.operands) args.push_back(like(dtype));
  if (std::find(args.begin(), args.end(), -1) != args.end()) return false;
  d.add(x.op, x.kind == TN_REGION_COMPARE ? TN_DTYPE_BOOL : dtype, args);
  return true;
}

// Up to four reductions of any values over the same axes.
void fold_some(Draft& d, size_t rank, Rng& rng) {
  const auto values = static_cast<int64_t>(d.types.size());
  const int64_t axes = 1 + rng.below((int64_t{1} << rank) - 1);
  for (int k = 0; k < 4; ++k) {
    const int64_t v = rng.below(values);
    const tn_dtype dtype = d.types[static_cast<size_t>(v)];
    if (dtype == TN_DTYPE_BOOL) continue;
    static constexpr tn_op kOps[] = {TN_OP_MAX, TN_OP_MIN, TN_OP_SUM, TN_OP_MEAN, TN_OP_PROD};
    const bool accumulates = is_float(dtype) || TN_DTYPE_BITS(dtype) == 64;
    tn_op op = kOps[rng.below(accumulates ? 4 : 2)];
    if (!is_float(dtype) && (op == TN_OP_MEAN || dtype == TN_DTYPE_U64)) op = TN_OP_PROD;
    d.fold(op, dtype, v, axes, rng.below(2) != 0);
  }
}

}  // namespace

Placed::Placed(const Array& values, const Dims& at, bool odd, bool host_scalar) : dims(at) {
  const std::vector<unsigned char> dense = encode(values);
  const size_t size = tn_dtype_bytes(values.dtype, 1);
  const Dims own = strides_of(values.dims);
  const size_t lead = dims.size() - values.dims.size();
  const int64_t step = odd && !host_scalar ? -2 : 1;
  for (size_t a = 0; a < dims.size(); ++a)
    strides.push_back(
        a < lead || (values.dims[a - lead] == 1 && dims[a] != 1) ? 0 : step * own[a - lead]);
  const auto n = static_cast<size_t>(values.count());
  bytes.assign(size * (2 * n + 1) + 8, 0xa5);
  if (step < 0 && n > 0) first = 2 * (n - 1) * size;
  for (size_t k = 0; k < n; ++k)
    std::memcpy(bytes.data() + first + static_cast<ptrdiff_t>(k * size) * step,
                dense.data() + k * size, size);
  view.dims = dims.data();
  view.strides = strides.data();
  view.count = count_of(dims);
  view.dtype = values.dtype;
  view.rank = static_cast<uint8_t>(dims.size());
  if (host_scalar) view.flags = TN_VIEW_IMMEDIATE;
}

void* Placed::address() { return bytes.data() + first; }

Array Placed::read() const {
  const size_t size = tn_dtype_bytes(view.dtype, 1);
  std::vector<unsigned char> dense;
  for_each(dims, [&](const Dims& index) {
    const unsigned char* at =
        bytes.data() + first + offset_of(index, strides) * static_cast<int64_t>(size);
    dense.insert(dense.end(), at, at + size);
  });
  return decode(view.dtype, dims, dense);
}

std::unique_ptr<Job> job_of(std::string name, const Dims& code, const std::vector<Array>& inputs,
                            bool odd, uint32_t host_scalars) {
  auto job = std::make_unique<Job>();
  job->name = std::move(name);
  job->code = code;
  Dims dims;
  for (const Array& x : inputs) dims = broadcast_dims(dims, x.dims);
  for (size_t k = 0; k < inputs.size(); ++k) {
    job->inputs.push_back(broadcast(inputs[k], dims));
    job->operands.push_back(
        std::make_unique<Placed>(inputs[k], dims, odd, (host_scalars >> k & 1) != 0));
  }
  tn_region_code r;
  if (!tn_region_read(job->code.data(), job->code.size(), static_cast<uint32_t>(inputs.size()), &r))
    throw std::logic_error(job->name + ": no code");
  for (uint32_t o = 0; o < r.n_outputs; ++o) {
    const auto from = static_cast<uint32_t>(r.outputs[o] - static_cast<int64_t>(inputs.size()));
    const tn_region_instruction x = tn_region_at(&r, from);
    Dims own = dims;
    for (size_t a = dims.size(); tn_region_folds(x.op) && a-- > 0;)
      if (x.args[1] >> a & 1) {
        own[a] = 1;
        if (!x.args[2]) own.erase(own.begin() + static_cast<std::ptrdiff_t>(a));
      }
    job->operands.push_back(std::make_unique<Placed>(Array(x.dtype, own), own, odd, false));
  }
  for (const auto& operand : job->operands) job->views.push_back(&operand->view);
  job->attr =
      tn_attr_i64s(TN_REGION_CODE, job->code.data(), static_cast<uint32_t>(job->code.size()));
  job->signature = {sizeof(tn_signature),
                    TN_OP_REGION,
                    r.n_inputs,
                    r.n_outputs,
                    1,
                    0,
                    job->views.data(),
                    job->views.data() + r.n_inputs,
                    &job->attr};
  return job;
}

std::vector<std::unique_ptr<Job>> sample_jobs() {
  std::vector<std::unique_ptr<Job>> jobs;
  const OpSamples& op = samples_of(TN_OP_REGION);
  for (const Case& c : op.cases)
    for (int odd = 0; c.refusal == TN_OK && odd < (c.is_large ? 1 : 2); ++odd) {
      const std::vector<Array> inputs = inputs_of(op, c, dtypes_of(op, c, true).front());
      const Dims code = c.attrs.list(TN_REGION_CODE);
      jobs.push_back(job_of(c.name + (odd ? " odd" : ""), code, inputs, odd != 0));
      Call call;
      call.inputs = inputs;
      call.attrs = c.attrs;
      jobs.back()->expected = op.oracle(call);
      jobs.back()->tolerance = c.tolerance.value_or(op.tolerance);
    }
  return jobs;
}

std::vector<std::unique_ptr<Job>> op_jobs(const std::function<bool(const Job&)>& can) {
  std::vector<std::unique_ptr<Job>> jobs;
  Rng rng(7);
  for (const tn_dtype t : kAll) {
    std::vector<Array> inputs = {random_array(TN_DTYPE_BOOL, {200}, rng)};
    for (int k = 0; k < 2; ++k) {
      inputs.push_back(random_array(t, {200}, rng));
      if (is_float(t)) special()(inputs.back(), rng);
      for (int64_t i = 40; i < 200; ++i) inputs.back().copy_from(i, random_array(t, {}, rng), 0);
    }
    const Draft empty{{TN_DTYPE_BOOL, t, t}, {}, 3};
    Draft all = empty;
    const auto flush = [&] {
      if (all.types.size() == 3) return;
      jobs.push_back(job_of("ops of " + name_of(t), all.code(all.every()), inputs, false));
      jobs.back()->stepwise = true;
      all = empty;
    };
    for (const RegionOp& x : region_ops())
      for (const tn_dtype to : x.kind == TN_REGION_CAST ? kAll : std::vector<tn_dtype>{t}) {
        if (x.kind != TN_REGION_CAST && !takes(x.op, t)) continue;
        const tn_dtype result = x.kind == TN_REGION_COMPARE ? TN_DTYPE_BOOL : to;
        Dims args = x.kind == TN_REGION_SELECT ? Dims{0, 1, 2} : Dims{1, 2};
        args.resize(x.operands);
        Draft one = empty;
        one.add(x.op, result, args);
        if (!can(*job_of("one", one.code(one.every()), inputs, false))) continue;
        all.add(x.op, result, args);
        if (all.types.size() == 3 + 12) flush();
      }
    flush();
  }
  return jobs;
}

std::vector<std::unique_ptr<Job>> random_jobs(int count, uint64_t seed) {
  static const std::vector<std::vector<Dims>> kShapes = {
      {{64}, {64}, {1}},     {{5, 7}, {7}, {5, 1}}, {{3, 1, 4, 5}, {2, 1, 5}, {}},
      {{2, 0}, {1}, {2, 1}}, {{}, {}, {}},          {{6, 11}, {6, 11}, {6, 11}}};
  std::vector<std::unique_ptr<Job>> jobs;
  Rng rng(seed);
  for (int n = 0; n < count; ++n) {
    Draft d;
    d.inputs = 3;
    std::vector<Array> inputs;
    for (const Dims& dims : kShapes[static_cast<size_t>(rng.below(6))]) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(kAll.size())));
      d.types.push_back(kAll[at]);
      inputs.push_back(random_array(kAll[at], dims, rng));
    }
    while (d.types.size() < 27) grow(d, rng);
    Dims all;
    for (const Array& x : inputs) all = broadcast_dims(all, x.dims);
    if (n % 2 && count_of(all) > 0 && !all.empty()) fold_some(d, all.size(), rng);
    const uint32_t scalars = inputs[2].count() == 1 && rng.below(2) ? 4 : 0;
    const std::string name = "random " + std::to_string(n);
    const bool odd = rng.below(2) != 0;
    jobs.push_back(job_of(name, d.code(d.every()), inputs, odd, scalars));
    jobs.back()->stepwise = true;
    Dims some;  // what is left of it, in another order
    for (int k = 0; k < 3; ++k)
      some.push_back(3 + rng.below(static_cast<int64_t>(d.types.size()) - 3));
    jobs.push_back(job_of(name + " in part", d.code(some), inputs, !odd, scalars));
  }
  return jobs;
}

namespace {

// a^b, by the bits of b from above; the kit's own oracle multiplies b times, which takes too long for any b.
int64_t power(int64_t a, int64_t b, bool has_sign) {
  if (has_sign && b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
  uint64_t y = 1;
  for (int k = 63; k >= 0; --k) {
    y *= y;
    if (static_cast<uint64_t>(b) >> k & 1) y *= static_cast<uint64_t>(a);
  }
  return static_cast<int64_t>(y);
}

// Towards zero, clamped to the range, NaN gives 0.
int64_t cut(double x, tn_dtype to) {
  const auto bits = static_cast<int>(TN_DTYPE_BITS(to));
  const double end = std::ldexp(1.0, bits - is_signed(to)), first = is_signed(to) ? -end : 0;
  if (std::isnan(x)) return 0;
  if (x >= end) return static_cast<int64_t>(~uint64_t{0} >> (64 - bits + is_signed(to)));
  if (x <= first) return is_signed(to) ? -static_cast<int64_t>(end / 2) * 2 : 0;
  return to == TN_DTYPE_U64 ? static_cast<int64_t>(static_cast<uint64_t>(x))
                            : static_cast<int64_t>(x);
}

// Of what the kit's own oracles leave open or take as signed: integers, u64 among them, to the ends of their range.
int64_t whole(tn_op op, const Call& call, tn_dtype dtype, int64_t k) {
  const Array& x = call.inputs[0];
  if (op == TN_OP_CAST) return cut(x.real(k), dtype);
  const int64_t a = x.integer(k), b = call.inputs.back().integer(k);
  if (op == TN_OP_POW) return power(a, b, is_signed(dtype));
  if (op == TN_OP_ABS) return a;
  if (op == TN_OP_SIGN) return a != 0;
  if (b == 0) return op == TN_OP_MAXIMUM ? a : 0;
  const auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  if (op == TN_OP_MAXIMUM) return static_cast<int64_t>(std::max(ua, ub));
  if (op == TN_OP_MINIMUM) return static_cast<int64_t>(std::min(ua, ub));
  return static_cast<int64_t>(op == TN_OP_DIV ? ua / ub : ua % ub);
}
bool is_own(const tn_region_instruction& x, const Call& call) {
  if (!is_integer(x.dtype)) return false;
  if (x.op == TN_OP_CAST) return call.inputs[0].floating();
  static constexpr tn_op kOfU64[] = {TN_OP_ABS, TN_OP_SIGN,    TN_OP_DIV,
                                     TN_OP_REM, TN_OP_MAXIMUM, TN_OP_MINIMUM};
  return x.op == TN_OP_POW ||
         (x.dtype == TN_DTYPE_U64 &&
          std::find(std::begin(kOfU64), std::end(kOfU64), x.op) != std::end(kOfU64));
}
Array expected_of(const tn_region_instruction& x, const Call& call, const OpSamples& s) {
  if (!is_own(x, call)) return s.oracle(call)[0];
  Array y(x.dtype, call.inputs[0].dims);
  for (int64_t k = 0; k < y.count(); ++k) y.set(k, whole(x.op, call, x.dtype, k));
  return y;
}

// Sums whose parts may overflow in one order and not in another.
bool is_open(const tn_region_instruction& x, const Array& of) {
  if ((x.op != TN_OP_SUM && x.op != TN_OP_MEAN) || !of.floating()) return false;
  for (int64_t k = 0; k < of.count(); ++k)
    if (!(std::fabs(of.real(k)) < (x.dtype == TN_DTYPE_F64 ? 1e300 : 1e35))) return true;
  return false;
}

std::string step_fault(const Job& job, const tn_region_code& r, uint32_t k,
                       const std::vector<Array>& values) {
  const tn_region_instruction x = tn_region_at(&r, k);
  Array expected;
  Tolerance tolerance = kSameBits;
  if (x.op == TN_REGION_CONSTANT) {
    std::vector<unsigned char> bytes(sizeof x.args[0]);
    std::memcpy(bytes.data(), x.args, bytes.size());
    bytes.resize(tn_dtype_bytes(x.dtype, 1));
    expected = broadcast(decode(x.dtype, {}, bytes), job.operands[0]->dims);
  } else {
    Call call;
    const bool folds = tn_region_folds(x.op) != 0;
    for (int a = 0; a < (folds ? 1 : 3); ++a)
      if (x.args[a] >= 0) call.inputs.push_back(values[static_cast<size_t>(x.args[a])]);
    if (x.op == TN_OP_CAST) call.attrs = Attrs({type(TN_CAST_DTYPE, x.dtype)});
    if (folds) {
      if (is_open(x, call.inputs[0])) return "";
      Dims axes;
      for (int64_t a = 0; a < TN_MAX_RANK; ++a)
        if (x.args[1] >> a & 1) axes.push_back(a);
      call.attrs = Attrs({list(TN_SUM_AXES, axes), flag(TN_SUM_KEEPDIMS, x.args[2] != 0)});
    }
    const OpSamples& s = samples_of(x.op);
    expected = expected_of(x, call, s);
    if (folds || !is_exact(x.op)) tolerance = s.tolerance;
  }
  const std::string fault = compare(expected, values[r.n_inputs + k], tolerance);
  if (fault.empty()) return "";
  return "instruction " + std::to_string(k) + ", op " +
         (x.op == TN_REGION_CONSTANT ? "constant" : samples_of(x.op).name) + " of " +
         name_of(x.op == TN_REGION_CONSTANT ? x.dtype
                                            : values[static_cast<size_t>(x.args[0])].dtype) +
         ": " + fault;
}

}  // namespace

std::string judged(const Job& job) {
  std::vector<Array> values = job.inputs;
  for (size_t k = job.inputs.size(); k < job.operands.size(); ++k)
    values.push_back(job.operands[k]->read());
  if (!job.stepwise) {
    for (size_t o = 0; o < job.expected.size(); ++o)
      if (std::string fault =
              compare(job.expected[o], values[job.inputs.size() + o], job.tolerance);
          !fault.empty())
        return "output " + std::to_string(o) + ": " + fault;
    return "";
  }
  tn_region_code r;
  if (!tn_region_read(job.code.data(), job.code.size(), static_cast<uint32_t>(job.inputs.size()),
                      &r))
    return "no code";
  for (uint32_t k = 0; k < r.n_instructions; ++k)
    if (std::string fault = step_fault(job, r, k, values); !fault.empty()) return fault;
  return "";
}

}  // namespace tenon::conformance
