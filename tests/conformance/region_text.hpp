// Regions with inputs in host memory, for the test of the emitter: the kit's samples, every op of every dtype, and random codes.
#pragma once
#include <tenon/plugin/kernels.h>
#include <tenon/plugin/region.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

// An operand in memory of its own, dense or (odd) from the last element to the first with gaps; axes it is broadcast over have stride 0.
struct Placed {
  Placed(const Array& values, const Dims& dims, bool odd, bool host_scalar);
  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;
  void* address();
  Array read() const;  // what lies there now, at the dims of the view

  std::vector<unsigned char> bytes;
  size_t first = 0;
  Dims dims, strides;
  tn_view view{};
};

struct Job {
  std::string name;
  Dims code;
  std::vector<Array> inputs;  // at the dims of the outputs
  std::vector<std::unique_ptr<Placed>> operands;
  std::vector<const tn_view*> views;
  tn_attr attr{};
  tn_signature signature{};
  std::vector<Array>
      expected;  // of a sample; of a random code what its own values give, step by step
  Tolerance tolerance;
  bool stepwise = false;  // every value is an output
};

// `host_scalars`: a bit for each input that is one.
std::unique_ptr<Job> job_of(std::string name, const Dims& code, const std::vector<Array>& inputs,
                            bool odd, uint32_t host_scalars = 0);

std::vector<std::unique_ptr<Job>> sample_jobs();
// For each dtype all ops that it has and `takes` says yes to, twelve in a job, on special values, every value an output.
std::vector<std::unique_ptr<Job>> op_jobs(const std::function<bool(const Job&)>& takes);
std::vector<std::unique_ptr<Job>> random_jobs(int count, uint64_t seed);

// What is wrong with the outputs of a job that ran, "" for nothing.
std::string judged(const Job& job);

}  // namespace tenon::conformance
