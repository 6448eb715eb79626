// Values: every case in every dtype and layout against its oracle.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "runner.hpp"
#include "tenon/conformance/compare.hpp"

namespace tenon::conformance {

RandomState random_state(bool carries) {
  if (carries) return {0xfedcba9876543210u, (uint64_t{1} << 40) + 7, 0xfffffffeu};
  return {0x0123456789abcdefu, 3, 5};
}

namespace {

// FNV-1a.
uint64_t hash_of(const std::string& text) {
  uint64_t h = 0xcbf29ce484222325u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

tn_dtype dtype_of_scalar(tn_dtype dtype) {
  if (dtype == TN_DTYPE_NONE || is_float(dtype)) return TN_DTYPE_F64;
  return dtype == TN_DTYPE_BOOL ? dtype : TN_DTYPE_I64;
}

Array make(const Input& input, tn_dtype dtype, Rng& rng) {
  if (input.absent) {
    Array none;
    none.absent = true;
    return none;
  }
  if (!input.weak) {
    Array x(input.dtype != TN_DTYPE_NONE ? input.dtype : dtype, input.dims);
    input.fill(x, rng);
    return x;
  }
  // A value that the dtype of the case can hold, as a host scalar of its kind.
  const tn_dtype kind = input.dtype != TN_DTYPE_NONE ? input.dtype : dtype;
  Array held(kind == TN_DTYPE_NONE ? TN_DTYPE_F64 : kind, {});
  input.fill(held, rng);
  Array x(dtype_of_scalar(kind), {});
  if (x.floating())
    x.set(0, held.real(0));
  else
    x.set(0, held.integer(0));
  x.weak = true;
  return x;
}

struct Run {
  Session& session;
  const OpSamples& op;
  const Case& sample;
  int repetitions;
  bool* native;  // where it is not known yet how the device runs this dtype
  std::map<bool, std::vector<Array>> known = {};  // by the oracle, by `carries`: see expected_of

  std::vector<Tensor> call(const Inputs& inputs, bool carries) {
    if (op.random) session.set_random(random_state(carries));
    return session.call(op.op, inputs.in, sample.attrs);
  }

  void note_native(const Inputs& inputs) {
    if (native) *std::exchange(native, nullptr) = session.native(op.op, inputs.in, sample.attrs);
  }

  // Through a layout that repeats nothing the op sees the same values as through any other: the oracle is asked once.
  std::vector<Array> expected_of(const Call& call, Layout layout, bool carries) {
    if (repeats(layout)) return op.oracle(call);
    const auto found = known.find(carries);
    return found != known.end() ? found->second : known[carries] = op.oracle(call);
  }

  std::string judged(const Call& call, const std::vector<Array>& expected,
                     const std::vector<Array>& got) {
    if (!expected.empty() && got.size() != expected.size())
      return std::to_string(got.size()) + " outputs, expected " + std::to_string(expected.size());
    for (size_t k = 0; k < expected.size(); ++k) {
      const std::string fault =
          compare(expected[k], got[k], sample.tolerance.value_or(op.tolerance));
      if (!fault.empty())
        return got.size() > 1 ? "output " + std::to_string(k) + " " + fault : fault;
    }
    return op.judge ? op.judge(call, got) : "";
  }

  std::string advanced(const Call& call, const std::vector<Array>& got) {
    const RandomState before = call.random, after = session.random();
    const Array& elements = call.inputs.empty() ? got[0] : call.in(0);
    const uint64_t words = static_cast<uint64_t>(elements.count()) *
                           (elements.dtype == TN_DTYPE_F64 ? op.words_f64 : op.words);
    const uint64_t steps = after.offset - before.offset, expected = (words + 3) / 4;
    if (after.seed != before.seed || after.stream != before.stream)
      return "the random state has another seed or stream";
    if (steps != expected)
      return "the random state advanced by " + std::to_string(steps) + ", expected " +
             std::to_string(expected);
    return "";
  }

  Finding values(const std::vector<Array>& seen_inputs, Layout layout, bool carries) {
    Call oracle_call;
    oracle_call.inputs = seen_inputs;
    oracle_call.attrs = sample.attrs;
    oracle_call.random = random_state(carries);
    const Inputs inputs(session, seen_inputs, layout);
    std::vector<std::vector<unsigned char>> before;
    for (size_t k = 0; k < seen_inputs.size(); ++k)
      before.push_back(inputs.in[k] && !seen_inputs[k].weak ? session.bytes(inputs.held[k].block())
                                                            : std::vector<unsigned char>());
    std::vector<Tensor> outputs;
    std::vector<Array> got;
    try {
      outputs = call(inputs, carries);
      note_native(inputs);
      for (const Tensor& t : outputs) got.push_back(session.read(t.get()));
    } catch (const Fault& fault) {
      if (!sample.may_clamp || fault.code() != TN_OUT_OF_RANGE) throw;
      session.recover();
      return {};
    }
    std::string fault = judged(oracle_call, expected_of(oracle_call, layout, carries), got);
    if (fault.empty() && op.random) fault = advanced(oracle_call, got);
    if (!fault.empty()) return fault;

    for (int again = 0; again < repetitions; ++again) {
      const std::vector<Tensor> repeated = call(inputs, carries);
      for (size_t k = 0; k < outputs.size(); ++k)
        if (session.bytes(repeated[k].get()) != session.bytes(outputs[k].get()))
          return {"output " + std::to_string(k) + " differs when the call is repeated",
                  "the same bits each time"};
    }
    for (size_t k = 0; k < before.size(); ++k)
      if (!before[k].empty() && session.bytes(inputs.held[k].block()) != before[k])
        return {"input " + std::to_string(k) + " was changed", "inputs as they were"};
    return {};
  }

  Finding refusal(const std::vector<Array>& arrays) {
    try {
      const Inputs inputs(session, arrays, Layout::contiguous);
      for (const Tensor& t : call(inputs, false)) session.bytes(t.get());
    } catch (const Fault& fault) {
      session.recover();
      if (fault.code() == sample.refusal) return {};
      return {fault.what(), tn_code_name(sample.refusal)};
    }
    return {"the call is accepted", tn_code_name(sample.refusal)};
  }
};

}  // namespace

std::vector<Array> inputs_of(const OpSamples& op, const Case& c, tn_dtype dtype) {
  Rng rng(hash_of(op.name + "/" + c.name));
  std::vector<Array> arrays;
  for (const Input& input : c.inputs) arrays.push_back(make(input, dtype, rng));
  return arrays;
}

std::vector<Layout> layouts_of(const Case& c, const std::vector<Array>& inputs, bool brief) {
  std::vector<Layout> layouts{Layout::contiguous};
  size_t axis = 0, tensors = 0;
  bool outer = false, inner = false, nonempty = false;
  for (const Array& x : inputs) {
    if (x.absent || x.weak) continue;
    ++tensors;
    nonempty = nonempty || x.count() > 0;
    if (!c.repeats) continue;
    outer = outer || repeated_axis(Layout::outer, x.dims, &axis);
    size_t last = axis;
    inner = inner || (repeated_axis(Layout::inner, x.dims, &last) && last != axis);
  }
  if (!c.layouts || tensors == 0) return layouts;
  if (brief && c.is_large) return layouts;
  layouts.push_back(Layout::strided);
  if (!nonempty) return layouts;
  if (brief) {
    if (outer) layouts.push_back(Layout::outer);
    return layouts;
  }
  layouts.push_back(Layout::offset);
  if (c.is_large) return layouts;
  layouts.push_back(Layout::flipped);
  if (outer) layouts.push_back(Layout::outer);
  if (inner) layouts.push_back(Layout::inner);
  if (tensors > 1) layouts.push_back(Layout::mixed);
  return layouts;
}

std::vector<tn_dtype> dtypes_of(const OpSamples& op, const Case& c, bool brief) {
  std::vector<tn_dtype> types = c.dtypes;
  if (types.empty()) {
    types = op.dtypes;
    types.insert(types.end(), op.optional.begin(), op.optional.end());
  } else if (!brief) {
    return types;
  }
  const std::vector<tn_dtype> few{TN_DTYPE_NONE, TN_DTYPE_F32, TN_DTYPE_I32, TN_DTYPE_BOOL};
  const std::vector<tn_dtype> more{TN_DTYPE_NONE, TN_DTYPE_F32, TN_DTYPE_F64,
                                   TN_DTYPE_F16,  TN_DTYPE_I32, TN_DTYPE_BOOL};
  if (!brief && !c.is_large) return types;
  std::vector<tn_dtype> kept;
  for (const tn_dtype t : types) {
    const auto& wanted = brief && c.is_large ? few : more;
    // One case of bf16, so that brief runs say of it too.
    const bool first = t == TN_DTYPE_BF16 && brief && c.name == op.cases.front().name;
    if (first || std::find(wanted.begin(), wanted.end(), t) != wanted.end()) kept.push_back(t);
  }
  return kept.empty() ? std::vector<tn_dtype>{types[0]} : kept;
}

Result blank(const Session& session, const OpSamples& op, const Case& c, tn_dtype dtype,
             Layout layout, Level level) {
  Result r;
  r.op = op.name, r.sample = c.name, r.device = session.device(), r.level = level;
  r.dtype = dtype == TN_DTYPE_NONE ? "" : name_of(dtype);
  r.layout = name_of(layout);
  r.call = call_text(session, op, c, dtype);
  if (layout != Layout::contiguous) r.call += ", " + r.layout;
  return r;
}

std::function<void(const Result&)> on_case;

std::string place_of(const Result& r) {
  std::string place = r.sample;
  for (const std::string& part : {r.dtype, r.layout})
    if (!part.empty()) place += " " + part;
  return place;
}

std::vector<std::string> decompositions(Session& session, const OpSamples& op) {
  std::set<std::string> ops;
  for (const Case& c : op.cases)
    for (const tn_dtype dtype : dtypes_of(op, c, true)) try {
        const Inputs inputs(session, inputs_of(op, c, dtype), Layout::contiguous);
        for (std::string& part : session.decomposition(op.op, inputs.in, c.attrs))
          ops.insert(std::move(part));
      } catch (const Fault&) {  // a refusal
        session.recover();
      }
  return {ops.begin(), ops.end()};
}

Inputs::Inputs(Session& session, const std::vector<Array>& arrays, Layout layout) {
  for (size_t k = 0; k < arrays.size(); ++k) {
    held.push_back(session.arrange(arrays[k], layout, k));
    in.push_back(held.back().tensor.get());
  }
}

void call_case(Session& session, const OpSamples& op, const Case& c, tn_dtype dtype,
               Layout layout) {
  if (on_case) on_case(blank(session, op, c, dtype, layout, Level::forward));
  std::vector<Array> arrays = inputs_of(op, c, dtype);
  for (Array& x : arrays) x = seen(x, layout);
  const Inputs inputs(session, arrays, layout);
  if (op.random) session.set_random(random_state(false));
  const std::vector<Tensor> outputs = session.call(op.op, inputs.in, c.attrs);
  check(tn_ctx_synchronize(session.ctx(), TN_FOREVER));
}

void attempt(Session& session, Result result, bool open_dtype, const Record& record,
             const std::function<Finding()>& body) {
  if (on_case) on_case(result);
  constexpr const char* kExpected[] = {kOracleSays, "what finite differences of the oracle give",
                                       "what finite differences of the gradient give",
                                       "what the calls give"};
  result.expected = "no error";
  try {
    Finding finding = body();
    result.verdict = finding.found.empty() ? Verdict::pass : Verdict::fail;
    result.why = std::move(finding.found);
    result.expected = finding.expected.empty() ? kExpected[static_cast<size_t>(result.level)]
                                               : std::move(finding.expected);
  } catch (const Fault& fault) {
    result.why = fault.what();
    const bool declined =
        fault.code() == TN_UNIMPLEMENTED || (open_dtype && fault.code() == TN_INVALID_ARGUMENT);
    result.verdict = declined ? Verdict::unsupported : Verdict::fail;
    session.recover();
  } catch (const std::exception& error) {
    result.why = error.what();
    result.verdict = Verdict::fail;
  }
  record(std::move(result));
}

namespace {

// The cases that are `wanted`, or all where it is empty.
void run_cases(Session& session, const OpSamples& op, bool brief, const Record& record,
               const std::function<bool(const Result&)>& wanted) {
  tn_ctx_set_grad_mode(session.ctx(), 0);
  std::map<tn_dtype, bool> native;
  for (const Case& c : op.cases) {
    for (const tn_dtype dtype : dtypes_of(op, c, brief)) {
      const auto [known, first] = native.try_emplace(dtype, false);
      bool& is_native = known->second;
      const Record into = [&](Result r) {
        r.native = is_native;
        record(std::move(r));
      };
      const bool open =
          std::find(op.optional.begin(), op.optional.end(), dtype) != op.optional.end();
      const std::vector<Array> arrays = inputs_of(op, c, dtype);
      Run run{session, op, c, brief ? 1 : 2, first ? &is_native : nullptr};
      if (c.refusal != TN_OK) {
        Result r = blank(session, op, c, dtype, Layout::contiguous, Level::forward);
        if (!wanted || wanted(r))
          attempt(session, std::move(r), open, into, [&] { return run.refusal(arrays); });
        continue;
      }
      for (const Layout layout : layouts_of(c, arrays, brief)) {
        Result r = blank(session, op, c, dtype, layout, Level::forward);
        if (wanted && !wanted(r)) continue;
        std::vector<Array> as_seen;
        for (const Array& x : arrays) as_seen.push_back(seen(x, layout));
        attempt(session, std::move(r), open, into, [&] {
          const Finding fault = run.values(as_seen, layout, false);
          return fault.found.empty() && op.random ? run.values(as_seen, layout, true) : fault;
        });
      }
    }
  }
}

}  // namespace

void run_forward(Session& session, const OpSamples& op, bool brief, const Record& record) {
  run_cases(session, op, brief, record, nullptr);
}

void run_again(Session& session, const OpSamples& op, bool brief, const Result& before,
               const Record& record) {
  run_cases(session, op, brief, record, [&](const Result& r) {
    return r.sample == before.sample && r.dtype == before.dtype && r.layout == before.layout;
  });
}

}  // namespace tenon::conformance
