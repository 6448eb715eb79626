// The passes over steps: what may be written in place, and what TENON_DUMP tells of that and of the arena.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "prepared.hpp"
#include "recipe/lowered.hpp"

using namespace tenon::test;

namespace {

// Two steps over one input; the second makes temp 1, which may lie over it.
struct TwoSteps {
  Session s;
  std::vector<tenon::ProgramInput> inputs{1};
  tenon::Lowered l;
  TwoSteps() : l(s.ctx->runtime, *s.ctx->device, inputs) {
    tenon::LValue x;
    x.base = tenon::Base::kInput;
    x.index = 0;
    l.values.push_back(x);
    for (int i = 0; i < 2; ++i) {
      l.temp(tenon::Shape(), 16);
      l.temps.back().alias = 0;
      l.steps.emplace_back().inputs = {0};
      l.steps.back().outputs = {i};
      tenon::LValue y;
      y.base = tenon::Base::kTemp;
      y.index = i;
      l.values.push_back(y);
    }
    l.results = {2};
  }
  std::vector<int> kept() {
    tenon::overwrite_in_place(l);
    return {l.temps[0].alias, l.temps[1].alias};
  }
};

// The one file dumped with that ending of what `body` makes a program and runs; of those of one program where `name` is given.
template <class Body>
std::string dump_of(const std::string& ending, const Body& body, const std::string& name = "") {
  char folder[] = "/tmp/tenon-steps-XXXXXX";
  REQUIRE(::mkdtemp(folder));
  const std::string made = std::string(folder) + "/a/b";  // which is not there
  REQUIRE(::setenv("TENON_DUMP", made.c_str(), 1) == 0);
  body();
  REQUIRE(::unsetenv("TENON_DUMP") == 0);
  std::stringstream text;
  int files = 0;
  for (const auto& f : std::filesystem::directory_iterator(made)) {
    const std::string file = f.path().filename().string();
    if (!file.starts_with(name) || !file.ends_with("-" + ending)) continue;
    text << std::ifstream(f.path()).rdbuf();
    ++files;
  }
  CHECK(files == 1);
  std::filesystem::remove_all(folder);
  return text.str();
}

// SGD with momentum over one variable; `also`: what it was before is an output.
void step(Session& s, bool also) {
  const Tensor start = s.f32({1, 2, 3, 4}, {4});
  tn_variable* made = nullptr;
  REQUIRE_OK(tn_variable_create(s, tn_string("w"), start.get(), 0, &made));
  const Variable w(made);
  tn_optimizer* created = nullptr;
  const tn_option options[] = {tn_option_f64("lr", 0.5), tn_option_f64("momentum", 0.5)};
  REQUIRE_OK(tn_optimizer_create(s, tn_string("sgd"), options, 2, &created));
  const std::unique_ptr<tn_optimizer, void (*)(tn_optimizer*)> o(created, tn_optimizer_release);
  REQUIRE_OK(tn_capture_begin(s, tn_string("step")));
  tn_variable* vars[] = {w.get()};
  const Tensor before = get([&](tn_tensor** t) { return tn_variable_take(s, w.get(), t); });
  const Tensor square = call(s, TN_OP_MUL, {&before, &before});
  const Tensor loss = call(s, TN_OP_SUM, {&square});
  tn_tensor* grads[1];
  REQUIRE_OK(tn_grad(s, loss.get(), vars, 1, grads));
  const Tensor g(grads[0]);
  REQUIRE_OK(tn_optimizer_step(s, o.get(), vars, grads, 1));
  tn_tensor* out[] = {loss.get(), before.get()};
  tn_program* p = nullptr;
  REQUIRE_OK(tn_capture_end(s, out, also ? 2 : 1, &p));
  const Program program(p);
  tn_tensor* results[2] = {};
  uint32_t n = 0;
  REQUIRE_OK(tn_program_run(s, p, nullptr, 0, results, 2, &n));
  for (tn_tensor* t : results) tn_tensor_release(t);
}

}  // namespace

TEST_CASE("in place: in the last step alone, over an input that it sees once and nobody keeps") {
  SUBCASE("so") { CHECK(TwoSteps().kept() == std::vector<int>{-1, 0}); }
  SUBCASE("the step sees it twice") {
    TwoSteps two;
    two.l.steps.back().inputs = {0, 0};
    CHECK(two.kept() == std::vector<int>{-1, -1});
  }
  SUBCASE("a result is a view of it") {
    TwoSteps two;
    two.l.results = {2, 0};
    CHECK(two.kept() == std::vector<int>{-1, -1});
  }
  SUBCASE("two outputs want it") {
    TwoSteps two;
    two.l.temp(tenon::Shape(), 16);
    two.l.temps.back().first = two.l.temps.back().last = 1;
    two.l.temps.back().alias = 0;
    CHECK(two.kept() == std::vector<int>{-1, 0});
    CHECK(two.l.temps[2].alias == -1);
  }
}

TEST_CASE("dump: inputs have their names") {
  Session s;
  const std::string text = dump_of("captured.txt", [&] { step(s, false); });
  CAPTURE(text);
  CHECK(text.find("= variable \"w\"\n") != std::string::npos);
  CHECK(text.find("of sgd\n") != std::string::npos);
  const std::string given = dump_of("captured.txt", [&] {
    run(s, capture(s, {4}, [&](const Tensor& x) { return call(s, TN_OP_SQRT, {&x}); }),
        s.f32(ramp(4), {4}));
  });
  CAPTURE(given);
  CHECK(given.find("f32[4] = input \"") != std::string::npos);
  const std::string drawn = dump_of("captured.dot", [&] { step(s, false); });
  CAPTURE(drawn);
  CHECK(drawn.find(" [label=\"variable \\\"w\\\"\", shape=oval];\n") != std::string::npos);
}

TEST_CASE("dump: a name stays on its line, also in a program that another one runs") {
  Session s;
  const auto captured = [&](const char* name, const auto& body) {
    REQUIRE_OK(tn_capture_begin(s, tn_string(name)));
    const Tensor x = get([&](tn_tensor** o) {
      return tn_capture_input(s, tn_string("a\n\"b\""), TN_DTYPE_F32, 0, nullptr, nullptr, o);
    });
    const Tensor y = body(x);
    tn_tensor* out[] = {y.get()};
    tn_program* p = nullptr;
    REQUIRE_OK(tn_capture_end(s, out, 1, &p));
    return Program(p);
  };
  const Program root = captured("root", [&](const Tensor& x) { return call(s, TN_OP_SQRT, {&x}); });
  const Program more = captured("more", [&](const Tensor& x) {
    return get([&](tn_tensor** o) { return tn_gt(s, x.get(), x.get(), o); });
  });
  const auto run_whole = [&] {
    const Program whole = captured("whole", [&](const Tensor& x) {
      tn_tensor *in[] = {x.get()}, *out[1];
      uint32_t n = 0;
      REQUIRE_OK(tn_program_while(s, more.get(), root.get(), 2, in, 1, out, 1, &n));
      return Tensor(out[0]);
    });
    run(s, whole, s.f32({4}, {}));
  };
  for (const char* name : {"whole", "root"}) {
    const std::string text = dump_of("captured.txt", run_whole, name);
    CAPTURE(text);
    CHECK(text.find("f32[] = input \"a\\n\\\"b\\\"\"\n") != std::string::npos);
  }
}

TEST_CASE("dump: memory has what is overwritten, and every place in the arena") {
  Session s;
  const bool steps_in_place = std::string(std::getenv("TENON_DEVICE")) == "cpu";
  const std::string text = dump_of("memory.txt", [&] { step(s, false); });
  CAPTURE(text);
  CHECK((text.find(" is written over input ") != std::string::npos) == steps_in_place);
  const std::string kept = dump_of("memory.txt", [&] { step(s, true); });
  CAPTURE(kept);
  CHECK(kept.find("memory: ") != std::string::npos);
  CHECK(kept.find(" is written over input 0") == std::string::npos);  // w is looked at

  const std::string chain = dump_of("memory.txt", [&] {
    const Program p = capture(s, {64, 64}, [&](const Tensor& x) {
      Tensor y = call(s, TN_OP_MATMUL, {&x, &x});
      for (int i = 0; i < 3; ++i) y = call(s, TN_OP_MATMUL, {&y, &x});
      return y;
    });
    Tensor y;
    REQUIRE(try_run(s, p, s.f32(ramp(64 * 64), {64, 64}), &y).code == TN_OK);
  });
  CAPTURE(chain);
  uint64_t arena = 0, most = 0;
  size_t places = 0;
  std::istringstream lines(chain);
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find("arena of ");
    if (at != std::string::npos) arena = std::stoull(line.substr(at + 9));
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "  %lu to %lu, steps", &begin, &end) != 2) continue;
    CHECK(begin < end);
    most = std::max<uint64_t>(most, end);
    ++places;
  }
  CHECK(places >= 3);
  CHECK(most == arena);
}
