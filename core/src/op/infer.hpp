// Runs the dtype and shape rule of an op.
#pragma once
#include <optional>

#include "base/sym.hpp"
#include "registry.hpp"
#include "tensor/tensor.hpp"

namespace tenon {

struct InferredOutput {
  Shape shape;              // strides: dense, or of the view
  int view_of = -1;         // input that it is a view of
  int64_t view_offset = 0;  // elements
  int alias = -1;           // input whose memory it may take over
  int counted = -1;         // axis along which the last output says how many elements are real
};

struct Inferred {
  std::vector<InferredOutput> outputs;
  std::vector<tn_dtype> casts;  // per input; TN_DTYPE_NONE: as it is
};

// inputs: dims, strides, dtype, flags. Throws the rule's error, with the op's name in front. `symbols` serves symbolic dims; without
// it a symbolic dim is an error.
Inferred infer(const OpEntry& op, const std::vector<const tn_view*>& inputs, const Attrs& attrs,
               SymTable* symbols = nullptr);

// The dims that all of these broadcast to; a rule has seen that they do. Kernels of elementwise ops and of regions see their operands so.
Shape joint_dims(const std::vector<const Shape*>& shapes);

// How many inputs an op takes; throws with the op's signature when n does not fit.
void check_input_count(const OpEntry& op, uint32_t n);

}  // namespace tenon
