// What the code for websocketpp in docs/from-websocketpp.md stands on.
#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>
#include <websocketpp/server.hpp>

#include <iostream>
#include <memory>
#include <set>
#include <string>
