// The tables of "org.tenon.optimizers".
#include <tenon/sdk/plugin.hpp>

#include "adagrad.hpp"
#include "adam.hpp"
#include "rmsprop.hpp"
#include "sgd.hpp"

namespace tenon::optimizers {
namespace {

template <class... O>
struct Tables {
  static constexpr tn_optimizer_def optimizers[] = {Definition<O>::optimizer()...};
  static constexpr tn_op_def ops[] = {Definition<O>::fused()...};
  static constexpr tn_optimizer_vtbl optimizer_table = {
      sizeof(tn_optimizer_vtbl), sizeof(tn_optimizer_def), sizeof...(O), 0, optimizers};
  static constexpr tn_ops_vtbl ops_table = {sizeof(tn_ops_vtbl), sizeof(tn_op_def), sizeof...(O), 0,
                                            ops};
};

// Every optimizer of this plugin.
using All = Tables<Sgd, Adam, AdamW, RmsProp, Adagrad>;

constexpr tn_interface kInterfaces[] = {
    TENON_INTERFACE(OPS, All::ops_table),
    TENON_INTERFACE(OPTIMIZER, All::optimizer_table),
};

}  // namespace
}  // namespace tenon::optimizers

TENON_PLUGIN("org.tenon.optimizers", "0.1.0", tenon::sdk::Plugin, tenon::optimizers::kInterfaces);
