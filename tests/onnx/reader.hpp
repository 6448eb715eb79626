// Reads ONNX models and tensors, as far as the node cases of libonnx-testdata need it: a strict reader of the protobuf wire format
// that looks at no byte outside what it is given. Names and numbers of fields are those of onnx.proto3.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tenon/base.h"

namespace tenon::onnx {

using Bytes = std::span<const uint8_t>;

// What is read is damaged, or uses a field that onnx.proto3 of IR version 8 does not have; the message says which.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// It is sound, but holds something that Tenon has no counterpart for: strings, sequences, optional values.
struct NotApplicable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A tensor on the host, dense and row-major.
struct Array {
  tn_dtype dtype = TN_DTYPE_NONE;
  std::vector<int64_t> dims;
  std::vector<uint8_t> bytes;
};

struct Attribute {
  enum class Kind : uint8_t { real, integer, text, tensor, reals, integers, texts, other };
  Kind kind = Kind::other;
  double real = 0;
  int64_t integer = 0;
  std::string text;
  std::vector<double> reals;
  std::vector<int64_t> integers;
  Array tensor;
  bool strings = false;  // the tensor, or the list, is one of strings and was not read
};

struct Node {
  std::string op, domain;
  std::vector<std::string> inputs, outputs;  // "" is an optional one that is absent
  std::map<std::string, Attribute> attributes;
};

// An input or output of a graph. `kind` is what it is if not a tensor: "sequence", "optional" ...
struct Value {
  std::string name, kind;
  tn_dtype dtype = TN_DTYPE_NONE;  // of a tensor that is not one of strings
};

struct Graph {
  std::vector<Node> nodes;
  std::map<std::string, Array> initializers;
  std::vector<Value> inputs, outputs;
};

struct Model {
  std::map<std::string, int64_t> opsets;  // version by domain, the default one being ""
  Graph graph;
};

Model read_model(Bytes bytes);
// `name` is how messages call it.
Array read_tensor(Bytes bytes, const std::string& name);

// The dtype of a number of TensorProto.DataType. Strings are NotApplicable, others that it does not know Malformed.
tn_dtype dtype_of(int64_t data_type);

}  // namespace tenon::onnx
