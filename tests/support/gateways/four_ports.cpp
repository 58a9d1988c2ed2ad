#include "ipnscast/tests/support/gateways/four_ports.h"

#include <stdexcept>

#include "ipnscast/tests/support/gateways/raw_client.h"
#include "ipnscast/tests/support/gateways/raw_http.h"

namespace ipnscast::test {

FourPorts::FourPorts() {
  bridge::StackOptions options;
  options.directory = directory_.path();
  options.relay_port = options.gateway_port = options.rpc_port = options.metrics_port = 0;
  auto stack = bridge::Stack::start(std::move(options));
  if (!stack) throw std::runtime_error(stack.error().message);
  stack_ = std::move(*stack);
  ports_ = {{"relay", port_of(stack_->relay_url()), false, true},
            {"gateway", port_of(stack_->gateway_url())},
            {"RPC", port_of(stack_->rpc_url())},
            {"metrics", port_of(stack_->metrics_url())}};
}

std::string FourPorts::ask(const Port& port) {
  RawClient client(port.number);
  client.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string answer = client.read();
  return answer.substr(0, answer.find('\r'));
}

bool FourPorts::all_answer() const {
  for (const Port& port : ports_) {
    if (count_answers(ask(port)) != 1) return false;
  }
  return ask(metrics()) == "HTTP/1.1 200 OK";
}

}  // namespace ipnscast::test
