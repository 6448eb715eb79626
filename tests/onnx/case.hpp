// A case of libonnx-testdata: a folder with model.onnx and test_data_set_k/{input,output}_i.pb. Its nodes run one after the other.
#pragma once
#include <filesystem>
#include <set>
#include <string>

#include "reader.hpp"
#include "tenon/runtime.hpp"

namespace tenon::onnx {

enum class Verdict : uint8_t { pass, fail, not_applicable };

struct Outcome {
  Verdict verdict = Verdict::fail;
  std::string why;            // "" for a pass
  std::string only_op;        // its op, where it has one node
  std::set<std::string> ops;  // those of all nodes, as far as the model could be read
  size_t compared = 0;        // outputs that were held against those of the folder
};

// Never throws. A folder without data sets, and a data set with more or fewer files than the model has inputs and outputs, fails.
Outcome run_case(const Context& cx, const std::filesystem::path& folder);

}  // namespace tenon::onnx
