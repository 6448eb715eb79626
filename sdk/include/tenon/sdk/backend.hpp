// The SDK for backends in one include.
#ifndef TENON_SDK_BACKEND_HPP_
#define TENON_SDK_BACKEND_HPP_
#include <tenon/op_ids.h>

#include "attrs.hpp"
#include "device.hpp"
#include "dtype.hpp"
#include "guard.hpp"
#include "host.hpp"
#include "kernels.hpp"
#include "plugin.hpp"
#include "view.hpp"
#endif
