#pragma once

#include <cstdint>
#include <string>

namespace ipnscast::test {

// The port in a URL that ends with it.
uint16_t port_of(const std::string& url);

// Sends the bytes to a port on loopback and gives all that comes back until the other side closes
// (twenty seconds at most). The request says "Connection: close".
std::string raw_http(uint16_t port, const std::string& request);

}  // namespace ipnscast::test
