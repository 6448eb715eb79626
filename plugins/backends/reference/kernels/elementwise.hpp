// Elementwise ops from a function object F on wide numbers (tenon/sdk/host_kernels.hpp). F::bools says whether bool is one of them.
#ifndef TENON_BACKENDS_REFERENCE_KERNELS_ELEMENTWISE_HPP_
#define TENON_BACKENDS_REFERENCE_KERNELS_ELEMENTWISE_HPP_
#include "../kernels.hpp"
#include "../wide.hpp"

namespace tenon::reference {

template <class F>
using Unary = sdk::Elementwise<F, 1, F::bools>;
template <class F>
using Binary = sdk::Elementwise<F, 2, F::bools>;

}  // namespace tenon::reference
#endif
