#include <navette/stream/message.hpp>

#include "support/bytes.hpp"

using namespace navette;

TEST_CASE("a message is its bytes, and as text the same", "[message]") {
    auto          data = text_bytes("weft");
    const message m{opcode::text, data};
    CHECK(m.text() == "weft");
    CHECK(m.text().data() == static_cast<const void*>(data.data()));
}

TEST_CASE("a peer that has sent no Close has closed abnormally, without a reason", "[message][6455:7.1.5]") {
    CHECK(peer_close{}.code == close_code::abnormal_closure);
    CHECK(peer_close{}.reason.empty());
}
