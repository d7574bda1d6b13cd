# A component is a target, navette::NAME, that links the core and what an adapter stands on. Installed, it has an export
# set and a pkg-config file of its own. See CMakeLists.txt for the list of them, and install.cmake.

# navette_component(NAME DESCRIPTION text FIND "package version"... LINK target... [DEFINE macro...]
#                   [REQUIRES "pkg-config module"...])
#
# Adds the option NAVETTE_NAME and, if that is set, finds the packages and makes the target. What the package
# configuration has to know of a component, whether it is built or not, is left in navette_components and
# navette_NAME_find; what install.cmake has to know of those that are built, in properties of the target.
function(navette_component name)
    cmake_parse_arguments(PARSE_ARGV 1 component "" "DESCRIPTION" "FIND;LINK;DEFINE;REQUIRES")
    set(navette_components ${navette_components} ${name} PARENT_SCOPE)
    set(navette_${name}_find ${component_FIND} PARENT_SCOPE)

    string(TOUPPER "NAVETTE_${name}" wanted)
    option(${wanted} "Add navette::${name}, ${component_DESCRIPTION}, and find what it links" OFF)
    if(NOT ${wanted})
        return()
    endif()

    list(PREPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/find")
    foreach(package IN LISTS component_FIND)
        separate_arguments(package)
        find_package(${package} REQUIRED)
    endforeach()
    add_library(navette_${name} INTERFACE)
    add_library(navette::${name} ALIAS navette_${name})
    target_link_libraries(navette_${name} INTERFACE navette::navette ${component_LINK})
    target_compile_definitions(navette_${name} INTERFACE ${component_DEFINE})
    set_target_properties(navette_${name} PROPERTIES
        EXPORT_NAME ${name}
        navette_description "${component_DESCRIPTION}"
        navette_requires "${component_REQUIRES}")
endfunction()
