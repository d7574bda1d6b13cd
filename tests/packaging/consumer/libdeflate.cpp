// The component libdeflate: both libraries, since without context takeover whole messages are libdeflate's.
#include "echo.hpp"

#include <navette/libdeflate.hpp>

int main() {
    const navette::permessage_libdeflate deflate({.send_no_context_takeover = true});
    return converse(deflate.extensions());
}
