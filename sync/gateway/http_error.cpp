#include <cerrno>
#include <string>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/gateway/http_transfer.h"

namespace ipnscast::sync::gateway {
namespace {

Error no_connection(CURL* easy) {
  long number = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
  switch (number) {
    case ECONNREFUSED:
      return {Errc::unreachable, "nothing listens there: connection refused"};
    case ENETUNREACH:
    case EHOSTUNREACH:
      return {Errc::unreachable, "no way leads there: is the network up?"};
    default:
      return {Errc::unreachable, "no connection"};
  }
}

Error in_words(CURL* easy, CURLcode code, uint64_t max_bytes) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {Errc::timeout, "no answer in time"};
    case CURLE_FILESIZE_EXCEEDED:
      return {Errc::too_large, "the answer is larger than " + std::to_string(max_bytes) + " bytes"};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Errc::invalid, "not a URL of http or https"};
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
      return {Errc::internal, "out of memory"};
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Errc::unreachable, "the host's name has no address"};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Errc::unreachable, "the proxy's name has no address"};
    case CURLE_PROXY:
      return {Errc::unreachable, "the proxy did not connect us"};
    case CURLE_COULDNT_CONNECT:
      return no_connection(easy);
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Errc::unreachable, "its certificate is not valid for it, or nobody we trust made it"};
    case CURLE_SSL_CONNECT_ERROR:
      return {Errc::unreachable, "no TLS could be agreed on: does it speak https there?"};
    case CURLE_SSL_CACERT_BADFILE:
      return {Errc::unreachable, "the file of certificate authorities cannot be read"};
    case CURLE_GOT_NOTHING:
      return {Errc::unreachable, "it hung up without an answer"};
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      return {Errc::unreachable, "the connection was cut"};
    default:
      return {Errc::unreachable,
              "it does not answer as a web server does (" + std::to_string(code) + ")"};
  }
}

}  // namespace

Error http_error(CURL* easy, CURLcode code, const char* detail, uint64_t max_bytes) {
  if (log_enabled(LogLevel::debug)) {
    const char* url = nullptr;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    log_debug("http", std::string(url == nullptr ? "" : url) + ": " +
                          (detail[0] != 0 ? detail : curl_easy_strerror(code)));
  }
  return in_words(easy, code, max_bytes);
}

}  // namespace ipnscast::sync::gateway
