include("${CMAKE_CURRENT_LIST_DIR}/IpnscastDependencies.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/ipnscastTargets.cmake")
