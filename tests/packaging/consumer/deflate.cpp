// The component deflate: zlib.
#include "echo.hpp"

#include <navette/deflate.hpp>

int main() {
    const navette::permessage_deflate deflate;
    return converse(deflate.extensions());
}
