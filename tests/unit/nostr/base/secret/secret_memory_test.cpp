#include <sys/resource.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/secret/secret_bytes.h"
#include "ipnscast/nostr/base/secret/secret_text.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;

namespace {

// The kernel's flags of the mapping that holds this address ("VmFlags" of proc(5)), such as " rd wr
// lo dd ".
std::string flags_at(const uint8_t* address) {
  std::ifstream smaps("/proc/self/smaps");
  const auto at = reinterpret_cast<uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2)
      inside = begin <= at && at < end;
    if (inside && line.starts_with("VmFlags:")) return line.substr(8) + ' ';
  }
  return "no mapping";
}

bool may_lock_memory() {
  rlimit limit{};
  return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur >= 65'536;
}

void check_is_kept_to_us(ByteView secret) {
  for (const uint8_t* at : {secret.data(), secret.data() + secret.size() - 1}) {
    const std::string flags = flags_at(at);
    CAPTURE(flags);
    CHECK(flags.find(" dd ") != std::string::npos);
    if (may_lock_memory()) CHECK(flags.find(" lo ") != std::string::npos);
  }
}

}  // namespace

TEST_CASE("a key in memory goes into no core dump and no swap (C8)") {
  const Bytes bytes(32, 7);
  const auto key = SecretBytes<32>::from(bytes);
  CHECK(as_text(key.view()) == as_text(bytes));
  check_is_kept_to_us(key.view());
  check_is_kept_to_us(SecretBytes<64>::from(Bytes(64, 7)).view());
  check_is_kept_to_us(SecretBytes<65>::from(Bytes(65, 7)).view());
}

TEST_CASE("neither does a password, of any length (C8)") {
  for (const size_t length : {size_t{1}, size_t{64}, size_t{65}, size_t{10'000}}) {
    std::string typed(length, 'x');
    const SecretText password = SecretText::take(typed);
    CHECK(typed.empty());
    CHECK(password.view() == std::string(length, 'x'));
    check_is_kept_to_us(as_bytes(password.view()));
  }
  std::string nothing;
  CHECK(SecretText::take(nothing).view().empty());
}

TEST_CASE("a secret that has ended is gone, and its place is used again") {
  const uint8_t* place = nullptr;
  {
    const auto key = SecretBytes<32>::from(Bytes(32, 7));
    place = key.view().data();
  }
  const SecretBytes<32> next;
  CHECK(next.view().data() == place);
  CHECK(as_text(next.view()) == std::string(32, '\0'));
}

TEST_CASE("secrets that live at the same time have places of their own, and keep them when moved") {
  std::vector<SecretBytes<32>> keys;
  for (size_t i = 0; i < 1'000; ++i)
    keys.push_back(SecretBytes<32>::from(Bytes(32, static_cast<uint8_t>(i))));
  for (size_t i = 0; i < keys.size(); ++i)
    CHECK(as_text(keys[i].view()) == std::string(32, static_cast<char>(i)));
  SecretBytes<32> other = std::move(keys[3]);
  CHECK(as_text(other.view()) == std::string(32, '\3'));
  other = std::move(keys[4]);
  CHECK(as_text(other.view()) == std::string(32, '\4'));
  CHECK(as_text(other.clone().view()) == std::string(32, '\4'));
}
