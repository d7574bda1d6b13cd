// Conversations: frames that follow each other as they may, and then, in most inputs, one or several things that may not
// be. What a frame says of itself is a field of its own, so that each can lie.
#include "generator.hpp"

#include <algorithm>
#include <vector>

namespace differential {

namespace {

struct frame {
    unsigned opcode = 1, rsv = 0;
    bool fin = true, masked = true;
    std::string payload{};
    int length_bytes        = 0;  ///< 0: the shortest form; otherwise 1, 2 or 8
    bool lies               = false;
    std::uint64_t pretended = 0;  ///< the length that stands there, if it lies
    std::uint32_t key       = 0;
};

std::string written(const frame& f) {
    std::string wire;
    const std::uint64_t length = f.lies ? f.pretended : f.payload.size();
    int form                   = f.length_bytes;
    if (form == 0) form = length <= 125 ? 1 : length <= 0xffff ? 2 : 8;
    wire += static_cast<char>((f.fin ? 0x80 : 0) | f.rsv << 4 | f.opcode);
    const unsigned mask = f.masked ? 0x80 : 0;
    if (form == 1) wire += static_cast<char>(mask | (length & 0x7f));
    else wire += static_cast<char>(mask | (form == 2 ? 126 : 127));
    for (int i = form == 1 ? 0 : form; i-- > 0;) wire += static_cast<char>(length >> 8 * i & 0xff);
    if (!f.masked) return wire + f.payload;
    for (int i = 4; i-- > 0;) wire += static_cast<char>(f.key >> 8 * i & 0xff);
    for (std::size_t i = 0; i < f.payload.size(); ++i)
        wire += static_cast<char>(static_cast<unsigned char>(f.payload[i]) ^
                                  (f.key >> 8 * (3 - i % 4) & 0xff));
    return wire;
}

// Most are short; some stand at the borders of the forms of a length, a few at those of the longest message.
std::size_t size_of_payload(numbers& random) {
    static constexpr std::size_t borders[] = {0, 1, 125, 126, 127};
    static constexpr std::size_t large[]   = {65'535, 65'536, longest_message - 1, longest_message,
                                              longest_message + 1};
    if (random.once_in(400)) return random.one_of(large);
    if (random.once_in(6)) return random.one_of(borders);
    if (random.once_in(10)) return random.below(1000);
    return random.below(24);
}

void append_character(numbers& random, std::string& text) {
    static constexpr const char* odd[] = {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                                          "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
                                          "\xf4\x8f\xbf\xbf", "\xe2\x82\xac", "\xc3\xa9"};
    if (random.once_in(3)) text += random.one_of(odd);
    else text += static_cast<char>(random.below(128));
}

std::string valid_text(numbers& random, std::size_t size) {
    std::string text;
    while (text.size() < size) append_character(random, text);
    while (text.size() > size) { // a character that does not fit goes as a whole
        do text.pop_back();
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80);
        if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0) text.pop_back();
    }
    text.resize(size, '.');
    return text;
}

void spoil_text(numbers& random, std::string& text) {
    static constexpr const char* wrong[] = {"\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                            "\x80", "\xe2\x82", "\xf0\x9f\x98", "\xc3"};
    const std::string piece = random.one_of(wrong);
    text.insert(random.once_in(2) ? text.size() : random.below(text.size() + 1), piece);
}

std::string any_bytes(numbers& random, std::size_t size) {
    std::string all(size, '\0');
    for (char& c : all) c = static_cast<char>(random.next());
    return all;
}

std::string close_payload(numbers& random) {
    static constexpr unsigned codes[] = {0,    999,  1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008,
                                         1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1100, 2000, 2999,
                                         3000, 3999, 4000, 4999, 5000, 65535};
    static constexpr unsigned usual[] = {1000, 1000, 1001, 1002, 3000, 4999};
    if (random.once_in(6)) return {};
    if (random.once_in(20)) return any_bytes(random, 1);
    unsigned code = random.once_in(2) ? random.one_of(usual) : random.one_of(codes);
    if (random.once_in(20)) code = static_cast<unsigned>(random.below(65536));
    std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    std::string reason = valid_text(random, random.once_in(3) ? random.below(124) : random.below(12));
    if (random.once_in(8) && reason.size() < 119) spoil_text(random, reason);
    return payload + reason;
}

class talk {
    numbers& random_;
    bool masked_;
    std::vector<frame> frames_{};

    frame& add(unsigned opcode, std::string payload, bool fin = true) {
        frame f;
        f.opcode  = opcode;
        f.payload = std::move(payload);
        f.fin     = fin;
        f.masked  = masked_;
        f.key     = random_.once_in(8) ? 0 : static_cast<std::uint32_t>(random_.next());
        frames_.push_back(std::move(f));
        return frames_.back();
    }

    void add_control() {
        const std::size_t size = random_.once_in(5) ? 125 : random_.below(20);
        add(random_.once_in(3) ? 10 : 9, any_bytes(random_, size));
    }

    void add_message() {
        const bool text     = random_.once_in(2);
        std::size_t size    = size_of_payload(random_);
        std::string payload = text ? valid_text(random_, size) : any_bytes(random_, size);
        if (text && random_.once_in(12)) spoil_text(random_, payload);
        unsigned opcode           = text ? 1 : 2;
        const std::size_t cuts    = random_.once_in(2) ? 0 : random_.below(5);
        for (std::size_t i = 0; i < cuts; ++i) {
            const std::size_t n = random_.below(payload.size() + 1);
            add(opcode, payload.substr(0, n), false);
            payload.erase(0, n);
            opcode = 0;
            if (random_.once_in(3)) add_control();
            if (random_.once_in(40)) add(8, close_payload(random_));
        }
        add(opcode, std::move(payload));
    }

    void lie(frame& f) {
        static constexpr int forms[]             = {1, 2, 8};
        static constexpr std::uint64_t lengths[] = {0, 1, 125, 126, 127, 0xffff, 0x10000, longest_message + 1,
                                                    0xffffffff, 0x100000000, 0x7fffffffffffffff,
                                                    0x8000000000000000, 0xffffffffffffffff};
        f.length_bytes = random_.once_in(2) ? 0 : random_.one_of(forms);
        if (random_.once_in(2)) return;
        f.lies      = true;
        f.pretended = random_.once_in(2) ? random_.one_of(lengths)
                                         : f.payload.size() + random_.below(5) - 2;
    }

    void spoil() {
        if (frames_.empty()) return;
        const std::size_t which = random_.below(frames_.size());
        frame& f                = frames_[which];
        const auto at           = frames_.begin() + static_cast<std::ptrdiff_t>(which);
        switch (random_.below(10)) {
        case 0: f.fin = !f.fin; break;
        case 1: f.rsv = static_cast<unsigned>(random_.below(8)); break;
        case 2: f.opcode = static_cast<unsigned>(random_.below(16)); break;
        case 3: f.masked = !f.masked; break;
        case 4: lie(f); break;
        case 5: frames_.erase(at); break;
        case 6: frames_.insert(at, frame(f)); break;
        case 7: std::swap(f, frames_[random_.below(frames_.size())]); break;
        case 8: f.payload += any_bytes(random_, 1 + random_.below(150)); break;
        case 9: spoil_text(random_, f.payload); break;
        }
    }

public:
    talk(numbers& random, bool masked) : random_(random), masked_(masked) {}

    std::string wire() {
        for (std::size_t n = random_.below(7); n-- > 0;) {
            if (random_.once_in(3)) add_control();
            else add_message();
        }
        if (random_.once_in(2)) add(8, close_payload(random_));
        if (random_.once_in(12)) add_message(); // behind a Close, if there was one
        if (!random_.once_in(3))
            for (std::size_t n = 1 + random_.below(3); n-- > 0;) spoil();
        std::string all;
        for (const frame& f : frames_) all += written(f);
        return all;
    }
};

} // namespace

std::string conversation(numbers& random, receiver to) {
    return talk(random, to != receiver::client).wire();
}

void damage(numbers& random, std::string& bytes) {
    if (bytes.empty()) return;
    const std::size_t at = random.below(bytes.size()), size = 1 + random.below(8);
    switch (random.below(6)) {
    case 0:
    case 1: bytes[at] = static_cast<char>(bytes[at] ^ 1 << random.below(8)); break;
    case 2: bytes.erase(at, size); break;
    case 3: bytes.insert(at, bytes.substr(at, size)); break;
    case 4: bytes.resize(at); break;
    case 5: bytes[at] = static_cast<char>(random.next()); break;
    }
}

input generate(std::uint64_t seed, std::uint64_t number) {
    numbers random(seed ^ number * 0xd1342543de82ef95);
    input made;
    const std::size_t kind = random.below(5);
    made.to    = kind == 4 ? receiver::handshake : kind % 2 == 0 ? receiver::server : receiver::client;
    made.bytes = kind == 4 ? request(random) : conversation(random, made.to);
    if (random.once_in(3))
        for (std::size_t n = 1 + random.below(2); n-- > 0;) damage(random, made.bytes);
    const std::size_t pieces = random.below(4);
    if (pieces == 3 && made.bytes.size() < 300)
        for (std::size_t i = 1; i < made.bytes.size(); ++i) made.cuts.push_back(i);
    else
        for (std::size_t i = 0; i < pieces; ++i) made.cuts.push_back(random.below(made.bytes.size() + 1));
    std::sort(made.cuts.begin(), made.cuts.end());
    return made;
}

} // namespace differential
