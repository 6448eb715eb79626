// The libtorch side of the bench: a process that answers the protocol of common/serve.h.
// BENCH_THREADS sets the size of both thread pools (2 by default).
#include <cstdlib>

#include "rows.hpp"

int main() {
  const char* threads = std::getenv("BENCH_THREADS");
  at::set_num_threads(threads ? std::atoi(threads) : 2);
  std::vector<bench_case> cases;
  for (const auto& part : {peer::dispatch_cases(), peer::training_cases(), peer::recurrent_cases(),
                           peer::optimizer_cases(), peer::attention_cases(), peer::conv_cases(),
                           peer::eager_cases(), peer::elementwise_cases(), peer::matmul_cases()})
    cases.insert(cases.end(), part.begin(), part.end());
  const std::string about =
      "libtorch " TORCH_WHEEL_VERSION ", " + std::to_string(at::get_num_threads()) + " threads";
  const bench_worker worker = {about.c_str(), cases.data(), static_cast<int>(cases.size()),
                               nullptr};
  return bench_serve(&worker);
}
