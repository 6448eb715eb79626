// What every kernel file of this backend includes: the device, errors, plans, threads.
//
// A kernel file is compiled once per instruction set, with CPU_ISA naming the namespace (portable,
// avx2, avx512) that everything in it lives in:
//
//   #include "cpu.hpp"
//   namespace tenon::cpu::CPU_ISA {
//   CPU_PREPARE(softmax) { ... }   // const Device& device, const tn_signature& sig, tn_plan* plan
//   }
//
// and kernels.def has the line CPU_KERNEL(softmax, softmax, depends, flags, priority), or
// CPU_SHARED_KERNEL(...) where avx512 takes what is compiled for avx2.
// Kernels return errors and throw nothing.
#ifndef TENON_CPU_CPU_HPP_
#define TENON_CPU_CPU_HPP_

#include <tenon/plugin/plugin.h>
#include <tenon/sdk/kernels.hpp>

#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#ifndef CPU_ISA
#define CPU_ISA portable
#endif
// The level whose code serves where wider vectors would gain little: CMakeLists.txt.
#ifndef CPU_SHARED_ISA
#define CPU_SHARED_ISA CPU_ISA
#endif

namespace tenon::cpu {

class ScratchBlocks;  // scratch.hpp

enum class Isa : uint32_t { portable = 0, avx2 = 1, avx512 = 2 };

// Given to prepare as `device`; constant after open. From sdk::Device it has `sdk::Host host`.
struct Device : sdk::Device {
  Isa isa = Isa::portable;
  // Beyond what `isa` promises (AVX-512 F BW DQ VL; AVX2 FMA F16C BMI2); false when TENON_MAX_ISA
  // forbids.
  bool avx512_bf16 = false;
  bool avx512_vnni = false;
  bool avx512_fp16 = false;
  bool amx_bf16 = false;  // the process has leave to use the tiles
  bool amx_int8 = false;
  int32_t threads = 1;  // of the host's pool
  bool cut_all =
      false;  // TENON_CPU_CUT=all, for tests: threads share whatever can be cut, worth it or not
  bool onednn = false;  // TENON_CPU_CONV=onednn: it is asked first about convolutions
  int64_t l1_bytes = 32 << 10;
  int64_t l2_bytes = 512 << 10;
  int64_t l3_bytes = 8 << 20;
  ScratchBlocks* scratch = nullptr;
  void* nn_state = nullptr;  // matmul/, conv/, norm/: made and freed by nn_open / nn_close
};

// ---- errors

// An error of the host; printf format. Never null.
[[gnu::format(printf, 3, 4)]] tn_error* fail(const Device& device, tn_code code, const char* format,
                                             ...);

// OUT_OF_RANGE for an index of this dtype, in the words of sdk::outside_text. Never null.
tn_error* outside(const Device& device, const char* what, tn_dtype dtype, int64_t index,
                  int64_t position, int64_t size, bool from_end);

// The kernel does not take the signature. `why` must be a literal. Returns null: declining is no
// error.
inline tn_error* decline(tn_plan* plan, const char* why) {
  plan->declined = tn_string(why);
  return nullptr;
}

// ---- views

// Address of the first element; an immediate's value lies in the view itself.
template <class T>
inline const T* input(const tn_view* v) {
  if (v->flags & TN_VIEW_IMMEDIATE) [[unlikely]] {
    return reinterpret_cast<const T*>(&v->mem);
  }
  return reinterpret_cast<const T*>(v->mem + v->offset);
}
template <class T>
inline T* output(const tn_view* v) {
  return reinterpret_cast<T*>(v->mem + v->offset);
}
inline bool absent(const tn_view* v) { return !v || (v->flags & TN_VIEW_ABSENT) != 0; }
inline bool contiguous(const tn_view* v) { return (v->flags & TN_VIEW_CONTIGUOUS) != 0; }

// ---- attributes (signature.attrs has every one of the schema, attrs[k].key == k)

inline int64_t attr_i64(const tn_signature& s, uint32_t key) { return int64_t(s.attrs[key].bits); }
inline bool attr_bool(const tn_signature& s, uint32_t key) { return s.attrs[key].bits != 0; }
inline double attr_f64(const tn_signature& s, uint32_t key) {
  return tn_attr_get_f64(&s.attrs[key]);
}
inline tn_dtype attr_dtype(const tn_signature& s, uint32_t key) {
  return tn_dtype(s.attrs[key].bits);
}
inline bool attr_is(const tn_signature& s, uint32_t key, const char* text) {
  const tn_str want = tn_string(text);
  return s.attrs[key].bits == want.size &&
         std::memcmp(s.attrs[key].data, want.data, want.size) == 0;
}
struct I64s {
  const int64_t* data;
  int64_t size;
  int64_t operator[](int64_t i) const { return data[i]; }
};
inline I64s attr_i64s(const tn_signature& s, uint32_t key) {
  return {static_cast<const int64_t*>(s.attrs[key].data), int64_t(s.attrs[key].bits)};
}

// ---- plans

// Makes plan->data a T{args...} that the plan deletes. Null without memory: return
// out_of_memory(device).
template <class T, class... Args>
T* make_plan(tn_plan* plan, tn_kernel_run run, Args&&... args) {
  T* data = new (std::nothrow) T{std::forward<Args>(args)...};
  if (!data) return nullptr;
  plan->data = data;
  plan->run = run;
  plan->release = [](void* p) { delete static_cast<T*>(p); };
  return data;
}
inline tn_error* out_of_memory(const Device& device) {
  return fail(device, TN_OUT_OF_MEMORY, "cpu: no host memory for a plan");
}

// ---- threads

// Work that is worth a second thread, in nanoseconds. A fork and its join cost 1 to 3 us while the
// lent pool spins, as it does between the calls of a model, so that less than about 5 us is done
// sooner by one thread; a pool asleep costs its caller one system call, since nobody waits for it.
inline constexpr double kParallelNs = 6e3;
inline bool worth_threads(const Device& device, double ns) {
  return ns >= kParallelNs || (device.cut_all && ns > 0);
}
// Into how many parts work is cut that is worth so many.
inline int64_t parts_worth(const Device& device, double worth) {
  if (device.cut_all || worth >= double(device.threads)) return device.threads;
  return worth < 2 ? 1 : int64_t(worth);
}

// body(begin, end) over disjoint parts of 0..n, each a multiple of `grain` but for the last, on the
// lent pool if n items of ns_per_item are worth it, else here in one call. body must not throw.
template <class Body>
inline void parallel(const Device& device, int64_t n, int64_t grain, double ns_per_item,
                     Body&& body) {
  if (n <= 0) return;
  if (device.cut_all && grain > 64) grain = 64;
  if (device.threads <= 1 || n <= grain || !worth_threads(device, double(n) * ns_per_item)) {
    body(int64_t(0), n);
    return;
  }
  using B = std::remove_reference_t<Body>;
  const tn_host* host = device.host.raw();
  host->parallel_for(
      host, n, grain,
      [](void* user, int64_t begin, int64_t end) { (*static_cast<B*>(user))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// ---- the kernel list

namespace portable {
const tn_kernel* kernel_list(uint32_t* out_count);
}
namespace avx2 {
const tn_kernel* kernel_list(uint32_t* out_count);
}
namespace avx512 {
const tn_kernel* kernel_list(uint32_t* out_count);
}

// Hooks of matmul/, conv/, norm/ (nn_state.cpp): caches or library handles that live with the
// device.
tn_error* nn_open(Device& device);
void nn_close(Device& device);

}  // namespace tenon::cpu

// Defines the prepare function of kernels.def's second column.
#define CPU_PREPARE(name)                                                                      \
  static tn_error* prepare_body_##name(const Device& device, const tn_signature& sig,          \
                                       tn_plan* plan);                                         \
  tn_error* TN_CALL prepare_##name(void* device, const tn_signature* sig, tn_plan* plan);      \
  tn_error* TN_CALL prepare_##name(void* device, const tn_signature* sig, tn_plan* plan) {     \
    return prepare_body_##name(*static_cast<const Device*>(static_cast<sdk::Device*>(device)), \
                               *sig, plan);                                                    \
  }                                                                                            \
  static tn_error* prepare_body_##name([[maybe_unused]] const Device& device,                  \
                                       [[maybe_unused]] const tn_signature& sig,               \
                                       [[maybe_unused]] tn_plan* plan)

#endif
