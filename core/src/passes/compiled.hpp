// Graphs that a backend compiled: kept with the device for all programs, and on disk where the runtime has a folder for it.
#pragma once
#include <string>

#include "pass.hpp"

namespace tenon {

// A new reference to the plan of a graph, which is looked for in the device's plans, then on disk, and else compiled. Null: the
// backend declines, and *why says so.
PlanOwner compiled_plan(const PassContext& c, const std::string& blob, std::string* why);

}  // namespace tenon
