#include "matmul/widened.hpp"

#include "kernels/narrow.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr uint32_t kMaxViews = 16;

struct Widened {
  const Device* device = nullptr;
  tn_plan inner{};
  uint32_t n_inputs = 0, n_views = 0;
  int64_t spans[kMaxViews] = {};  // elements to convert; -1: the view is passed on as it is
  uint64_t converted_bytes = 0;

  ~Widened() {
    if (inner.release) inner.release(inner.data);
  }
};

// Elements from the first to the last of a view whose memory has no gaps; -1 for others.
int64_t dense_span(const tn_view& v) {
  if (v.count == 0) return 0;
  int64_t span = 1;
  bool used[TN_MAX_RANK] = {};
  for (int found = 0; found < v.rank; ++found) {
    int next = -1;
    for (int i = 0; i < v.rank; ++i) {
      const bool trivial = v.dims[i] == 1 || v.strides[i] == 0;
      if (!used[i] && (trivial || v.strides[i] == span)) next = i;
    }
    if (next < 0) return -1;
    used[next] = true;
    if (v.strides[next] != 0) span *= v.dims[next];
  }
  return span;
}

constexpr uint64_t buffer_bytes(int64_t span) {
  return (uint64_t(span) * sizeof(float) + 63) / 64 * 64;
}

template <class To, class From>
void convert_parallel(const Device& device, void* to, const void* from, int64_t n) {
  parallel(device, n, 4096, 0.15, [&](int64_t begin, int64_t end) {
    convert_run<To, From>(static_cast<To*>(to) + begin, static_cast<const From*>(from) + begin,
                          end - begin);
  });
}

tn_error* TN_CALL run_widened(void* data, void* queue, const tn_view* const* args) {
  const auto& p = *static_cast<const Widened*>(data);
  tn_view views[kMaxViews + 1];
  const tn_view* inner_args[kMaxViews + 1];
  char* buffer = p.converted_bytes ? output<char>(args[p.n_views]) : nullptr;
  for (uint32_t i = 0; i < p.n_views; ++i) {
    inner_args[i] = args[i];
    if (p.spans[i] < 0) continue;
    views[i] = *args[i];
    views[i].mem = reinterpret_cast<uint64_t>(buffer);
    views[i].offset = 0;
    views[i].dtype = TN_DTYPE_F32;
    views[i].flags &= uint8_t(~TN_VIEW_IMMEDIATE);
    inner_args[i] = &views[i];
    buffer += buffer_bytes(p.spans[i]);
    if (i >= p.n_inputs) continue;
    void* to = reinterpret_cast<void*>(views[i].mem);
    if (args[i]->dtype == TN_DTYPE_F16)
      convert_parallel<float, f16>(*p.device, to, input<f16>(args[i]), p.spans[i]);
    else
      convert_parallel<float, bf16>(*p.device, to, input<bf16>(args[i]), p.spans[i]);
  }
  if (p.inner.workspace_bytes) {
    views[p.n_views] = *args[p.n_views];
    views[p.n_views].offset += p.converted_bytes;
    inner_args[p.n_views] = &views[p.n_views];
  }
  TN_TRY(p.inner.run(p.inner.data, queue, inner_args));
  for (uint32_t i = p.n_inputs; i < p.n_views; ++i) {
    if (p.spans[i] < 0) continue;
    const void* from = reinterpret_cast<const void*>(views[i].mem);
    if (args[i]->dtype == TN_DTYPE_F16)
      convert_parallel<f16, float>(*p.device, output<f16>(args[i]), from, p.spans[i]);
    else
      convert_parallel<bf16, float>(*p.device, output<bf16>(args[i]), from, p.spans[i]);
  }
  return nullptr;
}

}  // namespace

tn_error* prepare_widened(const Device& device, const tn_signature& sig, tn_plan* plan,
                          tn_error* (*prepare)(const Device&, const tn_signature&, tn_plan*)) {
  const uint32_t n = sig.n_inputs + sig.n_outputs;
  if (n > kMaxViews) return decline(plan, "too many operands to convert");
  auto* p = make_plan<Widened>(plan, run_widened);
  if (!p) return out_of_memory(device);
  p->device = &device;
  p->n_inputs = sig.n_inputs;
  p->n_views = n;
  tn_view views[kMaxViews];
  const tn_view* pointers[kMaxViews];
  const char* refused = nullptr;
  for (uint32_t i = 0; i < n; ++i) {
    const tn_view* v = i < sig.n_inputs ? sig.inputs[i] : sig.outputs[i - sig.n_inputs];
    pointers[i] = v;
    p->spans[i] = -1;
    if (absent(v) || !is_narrow(v->dtype)) continue;
    p->spans[i] = dense_span(*v);
    if (p->spans[i] < 0)
      refused = "f16 and bf16 operands must have no gaps in memory";
    else
      p->converted_bytes += buffer_bytes(p->spans[i]);
    views[i] = *v;
    views[i].dtype = TN_DTYPE_F32;
    views[i].flags &= uint8_t(~TN_VIEW_LASTING);  // converted in each run
    pointers[i] = &views[i];
  }
  tn_error* error = nullptr;
  p->inner.struct_size = sizeof p->inner;
  if (!refused) {
    tn_signature wide = sig;
    wide.inputs = pointers;
    wide.outputs = pointers + sig.n_inputs;
    error = prepare(device, wide, &p->inner);
  }
  if (refused || error || p->inner.declined.size) {
    const tn_str why = refused ? tn_string(refused) : p->inner.declined;
    plan->release(p);
    plan->run = nullptr;
    plan->data = nullptr;
    plan->release = nullptr;
    if (!error) plan->declined = why;
    return error;
  }
  plan->workspace_bytes = p->converted_bytes + p->inner.workspace_bytes;
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
