#include "kernels.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "device.hpp"
#include "queue.hpp"

namespace tenon::reference {
std::vector<tn_kernel> all_kernels();
}

namespace tenon::adversary {
namespace {

struct Traits {
  std::string_view op, name, letters;
  bool has(char letter) const { return letters.find(letter) != std::string_view::npos; }
};

constexpr Traits kTraits[] = {
#define KERNEL(op, letters) {#op, #op "_adversary", letters},
#include "kernels.def"
#undef KERNEL
};
constexpr size_t kCount = std::size(kTraits);
constexpr uint64_t kWorkspaceBytes = 4096;
constexpr int kWorkspaceByte = 0x5C;
constexpr uint32_t kPackedInput = 1;
constexpr std::string_view kMark = "adversary packed";  // begins what is packed
constexpr std::byte kScramble{0xA5};

const tn_kernel& inner_kernel(size_t index) {
  static const std::vector<tn_kernel> list = reference::all_kernels();
  return list[index];
}

// ---- views --------------------------------------------------------------------------------------

struct CopiedView {
  tn_view view;
  std::array<int64_t, TN_MAX_RANK> dims{}, strides{};

  explicit CopiedView(const tn_view& v) : view(v) {
    std::copy_n(v.dims, v.rank, dims.begin());
    std::copy_n(v.strides, v.rank, strides.begin());
  }
  // The view with pointers into this object. Valid as long as that stays where it is.
  tn_view bound() const {
    tn_view v = view;
    v.dims = dims.data();
    v.strides = strides.data();
    return v;
  }
};

bool has_memory(const tn_view& v) {
  return (v.flags & (TN_VIEW_IMMEDIATE | TN_VIEW_ABSENT)) == 0 && v.count > 0;
}

// First byte and the one after the last, from the block's start.
std::pair<int64_t, int64_t> byte_span(const tn_view& v) {
  int64_t first = 0, last = 0;
  for (int i = 0; i < v.rank; ++i) {
    const int64_t reach = (v.dims[i] - 1) * v.strides[i];
    (reach < 0 ? first : last) += reach;
  }
  const auto offset = static_cast<int64_t>(v.offset);
  if (TN_DTYPE_BITS(v.dtype) % 8 != 0) {  // dense, several elements to the byte
    return {offset,
            offset + static_cast<int64_t>(tn_dtype_bytes(v.dtype, static_cast<uint64_t>(v.count)))};
  }
  const int64_t size = sdk::element_bytes(v);
  return {offset + first * size, offset + (last + 1) * size};
}

// Every element is the same one.
bool is_repeated(const tn_view& v) {
  for (int i = 0; i < v.rank; ++i) {
    if (v.dims[i] != 1 && v.strides[i] != 0) return false;
  }
  return true;
}

// ---- plans --------------------------------------------------------------------------------------

// A plan outlives its release while a command holds it.
struct WrappedPlan {
  AdversaryDevice& device;
  const Traits& traits;
  int inputs;
  int arguments;                     // inputs, outputs, workspace
  std::optional<CopiedView> packed;  // the input that is packed, as it was before
  tn_plan inner{};
  std::mutex mutex;
  const void* queue = nullptr;  // of the commands under way
  int under_way = 0;

  WrappedPlan(AdversaryDevice& d, const Traits& t, int n_inputs, int n_arguments)
      : device(d), traits(t), inputs(n_inputs), arguments(n_arguments) {}
  ~WrappedPlan() {
    if (inner.release) inner.release(inner.data);
  }
  WrappedPlan(const WrappedPlan&) = delete;
  WrappedPlan& operator=(const WrappedPlan&) = delete;

  std::string argument_name(int i) const {
    const char* kind = i < inputs ? "input " : "output ";
    if (i == arguments - 1 && traits.has('W')) return sdk::text(traits.op, ": the workspace");
    return sdk::text(traits.op, ": ", kind, i < inputs ? i : i - inputs);
  }
};

// Counts a command of a plan from its enqueueing to its end.
class UnderWay {
 public:
  UnderWay(std::shared_ptr<WrappedPlan> plan, const void* queue) : plan_(std::move(plan)) {
    bool shared = false;
    {
      const std::lock_guard lock(plan_->mutex);
      shared = plan_->under_way++ > 0 && plan_->queue != queue;
      plan_->queue = queue;
    }
    if (shared && !plan_->traits.has('R')) {
      plan_->device.misuse(
          sdk::text(plan_->traits.name, " is not re-entrant: one plan runs on two queues"));
    }
  }
  ~UnderWay() {
    const std::lock_guard lock(plan_->mutex);
    --plan_->under_way;
  }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  WrappedPlan& plan() const { return *plan_; }

 private:
  std::shared_ptr<WrappedPlan> plan_;
};

// ---- running ------------------------------------------------------------------------------------

constexpr auto kBinding = static_cast<int64_t>(AdversaryDevice::kMaxBindingBytes);

// A binding: what a kernel has of device memory at once.
OpenBlock bind(const WrappedPlan& plan, int argument, uint64_t mem, int64_t begin, int64_t end) {
  const std::string name = plan.argument_name(argument);
  if (end - begin > kBinding)
    sdk::fail(TN_INTERNAL, "adversary: ", name, " binds ", end - begin, " bytes at once");
  return plan.device.memory.open(mem, begin, end, name);
}

// An argument for the arithmetic: bound, or, where it spans more than the largest binding, a copy
// that is read and written through one binding after the other.
class Bound {
 public:
  Bound(const WrappedPlan& plan, int argument, tn_view& v)
      : plan_(plan), argument_(argument), mem_(v.mem) {
    std::tie(begin_, end_) = byte_span(v);
    if (end_ - begin_ <= kBinding) {
      open_.emplace(bind(plan, argument, mem_, begin_, end_));
      v.mem = reinterpret_cast<uintptr_t>((*open_)->data());
      return;
    }
    copy_.assign(static_cast<size_t>(end_ - begin_), static_cast<std::byte>(kFreshByte));
    if (argument < plan.inputs)
      transfer([](std::byte* device, std::byte* copy, size_t n) { std::memcpy(copy, device, n); });
    v.mem = reinterpret_cast<uintptr_t>(copy_.data()) - static_cast<uint64_t>(begin_);
  }
  // What was computed goes where it belongs.
  void finish() {
    if (!copy_.empty() && argument_ >= plan_.inputs)
      transfer([](std::byte* device, std::byte* copy, size_t n) { std::memcpy(device, copy, n); });
  }

 private:
  template <class F>
  void transfer(F&& move) {
    for (int64_t at = begin_; at < end_; at += kBinding) {
      const int64_t stop = std::min(at + kBinding, end_);
      const OpenBlock window = bind(plan_, argument_, mem_, at, stop);
      move(window->data() + at, copy_.data() + (at - begin_), static_cast<size_t>(stop - at));
    }
  }

  const WrappedPlan& plan_;
  int argument_;
  uint64_t mem_;
  int64_t begin_ = 0, end_ = 0;
  std::optional<OpenBlock> open_;
  std::vector<std::byte> copy_;
};

uint64_t span_bytes(const tn_view& v) {
  const auto [begin, end] = byte_span(v);
  return static_cast<uint64_t>(end - begin);
}
std::byte* bytes_of(const tn_view& v) { return static_cast<std::byte*>(sdk::address(v)); }

// On the queue's thread: args are the input and what it becomes.
void run_pack(const WrappedPlan& plan, const std::vector<CopiedView>& args) {
  tn_view from = args[0].bound(), to = args[1].bound();
  Bound in(plan, kPackedInput, from), out(plan, plan.inputs, to);
  const int64_t first = byte_span(from).first - static_cast<int64_t>(from.offset);
  const std::byte* begin = bytes_of(from) + first;
  std::memcpy(bytes_of(to), kMark.data(), kMark.size());
  std::byte* at = bytes_of(to) + kMark.size();
  for (uint64_t k = span_bytes(from); k-- > 0;) *at++ = begin[k] ^ kScramble;
  out.finish();
}

// What it was packed from, as the view that the signature showed.
std::vector<std::byte> unpack(const WrappedPlan& plan, tn_view& v) {
  if (v.dtype != TN_DTYPE_U8 || std::memcmp(bytes_of(v), kMark.data(), kMark.size()) != 0) {
    sdk::fail(TN_INTERNAL, "adversary: ", plan.argument_name(kPackedInput),
              " is not what it was packed into");
  }
  tn_view whole = plan.packed->bound();
  whole.offset = 0;
  std::vector<std::byte> bytes(span_bytes(whole));
  const std::byte* from = bytes_of(v) + kMark.size();
  for (uint64_t k = bytes.size(); k-- > 0;) bytes[k] = *from++ ^ kScramble;
  whole.mem =
      reinterpret_cast<uintptr_t>(bytes.data()) - static_cast<uint64_t>(byte_span(whole).first);
  v = whole;
  return bytes;
}

void run_bound(const WrappedPlan& plan, std::vector<tn_view> views) {
  std::vector<Bound> bound;
  bound.reserve(views.size());
  for (size_t i = 0; i < views.size(); ++i) {
    if (has_memory(views[i])) bound.emplace_back(plan, static_cast<int>(i), views[i]);
  }
  std::vector<std::byte> unpacked;
  if (plan.packed) unpacked = unpack(plan, views[kPackedInput]);
  if (plan.traits.has('W')) {
    std::memset(sdk::address(views.back()), kWorkspaceByte, kWorkspaceBytes);
    views.pop_back();
  }
  std::vector<const tn_view*> pointers;
  for (const tn_view& v : views) pointers.push_back(&v);
  sdk::check(plan.device.host, plan.inner.run(plan.inner.data, nullptr, pointers.data()));
  for (Bound& b : bound) b.finish();
}

// Elements that one binding can hold of the widest argument; 0: all arguments fit, or the op cannot be cut.
int64_t window_length(const WrappedPlan& plan, std::span<const tn_view> views) {
  if (!plan.traits.has('E')) return 0;
  bool fits = true;
  int64_t widest = 1;
  for (const tn_view& v : views) {
    if (!has_memory(v)) continue;
    const auto [begin, end] = byte_span(v);
    fits = fits && end - begin <= kBinding;
    if (!sdk::is_contiguous(v) && !is_repeated(v)) return 0;
    widest = std::max(widest, sdk::element_bytes(v));
  }
  return fits ? 0 : kBinding / widest;
}

// Elements begin..end of flat arguments, as views of one axis.
void run_window(const WrappedPlan& plan, std::span<const tn_view> views, int64_t begin,
                int64_t end) {
  const int64_t count = end - begin, one = 1, zero = 0;
  std::vector<tn_view> cut(views.begin(), views.end());
  for (tn_view& v : cut) {
    if (!has_memory(v)) continue;
    const bool repeated = is_repeated(v);
    // A window has an even number of elements, so that those smaller than a byte begin at one, too.
    if (!repeated) v.offset += tn_dtype_bytes(v.dtype, static_cast<uint64_t>(begin));
    v.rank = 1;
    v.dims = &count;
    v.strides = repeated ? &zero : &one;
    v.count = count;
    v.flags = repeated ? 0 : TN_VIEW_CONTIGUOUS;
  }
  run_bound(plan, std::move(cut));
}

// On the queue's thread.
void run_command(const WrappedPlan& plan, const std::vector<CopiedView>& args) {
  std::vector<tn_view> views;
  for (const CopiedView& v : args) views.push_back(v.bound());
  const int64_t length = window_length(plan, views);
  if (length == 0) return run_bound(plan, std::move(views));
  const int64_t count = views.back().count;
  for (int64_t begin = 0; begin < count; begin += length) {
    run_window(plan, views, begin, std::min(begin + length, count));
  }
}

// args: the input and what it becomes.
tn_error* TN_CALL pack(void* data, void* queue, const tn_view* const* args) {
  const auto& plan = *static_cast<std::shared_ptr<WrappedPlan>*>(data);
  return sdk::guard(plan->device.host, [&] {
    if (!queue) sdk::fail(TN_INTERNAL, "adversary: ", plan->traits.op, " packs without a queue");
    const tn_view whole = plan->packed->bound();
    if (!sdk::same_dims(*args[0], whole) || args[0]->dtype != whole.dtype ||
        !std::equal(whole.strides, whole.strides + whole.rank, args[0]->strides)) {
      sdk::fail(TN_INTERNAL, "adversary: ", plan->argument_name(kPackedInput),
                " is to be packed and lies otherwise than the signature shows");
    }
    if (args[1]->dtype != TN_DTYPE_U8 ||
        args[1]->count != static_cast<int64_t>(kMark.size() + span_bytes(whole)))
      sdk::fail(TN_INTERNAL, "adversary: ", plan->traits.op, " packs into another size");
    auto under_way = std::make_shared<UnderWay>(plan, queue);
    static_cast<CommandQueue*>(queue)->enqueue(
        [under_way, copies = std::vector<CopiedView>{CopiedView(*args[0]), CopiedView(*args[1])}] {
          run_pack(under_way->plan(), copies);
        });
  });
}

tn_error* TN_CALL run(void* data, void* queue, const tn_view* const* args) {
  const auto& plan = *static_cast<std::shared_ptr<WrappedPlan>*>(data);
  return sdk::guard(plan->device.host, [&] {
    if (!queue) sdk::fail(TN_INTERNAL, "adversary: ", plan->traits.op, " was run without a queue");
    std::vector<CopiedView> copies;
    for (int i = 0; i < plan->arguments; ++i) {
      const tn_view& v = *args[i];
      if (plan->traits.has('C') && i < plan->inputs && has_memory(v) && !sdk::is_contiguous(v)) {
        sdk::fail(TN_INTERNAL, "adversary: ", plan->argument_name(i),
                  " is strided, which this kernel declines");
      }
      copies.emplace_back(v);
    }
    if (plan->traits.has('W') && copies.back().view.count < static_cast<int64_t>(kWorkspaceBytes)) {
      sdk::fail(TN_INTERNAL, "adversary: ", plan->traits.op, " got too little workspace");
    }
    auto under_way = std::make_shared<UnderWay>(plan, queue);
    static_cast<CommandQueue*>(queue)->enqueue(
        [under_way, copies = std::move(copies)] { run_command(under_way->plan(), copies); });
  });
}

void TN_CALL release(void* data) {
  const auto* plan = static_cast<std::shared_ptr<WrappedPlan>*>(data);
  --(*plan)->device.plans;
  delete plan;
}

// ---- preparing ----------------------------------------------------------------------------------

// What the ABI promises every kernel.
void check_signature(const Traits& traits, const tn_signature& s) {
  for (uint32_t k = 0; k < s.n_attrs; ++k) {
    if (s.attrs[k].key != k)
      sdk::fail(TN_INTERNAL, "adversary: attribute ", k, " is not in its place");
  }
  for (uint32_t i = 0; i < s.n_inputs; ++i) {
    const tn_view& v = *s.inputs[i];
    if (sdk::is_absent(v)) continue;
    if (v.flags & TN_VIEW_LASTING && !traits.has('P'))
      sdk::fail(TN_INTERNAL, "adversary: ", traits.op, " packs nothing and is shown what lasts");
    if (sdk::is_immediate(v)) {
      if (traits.has('I')) continue;
      sdk::fail(TN_INTERNAL, "adversary: ", traits.op, ": input ", i,
                " is a host scalar, which this kernel does not take");
    }
    if (traits.has('E') && !sdk::same_dims(v, *s.outputs[0])) {
      sdk::fail(TN_INTERNAL, "adversary: ", traits.op, ": input ", i,
                " has not the dims of the output");
    }
  }
}

std::string_view declines(const Traits& traits, const tn_signature& s) {
  for (uint32_t i = 0; traits.has('C') && i < s.n_inputs; ++i) {
    if (has_memory(*s.inputs[i]) && !sdk::is_contiguous(*s.inputs[i])) return "strided input";
  }
  return {};
}

template <size_t I>
tn_error* TN_CALL prepare(void* raw, const tn_signature* signature, tn_plan* out) {
  auto& device = *static_cast<AdversaryDevice*>(static_cast<sdk::Device*>(raw));
  return sdk::guard(device.host, [&] {
    const Traits& traits = kTraits[I];
    check_signature(traits, *signature);
    if (const auto reason = declines(traits, *signature); !reason.empty()) {
      out->declined = sdk::str(reason);
      return;
    }
    const int inputs = static_cast<int>(signature->n_inputs);
    const int arguments =
        inputs + static_cast<int>(signature->n_outputs) + (traits.has('W') ? 1 : 0);
    auto plan = std::make_shared<WrappedPlan>(device, traits, inputs, arguments);
    plan->inner.struct_size = sizeof(tn_plan);
    sdk::check(device.host, inner_kernel(I).prepare(raw, signature, &plan->inner));
    if (plan->inner.declined.size != 0) {
      out->declined = plan->inner.declined;
      return;
    }
    const tn_view* weights =
        inputs > static_cast<int>(kPackedInput) ? signature->inputs[1] : nullptr;
    if (weights && weights->flags & TN_VIEW_LASTING && has_memory(*weights)) {
      plan->packed.emplace(*weights);
      out->pack = pack;
      out->packed_bytes = kMark.size() + span_bytes(*weights);
      out->packed_input = kPackedInput;
    }
    out->data = new std::shared_ptr<WrappedPlan>(std::move(plan));
    out->run = run;
    out->release =
        release;  // not before there is data: the host releases a plan whose preparing failed
    out->workspace_bytes = traits.has('W') ? kWorkspaceBytes : 0;
    ++device.plans;
  });
}

template <size_t... I>
std::vector<tn_kernel> make_kernels(std::index_sequence<I...>) {
  std::vector<tn_kernel> list;
  const auto add = [&](size_t index, auto prepare_slot) {
    const Traits& traits = kTraits[index];
    tn_kernel k = inner_kernel(index);
    if (sdk::view_of(k.op) != traits.op) {
      sdk::fail(TN_INTERNAL, "adversary: kernels.def has ", traits.op,
                " where the reference backend has ", sdk::view_of(k.op));
    }
    k.name = sdk::str(traits.name);
    k.prepare = prepare_slot;
    if (!traits.has('I')) k.flags &= ~TN_KERNEL_IMMEDIATES;
    if (!traits.has('R')) k.flags &= ~TN_KERNEL_REENTRANT;
    if (traits.has('P')) k.flags |= TN_KERNEL_PACKS;
    if (traits.has('P')) k.depends |= TN_DEPENDS_DIMS;
    if (traits.has('C')) k.depends |= TN_DEPENDS_LAYOUT;
    list.push_back(k);
  };
  (add(I, prepare<I>), ...);
  return list;
}

}  // namespace

std::vector<tn_kernel> all_kernels() { return make_kernels(std::make_index_sequence<kCount>{}); }

}  // namespace tenon::adversary
