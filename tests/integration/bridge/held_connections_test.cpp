// R40: what clients that say or read nothing can hold is bounded, and nobody else waits for them.
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/ipld/dag_pb.h"
#include "ipnscast/sync/ipfs/unixfs/unixfs.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/four_ports.h"
#include "ipnscast/tests/support/gateways/raw_client.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasuresMemory = false;  // a sanitizer keeps what was freed, and more
#else
constexpr bool kMeasuresMemory = true;
#endif
constexpr size_t kMegabyte = 1024 * 1024;

size_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  size_t all = 0;
  size_t resident = 0;
  in >> all >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

// Both ends of every connection are in this process.
void allow_descriptors(rlim_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, wanted));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string post_head(size_t length) {
  return "POST /api/v0/dag/import HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; "
         "boundary=b\r\nContent-Length: " +
         std::to_string(length) + "\r\n\r\n";
}

// A DAG of `count` blocks as a CAR in a multipart body, and its root.
struct Content {
  std::string root;
  std::string body;
};
Content content_of(size_t count, size_t block_bytes) {
  sync::PbNode node;
  sync::UnixfsData data{.type = sync::UnixfsType::file};
  data.filesize = count * block_bytes;
  std::vector<std::pair<sync::Cid, Bytes>> blocks;
  for (size_t i = 0; i < count; ++i) {
    Bytes chunk = random_bytes(block_bytes);
    const sync::Cid cid = *sync::make_cid(sync::Codec::raw, chunk);
    node.links.push_back({cid, "", block_bytes});
    data.blocksizes.push_back(block_bytes);
    blocks.emplace_back(cid, std::move(chunk));
  }
  node.data = sync::encode_unixfs(data);
  const Bytes top = sync::encode_dag_pb(node);
  const sync::Cid root = *sync::make_cid(sync::Codec::dag_pb, top);
  Bytes car = sync::car_header({root});
  sync::append_car_section(car, root, top);
  for (const auto& [cid, block] : blocks) sync::append_car_section(car, cid, block);
  std::string body = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
  body += as_text(car);
  body += "\r\n--b--\r\n";
  return {root.to_string(), std::move(body)};
}

std::string import(const FourPorts& stack, const Content& content) {
  RawClient client(stack.rpc().number);
  client.send(post_head(content.body.size()));
  client.send(content.body);
  return client.read("Root");
}

}  // namespace

TEST_CASE("R40: 1,000 half-open and 100 half-sent requests leave all ports answering") {
  allow_descriptors(8192);
  const FourPorts stack;
  REQUIRE(stack.all_answer());
  const size_t before = resident_bytes();
  std::vector<RawClient> clients;
  const std::vector<std::string> halves = {"", "GET", "GET / HTTP/1.1\r\nHost: x\r\nX: "};
  for (size_t i = 0; i < 1000; ++i) {
    clients.emplace_back(stack.ports()[i % 4].number);
    clients.back().send(halves[i % 3]);
  }
  const std::string part(kMegabyte, 'x');
  for (size_t i = 0; i < 100; ++i) {
    clients.emplace_back(stack.rpc().number);
    clients.back().send(post_head(60 * kMegabyte));
  }
  CHECK(stack.all_answer());
  // Each goes on sending as long as it is let: 1,000 MiB if it were.
  for (int round = 0; round < 10; ++round) {
    for (size_t i = 1000; i < clients.size(); ++i) clients[i].send_now(part);
    for (const auto& port : stack.ports()) {
      INFO(port.name);
      REQUIRE(count_answers(FourPorts::ask(port)) == 1);
    }
  }
  CHECK(stack.all_answer());
  if (kMeasuresMemory) CHECK(resident_bytes() < before + 160 * kMegabyte);
  // All of a thousand on the smallest port.
  clients.clear();
  for (size_t i = 0; i < 1000; ++i) {
    clients.emplace_back(stack.metrics().number);
    clients.back().send(halves[i % 3]);
  }
  CHECK(FourPorts::ask(stack.metrics()) == "HTTP/1.1 200 OK");
  CHECK(stack.all_answer());
}

TEST_CASE("R40: a body for which there is no room gets 503, and one that is too long 413") {
  const FourPorts stack;
  const std::string part(kMegabyte, 'x');
  std::vector<RawClient> clients;
  for (int i = 0; i < 12; ++i) {
    clients.emplace_back(stack.rpc().number);
    clients.back().send(post_head(20 * kMegabyte));
  }
  size_t refused = 0;
  for (int round = 0; round < 10; ++round) {
    for (RawClient& client : clients) client.send_now(part);
    REQUIRE(stack.all_answer());
  }
  for (RawClient& client : clients) {
    const std::string answer = client.read({}, std::chrono::milliseconds(50));
    if (answer.rfind("HTTP/1.1 503", 0) == 0) ++refused;
  }
  CHECK(refused >= 1);
  clients.clear();
  RawClient too_long(stack.rpc().number);
  too_long.send(post_head(1000 * kMegabyte));
  CHECK(too_long.read().rfind("HTTP/1.1 413", 0) == 0);
  // The room came back.
  CHECK(import(stack, content_of(4, 100'000)).find("200 OK") != std::string::npos);
}

TEST_CASE("R40: readers that have stopped hold no thread of the node") {
  const FourPorts stack;
  const Content content = content_of(80, 200'000);
  REQUIRE(import(stack, content).find("200 OK") != std::string::npos);
  const std::string get = "GET /ipfs/" + content.root + "?format=car HTTP/1.1\r\nHost: x\r\n\r\n";
  const size_t before = resident_bytes();
  std::vector<RawClient> stuck;
  for (int i = 0; i < 40; ++i) {
    stuck.emplace_back(stack.gateway().number);
    stuck.back().send(get);
    REQUIRE(stuck.back().read("HTTP/1.1 200").size() > 0);
  }
  // More of them than threads, and everybody else is served.
  RawClient other(stack.gateway().number);
  other.send("GET /ipfs/" + content.root +
             "?format=car HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(other.read({}, std::chrono::seconds(60)).size() > 80 * 200'000);
  CHECK(other.ended());
  CHECK(stack.all_answer());
  if (kMeasuresMemory) CHECK(resident_bytes() < before + 100 * kMegabyte);
  // They may go on whenever they like.
  CHECK(stuck.front().read("\r\n0\r\n\r\n", std::chrono::seconds(60)).size() > 1000);
}

TEST_CASE("R40: a CAR with many roots over the same blocks costs what one root does") {
  const FourPorts stack;
  // Each root leads to all of the leaves; one by one that would be four million visits.
  constexpr size_t kLeaves = 2000;
  constexpr size_t kRoots = 2000;
  sync::PbNode middle;
  Bytes sections;
  for (size_t i = 0; i < kLeaves; ++i) {
    const Bytes leaf = to_bytes(std::string_view("leaf " + std::to_string(i)));
    const sync::Cid cid = *sync::make_cid(sync::Codec::raw, leaf);
    middle.links.push_back({cid, "", leaf.size()});
    sync::append_car_section(sections, cid, leaf);
  }
  const Bytes all = sync::encode_dag_pb(middle);
  const sync::Cid below = *sync::make_cid(sync::Codec::dag_pb, all);
  sync::append_car_section(sections, below, all);
  std::vector<sync::Cid> roots;
  for (size_t i = 0; i < kRoots; ++i) {
    sync::PbNode top;
    top.links.push_back({below, std::to_string(i), all.size()});
    const Bytes bytes = sync::encode_dag_pb(top);
    roots.push_back(*sync::make_cid(sync::Codec::dag_pb, bytes));
    sync::append_car_section(sections, roots.back(), bytes);
  }
  Bytes car = sync::car_header(roots);
  append(car, sections);
  std::string body = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
  body += as_text(car);
  body += "\r\n--b--\r\n";
  RawClient client(stack.rpc().number);
  client.send(post_head(body.size()));
  client.send(body);
  client.end_sending();
  const std::string answer = client.read({}, std::chrono::seconds(120));
  CHECK(answer.rfind("HTTP/1.1 200", 0) == 0);
  CHECK(answer.find(roots.back().to_string()) != std::string::npos);
  CHECK(answer.find("could not find") == std::string::npos);
}
