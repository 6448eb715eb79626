#include "reader.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace tenon::onnx {
namespace {

enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr int64_t kString = 8;  // TensorProto.DataType

struct Field {
  uint32_t number = 0, wire = 0;
  uint64_t value = 0;  // of a varint or a fixed number
  Bytes bytes;         // of a kBytes field
};

// The fields of a message, one after the other.
class Message {
 public:
  Message(Bytes bytes, std::string name) : left_(bytes), name_(std::move(name)) {}

  // False at the end.
  bool next(Field& field) {
    if (left_.empty()) return false;
    const uint64_t key = varint();
    if (key >> 3 == 0 || key >> 3 > (1u << 29) - 1) fail("a field number that cannot be");
    field = {static_cast<uint32_t>(key >> 3), static_cast<uint32_t>(key & 7), 0, {}};
    at_ = field.number;
    if (field.wire == kVarint)
      field.value = varint();
    else if (field.wire == kFixed32 || field.wire == kFixed64)
      field.value = fixed(field.wire == kFixed32 ? 4 : 8);
    else if (field.wire == kBytes)
      field.bytes = take(varint());
    else
      fail("wire type " + std::to_string(field.wire) + ", which is not read");
    return true;
  }

  int64_t integer(const Field& f) const {
    expect(f, kVarint);
    return static_cast<int64_t>(f.value);
  }
  double real(const Field& f) const {
    expect(f, kFixed32);
    return std::bit_cast<float>(static_cast<uint32_t>(f.value));
  }
  Bytes bytes(const Field& f) const {
    expect(f, kBytes);
    return f.bytes;
  }
  std::string text(const Field& f) const {
    const Bytes b = bytes(f);
    return {b.begin(), b.end()};
  }
  // A repeated number, packed or one by one.
  void integers(const Field& f, std::vector<int64_t>& out) const {
    if (f.wire != kBytes) return out.push_back(integer(f));
    Message packed(f.bytes, name_);
    packed.at_ = f.number;
    while (!packed.left_.empty()) out.push_back(static_cast<int64_t>(packed.varint()));
  }
  // The same for fixed ones, as the bytes in which they are stored.
  void fixed_numbers(const Field& f, size_t size, std::vector<uint8_t>& out) const {
    const uint32_t wire = size == 4 ? kFixed32 : kFixed64;
    if (f.wire != kBytes) expect(f, wire);
    if (f.bytes.size() % size) fail("packed numbers that are cut off");
    if (f.wire == kBytes) return append(out, f.bytes.data(), f.bytes.size());
    append(out, &f.value, size);  // the lower bytes: little-endian machines only
  }
  static void append(std::vector<uint8_t>& out, const void* data, size_t size) {
    const auto* from = static_cast<const uint8_t*>(data);
    out.insert(out.end(), from, from + size);
  }

  [[noreturn]] void unknown(const Field& f) const {
    throw Malformed(name_ + ": field " + std::to_string(f.number) + " is not known");
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Malformed(name_ + ": field " + std::to_string(at_) + ": " + what);
  }

 private:
  void expect(const Field& f, uint32_t wire) const {
    if (f.wire != wire)
      fail("wire type " + std::to_string(f.wire) + " instead of " + std::to_string(wire));
  }
  Bytes take(uint64_t size) {
    if (size > left_.size())
      fail(std::to_string(size) + " bytes, but there are " + std::to_string(left_.size()));
    const Bytes taken = left_.first(static_cast<size_t>(size));
    left_ = left_.subspan(static_cast<size_t>(size));
    return taken;
  }
  uint64_t fixed(size_t size) {
    uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);
    return value;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const uint8_t byte = take(1)[0];
      if (shift == 63 && byte > 1) fail("a number of more than 64 bits");
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("a number of more than 10 bytes");
  }

  Bytes left_;
  std::string name_;
  uint32_t at_ = 0;
};

static_assert(std::endian::native == std::endian::little, "numbers are taken as they lie there");

// Numbers of int32_data, int64_data and uint64_data hold elements of any narrower dtype.
std::vector<uint8_t> narrowed(const std::vector<int64_t>& numbers, size_t size) {
  std::vector<uint8_t> out;
  for (const int64_t number : numbers) Message::append(out, &number, size);
  return out;
}

uint64_t bytes_of(const Array& a, const Message& m) {
  uint64_t count = 1;
  for (const int64_t dim : a.dims) {
    if (dim < 0) m.fail("a size below 0");
    if (dim > 0 && count > std::numeric_limits<uint32_t>::max() / static_cast<uint64_t>(dim))
      m.fail("more elements than are read here");
    count *= static_cast<uint64_t>(dim);
  }
  return tn_dtype_bytes(a.dtype, count);
}

Attribute read_attribute(Bytes bytes, std::string& name) {
  using Kind = Attribute::Kind;
  static constexpr Kind kKinds[] = {Kind::other, Kind::real,     Kind::integer,
                                    Kind::text,  Kind::tensor,   Kind::other,
                                    Kind::reals, Kind::integers, Kind::texts};
  Attribute a;
  std::vector<uint8_t> reals;
  Message m(bytes, "AttributeProto");
  for (Field f; m.next(f);) {
    switch (f.number) {
      case 1:
        name = m.text(f);
        break;
      case 2:
        a.real = m.real(f);
        break;
      case 3:
        a.integer = m.integer(f);
        break;
      case 4:
        a.text = m.text(f);
        break;
      case 5:
        try {
          a.tensor = read_tensor(m.bytes(f), "TensorProto of " + name);
        } catch (const NotApplicable&) {
          a.strings = true;
        }
        break;
      case 7:
        m.fixed_numbers(f, 4, reals);
        break;
      case 8:
        m.integers(f, a.integers);
        break;
      case 9:
        m.bytes(f), a.strings = true;
        break;
      case 6:
      case 10:
      case 11:
      case 14:
      case 15:
      case 22:
      case 23:  // graphs, types, sparse
      case 13:
      case 21:
        m.bytes(f);
        break;  // texts
      case 20: {
        const int64_t kind = m.integer(f);
        if (kind < 0 || kind > 14) m.fail("type " + std::to_string(kind) + " is not known");
        a.kind = static_cast<size_t>(kind) < std::size(kKinds) ? kKinds[kind] : Kind::other;
        break;
      }
      default:
        m.unknown(f);
    }
  }
  for (size_t i = 0; i < reals.size(); i += 4) {
    float real = 0;
    std::memcpy(&real, &reals[i], 4);
    a.reals.push_back(real);
  }
  return a;
}

Node read_node(Bytes bytes) {
  Node node;
  Message m(bytes, "NodeProto");
  for (Field f; m.next(f);) {
    switch (f.number) {
      case 1:
        node.inputs.push_back(m.text(f));
        break;
      case 2:
        node.outputs.push_back(m.text(f));
        break;
      case 4:
        node.op = m.text(f);
        break;
      case 5: {
        std::string name;
        Attribute a = read_attribute(m.bytes(f), name);
        if (!node.attributes.emplace(name, std::move(a)).second)
          m.fail("attribute " + name + " stands there twice");
        break;
      }
      case 7:
        node.domain = m.text(f);
        break;
      case 3:
      case 6:
        m.bytes(f);
        break;  // name, documentation
      default:
        m.unknown(f);
    }
  }
  return node;
}

// What TypeProto says. Strings have no dtype; reading the tensor will say so.
void read_type(Bytes bytes, Value& value) {
  Message m(bytes, "TypeProto");
  for (Field f; m.next(f);) {
    switch (f.number) {
      case 1: {
        Message tensor(m.bytes(f), "TypeProto.Tensor");
        for (Field t; tensor.next(t);) {
          if (t.number == 1 && tensor.integer(t) != kString)
            value.dtype = dtype_of(tensor.integer(t));
          else if (t.number > 2)
            tensor.unknown(t);  // 2 is the shape
        }
        break;
      }
      case 4:
        value.kind = "sequence";
        break;
      case 5:
        value.kind = "map";
        break;
      case 8:
        value.kind = "sparse tensor";
        break;
      case 9:
        value.kind = "optional";
        break;
      case 6:
        m.bytes(f);
        break;  // denotation
      default:
        m.unknown(f);
    }
  }
}

Value read_value(Bytes bytes) {
  Value value;
  Message m(bytes, "ValueInfoProto");
  for (Field f; m.next(f);) {
    switch (f.number) {
      case 1:
        value.name = m.text(f);
        break;
      case 2:
        read_type(m.bytes(f), value);
        break;
      case 3:
        m.bytes(f);
        break;  // documentation
      default:
        m.unknown(f);
    }
  }
  return value;
}

std::string name_of_tensor(Bytes bytes) {
  Message m(bytes, "TensorProto");
  for (Field f; m.next(f);)
    if (f.number == 8) return m.text(f);
  return {};
}

Graph read_graph(Bytes bytes) {
  Graph graph;
  Message m(bytes, "GraphProto");
  for (Field f; m.next(f);) {
    switch (f.number) {
      case 1:
        graph.nodes.push_back(read_node(m.bytes(f)));
        break;
      case 5: {
        const std::string name = name_of_tensor(m.bytes(f));
        graph.initializers[name] = read_tensor(m.bytes(f), "initializer " + name);
        break;
      }
      case 11:
        graph.inputs.push_back(read_value(m.bytes(f)));
        break;
      case 12:
        graph.outputs.push_back(read_value(m.bytes(f)));
        break;
      case 2:
      case 10:
      case 13:
        m.bytes(f);
        break;  // name, documentation, inner values
      default:
        m.unknown(f);
    }
  }
  return graph;
}

}  // namespace

tn_dtype dtype_of(int64_t data_type) {
  static constexpr tn_dtype kDtypes[] = {
      TN_DTYPE_NONE, TN_DTYPE_F32, TN_DTYPE_U8,   TN_DTYPE_I8,   TN_DTYPE_U16, TN_DTYPE_I16,
      TN_DTYPE_I32,  TN_DTYPE_I64, TN_DTYPE_NONE, TN_DTYPE_BOOL, TN_DTYPE_F16, TN_DTYPE_F64,
      TN_DTYPE_U32,  TN_DTYPE_U64, TN_DTYPE_C64,  TN_DTYPE_C128, TN_DTYPE_BF16};
  if (data_type == kString) throw NotApplicable("strings");
  if (data_type < 1 || data_type >= static_cast<int64_t>(std::size(kDtypes)))
    throw Malformed("TensorProto: data type " + std::to_string(data_type) + " is not known");
  return kDtypes[data_type];
}

Array read_tensor(Bytes bytes, const std::string& name) {
  Array a;
  std::vector<int64_t> numbers;
  std::vector<uint8_t> reals, raw;
  int64_t data_type = 0;
  Message m(bytes, name);
  for (Field f; m.next(f);) {
    switch (f.number) {
      case 1:
        m.integers(f, a.dims);
        break;
      case 2:
        data_type = m.integer(f);
        break;
      case 4:
        m.fixed_numbers(f, 4, reals);
        break;
      case 5:
      case 7:
      case 11:
        m.integers(f, numbers);
        break;  // int32, int64, uint64
      case 9:
        Message::append(raw, m.bytes(f).data(), m.bytes(f).size());
        break;
      case 10:
        m.fixed_numbers(f, 8, reals);
        break;
      case 6:
      case 8:
      case 12:
        m.bytes(f);
        break;  // strings, name, documentation
      default:
        m.unknown(f);  // segments and other files among them
    }
  }
  a.dtype = dtype_of(data_type);
  if (a.dims.size() > TN_MAX_RANK) m.fail("rank " + std::to_string(a.dims.size()));
  const uint64_t size = bytes_of(a, m);
  const size_t element = tn_dtype_bytes(a.dtype, 1);
  const int kinds = !numbers.empty() + !reals.empty() + !raw.empty();
  if (kinds > 1) m.fail("elements in more than one field");
  a.bytes = !numbers.empty() ? narrowed(numbers, element) : !reals.empty() ? reals : raw;
  if (a.bytes.size() != size)
    m.fail(std::to_string(a.bytes.size()) + " bytes of elements instead of " +
           std::to_string(size));
  return a;
}

Model read_model(Bytes bytes) {
  Model model;
  bool found = false;
  Message m(bytes, "ModelProto");
  for (Field f; m.next(f);) {
    switch (f.number) {
      case 7:
        model.graph = read_graph(m.bytes(f)), found = true;
        break;
      case 8: {
        std::string domain;
        int64_t version = 0;
        Message opset(m.bytes(f), "OperatorSetIdProto");
        for (Field o; opset.next(o);) {
          if (o.number == 1)
            domain = opset.text(o);
          else if (o.number == 2)
            version = opset.integer(o);
          else
            opset.unknown(o);
        }
        model.opsets[domain] = version;
        break;
      }
      case 1:
      case 5:
        m.integer(f);
        break;  // versions
      case 2:
      case 3:
      case 4:
      case 6:
      case 14:
        m.bytes(f);
        break;  // who made it
      default:
        m.unknown(f);
    }
  }
  if (!found) throw Malformed("ModelProto: no graph");
  return model;
}

}  // namespace tenon::onnx
