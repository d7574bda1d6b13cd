# vcpkg install navette --overlay-ports=cmake/vcpkg
#
# takes the clone that this file lies in. vcpkg looks at this directory alone to tell whether something has changed: after
# a change elsewhere, `vcpkg remove navette`, and install with --no-binarycaching. ../release.sh makes of this port the one
# for a catalogue, which takes a release.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT EXISTS "${SOURCE_PATH}/include/navette/version.hpp")
    message(FATAL_ERROR
        "This port has to lie in a clone of navette, in cmake/vcpkg; it lies in ${CMAKE_CURRENT_LIST_DIR}.")
endif()

set(VCPKG_BUILD_TYPE release) # header-only

vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS
    FEATURES
        asio        NAVETTE_ASIO
        boost-asio  NAVETTE_BOOST_ASIO
        deflate     NAVETTE_DEFLATE
        libdeflate  NAVETTE_LIBDEFLATE
        ssl         NAVETTE_TLS
)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DNAVETTE_BUILD_TESTS=OFF
        -DNAVETTE_BUILD_EXAMPLES=OFF
        ${FEATURE_OPTIONS}
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup()
vcpkg_fixup_pkgconfig()

# The text that vcpkg would generate names all targets, but not the COMPONENTS that they need.
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
