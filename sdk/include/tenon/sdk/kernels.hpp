// Kernels as plain structs. A kernel is
//
//   struct Scale {
//     struct Data { double factor; };                       // what prepare finds out; NoData when nothing
//     static sdk::Plan<Data> prepare(const sdk::Signature& s);
//     static void run(const Data& plan, const sdk::Queue& queue, const sdk::Args& args);
//   };
//
// and one line in the list of its backend: sdk::kernel<Scale>("scale", "scale_ref", TN_DEPENDS_ATTRS). Both functions may throw:
// sdk::Error, bad_alloc and the rest become tn_error. A prepare that does not want the signature returns s.decline("why").
#ifndef TENON_SDK_KERNELS_HPP_
#define TENON_SDK_KERNELS_HPP_
#include <tenon/plugin/kernels.h>

#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "guard.hpp"
#include "view.hpp"

namespace tenon::sdk {

// Base of every backend's device class: device.hpp.
struct Device {
  Host host;
};

// A refusal. Converts to any Plan.
struct Declined {
  std::string_view reason;
};

struct NoData {};

// What prepare returns: the data that run will get, and how much workspace it wants.
template <class Data = NoData>
struct Plan {
  Plan(Data d = {}, uint64_t workspace = 0)  // NOLINT(google-explicit-constructor)
      : data(std::move(d)), workspace_bytes(workspace) {}
  Plan(Declined d) : declined(d.reason) {}  // NOLINT(google-explicit-constructor)

  Data data{};
  uint64_t workspace_bytes = 0;
  std::string_view declined;
};

// What is known when a plan is made. Converts to the tn_signature that the readers of attrs.hpp take.
class Signature {
 public:
  Signature(const tn_signature& raw, Device& device) : raw_(raw), device_(device) {}
  operator const tn_signature&() const { return raw_; }  // NOLINT(google-explicit-constructor)

  tn_op op() const { return raw_.op; }
  int input_count() const { return static_cast<int>(raw_.n_inputs); }
  int output_count() const { return static_cast<int>(raw_.n_outputs); }
  const tn_view& input(int i) const { return *raw_.inputs[i]; }
  const tn_view& output(int i = 0) const { return *raw_.outputs[i]; }
  bool deterministic() const { return (raw_.flags & TN_SIGNATURE_DETERMINISTIC) != 0; }
  tn_precision precision() const {
    return raw_.flags & TN_SIGNATURE_PRECISION_MEDIUM ? TN_PRECISION_MEDIUM
           : raw_.flags & TN_SIGNATURE_PRECISION_HIGH ? TN_PRECISION_HIGH
                                                      : TN_PRECISION_HIGHEST;
  }
  template <class D>
  D& device() const {
    return static_cast<D&>(device_);
  }
  Host host() const { return device_.host; }

  // Every input and output is dense row-major (or a scalar).
  bool all_contiguous() const {
    for (int i = 0; i < input_count(); ++i) {
      if (!is_absent(input(i)) && !is_contiguous(input(i))) return false;
    }
    for (int i = 0; i < output_count(); ++i) {
      if (!is_contiguous(output(i))) return false;
    }
    return true;
  }
  // Every input and output has this dtype.
  bool all_dtype(tn_dtype dtype) const {
    for (int i = 0; i < input_count(); ++i) {
      if (!is_absent(input(i)) && input(i).dtype != dtype) return false;
    }
    for (int i = 0; i < output_count(); ++i) {
      if (output(i).dtype != dtype) return false;
    }
    return true;
  }

  // `reason` must be a literal: it outlives the call.
  Declined decline(std::string_view reason) const { return {reason}; }

 private:
  const tn_signature& raw_;
  Device& device_;
};

// Where a run takes place.
class Queue {
 public:
  Queue(Device& device, void* raw) : device_(device), raw_(raw) {}
  Host host() const { return device_.host; }
  template <class D>
  D& device() const {
    return static_cast<D&>(device_);
  }
  // The backend's own queue object; there is none on an inline device.
  template <class Q>
  Q& as() const {
    return *static_cast<Q*>(raw_);
  }
  void* raw() const { return raw_; }

 private:
  Device& device_;
  void* raw_;
};

// Inputs, outputs, then the workspace if one was asked for. Valid only during the run.
class Args {
 public:
  explicit Args(const tn_view* const* raw) : raw_(raw) {}
  const tn_view& operator[](int i) const { return *raw_[i]; }
  const tn_view* const* raw() const { return raw_; }

 private:
  const tn_view* const* raw_;
};

namespace detail {

template <class Data>
struct PlanRecord {
  Device& device;
  Data data;
};

template <class K, class Data>
tn_error* TN_CALL run_kernel(void* record, void* queue, const tn_view* const* args) {
  auto& r = *static_cast<PlanRecord<Data>*>(record);
  return guard(r.device.host, [&] { K::run(r.data, Queue(r.device, queue), Args(args)); });
}

template <class Data>
void TN_CALL release_plan(void* record) {
  delete static_cast<PlanRecord<Data>*>(record);
}

template <class K, class Data>
void fill_plan(Plan<Data> plan, Device& device, tn_plan* out) {
  if (!plan.declined.empty()) {
    out->declined = str(plan.declined);
    return;
  }
  out->workspace_bytes = plan.workspace_bytes;
  out->run = run_kernel<K, Data>;
  out->release = release_plan<Data>;
  out->data = new PlanRecord<Data>{device, std::move(plan.data)};
}

template <class K>
tn_error* TN_CALL prepare_kernel(void* device, const tn_signature* signature, tn_plan* out) {
  auto& d = *static_cast<Device*>(device);
  return guard(d.host, [&] { fill_plan<K>(K::prepare(Signature(*signature, d)), d, out); });
}

}  // namespace detail

// One line of a backend's list. depends: TN_DEPENDS_..., flags: TN_KERNEL_...; candidates of one op are asked from high to low
// priority.
template <class K>
constexpr tn_kernel kernel(std::string_view op, std::string_view name, uint32_t depends,
                           uint32_t flags = 0, int32_t priority = 0) {
  tn_kernel k{};
  k.struct_size = sizeof(tn_kernel);
  k.flags = flags;
  k.op = str(op);
  k.depends = depends;
  k.name = str(name);
  k.priority = priority;
  k.prepare = detail::prepare_kernel<K>;
  return k;
}

// The lists of several files as one.
inline std::vector<tn_kernel> join_kernels(
    std::initializer_list<std::span<const tn_kernel>> lists) {
  std::vector<tn_kernel> all;
  for (const auto list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

// The table of "tenon.kernels" for a device class with `std::span<const tn_kernel> kernels()`, constant for its life.
template <class D>
inline constexpr tn_kernels_vtbl kernels_table = {
    sizeof(tn_kernels_vtbl), sizeof(tn_kernel),
    [](void* device, const tn_kernel** out_kernels, uint32_t* out_count) -> tn_error* {
      auto& d = *static_cast<D*>(static_cast<Device*>(device));
      return guard(d.host, [&] {
        const std::span<const tn_kernel> list = d.kernels();
        *out_kernels = list.data();
        *out_count = static_cast<uint32_t>(list.size());
      });
    }};

}  // namespace tenon::sdk
#endif
