// The device "patient", registered statically: host memory, one native queue whose commands run only once the test says go, and two
// kernels for `square`: a fast one that is not deterministic and a plain one.
#pragma once
#include <tenon/sdk/backend.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace patient {

namespace sdk = tenon::sdk;

constexpr uint64_t kNativeQueue = 0x5A5A;
inline const char* last_kernel = "";  // that ran

struct Device : sdk::Device {
  static uint32_t count(sdk::Plugin&) { return 1; }
  static void props(sdk::Plugin&, uint32_t, tn_device_props& out) {
    out.flags = TN_DEVICE_HOST_MEMORY;
    out.type = sdk::str("patient");
    out.alignment = 64;
  }
  Device(sdk::Plugin& plugin, uint32_t) { host = plugin.host; }
  uint64_t allocate(uint64_t bytes) {
    void* p = host.allocate(bytes, 64);
    if (!p) sdk::fail(TN_OUT_OF_MEMORY, "no ", bytes, " bytes");
    return reinterpret_cast<uintptr_t>(p);
  }
  void free(uint64_t mem, uint64_t bytes) { host.free(reinterpret_cast<void*>(mem), bytes); }
  void upload(struct CommandQueue* q, uint64_t mem, uint64_t offset, const void* from,
              uint64_t bytes);
  void download(struct CommandQueue* q, void* to, uint64_t mem, uint64_t offset, uint64_t bytes);
  std::span<const tn_kernel> kernels() const;
};

// Commands run in the thread that waits, as far as the gate is open.
struct CommandQueue {
  static inline std::mutex gate_mutex;
  static inline std::condition_variable gate_changed;
  static inline bool gate = true;
  static void open_gate(bool open) {
    const std::lock_guard lock(gate_mutex);
    gate = open;
    gate_changed.notify_all();
  }

  CommandQueue(Device& device, tn_timeline* t) : host(device.host), timeline(t) {}
  ~CommandQueue() { run_all(); }
  sdk::Host host;
  tn_timeline* timeline;
  std::deque<std::pair<uint64_t, std::function<void()>>> commands;

  void enqueue(std::function<void()> f) {
    commands.emplace_back(timeline->submitted, std::move(f));
  }
  void run_all() {
    for (; !commands.empty(); commands.pop_front()) {
      commands.front().second();
      __atomic_store_n(&timeline->completed, commands.front().first, __ATOMIC_RELEASE);
    }
  }
  void wait(uint64_t, uint64_t timeout_ns) {
    {
      std::unique_lock lock(gate_mutex);
      const auto limit = std::chrono::nanoseconds(std::min<uint64_t>(timeout_ns, 1'000'000'000));
      if (!gate_changed.wait_for(lock, limit, [] { return gate; }))
        sdk::fail(TN_DEADLINE_EXCEEDED, "patient: not yet");
    }
    run_all();
  }
  uint64_t native() { return kNativeQueue; }
};

inline void Device::upload(CommandQueue* q, uint64_t mem, uint64_t offset, const void* from,
                           uint64_t bytes) {
  std::vector<char> staged(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
  q->enqueue([to = reinterpret_cast<char*>(mem + offset), staged = std::move(staged)] {
    std::memcpy(to, staged.data(), staged.size());
  });
}
inline void Device::download(CommandQueue* q, void* to, uint64_t mem, uint64_t offset,
                             uint64_t bytes) {
  q->enqueue([to, from = reinterpret_cast<const char*>(mem + offset), bytes] {
    std::memcpy(to, from, bytes);
  });
}

template <bool Deterministic>
struct Square {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    if (!s.all_dtype(TN_DTYPE_F32) || !s.all_contiguous()) return s.decline("only dense f32");
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue& queue, const sdk::Args& args) {
    const auto* x = reinterpret_cast<const float*>(args[0].mem + args[0].offset);
    auto* y = reinterpret_cast<float*>(args[1].mem + args[1].offset);
    queue.as<CommandQueue>().enqueue([x, y, n = args[0].count] {
      last_kernel = Deterministic ? "square_plain" : "square_atomic";
      for (int64_t i = 0; i < n; ++i) y[i] = x[i] * x[i];
    });
  }
};

inline constexpr tn_kernel kKernels[] = {
    sdk::kernel<Square<false>>("square", "square_atomic", TN_DEPENDS_LAYOUT,
                               TN_KERNEL_NONDETERMINISTIC | TN_KERNEL_REENTRANT, 10),
    sdk::kernel<Square<true>>("square", "square_plain", TN_DEPENDS_LAYOUT, TN_KERNEL_REENTRANT),
    // Without a second choice.
    sdk::kernel<Square<false>>("abs", "abs_atomic", TN_DEPENDS_LAYOUT,
                               TN_KERNEL_NONDETERMINISTIC | TN_KERNEL_REENTRANT),
};
inline std::span<const tn_kernel> Device::kernels() const { return kKernels; }

inline constexpr tn_device_vtbl kDevice = sdk::device_table<sdk::Plugin, Device, CommandQueue>;
inline constexpr tn_interface kInterfaces[] = {
    TENON_INTERFACE(DEVICE, kDevice),
    TENON_INTERFACE(KERNELS, sdk::kernels_table<Device>),
};

}  // namespace patient
