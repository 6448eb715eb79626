// Kernels as a whole: what they declare, what they do around their outputs, without memory, and in several threads.
#include <algorithm>
#include <set>
#include <thread>

#include "plugin.hpp"
#include "runner.hpp"
#include "training.hpp"
#include "worker.hpp"

namespace tenon::conformance {
namespace {

// A kernel of an op that nobody knows never runs.
void check_ops(const Profile& p, const tn_kernels_vtbl& table, const tn_kernel* list,
               uint32_t count) {
  const RuntimeOwner runtime = make_runtime(p.path);
  for (uint32_t k = 0; k < count; ++k) {
    const tn_kernel& kernel = *entry(list, table.kernel_stride, k);
    tn_op op = 0;
    tn_error* error = tn_op_find(runtime.get(), kernel.op, 0, &op);
    const std::string why = error ? tn_error_message(error) : "";
    tn_error_release(error);
    expect(!error, "kernel " + text_of(kernel.name) + " can never run: " + why,
           "an op of the core or of a plugin that is there");
  }
}

void check_declarations(const Profile& p, Reporter& r) {
  const Library library(p.path);
  const tn_kernels_vtbl* table = library.kernels();
  if (!table) return r.pass("no kernels");
  SimulatedHost host;
  OpenPlugin plugin(library, host);
  const OpenDevice device(plugin, 0);
  const tn_kernel* list = nullptr;
  uint32_t count = 0;
  device.ok("list", call("list", [&] { return table->list(device.handle, &list, &count); }));
  check_kernel_sizes(*table, list, count);
  constexpr uint32_t kDepends =
      TN_DEPENDS_RANK | TN_DEPENDS_LAYOUT | TN_DEPENDS_DIMS | TN_DEPENDS_ATTRS;
  constexpr uint32_t kFlags = TN_KERNEL_IMMEDIATES | TN_KERNEL_INPLACE |
                              TN_KERNEL_NONDETERMINISTIC | TN_KERNEL_REENTRANT | TN_KERNEL_PACKS;
  for (uint32_t k = 0; k < count; ++k) {
    const tn_kernel& kernel = *entry(list, table->kernel_stride, k);
    const std::string what = "kernel " + std::to_string(k) + " (" + text_of(kernel.name) + ")";
    expect(kernel.op.size > 0 && kernel.name.size > 0, what + " lacks its name or its op", "both");
    expect(kernel.prepare != nullptr, what + " has no prepare", "a function");
    expect((kernel.depends & ~kDepends) == 0,
           what + " depends on " + std::to_string(kernel.depends), "TN_DEPENDS_ flags");
    expect((kernel.flags & ~kFlags) == 0, what + " has flags " + std::to_string(kernel.flags),
           "TN_KERNEL_ flags");
    expect(!(kernel.flags & TN_KERNEL_PACKS) || (kernel.flags & TN_KERNEL_REENTRANT),
           what + " has TN_KERNEL_PACKS alone", "TN_KERNEL_REENTRANT with it");
  }
  check_ops(p, *table, list, count);
  const tn_kernel* again = nullptr;
  uint32_t count_again = 0;
  device.ok("list", call("list", [&] { return table->list(device.handle, &again, &count_again); }));
  expect(again == list && count_again == count, "list gives another list at the second call",
         "one list for the life of the device");
}

// A few calls that take different roads: elementwise, a product, sums, a window, a decomposition.
std::vector<std::vector<unsigned char>> small_set(Session& s, int64_t n) {
  const auto filled = [&](const Dims& dims, uint64_t seed) {
    Array x(TN_DTYPE_F32, dims);
    Rng rng(seed);
    uniform(-1, 1)(x, rng);
    return s.upload(x);
  };
  const Tensor a = filled({n, n}, 1), b = filled({n, n}, 2), image = filled({1, 2, 6, 7}, 3),
               filter = filled({3, 2, 3, 3}, 4);
  std::vector<Tensor> results;
  const auto keep = [&](tn_op op, const std::vector<tn_tensor*>& in, const Attrs& attrs = {}) {
    results.push_back(std::move(s.call(op, in, attrs).at(0)));
  };
  keep(TN_OP_ADD, {a.get(), b.get()});
  keep(TN_OP_EXP, {a.get()});
  keep(TN_OP_MATMUL, {a.get(), b.get()});
  keep(TN_OP_SUM, {a.get()});
  keep(TN_OP_SUM, {a.get()}, Attrs({list(TN_SUM_AXES, {0})}));
  keep(TN_OP_SOFTMAX, {a.get()});
  keep(TN_OP_CONV2D, {image.get(), filter.get(), nullptr});
  keep(TN_OP_TRANSPOSE, {a.get()}, Attrs({list(TN_TRANSPOSE_PERM, {1, 0})}));
  keep(TN_OP_GELU, {b.get()});
  std::vector<std::vector<unsigned char>> bytes;
  for (const Tensor& t : results) bytes.push_back(s.bytes(t.get()));
  return bytes;
}

void run_threads(Worker& worker) {
  tn_ctx_set_deterministic(worker.get_session().ctx(), 1);
  const auto expected = small_set(worker.get_session(), 150);
  tn_ctx_set_deterministic(worker.get_session().ctx(), 0);
  std::vector<std::string> wrong(4);
  std::vector<std::thread> threads;
  for (std::string& w : wrong)
    threads.emplace_back([&] {
      try {
        Session s(worker.get_runtime(), worker.device);
        tn_ctx_set_deterministic(s.ctx(), 1);
        for (int k = 0; k < 8 && w.empty(); ++k) {
          const auto got = small_set(s, 150);
          for (size_t i = 0; i < got.size() && w.empty(); ++i)
            if (got[i] != expected[i])
              w = "call " + std::to_string(i) + " of the set gives other bits than in one thread";
        }
      } catch (const std::exception& e) {
        w = e.what();
      }
    });
  for (std::thread& t : threads) t.join();
  for (const std::string& w : wrong)
    expect(w.empty(), "four contexts in four threads: " + w, "what one thread gives");
}

void run_without_memory(Worker& worker) {
  worker.get_watched();
  Interposed& i = *worker.interposed;
  for (const bool all_after : {false, true})
    for (int64_t n = 1; n < 100000; n += n < 50 ? 1 : n / 10) {
      Session s(i.runtime(), "verified:0");
      std::string failed;
      tn_code code = TN_OK;
      i.fail_allocation(n, all_after);
      try {
        small_set(s, 40);
      } catch (const Fault& fault) {
        failed = fault.what(), code = fault.code();
      }
      const int64_t refused = i.refused();
      i.fail_allocation(0, false);
      const std::string when = "allocation " + std::to_string(n) + " of the host's memory fails: ";
      expect(failed.empty() || code == TN_OUT_OF_MEMORY, when + failed, "OUT_OF_MEMORY");
      for (const Observation& o : i.take()) throw Wrong(when + o.found, o.expected);
      if (refused == 0) break;
    }
  Session s(i.runtime(), "verified:0");
  small_set(s, 40);
}

// Every case of an op is called behind the interposer; `judge` hears of each. What comes out is judged elsewhere.
void call_cases(Worker& worker, const OpSamples& op, bool contiguous_only, bool brief,
                const std::function<void(const std::string& where)>& judge) {
  Session& session = worker.get_watched();
  worker.interposed->take();
  for (const Case& c : op.cases)
    for (const tn_dtype dtype : dtypes_of(op, c, brief))
      for (const Layout layout : layouts_of(c, inputs_of(op, c, dtype), true)) {
        if (contiguous_only && layout != Layout::contiguous) continue;
        try {
          call_case(session, op, c, dtype, layout);
        } catch (const Fault&) {
          session.recover();
        }
        judge(op.name + " " + place_of(blank(session, op, c, dtype, layout, Level::forward)));
      }
}

void guard_op(Worker& worker, const OpSamples& op, bool brief, Reporter& r) {
  std::set<std::string> known;  // one place of each says enough
  call_cases(worker, op, false, brief, [&](const std::string& where) {
    for (const Observation& o : worker.interposed->take())
      if (known.insert(o.found).second) r.fail(o.found, o.expected, where);
  });
  if (r.count() == 0) r.pass(op.name);
}

// The kernels that say TN_KERNEL_INPLACE, in every case of their op.
void run_inplace(Worker& worker, Reporter& r) {
  worker.get_watched();
  Interposed& i = *worker.interposed;
  for (const OpSamples& op : catalogue().ops()) {
    if (!i.has_inplace(op.name)) continue;
    const size_t before = r.count();
    const int64_t runs = i.inplace_runs();
    i.try_inplace(true);
    call_cases(worker, op, true, false, [&](const std::string& where) {
      for (const Observation& o : i.take()) r.fail(o.found, o.expected, where);
    });
    i.try_inplace(false);
    if (r.count() == before && i.inplace_runs() > runs) r.pass(op.name);
  }
}

constexpr const char* kGuardAdvice =
    "look at the last partial vector or tile: it must not store beyond the count";
constexpr const char* kInplaceAdvice =
    "read an element of every input before that element of the output is written, and none after; "
    "or leave TN_KERNEL_INPLACE out";

}  // namespace

std::vector<Unit> kernel_units(const std::shared_ptr<Worker>& worker, bool brief) {
  std::vector<Unit> units;
  const auto add = [&](const char* name, const char* advice, auto body) {
    Unit u;
    u.check = name, u.level = 1, u.advice = advice, u.alone = false;
    u.body = [worker, body](Reporter& r) { body(*worker, r); };
    units.push_back(std::move(u));
  };
  add("threads.kernels", "guard what plans share, or leave TN_KERNEL_REENTRANT out",
      [](Worker& w, Reporter&) { run_threads(w); });
  add("errors.allocation_in_ops", "look at what tn_host.allocate returns in prepare and run",
      [](Worker& w, Reporter&) { run_without_memory(w); });
  add("kernels.inplace", kInplaceAdvice, [](Worker& w, Reporter& r) { run_inplace(w, r); });
  for (const OpSamples& op : catalogue().ops())
    add("memory.guard", kGuardAdvice,
        [&op, brief](Worker& w, Reporter& r) { guard_op(w, op, brief, r); });
  return units;
}

const std::vector<Check> kKernelChecks = {
    {"kernels.declarations", 1, Kind::backend, "entries of the list have names, flags, prepare",
     "make the list once, when the device opens", check_declarations},
    {"kernels.inplace", 1, Kind::backend,
     "those with TN_KERNEL_INPLACE give the same bits in the memory of an input", kInplaceAdvice,
     nullptr},
    {"threads.kernels", 1, Kind::backend, "four contexts in four threads give the same bits", "",
     nullptr},
    {"errors.allocation_in_ops", 1, Kind::backend,
     "the n-th allocation of the host fails while ops run", "", nullptr},
    {"memory.guard", 1, Kind::backend, "no kernel writes around its outputs, in any op's samples",
     kGuardAdvice, nullptr},
};

}  // namespace tenon::conformance
