#include "rules.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "plugin.hpp"
#include "tenon/op.h"

namespace tenon::conformance {
namespace {

// Symbols are -2, -3, ...; each has the size that it stands for.
class Rule {
 public:
  Rule(const std::vector<RuleInput>& inputs, const std::vector<tn_attr>& attrs, bool symbolic)
      : attrs_(attrs) {
    infer_.context = this;
    infer_.base.v = &table();
    views_.resize(inputs.size());
    dims_.resize(inputs.size());
    strides_.resize(inputs.size());
    for (size_t k = 0; k < inputs.size(); ++k) {
      for (const int64_t d : inputs[k].dims) dims_[k].push_back(symbolic ? symbol(d) : d);
      strides_[k] = strides_of(inputs[k].dims);
      views_[k].dims = dims_[k].data(), views_[k].strides = strides_[k].data();
      views_[k].count = symbolic ? 1 : count_of(inputs[k].dims);
      views_[k].dtype = inputs[k].dtype;
      views_[k].rank = static_cast<uint8_t>(inputs[k].dims.size());
      views_[k].flags = inputs[k].absent ? TN_VIEW_ABSENT : TN_VIEW_CONTIGUOUS;
    }
  }

  RuleResult run(const tn_op_def& op) {
    const auto taken = host_.take(call("infer", [&] { return op.infer(&infer_.base); }));
    if (!trouble_.empty())
      throw Wrong(trouble_, "a rule that keeps to tenon/plugin/ops.h",
                  "correct the rule: inputs and attributes are counted from 0");
    RuleResult r{taken.code, taken.message, outputs_};
    for (RuleOutput& o : r.outputs)
      for (int64_t& d : o.dims) d = size_of(d);
    if (!trouble_.empty()) throw Wrong(trouble_, "dims combined by the dim functions only");
    return r;
  }

 private:
  struct Infer {
    tn_infer base;
    Rule* context;
  };
  static Rule& self(tn_infer* c) { return *reinterpret_cast<Infer*>(c)->context; }

  int64_t symbol(int64_t size) {
    sizes_.push_back(size);
    return -1 - static_cast<int64_t>(sizes_.size());
  }
  int64_t size_of(int64_t dim) {
    if (dim >= 0) return dim;
    const auto at = static_cast<size_t>(-dim - 2);
    if (dim < -1 && at < sizes_.size()) return sizes_[at];
    if (trouble_.empty())
      trouble_ = "the dim " + std::to_string(dim) + " is neither a size nor a symbol";
    return 0;
  }
  template <class F>
  static int64_t combine(tn_infer* c, int op, int64_t x, int64_t y, F&& f) {
    Rule& r = self(c);
    const int64_t size = f(r.size_of(x), r.size_of(y));
    if (x >= 0 && y >= 0) return size;
    const auto key = std::make_tuple(op, x, y);
    const auto found = r.made_.find(key);
    return found != r.made_.end() ? found->second : r.made_[key] = r.symbol(size);
  }

  static const tn_infer_vtbl& table() {
    static const tn_infer_vtbl t = [] {
      tn_infer_vtbl v{};
      v.struct_size = sizeof v;
      v.input_count = [](tn_infer* c) { return static_cast<uint32_t>(self(c).views_.size()); };
      v.input = [](tn_infer* c, uint32_t k) -> const tn_view* {
        Rule& r = self(c);
        if (k < r.views_.size()) return &r.views_[k];
        r.trouble_ =
            "it asks for input " + std::to_string(k) + " of " + std::to_string(r.views_.size());
        return &r.nothing_;
      };
      v.attr = [](tn_infer* c, uint32_t key) -> const tn_attr* {
        Rule& r = self(c);
        if (key < r.attrs_.size()) return &r.attrs_[key];
        r.trouble_ = "it asks for attribute " + std::to_string(key) + " of " +
                     std::to_string(r.attrs_.size());
        static const tn_attr none = tn_attr_i64(0, 0);
        return &none;
      };
      add_dims(v);
      v.promote = [](tn_infer* c, uint32_t a, uint32_t b) {
        Rule& r = self(c);
        if (a >= r.views_.size() || b >= r.views_.size()) return TN_DTYPE_NONE;
        return tn_dtype_promote(r.views_[a].dtype, r.views_[b].dtype);
      };
      v.cast_input = [](tn_infer*, uint32_t, tn_dtype) {};
      v.output = [](tn_infer* c, uint32_t k, tn_dtype dtype, uint32_t rank,
                    const int64_t* dims) -> tn_error* {
        Rule& r = self(c);
        if (k > 1000 || rank > TN_MAX_RANK) {
          r.trouble_ = "output " + std::to_string(k) + " of rank " + std::to_string(rank);
          return nullptr;
        }
        if (r.outputs_.size() <= k) r.outputs_.resize(k + 1);
        r.outputs_[k] = {dtype, Dims(dims, dims + rank)};
        return nullptr;
      };
      v.view = [](tn_infer*, uint32_t, uint32_t, const int64_t*, int64_t) {};
      v.alias = [](tn_infer*, uint32_t, uint32_t) {};
      v.error = [](tn_infer* c, tn_code code, tn_str message) {
        const tn_host* h = self(c).host_.get();
        return h->error(h, code, message);
      };
      return v;
    }();
    return t;
  }

  static void add_dims(tn_infer_vtbl& v) {
    v.dim_add = [](tn_infer* c, int64_t x, int64_t y) {
      return combine(c, 0, x, y, [](int64_t a, int64_t b) { return a + b; });
    };
    v.dim_sub = [](tn_infer* c, int64_t x, int64_t y) {
      return combine(c, 1, x, y, [](int64_t a, int64_t b) { return a - b; });
    };
    v.dim_mul = [](tn_infer* c, int64_t x, int64_t y) {
      return combine(c, 2, x, y, [](int64_t a, int64_t b) { return a * b; });
    };
    v.dim_floordiv = [](tn_infer* c, int64_t x, int64_t y) {
      return combine(c, 3, x, y, [](int64_t a, int64_t b) { return b > 0 ? a / b : 0; });
    };
    v.dim_ceildiv = [](tn_infer* c, int64_t x, int64_t y) {
      return combine(c, 4, x, y, [](int64_t a, int64_t b) { return b > 0 ? (a + b - 1) / b : 0; });
    };
    v.dim_max = [](tn_infer* c, int64_t x, int64_t y) {
      return combine(c, 5, x, y, [](int64_t a, int64_t b) { return std::max(a, b); });
    };
    v.dim_min = [](tn_infer* c, int64_t x, int64_t y) {
      return combine(c, 6, x, y, [](int64_t a, int64_t b) { return std::min(a, b); });
    };
    v.dim_equal = [](tn_infer*, int64_t x, int64_t y) -> int32_t {
      if (x == y) return 1;
      return x >= 0 && y >= 0 ? 0 : -1;
    };
    v.dim_broadcast = [](tn_infer* c, int64_t x, int64_t y) -> int64_t {
      if (x == y) return x;
      Rule& r = self(c);
      const int64_t a = r.size_of(x), b = r.size_of(y);
      if (a == b) return x >= 0 ? x : y >= 0 ? y : x;
      return a == 1 ? y : b == 1 ? x : -1;
    };
  }

  SimulatedHost host_;
  const std::vector<tn_attr>& attrs_;
  Infer infer_{};
  tn_view nothing_{};
  std::vector<tn_view> views_;
  std::vector<Dims> dims_, strides_;
  Dims sizes_;
  std::map<std::tuple<int, int64_t, int64_t>, int64_t> made_;
  std::vector<RuleOutput> outputs_;
  std::string trouble_;
};

}  // namespace

RuleResult run_rule(const tn_op_def& op, const std::vector<RuleInput>& inputs,
                    const std::vector<tn_attr>& attrs, bool symbolic) {
  return Rule(inputs, attrs, symbolic).run(op);
}

}  // namespace tenon::conformance
