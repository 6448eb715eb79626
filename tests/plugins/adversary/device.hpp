// The device "adversary": everything that a CPU is not. See README.md.
#ifndef TENON_TESTS_ADVERSARY_DEVICE_HPP_
#define TENON_TESTS_ADVERSARY_DEVICE_HPP_
#include <tenon/sdk/backend.hpp>

#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler.hpp"
#include "memory.hpp"
#include "values.hpp"

namespace tenon::adversary {

class CommandQueue;

// "n": the n-th event and no other; "n+": the n-th and all after it. Events are counted from 1.
struct Schedule {
  uint64_t first = 0;  // 0: never
  bool lasting = false;

  static Schedule parse(std::string_view text);
  bool hits(uint64_t event) const {
    return first != 0 && (lasting ? event >= first : event == first);
  }
};

// What TENON_ADVERSARY_<NAME> say when the device is opened.
struct Settings {
  explicit Settings(sdk::Host host);
  uint64_t delay_us;      // DELAY_US, 200: longest delay before a command
  uint64_t seed;          // SEED, 1
  uint64_t hold;          // HOLD, 4: that many commands may lie about until somebody waits
  uint64_t memory_bytes;  // MEMORY_BYTES, 0: no limit
  Schedule fail_alloc;    // FAIL_ALLOC: allocations that fail with OUT_OF_MEMORY
  Schedule fail_exec;     // FAIL_EXEC: commands that fail on their timeline
  bool values;            // MEMORY: "values": no memory, but values
  std::string compiler;   // COMPILER: "parts", "whole" or "off"
  Schedule lose_device;   // LOSE_DEVICE: the command with which the device is gone
};

struct AdversaryDevice : sdk::Device {
  static constexpr uint64_t kMaxBindingBytes = uint64_t{1} << 20;
  static constexpr uint64_t kMaxBlockBytes = uint64_t{1} << 28;

  static uint32_t count(sdk::Plugin& plugin);
  static void props(sdk::Plugin& plugin, uint32_t index, tn_device_props& out);
  AdversaryDevice(sdk::Plugin& plugin, uint32_t index);
  ~AdversaryDevice();
  AdversaryDevice(const AdversaryDevice&) = delete;
  AdversaryDevice& operator=(const AdversaryDevice&) = delete;

  uint64_t allocate(uint64_t bytes);
  void free(uint64_t mem, uint64_t bytes);
  uint64_t memory_free() const { return memory.bytes_free(); }
  void upload(CommandQueue* queue, uint64_t mem, uint64_t offset, const void* from, uint64_t bytes);
  void download(CommandQueue* queue, void* to, uint64_t mem, uint64_t offset, uint64_t bytes);
  uint64_t make_value(CommandQueue* queue, const tn_view& from);
  // A value that a command is to fill.
  std::pair<uint64_t, std::shared_ptr<Value>> new_value(uint64_t bytes);
  std::span<const tn_kernel> kernels() const { return kernels_; }

  using Compiled = CompiledGraph;
  void claim(const sdk::Graph& graph, uint32_t flags, std::span<tn_claim> claims);
  sdk::Compilation<CompiledGraph> compile(const sdk::Graph& graph, uint32_t flags);
  std::string_view compatibility() const { return "adversary 1"; }
  std::string save(const CompiledGraph& compiled) const;
  sdk::Compilation<CompiledGraph> load(const sdk::Graph& graph, uint32_t flags,
                                       std::span<const std::byte> form);

  // The host broke a rule where no error can be returned: logged, and the next command to run fails with it.
  void misuse(const std::string& what);
  // Throws what `misuse` left behind.
  void rethrow_misuse();
  // Throws when the device is lost.
  void check_present() const;

  const Settings settings;
  Memory memory;
  Values values;
  std::atomic<uint64_t> commands{0};  // enqueued so far, over all queues
  std::atomic<bool> lost{false};
  std::atomic<int> queues{0};
  std::atomic<int> plans{0};  // made and not released; compiled graphs, too

 private:
  std::atomic<uint64_t> allocations_{0};
  std::mutex misuse_mutex_;
  std::string misuse_;
  std::vector<tn_kernel> kernels_;
};

}  // namespace tenon::adversary
#endif
