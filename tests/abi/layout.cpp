// The same assertions as C++20.
#include "abi_asserts.h"
