// Upgrade requests: those that browsers, libraries and proxies write, and then lines that are left out, repeated, moved
// and written otherwise.
#include "generator.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace differential {

namespace {

struct field {
    std::string name, value;
    const char* before = " ";   ///< between the colon and the value
    const char* end    = "\r\n";
};

void change_case(numbers& random, std::string& name) {
    const std::size_t how = random.below(3);
    for (char& c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter) continue;
        if (how == 0) c = static_cast<char>(c | 0x20);
        else if (how == 1) c = static_cast<char>(c & ~0x20);
        else if (random.once_in(2)) c = static_cast<char>(c ^ 0x20);
    }
}

std::string key(numbers& random) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string made;
    for (int i = 0; i < 21; ++i) made += digits[random.below(64)];
    return made + "AQgw"[random.below(4)] + "==";
}

std::string target(numbers& random) {
    static constexpr const char* all[] = {"/", "/chat", "/chat?room=1", "/a/b%20c?d=e&f", "/?", "/x|y{z}",
                                          "http://h/chat", "http://other:81/", "ws://h/", "*", "h:80", "chat",
                                          "/a#b", "", "/\xc3\xa9", "//h/x", "/a b"};
    return all[random.once_in(3) ? random.below(std::size(all)) : random.below(4)];
}

// Values that are right, and values that are not, of the fields that count.
std::string other_value(numbers& random, const std::string& name) {
    static constexpr const char* hosts[]       = {"h", "example.com:8080", "[::1]", "[::1]:80", "", "a b", "h:", "h:x",
                                                  "h:65536", "u@h", "a,b", "h/", "192.0.2.1", "a_b", "%41"};
    static constexpr const char* upgrades[]    = {"websocket", "WebSocket", "WEBSOCKET", "h2c, websocket",
                                                  "websocket, h2c", "websocket/13", "websockets", "web socket", "",
                                                  ", websocket", "h2c", "\"websocket\"", "websocket;x"};
    static constexpr const char* connections[] = {"Upgrade", "upgrade", "keep-alive, Upgrade", "Upgrade,keep-alive",
                                                  "keep-alive,, Upgrade ,", "upgraded", "keep-alive", "",
                                                  "keep-alive Upgrade", "Upgrade; x", "close, Upgrade"};
    static constexpr const char* versions[]    = {"13", "8", "0", "013", "13.0", "", "13, 8", "8, 13", "+13", " 13 ",
                                                  "1 3", "13 ", "14", "255", "256", "-13", "0x0d"};
    static constexpr const char* keys[] = {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=", "", "dGhlIHNhbXBsZQ==",
                                           "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZQ== ", "\"dGhlIHNhbXBsZSBub25jZQ==\"",
                                           "dGhlIHNhbXBsZSBub25jZTEy", "dGhlIHNhbXBsZSBub25jZ_==", "a, b", "====",
                                           "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="};
    if (name == "Host") return random.one_of(hosts);
    if (name == "Upgrade") return random.one_of(upgrades);
    if (name == "Connection") return random.one_of(connections);
    if (name == "Sec-WebSocket-Version") return random.one_of(versions);
    if (name == "Sec-WebSocket-Key") return random.one_of(keys);
    return random.once_in(2) ? std::string() : std::string("a\x01\x7f\xc3\xa9 b", 7);
}

field additional(numbers& random) {
    static constexpr const char* all[][2] = {
        {"Origin", "http://h"}, {"Origin", "null"}, {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"},
        {"Cookie", "id=\"7\"; theme=dark"}, {"Accept-Encoding", "gzip, deflate, br"}, {"Pragma", "no-cache"},
        {"Cache-Control", "no-cache"}, {"Accept", "*/*"}, {"X-Forwarded-For", "192.0.2.7"},
        {"Sec-WebSocket-Protocol", "chat, superchat"}, {"Sec-WebSocket-Protocol", "chat, chat"},
        {"Sec-WebSocket-Protocol", "a b"}, {"Sec-WebSocket-Protocol", ""},
        {"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"},
        {"Sec-WebSocket-Extensions", "x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=\"10\""},
        {"Sec-WebSocket-Extensions", "permessage-deflate; =1"}, {"Sec-WebSocket-Extensions", "a; b c"},
        {"Sec-WebSocket-Extensions", ";"}, {"Content-Length", "0"}, {"Content-Length", "3"}, {"Content-Length", "x"},
        {"Content-Length", "0, 0"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "gzip"},
        {"Expect", "100-continue"}, {"Sec-Fetch-Mode", "websocket"}, {"X-Empty", ""}, {"X-Obs", "caf\xe9"}};
    const auto& one = all[random.below(std::size(all))];
    return {one[0], one[1]};
}

void spoil_line(numbers& random, std::vector<field>& fields) {
    const std::size_t which = random.below(fields.size());
    field& f                = fields[which];
    const auto at           = fields.begin() + static_cast<std::ptrdiff_t>(which);
    switch (random.below(14)) {
    case 0: fields.erase(at); break;
    case 1: fields.insert(at, field(f)); break;
    case 2: std::swap(f, fields[random.below(fields.size())]); break;
    case 3:
    case 4:
    case 5:
    case 6: f.value = other_value(random, f.name); break;
    case 7: {
        field twice = f;
        twice.value = other_value(random, f.name);
        fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(random.below(fields.size() + 1)), twice);
        break;
    }
    case 8: f.end = random.once_in(2) ? "\n" : "\r\r\n"; break;
    case 9: f.end = "\r\n "; break; // what follows continues this line
    case 10: f.name += random.once_in(2) ? " " : "\t"; break;
    case 11: f.before = random.once_in(2) ? "" : " \t  "; break;
    case 12: f.name = random.once_in(2) ? "" : "X Y"; break;
    case 13: f.value += random.once_in(2) ? "  " : "\t"; break;
    }
}

} // namespace

std::string request(numbers& random) {
    static constexpr const char* methods[]  = {"get", "POST", "HEAD", "CONNECT", "OPTIONS", "G@T", "", "GETT"};
    static constexpr const char* versions[] = {"HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "HTTP/1.10", "http/1.1", "HTTP/1",
                                               "HTTP/0.9", "", "HTTP/1.1 ", "HTTP/9.9"};
    std::vector<field> fields = {{"Host", "h"}, {"Upgrade", "websocket"}, {"Connection", "Upgrade"},
                                 {"Sec-WebSocket-Key", key(random)}, {"Sec-WebSocket-Version", "13"}};
    for (std::size_t n = random.below(4); n-- > 0;) fields.push_back(additional(random));
    for (std::size_t n = random.below(4); n-- > 0;)
        std::swap(fields[random.below(fields.size())], fields[random.below(fields.size())]);
    if (random.once_in(3))
        for (field& f : fields) change_case(random, f.name);
    if (!random.once_in(3))
        for (std::size_t n = 1 + random.below(2); n-- > 0 && !fields.empty();) spoil_line(random, fields);

    std::string head = random.once_in(40) ? "\r\n" : random.once_in(80) ? "\r\n\r\n" : "";
    head += random.once_in(12) ? random.one_of(methods) : "GET";
    head += random.once_in(60) ? "  " : " ";
    head += target(random);
    head += " ";
    head += random.once_in(12) ? random.one_of(versions) : "HTTP/1.1";
    head += random.once_in(60) ? "\n" : random.once_in(60) ? "\r\n " : "\r\n";
    for (const field& f : fields) head += f.name + ":" + f.before + f.value + f.end;
    head += random.once_in(60) ? "\n" : "\r\n";
    return head + "\x81\x81\x01\x02\x03\x04\x60"; // a text of one letter
}

} // namespace differential
