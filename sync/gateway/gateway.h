#pragma once

#include <string>

#include "ipnscast/sync/gateway/endpoint.h"

namespace ipnscast::sync {

// Where blocks and records are read and written. What it speaks is found by probing.
struct Gateway {
  std::string url;            // http://host[:port][/path]
  int tier = 1;               // 1 own nodes, 2 public, 3 slow
  std::string authorization;  // value of that header; secret
  gateway::Uses uses{};
};

}  // namespace ipnscast::sync
