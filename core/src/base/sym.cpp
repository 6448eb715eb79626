#include "sym.hpp"

#include <algorithm>
#include <utility>

#include "error.hpp"

namespace tenon {

int64_t dim_apply(SymTable::Kind kind, int64_t a, int64_t b) {
  using K = SymTable::Kind;
  int64_t r = 0;
  bool overflow = false;
  if (kind == K::kAdd) overflow = __builtin_add_overflow(a, b, &r);
  if (kind == K::kSub) overflow = __builtin_sub_overflow(a, b, &r);
  if (kind == K::kMul) overflow = __builtin_mul_overflow(a, b, &r);
  if (kind == K::kMax) r = std::max(a, b);
  if (kind == K::kMin) r = std::min(a, b);
  if (kind == K::kFloorDiv || kind == K::kCeilDiv) {
    if (b == 0) fail(TN_OUT_OF_RANGE, "a size is divided by zero");
    const bool below = (a % b < 0) != (b < 0);
    r = a / b;
    if (a % b != 0) r += kind == K::kCeilDiv ? !below : -below;
  }
  if (overflow) fail(TN_OUT_OF_RANGE, "sizes overflow 64 bits: {} with {}", a, b);
  return r;
}

int64_t SymTable::intern(Expr e) {
  const auto key = std::make_tuple(e.kind, e.a, e.b);
  if (auto it = index_.find(key); it != index_.end()) return it->second;
  exprs_.push_back(e);
  const int64_t id = first_ + 1 - static_cast<int64_t>(exprs_.size());
  index_.emplace(key, id);
  return id;
}

int64_t SymTable::symbol(std::string name) {
  names_.push_back(std::move(name));
  return intern({Kind::kSymbol, static_cast<int64_t>(names_.size()) - 1, 0});
}

int64_t SymTable::make(Kind kind, int64_t a, int64_t b) {
  if (!is_symbolic(a) && !is_symbolic(b)) return dim_apply(kind, a, b);
  using K = Kind;
  if (kind == K::kAdd && a == 0) return b;
  if ((kind == K::kAdd || kind == K::kSub) && b == 0) return a;
  if (kind == K::kSub && a == b) return 0;
  if (kind == K::kMul && (a == 0 || b == 0)) return 0;
  if (kind == K::kMul && a == 1) return b;
  if ((kind == K::kMul || kind == K::kFloorDiv || kind == K::kCeilDiv) && b == 1) return a;
  if ((kind == K::kMax || kind == K::kMin) && a == b) return a;
  const bool commutes =
      kind == Kind::kAdd || kind == Kind::kMul || kind == Kind::kMax || kind == Kind::kMin;
  if (commutes && a < b) std::swap(a, b);
  return intern({kind, a, b});
}

int SymTable::equal(int64_t a, int64_t b) const {
  if (a == b) return 1;
  if (!is_symbolic(a) && !is_symbolic(b)) return 0;
  return -1;
}

int64_t SymTable::Values::operator()(int64_t dim) {
  if (!table_.has(dim)) return dim;
  const size_t at = table_.index(dim);
  if (known_.size() <= at) known_.resize(at + 1, INT64_MIN);
  if (known_[at] != INT64_MIN) return known_[at];
  const Expr e = table_.exprs_[at];
  if (e.kind == Kind::kSymbol) return symbols_[static_cast<size_t>(e.a)];
  const int64_t a = (*this)(e.a), b = (*this)(e.b);
  return known_[at] = to_ ? to_->make(e.kind, a, b) : dim_apply(e.kind, a, b);
}

void SymTable::append_text(std::string& out, int64_t dim) const {
  if (out.size() >= kMostText) return;
  if (!has(dim)) {
    out += fmt::format("{}", dim);
    return;
  }
  const Expr& e = exprs_[index(dim)];
  if (e.kind == Kind::kSymbol) {
    out += names_[static_cast<size_t>(e.a)];
    return;
  }
  static constexpr const char* kNames[] = {"",     " + ",       " - ",   " * ",
                                           " // ", " ceildiv ", " max ", " min "};
  out += '(';
  append_text(out, e.a);
  if (out.size() >= kMostText) return;
  out += kNames[static_cast<int>(e.kind)];
  append_text(out, e.b);
  out += ')';
}

std::string SymTable::text(int64_t dim) const {
  std::string out;
  append_text(out, dim);
  if (out.size() >= kMostText && exprs_[index(dim)].kind != Kind::kSymbol)
    out = fmt::format("{}...#{}", out.substr(0, kMostText), index(dim));
  return out;
}

// Known at load: no call to find it, and no need of the loader's library.
[[gnu::tls_model("initial-exec")]] static thread_local const SymTable* named_symbols = nullptr;

SymbolNames::SymbolNames(const SymTable* table) : before_(std::exchange(named_symbols, table)) {}
SymbolNames::~SymbolNames() { named_symbols = before_; }

std::string dim_name(int64_t dim) {
  if (dim >= -1) return fmt::format("{}", dim);
  return named_symbols && named_symbols->has(dim) ? named_symbols->text(dim) : "?";
}

}  // namespace tenon
