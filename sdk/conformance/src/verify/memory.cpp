// Raw memory of each device, without libtenon: places, copies with guard bytes, limits.
#include <algorithm>
#include <cstring>
#include <map>

#include "plugin.hpp"
#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

using Bytes = std::vector<unsigned char>;

constexpr unsigned char kGuard = 0xC5;

Bytes pattern(size_t n, uint64_t seed) {
  Rng rng(seed);
  Bytes out(n);
  for (unsigned char& c : out) c = static_cast<unsigned char>(rng.next());
  return out;
}

// `body` on every device of the plugin, at most four.
void on_devices(const Profile& p, Reporter& r,
                const std::function<void(const OpenDevice& device)>& body) {
  const Library library(p.path);
  for (uint32_t k = 0; k < p.devices.size() && k < 4; ++k)
    r.attempt(p.devices[k].name, [&] {
      SimulatedHost host;
      {
        OpenPlugin plugin(library, host);
        const OpenDevice device(plugin, k);
        body(device);
      }
      expect(host.misuse().empty(), host.misuse(), "services used as tenon/plugin/entry.h says");
    });
}

Bytes read_back(BareQueue& queue, uint64_t mem, uint64_t offset, size_t n) {
  Bytes out(n + 16, kGuard);
  queue.download(out.data() + 8, mem, offset, n);
  queue.wait();
  const auto guard = [](unsigned char c) { return c == kGuard; };
  expect(std::all_of(out.begin(), out.begin() + 8, guard) &&
             std::all_of(out.end() - 8, out.end(), guard),
         "download of " + std::to_string(n) + " bytes writes outside its target",
         "exactly so many bytes");
  return Bytes(out.begin() + 8, out.end() - 8);
}

std::string first_difference(const Bytes& got, const Bytes& expected) {
  const auto at = std::mismatch(got.begin(), got.end(), expected.begin()).first - got.begin();
  return "byte " + std::to_string(at) + " is " + std::to_string(got[static_cast<size_t>(at)]) +
         ", not " + std::to_string(expected[static_cast<size_t>(at)]);
}

void check_allocate(const Profile& p, Reporter& r) {
  on_devices(p, r, [](const OpenDevice& d) {
    const uint64_t alignment = d.props.alignment;
    expect(alignment >= 64 && (alignment & (alignment - 1)) == 0,
           "props.alignment " + std::to_string(alignment), "a power of two, at least 64");
    std::vector<std::unique_ptr<BareBlock>> blocks;
    std::map<uint64_t, uint64_t> ranges;
    for (const uint64_t bytes : {1ull, 63ull, 64ull, 65ull, 4097ull, 1ull << 20, 3ull << 20})
      for (int again = 0; again < 2; ++again) {
        blocks.push_back(std::make_unique<BareBlock>(d, bytes));
        const uint64_t mem = blocks.back()->mem;
        if (d.host_memory())
          expect(mem % alignment == 0,
                 "a block of " + std::to_string(bytes) + " bytes at an address not aligned to " +
                     std::to_string(alignment),
                 "blocks aligned as props says");
        expect(ranges.emplace(mem, bytes).second, "the same mem for two live blocks",
               "a mem for each");
      }
    if (!d.host_memory()) return;
    uint64_t end = 0;
    for (const auto& [mem, bytes] : ranges) {
      expect(mem >= end, "two live blocks overlap", "memory of their own");
      end = mem + bytes;
    }
  });
}

// Copies at odd places: what lies around them stays.
void check_copy(const Profile& p, Reporter& r) {
  on_devices(p, r, [](const OpenDevice& d) {
    BareQueue queue(d);
    constexpr size_t kBytes = 70001;
    const BareBlock block(d, kBytes);
    Bytes image = pattern(kBytes, 1);
    queue.upload(block.mem, 0, image.data(), kBytes);
    expect(read_back(queue, block.mem, 0, kBytes) == image, "a block reads back otherwise",
           "what was uploaded");
    const std::pair<size_t, size_t> places[] = {
        {0, 1},     {1, 1},       {3, 5},          {63, 2},           {64, 64},  {127, 4099},
        {255, 257}, {4095, 4097}, {kBytes - 1, 1}, {kBytes - 33, 33}, {7, 60001}};
    uint64_t seed = 2;
    for (const auto& [offset, bytes] : places) {
      const Bytes part = pattern(bytes, seed++);
      queue.upload(block.mem, offset, part.data(), bytes);
      std::copy(part.begin(), part.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
      const std::string what = std::to_string(bytes) + " bytes at offset " + std::to_string(offset);
      const Bytes got = read_back(queue, block.mem, offset, bytes);
      if (got != part)
        throw Wrong("upload and download of " + what + ": " + first_difference(got, part),
                    "what was uploaded");
      const Bytes all = read_back(queue, block.mem, 0, kBytes);
      if (all != image)
        throw Wrong("upload of " + what + " changes others: " + first_difference(all, image),
                    "that the bytes around stay");
    }
  });
}

void check_zero_size(const Profile& p, Reporter& r) {
  on_devices(p, r, [](const OpenDevice& d) {
    BareQueue queue(d);
    const BareBlock block(d, 256);
    const Bytes image = pattern(256, 9);
    queue.upload(block.mem, 0, image.data(), 256);
    queue.upload(block.mem, 0, image.data(), 0);
    queue.upload(block.mem, 256, image.data(), 0);
    unsigned char nothing = kGuard;
    queue.download(&nothing, block.mem, 17, 0);
    queue.wait();
    expect(nothing == kGuard, "a download of 0 bytes wrote", "that it does nothing");
    expect(read_back(queue, block.mem, 0, 256) == image, "an upload of 0 bytes wrote",
           "that it does nothing");
  });
}

void check_too_large(const Profile& p, Reporter& r) {
  on_devices(p, r, [](const OpenDevice& d) {
    for (const uint64_t bytes : {uint64_t{1} << 56, uint64_t{1} << 63, UINT64_MAX}) {
      uint64_t mem = 0;
      const auto result =
          d.host.take(call("allocate", [&] { return d.v->allocate(d.handle, bytes, &mem); }));
      expect(result.code == TN_OUT_OF_MEMORY,
             "allocate of " + std::to_string(bytes) +
                 " bytes: " + (result.code == TN_OK ? "no error" : tn_code_name(result.code)),
             "OUT_OF_MEMORY, which makes the core trim its cache and ask again");
    }
    BareQueue queue(d);
    const BareBlock block(d, 64);
    const Bytes image = pattern(64, 3);
    queue.upload(block.mem, 0, image.data(), 64);
    expect(read_back(queue, block.mem, 0, 64) == image, "the device is spoilt afterwards",
           "that it goes on");
  });
}

void check_reuse(const Profile& p, Reporter& r) {
  on_devices(p, r, [](const OpenDevice& d) {
    BareQueue queue(d);
    int64_t live = 0;
    const Bytes image = pattern(1 << 16, 4);
    for (int k = 0; k < 300; ++k) {
      const BareBlock block(d, image.size());
      queue.upload(block.mem, 0, image.data(), image.size());
      queue.wait();
      if (k == 20) live = d.host.live_blocks();
      if (k > 20)
        expect(d.host.live_blocks() <= live,
               "blocks of the host pile up: " + std::to_string(d.host.live_blocks() - live) +
                   " more after " + std::to_string(k - 20) + " rounds",
               "that free gives memory back");
    }
    if (!d.v->memory_free) return;
    uint64_t free = 0;
    d.ok("memory_free", call("memory_free", [&] { return d.v->memory_free(d.handle, &free); }));
    if (d.props.memory_bytes != 0)
      expect(free <= d.props.memory_bytes,
             "memory_free says " + std::to_string(free) + " of " +
                 std::to_string(d.props.memory_bytes),
             "at most all of it");
  });
}

// Host memory may be reused when upload returns.
void check_staging(const Profile& p, Reporter& r) {
  on_devices(p, r, [](const OpenDevice& d) {
    BareQueue queue(d);
    const Bytes first = pattern(1 << 18, 5);
    const BareBlock block(d, first.size());
    for (int k = 0; k < 8; ++k) {
      Bytes source = first;
      queue.upload(block.mem, 0, source.data(), source.size());
      std::fill(source.begin(), source.end(), static_cast<unsigned char>(k));
      const Bytes got = read_back(queue, block.mem, 0, first.size());
      if (got != first)
        throw Wrong("what the host wrote after upload had returned is on the device: " +
                        first_difference(got, first),
                    "a copy of what was there at the call");
    }
  });
}

}  // namespace

const std::vector<Check> kMemoryChecks = {
    {"memory.allocate", 0, Kind::backend, "blocks are aligned, and none overlaps another",
     "allocate at least the bytes asked for, aligned to props.alignment", check_allocate},
    {"memory.copy", 0, Kind::backend, "uploads and downloads at odd places, with guard bytes",
     "copy `bytes` bytes from mem + offset, whatever their alignment", check_copy},
    {"memory.zero_size", 0, Kind::backend, "copies of no bytes do nothing",
     "return early where bytes is 0; on a queue the command still counts", check_zero_size},
    {"memory.too_large", 0, Kind::backend, "absurd sizes are OUT_OF_MEMORY",
     "compare with what is there before adding to a size", check_too_large},
    {"memory.reuse", 0, Kind::backend, "freed memory can be had again", "give it back in free",
     check_reuse},
    {"memory.staging", 0, Kind::backend, "the source of an upload may change once it returns",
     "copy the bytes in upload, before it returns", check_staging},
};

}  // namespace tenon::conformance
