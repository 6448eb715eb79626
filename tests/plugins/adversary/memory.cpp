#include "memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace tenon::adversary {

namespace {
uint64_t page_bytes() {
  static const auto bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}
}  // namespace

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(value));
  return text;
}

Block::Block(uint64_t handle, uint64_t bytes) : handle_(handle), bytes_(bytes) {
  mapped_ = (bytes + 2 * kAlignment + page_bytes() - 1) / page_bytes() * page_bytes();
  open_.resize(mapped_ / page_bytes());
  void* pages = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED)
    sdk::fail(TN_OUT_OF_MEMORY, "adversary: mmap of ", mapped_, " bytes failed");
  pages_ = static_cast<std::byte*>(pages);
  std::memset(pages_, kGuardByte, kAlignment);
  std::memset(pages_ + kAlignment, kFreshByte, bytes_);
  std::memset(pages_ + kAlignment + bytes_, kGuardByte, mapped_ - kAlignment - bytes_);
  protect(0, open_.size(), false);
}

Block::~Block() { munmap(pages_, mapped_); }

// The pages `first` to before `last`.
void Block::protect(uint64_t first, uint64_t last, bool accessible) {
  mprotect(pages_ + first * page_bytes(), (last - first) * page_bytes(),
           accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
}

void Block::count(uint64_t begin, uint64_t end, int step) {
  if (begin == end) return;
  const std::lock_guard lock(mutex_);
  const uint64_t first = (begin + kAlignment) / page_bytes();
  const uint64_t last = (end + kAlignment - 1) / page_bytes() + 1;
  const auto changes = [&](uint64_t page) { return open_[page] == (step > 0 ? 0 : 1); };
  for (uint64_t page = first;
       page < last;) {  // one call for each run of pages that nobody else has open
    uint64_t stop = page;
    while (stop < last && changes(stop)) ++stop;
    if (stop > page) protect(page, stop, step > 0);
    page = stop > page ? stop : page + 1;
  }
  for (uint64_t page = first; page < last; ++page) open_[page] += step;
}

bool Block::guards_intact() const {
  const auto guard = static_cast<std::byte>(kGuardByte);
  for (uint64_t i = 0; i < kAlignment; ++i) {
    if (pages_[i] != guard) return false;
  }
  for (uint64_t i = kAlignment + bytes_; i < mapped_; ++i) {
    if (pages_[i] != guard) return false;
  }
  return true;
}

bool Block::retire(bool* in_use) {
  const std::lock_guard lock(mutex_);
  *in_use = std::any_of(open_.begin(), open_.end(), [](int n) { return n > 0; });
  protect(0, open_.size(), true);
  const bool intact = guards_intact();
  std::memset(data(), kFreedByte, bytes_);
  if (!*in_use) protect(0, open_.size(), false);
  return intact;
}

uint64_t Memory::allocate(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes == 0) sdk::fail(TN_INTERNAL, "adversary: allocation of 0 bytes");
  if (limit_ != 0 && in_use_ + bytes > limit_) {
    sdk::fail(TN_OUT_OF_MEMORY, "adversary: ", bytes, " bytes asked for, ", limit_ - in_use_,
              " of ", limit_, " are free");
  }
  // Multiplication by an odd number permutes the 48-bit numbers: unique, and far apart. The top byte makes it an address that no
  // x86-64 or AArch64 process can read.
  const uint64_t scattered = ++serial_ * 0x9E3779B97F4A7C15u & 0xFFFFFFFFFFFFu;
  const uint64_t handle = 0xAD00000000000000u | device_ << 48 | scattered;
  blocks_.emplace(handle, std::make_shared<Block>(handle, bytes));
  in_use_ += bytes;
  return handle;
}

std::string Memory::free(uint64_t handle, uint64_t bytes) {
  std::shared_ptr<Block> block;
  {
    const std::lock_guard lock(mutex_);
    const auto found = blocks_.find(handle);
    if (found == blocks_.end()) {
      return (freed_.count(handle) ? "free of the already freed " : "free of the unknown ") +
             hex(handle);
    }
    block = std::move(found->second);
    blocks_.erase(found);
    freed_.emplace(handle, block->bytes());
    in_use_ -= block->bytes();
  }
  bool in_use = false;
  const bool intact = block->retire(&in_use);
  if (in_use) return "free of " + hex(handle) + " while a command uses it";
  if (!intact) return "bytes around " + hex(handle) + " were overwritten";
  if (bytes != block->bytes()) {
    return sdk::text("free of ", hex(handle), " with ", bytes, " bytes, allocated with ",
                     block->bytes());
  }
  return {};
}

uint64_t Memory::bytes_free() const {
  const std::lock_guard lock(mutex_);
  return (limit_ ? limit_ : uint64_t{1} << 40) - in_use_;
}

size_t Memory::live() const {
  const std::lock_guard lock(mutex_);
  return blocks_.size();
}

std::shared_ptr<Block> Memory::find(uint64_t handle, const std::string& what) const {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(handle);
  if (found != blocks_.end()) return found->second;
  sdk::fail(TN_INTERNAL, "adversary: ", what, " uses the ",
            freed_.count(handle) ? "freed" : "unknown", " handle ", hex(handle));
}

OpenBlock Memory::open(uint64_t handle, int64_t begin, int64_t end, const std::string& what) const {
  std::shared_ptr<Block> block = find(handle, what);
  if (begin < 0 || end < begin || static_cast<uint64_t>(end) > block->bytes()) {
    sdk::fail(TN_INTERNAL, "adversary: ", what, " spans bytes ", begin, "..", end, " of ",
              hex(handle), ", which has ", block->bytes());
  }
  return OpenBlock(std::move(block), static_cast<uint64_t>(begin), static_cast<uint64_t>(end));
}

}  // namespace tenon::adversary
