// Tensor, and Operand: a tensor or a number where an op takes either.
#pragma once
#include <concepts>
#include <initializer_list>
#include <ostream>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tenon/autograd.h"
#include "tenon/op.h"
#include "tenon/runtime.hpp"

namespace tenon {

using Dims = std::vector<int64_t>;

// The dtype of a C++ number.
template <class T>
inline constexpr tn_dtype kDtype = TN_DTYPE_NONE;
template <>
inline constexpr tn_dtype kDtype<bool> = TN_DTYPE_BOOL;
template <>
inline constexpr tn_dtype kDtype<int8_t> = TN_DTYPE_I8;
template <>
inline constexpr tn_dtype kDtype<int16_t> = TN_DTYPE_I16;
template <>
inline constexpr tn_dtype kDtype<int32_t> = TN_DTYPE_I32;
template <>
inline constexpr tn_dtype kDtype<int64_t> = TN_DTYPE_I64;
template <>
inline constexpr tn_dtype kDtype<uint8_t> = TN_DTYPE_U8;
template <>
inline constexpr tn_dtype kDtype<uint16_t> = TN_DTYPE_U16;
template <>
inline constexpr tn_dtype kDtype<uint32_t> = TN_DTYPE_U32;
template <>
inline constexpr tn_dtype kDtype<uint64_t> = TN_DTYPE_U64;
template <>
inline constexpr tn_dtype kDtype<float> = TN_DTYPE_F32;
template <>
inline constexpr tn_dtype kDtype<double> = TN_DTYPE_F64;

template <class T>
concept Element = kDtype<T>
!= TN_DTYPE_NONE;

// An immutable value; copies share it. Default-made it is empty: an optional input that is not given. It computes in the
// context that it came from: an op uses that of its first tensor.
class Tensor {
 public:
  Tensor() = default;
  // Takes over one reference.
  Tensor(tn_ctx* ctx, tn_tensor* tensor) : ctx_(ctx), tensor_(tensor) {}
  // Copies from the host, dense and row-major: a vector, an array, a span.
  template <std::ranges::contiguous_range Data>
  requires(Element<std::ranges::range_value_t<Data>>)
      Tensor(const Context& cx, const Data& data, const Dims& dims)
      : ctx_(cx.get()) {
    using T = std::ranges::range_value_t<Data>;
    check(tn_tensor_from_host(ctx_, kDtype<T>, static_cast<uint32_t>(dims.size()), dims.data(),
                              std::ranges::data(data), std::ranges::size(data) * sizeof(T),
                              &tensor_));
  }
  template <Element T>
  Tensor(const Context& cx, std::initializer_list<T> data, const Dims& dims)
      : Tensor(cx, std::span<const T>(data.begin(), data.size()), dims) {}
  template <Element T>
  Tensor(const Context& cx, std::initializer_list<T> data)
      : Tensor(cx, data, Dims{static_cast<int64_t>(data.size())}) {}

  Tensor(const Tensor& other) : ctx_(other.ctx_), tensor_(retained(other.tensor_)) {}
  Tensor(Tensor&& other) noexcept
      : ctx_(other.ctx_), tensor_(std::exchange(other.tensor_, nullptr)) {}
  Tensor& operator=(Tensor other) noexcept {
    std::swap(ctx_, other.ctx_);
    std::swap(tensor_, other.tensor_);
    return *this;
  }
  ~Tensor() { tn_tensor_release(tensor_); }

  static Tensor full(const Context& cx, double value, const Dims& dims,
                     tn_dtype dtype = TN_DTYPE_F32) {
    tn_tensor* t = nullptr;
    check(tn_tensor_full(cx.get(), dtype, value, static_cast<uint32_t>(dims.size()), dims.data(),
                         &t));
    return {cx.get(), t};
  }
  static Tensor zeros(const Context& cx, const Dims& dims, tn_dtype dtype = TN_DTYPE_F32) {
    return full(cx, 0, dims, dtype);
  }
  static Tensor ones(const Context& cx, const Dims& dims, tn_dtype dtype = TN_DTYPE_F32) {
    return full(cx, 1, dims, dtype);
  }

  // ---- asking
  bool empty() const { return !tensor_; }
  tn_tensor* get() const { return tensor_; }
  tn_ctx* context() const { return ctx_; }
  tn_dtype dtype() const { return tn_tensor_dtype(tensor_); }
  uint32_t rank() const { return tn_tensor_rank(tensor_); }
  // Lent, as long as the tensor lives.
  std::span<const int64_t> dims() const { return {tn_tensor_dims(tensor_), rank()}; }
  std::span<const int64_t> strides() const { return {tn_tensor_strides(tensor_), rank()}; }
  int64_t dim(uint32_t axis) const { return dims()[axis]; }
  int64_t count() const { return tn_tensor_count(tensor_); }
  bool requires_grad() const { return tn_tensor_requires_grad(tensor_) != 0; }

  // ---- reading. Each waits for the device.
  template <class T = double>
  T item() const {
    if constexpr (std::integral<T>) {
      int64_t value = 0;
      check(tn_tensor_item_i64(ctx_, tensor_, &value));
      return static_cast<T>(value);
    } else {
      double value = 0;
      check(tn_tensor_item_f64(ctx_, tensor_, &value));
      return static_cast<T>(value);
    }
  }
  // T must be the dtype; nothing is converted.
  template <Element T>
  std::vector<T> read() const {
    if (dtype() != kDtype<T>)
      throw Error(TN_INVALID_ARGUMENT,
                  std::string("read: the tensor is ") + tn_dtype_name(dtype()) + ", asked for as " +
                      tn_dtype_name(kDtype<T>) + ". Cast it, or read it as what it is.");
    using Byte =
        std::conditional_t<std::same_as<T, bool>, uint8_t, T>;  // vector<bool> has no data()
    std::vector<Byte> data(static_cast<size_t>(count()));
    check(tn_tensor_read(ctx_, tensor_, data.data(), data.size() * sizeof(T)));
    if constexpr (std::same_as<T, bool>)
      return {data.begin(), data.end()};
    else
      return data;
  }
  std::string format(const tn_format_options* options = nullptr) const {
    for (size_t capacity = 1024;; capacity *= 4) {
      std::string text(capacity, '\0');
      check(tn_tensor_format(tensor_, options, text.data(), text.size()));
      text.resize(text.find('\0'));
      if (!text.ends_with("...")) return text;  // it was not cut
    }
  }

  // ---- other forms of the same value
  Tensor to(std::string_view device) const {
    tn_tensor* t = nullptr;
    check(tn_tensor_to(ctx_, tensor_, to_str(device), &t));
    return {ctx_, t};
  }
  Tensor detach() const {
    tn_tensor* t = nullptr;
    check(tn_tensor_detach(ctx_, tensor_, &t));
    return {ctx_, t};
  }
  // A new leaf that asks for gradients.
  Tensor leaf() const {
    tn_tensor* t = nullptr;
    check(tn_tensor_leaf(ctx_, tensor_, &t));
    return {ctx_, t};
  }
  // The same value, computing in another context from now on.
  Tensor in(const Context& cx) const { return {cx.get(), retained(tensor_)}; }

 private:
  static tn_tensor* retained(tn_tensor* t) { return t ? tn_tensor_retain(t) : nullptr; }

  tn_ctx* ctx_ = nullptr;
  tn_tensor* tensor_ = nullptr;
};

inline std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  return out << tensor.format();
}

class Variable;

// A tensor or a number as an input of an op. A number is weakly typed: it takes the dtype of the tensor beside it.
class Operand {
 public:
  Operand() = default;
  // NOLINTBEGIN(google-explicit-constructor): whatever can be an input stands for one
  Operand(const Tensor& tensor) : ctx_(tensor.context()), tensor_(&tensor) {}  // lent
  inline Operand(const Variable& variable);                                    // autograd.hpp
  template <class T>
  requires(std::integral<T> || std::floating_point<T>) Operand(T number) {
    if constexpr (std::same_as<T, bool>)
      kind_ = Kind::truth, integer_ = number;
    else if constexpr (std::integral<T>)
      kind_ = Kind::integer, integer_ = static_cast<int64_t>(number);
    else
      kind_ = Kind::real, real_ = static_cast<double>(number);
  }
  // NOLINTEND(google-explicit-constructor)
  Operand(const Operand&) = delete;  // may point into itself
  Operand& operator=(const Operand&) = delete;

  tn_ctx* context() const { return ctx_; }
  // The input of a call in `ctx`: lent by *this, which makes the scalar of a number on the first call.
  tn_tensor* resolve(tn_ctx* ctx) const {
    tn_tensor* t = nullptr;
    switch (kind_) {
      case Kind::tensor:
        return tensor_ ? tensor_->get() : nullptr;
      case Kind::truth:
        check(tn_tensor_scalar_bool(ctx, static_cast<int32_t>(integer_), &t));
        break;
      case Kind::integer:
        check(tn_tensor_scalar_i64(ctx, integer_, &t));
        break;
      case Kind::real:
        check(tn_tensor_scalar_f64(ctx, real_, &t));
        break;
    }
    made_ = Tensor(ctx, t), tensor_ = &made_, kind_ = Kind::tensor;
    return t;
  }

 private:
  enum class Kind : uint8_t { tensor, truth, integer, real };
  tn_ctx* ctx_ = nullptr;
  int64_t integer_ = 0;
  double real_ = 0;
  mutable Kind kind_ = Kind::tensor;
  mutable Tensor made_;
  mutable const Tensor* tensor_ = nullptr;
};

namespace detail {

inline tn_ctx* first_context(std::initializer_list<tn_ctx*> contexts) {
  for (tn_ctx* ctx : contexts)
    if (ctx) return ctx;
  throw Error(TN_INVALID_ARGUMENT,
              "an op without a tensor that says where to compute: give it one that is not empty");
}

// At most N attributes, in the order of their keys.
template <size_t N>
struct AttrList {
  tn_attr items[N];
  uint32_t n = 0;
  void add(const tn_attr& attr) { items[n++] = attr; }
};

inline Tensor call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs, uint32_t n_inputs,
                   const tn_attr* attrs, uint32_t n_attrs) {
  tn_tensor* out = nullptr;
  uint32_t n = 0;
  check(tn_op_call(ctx, op, inputs, n_inputs, attrs, n_attrs, &out, 1, &n));
  return {ctx, out};
}

inline std::vector<Tensor> call_many(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs,
                                     uint32_t n_inputs, const tn_attr* attrs, uint32_t n_attrs,
                                     size_t capacity) {
  std::vector<tn_tensor*> raw(capacity, nullptr);
  std::vector<Tensor> outputs(capacity);  // before the call: nothing can be lost after it
  uint32_t n = 0;
  check(tn_op_call(ctx, op, inputs, n_inputs, attrs, n_attrs, raw.data(),
                   static_cast<uint32_t>(capacity), &n));
  outputs.resize(n);
  for (uint32_t i = 0; i < n; ++i) outputs[i] = Tensor(ctx, raw[i]);
  return outputs;
}

inline std::vector<tn_tensor*> handles(std::span<const Tensor> tensors) {
  std::vector<tn_tensor*> list;
  list.reserve(tensors.size());
  for (const Tensor& t : tensors) list.push_back(t.get());
  return list;
}

inline std::vector<Tensor> owned(tn_ctx* ctx, std::span<tn_tensor* const> handles) {
  std::vector<Tensor> list;
  list.reserve(handles.size());
  for (tn_tensor* t : handles) list.emplace_back(ctx, t);
  return list;
}

}  // namespace detail
}  // namespace tenon
