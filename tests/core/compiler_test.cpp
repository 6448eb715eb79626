// Programs on a device with a compiler: what is compiled, kept, loaded again, and what happens when it cannot be.
#include <sys/stat.h>
#include <tenon/plugin/graph.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "flow_fixture.hpp"
#include "small_training.hpp"
#include "watched_compiler.hpp"

using namespace tenon::test;
namespace fs = std::filesystem;

namespace {

// A folder for one test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "tenon-cache-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::vector<fs::path> files() const {
    std::vector<fs::path> out;
    for (const auto& e : fs::directory_iterator(path)) out.push_back(e.path());
    std::sort(out.begin(), out.end());
    return out;
  }
  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const auto& f : files()) sum += fs::file_size(f);
    return sum;
  }
  fs::path path;
};

const std::vector<float> kX = {0.5f, -1, 2, 0.25f, 3, -0.125f};
const flow::Input kInput = {{2, 3}};

// tanh(x x^T) + 1, over two inputs of any size
flow::Tensors body(tn_ctx* cx, tn_tensor* x, double k = 1) {
  const Tensor t = get([&](tn_tensor** o) {
    const int64_t perm[] = {1, 0};
    return tn_transpose(cx, x, 2, perm, o);
  });
  const Tensor y = flow::tanh(cx, flow::matmul(cx, x, t.get()).get());
  const Tensor one = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, k, o); });
  flow::Tensors out;
  out.push_back(flow::add(cx, y.get(), one.get()));
  return out;
}
std::vector<float> want(double k = 1) {
  std::vector<float> out;
  for (size_t i = 0; i < 2; ++i)
    for (size_t j = 0; j < 2; ++j) {
      double sum = 0;
      for (size_t l = 0; l < 3; ++l)
        sum += static_cast<double>(kX[3 * i + l]) * static_cast<double>(kX[3 * j + l]);
      out.push_back(static_cast<float>(std::tanh(sum) + k));
    }
  return out;
}
flow::Program make(Session& cx, double k = 1) {
  return flow::capture(cx, "p", {kInput}, [&](const flow::Raw& in) { return body(cx, in[0], k); });
}
std::vector<float> run(Session& cx, const flow::Program& p) {
  const Tensor x = cx.f32(kX, {2, 3});
  return cx.read(flow::run(cx, p, {x.get()})[0]);
}

}  // namespace

TEST_CASE("a program is one compiled graph, made once for all programs that contain it") {
  Session cx(watched::make_runtime());
  const flow::Program p = make(cx), q = make(cx), r = make(cx, 2);
  check_close(run(cx, p), want());
  CHECK(watched::compiles == 1);
  CHECK(watched::runs == 1);
  check_close(run(cx, p), want());
  check_close(run(cx, q), want());
  CHECK(watched::compiles == 1);  // the same graph
  CHECK(watched::runs == 3);
  check_close(run(cx, r), want(2));
  CHECK(watched::compiles == 2);  // another constant
  REQUIRE(watched::blobs.size() == 2);
  const void* blob = watched::blobs[0].data();
  CHECK(tn_graph_of(blob)->node_count == 4);  // transpose, matmul, tanh, add
  CHECK(tn_graph_of(blob)->input_count == 1);
  CHECK(tn_graph_of(blob)->result_count == 1);
}

TEST_CASE("compiled graphs go with their device") {
  {
    Session cx(watched::make_runtime());
    const flow::Program p = make(cx);
    run(cx, p);
    CHECK(watched::live == 1);
  }
  CHECK(watched::live == 0);
}

TEST_CASE("a captured training step equals the calls, and its graph says what is whose new value") {
  for (const char* optimizer : {"sgd", "adam"}) {
    CAPTURE(optimizer);
    Session cx(watched::make_runtime());
    SmallTraining called(cx, {}, optimizer), captured(cx, {}, optimizer, true);
    for (int step = 0; step < 3; ++step) {
      REQUIRE_OK(called.step());
      REQUIRE_OK(captured.step());
    }
    CHECK(watched::runs == 3);
    CHECK(difference(called.state(), captured.state(), false) == "");
    const auto* h = tn_graph_of(watched::blobs.back().data());
    const auto* results = static_cast<const tn_graph_result*>(tn_graph_at(h, h->results));
    const auto donated = std::count_if(results, results + h->result_count,
                                       [](const tn_graph_result& r) { return r.input >= 0; });
    CHECK(donated >= static_cast<long>(captured.variables().size()));
  }
}

TEST_CASE("what a compiled run was writing over is lost by name when it fails") {
  Session cx(watched::make_runtime());
  SmallTraining t(cx, {}, "sgd", true);
  REQUIRE_OK(t.step());
  watched::fail_run = true;
  CHECK_FAILS(t.step(), TN_DEVICE_FAILED, "this run fails");
  tn_tensor* value = nullptr;
  CHECK_FAILS(tn_variable_take(cx, t.variables()[0], &value), TN_DEVICE_FAILED, "is lost: ");
  CHECK(value == nullptr);
}

// In a program of which every third node or so is left to kernels.
TEST_CASE("scalars, views of them and constants reach compiled graphs as memory") {
  setenv("TENON_ADVERSARY_COMPILER", "parts", 1);
  Session cx(watched::make_runtime());
  setenv("TENON_ADVERSARY_COMPILER", "whole", 1);
  for (int before = 0; before < 9; ++before) {
    CAPTURE(before);
    const flow::Program p = flow::capture(cx, "scalars", {{{1}}}, [&](const flow::Raw& in) {
      flow::Tensors y;
      y.push_back(flow::mul(cx, in[0], in[0]));
      for (int k = 0; k < before; ++k) y.push_back(flow::tanh(cx, y.back().get()));
      const Tensor two = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, 2, o); });
      const int64_t dims[] = {1};
      const Tensor seen = get([&](tn_tensor** o) { return tn_reshape(cx, two.get(), 1, dims, o); });
      flow::Tensors out;
      out.push_back(flow::add(cx, y.back().get(), seen.get()));
      return out;
    });
    const Tensor x = cx.f32({0.5f}, {1});
    double want = 0.25;
    for (int k = 0; k < before; ++k) want = std::tanh(want);
    check_close(cx.read(flow::run(cx, p, {x.get()})[0]), {static_cast<float>(want + 2)});
  }
  CHECK(watched::runs > 0);
}

TEST_CASE("what the compiler declines runs kernel by kernel") {
  Session cx(watched::make_runtime());
  watched::decline = "not today";
  const flow::Program p = make(cx);
  check_close(run(cx, p), want());
  CHECK(watched::compiles >= 1);
  CHECK(watched::runs == 0);
}

TEST_CASE("an error of the compiler is the error of the run, and another run may succeed") {
  Session cx(watched::make_runtime());
  const flow::Program p = make(cx);
  const Tensor x = cx.f32(kX, {2, 3});
  tn_tensor *in = x.get(), *out = nullptr;
  uint32_t n = 0;
  watched::fail_compile = true;
  CHECK_FAILS(tn_program_run(cx, p.get(), &in, 1, &out, 1, &n), TN_DEVICE_FAILED,
              "this graph cannot be compiled");
  CHECK(out == nullptr);
  check_close(run(cx, p), want());
}

TEST_CASE("compiled graphs are kept on disk from one runtime to the next") {
  const Folder folder;
  const std::string cache = (folder.path / "made when needed").string();
  std::vector<float> first;
  {
    Session cx(watched::make_runtime(cache));
    const flow::Program p = make(cx);
    first = run(cx, p);
    CHECK(watched::compiles == 1);
    CHECK(watched::saves == 1);
    CHECK(watched::loads == 0);
  }
  {
    Session cx(watched::make_runtime(cache));
    const flow::Program p = make(cx), q = make(cx, 2);
    CHECK(run(cx, p) == first);
    CHECK(watched::loads == 1);
    CHECK(watched::compiles == 0);
    check_close(run(cx, q), want(2));
    CHECK(watched::compiles == 1);
    CHECK(watched::loads == 1);  // nothing was there
  }
  struct stat s {};
  REQUIRE(stat(cache.c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0700);
}

TEST_CASE("a damaged file is told, compiled again and replaced") {
  const Folder folder;
  const std::string cache = folder.path.string();
  {
    Session cx(watched::make_runtime(cache));
    run(cx, make(cx));
  }
  REQUIRE(folder.files().size() == 1);
  const fs::path file = folder.files()[0];
  std::string whole;
  {
    std::ifstream in(file, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 1);
  for (const std::string& bad : {flipped, whole.substr(0, whole.size() - 1), whole.substr(0, 5),
                                 std::string(), whole + "x"}) {
    CAPTURE(bad.size());
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bad;
    watched::Told told;
    Session cx(watched::make_runtime(cache, 0, &told));
    check_close(run(cx, make(cx)), want());
    CHECK(watched::loads == 0);
    CHECK(watched::compiles == 1);
    CHECK(told.text.find(file.filename().string() + " was damaged") != std::string::npos);
    CHECK(fs::file_size(file) == whole.size());
  }
}

TEST_CASE("files that others could have written are not run") {
  const Folder folder;
  const std::string cache = folder.path.string();
  {
    Session cx(watched::make_runtime(cache));
    run(cx, make(cx));
  }
  const fs::path file = folder.files().at(0);
  for (const fs::path& loose : {file, folder.path}) {
    const auto mode = fs::status(loose).permissions();
    fs::permissions(loose, fs::perms::others_write, fs::perm_options::add);
    watched::Told told;
    Session cx(watched::make_runtime(cache, 0, &told));
    check_close(run(cx, make(cx)), want());
    CHECK(watched::loads == 0);
    CHECK(watched::compiles == 1);
    CHECK(told.text.find("safe-owner") != std::string::npos);
    fs::permissions(loose, mode);
  }
}

TEST_CASE("the folder keeps to its limit: what was used last stays") {
  const Folder folder;
  const std::string cache = folder.path.string();
  uint64_t one = 0;
  {
    Session cx(watched::make_runtime(cache));
    run(cx, make(cx, 1));
    one = folder.bytes();
  }
  const uint64_t limit = 3 * one + one / 2;
  {
    Session cx(watched::make_runtime(cache, limit));
    for (int k = 2; k < 9; ++k) run(cx, make(cx, k));
    CHECK(folder.files().size() == 3);
    CHECK(folder.bytes() <= limit);
  }
  Session cx(watched::make_runtime(cache, limit));
  run(cx, make(cx, 8));
  CHECK(watched::loads == 1);
  run(cx, make(cx, 2));
  CHECK(watched::compiles == 1);
}

TEST_CASE("a folder that cannot be made or written costs a warning and no result") {
  const Folder folder;
  std::ofstream(folder.path / "file") << "x";
  watched::Told told;
  Session cx(watched::make_runtime((folder.path / "file").string(), 0, &told));
  check_close(run(cx, make(cx)), want());
  CHECK(told.text.find("was not written: ") != std::string::npos);
}

namespace {

// What a reader may count on, said otherwise than tn_graph_check does: "" or what does not hold.
std::string unsound(const std::vector<uint64_t>& blob) {
  using Wide = __int128;
  const tn_graph_header* h = tn_graph_of(blob.data());
  const auto* values = static_cast<const tn_graph_value*>(tn_graph_at(blob.data(), h->values));
  const auto* nodes = static_cast<const tn_graph_node*>(tn_graph_at(blob.data(), h->nodes));
  const auto* attrs = static_cast<const tn_graph_attr*>(tn_graph_at(blob.data(), h->attrs));
  const auto* operands = static_cast<const int32_t*>(tn_graph_at(blob.data(), h->operands));
  const auto* data = static_cast<const char*>(tn_graph_at(blob.data(), h->data));
  const auto bytes = [&](int32_t v, Wide elements) {
    return elements * static_cast<Wide>(TN_DTYPE_BITS(values[v].dtype));
  };
  const auto count = [&](int32_t v) {
    Wide n = 1;
    for (uint32_t k = 0; k < values[v].rank; ++k) n *= values[v].dims[k];
    return n;
  };
  for (uint32_t v = 0; v < h->value_count; ++v) {
    const tn_graph_value& value = values[v];
    Wide product = 1, first = value.view_offset, last = first, span = 0;
    for (uint32_t k = 0; k < value.rank; ++k) {
      if (value.dims[k] < 0) return "a negative size";
      product *= std::max<int64_t>(value.dims[k], 1);
      if (product > INT64_MAX) return "a product of sizes that is no int64";
      const Wide step = Wide{value.dims[k] - 1} * value.strides[k];
      (step < 0 ? first : last) += step;
      span += Wide{value.dims[k]} *
              (value.strides[k] < 0 ? -Wide{value.strides[k]} : Wide{value.strides[k]});
      if (span > INT64_MAX) return "strides that go beyond an int64";
    }
    if (value.view_of < 0) continue;
    if (count(static_cast<int32_t>(v)) > 0 &&
        (first < 0 ||
         bytes(static_cast<int32_t>(v), last + 1) > bytes(value.view_of, count(value.view_of))))
      return "a view outside of its operand";
    uint32_t steps = 0;
    for (int32_t at = value.view_of; at >= 0; at = values[at].view_of)
      if (++steps > h->value_count) return "a circle of views";
  }
  int64_t sum = 0;  // everything else that a reader would look at
  for (uint32_t k = 0; k < h->node_count; ++k) {
    sum += std::string(data + nodes[k].op, nodes[k].op_bytes).size() != 0;
    for (uint32_t i = 0; i < nodes[k].n_attrs; ++i) {
      const tn_graph_attr& a = attrs[nodes[k].first_attr + i];
      const bool list = a.tag == TN_ATTR_I64S || a.tag == TN_ATTR_F64S;
      if (list && a.bits) sum += data[a.offset] + data[a.offset + a.bits * 8 - 1];
    }
    for (uint32_t i = 0; i < nodes[k].n_inputs + nodes[k].n_outputs; ++i)
      if (const int32_t v = operands[nodes[k].first_operand + i]; v >= 0) sum += values[v].rank;
  }
  [[maybe_unused]] static volatile int64_t read;
  read = sum;
  return "";
}

// Of a training step: the blob, whole.
std::vector<uint64_t> blob_of_a_step(uint64_t* bytes) {
  Session cx(watched::make_runtime());
  SmallTraining t(cx, {}, "adam", true);
  REQUIRE_OK(t.step());
  std::vector<uint64_t> whole = watched::blobs.back();
  *bytes = tn_graph_of(whole.data())->bytes;
  REQUIRE(tn_graph_check(whole.data(), *bytes) == 1);
  REQUIRE(unsound(whole) == "");
  return whole;
}

}  // namespace

TEST_CASE("a blob with any byte changed is refused or safe to read") {
  uint64_t bytes = 0;
  const std::vector<uint64_t> whole = blob_of_a_step(&bytes);
  for (uint64_t cut = 0; cut < bytes; cut += 8) CHECK(tn_graph_check(whole.data(), cut) == 0);
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint64_t> blob = whole;  // its end is the end of an allocation
    auto* at = reinterpret_cast<unsigned char*>(blob.data());
    for (int k = round % 3; k >= 0; --k) {
      const size_t where = random() % (round % 2 ? sizeof(tn_graph_header) : bytes);
      at[where] = static_cast<unsigned char>(random() % 4 ? random() : 0xff);
    }
    if (tn_graph_check(blob.data(), bytes))
      REQUIRE(unsound(blob) == "");
    else
      ++refused;
  }
  CHECK(refused > 5000);
}

TEST_CASE("a blob with other sizes, strides or views is refused or safe to compute with") {
  uint64_t bytes = 0;
  const std::vector<uint64_t> whole = blob_of_a_step(&bytes);
  std::mt19937_64 random(11);
  const auto pick = [&](std::initializer_list<int64_t> list) {
    return list.begin()[random() % list.size()];
  };
  int refused = 0, taken = 0;
  for (int round = 0; round < 50000; ++round) {
    std::vector<uint64_t> blob = whole;
    tn_graph_header* h = reinterpret_cast<tn_graph_header*>(blob.data());
    auto* values =
        reinterpret_cast<tn_graph_value*>(reinterpret_cast<char*>(blob.data()) + h->values);
    std::vector<uint32_t> views;
    for (uint32_t v = 0; v < h->value_count; ++v)
      if (values[v].view_of >= 0) views.push_back(v);
    REQUIRE(!views.empty());
    tn_graph_value& v =
        values[round % 2 ? views[random() % views.size()] : random() % h->value_count];
    const size_t axis = random() % TN_MAX_RANK;
    const int64_t any =
        pick({0, 1, 2, 3, 5, -1, -2, int64_t{1} << 31, int64_t{1} << 55, int64_t{1} << 57,
              INT64_MAX, INT64_MIN, static_cast<int64_t>(random())});
    switch (random() % 5) {
      case 0:
        v.dims[axis % std::max(v.rank, 1u)] = any;
        break;
      case 1:
        v.strides[axis % std::max(v.rank, 1u)] = any;
        break;
      case 2:
        v.view_offset = any;
        break;
      case 3:
        v.view_of = static_cast<int32_t>(random() % h->value_count);
        break;
      default:
        v.rank = static_cast<uint32_t>(random() % (TN_MAX_RANK + 1));
        for (uint32_t k = 0; k < v.rank; ++k) v.dims[k] = pick({1, 2, 3, 1 << 20});
    }
    const bool good = tn_graph_check(blob.data(), bytes) != 0;
    if (good) REQUIRE(unsound(blob) == "");
    (good ? taken : refused) += 1;
  }
  CHECK(refused > 10000);
  CHECK(taken > 1000);
}
