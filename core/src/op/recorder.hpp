// What a capture does with what its context is asked for. The one way from the layers below up to it.
#pragma once
#include "context.hpp"

struct tn_optimizer;

namespace tenon {

class SymTable;

class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual SymTable& symbols() = 0;
  // Is a call over these to be recorded?
  virtual bool wants(const OpEntry& op, tn_tensor* const* inputs, uint32_t n) const = 0;
  // As tenon::call.
  virtual uint32_t call(const OpEntry& op, tn_tensor* const* inputs, uint32_t n,
                        const tn_attr* attrs, uint32_t n_attrs, tn_tensor** outputs,
                        uint32_t capacity) = 0;
  // The same value, from which no gradient flows, also where the program is played.
  virtual Owned detach(tn_tensor* t) = 0;
  // The leaf for what the variable holds by now; lent.
  virtual tn_tensor* variable(tn_variable& v) = 0;
  virtual void assign(tn_variable& v, tn_tensor* value) = 0;
  // State of an optimizer: slot `slot` of its group `group`, lent; and the number of the step under way, an f32 scalar.
  virtual tn_tensor* slot(tn_optimizer& o, size_t group, size_t slot) = 0;
  virtual void assign_slot(tn_optimizer& o, size_t group, size_t slot, tn_tensor* value) = 0;
  virtual Owned next_step(tn_optimizer& o) = 0;
};

// Ops run at once while it lives, also in a capture.
class Unrecorded {
 public:
  explicit Unrecorded(tn_ctx* ctx) : ctx_(ctx), before_(std::exchange(ctx->recorder, nullptr)) {}
  ~Unrecorded() { ctx_->recorder = before_; }
  Unrecorded(const Unrecorded&) = delete;

 private:
  tn_ctx* ctx_;
  Recorder* before_;
};

// FAILED_PRECONDITION, naming the value, if t is one of a capture.
void need_elements(const tn_tensor* t, const char* function);
// The same, unless the context captures: its capture then says what it takes.
void need_elements(const tn_ctx* ctx, const tn_tensor* t, const char* function);
std::string abstract_text(const tn_tensor* t);  // "value %7 of capture "step""
std::string named_shape(const tn_tensor* t);    // "f32[batch, 784]" of one in a capture

}  // namespace tenon
