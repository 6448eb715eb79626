// The texts that sdk::RegionEmitter writes. C: compiled with the host's compiler and run, beside the oracles: the kit's samples, every op
// of every dtype, random codes step by step. Other dialects: the same texts pass the compiler named.
//
//   region_text DIALECT COMPILER [--keep FOLDER]     DIALECT: c, opencl, cuda, glsl
//
// Exit status: 0 all is well, 1 not, 2 wrong arguments, 77 there is no such compiler: skipped.
#include <dlfcn.h>
#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include "region_text.hpp"
#include "tenon/conformance/compare.hpp"
#include "tenon/sdk/region_emitter.hpp"

namespace {

using namespace tenon::conformance;  // NOLINT(google-build-using-namespace): its one user
namespace fs = std::filesystem;
namespace sdk = tenon::sdk;

using Jobs = std::vector<std::unique_ptr<Job>>;
using Kernel = void (*)(void* const* args, int64_t begin, int64_t end);

constexpr int kRandomCodes = 40;

struct Folder {
  explicit Folder(const char* keep) : kept(keep != nullptr) {
    char name[] = "/tmp/tenon_region_XXXXXX";
    if (keep) {
      path = keep;
      fs::create_directories(path);
    } else if (const char* made = mkdtemp(name)) {
      path = made;
    } else {
      throw std::runtime_error("no folder for the texts in /tmp");
    }
  }
  ~Folder() {
    std::error_code ignored;
    if (!kept) fs::remove_all(path, ignored);
  }
  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return path / name;
  }
  fs::path path;
  bool kept;
};

bool run(const std::string& command) { return std::system(command.c_str()) == 0; }

Jobs all_jobs(const std::function<bool(const Job&)>& takes) {
  Jobs jobs = sample_jobs();
  const auto append = [&](Jobs more) {
    for (auto& job : more) jobs.push_back(std::move(job));
  };
  append(op_jobs(takes));
  append(random_jobs(kRandomCodes, 20));
  return jobs;
}

// The kernels of all jobs that the dialect takes, in one text. What it declines is counted by the reason.
struct Written {
  std::string text;
  std::vector<const Job*> jobs;
  std::map<std::string, int> declined;
};
Written written(const sdk::RegionDialect& dialect, const Jobs& jobs) {
  sdk::RegionEmitter source(dialect);
  Written out;
  for (const auto& job : jobs) {
    const std::string why = source.add("region_" + std::to_string(out.jobs.size()), job->signature);
    if (why.empty()) {
      out.jobs.push_back(job.get());
    } else {
      ++out.declined[why];
    }
  }
  out.text = source.text();
  return out;
}

// A host scalar is given by its bits, others by where element (0, 0, ...) lies.
void call(Kernel kernel, const Job& job) {
  std::vector<void*> args;
  for (const auto& operand : job.operands) args.push_back(operand->address());
  const int64_t n = sdk::RegionEmitter::count(job.signature);
  kernel(args.data(), 0, n / 3);
  kernel(args.data(), n / 3, n);
}

// What a code gives does not depend on which of its values are outputs: beside the same code with all.
std::string part_fault(const Job& part, const Job& whole) {
  const size_t inputs = part.inputs.size();
  for (size_t o = 0; o + inputs < part.operands.size(); ++o) {
    const auto from = static_cast<size_t>(part.code[2 + o]);
    const Array a = part.operands[inputs + o]->read(), b = whole.operands[from]->read();
    if (std::string fault = compare(b, a, kSameBits); !fault.empty())
      return "output " + std::to_string(o) + ", one of few: " + fault;
  }
  return "";
}

int run_c(const std::string& compiler, const Folder& folder) {
  const Jobs jobs = all_jobs([](const Job&) { return true; });
  const Written w = written(sdk::kRegionC, jobs);
  for (const auto& [why, count] : w.declined) std::printf("FAIL %s (%d)\n", why.c_str(), count);
  const fs::path file = folder.write("regions.c", w.text), library = folder.path / "regions.so";
  if (!run(compiler + " -std=c11 -O0 -shared -fPIC " + std::string(sdk::kRegionC.flags) + " -o " +
           library.string() + " " + file.string() + " -lm"))
    return std::printf("FAIL the C text does not compile\n"), 1;
  void* loaded = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!loaded) return std::printf("FAIL %s\n", dlerror()), 1;
  size_t faults = w.declined.size(), instructions = 0;
  for (size_t k = 0; k < w.jobs.size(); ++k) {
    const Job& job = *w.jobs[k];
    void* symbol = dlsym(loaded, ("region_" + std::to_string(k)).c_str());
    if (!symbol) throw std::runtime_error("no kernel region_" + std::to_string(k));
    call(reinterpret_cast<Kernel>(symbol), job);
    const bool is_part = job.name.ends_with(" in part");
    const std::string fault = is_part ? part_fault(job, *w.jobs[k - 1]) : judged(job);
    if (!fault.empty() && ++faults <= 20)
      std::printf("FAIL %s (region_%zu): %s\n", job.name.c_str(), k, fault.c_str());
    instructions += (job.code.size() - 2 - static_cast<size_t>(job.code[1])) / 4;
  }
  dlclose(loaded);
  std::printf("%zu kernels of %zu instructions in %zu bytes of C, %zu faults\n", w.jobs.size(),
              instructions, w.text.size(), faults);
  return faults ? 1 : 0;
}

// Every text passes `command FILE`.
int run_compiler(const sdk::RegionDialect& dialect, const std::string& command,
                 const std::string& suffix, const std::string& prefix, const Folder& folder) {
  const auto takes = [&](const Job& job) {
    return sdk::RegionEmitter(dialect).add("one", job.signature).empty();
  };
  const Jobs jobs = all_jobs(takes);
  std::map<std::string, int> declined;
  std::string files;
  size_t count = 0;
  if (dialect.several) {
    const Written w = written(dialect, jobs);
    declined = w.declined;
    count = w.jobs.size();
    files = " " + folder.write("regions" + suffix, prefix + w.text).string();
  }
  for (size_t k = 0; k < jobs.size() && !dialect.several; ++k) {
    sdk::RegionEmitter source(dialect);
    const std::string why = source.add("region", jobs[k]->signature);
    if (!why.empty()) ++declined[why];
    // A compiler that takes one file at a time is slow: not the samples.
    const bool small =
        jobs[k]->name.starts_with("ops of") || jobs[k]->name.starts_with("f32_folds_");
    if (!why.empty() || !small) continue;
    files += " " + folder.write("region_" + std::to_string(k) + suffix, source.text()).string();
    ++count;
  }
  for (const auto& [why, n] : declined) std::printf("declined: %s (%d)\n", why.c_str(), n);
  const bool good = run("for f in" + files + "; do " + command + " $f || exit 1; done");
  std::printf("%zu kernels of %zu in %s: %s\n", count, jobs.size(), dialect.name.data(),
              good ? "they compile" : "FAIL");
  return good && count >= 20 ? 0 : 1;
}

// What CUDA C++ has of itself, where clang is to parse it without NVIDIA's headers.
constexpr const char* kCudaPrefix =
    "#define __device__ __attribute__((device))\n#define __global__ __attribute__((global))\n"
    "#define __forceinline__ inline\n#include <__clang_cuda_builtin_vars.h>\n"
    "#define F1(n) __device__ float n##f(float); __device__ double n(double);\n"
    "#define F2(n) __device__ float n##f(float, float); __device__ double n(double, double);\n"
    "extern \"C\" {\nF1(fabs) F1(floor) F1(ceil) F1(rint) F1(sqrt) F1(exp) F1(expm1) F1(log) "
    "F1(log1p)\n"
    "F1(sin) F1(cos) F1(tanh) F1(erf) F1(erfc) F2(fmod) F2(pow) F2(atan2)\n}\n"
    "__device__ unsigned __float_as_uint(float);\n__device__ float __uint_as_float(unsigned);\n"
    "__device__ double __longlong_as_double(long long);\n";

int run(int argc, char** argv) {
  if (argc != 3 && !(argc == 5 && std::strcmp(argv[3], "--keep") == 0)) {
    std::fprintf(stderr, "region_text DIALECT COMPILER [--keep FOLDER]\n");
    return 2;
  }
  const std::string dialect = argv[1], compiler = argv[2];
  if (!run(compiler + " --version > /dev/null 2>&1")) {
    std::printf("skipped: no compiler %s\n", compiler.c_str());
    return 77;
  }
  const Folder folder(argc == 5 ? argv[4] : nullptr);
  if (dialect == "c") return run_c(compiler, folder);
  if (dialect == "opencl")
    return run_compiler(sdk::kRegionOpenCl,
                        compiler +
                            " -x cl -cl-std=CL1.2 -Xclang -finclude-default-header "
                            "-fsyntax-only -Werror -Wno-tautological-compare",
                        ".cl", "", folder);
  if (dialect == "cuda")
    return run_compiler(sdk::kRegionCuda,
                        compiler +
                            " -x cuda -nocudainc -nocudalib --cuda-device-only "
                            "--cuda-gpu-arch=sm_70 -std=c++17 -fsyntax-only "
                            "-Wno-unknown-cuda-version -Wno-tautological-compare",
                        ".cu", kCudaPrefix, folder);
  if (dialect == "glsl")
    return run_compiler(sdk::kRegionGlsl,
                        compiler + " -V --target-env vulkan1.2 -S comp -o /dev/null", ".comp", "",
                        folder);
  std::fprintf(stderr, "region_text: no dialect %s\n", dialect.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::printf("FAIL %s\n", e.what());
    return 1;
  }
}
