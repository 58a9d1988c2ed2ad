#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace ipnscast {

// What went wrong, for code to decide on. The command line maps each to an exit code
// (tools/cli/command.h).
enum class Errc {
  invalid,      // an argument or a setting of ours makes no sense
  parse,        // bytes from outside do not have the shape they must have
  too_large,    // a bound on size, count, length or depth was met
  signature,    // a signature, an id or a hash does not match its bytes
  mismatch,     // well formed, but not what was asked for
  expired,      // was valid, is not any more
  unsupported,  // well formed, but of a kind we do not handle
  not_found,    // the other side answered: there is none
  refused,      // the other side answered: no
  conflict,     // compare-and-set failed, or somebody else holds it
  timeout,      // the deadline passed
  unreachable,  // no connection
  cancelled,    // somebody asked us to stop
  closed,       // the object is shut down
  io,           // a file, the disk or the database failed
  busy,         // a bounded queue or budget is full: try later
  internal,     // our own logic failed
};

// A stable lower-case word for an Errc, as printed in {"error":{"code":...}}.
std::string_view to_string(Errc code);

// An expected failure: a code for programs and one line for the person who has to act.
struct Error {
  Errc code = Errc::internal;
  std::string message;

  // The same error with "what: " put before its message.
  Error within(std::string_view what) const { return {code, std::string(what) + ": " + message}; }
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Errc code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace ipnscast
