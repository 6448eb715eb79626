// The dialects that region_emitter.hpp writes, as tables. What a text uses are names that begin with tn_; a name is defined by the
// dialect itself, as the type or library function of that dialect, or by the definitions that all dialects share, in this order. A
// backend whose compiler has more or better functions copies a dialect and gives it more definitions.
#ifndef TENON_SDK_REGION_DIALECTS_HPP_
#define TENON_SDK_REGION_DIALECTS_HPP_
#include <span>
#include <string_view>

namespace tenon::sdk {

// The text that defines `name`. In shared definitions @ stands for a type: f32, i64 ...
struct RegionDefinition {
  std::string_view name, text;
};

// Types that elements are kept and computed in, in this order in every table: f16 and bf16 are kept in u16 and computed in f32, bool is
// kept in u8, integers of 8 and 16 bits are computed in 32.
inline constexpr std::string_view kRegionTypes[] = {"bool", "i8",  "i16", "i32", "i64", "u8",
                                                    "u16",  "u32", "u64", "f32", "f64"};
inline constexpr size_t kRegionTypeCount = std::size(kRegionTypes);

// In forms: $name the kernel, $params its parameters, $p an operand (in0, out1 ...), $k its number (inputs, then outputs), $t its type,
// $const "const " for inputs, $count the number of elements, $index the type of indices, $e an index.
struct RegionDialect {
  std::string_view name;
  // What the compiler must be told so that results are rounded as ops round them.
  std::string_view flags = {};
  std::string_view head = {};                     // of a file
  std::string_view types[kRegionTypeCount] = {};  // "": there is none
  std::string_view needs[kRegionTypeCount] =
      {};                 // a line at the top of the file where the type is used
  std::string_view cast;  // of $x to $t
  std::string_view library_f32 = {},
                   library_f64 =
                       {};  // library functions of C as this dialect calls them: $f; "": none
  std::span<const RegionDefinition> definitions;
  std::string_view f64_literal = {}, f32_literal = {};  // from bits $b; "": hex floats
  std::string_view u64_suffix;
  std::string_view value;  // before the type of a value
  bool several;            // kernels in one file
  // A kernel: head with all parameters, an operand's own line, the loop over elements, the end.
  std::string_view open, param = {}, scalar_param = {}, local = {}, loop, close;
  std::string_view element;              // $e of an operand
  std::string_view scalar_element = {};  // of a host scalar (TN_VIEW_IMMEDIATE); "": it takes none
  // Regions with reductions: `loop` goes over their results, and within it $folded elements belong to each, by an index r, in pieces of 256,
  // each of which is added up before it is added to the rest: so an error grows with the number of pieces. Elements of outputs that are
  // not reduced are stored on the way.
  std::string_view variable = {};  // before the type of what is added up
  std::string_view fold_pieces = "    for ($index b = 0; b < $folded; b += 256) {\n";
  std::string_view fold_elements = "      for ($index r = b; r < $folded && r < b + 256; ++r) {\n";
  // Where several work-items do the pieces of one result (`fold_pieces` goes on by their number): the whole from the part $a that each has,
  // of type $t by the function $f of two of them, and what must hold for the one that stores it.
  std::string_view fold_whole = "$a";
  std::string_view fold_stores = {};
};

namespace detail {

// ---- what all dialects share

inline constexpr RegionDefinition kSharedDefinitions[] = {
    {"tn_greater_@",
     "TN_FN tn_@ tn_greater_@(tn_@ a, tn_@ b) {\n"
     "  if (a != a || b != b) return a != a ? a : b;\n"
     "  if (a == b) return a == tn_to_@(0) ? a + b : a;\n"
     "  return a > b ? a : b;\n"
     "}\n"},
    {"tn_lesser_@",
     "TN_FN tn_@ tn_lesser_@(tn_@ a, tn_@ b) {\n"
     "  if (a != a || b != b) return a != a ? a : b;\n"
     "  if (a == b) return a == tn_to_@(0) ? -(-a + -b) : a;\n"
     "  return a < b ? a : b;\n"
     "}\n"},
    {"tn_sign_@",
     "TN_FN tn_@ tn_sign_@(tn_@ x) {\n"
     "  return x > tn_to_@(0) ? tn_to_@(1) : x < tn_to_@(0) ? tn_to_@(-1) : x;\n"
     "}\n"},
    {"tn_relu_@",
     "TN_FN tn_@ tn_relu_@(tn_@ x) {\n"
     "  return x > tn_to_@(0) || x != x ? x : tn_to_@(0);\n"
     "}\n"},
    {"tn_rem_@",
     "TN_FN tn_@ tn_rem_@(tn_@ a, tn_@ b) {\n"
     "  const tn_@ r = tn_fmod_@(a, b);\n"
     "  if (r == tn_to_@(0)) return b < tn_to_@(0) ? -tn_to_@(0) : tn_to_@(0);\n"
     "  return (r < tn_to_@(0)) != (b < tn_to_@(0)) ? r + b : r;\n"
     "}\n"},
    {"tn_sigmoid_@",
     "TN_FN tn_@ tn_sigmoid_@(tn_@ x) {\n"
     "  const tn_@ e = tn_exp_@(x < tn_to_@(0) ? x : -x);\n"
     "  return (x < tn_to_@(0) ? e : tn_to_@(1)) / (tn_to_@(1) + e);\n"
     "}\n"},
    {"tn_softplus_@",
     "TN_FN tn_@ tn_softplus_@(tn_@ x) {\n"
     "  return (x > tn_to_@(0) ? x : tn_to_@(0)) + tn_log1p_@(tn_exp_@(-tn_fabs_@(x)));\n"
     "}\n"},
    // x Phi(x); erfc keeps the digits of large negative x.
    {"tn_gelu_@",
     "TN_FN tn_@ tn_gelu_@(tn_@ x) {\n"
     "  return x * tn_to_@(0.5) * tn_erfc_@(x * tn_to_@(-0.70710678118654752440));\n"
     "}\n"},
    // Integers: towards zero, 0 by 0, and the one quotient that does not fit wraps. Unsigned ones have a definition of their own.
    {"tn_quotient_@",
     "TN_FN tn_@ tn_quotient_@(tn_@ a, tn_@ b) {\n"
     "  if (b == tn_to_@(0)) return tn_to_@(0);\n"
     "  return b == tn_to_@(-1) ? tn_to_@(tn_to_u64(0) - tn_to_u64(a)) : a / b;\n"
     "}\n"},
    {"tn_quotient_i32",
     "TN_FN tn_i32 tn_quotient_i32(tn_i32 a, tn_i32 b) {\n"
     "  if (b == 0) return 0;\n"
     "  return b == -1 ? tn_to_i32(tn_to_u32(0) - tn_to_u32(a)) : a / b;\n"
     "}\n"},
    {"tn_quotient_u32",
     "TN_FN tn_u32 tn_quotient_u32(tn_u32 a, tn_u32 b) {\n"
     "  return b == 0u ? 0u : a / b;\n"
     "}\n"},
    {"tn_quotient_u64",
     "TN_FN tn_u64 tn_quotient_u64(tn_u64 a, tn_u64 b) {\n"
     "  return b == tn_to_u64(0) ? tn_to_u64(0) : a / b;\n"
     "}\n"},
    // What floored division leaves: the sign of b.
    {"tn_left_@",
     "TN_FN tn_@ tn_left_@(tn_@ a, tn_@ b) {\n"
     "  const tn_@ q = tn_quotient_@(a, b);\n"
     "  if (b == tn_to_@(0) || b == tn_to_@(-1)) return tn_to_@(0);\n"
     "  const tn_@ r = a - q * b;\n"
     "  return r != tn_to_@(0) && (r < tn_to_@(0)) != (b < tn_to_@(0)) ? r + b : r;\n"
     "}\n"},
    {"tn_left_u32",
     "TN_FN tn_u32 tn_left_u32(tn_u32 a, tn_u32 b) {\n"
     "  return b == 0u ? 0u : a - a / b * b;\n"
     "}\n"},
    {"tn_left_u64",
     "TN_FN tn_u64 tn_left_u64(tn_u64 a, tn_u64 b) {\n"
     "  return b == tn_to_u64(0) ? tn_to_u64(0) : a - a / b * b;\n"
     "}\n"},
    // Wraps; a negative exponent gives what is left of 1 / a^-b towards zero.
    {"tn_power_@",
     "TN_FN tn_@ tn_power_@(tn_@ a, tn_@ b) {\n"
     "  if (b < tn_to_@(0)) {\n"
     "    if (a == tn_to_@(-1)) return tn_to_i32(b & tn_to_@(1)) == 0 ? tn_to_@(1) : a;\n"
     "    return a == tn_to_@(1) ? tn_to_@(1) : tn_to_@(0);\n"
     "  }\n"
     "  return tn_to_@(tn_power_u64(tn_to_u64(a), tn_to_u64(b)));\n"
     "}\n"},
    {"tn_power_i32",
     "TN_FN tn_i32 tn_power_i32(tn_i32 a, tn_i32 b) {\n"
     "  if (b < 0) return a == -1 ? ((b & 1) == 0 ? 1 : -1) : a == 1 ? 1 : 0;\n"
     "  return tn_to_i32(tn_power_u32(tn_to_u32(a), tn_to_u32(b)));\n"
     "}\n"},
    {"tn_power_u32",
     "TN_FN tn_u32 tn_power_u32(tn_u32 a, tn_u32 b) {\n"
     "  tn_u32 y = 1u;\n"
     "  for (; b != 0u; b >>= 1) {\n"
     "    if ((b & 1u) != 0u) y *= a;\n"
     "    a *= a;\n"
     "  }\n"
     "  return y;\n"
     "}\n"},
    {"tn_power_u64",
     "TN_FN tn_u64 tn_power_u64(tn_u64 a, tn_u64 b) {\n"
     "  tn_u64 y = tn_to_u64(1);\n"
     "  for (; b != tn_to_u64(0); b >>= 1) {\n"
     "    if (tn_to_u32(b & tn_to_u64(1)) != 0u) y *= a;\n"
     "    a *= a;\n"
     "  }\n"
     "  return y;\n"
     "}\n"},
    // The half formats: bits of an f32 rounded to them, halves to even, and back.
    {"tn_f16_bits",
     "TN_FN tn_u32 tn_f16_bits(tn_f32 v) {\n"
     "  tn_u32 x = tn_bits_of_f32(v), m;\n"
     "  const tn_u32 sign = (x >> 16) & 0x8000u;\n"
     "  x &= 0x7fffffffu;\n"
     "  if (x > 0x7f800000u) {\n"
     "    m = 0x7e00u;\n"
     "  } else if (x < 0x38800000u) {\n"
     "    m = tn_bits_of_f32(tn_f32_of_bits(x) + 0.5f) - 0x3f000000u;\n"
     "  } else {\n"
     "    m = (x - 0x38000000u + 0xfffu + ((x >> 13) & 1u)) >> 13;\n"
     "    if (m > 0x7c00u) m = 0x7c00u;\n"
     "  }\n"
     "  return sign | m;\n"
     "}\n"},
    {"tn_f16_of",
     "TN_FN tn_f32 tn_f16_of(tn_u32 h) {\n"
     "  const tn_u32 m = h & 0x7fffu, sign = (h & 0x8000u) << 16;\n"
     "  tn_u32 x = (m << 13) + 0x38000000u;\n"
     "  if (m >= 0x7c00u) x = 0x7f800000u | ((m & 0x3ffu) << 13);\n"
     "  if (m < 0x400u) x = tn_bits_of_f32(tn_to_f32(m) * tn_f32_of_bits(0x33800000u));\n"
     "  return tn_f32_of_bits(x | sign);\n"
     "}\n"},
    {"tn_bf16_bits",
     "TN_FN tn_u32 tn_bf16_bits(tn_f32 v) {\n"
     "  const tn_u32 x = tn_bits_of_f32(v);\n"
     "  if ((x & 0x7fffffffu) > 0x7f800000u) return (x >> 16) | 0x40u;\n"
     "  return (x + 0x7fffu + ((x >> 16) & 1u)) >> 16;\n"
     "}\n"},
    {"tn_bf16_of",
     "TN_FN tn_f32 tn_bf16_of(tn_u32 h) {\n"
     "  return tn_f32_of_bits(h << 16);\n"
     "}\n"},
    // To f32 with the last bit set where it is inexact, so that one more rounding to a half format is right.
    {"tn_odd_f64",
     "TN_FN tn_f32 tn_odd_f64(tn_f64 x) {\n"
     "  const tn_f32 y = tn_to_f32(x);\n"
     "  const tn_f64 back = tn_to_f64(y);\n"
     "  if (x != x || back == x) return y;\n"
     "  tn_u32 b = tn_bits_of_f32(y);\n"
     "  if ((back < tn_to_f64(0) ? -back : back) > (x < tn_to_f64(0) ? -x : x)) b -= 1u;\n"
     "  return tn_f32_of_bits(b | 1u);\n"
     "}\n"},
    {"tn_odd_u32",
     "TN_FN tn_f32 tn_odd_u32(tn_u32 x) {\n"
     "  if (x < 0x1000000u) return tn_to_f32(x);\n"
     "  return tn_to_f32((x >> 8) | ((x & 0xffu) != 0u ? 1u : 0u)) * 256.0f;\n"
     "}\n"},
    {"tn_odd_i32",
     "TN_FN tn_f32 tn_odd_i32(tn_i32 x) {\n"
     "  return x < 0 ? -tn_odd_u32(0u - tn_to_u32(x)) : tn_odd_u32(tn_to_u32(x));\n"
     "}\n"},
    {"tn_odd_u64",
     "TN_FN tn_f32 tn_odd_u64(tn_u64 x) {\n"
     "  const tn_u32 high = tn_to_u32(x >> 32), low = tn_to_u32(x);\n"
     "  if (high == 0u) return tn_odd_u32(low);\n"
     "  return tn_odd_u32(high | (low != 0u ? 1u : 0u)) * 4294967296.0f;\n"
     "}\n"},
    {"tn_odd_i64",
     "TN_FN tn_f32 tn_odd_i64(tn_i64 x) {\n"
     "  return x < tn_to_i64(0) ? -tn_odd_u64(tn_to_u64(0) - tn_to_u64(x)) : "
     "tn_odd_u64(tn_to_u64(x));\n"
     "}\n"},
};

// Functions that C has for both widths.
inline constexpr std::string_view kLibraryFunctions[] = {
    "fabs", "floor", "ceil", "rint", "sqrt", "exp",  "expm1", "log",  "log1p",
    "sin",  "cos",   "tanh", "erf",  "erfc", "fmod", "pow",   "atan2"};

// ---- what each has for itself

inline constexpr RegionDefinition kCDefinitions[] = {
    {"TN_FN", "#define TN_FN static inline\n"},
    {"tn_bits_of_f32",
     "TN_FN tn_u32 tn_bits_of_f32(tn_f32 x) {\n  tn_u32 b;\n  memcpy(&b, &x, 4);\n  return "
     "b;\n}\n"},
    {"tn_f32_of_bits",
     "TN_FN tn_f32 tn_f32_of_bits(tn_u32 b) {\n  tn_f32 x;\n  memcpy(&x, &b, 4);\n  return "
     "x;\n}\n"},
    {"tn_f64_of_bits",
     "TN_FN tn_f64 tn_f64_of_bits(tn_u64 b) {\n  tn_f64 x;\n  memcpy(&x, &b, 8);\n  return "
     "x;\n}\n"},
};
inline constexpr RegionDefinition kOpenClDefinitions[] = {
    {"TN_FN", "#define TN_FN static\n"},
    {"tn_bits_of_f32", "#define tn_bits_of_f32(x) as_uint(x)\n"},
    {"tn_f32_of_bits", "#define tn_f32_of_bits(b) as_float(b)\n"},
    {"tn_f64_of_bits", "#define tn_f64_of_bits(b) as_double(b)\n"},
};
inline constexpr RegionDefinition kCudaDefinitions[] = {
    {"TN_FN", "#define TN_FN static __device__ __forceinline__\n"},
    {"tn_bits_of_f32", "#define tn_bits_of_f32(x) __float_as_uint(x)\n"},
    {"tn_f32_of_bits", "#define tn_f32_of_bits(b) __uint_as_float(b)\n"},
    {"tn_f64_of_bits", "#define tn_f64_of_bits(b) __longlong_as_double((long long)(b))\n"},
};
#define TENON_GLSL_REF_(t, bytes)                                                   \
  {                                                                                 \
    "tn_ref_" t, "layout(buffer_reference, scalar, buffer_reference_align = " bytes \
                 ") buffer tn_ref_" t " {\n  tn_" t " at[];\n};\n"                  \
  }
inline constexpr RegionDefinition kGlslDefinitions[] = {
    {"TN_FN", "#define TN_FN\n"},
    {"tn_bits_of_f32", "#define tn_bits_of_f32(x) floatBitsToUint(x)\n"},
    {"tn_f32_of_bits", "#define tn_f32_of_bits(b) uintBitsToFloat(b)\n"},
    {"tn_f64_of_bits", "#define tn_f64_of_bits(b) packDouble2x32(unpackUint2x32(b))\n"},
    {"tn_fabs_f32", "#define tn_fabs_f32 abs\n"},
    {"tn_fabs_f64", "#define tn_fabs_f64 abs\n"},
    {"tn_floor_f32", "#define tn_floor_f32 floor\n"},
    {"tn_floor_f64", "#define tn_floor_f64 floor\n"},
    {"tn_ceil_f32", "#define tn_ceil_f32 ceil\n"},
    {"tn_ceil_f64", "#define tn_ceil_f64 ceil\n"},
    {"tn_rint_f32", "#define tn_rint_f32 roundEven\n"},
    {"tn_rint_f64", "#define tn_rint_f64 roundEven\n"},
    {"tn_sqrt_f32", "#define tn_sqrt_f32 sqrt\n"},
    {"tn_sqrt_f64", "#define tn_sqrt_f64 sqrt\n"},
    {"tn_exp_f32", "#define tn_exp_f32 exp\n"},
    {"tn_log_f32", "#define tn_log_f32 log\n"},
    TENON_GLSL_REF_("i8", "1"),
    TENON_GLSL_REF_("i16", "2"),
    TENON_GLSL_REF_("i32", "4"),
    TENON_GLSL_REF_("i64", "8"),
    TENON_GLSL_REF_("u8", "1"),
    TENON_GLSL_REF_("u16", "2"),
    TENON_GLSL_REF_("u32", "4"),
    TENON_GLSL_REF_("u64", "8"),
    TENON_GLSL_REF_("f32", "4"),
    TENON_GLSL_REF_("f64", "8"),
};
#undef TENON_GLSL_REF_

inline constexpr std::string_view kGlsl8 =
    "#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require\n";
inline constexpr std::string_view kGlsl16 =
    "#extension GL_EXT_shader_explicit_arithmetic_types_int16 : require\n";
inline constexpr std::string_view kGlsl64 =
    "#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require\n";
inline constexpr std::string_view kOpenCl64 = "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n";

}  // namespace detail

// C11. void NAME(void* const* args, int64_t begin, int64_t end): elements begin..end, with reductions results begin..end; args are the addresses of element (0, 0, ...) of
// the inputs, then of the outputs.
inline constexpr RegionDialect kRegionC = {
    .name = "C",
    .flags = "-ffp-contract=off",
    .head = "#include <math.h>\n#include <stdbool.h>\n#include <stdint.h>\n#include <string.h>\n",
    .types = {"bool", "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t",
              "uint64_t", "float", "double"},
    .needs = {},
    .cast = "(($t)($x))",
    .library_f32 = "$ff",
    .library_f64 = "$f",
    .definitions = detail::kCDefinitions,
    .u64_suffix = "ull",
    .value = "const ",
    .several = true,
    .open = "void $name(void* const* args, int64_t begin, int64_t end) {\n",
    .local = "  $const$t* const $p = ($const$t*)args[$k];\n",
    .loop = "  for ($index i = ($index)begin; i < ($index)end; ++i) {\n",
    .close = "  }\n}\n",
    .element = "$p[$e]",
    .scalar_element = "$p[0]"};

// OpenCL C 1.2; f64 where the device has cl_khr_fp64. One parameter pair per operand: the buffer, and at which element (0, 0, ...) lies
// in it, a ulong; of a host scalar its element by value. One dimension of work-items, as many as one likes.
inline constexpr RegionDialect kRegionOpenCl = {
    .name = "OpenCL C",
    .flags = "-cl-fp32-correctly-rounded-divide-sqrt",
    .head = "#pragma OPENCL FP_CONTRACT OFF\n",
    .types = {"bool", "char", "short", "int", "long", "uchar", "ushort", "uint", "ulong", "float",
              "double"},
    .needs = {"", "", "", "", "", "", "", "", "", "", detail::kOpenCl64},
    .cast = "(($t)($x))",
    .library_f32 = "$f",
    .library_f64 = "$f",
    .definitions = detail::kOpenClDefinitions,
    .u64_suffix = "ul",
    .value = "const ",
    .several = true,
    .open = "__kernel void $name($params) {\n",
    .param = "__global $const$t* $p_mem, ulong $p_at",
    .scalar_param = "$t $p",
    .local = "  __global $const$t* $p = $p_mem + $p_at;\n",
    .loop =
        "  for ($index i = ($index)get_global_id(0); i < $count; i += ($index)get_global_size(0)) "
        "{\n",
    .close = "  }\n}\n",
    .element = "$p[$e]",
    .scalar_element = "$p"};

// CUDA C++. One parameter per operand: the address of element (0, 0, ...), of a host scalar its element by value. One dimension of
// threads, as many as one likes.
inline constexpr RegionDialect kRegionCuda = {
    .name = "CUDA C++",
    .flags = "--fmad=false",
    .types = {"bool", "signed char", "short", "int", "long long", "unsigned char", "unsigned short",
              "unsigned int", "unsigned long long", "float", "double"},
    .needs = {},
    .cast = "(($t)($x))",
    .library_f32 = "$ff",
    .library_f64 = "$f",
    .definitions = detail::kCudaDefinitions,
    .u64_suffix = "ull",
    .value = "const ",
    .several = true,
    .open = "extern \"C\" __global__ void $name($params) {\n",
    .param = "$const$t* $p",
    .scalar_param = "$t $p",
    .loop =
        "  for ($index i = ($index)blockIdx.x * blockDim.x + threadIdx.x; i < $count;\n"
        "       i += ($index)gridDim.x * blockDim.x) {\n",
    .close = "  }\n}\n",
    .element = "$p[$e]",
    .scalar_element = "$p"};

// GLSL 4.60 for Vulkan: a compute shader whose push constants are the addresses of element (0, 0, ...), inputs first, at most 16 operands
// (128 bytes). Specialisation constant 0 is the size of a workgroup. Division and square roots are as exact as the driver makes them, exp
// and log as SPIR-V asks (3 + 2|x| and 3 units); of the other functions it has none that are exact enough for the ops. No host scalars.
inline constexpr RegionDialect kRegionGlsl = {
    .name = "GLSL",
    .head =
        "#version 460\n#extension GL_EXT_buffer_reference : require\n"
        "#extension GL_EXT_scalar_block_layout : require\n",
    .types = {"bool", "int8_t", "int16_t", "int", "int64_t", "uint8_t", "uint16_t", "uint",
              "uint64_t", "float", "double"},
    .needs = {"", detail::kGlsl8, detail::kGlsl16, "", detail::kGlsl64, detail::kGlsl8,
              detail::kGlsl16, "", detail::kGlsl64, "", ""},
    .cast = "$t($x)",
    .definitions = detail::kGlslDefinitions,
    .f64_literal = "packDouble2x32(uvec2($low, $high))",
    .f32_literal = "uintBitsToFloat($b)",
    .u64_suffix = "ul",
    .value = "precise const ",
    .several = false,
    .open =
        "layout(local_size_x_id = 0) in;\n"
        "layout(push_constant, scalar) uniform Args {\n$params} args;\n"
        "void main() {\n",
    .param = "  tn_ref_$s $p;\n",
    .loop =
        "  for ($index i = $index(gl_GlobalInvocationID.x); i < $count;\n"
        "       i += $index(gl_NumWorkGroups.x * gl_WorkGroupSize.x)) {\n",
    .close = "  }\n}\n",
    .element = "args.$p.at[$e]",
    .variable = "precise "};

}  // namespace tenon::sdk
#endif
