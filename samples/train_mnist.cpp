// LeNet-5 on MNIST, through the C++ binding: about 99 % of the test images after 5 epochs.
// Usage: train_mnist [--device NAME] [--epochs N] [--batch N] [--lr X] [--seed N] [--data FOLDER]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <numeric>
#include <random>
#include <tenon/tenon.hpp>

namespace {

using tenon::Context, tenon::Dims, tenon::Tensor, tenon::Variable;

struct Options {
  std::string device, data = TENON_MNIST_DIR;
  int64_t epochs = 5, batch = 64;
  uint64_t seed = 1;
  double lr = 0.003;
};

// ---- data: the IDX files of MNIST

struct Missing : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Images {
  int64_t count = 0;
  std::vector<uint8_t> pixels;  // [count, 28, 28]
  std::vector<uint8_t> labels;
};

// The bytes of an IDX file of unsigned bytes, and its dims.
std::vector<uint8_t> read_idx(const std::string& path, std::vector<uint32_t>& dims) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Missing(path);
  const auto word = [&] {
    uint8_t b[4] = {};
    file.read(reinterpret_cast<char*>(b), 4);
    return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
  };
  const uint32_t magic = word();
  if (magic >> 8 != 8 || (magic & 0xff) > 3)
    throw std::runtime_error(path + ": not an IDX file of bytes");
  size_t size = 1;
  for (uint32_t i = 0; i < (magic & 0xff); ++i) size *= dims.emplace_back(word());
  if (!file || size > (1u << 30)) throw std::runtime_error(path + ": damaged header");
  std::vector<uint8_t> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) throw std::runtime_error(path + ": cut off");
  return bytes;
}

Images read_images(const std::string& folder, const std::string& part) {
  Images images;
  std::vector<uint32_t> dims, count;
  images.pixels = read_idx(folder + "/" + part + "-images.idx3-ubyte", dims);
  images.labels = read_idx(folder + "/" + part + "-labels.idx1-ubyte", count);
  if (dims.size() != 3 || dims[1] != 28 || dims[2] != 28 || count.size() != 1 ||
      count[0] != dims[0])
    throw std::runtime_error(folder + ": images of 28 x 28 and as many labels are wanted");
  images.count = dims[0];
  return images;
}

// ---- network

struct LeNet {
  std::vector<Variable> vars;  // weight and bias of each layer

  explicit LeNet(Context& cx) {
    add(cx, "conv1", {6, 1, 5, 5});
    add(cx, "conv2", {16, 6, 5, 5});
    add(cx, "fc1", {120, 400});
    add(cx, "fc2", {84, 120});
    add(cx, "fc3", {10, 84});
  }
  void add(Context& cx, const std::string& name, const Dims& dims) {
    const int64_t inputs =
        std::accumulate(dims.begin() + 1, dims.end(), int64_t{1}, std::multiplies());
    const double bound = std::sqrt(3.0 / static_cast<double>(inputs));
    vars.emplace_back(cx, name + ".weight",
                      tenon::uniform(cx, dims, {.low = -bound, .high = bound}));
    vars.emplace_back(cx, name + ".bias", Tensor::zeros(cx, {dims[0]}));
  }
  // n images of bytes to [n, 10].
  Tensor operator()(const Tensor& bytes) const {
    const Tensor image = tenon::cast(bytes, TN_DTYPE_F32) / 255.0 - 0.1307;
    Tensor x = tenon::reshape(image, {-1, 1, 28, 28});
    x = tenon::relu(tenon::conv2d(x, vars[0], vars[1], {.padding = {2, 2}}));
    x = tenon::max_pool2d(x, {2, 2});
    x = tenon::relu(tenon::conv2d(x, vars[2], vars[3]));
    x = tenon::reshape(tenon::max_pool2d(x, {2, 2}), {-1, 400});
    x = tenon::relu(tenon::linear(x, vars[4], vars[5]));
    x = tenon::relu(tenon::linear(x, vars[6], vars[7]));
    return tenon::linear(x, vars[8], vars[9]);
  }
};

// ---- training

struct Data {
  Tensor images, labels;  // all of them, on the device
  Data(const Context& cx, const Images& from)
      : images(cx, from.pixels, {from.count, 784}),
        labels(tenon::cast(Tensor(cx, from.labels, {from.count}), TN_DTYPE_I64)) {}
};

double accuracy(Context& cx, const LeNet& net, const Data& test) {
  const tenon::NoGrad no_grad(cx);
  const int64_t count = test.labels.count(), most = 500;
  int64_t right = 0;
  for (int64_t from = 0; from < count; from += most) {
    const int64_t to = std::min(from + most, count);
    const Tensor logits = net(tenon::slice(test.images, {from, 0}, {to, 784}));
    const Tensor hits = tenon::argmax(logits) == tenon::slice(test.labels, {from}, {to});
    right += tenon::sum(hits).item<int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(count);
}

// All images moved by up to 2 pixels, so that the network does not learn them by heart.
Tensor shifted(const Tensor& images, std::mt19937_64& random) {
  std::uniform_int_distribution<int64_t> pixels(-2, 2);
  const int64_t dy = pixels(random), dx = pixels(random);
  const Tensor planes = tenon::reshape(images, {-1, 28, 28});
  return tenon::pad(planes, {}, {0, dy, dx}, {0, -dy, -dx});
}

struct Training {
  Context& cx;
  const LeNet& net;
  tenon::Optimizer optimizer;
  tenon::Schedule schedule;  // of the learning rate: a cosine down to 0
  tenon::Program step;       // images of bytes and their labels to the mean loss
  std::mt19937_64 random;

  Training(Context& context, const LeNet& network, const Options& o, int64_t steps)
      : cx(context),
        net(network),
        optimizer(cx, "adam", {{"lr", o.lr}}),
        schedule(cx, "cosine", {{"lr", o.lr}, {"steps", steps}}, optimizer.hyper("lr")),
        step(tenon::capture(cx, "step", [this](tenon::Capture& in) { return record(in); })),
        random(o.seed) {}

  // Forward, gradients and optimizer; alike by calls and in a capture.
  Tensor update(const Tensor& images, const Tensor& labels) {
    const Tensor loss = tenon::cross_entropy(net(images), labels);
    optimizer.step(net.vars, tenon::grad(loss, net.vars));
    return loss;
  }
  // For batches of any size: the last one of an epoch is smaller.
  std::vector<Tensor> record(tenon::Capture& in) {
    const Tensor images = in.input("images", {"batch", 28, 28}, TN_DTYPE_U8);
    const Tensor labels = in.input("labels", {"batch"}, TN_DTYPE_I64);
    return {update(images, labels)};
  }

  // One pass over the images in a new order; the mean loss.
  double epoch(const Data& data, int64_t batch) {
    std::vector<int64_t> order(static_cast<size_t>(data.labels.count()));
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    double sum = 0;
    for (size_t from = 0; from < order.size(); from += static_cast<size_t>(batch)) {
      const size_t n = std::min(static_cast<size_t>(batch), order.size() - from);
      const Tensor rows(cx, std::span(order).subspan(from, n), {static_cast<int64_t>(n)});
      const Tensor images = shifted(tenon::gather(data.images, rows), random);
      schedule.step();
      const Tensor loss = step(cx, {images, tenon::gather(data.labels, rows)})[0];
      sum += loss.item() * static_cast<double>(n);
    }
    return sum / static_cast<double>(order.size());
  }
};

void run(const Options& o) {
  const Images train = read_images(o.data, "train"), test = read_images(o.data, "t10k");
  tenon::Runtime runtime;
  Context cx(runtime, o.device);
  cx.seed(o.seed);
  const LeNet net(cx);
  const Data train_data(cx, train), test_data(cx, test);
  Training training(cx, net, o, o.epochs * ((train.count + o.batch - 1) / o.batch));
  std::printf("%lld images to train on, %lld to test, on %s\n", static_cast<long long>(train.count),
              static_cast<long long>(test.count), cx.device().name().c_str());
  for (int64_t epoch = 0; epoch < o.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    const double loss = training.epoch(train_data, o.batch);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    std::printf("epoch %2lld/%lld   loss %.6f   accuracy %.4f   %.1f s\n",
                static_cast<long long>(epoch + 1), static_cast<long long>(o.epochs), loss,
                accuracy(cx, net, test_data), spent.count());
    std::fflush(stdout);
  }
  std::vector<tenon::NamedTensor> tensors;
  for (const Variable& v : net.vars) tensors.push_back({v.name(), v});
  tenon::save(cx, "lenet.safetensors", tensors);
  std::printf("saved lenet.safetensors\ntest accuracy: %.2f %%\n",
              100 * accuracy(cx, net, test_data));
}

Options read_options(int argc, char** argv) {
  Options o;
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
  const auto take = [&](const char* name, auto use) {
    const auto found = given.find(name);
    if (found == given.end()) return;
    try {
      use(found->second);
    } catch (const std::exception&) {
      throw std::invalid_argument(found->first + " " + found->second + ": not a number");
    }
    given.erase(found);
  };
  take("--device", [&](const std::string& s) { o.device = s; });
  take("--data", [&](const std::string& s) { o.data = s; });
  take("--epochs", [&](const std::string& s) { o.epochs = std::stoll(s); });
  take("--batch", [&](const std::string& s) { o.batch = std::stoll(s); });
  take("--lr", [&](const std::string& s) { o.lr = std::stod(s); });
  take("--seed", [&](const std::string& s) { o.seed = std::stoull(s); });
  if (!given.empty())
    throw std::invalid_argument("unknown argument '" + given.begin()->first + "'");
  if (argc % 2 == 0) throw std::invalid_argument(std::string("no value after ") + argv[argc - 1]);
  if (o.epochs < 1 || o.batch < 1) throw std::invalid_argument("--epochs and --batch begin at 1");
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  const char* const usage =
      "usage: train_mnist [--device NAME] [--epochs N] [--batch N] [--lr X] [--seed N] "
      "[--data FOLDER]\n";
  if (argc == 2 && std::string(argv[1]) == "--help") return std::cout << usage, 0;
  Options options;
  try {
    options = read_options(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "train_mnist: " << e.what() << "\n" << usage;
    return 2;
  }
  try {
    run(options);
  } catch (const Missing& e) {
    std::cerr << "skipped: there is no " << e.what() << "\n"
              << "tools/fetch-mnist brings the images; --data says where they are\n";
    return 77;
  } catch (const std::exception& e) {
    std::cerr << "train_mnist: " << e.what() << "\n";
    return 1;
  }
  return 0;
}
