// philox, uniform, normal, bernoulli and dropout: one pass over blocks of Philox words, with the
// same numbers as the ops' decompositions give.
#include "../scratch.hpp"
#include "float_ops.hpp"
#include "narrow.hpp"
#include "philox.hpp"
#include "tickets.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr int64_t kBlock = 1024;  // elements

// The value as it is after rounding: keeps a product from being fused into the sum that follows.
template <class V>
CPU_INLINE V rounded(V x) {
#if defined(__AVX512F__)
  asm("" : "+v"(x));
#elif defined(__x86_64__)
  asm("" : "+x"(x));
#elif defined(__aarch64__)
  asm("" : "+w"(x));
#endif
  return x;
}

uint64_t scalar_u64(const tn_view* v) { return *input<uint64_t>(v); }

Philox state(const tn_view* const* args) {
  return {scalar_u64(args[0]), scalar_u64(args[1]), scalar_u64(args[2])};
}

// body(words, first element, elements) for blocks of the n elements that take `per` words each.
template <int per, class Body>
void blocks(const Device& device, const Philox& philox, int64_t n, double ns, Body&& body) {
  parallel(device, n, kBlock, ns, [&](int64_t begin, int64_t end) {
    alignas(64) uint32_t words[kBlock * per + Philox::kGroup];
    for (int64_t i = begin; i < end; i += kBlock) {
      const int64_t m = end - i < kBlock ? end - i : kBlock;
      philox.words(words, i * per, m * per);
      body(words, i, m);
    }
  });
}

// ---- what words become

CPU_INLINE F32 unit(Vec<uint32_t> words) {
  return convert<F32>(bits_as<I32>(words >> 8)) * 0x1p-24f;
}

struct Line {
  double low, high;
};

void uniform_block(float* y, const uint32_t* words, int64_t n, const Line& line) {
  const float scale = float(line.high - line.low), low = float(line.low);
  const bool plain = line.low == 0 && line.high == 1;
  for (int64_t i = 0; i < n; i += kLanes<float>) {
    F32 u = unit(load(words + i));
    if (!plain) u = rounded(u * scale) + low;
    store(y + i, u);
  }
}

CPU_INLINE double unit64(const uint32_t* words) {
  return (double(words[0]) * 0x1p21 + double(words[1] >> 11)) * 0x1p-53;
}

void normal_block(float* y, const uint32_t* words, int64_t n, const Line& line) {
  const float mean = float(line.low), deviation = float(line.high);
  constexpr int lanes = kLanes<float>;
  for (int64_t i = 0; i < n; i += lanes) {
    uint32_t first[lanes], second[lanes];
    for (int k = 0; k < lanes; ++k)
      first[k] = words[2 * (i + k)], second[k] = words[2 * (i + k) + 1];
    const F32 radius = vsqrt(vlog1p(-unit(load(first))) * -2.0f);
    const F32 z = radius * vcos(unit(load(second)) * 6.28318531f);
    store(y + i, z * deviation + mean);
  }
}

// ---- uniform, normal

struct DrawPlan {
  const Device& device;
  Line line;
};

using FloatBlock = void (*)(float* y, const uint32_t* words, int64_t n, const Line& line);

template <class S, int per, FloatBlock block>
tn_error* TN_CALL run_draw(void* data, void*, const tn_view* const* args) {
  const DrawPlan& plan = *static_cast<const DrawPlan*>(data);
  S* y = output<S>(args[3]);
  blocks<per>(plan.device, state(args), args[3]->count, per == 1 ? 0.8 : 3.0,
              [&](const uint32_t* words, int64_t first, int64_t n) {
                alignas(64) float values[kBlock + kLanes<float>];
                block(values, words, n, plan.line);
                if constexpr (std::is_same_v<S, float>) {
                  std::memcpy(y + first, values, size_t(n) * sizeof(float));
                } else {
                  convert_run<S, float>(y + first, values, n);
                }
              });
  return nullptr;
}

tn_error* TN_CALL run_uniform64(void* data, void*, const tn_view* const* args) {
  const DrawPlan& plan = *static_cast<const DrawPlan*>(data);
  double* y = output<double>(args[3]);
  const double low = plan.line.low, scale = plan.line.high - plan.line.low;
  const bool plain = low == 0 && plan.line.high == 1;
  blocks<2>(plan.device, state(args), args[3]->count, 1.5,
            [&](const uint32_t* words, int64_t first, int64_t n) {
              for (int64_t i = 0; i < n; ++i) {
                const double u = unit64(words + 2 * i);
                y[first + i] = plain ? u : rounded(u * scale) + low;
              }
            });
  return nullptr;
}

tn_error* TN_CALL run_normal64(void* data, void*, const tn_view* const* args) {
  const DrawPlan& plan = *static_cast<const DrawPlan*>(data);
  double* y = output<double>(args[3]);
  blocks<4>(plan.device, state(args), args[3]->count, 40.0,
            [&](const uint32_t* words, int64_t first, int64_t n) {
              for (int64_t i = 0; i < n; ++i) {
                const double radius = std::sqrt(-2 * std::log1p(-unit64(words + 4 * i)));
                const double z =
                    radius * std::cos(6.28318530717958647693 * unit64(words + 4 * i + 2));
                y[first + i] = z * plan.line.high + plan.line.low;
              }
            });
  return nullptr;
}

tn_error* prepare_draw(const Device& device, const tn_signature& sig, tn_plan* plan, Line line,
                       bool normal) {
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  tn_kernel_run run = nullptr;
  switch (sig.outputs[0]->dtype) {
    case TN_DTYPE_F32:
      run = normal ? run_draw<float, 2, normal_block> : run_draw<float, 1, uniform_block>;
      break;
    case TN_DTYPE_F16:
      run = normal ? run_draw<f16, 2, normal_block> : run_draw<f16, 1, uniform_block>;
      break;
    case TN_DTYPE_BF16:
      run = normal ? run_draw<bf16, 2, normal_block> : run_draw<bf16, 1, uniform_block>;
      break;
    case TN_DTYPE_F64:
      run = normal ? run_normal64 : run_uniform64;
      break;
    default:
      return decline(plan, "no kernel for this dtype");
  }
  if (!make_plan<DrawPlan>(plan, run, device, line)) return out_of_memory(device);
  return nullptr;
}

// ---- philox

tn_error* TN_CALL run_philox(void* data, void*, const tn_view* const* args) {
  const Device& device = *static_cast<const Device*>(data);
  uint32_t* y = output<uint32_t>(args[3]);
  blocks<1>(device, state(args), args[3]->count, 0.7,
            [&](const uint32_t* words, int64_t first, int64_t n) {
              std::memcpy(y + first, words, size_t(n) * sizeof(uint32_t));
            });
  return nullptr;
}

// ---- bernoulli, dropout: a uniform number below p is a 24-bit number below ceil(p 2^24)

uint32_t threshold(double p) { return uint32_t(std::ceil(p * 0x1p24)); }

struct BernoulliPlan {
  const Device& device;
  uint32_t below;
  uint64_t one[2] = {};
};

template <class T>
void choose(void* to, const uint32_t* words, int64_t n, uint32_t below, const void* one) {
  T* y = static_cast<T*>(to);
  T value, zero;
  std::memcpy(&value, one, sizeof value);
  std::memset(&zero, 0, sizeof zero);
  for (int64_t i = 0; i < n; ++i) y[i] = (words[i] >> 8) < below ? value : zero;
}

struct Wide {
  uint64_t words[2];
};

tn_error* TN_CALL run_bernoulli(void* data, void*, const tn_view* const* args) {
  const BernoulliPlan& plan = *static_cast<const BernoulliPlan*>(data);
  char* y = output<char>(args[3]);
  const int64_t bytes = int64_t(tn_dtype_bytes(args[3]->dtype, 1));
  blocks<1>(plan.device, state(args), args[3]->count, 0.9,
            [&](const uint32_t* words, int64_t first, int64_t n) {
              void* to = y + first * bytes;
              switch (bytes) {
                case 1:
                  choose<uint8_t>(to, words, n, plan.below, plan.one);
                  break;
                case 2:
                  choose<uint16_t>(to, words, n, plan.below, plan.one);
                  break;
                case 4:
                  choose<uint32_t>(to, words, n, plan.below, plan.one);
                  break;
                case 8:
                  choose<uint64_t>(to, words, n, plan.below, plan.one);
                  break;
                default:
                  choose<Wide>(to, words, n, plan.below, plan.one);
                  break;
              }
            });
  return nullptr;
}

struct DropoutPlan {
  const Device& device;
  uint32_t below;
  double scale;
};

template <class S>
tn_error* TN_CALL run_dropout(void* data, void*, const tn_view* const* args) {
  const DropoutPlan& plan = *static_cast<const DropoutPlan*>(data);
  const S* x = input<S>(args[0]);
  S* y = output<S>(args[4]);
  using T = std::conditional_t<std::is_same_v<S, double>, double, float>;
  const T scale = T(S(plan.scale));  // a weak scalar takes the dtype of x
  blocks<1>(plan.device, state(args + 1), args[4]->count, 1.0,
            [&](const uint32_t* words, int64_t first, int64_t n) {
              for (int64_t i = 0; i < n; ++i) {
                const T v = T(x[first + i]) * scale;
                y[first + i] = (words[i] >> 8) < plan.below ? S(T(0)) : S(v);
              }
            });
  return nullptr;
}

}  // namespace

CPU_PREPARE(philox) {
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  plan->run = run_philox;
  plan->data = const_cast<Device*>(&device);
  return nullptr;
}

CPU_PREPARE(uniform) {
  return prepare_draw(device, sig, plan,
                      {attr_f64(sig, TN_UNIFORM_LOW), attr_f64(sig, TN_UNIFORM_HIGH)}, false);
}
CPU_PREPARE(normal) {
  return prepare_draw(device, sig, plan,
                      {attr_f64(sig, TN_NORMAL_MEAN), attr_f64(sig, TN_NORMAL_DEVIATION)}, true);
}

CPU_PREPARE(bernoulli) {
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  uint64_t one[2] = {};
  const bool known = sdk::visit_dtype<sdk::Computable>(sig.outputs[0]->dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T value = T(1);
    std::memcpy(one, &value, sizeof value);
  });
  if (!known) return decline(plan, "no kernel for this dtype");
  const uint32_t below = threshold(attr_f64(sig, TN_BERNOULLI_PROBABILITY));
  BernoulliPlan* p = make_plan<BernoulliPlan>(plan, run_bernoulli, device, below);
  if (!p) return out_of_memory(device);
  std::memcpy(p->one, one, sizeof one);
  return nullptr;
}

CPU_PREPARE(dropout) {
  if (!contiguous(sig.inputs[0]) || !contiguous(sig.outputs[0])) return decline(plan, "not dense");
  tn_kernel_run run = nullptr;
  switch (sig.inputs[0]->dtype) {
    case TN_DTYPE_F32:
      run = run_dropout<float>;
      break;
    case TN_DTYPE_F64:
      run = run_dropout<double>;
      break;
    case TN_DTYPE_F16:
      run = run_dropout<f16>;
      break;
    case TN_DTYPE_BF16:
      run = run_dropout<bf16>;
      break;
    default:
      return decline(plan, "no kernel for this dtype");
  }
  const double rate = attr_f64(sig, TN_DROPOUT_RATE);
  const double scale = rate < 1 ? 1 / (1 - rate) : 1;
  if (!make_plan<DropoutPlan>(plan, run, device, threshold(rate), scale))
    return out_of_memory(device);
  return nullptr;
}

// ---- permutation: the numbers in the order of 64 random bits each

namespace {

constexpr int64_t kHeaps = 256, kMostParts = 64;
constexpr double kPartNs = 50e3;    // filling heaps for so long is worth a part of its own
constexpr int64_t kMany = 1 << 17;  // so many numbers are put in heaps first

// Tickets of the upper half of the bits, put in heaps by their first byte, part by part.
struct Heaps {
  const Device& device;
  const Philox philox;
  const int64_t n, parts;
  uint32_t next[kMostParts][kHeaps] = {};
  uint32_t start[kHeaps + 1] = {};

  int64_t heap_of(uint32_t upper) const { return n < kMany ? 0 : upper >> 24; }

  // body(part, first, end) for all parts of the numbers.
  template <class Body>
  void for_parts(Body&& body) const {
    const int64_t blocks = (n + kBlock - 1) / kBlock;
    parallel(device, parts, 1, double(n) * 2 / double(parts), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        body(p, blocks * p / parts * kBlock, std::min(n, blocks * (p + 1) / parts * kBlock));
    });
  }
  // upper: room for the upper halves.
  void fill(uint64_t* to, uint32_t* upper) {
    for_parts([&](int64_t p, int64_t first, int64_t end) {
      alignas(64) uint32_t words[2 * kBlock + Philox::kGroup];
      for (int64_t i = first; i < end; i += kBlock) {
        const int64_t m = std::min(end - i, kBlock);
        philox.words(words, 2 * i, 2 * m);
        for (int64_t k = 0; k < m; ++k) {
          upper[i + k] = words[2 * k];
          ++next[p][heap_of(words[2 * k])];
        }
      }
    });
    uint32_t sum = 0;
    for (int64_t h = 0; h < kHeaps; ++h) {
      start[h] = sum;
      for (int64_t p = 0; p < parts; ++p) {
        const uint32_t here = next[p][h];
        next[p][h] = sum;
        sum += here;
      }
    }
    start[kHeaps] = sum;
    for_parts([&](int64_t p, int64_t first, int64_t end) {
      for (int64_t i = first; i < end; ++i)
        to[next[p][heap_of(upper[i])]++] = uint64_t(upper[i]) << 32 | uint64_t(i);
    });
  }
  uint32_t lower_bits(uint64_t t) const {
    uint32_t words[Philox::kGroup];
    philox.words(words, int64_t(position(t)) / 2 * 4, 1);
    return words[position(t) % 2 * 2 + 1];
  }
  // Sorts a heap: by all bytes but the last, and what is alike in these by all bits and the number.
  void sort(uint64_t* t, uint64_t* spare, int64_t count) const {
    sort_tickets<1, 3>(t, spare, count);
    for (int64_t i = 0, last; i + 1 < count; i = last) {
      for (last = i + 1; last < count && t[last] >> 40 == t[i] >> 40; ++last) {
      }
      if (last - i < 2) continue;
      std::sort(t + i, t + last, [&](uint64_t a, uint64_t b) {
        if (key_of(a) != key_of(b)) return a < b;
        const uint32_t x = lower_bits(a), y = lower_bits(b);
        return x != y ? x < y : a < b;
      });
    }
  }
};

tn_error* TN_CALL run_permutation(void* data, void*, const tn_view* const* args) {
  const Device& device = *static_cast<const Device*>(data);
  const int64_t n = args[3]->count;
  int64_t* y = output<int64_t>(args[3]);
  if (n > int64_t(UINT32_MAX))
    return fail(device, TN_OUT_OF_RANGE, "%lld numbers are too many to permute", (long long)n);
  const Scratch<uint64_t> tickets(device, n), spare(device, n);
  const Scratch<Heaps> scratch(device, 1);
  if (!tickets || !spare || !scratch)
    return fail(device, TN_OUT_OF_MEMORY, "no host memory to permute %lld numbers", (long long)n);
  const int64_t parts = std::min(kMostParts, parts_worth(device, double(n) * 3 / kPartNs));
  Heaps& heaps = *new (scratch.get()) Heaps{device, state(args), n, parts};
  heaps.fill(tickets.get(), reinterpret_cast<uint32_t*>(spare.get()));
  parallel(device, kHeaps, 1, double(n) * 8 / kHeaps, [&](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; ++h) {
      const int64_t first = heaps.start[h], count = heaps.start[h + 1] - first;
      uint64_t* t = tickets.get() + first;
      heaps.sort(t, spare.get() + first, count);
      for (int64_t i = 0; i < count; ++i) y[first + i] = position(t[i]);
    }
  });
  return nullptr;
}

}  // namespace

CPU_PREPARE(permutation) {
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  plan->run = run_permutation;
  plan->data = const_cast<Device*>(&device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
