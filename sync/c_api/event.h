#pragma once

#include "ipnscast/sync/c_api/given.h"
#include "ipnscast/sync/change/change.h"

namespace ipnscast::c_api {

using GivenEvent = Given<ipnscast_event>;

std::unique_ptr<GivenEvent> make_event(const sync::Change& change);

}  // namespace ipnscast::c_api
