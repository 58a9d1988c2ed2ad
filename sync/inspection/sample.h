#pragma once

#include <utility>
#include <vector>

#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync::inspection {

// Content and a name that nobody else can have: a file of four random blocks, some 3 KiB in all,
// and a record that names it, signed by a key that is forgotten at once. The record ends after ten
// minutes.
struct Sample {
  Cid root;
  Bytes file;
  std::vector<std::pair<Cid, Bytes>> blocks;  // the root first, then the leaves
  IpnsName name;
  IpnsRecord record;
};
Sample make_sample(UnixMillis now);
Bytes car_of(const Sample& sample);

// A CID of content that nobody has.
Cid nobodys_cid();
// The empty UnixFS directory.
Cid empty_directory();

}  // namespace ipnscast::sync::inspection
