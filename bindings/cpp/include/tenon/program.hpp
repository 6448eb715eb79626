// Programs: a function recorded once, run as often as wanted.
//
//   tenon::Program step = tenon::capture(cx, "step", [&](tenon::Capture& in) {
//     tenon::Tensor x = in.input("x", {"batch", 784}), y = in.input("y", {"batch"}, TN_DTYPE_I64);
//     tenon::Tensor loss = tenon::cross_entropy(tenon::linear(x, w), y);
//     optimizer.step(variables, tenon::grad(loss, variables));
//     return std::vector{loss};
//   });
//   for (...) std::cout << step(cx, {images, labels})[0] << '\n';
#pragma once
#include "tenon/optimizer.hpp"
#include "tenon/program.h"

namespace tenon {

// A size of an input: a number, or the name of one that is known when the program runs.
class InputDim {
 public:
  // NOLINTBEGIN(google-explicit-constructor): written as {"batch", 784}
  template <std::integral T>
  InputDim(T size) : size_(static_cast<int64_t>(size)) {}
  InputDim(const char* name) : size_(TN_DIM_ANY), name_(name) {}
  // NOLINTEND(google-explicit-constructor)
  int64_t size() const { return size_; }
  const char* name() const { return name_; }

 private:
  int64_t size_;
  const char* name_ = "";
};

// Given to the function that is captured: makes the inputs, in the order in which a run gives them.
class Capture {
 public:
  explicit Capture(tn_ctx* ctx) : ctx_(ctx) {}
  Tensor input(std::string_view name, std::initializer_list<InputDim> dims,
               tn_dtype dtype = TN_DTYPE_F32) {
    std::vector<int64_t> sizes;
    std::vector<tn_str> names;
    for (const InputDim& d : dims) sizes.push_back(d.size()), names.push_back(tn_string(d.name()));
    tn_tensor* t = nullptr;
    check(tn_capture_input(ctx_, to_str(name), dtype, static_cast<uint32_t>(sizes.size()),
                           sizes.data(), names.data(), &t));
    return {ctx_, t};
  }
  // At most so many bytes between the steps of a run; see tn_capture_set_memory_budget.
  void memory_budget(uint64_t bytes) { check(tn_capture_set_memory_budget(ctx_, bytes)); }

 private:
  tn_ctx* ctx_;
};

// Copies are the same program; any thread, each with a context of its own.
class Program {
 public:
  explicit Program(tn_program* taken) : program_(taken) {}
  Program(const Program& other) : program_(tn_program_retain(other.program_)) {}
  Program(Program&& other) noexcept : program_(std::exchange(other.program_, nullptr)) {}
  Program& operator=(Program other) noexcept {
    std::swap(program_, other.program_);
    return *this;
  }
  ~Program() { tn_program_release(program_); }
  tn_program* get() const { return program_; }

  std::vector<Tensor> operator()(const Context& cx, std::span<const Tensor> inputs = {}) const {
    std::vector<tn_tensor*> results(info().output_count, nullptr);
    uint32_t n = 0;
    check(tn_program_run(cx.get(), program_, detail::handles(inputs).data(),
                         static_cast<uint32_t>(inputs.size()), results.data(),
                         static_cast<uint32_t>(results.size()), &n));
    return detail::owned(cx.get(), results);
  }
  std::vector<Tensor> operator()(const Context& cx, std::initializer_list<Tensor> inputs) const {
    return (*this)(cx, std::span(inputs.begin(), inputs.size()));
  }
  tn_program_info info() const {
    tn_program_info info = tn_program_info_init();
    check(tn_program_get_info(program_, &info));
    return info;
  }
  // One op a line.
  std::string text() const {
    uint64_t size = 0;
    check(tn_program_text(program_, nullptr, 0, &size));
    std::string out(size + 1, '\0');
    check(tn_program_text(program_, out.data(), out.size(), nullptr));
    out.resize(size);
    return out;
  }
  // JSON: what a run for inputs of these sizes costs.
  std::string cost(const Context& cx, std::span<const Tensor> inputs = {}) const {
    const std::vector<tn_tensor*> in = detail::handles(inputs);
    const auto n = static_cast<uint32_t>(in.size());
    uint64_t size = 0;
    check(tn_program_cost(cx.get(), program_, in.data(), n, nullptr, 0, &size));
    std::string out(size + 1, '\0');
    check(tn_program_cost(cx.get(), program_, in.data(), n, out.data(), out.size(), nullptr));
    out.resize(size);
    return out;
  }

 private:
  tn_program* program_;
};

// Control flow over programs, called or captured: see tn_program_if, tn_program_while, tn_program_scan.
inline std::vector<Tensor> branch(const Context& cx, const Tensor& condition, const Program& then,
                                  const Program& otherwise, std::span<const Tensor> inputs) {
  std::vector<tn_tensor*> results(then.info().output_count, nullptr);
  uint32_t n = 0;
  check(tn_program_if(cx.get(), condition.get(), then.get(), otherwise.get(),
                      detail::handles(inputs).data(), static_cast<uint32_t>(inputs.size()),
                      results.data(), static_cast<uint32_t>(results.size()), &n));
  return detail::owned(cx.get(), results);
}
// max_steps -1: without a bound.
inline std::vector<Tensor> loop(const Context& cx, const Program& condition, const Program& body,
                                std::span<const Tensor> inputs, int64_t max_steps = -1) {
  std::vector<tn_tensor*> results(body.info().output_count, nullptr);
  uint32_t n = 0;
  check(tn_program_while(cx.get(), condition.get(), body.get(), max_steps,
                         detail::handles(inputs).data(), static_cast<uint32_t>(inputs.size()),
                         results.data(), static_cast<uint32_t>(results.size()), &n));
  return detail::owned(cx.get(), results);
}
struct Scan {
  bool reverse = false;
  int64_t length = -1;  // where there is no sequence
};
inline std::vector<Tensor> scan(const Context& cx, const Program& body,
                                std::span<const Tensor> carries, std::span<const Tensor> sequences,
                                std::span<const Tensor> constants = {}, Scan how = {}) {
  std::vector<tn_tensor*> inputs = detail::handles(carries);
  for (const std::span<const Tensor> list : {sequences, constants})
    for (const Tensor& t : list) inputs.push_back(t.get());
  tn_scan_options options = tn_scan_options_init();
  options.carry_count = static_cast<uint32_t>(carries.size());
  options.sequence_count = static_cast<uint32_t>(sequences.size());
  options.reverse = how.reverse;
  options.length = how.length;
  std::vector<tn_tensor*> results(body.info().output_count, nullptr);
  uint32_t n = 0;
  check(tn_program_scan(cx.get(), body.get(), &options, inputs.data(),
                        static_cast<uint32_t>(inputs.size()), results.data(),
                        static_cast<uint32_t>(results.size()), &n));
  return detail::owned(cx.get(), results);
}

// Records what `function(Capture&)` calls; it gives the outputs as a std::vector<Tensor>. Where it throws the capture is over.
template <class Function>
Program capture(const Context& cx, std::string_view name, Function&& function) {
  check(tn_capture_begin(cx.get(), to_str(name)));
  tn_program* program = nullptr;
  try {
    Capture inputs(cx.get());
    const std::vector<Tensor> outputs = function(inputs);
    check(tn_capture_end(cx.get(), detail::handles(outputs).data(),
                         static_cast<uint32_t>(outputs.size()), &program));
  } catch (...) {
    tn_capture_abort(cx.get());
    throw;
  }
  return Program(program);
}

}  // namespace tenon
