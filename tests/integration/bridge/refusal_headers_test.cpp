// What a web page sees of a request that the server itself refuses, before any route is asked.
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/gateways/four_ports.h"
#include "ipnscast/tests/support/gateways/raw_client.h"

using namespace ipnscast::test;

TEST_CASE("a web page can read why the gateway or the relay refuses its request (F5)") {
  const FourPorts stack;
  const std::string host = "\r\nHost: 127.0.0.1\r\n";
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"HTTP/1.1 400 ", "GET / HTTP/1.1" + host + "no header\r\n\r\n"},
      {"HTTP/1.1 400 ", "GET /a b HTTP/1.1" + host + "\r\n"},
      {"HTTP/1.1 400 ", "PUT / HTTP/1.1" + host + "Content-Length: 1x\r\n\r\n"},
      {"HTTP/1.1 431 ", "GET /" + std::string(100'000, 'x')},
      {"HTTP/1.1 413 ", "PUT / HTTP/1.1" + host + "Content-Length: 99999999999\r\n\r\n"}};
  for (const FourPorts::Port& port : {stack.relay(), stack.gateway()}) {
    for (const auto& [status, request] : refused) {
      RawClient client(port.number);
      client.send(request);
      client.end_sending();
      const std::string answer = client.read();
      INFO(port.name << " was sent " << request.substr(0, 80) << " and says " << answer);
      CHECK(answer.starts_with(status));
      CHECK(answer.find("\r\naccess-control-allow-origin: *\r\n") != std::string::npos);
    }
  }
}
