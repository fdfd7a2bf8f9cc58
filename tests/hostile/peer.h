// SPDX-License-Identifier: MIT
//
// A QUIC peer, client or server, that finishes a real TLS handshake and then does what no conforming peer does: it sends any
// frames at any level as soon as it has the keys of that level. It keeps no QUIC state that could stop it, and is made on
// GnuTLS alone, not on the library under test.
//
// Left alone it sends what TLS wants to send (set_sends_flights) and acknowledges what it receives (set_acknowledges).
//
// Of version 1 and AES-128-GCM only. It does not repeat what is lost: its link loses nothing. One thread, on a simulated loop.
#pragma once

#include <gnutls/gnutls.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/io/datagram_socket.h"
#include "hostile/frames.h"
#include "hostile/packet_keys.h"
#include "quic/credentials.h"
#include "sim/world/loop.h"

namespace qmux::hostile {

enum class Level : std::uint8_t { initial, handshake, application };
inline constexpr std::size_t kLevels = 3;

/// Transport parameters (RFC 9000 section 18.2). Integers: a hostile peer sends others too.
struct TransportParameter {
  enum : std::uint64_t {
    original_destination = 0x00,
    max_idle_timeout = 0x01,
    stateless_reset_token = 0x02,
    max_udp_payload = 0x03,
    initial_max_data = 0x04,
    initial_max_stream_data_local = 0x05,
    initial_max_stream_data_remote = 0x06,
    initial_max_streams_bidi = 0x08,
    preferred_address = 0x0d,
    active_connection_ids = 0x0e,
    initial_source = 0x0f,
    max_datagram_frame = 0x20,
  };
};
/// A transport parameter that is an integer.
[[nodiscard]] std::vector<std::byte> integer(std::uint64_t value);

/// One packet of a datagram to be sent.
struct PacketPlan {
  Level level = Level::application;
  ConstBytes frames;
};

struct PeerOptions {
  bool server = false;
  std::shared_ptr<const quic::Credentials> credentials{};
  Address local;
  Address remote;           ///< of a client's peer; a server's peer answers where the first packet came from
  std::string server_name;  ///< client: in its ClientHello
  /// Client: its first ClientHello has a key share that none of our servers takes, so that it is asked for another one.
  bool retries_hello = false;
};

class Peer final : private io::DatagramSocket::Events {
 public:
  /// Transport parameters by their number (RFC 9000 section 18.2), encoded.
  using TransportParameters = std::map<std::uint64_t, std::vector<std::byte>>;

  Peer(sim::SimLoop& loop, const PeerOptions& options);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer();

  // --- before the handshake ---

  /// What TLS is given; the connection IDs are added where they are missing.
  TransportParameters& transport_parameters() noexcept { return parameters_; }
  void set_sends_parameters(bool sends) noexcept { sends_parameters_ = sends; }
  void set_sends_flights(bool sends) noexcept { sends_flights_ = sends; }
  void set_acknowledges(bool acknowledges) noexcept { acknowledges_ = acknowledges; }
  /// Client: makes its ClientHello, and sends it unless it sends no flights by itself.
  void begin();

  // --- what it sends ---

  [[nodiscard]] bool can_send(Level level) const noexcept { return sides_[index(level)].tx.has_value(); }
  /// Takes what TLS wants to send at a level, as CRYPTO frames, at most that many bytes of data.
  [[nodiscard]] Frames take_flight(Level level, std::size_t bytes_max = SIZE_MAX);
  /// Sends everything that TLS wants to send.
  void send_flights();
  /// One packet in a datagram of its own, padded where it is an Initial one; nothing when it has no keys for the level.
  void send(Level level, ConstBytes frames);
  /// Several in one datagram, as they are.
  void send(std::span<const PacketPlan> packets);
  void send_raw(ConstBytes datagram);
  /// CRYPTO data that TLS did not make, behind what it did.
  [[nodiscard]] Frames forged_crypto(Level level, ConstBytes data);
  /// Sends from another port from now on, or from the one before.
  void move();
  void move_back();
  /// Protects what it sends with the next keys (RFC 9001 section 6).
  void update_keys();
  void skip_packet_numbers(std::uint64_t count) { sides_[index(Level::application)].next_number += count; }
  void set_destination(ConstBytes id) { destination_.assign(id.begin(), id.end()); }

  // --- what it has received ---

  [[nodiscard]] bool handshake_complete() const noexcept { return complete_; }
  [[nodiscard]] std::uint64_t received(Level level) const noexcept { return sides_[index(level)].received_count; }
  [[nodiscard]] std::optional<std::uint64_t> largest(Level level) const noexcept {
    return sides_[index(level)].largest;
  }
  /// Error code of a CONNECTION_CLOSE of either kind.
  [[nodiscard]] std::optional<std::uint64_t> close_code() const noexcept { return close_code_; }
  /// Data of the newest PATH_CHALLENGE; empty when there was none.
  [[nodiscard]] const std::vector<std::byte>& challenge() const noexcept { return challenge_; }
  /// IDs that the other side has given us, besides its first.
  [[nodiscard]] const std::vector<std::vector<std::byte>>& connection_ids() const noexcept { return connection_ids_; }
  /// Everything that was received at the application level, but for padding and acknowledgements, by type.
  [[nodiscard]] std::uint64_t frames_seen(std::uint64_t type) const;

 private:
  struct Side {
    std::optional<PacketKeys> tx;
    std::optional<PacketKeys> rx;
    std::optional<PacketKeys> rx_next;  ///< of the next generation
    std::uint64_t next_number = 0;
    std::uint64_t received_count = 0;
    std::optional<std::uint64_t> largest;
    bool acknowledgement_due = false;
    std::vector<std::byte> crypto_out;
    std::uint64_t crypto_out_offset = 0;
    std::map<std::uint64_t, std::vector<std::byte>> crypto_in;
    std::uint64_t crypto_in_offset = 0;
  };
  static constexpr std::size_t index(Level level) noexcept { return static_cast<std::size_t>(level); }
  Side& side(Level level) noexcept { return sides_[index(level)]; }

  // io::DatagramSocket::Events
  void datagrams_readable() override;
  void datagrams_writable() override {}

  // what GnuTLS calls
  static Peer& of(gnutls_session_t session) { return *static_cast<Peer*>(gnutls_session_get_ptr(session)); }
  static int secrets_made(gnutls_session_t session, gnutls_record_encryption_level_t level, const void* rx,
                          const void* tx, std::size_t length);
  static int crypto_made(gnutls_session_t session, gnutls_record_encryption_level_t level,
                         gnutls_handshake_description_t type, const void* data, std::size_t length);
  static int parameters_wanted(gnutls_session_t session, gnutls_buffer_t into);

  void start_tls(const PeerOptions& options);
  void open_socket();
  void receive_datagram(ConstBytes datagram);
  /// Takes one packet off the front; what is left of a datagram that it cannot read is dropped.
  void receive_packet(ConstBytes& datagram);
  void receive_long(ConstBytes& datagram);
  std::optional<PacketKeys::Opened> open_short(ConstBytes packet);
  void receive_frames(Level level, const PacketKeys::Opened& opened);
  void receive_crypto(Level level, const Frame& frame);
  void run_tls();
  void answer();
  std::vector<std::byte> make_packet(const PacketPlan& plan);

  sim::SimLoop& loop_;
  const bool server_;
  Address local_;
  Address remote_;
  std::vector<std::unique_ptr<io::DatagramSocket>> sockets_;
  std::size_t socket_ = 0;  ///< the one that it sends from
  gnutls_session_t session_ = nullptr;
  gnutls_priority_t priority_ = nullptr;
  gnutls_certificate_credentials_t shown_ = nullptr;
  std::shared_ptr<const quic::Credentials> credentials_;
  TransportParameters parameters_;
  std::vector<std::byte> source_;       ///< our ID
  std::vector<std::byte> destination_;  ///< the other side's
  std::vector<std::byte> original_;     ///< the destination of the client's first Initial
  std::array<Side, kLevels> sides_;
  std::map<std::uint64_t, std::uint64_t> frames_seen_;
  std::vector<std::vector<std::byte>> connection_ids_;
  std::vector<std::byte> challenge_;
  std::optional<std::uint64_t> close_code_;
  bool sends_parameters_ = true;
  bool sends_flights_ = true;
  bool acknowledges_ = true;
  bool tls_failed_ = false;
  bool complete_ = false;
  bool destination_known_ = false;  ///< the ID that the other side chose
  bool key_phase_ = false;
};

}  // namespace qmux::hostile
