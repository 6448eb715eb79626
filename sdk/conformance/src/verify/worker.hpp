// What the checks that go through libtenon share in one process: a runtime that has the plugin, and a context on its device.
#pragma once
#include <memory>
#include <string>

#include "check.hpp"
#include "interposer.hpp"
#include "session.hpp"

namespace tenon::conformance {

struct ReleaseRuntime {
  void operator()(tn_runtime* r) const { tn_runtime_release(r); }
};
using RuntimeOwner = std::unique_ptr<tn_runtime, ReleaseRuntime>;

// Finds the plugin first, then all others there are. Throws Wrong if libtenon refuses it.
RuntimeOwner make_runtime(const std::string& plugin);

// Made when it is first asked for: after the fork.
struct Worker {
  std::string plugin, given, device;  // given: the path as it was asked for
  RuntimeOwner runtime;
  std::unique_ptr<Session> session;
  std::unique_ptr<Interposed> interposed;
  std::unique_ptr<Session> watched;

  tn_runtime* get_runtime();
  Session& get_session();
  // A context on the device behind the interposer.
  Session& get_watched();
  void close();
  // The ops whose kernels run in `body`.
  std::vector<std::string> ops_of(const std::function<void()>& body);
};

// A unit that does not need a process of its own, and works in that of the worker.
Unit unit_of(const std::shared_ptr<Worker>& worker, const char* check, int level,
             const char* advice, const std::function<void(Worker&, Reporter&)>& body);

// Milliseconds of one call: the best of several runs of 20 ms.
double time_of(Session& session, tn_op op, const std::vector<tn_tensor*>& inputs,
               const Attrs& attrs);

}  // namespace tenon::conformance
