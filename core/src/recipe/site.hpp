// A call site: everything that is fixed for an op with given input shapes and attributes. Belongs to one context.
#pragma once
#include "program.hpp"

namespace tenon {

// What a call of one kernel over one or two plain tensors into one fresh buffer needs, in one line of cache.
struct FastCall {
  tn_kernel_run run = nullptr;  // null: take the general road
  void* data = nullptr;
  DeviceState* state = nullptr;
  uint64_t out_id = 0;
  tn_view* in[2] = {nullptr, nullptr};  // null: the tensor's own view serves
  uint32_t cls = 0;
  uint32_t reserved = 0;
  const OutputBuffer* buffer = nullptr;
};

// A gradient made ready, for one choice of wanted inputs and present cotangents.
struct GradProgram {
  uint64_t wants, cotangents;
  std::vector<bool> used;  // inputs, outputs, cotangents
  uint64_t used_bits;      // the same, the first 64
  Program* program;        // null: op by op, some of them on another device
  bool passes;             // each is one of the values as it is, or none
  bool uses(size_t i) const { return i < 64 ? (used_bits >> i & 1) != 0 : used[i]; }
};

struct Site {
  uint32_t refs = 1;
  tn_op op = 0;
  uint32_t n_in = 0;
  uint32_t n_attrs = 0;  // as given in the call
  FastCall fast;
  const OpEntry* entry = nullptr;
  Program* program = nullptr;
  uint64_t ids_inline[4] = {};
  std::vector<uint64_t> ids;      // when n_in > 4
  bool by_context = false;        // no tensor says where: it runs on the context's device
  bool records = false;           // the op has a gradient
  bool captured = false;          // without a program, and of no use after the capture
  bool derived = false;           // only through its decomposition
  bool gives_inputs = true;       // a result may be an input itself
  uint64_t floating_outputs = 0;  // bit 63 stands for all beyond
  uint64_t random_words = 0;      // 32-bit words of the random state that a call uses up
  std::vector<tn_attr> given;     // attributes of the call; lists point into `storage`
  std::vector<std::string> storage;
  Attrs attrs;  // complete
  std::vector<TraceInput> inputs;
  std::vector<bool> scalar_inputs;
  std::vector<Shape> outputs;
  std::vector<GradProgram> gradients;

  ~Site() {
    program_release(program);
    for (GradProgram& g : gradients) program_release(g.program);
  }
};
inline void site_release(Site* s) noexcept {
  if (s && --s->refs == 0) delete s;
}

// Throws UNIMPLEMENTED where the device has no way to run the op.
Site* make_site(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs, uint32_t n,
                const tn_attr* attrs, uint32_t n_attrs);
// The device of the tensors among the inputs, which must be one; the context's if there is none.
tn_device* device_of(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs, uint32_t n);
// Words of the random state that an op reaches: the largest draw of its decomposition, all of which begin at the same offset.
uint64_t words_drawn(const OpRegistry& ops, const OpEntry& op,
                     const std::vector<TraceInput>& inputs, const Attrs& attrs,
                     const std::vector<Shape>& outputs);
uint64_t words_drawn(const OpRegistry& ops, const Graph& graph, const GraphNode& node);

// The gradient program for these wants and cotangents, made on first use.
const GradProgram& make_gradient(tn_ctx* ctx, Site& site, uint64_t wants, uint64_t cotangents);
inline const GradProgram& site_gradient(tn_ctx* ctx, Site& site, uint64_t wants,
                                        uint64_t cotangents) {
  for (const GradProgram& g : site.gradients)
    if (g.wants == wants && g.cotangents == cotangents) return g;
  return make_gradient(ctx, site, wants, cotangents);
}

// Adds the node of a call to the tape (autograd). outputs: the results, which get it.
void record(tn_ctx* ctx, Site& site, tn_tensor* const* inputs, tn_tensor** outputs,
            uint32_t n_outputs);

// The call itself; throws. outputs: capacity slots; gives how many are filled.
uint32_t call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs, uint32_t n_inputs,
              const tn_attr* attrs, uint32_t n_attrs, tn_tensor** outputs, uint32_t capacity,
              const std::vector<bool>* donate = nullptr);
inline Owned call_one(tn_ctx* ctx, tn_op op, std::initializer_list<tn_tensor*> inputs,
                      std::initializer_list<tn_attr> attrs = {}) {
  tn_tensor* out = nullptr;
  call(ctx, op, inputs.begin(), static_cast<uint32_t>(inputs.size()), attrs.begin(),
       static_cast<uint32_t>(attrs.size()), &out, 1);
  return Owned(ctx, out);
}
// a, which is owned, becomes a + b; in its own memory where nobody else has it and nothing is recorded.
void add_to(tn_ctx* ctx, tn_tensor*& a, tn_tensor* b);
// Plays the live nodes of a graph through `call`, so that they are recorded. Gives owned results; null where there is none.
std::vector<tn_tensor*> replay(tn_ctx* ctx, const Graph& graph, tn_tensor* const* inputs);

// Switches recording off for a scope.
class NoGrad {
 public:
  explicit NoGrad(tn_ctx* ctx) : ctx_(ctx), before_(ctx->grad_mode) { ctx->grad_mode = false; }
  ~NoGrad() { ctx_->grad_mode = before_; }

 private:
  tn_ctx* ctx_;
  bool before_;
};

// Another device for what no tensor places.
class OnDevice {
 public:
  OnDevice(tn_ctx* ctx, tn_device* device)
      : ctx_(ctx), before_(std::exchange(ctx->device, device)) {}
  ~OnDevice() { ctx_->device = before_; }

 private:
  tn_ctx* ctx_;
  tn_device* before_;
};

}  // namespace tenon
