// A capture under way.
#pragma once
#include <map>

#include "op/recorder.hpp"
#include "program.hpp"
#include "recipe/site.hpp"

namespace tenon {

class Capture final : public Recorder {
 public:
  Capture(tn_ctx* ctx, std::string_view name);
  Capture(const Capture&) = delete;

  Owned input(std::string_view name, tn_dtype dtype, uint32_t rank, const int64_t* dims,
              const tn_str* symbols);
  // One of such a shape, whose sizes without a value have the names that `symbols` gives them.
  Owned input(std::string_view name, const Shape& shape, const SymTable& symbols);
  // The same value with sizes that are taken to be equal.
  Owned like(tn_tensor* t, const Shape& shape);
  // A node that runs programs; its outputs have these shapes.
  std::vector<Owned> control(const OpEntry& op, std::shared_ptr<const Control> control,
                             std::span<tn_tensor* const> inputs, const std::vector<Shape>& outputs);
  // Records the ops of a program as if they had been called here.
  void play(tn_program& p, tn_tensor* const* arguments, tn_tensor** outputs);
  // The same, for arguments that may be of other dtypes.
  void play_ops(const tn_program& p, tn_tensor* const* arguments, tn_tensor** outputs);
  void set_memory_budget(uint64_t bytes) { program_->memory_budget = bytes; }
  // What was recorded, with these as its outputs. The capture is of no use afterwards.
  std::unique_ptr<tn_program> finish(tn_tensor* const* outputs, uint32_t n);

  SymTable& symbols() override { return program_->symbols; }
  bool wants(const OpEntry& op, tn_tensor* const* inputs, uint32_t n) const override;
  uint32_t call(const OpEntry& op, tn_tensor* const* inputs, uint32_t n, const tn_attr* attrs,
                uint32_t n_attrs, tn_tensor** outputs, uint32_t capacity) override;
  Owned detach(tn_tensor* t) override;
  tn_tensor* variable(tn_variable& v) override;
  void assign(tn_variable& v, tn_tensor* value) override;
  tn_tensor* slot(tn_optimizer& o, size_t group, size_t slot) override;
  void assign_slot(tn_optimizer& o, size_t group, size_t slot, tn_tensor* value) override;
  Owned next_step(tn_optimizer& o) override;

 private:
  // Something that can be read and assigned: its value by now, and whether it was assigned.
  struct Cell {
    Place place;
    Owned value;
    size_t input;  // of the program, with the value from before it
    bool written = false;
  };
  using SlotKey = std::pair<tn_optimizer*, std::pair<size_t, size_t>>;

  int add_value(const Shape& shape);
  Owned add_input(Place place, const Shape& shape);  // and the tensor that stands for it
  Owned tensor_of(int value) {
    return tensor_of(value, program_->graph.values[static_cast<size_t>(value)].shape);
  }
  Owned tensor_of(int value, const Shape& shape);
  int value_of(tn_tensor* t, const char* what);
  Owned random_word(InputKind kind);
  void record_node(const OpEntry& op, const std::vector<tn_tensor*>& inputs, const GraphNode& node,
                   const tn_attr* attrs, uint32_t n_attrs, tn_tensor** outputs, uint32_t n);

  tn_ctx* ctx_;
  std::unique_ptr<tn_program> program_;
  struct Release {
    void operator()(Buffer* b) const noexcept { buffer_release(b); }
  };
  std::unique_ptr<Buffer, Release> buffer_;  // what its tensors share
  std::map<std::string, int64_t> symbol_of_;
  std::map<tn_tensor*, int> constants_;
  std::map<tn_variable*, Cell> variables_;
  std::map<SlotKey, Cell> slots_;
  std::map<tn_optimizer*, int64_t> steps_;
  Owned seed_, stream_;
  uint32_t draws_ = 0;
};

// While it lives, what the context is asked for goes into this capture, not where it went before.
class Captured {
 public:
  Captured(tn_ctx* ctx, tn_device* device, const std::string& name)
      : ctx_(ctx),
        device_(ctx, device),
        capture(ctx, name),
        outer_(std::exchange(ctx->recorder, &capture)),
        grad_mode_(std::exchange(ctx->grad_mode, true)) {}
  ~Captured() {
    ctx_->recorder = outer_;
    ctx_->grad_mode = grad_mode_;
  }
  Captured(const Captured&) = delete;

 protected:
  tn_ctx* ctx_;

 private:
  OnDevice device_;

 public:
  Capture capture;

 private:
  Recorder* outer_;
  bool grad_mode_;
};

}  // namespace tenon
