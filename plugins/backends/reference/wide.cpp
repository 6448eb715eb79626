#include "wide.hpp"

WIDE(, uint64_t);
WIDE(, int64_t);
WIDE(, double);
WIDE(, tenon::sdk::c128);
