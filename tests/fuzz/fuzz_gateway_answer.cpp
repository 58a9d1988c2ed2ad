#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/gateway/record_source.h"

using namespace ipnscast;
using namespace ipnscast::sync::gateway;

// The first byte chooses status and media type, the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const int kStatuses[] = {200, 400, 404, 500};
  static const char* kTypes[] = {"application/vnd.ipfs.ipns-record", "application/json",
                                 "text/plain", "application/vnd.ipld.raw"};
  HttpAnswer answer;
  answer.head.status = kStatuses[data[0] % 4];
  answer.head.headers["content-type"] = kTypes[data[0] / 4 % 4];
  answer.body = to_bytes(ByteView(data + 1, size - 1));
  (void)read_kubo_version(answer);
  (void)read_kubo_dag_import(answer);
  (void)read_kubo_done(answer);
  (void)read_kubo_pin_rm(answer);
  (void)read_trustless_probe(answer);
  for (const auto dialect :
       {RecordDialect::trustless, RecordDialect::rpc_name, RecordDialect::rpc_routing}) {
    (void)read_record(dialect, answer);
  }
  return 0;
}
