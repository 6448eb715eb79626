// Faults of kernels. The base computes in host memory at once, so a fault may look at and change all that goes in and comes out.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <tenon/sdk/view.hpp>

#include "faulty.hpp"

namespace tenon::faulty {
namespace {

using sdk::data;

// A plan of the base, and one run of it. Views are copies: a fault may change them.
struct Plan {
  tn_plan base;
  tn_op op;
  uint32_t n_inputs, n_outputs;
  std::string mode;  // of scatter
  std::vector<int64_t> scratch;
  tn_view whole{};  // of the second input that this plugin packs; its dims and strides:
  std::vector<int64_t> dims, strides;
};
struct Run {
  Plan& plan;
  std::vector<tn_view> views;
  std::vector<std::vector<int64_t>> strides;
  tn_view& in(uint32_t i) { return views[i]; }
  tn_view& out(uint32_t i = 0) { return views[plan.n_inputs + i]; }
};
using Step = void (*)(Run&);

template <class T>
void add_to_last(const tn_view& v, T value) {
  if (v.count > 0 && sdk::is_contiguous(v)) data<T>(v)[v.count - 1] += value;
}
bool is_f32(const tn_view& v) { return v.dtype == TN_DTYPE_F32; }

// ---- before the base computes

void dense_inputs(Run& r) {  // strides are ignored
  for (uint32_t i = 0; i < r.plan.n_inputs; ++i) {
    const auto dense = sdk::dense_strides(sdk::dims(r.in(i)));
    bool forward = true;
    for (const int64_t s : sdk::strides(r.in(i))) forward = forward && s > 0;
    r.strides.emplace_back(dense.begin(), dense.end());
    if (forward) r.in(i).strides = r.strides.back().data();
  }
}
void read_from_start(Run& r) { r.in(0).offset = 0; }
void touch_null_when_empty(Run& r) {
  if (r.in(0).count == 0) *reinterpret_cast<volatile char*>(r.in(0).mem & 0) = 1;
}
void throw_something(Run&) { throw std::runtime_error("thrown in run"); }
void hang_when_empty(Run& r) {
  while (r.in(0).count == 0) std::this_thread::sleep_for(std::chrono::seconds(1));
}
void scratch_of_plan(Run& r) {  // claims to be re-entrant, but passes its values through the plan
  if (!is_f32(r.in(0)) || r.in(0).count == 0) return;
  auto& scratch = r.plan.scratch;
  scratch.assign(1, 0);
  std::memcpy(scratch.data(), sdk::address(r.in(0)), 4);
  std::this_thread::sleep_for(std::chrono::microseconds(200));
  std::memcpy(sdk::address(r.in(0)), scratch.data(), 4);
}

void clear_output(Run& r) {  // before anything is read
  std::memset(sdk::address(r.out()), 0,
              tn_dtype_bytes(r.out().dtype, static_cast<uint64_t>(r.out().count)));
}

// ---- after it

void off_in_f64(Run& r) {
  if (r.out().dtype == TN_DTYPE_F64) add_to_last(r.out(), 1e-7);
}
void off_at_end(Run& r) {
  if (is_f32(r.out()) && r.out().count > 1000) add_to_last(r.out(), 1.0f);
}
void nan_is_zero(Run& r) {
  if (!is_f32(r.out()) || !sdk::is_contiguous(r.out())) return;
  for (int64_t i = 0; i < r.out().count; ++i)
    if (std::isnan(data<float>(r.out())[i])) data<float>(r.out())[i] = 0;
}
void one_too_many(Run& r) {
  if (is_f32(r.out()) && r.out().count > 0 && sdk::is_contiguous(r.out()))
    data<float>(r.out())[r.out().count] = 1;
}
void one_before(Run& r) {
  if (is_f32(r.out()) && r.out().count > 0) data<float>(r.out())[-1] = 1;
}
void overwrite_input(Run& r) {
  if (is_f32(r.in(0)) && r.in(0).count > 0) *data<float>(r.in(0)) = 0.5f;
}
void off_without_axes(Run& r) {
  if (is_f32(r.out()) && r.out().rank == 0) *data<float>(r.out()) += 1;
}
void sometimes_off(Run& r) {
  static std::atomic<int> runs{0};
  if (++runs % 5 == 0 && is_f32(r.out()) && r.out().count > 0 && sdk::is_contiguous(r.out()))
    *data<float>(r.out()) = std::nextafter(*data<float>(r.out()), 1e30f);
}
void cut_to_bf16(Run& r) {  // rounds towards zero
  const tn_view &x = r.in(0), &y = r.out();
  if (!is_f32(x) || y.dtype != TN_DTYPE_BF16 || !sdk::is_contiguous(x) || !sdk::is_contiguous(y))
    return;
  for (int64_t i = 0; i < y.count; ++i) {
    uint32_t bits = 0;
    std::memcpy(&bits, data<float>(x) + i, 4);
    data<uint16_t>(y)[i] = static_cast<uint16_t>(bits >> 16);
  }
}
void swap_equal_keys(Run& r) {
  const tn_view &keys = r.out(0), &values = r.out(1);
  if (!is_f32(keys) || keys.rank != 1 || !sdk::is_contiguous(keys)) return;
  const auto bytes = static_cast<size_t>(sdk::element_bytes(values));
  for (int64_t i = 0; i + 1 < keys.count; ++i) {
    if (data<float>(keys)[i] != data<float>(keys)[i + 1]) continue;
    char* at = data<char>(values) + static_cast<size_t>(i) * bytes;
    std::swap_ranges(at, at + bytes, at + bytes);
    ++i;
  }
}
void off_in_many_axes(Run& r) {
  if (is_f32(r.out()) && r.in(0).rank > 5) add_to_last(r.out(), 1.0f);
}
void corner_is_zero(Run& r) {
  if (is_f32(r.out()) && r.out().count > 0 && sdk::is_contiguous(r.out()))
    data<float>(r.out())[r.out().count - 1] = 0;
}
void wraps_at_seven_bits(Run& r) {
  if (r.out().dtype != TN_DTYPE_I8 || !sdk::is_contiguous(r.out())) return;
  for (int64_t i = 0; i < r.out().count; ++i)
    if (data<int8_t>(r.out())[i] == INT8_MIN) data<int8_t>(r.out())[i] = INT8_MAX;
}

void wrong_after_carry(Run& r) {  // the high half of the counter stays as it was
  const auto low = static_cast<uint64_t>(sdk::scalar<int64_t>(r.in(2))) & 0xffffffff;
  for (int64_t i = 0; i < r.out().count && sdk::is_contiguous(r.out()); ++i)
    if (low + static_cast<uint64_t>(i) / 4 > 0xffffffff) data<uint32_t>(r.out())[i] ^= 1;
}

struct Fault {
  const char* name;
  tn_op op;
  Step before, after;
};
constexpr Fault kFaults[] = {
    {"wrong_in_f64", TN_OP_ADD, nullptr, off_in_f64},
    {"wrong_at_end", TN_OP_MUL, nullptr, off_at_end},
    {"nan_lost", TN_OP_MAXIMUM, nullptr, nan_is_zero},
    {"stride_ignored", TN_OP_EXP, dense_inputs, nullptr},
    {"offset_ignored", TN_OP_FLOOR, read_from_start, nullptr},
    {"write_past_end", TN_OP_TANH, nullptr, one_too_many},
    {"false_inplace", TN_OP_TANH, clear_output, nullptr},
    {"write_before_start", TN_OP_SIN, nullptr, one_before},
    {"input_overwritten", TN_OP_SQRT, nullptr, overwrite_input},
    {"empty_crashes", TN_OP_SUM, touch_null_when_empty, nullptr},
    {"empty_hangs", TN_OP_PROD, hang_when_empty, nullptr},
    {"rank_0_wrong", TN_OP_ABS, nullptr, off_without_axes},
    {"not_deterministic", TN_OP_MATMUL, nullptr, sometimes_off},
    {"cast_cuts", TN_OP_CAST, nullptr, cut_to_bf16},
    {"sort_not_stable", TN_OP_SORT, nullptr, swap_equal_keys},
    {"gradient_corner_lost", TN_OP_WINDOW_SCATTER, nullptr, corner_is_zero},
    {"many_axes_wrong", TN_OP_WINDOW_REDUCE, nullptr, off_in_many_axes},
    {"integers_saturate", TN_OP_NEG, nullptr, wraps_at_seven_bits},
    {"run_throws", TN_OP_ERF, throw_something, nullptr},
    {"carry_lost", TN_OP_PHILOX, nullptr, wrong_after_carry},
    {"not_reentrant", TN_OP_EXP, scratch_of_plan, nullptr},
};
const Fault* fault_of(tn_op op) {
  for (const Fault& f : kFaults)
    if (f.op == op && is(f.name)) return &f;
  return nullptr;
}

// ---- the kernels: those of the base, each behind a plan of ours

constexpr struct {
  tn_op id;
  const char* name;
} kNames[] = {
#define TN_OP(id, name, since, flags, parameters, attributes, outputs) {id, #name},
#include "ops.def"
#undef TN_OP
};

std::vector<tn_kernel>& kernels() {
  static auto* list = new std::vector<tn_kernel>;
  return *list;
}
std::vector<tn_kernel>& base_kernels() {
  static auto* list = new std::vector<tn_kernel>;
  return *list;
}

const tn_kernel* base_kernel(tn_op op) {
  for (const auto& row : kNames) {
    if (row.id != op) continue;
    const std::string_view name = row.name;
    for (const tn_kernel& k : base_kernels())
      if (name == std::string_view(k.op.data, k.op.size)) return &k;
  }
  return nullptr;
}

tn_error* TN_CALL run(void* plan, void* queue, const tn_view* const* args) {
  Plan& p = *static_cast<Plan*>(plan);
  const Fault* fault = fault_of(p.op);
  Run r{p, {}, {}};
  const uint32_t n = p.n_inputs + p.n_outputs;
  for (uint32_t i = 0; i < n; ++i) r.views.push_back(*args[i]);
  if (p.whole.count) {
    tn_view whole = p.whole;
    whole.mem = args[1]->mem, whole.offset = args[1]->offset;
    r.views[1] = whole;
  }
  std::vector<const tn_view*> views;
  for (const tn_view& v : r.views) views.push_back(&v);
  if (p.base.workspace_bytes) views.push_back(args[n]);
  if (fault && fault->before) fault->before(r);
  tn_error* e = p.base.run(p.base.data, queue, views.data());
  if (!e && fault && fault->after) fault->after(r);
  if (!e && p.op == TN_OP_LOG && is("run_fails"))
    return host()->error(host(), TN_INTERNAL, tn_string("fails always"));
  return e;
}
tn_error* TN_CALL pack(void* plan, void* queue, const tn_view* const* args) {
  const Plan& p = *static_cast<Plan*>(plan);
  return p.base.pack(p.base.data, queue, args);
}
// A dense input as it is, but for its last byte.
tn_error* TN_CALL pack_less(void* plan, void*, const tn_view* const* args) {
  const uint64_t bytes = static_cast<uint64_t>(args[1]->count);
  std::memcpy(data<char>(*args[1]), data<char>(*args[0]), bytes);
  data<char>(*args[1])[bytes - 1] = 0;
  static_cast<void>(plan);
  return nullptr;
}
void show_packed(const tn_view& v, Plan& plan, tn_plan* out) {
  plan.dims.assign(v.dims, v.dims + v.rank), plan.strides.assign(v.strides, v.strides + v.rank);
  plan.whole = v;
  plan.whole.dims = plan.dims.data(), plan.whole.strides = plan.strides.data();
  out->pack = pack_less;
  out->packed_bytes = tn_dtype_bytes(v.dtype, static_cast<uint64_t>(v.count));
  out->packed_input = 1;
}
void TN_CALL release(void* plan) {
  std::unique_ptr<Plan> p(static_cast<Plan*>(plan));
  if (p->base.release) p->base.release(p->base.data);
  if (p->op == TN_OP_COS && is("plan_leaks")) static_cast<void>(p.release());
}

// Attributes that the kernel overlooks.
std::vector<tn_attr> seen_attrs(const tn_signature& s, const std::string& mode,
                                std::vector<int64_t>& strides) {
  std::vector<tn_attr> attrs(s.attrs, s.attrs + s.n_attrs);
  if (s.op == TN_OP_CUMSUM && is("axis_ignored")) attrs[TN_CUMSUM_AXIS].bits = 0;
  if (s.op == TN_OP_SCATTER && is("duplicates_lost") && mode == "add") {
    attrs[TN_SCATTER_MODE].data = "set";
    attrs[TN_SCATTER_MODE].bits = 3;
  }
  if (s.op == TN_OP_CONV && is("stride_cut")) {
    tn_attr& stride = attrs[TN_CONV_STRIDE];
    const auto* first = static_cast<const int64_t*>(stride.data);
    for (uint64_t k = 0; k < stride.bits; ++k) strides.push_back(std::min<int64_t>(first[k], 3));
    stride.data = strides.data();
  }
  return attrs;
}

tn_error* TN_CALL prepare(void* device, const tn_signature* s, tn_plan* out) {
  auto plan = std::make_unique<Plan>();
  plan->base.struct_size = sizeof(tn_plan);
  plan->op = s->op, plan->n_inputs = s->n_inputs, plan->n_outputs = s->n_outputs;
  if (s->op == TN_OP_SCATTER)
    plan->mode.assign(static_cast<const char*>(s->attrs[TN_SCATTER_MODE].data),
                      s->attrs[TN_SCATTER_MODE].bits);
  std::vector<int64_t> strides;
  const std::vector<tn_attr> attrs = seen_attrs(*s, plan->mode, strides);
  tn_signature seen = *s;
  seen.attrs = attrs.data();
  if (s->op == TN_OP_EXPM1 && is("prepare_throws")) throw std::runtime_error("thrown in prepare");
  if (tn_error* e = base_kernel(s->op)->prepare(device, &seen, &plan->base)) return e;
  out->declined = plan->base.declined;
  if (out->declined.size) return nullptr;
  *out = plan->base;
  if (plan->base.pack) out->pack = pack;
  if (s->op == TN_OP_MATMUL && is("packed_cut") && s->inputs[1]->flags & TN_VIEW_LASTING &&
      sdk::is_contiguous(*s->inputs[1]) && s->inputs[1]->count > 0)
    show_packed(*s->inputs[1], *plan, out);
  out->run = run;
  out->release = release;
  out->data = plan.release();
  return nullptr;
}

tn_error* TN_CALL list(void* device, const tn_kernel** out, uint32_t* count) {
  const auto* under = static_cast<const tn_kernels_vtbl*>(base_table(TN_IFACE_KERNELS));
  const tn_kernel* list = nullptr;
  uint32_t n = 0;
  if (tn_error* e = under->list(device, &list, &n)) return e;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (kernels().empty()) {  // the base's are the same for every device
    base_kernels().assign(list, list + n);
    for (tn_kernel k : base_kernels()) {
      const std::string_view op(k.op.data, k.op.size);
      if (op == "philox" && is("base_op_missing")) continue;
      k.prepare = prepare;
      if (op == "matmul" && is("packed_cut"))
        k.flags |= TN_KERNEL_PACKS, k.depends |= TN_DEPENDS_DIMS;
      if (op == "cumsum" && is("attributes_not_in_key")) k.depends &= ~TN_DEPENDS_ATTRS;
      if (op == "sub" && is("kernel_without_prepare")) k.prepare = nullptr;
      if (op == "ceil" && is("kernel_without_name")) k.name = {};
      if (op == "rem" && is("kernel_of_no_op")) k.op = tn_string("remm");
      kernels().push_back(k);
    }
    if (std::string_view(base()->id.data, base()->id.size) == "org.tenon.reference") {
      kernels().push_back(layer_norm());
      kernels().push_back(region());
    }
  }
  *out = kernels().data();
  *count = static_cast<uint32_t>(kernels().size());
  return nullptr;
}

}  // namespace

const tn_kernels_vtbl* kernels_table() {
  if (!base_table(TN_IFACE_KERNELS)) return nullptr;
  static tn_kernels_vtbl out;
  out = *static_cast<const tn_kernels_vtbl*>(base_table(TN_IFACE_KERNELS));
  out.list = list;
  if (is("kernel_stride_wrong")) out.kernel_stride = 8;
  return &out;
}

}  // namespace tenon::faulty
