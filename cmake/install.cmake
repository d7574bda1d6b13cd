# What `cmake --install` puts where: the headers into include/navette; into share/navette the package configuration, with
# an export set for the core and one for each component that is built; into share/pkgconfig a file for each of them. No
# file says where it lies, and no file depends on the machine. Each component can be installed by itself, and packed
# apart: `cmake --install build --component navette-deflate`.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/navette")
set(pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
set(built "${CMAKE_CURRENT_BINARY_DIR}/install")

target_include_directories(navette INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
install(DIRECTORY include/navette DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT navette)

# Before 1.0.0 a new minor version may change what it likes (version.hpp).
if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(compatibility SameMinorVersion)
else()
    set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file("${built}/navette-config-version.cmake"
    COMPATIBILITY ${compatibility} ARCH_INDEPENDENT)

set(find_lists "")
foreach(component IN LISTS navette_components)
    list(JOIN navette_${component}_find "\" \"" packages)
    string(APPEND find_lists "set(navette_${component}_find \"${packages}\")\n")
endforeach()
configure_file(cmake/navette-config.cmake.in "${built}/navette-config.cmake" @ONLY)
install(FILES "${built}/navette-config.cmake" "${built}/navette-config-version.cmake"
    cmake/find/Findlibdeflate.cmake cmake/find/Findasio.cmake
    DESTINATION "${package_dir}" COMPONENT navette)

# A prefix that follows the file, and from it the headers, wherever either directory was told to be.
file(RELATIVE_PATH up "${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" up "${up}")
file(RELATIVE_PATH include "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")

# The export set and the pkg-config file of one target.
function(navette_install target package description field)
    install(TARGETS ${target} EXPORT ${package}-targets COMPONENT ${package})
    install(EXPORT ${package}-targets NAMESPACE navette:: DESTINATION "${package_dir}" COMPONENT ${package})
    configure_file(cmake/navette.pc.in "${built}/${package}.pc" @ONLY)
    install(FILES "${built}/${package}.pc" DESTINATION "${pkgconfig_dir}" COMPONENT ${package})
endfunction()

navette_install(navette navette "${PROJECT_DESCRIPTION}" "Cflags: -I\${includedir}")
foreach(component IN LISTS navette_components)
    if(TARGET navette_${component})
        get_target_property(description navette_${component} navette_description)
        get_target_property(requires navette_${component} navette_requires)
        list(JOIN requires ", " requires)
        if(requires)
            string(PREPEND requires ", ")
        endif()
        navette_install(navette_${component} navette-${component} "${description}"
            "Requires: navette = ${PROJECT_VERSION}${requires}")
    endif()
endforeach()
