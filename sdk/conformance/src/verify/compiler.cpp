// What a compiler says of graphs and makes of them: those of trainings and of every op's samples.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>
#include <thread>

#include "compiled_graph.hpp"
#include "runner.hpp"
#include "training.hpp"
#include "worker.hpp"

namespace tenon::conformance {
namespace {

// The device behind the interposer, and graphs of trainings that its compiler took.
struct Compiler {
  explicit Compiler(Worker& worker) : session(worker.get_watched()), i(*worker.interposed) {
    static std::vector<RecordedGraph> recorded;  // of this process: each is compiled once
    if (recorded.empty()) recorded = record();
    graphs = recorded;
    if (graphs.empty())
      throw Unsupported("of five trainings it compiles nothing: see the reasons of claim");
    std::ranges::stable_sort(graphs, {}, [](const RecordedGraph& g) { return g.bytes; });
  }
  std::vector<RecordedGraph> record() {
    for (const CapturedTraining& t : captured_trainings()) try {
        t.run(session);
      } catch (const Wrong&) {  // of their values compiler.training says it
      } catch (const Fault&) {
        session.recover();
      }
    i.take();
    return i.take_graphs();
  }
  CompiledGraph compile(const RecordedGraph& g) const {
    CompiledGraph c = CompiledGraph::compile(i.device(), *i.compiler(), g);
    expect(c.declined.empty(),
           "compile of " + g.text() + " declines what it took before: " + c.declined,
           "the same answer for the same graph");
    return c;
  }
  const RecordedGraph& smallest() const { return graphs.front(); }
  const RecordedGraph& largest() const { return graphs.back(); }

  Session& session;
  Interposed& i;
  std::vector<RecordedGraph> graphs;
};

std::string given(const RecordedGraph& g) { return "a graph of " + g.text(); }

// ---- claims

struct Answer {
  bool claimed;
  std::string reason;
  bool operator==(const Answer&) const = default;
};

std::vector<Answer> claims_of(const Compiler& c, const RecordedGraph& g) {
  const std::vector<uint64_t> before = g.blob;
  const tn_compile_request request = g.request();
  std::vector<tn_claim> claims(g.header().node_count);
  c.i.device().ok("claim", call("claim", [&] {
                    return c.i.compiler()->claim(c.i.device().handle, &request, claims.data());
                  }));
  expect(g.blob == before, "claim changes the graph that it is shown", "that it only reads");
  std::vector<Answer> out;
  for (uint32_t k = 0; k < claims.size(); ++k) {
    const std::string of = "node " + std::to_string(k) + " of " + given(g) + ", " + g.op(k) + ", ";
    expect(claims[k].claimed <= 1, of + "has claimed = " + std::to_string(claims[k].claimed),
           "0 or 1");
    expect(claims[k].claimed == 1 || claims[k].reason.size > 0,
           of + "is not claimed, and no reason is given", "a reason: users are shown it");
    out.push_back({claims[k].claimed == 1, text_of(claims[k].reason)});
  }
  return out;
}

// Of a node with another name or version for its op. Views stay: what they are stands in their value.
void check_unknown(const Compiler& c, RecordedGraph g, uint32_t node, const char* what,
                   const std::function<void(tn_graph_node&, char* name)>& change) {
  char* blob = reinterpret_cast<char*>(g.blob.data());
  auto& n = reinterpret_cast<tn_graph_node*>(blob + g.header().nodes)[node];
  const auto* operands = reinterpret_cast<const int32_t*>(blob + g.header().operands);
  for (uint32_t k = 0; k < n.n_outputs; ++k)
    if (g.value(operands[n.first_operand + n.n_inputs + k]).view_of >= 0) return;
  const std::string name = g.op(node);
  change(n, blob + g.header().data + n.op);
  expect(!claims_of(c, g)[node].claimed,
         "node " + std::to_string(node) + " of " + given(g) + " is claimed as " + what + " (" +
             g.op(node) + " since " + std::to_string(n.since) + ", made from " + name + ")",
         "that it is left to the host, with a reason");
}

void check_claims(Worker& w, Reporter& r) {
  const Compiler c(w);
  for (const RecordedGraph& g : c.graphs)
    r.attempt(g.text(), [&] {
      const std::vector<Answer> first = claims_of(c, g);
      expect(claims_of(c, g) == first, "asked again it gives other answers for " + given(g),
             "the same answers for the same graph");
    });
  const RecordedGraph& g = c.largest();
  const uint32_t n = g.header().node_count;
  for (uint32_t node = 0; node < n; node += std::max(n / 24, 1u)) {
    r.attempt("an op that nobody has", [&] {
      check_unknown(c, g, node, "an op that nobody has",
                    [](tn_graph_node& to, char* name) { std::memset(name, 'z', to.op_bytes); });
      r.pass("an op that nobody has");
    });
    r.attempt("a version that nobody has", [&] {
      check_unknown(c, g, node, "a version that nobody has",
                    [](tn_graph_node& to, char*) { to.since = 0x7fffffffu; });
      r.pass("a version that nobody has");
    });
  }
}

// ---- results

void check_results(Worker& w, Reporter& r) {
  const Compiler c(w);
  BareQueue queue(c.i.device());
  for (const RecordedGraph& g : c.graphs)
    r.attempt(g.text(), [&] {
      const CompiledGraph made = c.compile(g), again = c.compile(g);
      for (int k = 0; k < 2; ++k)
        expect_same(g, run_graph(queue, made, g), g.results, given(g) + " compiled and run again",
                    "the same bits at each run");
      expect_same(g, run_graph(queue, again, g), g.results, given(g) + " compiled twice",
                  "the same bits from each");
    });
}

void check_inplace(Worker& w, Reporter& r) {
  const Compiler c(w);
  BareQueue queue(c.i.device());
  for (const RecordedGraph& g : c.graphs) {
    const CompiledGraph made = c.compile(g);
    if ((made.made.flags & TN_COMPILED_INPLACE) == 0) continue;
    r.attempt(g.text(), [&] {
      expect_same(g, run_graph(queue, made, g, Memory::in_place), run_graph(queue, made, g),
                  given(g) + " with results in the memory of the inputs that it names",
                  "the bits that it gives in memory of its own");
    });
  }
  if (r.count() == 0) r.pass("no graph says TN_COMPILED_INPLACE");
}

// Trainings and what is observed of each graph; `leave` as Interposed::leave.
void check_trainings(Worker& w, Reporter& r) {
  Session& s = w.get_watched();
  Interposed& i = *w.interposed;
  i.take();
  for (int leave = -1; leave < 3; ++leave) {
    i.leave(leave);
    for (const CapturedTraining& t : captured_trainings()) {
      const std::string where =
          t.name +
          (leave < 0 ? "" : ", every third node left to kernels (" + std::to_string(leave) + ")");
      std::set<std::string> known;
      r.attempt(where, [&] {
        t.run(s);
        for (const Observation& o : i.take())
          if (known.insert(o.found).second) r.fail(o.found, o.expected, where);
        if (known.empty()) r.pass(where);
      });
    }
  }
  i.leave(-1);
}

// ---- forms

void check_compatibility(const Compiler& c) {
  const auto text = [&](const OpenDevice& device) {
    tn_str out{};
    device.ok("compatibility", call("compatibility", [&] {
                return c.i.compiler()->compatibility(device.handle, &out);
              }));
    return text_of(out);
  };
  const std::string first = text(c.i.device());
  expect(!first.empty(), "compatibility is empty",
         "a text that changes whenever an old form would be wrong: the plugin's build, the "
         "hardware, its driver");
  expect(text(c.i.device()) == first, "compatibility changes from one call to the next",
         "a constant for the life of the device");
}

bool keeps_forms(const Compiler& c, Reporter& r) {
  const tn_compiler_vtbl& v = *c.i.compiler();
  if (v.save) return true;
  r.pass("save and load are left out: nothing is kept on disk");
  return false;
}

void check_forms(Worker& w, Reporter& r) {
  const Compiler c(w);
  if (!keeps_forms(c, r)) return;
  r.attempt("compatibility", [&] { check_compatibility(c); });
  BareQueue queue(c.i.device());
  for (const RecordedGraph& g : c.graphs)
    r.attempt(g.text(), [&] {
      const CompiledGraph made = c.compile(g);
      const std::string form = made.save(c.i.device(), *c.i.compiler());
      const CompiledGraph loaded = CompiledGraph::load(c.i.device(), *c.i.compiler(), g, form);
      expect(loaded.refused.empty() && loaded.declined.empty(),
             "load of a form that was just saved gives " + loaded.refused + loaded.declined,
             "the compiled graph");
      expect_same(g, run_graph(queue, loaded, g), g.results, given(g) + " saved and loaded",
                  "the bits that it gave before");
      expect(loaded.save(c.i.device(), *c.i.compiler()) == form,
             "a loaded form is saved as other bytes", "the bytes that it was loaded from");
    });
}

// Forms that are cut off, have a bit flipped, or something behind them.
class Damage {
 public:
  Damage(const Compiler& c, const RecordedGraph& g, Reporter& r)
      : c_(c), g_(g), r_(r), queue_(c.i.device()) {
    form_ = c.compile(g).save(c.i.device(), *c.i.compiler());
  }

  void run() {
    const size_t n = form_.size();
    if (n == 0) return r_.fail("an empty form", "what load can tell from nothing", "save");
    std::set<size_t> cuts = {0, n - 1, n / 2, n / 3};
    for (size_t at = 1; at < n; at *= 2) cuts.insert({at - 1, at, n - at});
    for (const size_t at : cuts)
      attempt("cut to " + std::to_string(at) + " of " + std::to_string(n) + " bytes",
              form_.substr(0, at));
    attempt("one byte more", form_ + '\0');
    Rng rng(7);
    const size_t head = std::min<size_t>(n, 64);
    for (size_t bit = 0; bit < head * 8; ++bit) flip(bit);
    for (int k = 0; k < kFlips; ++k)
      flip(static_cast<size_t>(rng.below(static_cast<int64_t>(n * 8))));
    if (r_.count() == 0) r_.pass();
  }

 private:
  static constexpr int kFlips = 1500;

  void flip(size_t bit) {
    std::string bad = form_;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    attempt("bit " + std::to_string(bit % 8) + " of byte " + std::to_string(bit / 8) + " of " +
                std::to_string(form_.size()),
            bad);
  }
  // Declined, an error, or right.
  void attempt(const std::string& what, const std::string& bad) {
    if (on_case) {
      Result at;
      at.sample = what, at.call = given(g_);
      on_case(at);
    }
    if (r_.count() > kMost) return;
    try {
      const CompiledGraph c = CompiledGraph::load(c_.i.device(), *c_.i.compiler(), g_, bad);
      if (!c.refused.empty() || !c.declined.empty()) return;
      expect_same(g_, run_graph(queue_, c, g_), g_.results, "load takes it, and",
                  "that it is declined, an error, or right");
    } catch (const Wrong& w) {
      r_.fail(w.found, w.expected, what);
    }
  }

  static constexpr size_t kMost = 20;
  const Compiler& c_;
  const RecordedGraph& g_;
  Reporter& r_;
  BareQueue queue_;
  std::string form_;
};

void check_damaged(Worker& w, Reporter& r) {
  const Compiler c(w);
  if (!keeps_forms(c, r)) return;
  Damage(c, c.smallest(), r).run();
  Damage(c, c.largest(), r).run();
}

// ---- threads

// With other numbers, where they are floating.
RecordedGraph varied(RecordedGraph g, size_t thread) {
  for (size_t k = 0; k < g.inputs.size(); ++k) {
    const tn_graph_value& v = g.input(k);
    if (v.dtype != TN_DTYPE_F32) continue;
    const Dims dims = {static_cast<int64_t>(g.inputs[k].size() / 4)};
    Array x = decode(v.dtype, dims, g.inputs[k]);
    for (double& each : x.f) each *= 1 - 0.125 * static_cast<double>(thread);
    g.inputs[k] = encode(x);
  }
  return g;
}

constexpr size_t kThreads = 4;

void in_threads(const std::string& what,
                const std::function<void(BareQueue& queue, size_t thread)>& body,
                const OpenDevice& device) {
  std::vector<std::string> wrong(kThreads);
  std::vector<std::thread> threads;
  std::atomic<size_t> ready{0};
  for (size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      try {
        BareQueue queue(device);
        for (++ready; ready < kThreads;) std::this_thread::yield();
        body(queue, t);
      } catch (const std::exception& e) {
        ++ready;
        wrong[t] = e.what();
      }
    });
  for (std::thread& t : threads) t.join();
  for (const std::string& each : wrong)
    expect(each.empty(), what + ": " + each, "what one thread gives");
}

// Each thread with numbers of its own; what one thread gives with them is the judge.
void check_threads(Worker& w, Reporter& r) {
  const Compiler c(w);
  const OpenDevice& device = c.i.device();
  std::vector<std::vector<RecordedGraph>> graphs;  // of each thread: the smallest, the largest
  BareQueue first(device);
  for (size_t t = 0; t < kThreads; ++t) {
    graphs.push_back({varied(c.smallest(), t), varied(c.largest(), t)});
    for (RecordedGraph& g : graphs.back()) g.results = run_graph(first, c.compile(g), g);
  }
  r.attempt("compile", [&] {
    in_threads(
        "four threads compile graphs",
        [&](BareQueue& queue, size_t t) {
          for (size_t k = 0; k < 8; ++k) {
            const RecordedGraph& g = graphs[t][k < 4 ? 1 : (t + k) % 2];
            expect_same(g, run_graph(queue, c.compile(g), g), g.results, given(g), "the same bits");
          }
        },
        device);
    r.pass("compile");
  });
  r.attempt("run", [&] {
    for (size_t which = 0; which < 2; ++which) {
      const CompiledGraph made = c.compile(graphs[0][which]);
      in_threads(
          "four threads run one compiled graph",
          [&](BareQueue& queue, size_t t) {
            const RecordedGraph& g = graphs[t][which];
            for (int k = 0; k < 10; ++k)
              expect_same(g, run_graph(queue, made, g), g.results, given(g), "the same bits");
          },
          device);
    }
    r.pass("run");
  });
}

// ---- every op

void check_op(Worker& w, const OpSamples& op, Reporter& r) {
  Session& s = w.get_watched();
  Interposed& i = *w.interposed;
  i.take();
  const int64_t before = i.compiled();
  std::set<std::string> known;  // one place of each says enough
  tn_ctx_set_deterministic(s.ctx(), 1);
  i.watch(false);
  const auto judge = [&](const Result& result) {
    const std::string where = op.name + " " + place_of(result);
    const auto fail = [&](const std::string& found, const std::string& expected) {
      if (!known.insert(found).second) return;
      CheckResult c;
      c.verdict = Verdict::fail, c.where = where, c.given = result.call;
      c.found = found, c.expected = expected;
      r.add(std::move(c));
    };
    for (const Observation& o : i.take()) fail(o.found, o.expected);
    if (result.verdict != Verdict::pass) fail(result.why, result.expected);
  };
  run_captured(s, op, Exactness::within, judge, Sizes::known);  // graphs have no symbols
  i.watch(true);
  tn_ctx_set_deterministic(s.ctx(), 0);
  i.take_graphs();
  if (known.empty() && i.compiled() > before) r.pass(op.name);
}

constexpr const char* kClaimsAdvice =
    "look up each node's op by name and since-version, and say why one is not taken";
constexpr const char* kResultsAdvice =
    "write only the elements of results and the workspace that compile asked for, and keep nothing "
    "from one run to the next";
constexpr const char* kInplaceAdvice =
    "read an input before the result in its memory is written, or leave TN_COMPILED_INPLACE out";
constexpr const char* kTrainingAdvice =
    "compare with sdk::HostGraph, which runs a graph node by node; TENON_DUMP=FOLDER shows the "
    "graphs";
constexpr const char* kFormsAdvice =
    "save all that a run needs and that the graph does not say; without save and load nothing is "
    "kept";
constexpr const char* kDamagedAdvice =
    "put a sum of all bytes in front of a form, and decline where it does not fit, before anything "
    "else of it is read";
constexpr const char* kThreadsAdvice = "guard what compile, and what runs of one graph, share";
constexpr const char* kGraphsAdvice =
    "compile the graph's nodes as docs/ops.md has them; TENON_DUMP=FOLDER shows the graph";

}  // namespace

std::vector<Unit> compiler_units(const Profile& profile, const VerifyOptions& options,
                                 const std::shared_ptr<Worker>& worker) {
  std::vector<Unit> units;
  if (!has_compiler(profile) || !profile.has_device()) return units;
  const auto add = [&](const char* name, const char* advice,
                       const std::function<void(Worker&, Reporter&)>& body) {
    units.push_back(unit_of(worker, name, 4, advice, body));
  };
  if (options.op.empty()) {
    add("compiler.claims", kClaimsAdvice, check_claims);
    add("compiler.results", kResultsAdvice, check_results);
    add("compiler.inplace", kInplaceAdvice, check_inplace);
    add("compiler.training", kTrainingAdvice, check_trainings);
    add("compiler.forms", kFormsAdvice, check_forms);
    add("compiler.damaged", kDamagedAdvice, check_damaged);
    add("compiler.threads", kThreadsAdvice, check_threads);
  }
  for (const OpSamples& op : catalogue().ops())
    if (options.op.empty() || op.name == options.op)
      add("compiler.graphs", kGraphsAdvice, [&op](Worker& w, Reporter& r) { check_op(w, op, r); });
  return units;
}

const std::vector<Check> kCompilerChecks = {
    {"compiler.claims", 4, Kind::backend,
     "of tenon.compiler: each node is claimed or a reason given, the same one always; unknown ops "
     "and versions are not claimed",
     kClaimsAdvice, nullptr},
    {"compiler.results", 4, Kind::backend,
     "a compiled graph writes its results and nothing else, the same bits always", kResultsAdvice,
     nullptr},
    {"compiler.inplace", 4, Kind::backend,
     "with TN_COMPILED_INPLACE: the same bits in the memory of the inputs that a graph names",
     kInplaceAdvice, nullptr},
    {"compiler.training", 4, Kind::backend,
     "the five trainings, compiled whole and in parts, against the calls", kTrainingAdvice,
     nullptr},
    {"compiler.forms", 4, Kind::backend, "saved forms load again and give the same bits",
     kFormsAdvice, nullptr},
    {"compiler.damaged", 4, Kind::backend,
     "forms that are cut off or have a bit flipped are declined, an error, or right",
     kDamagedAdvice, nullptr},
    {"compiler.threads", 4, Kind::backend,
     "four threads compile one graph, and run one compiled graph", kThreadsAdvice, nullptr},
    {"compiler.graphs", 4, Kind::backend,
     "every op's samples as graphs: against the calls, and each compiled graph in other memory, in "
     "place, saved and loaded",
     kGraphsAdvice, nullptr},
};

}  // namespace tenon::conformance
