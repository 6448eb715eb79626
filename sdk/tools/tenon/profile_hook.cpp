// libtenon_profile.so, which `tenon profile` has the loader put before libtenon in a program: it starts a recording with every runtime
// that the program makes and writes it before the program gives back its last reference, or ends. Beside the trace it counts what the
// trace does not have: bytes and, of products, operations of every op that the program calls and of every step of the captured programs
// that it runs, and the memory in use over time.
//
// Writes FOLDER/<process>-<runtime>.trace and .calls, JSON both, with FOLDER in the variable TENON_PROFILE_FOLDER. Without that it does nothing.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/tenon.h"

namespace {

template <class F>
F* real(F*, const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (!found) {
    std::fprintf(stderr, "tenon profile: %s is not in libtenon\n", name);
    std::abort();
  }
  return reinterpret_cast<F*>(found);
}
// libtenon's own function of that name.
#define REAL(f)                                     \
  ([] {                                             \
    static const auto real_##f##_ = real(&::f, #f); \
    return real_##f##_;                             \
  }())

bool failed(tn_error* error) {
  if (error) REAL(tn_error_release)(error);
  return error != nullptr;
}

uint64_t now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000u + static_cast<uint64_t>(t.tv_nsec);
}

struct Calls {
  uint64_t calls = 0, ns = 0;
  double bytes = 0, flop = 0;
  bool counted = false;  // flop is known
};
struct Sample {
  uint64_t ns, live, reserved;
};

// Of a captured program, for one set of sizes.
struct Cost {
  uint64_t runs = 0;
  std::string json;  // what tn_program_cost says; empty: nothing
};

struct Recording {
  std::string path;
  std::map<std::string, Cost> programs;  // by the program, its name and the sizes
  uint64_t references = 1, started = now(), last_sample = 0, peak = 0;
  std::map<tn_op, Calls> ops;
  std::vector<Sample> memory;
};

struct Hook {
  std::mutex mutex;
  std::map<tn_runtime*, Recording> recordings;
  std::set<tn_ctx*> capturing;
  int made = 0;
};
Hook& hook() {
  static Hook* const h = new Hook;  // outlives whatever runs when the process ends
  return *h;
}

// Operations of an op on these tensors, if it is one that multiplies and adds.
bool operations(const char* name, size_t size, tn_tensor* const* in, uint32_t n,
                const tn_tensor* out, double* flop) {
  const std::string_view op(name, size);
  if (n < 2 || !in[0] || !in[1]) return false;
  const tn_tensor* a = in[0];
  const tn_tensor* w = in[1];
  const auto count = static_cast<double>(REAL(tn_tensor_count)(out));
  const uint32_t rank = REAL(tn_tensor_rank)(out), rank_a = REAL(tn_tensor_rank)(a);
  if (op == "matmul" && rank >= 2 && rank_a >= 2 && count > 0) {
    const int64_t *d = REAL(tn_tensor_dims)(a), *y = REAL(tn_tensor_dims)(out);
    // One of the last two dims of a is the rows of the result, the other is summed over.
    const double sides = static_cast<double>(d[rank_a - 2]) * static_cast<double>(d[rank_a - 1]);
    *flop = 2 * count * sides / static_cast<double>(y[rank - 2]);
    return true;
  }
  if (op == "linear" && rank_a >= 1 && REAL(tn_tensor_dims)(a)[rank_a - 1] > 0) {
    *flop = 2 * static_cast<double>(REAL(tn_tensor_count)(a)) *
            static_cast<double>(REAL(tn_tensor_count)(w)) /
            static_cast<double>(REAL(tn_tensor_dims)(a)[rank_a - 1]);
    return true;
  }
  if (op == "conv2d" && REAL(tn_tensor_rank)(w) == 4 && REAL(tn_tensor_dims)(w)[0] > 0) {
    *flop = 2 * count * static_cast<double>(REAL(tn_tensor_count)(w)) /
            static_cast<double>(REAL(tn_tensor_dims)(w)[0]);
    return true;
  }
  return false;
}

double bytes_of(tn_tensor* const* tensors, uint32_t n) {
  double bytes = 0;
  for (uint32_t i = 0; i < n; ++i)
    if (tensors[i]) bytes += static_cast<double>(REAL(tn_tensor_bytes)(tensors[i]));
  return bytes;
}

// Every tenth of a millisecond at most.
void sample(Recording& r, tn_ctx* ctx, uint64_t at) {
  if (at - r.last_sample < 100000 || r.memory.size() >= 100000) return;
  tn_memory_stats stats = tn_memory_stats_init();
  if (failed(REAL(tn_device_get_memory)(REAL(tn_ctx_get_device)(ctx), &stats))) return;
  r.last_sample = at;
  r.peak = stats.peak_bytes;
  r.memory.push_back({at - r.started, stats.live_bytes, stats.reserved_bytes});
}

std::string op_name(tn_runtime* runtime, tn_op op) {
  tn_op_info info = tn_op_info_init();
  if (failed(REAL(tn_op_get_info)(runtime, op, &info))) return "op " + std::to_string(op);
  return {info.name.data, info.name.size};
}

void write(tn_runtime* runtime, const Recording& r) {
  const std::string path = r.path + ".trace";
  if (failed(REAL(tn_profile_stop)(runtime, {path.data(), path.size()}))) {
    std::fprintf(stderr, "tenon profile: no trace was written\n");
    return;
  }
  std::FILE* file = std::fopen((r.path + ".calls").c_str(), "we");
  if (!file) return;
  std::fprintf(file, "{\"ns\":%llu,\"peak\":%llu,\"ops\":[",
               static_cast<unsigned long long>(now() - r.started),
               static_cast<unsigned long long>(r.peak));
  const char* between = "";
  for (const auto& [op, c] : r.ops) {
    std::fprintf(file,
                 "%s{\"op\":\"%s\",\"calls\":%llu,\"ns\":%llu,\"bytes\":%.0f,\"flop\":", between,
                 op_name(runtime, op).c_str(), static_cast<unsigned long long>(c.calls),
                 static_cast<unsigned long long>(c.ns), c.bytes);
    c.counted ? std::fprintf(file, "%.0f}", c.flop) : std::fprintf(file, "null}");
    between = ",";
  }
  std::fprintf(file, "],\"programs\":[");
  between = "";
  for (const auto& [key, cost] : r.programs) {
    if (cost.json.empty()) continue;
    std::fprintf(file, "%s{\"runs\":%llu,\"cost\":%s}", between,
                 static_cast<unsigned long long>(cost.runs), cost.json.c_str());
    between = ",";
  }
  std::fprintf(file, "],\"memory\":[");
  for (size_t i = 0; i < r.memory.size(); ++i)
    std::fprintf(file, "%s[%llu,%llu,%llu]", i ? "," : "",
                 static_cast<unsigned long long>(r.memory[i].ns),
                 static_cast<unsigned long long>(r.memory[i].live),
                 static_cast<unsigned long long>(r.memory[i].reserved));
  std::fprintf(file, "]}\n");
  std::fclose(file);
}

void finish(tn_runtime* runtime) {
  Recording done;
  {
    const std::lock_guard lock(hook().mutex);
    const auto found = hook().recordings.find(runtime);
    if (found == hook().recordings.end()) return;
    done = std::move(found->second);
    hook().recordings.erase(found);
  }
  write(runtime, done);
}

// The process ends with runtimes that nobody gave back.
__attribute__((destructor)) void finish_all() {
  std::vector<tn_runtime*> left;
  {
    const std::lock_guard lock(hook().mutex);
    for (const auto& [runtime, recording] : hook().recordings) left.push_back(runtime);
  }
  for (tn_runtime* runtime : left) finish(runtime);
}

void count(tn_ctx* ctx, tn_op op, tn_tensor* const* in, uint32_t n, tn_tensor* const* out,
           uint32_t n_out, uint64_t start) {
  const uint64_t end = now();
  tn_runtime* runtime = REAL(tn_ctx_get_runtime)(ctx);
  const std::lock_guard lock(hook().mutex);
  const auto found = hook().recordings.find(runtime);
  if (found == hook().recordings.end() || hook().capturing.count(ctx)) return;
  Recording& r = found->second;
  Calls& c = r.ops[op];
  ++c.calls;
  c.ns += end - start;
  c.bytes += bytes_of(in, n) + bytes_of(out, n_out);
  tn_op_info info = tn_op_info_init();
  double flop = 0;
  if (n_out && !failed(REAL(tn_op_get_info)(runtime, op, &info)) &&
      operations(info.name.data, info.name.size, in, n, out[0], &flop)) {
    c.flop += flop;
    c.counted = true;
  }
  sample(r, ctx, end);
}

// The program, its name and the sizes of its inputs.
std::string key_of(tn_program* program, tn_tensor* const* in, uint32_t n) {
  tn_program_info info = tn_program_info_init();
  std::string key = std::to_string(reinterpret_cast<uintptr_t>(program));
  if (!failed(REAL(tn_program_get_info)(program, &info)))
    key.append("/").append(info.name.data, info.name.size);
  for (uint32_t i = 0; i < n; ++i) {
    key += '/';
    for (uint32_t k = 0; k < REAL(tn_tensor_rank)(in[i]); ++k)
      key += std::to_string(REAL(tn_tensor_dims)(in[i])[k]) + ",";
  }
  return key;
}

std::string cost_of(tn_ctx* ctx, tn_program* program, tn_tensor* const* in, uint32_t n) {
  uint64_t size = 0;
  if (failed(REAL(tn_program_cost)(ctx, program, in, n, nullptr, 0, &size))) return {};
  std::string text(size + 1, '\0');
  if (failed(REAL(tn_program_cost)(ctx, program, in, n, text.data(), text.size(), &size)))
    return {};
  return text.c_str();
}

void set_capturing(tn_ctx* ctx, bool on) {
  const std::lock_guard lock(hook().mutex);
  if (on)
    hook().capturing.insert(ctx);
  else
    hook().capturing.erase(ctx);
}

}  // namespace

#define HOOK extern "C" __attribute__((visibility("default")))

HOOK tn_error* TN_CALL tn_runtime_create(const tn_runtime_desc* desc, tn_runtime** out) {
  tn_error* error = REAL(tn_runtime_create)(desc, out);
  const char* folder = std::getenv("TENON_PROFILE_FOLDER");
  if (error || !folder || failed(REAL(tn_profile_start)(*out, 0))) return error;
  const std::lock_guard lock(hook().mutex);
  Recording r;
  r.path =
      std::string(folder) + "/" + std::to_string(getpid()) + "-" + std::to_string(hook().made++);
  hook().recordings.emplace(*out, std::move(r));
  return error;
}
HOOK tn_runtime* TN_CALL tn_runtime_retain(tn_runtime* runtime) {
  {
    const std::lock_guard lock(hook().mutex);
    const auto found = hook().recordings.find(runtime);
    if (found != hook().recordings.end()) ++found->second.references;
  }
  return REAL(tn_runtime_retain)(runtime);
}
HOOK void TN_CALL tn_runtime_release(tn_runtime* runtime) {
  bool last = false;
  {
    const std::lock_guard lock(hook().mutex);
    const auto found = hook().recordings.find(runtime);
    last = found != hook().recordings.end() && --found->second.references == 0;
  }
  if (last) finish(runtime);
  REAL(tn_runtime_release)(runtime);
}
HOOK void TN_CALL tn_runtime_shutdown(tn_runtime* runtime) {
  finish(runtime);
  REAL(tn_runtime_shutdown)(runtime);
}
HOOK tn_error* TN_CALL tn_op_call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs,
                                  uint32_t n_inputs, const tn_attr* attrs, uint32_t n_attrs,
                                  tn_tensor** outputs, uint32_t capacity, uint32_t* out_n) {
  const uint64_t start = now();
  tn_error* error =
      REAL(tn_op_call)(ctx, op, inputs, n_inputs, attrs, n_attrs, outputs, capacity, out_n);
  if (!error) count(ctx, op, inputs, n_inputs, outputs, *out_n, start);
  return error;
}
HOOK tn_error* TN_CALL tn_capture_begin(tn_ctx* ctx, tn_str name) {
  tn_error* error = REAL(tn_capture_begin)(ctx, name);
  if (!error) set_capturing(ctx, true);
  return error;
}
HOOK tn_error* TN_CALL tn_capture_end(tn_ctx* ctx, tn_tensor* const* outputs, uint32_t n_outputs,
                                      tn_program** out_program) {
  tn_error* error = REAL(tn_capture_end)(ctx, outputs, n_outputs, out_program);
  if (!error) set_capturing(ctx, false);
  return error;
}
HOOK void TN_CALL tn_capture_abort(tn_ctx* ctx) {
  REAL(tn_capture_abort)(ctx);
  set_capturing(ctx, false);
}
HOOK tn_error* TN_CALL tn_program_run(tn_ctx* ctx, tn_program* program, tn_tensor* const* inputs,
                                      uint32_t n_inputs, tn_tensor** outputs, uint32_t capacity,
                                      uint32_t* out_n) {
  tn_error* error = REAL(tn_program_run)(ctx, program, inputs, n_inputs, outputs, capacity, out_n);
  if (error) return error;
  tn_runtime* runtime = REAL(tn_ctx_get_runtime)(ctx);
  const std::string key = key_of(program, inputs, n_inputs);
  bool known = false;
  {
    const std::lock_guard lock(hook().mutex);
    const auto found = hook().recordings.find(runtime);
    if (found == hook().recordings.end() || hook().capturing.count(ctx)) return nullptr;
    sample(found->second, ctx, now());
    const auto program_at = found->second.programs.find(key);
    known = program_at != found->second.programs.end();
    if (known) ++program_at->second.runs;
  }
  if (known) return nullptr;
  Cost cost{1, cost_of(ctx, program, inputs, n_inputs)};
  const std::lock_guard lock(hook().mutex);
  const auto found = hook().recordings.find(runtime);
  if (found == hook().recordings.end()) return nullptr;
  // Another thread may have been quicker.
  if (const auto [at, is_new] = found->second.programs.emplace(key, std::move(cost)); !is_new)
    ++at->second.runs;
  return nullptr;
}
