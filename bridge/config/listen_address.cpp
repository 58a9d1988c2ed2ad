#include "ipnscast/bridge/config/listen_address.h"

#include <charconv>

namespace ipnscast::bridge {

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto wrong = [&] {
    return fail(Errc::invalid,
                "\"" + std::string(text) + "\": want ADDRESS:PORT, such as 127.0.0.1:7777");
  };
  const size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  ListenAddress out;
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (failed != std::errc() || end != digits.data() + digits.size()) return wrong();
  if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']') return wrong();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    return wrong();
  }
  out.address = host;
  return out;
}

std::string ListenAddress::text() const {
  const bool v6 = address.find(':') != address.npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace ipnscast::bridge
