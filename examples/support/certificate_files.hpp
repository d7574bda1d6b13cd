// The options --cert and --key of the servers here, and the TLS that they ask for.
#pragma once

#include "support/command_line.hpp"

#include <navette/tls.hpp>

#include <optional>
#include <string_view>

namespace example {

struct certificate_files {
    std::optional<std::string_view> cert{}, key{};

    explicit operator bool() const { return cert && key; }

    /// Takes the current option, if it is one of the two.
    void take(const command_line& line) {
        if (line.is("cert")) cert = line.value();
        if (line.is("key")) key = line.value();
    }

    /// Behind the last option: ends the program if only one of the two was given.
    void check(const command_line& line) const {
        if (cert && !key) line.refuse("--cert needs --key");
        if (key && !cert) line.refuse("--key needs --cert");
    }

    /// A server that shows this certificate. Ends `program` if it cannot, with the name of the file that is at fault.
    navette::tls::context server(std::string_view program) const {
        using navette::tls::context, navette::tls::pem;
        auto made        = context::server();
        const auto error = made ? made->show(pem::file(*cert), pem::file(*key)) : made.error();
        if (!error) return *std::move(made);
        const bool has_certificates = bool(context::client(pem::file(*cert)));
        end_with(1, program, joined({has_certificates ? *key : *cert, ": ", error.message()}));
    }
};

} // namespace example
