// How ONNX nodes become calls of Tenon: one table per family of ops, each entry a function from a node with its inputs to results.
#pragma once
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reader.hpp"
#include "tenon/operators.hpp"

namespace tenon::onnx {

using Results = std::vector<Tensor>;

// A node with its inputs on the device. Attributes are read through it, so that it knows which ones nobody looked at.
class Call {
 public:
  Call(const Context& context, const Node& read, int64_t version, std::vector<Tensor> inputs)
      : cx(context), node(read), opset(version), inputs_(std::move(inputs)) {}

  const Context& cx;
  const Node& node;
  const int64_t opset;

  // Input `k`; empty where it is absent.
  const Tensor& in(size_t k) const;
  bool given(size_t k) const { return !in(k).empty(); }
  const std::vector<Tensor>& inputs() const { return inputs_; }
  // Input `k` as whole numbers on the host: a shape, axes, a number.
  Dims numbers(size_t k) const;
  int64_t number(size_t k) const;

  // An attribute, `otherwise` if absent. Of another kind: Malformed.
  bool has(const char* name) const { return node.attributes.contains(name); }
  int64_t integer(const char* name, int64_t otherwise) const;
  bool flag(const char* name, bool otherwise) const { return integer(name, otherwise) != 0; }
  double real(const char* name, double otherwise) const;
  std::string text(const char* name, const char* otherwise) const;
  Dims integers(const char* name, const Dims& otherwise = {}) const;
  const Array* tensor(const char* name) const;  // NULL if absent
  tn_dtype dtype(const char* name, tn_dtype otherwise) const;
  // Attributes that an op has but that change nothing here, or not for the nodes there are.
  void ignore(const char* name) const { seen_.insert(name); }
  // NotApplicable, unless the attribute is absent or the word that Tenon can do.
  void only(const char* name, std::string_view word) const;
  void only(const char* name, int64_t number) const;

  // The attributes that the mapping did not read: then it cannot be right.
  std::vector<std::string> overlooked() const;

 private:
  const Attribute* find(const char* name, Attribute::Kind kind) const;

  std::vector<Tensor> inputs_;
  mutable std::set<std::string, std::less<>> seen_;
};

struct Mapping {
  std::string_view op;
  Results (*map)(const Call& c);
};

std::span<const Mapping> elementwise_mappings();
std::span<const Mapping> reduction_mappings();
std::span<const Mapping> movement_mappings();
std::span<const Mapping> index_mappings();
std::span<const Mapping> window_mappings();
std::span<const Mapping> network_mappings();
std::span<const Mapping> quantised_mappings();
std::span<const Mapping> training_mappings();

// NULL where the op has none.
const Mapping* find_mapping(std::string_view op);

// ---- helpers of several families
Tensor to_device(const Context& cx, const Array& array);
Tensor from_numbers(const Context& cx, const Dims& numbers);  // i64, of rank 1
Dims dims_of(const Tensor& t);
// Axis `axis` counted from the front.
int64_t axis_of(int64_t axis, const Tensor& t);
// y with its last axis put at `axis`.
Tensor last_axis_to(const Tensor& y, int64_t axis);
// t as `dtype`; t itself where it is that already.
Tensor as(const Tensor& t, tn_dtype dtype);
// A vector of channels, shaped so that it broadcasts to [N, C, ...] of that rank.
Tensor per_channel(const Tensor& t, uint32_t rank);
// Positions along an axis of i64 numbers 0, 1, ... with these dims.
Tensor positions(const Context& cx, const Dims& dims, int64_t axis);

}  // namespace tenon::onnx
