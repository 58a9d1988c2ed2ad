#include "ipnscast/sync/c_api/call.h"

#include <memory>
#include <new>

struct ipnscast_error {
  int code;
  std::string message;
};

namespace ipnscast::c_api {
namespace {

constexpr const char* kNoMemory = "out of memory";

// Null when there is no memory for it.
ipnscast_error* make_error(int code, std::string message) noexcept {
  return new (std::nothrow) ipnscast_error{code, std::move(message)};
}

}  // namespace

int code_of(Errc code) {
  switch (code) {
    case Errc::invalid:
      return IPNSCAST_INVALID;
    case Errc::parse:
      return IPNSCAST_PARSE;
    case Errc::too_large:
      return IPNSCAST_TOO_LARGE;
    case Errc::signature:
      return IPNSCAST_SIGNATURE;
    case Errc::mismatch:
      return IPNSCAST_MISMATCH;
    case Errc::expired:
      return IPNSCAST_EXPIRED;
    case Errc::unsupported:
      return IPNSCAST_UNSUPPORTED;
    case Errc::not_found:
      return IPNSCAST_NOT_FOUND;
    case Errc::refused:
      return IPNSCAST_REFUSED;
    case Errc::conflict:
      return IPNSCAST_CONFLICT;
    case Errc::timeout:
      return IPNSCAST_TIMEOUT;
    case Errc::unreachable:
      return IPNSCAST_UNREACHABLE;
    case Errc::cancelled:
      return IPNSCAST_CANCELLED;
    case Errc::closed:
      return IPNSCAST_CLOSED;
    case Errc::io:
      return IPNSCAST_IO;
    case Errc::busy:
      return IPNSCAST_BUSY;
    case Errc::internal:
      return IPNSCAST_INTERNAL;
  }
  return IPNSCAST_INTERNAL;
}

int answer(ipnscast_error** error, const std::function<Status()>& work) noexcept {
  if (error != nullptr) *error = nullptr;
  int code = IPNSCAST_INTERNAL;
  try {
    std::string message;
    try {
      const Status done = work();
      if (done) return IPNSCAST_OK;
      code = code_of(done.error().code);
      message = done.error().message;
    } catch (const std::bad_alloc&) {
      code = IPNSCAST_NO_MEMORY;
      message = kNoMemory;
    } catch (const std::exception& thrown) {
      message = thrown.what();
    }
    if (error != nullptr) *error = make_error(code, std::move(message));
  } catch (...) {
    // No memory for the message: the code has to do.
  }
  return code;
}

int answer_code(const std::function<int()>& work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return IPNSCAST_NO_MEMORY;
  } catch (...) {
    return IPNSCAST_INTERNAL;
  }
}

}  // namespace ipnscast::c_api

int ipnscast_error_code(const ipnscast_error* error) {
  return error == nullptr ? IPNSCAST_OK : error->code;
}

ipnscast_text ipnscast_error_message(const ipnscast_error* error) {
  if (error == nullptr) return {"", 0};
  return {error->message.c_str(), error->message.size()};
}

void ipnscast_error_free(ipnscast_error* error) { delete error; }
