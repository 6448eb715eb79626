// Random programs: a capture gives the bits of its calls, values and gradients, and both are near what the same ops give in
// double precision on the reference backend.
//
//   random_programs --device NAME --plugin PATH --reference PATH [--count N] [--seed S] [--program P]
//
// All ops of the core are called, but those that passes alone make: it is counted how often each was.
// A program is a list of steps over values, about 20 of them, with variables, random numbers, repeated steps and steps that change
// nothing, so that every pass has something to do: it is counted in how many programs each did something, until that is often enough.
// Each fourth is captured once more with a memory budget below its arena, or with the least that was found where that is not possible, and
// gives the bits that it gave without.
// Near is 2e-4 of the largest element, or 8 roundings to a half precision that a step computes in. An element near a kink or a jump may go
// either way: where values or gradients are not near, inputs of the exact run are moved by 2^-20, with kinks and jumps its calls by 2^-23
// too, and a result may differ by 16 times as much as it moves then. It is printed how often that was needed, and how often it left a result a tenth or more.
// What steps compute in one given dtype, f16, bf16, integers and random numbers, which are drawn as f32, the exact run computes in that too:
// of those the two backends are compared.
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
#include <string_view>
#include <vector>

#include "random_data_ops.hpp"
#include "random_math_ops.hpp"
#include "random_nn_ops.hpp"
#include "random_ops.hpp"

namespace {

using namespace random_programs;

// Every fourth program is captured for any number of rows, or rows and columns.
constexpr bool kAnySizes = true;
// Not in such programs: steps that reckon with sizes, or name them other than in the dims of an op.
constexpr std::string_view kOfKnownSizes =
    " concat prod std norm cumprod diagonal eye dot vecdot einsum cholesky triangular_solve lu "
    "solve inverse det lu_of_any complex_sums bitcast_of_complex whole_products pad pad_edge "
    "pad_reflect split tile depth_to_space space_to_depth arange slices_with_steps gather "
    "gather_from_end embedding scatter_set scatter_add_mode scatter_max scatter_min "
    "scatter_add one_hot take_along_axis gather_nd scatter_nd checked_index gather_by_values "
    "topk indices_of_order nonzero unique permutation categorical matmul_integer "
    "qlinear_matmul conv_integer qlinear_conv conv1d conv2d conv3d conv_transpose1d "
    "conv_transpose2d conv_transpose3d conv conv2d_input_grad conv2d_weight_grad linear "
    "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d "
    "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d "
    "adaptive_max_pool3d global_avg_pool global_max_pool window_sum window_max window_min "
    "window_scatter batch_norm_train group_norm cross_entropy cross_entropy_grad "
    "cross_entropy_probs nll mse l1 huber bce_with_logits bce kl_div kl_div_of_logs hinge "
    "cosine_loss cosine_similarity ctc attention attention_grad rotary_embedding rnn "
    "rnn_of_relu gru lstm lstm_steps lstm_steps_grad resize ";
bool takes_any_size(const Op& op) {
  const std::string name = std::string(" ") + op.name + " ";
  return kOfKnownSizes.find(name) == std::string::npos;
}

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
  double grain = 0;  // the most of a step
  // Of a variable like the last value, which is taken from a sum of that, or empty: a last step that may be done in place.
  Dims kept;
  bool any_rows = false, any_columns = false;  // sizes that the capture does not know
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
    int64_t rows = kSizes[below(5)], columns = kSizes[1 + below(5)];
    if (kAnySizes && below(4) == 0) {
      // What is not known to be the same, or 1, is not.
      while (rows == 1 || rows == columns) rows = kSizes[1 + below(4)];
      r.any_rows = true;
      r.any_columns = below(2) != 0;
    }
    r.dims[0] = {rows, columns};
    r.dims[1] = {below(2) ? rows : 1, columns};
    r.dims[2] = {1, below(2) && !r.any_columns ? columns : 1};
    std::vector<Dims> dims(r.dims, r.dims + kGiven);
    const size_t n = 12 + below(17);
    const auto worst = static_cast<Kind>(below(3));
    const bool halves = below(6) == 0;
    while (r.steps.size() < n) {
      const size_t kinds = ops().size();
      size_t op = below(5) < 3 ? below(usual) : usual + below(kinds - usual);
      // What passes look for is rare otherwise, since other programs have none of it.
      if (worst == Kind::smooth && below(5) == 0) op = rearranged[below(rearranged.size())];
      Step s{op, late(dims.size()), late(dims.size()), number()};
      if (!r.steps.empty() && below(8) == 0) s = r.steps[below(r.steps.size())];  // the same again
      const Op& kind = ops()[s.op];
      if (kind.kind > worst || (kind.reordered && worst != Kind::smooth)) continue;
      if (kind.grain > 0 && !halves) continue;
      if (r.any_rows && !takes_any_size(kind)) continue;
      if (kind.arity == 2) {
        for (int tries = 0; broadcast(dims[s.a], dims[s.b]).empty() && tries < 8; ++tries)
          s.b = below(dims.size());
        if (broadcast(dims[s.a], dims[s.b]).empty()) s.b = s.a;
      }
      dims.push_back(result(kind, dims[s.a], dims[s.b]));
      r.kind = std::max(r.kind, kind.kind);
      r.grain = std::max(r.grain, kind.grain);
      ++used[kind.name];
      r.steps.push_back(s);
    }
    if (below(4) == 0) r.kept = dims.back();
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
std::vector<T> execute(const Ops& o, const Recipe& r, const std::vector<T>& inputs, tn_variable* v,
                       tn_variable* kept) {
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
  for (const Step& s : r.steps) {
    const T value = ops()[s.op].apply(o, values[s.a], values[s.b], s.p);
    const double part = o.rounding > 0 ? std::max(o.rounding, ops()[s.op].grain) : 0;
    values.push_back(o.rounded(value, part));
  }
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
  if (kept) {
    check(tn_variable_take(o.ctx, kept, &taken));
    const T sum = o.call(TN_OP_CUMSUM, {o.tanh(o.detached(out[0]))});
    // The variable last: of the operands that have the size of the result it is the last that may be written over.
    check(tn_variable_assign(o.ctx, kept, o.sub(sum, own(taken)).get()));
  }
  return out;
}

struct Result {
  std::vector<std::vector<double>> values;
  std::vector<std::string> bits;
};

// Each element of the inputs is moved by so much of itself, up or down, and each of the steps' results.
struct Shake {
  double inputs = 0, steps = 0;
  bool everywhere = false;  // each call within a step too
  uint64_t coins = 0;
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
  // `part` of the captured program's arena, or `budget` bytes, are what it may use.
  Result run(const Recipe& r, uint64_t seed, bool captured, const Shake& shake = {},
             double part = 1, uint64_t budget = 0) {
    shake_ = shake.inputs;
    ops_.rounding = shake.steps;
    ops_.everywhere = shake.everywhere;
    ops_.coins = shake.coins;
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
    std::unique_ptr<tn_variable, void (*)(tn_variable*)> kept(nullptr, tn_variable_release);
    if (!r.kept.empty()) {
      tn_variable* more = nullptr;
      check(tn_variable_create(ops_.ctx, tn_string("kept"), filled(r.kept, weights).get(),
                               TN_VARIABLE_NOT_TRAINABLE, &more));
      kept.reset(more);
    }
    if (captured) program.reset(capture(r, v.get(), kept.get(), budget));
    Result out;
    for (int turn = 0; turn < 2; ++turn) {
      ops_.counts = captured || turn ? nullptr : &counts_;
      if (turn) check(tn_variable_assign(ops_.ctx, raw, filled({kFixed, kFixed}, weights).get()));
      std::vector<T> inputs;
      for (size_t k = 0; k < kInputs; ++k) inputs.push_back(filled(r.dims[k], random));
      if (part < 1 && !turn) {
        const double bytes = part * static_cast<double>(arena(program.get(), inputs));
        program.reset(
            capture(r, v.get(), kept.get(), std::max<uint64_t>(1, static_cast<uint64_t>(bytes))));
      }
      keep(captured ? replay(program.get(), inputs) : execute(ops_, r, inputs, v.get(), kept.get()),
           out);
    }
    ops_.counts = nullptr;
    for (tn_variable* each : {v.get(), kept.get()}) {
      if (!each) continue;
      tn_tensor* last = nullptr;
      check(tn_variable_take(ops_.ctx, each, &last));
      keep({own(last)}, out);
    }
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
    std::mt19937_64 coin(wide.size() + (ops_.coins << 32));
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
  tn_program* capture(const Recipe& r, tn_variable* v, tn_variable* kept, uint64_t budget) {
    check(tn_capture_begin(ops_.ctx, tn_string("random")));
    try {
      check(tn_capture_set_memory_budget(ops_.ctx, budget));
      std::vector<T> inputs;
      for (size_t k = 0; k < kInputs; ++k) {
        tn_tensor* t = nullptr;
        const tn_str symbols[] = {tn_string("rows"), tn_string("columns")};
        Dims dims = r.dims[k];
        if (r.any_rows && dims[0] != 1) dims[0] = TN_DIM_ANY;
        if (r.any_columns) dims[1] = TN_DIM_ANY;
        check(tn_capture_input(ops_.ctx, tn_string(k ? "y" : "x"), ops_.dtype, 2, dims.data(),
                               symbols, &t));
        inputs.push_back(own(t));
      }
      const std::vector<T> outputs = execute(ops_, r, inputs, v, kept);
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
  for (const double v : values)
    if (std::isfinite(v)) most = std::max(most, std::fabs(v));
  return most;
}

// By how much an element of each result moves at most, of those that are finite in both.
using Moved = std::vector<double>;
Moved movement(const Result& a, const Result& b) {
  Moved out(a.values.size());
  for (size_t k = 0; k < out.size(); ++k)
    for (size_t i = 0; i < a.values[k].size(); ++i) {
      const double by = std::fabs(a.values[k][i] - b.values[k][i]);
      if (std::isfinite(by)) out[k] = std::max(out[k], by);
    }
  return out;
}

// "" or where two results differ by more than `tolerance` of the largest finite element, or of `least`: what goes into it is about 1.
// `moved`: how much of `want` moves with inputs moved by 2^-20, and, where there are kinks, calls by 2^-23; 16 times as much may differ.
std::string difference(const Result& got, const Result& want, double tolerance,
                       const Moved* moved = nullptr, double least = 1e-2) {
  if (got.values.size() != want.values.size()) return "another number of results";
  for (size_t k = 0; k < got.values.size(); ++k) {
    const size_t n = want.values[k].size();
    if (got.values[k].size() != n) return "another number of elements";
    double allowed = tolerance * std::max(least, largest(want.values[k]));
    if (moved) allowed += 16 * (*moved)[k];
    for (size_t i = 0; i < n; ++i) {
      const double a = got.values[k][i], b = want.values[k][i];
      if (a == b || std::fabs(a - b) <= allowed || (std::isnan(a) && std::isnan(b))) continue;
      char text[160];
      std::snprintf(text, sizeof text, "result %zu at %zu: %.9g, expected %.9g +- %.2g", k, i, a, b,
                    allowed);
      return text;
    }
  }
  return "";
}

std::string text_of(const Recipe& r) {
  std::string out = r.any_columns ? "  of any size\n"
                    : r.any_rows  ? "  of any number of rows\n"
                                  : "";
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
    for (const char* name :
         {"dead_code", "expand", "simplify", "subexpressions", "recognise", "layout",
          "fold_constants", "fold_norms", "pack_weights", "fold_variables", "regions", "epilogues",
          "recompute", kReductions, kInPlace, kShared})
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
        if (pass == "memory")
          count_memory(path, seen);
        else
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
  static constexpr const char *kInPlace = "in_place", *kShared = "memory_shared";

  // Of the graph behind the pass: "v5 = sum(v4, mask 1)" is an instruction of a region.
  static bool has_reduction(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
      if (line.find(", mask ") != std::string::npos) return true;
    return false;
  }
  // Results over inputs, and values that share bytes: "0 to 64, steps 1 to 2: f32 [4, 4]" is where one lies.
  static void count_memory(const std::string& path, std::map<std::string, bool>& seen) {
    std::ifstream file(path);
    uint64_t arena = 0, bytes = 0;
    for (std::string line; std::getline(file, line);) {
      if (const size_t at = line.find("arena of "); at != std::string::npos)
        arena = std::stoull(line.substr(at + 9));
      if (line.find(" is written over input ") != std::string::npos) seen[kInPlace] = true;
      unsigned long long first = 0, last = 0;
      if (std::sscanf(line.c_str(), " %llu to %llu, steps", &first, &last) == 2)
        bytes += last - first;
    }
    if (bytes > arena) seen[kShared] = true;
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

// How many programs were judged.
struct Judged {
  uint64_t programs = 0;
  uint64_t halves = 0;     // with a half precision on the way
  uint64_t sensitive = 0;  // near only with regard to what moves with their inputs and steps
  uint64_t loose = 0;      // of these, such with a result that may be off by a tenth then
};

// Values and gradients against double precision.
std::string judge_of(Side& judge, const Recipe& r, uint64_t seed, const Result& got,
                     Judged& counts) {
  ++counts.programs;
  counts.halves += r.grain > 0;
  const double tolerance = std::max(2e-4, 8 * r.grain);
  const Result exact = judge.run(r, seed, false);
  std::string fault = difference(got, exact, tolerance);
  if (fault.empty()) return "";
  Moved moved = movement(judge.run(r, seed, false, {0x1p-20}), exact);
  fault = difference(got, exact, tolerance, &moved);
  // An element at a kink or a jump may go either way: where one of some runs goes the other way, so may this one.
  const bool smooth = r.kind == Kind::smooth && r.grain == 0;
  for (uint64_t coins = 1; !smooth && !fault.empty() && coins <= 8; ++coins) {
    const Moved more = movement(judge.run(r, seed, false, {0x1p-20, 0x1p-23, true, coins}), exact);
    // The value and loss of the first turn, which no gradient has changed, are near even at a kink.
    const size_t first = r.kind == Kind::kinked && r.grain == 0 ? 2 : 0;
    for (size_t k = first; k < moved.size(); ++k) moved[k] = std::max(moved[k], more[k]);
    fault = difference(got, exact, tolerance, &moved);
  }
  if (!fault.empty()) return fault;
  ++counts.sensitive;
  bool loose = false;
  for (size_t k = 0; k < moved.size(); ++k)
    loose = loose || 16 * moved[k] > 0.1 * std::max(1e-2, largest(exact.values[k]));
  counts.loose += loose;
  return "";
}

// The bytes that a message says were the least between the steps of a program with a budget; 0: it says something else.
uint64_t least_of(const std::string& message) {
  const size_t at = message.find("\": ");
  if (at == std::string::npos || message.find("its memory budget is") == std::string::npos)
    return 0;
  return std::stoull(message.substr(at + 3));
}

int run(const Options& o) {
  Side side(o.device.c_str(), o.plugin, TN_DTYPE_F32);
  Side judge("reference", o.reference, TN_DTYPE_F64);
  std::map<std::string, int> used;
  const bool counted = !std::getenv("TENON_DUMP");
  Fired fired;
  uint64_t failed = 0, steps = 0, reordered = 0, any_sizes = 0;
  uint64_t within = 0, at_least = 0;
  Judged counts;
  for (uint64_t k = 0; k < o.count; ++k) {
    const uint64_t seed = o.program ? o.program : o.seed * 1000003 + k;
    Generator generator(seed);
    const Recipe r = generator.recipe(used);
    steps += r.steps.size();
    any_sizes += r.any_rows;
    std::string fault;
    try {
      const Result called = side.run(r, seed, false);
      fired.watch(false);
      const Result captured = side.run(r, seed, true);
      if (called.bits != captured.bits) {
        fault = difference(captured, called, 0x1p-18);
        const bool elsewhere =
            std::ranges::any_of(r.steps, [](const Step& s) { return ops()[s.op].reordered; });
        if (!fault.empty() && elsewhere) {
          // What the same change of inputs does in double precision: later steps make more of what was rounded elsewhere.
          const Moved moved =
              movement(judge.run(r, seed, false, {0x1p-20}), judge.run(r, seed, false));
          // Six roundings of elements of about 1, of which a mean may be 0.
          fault = difference(captured, called, 0x1p-18, &moved, 1e-1);
        }
        reordered += fault.empty();
        if (!fault.empty()) fault = "captured and called differ: " + fault;
      }
      if (fault.empty()) {
        fault = judge_of(judge, r, seed, captured, counts);
        if (!fault.empty()) fault = "far from double precision: " + fault;
      }
      if (fault.empty() && k % 4 == 0) {
        fired.watch(true);
        const double part = 0.5 + 0.05 * static_cast<double>(generator.below(10));
        Result less;
        try {
          less = side.run(r, seed, true, {}, part);
        } catch (const std::runtime_error& e) {
          // Not possible: then with the least that was found, which it must meet.
          const uint64_t least = least_of(e.what());
          if (!least) throw;
          less = side.run(r, seed, true, {}, 1, least);
          ++at_least;
        }
        if (less.bits != captured.bits) fault = "with a memory budget it gives other bits";
        ++within;
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
      "sums in another order, %llu captured for any size\n%llu judged in double precision with "
      "gradients, %llu of them with half "
      "precision on the way, %llu sensitive to their inputs, %llu at kinks and jumps\n",
      static_cast<unsigned long long>(o.count),
      static_cast<double>(steps) / static_cast<double>(o.count), ops().size(), least,
      static_cast<unsigned long long>(failed), static_cast<unsigned long long>(reordered),
      static_cast<unsigned long long>(any_sizes), static_cast<unsigned long long>(counts.programs),
      static_cast<unsigned long long>(counts.halves),
      static_cast<unsigned long long>(counts.sensitive),
      static_cast<unsigned long long>(counts.loose));
  std::printf("%llu within a memory budget, %llu of them with the least that was found\n",
              static_cast<unsigned long long>(within), static_cast<unsigned long long>(at_least));
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
