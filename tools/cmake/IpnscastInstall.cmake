# The package: find_package(ipnscast) gives ipnscast::nostr, ipnscast::sync and ipnscast::bridge.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ipnscast)
install(EXPORT ipnscastTargets NAMESPACE ipnscast:: DESTINATION ${package_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ipnscastConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_SOURCE_DIR}/tools/cmake/ipnscastConfig.cmake"
              "${PROJECT_SOURCE_DIR}/tools/cmake/IpnscastDependencies.cmake"
              "${PROJECT_BINARY_DIR}/ipnscastConfigVersion.cmake"
        DESTINATION ${package_dir})
