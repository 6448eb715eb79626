#include "allocator.hpp"

#include <algorithm>

#include "device.hpp"

namespace tenon {
namespace {

constexpr uint64_t kChunkBytes = 2 << 20;
constexpr uint64_t kFirstChunkBytes = 128 << 10;  // who computes little has no huge page to clear
constexpr uint64_t kSmall = 256 << 10;            // up to here blocks are carved from chunks

std::string size_text(uint64_t b) {
  const int unit = (b >= 1ull << 10) + (b >= 1ull << 20) + (b >= 1ull << 30);
  if (unit == 0) return fmt::format("{} bytes", b);
  const uint64_t tenths = ((b >> (10 * unit - 10)) * 10 + 512) >> 10;
  return fmt::format("{}.{} {}iB", tenths / 10, tenths % 10, "?KMG"[unit]);
}

}  // namespace

Allocator::~Allocator() { close(); }

void Allocator::close() {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = true;
  deferred_.clear();
  for (auto& list : free_) list.clear();
  for (Chunk& c : chunks_)
    if (c.mem) give_back(c.mem, c.bytes);
  for (auto& [mem, bytes] : own_blocks_) give_back(mem, bytes);
  own_blocks_.clear();
}

void Allocator::give_back(uint64_t mem, uint64_t bytes) noexcept {
  quietly([&] { device_.vtbl->free(device_.handle, mem, bytes); });
}

uint64_t Allocator::raw(uint64_t bytes) {
  if (limit_ && reserved_ + bytes > limit_) return 0;
  uint64_t mem = 0;
  tn_error* e =
      call_plugin("allocate", [&] { return device_.vtbl->allocate(device_.handle, bytes, &mem); });
  ++raw_calls_;
  if (!e) {
    reserved_ += bytes;
    return mem;
  }
  Error error(e);
  if (error.code() != TN_OUT_OF_MEMORY) throw error;
  return 0;
}

void Allocator::put(uint32_t cls, Place place) {
  free_[cls].push_back(place);  // may throw: then nothing has changed
  if (place.chunk) --chunks_[place.chunk - 1].live;
}

void Allocator::collect() {
  const auto waits = [](const Deferred& d) {
    for (auto& [q, value] : d.until)
      if (!q->done(value)) return true;
    return false;
  };
  // One by one, so that each block is in one list when putting it back throws.
  for (size_t i = 0; i < deferred_.size();) {
    Deferred& d = deferred_[i];
    if (waits(d)) {
      ++i;
      continue;
    }
    put(d.cls, d.place);
    if (&d != &deferred_.back()) d = std::move(deferred_.back());
    deferred_.pop_back();
  }
}

bool Allocator::take(uint32_t cls, Place& out) {
  auto& list = free_[cls];
  if (list.empty()) return false;
  out = list.back();
  list.pop_back();
  if (out.chunk) ++chunks_[out.chunk - 1].live;
  return true;
}

bool Allocator::carve(uint32_t cls, Place& out) {
  const uint64_t step =
      (class_bytes(cls) + device_.alignment - 1) / device_.alignment * device_.alignment;
  if (step <= kSmall) {
    for (size_t i = open_.size(); i-- > 0;) {
      Chunk& c = chunks_[open_[i]];
      if (c.used + step <= c.bytes) {
        out = {c.mem, c.used, open_[i] + 1};
        c.used += step;
        ++c.live;
        return true;
      }
      if (c.bytes - c.used < 4096) open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    chunks_.reserve(chunks_.size() + 1);  // what can throw comes before there is memory to lose
    open_.reserve(open_.size() + 1);
    const bool few = chunks_.empty() && step <= kFirstChunkBytes;
    const uint64_t bytes = few ? kFirstChunkBytes : kChunkBytes, mem = raw(bytes);
    if (mem) {
      uint32_t slot = 0;
      while (slot < chunks_.size() && chunks_[slot].mem) ++slot;
      if (slot == chunks_.size()) chunks_.emplace_back();
      chunks_[slot] = {mem, bytes, step, 1};
      open_.push_back(slot);
      out = {mem, 0, slot + 1};
      return true;
    }
  }
  const uint64_t mem = raw(step);
  if (!mem) return false;
  try {
    own_blocks_.emplace(mem, step);
  } catch (...) {
    give_back(mem, step);
    reserved_ -= step;
    throw;
  }
  out = {mem, 0, 0};
  return true;
}

void Allocator::out_of_memory(uint64_t bytes, const std::string& what) {
  const std::string limit = limit_ ? fmt::format(" over a limit of {}", size_text(limit_)) : "";
  std::string largest;
  int shown = 0;
  for (uint32_t cls = kSizeClasses; cls-- > 0 && shown < 3;) {
    if (!live_of_[cls]) continue;
    largest += fmt::format("{}{} of {}", shown++ ? ", " : " Largest: ", live_of_[cls],
                           size_text(class_bytes(cls)));
  }
  if (shown) largest += '.';
  fail(TN_OUT_OF_MEMORY,
       "out of memory on {}: wanted {} ({}){}; {} are in use by {} blocks, {} are reserved.{}",
       device_.name, size_text(bytes), what, limit, size_text(live_), live_blocks_,
       size_text(reserved_), largest);
}

Buffer* Allocator::allocate(uint64_t bytes, Queue* home, const std::string& what) {
  const uint32_t cls = size_class(bytes);
  auto* b = new Buffer;
  try {
    std::lock_guard lock(mutex_);
    if (device_.max_block && class_bytes(cls) > device_.max_block)
      fail(TN_OUT_OF_MEMORY,
           "out of memory on {}: wanted {} ({}) but the largest block there is {}", device_.name,
           size_text(bytes), what, size_text(device_.max_block));
    Place p{};
    if (!deferred_.empty()) collect();
    if (!take(cls, p) && !carve(cls, p)) {
      trim_locked();
      if (!carve(cls, p)) {
        // What queues still use may come free: wait for it before giving up.
        for (auto& d : deferred_)
          for (auto& [q, value] : d.until) queue_wait(q, value, TN_FOREVER, nullptr);
        collect();
        if (!take(cls, p)) {
          trim_locked();
          if (!carve(cls, p)) out_of_memory(bytes, what);
        }
      }
    }
    ++served_;
    ++live_blocks_;
    ++live_of_[cls];
    live_ += class_bytes(cls);
    const uint64_t in_use =
        live_ - std::min<uint64_t>(live_, static_cast<uint64_t>(std::max<int64_t>(
                                              0, idle_.load(std::memory_order_relaxed))));
    peak_ = std::max(peak_, in_use);
    b->size_class = cls;
    b->device = &device_;
    b->allocator = this;
    b->mem = p.mem;
    b->offset = p.offset;
    b->bytes = class_bytes(cls);
    b->home = home;
    b->user = reinterpret_cast<void*>(static_cast<uintptr_t>(p.chunk));
  } catch (...) {
    delete b;
    throw;
  }
  return b;
}

void Allocator::free(Buffer* b) noexcept {
  try {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    const Place place{b->mem, b->offset,
                      static_cast<uint32_t>(reinterpret_cast<uintptr_t>(b->user))};
    live_ -= class_bytes(b->size_class);
    --live_blocks_;
    --live_of_[b->size_class];
    Deferred d{b->size_class, place, {}};
    if (b->home && !b->home->done(b->home->submitted()))
      d.until.emplace_back(b->home, b->home->submitted());
    uint64_t readers = b->readers.load(std::memory_order_acquire);
    while (readers) {
      Queue* q = device_.queue_at(static_cast<uint32_t>(__builtin_ctzll(readers)));
      readers &= readers - 1;
      if (q && !q->done(q->submitted())) d.until.emplace_back(q, q->submitted());
    }
    if (d.until.empty())
      put(b->size_class, place);
    else
      deferred_.push_back(std::move(d));
  } catch (...) {  // no memory for the list: the block is lost to the cache, not to correctness
  }
}

void Allocator::adopt(const Buffer& b) {
  const std::lock_guard lock(mutex_);
  ++served_;
  quietly([&] {  // without memory to note it, it lives uncounted
    own_blocks_.emplace(b.mem, b.bytes);
    ++live_blocks_;
    live_ += b.bytes;
    peak_ = std::max(peak_, live_);
  });
}

void Allocator::give_up(Buffer& b, bool consumed) noexcept {
  const uint64_t mem = std::exchange(b.mem, 0);
  if (!mem) return;
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (own_blocks_.erase(mem)) --live_blocks_, live_ -= b.bytes;
  if (!consumed) give_back(mem, b.bytes);
}

void Allocator::trim_locked() {
  for (uint32_t c = 0; c < kSizeClasses; ++c) {
    std::erase_if(free_[c], [&](const Place& p) {
      if (p.chunk) return chunks_[p.chunk - 1].live == 0;
      const uint64_t step =
          (class_bytes(c) + device_.alignment - 1) / device_.alignment * device_.alignment;
      give_back(p.mem, step);
      own_blocks_.erase(p.mem);
      reserved_ -= step;
      return true;
    });
  }
  for (uint32_t i = 0; i < chunks_.size(); ++i) {
    Chunk& c = chunks_[i];
    if (!c.mem || c.live) continue;
    give_back(c.mem, c.bytes);
    reserved_ -= c.bytes;
    c = Chunk{};
    std::erase(open_, i);
  }
}

void Allocator::trim() {
  std::lock_guard lock(mutex_);
  collect();
  trim_locked();
}

tn_memory_stats Allocator::stats() {
  std::lock_guard lock(mutex_);
  collect();
  tn_memory_stats s = tn_memory_stats_init();
  const auto idle =
      static_cast<uint64_t>(std::max<int64_t>(0, idle_.load(std::memory_order_relaxed)));
  s.live_blocks = live_blocks_;
  s.live_bytes = live_ - std::min(live_, idle);
  s.reserved_bytes = reserved_;
  s.peak_bytes = std::max(peak_, s.live_bytes);
  s.limit_bytes = limit_;
  s.allocation_count = served_;
  s.device_allocation_count = raw_calls_;
  return s;
}

void Allocator::reset_peak() {
  std::lock_guard lock(mutex_);
  peak_ = 0;
}

void Allocator::set_limit(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  limit_ = bytes;
}

}  // namespace tenon
