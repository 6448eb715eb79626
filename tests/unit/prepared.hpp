// What tests of prepared programs share: capturing, running, and a look inside.
#pragma once
#include <algorithm>

#include "capture/program.hpp"
#include "fixture.hpp"
#include "op/runtime.hpp"
#include "tenon/op_ids.h"

namespace tenon::test {

struct ProgramReleaser {
  void operator()(tn_program* p) const { tn_program_release(p); }
};
using Program = std::unique_ptr<tn_program, ProgramReleaser>;
using Inputs = std::vector<const Tensor*>;
using Dims = std::vector<int64_t>;

inline Tensor call(tn_ctx* cx, tn_op op, const Inputs& in, const std::vector<tn_attr>& attrs = {}) {
  std::vector<tn_tensor*> raw;
  for (const Tensor* t : in) raw.push_back(t->get());
  uint32_t n = 0;
  return get([&](tn_tensor** o) {
    return tn_op_call(cx, op, raw.data(), static_cast<uint32_t>(raw.size()), attrs.data(),
                      static_cast<uint32_t>(attrs.size()), o, 1, &n);
  });
}
inline Tensor iota(tn_ctx* cx, const Dims& dims, int64_t axis, tn_dtype dtype) {
  return call(cx, TN_OP_IOTA, {},
              {tn_attr_i64s(TN_IOTA_DIMS, dims.data(), dims.size()),
               tn_attr_i64(TN_IOTA_AXIS, axis), tn_attr_dtype(TN_IOTA_DTYPE, dtype)});
}
inline Tensor number(tn_ctx* cx, double v) {
  return get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, v, o); });
}
inline Tensor full(tn_ctx* cx, double v, const Dims& dims) {
  return get([&](tn_tensor** o) {
    return tn_tensor_full(cx, TN_DTYPE_F32, v, static_cast<uint32_t>(dims.size()), dims.data(), o);
  });
}

// A program of one input x, captured from `body`.
template <class Body>
Program capture(tn_ctx* cx, const Dims& dims, Body body) {
  REQUIRE_OK(tn_capture_begin(cx, tn_string("folded")));
  const std::vector<tn_str> names(dims.size(), tn_string(""));
  const Tensor x = get([&](tn_tensor** o) {
    return tn_capture_input(cx, tn_string("x"), TN_DTYPE_F32, static_cast<uint32_t>(dims.size()),
                            dims.data(), names.data(), o);
  });
  const Tensor y = body(x);
  tn_tensor* out = y.get();
  tn_program* p = nullptr;
  REQUIRE_OK(tn_capture_end(cx, &out, 1, &p));
  return Program(p);
}

inline Outcome try_run(tn_ctx* cx, const Program& p, const Tensor& x, Tensor* y) {
  tn_tensor *in = x.get(), *out = nullptr;
  uint32_t n = 0;
  Outcome made(tn_program_run(cx, p.get(), &in, 1, &out, 1, &n));
  y->reset(out);
  return made;
}
inline Tensor run(tn_ctx* cx, const Program& p, const Tensor& x) {
  Tensor y;
  const Outcome made = try_run(cx, p, x, &y);
  INFO(made.message);
  REQUIRE(made.code == TN_OK);
  return y;
}

inline const Specialised& last_of(const Program& p) { return *p->prepared.front(); }
inline std::vector<std::string> names(const Program& p) {
  std::vector<std::string> out;
  for (const GraphNode& n : last_of(p).graph.nodes) out.emplace_back(n.op->name());
  return out;
}
inline bool has(const Program& p, const char* name) {
  const std::vector<std::string> all = names(p);
  return std::find(all.begin(), all.end(), name) != all.end();
}
inline size_t kept(const Program& p) { return last_of(p).constants.made.size(); }

inline std::vector<float> ramp(size_t n) {
  std::vector<float> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<float>(i % 13) * 0.37f - 2;
  return out;
}

}  // namespace tenon::test
