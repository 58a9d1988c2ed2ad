#include "ipnscast/bridge/node/node_answer.h"

namespace ipnscast::bridge {

HttpResponse text_answer(int status, std::string_view text) {
  HttpResponse out{status, {{"content-type", "text/plain; charset=utf-8"}}, to_bytes(text)};
  out.body.push_back('\n');
  return out;
}

std::string_view header_of(const HttpRequest& request, const std::string& lower_case_name) {
  const auto found = request.headers.find(lower_case_name);
  return found == request.headers.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace ipnscast::bridge
