# Finds what IpnscastDependencies.cmake lists, for our own build.
include(IpnscastDependencies)
find_package(PkgConfig REQUIRED)
foreach(layer nostr sync bridge)
  foreach(package IN LISTS ipnscast_${layer}_packages)
    string(REPLACE " " ";" package "${package}")
    find_package(${package} REQUIRED)
  endforeach()
  foreach(module IN LISTS ipnscast_${layer}_modules)
    string(REPLACE " " ";" module "${module}")
    list(GET module 0 name)
    list(GET module 1 what)
    pkg_check_modules(IPNSCAST_${name} REQUIRED IMPORTED_TARGET ${what})
  endforeach()
endforeach()
# Headers only, and in our sources only: those who use the package need none.
find_package(nlohmann_json 3.11 REQUIRED)
# Debian 12 has none: content hashed with BLAKE3 is then refused as unsupported.
pkg_check_modules(IPNSCAST_BLAKE3 QUIET IMPORTED_TARGET libblake3)
