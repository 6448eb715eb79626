#include "select.hpp"

#include <cstring>

#include "base/error.hpp"

namespace tenon {
namespace {

void put(std::string& key, const void* p, size_t n) { key.append(static_cast<const char*>(p), n); }
template <class T>
void put(std::string& key, T v) {
  put(key, &v, sizeof v);
}

std::string plan_key(const tn_kernel& k, const Signature& s,
                     const std::vector<const tn_view*>& args) {
  std::string key;
  put(key, &k);
  put(key, s.op->id);
  put(key, static_cast<uint32_t>(s.inputs.size()));
  put(key, s.modes);
  if (!(k.flags & TN_KERNEL_REENTRANT)) put(key, s.queue);
  const uint32_t depends =
      k.depends | (k.depends & TN_DEPENDS_DIMS ? TN_DEPENDS_RANK | TN_DEPENDS_LAYOUT : 0u);
  bool all_same = true;
  for (const tn_view* v : args) {
    put(key, v->dtype);
    put(key,
        static_cast<uint8_t>(v->flags & (TN_VIEW_IMMEDIATE | TN_VIEW_LASTING | TN_VIEW_ABSENT)));
    if (v->flags & TN_VIEW_ABSENT) continue;
    if (depends & TN_DEPENDS_RANK) put(key, v->rank);
    if (depends & TN_DEPENDS_LAYOUT) put(key, static_cast<uint8_t>(v->flags & TN_VIEW_CONTIGUOUS));
    if (depends & TN_DEPENDS_DIMS) {
      put(key, v->dims, sizeof(int64_t) * v->rank);
      put(key, v->strides, sizeof(int64_t) * v->rank);
    }
    all_same = all_same && same_dims(*v, *args.back());
  }
  if (depends & TN_DEPENDS_LAYOUT) put(key, all_same);
  if (depends & TN_DEPENDS_ATTRS)
    for (const tn_attr& a : s.attrs->items) {
      put(key, a.tag);
      put(key, a.bits);
      put(key, a.data, attr_bytes(a));
    }
  return key;
}

}  // namespace

PlanEntry* select_kernel(tn_device& device, const Signature& s, std::vector<Candidate>* trail) {
  PlanOwner chosen;
  for (const tn_kernel* k : device.kernels_of(s.op->slot)) {
    auto note = [&](const char* verdict, std::string why) {
      if (trail) trail->push_back({k, verdict, std::move(why)});
    };
    if (chosen) {
      note("not asked", "a kernel of higher priority takes it");
      continue;
    }
    if ((s.modes & TN_SIGNATURE_DETERMINISTIC) && (k->flags & TN_KERNEL_NONDETERMINISTIC)) {
      note("declined", "is not deterministic, which this context asks for");
      continue;
    }
    // Kernels that take no immediates see the scalar as a tensor with one element; those that pack nothing do not see what lasts.
    uint8_t hidden = 0;
    if (!(k->flags & TN_KERNEL_IMMEDIATES)) hidden |= TN_VIEW_IMMEDIATE;
    if (!packs(*k)) hidden |= TN_VIEW_LASTING;
    std::vector<tn_view> shown;
    shown.reserve(s.inputs.size());
    std::vector<const tn_view*> inputs = s.inputs;
    for (const tn_view*& v : inputs)
      if (const uint8_t not_shown = v->flags & hidden) {
        shown.push_back(*v);
        shown.back().flags &= static_cast<uint8_t>(
            ~(not_shown | (not_shown & TN_VIEW_IMMEDIATE ? TN_VIEW_WEAK : 0u)));
        v = &shown.back();
      }
    std::vector<const tn_view*> args = inputs;
    args.insert(args.end(), s.outputs.begin(), s.outputs.end());
    const std::string key = plan_key(*k, s, args);
    if (PlanOwner known{device.plans.find(key)}) {
      if (known->plan.run) {
        chosen = std::move(known);
        note("chosen", "");
      } else {
        note("declined", std::string(view_of(known->plan.declined)));
      }
      continue;
    }
    tn_signature sig{};
    sig.struct_size = sizeof sig;
    sig.op = s.op->id;
    sig.n_inputs = static_cast<uint32_t>(inputs.size());
    sig.n_outputs = static_cast<uint32_t>(s.outputs.size());
    sig.n_attrs = s.attrs->size();
    sig.flags = s.modes;
    sig.inputs = inputs.data();
    sig.outputs = s.outputs.data();
    sig.attrs = s.attrs->data();
    PlanOwner entry(new PlanEntry);
    entry->kernel = k;
    entry->plan.struct_size = sizeof(tn_plan);
    check(call_plugin("prepare", [&] { return k->prepare(device.handle, &sig, &entry->plan); }));
    if (entry->plan.declined.size) {
      note("declined", std::string(view_of(entry->plan.declined)));
      continue;
    }
    if (!entry->plan.run)
      fail(TN_INTERNAL, "kernel {} of {} neither declines nor gives a function to run",
           view_of(k->name), device.plugin);
    chosen.reset(device.plans.insert(key, entry.get()));
    note("chosen", "");
  }
  return chosen.release();
}

}  // namespace tenon
