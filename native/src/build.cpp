// What this library was built against.

extern "C" __attribute__((visibility("default"))) const char* ds_build_libtorch_origin() {
  return DISTILLSHARP_LIBTORCH_ORIGIN;
}
