// What the programs of samples/ compute, by calls and as captured programs: over several steps the same losses, outputs and
// parameters from the same seeds and data, bit for bit, since no fusion in them changes the order of a sum.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "c_api.hpp"
#include "samples/sample.h"

tn_runtime* sample_runtime = nullptr;

extern "C" {
extern const Sample sample_hello, sample_xor, sample_train_digits, sample_infer_digits,
    sample_train_mnist, sample_embed_find_package, sample_embed_pkg_config, sample_embed_plugin,
    sample_embed_backend_c, sample_embed_op_rust, sample_embed_static;
}

using namespace tenon::test;

namespace {

const Sample* const kSamples[] = {&sample_hello,
                                  &sample_xor,
                                  &sample_train_digits,
                                  &sample_infer_digits,
                                  &sample_train_mnist,
                                  &sample_embed_find_package,
                                  &sample_embed_pkg_config,
                                  &sample_embed_plugin,
                                  &sample_embed_backend_c,
                                  &sample_embed_op_rust,
                                  &sample_embed_static};

struct Value {
  std::string what;
  tn_dtype dtype;
  std::vector<char> bytes;
};

class Run {
 public:
  Run(const Sample& sample, const std::string& device) : sample_(sample) {
    OK(sample.start(device.c_str(), &ctx_));
    tn_ctx_set_precision(ctx_, TN_PRECISION_HIGHEST);
  }
  Run(const Run&) = delete;
  ~Run() {
    tn_program_release(own_);
    sample_.stop();
  }

  std::vector<Value> values(bool captured) {
    std::vector<Value> all;
    for (uint32_t step = 0; step < sample_.steps; ++step) {
      std::vector<tn_tensor*> in(sample_.inputs), out(sample_.outputs);
      if (sample_.before) OK(sample_.before(step, in.data()));
      const std::vector<Tensor> inputs(in.begin(), in.end());
      if (captured) {
        uint32_t n = 0;
        OK(tn_program_run(ctx_, program(inputs), in.data(), sample_.inputs, out.data(),
                          sample_.outputs, &n));
        REQUIRE(n == sample_.outputs);
      } else {
        OK(sample_.compute(in.data(), out.data()));
      }
      const std::vector<Tensor> outputs(out.begin(), out.end());
      const std::string when = " of step " + std::to_string(step);
      for (uint32_t k = 0; k < sample_.outputs; ++k)
        all.push_back({"output " + std::to_string(k) + when, tn_tensor_dtype(out[k]),
                       elements<char>(ctx_, out[k])});
      for (uint32_t k = 0; tn_variable* v = variable(k); ++k) {
        const Tensor value = value_of(ctx_, v);
        all.push_back({"variable " + std::to_string(k) + when, tn_tensor_dtype(value.get()),
                       elements<char>(ctx_, value.get())});
      }
    }
    return all;
  }

 private:
  tn_variable* variable(uint32_t k) const {
    return sample_.variable ? sample_.variable(k) : nullptr;
  }

  // The sample's own, or what its step is for inputs like these.
  tn_program* program(const std::vector<Tensor>& like) {
    if (sample_.program) return sample_.program();
    if (own_) return own_;
    std::vector<Tensor> inputs, outputs(sample_.outputs);
    OK(tn_capture_begin(ctx_, tn_string(sample_.file)));
    for (const Tensor& t : like) {
      const uint32_t rank = tn_tensor_rank(t.get());
      std::vector<int64_t> dims(tn_tensor_dims(t.get()), tn_tensor_dims(t.get()) + rank);
      std::vector<tn_str> symbols(rank, tn_string("n"));
      if (sample_.any_size) dims.at(0) = TN_DIM_ANY;
      tn_tensor* in = nullptr;
      OK(tn_capture_input(ctx_, tn_string(std::to_string(inputs.size()).c_str()),
                          tn_tensor_dtype(t.get()), rank, dims.data(), symbols.data(), &in));
      inputs.emplace_back(in);
    }
    std::vector<tn_tensor*> out(sample_.outputs);
    OK(sample_.compute(raw(inputs).data(), out.data()));
    for (uint32_t k = 0; k < sample_.outputs; ++k) outputs[k].reset(out[k]);
    OK(tn_capture_end(ctx_, out.data(), sample_.outputs, &own_));
    return own_;
  }

  const Sample& sample_;
  tn_ctx* ctx_ = nullptr;
  tn_program* own_ = nullptr;
};

std::vector<Value> values(const Sample& sample, const std::string& device, bool captured) {
  return Run(sample, device).values(captured);
}

void compare(const Sample& sample, const std::string& device) {
  INFO(std::string(sample.file) << " on " << device);
  const std::vector<Value> called = values(sample, device, false);
  const std::vector<Value> captured = values(sample, device, true);
  REQUIRE(called.size() == captured.size());
  REQUIRE(!called.empty());
  for (size_t k = 0; k < called.size(); ++k) {
    INFO(called[k].what);
    REQUIRE(called[k].dtype == captured[k].dtype);
    REQUIRE(called[k].bytes == captured[k].bytes);
  }
}

// Without the index, as a sample's --device takes it.
std::string type_of(const std::string& device) { return device.substr(0, device.find(':')); }

}  // namespace

TEST_CASE("samples: each computes the same by calls and captured") {
  std::set<const Sample*> run;
  std::vector<std::string> devices;
  {
    const Runtime runtime;
    for (const std::string& d : runtime.devices()) devices.push_back(type_of(d));
  }
  for (const std::string& device : devices) {
    setenv("TENON_DEVICE", device.c_str(), 1);
    const Runtime runtime;
    sample_runtime = runtime.get();
    for (const Sample* sample : kSamples) {
      if (sample->device ? sample->device != device : device == "plain") continue;
      if (sample == &sample_embed_op_rust && !TENON_TEST_RUST) continue;
      compare(*sample, device);
      run.insert(sample);
    }
  }
  for (const Sample* sample : kSamples)
    if (!run.count(sample)) MESSAGE("not run, its device or rustc is not here: " << sample->file);
}

TEST_CASE("samples: every program of the folder is one of these") {
  namespace fs = std::filesystem;
  std::set<std::string> here, known;
  for (const Sample* sample : kSamples) known.insert(sample->file);
  const fs::path folder = TENON_TEST_SAMPLES;
  const std::regex main("(^|\n)(int|fn) main\\(");
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (std::regex_search(text, main)) here.insert(fs::relative(entry.path(), folder).string());
  }
  CHECK(here == known);
}
