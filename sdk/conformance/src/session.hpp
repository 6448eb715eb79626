// The device under test: owned handles, inputs in every layout, calls.
#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

// An error of the C API.
class Fault : public std::runtime_error {
 public:
  Fault(tn_code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  tn_code code() const { return code_; }

 private:
  tn_code code_;
};
// Throws the error, if there is one, as a Fault.
void check(tn_error* error);

struct ReleaseTensor {
  void operator()(tn_tensor* t) const { tn_tensor_release(t); }
};
using Tensor = std::unique_ptr<tn_tensor, ReleaseTensor>;
std::vector<tn_tensor*> pointers(const std::vector<Tensor>& tensors);

// How an input lies in memory.
enum class Layout {
  contiguous,
  offset,   // dense, but beginning in the middle of a block and aligned to its elements only
  strided,  // transposed, with gaps: no axis is dense
  flipped,  // negative strides
  outer,    // stride 0 along the first axis longer than one
  inner,    // stride 0 along the last such axis
  mixed,    // the first input strided, the others contiguous
};
const char* name_of(Layout layout);
bool repeats(Layout layout);
// The axis along which `layout` repeats an input of these dims, if there is one.
bool repeated_axis(Layout layout, const Dims& dims, size_t* out_axis);
// The part of x that is stored when `layout` repeats it: element 0 of the repeated axis.
Array collapsed(const Array& x, Layout layout);
// x as it is seen through the layout: collapsed, then repeated to its own dims.
Array seen(const Array& x, Layout layout);

// A tensor in its layout, and the block that it looks into.
struct Arranged {
  Tensor tensor;
  Tensor base;  // null where it is the tensor
  tn_tensor* block() const { return base ? base.get() : tensor.get(); }
};

class Session {
 public:
  Session(tn_runtime* runtime, const std::string& device);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  tn_ctx* ctx() const { return ctx_; }
  const std::string& device() const { return device_; }

  Tensor upload(const Array& x);
  Tensor scalar(const Array& x);  // a weakly typed one
  // x holds values as seen() gives them; an absent one gives a null tensor. index: which input.
  Arranged arrange(const Array& x, Layout layout, size_t index);
  std::vector<unsigned char> bytes(tn_tensor* t);
  Array read(tn_tensor* t);
  // Outputs of any number.
  std::vector<Tensor> call(tn_op op, const std::vector<tn_tensor*>& inputs, const Attrs& attrs);
  // Whether a kernel of the device runs this call.
  bool native(tn_op op, const std::vector<tn_tensor*>& inputs, const Attrs& attrs);
  // The ops that this call is decomposed into; none where a kernel runs it.
  std::vector<std::string> decomposition(tn_op op, const std::vector<tn_tensor*>& inputs,
                                         const Attrs& attrs);
  void set_random(const RandomState& state);
  RandomState random();
  // Drops what an earlier failure of the device left behind.
  void recover();

 private:
  Arranged view(const Array& block, const std::vector<std::pair<tn_op, Attrs>>& steps);

  tn_ctx* ctx_ = nullptr;
  std::string device_;
};

}  // namespace tenon::conformance
