#pragma once

#include <optional>
#include <string>

#include "ipnscast/sync/writer/writer_messages.h"

namespace ipnscast::sync {

// What whoever follows names has to know of those that this device writes, and to tell about them.
// Thread-safe; nothing here waits for more than a computation.
class WriterView {
 public:
  // The one record that counts for a name. It may have expired.
  struct Truth {
    KnownRecord record;
    bool taken_in = false;       // the application has it: it published it, or took it in before
    bool for_followers = false;  // though others published it here, who do not follow the name
  };

  virtual ~WriterView() = default;
  // Nothing: this device does not write the name, or nothing is known of it.
  virtual std::optional<Truth> truth(const IpnsName& name) = 0;
  // Once true when this run began to write the name: what the engine knows of it is to be told
  // then, as the file may not have it yet. There is no truth before.
  virtual bool asks(const IpnsName& name) = 0;
  // A verified record turned up, at `place` (a URL) or anywhere. Before anything is made of it.
  virtual void saw(const IpnsName& name, const KnownRecord& record, const std::string& place) = 0;
  // The application has taken it in.
  virtual void taken_in(const IpnsName& name, const KnownRecord& record) = 0;
  // True: a publish of this device was displaced, and the application is to be told before it gets
  // what displaced it.
  virtual bool owes_report(const IpnsName& name) = 0;
  // What it is to be told. Nothing, too, while the state file does not say so yet.
  virtual std::optional<LossReport> report(const IpnsName& name) = 0;
  // Something of this device's is not settled there, or waits to be told.
  virtual bool open(const IpnsName& name) = 0;
  virtual void told(const IpnsName& name, const OwnPublish& ours) = 0;
};

}  // namespace ipnscast::sync
