// SPDX-License-Identifier: MIT
//
// In which order, and when, one round of attempts tries the addresses of a server's name (RFC 8305): the families take turns, the
// next address is due 250 ms after the one before or as soon as one has failed, and the first whose handshake completes decides
// for all. If it fails after all, the others go on.
//
// A plain value; it knows no connection. The link that owns it makes the attempts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace qmux::tunnel {

class AddressRace {
 public:
  /// Begins a round. `resolved`: in the order of the resolver; those over limits::kAddressesPerNameMax are left out.
  void begin(const std::vector<Address>& resolved);
  /// The round is over.
  void end() noexcept;

  /// The address to try now; from then on it is being tried. Nothing: none is due.
  [[nodiscard]] std::optional<Address> next(Time now);
  /// When next() has an address, as far as is known now; kNever: not before a call of failed().
  [[nodiscard]] Time next_start() const noexcept;
  /// It has failed, and is not tried again in this round.
  void failed(const Address& address) noexcept;
  /// Its handshake is complete: the attempts at the other addresses are given up, and wait until this one has failed.
  void handshake_completed(const Address& address) noexcept;

  /// Addresses that have not failed.
  [[nodiscard]] std::size_t remaining() const noexcept { return candidates_.size(); }
  [[nodiscard]] bool is_over() const noexcept { return candidates_.empty(); }

 private:
  enum class State : std::uint8_t { waits, tried, decides };
  struct Candidate {
    Address address;
    State state = State::waits;
  };
  [[nodiscard]] std::size_t count(State state) const noexcept;

  std::vector<Candidate> candidates_;  ///< in the order to try
  Time next_start_ = Time::min();
};

/// RFC 8305 section 4: the first address, then the first of the other family, and so on; each address once.
[[nodiscard]] std::vector<Address> interleave_families(const std::vector<Address>& resolved);

}  // namespace qmux::tunnel
