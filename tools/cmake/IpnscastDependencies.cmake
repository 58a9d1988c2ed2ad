# What each layer links, and with it those who use the installed package: this file is installed too, and
# ipnscastConfig.cmake looks for the same things. libwebsockets and libsecp256k1 come by pkg-config: lws's own CMake config
# links its static library too, and secp256k1 has none.

# Of find_package(): the name and its arguments.
set(ipnscast_nostr_packages "Threads" "OpenSSL 3.0 COMPONENTS Crypto SSL" "ZLIB" "tl-expected" "simdjson")
set(ipnscast_sync_packages "")
set(ipnscast_bridge_packages "")
# Of pkg-config: our name, the module, and the Debian package that brings it.
set(ipnscast_nostr_modules
    "LWS libwebsockets>=4.1.6 libwebsockets-dev" "SECP libsecp256k1 libsecp256k1-dev" "SQLITE sqlite3>=3.35 libsqlite3-dev"
    "UTF8PROC libutf8proc libutf8proc-dev")
set(ipnscast_sync_modules
    "CURL libcurl>=7.87 libcurl4-openssl-dev" "SODIUM libsodium libsodium-dev"
    "PROMETHEUS prometheus-cpp-core prometheus-cpp-dev")
set(ipnscast_bridge_modules "")
