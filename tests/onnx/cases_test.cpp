// The reader, the comparison and the judging of the node cases, on cases made here: each way in which one can be wrong is seen.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "case.hpp"
#include "compare.hpp"
#include "exceptions.hpp"
#include "mapping.hpp"

namespace {

using namespace tenon::onnx;  // NOLINT(google-build-using-namespace): its one user
namespace fs = std::filesystem;
using Text = std::string;

// ---- a writer of the wire format, as little as is needed
Text varint(uint64_t value) {
  Text out;
  for (; value >= 128; value >>= 7) out += static_cast<char>(value | 128);
  return out + static_cast<char>(value);
}
Text number(uint32_t field, uint64_t value) { return varint(field << 3) + varint(value); }
Text bytes(uint32_t field, const Text& value) {
  return varint(field << 3 | 2) + varint(value.size()) + value;
}
Text floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * 4};
}
Text tensor(const std::vector<float>& values) {
  return number(1, values.size()) + number(2, 1) + bytes(9, floats(values));
}
Text value_info(const Text& name) { return bytes(1, name) + bytes(2, bytes(1, number(1, 1))); }
// y = op(a, b) of vectors.
Text model(const Text& op, const Text& more = "") {
  const Text node = bytes(1, "a") + bytes(1, "b") + bytes(2, "y") + bytes(4, op) + more;
  const Text graph = bytes(1, node) + bytes(2, "graph") + bytes(11, value_info("a")) +
                     bytes(11, value_info("b")) + bytes(12, value_info("y"));
  return number(1, 8) + bytes(7, graph) + bytes(8, bytes(1, "") + number(2, 14));
}
Bytes as_bytes(const Text& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
Text why(const Text& tensor_bytes) {
  try {
    read_tensor(as_bytes(tensor_bytes), "t");
  } catch (const Malformed& error) {
    return error.what();
  }
  return "";
}

// A folder of its own, gone at the end.
struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "tenon_onnx_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  void write(const Text& name, const Text& content) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << content;
  }
  fs::path path;
};

// A sound case of 1 + 2 and 3 + 4, with the output given.
void write_case(const Folder& folder, const Text& op, const std::vector<float>& output) {
  folder.write("model.onnx", model(op));
  folder.write("test_data_set_0/input_0.pb", tensor({1, 3}));
  folder.write("test_data_set_0/input_1.pb", tensor({2, 4}));
  folder.write("test_data_set_0/output_0.pb", tensor(output));
}

Outcome run(const Folder& folder) {
  tn_runtime_desc desc = tn_runtime_desc_init();
  const tn_str plugins = tn_string(TENON_TEST_PLUGINS);
  desc.flags = TN_RUNTIME_NO_SEARCH, desc.trust = TN_TRUST_ANY;
  desc.plugin_paths = &plugins, desc.plugin_path_count = 1;
  const tenon::Runtime runtime(desc);
  return run_case(tenon::Context(runtime), folder.path);
}

}  // namespace

TEST_CASE("onnx reader: a tensor") {
  const Array a = read_tensor(as_bytes(tensor({1.5f, 2})), "t");
  CHECK(a.dtype == TN_DTYPE_F32);
  CHECK(a.dims == std::vector<int64_t>{2});
  CHECK(a.bytes.size() == 8);
  // Packed and single numbers, in a field wider than the dtype.
  const Text packed =
      bytes(1, varint(3)) + number(2, 3) + bytes(5, varint(1) + varint(2) + varint(~0ull));
  CHECK(read_tensor(as_bytes(packed), "t").bytes == std::vector<uint8_t>{1, 2, 255});
  const Text single = number(1, 2) + number(2, 3) + number(5, 1) + number(5, 2);
  CHECK(read_tensor(as_bytes(single), "t").bytes == std::vector<uint8_t>{1, 2});
}

TEST_CASE("onnx reader: what is damaged is named") {
  const auto has = [](const Text& text, const char* part) { return text.find(part) != Text::npos; };
  CHECK(has(why(bytes(1, varint(3)) + number(2, 1)), "0 bytes of elements instead of 12"));
  CHECK(has(why(number(1, 1) + number(2, 1) + bytes(9, "12345")), "5 bytes of elements"));
  CHECK(has(why(number(1, 1u << 31) + number(1, 1u << 31) + number(2, 1)), "more elements"));
  CHECK(has(why(number(1, ~0ull) + number(2, 1)), "below 0"));
  CHECK(has(why(number(2, 99)), "data type 99"));
  CHECK(has(why(number(30, 1)), "field 30 is not known"));
  CHECK(has(why(bytes(2, "x")), "wire type 2"));
  CHECK(has(why(Text("\x0b", 1)), "wire type 3"));
  CHECK(has(why(varint(2 << 3) + Text(11, '\xff')), "more than 64 bits"));
  CHECK(has(why(varint(9 << 3 | 2) + varint(1ull << 40)), "but there are 0"));
  CHECK(has(why(number(1, 1) + number(2, 1) + bytes(9, floats({1})) + bytes(4, floats({1}))),
            "more than one field"));
  CHECK_THROWS_AS(read_tensor(as_bytes(number(2, 8)), "t"), NotApplicable);
}

TEST_CASE(
    "onnx reader: cut or changed anywhere, a model is refused or read, and no byte outside it is "
    "looked at") {
  const Text whole = model("Add", bytes(5, bytes(1, "x") + number(3, 7) + number(20, 2)));
  size_t refused = 0;
  const auto try_model = [&](const Text& text) {
    // A copy on the heap: a sanitizer sees every byte behind it.
    const std::vector<uint8_t> copy(text.begin(), text.end());
    try {
      read_model(copy);
    } catch (const std::runtime_error&) {
      ++refused;
    }
  };
  for (size_t size = 0; size < whole.size(); ++size) try_model(whole.substr(0, size));
  CHECK(refused > whole.size() / 2);
  for (size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      Text changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      try_model(changed);
    }
}

TEST_CASE("onnx case: a sound one passes") {
  const Folder folder;
  write_case(folder, "Add", {3, 7});
  const Outcome o = run(folder);
  CHECK_MESSAGE(o.verdict == Verdict::pass, o.why);
  CHECK(o.only_op == "Add");
  CHECK(o.compared == 1);
}

TEST_CASE("onnx case: what is wrong with one fails it") {
  const Folder folder;
  write_case(folder, "Add", {3, 7});
  const auto fails = [&](const char* part) {
    const Outcome o = run(folder);
    CHECK(o.verdict == Verdict::fail);
    CHECK_MESSAGE(o.why.find(part) != Text::npos, o.why);
  };
  SUBCASE("another value") {
    folder.write("test_data_set_0/output_0.pb", tensor({3, 7.01f}));
    fails("element 1: 7 instead of 7.01");
  }
  SUBCASE("another shape") {
    folder.write("test_data_set_0/output_0.pb", tensor({3, 7, 7}));
    fails("dims [2] instead of [3]");
  }
  SUBCASE("another dtype") {
    folder.write("test_data_set_0/output_0.pb",
                 number(1, 2) + number(2, 6) + bytes(9, floats({3, 7})));
    fails("output_0.pb: i32, but the model says f32");
  }
  SUBCASE("another op") {
    folder.write("model.onnx", model("Sub"));
    fails("element 0: -1 instead of 3");
  }
  SUBCASE("no data set") {
    fs::remove_all(folder.path / "test_data_set_0");
    fails("no test_data_set_0");
  }
  SUBCASE("a second data set that is wrong") {
    folder.write("test_data_set_1/input_0.pb", tensor({1, 3}));
    folder.write("test_data_set_1/input_1.pb", tensor({2, 4}));
    folder.write("test_data_set_1/output_0.pb", tensor({3, 8}));
    fails("element 1: 7 instead of 8");
  }
  SUBCASE("an output is missing") {
    fs::remove(folder.path / "test_data_set_0/output_0.pb");
    fails("not one file for each output");
  }
  SUBCASE("an attribute that the mapping does not know") {
    folder.write("model.onnx",
                 model("Add", bytes(5, bytes(1, "axis") + number(3, 7) + number(20, 2))));
    fails("does not look at attribute axis");
  }
  SUBCASE("no model") {
    fs::remove(folder.path / "model.onnx");
    fails("model.onnx: cannot be read");
  }
}

TEST_CASE("onnx tally: entries must be true") {
  const auto tally = [](const char* entries) {
    std::istringstream in(entries);
    return Tally(Exceptions(in));
  };
  const auto wrong = [](const Text& line) { return line.starts_with("wrong"); };
  const Outcome pass = {Verdict::pass, "", "Add", {"Add"}, 1},
                fail = {Verdict::fail, "why", "Add", {"Add"}, 0},
                apart = {Verdict::not_applicable, "strings", "Add", {"Add"}, 0};
  CHECK(!wrong(tally("").add("a", pass)));
  CHECK(wrong(tally("").add("a", fail)));
  CHECK(wrong(tally("").add("a", apart)));
  CHECK(wrong(tally("").add("a", {Verdict::pass, "", "Add", {"Add"}, 0})));
  CHECK(!wrong(tally("case a: why\n").add("a", fail)));
  CHECK(wrong(tally("case a: why\n").add("a", pass)));
  CHECK(wrong(tally("case a: why\n").add("a", apart)));
  CHECK(!wrong(tally("apart a: why\n").add("a", apart)));
  CHECK(wrong(tally("apart a: why\n").add("a", pass)));
  CHECK(wrong(tally("apart a: why\n").add("a", fail)));
  CHECK(!wrong(tally("pending Add: why\n").add("a", fail)));
  CHECK(wrong(tally("pending Add: why\n").add("a", pass)));
  CHECK(wrong(tally("op Add: why\n").add("a", apart)));  // it has a mapping
  CHECK(!wrong(tally("op If: why\n").add("a", {Verdict::not_applicable, "", "If", {"If"}, 0})));
  CHECK_THROWS(tally("cases a: why\n"));
  CHECK_THROWS(tally("case a\n"));
  CHECK_THROWS(tally("case a: x\ncase a: y\n"));
}

TEST_CASE("onnx tally: the summary holds against its limits") {
  std::istringstream in("case gone: why\n");
  Tally tally{Exceptions(in)};
  for (const char* name : {"a", "b"}) tally.add(name, {Verdict::pass, "", "Add", {"Add"}, 1});
  CHECK(tally.wrong() == 0);
  const Text text = tally.summary("cpu", 2, 0.98);
  CHECK(text.find("case gone: listed, but there is none") != Text::npos);
  CHECK(text.find("fewer than 2 ops") != Text::npos);
  CHECK(text.find("1 ONNX ops covered, 2 of their 2 cases pass (100.0 %)") != Text::npos);
  CHECK(tally.wrong() == 2);
  tally.add("c", {Verdict::fail, "", "Add", {"Add"}, 0});
  CHECK(tally.summary("cpu", 1, 0.98).find("the share that passes is too small") != Text::npos);
}

TEST_CASE("onnx mappings: no op stands twice") {
  std::set<std::string_view> seen;
  for (const auto& family :
       {elementwise_mappings(), reduction_mappings(), movement_mappings(), index_mappings(),
        window_mappings(), network_mappings(), quantised_mappings(), training_mappings()})
    for (const Mapping& m : family) CHECK_MESSAGE(seen.insert(m.op).second, m.op);
}
