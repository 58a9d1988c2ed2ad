// What the net thread waits for.
#include <dirent.h>
#include <sys/syscall.h>

#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/raw_client.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace std::chrono_literals;

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// "/proc/self/task/N" of the thread with this name, or empty.
std::string task_called(const std::string& name) {
  const std::string all = "/proc/self/task/";
  DIR* const folder = ::opendir(all.c_str());
  std::string out;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string task = all + entry->d_name;
    if (first_line(task + "/comm") == name) out = task;
  }
  ::closedir(folder);
  return out;
}

// How many descriptors this thread waits for, by its poll(). Nothing where the system does not
// tell.
std::optional<size_t> polls(const std::string& task) {
  for (;;) {
    const std::string line = first_line(task + "/syscall");  // number and arguments
    if (line.empty()) return std::nullopt;
    std::istringstream words(line);
    long call = -1;
    std::string list;
    std::string count;
    words >> call >> list >> count;
    if (call == SYS_ppoll
#ifdef SYS_poll
        || call == SYS_poll
#endif
    ) {
      return std::stoul(count, nullptr, 16);
    }
    std::this_thread::sleep_for(1ms);
  }
}

}  // namespace

TEST_CASE("clients of the relay that are idle cost nothing: nobody polls them one by one (G12)") {
  const auto loop = net::Loop::start();
  REQUIRE(loop);
  const auto relay = server::RelayServer::start(**loop, {});
  REQUIRE(relay);
  const std::string task = task_called("net");
  REQUIRE_FALSE(task.empty());
  const auto before = polls(task);
  if (!before) SKIP_TEST("this system does not tell what a thread is blocked in");
  std::vector<std::unique_ptr<test::RawClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<test::RawClient>((*relay)->port()));
    clients.back()->send(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    REQUIRE(clients.back()->read("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  }
  CHECK(polls(task) == before);
}
