#include <memory>

#include "ipnscast/sync/ipfs/ipld/car_file.h"
#include "ipnscast/sync/ipfs/unixfs/packer.h"
#include "ipnscast/tools/cli/time_limit.h"
#include "ipnscast/tools/reports/block_progress.h"
#include "ipnscast/tools/reports/facts.h"
#include "ipnscast/tools/usage/arguments.h"

namespace ipnscast::tools {
namespace {

namespace fs = std::filesystem;

struct PackOptions {
  std::string path;
  std::string output;
  std::string profile = "kubo-256k";
  bool skip_hidden = false;
};

// The CAR would pack itself while it grows.
bool is_inside(const fs::path& file, const fs::path& packed) {
  std::error_code error;
  // A relative path that does not exist would stay relative.
  const fs::path inner = fs::weakly_canonical(fs::absolute(file, error), error);
  const fs::path outer = fs::canonical(packed, error);
  if (error) return false;
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

Result<sync::Packed> pack(const Context& context, const PackOptions& options,
                          sync::CarFileWriter& writer) {
  const auto deadline = TimeLimit(context).end();
  ProgressLine line(context.json);
  WatchedSink sink(writer, line);
  const bool is_kubo = options.profile == "kubo-256k";
  auto packed = sync::pack_path(options.path,
                                {.profile = is_kubo ? sync::kKubo256k : sync::kUnixfsV1_2025,
                                 .skip_hidden = options.skip_hidden,
                                 .deadline = deadline},
                                sink);
  if (!packed) return packed;
  const Status finished = writer.finish(packed->root);
  if (!finished) return fail(finished.error());
  return packed;
}

void run(Context& context, const PackOptions& options) {
  if (is_inside(options.output, options.path)) {
    return report_usage(context, "--output \"" + options.output +
                                     "\" lies inside of what is packed: name another place");
  }
  const auto writer = sync::CarFileWriter::create(options.output);
  if (!writer) return report(context, writer.error());
  const auto packed = pack(context, options, **writer);
  if (!packed) {
    report(context, packed.error());
    if (packed.error().code != Errc::timeout) context.exit = Exit::no;
    return;
  }
  if (!context.json) return print_line(packed->root.to_string());
  print_facts(context, {{"root", packed->root.to_string()},
                        {"profile", options.profile},
                        {"files", packed->files},
                        {"directories", packed->directories},
                        {"symlinks", packed->symlinks},
                        {"bytes", packed->bytes},
                        {"blocks", (*writer)->block_count()},
                        {"car_bytes", (*writer)->byte_count()}});
}

}  // namespace

void add_pack(CLI::App& app, Context& context) {
  CLI::App* const command =
      app.add_subcommand("pack", "A file or directory as a CAR file; prints the root");
  const auto options = std::make_shared<PackOptions>();
  command->add_option("path", options->path, "What to pack")->required();
  command->add_option("-o,--output", options->output, "The CAR file")
      ->type_name("FILE.car")
      ->required();
  add_choice(*command, "--profile", options->profile, {"kubo-256k", "unixfs-v1-2025"},
             "kubo-256k (default) or unixfs-v1-2025: what decides the CID");
  command->add_flag("--skip-hidden", options->skip_hidden, "Leave out names that start with a dot");
  command->callback([&context, options] { run(context, *options); });
}

}  // namespace ipnscast::tools
