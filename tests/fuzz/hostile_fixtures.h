// SPDX-License-Identifier: MIT
//
// Credentials of both sides, loaded once a process.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "quic/credentials.h"
#include "support/source_tree.h"
#include "wire/messages.h"

namespace qmux::fuzz {

inline const std::shared_ptr<const quic::Credentials>& credentials(quic::Credentials::Purpose purpose) {
  const auto load = [](const std::string& name, quic::Credentials::Purpose wanted) {
    log::configure(log::Level::off, log::Format::text);
    auto made = quic::Credentials::load({.certificate = test::fixture(name + ".crt"),
                                         .key = test::fixture(name + ".key"),
                                         .trust = test::fixture("ca.crt")},
                                        wanted);
    CHECK(made.has_value());
    return std::move(*made);
  };
  static const std::shared_ptr<const quic::Credentials> server = load("server", quic::Credentials::Purpose::server);
  static const std::shared_ptr<const quic::Credentials> client = load("client", quic::Credentials::Purpose::client);
  return purpose == quic::Credentials::Purpose::server ? server : client;
}

/// A message of the protocol as a stream's bytes.
inline std::vector<std::byte> bytes_of(const wire::Message& message) {
  std::vector<std::byte> bytes;
  wire::encode(message, bytes);
  return bytes;
}

}  // namespace qmux::fuzz
