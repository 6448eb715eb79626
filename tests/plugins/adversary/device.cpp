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
      values(host.environment("ADVERSARY_MEMORY") == "values"),
      compiler(values ? "whole" : host.environment("ADVERSARY_COMPILER")),
      lose_device(Schedule::parse(host.environment("ADVERSARY_LOSE_DEVICE"))) {}

uint32_t AdversaryDevice::count(sdk::Plugin&) { return 2; }

void AdversaryDevice::props(sdk::Plugin& plugin, uint32_t, tn_device_props& out) {
  out.flags = TN_DEVICE_COPY_QUEUE;
  if (Settings(plugin.host).values) out.flags |= TN_DEVICE_VALUES;
  out.type = sdk::str("adversary");
  out.label = sdk::str("everything that a CPU is not");
  out.memory_bytes = Settings(plugin.host).memory_bytes;
  out.alignment = kAlignment;
  out.max_block_bytes = kMaxBlockBytes;
  out.max_binding_bytes = kMaxBindingBytes;
  out.priority = -100;
}

AdversaryDevice::AdversaryDevice(sdk::Plugin& plugin, uint32_t index)
    : settings(plugin.host),
      memory(index, settings.memory_bytes),
      values(index, settings.memory_bytes) {
  host = plugin.host;
  if (!settings.values) kernels_ = all_kernels();
}

AdversaryDevice::~AdversaryDevice() {
  if (queues.load() != 0) misuse(sdk::text("closed with ", queues.load(), " queues"));
  if (plans.load() != 0) misuse(sdk::text("closed with ", plans.load(), " plans not released"));
  if (values.live() != 0) misuse(sdk::text("closed with ", values.live(), " values not freed"));
  if (memory.live() != 0) misuse(sdk::text("closed with ", memory.live(), " blocks not freed"));
}

uint64_t AdversaryDevice::allocate(uint64_t bytes) {
  check_present();
  if (settings.values) sdk::fail(TN_INTERNAL, "adversary: it has values, and no memory");
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
  const std::string wrong = settings.values ? values.end(mem, "freed") : memory.free(mem, bytes);
  if (!wrong.empty()) misuse(wrong);
}

std::pair<uint64_t, std::shared_ptr<Value>> AdversaryDevice::new_value(uint64_t bytes) {
  check_present();
  if (!settings.values) sdk::fail(TN_INTERNAL, "adversary: it has memory, and no values");
  if (settings.fail_alloc.hits(++allocations_))
    sdk::fail(TN_OUT_OF_MEMORY, "adversary: scheduled failure of a value of ", bytes, " bytes");
  auto made = std::make_shared<Value>(bytes);
  return {values.make(made), made};
}

uint64_t AdversaryDevice::make_value(CommandQueue* queue, const tn_view& from) {
  if (!sdk::is_contiguous(from)) sdk::fail(TN_INTERNAL, "adversary: a value is made of a view");
  const auto* first = static_cast<const std::byte*>(sdk::address(from));
  const uint64_t bytes = tn_dtype_bytes(from.dtype, static_cast<uint64_t>(from.count));
  auto staged = bytes ? std::vector<std::byte>(first, first + bytes) : std::vector<std::byte>();
  const auto [handle, value] = new_value(bytes);
  queue->enqueue([value = value, staged = std::move(staged)] {
    value->elements = staged;
    value->ready = true;
  });
  return handle;
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
  if (settings.values) {
    auto value = values.find(mem, "what is downloaded");
    if (offset != 0 || bytes != value->bytes)
      sdk::fail(TN_INTERNAL, "adversary: a part of a value is downloaded");
    queue->enqueue([to, value = std::move(value)] {
      if (!value->ready) sdk::fail(TN_INTERNAL, "adversary: download of a value before it is made");
      if (value->bytes) std::memcpy(to, value->elements.data(), value->bytes);
    });
    return;
  }
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
