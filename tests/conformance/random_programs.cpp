// Random programs: a capture gives the bits of its calls, values and gradients, and both are near what the same ops give in
// double precision on the reference backend.
//
//   random_programs --device NAME --plugin PATH --reference PATH [--count N] [--seed S] [--program P]
//
// All ops of the core are called, but those that passes alone make: it is counted how often each was.
// A program is a list of steps over values, about 20 of them, with variables, random numbers, repeated steps and steps that change
// nothing, so that every pass has something to do: it is counted in how many programs each did something, until that is often enough.
// Each fourth is captured once more with a memory budget below its arena, and gives the bits that it gave without.
// With TENON_DUMP set, what each pass did lies there, and nothing is counted.
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "random_data_ops.hpp"
#include "random_math_ops.hpp"
#include "random_nn_ops.hpp"
#include "random_ops.hpp"

namespace {

using namespace random_programs;

size_t usual = 0;                // kinds of step at the front, of which more are taken
std::vector<size_t> rearranged;  // kinds of which a pass makes sums in another order

const std::vector<Op>& ops() {
  static const std::vector<Op> all = [] {
    Family family;
    family.all = usual_ops();
    usual = family.all.size();
    add_math(family);
    add_data(family);
    add_networks(family);
    for (size_t k = 0; k < family.all.size(); ++k)
      if (family.all[k].reordered) rearranged.push_back(k);
    return family.all;
  }();
  return all;
}

struct Step {
  size_t op;
  size_t a, b;  // values: inputs, the variable, then the results of steps
  double p;
};

constexpr size_t kInputs = 2, kGiven = kInputs + 1;

struct Recipe {
  Dims dims[kGiven];  // of inputs and variable
  std::vector<Step> steps;
  Kind kind = Kind::smooth;
};

Dims broadcast(const Dims& a, const Dims& b) {
  Dims out = a;
  for (size_t i = 0; i < out.size(); ++i) {
    if (a[i] != b[i] && a[i] != 1 && b[i] != 1) return {};
    out[i] = std::max(a[i], b[i]);
  }
  return out;
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}
  size_t below(size_t n) { return random_() % n; }
  double number() { return std::uniform_real_distribution<double>(-1.5, 1.5)(random_); }

  Recipe recipe(std::map<std::string, int>& used) {
    static constexpr int64_t kSizes[] = {1, 3, 4, 8, 17, 130};
    Recipe r;
    const int64_t rows = kSizes[below(5)], columns = kSizes[1 + below(5)];
    r.dims[0] = {rows, columns};
    r.dims[1] = {below(2) ? rows : 1, columns};
    r.dims[2] = {1, below(2) ? columns : 1};
    std::vector<Dims> dims(r.dims, r.dims + kGiven);
    const size_t n = 12 + below(17);
    const auto worst = static_cast<Kind>(below(3));
    while (r.steps.size() < n) {
      const size_t kinds = ops().size();
      size_t op = below(5) < 3 ? below(usual) : usual + below(kinds - usual);
      // What passes look for is rare otherwise, since other programs have none of it.
      if (worst == Kind::smooth && below(5) == 0) op = rearranged[below(rearranged.size())];
      Step s{op, late(dims.size()), late(dims.size()), number()};
      if (!r.steps.empty() && below(8) == 0) s = r.steps[below(r.steps.size())];  // the same again
      const Op& kind = ops()[s.op];
      if (kind.kind > worst || (kind.reordered && worst != Kind::smooth)) continue;
      if (kind.arity == 2) {
        for (int tries = 0; broadcast(dims[s.a], dims[s.b]).empty() && tries < 8; ++tries)
          s.b = below(dims.size());
        if (broadcast(dims[s.a], dims[s.b]).empty()) s.b = s.a;
      }
      dims.push_back(result(kind, dims[s.a], dims[s.b]));
      r.kind = std::max(r.kind, kind.kind);
      ++used[kind.name];
      r.steps.push_back(s);
    }
    return r;
  }

 private:
  // Rather a late value than an early one.
  size_t late(size_t n) { return below(3) ? n - 1 - below(std::min<size_t>(n, 4)) : below(n); }
  static Dims result(const Op& op, const Dims& a, const Dims& b) {
    const std::string name = op.name;
    if (name == "transpose") return {a[1], a[0]};
    if (name == "sum") return {1, a[1]};
    if (name == "mean" || name == "max" || name == "logsumexp") return {a[0], 1};
    if (name == "concat" || name == "matmul" || op.arity == 1) return a;
    return broadcast(a, b);
  }
  std::mt19937_64 random_;
};

// The recipe once: its last value, the loss, the gradients of inputs and variable, all as tensors; the variable takes a step.
std::vector<T> execute(const Ops& o, const Recipe& r, const std::vector<T>& inputs,
                       tn_variable* v) {
  std::vector<T> values, leaves;
  for (const T& t : inputs) {
    tn_tensor* leaf = nullptr;
    check(tn_tensor_leaf(o.ctx, t.get(), &leaf));
    leaves.push_back(own(leaf));
  }
  tn_tensor* taken = nullptr;
  check(tn_variable_take(o.ctx, v, &taken));
  leaves.push_back(own(taken));
  values = leaves;
  for (const Step& s : r.steps)
    values.push_back(o.rounded(ops()[s.op].apply(o, values[s.a], values[s.b], s.p)));
  T loss;
  for (size_t back = 1; back <= 3; ++back) {  // the last three
    const T square = o.call(TN_OP_SQUARE, {o.call(TN_OP_TANH, {values[values.size() - back]})});
    const T mean = o.call(TN_OP_MEAN, {square});
    loss = loss ? o.call(TN_OP_ADD, {loss, mean}) : mean;
  }
  std::vector<T> out = {values.back(), loss};
  std::vector<tn_tensor*> by, grads(leaves.size());
  for (const T& t : leaves) by.push_back(t.get());
  tn_tensor* outputs[] = {loss.get()};
  if (tn_tensor_requires_grad(loss.get()))
    check(tn_vjp(o.ctx, outputs, nullptr, 1, by.data(), static_cast<uint32_t>(by.size()),
                 TN_GRAD_ALLOW_UNUSED, grads.data()));
  for (tn_tensor* g : grads)
    if (g) out.push_back(own(g));
  if (grads.back()) {
    tn_tensor* plain = nullptr;
    check(tn_tensor_detach(o.ctx, taken, &plain));
    const T next = o.call(TN_OP_SUB, {own(plain), o.call(TN_OP_MUL, {out.back(), o.number(0.1)})});
    check(tn_variable_assign(o.ctx, v, next.get()));
  }
  return out;
}

struct Result {
  std::vector<std::vector<double>> values;
  std::vector<std::string> bits;
};

class Side {
 public:
  Side(const char* device, const std::string& plugin, tn_dtype dtype) {
    tn_runtime_desc desc = tn_runtime_desc_init();
    const tn_str paths[] = {{plugin.data(), plugin.size()}};
    desc.plugin_paths = paths;
    desc.plugin_path_count = 1;
    check(tn_runtime_create(&desc, &runtime_));
    check(tn_ctx_create(runtime_, tn_string(device), &ops_.ctx));
    ops_.dtype = dtype;
  }
  ~Side() {
    tn_ctx_release(ops_.ctx);
    tn_runtime_release(runtime_);
  }
  Side(const Side&) = delete;

  // Two runs, with inputs from `seed`, and the variable at the end.
  // `shake`: each input element is moved by so much of itself, up or down; `rounding`: that of each step too. `part` of the captured
  // program's arena is what it may use.
  Result run(const Recipe& r, uint64_t seed, bool captured, double shake = 0, double part = 1,
             double rounding = 0) {
    shake_ = shake;
    ops_.rounding = rounding;
    check(tn_ctx_set_seed(ops_.ctx, seed));
    std::mt19937_64 random(seed);
    tn_variable* raw = nullptr;
    check(tn_variable_create(ops_.ctx, tn_string("v"), filled(r.dims[kInputs], random).get(), 0,
                             &raw));
    const std::unique_ptr<tn_variable, void (*)(tn_variable*)> v(raw, tn_variable_release);
    std::unique_ptr<tn_program, void (*)(tn_program*)> program(nullptr, tn_program_release);
    std::mt19937_64 weights(seed + 1);
    check(tn_variable_create(ops_.ctx, tn_string("fixed"), filled({kFixed, kFixed}, weights).get(),
                             TN_VARIABLE_NOT_TRAINABLE, &raw));
    const std::unique_ptr<tn_variable, void (*)(tn_variable*)> fixed(raw, tn_variable_release);
    ops_.fixed = raw;
    if (captured) program.reset(capture(r, v.get(), 0));
    Result out;
    for (int turn = 0; turn < 2; ++turn) {
      ops_.counts = captured || turn ? nullptr : &counts_;
      if (turn) check(tn_variable_assign(ops_.ctx, raw, filled({kFixed, kFixed}, weights).get()));
      std::vector<T> inputs;
      for (size_t k = 0; k < kInputs; ++k) inputs.push_back(filled(r.dims[k], random));
      if (part < 1 && !turn) {
        const double bytes = part * static_cast<double>(arena(program.get(), inputs));
        program.reset(capture(r, v.get(), std::max<uint64_t>(1, static_cast<uint64_t>(bytes))));
      }
      keep(captured ? replay(program.get(), inputs) : execute(ops_, r, inputs, v.get()), out);
    }
    ops_.counts = nullptr;
    tn_tensor* last = nullptr;
    check(tn_variable_take(ops_.ctx, v.get(), &last));
    keep({own(last)}, out);
    return out;
  }

  // How often programs that were not captured called each op of the core which is not for passes alone.
  std::map<std::string, int> called() const {
    std::map<std::string, int> out;
    uint32_t n = 0;
    check(tn_op_count(runtime_, &n));
    for (uint32_t k = 0; k < n; ++k) {
      tn_op op = 0;
      check(tn_op_at(runtime_, k, &op));
      tn_op_info info = tn_op_info_init();
      check(tn_op_get_info(runtime_, op, &info));
      const std::string name(info.name.data, info.name.size);
      if (info.plugin.size || name.ends_with("region")) continue;
      const auto found = counts_.find(op);
      out[name] = found == counts_.end() ? 0 : found->second;
    }
    return out;
  }

 private:
  T filled(const Dims& dims, std::mt19937_64& random) {
    int64_t n = 1;
    for (const int64_t d : dims) n *= d;
    std::vector<float> data(static_cast<size_t>(n));
    for (size_t i = 0; i < data.size(); i += 2) {  // 24 bits each
      const uint64_t bits = random();
      data[i] = static_cast<float>(bits >> 40) * 0x1p-22f - 2;
      if (i + 1 < data.size()) data[i + 1] = static_cast<float>(bits & 0xffffff) * 0x1p-22f - 2;
    }
    tn_tensor* t = nullptr;
    check(tn_tensor_from_f32(ops_.ctx, data.data(), static_cast<uint32_t>(dims.size()), dims.data(),
                             &t));
    const T made = own(t);
    if (ops_.dtype == TN_DTYPE_F32) return made;
    std::vector<double> wide(data.begin(), data.end());
    std::mt19937_64 coin(wide.size());
    for (double& x : wide) x *= 1 + (coin() % 2 ? shake_ : -shake_);
    check(tn_tensor_from_host(ops_.ctx, TN_DTYPE_F64, static_cast<uint32_t>(dims.size()),
                              dims.data(), wide.data(), wide.size() * sizeof(double), &t));
    return own(t);
  }

  uint64_t arena(tn_program* p, const std::vector<T>& inputs) {
    tn_tensor* in[kInputs];
    for (size_t k = 0; k < kInputs; ++k) in[k] = inputs[k].get();
    uint64_t size = 0;
    check(tn_program_cost(ops_.ctx, p, in, kInputs, nullptr, 0, &size));
    std::string text(size + 1, 0);
    check(tn_program_cost(ops_.ctx, p, in, kInputs, text.data(), text.size(), nullptr));
    const std::string name = "\"arena_bytes\": ";
    return std::stoull(text.substr(text.rfind(name) + name.size()));
  }

  // budget 0: none.
  tn_program* capture(const Recipe& r, tn_variable* v, uint64_t budget) {
    check(tn_capture_begin(ops_.ctx, tn_string("random")));
    try {
      check(tn_capture_set_memory_budget(ops_.ctx, budget));
      std::vector<T> inputs;
      for (size_t k = 0; k < kInputs; ++k) {
        tn_tensor* t = nullptr;
        check(tn_capture_input(ops_.ctx, tn_string(k ? "y" : "x"), ops_.dtype, 2, r.dims[k].data(),
                               nullptr, &t));
        inputs.push_back(own(t));
      }
      const std::vector<T> outputs = execute(ops_, r, inputs, v);
      std::vector<tn_tensor*> list;
      for (const T& t : outputs) list.push_back(t.get());
      tn_program* p = nullptr;
      check(tn_capture_end(ops_.ctx, list.data(), static_cast<uint32_t>(list.size()), &p));
      return p;
    } catch (...) {
      tn_capture_abort(ops_.ctx);
      throw;
    }
  }

  std::vector<T> replay(tn_program* p, const std::vector<T>& inputs) {
    std::vector<tn_tensor*> in, out(16);
    for (const T& t : inputs) in.push_back(t.get());
    uint32_t n = 0;
    check(tn_program_run(ops_.ctx, p, in.data(), static_cast<uint32_t>(in.size()), out.data(), 16,
                         &n));
    std::vector<T> results;
    for (uint32_t i = 0; i < n; ++i) results.push_back(own(out[i]));
    return results;
  }

  void keep(const std::vector<T>& tensors, Result& out) {
    for (const T& t : tensors) {
      const T wide = ops_.cast(t, TN_DTYPE_F64);
      std::vector<double> data(static_cast<size_t>(tn_tensor_count(t.get())));
      check(tn_tensor_read(ops_.ctx, wide.get(), data.data(), data.size() * sizeof(double)));
      out.values.push_back(data);
      std::string bytes(tn_tensor_bytes(t.get()), 0);
      check(tn_tensor_read(ops_.ctx, t.get(), bytes.data(), bytes.size()));
      out.bits.push_back(bytes);
    }
  }

  tn_runtime* runtime_ = nullptr;
  Ops ops_{};
  double shake_ = 0;
  std::map<tn_op, int> counts_;
};

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::fabs(v));
  return most;
}

// "" or where two results differ by more than `tolerance` of the largest element, or of `least`: what goes into it is about 1. `shaken`:
// `want` for inputs moved by 2^-20, and steps by 2^-23; what moves with them may differ by 16 times as much.
std::string difference(const Result& got, const Result& want, bool only_values, double tolerance,
                       const Result* shaken = nullptr, double least = 1e-2) {
  if (got.values.size() != want.values.size()) return "another number of results";
  for (size_t k = 0; k < (only_values ? 2 : got.values.size()); ++k) {
    const size_t n = got.values[k].size();
    double allowed = tolerance * std::max(least, largest(want.values[k])), moved = 0;
    for (size_t i = 0; shaken && i < n; ++i)
      moved = std::max(moved, std::fabs(shaken->values[k][i] - want.values[k][i]));
    allowed += 16 * moved;
    for (size_t i = 0; i < n; ++i) {
      const double a = got.values[k][i], b = want.values[k][i];
      if (std::fabs(a - b) <= allowed || (std::isnan(a) && std::isnan(b))) continue;
      char text[160];
      std::snprintf(text, sizeof text, "result %zu at %zu: %.9g, expected %.9g +- %.2g", k, i, a, b,
                    allowed);
      return text;
    }
  }
  return "";
}

// `from` and what the same change of inputs does to it in double precision: later steps make more of what was rounded elsewhere.
Result moved_by(Result from, const Result& exact, const Result& shaken) {
  for (size_t k = 0; k < from.values.size(); ++k)
    for (size_t i = 0; i < from.values[k].size(); ++i)
      from.values[k][i] += shaken.values[k][i] - exact.values[k][i];
  return from;
}

std::string text_of(const Recipe& r) {
  std::string out;
  for (size_t k = 0; k < kGiven; ++k)
    out += "  %" + std::to_string(k) + ": [" + std::to_string(r.dims[k][0]) + ", " +
           std::to_string(r.dims[k][1]) + "]\n";
  for (size_t k = 0; k < r.steps.size(); ++k) {
    const Step& s = r.steps[k];
    out += "  %" + std::to_string(k + kGiven) + " = " + ops()[s.op].name + "(%" +
           std::to_string(s.a) + ", %" + std::to_string(s.b) + ", " + std::to_string(s.p) + ")\n";
  }
  return out;
}

// In how many programs each pass did something, by the files of TENON_DUMP, which are taken away at once.
class Fired {
 public:
  static constexpr int kEnough = 200;
  Fired() {
    for (const char* name : {"dead_code", "expand", "simplify", "subexpressions", "recognise",
                             "layout", "fold_constants", "fold_norms", "pack_weights",
                             "fold_variables", "regions", "epilogues", "recompute", kReductions})
      counts_[name] = 0;
    if (std::getenv("TENON_DUMP")) return;
    // In memory where there is such a folder: these are many files, and short-lived.
    for (std::string name : {"/dev/shm/random_programs.XXXXXX", "/tmp/random_programs.XXXXXX"}) {
      if (!::mkdtemp(name.data())) continue;
      folder_ = name;
      return;
    }
  }
  ~Fired() { end(); }
  Fired(const Fired&) = delete;

  // Of what is captured next: files only where something is not counted often enough, which is recomputation where there is a budget.
  void watch(bool budget) {
    if (folder_.empty()) return;
    const bool seldom = std::ranges::any_of(counts_, [&](const auto& pass) {
      return pass.second < kEnough && (pass.first == "recompute") == budget;
    });
    if (seldom)
      ::setenv("TENON_DUMP", folder_.c_str(), 1);
    else
      ::unsetenv("TENON_DUMP");
  }
  // What was captured since the last time.
  void count() {
    if (folder_.empty()) return;
    std::map<std::string, bool> seen;
    DIR* d = ::opendir(folder_.c_str());
    while (const dirent* e = d ? ::readdir(d) : nullptr) {
      const std::string file = e->d_name;
      const size_t dot = file.rfind(".txt"), dash = file.rfind('-');
      if (file[0] == '.') continue;
      const std::string path = folder_ + "/" + file;
      if (dot != std::string::npos) {
        const std::string pass = file.substr(dash + 1, dot - dash - 1);
        seen[pass] = true;
        if (pass == "regions" && has_reduction(path)) seen[kReductions] = true;
      }
      ::unlink(path.c_str());
    }
    if (d) ::closedir(d);
    seen.erase("captured");
    for (const auto& [pass, is] : seen) counts_[pass] += is;
    if (least() >= kEnough) end();
  }
  int least() const {
    int n = INT32_MAX;
    for (const auto& [pass, k] : counts_) n = std::min(n, k);
    return n;
  }
  void print() const {
    std::printf("programs in which a pass did something:");
    for (const auto& [pass, k] : counts_) std::printf(" %s %d", pass.c_str(), k);
    std::printf("\n");
  }

 private:
  static constexpr const char* kReductions = "reductions_in_regions";

  // Of the graph behind the pass: "v5 = sum(v4, mask 1)" is an instruction of a region.
  static bool has_reduction(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
      if (line.find(", mask ") != std::string::npos) return true;
    return false;
  }
  void end() {
    if (folder_.empty()) return;
    ::unsetenv("TENON_DUMP");
    ::rmdir(folder_.c_str());
    folder_.clear();
  }
  std::string folder_;  // empty: not counting
  std::map<std::string, int> counts_;
};

struct Options {
  std::string device, plugin, reference;
  uint64_t count = 1000, seed = 1;
  uint64_t program = 0;  // this one alone
};

constexpr int kCalled =
    50;  // times that each kind of step, and each op, is called in 5,000 programs

int run(const Options& o) {
  Side side(o.device.c_str(), o.plugin, TN_DTYPE_F32);
  Side judge("reference", o.reference, TN_DTYPE_F64);
  std::map<std::string, int> used;
  const bool counted = !std::getenv("TENON_DUMP");
  Fired fired;
  uint64_t failed = 0, steps = 0, judged = 0, reordered = 0, sensitive = 0;
  uint64_t within = 0, too_tight = 0;
  for (uint64_t k = 0; k < o.count; ++k) {
    const uint64_t seed = o.program ? o.program : o.seed * 1000003 + k;
    Generator generator(seed);
    const Recipe r = generator.recipe(used);
    steps += r.steps.size();
    std::string fault;
    try {
      const Result called = side.run(r, seed, false);
      fired.watch(false);
      const Result captured = side.run(r, seed, true);
      if (called.bits != captured.bits) {
        fault = difference(captured, called, false, 0x1p-18);
        const bool elsewhere =
            std::ranges::any_of(r.steps, [](const Step& s) { return ops()[s.op].reordered; });
        if (!fault.empty() && elsewhere) {
          const Result moved =
              moved_by(called, judge.run(r, seed, false), judge.run(r, seed, false, 0x1p-20));
          // Six roundings of elements of about 1, of which a mean may be 0.
          fault = difference(captured, called, false, 0x1p-18, &moved, 1e-1);
        }
        reordered += fault.empty();
        if (!fault.empty()) fault = "captured and called differ: " + fault;
      }
      if (fault.empty() && r.kind != Kind::rough) {
        ++judged;
        const bool only_values = r.kind == Kind::kinked;
        const Result exact = judge.run(r, seed, false);
        fault = difference(captured, exact, only_values, 2e-4);
        if (!fault.empty()) {
          // A step may round what no input moves: a sum over equal numbers, less that many of them.
          const Result shaken = judge.run(r, seed, false, 0x1p-20, 1, 0x1p-23);
          fault = difference(captured, exact, only_values, 2e-4, &shaken);
          sensitive += fault.empty();
        }
        if (!fault.empty()) fault = "far from double precision: " + fault;
      }
      if (fault.empty() && k % 4 == 0) {
        try {
          fired.watch(true);
          const double part = 0.5 + 0.05 * static_cast<double>(generator.below(10));
          if (side.run(r, seed, true, 0, part).bits != captured.bits)
            fault = "with a memory budget it gives other bits";
          ++within;
        } catch (const std::runtime_error& e) {
          if (std::string(e.what()).find("its memory budget is") == std::string::npos) throw;
          ++too_tight;
        }
      }
    } catch (const std::exception& e) {
      fault = e.what();
    }
    fired.count();
    if (fault.empty()) continue;
    if (++failed <= 5)
      std::printf("program %llu: %s\n%s", static_cast<unsigned long long>(seed), fault.c_str(),
                  text_of(r).c_str());
  }
  int least = INT32_MAX;
  for (const Op& op : ops()) least = std::min(least, used[op.name]);
  std::printf(
      "%llu programs of %.1f steps, %zu kinds of step, each at least %d times: %llu failed, %llu "
      "sums in another order, %llu judged in double precision, %llu sensitive to their inputs\n",
      static_cast<unsigned long long>(o.count),
      static_cast<double>(steps) / static_cast<double>(o.count), ops().size(), least,
      static_cast<unsigned long long>(failed), static_cast<unsigned long long>(reordered),
      static_cast<unsigned long long>(judged), static_cast<unsigned long long>(sensitive));
  std::printf("%llu within a memory budget, %llu that were not possible\n",
              static_cast<unsigned long long>(within), static_cast<unsigned long long>(too_tight));
  if (counted) fired.print();
  const std::map<std::string, int> called = side.called();
  int least_called = INT32_MAX;
  for (const auto& [name, n] : called) least_called = std::min(least_called, n);
  std::printf("each of %zu ops at least %d times\n", called.size(), least_called);
  if (least_called < kCalled && o.count >= 5000) {
    std::printf("called fewer than %d times:", kCalled);
    for (const auto& [name, n] : called)
      if (n < kCalled) std::printf(" %s %d", name.c_str(), n);
    std::printf("\n");
  }
  const bool seldom =
      o.count >= 5000 && (least < kCalled || least_called < kCalled || within < 200 ||
                          (counted && fired.least() < Fired::kEnough));
  return failed || seldom ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  for (int k = 1; k + 1 < argc; k += 2) {
    const std::string name = argv[k], value = argv[k + 1];
    if (name == "--device")
      o.device = value;
    else if (name == "--plugin")
      o.plugin = value;
    else if (name == "--reference")
      o.reference = value;
    else if (name == "--count")
      o.count = std::stoull(value);
    else if (name == "--seed")
      o.seed = std::stoull(value);
    else if (name == "--program")
      o.program = std::stoull(value), o.count = 1;
    else
      return std::fprintf(stderr, "random_programs: unknown option %s\n", argv[k]), 2;
  }
  if (o.device.empty() || o.plugin.empty() || o.reference.empty())
    return std::fprintf(stderr,
                        "usage: random_programs --device NAME --plugin PATH --reference PATH "
                        "[--count N] [--seed S]\n"),
           2;
  try {
    return run(o);
  } catch (const std::exception& e) {
    return std::fprintf(stderr, "random_programs: %s\n", e.what()), 1;
  }
}
