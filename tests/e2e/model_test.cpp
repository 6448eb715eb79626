// Files of named tensors through the C API, on every device of the build.
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "c_api.hpp"
#include "faulty_calls.hpp"
#include "files.hpp"
#include "safetensors_cases.hpp"

namespace fs = std::filesystem;
using namespace tenon::test;  // NOLINT(google-build-using-namespace)

namespace {

tn_error* open(const Runtime& runtime, const std::string& path, Model* out,
               const tn_model_options* options = nullptr) {
  tn_model* m = nullptr;
  tn_error* e = tn_model_open(runtime.get(), str_of(path), options, &m);
  if (!e) out->reset(m);
  return e;
}
Model open(const Runtime& runtime, const std::string& path) {
  Model m;
  OK(open(runtime, path, &m));
  return m;
}
Tensor take(tn_ctx* ctx, const Model& m, const char* name) {
  tn_tensor* t = nullptr;
  OK(tn_model_take_tensor(ctx, m.get(), tn_string(name), &t));
  return Tensor(t);
}
tn_error* save(tn_ctx* ctx, const std::string& path, const std::vector<std::string>& names,
               const std::vector<Tensor>& tensors, const std::vector<tn_metadata>& metadata = {},
               const tn_model_options* options = nullptr) {
  std::vector<tn_str> list;
  for (const std::string& n : names) list.push_back(str_of(n));
  return tn_model_save(ctx, str_of(path), list.data(), raw(tensors).data(),
                       static_cast<uint32_t>(list.size()), metadata.data(),
                       static_cast<uint32_t>(metadata.size()), options);
}

bool host_addressable(tn_ctx* ctx) {
  tn_device_info info = tn_device_info_init();
  OK(tn_device_get_info(tn_ctx_get_device(ctx), &info));
  return info.host_addressable != 0;
}

// Does `p` lie in a mapping of this file?
bool mapped_from(const void* p, const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const uint64_t begin = std::stoull(line, nullptr, 16);
    const uint64_t end = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    const auto at = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(p));
    if (at >= begin && at < end) return line.find(path) != std::string::npos;
  }
  return false;
}

constexpr tn_dtype kDtypes[] = {TN_DTYPE_BOOL,   TN_DTYPE_U8,  TN_DTYPE_I8,  TN_DTYPE_F8E5M2,
                                TN_DTYPE_F8E4M3, TN_DTYPE_I16, TN_DTYPE_U16, TN_DTYPE_F16,
                                TN_DTYPE_BF16,   TN_DTYPE_I32, TN_DTYPE_U32, TN_DTYPE_F32,
                                TN_DTYPE_C64,    TN_DTYPE_F64, TN_DTYPE_I64, TN_DTYPE_U64};

}  // namespace

TEST_CASE("model: every dtype and shape comes back, with metadata") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    const Folder folder;
    const std::string path = folder.file("m.safetensors");
    std::vector<std::string> names;
    std::vector<Tensor> tensors;
    std::vector<std::vector<char>> bytes;
    const auto add = [&](const std::string& name, tn_dtype dtype,
                         const std::vector<int64_t>& dims) {
      uint64_t n = 1;
      for (const int64_t d : dims) n *= static_cast<uint64_t>(d);
      std::vector<char> data(tn_dtype_bytes(dtype, n));
      for (size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<char>(dtype == TN_DTYPE_BOOL ? i % 2 : i * 7 + dtype);
      names.push_back(name);
      tensors.push_back(tensor(ctx, dtype, dims, data));
      bytes.push_back(data);
    };
    for (const tn_dtype t : kDtypes) add(std::string("t.") + tn_dtype_name(t), t, {3, 5});
    add("scalar", TN_DTYPE_F32, {});
    add("empty", TN_DTYPE_F64, {4, 0, 2});
    add("deep", TN_DTYPE_F32, {1, 2, 1, 2, 1, 2, 1, 2});
    OK(save(ctx, path, names, tensors,
            {{tn_string("epoch"), tn_string("7")}, {tn_string("note"), tn_string("\"ok\"\n")}}));
    CHECK(folder.entries() == 1);

    for (const uint32_t flags : {0u, TN_MODEL_COPY}) {
      tn_model_options options = tn_model_options_init();
      options.flags = flags;
      Model m;
      OK(open(runtime, path, &m, &options));
      CHECK(text_of(tn_model_format(m.get())) == "safetensors");
      REQUIRE(tn_model_tensor_count(m.get()) == names.size());
      for (size_t i = 0; i < names.size(); ++i) {
        CAPTURE(names[i]);
        const Tensor t = take(ctx, m, names[i].c_str());
        CHECK(tn_tensor_dtype(t.get()) == tn_tensor_dtype(tensors[i].get()));
        REQUIRE(tn_tensor_rank(t.get()) == tn_tensor_rank(tensors[i].get()));
        for (uint32_t k = 0; k < tn_tensor_rank(t.get()); ++k)
          CHECK(tn_tensor_dims(t.get())[k] == tn_tensor_dims(tensors[i].get())[k]);
        CHECK(elements<char>(ctx, t.get()) == bytes[i]);
      }
      REQUIRE(tn_model_metadata_count(m.get()) == 2);
      tn_str key{}, value{};
      OK(tn_model_get_metadata(m.get(), 1, &key, &value));
      CHECK(text_of(key) == "note");
      CHECK(text_of(value) == "\"ok\"\n");
      REFUSED(tn_model_get_metadata(m.get(), 2, &key, &value), TN_OUT_OF_RANGE, "metadata 2 of 2");
      uint64_t next = 0;
      for (uint32_t i = 0; i < tn_model_tensor_count(m.get()); ++i) {  // in the order of the file
        tn_model_entry e = tn_model_entry_init();
        OK(tn_model_get_entry(m.get(), i, &e));
        CHECK(e.file_offset >= next);
        next = e.file_offset + e.bytes;
      }
      tn_model_entry e = tn_model_entry_init();
      CHECK(next == fs::file_size(path));
      REFUSED(tn_model_get_entry(m.get(), 99, &e), TN_OUT_OF_RANGE, "entry 99 of 19 tensors");
    }
  });
}

TEST_CASE("model: strided and scalar tensors are written densely") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    const Folder folder;
    const std::string path = folder.file("m.safetensors");
    const Tensor x = tensor<float>(ctx, TN_DTYPE_F32, {2, 3}, {1, 2, 3, 4, 5, 6});
    const int64_t perm[] = {1, 0};
    tn_tensor *turned = nullptr, *number = nullptr;
    OK(tn_transpose(ctx, x.get(), 2, perm, &turned));
    OK(tn_tensor_scalar_i64(ctx, 42, &number));
    std::vector<Tensor> tensors;
    tensors.emplace_back(turned);
    tensors.emplace_back(number);
    OK(save(ctx, path, {"turned", "number"}, tensors));
    const Model m = open(runtime, path);
    CHECK(elements<float>(ctx, take(ctx, m, "turned").get()) ==
          std::vector<float>{1, 4, 2, 5, 3, 6});
    CHECK(elements<int64_t>(ctx, take(ctx, m, "number").get()) == std::vector<int64_t>{42});
  });
}

TEST_CASE("model: tensors lie in the mapped file, and keep it") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    const Folder folder;
    const std::string path = folder.file("m.safetensors");
    std::vector<float> ones(1000, 1.0f);
    std::vector<Tensor> tensors;
    tensors.push_back(tensor(ctx, TN_DTYPE_F32, {1000}, ones));
    tensors.push_back(tensor(ctx, TN_DTYPE_F32, {1000}, ones));
    OK(save(ctx, path, {"a", "b"}, tensors));
    Model m = open(runtime, path);
    Tensor a = take(ctx, m, "a"), b = take(ctx, m, "b");
    m.reset();  // the tensors keep the file
    if (host_addressable(ctx)) {
      const void* data = nullptr;
      OK(tn_tensor_get_data(ctx, a.get(), &data));
      CHECK(mapped_from(data, path));
    }
    // A file written over while it is in use: the tensors see the old one.
    std::vector<Tensor> other;
    other.push_back(tensor(ctx, TN_DTYPE_F32, {1000}, std::vector<float>(1000, 2.0f)));
    OK(save(ctx, path, {"a"}, other));
    CHECK(elements<float>(ctx, a.get()) == ones);
    a.reset();
    CHECK(elements<float>(ctx, b.get()) == ones);
    b.reset();
    CHECK(elements<float>(ctx, take(ctx, open(runtime, path), "a").get())[0] == 2);

    // With the copy option nothing is mapped, so that the file may be cut off.
    tn_model_options options = tn_model_options_init();
    options.flags = TN_MODEL_COPY;
    OK(open(runtime, path, &m, &options));
    const Tensor copied = take(ctx, m, "a");
    fs::resize_file(path, 0);
    CHECK(elements<float>(ctx, copied.get()) == std::vector<float>(1000, 2.0f));
  });
}

TEST_CASE("model: a tensor of a file is computed with and never written to") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    const Folder folder;
    const std::string path = folder.file("m.safetensors");
    std::vector<Tensor> tensors;
    tensors.push_back(tensor<float>(ctx, TN_DTYPE_F32, {3}, {1, 2, 3}));
    OK(save(ctx, path, {"w"}, tensors));
    const Model m = open(runtime, path);
    const Variable v = variable(ctx, "w", take(ctx, m, "w").get());
    const tn_option lr = tn_option_f64("lr", 0.5);
    tn_optimizer* raw_optimizer = nullptr;
    OK(tn_optimizer_create(ctx, tn_string("sgd"), &lr, 1, &raw_optimizer));
    const Optimizer o(raw_optimizer);
    tn_variable* variables[] = {v.get()};
    const Tensor g = tensor<float>(ctx, TN_DTYPE_F32, {3}, {1, 1, 1});
    tn_tensor* grads[] = {g.get()};
    for (int i = 0; i < 2; ++i) OK(tn_optimizer_step(ctx, o.get(), variables, grads, 1));
    CHECK(elements<float>(ctx, value_of(ctx, v.get()).get()) == std::vector<float>{0, 1, 2});
    CHECK(elements<float>(ctx, take(ctx, m, "w").get()) == std::vector<float>{1, 2, 3});
    CHECK(elements<float>(ctx, take(ctx, open(runtime, path), "w").get()) ==
          std::vector<float>{1, 2, 3});
  });
}

TEST_CASE("model: elements at odd addresses are copied") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    const Folder folder;
    const std::string path = folder.file("m.safetensors");
    // U8 first, so that the f32 elements lie at an odd byte; the header is not padded either.
    std::string file = safetensors(
        R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})",
        1);
    const float values[] = {1.5f, -2.5f};
    file.append(reinterpret_cast<const char*>(values), sizeof values);
    for (const char* padding : {"", " ", "  ", "   "}) {
      std::string padded = file;
      padded.insert(padded.size() - 9, padding);
      padded[0] = static_cast<char>(padded[0] + static_cast<char>(std::strlen(padding)));
      write_file(path, padded);
      CHECK(elements<float>(ctx, take(ctx, open(runtime, path), "f").get()) ==
            std::vector<float>{1.5f, -2.5f});
    }
  });
}

TEST_CASE("model: every damaged file is refused with what is wrong, and nothing is loaded") {
  const Runtime runtime;
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  for (const BadFile& bad : bad_files()) {
    CAPTURE(bad.what);
    write_file(path, bad.bytes);
    tn_model* m = nullptr;
    const Outcome o = outcome(tn_model_open(runtime.get(), str_of(path), nullptr, &m));
    CHECK(m == nullptr);
    CHECK(o.code == bad.code);
    CHECK_MESSAGE(o.message.find(bad.says) != std::string::npos, o.message);
    CHECK(o.message.find(path) != std::string::npos);
  }
}

TEST_CASE("model: BOOL elements that are neither 0 nor 1 are refused") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    const Folder folder;
    const std::string path = folder.file("m.safetensors");
    write_file(path, safetensors(one_tensor("\"BOOL\"", "[4]", "[0,4]"), 4));
    const Model m = open(runtime, path);
    tn_tensor* t = nullptr;
    REFUSED(tn_model_take_tensor(ctx, m.get(), tn_string("a"), &t), TN_DATA_LOSS,
            "tensor \"a\" is BOOL, but its element 2 is 2");
    CHECK(t == nullptr);
  });
}

TEST_CASE("model: wrong use is refused with what was wrong") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    const Folder folder;
    const std::string path = folder.file("m.safetensors");
    std::vector<Tensor> tensors;
    for (int i = 0; i < 4; ++i) tensors.push_back(tensor<float>(ctx, TN_DTYPE_F32, {1}, {1}));
    OK(save(ctx, path, {"fc1.weight", "fc1.bias", "fc2.weight", "conv"}, tensors));
    Model m = open(runtime, path);
    tn_tensor* t = nullptr;
    REFUSED(
        tn_model_take_tensor(ctx, m.get(), tn_string("fc1.weights"), &t), TN_NOT_FOUND,
        path + ": there is no tensor \"fc1.weights\". Nearest: \"fc1.weight\", \"fc2.weight\", ");
    REFUSED(tn_model_take_tensor(ctx, nullptr, tn_string("conv"), &t), TN_INVALID_ARGUMENT,
            "model is NULL");
    REFUSED(tn_model_take_tensor(nullptr, m.get(), tn_string("conv"), &t), TN_INVALID_ARGUMENT,
            "ctx is NULL");
    CHECK(t == nullptr);
    REFUSED(open(runtime, folder.file("none.safetensors"), &m), TN_NOT_FOUND,
            folder.file("none.safetensors") + ": no such file");
    REFUSED(open(runtime, folder.path.string(), &m), TN_INVALID_ARGUMENT, "is not a regular file");
    REFUSED(open(runtime, "", &m), TN_INVALID_ARGUMENT, "the path is empty");
    write_file(folder.file("x.bin"), "what is this?");
    REFUSED(open(runtime, folder.file("x.bin"), &m), TN_INVALID_ARGUMENT,
            "neither its content nor its name shows a known format. Formats: safetensors.");
    tn_model_options options = tn_model_options_init();
    options.format = tn_string("gguf");
    REFUSED(open(runtime, path, &m, &options), TN_NOT_FOUND, "there is no format \"gguf\"");
    REFUSED(save(ctx, path, {}, {}, {}, &options), TN_NOT_FOUND, "there is no format \"gguf\"");
    options = tn_model_options_init();
    options.flags = 8;
    REFUSED(open(runtime, path, &m, &options), TN_INVALID_ARGUMENT, "unknown flags 0x8");
    options = tn_model_options_init();
    options.max_tensors = 3;
    REFUSED(open(runtime, path, &m, &options), TN_OUT_OF_RANGE, "more than 3 tensors");
    options = tn_model_options_init();
    options.max_bytes = 10;
    REFUSED(open(runtime, path, &m, &options), TN_OUT_OF_RANGE, "(max_bytes)");
    REFUSED(save(ctx, folder.file("model"), {}, {}), TN_INVALID_ARGUMENT,
            "the name has no extension");
    REFUSED(save(ctx, folder.file("model.onnx"), {}, {}), TN_NOT_FOUND,
            "there is no format \".onnx\"");
    REFUSED(save(ctx, folder.file("no/m.safetensors"), {}, {}), TN_NOT_FOUND,
            "its folder cannot be opened");
    std::vector<Tensor> twice;
    for (int i = 0; i < 2; ++i) twice.push_back(tensor<float>(ctx, TN_DTYPE_F32, {1}, {1}));
    REFUSED(save(ctx, path, {"a", "a"}, twice), TN_INVALID_ARGUMENT, "two tensors are named \"a\"");
    twice[1].reset();
    REFUSED(save(ctx, path, {"a", "b"}, twice), TN_INVALID_ARGUMENT, "tensors[1] (\"b\") is NULL");
    CHECK(tn_model_tensor_count(open(runtime, path).get()) == 4);  // the file is as it was
    tn_model_release(nullptr);
    // By content, whatever the name; by name, whatever the extension.
    fs::copy_file(path, folder.file("x.bin"), fs::copy_options::overwrite_existing);
    CHECK(tn_model_tensor_count(open(runtime, folder.file("x.bin")).get()) == 4);
    options = tn_model_options_init();
    options.format = tn_string("safetensors");
    OK(save(
        ctx, folder.file("y.weights"), {"a"},
        [&] {
          std::vector<Tensor> one;
          one.push_back(tensor<float>(ctx, TN_DTYPE_F32, {1}, {1}));
          return one;
        }(),
        {}, &options));
    CHECK(tn_model_tensor_count(open(runtime, folder.file("y.weights")).get()) == 1);
  });
}

TEST_CASE("model: a save that fails at any system call leaves the old file") {
  for_each_device([](const Runtime& runtime, tn_ctx* ctx) {
    const Folder folder;
    const std::string path = folder.file("m.safetensors");
    std::vector<Tensor> before, after;
    before.push_back(tensor<float>(ctx, TN_DTYPE_F32, {2}, {1, 2}));
    after.push_back(tensor(ctx, TN_DTYPE_F32, {100000}, std::vector<float>(100000, 3.0f)));
    OK(save(ctx, path, {"new"}, after));
    const std::string new_bytes = read_file(path);
    OK(save(ctx, path, {"old"}, before));
    const std::string old_bytes = read_file(path);
    std::vector<std::string> calls;
    {
      const CallPlan plan;
      const Outcome o = outcome(save(ctx, path, {"new"}, after));
      REQUIRE(o.message == "");
      calls = plan.calls();
    }
    REQUIRE(std::count(calls.begin(), calls.end(), "fsync") == 2);
    const auto renamed =
        static_cast<size_t>(std::find(calls.begin(), calls.end(), "renameat") - calls.begin());
    for (size_t at = 0; at < calls.size(); ++at) {
      CAPTURE(calls[at]);
      OK(save(ctx, path, {"old"}, before));
      Outcome o;
      {
        const CallPlan plan(Fault::fail, static_cast<int>(at), ENOSPC);
        o = outcome(save(ctx, path, {"new"}, after));
      }
      const std::string bytes = read_file(path);
      if (at <= renamed && o.code != TN_OK) {
        CHECK(bytes == old_bytes);
      } else {
        CHECK(bytes == new_bytes);
      }
      CHECK((o.code == TN_OK || o.message.find(path + ": ") == 0));
      CHECK(folder.entries() == 1);
      CHECK(tn_model_tensor_count(open(runtime, path).get()) == 1);
    }
  });
}

TEST_CASE("model: after shutdown releases are legal and calls are refused") {
  const Folder folder;
  const std::string path = folder.file("m.safetensors");
  tn_runtime* kept = nullptr;
  Model m;
  Tensor t;
  {
    const Runtime runtime;
    const Context ctx(runtime, "reference");
    std::vector<Tensor> tensors;
    tensors.push_back(tensor<float>(ctx, TN_DTYPE_F32, {2}, {1, 2}));
    OK(save(ctx, path, {"a"}, tensors));
    m = open(runtime, path);
    t = take(ctx, m, "a");
    tensors.clear();
    kept = tn_runtime_retain(runtime.get());
    tn_runtime_shutdown(kept);
    tn_model_entry e = tn_model_entry_init();
    tn_tensor* again = nullptr;
    REFUSED(tn_model_get_entry(m.get(), 0, &e), TN_SHUTDOWN,
            "tn_model_get_entry: the runtime was shut down");
    REFUSED(tn_model_take_tensor(ctx, m.get(), tn_string("a"), &again), TN_SHUTDOWN,
            "tn_model_take_tensor: the runtime was shut down");
    Model other;
    REFUSED(open(runtime, path, &other), TN_SHUTDOWN, "tn_model_open: the runtime was shut down");
  }
  m.reset();
  t.reset();
  tn_runtime_release(kept);
}
