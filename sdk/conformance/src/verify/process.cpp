// Units in child processes: results come through a pipe, and so does which unit a process is at.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <system_error>
#include <utility>

#include "check.hpp"
#include "runner.hpp"

namespace tenon::conformance {

void Reporter::pass(const std::string& where) {
  CheckResult r;
  r.where = where;
  add(std::move(r));
}
void Reporter::fail(const std::string& found, const std::string& expected,
                    const std::string& where) {
  CheckResult r;
  r.verdict = Verdict::fail, r.found = found, r.expected = expected, r.where = where;
  add(std::move(r));
}
void Reporter::unsupported(const std::string& why, const std::string& where) {
  CheckResult r;
  r.verdict = Verdict::unsupported, r.found = why, r.where = where;
  add(std::move(r));
}
void Reporter::add(CheckResult r) {
  r.check = check_, r.level = level_;
  if (r.verdict == Verdict::fail && r.advice.empty()) r.advice = advice_;
  ++count_;
  sink_(std::move(r));
}
void Reporter::attempt(const std::string& where, const std::function<void()>& body) {
  CheckResult as;
  as.where = where;
  attempt(std::move(as), body);
}
void Reporter::attempt(CheckResult as, const std::function<void()>& body) {
  const size_t before = count_;
  const auto failed = [&](const std::string& found, const std::string& expected) {
    as.verdict = Verdict::fail, as.found = found, as.expected = expected;
  };
  try {
    body();
    if (count_ != before) return;
  } catch (const Wrong& w) {
    failed(w.found, w.expected);
    as.advice = w.advice;
  } catch (const Unsupported& u) {
    as.verdict = Verdict::unsupported, as.found = u.what();
  } catch (const Fault& fault) {
    failed(fault.what(), "no error");
    if (fault.code() == TN_UNIMPLEMENTED) as.verdict = Verdict::unsupported, as.expected.clear();
  } catch (const std::exception& e) {
    failed(e.what(), "no error");
  } catch (...) {
    failed("an exception of an unknown type came out of the plugin", "errors only");
  }
  add(std::move(as));
}

namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int kBegin = 0, kCase = 1, kEnd = 2, kAt = 3, kUses = 4;
constexpr size_t kLongestLine = size_t{16} << 20;

std::string line_of(const CheckResult& r) {
  const Json j = {kCase,          r.check,    static_cast<int>(r.verdict),
                  r.level,        r.where,    r.found,
                  r.expected,     r.advice,   r.op,
                  r.dtype,        r.gradient, r.native,
                  r.milliseconds, r.given};
  return j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Throws a Json::exception where it is no such line.
CheckResult result_of(const Json& j) {
  CheckResult r;
  r.given = j.at(13);  // the last one
  r.check = j[1], r.verdict = static_cast<Verdict>(j[2].get<uint8_t>()), r.level = j[3];
  r.where = j[4], r.found = j[5], r.expected = j[6], r.advice = j[7], r.op = j[8], r.dtype = j[9];
  r.gradient = j[10], r.native = j[11], r.milliseconds = j[12];
  return r;
}

void put(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = write(fd, text.data() + at, text.size() - at);
    if (n < 0 && errno != EINTR) _exit(3);  // nobody listens any more
    if (n > 0) at += static_cast<size_t>(n);
  }
}

// In the child.
void run_unit(const Unit& unit, size_t index, int out) {
  put(out, Json({kBegin, index}).dump() + "\n");
  on_case = [out](const Result& r) {
    const bool gradient = r.level != Level::forward;
    put(out, Json({kAt, place_of(r), r.op, r.dtype, gradient, r.call}).dump() + "\n");
  };
  Reporter reporter(unit.check, unit.level, unit.advice,
                    [&](const CheckResult& r) { put(out, line_of(r)); });
  reporter.on_uses = [&](const std::vector<std::string>& ops) {
    put(out, Json({kUses, unit.check, ops}).dump() + "\n");
  };
  reporter.attempt("", [&] { unit.body(reporter); });
  put(out, Json({kEnd, index}).dump() + "\n");
}

// It leads a process group, in which are the processes that a plugin starts.
struct Child {
  pid_t pid = -1;
  int in = -1;             // -1: nobody writes any more
  std::string rest;        // what came of a line so far
  long at = -1, last = 0;  // the unit that it is at, -1: none; and the one that it was at
  CheckResult now;         // and the place, op and dtype there
  Clock::time_point since = Clock::now();
};

class Pool {
 public:
  Pool(const std::vector<Unit>& units, int jobs, const std::function<void()>& close,
       const Unit& closing, const std::function<void(CheckResult)>& on_result,
       const OnUses& on_uses)
      : units_(units),
        jobs_(jobs),
        close_(close),
        closing_(closing),
        on_result_(on_result),
        on_uses_(on_uses) {
    void* page =
        mmap(nullptr, sizeof(*next_), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    next_ = new (page) std::atomic<size_t>(0);
    for (size_t k = 0; k < units.size(); ++k) (units[k].alone ? alone_ : shared_).push_back(k);
  }
  ~Pool() {
    for (const Child& c : children_) end(c);
    munmap(next_, sizeof(*next_));
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void run() {
    size_t started = 0;
    while (started < alone_.size() || !children_.empty() || next_->load() < shared_.size()) {
      while (children_.size() < static_cast<size_t>(jobs_)) {
        if (started < alone_.size())
          start_alone(alone_[started++]);
        else if (next_->load() < shared_.size())
          start_shared();
        else
          break;
      }
      listen();
    }
  }

 private:
  template <class Body>
  void start(const Body& body) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      throw std::system_error(errno, std::generic_category(), "pipe2");
    const pid_t pid = fork();
    if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      setpgid(0, 0);
      close(ends[0]);
      for (const Child& c : children_)
        if (c.in >= 0) close(c.in);
      dup2(STDERR_FILENO, STDOUT_FILENO);  // what a plugin prints is not ours
      body(ends[1]);
      _exit(0);
    }
    setpgid(pid, pid);  // whoever of the two comes first
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    Child child;
    child.pid = pid, child.in = ends[0];
    children_.push_back(std::move(child));
  }

  void start_alone(size_t k) {
    start([&](int out) { run_unit(units_[k], k, out); });
  }
  void start_shared() {
    start([&](int out) {
      for (size_t n; (n = next_->fetch_add(1)) < shared_.size();)
        run_unit(units_[shared_[n]], shared_[n], out);
      Unit last = closing_;
      last.body = [&](Reporter&) { close_(); };
      run_unit(last, units_.size(), out);
    });
  }

  const Unit& unit(long k) const {
    return k >= 0 && k < static_cast<long>(units_.size()) ? units_[static_cast<size_t>(k)]
                                                          : closing_;
  }

  // A process has ended when it says so itself: what a plugin started may hold its pipe open, and a plugin may close it.
  void listen() {
    std::vector<pollfd> fds;
    int wait = 200;  // milliseconds
    for (const Child& c : children_) {
      fds.push_back({c.in, POLLIN, 0});
      if (c.in < 0) wait = 2;
    }
    if (poll(fds.data(), fds.size(), wait) < 0 && errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "poll");
    for (size_t k = fds.size(); k-- > 0;) {
      if ((fds[k].revents & (POLLIN | POLLHUP)) != 0) hear(children_[k]);
      if (ended(children_[k]))
        bury(k);
      else
        watch(children_[k]);
    }
  }

  // Whether something came.
  bool hear(Child& c) {
    char buffer[65536];
    const ssize_t n = read(c.in, buffer, sizeof buffer);
    if (n == 0) close(std::exchange(c.in, -1));
    if (n <= 0) return n < 0 && errno == EINTR;
    c.rest.append(buffer, static_cast<size_t>(n));
    try {
      size_t from = 0;
      for (size_t end; (end = c.rest.find('\n', from)) != std::string::npos; from = end + 1)
        take(c, Json::parse(c.rest.substr(from, end - from)));
      c.rest.erase(0, from);
      if (c.rest.size() <= kLongestLine) return true;
    } catch (const Json::exception&) {
    }
    spoilt(c);
    return false;
  }

  void take(Child& c, const Json& line) {
    c.since = Clock::now();
    const int what = line.at(0);
    if (what == kCase) {
      on_result_(result_of(line));
    } else if (what == kUses) {
      const std::string check = line.at(1);
      const std::vector<std::string> ops = line.at(2);
      if (on_uses_) on_uses_(check, ops);
    } else if (what == kAt) {
      c.now.given = line.at(5);
      c.now.where = line[1], c.now.op = line[2], c.now.dtype = line[3], c.now.gradient = line[4];
    } else {
      c.now = {};
      c.last = line.at(1);
      c.at = what == kBegin ? c.last : -1;
    }
  }

  void spoilt(Child& c) {
    c.at = c.last;
    lost(
        c,
        "what the check told is not what it writes: the plugin writes to descriptors that are not "
        "its own",
        "writes to what it opened itself",
        "look for write, dprintf or fdopen of a number, and for a descriptor used after its close");
    stop(c);
    close(std::exchange(c.in, -1));
  }

  void watch(Child& c) {
    if (c.at < 0 ||
        std::chrono::duration<double>(Clock::now() - c.since).count() < unit(c.at).limit)
      return;
    lost(c, "it does not come back: no result in " + std::to_string(int(unit(c.at).limit)) + " s");
    stop(c);
  }

  static void stop(Child& c) {
    c.at = -1;
    kill(-c.pid, SIGKILL);
  }

  static bool ended(const Child& c) {
    siginfo_t info;
    info.si_pid = 0;
    return waitid(P_PID, static_cast<id_t>(c.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == c.pid;
  }

  // Ends it and what it left, and gives its status. Until then nobody else has its number.
  static int end(const Child& c) {
    kill(-c.pid, SIGKILL);
    int status = 0;
    while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (c.in >= 0) close(c.in);
    return status;
  }

  void bury(size_t k) {
    while (children_[k].in >= 0 && hear(children_[k])) {
    }
    const Child c = std::move(children_[k]);
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(k));
    const int status = end(c);
    if (c.at < 0) return;
    if (WIFSIGNALED(status)) {
      const int signal = WTERMSIG(status);
      std::string text = "the process died of SIG" + std::string(sigabbrev_np(signal));
      if (signal == SIGABRT) text += " (abort, or an exception that nobody could catch)";
      lost(c, text);
    } else {
      lost(c, "the plugin ended the process: exit(" + std::to_string(WEXITSTATUS(status)) + ")");
    }
  }

  void lost(const Child& c, const std::string& found,
            const std::string& expected = "a call that returns", const char* advice = nullptr) {
    CheckResult r = c.now;
    const Unit& u = unit(c.at);
    r.check = u.check, r.level = u.level, r.advice = advice ? advice : u.advice;
    r.verdict = Verdict::fail, r.found = found, r.expected = expected;
    on_result_(std::move(r));
  }

  const std::vector<Unit>& units_;
  int jobs_;
  const std::function<void()>& close_;
  const Unit& closing_;
  const std::function<void(CheckResult)>& on_result_;
  const OnUses& on_uses_;
  std::vector<size_t> alone_, shared_;
  std::atomic<size_t>* next_ = nullptr;
  std::vector<Child> children_;
};

}  // namespace

void run_units(const std::vector<Unit>& units, int jobs, const std::function<void()>& close,
               const Unit& closing, const std::function<void(CheckResult)>& on_result,
               const OnUses& on_uses) {
  std::fflush(nullptr);  // else a child might write it again
  Pool(units, jobs, close, closing, on_result, on_uses).run();
}

namespace {
std::string scratch_path;

void remove_scratch() {
  // While it is emptied, a process that has not ended yet may write one more file.
  for (int again = 0; again < 100; ++again) {
    std::error_code failed;
    std::filesystem::remove_all(scratch_path, failed);
    if (!failed) return;
    usleep(10'000);
  }
}
}  // namespace

Scratch::Scratch() {
  namespace fs = std::filesystem;
  const fs::path parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : fs::temp_directory_path();
  scratch_path = (parent / ("tenon_verify_" + std::to_string(getpid()) + "_" +
                            std::to_string(std::random_device{}())))
                     .string();
  std::fflush(nullptr);
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("no pipe can be made");
  // The folder comes after the process that removes it, so that no end of this one leaves it behind.
  const pid_t owner = getpid();
  sweeper_ = fork();
  if (sweeper_ == 0) {
    setpgid(0, 0);  // a Ctrl-C is not for it
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGUSR1);
    sigprocmask(SIG_SETMASK, &ended, nullptr);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    close(ready[0]);
    close(ready[1]);
    int signal = 0;
    if (getppid() == owner) sigwait(&ended, &signal);
    remove_scratch();
    _exit(0);
  }
  close(ready[1]);
  char none;
  while (sweeper_ > 0 && read(ready[0], &none, 1) < 0 && errno == EINTR) {  // till it is ready
  }
  close(ready[0]);
  if (mkdir(scratch_path.c_str(), 0700) != 0)
    throw std::runtime_error(scratch_path + " cannot be made");
}
Scratch::~Scratch() {
  if (sweeper_ > 0) {
    kill(sweeper_, SIGKILL);
    while (waitpid(sweeper_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  remove_scratch();
}
const std::string& Scratch::path() { return scratch_path; }

}  // namespace tenon::conformance
