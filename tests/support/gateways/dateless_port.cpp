#include "ipnscast/tests/support/gateways/dateless_port.h"

#include <cctype>
#include <string_view>

#include "ipnscast/tests/support/gateways/raw_http.h"

namespace ipnscast::test {
namespace {

// Goes over a stream as it comes, in pieces of any size.
class DateEraser {
 public:
  void erase(char* bytes, size_t count) {
    for (char* at = bytes; at != bytes + count; ++at) {
      if (matched_ == kHeader.size() && *at != '\r') {
        *at = 'x';
      } else {
        const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>(*at)));
        if (matched_ == kHeader.size() || letter != kHeader[matched_]) matched_ = 0;
        if (letter == kHeader[matched_]) ++matched_;
      }
    }
  }

 private:
  static constexpr std::string_view kHeader = "\ndate: ";
  size_t matched_ = 0;
};

}  // namespace

DatelessPort::DatelessPort(const std::string& url)
    : scheme_(url.substr(0, url.rfind(':') + 1)),
      behind_(test::port_of(url)),
      listener_([this](int client) { talk(client); }) {}

void DatelessPort::talk(int client) {
  const auto server = listener_.connect(behind_);
  DateEraser eraser;
  if (server) pump(client, *server, [&](char* bytes, size_t count) { eraser.erase(bytes, count); });
}

}  // namespace ipnscast::test
