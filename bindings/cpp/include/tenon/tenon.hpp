// Tenon for C++20: the C ABI with owners, operators and exceptions, in headers alone. Nothing here that C cannot do.
//
//   tenon::Runtime runtime;
//   tenon::Context cx(runtime, "cpu");
//   tenon::Tensor x(cx, {1.f, 2.f, 3.f});
//   std::cout << tenon::softmax(2 * x + 1, {.axis = -1}) << '\n';
//
// Errors are thrown as tenon::Error. Threads: as in the C headers. Runtime, Tensor, Variable and Device may be used from
// any thread; whatever computes uses the Context it was made with, which one thread at a time may use.
#pragma once
#if __cplusplus < 202002L
#error "tenon.hpp needs C++20: compile with -std=c++20"
#endif

#include "tenon/autograd.hpp"
#include "tenon/error.hpp"
#include "tenon/model.hpp"
#include "tenon/operators.hpp"
#include "tenon/ops.hpp"
#include "tenon/optimizer.hpp"
#include "tenon/program.hpp"
#include "tenon/runtime.hpp"
#include "tenon/tensor.hpp"
