// The error contract: what a failing call leaves behind, and that nothing but errors comes out.
#include <cstring>

#include "plugin.hpp"

namespace tenon::conformance {
namespace {

constexpr unsigned char kPoison = 0x5A;

// A call that was made to fail, or tried to.
struct Provoked {
  std::string what;
  tn_code code = TN_OK;
  std::string message;
  bool touched = false;
};
using Sink = std::function<void(const Provoked&)>;

template <class T>
T poisoned() {
  T value;
  std::memset(static_cast<void*>(&value), kPoison, sizeof value);
  return value;
}
template <class T>
bool touched(const T& value, size_t from = 0) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&value);
  for (size_t k = from; k < sizeof value; ++k)
    if (bytes[k] != kPoison) return true;
  return false;
}

class Provoker {
 public:
  Provoker(const Library& library, SimulatedHost& host, Sink sink)
      : library_(library), host_(host), sink_(std::move(sink)) {}

  void run() {
    without_memory();
    OpenPlugin plugin(library_, host_);
    if (library_.device()) devices(plugin);
    if (library_.format()) formats(plugin);
    plugin.close();
  }

 private:
  template <class T, class F>
  bool pointer(const std::string& what, F&& f) {
    auto out = poisoned<T>();
    return done(what, call(what.c_str(), [&] { return f(&out); }), [&] { return touched(out); });
  }
  // Whether it worked.
  bool done(const std::string& what, tn_error* error, const std::function<bool()>& is_touched) {
    Provoked p;
    p.what = what;
    const auto taken = host_.take(error);
    p.code = taken.code, p.message = taken.message;
    if (p.code == TN_OK) return true;
    p.touched = is_touched();
    sink_(p);
    return false;
  }

  void without_memory() {
    host_.fail_allocation(1, true);
    auto state = poisoned<void*>();
    if (done("open without memory",
             call("open", [&] { return library_.info().open(host_.get(), &state); }),
             [&] { return touched(state); }))
      call("close", [&] { library_.info().close(state); });
    host_.fail_allocation(0);
  }

  void devices(OpenPlugin& plugin) {
    const tn_device_vtbl* v = library_.device();
    uint32_t count = 0;
    host_.take(call("count", [&] { return v->count(plugin.state, &count); }));
    for (const uint32_t index : {count + 7, UINT32_MAX}) {
      auto props = poisoned<tn_device_props>();
      props.struct_size = sizeof props;
      done("props of a device that is not there",
           call("props", [&] { return v->props(plugin.state, index, &props); }),
           [&] { return touched(props, sizeof props.struct_size); });
    }
    if (count == 0) return;
    host_.fail_allocation(1, true);
    auto handle = poisoned<void*>();
    if (done("open of a device without memory",
             call("open of the device", [&] { return v->open(plugin.state, 0, &handle); }),
             [&] { return touched(handle); }))
      call("close of the device", [&] { v->close(handle); });
    host_.fail_allocation(0);

    const OpenDevice device(plugin, 0);
    pointer<uint64_t>("allocate of 2^60 bytes", [&](uint64_t* out) {
      return v->allocate(device.handle, uint64_t{1} << 60, out);
    });
    host_.fail_allocation(1, true);
    uint64_t mem = 0;
    auto out = poisoned<uint64_t>();
    if (done("allocate without memory",
             call("allocate", [&] { return v->allocate(device.handle, 4096, &out); }),
             [&] { return touched(out); }))
      mem = out;
    host_.fail_allocation(0);
    if (mem) call("free", [&] { v->free(device.handle, mem, 4096); });
    if (device.has_queues()) queues(device);
  }

  void queues(const OpenDevice& device) {
    BareQueue queue(device);
    done("queue_wait for a value that does not come",
         call("queue_wait",
              [&] { return device.v->queue_wait(queue.native, queue.submitted() + 1, 1'000'000); }),
         [] { return false; });
    if (device.v->queue_native)
      pointer<uint64_t>("queue_native",
                        [&](uint64_t* out) { return device.v->queue_native(queue.native, out); });
  }

  void formats(OpenPlugin& plugin) {
    const tn_format_vtbl* v = library_.format();
    tn_format_limits limits{};
    limits.struct_size = sizeof limits;
    for (const char* path : {"/nowhere/at/all", "", "/"}) {
      auto file = poisoned<void*>();
      if (done(std::string("open of the file \"") + path + "\"",
               call("open of a file",
                    [&] { return v->open(plugin.state, tn_string(path), &limits, &file); }),
               [&] { return touched(file); }))
        call("close of a file", [&] { v->close(file); });
    }
    if (v->save)
      done("save to /nowhere/at/all",
           call("save",
                [&] {
                  return v->save(plugin.state, tn_string("/nowhere/at/all"), nullptr, 0, nullptr,
                                 0);
                }),
           [] { return false; });
  }

  const Library& library_;
  SimulatedHost& host_;
  Sink sink_;
};

void provoke(const Profile& p, const Sink& sink) {
  const Library library(p.path);
  SimulatedHost host;
  Provoker(library, host, sink).run();
}

void check_untouched(const Profile& p, Reporter&) {
  provoke(p, [](const Provoked& c) {
    expect(!c.touched, c.what + " fails, and its out-parameter was written",
           "that out-parameters stay as they are on failure");
  });
}

void check_messages(const Profile& p, Reporter&) {
  provoke(p, [](const Provoked& c) {
    expect(c.code >= 1 && c.code <= TN_INTERNAL,
           c.what + " fails with code " + std::to_string(c.code),
           "one of the codes of tenon/base.h");
    expect(c.message.size() >= 4, c.what + " fails with the message \"" + c.message + "\"",
           "a sentence: what, where, and what to do");
    expect(c.message.size() < 2000,
           c.what + " fails with " + std::to_string(c.message.size()) + " bytes of message",
           "a sentence");
    for (const char ch : c.message)
      expect(static_cast<unsigned char>(ch) >= 0x20 || ch == '\n',
             c.what + " has a control character in its message", "text");
  });
}

void check_released(const Profile& p, Reporter&) {
  const Library library(p.path);
  SimulatedHost host;
  Provoker(library, host, [](const Provoked&) {}).run();
  expect(host.live_errors() == 0,
         std::to_string(host.live_errors()) + " errors were made and never given back",
         "that each is returned or released");
}

void check_services(const Profile& p, Reporter&) {
  const Library library(p.path);
  SimulatedHost host;
  Provoker(library, host, [](const Provoked&) {}).run();
  expect(host.misuse().empty(), host.misuse(), "services used as tenon/plugin/entry.h says");
}

// Every void function as well, where nothing can be reported.
void check_exceptions(const Profile& p, Reporter&) {
  const Library library(p.path);
  SimulatedHost host;
  Provoker(library, host, [](const Provoked&) {}).run();
  OpenPlugin plugin(library, host);
  if (const tn_device_vtbl* v = library.device(); v && p.has_device()) {
    void* device = nullptr;
    host.take(call("open of the device", [&] { return v->open(plugin.state, 0, &device); }));
    uint64_t mem = 0;
    host.take(call("allocate", [&] { return v->allocate(device, 100, &mem); }));
    call("free", [&] { v->free(device, mem, 100); });
    if (v->memory_free)
      host.take(call("memory_free", [&] { return v->memory_free(device, &mem); }));
    if (const tn_kernels_vtbl* k = library.kernels()) {
      const tn_kernel* list = nullptr;
      uint32_t count = 0;
      host.take(call("list of kernels", [&] { return k->list(device, &list, &count); }));
    }
    if (v->queue_create && (p.devices[0].flags & TN_DEVICE_INLINE) == 0) {
      tn_timeline line{};
      void* queue = nullptr;
      host.take(call("queue_create", [&] { return v->queue_create(device, &line, &queue); }));
      call("queue_destroy", [&] { v->queue_destroy(queue); });
    }
    call("close of the device", [&] { v->close(device); });
  }
  if (const tn_format_vtbl* f = library.format())
    for (const uint64_t bytes : {0, 1, 8, 64}) {
      const std::vector<char> head(bytes + 1, '{');
      call("probe", [&] { return f->probe(plugin.state, head.data(), bytes, bytes); });
    }
  plugin.close();
}

// One life of the plugin; an error other than OUT_OF_MEMORY is Wrong.
void small_life(const Profile& p, const Library& library, SimulatedHost& host) {
  OpenPlugin plugin(library, host);
  if (p.has_device()) {
    const OpenDevice device(plugin, 0);
    if (const tn_kernels_vtbl* k = library.kernels()) {
      const tn_kernel* list = nullptr;
      uint32_t count = 0;
      device.ok("list of kernels",
                call("list", [&] { return k->list(device.handle, &list, &count); }));
    }
    BareQueue queue(device);
    const BareBlock one(device, 100), two(device, 70000);
    std::vector<char> bytes(100, 1);
    queue.upload(one.mem, 0, bytes.data(), bytes.size());
    queue.download(bytes.data(), one.mem, 0, bytes.size());
    queue.wait();
  }
  plugin.close();
}

void check_allocation(const Profile& p, Reporter&) {
  const Library library(p.path);
  for (const bool all_after : {false, true})
    for (int64_t n = 1; n < 10000; ++n) {
      SimulatedHost host;
      host.fail_allocation(n, all_after);
      std::string failed;
      try {
        small_life(p, library, host);
      } catch (const Wrong& w) {
        failed = w.what();
      }
      const int64_t refused = host.refused();
      const std::string when = "allocation " + std::to_string(n) + " of the host's memory fails: ";
      if (!failed.empty())
        expect(refused > 0 && failed.find("OUT_OF_MEMORY") != std::string::npos, when + failed,
               "OUT_OF_MEMORY");
      expect(host.live_blocks() == 0,
             when + std::to_string(host.live_blocks()) + " blocks were not given back",
             "that a failing call undoes what it did");
      expect(host.live_errors() == 0, when + "an error was not given back",
             "that each is returned or released");
      expect(host.misuse().empty(), when + host.misuse(), "services used as they should be");
      host.fail_allocation(0);
      if (refused == 0) break;
    }
  SimulatedHost host;
  small_life(p, library, host);
}

}  // namespace

const std::vector<Check> kErrorChecks = {
    {"errors.out_untouched", 0, Kind::all, "a failing call leaves its out-parameters alone",
     "write *out_... last, when nothing can fail any more", check_untouched},
    {"errors.messages", 0, Kind::all, "errors have a code of the ABI and say something",
     "tn_host.error(host, TN_OUT_OF_MEMORY, \"wanted 4096 bytes, 0 are free\")", check_messages},
    {"errors.released", 0, Kind::all, "no error is lost", "return it, or call error_release",
     check_released},
    {"errors.services", 0, Kind::all, "services of the host are used as they should be",
     "free with the bytes asked for, once; write only inside a block", check_services},
    {"errors.exceptions", 0, Kind::all, "no exception leaves a function of the plugin",
     "wrap each in sdk::guard, and let destructors not throw", check_exceptions},
    {"errors.allocation", 0, Kind::all, "the n-th allocation fails, for every n",
     "look at what tn_host.allocate returns; undo the first half of what cannot be finished",
     check_allocation},
};

}  // namespace tenon::conformance
