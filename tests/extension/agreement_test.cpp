#include <navette/extension/agreement.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/toy_extension.hpp"

#include <type_traits>

using namespace navette;

static_assert(std::is_trivially_copyable_v<agreement>);

TEST_CASE("an agreement by default is the plain protocol: no subprotocol, no extension, no reserved bit",
          "[agreement][6455:5.2][C69]") {
    const agreement plain;
    CHECK(plain.subprotocol.empty());
    CHECK(plain.extension == nullptr);
    CHECK(plain.parameters == extension_parameters{});
    CHECK(plain.allowed_rsv() == rsv_bits::none);
}

TEST_CASE("an agreed extension allows its reserved bit and no other", "[agreement][6455:5.2][6455:9.1][C69][S46]") {
    toy::extension  extension;
    const agreement made = extension.agreed();
    CHECK(made.extension == &extension.factory);
    CHECK(made.allowed_rsv() == rsv_bits::rsv1);
    extension.factory.rsv = rsv_bits::rsv3;
    CHECK(made.allowed_rsv() == rsv_bits::rsv3);
}

TEST_CASE("a copy of an agreement is the same agreement", "[agreement]") {
    const toy::extension extension;
    agreement            made = extension.agreed(7);
    made.subprotocol          = "chat";
    const agreement copy      = made;
    CHECK(copy.subprotocol == "chat");
    CHECK(copy.subprotocol.data() == made.subprotocol.data());
    CHECK(copy.extension == &extension.factory);
    CHECK(copy.parameters == made.parameters);
    CHECK(copy.parameters.values[0] == 7);
}
