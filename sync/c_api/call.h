#pragma once

#include <functional>

#include "ipnscast/nostr/base/result.h"
#include "ipnscast/sync/c_api/ipnscast.h"

namespace ipnscast::c_api {

int code_of(Errc code);

// Does the work of one call of the C API: gives its code and, where `error` is not null, sets it.
// No exception leaves.
int answer(ipnscast_error** error, const std::function<Status()>& work) noexcept;
// The same for calls without an error to give, which answer with a code of their own.
int answer_code(const std::function<int()>& work) noexcept;

}  // namespace ipnscast::c_api
