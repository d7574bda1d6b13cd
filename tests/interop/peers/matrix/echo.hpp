// What each peer in C++ does with a connection (README.md).
#pragma once

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

struct echo {
    static constexpr unsigned unknown = 0; // a code that is not told

    std::size_t fragments = 1;
    unsigned pongs = 0;
    EVP_MD_CTX* hash = EVP_MD_CTX_new();

    // `what` is empty if the message is to be echoed, and then it counts.
    struct order {
        std::string what{};
        unsigned number = 0;
        std::string rest{};
    };

    echo() { EVP_DigestInit_ex(hash, EVP_sha256(), nullptr); }
    echo(const echo&) = delete;
    echo& operator=(const echo&) = delete;
    ~echo() { EVP_MD_CTX_free(hash); }

    order take(const std::string& message, bool text) {
        order made;
        if (!text || message.rfind("/", 0) != 0) {
            EVP_DigestUpdate(hash, message.data(), message.size());
            return made;
        }
        std::istringstream words(message);
        words >> made.what >> made.number >> made.rest;
        if (made.what == "/fragments") fragments = made.number;
        return made;
    }

    std::vector<std::string> pieces(const std::string& message) const {
        std::vector<std::string> made;
        for (std::size_t i = 0; i < fragments; ++i) {
            const std::size_t begin = message.size() * i / fragments;
            made.push_back(message.substr(begin, message.size() * (i + 1) / fragments - begin));
        }
        return made;
    }

    void report(unsigned code, const std::string& reason) {
        unsigned char digest[32];
        EVP_DigestFinal_ex(hash, digest, nullptr);
        const std::string known = code == unknown ? "null" : std::to_string(code);
        std::printf("{\"code\": %s, \"reason\": \"%s\", \"pongs\": %u, \"sha256\": \"", known.c_str(), reason.c_str(), pongs);
        for (const unsigned char byte : digest) std::printf("%02x", byte);
        std::puts("\"}");
        std::fflush(stdout);
    }
};

inline void listening(unsigned port) {
    std::printf("listening on %u\n", port);
    std::fflush(stdout);
}

inline void not_opened(const std::string& why) {
    std::printf("{\"error\": \"%s\"}\n", why.c_str());
    std::fflush(stdout);
}

struct address {
    int port = 0;
    std::string path{};

    // ws://127.0.0.1:PORT/PATH
    explicit address(const std::string& url) {
        const std::size_t colon = url.rfind(':');
        port = std::atoi(url.c_str() + colon + 1);
        path = url.substr(url.find('/', colon));
    }
};
