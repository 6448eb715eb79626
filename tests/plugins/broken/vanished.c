/* A library that is there when missing_dependency is linked, and nowhere when that is loaded. */
__attribute__((visibility("default"))) int vanished(void);
int vanished(void) { return 1; }
