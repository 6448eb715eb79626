/* abi.json as static assertions, as C11: compiling is the test. */
#include "abi_asserts.h"

int main(void) { return 0; }
