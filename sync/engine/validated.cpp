#include "ipnscast/sync/engine/validated.h"

#include <exception>

namespace ipnscast::sync {
namespace {

bool brings_a_value(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::change:
    case ChangeKind::confirmed:
    case ChangeKind::provisional:
    case ChangeKind::conflict:
    case ChangeKind::refresh:
      return true;
    case ChangeKind::stale:
    case ChangeKind::withdrawn:
    case ChangeKind::lost:
      return false;
  }
  return true;
}

Handled look(const Validate& validate, const Change& change, BlockSource& blocks) {
  try {
    const Status good = validate(change, blocks);
    return good ? Handled() : Handled::reject(good.error().message);
  } catch (const std::exception& thrown) {
    return fail(Errc::internal, std::string("its validator threw: ") + thrown.what());
  } catch (...) {
    return fail(Errc::internal, "its validator threw");
  }
}

}  // namespace

OnChange validated(Validate validate, OnChange handler, BlockSource& blocks) {
  if (!validate) return handler;
  return [validate = std::move(validate), handler = std::move(handler),
          &blocks](const Change& change) -> Handled {
    if (brings_a_value(change.kind)) {
      if (Handled seen = look(validate, change, blocks); !seen.is_applied()) return seen;
    }
    return handler(change);
  };
}

}  // namespace ipnscast::sync
