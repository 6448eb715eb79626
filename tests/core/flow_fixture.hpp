// What the tests of control flow share: captures, calls of flows, and short forms of ops.
#pragma once
#include <functional>

#include "fixture.hpp"

namespace tenon::test::flow {

struct ProgramReleaser {
  void operator()(tn_program* p) const { tn_program_release(p); }
};
using Program = std::unique_ptr<tn_program, ProgramReleaser>;
using Tensors = std::vector<Tensor>;
using Raw = std::vector<tn_tensor*>;

inline Raw raw(const Tensors& list) {
  Raw out;
  for (const Tensor& t : list) out.push_back(t.get());
  return out;
}

struct Input {
  std::vector<int64_t> dims;
  std::vector<const char*> symbols = {};
  tn_dtype dtype = TN_DTYPE_F32;
};

// What `body` does, as a program.
inline Program capture(tn_ctx* cx, const char* name, const std::vector<Input>& inputs,
                       const std::function<Tensors(const Raw&)>& body) {
  REQUIRE_OK(tn_capture_begin(cx, tn_string(name)));
  Tensors given;
  for (const Input& in : inputs) {
    std::vector<tn_str> names;
    for (const char* s : in.symbols) names.push_back(tn_string(s));
    given.push_back(get([&](tn_tensor** o) {
      return tn_capture_input(cx, tn_string(std::to_string(given.size()).c_str()), in.dtype,
                              static_cast<uint32_t>(in.dims.size()), in.dims.data(),
                              names.empty() ? nullptr : names.data(), o);
    }));
  }
  const Tensors outputs = body(raw(given));
  tn_program* p = nullptr;
  REQUIRE_OK(tn_capture_end(cx, raw(outputs).data(), static_cast<uint32_t>(outputs.size()), &p));
  return Program(p);
}

using Call = std::function<tn_error*(tn_tensor** outputs, uint32_t capacity, uint32_t* n)>;
inline Tensors results(const Call& call) {
  Raw out(16);
  uint32_t n = 0;
  REQUIRE_OK(call(out.data(), 16, &n));
  Tensors made;
  for (uint32_t i = 0; i < n; ++i) made.emplace_back(out[i]);
  return made;
}
inline Tensors run(tn_ctx* cx, const Program& p, const Raw& in) {
  return results([&](tn_tensor** o, uint32_t c, uint32_t* n) {
    return tn_program_run(cx, p.get(), in.data(), static_cast<uint32_t>(in.size()), o, c, n);
  });
}
inline Tensors branch(tn_ctx* cx, tn_tensor* condition, const Program& a, const Program& b,
                      const Raw& in) {
  return results([&](tn_tensor** o, uint32_t c, uint32_t* n) {
    return tn_program_if(cx, condition, a.get(), b.get(), in.data(),
                         static_cast<uint32_t>(in.size()), o, c, n);
  });
}
inline Tensors loop(tn_ctx* cx, const Program& condition, const Program& body, int64_t most,
                    const Raw& in) {
  return results([&](tn_tensor** o, uint32_t c, uint32_t* n) {
    return tn_program_while(cx, condition.get(), body.get(), most, in.data(),
                            static_cast<uint32_t>(in.size()), o, c, n);
  });
}
inline Tensors scan(tn_ctx* cx, const Program& body, uint32_t carries, uint32_t sequences,
                    const Raw& in, bool reverse = false, int64_t length = -1) {
  tn_scan_options options = tn_scan_options_init();
  options.carry_count = carries;
  options.sequence_count = sequences;
  options.reverse = reverse;
  options.length = length;
  return results([&](tn_tensor** o, uint32_t c, uint32_t* n) {
    return tn_program_scan(cx, body.get(), &options, in.data(), static_cast<uint32_t>(in.size()), o,
                           c, n);
  });
}

inline Tensor add(tn_ctx* cx, tn_tensor* a, tn_tensor* b) {
  return get([&](tn_tensor** o) { return tn_add(cx, a, b, o); });
}
inline Tensor sub(tn_ctx* cx, tn_tensor* a, tn_tensor* b) {
  return get([&](tn_tensor** o) { return tn_sub(cx, a, b, o); });
}
inline Tensor mul(tn_ctx* cx, tn_tensor* a, tn_tensor* b) {
  return get([&](tn_tensor** o) { return tn_mul(cx, a, b, o); });
}
inline Tensor scaled(tn_ctx* cx, tn_tensor* a, double k) {
  const Tensor factor = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, k, o); });
  return mul(cx, a, factor.get());
}
inline Tensor tanh(tn_ctx* cx, tn_tensor* a) {
  return get([&](tn_tensor** o) { return tn_tanh(cx, a, o); });
}
inline Tensor matmul(tn_ctx* cx, tn_tensor* a, tn_tensor* b) {
  return get([&](tn_tensor** o) { return tn_matmul(cx, a, b, nullptr, o); });
}
inline Tensor sum(tn_ctx* cx, tn_tensor* a) {
  return get([&](tn_tensor** o) { return tn_sum(cx, a, nullptr, o); });
}
inline Tensor less(tn_ctx* cx, tn_tensor* a, double b) {
  const Tensor limit = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, b, o); });
  return get([&](tn_tensor** o) { return tn_lt(cx, a, limit.get(), o); });
}
inline Tensor leaf(tn_ctx* cx, tn_tensor* t) {
  return get([&](tn_tensor** o) { return tn_tensor_leaf(cx, t, o); });
}
inline Tensors gradients(tn_ctx* cx, const Tensor& loss, const Raw& by, uint32_t flags = 0) {
  Raw out(by.size());
  tn_tensor* from[] = {loss.get()};
  REQUIRE_OK(
      tn_vjp(cx, from, nullptr, 1, by.data(), static_cast<uint32_t>(by.size()), flags, out.data()));
  Tensors made;
  for (tn_tensor* t : out) made.emplace_back(t);
  return made;
}
inline Variable variable(tn_ctx* cx, const char* name, const Tensor& value) {
  tn_variable* v = nullptr;
  REQUIRE_OK(tn_variable_create(cx, tn_string(name), value.get(), 0, &v));
  return Variable(v);
}
inline Tensor value_of(tn_ctx* cx, const Variable& v) {
  return get([&](tn_tensor** o) { return tn_variable_take(cx, v.get(), o); });
}
inline std::vector<std::vector<float>> read(Session& cx, const Tensors& list) {
  std::vector<std::vector<float>> out;
  for (const Tensor& t : list) out.push_back(cx.read(t));
  return out;
}
inline void check_close(const std::vector<std::vector<float>>& got,
                        const std::vector<std::vector<float>>& want, double tolerance = 1e-5) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    tenon::test::check_close(got[i], want[i], tolerance);
  }
}
inline Tensors list(Tensor a) {
  Tensors out;
  out.push_back(std::move(a));
  return out;
}
inline Tensors list(Tensor a, Tensor b) {
  Tensors out = list(std::move(a));
  out.push_back(std::move(b));
  return out;
}

}  // namespace tenon::test::flow
