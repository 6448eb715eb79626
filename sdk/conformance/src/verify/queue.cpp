// Queues of each device, without libtenon: order, completion, waits between them, failure.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "plugin.hpp"

namespace tenon::conformance {
namespace {

using Words = std::vector<uint32_t>;

constexpr size_t kLarge = 1 << 20;  // words of a block that takes a while to copy
constexpr uint64_t kMillisecond = 1'000'000;

void on_queues(const Profile& p, Reporter& r,
               const std::function<void(const OpenDevice& device)>& body) {
  const Library library(p.path);
  for (uint32_t k = 0; k < p.devices.size() && k < 2; ++k) {
    if ((p.devices[k].flags & TN_DEVICE_INLINE) != 0) continue;
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
  if (r.count() == 0) r.pass("no queues: every device is inline");
}

uint64_t put(BareQueue& q, const BareBlock& b, const Words& words) {
  return q.upload(b.mem, 0, words.data(), words.size() * 4);
}
uint64_t get(BareQueue& q, const BareBlock& b, Words& words) {
  return q.download(words.data(), b.mem, 0, words.size() * 4);
}

void check_order(const Profile& p, Reporter& r) {
  on_queues(p, r, [](const OpenDevice& d) {
    BareQueue q(d);
    const BareBlock block(d, kLarge * 4);
    for (uint32_t round = 0; round < 4; ++round) {
      put(q, block, Words(kLarge, round));
      put(q, block, Words(3, round + 100));
      Words got(kLarge);
      get(q, block, got);
      put(q, block, Words(kLarge, 999));
      q.wait();
      expect(got[0] == round + 100 && got[2] == round + 100,
             "a later upload is overtaken: found " + std::to_string(got[0]),
             std::to_string(round + 100) + ": commands of a queue run in order");
      expect(got[3] == round && got[kLarge - 1] == round,
             "found " + std::to_string(got[kLarge - 1]) + " at the end",
             std::to_string(round) + ": commands of a queue run in order");
    }
  });
}

void check_completion(const Profile& p, Reporter& r) {
  on_queues(p, r, [](const OpenDevice& d) {
    BareQueue q(d);
    const BareBlock block(d, kLarge * 4);
    uint64_t seen = 0;
    for (uint32_t k = 1; k <= 40; ++k) {
      Words word(1);
      put(q, block, Words(1000, k));
      const uint64_t value = get(q, block, word);
      const uint64_t now = q.completed();
      expect(now <= value,
             "completed is " + std::to_string(now) + ", submitted " + std::to_string(value),
             "no value that was not submitted");
      expect(now >= seen, "completed goes back from " + std::to_string(seen), "that it only grows");
      seen = now;
      if (k % 4 != 0) continue;
      q.wait(value);
      expect(word[0] == k,
             "after the wait the download has " + std::to_string(word[0]) + " instead of " +
                 std::to_string(k),
             "that completed is stored when the command is done, not before");
      expect(q.completed() == value, "completed is " + std::to_string(q.completed()),
             std::to_string(value) + ", the last command's value");
    }
  });
}

// Large downloads: a value stored too early shows as old bytes.
void check_published(const Profile& p, Reporter& r) {
  on_queues(p, r, [](const OpenDevice& d) {
    BareQueue q(d);
    const BareBlock block(d, kLarge * 4);
    for (uint32_t round = 1; round <= 10; ++round) {
      put(q, block, Words(kLarge, round));
      Words got(kLarge, 0);
      const uint64_t value = get(q, block, got);
      // The core looks at the timeline alone where it can; a little pressure lets held work go.
      const auto start = std::chrono::steady_clock::now();
      while (q.completed() < value) {
        if (std::chrono::steady_clock::now() - start > std::chrono::milliseconds(50)) q.wait(value);
      }
      const auto stale =
          std::find_if(got.rbegin(), got.rend(), [&](uint32_t w) { return w != round; });
      expect(stale == got.rend(), "completed is stored while the command still writes",
             "release order: everything is written before the value is seen");
    }
  });
}

void check_timeout(const Profile& p, Reporter& r) {
  on_queues(p, r, [](const OpenDevice& d) {
    BareQueue q(d);
    const BareBlock block(d, 64);
    put(q, block, Words(4, 1));
    q.wait();
    q.wait(0);
    // Of a command that does not come.
    const auto start = std::chrono::steady_clock::now();
    const auto result = d.host.take(call("queue_wait", [&] {
      return d.v->queue_wait(q.native, q.submitted() + 1, 20 * kMillisecond);
    }));
    const auto took = std::chrono::steady_clock::now() - start;
    expect(result.code == TN_DEADLINE_EXCEEDED,
           std::string("a wait of 20 ms for a value that does not come gives ") +
               (result.code == TN_OK ? "no error" : tn_code_name(result.code)),
           "DEADLINE_EXCEEDED");
    expect(took < std::chrono::seconds(5), "it came back after more than 5 s", "about 20 ms");
    put(q, block, Words(4, 2));
    q.wait();
  });
}

// What b does after a wait for a sees what a did; and b is not done before a is.
void check_event(const Profile& p, Reporter& r) {
  on_queues(p, r, [](const OpenDevice& d) {
    if (!d.v->queue_wait_for)
      throw Unsupported("queue_wait_for is left out: the core waits itself");
    BareQueue a(d), b(d);
    const BareBlock block(d, kLarge * 4);
    for (uint32_t round = 1; round <= 12; ++round) {
      for (uint32_t k = 0; k < 3; ++k) put(a, block, Words(kLarge, k));
      const uint64_t last = put(a, block, Words(kLarge, 1000 + round));
      const uint64_t waited = b.wait_for(a, last);
      Words got(kLarge, 7);
      get(b, block, got);
      for (bool done = false; !done;) {
        const bool b_past = b.completed() >= waited;
        const bool a_there = a.completed() >= last;
        expect(!b_past || a_there,
               "the wait for value " + std::to_string(last) + " is over at " +
                   std::to_string(a.completed()),
               "that later commands start after it");
        done = b_past;
        if (!done) d.host.take(d.v->queue_wait(b.native, b.submitted(), kMillisecond / 10));
      }
      b.wait();
      const bool right =
          std::all_of(got.begin(), got.end(), [&](uint32_t w) { return w == 1000 + round; });
      expect(right, "a command behind a wait read old bytes",
             "what the other queue wrote up to the value");
      a.wait();
    }
    // A value that was reached long ago.
    const uint64_t done = a.submitted();
    b.wait_for(a, done);
    b.wait();
  });
}

void check_failure(const Profile& p, Reporter& r) {
  on_queues(p, r, [](const OpenDevice& d) {
    const BareBlock block(d, 64);
    {
      BareQueue good(d);
      put(good, block, Words(4, 11));
      good.wait();
    }
    BareQueue q(d);
    put(q, block, Words(4, 12));
    q.wait();
    q.set_failed(q.submitted() + 1);
    const uint64_t value = put(q, block, Words(4, 13));
    q.wait(value);  // completes all the same
    BareQueue other(d);
    Words got(4);
    get(other, block, got);
    other.wait();
    expect(got[0] == 12, "a command after a failure did its work: found " + std::to_string(got[0]),
           "12: after tn_timeline.failed commands are skipped, and completed");
  });
}

void check_failure_crosses(const Profile& p, Reporter& r) {
  on_queues(p, r, [](const OpenDevice& d) {
    if (!d.v->queue_wait_for)
      throw Unsupported("queue_wait_for is left out: the core waits itself");
    const BareBlock block(d, 64);
    BareQueue a(d), b(d), c(d);
    put(b, block, Words(4, 21));
    b.wait();
    const uint64_t early = put(a, block, Words(4, 21));
    a.wait();
    a.set_failed(early + 1);
    const uint64_t value = put(a, block, Words(4, 22));
    a.wait(value);
    c.wait_for(a, early);  // of before the failure
    c.wait();
    expect(c.failed() == 0, "a wait for a value before the failure fails",
           "that only what depends on the failure fails");
    b.wait_for(a, value);
    put(b, block, Words(4, 23));
    b.wait();
    expect(b.failed() != 0, "a queue that waited for a failed one goes on",
           "that it fails too: tn_host.fail_like");
  });
}

void check_threads(const Profile& p, Reporter& r) {
  on_queues(p, r, [](const OpenDevice& d) {
    std::vector<std::thread> threads;
    std::vector<std::string> wrong(4);
    for (uint32_t t = 0; t < wrong.size(); ++t)
      threads.emplace_back([&, t] {
        try {
          BareQueue q(d);
          const BareBlock block(d, 4096 * 4);
          for (uint32_t k = 0; k < 30; ++k) {
            put(q, block, Words(4096, t * 1000 + k));
            Words got(4096);
            get(q, block, got);
            q.wait();
            for (const uint32_t w : got)
              if (w != t * 1000 + k) throw Wrong("a queue got another one's bytes", "its own");
          }
        } catch (const std::exception& e) {
          wrong[t] = e.what();
        }
      });
    for (std::thread& t : threads) t.join();
    for (const std::string& w : wrong)
      expect(w.empty(), "four queues in four threads: " + w, "that each works by itself");
  });
}

}  // namespace

const std::vector<Check> kQueueChecks = {
    {"queue.order", 0, Kind::backend, "commands of a queue run in order",
     "let no command start before the one before it is done", check_order},
    {"queue.completion", 0, Kind::backend, "completed grows to what was submitted, never beyond",
     "store the command's value to timeline->completed, with release order, when it is done",
     check_completion},
    {"queue.published", 0, Kind::backend, "completed is stored after the bytes are there",
     "write first, then store with memory_order_release", check_published},
    {"queue.timeout", 0, Kind::backend, "a wait ends at its deadline",
     "return DEADLINE_EXCEEDED when timeout_ns is over", check_timeout, 20},
    {"queue.event", 0, Kind::backend, "a wait between queues holds back what follows",
     "start no later command of the queue before the other timeline's value is completed",
     check_event, 30},
    {"queue.failure", 0, Kind::backend, "after a failure commands are skipped, and complete",
     "look at timeline->failed before each command", check_failure},
    {"queue.failure_crosses", 0, Kind::backend, "a failure goes to queues that waited for it",
     "call host->fail_like when the value waited for had failed", check_failure_crosses},
    {"queue.threads", 0, Kind::backend, "queues in several threads at once",
     "guard what queues share", check_threads},
};

}  // namespace tenon::conformance
