# Makes a header of text files: each becomes a std::string_view named after it, "demo.js" page::demo_js.
# cmake -DOUTPUT=page.hpp "-DINPUTS=demo.html;demo.js" -P embed.cmake
file(WRITE "${OUTPUT}.new" "// Made from the files of examples/page.\n#pragma once\n\n#include <string_view>\n\nnamespace page {\n\n")
foreach(input IN LISTS INPUTS)
    get_filename_component(name "${input}" NAME)
    string(REPLACE "." "_" name "${name}")
    file(READ "${input}" text)
    file(APPEND "${OUTPUT}.new" "inline constexpr std::string_view ${name} = R\"~page~(${text})~page~\";\n\n")
endforeach()
file(APPEND "${OUTPUT}.new" "} // namespace page\n")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
