#include "host.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "check.hpp"

namespace tenon::conformance {
namespace {

constexpr uint64_t kGuard = 64;
constexpr unsigned char kGuardByte = 0xA7, kFreshByte = 0xFF;
constexpr uint64_t kMost = uint64_t{1} << 36;  // one block
constexpr int32_t kThreads = 3;                // that parallel_for pretends to have

// Errors know their host: error_release has no other way to it.
struct Known {
  std::mutex mutex;
  std::map<const void*, SimulatedHost*> owner;  // of live ones
  std::set<const void*> dead;
};
Known& known() {
  static auto* all = new Known;  // plugins may release at exit
  return *all;
}

uint64_t atomic_load(uint64_t& x) { return std::atomic_ref(x).load(std::memory_order_acquire); }

}  // namespace

void SimulatedHost::wrong(const std::string& what) {
  const std::lock_guard lock(mutex_);
  if (misuse_.empty()) misuse_ = what;
}
std::string SimulatedHost::misuse() const {
  const std::lock_guard lock(mutex_);
  return misuse_;
}
std::string SimulatedHost::last_failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}
int64_t SimulatedHost::live_blocks() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(blocks_.size());
}
int64_t SimulatedHost::live_errors() const {
  Known& k = known();
  const std::lock_guard lock(k.mutex);
  return std::count_if(k.owner.begin(), k.owner.end(),
                       [&](const auto& entry) { return entry.second == this; });
}

void SimulatedHost::fail_allocation(int64_t n, bool all_after) {
  left_ = n, all_after_ = all_after, refused_ = 0;
}

// ---- errors

tn_error* SimulatedHost::make_error(const tn_host* host, tn_code code, tn_str message) {
  auto* e = new Error{code, std::string(message.data ? message.data : "", message.size)};
  if (code == TN_OK || code > TN_INTERNAL)
    self(host).wrong("an error with the code " + std::to_string(code) + ", which is none");
  Known& k = known();
  const std::lock_guard lock(k.mutex);
  k.owner[e] = &self(host);
  k.dead.erase(e);
  return reinterpret_cast<tn_error*>(e);
}

void SimulatedHost::release_error(tn_error* error) {
  if (!error) return;
  Known& k = known();
  const std::lock_guard lock(k.mutex);
  const auto found = k.owner.find(error);
  if (found == k.owner.end()) {
    if (k.dead.count(error) != 0 && !k.owner.empty())
      k.owner.begin()->second->wrong("an error was released twice");
    return;
  }
  k.owner.erase(found);
  k.dead.insert(error);
  delete reinterpret_cast<Error*>(error);
}

tn_code SimulatedHost::code_of(const tn_error* error) {
  return error ? reinterpret_cast<const Error*>(error)->code : TN_OK;
}
const char* SimulatedHost::message_of(const tn_error* error) {
  return error ? reinterpret_cast<const Error*>(error)->message.c_str() : "";
}

SimulatedHost::Taken SimulatedHost::take(tn_error* error) {
  if (!error) return {};
  {
    Known& k = known();
    const std::lock_guard lock(k.mutex);
    const auto found = k.owner.find(error);
    expect(found != k.owner.end() && found->second == this,
           k.dead.count(error) ? "an error was returned that was released already"
                               : "an error was returned that the host did not make",
           "a live error made by tn_host.error");
  }
  Taken t{code_of(error), message_of(error)};
  release_error(error);
  return t;
}

// ---- memory

void* SimulatedHost::allocate(const tn_host* host, uint64_t bytes, uint64_t alignment) {
  SimulatedHost& h = self(host);
  if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
    h.wrong("an allocation aligned to " + std::to_string(alignment) + ", no power of two");
    return nullptr;
  }
  if (h.left_ > 0 || h.all_after_) {
    const int64_t now = --h.left_;
    if (now == 0 || (now < 0 && h.all_after_)) {
      ++h.refused_;
      return nullptr;
    }
  }
  if (bytes > kMost || alignment > kMost) return nullptr;
  const uint64_t lead = std::max(kGuard, alignment);
  const uint64_t total = (lead + bytes + kGuard + lead - 1) / lead * lead;
  auto* base = static_cast<unsigned char*>(std::aligned_alloc(lead, total));
  if (!base) return nullptr;
  std::memset(base, kGuardByte, lead);
  if (bytes < (uint64_t{1} << 24)) std::memset(base + lead, kFreshByte, bytes);
  std::memset(base + lead + bytes, kGuardByte, total - lead - bytes);
  const std::lock_guard lock(h.mutex_);
  h.blocks_[base + lead] = {bytes, lead, base};
  return base + lead;
}

void SimulatedHost::free(const tn_host* host, void* memory, uint64_t bytes) {
  if (!memory) return;
  SimulatedHost& h = self(host);
  Block block{};
  {
    const std::lock_guard lock(h.mutex_);
    const auto found = h.blocks_.find(memory);
    if (found == h.blocks_.end()) {
      if (h.misuse_.empty())
        h.misuse_ = "tn_host.free of memory that is not allocated, or freed already";
      return;
    }
    block = found->second;
    h.blocks_.erase(found);
  }
  if (bytes != block.bytes)
    h.wrong("tn_host.free with " + std::to_string(bytes) + " bytes of a block of " +
            std::to_string(block.bytes));
  const auto* first = static_cast<unsigned char*>(block.base);
  const auto* behind = static_cast<unsigned char*>(memory) + block.bytes;
  const auto guard = [](unsigned char c) { return c == kGuardByte; };
  if (!std::all_of(first, first + block.alignment, guard) ||
      !std::all_of(behind, behind + kGuard, guard))
    h.wrong("bytes around a block of " + std::to_string(block.bytes) + " bytes were overwritten");
  std::free(block.base);
}

// ---- the rest

// The parts one after the other, in an order that a program must not count on.
void SimulatedHost::parallel_for(const tn_host* host, int64_t n, int64_t grain,
                                 void(TN_CALL* body)(void*, int64_t, int64_t), void* user) {
  if (n <= 0) return;
  if (grain < 1) {
    self(host).wrong("parallel_for with a grain of " + std::to_string(grain));
    grain = 1;
  }
  const int64_t grains = (n + grain - 1) / grain, parts = std::min<int64_t>(kThreads, grains);
  for (int64_t k = parts; k-- > 0;) {
    const int64_t begin = grains * k / parts * grain;
    const int64_t end = std::min(n, grains * (k + 1) / parts * grain);
    if (begin < end) body(user, begin, end);
  }
}

void SimulatedHost::fail_at(tn_timeline* timeline, uint64_t value) {
  uint64_t none = 0;
  std::atomic_ref(timeline->failed).compare_exchange_strong(none, value ? value : 1);
}
void SimulatedHost::fail(const tn_host* host, tn_timeline* timeline, uint64_t value,
                         tn_error* error) {
  SimulatedHost& h = self(host);
  {
    const std::lock_guard lock(h.mutex_);
    h.failure_ = message_of(error);
  }
  release_error(error);
  ++h.timeline_failures_;
  fail_at(timeline, value);
}
void SimulatedHost::fail_like(const tn_host* host, tn_timeline* timeline, uint64_t value,
                              const tn_timeline* cause) {
  if (atomic_load(const_cast<tn_timeline*>(cause)->failed) == 0)
    self(host).wrong("fail_like with a timeline that has not failed");
  ++self(host).timeline_failures_;
  fail_at(timeline, value);
}

tn_error* SimulatedHost::find(const tn_host* host, tn_str name, uint32_t since, tn_op* out) {
  const std::string text(name.data ? name.data : "", name.size);
  const auto& f = self(host).find_op;
  if (f && f(text, since, out)) return nullptr;
  const std::string message = "there is no op \"" + text + "\"";
  return make_error(host, TN_NOT_FOUND, {message.data(), message.size()});
}

tn_str SimulatedHost::environment(const tn_host* host, tn_str name) {
  SimulatedHost& h = self(host);
  const std::string key = "TENON_" + std::string(name.data ? name.data : "", name.size);
  const char* value = std::getenv(key.c_str());
  const std::lock_guard lock(h.mutex_);
  const std::string& kept = h.environment_[key] = value ? value : "";
  return {kept.data(), kept.size()};
}

SimulatedHost::SimulatedHost(const HostOptions& options) {
  tn_host full{};
  full.struct_size = options.struct_size;
  full.version = options.version;
  full.impl = this;
  full.error = make_error, full.error_release = release_error;
  full.error_code = code_of, full.error_message = message_of;
  full.allocate = allocate, full.free = free;
  full.log = [](const tn_host*, uint32_t, tn_str) {};
  full.parallel_for = parallel_for;
  full.thread_count = [](const tn_host*) { return kThreads; };
  full.environment = environment;
  full.find_op = find;
  full.fail = fail, full.fail_like = fail_like;

  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  mapped_ = 2 * page;
  pages_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages_ == MAP_FAILED) throw std::bad_alloc();
  auto* behind = static_cast<unsigned char*>(pages_) + page;
  auto* place = behind - options.struct_size;
  std::memset(place, 0xEE, options.struct_size);
  std::memcpy(place, &full, std::min<size_t>(options.struct_size, sizeof full));
  // A host changes nothing in it, and a plugin may not.
  mprotect(pages_, page, PROT_READ);
  mprotect(behind, page, PROT_NONE);
  host_ = reinterpret_cast<tn_host*>(place);
}

SimulatedHost::~SimulatedHost() {
  munmap(pages_, mapped_);
  Known& k = known();
  const std::lock_guard lock(k.mutex);
  std::erase_if(k.owner, [&](const auto& entry) { return entry.second == this; });
  for (const auto& [memory, block] : blocks_) std::free(block.base);
}

}  // namespace tenon::conformance
