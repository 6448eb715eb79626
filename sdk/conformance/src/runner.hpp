// One op under test on one device.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "session.hpp"
#include "tenon/conformance/conformance.hpp"

namespace tenon::conformance {

using Record = std::function<void(Result)>;

// "matrix f32 strided"
std::string place_of(const Result& result);
// Told of each case before it runs, if it is set: who watches the process then knows what it was at.
extern std::function<void(const Result&)> on_case;

// The state that random ops begin from: one in the middle of nowhere, one whose counter carries.
RandomState random_state(bool carries);

// The inputs of a case in a dtype: the same values each time.
std::vector<Array> inputs_of(const OpSamples& op, const Case& c, tn_dtype dtype);
// Layouts worth trying with these inputs.
std::vector<Layout> layouts_of(const Case& c, const std::vector<Array>& inputs, bool brief);
// The dtypes that a case is run with.
std::vector<tn_dtype> dtypes_of(const OpSamples& op, const Case& c, bool brief);

// Inputs on the device; the arrays hold what is seen through the layout.
struct Inputs {
  Inputs(Session& session, const std::vector<Array>& arrays, Layout layout);
  std::vector<Arranged> held;
  std::vector<tn_tensor*> in;
};
// Calls a case, and waits for it. Throws what comes of that; the results are not looked at.
void call_case(Session& session, const OpSamples& op, const Case& c, tn_dtype dtype, Layout layout);

// "gelu(f32[3,5], approximate='tanh')"
std::string call_text(const Session& session, const OpSamples& op, const Case& c, tn_dtype dtype);
// Expected of values.
inline constexpr const char* kOracleSays = "what the oracle in double precision says";
// The ops that an op's cases are decomposed into; nothing runs.
std::vector<std::string> decompositions(Session& session, const OpSamples& op);
// What is wrong, "" for nothing, and what should be instead, "" for what the oracle says.
struct Finding {
  Finding() = default;
  Finding(std::string what_found, std::string what_expected = "")  // NOLINT: a text is one
      : found(std::move(what_found)), expected(std::move(what_expected)) {}
  std::string found, expected;
};

// A result with all but verdict and reason filled in.
Result blank(const Session& session, const OpSamples& op, const Case& c, tn_dtype dtype,
             Layout layout, Level level);
// Runs `body`, which gives what is wrong, and records its outcome. What the device says
// it cannot do is unsupported, and so is a refused dtype where the op leaves dtypes open.
void attempt(Session& session, Result result, bool open_dtype, const Record& record,
             const std::function<Finding()>& body);

// Values in every dtype and layout, several times, inputs left as they were.
void run_forward(Session& session, const OpSamples& op, bool brief, const Record& record);
// The one case of them that gave `before`, again. Does nothing where there is none.
void run_again(Session& session, const OpSamples& op, bool brief, const Result& before,
               const Record& record);
// Gives the number of results.
size_t run_gradients(Session& session, const OpSamples& op, bool brief, const Record& record);
void run_second_order(Session& session, const OpSamples& op, bool brief, const Record& record);
// Each case, values and gradients, as a program against the same calls, for the sizes of the capture, once more with all inputs but the
// first as constants, which may be packed, and with a symbol for each size.
// within: instead of the calls' bits also what is within the op's tolerance of its oracle, where a compiler may round otherwise.
enum class Exactness : uint8_t { bits, within };
inline constexpr const char* kWithin = "other bits than the calls, within the op's tolerance";
enum class Sizes : uint8_t { known, lasting, symbols };  // symbols: all
void run_captured(Session& session, const OpSamples& op, Exactness exactness, const Record& record,
                  Sizes sizes = Sizes::symbols);

}  // namespace tenon::conformance
