#include <memory>

#include "ipnscast/sync/ipfs/ipld/car_file.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/tools/cli/left_behind.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/reports/block_progress.h"
#include "ipnscast/tools/reports/facts.h"
#include "ipnscast/tools/usage/typed_value.h"

namespace ipnscast::tools {
namespace {

struct UnpackOptions {
  std::string file;
  std::string root;
  std::string output;
  bool symlinks = false;
  bool no_mode = false;
  std::string max_bytes;
};

// Blocks may be linked many times, so a small file can stand for a large tree, but not for an
// endless one.
constexpr uint64_t kLeastBytes = uint64_t{1} << 30;
constexpr uint64_t kBytesPerByte = 64;
constexpr uint64_t kLeastEntries = 100'000;
constexpr uint64_t kCarBytesPerEntry =
    4;  // in a directory without tricks an entry has ten times as many

Result<sync::Unpacked> unpack(const Context& context, const UnpackOptions& options,
                              const sync::Cid& root, std::optional<uint64_t> max_bytes) {
  sync::DagLimits limits;
  limits.deadline = TimeLimit(context).end();
  auto car = sync::CarFile::open(options.file, limits.deadline);
  if (!car) return fail(std::move(car.error()));
  const uint64_t car_bytes = (*car)->byte_count();
  sync::UnpackOptions how;
  how.symlinks = options.symlinks;
  how.metadata = !options.no_mode;
  how.file_name = root.to_string();
  limits.max_bytes = max_bytes.value_or(kLeastBytes + kBytesPerByte * car_bytes);
  limits.max_entries = kLeastEntries + car_bytes / kCarBytesPerEntry;
  limits.max_visits += car_bytes / kCarBytesPerEntry;
  how.limits = std::move(limits);
  ProgressLine line(context.json);
  WatchedSource source(**car, line);
  return sync::unpack(source, root, options.output, how);
}

void run(Context& context, const UnpackOptions& options) {
  const auto root = typed_content(options.root);
  if (!root) return report_usage(context, "--root: " + root.error().message);
  std::optional<uint64_t> max_bytes;
  if (!options.max_bytes.empty()) {
    const auto size = sync::settings::parse_size(options.max_bytes);
    if (!size) return report_usage(context, "--max-bytes: " + size.error().message);
    max_bytes = *size;
  }
  const auto unpacked = unpack(context, options, *root, max_bytes);
  if (!unpacked) {
    if (unpacked.error().code == Errc::timeout) remove_left_behind(options.output);
    return report(context, unpacked.error());
  }
  print_facts(context, {{"root", root->to_string()},
                        {"files", unpacked->files},
                        {"directories", unpacked->directories},
                        {"symlinks", unpacked->symlinks},
                        {"bytes", unpacked->bytes}});
}

}  // namespace

void add_unpack(CLI::App& app, Context& context) {
  CLI::App* const command =
      app.add_subcommand("unpack", "The verified tree out of a CAR file, without any network");
  const auto options = std::make_shared<UnpackOptions>();
  command->add_option("file", options->file, "The CAR file")->type_name("FILE.car")->required();
  command->add_option("--root", options->root, "What to unpack; the CAR's own roots are not asked")
      ->type_name("CID")
      ->required();
  command->add_option("-o,--output", options->output, "Absent or an empty directory")
      ->type_name("DIR")
      ->required();
  command->add_flag("--symlinks", options->symlinks, "Make symbolic links that stay inside");
  command->add_flag("--no-mode", options->no_mode,
                    "Leave out the permissions and times that the tree has for its files");
  command
      ->add_option(
          "--max-bytes", options->max_bytes,
          "Refuse more content than this, such as 500MiB (1 GiB and 64 times the CAR file)")
      ->type_name("SIZE");
  command->callback([&context, options] { run(context, *options); });
}

}  // namespace ipnscast::tools
