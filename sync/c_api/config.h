#pragma once

#include "ipnscast/sync/c_api/ipnscast.h"
#include "ipnscast/sync/config.h"

// The handle of a configuration.
struct ipnscast_config {
  ipnscast::sync::Config config;
};
