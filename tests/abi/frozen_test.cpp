// The structs that are frozen for good and carry no struct_size, by number: written by hand, so that
// regenerating abi.json cannot move them.
#include <doctest/doctest.h>
#include <tenon/plugin/plugin.h>
#include <tenon/tenon.h>

#define CHECK_AT(type, field, at) CHECK(offsetof(type, field) == (at))

TEST_CASE("abi frozen: sizes") {
  if (sizeof(void*) != 8) {
    MESSAGE("the numbers are those of 64-bit targets");
    return;
  }
  CHECK(sizeof(tn_str) == 16);
  CHECK(sizeof(tn_view) == 48);
  CHECK(sizeof(tn_attr) == 24);
  CHECK(sizeof(tn_option) == 40);
  CHECK(sizeof(tn_timeline) == 32);
  CHECK(sizeof(tn_interface) == 32);
  CHECK(sizeof(tn_claim) == 24);
  CHECK(sizeof(tn_graph_header) == 104);
  CHECK(sizeof(tn_graph_value) == 176);
  CHECK(sizeof(tn_graph_node) == 40);
  CHECK(sizeof(tn_graph_attr) == 24);
  CHECK(sizeof(tn_graph_result) == 8);
}

TEST_CASE("abi frozen: offsets") {
  if (sizeof(void*) != 8) return;
  CHECK_AT(tn_str, data, 0);
  CHECK_AT(tn_str, size, 8);

  CHECK_AT(tn_view, mem, 0);
  CHECK_AT(tn_view, offset, 8);
  CHECK_AT(tn_view, dims, 16);
  CHECK_AT(tn_view, strides, 24);
  CHECK_AT(tn_view, count, 32);
  CHECK_AT(tn_view, dtype, 40);
  CHECK_AT(tn_view, rank, 44);
  CHECK_AT(tn_view, flags, 45);
  CHECK_AT(tn_view, reserved, 46);

  CHECK_AT(tn_attr, key, 0);
  CHECK_AT(tn_attr, tag, 4);
  CHECK_AT(tn_attr, bits, 8);
  CHECK_AT(tn_attr, data, 16);

  CHECK_AT(tn_option, name, 0);
  CHECK_AT(tn_option, value, 16);

  CHECK_AT(tn_timeline, submitted, 0);
  CHECK_AT(tn_timeline, completed, 8);
  CHECK_AT(tn_timeline, failed, 16);
  CHECK_AT(tn_timeline, reserved, 24);

  CHECK_AT(tn_interface, id, 0);
  CHECK_AT(tn_interface, major, 16);
  CHECK_AT(tn_interface, revision, 20);
  CHECK_AT(tn_interface, table, 24);

  CHECK_AT(tn_claim, claimed, 0);
  CHECK_AT(tn_claim, reason, 8);

  CHECK_AT(tn_graph_header, version, 8);
  CHECK_AT(tn_graph_header, bytes, 16);
  CHECK_AT(tn_graph_header, value_count, 24);
  CHECK_AT(tn_graph_header, result_count, 44);
  CHECK_AT(tn_graph_header, values, 48);
  CHECK_AT(tn_graph_header, results, 88);
  CHECK_AT(tn_graph_header, data, 96);

  CHECK_AT(tn_graph_value, flags, 4);
  CHECK_AT(tn_graph_value, node, 8);
  CHECK_AT(tn_graph_value, view_of, 12);
  CHECK_AT(tn_graph_value, view_offset, 16);
  CHECK_AT(tn_graph_value, bits, 24);
  CHECK_AT(tn_graph_value, rank, 40);
  CHECK_AT(tn_graph_value, dims, 48);
  CHECK_AT(tn_graph_value, strides, 112);

  CHECK_AT(tn_graph_node, op_bytes, 8);
  CHECK_AT(tn_graph_node, first_operand, 16);
  CHECK_AT(tn_graph_node, first_attr, 28);
  CHECK_AT(tn_graph_node, flags, 36);

  CHECK_AT(tn_graph_attr, bits, 8);
  CHECK_AT(tn_graph_attr, offset, 16);

  CHECK_AT(tn_graph_result, input, 4);
}

TEST_CASE("abi frozen: dtype codes are those of DLPack") {
  CHECK(TN_DTYPE_I32 == 0x12000u);
  CHECK(TN_DTYPE_U8 == 0x10801u);
  CHECK(TN_DTYPE_F16 == 0x11002u);
  CHECK(TN_DTYPE_F32 == 0x12002u);
  CHECK(TN_DTYPE_F64 == 0x14002u);
  CHECK(TN_DTYPE_BF16 == 0x11004u);
  CHECK(TN_DTYPE_C64 == 0x14005u);
  CHECK(TN_DTYPE_BOOL == 0x10806u);
}
