#pragma once

#include <functional>

#include "ipnscast/sync/change/handled.h"
#include "ipnscast/sync/ipfs/ipld/block_source.h"

namespace ipnscast::sync {

// Looks at a value and its content before a handler does. An error refuses it.
using Validate = std::function<Status(const Change&, BlockSource&)>;

// `handler` behind `validate`, which sees each value before any hand-over that carries it, and
// refuses it as Handled::reject() does. One that throws has not refused: the change comes again.
// `blocks` outlives what is given.
OnChange validated(Validate validate, OnChange handler, BlockSource& blocks);

}  // namespace ipnscast::sync
