// gru in f32 and f64: one product for the inputs of all steps; then the sequences of a direction are
// cut between the threads, as in lstm.cpp.
#include <tenon/op_ids.h>

#include "matmul/product.hpp"
#include "recurrent/steps.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

template <class T>
struct GruPlan {
  Sequences s;
  bool linear = false;  // linear_before_reset
  Product<T> product;   // of the inputs
  double flops = 0;
  // Elements of the workspace from which on there are: the inputs' gates, biases, packed matrices,
  // scratch of the product, of which there is `scratch`, and of the parts.
  int64_t bias = 0, outer = 0, inner = 0, of_product = 0, of_parts = 0, scratch = 0, all = 0;

  Panels<T> outer_panels() const { return {s.width, (linear ? 3 : 2) * s.width}; }
  Panels<T> inner_panels() const { return {s.width, linear ? 0 : s.width}; }

  void place() {
    const auto next = [](int64_t at, int64_t count) { return (at + count + 15) / 16 * 16; };
    bias = next(0, s.steps * s.batch * s.directions * 3 * s.width);
    outer = next(bias, s.directions * 4 * s.width);
    inner = next(outer, s.directions * outer_panels().size());
    of_product = next(inner, s.directions * inner_panels().size());
    of_parts = next(of_product, int64_t(product.workspace_bytes() / sizeof(T)));
    scratch = s.most_rows() * 6 * s.width;
    all = next(of_parts, s.part_count() * scratch + 16);
    flops = 6.0 * double(s.steps) * double(s.batch) * double(s.directions) * double(s.width) *
            double(s.width + 16);
  }
};

// wb + rb of [D, 2, 3, H] as far as they add up, [D, 3 H], then those within the reset, [D, H].
template <class T>
void add_biases(const GruPlan<T>& p, const T* from, T* to) {
  const int64_t width = p.s.width, gates = 3 * width;
  T* within = to + p.s.directions * gates;
  for (int64_t d = 0; d < p.s.directions; ++d)
    for (int64_t j = 0; j < gates; ++j) {
      const T own = from ? from[d * 2 * gates + j] : T(0);
      const T other = from ? from[(d * 2 + 1) * gates + j] : T(0);
      const bool apart = p.linear && j >= 2 * width;
      to[d * gates + j] = apart ? own : own + other;
      if (apart) within[d * width + j - 2 * width] = other;
    }
}

// h' of one row, linear_before_reset. a: the inputs' gates z r n, m: the products with h.
template <class T>
void linear_row(const T* a, const T* m, const T* bias, T* h, T* y, int64_t width) {
  using V = Vec<T>;
  for_each_vector<T>(width, [&](int64_t j, auto get, auto put) {
    const V z = vsigmoid(get(a + j) + get(m + j));
    const V r = vsigmoid(get(a + width + j) + get(m + width + j));
    const V n = vtanh(get(a + 2 * width + j) + r * (get(m + 2 * width + j) + get(bias + j)));
    const V next = n + z * (get(h + j) - n);
    put(h + j, next);
    put(y + j, next);
  });
}

// a: z r before their activations; z takes the place of the first. reset: r h.
template <class T>
void reset_row(T* a, const T* h, T* reset, int64_t width) {
  for_each_vector<T>(width, [&](int64_t j, auto get, auto put) {
    put(a + j, vsigmoid(get(a + j)));
    put(reset + j, vsigmoid(get(a + width + j)) * get(h + j));
  });
}
template <class T>
void last_row(const T* a, T* h, T* y, int64_t width) {
  using V = Vec<T>;
  for_each_vector<T>(width, [&](int64_t j, auto get, auto put) {
    const V n = vtanh(get(a + 2 * width + j)), next = n + get(a + j) * (get(h + j) - n);
    put(h + j, next);
    put(y + j, next);
  });
}

// The steps of one part. h: the states of its sequences; y_of(t): their rows of y.
template <class T, class YOf>
void run_part(const GruPlan<T>& p, const Sequences::Part& part, const tn_view* lengths, T* work,
              T* scratch, T* h, YOf&& y_of) {
  const Sequences& s = p.s;
  const int64_t width = s.width, gates = 3 * width, rows = part.rows();
  T *a = scratch, *m = scratch + rows * gates;  // m: products with h; or r h
  const T* outer = work + p.outer + part.d * p.outer_panels().size();
  const T* inner = work + p.inner + part.d * p.inner_panels().size();
  const T* within = work + p.bias + s.directions * gates + part.d * width;
  for (int64_t k = 0; k < s.steps; ++k) {
    const int64_t t = s.time(part, k);
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(a + r * gates,
                  work + ((t * s.batch + part.first + r) * s.directions + part.d) * gates,
                  size_t(gates) * sizeof(T));
    if (p.linear) {
      p.outer_panels().multiply(m, gates, h, width, rows, outer, false);
    } else {
      p.outer_panels().multiply(a, gates, h, width, rows, outer, true);
      for (int64_t r = 0; r < rows; ++r)
        reset_row(a + r * gates, h + r * width, m + r * width, width);
      p.inner_panels().multiply(a + 2 * width, gates, m, width, rows, inner, true);
    }
    T* y = y_of(t);
    for (int64_t r = 0; r < rows; ++r) {
      T *own = h + r * width, *to = y + r * width;
      if (t >= s.length(lengths, part.first + r))
        std::memset(to, 0, size_t(width) * sizeof(T));
      else if (p.linear)
        linear_row(a + r * gates, m + r * gates, within, own, to, width);
      else
        last_row(a + r * gates, own, to, width);
    }
  }
}

// args: x w r bias lengths h0, y h, workspace.
template <class T>
tn_error* TN_CALL run_gru(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const GruPlan<T>*>(data);
  const Sequences& s = p.s;
  if (tn_error* e = s.check_lengths("gru: lengths", args[4])) return e;
  const int64_t width = s.width, gates = 3 * width;
  T *y = output<T>(args[6]), *work = output<T>(args[8]);
  add_biases(p, absent(args[3]) ? nullptr : input<T>(args[3]), work + p.bias);
  p.product.run(input<T>(args[0]), input<T>(args[1]), work, work + p.bias, work + p.of_product);
  const T* r = input<T>(args[2]);
  pack_all(s, p.outer_panels(), work + p.outer, r, gates * width, 1, width);
  pack_all(s, p.inner_panels(), work + p.inner, r + 2 * width * width, gates * width, 1, width);
  s.for_parts(p.flops, [&](int64_t index, const Sequences::Part& part) {
    const int64_t state = (part.d * s.batch + part.first) * width;
    T* h = output<T>(args[7]) + state;
    start_state(h, args[5], state, part.rows() * width);
    run_part(p, part, args[4], work, work + p.of_parts + index * p.scratch, h,
             [&](int64_t t) { return y + t * s.directions * s.batch * width + state; });
  });
  return nullptr;
}

template <class T>
tn_error* make_gru(const Device& device, const tn_signature& sig, tn_plan* plan) {
  auto* p = make_plan<GruPlan<T>>(plan, run_gru<T>);
  if (!p) return out_of_memory(device);
  const tn_view &x = *sig.inputs[0], &r = *sig.inputs[2];
  Sequences& s = p->s;
  s.steps = x.dims[0];
  s.batch = x.dims[1];
  s.width = r.dims[2];
  s.plan(device, sig, sig.inputs[4]);
  p->linear = attr_bool(sig, TN_GRU_LINEAR_BEFORE_RESET);
  MatmulShape shape;
  shape.gemm.m = s.steps * s.batch;
  shape.gemm.n = shape.gemm.c_row = s.directions * 3 * s.width;
  shape.gemm.k = shape.gemm.a_row = shape.gemm.b_col = x.dims[2];
  shape.gemm.a_col = shape.gemm.b_row = 1;
  p->product.plan(shape, device);
  p->place();
  plan->workspace_bytes = uint64_t(p->all) * sizeof(T);
  return nullptr;
}

}  // namespace

CPU_PREPARE(gru) {
  if (const char* why = unfit(sig, 6, 2, 4)) return decline(plan, why);
  if (sig.inputs[0]->dtype == TN_DTYPE_F32) return make_gru<float>(device, sig, plan);
  if (sig.inputs[0]->dtype == TN_DTYPE_F64) return make_gru<double>(device, sig, plan);
  return decline(plan, "only f32 and f64");
}

}  // namespace tenon::cpu::CPU_ISA
