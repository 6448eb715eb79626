#include "mapping.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace tenon::onnx {

const Tensor& Call::in(size_t k) const {
  static const Tensor none;
  return k < inputs_.size() ? inputs_[k] : none;
}

Dims Call::numbers(size_t k) const { return as(in(k), TN_DTYPE_I64).read<int64_t>(); }

int64_t Call::number(size_t k) const {
  const Dims all = numbers(k);
  if (all.size() != 1)
    throw Malformed(node.op + ": input " + std::to_string(k) + " is not one number");
  return all[0];
}

const Attribute* Call::find(const char* name, Attribute::Kind kind) const {
  seen_.insert(name);
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return nullptr;
  const Attribute& a = found->second;
  if (a.strings) throw NotApplicable("strings");
  if (a.kind != kind) throw Malformed(node.op + ": attribute " + name + " is of another kind");
  return &a;
}

int64_t Call::integer(const char* name, int64_t otherwise) const {
  const Attribute* a = find(name, Attribute::Kind::integer);
  return a ? a->integer : otherwise;
}
double Call::real(const char* name, double otherwise) const {
  const Attribute* a = find(name, Attribute::Kind::real);
  return a ? a->real : otherwise;
}
std::string Call::text(const char* name, const char* otherwise) const {
  const Attribute* a = find(name, Attribute::Kind::text);
  return a ? a->text : otherwise;
}
Dims Call::integers(const char* name, const Dims& otherwise) const {
  const Attribute* a = find(name, Attribute::Kind::integers);
  return a ? a->integers : otherwise;
}
const Array* Call::tensor(const char* name) const {
  const Attribute* a = find(name, Attribute::Kind::tensor);
  return a ? &a->tensor : nullptr;
}
tn_dtype Call::dtype(const char* name, tn_dtype otherwise) const {
  const Attribute* a = find(name, Attribute::Kind::integer);
  return a ? dtype_of(a->integer) : otherwise;
}

void Call::only(const char* name, std::string_view word) const {
  const std::string found = text(name, std::string(word).c_str());
  if (found != word) throw NotApplicable(std::string(name) + " " + found);
}
void Call::only(const char* name, int64_t number) const {
  const int64_t found = integer(name, number);
  if (found != number) throw NotApplicable(std::string(name) + " " + std::to_string(found));
}

std::vector<std::string> Call::overlooked() const {
  std::vector<std::string> names;
  for (const auto& [name, attribute] : node.attributes)
    if (!seen_.contains(name)) names.push_back(name);
  return names;
}

const Mapping* find_mapping(std::string_view op) {
  const std::array<std::span<const Mapping>, 8> families = {
      elementwise_mappings(), reduction_mappings(), movement_mappings(),  index_mappings(),
      window_mappings(),      network_mappings(),   quantised_mappings(), training_mappings()};
  for (const std::span<const Mapping> family : families)
    for (const Mapping& mapping : family)
      if (mapping.op == op) return &mapping;
  return nullptr;
}

// ---- helpers

Tensor to_device(const Context& cx, const Array& array) {
  tn_tensor* t = nullptr;
  check(tn_tensor_from_host(cx.get(), array.dtype, static_cast<uint32_t>(array.dims.size()),
                            array.dims.data(), array.bytes.data(), array.bytes.size(), &t));
  return {cx.get(), t};
}

Tensor from_numbers(const Context& cx, const Dims& numbers) {
  return {cx, numbers, {static_cast<int64_t>(numbers.size())}};
}

Dims dims_of(const Tensor& t) { return {t.dims().begin(), t.dims().end()}; }

int64_t axis_of(int64_t axis, const Tensor& t) { return axis < 0 ? axis + t.rank() : axis; }

Tensor last_axis_to(const Tensor& y, int64_t axis) {
  Dims perm(y.rank() - 1);
  std::iota(perm.begin(), perm.end(), 0);
  perm.insert(perm.begin() + axis_of(axis, y), y.rank() - 1);
  return transpose(y, perm);
}

Tensor as(const Tensor& t, tn_dtype dtype) { return t.dtype() == dtype ? t : cast(t, dtype); }

Tensor per_channel(const Tensor& t, uint32_t rank) {
  Dims dims(rank, 1);
  dims.at(1) = t.count();
  return reshape(t, dims);
}

Tensor positions(const Context& cx, const Dims& dims, int64_t axis) {
  return iota(cx, dims, {.axis = axis, .dtype = TN_DTYPE_I64});
}

}  // namespace tenon::onnx
