# Finds libdeflate by its own package configuration, which has a target for each kind of library, or else by header and
# library, as Debian 12 has it. Defines libdeflate::libdeflate.
if(NOT TARGET libdeflate::libdeflate)
    find_package(libdeflate CONFIG QUIET)
    foreach(target IN ITEMS libdeflate::libdeflate_shared libdeflate::libdeflate_static)
        if(TARGET ${target} AND NOT TARGET libdeflate::libdeflate)
            add_library(libdeflate::libdeflate INTERFACE IMPORTED)
            set_target_properties(libdeflate::libdeflate PROPERTIES INTERFACE_LINK_LIBRARIES ${target})
        endif()
    endforeach()
endif()
if(TARGET libdeflate::libdeflate)
    set(libdeflate_FOUND TRUE)
    return()
endif()

find_path(libdeflate_INCLUDE_DIR libdeflate.h)
find_library(libdeflate_LIBRARY NAMES deflate libdeflate)
mark_as_advanced(libdeflate_INCLUDE_DIR libdeflate_LIBRARY libdeflate_DIR)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(libdeflate REQUIRED_VARS libdeflate_LIBRARY libdeflate_INCLUDE_DIR)
if(libdeflate_FOUND)
    add_library(libdeflate::libdeflate UNKNOWN IMPORTED)
    set_target_properties(libdeflate::libdeflate PROPERTIES
        IMPORTED_LOCATION "${libdeflate_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${libdeflate_INCLUDE_DIR}")
endif()
