// What programs as a whole must do: steps of trainings, results that stay, other sizes, regions, threads.
#include "program.hpp"

#include <tenon/plugin/region.h>

#include <thread>

#include "runner.hpp"
#include "tenon/conformance/compare.hpp"
#include "training.hpp"
#include "worker.hpp"

namespace tenon::conformance {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr int64_t kIn = 6, kOut = 5;

Array drawn(const Dims& dims, uint64_t seed) {
  Array x(TN_DTYPE_F32, dims);
  Rng rng(seed);
  uniform(-1, 1)(x, rng);
  return x;
}

// A layer with its gradients, of a batch of any size: rows of probabilities, what they are of, gradients of input and weight, and a
// view of the first.
std::vector<Tensor> layer(Session& s, const std::vector<tn_tensor*>& in) {
  tn_ctx_set_grad_mode(s.ctx(), 1);
  std::vector<Tensor> leaves;
  for (tn_tensor* t : in) {
    tn_tensor* leaf = nullptr;
    check(tn_tensor_leaf(s.ctx(), t, &leaf));
    leaves.emplace_back(leaf);
  }
  const auto op = [&](tn_op which, const std::vector<tn_tensor*>& operands,
                      const Attrs& attrs = {}) {
    return std::move(s.call(which, operands, attrs).at(0));
  };
  const Tensor y = op(TN_OP_LINEAR, {leaves[0].get(), leaves[1].get(), nullptr});
  Tensor h = op(TN_OP_GELU, {y.get()});
  const Tensor e = op(TN_OP_EXP, {h.get()});
  Tensor p = op(TN_OP_SOFTMAX, {e.get()});
  tn_tensor *cotangent = nullptr, *grads[2] = {};
  check(tn_tensor_detach(s.ctx(), h.get(), &cotangent));
  const Tensor of(cotangent);
  tn_tensor *of_raw = of.get(), *p_raw = p.get();
  check(tn_vjp(s.ctx(), &p_raw, &of_raw, 1, pointers(leaves).data(), 2, 0, grads));
  std::vector<Tensor> out;
  for (tn_tensor* g : grads) out.emplace_back(g);
  tn_ctx_set_grad_mode(s.ctx(), 0);
  tn_tensor* plain = nullptr;
  check(tn_tensor_detach(s.ctx(), p.get(), &plain));
  const Tensor probabilities(plain);
  out.push_back(
      op(TN_OP_TRANSPOSE, {probabilities.get()}, Attrs({list(TN_TRANSPOSE_PERM, {1, 0})})));
  out.push_back(std::move(p));
  out.push_back(std::move(h));
  return out;
}

Program program_of(Session& s) {
  return record_program(
      s, {{TN_DTYPE_F32, {TN_DIM_ANY, kIn}, {"batch", ""}}, {TN_DTYPE_F32, {kOut, kIn}}},
      [&](const std::vector<tn_tensor*>& in) { return layer(s, in); });
}

// Random state and determinism aside, what one run or one call is given.
struct Arguments {
  Tensor x, w;
  Arguments(Session& s, int64_t batch, uint64_t seed)
      : x(s.upload(drawn({batch, kIn}, seed))), w(s.upload(drawn({kOut, kIn}, seed + 1))) {}
  std::vector<tn_tensor*> raw() const { return {x.get(), w.get()}; }
};

std::vector<Bytes> bytes_of(Session& s, const std::vector<Tensor>& tensors) {
  std::vector<Bytes> out;
  for (const Tensor& t : tensors) out.push_back(s.bytes(t.get()));
  return out;
}

struct Deterministic {
  explicit Deterministic(Session& s) : ctx(s.ctx()) { tn_ctx_set_deterministic(ctx, 1); }
  ~Deterministic() { tn_ctx_set_deterministic(ctx, 0); }
  Deterministic(const Deterministic&) = delete;
  Deterministic& operator=(const Deterministic&) = delete;
  tn_ctx* ctx;
};

// Results that the caller holds, while the program runs again with other inputs; and those inputs.
void check_outputs(Session& s) {
  const Deterministic deterministic(s);
  const Program program = program_of(s);
  const Arguments first(s, 4, 11);
  const std::vector<Bytes> inputs = {s.bytes(first.x.get()), s.bytes(first.w.get())};
  const std::vector<Tensor> kept = run_program(s, program, first.raw());
  const std::vector<Bytes> before = bytes_of(s, kept);
  std::vector<std::vector<Tensor>> others;
  for (uint64_t run = 1; run <= 5; ++run) {
    const Arguments other(s, run == 3 ? 9 : 4, 11 + 10 * run);
    others.push_back(run_program(s, program, other.raw()));
  }
  const auto same = [&](const std::vector<Tensor>& got, const std::vector<Bytes>& want,
                        const std::string& what, const std::string& expected) {
    for (size_t k = 0; k < want.size(); ++k)
      expect(s.bytes(got[k].get()) == want[k], what + " " + std::to_string(k) + " has changed",
             expected);
  };
  same(kept, before, "after five runs more output", "outputs of a run stay as they are");
  for (size_t k = 0; k < inputs.size(); ++k)
    expect(s.bytes(first.raw()[k]) == inputs[k], "input " + std::to_string(k) + " was changed",
           "inputs as they were");
  same(run_program(s, program, first.raw()), before, "run again with the same inputs output",
       "the same bits");
}

void check_sizes(Session& s) {
  const Deterministic deterministic(s);
  const Program program = program_of(s);
  for (const int64_t batch : {4, 1, 7, 4, 0, 33, 7}) {
    const Arguments given(s, batch, 31);
    const std::vector<Tensor> want = layer(s, given.raw()),
                              got = run_program(s, program, given.raw());
    for (size_t k = 0; k < want.size(); ++k) {
      const Array x = s.read(want[k].get()), y = s.read(got[k].get());
      const std::string fault = compare_gradient(x, y, 1e-5);
      expect(
          fault.empty(),
          "run with " + std::to_string(batch) + " rows: output " + std::to_string(k) + " " + fault,
          "what the calls give for these sizes");
    }
  }
}

// Each thread has its context and its inputs; what one thread gives with them is the judge.
void check_threads(Worker& w) {
  constexpr size_t kThreads = 4;
  constexpr int64_t kRows = 400;
  constexpr int kRuns = 12;
  Session& s = w.get_session();
  const Deterministic deterministic(s);
  const Program program = program_of(s);
  std::vector<std::vector<Bytes>> want;
  for (size_t t = 0; t < kThreads; ++t)
    want.push_back(bytes_of(s, run_program(s, program, Arguments(s, kRows, 50 + t).raw())));
  std::vector<std::string> wrong(kThreads);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      try {
        Session mine(w.get_runtime(), w.device);
        const Deterministic also(mine);
        const Arguments given(mine, kRows, 50 + t);
        for (int run = 0; run < kRuns && wrong[t].empty(); ++run) {
          const std::vector<Bytes> got = bytes_of(mine, run_program(mine, program, given.raw()));
          for (size_t k = 0; k < got.size() && wrong[t].empty(); ++k)
            if (got[k] != want[t][k])
              wrong[t] = "output " + std::to_string(k) + " of run " + std::to_string(run) +
                         " has other bits than in one thread";
        }
      } catch (const std::exception& e) {
        wrong[t] = e.what();
      }
    });
  for (std::thread& t : threads) t.join();
  for (const std::string& each : wrong)
    expect(each.empty(), "one program in four threads at once: " + each, "what one thread gives");
}

// Not even one that says that the device does not do it.
void without_error(Session& s, const std::function<void(Session&)>& body) {
  try {
    body(s);
  } catch (const Fault& fault) {
    s.recover();
    throw Wrong(fault.what(), "a program in f32: base ops are enough for it");
  }
}

// ---- regions

// What comes of a region's ops one by one, each by a call.
class OneByOne {
 public:
  OneByOne(Session& s, const std::vector<tn_tensor*>& inputs, Dims dims)
      : s_(s), values_(inputs), dims_(std::move(dims)) {}

  std::vector<tn_tensor*> run(const tn_region_code& code) {
    for (uint32_t i = 0; i < code.n_instructions; ++i) add(tn_region_at(&code, i));
    std::vector<tn_tensor*> out;
    for (uint32_t k = 0; k < code.n_outputs; ++k)
      out.push_back(values_[static_cast<size_t>(code.outputs[k])]);
    return out;
  }
  bool rounds() const { return rounds_; }  // an op whose last digit is the device's own

 private:
  void add(const tn_region_instruction& x) {
    if (x.op == TN_REGION_CONSTANT) {
      Bytes bytes(sizeof x.args[0]);
      std::memcpy(bytes.data(), &x.args[0], sizeof x.args[0]);
      bytes.resize(tn_dtype_bytes(x.dtype, 1));
      return keep(s_.upload(decode(x.dtype, {}, bytes)));
    }
    if (tn_region_folds(x.op)) {  // of all the dims
      Dims axes;
      for (int64_t a = 0; a < TN_MAX_RANK; ++a)
        if (x.args[1] >> a & 1) axes.push_back(a);
      const Tensor all = std::move(s_.call(TN_OP_EXPAND, {values_[static_cast<size_t>(x.args[0])]},
                                           Attrs({list(TN_EXPAND_DIMS, dims_)}))
                                       .at(0));
      return keep(
          std::move(s_.call(x.op, {all.get()},
                            Attrs({list(TN_SUM_AXES, axes), flag(TN_SUM_KEEPDIMS, x.args[2] != 0)}))
                        .at(0)));
    }
    uint32_t operands = 0;
    const tn_region_class kind = tn_region_class_of(x.op, &operands);
    std::vector<tn_tensor*> in;
    for (uint32_t k = 0; k < operands; ++k) in.push_back(values_[static_cast<size_t>(x.args[k])]);
    const Attrs attrs = kind == TN_REGION_CAST ? Attrs({type(TN_CAST_DTYPE, x.dtype)}) : Attrs();
    rounds_ |= x.op == TN_OP_EXP || x.op == TN_OP_TANH;  // of those in the samples
    keep(std::move(s_.call(x.op, in, attrs).at(0)));
  }
  void keep(Tensor t) {
    values_.push_back(t.get());
    owned_.push_back(std::move(t));
  }

  Session& s_;
  std::vector<tn_tensor*> values_;
  Dims dims_;
  std::vector<Tensor> owned_;
  bool rounds_ = false;
};

// Of the dims of all inputs together.
Array shown(const Array& x, const Dims& dims) { return x.dims == dims ? x : broadcast(x, dims); }

// "": it is native, and right.
void check_region(Session& s, const OpSamples& op, const Case& c, tn_dtype dtype, Layout layout) {
  std::vector<Array> arrays = inputs_of(op, c, dtype);
  for (Array& x : arrays) x = seen(x, layout);
  const Inputs inputs(s, arrays, layout);
  if (!s.native(op.op, inputs.in, c.attrs)) throw Unsupported("");
  const std::vector<Tensor> got = s.call(op.op, inputs.in, c.attrs);
  const Dims code = c.attrs.list(TN_REGION_CODE);
  tn_region_code parts{};
  expect(tn_region_read(code.data(), code.size(), static_cast<uint32_t>(inputs.in.size()),
                        &parts) != 0,
         "a sample that is no code", "one");
  Dims dims;
  for (const Array& x : arrays) dims = broadcast_dims(dims, x.dims);
  OneByOne ops(s, inputs.in, dims);
  const std::vector<tn_tensor*> want = ops.run(parts);
  Call call;
  call.inputs = arrays;
  call.attrs = c.attrs;
  const std::vector<Array> exact = op.oracle(call);
  for (size_t k = 0; k < want.size(); ++k) {
    const Array y = s.read(got[k].get()), x = shown(s.read(want[k]), y.dims);
    const tn_op made =
        tn_region_at(&parts, static_cast<uint32_t>(parts.outputs[k]) - parts.n_inputs).op;
    if (y.floating() && (made == TN_OP_SUM || made == TN_OP_MEAN || made == TN_OP_PROD)) {
      const std::string fault = compare(exact[k], y, op.tolerance);
      expect(fault.empty(), "output " + std::to_string(k) + ", a reduction, " + fault,
             "what comes of its definition, in any order");
      continue;
    }
    const std::string fault = compare(x, y, ops.rounds() ? op.tolerance : kSameBits);
    expect(fault.empty(), "output " + std::to_string(k) + " " + fault,
           ops.rounds() ? "what its ops give one by one, within the region's tolerance"
                        : "what its ops give one by one, each rounded to its dtype: the same bits");
  }
}

void check_regions(Session& s, Reporter& r) {
  const auto& all = catalogue().ops();
  const auto op =
      std::find_if(all.begin(), all.end(), [](const OpSamples& o) { return o.op == TN_OP_REGION; });
  for (const Case& c : op->cases) {
    if (c.refusal != TN_OK) continue;
    for (const tn_dtype dtype : dtypes_of(*op, c, true))
      for (const Layout layout : layouts_of(c, inputs_of(*op, c, dtype), true)) {
        const Result as = blank(s, *op, c, dtype, layout, Level::forward);
        if (on_case) on_case(as);
        CheckResult result;
        result.where = place_of(as), result.given = as.call;
        try {
          check_region(s, *op, c, dtype, layout);
          r.pass(result.where);
        } catch (const Unsupported&) {  // declined: its ops run one by one
        } catch (const Wrong& w) {
          result.verdict = Verdict::fail, result.found = w.found, result.expected = w.expected;
          r.add(std::move(result));
        }
      }
  }
  if (r.count() == 0) r.pass("no kernel for regions: their ops run one by one");
}

constexpr const char* kTrainingAdvice =
    "if capture.* of the ops pass, look at what only a replayed step does: variables that are "
    "overwritten in place, outputs in the memory of inputs";
constexpr const char* kOutputsAdvice =
    "a kernel or a compiled graph wrote to memory that is not its own in this run, or kept an "
    "address of an earlier one";
constexpr const char* kSizesAdvice =
    "look at what a plan or a compiled graph keeps of the sizes it was prepared for";
constexpr const char* kRegionsAdvice =
    "round each result to its dtype, and let no compiler join a product and a sum "
    "(-ffp-contract=off; the flags of sdk::RegionEmitter's dialects); a reduction folds all "
    "elements of its axes, and what is beside it is written for each";
constexpr const char* kThreadsAdvice =
    "guard what runs of one plan share, or leave TN_KERNEL_REENTRANT out; a compiled graph must "
    "be able to run in several threads";

}  // namespace

std::vector<Unit> program_units(const Profile& profile, const std::shared_ptr<Worker>& worker) {
  std::vector<Unit> units;
  if (!profile.has_device()) return units;
  const auto add = [&](const char* name, const char* advice,
                       const std::function<void(Worker&, Reporter&)>& body) {
    units.push_back(unit_of(worker, name, 4, advice, body));
  };
  add("capture.training", kTrainingAdvice, [](Worker& w, Reporter& r) {
    for (const CapturedTraining& t : captured_trainings())
      r.attempt(t.name, [&] { without_error(w.get_session(), t.run); });
  });
  add("capture.outputs", kOutputsAdvice,
      [](Worker& w, Reporter&) { without_error(w.get_session(), check_outputs); });
  add("capture.sizes", kSizesAdvice,
      [](Worker& w, Reporter&) { without_error(w.get_session(), check_sizes); });
  add("capture.regions", kRegionsAdvice,
      [](Worker& w, Reporter& r) { check_regions(w.get_session(), r); });
  add("capture.threads", kThreadsAdvice, [](Worker& w, Reporter&) { check_threads(w); });
  return units;
}

const std::vector<Check> kProgramChecks = {
    {"capture.training", 4, Kind::backend,
     "the five trainings with each step a run of one program, against the calls", kTrainingAdvice,
     nullptr},
    {"capture.outputs", 4, Kind::backend, "outputs stay as they are while the program runs again",
     kOutputsAdvice, nullptr},
    {"capture.sizes", 4, Kind::backend, "one program for batches of many sizes, against the calls",
     kSizesAdvice, nullptr},
    {"capture.regions", 4, Kind::backend,
     "kernels of regions against their ops one by one: the same bits, but for exp, tanh and the "
     "order of sums",
     kRegionsAdvice, nullptr},
    {"capture.threads", 4, Kind::backend, "four threads run one program at once", kThreadsAdvice,
     nullptr},
};

}  // namespace tenon::conformance
