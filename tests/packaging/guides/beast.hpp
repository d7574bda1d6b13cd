// What the code for Beast in docs/from-beast.md stands on.
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include <chrono>
#include <deque>
#include <iostream>
#include <memory>
#include <string>

namespace net       = boost::asio;
namespace beast     = boost::beast;
namespace http      = boost::beast::http;
namespace websocket = boost::beast::websocket;
using tcp           = net::ip::tcp;
