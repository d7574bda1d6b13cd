// What peers may send in one connection, good and bad, as unmasked frames: the exchanges that property tests cut,
// truncate and damage.
#pragma once

#include "support/bytes.hpp"
#include "support/endpoint.hpp"
#include "support/toy_extension.hpp"

struct exchange {
    const char* name;
    byte_vector unmasked;
};

/// `xored` is the extension that was agreed, if any: then some messages are marked.
inline std::vector<exchange> stored_exchanges(const toy::extension* xored) {
    const auto long_text = [](std::size_t size) {
        std::string text;
        while (text.size() < size) text += "trame \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 ";
        return text;
    };
    std::vector<exchange> all = {
        {"nothing", {}},
        {"a text and a Close", bytes("81 05 48656c6c6f  88 02 03E8")},
        {"empty frames of each kind",
         bytes("81 00  82 00  89 00  8A 00  01 00 00 00 80 00  88 00")},
        {"fragments with control frames between",
         bytes("01 03 48c3a9  89 02 6869  00 02 e282  8A 01 78  80 01 ac  88 05 03E9 627965")},
        {"a text with a 16-bit length",
         concat(frame(0x81, long_text(140)), frame(0x89, "?"), bytes("88 00"))},
        {"a binary message with a 64-bit length",
         concat(frame(0x82, byte_vector(65'537, std::byte{0x5a})), bytes("88 02 0FA0"))},
        {"the longest control frames",
         concat(frame(0x89, std::string(125, 'p')), frame(0x8a, std::string(125, 'q')),
                frame(0x88, close_payload(4999, std::string(123, 'r'))))},
        {"a message that is never ended", concat(frame(0x01, "abc"), frame(0x00, "def"))},
        {"a Close within a message",
         concat(frame(0x02, "abc"), bytes("88 02 03E8"), frame(0x80, "def"))},
        {"frames behind a Close", bytes("88 02 03E8  81 01 61  89 01 62  83 00")},
        {"a reserved opcode", bytes("81 01 61  83 01 62  81 01 63")},
        {"a reserved bit", bytes("81 01 61  A1 01 62  81 01 63")},
        {"RSV1 on a continuation", bytes("01 01 61  C0 01 62  81 01 63")},
        {"RSV1 on a ping", bytes("C9 01 62  81 01 63")},
        {"a fragmented ping", bytes("09 01 62  81 01 63")},
        {"a ping that is too long", concat(frame(0x89, std::string(126, 'p')), bytes("81 01 63"))},
        {"a length in too long a form", bytes("82 7E 0002 6162  81 01 63")},
        {"a length above 63 bits", bytes("82 7F 8000000000000001 61")},
        {"a length above the limit", bytes("81 01 61  82 7F 0000000001000001 61626364")},
        {"a continuation of nothing", bytes("81 01 61  80 01 62  81 01 63")},
        {"a message within a message", bytes("01 01 61  81 01 62  80 01 63")},
        {"a Close of one byte", bytes("88 01 03  81 01 63")},
        {"a Close with a forbidden code", bytes("88 04 03ED 6162  81 01 63")},
        {"a Close whose reason is not UTF-8", bytes("88 04 03E8 c328  81 01 63")},
        {"a text that is not UTF-8", bytes("81 01 61  81 04 6162ff64  81 01 63")},
        {"a character that is cut off", bytes("01 02 61e2  89 00  80 01 82  81 01 63")},
    };
    if (xored != nullptr) {
        const auto coded = xored->on_wire("coded in three fragments");
        const auto part  = [&](std::size_t from, std::size_t size) {
            return navette::const_byte_span(coded).subspan(from, size);
        };
        all.push_back({"a coded message", concat(frame(0xc1, xored->on_wire(long_text(100))),
                                                 bytes("81 01 61 88 00"))});
        all.push_back({"a coded message in fragments",
                       concat(frame(0x41, part(0, 3)), frame(0x89, "!"), frame(0x00, ""),
                              frame(0x00, part(3, 9)), frame(0x80, part(12, coded.size() - 12)),
                              bytes("88 00"))});
        all.push_back({"a coded text that is not UTF-8",
                       concat(frame(0xc1, xored->on_wire("ab\xff")), bytes("81 01 61"))});
        all.push_back({"coded empty messages", bytes("C1 00  42 00 80 00  88 00")});
    }
    return all;
}
