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

// A result with all but verdict and reason filled in.
Result blank(const Session& session, const OpSamples& op, const Case& c, tn_dtype dtype,
             Layout layout, Level level);
// Runs `body`, which gives what is wrong or "", and records its outcome. What the device says
// it cannot do is unsupported, and so is a refused dtype where the op leaves dtypes open.
void attempt(Session& session, Result result, bool open_dtype, const Record& record,
             const std::function<std::string()>& body);

// Values in every dtype and layout, several times, inputs left as they were.
void run_forward(Session& session, const OpSamples& op, bool brief, const Record& record);
// Gives the number of results.
size_t run_gradients(Session& session, const OpSamples& op, bool brief, const Record& record);
void run_second_order(Session& session, const OpSamples& op, bool brief, const Record& record);

}  // namespace tenon::conformance
