// The kit's own host: what libtenon lends to a plugin, with books about every error and block, services that can be made to fail,
// and a table that ends where its struct_size says.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tenon/plugin/device.h"

namespace tenon::conformance {

struct HostOptions {
  uint32_t version = TENON_VERSION;
  uint32_t struct_size = sizeof(
      tn_host);  // what lies behind is a page that nobody may touch, or, of a larger table, ones
};

class SimulatedHost {
 public:
  explicit SimulatedHost(const HostOptions& options = {});
  ~SimulatedHost();
  SimulatedHost(const SimulatedHost&) = delete;
  SimulatedHost& operator=(const SimulatedHost&) = delete;

  const tn_host* get() const { return host_; }

  // The n-th allocation from now on (from 1) gets nothing, and with `all_after` none that follow; 0: all are served.
  void fail_allocation(int64_t n, bool all_after = false);
  int64_t refused() const { return refused_; }  // since then
  int64_t live_blocks() const;
  int64_t live_errors() const;
  // Failures of timelines by fail and fail_like.
  int64_t timeline_failures() const { return timeline_failures_; }
  std::string last_failure() const;  // the message of the last one
  // The first thing that a plugin did wrong with a service, "" so far.
  std::string misuse() const;

  // Takes over what a plugin returned. TN_OK for null.
  struct Taken {
    tn_code code = TN_OK;
    std::string message;
  };
  Taken take(tn_error* error);

  // Where ops are looked up; empty: there are none.
  std::function<bool(const std::string& name, uint32_t since, tn_op* out)> find_op;

 private:
  struct Error {
    tn_code code;
    std::string message;
  };
  struct Block {
    uint64_t bytes, alignment;
    void* base;
  };
  static SimulatedHost& self(const tn_host* host) {
    return *static_cast<SimulatedHost*>(host->impl);
  }
  static tn_error* TN_CALL make_error(const tn_host* host, tn_code code, tn_str message);
  static void TN_CALL release_error(tn_error* error);
  static tn_code TN_CALL code_of(const tn_error* error);
  static const char* TN_CALL message_of(const tn_error* error);
  static void* TN_CALL allocate(const tn_host* host, uint64_t bytes, uint64_t alignment);
  static void TN_CALL free(const tn_host* host, void* memory, uint64_t bytes);
  static void TN_CALL parallel_for(const tn_host* host, int64_t n, int64_t grain,
                                   void(TN_CALL* body)(void*, int64_t, int64_t), void* user);
  static void TN_CALL fail(const tn_host* host, tn_timeline* timeline, uint64_t value,
                           tn_error* error);
  static void TN_CALL fail_like(const tn_host* host, tn_timeline* timeline, uint64_t value,
                                const tn_timeline* cause);
  static tn_error* TN_CALL find(const tn_host* host, tn_str name, uint32_t since, tn_op* out);
  static tn_str TN_CALL environment(const tn_host* host, tn_str name);
  void wrong(const std::string& what);
  static void fail_at(tn_timeline* timeline, uint64_t value);

  tn_host* host_ = nullptr;
  void* pages_ = nullptr;
  size_t mapped_ = 0;
  mutable std::mutex mutex_;
  std::map<void*, Block> blocks_;
  std::map<std::string, std::string> environment_;
  std::string misuse_, failure_;
  std::atomic<int64_t> left_{0}, refused_{0}, timeline_failures_{0};
  std::atomic<bool> all_after_{false};
};

}  // namespace tenon::conformance
