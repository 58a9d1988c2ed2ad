# The package: find_package(ipnscast) gives ipnscast::nostr, ipnscast::sync, ipnscast::bridge and ipnscast::c; `pkg-config
# ipnscast` the first three with what they need, `pkg-config libipnscast` the shared library for C.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ipnscast)
# One set of targets per layer, so that a layer can be used without the libraries of those above it.
foreach(layer nostr sync bridge)
  install(EXPORT ipnscast_${layer}Targets NAMESPACE ipnscast:: DESTINATION ${package_dir})
endforeach()
if(TARGET ipnscast_c)
  install(EXPORT ipnscast_cTargets NAMESPACE ipnscast:: DESTINATION ${package_dir})
  install(FILES "${PROJECT_SOURCE_DIR}/tools/python/ipnscast.py" DESTINATION ${CMAKE_INSTALL_DATADIR}/ipnscast/python)
endif()
# Before 1.0 another minor version may be another interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ipnscastConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
set(with_blake3 OFF)
if(IPNSCAST_BLAKE3_FOUND)
  set(with_blake3 ON)
endif()
configure_package_config_file("${PROJECT_SOURCE_DIR}/tools/cmake/ipnscastConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/ipnscastConfig.cmake" INSTALL_DESTINATION ${package_dir})
install(FILES "${PROJECT_BINARY_DIR}/ipnscastConfig.cmake" "${PROJECT_BINARY_DIR}/ipnscastConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/tools/cmake/IpnscastDependencies.cmake"
        DESTINATION ${package_dir})
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION ${CMAKE_INSTALL_DOCDIR})

# All that the three layers link is required in public: our libraries are static, so that whoever links them names the rest
# too, without `--static`. With `--static` come the private libraries of libcurl, which Debian 12 brings only in part.
set(IPNSCAST_PC_REQUIRES "libssl >= 3.0, libcrypto >= 3.0, zlib, simdjson")
foreach(layer nostr sync bridge)
  foreach(module IN LISTS ipnscast_${layer}_modules)
    string(REPLACE " " ";" module "${module}")
    list(GET module 1 what)
    string(REPLACE ">=" " >= " what "${what}")
    string(APPEND IPNSCAST_PC_REQUIRES ", ${what}")
  endforeach()
endforeach()
if(with_blake3)
  string(APPEND IPNSCAST_PC_REQUIRES ", libblake3")
endif()
# The prefix is the one of the moment of installation (cmake --install --prefix), not of configuring.
install(CODE "set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
set(PROJECT_VERSION ${PROJECT_VERSION})
set(IPNSCAST_PC_REQUIRES \"${IPNSCAST_PC_REQUIRES}\")
set(CMAKE_INSTALL_LIBDIR ${CMAKE_INSTALL_LIBDIR})
set(CMAKE_INSTALL_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(\"${PROJECT_SOURCE_DIR}/tools/cmake/ipnscast.pc.in\" \"${PROJECT_BINARY_DIR}/ipnscast.pc\" @ONLY)
configure_file(\"${PROJECT_SOURCE_DIR}/tools/cmake/libipnscast.pc.in\" \"${PROJECT_BINARY_DIR}/libipnscast.pc\" @ONLY)")
install(FILES "${PROJECT_BINARY_DIR}/ipnscast.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(TARGET ipnscast_c)
  install(FILES "${PROJECT_BINARY_DIR}/libipnscast.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
