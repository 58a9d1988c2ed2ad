# What each layer may link. libwebsockets and libsecp256k1 come by pkg-config: lws's own CMake config links its static
# library too, and secp256k1 has none. Shared with the installed package (ipnscastConfig.cmake includes this file).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(simdjson REQUIRED)
pkg_check_modules(IPNSCAST_LWS REQUIRED IMPORTED_TARGET libwebsockets>=4.1.6)
pkg_check_modules(IPNSCAST_SECP REQUIRED IMPORTED_TARGET libsecp256k1)
pkg_check_modules(IPNSCAST_SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.35)
pkg_check_modules(IPNSCAST_CURL REQUIRED IMPORTED_TARGET libcurl>=7.87)
pkg_check_modules(IPNSCAST_SODIUM REQUIRED IMPORTED_TARGET libsodium)
# Debian 12 has none: content hashed with BLAKE3 is then refused as unsupported.
pkg_check_modules(IPNSCAST_BLAKE3 QUIET IMPORTED_TARGET libblake3)
pkg_check_modules(IPNSCAST_PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(IPNSCAST_UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
