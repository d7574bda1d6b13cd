// The core and the sockets: the standard library and POSIX.
#include "echo.hpp"

#include <navette/tcp.hpp>

int main() {
    return converse();
}
