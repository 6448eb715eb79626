// Convolutions by oneDNN. The library is opened on first use and kept. It brings OpenMP along; each primitive is made for and run
// by one thread, so that OpenMP starts none of its own.
#include "conv/onednn.hpp"

#include <tenon/op_ids.h>

#if !defined(TENON_HAVE_DNNL)

namespace tenon::cpu {

struct OneDnn {};
OneDnn* onednn_create(const Device&) { return new (std::nothrow) OneDnn; }
void onednn_destroy(OneDnn* library) { delete library; }
tn_error* plan_onednn_conv2d(const Device&, const tn_signature&, tn_plan* plan,
                             const ConvFinish* then) {
  if (then) then->release(then->data);
  return decline(plan, "built without oneDNN");
}
tn_error* plan_onednn_input_grad(const Device&, const tn_signature&, tn_plan* plan) {
  return decline(plan, "built without oneDNN");
}
tn_error* plan_onednn_weight_grad(const Device&, const tn_signature&, tn_plan* plan) {
  return decline(plan, "built without oneDNN");
}

}  // namespace tenon::cpu

#else

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

#include <atomic>
#include <mutex>

namespace tenon::cpu {

// ---- the library

#define TENON_DNNL_FUNCTIONS(F)                          \
  F(dnnl_version)                                        \
  F(dnnl_engine_create)                                  \
  F(dnnl_engine_destroy)                                 \
  F(dnnl_stream_create)                                  \
  F(dnnl_stream_destroy)                                 \
  F(dnnl_memory_create)                                  \
  F(dnnl_memory_destroy)                                 \
  F(dnnl_memory_desc_init_by_strides)                    \
  F(dnnl_memory_desc_init_by_tag)                        \
  F(dnnl_memory_desc_get_size)                           \
  F(dnnl_memory_desc_equal)                              \
  F(dnnl_primitive_attr_create)                          \
  F(dnnl_primitive_attr_destroy)                         \
  F(dnnl_primitive_attr_set_scratchpad_mode)             \
  F(dnnl_dilated_convolution_forward_desc_init)          \
  F(dnnl_dilated_convolution_backward_data_desc_init)    \
  F(dnnl_dilated_convolution_backward_weights_desc_init) \
  F(dnnl_primitive_desc_create)                          \
  F(dnnl_primitive_desc_destroy)                         \
  F(dnnl_primitive_desc_query_md)                        \
  F(dnnl_reorder_primitive_desc_create)                  \
  F(dnnl_primitive_create)                               \
  F(dnnl_primitive_destroy)                              \
  F(dnnl_primitive_execute)

struct OneDnn {
  const Device* device = nullptr;
  std::once_flag once;
  bool usable = false;
  dnnl_engine_t engine = nullptr;
  dnnl_primitive_attr_t attr = nullptr;  // scratch memory is ours
  int (*omp_get_max_threads)() = nullptr;
  void (*omp_set_num_threads)(int) = nullptr;
#define TENON_DNNL_MEMBER(name) \
  decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
  TENON_DNNL_FUNCTIONS(TENON_DNNL_MEMBER)
#undef TENON_DNNL_MEMBER

  void load();
  bool ready() {
    std::call_once(once, [this] {
      load();
      if (!usable)
        device->host.log(
            TN_LOG_WARNING,
            sdk::text("cpu: TENON_CPU_CONV=onednn, but there is no libdnnl.so.2 of version "
                      "2.4 or later with GNU OpenMP, or TENON_MAX_ISA is set: convolutions "
                      "are the backend's own"));
    });
    return usable;
  }
};

namespace {

template <class F>
bool find(void* library, const char* name, F* out) {
  *out = reinterpret_cast<F>(dlsym(library, name));
  return *out != nullptr;
}

constexpr int kOldestMinor = 4;  // of version 2: what the descriptors used here look like

}  // namespace

void OneDnn::load() {
  // Its choice of instructions cannot be limited without changing it for the whole process.
  if (!device->host.environment("MAX_ISA").empty()) return;
  void* library = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  void* omp = dlopen("libgomp.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (!omp) return;  // another threading run-time, which could not be told to stay out of the way
  bool all = find(omp, "omp_get_max_threads", &omp_get_max_threads) &&
             find(omp, "omp_set_num_threads", &omp_set_num_threads);
#define TENON_DNNL_FIND(name) all = all && find(library, #name, &(name));
  TENON_DNNL_FUNCTIONS(TENON_DNNL_FIND)
#undef TENON_DNNL_FIND
  if (!all || dnnl_version()->major != 2 || dnnl_version()->minor < kOldestMinor) return;
  if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) return;
  if (dnnl_primitive_attr_create(&attr) != dnnl_success) return;
  usable = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success;
}

OneDnn* onednn_create(const Device& device) {
  auto* library = new (std::nothrow) OneDnn;
  if (library) library->device = &device;
  return library;
}

void onednn_destroy(OneDnn* library) {
  if (!library) return;
  if (library->attr) library->dnnl_primitive_attr_destroy(library->attr);
  if (library->engine) library->dnnl_engine_destroy(library->engine);
  delete library;
}

namespace {

// While it lives, OpenMP regions entered by this thread have one thread; nothing else changes.
class OneThread {
 public:
  explicit OneThread(const OneDnn& library)
      : library_(library), before_(library.omp_get_max_threads()) {
    if (before_ != 1) library_.omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) library_.omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  const OneDnn& library_;
  int before_;
};

// ---- problem and parts

enum class Pass : uint8_t { forward, input_grad, weight_grad };

struct Problem {
  Pass pass = Pass::forward;
  bool biased = false;
  int64_t groups = 1, batch = 0, ic = 0, oc = 0;  // channels of all groups
  int64_t in[2], out[2], kernel[2], stride[2], padding[2], dilation[2];
  int64_t image[3];  // strides of the first operand's images, channels and rows (weight_grad: of x)
  int result = 3;    // position of y in a forward pass
  bool finished = false;  // y is put in its place by another

  double flops() const {
    const int64_t products = ic / groups * kernel[0] * kernel[1];  // of one output element
    return 2.0 * double(batch * oc) * double(out[0] * out[1]) * double(products);
  }
  bool depthwise() const { return groups > 1 && groups == ic && groups == oc; }
};

// What one thread computes: a range of images and channels. With groups, channels of both sides are cut alike.
struct Range {
  int64_t n0, n1, i0, i1, o0, o1;
};

// Where it is asked for: blocks of 16 channels suit it; few channels do not.
bool gains(const Device& device, const Problem& p) {
  if (p.flops() < 4e6 || !device.onednn) return false;
  if (p.depthwise()) return p.groups >= 16;
  if (p.groups != 1 || p.oc < 16) return false;
  if (p.kernel[0] * p.kernel[1] == 1 && p.stride[0] * p.stride[1] > 1) return false;
  switch (p.pass) {
    case Pass::forward:
      return true;
    case Pass::input_grad:
      return p.ic >= 4;
    case Pass::weight_grad:
      return p.ic >= 16 || p.ic == 3;
  }
  return false;
}

enum class Along : uint8_t { batch, inputs, outputs };

// The cut that repeats the least: each part prepares its own copy of what is not cut.
constexpr int64_t kLanes = 16;  // channels that are computed together

Along best_cut(const Problem& p) {
  const int64_t x = p.batch * p.ic * p.in[0] * p.in[1], y = p.batch * p.oc * p.out[0] * p.out[1];
  const int64_t w = p.oc * p.ic / p.groups * p.kernel[0] * p.kernel[1];
  if (p.depthwise())
    return p.pass == Pass::weight_grad || p.batch == 1 ? Along::outputs : Along::batch;
  switch (p.pass) {
    case Pass::forward:
      return p.batch > 1 && (w < x || p.oc < 32) ? Along::batch : Along::outputs;
    case Pass::input_grad:
      return p.batch > 1 && (w < y || p.ic < 32) ? Along::batch : Along::inputs;
    case Pass::weight_grad: {
      const bool outputs = x < y || p.ic < 32;
      const bool better = (outputs ? p.oc : p.ic) % kLanes == 0;
      const bool other = (outputs ? p.ic : p.oc) % kLanes == 0;
      return outputs == (better || !other) ? Along::outputs : Along::inputs;
    }
  }
  return Along::batch;
}

constexpr int kMaxParts = 64;

int cut(const Problem& p, int64_t threads, Range* out) {
  const Range all = {0, p.batch, 0, p.ic, 0, p.oc};
  const Along along = best_cut(p);
  const int64_t size = along == Along::batch ? p.batch : along == Along::inputs ? p.ic : p.oc;
  const int64_t unit = along == Along::batch ? 1 : kLanes;
  const int64_t units = (size + unit - 1) / unit;
  int64_t parts = threads < units ? threads : units;
  // A part with a remainder is computed another way than the whole with its own: bits would depend on the threads.
  if (p.pass == Pass::weight_grad && !p.depthwise() && size % kLanes) parts = 1;
  if (parts > kMaxParts) parts = kMaxParts;
  for (int64_t i = 0; i < parts; ++i) {
    const int64_t begin = i * units / parts * unit;
    const int64_t end = i + 1 == parts ? size : (i + 1) * units / parts * unit;
    out[i] = all;
    if (along == Along::batch) out[i].n0 = begin, out[i].n1 = end;
    if (along == Along::inputs || p.depthwise()) out[i].i0 = begin, out[i].i1 = end;
    if (along == Along::outputs || (along != Along::batch && p.depthwise()))
      out[i].o0 = begin, out[i].o1 = end;
    if (along == Along::batch) out[i].i0 = 0, out[i].i1 = p.ic;
  }
  return int(parts);
}

// ---- primitives

struct Primitive {
  dnnl_primitive_t handle = nullptr;
  dnnl_memory_desc_t scratch{};
  size_t scratch_bytes = 0;
};

// A tensor of a part: as it lies in memory, and as the convolution wants it.
struct Operand {
  int arg = 0;
  int position = 0;  // among the kernel's arguments
  bool result = false;
  int64_t offset = 0;  // of the part's first element
  dnnl_memory_desc_t outer{}, inner{};
  Primitive reorder;    // none: both are the same
  bool apart = false;   // the inner form lies in the part's workspace
  bool packed = false;  // or in what pack_weights() made
  size_t place = 0;     // there
};

struct Part {
  Operand operands[4];
  int count = 0;
  Primitive convolution;
  size_t scratch_place = 0, scratch_bytes = 0, bytes = 0;
  ChannelBlocks finished{};  // where another puts y in its place; `at` is known when it runs

  const Operand* packed() const {
    for (const Operand& o : operands)
      if (o.packed) return &o;
    return nullptr;
  }
  Operand* packed() { return const_cast<Operand*>(std::as_const(*this).packed()); }
};

struct ConvPlan {
  OneDnn* library = nullptr;
  int parts = 0;
  Part part[kMaxParts];
  size_t place[kMaxParts];
  int workspace_position = 0;
  ConvFinish then{};

  ~ConvPlan() {
    if (then.data) then.release(then.data);
    for (int i = 0; i < parts; ++i) {
      release(part[i].convolution);
      for (Operand& o : part[i].operands) release(o.reorder);
    }
  }
  void release(const Primitive& p) const {
    if (p.handle) library->dnnl_primitive_destroy(p.handle);
  }
};

constexpr size_t round_up(size_t bytes) { return (bytes + 63) / 64 * 64; }

bool make_primitive(const OneDnn& l, dnnl_primitive_desc_t desc, Primitive* out) {
  out->scratch = *l.dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
  out->scratch_bytes = l.dnnl_memory_desc_get_size(&out->scratch);
  return l.dnnl_primitive_create(&out->handle, desc) == dnnl_success;
}

bool make_reorder(const OneDnn& l, Operand* o) {
  if (l.dnnl_memory_desc_equal(&o->outer, &o->inner)) return true;
  const dnnl_memory_desc_t& from = o->result ? o->inner : o->outer;
  const dnnl_memory_desc_t& to = o->result ? o->outer : o->inner;
  dnnl_primitive_desc_t desc = nullptr;
  if (l.dnnl_reorder_primitive_desc_create(&desc, &from, l.engine, &to, l.engine, l.attr) !=
      dnnl_success) {
    return false;
  }
  const bool made = make_primitive(l, desc, &o->reorder);
  l.dnnl_primitive_desc_destroy(desc);
  return made;
}

// x and y as [images, channels, rows, columns], w as [(groups,) outputs, inputs, rows, columns], cut to the range.
bool describe(const OneDnn& l, const Problem& p, const Range& r, Operand* x, Operand* w, Operand* y,
              Operand* bias) {
  const int64_t plane_in = p.in[0] * p.in[1], plane_out = p.out[0] * p.out[1];
  const int64_t taps = p.kernel[0] * p.kernel[1];
  const bool x_given = p.pass != Pass::input_grad, y_given = p.pass == Pass::input_grad;
  dnnl_dims_t dims = {r.n1 - r.n0, r.i1 - r.i0, p.in[0], p.in[1]};
  dnnl_dims_t strides = {p.ic * plane_in, plane_in, p.in[1], 1};
  if (x_given) strides[0] = p.image[0], strides[1] = p.image[1], strides[2] = p.image[2];
  x->offset = r.n0 * strides[0] + r.i0 * strides[1];
  bool good =
      l.dnnl_memory_desc_init_by_strides(&x->outer, 4, dims, dnnl_f32, strides) == dnnl_success &&
      l.dnnl_memory_desc_init_by_tag(&x->inner, 4, dims, dnnl_f32, dnnl_format_tag_any) ==
          dnnl_success;

  dnnl_dims_t y_dims = {r.n1 - r.n0, r.o1 - r.o0, p.out[0], p.out[1]};
  dnnl_dims_t y_strides = {p.oc * plane_out, plane_out, p.out[1], 1};
  if (y_given) y_strides[0] = p.image[0], y_strides[1] = p.image[1], y_strides[2] = p.image[2];
  y->offset = r.n0 * y_strides[0] + r.o0 * y_strides[1];
  good = good &&
         l.dnnl_memory_desc_init_by_strides(&y->outer, 4, y_dims, dnnl_f32, y_strides) ==
             dnnl_success &&
         l.dnnl_memory_desc_init_by_tag(&y->inner, 4, y_dims, dnnl_f32, dnnl_format_tag_any) ==
             dnnl_success;

  if (p.groups > 1) {  // depthwise
    dnnl_dims_t w_dims = {r.o1 - r.o0, 1, 1, p.kernel[0], p.kernel[1]};
    dnnl_dims_t w_strides = {taps, taps, taps, p.kernel[1], 1};
    w->offset = r.o0 * taps;
    good = good &&
           l.dnnl_memory_desc_init_by_strides(&w->outer, 5, w_dims, dnnl_f32, w_strides) ==
               dnnl_success &&
           l.dnnl_memory_desc_init_by_tag(&w->inner, 5, w_dims, dnnl_f32, dnnl_format_tag_any) ==
               dnnl_success;
  } else {
    dnnl_dims_t w_dims = {r.o1 - r.o0, r.i1 - r.i0, p.kernel[0], p.kernel[1]};
    dnnl_dims_t w_strides = {p.ic * taps, taps, p.kernel[1], 1};
    w->offset = r.o0 * p.ic * taps + r.i0 * taps;
    good = good &&
           l.dnnl_memory_desc_init_by_strides(&w->outer, 4, w_dims, dnnl_f32, w_strides) ==
               dnnl_success &&
           l.dnnl_memory_desc_init_by_tag(&w->inner, 4, w_dims, dnnl_f32, dnnl_format_tag_any) ==
               dnnl_success;
  }
  dnnl_dims_t b_dims = {r.o1 - r.o0}, b_strides = {1};
  bias->offset = r.o0;
  good = good && l.dnnl_memory_desc_init_by_strides(&bias->outer, 1, b_dims, dnnl_f32, b_strides) ==
                     dnnl_success;
  bias->inner = bias->outer;
  return good;
}

// The descriptors' own form is asked for: "any" in all but the bias.
dnnl_primitive_desc_t convolution(const OneDnn& l, const Problem& p, const dnnl_memory_desc_t& x,
                                  const dnnl_memory_desc_t& w, const dnnl_memory_desc_t& y,
                                  const dnnl_memory_desc_t* bias) {
  dnnl_dims_t stride = {p.stride[0], p.stride[1]}, padding = {p.padding[0], p.padding[1]};
  dnnl_dims_t dilation = {p.dilation[0] - 1, p.dilation[1] - 1};
  const dnnl_alg_kind_t direct = dnnl_convolution_direct;
  dnnl_convolution_desc_t forward, backward;
  dnnl_primitive_desc_t desc = nullptr, hint = nullptr;
  const dnnl_prop_kind_t kind =
      p.pass == Pass::forward ? dnnl_forward_inference : dnnl_forward_training;
  if (l.dnnl_dilated_convolution_forward_desc_init(&forward, kind, direct, &x, &w, bias, &y, stride,
                                                   dilation, padding, padding) != dnnl_success) {
    return nullptr;
  }
  if (l.dnnl_primitive_desc_create(&hint, &forward, l.attr, l.engine, nullptr) != dnnl_success)
    return nullptr;
  if (p.pass == Pass::forward) return hint;
  const dnnl_status_t status =
      p.pass == Pass::input_grad
          ? l.dnnl_dilated_convolution_backward_data_desc_init(&backward, direct, &x, &w, &y,
                                                               stride, dilation, padding, padding)
          : l.dnnl_dilated_convolution_backward_weights_desc_init(
                &backward, direct, &x, &w, nullptr, &y, stride, dilation, padding, padding);
  if (status != dnnl_success ||
      l.dnnl_primitive_desc_create(&desc, &backward, l.attr, l.engine, hint) != dnnl_success) {
    desc = nullptr;
  }
  l.dnnl_primitive_desc_destroy(hint);
  return desc;
}

// y of a range as blocks of channels; false: it is none.
bool blocks_of(const Problem& p, const Range& r, const dnnl_memory_desc_t& y, ChannelBlocks* out) {
  const dnnl_blocking_desc_t& b = y.format_desc.blocking;
  const bool last = b.inner_nblks == 0 && b.strides[1] == 1;  // channels are the last axis
  if (y.format_kind != dnnl_blocked || (!last && (b.inner_nblks != 1 || b.inner_idxs[0] != 1)))
    return false;
  out->lanes = last ? 16 : b.inner_blks[0];
  out->step = b.strides[3];
  out->block_step = last ? out->lanes : b.strides[1];
  out->image_step = b.strides[0];
  out->image0 = r.n0, out->image1 = r.n1, out->channel0 = r.o0, out->channel1 = r.o1;
  out->channels = p.oc;
  out->positions = p.out[0] * p.out[1];
  return out->lanes <= 16 && b.strides[2] == out->step * p.out[1] && y.offset0 == 0;
}

bool plan_part(const OneDnn& l, const Problem& p, const Range& r, bool packs, Part* part) {
  Operand x, w, y, bias;
  if (!describe(l, p, r, &x, &w, &y, &bias)) return false;
  dnnl_primitive_desc_t desc =
      convolution(l, p, x.inner, w.inner, y.inner, p.biased ? &bias.inner : nullptr);
  if (!desc) return false;
  const auto query = [&](dnnl_query_t what) {
    return *l.dnnl_primitive_desc_query_md(desc, what, 0);
  };
  switch (p.pass) {
    case Pass::forward:
      x.inner = query(dnnl_query_src_md);
      w.inner = query(dnnl_query_weights_md);
      y.inner = query(dnnl_query_dst_md);
      x.arg = DNNL_ARG_SRC, w.arg = DNNL_ARG_WEIGHTS, y.arg = DNNL_ARG_DST,
      bias.arg = DNNL_ARG_BIAS;
      x.position = 0, w.position = 1, bias.position = 2, y.position = p.result;
      y.result = true;
      break;
    case Pass::input_grad:
      x.inner = query(dnnl_query_diff_src_md);
      w.inner = query(dnnl_query_weights_md);
      y.inner = query(dnnl_query_diff_dst_md);
      x.arg = DNNL_ARG_DIFF_SRC, w.arg = DNNL_ARG_WEIGHTS, y.arg = DNNL_ARG_DIFF_DST;
      y.position = 0, w.position = 1, x.position = 2;
      x.result = true;
      break;
    case Pass::weight_grad:
      x.inner = query(dnnl_query_src_md);
      w.inner = query(dnnl_query_diff_weights_md);
      y.inner = query(dnnl_query_diff_dst_md);
      x.arg = DNNL_ARG_SRC, w.arg = DNNL_ARG_DIFF_WEIGHTS, y.arg = DNNL_ARG_DIFF_DST;
      y.position = 0, x.position = 1, w.position = 2;
      w.result = true;
      break;
  }
  const bool made = make_primitive(l, desc, &part->convolution);
  l.dnnl_primitive_desc_destroy(desc);
  part->scratch_bytes = part->convolution.scratch_bytes;
  for (Operand* o : {&x, &w, &y, &bias}) {
    if (o == &bias && !p.biased) continue;
    Operand& kept = part->operands[part->count++];
    kept = *o;
    if (p.finished && o == &y) {
      if (!made || !blocks_of(p, r, y.inner, &part->finished)) return false;
      kept.apart = true;
    } else if (!made || !make_reorder(l, &kept)) {
      return false;
    }
    kept.apart |= kept.reorder.handle != nullptr;
    if (!kept.apart) continue;
    kept.packed = packs && o == &w && !kept.reorder.scratch_bytes;
    if (kept.packed) continue;
    kept.place = part->bytes;
    part->bytes += round_up(l.dnnl_memory_desc_get_size(&kept.inner));
    if (kept.reorder.scratch_bytes > part->scratch_bytes)
      part->scratch_bytes = kept.reorder.scratch_bytes;
  }
  part->scratch_place = part->bytes;
  part->bytes += round_up(part->scratch_bytes);
  return true;
}

// ---- running

// Memory objects of one run of a part.
class Memories {
 public:
  explicit Memories(const OneDnn& library) : library_(library) {}
  ~Memories() {
    for (int i = 0; i < count_; ++i) library_.dnnl_memory_destroy(made_[i]);
  }
  Memories(const Memories&) = delete;
  Memories& operator=(const Memories&) = delete;

  // Null when there is no memory.
  dnnl_memory_t make(const dnnl_memory_desc_t& desc, void* at) {
    dnnl_memory_t memory = nullptr;
    if (library_.dnnl_memory_create(&memory, &desc, library_.engine, at) != dnnl_success)
      return nullptr;
    made_[count_++] = memory;
    return memory;
  }

 private:
  const OneDnn& library_;
  dnnl_memory_t made_[16];
  int count_ = 0;
};

bool run_part(const ConvPlan& p, const Part& part, const tn_view* const* args, char* workspace) {
  const OneDnn& l = *p.library;
  const OneThread one(l);
  dnnl_stream_t stream = nullptr;
  if (l.dnnl_stream_create(&stream, l.engine, dnnl_stream_default_flags) != dnnl_success)
    return false;
  Memories memories(l);
  char* scratch = workspace + part.scratch_place;
  dnnl_memory_t outer[4] = {}, inner[4] = {};
  dnnl_exec_arg_t convolution[5];
  bool good = true;
  const auto reorder = [&](int i, dnnl_memory_t from, dnnl_memory_t to) {
    const Primitive& turn = part.operands[i].reorder;
    dnnl_exec_arg_t list[3] = {{DNNL_ARG_FROM, from},
                               {DNNL_ARG_TO, to},
                               {DNNL_ARG_SCRATCHPAD, memories.make(turn.scratch, scratch)}};
    good = good && from && to && list[2].memory &&
           l.dnnl_primitive_execute(turn.handle, stream, 3, list) == dnnl_success;
  };
  for (int i = 0; i < part.count; ++i) {
    const Operand& o = part.operands[i];
    if (o.packed) {
      inner[i] = memories.make(o.inner, output<char>(args[o.position]) + o.place);
      convolution[i] = {o.arg, inner[i]};
      good = good && inner[i];
      continue;
    }
    float* at = output<float>(args[o.position]) + o.offset;
    outer[i] = memories.make(o.outer, at);
    inner[i] = o.apart ? memories.make(o.inner, workspace + o.place) : outer[i];
    convolution[i] = {o.arg, inner[i]};
    good = good && inner[i];
    if (o.reorder.handle && !o.result) reorder(i, outer[i], inner[i]);
  }
  convolution[part.count] = {DNNL_ARG_SCRATCHPAD, memories.make(part.convolution.scratch, scratch)};
  good = good && convolution[part.count].memory &&
         l.dnnl_primitive_execute(part.convolution.handle, stream, part.count + 1, convolution) ==
             dnnl_success;
  for (int i = 0; i < part.count && good; ++i) {
    const Operand& o = part.operands[i];
    if (o.result && o.reorder.handle) reorder(i, inner[i], outer[i]);
    if (!o.result || !p.then.data) continue;
    ChannelBlocks y = part.finished;
    y.at = reinterpret_cast<const float*>(workspace + o.place);
    p.then.run(p.then.data, args, y);
  }
  l.dnnl_stream_destroy(stream);
  return good;
}

tn_error* TN_CALL run_conv(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const ConvPlan*>(data);
  char* workspace = output<char>(args[p.workspace_position]);
  std::atomic<bool> failed{false};
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (!run_part(p, p.part[i], args, workspace + p.place[i])) failed = true;
    }
  };
  parallel(*p.library->device, p.parts, 1, kParallelNs, body);
  if (failed) return fail(*p.library->device, TN_INTERNAL, "oneDNN failed to run a convolution");
  return nullptr;
}

// The weights of all parts, as the convolutions want them.
tn_error* TN_CALL pack_weights(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const ConvPlan*>(data);
  const OneDnn& l = *p.library;
  const OneThread one(l);
  dnnl_stream_t stream = nullptr;
  bool good = l.dnnl_stream_create(&stream, l.engine, dnnl_stream_default_flags) == dnnl_success;
  for (int i = 0; good && i < p.parts; ++i) {
    const Operand* w = p.part[i].packed();
    Memories memories(l);
    dnnl_exec_arg_t list[2] = {
        {DNNL_ARG_FROM, memories.make(w->outer, output<float>(args[0]) + w->offset)},
        {DNNL_ARG_TO, memories.make(w->inner, output<char>(args[1]) + w->place)}};
    good = list[0].memory && list[1].memory &&
           l.dnnl_primitive_execute(w->reorder.handle, stream, 2, list) == dnnl_success;
  }
  if (stream) l.dnnl_stream_destroy(stream);
  if (!good) return fail(*l.device, TN_INTERNAL, "oneDNN failed to turn weights");
  return nullptr;
}

// ---- planning

// Where the packed weights of each part lie; parts that want the same share them. False: not all are to be turned.
bool place_packed(const OneDnn& l, ConvPlan* made, tn_plan* plan) {
  uint64_t form = 14695981039346656037u;
  const auto mix = [&](const void* bytes, size_t n) {
    for (size_t i = 0; i < n; ++i)
      form = (form ^ static_cast<const unsigned char*>(bytes)[i]) * 1099511628211u;
  };
  for (int i = 0; i < made->parts; ++i) {
    Operand* w = made->part[i].packed();
    if (!w) return false;
    const Operand* like = nullptr;
    for (int k = 0; k < i && !like; ++k) {
      const Operand* other = made->part[k].packed();
      if (other->offset == w->offset && l.dnnl_memory_desc_equal(&other->inner, &w->inner))
        like = other;
    }
    w->place = like ? like->place : plan->packed_bytes;
    if (like) continue;
    plan->packed_bytes += round_up(l.dnnl_memory_desc_get_size(&w->inner));
    mix(&w->inner, sizeof w->inner);
    mix(&w->offset, sizeof w->offset);
  }
  plan->pack = pack_weights;
  plan->packed_form = form;
  plan->packed_input = 1;
  return true;
}

void forget(tn_plan* plan) {
  plan->release(plan->data);
  *plan = tn_plan{};
  plan->struct_size = sizeof *plan;
}

tn_error* plan_conv(const Device& device, const Problem& p, int n_inputs, bool packs, tn_plan* plan,
                    ConvFinish* then) {
  auto* library = static_cast<OneDnn*>(device.nn_state);
  if (!gains(device, p)) return decline(plan, "gains nothing by oneDNN, or it is not asked for");
  if (!library->ready()) return decline(plan, "oneDNN is not installed, or TENON_MAX_ISA is set");
  auto* made = make_plan<ConvPlan>(plan, run_conv);
  if (!made) return out_of_memory(device);
  made->library = library;
  made->workspace_position = then ? then->result + 1 : n_inputs + 1;
  if (then) std::swap(made->then, *then);
  Range ranges[kMaxParts];
  made->parts = cut(p, parts_worth(device, p.flops() / 5e6 + 1), ranges);
  const OneThread one(*library);
  size_t bytes = 64;
  for (int i = 0; i < made->parts; ++i) {
    if (!plan_part(*library, p, ranges[i], packs, &made->part[i])) {
      forget(plan);
      return decline(plan, "oneDNN has no convolution of this shape");
    }
    made->place[i] = bytes;
    bytes += made->part[i].bytes;
  }
  if (packs && !place_packed(*library, made, plan)) {
    forget(plan);
    return plan_conv(device, p, n_inputs, false, plan, nullptr);
  }
  plan->workspace_bytes = bytes;
  return nullptr;
}

// The attributes stride, padding, dilation and groups from `first` on.
void read_attrs(const tn_signature& sig, uint32_t first, Problem* p) {
  for (int a = 0; a < 2; ++a) {
    p->stride[a] = attr_i64s(sig, first)[a];
    p->padding[a] = attr_i64s(sig, first + 1)[a];
    p->dilation[a] = attr_i64s(sig, first + 2)[a];
  }
  p->groups = attr_i64(sig, first + 3);
}

// x, y and w by dims; `image` is the operand that may be strided.
tn_error* plan_views(const Device& device, const tn_signature& sig, Problem* p, const tn_view& x,
                     const tn_view& y, const tn_view& w, const tn_view& image, tn_plan* plan,
                     ConvFinish* then = nullptr) {
  for (uint32_t i = 0; i < sig.n_inputs + sig.n_outputs; ++i) {
    const tn_view* v = i < sig.n_inputs ? sig.inputs[i] : sig.outputs[i - sig.n_inputs];
    if (absent(v)) continue;
    if (v->dtype != TN_DTYPE_F32) return decline(plan, "f32 only");
    if (v->count == 0) return decline(plan, "empty");
    if (v != &image && !contiguous(v)) return decline(plan, "operands must be contiguous");
  }
  if (image.strides[3] != 1 && image.dims[3] > 1)
    return decline(plan, "rows of images must be dense");
  if (image.strides[0] < 0 || image.strides[1] < 0 || image.strides[2] < 0) {
    return decline(plan, "negative strides");
  }
  p->batch = x.dims[0];
  p->ic = x.dims[1];
  p->oc = y.dims[1];
  for (int a = 0; a < 2; ++a) {
    p->in[a] = x.dims[2 + a];
    p->out[a] = y.dims[2 + a];
    p->kernel[a] = w.dims[2 + a];
    if (p->out[a] <= 1) p->stride[a] = 1;
    if (p->kernel[a] <= 1) p->dilation[a] = 1;
  }
  for (int a = 0; a < 3; ++a) p->image[a] = image.strides[a];
  const bool packs = p->pass == Pass::forward && !then && w.flags & TN_VIEW_LASTING;
  return plan_conv(device, *p, int(sig.n_inputs), packs, plan, then);
}

}  // namespace

tn_error* plan_onednn_conv2d(const Device& device, const tn_signature& sig, tn_plan* plan,
                             const ConvFinish* then) {
  ConvFinish left = then ? *then : ConvFinish{};
  Problem p;
  p.finished = then != nullptr;
  if (then) p.result = then->result;
  p.pass = Pass::forward;
  p.biased = !absent(sig.inputs[2]);
  read_attrs(sig, TN_CONV2D_STRIDE, &p);
  const tn_view& x = *sig.inputs[0];
  tn_error* error = plan_views(device, sig, &p, x, *sig.outputs[0], *sig.inputs[1], x, plan,
                               then ? &left : nullptr);
  if (left.data) left.release(left.data);  // the plan did not come to be
  return error;
}

tn_error* plan_onednn_input_grad(const Device& device, const tn_signature& sig, tn_plan* plan) {
  Problem p;
  p.pass = Pass::input_grad;
  read_attrs(sig, TN_CONV2D_INPUT_GRAD_STRIDE, &p);
  const tn_view& g = *sig.inputs[0];
  return plan_views(device, sig, &p, *sig.outputs[0], g, *sig.inputs[1], g, plan);
}

tn_error* plan_onednn_weight_grad(const Device& device, const tn_signature& sig, tn_plan* plan) {
  Problem p;
  p.pass = Pass::weight_grad;
  read_attrs(sig, TN_CONV2D_WEIGHT_GRAD_STRIDE, &p);
  const tn_view& x = *sig.inputs[1];
  return plan_views(device, sig, &p, x, *sig.inputs[0], *sig.outputs[0], x, plan);
}

}  // namespace tenon::cpu

#endif
