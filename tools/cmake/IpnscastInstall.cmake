# The package: find_package(ipnscast) gives ipnscast::nostr, ipnscast::sync and ipnscast::bridge; `pkg-config ipnscast` all of
# them with what they need, since they are static libraries.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ipnscast)
install(EXPORT ipnscastTargets NAMESPACE ipnscast:: DESTINATION ${package_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ipnscastConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_SOURCE_DIR}/tools/cmake/ipnscastConfig.cmake"
              "${PROJECT_SOURCE_DIR}/tools/cmake/IpnscastDependencies.cmake"
              "${PROJECT_BINARY_DIR}/ipnscastConfigVersion.cmake"
        DESTINATION ${package_dir})

set(IPNSCAST_PC_LIBS "")
foreach(layer bridge sync nostr)
  if(TARGET ipnscast_${layer})
    string(APPEND IPNSCAST_PC_LIBS " -lipnscast_${layer}")
  endif()
endforeach()
set(IPNSCAST_PC_BLAKE3 "")
if(IPNSCAST_BLAKE3_FOUND)
  set(IPNSCAST_PC_BLAKE3 " libblake3")
endif()
# The prefix is the one of the moment of installation (cmake --install --prefix), not of configuring.
install(CODE "set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
set(PROJECT_VERSION ${PROJECT_VERSION})
set(IPNSCAST_PC_LIBS \"${IPNSCAST_PC_LIBS}\")
set(IPNSCAST_PC_BLAKE3 \"${IPNSCAST_PC_BLAKE3}\")
set(CMAKE_INSTALL_LIBDIR ${CMAKE_INSTALL_LIBDIR})
set(CMAKE_INSTALL_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(\"${PROJECT_SOURCE_DIR}/tools/cmake/ipnscast.pc.in\" \"${PROJECT_BINARY_DIR}/ipnscast.pc\" @ONLY)")
install(FILES "${PROJECT_BINARY_DIR}/ipnscast.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
