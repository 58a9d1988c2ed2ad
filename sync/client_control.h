#pragma once

#include <nlohmann/json_fwd.hpp>

#include "ipnscast/sync/client.h"

namespace ipnscast::sync {

namespace control {
struct Call;
}

// Does what another process asks of this client (control/). Errc::unsupported for a call that it
// does not know, Errc::parse, else the errors of the client. Throws nlohmann::json::exception for
// parameters that cannot be read.
Result<nlohmann::json> serve_call(Client& client, control::Call& call);

}  // namespace ipnscast::sync
