#include "device.hpp"

#include <charconv>
#include <cstring>

#include "kernels.hpp"
#include "queue.hpp"

namespace tenon::adversary {
namespace {

uint64_t number(std::string_view text, uint64_t fallback) {
  uint64_t value = fallback;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Schedule Schedule::parse(std::string_view text) {
  return {number(text, 0), !text.empty() && text.back() == '+'};
}

Settings::Settings(sdk::Host host)
    : delay_us(number(host.environment("ADVERSARY_DELAY_US"), 200)),
      seed(number(host.environment("ADVERSARY_SEED"), 1)),
      hold(number(host.environment("ADVERSARY_HOLD"), 4)),
      memory_bytes(number(host.environment("ADVERSARY_MEMORY_BYTES"), 0)),
      fail_alloc(Schedule::parse(host.environment("ADVERSARY_FAIL_ALLOC"))),
      fail_exec(Schedule::parse(host.environment("ADVERSARY_FAIL_EXEC"))),
      compiler(host.environment("ADVERSARY_COMPILER")),
      lose_device(Schedule::parse(host.environment("ADVERSARY_LOSE_DEVICE"))) {}

uint32_t AdversaryDevice::count(sdk::Plugin&) { return 2; }

void AdversaryDevice::props(sdk::Plugin& plugin, uint32_t, tn_device_props& out) {
  out.flags = TN_DEVICE_COPY_QUEUE;
  out.type = sdk::str("adversary");
  out.label = sdk::str("everything that a CPU is not");
  out.memory_bytes = Settings(plugin.host).memory_bytes;
  out.alignment = kAlignment;
  out.max_block_bytes = kMaxBlockBytes;
  out.max_binding_bytes = kMaxBindingBytes;
  out.priority = -100;
}

AdversaryDevice::AdversaryDevice(sdk::Plugin& plugin, uint32_t index)
    : settings(plugin.host), memory(index, settings.memory_bytes), kernels_(all_kernels()) {
  host = plugin.host;
}

AdversaryDevice::~AdversaryDevice() {
  if (queues.load() != 0) misuse(sdk::text("closed with ", queues.load(), " queues"));
  if (plans.load() != 0) misuse(sdk::text("closed with ", plans.load(), " plans not released"));
  if (memory.live() != 0) misuse(sdk::text("closed with ", memory.live(), " blocks not freed"));
}

uint64_t AdversaryDevice::allocate(uint64_t bytes) {
  check_present();
  if (settings.fail_alloc.hits(++allocations_)) {
    sdk::fail(TN_OUT_OF_MEMORY, "adversary: scheduled failure of an allocation of ", bytes,
              " bytes");
  }
  if (bytes > kMaxBlockBytes) {
    sdk::fail(TN_OUT_OF_MEMORY, "adversary: ", bytes, " bytes asked for, the largest block has ",
              kMaxBlockBytes);
  }
  return memory.allocate(bytes);
}

void AdversaryDevice::free(uint64_t mem, uint64_t bytes) {
  const std::string wrong = memory.free(mem, bytes);
  if (!wrong.empty()) misuse(wrong);
}

void AdversaryDevice::upload(CommandQueue* queue, uint64_t mem, uint64_t offset, const void* from,
                             uint64_t bytes) {
  const auto* first = static_cast<const std::byte*>(from);
  queue->enqueue([this, mem, offset, staged = std::vector<std::byte>(first, first + bytes)] {
    const auto begin = static_cast<int64_t>(offset);
    const auto end = begin + static_cast<int64_t>(staged.size());
    const OpenBlock block = memory.open(mem, begin, end, "upload");
    if (!staged.empty()) std::memcpy(block->data() + offset, staged.data(), staged.size());
  });
}

void AdversaryDevice::download(CommandQueue* queue, void* to, uint64_t mem, uint64_t offset,
                               uint64_t bytes) {
  queue->enqueue([this, to, mem, offset, bytes] {
    const auto begin = static_cast<int64_t>(offset);
    const OpenBlock block =
        memory.open(mem, begin, begin + static_cast<int64_t>(bytes), "download");
    if (bytes) std::memcpy(to, block->data() + offset, bytes);
  });
}

void AdversaryDevice::misuse(const std::string& what) {
  host.log(TN_LOG_ERROR, "adversary: " + what);
  const std::lock_guard lock(misuse_mutex_);
  if (misuse_.empty()) misuse_ = what;
}

void AdversaryDevice::rethrow_misuse() {
  const std::lock_guard lock(misuse_mutex_);
  if (!misuse_.empty()) sdk::fail(TN_INTERNAL, "adversary: ", std::exchange(misuse_, {}));
}

void AdversaryDevice::check_present() const {
  if (lost.load()) sdk::fail(TN_DEVICE_FAILED, "adversary: the device is lost");
}

}  // namespace tenon::adversary
