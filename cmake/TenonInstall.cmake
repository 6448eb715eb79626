# Install components: runtime (libtenon, programs, license), plugins, sdk (headers, CMake and
# pkg-config files, documentation). Paths inside the installed files are relative, so the tree may be moved.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(TENON_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Tenon)

# The archive <target>, which is Tenon::<name> here and after find_package.
function(tenon_install_static target name)
  add_library(Tenon::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT TenonStaticTargets ARCHIVE COMPONENT sdk)
endfunction()

# Called by tenon_add_core, in whose folder tenon.pc.in lies.
function(tenon_install_core)
  install(TARGETS tenon EXPORT TenonRuntimeTargets
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT sdk)
  install(EXPORT TenonRuntimeTargets NAMESPACE Tenon:: DESTINATION ${TENON_CMAKE_DIR}
          COMPONENT sdk)
  install(EXPORT TenonSdkTargets NAMESPACE Tenon:: DESTINATION ${TENON_CMAKE_DIR} COMPONENT sdk)
  if(TENON_STATIC)
    install(EXPORT TenonStaticTargets NAMESPACE Tenon:: DESTINATION ${TENON_CMAKE_DIR}
            COMPONENT sdk)
  endif()

  cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
             BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig OUTPUT_VARIABLE TENON_PC_UP)
  configure_file(tenon.pc.in ${PROJECT_BINARY_DIR}/tenon.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/tenon.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)

  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/TenonConfig.cmake.in
    ${PROJECT_BINARY_DIR}/TenonConfig.cmake INSTALL_DESTINATION ${TENON_CMAKE_DIR}
    PATH_VARS CMAKE_INSTALL_LIBDIR)
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/TenonConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES
    ${PROJECT_BINARY_DIR}/TenonConfig.cmake ${PROJECT_BINARY_DIR}/TenonConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/TenonPlugin.cmake ${PROJECT_SOURCE_DIR}/cmake/tenon_plugin.map
    DESTINATION ${TENON_CMAKE_DIR} COMPONENT sdk)

  set(documentation ${CMAKE_INSTALL_DATAROOTDIR}/doc/tenon)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${documentation} COMPONENT runtime)
  install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
                ${PROJECT_SOURCE_DIR}/CONTRIBUTING.md
          DESTINATION ${documentation} COMPONENT sdk)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/samples DESTINATION ${documentation} COMPONENT sdk)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${documentation} COMPONENT sdk
          FILES_MATCHING PATTERN "*.md" PATTERN "*.svg")
endfunction()
