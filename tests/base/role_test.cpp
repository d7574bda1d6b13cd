#include <navette/base/role.hpp>

#include "support/catch.hpp"

using namespace navette;

TEST_CASE("each role's peer has the other role", "[role][6455:1.2]") {
    STATIC_REQUIRE(opposite(role::client) == role::server);
    STATIC_REQUIRE(opposite(role::server) == role::client);
}
