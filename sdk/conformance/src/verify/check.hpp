// What a check is, and what it says.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tenon/conformance/verify.hpp"

namespace tenon::conformance {

// A check that did not hold: ends the check's body.
struct Wrong : std::runtime_error {
  Wrong(std::string what_found, std::string what_expected, std::string what_to_do = "")
      : std::runtime_error(what_found + "; expected " + what_expected),
        found(std::move(what_found)),
        expected(std::move(what_expected)),
        advice(std::move(what_to_do)) {}
  std::string found, expected, advice;  // advice "": the check's
};
// The plugin says that it does not do this.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};
inline void expect(bool holds, const std::string& found, const std::string& expected) {
  if (!holds) throw Wrong(found, expected);
}

// What there is in a plugin, as its library says.
struct DeviceProfile {
  std::string name;  // "cpu:0"
  uint32_t flags = 0;
};
struct Profile {
  std::string path, id, version;
  std::vector<std::string> interfaces;
  std::vector<DeviceProfile> devices;
  std::vector<std::string> ops, optimizers;
  std::vector<std::string> fused_ops;  // of the optimizers, "" where one has none
  std::string format, extension;
  bool has_device() const { return !devices.empty(); }
};

bool has_compiler(const Profile& profile);  // "tenon.compiler" is among its interfaces

// Where the results of a unit go.
class Reporter {
 public:
  using Sink = std::function<void(CheckResult)>;
  Reporter(std::string check, int level, std::string advice, Sink sink)
      : check_(std::move(check)),
        level_(level),
        advice_(std::move(advice)),
        sink_(std::move(sink)) {}

  void pass(const std::string& where = "");
  void fail(const std::string& found, const std::string& expected, const std::string& where = "");
  void unsupported(const std::string& why, const std::string& where = "");
  // One with more to it than the above; check, level and advice are filled in.
  void add(CheckResult result);
  // Not a result: the check's failures may come from those of these ops.
  void note_uses(const std::vector<std::string>& ops) {
    if (on_uses) on_uses(ops);
  }
  std::function<void(const std::vector<std::string>&)> on_uses;
  // One case: runs it, and records how it ended.
  void attempt(const std::string& where, const std::function<void()>& body);
  // The same for a case with more to it, whose verdict and texts come from `body`.
  void attempt(CheckResult as, const std::function<void()>& body);
  size_t count() const { return count_; }

 private:
  std::string check_;
  int level_;
  std::string advice_;
  Sink sink_;
  size_t count_ = 0;
};

// What runs in one piece in a child process.
struct Unit {
  std::string check;
  int level = 0;
  std::string advice;
  bool alone = true;   // in a process of its own
  double limit = 120;  // seconds
  std::function<void(Reporter&)> body;
};

// A folder for what children write, in memory where that can be; it goes with whoever made it, however they ended.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  static const std::string& path();  // of the one that there is

 private:
  int sweeper_ = -1;  // a process that removes it where its maker was ended
};

// Runs all units, `jobs` processes at a time. Those that are not alone share processes; `close`, named `closing`, ends such a
// process. A process that dies or hangs is a failure of the unit that it was at. on_uses hears what a check says with note_uses.
using OnUses = std::function<void(const std::string& check, const std::vector<std::string>& ops)>;
void run_units(const std::vector<Unit>& units, int jobs, const std::function<void()>& close,
               const Unit& closing, const std::function<void(CheckResult)>& on_result,
               const OnUses& on_uses = {});

// ---- the checks, one list per file

enum class Kind : uint8_t { all, backend, op, optimizer, format };

struct Check {
  const char* name;
  int level;
  Kind kind;
  const char* what;
  const char* advice;
  void (*body)(const Profile&, Reporter&);  // null: made per op or optimizer, see units
  double limit = 120;
};
extern const std::vector<Check> kFileChecks, kNegotiationChecks, kErrorChecks, kLifeChecks,
    kMemoryChecks, kQueueChecks, kKernelChecks, kPlanChecks, kOpChecks, kTrainingChecks,
    kOptimizerChecks, kFormatChecks, kPluginOpChecks, kProgramChecks, kCompilerChecks;

// Opens the plugin with the kit's own host and asks what it has. In the calling process.
Profile profile_of(const std::string& path);

// What libtenon says of an op.
struct OpFact {
  bool base = false, differentiable = false;
};
using OpFacts = std::map<std::string, OpFact>;

// Units per op of the catalogue: values, gradients, second order.
struct Worker;
std::shared_ptr<Worker> make_worker(const Profile& profile, const std::string& given,
                                    const std::string& device);
std::vector<Unit> op_units(const Profile& profile, const VerifyOptions& options, int level,
                           const std::shared_ptr<Worker>& worker, const OpFacts& facts);

// Runs `body` in a child and gives its text; throws Wrong where it dies, throws, or takes longer than `limit` seconds.
std::string in_child(const std::function<std::string()>& body, double limit = 120);

}  // namespace tenon::conformance
