// Operators on tensors, elementwise with broadcasting. A number on one side is weakly typed. Comparisons give a tensor of
// bool; matmul is a function of its own.
#pragma once
#include "tenon/ops.hpp"

namespace tenon {

inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator+(const Operand& a, const Operand& b) { return add(a, b); }
inline Tensor operator-(const Operand& a, const Operand& b) { return sub(a, b); }
inline Tensor operator*(const Operand& a, const Operand& b) { return mul(a, b); }
inline Tensor operator/(const Operand& a, const Operand& b) { return div(a, b); }
inline Tensor operator%(const Operand& a, const Operand& b) { return rem(a, b); }
inline Tensor operator==(const Operand& a, const Operand& b) { return eq(a, b); }
inline Tensor operator!=(const Operand& a, const Operand& b) { return ne(a, b); }
inline Tensor operator<(const Operand& a, const Operand& b) { return lt(a, b); }
inline Tensor operator<=(const Operand& a, const Operand& b) { return le(a, b); }
inline Tensor operator>(const Operand& a, const Operand& b) { return gt(a, b); }
inline Tensor operator>=(const Operand& a, const Operand& b) { return ge(a, b); }
inline Tensor operator&(const Operand& a, const Operand& b) { return and_(a, b); }
inline Tensor operator|(const Operand& a, const Operand& b) { return or_(a, b); }
inline Tensor operator^(const Operand& a, const Operand& b) { return xor_(a, b); }
inline Tensor operator~(const Tensor& x) { return not_(x); }

}  // namespace tenon
