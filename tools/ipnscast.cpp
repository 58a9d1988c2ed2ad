#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  CLI::App app{"Tells you the moment an IPNS name changes, and brings you the verified content", "ipnscast"};
  CLI11_PARSE(app, argc, argv);
  return 0;
}
