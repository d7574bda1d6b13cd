#include <navette/protocol/protocol.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"
#include "support/toy_extension.hpp"

#include <algorithm>
#include <string>

using namespace navette;

namespace {

enum class under_way { nothing, text, binary, transformed };

// What stands between two messages, or goes on with one.
template <class P>
byte_vector begun(under_way message) {
    switch (message) {
    case under_way::text: return from_peer<P>(frame(0x01, "t"));
    case under_way::binary: return from_peer<P>(frame(0x02, "b"));
    case under_way::transformed: return from_peer<P>(frame(0x41, "x"));
    case under_way::nothing: break;
    }
    return {};
}

// The rules that a header with these two bytes breaks, by RFC 6455, 5.1, 5.2, 5.4 and 5.5, and RFC 7692, 6; written down
// without a look at the library, and in no order.
std::vector<errc> broken_rules(unsigned first, unsigned second, role us, bool extended, under_way message) {
    const unsigned    op      = first & 0x0f;
    const bool        control = op >= 8;
    const bool        begins  = op == 1 || op == 2;
    std::vector<errc> broken;
    if ((first & 0x30) != 0 || ((first & 0x40) != 0 && !(extended && begins))) broken.push_back(errc::reserved_bits);
    if ((op > 2 && op < 8) || op > 10) broken.push_back(errc::reserved_opcode);
    if (control && (first & 0x80) == 0) broken.push_back(errc::fragmented_control);
    if (control && (second & 0x7f) > 125) broken.push_back(errc::control_too_long);
    if (us == role::server && second < 0x80) broken.push_back(errc::unmasked_client_frame);
    if (us == role::client && second >= 0x80) broken.push_back(errc::masked_server_frame);
    if (op == 0 && message == under_way::nothing) broken.push_back(errc::unexpected_continuation);
    if (begins && message != under_way::nothing) broken.push_back(errc::expected_continuation);
    return broken;
}

// What stands behind the two bytes in a whole header: the shortest length of that form, and a key that is all zeros.
std::size_t write_rest(unsigned second, std::byte* at) {
    std::size_t size = 0;
    const auto  put  = [&](unsigned value) { at[size++] = static_cast<std::byte>(value); };
    if ((second & 0x7f) == 126)
        for (const unsigned b : {0u, 126u}) put(b);
    if ((second & 0x7f) == 127)
        for (const unsigned b : {0u, 0u, 0u, 0u, 0u, 1u, 0u, 0u}) put(b);
    if (second >= 0x80)
        for (int i = 0; i < 4; ++i) put(0);
    return size;
}

template <class P>
void try_all(const toy::extension* xored, under_way message) {
    const auto  before = begun<P>(message);
    std::size_t wrong  = 0, refused = 0, late = 0, done = 0;
    std::string worst;
    buffer      out;
    P           fresh(xored == nullptr ? agreement{} : xored->agreed());
    for (unsigned first = 0; first < 256; ++first)
        for (unsigned second = 0; second < 256; ++second, ++done) {
            P           ws(xored == nullptr ? agreement{} : xored->agreed());
            byte_vector memory = before;
            byte_span   in(memory);
            while (ws.receive(in, out)) {}

            std::byte wire[16]{static_cast<std::byte>(first), static_cast<std::byte>(second)};
            const std::size_t size = 2 + write_rest(second, wire + 2);
            in                     = byte_span(wire).first(2);
            event e                = ws.receive(in, out);
            if (!e && ws.state() != connection_state::failed) {
                in = byte_span(wire).subspan(2, size - 2);
                e  = ws.receive(in, out);
                late += e.type == event_type::failed;
            }
            const auto broken = broken_rules(first, second, role_of<P>, xored != nullptr, message);
            const bool failed = e.type == event_type::failed;
            bool       right  = failed == !broken.empty();
            if (failed)
                right = right && std::ranges::find(broken, e.error) != broken.end() && e.code == close_code::protocol_error &&
                        ws.state() == connection_state::failed && !out.empty();
            else
                right = right && ws.state() != connection_state::failed;
            if (!right) {
                ++wrong;
                worst = to_hex(const_byte_span(wire).first(size)) + ": " + to_text(e);
            }
            refused += failed;
            out.clear();
        }
    INFO("the last of those that are wrong: " << worst);
    CHECK(wrong == 0);
    CHECK(done == 65'536);
    // Whole classes of headers on both sides, so that the comparison cannot be of nothing with nothing.
    CHECK(refused > 60'000);
    CHECK(refused < 65'536);
    CHECK(late > 0);   // a rule of the message's state is judged once the header is whole
}

} // namespace

TEMPLATE_TEST_CASE("of 65,536 first two bytes those pass that break no rule, whatever message is under way",
                   "[property][6455:5.2][C69][C70][C75][C76][C86][C89][C94]", client_protocol, server_protocol) {
    for (const under_way message : {under_way::nothing, under_way::text, under_way::binary}) {
        CAPTURE(static_cast<int>(message));
        try_all<TestType>(nullptr, message);
    }
}

TEMPLATE_TEST_CASE("of 65,536 first two bytes those pass that break no rule, an extension being agreed",
                   "[property][7692:6][C69][C70][C125]", client_protocol, server_protocol) {
    const toy::extension xored;
    for (const under_way message : {under_way::nothing, under_way::text, under_way::binary, under_way::transformed}) {
        CAPTURE(static_cast<int>(message));
        try_all<TestType>(&xored, message);
    }
}
