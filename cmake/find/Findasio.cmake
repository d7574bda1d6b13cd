# Finds standalone Asio by its own package configuration, as vcpkg has it, or else by its headers, as Debian has them.
# Defines asio::asio, and asio_VERSION as asio/version.hpp says it.
if(NOT TARGET asio::asio)
    # The wanted version would be handed on, and a configuration without a version file passed over: it is looked at below.
    function(asio_find_configuration)
        unset(asio_FIND_VERSION)
        unset(asio_FIND_VERSION_COMPLETE)
        find_package(asio CONFIG QUIET)
    endfunction()
    asio_find_configuration()
endif()
if(TARGET asio::asio)
    get_target_property(asio_INCLUDE_DIR asio::asio INTERFACE_INCLUDE_DIRECTORIES)
    list(GET asio_INCLUDE_DIR 0 asio_INCLUDE_DIR)
    if(NOT EXISTS "${asio_INCLUDE_DIR}/asio/version.hpp")
        unset(asio_INCLUDE_DIR)
    endif()
endif()
find_path(asio_INCLUDE_DIR asio/version.hpp)
mark_as_advanced(asio_INCLUDE_DIR asio_DIR)

# 102201 is 1.22.1.
if(asio_INCLUDE_DIR)
    file(STRINGS "${asio_INCLUDE_DIR}/asio/version.hpp" asio_number REGEX "^#define ASIO_VERSION [0-9]+")
    string(REGEX REPLACE "^#define ASIO_VERSION ([0-9]+).*" "\\1" asio_number "${asio_number}")
    math(EXPR asio_major "${asio_number} / 100000")
    math(EXPR asio_minor "${asio_number} / 100 % 1000")
    math(EXPR asio_patch "${asio_number} % 100")
    set(asio_VERSION "${asio_major}.${asio_minor}.${asio_patch}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(asio REQUIRED_VARS asio_INCLUDE_DIR VERSION_VAR asio_VERSION)
if(asio_FOUND AND NOT TARGET asio::asio)
    find_package(Threads QUIET)
    add_library(asio::asio INTERFACE IMPORTED)
    set_target_properties(asio::asio PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${asio_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "$<TARGET_NAME_IF_EXISTS:Threads::Threads>")
endif()
